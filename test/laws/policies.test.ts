// Nothing that is given to a policy, a batch, a registry or an object call is a defect: it fails what is built with it, or
// the call, by name.
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Batch from "../../src/batch/Batch.ts"
import * as LlmConfig from "../../src/config/LlmConfig.ts"
import * as Registry from "../../src/config/Registry.ts"
import { isLlmError, type LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Models from "../../src/Models.ts"
import * as Cost from "../../src/observe/Cost.ts"
import * as Events from "../../src/observe/Events.ts"
import * as Balance from "../../src/policy/Balance.ts"
import * as Budget from "../../src/policy/Budget.ts"
import * as Cache from "../../src/policy/Cache.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Concurrency from "../../src/policy/Concurrency.ts"
import * as Continue from "../../src/policy/Continue.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import type * as Policy from "../../src/policy/Policy.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import * as Credentials from "../../src/provider/Credentials.ts"
import * as Files from "../../src/provider/Files.ts"
import * as Llm from "../../src/provider/Llm.ts"
import * as Ollama from "../../src/provider/Ollama.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"
import { junk, placesOf, replaced } from "./junk.ts"

const runs = Number(process.env["LAW_RUNS"] ?? 75)

const other = TestLlm.layer({ answers: () => "other" })
const apiKey = Redacted.make("key-of-this-test")
const prices = { input: 1, output: 1, cacheRead: 1, tiers: [{ input: 1, output: 1, aboveInputTokens: 5 }] }
const candidate = {
  request: (request: LlmRequest) => request,
  prefill: true,
  weight: 1,
  tier: 0,
  prices,
  contextWindow: 5
}

type Made = Policy.Policy<LlmError, Scope.Scope>

// oxlint-disable-next-line typescript/no-explicit-any -- whatever is given is the point
type Any = any

/** Every policy, with legal options of every kind. */
const policies: { readonly [name: string]: readonly [options: unknown, policy: (options: Any) => Made] } = {
  Timeout: [{ connect: "1 minute", firstToken: 60_000, idle: "1 minute", total: "1 minute" }, Timeout.policy],
  Retry: [
    { retries: 1, base: 1, factor: 2, cap: "1 second", floor: 0, jitter: true, retryOn: ["Network"] },
    Retry.policy
  ],
  "Retry.make": [{ retries: 1, base: 1, cap: "1 second" }, (options) => Retry.policy(Retry.make(options))],
  "Retry.fromSchedule": [
    { cap: "1 second", retryOn: ["Network"] },
    (options) => Retry.policy(Retry.fromSchedule(Retry.standard, options))
  ],
  Concurrency: [{ permits: 2, maxQueue: 1, queueDeadline: "1 second" }, Concurrency.policy],
  RateLimit: [
    {
      requestsPerMinute: 1000,
      tokensPerMinute: 100_000,
      inputTokensPerMinute: 100_000,
      outputTokensPerMinute: 100_000,
      key: "k",
      maxWait: "1 second",
      estimate: () => ({ input: 1, output: 1 }),
      learn: true,
      maxRetryAfter: "1 hour",
      onStoreError: "local",
      storeTimeout: 500,
      store: RateLimit.storeMemory
    },
    RateLimit.policy
  ],
  CircuitBreaker: [
    {
      key: "k",
      failures: 5,
      rate: { threshold: 0.5, window: 10, minimumCalls: 5 },
      openFor: "30 seconds",
      maxOpenFor: "1 minute",
      maxRetryAfter: "1 hour",
      onStoreError: "allow",
      storeTimeout: 500,
      store: CircuitBreaker.storeMemory()
    },
    CircuitBreaker.policy
  ],
  "CircuitBreaker.storeMemory": [
    { idleTimeToLive: "1 hour" },
    (options) => CircuitBreaker.policy({ store: CircuitBreaker.storeMemory(options) })
  ],
  Hedge: [{ after: "1 second", initial: 1000, samples: 5, candidate: other }, Hedge.policy],
  Cache: [
    {
      partition: () => "all",
      ttl: "1 hour",
      when: () => true,
      version: "1",
      coalesce: true,
      maxWait: "1 minute",
      storeTimeout: 500,
      store: Cache.storeMemory()
    },
    Cache.policy
  ],
  "Cache.storeMemory": [
    { capacity: 5 },
    (options) => Cache.policy({ partition: () => "all", store: Cache.storeMemory(options) })
  ],
  Budget: [
    {
      limit: 5,
      scope: "user",
      window: "1 day",
      name: "n",
      prices: { "test/test-model": prices },
      outputTokens: 10,
      unknownPrice: "allow",
      unscoped: "allow",
      keep: "1 day",
      lease: "1 hour",
      onStoreError: "local",
      storeTimeout: 500,
      store: Budget.storeMemory
    },
    Budget.policy
  ],
  KeyPool: [{ keys: [{ apiKey, weight: 1 }], bench: "30 seconds", maxRetryAfter: "1 hour" }, KeyPool.policy],
  "KeyPool of an effect": [
    [{ apiKey, weight: 1 }],
    (keys) => KeyPool.policy({ keys: Effect.sync(() => keys) })
  ],
  Fallback: [
    {
      options: { on: { RateLimit: "stop", Provider: () => "next" }, benchAfter: 2, benchFor: "1 second" },
      next: other
    },
    ({ next, options }) => Fallback.policy(next, options)
  ],
  Balance: [
    {
      options: { strategy: "cheapest", stickyBy: "conversation", on: {}, benchFor: "1 second", smoothing: 0.2 },
      others: [other, other]
    },
    ({ options, others }) => Balance.policy(others, options) as Made
  ],
  Continue: [{ maxContinuations: 1, candidates: [other] }, Continue.policy],
  candidate: [candidate, (options) => Fallback.policy(Fallback.candidate(other, options)) as Made],
  Cost: [{ prices: { "test/test-model": prices } }, Cost.policy]
}

/** Services made by plain functions, which have no layer to fail. */
const functions: { readonly [name: string]: readonly [options: unknown, make: (options: Any) => LlmService.Service] } =
  {
    "Fallback.make": [
      { on: { RateLimit: "stop" }, benchAfter: 2, benchFor: 1 },
      (options) => Fallback.make([TestLlm.make({ answers: () => "a" }).service, TestLlm.make().service], options)
    ],
    "Balance.make": [
      { strategy: "weighted", benchFor: 1, smoothing: 0.2 },
      (options) =>
        Balance.make(
          [TestLlm.make({ answers: () => "a" }).service, TestLlm.make({ answers: () => "b" }).service],
          options
        )
    ],
    "Hedge.make": [
      { after: 1000, samples: 2 },
      (options) => Hedge.make(TestLlm.make({ answers: () => "a" }).service, undefined, options)
    ],
    "Continue.make": [
      { maxContinuations: 1 },
      (options) => Continue.make(TestLlm.make({ answers: () => "a" }).service, [], options)
    ],
    "Fallback.candidate": [
      candidate,
      (options) => Fallback.candidate(TestLlm.make({ answers: () => "a" }).service, options)
    ],
    "candidates of Fallback": [
      [TestLlm.make({ answers: () => "a" }).service],
      (candidates) => Fallback.make(candidates)
    ],
    "candidates of Balance": [
      [TestLlm.make({ answers: () => "a" }).service],
      (candidates) => Balance.make(candidates)
    ]
  }

const typed = (exit: Exit.Exit<unknown, unknown>, what: string, reasons?: ReadonlyArray<string>): void => {
  if (Exit.isSuccess(exit)) return
  const defect = exit.cause.reasons.find((reason) => reason._tag !== "Fail")
  assert.isUndefined(defect, `${what}: ${Cause.pretty(exit.cause)}`)
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  assert.isTrue(isLlmError(error), what)
  if (!isLlmError(error) || reasons === undefined) return
  assert.include(reasons, error.reason._tag, `${what}: ${error.message}`)
  assert.isString("field" in error.reason ? error.reason.field : undefined, `${what}: ${error.message}`)
}

const hello: LlmRequest = { prompt: "Hi" }

const calls = (service: LlmService.Service, request: LlmRequest = hello) => [
  Effect.suspend(() => service.generate(request)),
  Stream.runDrain(Stream.suspend(() => service.stream(request))),
  Effect.suspend(() => service.countTokens(request))
]

describe("An option of a policy", () => {
  it.each(Object.keys(policies))(
    "of %s that cannot be fails the layer by name, and is no throw before",
    async (name) => {
      const [whole, policy] = policies[name]!
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...placesOf(whole)), junk, async (place, make) => {
          const given = make()
          // A class is a function that throws when it is called, and what the application's own functions throw is its own affair.
          if (typeof given === "function" && String(given).startsWith("class")) return
          const options = replaced(whole, place, given)
          const what = `${name} ${place.join(".")}`
          // Options with parts of their own are taken apart by this test.
          if (place.length === 0 && ["Fallback", "Balance"].includes(name)) return
          const made = policy(options)
          const layer = TestLlm.layer({ answers: () => "Hi" }).pipe(made)
          const exit = await Effect.runPromiseExit(Effect.scoped(Effect.gen(function*() {
            const built = yield* Effect.exit(Layer.build(layer))
            typed(built, what, ["Configuration"])
            if (Exit.isFailure(built)) return
            for (const call of calls(yield* Effect.provide(LlmService.LlmService, Layer.succeedContext(built.value)))) {
              typed(yield* Effect.exit(call), what)
            }
          })))
          assert.isTrue(Exit.isSuccess(exit), Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
        }),
        { numRuns: Math.ceil(runs / 3) }
      )
    },
    60_000
  )

  it.each(Object.keys(policies))("of %s that is legal is taken", async (name) => {
    const [whole, policy] = policies[name]!
    const layer = TestLlm.layer({ answers: () => "Hi" }).pipe(policy(whole))
    assert.isTrue(Exit.isSuccess(await Effect.runPromiseExit(Effect.scoped(Layer.build(layer)))))
  })

  it.each(Object.keys(functions))("of %s that cannot be fails every call by name", async (name) => {
    const [whole, make] = functions[name]!
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...placesOf(whole)), junk, async (place, value) => {
        const given = value()
        // What a function of the application's does is its own affair.
        if (typeof given === "function") return
        const service = make(replaced(whole, place, given))
        for (const call of calls(service)) typed(await Effect.runPromiseExit(call), `${name} ${place.join(".")}`)
        assert.notProperty({}, "polluted")
      }),
      { numRuns: Math.ceil(runs / 3) }
    )
  }, 60_000)

  it("is named by its field", async () => {
    const wrong: ReadonlyArray<readonly [Made, string]> = [
      [Timeout.policy({ idle: "soon" as never }), "idle"],
      [Timeout.policy({ total: -1 }), "total"],
      [Retry.policy({ base: NaN }), "base"],
      [Retry.policy(Retry.make({ cap: "x" as never })), "cap"],
      [Concurrency.policy({ permits: NaN }), "permits"],
      [CircuitBreaker.policy({ openFor: "x" as never }), "openFor"],
      [CircuitBreaker.policy({ rate: { threshold: 5 } }), "rate.threshold"],
      [RateLimit.policy({ tokensPerMinute: "many" as never }), "tokensPerMinute"],
      [Hedge.policy({ after: {} as never, samples: 0 }), "samples"],
      [Cache.policy({ partition: "all" as never }), "partition"],
      [Budget.policy({ limit: NaN }), "limit"],
      [Budget.policy({ limit: 1, prices: { a: { input: -1, output: 0 } } }), "prices.a.input"],
      [KeyPool.policy({ keys: [{ apiKey: "sk-plain" as never }] }), "keys[0].apiKey"],
      [KeyPool.policy({ keys: [{ apiKey: Redacted.make("a\nb") }] }), "keys[0].apiKey"],
      [Fallback.policy(other, { benchFor: "x" as never }), "benchFor"],
      [Fallback.policy(null as never), "next"],
      [Balance.policy([other], { smoothing: 2 }) as Made, "smoothing"],
      [Continue.policy({ maxContinuations: -1 }), "maxContinuations"],
      [Cost.policy({ prices: 5 as never }), "prices"]
    ]
    for (const [policy, field] of wrong) {
      const error = await Effect.runPromise(
        Effect.flip(Effect.scoped(Layer.build(TestLlm.layer().pipe(policy))))
      )
      assert.strictEqual(error.reason._tag, "Configuration")
      assert.strictEqual("field" in error.reason ? error.reason.field : undefined, field)
    }
  })
})

