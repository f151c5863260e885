/** This library in the agent benchmark. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Agent, Anthropic, Handlers, LlmService, LlmTool } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import { type MakeAgentClient, resultOf } from "./agents-work.ts"

const lookUp = LlmTool.make("look_up", {
  description: "Looks up an entry",
  parameters: Schema.Struct({ n: Schema.Int }),
  success: Schema.Struct({ n: Schema.Int, text: Schema.String })
})

const List = Schema.Struct({
  entries: Schema.Array(
    Schema.Struct({ id: Schema.Int, name: Schema.String, text: Schema.String, done: Schema.Boolean })
  )
})

export const make: MakeAgentClient = async ({ url }) => {
  const llm = Anthropic.layer({
    apiKey: Redacted.make("bench-key"),
    baseUrl: `${url}/v1`,
    model: "claude-sonnet-4-5"
  })
  const runtime = ManagedRuntime.make(Layer.provide(llm, layerHttpClient))
  return {
    agent: ({ messages, onTool, streaming }) => {
      const agent = Agent.make({
        tools: Handlers.make([lookUp], {
          look_up: ({ n }) =>
            Effect.sync(() => {
              onTool()
              return resultOf(n)
            })
        }),
        bounds: { maxSteps: 100 }
      })
      if (!streaming) return runtime.runPromise(Effect.map(Agent.run(agent, { messages }), ({ text }) => text))
      return runtime.runPromise(
        Agent.stream(agent, { messages }).pipe(
          Stream.runFold(() => "", (last, event) => event._tag === "RunEnd" ? event.outcome.text : last)
        )
      )
    },
    object: () =>
      runtime.runPromise(
        LlmService.streamObject(List, { prompt: "List all.", maxTokens: 60_000 }).pipe(
          Stream.runFold(() => ({ partials: 0, entries: 0 }), (seen, event) =>
            event._tag === "Partial"
              ? { ...seen, partials: seen.partials + 1 }
              : event._tag === "Object"
              ? { ...seen, entries: event.value.entries.length }
              : seen)
        )
      ),
    plain: () =>
      runtime.runPromise(
        LlmService.stream({ prompt: "List all.", maxTokens: 60_000 }).pipe(
          Stream.runFold(() => 0, (sum, event) => event._tag === "TextDelta" ? sum + event.text.length : sum)
        )
      )
  }
}
