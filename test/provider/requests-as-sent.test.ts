// What a request, its layer and its company say goes out as one request: who says what is decided here, whatever is said.
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { LlmResponse } from "../../src/LlmResponse.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Anthropic from "../../src/provider/Anthropic.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import * as OpenAiCompatible from "../../src/provider/OpenAiCompatible.ts"
import type { Options } from "../../src/provider/Provider.ts"

interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: unknown
}

const textOf = (body: unknown): string | undefined =>
  typeof body === "string" ? body : body instanceof Uint8Array ? new TextDecoder().decode(body) : undefined

const refusedKeys = new Set(["Bearer stale-key-of-the-layer", "Bearer stale-key-of-the-caller"])

const whole = {
  id: "a",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }]
}

const streamed =
  "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\n" +
  "data: [DONE]\n\n"

/** Answers every chat, and refuses stale keys. */
const recording = (sent: Array<Sent>): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.sync(() => {
      const text = request.body._tag === "Raw" || request.body._tag === "Uint8Array"
        ? textOf(request.body.body)
        : undefined
      const body = text === undefined ? undefined : JSON.parse(text)
      sent.push({ method: request.method, url: request.url, headers: { ...request.headers }, body })
      if (refusedKeys.has(request.headers["authorization"] ?? "")) {
        return HttpClientResponse.fromWeb(request, new Response("{\"error\":{\"message\":\"no\"}}", { status: 401 }))
      }
      return HttpClientResponse.fromWeb(
        request,
        body?.stream === true
          ? new Response(streamed, { headers: { "content-type": "text/event-stream" } })
          : new Response(JSON.stringify(request.method === "GET" ? { data: [{ id: "m" }] } : whole))
      )
    })
  )

const baseUrl = "https://llm.example.com/v1"

const made = (options: Options): { readonly sent: Array<Sent>; readonly service: Service } => {
  const sent: Array<Sent> = []
  const service = Effect.runSync(
    Effect.provideService(
      OpenAiCompatible.make({ baseUrl, model: "m", ...options } as OpenAiCompatible.Options),
      HttpClient.HttpClient,
      recording(sent)
    )
  )
  return { sent, service }
}

type Operation = "generate" | "stream"

const call = (service: Service, request: LlmRequest, operation: Operation): Promise<Exit.Exit<unknown, LlmError>> =>
  Effect.runPromiseExit<unknown, LlmError>(
    operation === "generate" ? service.generate(request) : Stream.runCollect(service.stream(request))
  )

const errorOf = (exit: Exit.Exit<unknown, LlmError>): LlmError => {
  assert.isTrue(Exit.isFailure(exit))
  return (exit as Exit.Failure<unknown, LlmError>).cause.reasons.find(Cause.isFailReason)!.error
}

const operations: fc.Arbitrary<Operation> = fc.constantFrom("generate", "stream")

const apiKey = Redacted.make("key-of-the-layer")

