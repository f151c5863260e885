import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import type { HttpClient } from "effect/http"
import { Cohere, LlmService, LlmTool, Message } from "../../src/index.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { env, overHttp } from "./setUp.ts"

const apiKey = Redacted.make("cohere-key-0123456789")

const withSimulator = <A, E>(
  use: (simulator: Simulator.Service, service: LlmService.Service) => Effect.Effect<A, E, HttpClient.HttpClient>
) =>
  overHttp(Effect.gen(function*() {
    const simulator = yield* Simulator.make()
    return yield* use(simulator, yield* Cohere.make({ apiKey, baseUrl: `${simulator.url}/v2` }))
  }))

describe("Cohere", () => {
  it.live("streams and generates the same answer", () =>
    withSimulator((simulator, service) =>
      Effect.gen(function*() {
        const whole = yield* service.generate({ prompt: "Good morning" })
        const events = yield* Stream.runCollect(service.stream({ prompt: "Good morning" }))
        const last = events.at(-1)
        assert.strictEqual(whole.text, "You said: Good morning")
        assert.strictEqual(last?._tag === "Finish" ? last.response.text : "", whole.text)
        assert.deepStrictEqual(simulator.requests.map(({ path, wire }) => [path, wire]), [
          ["/v2/chat", "cohere-chat"],
          ["/v2/chat", "cohere-chat"]
        ])
      })
    ))

  it.live("runs a tool conversation with reasoning that goes back", () =>
    withSimulator((simulator, service) =>
      Effect.gen(function*() {
        const weather = LlmTool.make("get_weather", {
          parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
        })
        const question = Message.user("What is the weather in Lisbon")
        const first = yield* service.generate({ messages: [question], tools: [weather], thinking: "low" })
        assert.strictEqual(first.finishReason, "tool-calls")
        const result = Message.toolResult(first.toolCalls[0]!, "19 °C")
        const second = yield* service.generate({ messages: [question, first.message, result], tools: [weather] })
        assert.strictEqual(second.text, "The tool says: 19 °C")
        const sent = simulator.requests[1]?.body as { readonly messages: ReadonlyArray<unknown> }
        assert.deepInclude(sent.messages[1], { content: [{ type: "thinking", thinking: first.reasoningText }] })
      })
    ))

  it.live("sends documents of the message and of the options, and its own fields", () =>
    withSimulator((simulator, service) =>
      Effect.gen(function*() {
        const file = Message.file({ type: "base64", mediaType: "text/plain", data: "VGVh" }, { filename: "tea.txt" })
        yield* service.generate({
          messages: [Message.user([Message.text("Read."), file])],
          providerOptions: {
            cohere: { documents: ["Milk"], citation_options: { mode: "ACCURATE" }, safety_mode: "STRICT" }
          }
        })
        assert.deepInclude(simulator.requests[0]?.body, {
          documents: [{ id: "tea.txt", data: { title: "tea.txt", text: "Tea" } }, "Milk"],
          citation_options: { mode: "ACCURATE" },
          safety_mode: "STRICT"
        })
      })
    ))

  it.live("types errors of the status, at the end of a stream, and a cut stream", () =>
    withSimulator((simulator, service) =>
      Effect.gen(function*() {
        yield* simulator.enqueue(
          Simulator.error(429),
          Simulator.text("Hello there, friend", { faults: { errorAfter: 3 } }),
          Simulator.text("Hello there, friend", { faults: { cutAfter: 3 } })
        )
        const ask = Effect.flip(Stream.runDrain(service.stream({ prompt: "Hi" })))
        assert.deepInclude((yield* ask).reason, { _tag: "RateLimit", status: 429 })
        const failed = yield* ask
        assert.strictEqual(failed.partial?.text, "Hello th")
        assert.isTrue(failed.isRetryable)
        assert.strictEqual((yield* ask).reason._tag, "IncompleteStream")
      })
    ))

  it.live("lists its chat models with their context window", () =>
    withSimulator((_, service) =>
      Effect.gen(function*() {
        const models = yield* service.models
        assert.deepInclude(models[0], { provider: "cohere", id: "command-a-03-2025" })
        assert.strictEqual(models[0]?.contextWindow, 256_000)
      })
    ))

  it.live("takes its key from COHERE_API_KEY or CO_API_KEY", () =>
    Effect.gen(function*() {
      for (const name of ["COHERE_API_KEY", "CO_API_KEY"]) {
        const service = yield* LlmService.LlmService.pipe(
          Effect.provide(Layer.provide(Cohere.layerEnv, env({ [name]: "k" })))
        )
        assert.deepInclude(service.info, { provider: "cohere", model: "command-a-03-2025" })
      }
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))
})
