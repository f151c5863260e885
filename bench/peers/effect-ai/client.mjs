/** Effect's own LanguageModel with its Anthropic provider, on the Effect version that provider was released for. */
import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import { Effect, Layer, ManagedRuntime, Redacted, Stream } from "effect"
import { LanguageModel } from "effect/unstable/ai"
import { FetchHttpClient } from "effect/unstable/http"
import { messages, modelOf } from "../messages.mjs"

export const make = async ({ url, wire }) => {
  const client = AnthropicClient.layer({ apiKey: Redacted.make("bench-key"), apiUrl: url })
  const model = AnthropicLanguageModel.layer({ model: modelOf(wire), config: { max_tokens: 1024 } })
  const runtime = ManagedRuntime.make(model.pipe(Layer.provide(client), Layer.provide(FetchHttpClient.layer)))
  return {
    stream: (prompt, onText) =>
      runtime.runPromise(Effect.suspend(() => {
        let characters = 0
        return LanguageModel.streamText({ prompt: messages(prompt) }).pipe(
          Stream.runForEachArray((parts) =>
            Effect.sync(() => {
              for (const part of parts) {
                const piece = part.type === "text-delta" || part.type === "tool-params-delta" ? part.delta : undefined
                if (piece === undefined) continue
                characters += piece.length
                onText?.(piece)
              }
            })
          ),
          Effect.map(() => characters)
        )
      })),
    generate: (prompt) =>
      runtime.runPromise(Effect.map(LanguageModel.generateText({ prompt: messages(prompt) }), ({ text }) => text.length))
  }
}