describe("What a layer gives by default", () => {
  const maybe = <A>(one: fc.Arbitrary<A>) => fc.option(one, { nil: undefined })
  const said = fc.record({
    temperature: maybe(fc.constantFrom(0, 0.5, 1)),
    topP: maybe(fc.constantFrom(0.1, 0.9)),
    maxTokens: maybe(fc.constantFrom(10, 20)),
    system: maybe(fc.constantFrom("Be brief.", "Be long.")),
    stop: maybe(fc.constantFrom(["a"], ["b", "c"])),
    seed: maybe(fc.constantFrom(1, 2)),
    headers: maybe(fc.dictionary(fc.constantFrom("x-a", "x-b", "x-c"), fc.constantFrom("1", "2"), { maxKeys: 3 })),
    providerOptions: maybe(fc.dictionary(
      fc.constantFrom("openai-compatible", "openai"),
      fc.dictionary(fc.constantFrom("one", "two"), fc.constantFrom(1, "x", null), { maxKeys: 2 }),
      { maxKeys: 2 }
    ))
  })
  type Said = typeof said extends fc.Arbitrary<infer A> ? A : never

  /** A request that says itself what the layer would have added. */
  const spelledOut = (defaults: Said, own: Said): LlmRequest => {
    const result: Record<string, unknown> = { prompt: "Hi" }
    for (const name of Object.keys(defaults) as Array<keyof Said>) {
      const value = own[name] === undefined ? defaults[name] : own[name]
      if (value !== undefined) result[name] = value
    }
    if (own.headers !== undefined) result["headers"] = { ...defaults.headers, ...own.headers }
    if (own.providerOptions !== undefined) {
      const merged: Record<string, object> = { ...defaults.providerOptions }
      for (const [id, options] of Object.entries(own.providerOptions)) merged[id] = { ...merged[id], ...options }
      result["providerOptions"] = merged
    }
    return result as unknown as LlmRequest
  }

  const isNothing = (said: Said): boolean => Object.values(said).every((value) => value === undefined)

  it("is sent as if the request had said it, and what the request says wins, header by header and option by option", () =>
    fc.assert(
      fc.asyncProperty(said, said, operations, async (defaults, own, operation) => {
        const layered = made({ apiKey, ...(isNothing(defaults) ? undefined : { defaults }) } as unknown as Options)
        const plain = made({ apiKey })
        const request = { prompt: "Hi", ...own } as unknown as LlmRequest
        const [first, second] = await Promise.all([
          call(layered.service, request, operation),
          call(plain.service, spelledOut(defaults, own), operation)
        ])
        assert.isTrue(Exit.isSuccess(first) && Exit.isSuccess(second))
        assert.deepStrictEqual(layered.sent, plain.sent)
      }),
      { numRuns: 60 }
    ))

  it("of headers, the request's go over its defaults', those over the layer's, and none over the credential", async () => {
    const { sent, service } = made({
      apiKey,
      headers: { "x-1": "layer", "x-2": "layer", "x-3": "layer" },
      defaults: { headers: { "x-2": "default", "x-3": "default" } }
    })
    await call(service, { prompt: "Hi", headers: { "x-3": " request ", authorization: "Bearer other" } }, "generate")
    const { authorization, "x-1": one, "x-2": two, "x-3": three } = sent[0]!.headers
    assert.deepStrictEqual([one, two, three, authorization], ["layer", "default", "request", "Bearer key-of-the-layer"])
  })

  it("goes into an estimate of tokens as well", async () => {
    const { service } = made({ apiKey, defaults: { system: "A rather long system prompt, which counts.".repeat(20) } })
    const bare = made({ apiKey }).service
    const count = (service: Service) => Effect.runPromise(service.countTokens({ prompt: "Hi" }))
    const [more, less] = [await count(service), await count(bare)]
    assert.isTrue(more.estimated && less.estimated)
    assert.isAbove(more.inputTokens, less.inputTokens + 50)
  })
})

describe("Options of one provider", () => {
  it("are the last word on the fields of its body, and nobody else gets them", async () => {
    const { sent, service } = made({ apiKey })
    const providerOptions = {
      "openai-compatible": { temperature: 0.25, logit_bias: { "50256": -100 }, ["__proto__"]: 1 },
      anthropic: { temperature: 0.75, thinking: {} }
    }
    await call(service, { prompt: "Hi", temperature: 1, providerOptions } as unknown as LlmRequest, "generate")
    const body = sent[0]!.body as { readonly [name: string]: unknown }
    assert.strictEqual(body["temperature"], 0.25)
    assert.deepStrictEqual(body["logit_bias"], { "50256": -100 })
    assert.notProperty(body, "thinking")
  })
})

