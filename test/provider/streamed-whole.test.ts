/**
 * `generate` that streams below: where the option says so, on every wire, and where a host or model forbids or endangers long
 * whole answers.
 */
import AnthropicSdk from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import type { Provider } from "../../src/index.ts"
import {
  Alibaba,
  Anthropic,
  Bedrock,
  Cohere,
  Fireworks,
  Gemini,
  type LlmError,
  Ollama,
  OpenAi,
  OpenAiCompatible,
  VertexAnthropic
} from "../../src/index.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { Service } from "../../src/LlmService.ts"
import { layerHttpClient } from "../../src/node.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { spelled } from "../encoding.ts"
import { inTurns } from "../turns.ts"

const apiKey = Redacted.make("sk-test")

type Maker = { readonly make: (options: Provider.Options) => ReturnType<typeof OpenAiCompatible.make> }

const wires: ReadonlyArray<readonly [string, Maker, string]> = [
  ["Anthropic Messages", Anthropic, "/v1"],
  ["Chat Completions", OpenAiCompatible, "/v1"],
  ["Responses", OpenAi, "/v1"],
  ["Gemini", Gemini, "/v1beta"],
  ["Ollama", Ollama, ""],
  ["Cohere", Cohere, "/v2"],
  ["Bedrock Converse", Bedrock, ""]
]

const setUp = (provider: Maker, path: string, options: Provider.Options = {}) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make()
    const baseUrl = `${simulator.url}${path}`
    const service = yield* provider.make({ apiKey, baseUrl, model: "model-1", ...options })
    return { service, simulator }
  })

const failureOf = <A>(call: Effect.Effect<A, LlmError.LlmError>) =>
  Effect.flip(call) as Effect.Effect<LlmError.LlmError>

const streamedBy = (request: { readonly path: string; readonly body: unknown } | undefined): boolean =>
  /stream/i.test(request!.path) || (request!.body as { readonly stream?: unknown }).stream === true

const hello: LlmRequest = { prompt: "Hello" }

for (const [name, provider, path] of wires) {
  describe(`${name}: generate that streams below`, () => {
    const run = <A>(title: string, test: () => Effect.Effect<A, LlmError.LlmError, never>) => it.live(title, test)
    const scoped = (
      test: (set: { readonly service: Service; readonly simulator: Simulator.Service }) => Effect.Effect<
        void,
        LlmError.LlmError
      >,
      options?: Provider.Options
    ) => Effect.flatMap(setUp(provider, path, options), test).pipe(Effect.scoped, Effect.provide(layerHttpClient))

    run(
      "gives the same answer, by the request's option and by the layer's",
      () =>
        scoped(({ service, simulator }) =>
          Effect.gen(function*() {
            const answer: Simulator.ReplyAnswer = {
              parts: [
                { type: "text", text: "One two." },
                { type: "tool-call", id: "call_12345", name: "look", arguments: { at: "this" } }
              ]
            }
            yield* simulator.enqueue(answer, answer, answer)
            const tools = [{
              type: "function",
              name: "look",
              description: "Looks.",
              parameters: { type: "object" }
            }] as const
            const whole = yield* service.generate({ ...hello, tools, whole: "whole", includeRaw: true })
            const folded = yield* service.generate({ ...hello, tools, includeRaw: true })
            const auto = yield* service.generate({ ...hello, tools, whole: "auto" })
            assert.deepStrictEqual(simulator.requests.map(streamedBy), [false, true, false])
            for (const response of [folded, auto]) {
              assert.strictEqual(response.text, whole.text)
              assert.deepStrictEqual(response.toolCalls.map((call) => call.arguments), [{ at: "this" }])
              assert.strictEqual(response.finishReason, whole.finishReason)
              assert.deepStrictEqual(response.usage.output.total, whole.usage.output.total)
              assert.deepStrictEqual(response.warnings, whole.warnings)
            }
            assert.isDefined(folded.raw)
            assert.isUndefined(auto.raw)
          }), { defaults: { whole: "streamed" } })
    )

    // Limits by a clock that moves when everything has arrived: no wait, and none of them passes because the machine is slow.
    it.effect(
      "keeps what came of an answer that was cut or timed out, and says that it was a generate",
      () =>
        scoped(({ service, simulator }) =>
          Effect.gen(function*() {
            const text = "Words that do not come to their end."
            yield* simulator.enqueue(
              Simulator.text(text, { chunkSize: 6, faults: { cutAfter: 5 } }),
              Simulator.text(text, { chunkSize: 6, faults: { stallAfter: 5 } }),
              Simulator.text(text, { chunkSize: 6, faults: { pingsAfter: 5 } })
            )
            const cut = yield* failureOf(inTurns(service.generate({ ...hello, whole: "streamed" })))
            const idle = yield* failureOf(
              inTurns(service.generate({ ...hello, whole: "streamed", timeouts: { idle: "400 millis" } }))
            )
            const total = yield* failureOf(
              inTurns(service.generate({ ...hello, whole: "streamed", timeouts: { total: "2 seconds" } }))
            )
            const phase = (error: LlmError.LlmError) =>
              error.reason._tag === "Timeout" ? error.reason.phase : error.reason._tag
            assert.deepStrictEqual([cut, idle, total].map(phase), ["IncompleteStream", "idle", "total"])
            for (const error of [cut, idle, total]) {
              assert.strictEqual(error.operation, "generate")
              assert.isTrue(text.startsWith(error.partial!.text) && error.partial!.text !== "", error.partial?.text)
            }
          })
        )
    )
  })
}