describe("What a function of the application gives", () => {
  it.each<readonly [what: string, policy: (give: () => never) => Made]>([
    ["CircuitBreaker key", (key) => CircuitBreaker.policy({ key })],
    ["RateLimit key", (key) => RateLimit.policy({ key })],
    ["RateLimit estimate", (estimate) => RateLimit.policy({ estimate })],
    ["Budget scope", (scope) => Budget.policy({ limit: 1, scope, unknownPrice: "allow", unscoped: "allow" })],
    ["Cache partition", (partition) => Cache.policy({ partition })],
    ["Cache when", (when) => Cache.policy({ partition: () => "all", when })],
    ["Balance stickyBy", (stickyBy) => Balance.policy([other], { stickyBy }) as Made],
    ["a rewritten request", (request) => Fallback.policy(Fallback.candidate(other, { request })) as Made],
    ["a route", (route) => Fallback.policy(other, { on: { RateLimit: route } })]
  ])("is looked at: %s", async (what, policy) => {
    await fc.assert(
      fc.asyncProperty(junk, async (make) => {
        const layer = TestLlm.layer({ answers: () => TestLlm.rateLimit() }).pipe(policy(make as () => never))
        const exit = await Effect.runPromiseExit(Effect.scoped(Effect.gen(function*() {
          const built = yield* Layer.build(layer)
          for (const call of calls(yield* Effect.provide(LlmService.LlmService, Layer.succeedContext(built)))) {
            typed(yield* Effect.exit(call), what)
          }
        })))
        assert.isTrue(Exit.isSuccess(exit), Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
      }),
      { numRuns: Math.ceil(runs / 3) }
    )
  }, 60_000)
})

describe("A request under policies", () => {
  const whole: LlmRequest = {
    system: "s",
    model: "m",
    maxTokens: 10,
    priority: 1,
    label: "l",
    scope: { userId: "u", sessionId: "s", requestId: "r" },
    cache: { key: "k" },
    metadata: { a: 1 },
    timeouts: { total: "1 minute" },
    tools: [{ type: "function", name: "t", parameters: { type: "object" } }],
    responseFormat: { type: "json-schema", schema: { type: "object" } },
    headers: { a: "b" },
    messages: [
      { role: "user", content: [{ type: "text", text: "a" }] },
      { role: "assistant", content: [{ type: "tool-call", id: "1", name: "t", arguments: { a: 1 } }] },
      { role: "tool", content: [{ type: "tool-result", toolCallId: "1", content: "x" }] }
    ]
  }

  it("is refused by name before anything reads it, whatever stands where, under any policy", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...placesOf(whole)),
        junk,
        fc.array(fc.constantFrom(...Object.keys(policies).filter((name) => name !== "KeyPool of an effect")), {
          minLength: 1,
          maxLength: 4
        }),
        async (place, make, names) => {
          const request = replaced(whole, place, make()) as LlmRequest
          const what = `${names.join(" ")} ${place.join(".")}`
          await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            let { service } = TestLlm.make({ answers: () => "Hi" })
            for (const name of names) service = yield* policies[name]![1](policies[name]![0]).wrap(service)
            for (const call of calls(service, request)) typed(yield* Effect.exit(call), what)
          })))
          assert.notProperty({}, "polluted")
        }
      ),
      { numRuns: runs * 2 }
    )
  }, 120_000)

  it("that names a limit that is no time is Validation, not a defect", async () => {
    const { control, service } = TestLlm.make({ answers: () => "Hi" })
    const limited = await Effect.runPromise(Timeout.policy({ total: "1 minute" }).wrap(service))
    for (const call of calls(limited, { prompt: "Hi", timeouts: { idle: "soon" as never } })) {
      const error = await Effect.runPromise(Effect.flip(call as Effect.Effect<unknown, LlmError>))
      assert.strictEqual(error.reason._tag === "Validation" ? error.reason.field : undefined, "timeouts.idle")
    }
    assert.lengthOf(control.requests, 0)
  })
})