describe("The credential of a call", () => {
  it("is the request's own where it has one, without the space around it, and never both", () =>
    fc.assert(
      fc.asyncProperty(
        fc.option(fc.constantFrom("own-key-of-the-caller", "  own-key-of-the-caller\n"), { nil: undefined }),
        fc.constantFrom(apiKey, Effect.succeed(Redacted.make(" key-of-the-layer "))),
        operations,
        async (own, given, operation) => {
          const { sent, service } = made({ apiKey: given })
          const exit = await call(
            service,
            { prompt: "Hi", ...(own === undefined ? undefined : { apiKey: Redacted.make(own) }) },
            operation
          )
          assert.isTrue(Exit.isSuccess(exit))
          const expected = own === undefined ? "key-of-the-layer" : "own-key-of-the-caller"
          assert.deepStrictEqual(sent.map(({ headers }) => headers["authorization"]), [`Bearer ${expected}`])
        }
      ),
      { numRuns: 12 }
    ))

  it.each(["generate", "stream"] as const)(
    "that is rejected is replaced when it is the layer's, and never when it is the caller's: %s",
    async (operation) => {
      const refreshes: Array<number> = []
      const apiKey = {
        get: Effect.sync(() =>
          Redacted.make(refreshes.length === 0 ? "stale-key-of-the-layer" : "fresh-key-of-the-layer")
        ),
        refresh: Effect.sync(() => {
          refreshes.push(1)
          return Redacted.make("fresh-key-of-the-layer")
        })
      }
      const callers = made({ apiKey })
      const own = { prompt: "Hi", apiKey: Redacted.make("stale-key-of-the-caller") }
      const error = errorOf(await call(callers.service, own, operation))
      assert.deepStrictEqual([error.reason._tag, error.attempts, refreshes.length], ["Authentication", 1, 0])
      assert.deepStrictEqual(callers.sent.map(({ headers }) => headers["authorization"]), [
        "Bearer stale-key-of-the-caller"
      ])

      const layers = made({ apiKey })
      assert.isTrue(Exit.isSuccess(await call(layers.service, { prompt: "Hi" }, operation)))
      assert.deepStrictEqual(layers.sent.map(({ headers }) => headers["authorization"]), [
        "Bearer stale-key-of-the-layer",
        "Bearer fresh-key-of-the-layer"
      ])
      assert.strictEqual(refreshes.length, 1)
    }
  )

  it("is checked when it comes, whoever gives it, and what it holds is not told", async () => {
    for (const key of ["", "  ", "two\nlines-of-a-key", "ключ-of-somebody"]) {
      for (
        const { error, sent } of await Promise.all([
          { options: { apiKey: Effect.succeed(Redacted.make(key)) }, request: { prompt: "Hi" } },
          { options: { apiKey }, request: { prompt: "Hi", apiKey: Redacted.make(key) } }
        ].map(async ({ options, request }) => {
          const { sent, service } = made(options)
          return { sent, error: errorOf(await call(service, request, "generate")) }
        }))
      ) {
        assert.include(["Configuration", "Validation"], error.reason._tag)
        assert.strictEqual("field" in error.reason ? error.reason.field : undefined, "apiKey")
        assert.lengthOf(sent, 0)
        if (key.trim() !== "") assert.notInclude(error.message, key)
      }
    }
  })

  it("goes with listings and health checks as well, with the headers of the layer", async () => {
    const { sent, service } = made({ apiKey, headers: { "x-team": "blue" } })
    await Effect.runPromise(Effect.andThen(service.models, service.health))
    assert.deepStrictEqual(
      sent.map(({ headers, method, url }) => [method, url, headers["authorization"], headers["x-team"]]),
      Array.from({ length: 2 }, () => ["GET", `${baseUrl}/models`, "Bearer key-of-the-layer", "blue"])
    )
  })
})

describe("Names of a call", () => {
  it("are the request's where it says them, else the layer's, in answers and errors", async () => {
    const { service } = made({ apiKey, label: "layer" })
    const answer = async (request: LlmRequest) => {
      const exit = await call(service, request, "generate") as Exit.Exit<LlmResponse, LlmError>
      return Exit.isSuccess(exit) ? exit.value.label : errorOf(exit).label
    }
    const stale = Redacted.make("stale-key-of-the-caller")
    assert.deepStrictEqual(
      [
        await answer({ prompt: "Hi" }),
        await answer({ prompt: "Hi", label: "mine" }),
        await answer({ prompt: "Hi", apiKey: stale }),
        await answer({ prompt: "Hi", apiKey: stale, label: "mine" })
      ],
      ["layer", "mine", "layer", "mine"]
    )
  })

  it("of a model that nobody named is asked for before anything is sent", async () => {
    const sent: Array<Sent> = []
    const service = await Effect.runPromise(
      Effect.provideService(
        OpenAiCompatible.make({ baseUrl, apiKey } as OpenAiCompatible.Options),
        HttpClient.HttpClient,
        recording(sent)
      )
    )
    const error = errorOf(await call(service, { prompt: "Hi" }, "generate"))
    assert.deepStrictEqual([error.reason._tag, error.model, sent.length], ["Validation", "", 0])
    assert.isTrue((await Effect.runPromise(service.countTokens({ prompt: "Hi" }))).estimated)
    assert.isTrue(Exit.isSuccess(await call(service, { prompt: "Hi", model: "named" }, "generate")))
    assert.strictEqual((sent[0]!.body as { readonly model: string }).model, "named")
  })
})

