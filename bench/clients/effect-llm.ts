/**
 * This library. The variant says over which HTTP client and how the events are consumed, joined by a comma:
 * `fetch` | `node` | `undici`, then `arrays` (one call per network chunk) | `each` (one effect per event) | `fold`, then
 * any of `policies`, `traced`.
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type * as Library from "../../src/index.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import type * as Node from "../../src/node.ts"
import { type Make, modelOf } from "../client.ts"

const textOf = (event: LlmEvent): string | undefined =>
  event._tag === "TextDelta" ? event.text : event._tag === "ToolCallDelta" ? event.delta : undefined

const tracer = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })

export const make: Make = async ({ library, url, variant, wire }) => {
  const words = variant.split(",")
  const has = (word: string) => words.includes(word)
  const {
    Anthropic,
    CircuitBreaker,
    Concurrency,
    Continue,
    Fallback,
    LlmService,
    Message,
    OpenAi,
    RateLimit,
    Retry,
    Timeout
  } = await import(new URL("index.js", library).href) as typeof Library
  const http: Layer.Layer<HttpClient> = has("node")
    ? (await import(new URL("node.js", library).href) as typeof Node).layerHttpClient
    : has("undici")
    ? (await import("@effect/platform-node/NodeHttpClient")).layerUndici
    : FetchHttpClient.layer
  const options = { apiKey: Redacted.make("bench-key"), baseUrl: `${url}/v1`, model: modelOf(wire) }
  const provider = wire === "anthropic" ? Anthropic.layer(options) : OpenAi.layer({ ...options, api: "chat" })
  const llm = has("policies")
    ? provider.pipe(
      Timeout.policy({ firstToken: "20 seconds", idle: "30 seconds", total: "10 minutes" }),
      RateLimit.policy({ requestsPerMinute: 1_000_000, tokensPerMinute: 1_000_000_000 }),
      Concurrency.policy({ permits: 100 }),
      Retry.policy(Retry.standard),
      CircuitBreaker.policy(),
      Fallback.policy(Anthropic.layer(options)),
      Continue.policy()
    )
    : provider
  const traced = has("traced") ? Layer.succeed(Tracer.Tracer, tracer) : Layer.empty
  const runtime = ManagedRuntime.make(Layer.mergeAll(Layer.provide(llm, http), traced))
  const requestOf = (turns: ReadonlyArray<string>) => ({
    maxTokens: 1024,
    messages: turns.map((text, i) => i % 2 === 0 ? Message.user(text) : Message.assistant(text))
  })

  return {
    stream: (prompt, onText) =>
      runtime.runPromise(Effect.suspend(() => {
        let characters = 0
        const take = (event: LlmEvent) => {
          const text = textOf(event)
          if (text === undefined) return
          characters += text.length
          onText?.(text)
        }
        const events = LlmService.stream(requestOf(prompt.turns))
        if (has("each")) {
          const one = (event: LlmEvent) => Effect.sync(() => take(event))
          return Effect.map(Stream.runForEach(events, one), () => characters)
        }
        if (has("fold")) {
          return Stream.runFold(events, () => 0, (sum, event) => sum + (textOf(event)?.length ?? 0))
        }
        const all = (array: ReadonlyArray<LlmEvent>) =>
          Effect.sync(() => {
            for (const event of array) take(event)
          })
        return Effect.map(Stream.runForEachArray(events, all), () => characters)
      })),
    generate: (prompt) =>
      runtime.runPromise(Effect.map(LlmService.generate(requestOf(prompt.turns)), (response) => response.text.length))
  }
}