describe("Every other entry", () => {
  const nobody = HttpClient.make(() => Effect.die("nothing may be sent"))
  const files = FileSystem.layerNoop({})
  const { service } = TestLlm.make({ answers: () => "{}" })

  /** Entries, each given junk in the place of one of its arguments. */
  const entries: ReadonlyArray<readonly [string, (given: Any) => Effect.Effect<unknown, unknown, Any>]> = [
    ["generateObject schema", (schema) => LlmService.generateObject(schema, hello)],
    ["generateObject request", (request) => LlmService.generateObject(Schema.Struct({}), request)],
    ["streamObject schema", (schema) => Stream.runDrain(LlmService.streamObject(schema, hello))],
    ["streamObject request", (request) => Stream.runDrain(LlmService.streamObject(Schema.Struct({}), request))],
    ["generate", LlmService.generate],
    ["stream", (request) => Stream.runDrain(LlmService.stream(request))],
    ["countTokens", LlmService.countTokens],
    ["Batch requests", (requests) => Batch.all(requests)],
    ["Batch request", (request) => Batch.all([request, hello])],
    ["Batch options", (options) => Batch.all([hello], options)],
    ["Batch concurrency", (concurrency) => Batch.all([hello], { concurrency })],
    ["LlmConfig.decode", LlmConfig.decode],
    ["LlmConfig.parse", (text) => LlmConfig.parse(text, "toml")],
    ["LlmConfig.parse JSON", (text) => LlmConfig.parse(text, "json")],
    ["LlmConfig.formatOf", LlmConfig.formatOf],
    ["LlmConfig.layer", (config) => Effect.scoped(Layer.build(LlmConfig.layer(config)))],
    ["Registry.make", (config) => Effect.scoped(Registry.make(config))],
    ["Registry.makeWatch", (options) => Effect.scoped(Registry.makeWatch("a.toml", options))],
    ["Llm.layerOf", (id) => Effect.scoped(Layer.build(Llm.layerOf(id)))],
    ["Models provider", (provider) => Models.lookup(provider, "m")],
    ["Models id", (id) => Models.lookup("anthropic", id)],
    ["Models.all", Models.all],
    ["Cost.ofUsage", (usage) => Effect.sync(() => Cost.ofUsage(usage, prices))],
    [
      "Cost.ofUsage prices",
      (prices) => Effect.sync(() => Cost.ofUsage({ input: { total: 1 }, output: { total: 1 } }, prices))
    ],
    ["Events.layer", (options) => Effect.scoped(Layer.build(Events.layer(options)))],
    ["Credentials options", (options) => Credentials.refreshing(Effect.succeed({ value: apiKey }), options)],
    [
      "Credentials token",
      (token) =>
        Effect.flatMap(Credentials.refreshing(Effect.succeed(token)), (made) => "get" in made ? made.get : Effect.void)
    ],
    ["Files options", (options) => Files.gemini(options)],
    ["Files upload", (file) => Effect.flatMap(Files.gemini({}), ({ upload }) => upload(file))],
    ["Files remove", (file) => Effect.flatMap(Files.openAi({}), ({ remove }) => remove(file))],
    ["Files use", (file) => Effect.flatMap(Files.anthropic({}), ({ use }) => Effect.scoped(use(file)))],
    ["Ollama.pull model", (model) => Stream.runDrain(Stream.take(Ollama.pull(model, { baseUrl: "ftp://x" }), 1))],
    [
      "LlmTool.make",
      (parameters) =>
        LlmService.generate({ prompt: "Hi", tools: [LlmTool.make("t", { parameters: parameters ?? undefined })] })
    ]
  ]

  it.each(entries.map(([name]) => name))("%s takes whatever it is given", async (name) => {
    const run = entries.find(([found]) => found === name)![1]
    await fc.assert(
      fc.asyncProperty(junk, async (make) => {
        const exit = await Effect.runPromiseExit(
          Effect.suspend(() => run(make())).pipe(
            Effect.provideService(LlmService.LlmService, service),
            Effect.provideService(HttpClient.HttpClient, nobody),
            Effect.provide(files)
          ) as Effect.Effect<unknown, unknown>
        )
        typed(exit, name)
        assert.notProperty({}, "polluted")
      }),
      { numRuns: Math.ceil(runs / 3) }
    )
  }, 60_000)

  it("refuses what is no schema before anything is sent", async () => {
    const { control, service } = TestLlm.make({ answers: () => "{}" })
    for (const schema of [5, null, {}, "x"] as ReadonlyArray<Any>) {
      const error = await Effect.runPromise(
        Effect.flip(Effect.provideService(LlmService.generateObject(schema, hello), LlmService.LlmService, service))
      ) as LlmError
      assert.strictEqual(error.reason._tag, "Validation")
    }
    assert.lengthOf(control.requests, 0)
  })
})