describe("Counts of tokens from a provider", () => {
  const counting = (answer: unknown) => {
    const sent: Array<Sent> = []
    const client = HttpClient.make((request) =>
      Effect.sync(() => {
        const text = request.body._tag === "Raw" || request.body._tag === "Uint8Array"
          ? textOf(request.body.body)
          : "null"
        sent.push({
          method: request.method,
          url: request.url,
          headers: { ...request.headers },
          body: JSON.parse(text!)
        })
        return HttpClientResponse.fromWeb(request, new Response(JSON.stringify(answer)))
      })
    )
    const service = Effect.runSync(
      Effect.provideService(Anthropic.make({ apiKey, model: "claude-x" }), HttpClient.HttpClient, client)
    )
    return { sent, service }
  }

  it.each([0, 1, 123])("are what it says: %d", async (count) => {
    const { sent, service } = counting({ input_tokens: count })
    const counted = await Effect.runPromise(
      service.countTokens({ prompt: "Hi", model: "claude-y", headers: { "x-a": "1" } })
    )
    assert.deepStrictEqual(counted, { inputTokens: count, estimated: false })
    assert.strictEqual((sent[0]!.body as { readonly model: string }).model, "claude-y")
    assert.deepStrictEqual([sent[0]!.headers["x-a"], sent[0]!.headers["x-api-key"]], ["1", "key-of-the-layer"])
  })

  it("fail for what the call itself would fail for, and are not asked for", async () => {
    const { sent, service } = counting({ input_tokens: 1 })
    const wrong = { messages: [{ role: "tool", content: [] }] } as unknown as LlmRequest
    const exit = await Effect.runPromiseExit(service.countTokens(wrong))
    assert.deepStrictEqual([errorOf(exit).reason._tag, errorOf(exit).operation, sent.length], [
      "Validation",
      "countTokens",
      0
    ])
  })
})

describe("A request that changes while it is read", () => {
  it("is a problem of the request, told in a line", async () => {
    let reads = 0
    const request = {
      prompt: "Hi",
      get stop(): ReadonlyArray<string> {
        // What is thrown need not be an error.
        if (reads++ > 2) throw reads > 4 ? "a text" : new Error("x".repeat(5000))
        return ["a"]
      }
    }
    const { sent, service } = made({ apiKey })
    const errors = []
    for (let at = 0; at < 6; at++) {
      reads = at
      const exit = await call(service, request, "generate")
      if (Exit.isFailure(exit)) errors.push(errorOf(exit))
    }
    assert.isAbove(errors.length, 0)
    assert.lengthOf(sent, 6 - errors.length)
    for (const { message, reason } of errors) {
      assert.strictEqual(reason._tag, "Validation")
      assert.isBelow(message.length, 500)
    }
  })
})

describe("A layer that cannot be", () => {
  it.each<readonly [string, Options]>([
    ["baseUrl", { baseUrl: "ftp://example.com" }],
    ["headers.x a", { headers: { "x a": "1" } }],
    ["defaults.temperature", { defaults: { temperature: Number.NaN } }],
    ["timeouts.total", { timeouts: { total: "soon" as never } }]
  ])("fails when it is made, without a call: %s", async (field, options) => {
    const exit = await Effect.runPromiseExit(
      Effect.provideService(OpenAi.make({ apiKey, ...options }), HttpClient.HttpClient, recording([]))
    )
    const error = errorOf(exit)
    assert.deepStrictEqual([error.reason._tag, error.operation, error.provider], ["Configuration", "layer", "openai"])
    assert.include("field" in error.reason ? error.reason.field! : "", field.split(".")[0]!)
  })
})
