// What is loaded with the first layer or call, and a module that does not come.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import { HttpClient } from "effect/http"
import { type LlmError, LlmService, LlmTool, OpenAiChat, Provider } from "../../src/index.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { Protocol } from "../../src/protocol/Protocol.ts"
import { compiler } from "../../src/protocol/schema/compiler.ts"

const secret = "sk-planted-0123456789-secret"

const client = HttpClient.make(() => Effect.die("nothing is sent"))

const absent = { ready: undefined, load: () => Promise.reject(new Error(`no chunk for ${secret}`)) }

const providerOf = (pieces: Partial<Protocol>) =>
  Provider.define({
    id: "later",
    name: "Later",
    baseUrl: "http://127.0.0.1:9/v1",
    protocol: { ...OpenAiChat.make(), ...pieces },
    auth: { type: "bearer" },
    env: { apiKey: ["LATER_API_KEY"] },
    docs: "https://example.com/",
    countTokens: () => ({ url: "http://127.0.0.1:9/v1/count", body: {}, read: () => 1 })
  })

const calls = (request: LlmRequest) =>
  [
    ["generate", LlmService.generate(request)],
    ["stream", Stream.runDrain(LlmService.stream(request))],
    ["countTokens", LlmService.countTokens(request)]
  ] as const

/** Without the compiler of schemas while something runs, in a process that has it. */
const withoutCompiler = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const kept = Object.getOwnPropertyDescriptors(compiler)
      Object.defineProperties(compiler, {
        ready: { value: undefined, configurable: true },
        load: { value: absent.load, configurable: true }
      })
      return kept
    }),
    () => effect,
    (kept) => Effect.sync(() => void Object.defineProperties(compiler, kept))
  )

const request: LlmRequest = { prompt: "Hello" }
const withTool: LlmRequest = { ...request, tools: [LlmTool.make("f", { parameters: { type: "object" } })] }

describe("a module that does not come", () => {
  const cases = [
    ...calls(request).filter(([operation]) => operation !== "countTokens").map((call) =>
      ["decoder", { decoder: absent }, ...call] as const
    ),
    ...calls(request).map((call) => ["encoder", { encoder: absent }, ...call] as const),
    ...calls(withTool).map((call) => ["compiler", {}, ...call] as const)
  ]
  for (const [piece, pieces, operation, call] of cases) {
    it.effect(`(${piece}) is a Network error of ${operation}, before anything is sent, without what failed inside`, () => {
      const layer = providerOf(pieces).layer({ apiKey: Redacted.make(secret), model: "m" })
      const failed = Effect.flip(
        call as Effect.Effect<unknown, LlmError.LlmError, LlmService.LlmService>
      )
        .pipe(Effect.provide(layer), Effect.provideService(HttpClient.HttpClient, client))
      return Effect.gen(function*() {
        const error = yield* piece === "compiler" ? withoutCompiler(failed) : failed
        assert.strictEqual(error.reason._tag, "Network")
        assert.include(error, { operation, model: "m" })
        assert.notInclude(JSON.stringify(error) + String(error), secret)
      })
    })
  }

  it.effect("leaves requests that have no use for it alone", () =>
    withoutCompiler(Effect.gen(function*() {
      const { body } = yield* Provider.encode(providerOf({}).definition, request, "m", false)
      assert.strictEqual(body["model"], "m")
      const error = yield* Effect.flip(Provider.encode(providerOf({}).definition, withTool, "m", false))
      assert.strictEqual(error.reason._tag, "Network")
    })))

  it.effect("is loaded with the layer where the layer's own defaults have use for it", () =>
    Effect.gen(function*() {
      let loads = 0
      const ready = compiler.ready
      const kept = Object.getOwnPropertyDescriptors(compiler)
      yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          Object.defineProperties(compiler, {
            ready: { value: undefined, configurable: true },
            load: { value: () => Promise.resolve((loads++, ready)), configurable: true }
          })
        }),
        () =>
          Effect.forEach([{ defaults: { tools: withTool.tools } }, { defaults: { temperature: 1 } }], (options) =>
            providerOf({}).make({ apiKey: Redacted.make(secret), model: "m", ...options })),
        () =>
          Effect.sync(() => void Object.defineProperties(compiler, kept))
      ).pipe(Effect.provideService(HttpClient.HttpClient, client))
      assert.strictEqual(loads, 1)
    }))
})

describe("an encoder without the compiler of schemas", () => {
  it.effect("refuses a request that has one, and spells any other", () =>
    Effect.gen(function*() {
      const { encoder } = OpenAiChat.make()
      const encode = typeof encoder === "function" ? encoder : yield* Effect.promise(encoder.load)
      const given = { model: "m", stream: false, provider: "p" }
      assert.deepNestedInclude(encode({ ...given, request: withTool }), { "refused.field": "tools[0].parameters" })
      const format = { type: "json-schema" as const, schema: { type: "object" } }
      assert.deepNestedInclude(encode({ ...given, request: { ...request, responseFormat: format } }), {
        "refused.field": "responseFormat.schema"
      })
      assert.property(encode({ ...given, request }), "body")
    }))
})
