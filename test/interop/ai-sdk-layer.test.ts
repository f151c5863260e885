/**
 * Models of the AI SDK as services: all specifications, all kinds of parts, and models that break in any way.
 */
import type {
  LanguageModelV2,
  LanguageModelV2CallOptions,
  LanguageModelV4,
  LanguageModelV4StreamPart
} from "@ai-sdk/provider"
import { APICallError, LoadAPIKeyError, UnsupportedFunctionalityError } from "@ai-sdk/provider"
import { assert, describe, it } from "@effect/vitest"
import { MockLanguageModelV3, MockLanguageModelV4 } from "ai/test"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import * as AiSdk from "../../src/interop/AiSdk.ts"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import { fold, type LlmResponse } from "../../src/LlmResponse.ts"
import type { Service } from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import type { Message, Part } from "../../src/Message.ts"
import { keepsLaws } from "../protocol/event-laws.ts"

const usage = {
  inputTokens: { total: 10, noCache: 6, cacheRead: 4, cacheWrite: undefined },
  outputTokens: { total: 5, text: 3, reasoning: 2 },
  raw: { prompt_tokens: 10 }
}
const finish = { type: "finish", usage, finishReason: { unified: "stop", raw: "end_turn" } } as const

const parts: ReadonlyArray<LanguageModelV4StreamPart> = [
  { type: "stream-start", warnings: [{ type: "unsupported", feature: "seed", details: "No seeds here." }] },
  { type: "response-metadata", id: "r-1", modelId: "m-1", timestamp: new Date(0) },
  { type: "reasoning-start", id: "0" },
  { type: "reasoning-delta", id: "0", delta: "Hm" },
  { type: "reasoning-delta", id: "0", delta: "." },
  { type: "reasoning-end", id: "0", providerMetadata: { mock: { signature: "sig" } } },
  { type: "text-start", id: "1" },
  { type: "text-delta", id: "1", delta: "Hello " },
  { type: "ping" },
  { type: "text-delta", id: "1", delta: "you" },
  { type: "text-end", id: "1", providerMetadata: { mock: { itemId: "i" } } },
  { type: "source", sourceType: "url", id: "s", url: "https://example.com", title: "Example" },
  { type: "file", mediaType: "image/png", data: { type: "data", data: new Uint8Array([1, 2, 3]) } },
  { type: "tool-input-start", id: "c1", toolName: "weather" },
  { type: "tool-input-delta", id: "c1", delta: "{\"city\":" },
  { type: "tool-input-delta", id: "c1", delta: "\"Oslo\"}" },
  { type: "tool-input-end", id: "c1" },
  { type: "tool-call", toolCallId: "c1", toolName: "weather", input: "{\"city\":\"Oslo\"}" },
  {
    type: "tool-call",
    toolCallId: "w1",
    toolName: "web_search",
    input: "{\"q\":1}",
    providerExecuted: true,
    providerMetadata: { mock: { a: 1 } }
  },
  { type: "tool-result", toolCallId: "w1", toolName: "web_search", result: { hits: [] } },
  finish
]

const from = (given: Iterable<unknown>): ReadableStream<LanguageModelV4StreamPart> => {
  const iterator = given[Symbol.iterator]()
  return new ReadableStream({
    pull: (controller) => {
      const { done, value } = iterator.next()
      if (done === true) controller.close()
      else controller.enqueue(value as LanguageModelV4StreamPart)
    }
  })
}

const streamed = (given: ReadonlyArray<unknown>) =>
  new MockLanguageModelV4({
    provider: "mock",
    modelId: "m",
    doStream: () => Promise.resolve({ stream: from(given) })
  })

const serviceOf = (model: AiSdk.AnyLanguageModel): Service => Effect.runSync(AiSdk.make(model))
const collect = (model: AiSdk.AnyLanguageModel, request: LlmRequest = { prompt: "x" }) =>
  Stream.runCollect(serviceOf(model).stream(request))
const answer = (model: AiSdk.AnyLanguageModel, request?: LlmRequest) =>
  Effect.map(collect(model, request), (events): LlmResponse => {
    const last = events.at(-1)!
    assert.strictEqual(last._tag, "Finish")
    const response = (last as Extract<typeof last, { _tag: "Finish" }>).response
    keepsLaws({ events, failure: undefined, response })
    assert.deepStrictEqual(fold(events)!.parts, response.parts)
    return response
  })

