/** Chat and Toolkit of Effect's own LanguageModel, which runs the tools of one answer: the loop around it is ours. It streams no growing objects. */
import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import { Effect, Layer, ManagedRuntime, Redacted, Schema, Stream } from "effect"
import { Chat, LanguageModel, Tool, Toolkit } from "effect/unstable/ai"
import { FetchHttpClient } from "effect/unstable/http"
import { resultOf } from "../agents.mjs"

const tools = Toolkit.make(Tool.make("look_up", {
  description: "Looks up an entry",
  parameters: Schema.Struct({ n: Schema.Int }),
  success: Schema.Struct({ n: Schema.Int, text: Schema.String })
}))

export const make = async ({ url }) => {
  const client = AnthropicClient.layer({ apiKey: Redacted.make("bench-key"), apiUrl: url })
  const model = AnthropicLanguageModel.layer({ model: "claude-sonnet-4-5", config: { max_tokens: 1024 } })
  const runtime = ManagedRuntime.make(model.pipe(Layer.provide(client), Layer.provide(FetchHttpClient.layer)))
  return {
    agent: ({ messages, onTool, streaming }) => {
      const handlers = tools.toLayer({ look_up: ({ n }) => Effect.sync(() => (onTool(), resultOf(n))) })
      const run = Effect.gen(function*() {
        const toolkit = yield* tools
        const chat = yield* Chat.fromPrompt(messages.slice(0, -1))
        let prompt = messages.slice(-1)
        for (let step = 0; step < 100; step++) {
          let calls = 0
          let text = ""
          if (streaming) {
            yield* Stream.runForEach(chat.streamText({ prompt, toolkit }), (part) =>
              Effect.sync(() => {
                if (part.type === "tool-call") calls++
                if (part.type === "text-delta") text += part.delta
              }))
          } else {
            const response = yield* chat.generateText({ prompt, toolkit })
            calls = response.toolCalls.length
            text = response.text
          }
          if (calls === 0) return text
          prompt = []
        }
        return "too many steps"
      })
      return runtime.runPromise(Effect.provide(run, handlers))
    },
    plain: () =>
      runtime.runPromise(
        Stream.runFold(LanguageModel.streamText({ prompt: "List all." }), () => 0, (sum, part) =>
          part.type === "text-delta" ? sum + part.delta.length : sum)
      )
  }
}
