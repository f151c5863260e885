/**
 * A request that came in on a wire goes through policies and a provider of that wire, and arrives as it came.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { LlmRequest } from "../../../src/LlmRequest.ts"
import { LlmService } from "../../../src/LlmService.ts"
import type { JsonObject } from "../../../src/Message.ts"
import * as Cache from "../../../src/policy/Cache.ts"
import * as CircuitBreaker from "../../../src/policy/CircuitBreaker.ts"
import * as Concurrency from "../../../src/policy/Concurrency.ts"
import * as Fallback from "../../../src/policy/Fallback.ts"
import * as Retry from "../../../src/policy/Retry.ts"
import * as Timeout from "../../../src/policy/Timeout.ts"
import * as Anthropic from "../../../src/provider/Anthropic.ts"
import * as Bedrock from "../../../src/provider/Bedrock.ts"
import * as Cohere from "../../../src/provider/Cohere.ts"
import * as Gemini from "../../../src/provider/Gemini.ts"
import * as Ollama from "../../../src/provider/Ollama.ts"
import * as OpenAi from "../../../src/provider/OpenAi.ts"
import * as Simulator from "../../../src/testing/Simulator.ts"
import { samples } from "./samples.ts"
import { decode, incomingOf, names, wires } from "./wires.ts"

const apiKey = Redacted.make("a-key")
const model = "layers-model"

const layers: { readonly [kind: string]: (url: string) => Layer.Layer<LlmService, unknown, never> } = {
  anthropic: (url) => provided(Anthropic.layer({ apiKey, model, baseUrl: `${url}/v1` })),
  chat: (url) => provided(OpenAi.layer({ apiKey, model, baseUrl: `${url}/v1`, api: "chat" })),
  responses: (url) => provided(OpenAi.layer({ apiKey, model, baseUrl: `${url}/v1` })),
  gemini: (url) => provided(Gemini.layer({ apiKey, model, baseUrl: `${url}/v1beta` })),
  bedrock: (url) => provided(Bedrock.layer({ apiKey, model, baseUrl: url })),
  cohere: (url) => provided(Cohere.layer({ apiKey, model, baseUrl: `${url}/v2` })),
  ollama: (url) => provided(Ollama.layer({ apiKey, model, baseUrl: url }))
}

const named = (body: JsonObject): JsonObject => "model" in body ? { ...body, model } : body

const provided = <E>(layer: Layer.Layer<LlmService, E, HttpClient>) => Layer.provide(layer, NodeHttpClient.layerUndici)

/** Asks as the client did; a whole answer as such, so that the body says what it said. */
const ask = (request: LlmRequest, stream: boolean) =>
  Effect.flatMap(LlmService, (llm) =>
    stream
      ? Stream.runFold(
        llm.stream(request),
        () => "",
        (all, event) => event._tag === "TextDelta" ? all + event.text : all
      )
      : Effect.map(llm.generate({ ...request, whole: "whole" }), ({ text }) => text))

describe("a request that came in on a wire", () => {
  it.live.each(names)(
    "%s: arrives as it came, through policies and a failing primary",
    (kind) =>
      Effect.gen(function*() {
        // What clients send goes beyond what the pages of the APIs show.
        const simulator = yield* Simulator.make({ validate: false, respondWith: () => Simulator.text("Fine.") })
        const other = yield* Simulator.make({ validate: false, respondWith: () => Simulator.error(503) })
        const stack = layers[kind]!(other.url).pipe(
          Timeout.policy({ total: "30 seconds" }),
          Fallback.policy(layers[kind]!(simulator.url).pipe(Retry.policy())),
          CircuitBreaker.policy({ key: kind }),
          Concurrency.policy({ permits: 4 }),
          Cache.policy({ partition: () => "everybody", ttl: "1 minute" })
        )
        const wire = wires[kind]!
        yield* Effect.gen(function*() {
          for (const { body, path } of samples[kind]!) {
            const { request, stream } = decode(wire, incomingOf(wire, { body, path }))
            const text = yield* ask(request, stream)
            assert.strictEqual(text, "Fine.")
            assert.strictEqual(JSON.stringify(other.requests.at(-1)?.body), JSON.stringify(body))
            // The client's model is the first one's; the next one answers with its own.
            assert.strictEqual(JSON.stringify(simulator.requests.at(-1)?.body), JSON.stringify(named(body)))
          }
          // The same request but for a member that only the wire knows is another one.
          const [{ body, path }] = samples[kind]! as [typeof samples[string][number]]
          const before = simulator.requests.length
          const changed = decode(wire, incomingOf(wire, { body: { ...body, x_other: 1 }, path }))
          yield* ask(changed.request, changed.stream)
          assert.strictEqual(simulator.requests.length, before + 1)
          assert.strictEqual(
            JSON.stringify(simulator.requests.at(-1)?.body),
            JSON.stringify(named({ ...body, x_other: 1 }))
          )
        }).pipe(Effect.provide(stack))
      }).pipe(Effect.scoped)
  )
})