const origin = { wire: "ai-sdk", provider: "mock", model: "m" }
const expected: ReadonlyArray<Part> = [
  { type: "reasoning", text: "Hm.", replay: { providerMetadata: { mock: { signature: "sig" } } }, origin },
  { type: "text", text: "Hello you", replay: { providerMetadata: { mock: { itemId: "i" } } }, origin },
  {
    type: "source",
    url: "https://example.com",
    title: "Example",
    raw: { type: "source", sourceType: "url", id: "s", url: "https://example.com", title: "Example" }
  },
  { type: "image", source: { type: "base64", mediaType: "image/png", data: "AQID" } },
  { type: "tool-call", id: "c1", name: "weather", arguments: { city: "Oslo" }, origin },
  {
    type: "server-tool",
    kind: "call",
    name: "web_search",
    id: "w1",
    data: {
      type: "tool-call",
      toolCallId: "w1",
      toolName: "web_search",
      input: { q: 1 },
      providerExecuted: true,
      providerMetadata: { mock: { a: 1 } }
    },
    origin
  },
  {
    type: "server-tool",
    kind: "result",
    name: "web_search",
    id: "w1",
    data: { type: "tool-result", toolCallId: "w1", toolName: "web_search", result: { hits: [] } },
    origin
  }
]

describe("AiSdk.layer", () => {
  it.effect("reads every kind of part, streamed and whole alike", () =>
    Effect.gen(function*() {
      const response = yield* answer(streamed(parts))
      assert.deepStrictEqual(response.parts, expected)
      assert.strictEqual(response.finishReason, "tool-calls")
      assert.strictEqual(response.rawFinishReason, "end_turn")
      assert.strictEqual(response.id, "r-1")
      assert.strictEqual(response.model, "m-1")
      assert.deepStrictEqual(response.warnings, [{ field: "seed", message: "No seeds here." }])
      assert.deepStrictEqual(response.usage, {
        input: { total: 10, uncached: 6, cacheRead: 4 },
        output: { total: 5, text: 3, reasoning: 2 },
        raw: { prompt_tokens: 10 }
      })
      const whole = new MockLanguageModelV4({
        provider: "mock",
        modelId: "m",
        doGenerate: {
          content: [
            { type: "reasoning", text: "Hm.", providerMetadata: { mock: { signature: "sig" } } },
            { type: "text", text: "Hello you", providerMetadata: { mock: { itemId: "i" } } },
            { type: "source", sourceType: "url", id: "s", url: "https://example.com", title: "Example" },
            { type: "file", mediaType: "image/png", data: { type: "data", data: "AQID" } },
            { type: "tool-call", toolCallId: "c1", toolName: "weather", input: "{\"city\":\"Oslo\"}" },
            parts.at(-3) as never,
            parts.at(-2) as never
          ],
          finishReason: finish.finishReason,
          usage,
          warnings: [],
          response: { id: "r-1", modelId: "m-1" }
        }
      })
      const generated = yield* serviceOf(whole).generate({ prompt: "x" })
      assert.deepStrictEqual(generated.parts, expected)
      assert.strictEqual(generated.finishReason, "tool-calls")
    }))

  it.effect("gives back what a model needs of its own, and nobody else's", () =>
    Effect.gen(function*() {
      const model = streamed([finish])
      const messages: ReadonlyArray<Message> = [
        { role: "user", content: "x" },
        {
          role: "assistant",
          content: [
            ...expected.filter((part) => part.type !== "source"),
            { type: "reasoning", text: "theirs", signature: "s", origin: { wire: "anthropic-messages" } }
          ]
        },
        { role: "tool", content: [{ type: "tool-result", toolCallId: "c1", content: "7", isError: true }] }
      ]
      const response = yield* answer(model, { messages })
      const sent = model.doStreamCalls[0]!.prompt
      assert.deepStrictEqual(sent[1]!.content as unknown, [
        { type: "reasoning", text: "Hm.", providerOptions: { mock: { signature: "sig" } } },
        { type: "text", text: "Hello you", providerOptions: { mock: { itemId: "i" } } },
        { type: "file", mediaType: "image/png", data: { type: "data", data: "AQID" } },
        { type: "tool-call", toolCallId: "c1", toolName: "weather", input: { city: "Oslo" } },
        {
          type: "tool-call",
          toolCallId: "w1",
          toolName: "web_search",
          input: { q: 1 },
          providerExecuted: true,
          providerOptions: { mock: { a: 1 } }
        },
        { type: "tool-result", toolCallId: "w1", toolName: "web_search", output: { type: "json", value: { hits: [] } } }
      ])
      assert.deepStrictEqual(sent[2]!.content as unknown, [
        { type: "tool-result", toolCallId: "c1", toolName: "weather", output: { type: "error-text", value: "7" } }
      ])
      assert.strictEqual(response.warnings.length, 1)
    }))

  it.effect("speaks all specifications", () =>
    Effect.gen(function*() {
      const request: LlmRequest = {
        messages: [
          {
            role: "user",
            content: [{ type: "image", source: { type: "base64", mediaType: "image/png", data: "AQID" } }]
          },
          { role: "assistant", content: [{ type: "tool-call", id: "c", name: "t", arguments: {} }] },
          {
            role: "tool",
            content: [{
              type: "tool-result",
              toolCallId: "c",
              content: [{ type: "image", source: { type: "base64", mediaType: "image/png", data: "AQID" } }]
            }]
          }
        ],
        tools: [LlmTool.make("t", {}), LlmTool.provider("s", { id: "mock.search", args: { a: 1 } })],
        thinking: "high"
      }
      const text = [{ type: "text-start", id: "0" }, { type: "text-delta", id: "0", delta: "ok" }, {
        type: "text-end",
        id: "0"
      }]
      const calls: Array<LanguageModelV2CallOptions> = []
      const v2: LanguageModelV2 = {
        specificationVersion: "v2",
        provider: "mock",
        modelId: "m",
        supportedUrls: {},
        doGenerate: () => Promise.reject(new Error("not asked for")),
        doStream: (options) => {
          calls.push(options)
          return Promise.resolve({
            stream: from([
              ...text,
              { type: "file", mediaType: "image/png", data: "AQID" },
              {
                type: "finish",
                finishReason: "stop",
                usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7, cachedInputTokens: 1, reasoningTokens: 2 }
              }
            ]) as never
          })
        }
      }
      const old = yield* answer(v2, request)
      assert.strictEqual(old.text, "ok")
      assert.deepStrictEqual(old.usage, {
        input: { total: 3, cacheRead: 1 },
        output: { total: 4, reasoning: 2 }
      })
      assert.deepStrictEqual(old.parts[1], {
        type: "image",
        source: { type: "base64", mediaType: "image/png", data: "AQID" }
      })
      assert.deepStrictEqual(old.warnings.map(({ field }) => field), ["thinking"])
      const asked = calls[0]!
      assert.deepInclude(asked.prompt[0]!.content[0] as object, { data: "AQID" })
      assert.deepStrictEqual(
        (asked.prompt[2]!.content[0] as unknown as { readonly output: unknown }).output,
        { type: "content", value: [{ type: "media", data: "AQID", mediaType: "image/png" }] }
      )
      assert.strictEqual(asked.tools![1]!.type, "provider-defined")

      const v3 = new MockLanguageModelV3({ doStream: { stream: from([...text, finish]) as never } })
      assert.strictEqual((yield* answer(v3, request)).text, "ok")
      assert.deepInclude(
        (v3.doStreamCalls[0]!.prompt[2]!.content[0] as unknown as { readonly output: object }).output,
        { value: [{ type: "file-data", data: "AQID", mediaType: "image/png" }] }
      )

      const v4 = streamed([...text, finish])
      yield* answer(v4, request)
      assert.strictEqual(v4.doStreamCalls[0]!.reasoning, "high")
      assert.deepInclude(v4.doStreamCalls[0]!.tools![1]!, { type: "provider", id: "mock.search" })
    }))

  it.effect("fails wherever a stream is cut, with what had come", () =>
    Effect.gen(function*() {
      for (let cut = 0; cut < parts.length; cut++) {
        const error = yield* Effect.flip(collect(streamed(parts.slice(0, cut))))
        assert.strictEqual(error.reason._tag, "IncompleteStream", `cut after ${cut}`)
        if (cut >= 10) assert.strictEqual(error.partial?.text, "Hello you")
      }
      const interrupted = [...parts.slice(0, -1), {
        ...finish,
        finishReason: { unified: "interrupted", raw: undefined }
      }]
      assert.strictEqual((yield* Effect.flip(collect(streamed(interrupted)))).reason._tag, "IncompleteStream")
    }))

  const call = (fields: object) =>
    new APICallError({
      message: "no",
      url: "https://x.test/?key=AIzaSyA1234567890abcdefghijklmnopqrstuv",
      requestBodyValues: {},
      ...fields
    })
  const failures: ReadonlyArray<readonly [string, unknown, LlmError["reason"]["_tag"]]> = [
    ["429", call({ statusCode: 429, responseHeaders: { "retry-after": "2" } }), "RateLimit"],
    ["401", call({ statusCode: 401 }), "Authentication"],
    [
      "529",
      call({ statusCode: 529, responseBody: "{\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}" }),
      "Overloaded"
    ],
    [
      "quota",
      call({ statusCode: 429, responseBody: "{\"error\":{\"code\":\"insufficient_quota\",\"message\":\"x\"}}" }),
      "QuotaExhausted"
    ],
    ["no status", call({ cause: Object.assign(new Error("refused"), { code: "ECONNREFUSED" }) }), "Network"],
    ["unreadable", call({ statusCode: 200, responseBody: "<html>" }), "ResponseParse"],
    ["no key", new LoadAPIKeyError({ message: "no key" }), "Configuration"],
    ["unsupported", new UnsupportedFunctionalityError({ functionality: "pdf" }), "Validation"],
    [
      "fetch",
      new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ENOTFOUND" }) }),
      "Network"
    ],
    ["frame", { type: "overloaded_error", message: "Overloaded" }, "Overloaded"],
    ["text", "something", "Provider"],
    ["nothing", undefined, "Provider"],
    [
      "hostile",
      new Proxy({}, {
        get: () => {
          throw new Error("never")
        },
        has: () => {
          throw new Error("never")
        }
      }),
      "Provider"
    ]
  ]
  it.effect.each(failures)("gives a typed reason: %s", ([, thrown, tag]) =>
    Effect.gen(function*() {
      const throwing = (how: () => never): LanguageModelV4 =>
        ({ ...new MockLanguageModelV4({ provider: "mock", modelId: "m" }), doGenerate: how, doStream: how }) as never
      const models: ReadonlyArray<LanguageModelV4> = [
        throwing(() => {
          throw thrown
        }),
        throwing((() => Promise.reject(thrown)) as never),
        streamed([...parts.slice(0, 9), { type: "error", error: thrown }])
      ]
      for (const model of models) {
        const error = yield* Effect.flip(collect(model))
        assert.strictEqual(error.reason._tag, tag)
        assert.notInclude(`${error.message} ${JSON.stringify(error)}`, "AIzaSy")
      }
      assert.strictEqual((yield* Effect.flip(serviceOf(models[0]!).generate({ prompt: "x" }))).reason._tag, tag)
      assert.strictEqual((yield* Effect.flip(collect(models[2]!))).partial?.text, "Hello ")
    }))

  it.effect("takes a connection that breaks while it is read for one", () =>
    Effect.gen(function*() {
      const model = streamed([])
      let reads = 0
      model.doStream = () =>
        Promise.resolve({
          stream: new ReadableStream({
            pull: (controller) => {
              if (reads < 9) controller.enqueue(parts[reads++]!)
              else controller.error(new TypeError("terminated"))
            }
          })
        })
      const error = yield* Effect.flip(collect(model))
      assert.strictEqual(error.reason._tag, "Network")
      assert.strictEqual(error.partial?.text, "Hello ")
    }))

  it.effect("ignores what it does not know and lets nothing be a defect", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.oneof(
              fc.anything(),
              fc.constantFrom(...parts),
              fc.record({
                type: fc.constantFrom(...parts.map(({ type }) => type), "new-part"),
                id: fc.anything(),
                delta: fc.anything(),
                toolCallId: fc.anything(),
                input: fc.anything(),
                data: fc.anything(),
                usage: fc.anything(),
                finishReason: fc.anything(),
                providerMetadata: fc.anything(),
                warnings: fc.anything()
              }, { requiredKeys: ["type"] })
            ),
            { maxLength: 12 }
          ),
          async (given) => {
            for (
              const run of [
                collect(streamed(given)),
                serviceOf(new MockLanguageModelV4({ doGenerate: { content: given } as never })).generate({
                  prompt: "x"
                })
              ]
            ) {
              const exit = await Effect.runPromiseExit(run as Effect.Effect<unknown, LlmError>)
              if (Exit.isFailure(exit)) assert.strictEqual(exit.cause.reasons[0]!._tag, "Fail")
            }
          }
        ),
        { numRuns: 60 }
      )
    ))

  it.effect("aborts the model when it is interrupted, and does not wait for it", () =>
    Effect.gen(function*() {
      for (const where of ["doGenerate", "doStream", "reading"] as const) {
        const seen: { signal?: AbortSignal | undefined; cancelled?: boolean } = {}
        const pending = (options: { readonly abortSignal?: AbortSignal }) => {
          seen.signal = options.abortSignal
          return where !== "reading" ? new Promise<never>(() => {}) : Promise.resolve({
            stream: new ReadableStream({
              cancel: () => {
                seen.cancelled = true
                return new Promise<void>(() => {})
              }
            })
          })
        }
        const model = new MockLanguageModelV4({ doGenerate: pending as never, doStream: pending as never })
        const service = serviceOf(model)
        const fiber = yield* Effect.forkChild(
          where === "doGenerate"
            ? Effect.asVoid(service.generate({ prompt: "x" }))
            : Stream.runDrain(service.stream({ prompt: "x" }))
        )
        while (seen.signal === undefined) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        for (let i = 0; i < 5; i++) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        yield* Fiber.interrupt(fiber)
        assert.isTrue(seen.signal.aborted)
        if (where === "reading") assert.isTrue(seen.cancelled)
      }
    }))

  it.effect("keeps the time limits of a call", () =>
    Effect.gen(function*() {
      const model = new MockLanguageModelV4({ doStream: () => new Promise<never>(() => {}) })
      const fiber = yield* Effect.forkChild(
        Effect.flip(Stream.runDrain(serviceOf(model).stream({ prompt: "x", timeouts: { firstToken: "3 seconds" } })))
      )
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* TestClock.adjust("3 seconds")
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error.reason as object, { _tag: "Timeout", phase: "firstToken" })
    }))

  it.effect("refuses what the AI SDK cannot say", () =>
    Effect.gen(function*() {
      const model = new MockLanguageModelV4({
        supportedUrls: { "image/*": [/^https:\/\/ok\.test\//] },
        doStream: () => Promise.resolve({ stream: from([finish]) as never })
      })
      const image = (url: string): LlmRequest => ({
        messages: [{ role: "user", content: [{ type: "image", source: { type: "url", url } }] }]
      })
      yield* answer(model, image("https://ok.test/a.png"))
      for (
        const request of [
          image("https://other.test/a.png"),
          { prompt: "x", tools: [LlmTool.custom("c")] },
          { prompt: "x", tools: [LlmTool.provider("p", { type: "web_search" })] }
        ]
      ) {
        const error = yield* Effect.flip(collect(model, request))
        assert.strictEqual(error.reason._tag, "Validation")
        assert.strictEqual(error.attempts, 0)
      }
      assert.strictEqual(model.doStreamCalls.length, 1)
    }))

  it.effect("takes what getters throw for a failure of the call", () =>
    Effect.gen(function*() {
      const touchy = (after: number) => {
        let touched = 0
        const model = new MockLanguageModelV4({ doStream: () => Promise.resolve({ stream: from(parts) }) })
        return new Proxy(model, {
          get: (target, key) => {
            if (touched++ >= after) throw new Error("touched")
            return Reflect.get(target, key)
          }
        })
      }
      for (let after = 0; after < 9; after++) {
        const exit = yield* Effect.exit(Effect.flatMap(
          AiSdk.make(touchy(after)),
          (service) => Stream.runDrain(service.stream({ prompt: "x" }))
        ))
        if (Exit.isFailure(exit)) assert.strictEqual(exit.cause.reasons[0]!._tag, "Fail")
      }
      const unreadable: ReadonlyArray<unknown> = [
        undefined,
        null,
        7,
        {},
        { stream: null },
        { stream: { getReader: () => undefined } },
        { stream: { getReader: () => ({ read: 7, cancel: 7 }) } },
        { stream: { getReader: () => ({ read: () => undefined, cancel: () => 7 }) } },
        { stream: { getReader: () => ({ read: () => Promise.reject(null), cancel: () => Promise.reject(7) }) } }
      ]
      for (const given of unreadable) {
        const model = new MockLanguageModelV4({
          doStream: () => Promise.resolve(given as never),
          doGenerate: () => Promise.resolve(given as never)
        })
        const error = yield* Effect.flip(collect(model))
        assert.strictEqual(error._tag, "LlmError")
        assert.strictEqual((yield* Effect.flip(serviceOf(model).generate({ prompt: "x" })))._tag, "LlmError")
      }
    }))

  it.effect("refuses what is no model", () =>
    Effect.gen(function*() {
      const hostile = new Proxy({}, {
        get: () => {
          throw new Error("never")
        }
      })
      for (const given of [undefined, null, "gpt", {}, hostile, { specificationVersion: "v9" }]) {
        const error = yield* Effect.flip(AiSdk.make(given as never))
        assert.strictEqual(error.reason._tag, "Configuration")
      }
    }))
})
