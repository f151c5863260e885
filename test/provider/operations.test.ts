import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Anthropic, Bedrock, Cohere, Credentials, Gemini, Groq, LlmTool, OpenAi, Vertex } from "../../src/index.ts"
import type { ProviderModule } from "../../src/provider/Provider.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { overHttp } from "./setUp.ts"

const apiKey = Redacted.make("operations-key-1")
const tool = LlmTool.make("look_up", { parameters: { type: "object", properties: {} } })

const counting: ReadonlyArray<
  readonly [string, Pick<ProviderModule, "make">, base: string, path: RegExp, answer: object]
> = [
  ["Anthropic", Anthropic, "/v1", /^\/v1\/messages\/count_tokens$/, { input_tokens: 42 }],
  ["OpenAI", OpenAi, "/v1", /^\/v1\/responses\/input_tokens$/, { input_tokens: 42 }],
  ["Gemini", Gemini, "/v1beta", /^\/v1beta\/models\/m:countTokens$/, { totalTokens: 42 }],
  ["Bedrock", Bedrock, "", /^\/model\/m\/count-tokens$/, { inputTokens: 42 }],
  ["Cohere", Cohere, "/v2", /^\/v1\/tokenize$/, { tokens: Array.from({ length: 42 }, (_, i) => i) }]
]

describe("counting tokens", () => {
  for (const [name, provider, base, path, answer] of counting) {
    it.live(`${name} counts with its own endpoint, without options that only shape the answer`, () =>
      overHttp(Effect.gen(function*() {
        const simulator = yield* Simulator.make({
          validate: false,
          requireKey: false,
          wires: [{ ...Simulator.anthropicMessages, operation: () => "countTokens" }],
          respondWith: () => Simulator.raw(JSON.stringify(answer))
        })
        const service = yield* provider.make({ apiKey, baseUrl: `${simulator.url}${base}`, model: "m" })
        const count = yield* service.countTokens({ prompt: "Hello there", tools: [tool], temperature: 1, maxTokens: 5 })
        assert.deepStrictEqual(count, { inputTokens: 42, estimated: false })
        const request = simulator.requests[0]!
        assert.match(request.path, path)
        assert.notMatch(request.bodyText, /temperature|max_?tokens|maxOutputTokens|"stream"/i)
        assert.include(request.bodyText, "Hello there")
      })))
  }

  it.effect("is estimated where the provider has no endpoint, and says so", () =>
    Effect.gen(function*() {
      const service = yield* Groq.make({ apiKey })
      const count = yield* service.countTokens({ prompt: "x".repeat(400) })
      assert.isTrue(count.estimated)
      assert.isTrue(count.inputTokens >= 100 && count.inputTokens < 150)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))
})

describe("models and health", () => {
  it.live("are typed: a listing, a latency, and the reason when the key is refused", () =>
    overHttp(Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["operations-key-1"], models: ["m-1", "m-2"] })
      const service = yield* OpenAi.make({ apiKey, baseUrl: `${simulator.url}/v1` })
      assert.includeMembers((yield* service.models).map((model) => model.id), ["m-1", "m-2"])
      assert.isAtLeast((yield* service.health).latencyMillis, 0)
      const refused = yield* OpenAi.make({ apiKey: Redacted.make("other-key"), baseUrl: `${simulator.url}/v1` })
      assert.strictEqual((yield* Effect.flip(refused.health)).reason._tag, "Authentication")
    })))
})

describe("listings of other shapes", () => {
  const listed = [
    [
      "Bedrock",
      Bedrock,
      "",
      /^\/foundation-models$/,
      { modelSummaries: [{ modelId: "amazon.nova" }, null, {}] },
      "amazon.nova"
    ],
    [
      "Vertex",
      Vertex,
      "/v1/projects/p/locations/l/publishers/google",
      /^\/v1beta1\/publishers\/google\/models$/,
      { publisherModels: [{ name: "publishers/google/models/gemini-x" }] },
      "gemini-x"
    ]
  ] as const
  for (const [name, provider, base, path, answer, id] of listed) {
    it.live(`${name}'s models are read from its own endpoint`, () =>
      overHttp(Effect.gen(function*() {
        const simulator = yield* Simulator.make({
          validate: false,
          requireKey: false,
          wires: [{ ...Simulator.anthropicMessages, operation: () => "models" }],
          respondWith: () => Simulator.raw(JSON.stringify(answer))
        })
        const service = yield* provider.make({ apiKey, baseUrl: `${simulator.url}${base}` })
        assert.deepStrictEqual((yield* service.models).map((model) => model.id), [id])
        assert.match(simulator.requests[0]!.path, path)
      })))
  }
})

describe("credentials that refresh", () => {
  const tokens = () => {
    let fetched = 0
    return {
      fetch: Effect.sync(() => ({
        value: Redacted.make(`token-${++fetched}-long-enough`),
        expiresIn: "1 hour" as const
      })),
      count: () => fetched
    }
  }

  it.live("a rejected token is replaced once, for whole and streamed answers", () =>
    overHttp(Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["token-2-long-enough"] })
      const { count, fetch } = tokens()
      const service = yield* OpenAi.make({
        api: "chat",
        apiKey: yield* Credentials.refreshing(fetch),
        baseUrl: `${simulator.url}/v1`
      })
      const response = yield* service.generate({ prompt: "Hello" })
      assert.strictEqual(response.priorAttempts?.[0]?.reason, "Authentication")
      yield* Stream.runDrain(service.stream({ prompt: "Hello" }))
      assert.strictEqual(count(), 2)
      assert.lengthOf(simulator.requests, 3)
    })))

  it.live("a token that stays rejected fails after one replacement", () =>
    overHttp(Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["never-this-one"] })
      const { count, fetch } = tokens()
      const service = yield* OpenAi.make({
        apiKey: yield* Credentials.refreshing(fetch),
        baseUrl: `${simulator.url}/v1`
      })
      const error = yield* Effect.flip(service.generate({ prompt: "Hello" }))
      assert.strictEqual(error.reason._tag, "Authentication")
      assert.strictEqual(count(), 2)
    })))

  it.effect("a kept token is replaced shortly before it expires, by one fetch for all callers", () =>
    Effect.gen(function*() {
      const { count, fetch } = tokens()
      const { get } = Credentials.parts(yield* Credentials.refreshing(Effect.delay(fetch, "1 second")))
      const all = yield* Effect.forkChild(Effect.all([get!, get!, get!], { concurrency: "unbounded" }))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(all)
      assert.strictEqual(count(), 1)
      yield* TestClock.adjust("58 minutes")
      yield* get!
      assert.strictEqual(count(), 1)
      yield* TestClock.adjust("2 minutes")
      const late = yield* Effect.forkChild(get!)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(count(), 2)
      assert.include(Redacted.value(yield* Fiber.join(late)), "token-2")
    }))
})