describe("the option", () => {
  it.live("is validated before anything is sent", () =>
    Effect.gen(function*() {
      const { service, simulator } = yield* setUp(OpenAiCompatible, "/v1")
      const error = yield* failureOf(service.generate({ ...hello, whole: "sometimes" as "auto" }))
      assert.strictEqual(error.reason._tag === "Validation" ? error.reason.field : error.reason._tag, "whole")
      assert.strictEqual(simulator.requests.length, 0)
    }).pipe(Effect.scoped, Effect.provide(layerHttpClient)))

  it.live("wins over what the host wants", () =>
    Effect.gen(function*() {
      const { service, simulator } = yield* setUp(Anthropic, "/v1")
      yield* service.generate({ ...hello, maxTokens: 60_000, whole: "whole" })
      assert.isFalse(streamedBy(simulator.requests[0]))
    }).pipe(Effect.scoped, Effect.provide(layerHttpClient)))
})

describe("long answers where they are refused or in danger", () => {
  /** Whether a whole answer of a provider is streamed below. */
  const streams = (
    definition: Provider.Definition,
    request: LlmRequest,
    model = definition.defaultModel ?? "m"
  ): boolean => {
    const encoded = spelled(definition, request, model, false)
    assert.isFalse("field" in encoded)
    return !("field" in encoded) && definition.streamsWhole?.({ model, body: encoded.body }) === true
  }

  it("Claude: as Anthropic's SDK judges, on every host that has it", () => {
    const sdk = new AnthropicSdk({ apiKey: "sk-test" })
    const refuses = (maxTokens: number, most?: number): boolean => {
      try {
        sdk.calculateNonstreamingTimeout(maxTokens, most)
        return false
      } catch {
        return true
      }
    }
    for (const definition of [Anthropic.definition, VertexAnthropic.definition, Bedrock.definition]) {
      const model = definition === Bedrock.definition ? "us.anthropic.claude-sonnet-5-5" : "claude-sonnet-5-5"
      for (const maxTokens of [8192, 21_333, 21_334, 64_000]) {
        assert.strictEqual(
          streams(definition, { ...hello, maxTokens }, model),
          refuses(maxTokens),
          `${definition.id} ${maxTokens}`
        )
      }
    }
    // https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/internal/constants.ts
    for (
      const model of ["claude-opus-4@20250514", "claude-opus-4-1@20250805", "anthropic.claude-opus-4-1-20250805-v1:0"]
    ) {
      const definition = model.startsWith("anthropic.") ? Bedrock.definition : VertexAnthropic.definition
      for (const maxTokens of [8192, 8193]) {
        assert.strictEqual(streams(definition, { ...hello, maxTokens }, model), refuses(maxTokens, 8192), model)
      }
    }
    assert.isFalse(
      streams(Bedrock.definition, { ...hello, maxTokens: 64_000 }, "meta.llama4-maverick-17b-instruct-v1:0")
    )
  })

  it("Fireworks: above 4096 tokens", () => {
    assert.isFalse(streams(Fireworks.definition, hello))
    assert.isFalse(streams(Fireworks.definition, { ...hello, maxTokens: 4096 }))
    assert.isTrue(streams(Fireworks.definition, { ...hello, maxTokens: 4097 }))
    assert.isTrue(streams(Fireworks.definition, { ...hello, providerOptions: { fireworks: { max_tokens: 8000 } } }))
  })

  it("Qwen: models that think", () => {
    const qwen = (model: string, request: LlmRequest = hello) => streams(Alibaba.definition, request, model)
    for (
      const model of [
        "qwq-plus",
        "qvq-max",
        "qwen3-235b-a22b",
        "qwen3-32b",
        "qwen3-235b-a22b-thinking-2507",
        "qwen3-omni-flash"
      ]
    ) {
      assert.isTrue(qwen(model), model)
    }
    for (const model of ["qwen-plus", "qwen-max", "qwen3-max", "qwen3-235b-a22b-instruct-2507", "qwen3-coder-plus"]) {
      assert.isFalse(qwen(model), model)
      assert.isTrue(qwen(model, { ...hello, thinking: "high" }), model)
    }
    assert.isFalse(qwen("qwen3-32b", { ...hello, thinking: "off" }))
  })

  it.live("are streamed below by a host that refuses them otherwise, and are paid for once", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({
        respondWith: ({ body }) => {
          const { max_tokens, stream } = body as { readonly max_tokens?: number; readonly stream?: boolean }
          return (max_tokens ?? 0) > 4096 && stream !== true
            ? Simulator.error(400, { message: "Requests with max_tokens > 4096 must have stream=true" })
            : Simulator.text("Done.")
        }
      })
      const service = yield* Fireworks.make({ apiKey, baseUrl: `${simulator.url}/v1` })
      assert.strictEqual((yield* service.generate({ ...hello, maxTokens: 8000 })).text, "Done.")
      assert.strictEqual((yield* service.generate({ ...hello, maxTokens: 100 })).text, "Done.")
      assert.deepStrictEqual(simulator.requests.map(streamedBy), [true, false])
    }).pipe(Effect.scoped, Effect.provide(layerHttpClient)))
})
