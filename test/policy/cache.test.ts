import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Persistence from "effect/persistence/Persistence"
import * as Redacted from "effect/Redacted"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmResponse from "../../src/LlmResponse.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import * as Cost from "../../src/observe/Cost.ts"
import * as Cache from "../../src/policy/Cache.ts"
import { keyText } from "../../src/policy/cache/key.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello: LlmRequest = { prompt: "Hello" }

const wrapped = <E = never, R = never>(
  answers: TestLlm.Options["answers"],
  options: Partial<Cache.Options> & { readonly store?: Layer.Layer<Cache.Store, E, R> } = {}
) =>
  Effect.gen(function*() {
    const { control, service } = TestLlm.make({ answers })
    const store: Layer.Layer<Cache.Store, E | LlmError, R> = options.store ?? Cache.storeMemory()
    const policy = Cache.policy({ partition: () => "all", ...options, store })
    return { control, service: yield* policy.wrap(service) }
  })

const collect = (service: LlmService.Service, request: LlmRequest): Effect.Effect<ReadonlyArray<LlmEvent>, LlmError> =>
  Stream.runCollect(service.stream(request))

const finished = (events: ReadonlyArray<LlmEvent>): LlmResponse.LlmResponse => {
  const last = events.at(-1)
  assert.isTrue(last?._tag === "Finish")
  return (last as Extract<LlmEvent, { _tag: "Finish" }>).response
}

/** A turn of the event loop: keys are digested outside of fibers, and by no clock of theirs. */
const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** Outlasts all digests under way: these are longer, and begin later. */
const digested = Effect.promise(async () => {
  for (let i = 0; i < 8; i++) await crypto.subtle.digest("SHA-256", new Uint8Array(1 << 20))
})

/** Waits until something has come true that needs no passing of time. */
const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.andThen(turn, until(condition)))

/** Lets time pass until fibers have ended. */
const finish = <A, E>(fibers: ReadonlyArray<Fiber.Fiber<A, E>>, step: Duration.Input): Effect.Effect<Array<A>, E> =>
  Effect.suspend(() =>
    fibers.every((fiber) => fiber.pollUnsafe() !== undefined)
      ? Fiber.joinAll(fibers)
      : Effect.andThen(Effect.andThen(TestClock.adjust(step), turn), finish(fibers, step))
  )

const scoped = <A, E>(effect: Effect.Effect<A, E, Scope>) => Effect.scoped(effect)

describe("Cache", () => {
  it.effect("answers the same request once, and marks what it serves", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped(["Hi!"])
      const first = yield* service.generate(hello)
      const second = yield* service.generate({ messages: [Message.user([Message.text("Hello")])] })
      assert.strictEqual(control.started, 1)
      assert.strictEqual(second.text, "Hi!")
      assert.isFalse(Cache.isHit(first))
      assert.isTrue(Cache.isHit(second))
      assert.deepStrictEqual(second.usage, first.usage)
      assert.strictEqual(second.cost, 0)
    })))

  it.effect("replays a stored answer as a stream, and stores a streamed one", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped(["One two three."])
      const live = yield* collect(service, hello)
      const replay = yield* collect(service, hello)
      const whole = yield* service.generate(hello)
      assert.strictEqual(control.started, 1)
      assert.isFalse(Cache.isHit(finished(live)))
      assert.isTrue(Cache.isHit(finished(replay)))
      assert.strictEqual(replay[0]?._tag, "ResponseStart")
      assert.strictEqual(LlmResponse.fold(replay)?.text, "One two three.")
      assert.deepStrictEqual(whole.parts, finished(live).parts)
    })))

  it.effect("keeps partitions apart, and keeps requests without one out", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped((_, { index }) => `Answer ${index}`, {
        partition: (request) => request.scope?.userId
      })
      const ask = (userId?: string) => Effect.map(service.generate({ ...hello, scope: { userId } }), (r) => r.text)
      assert.strictEqual(yield* ask("ada"), "Answer 0")
      assert.strictEqual(yield* ask("bob"), "Answer 1")
      assert.strictEqual(yield* ask("ada"), "Answer 0")
      assert.strictEqual(yield* ask(), "Answer 2")
      assert.strictEqual(yield* ask(), "Answer 3")
      assert.strictEqual(control.started, 4)
    })))

  it.effect("forgets an answer after its time to live", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped(() => "Hi!", { ttl: "10 minutes" })
      yield* service.generate(hello)
      yield* TestClock.adjust("9 minutes")
      yield* service.generate(hello)
      assert.strictEqual(control.started, 1)
      yield* TestClock.adjust("1 minute")
      yield* service.generate(hello)
      assert.strictEqual(control.started, 2)
    })))

  it.effect("bypasses or refreshes an entry when a caller asks for it", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped((_, { index }) => `Answer ${index}`)
      const ask = Effect.map(service.generate(hello), (response) => response.text)
      const mode = (mode: "bypass" | "refresh") => Effect.provideService(Cache.Mode, mode)
      assert.strictEqual(yield* ask, "Answer 0")
      assert.strictEqual(yield* ask.pipe(mode("bypass")), "Answer 1")
      assert.strictEqual(yield* ask, "Answer 0")
      assert.strictEqual(yield* ask.pipe(mode("refresh")), "Answer 2")
      assert.strictEqual(yield* ask, "Answer 2")
      const events = yield* Stream.runCollect(service.stream(hello).pipe(Stream.provideService(Cache.Mode, "refresh")))
      assert.strictEqual(finished(events).text, "Answer 3")
      assert.strictEqual(yield* ask, "Answer 3")
      assert.strictEqual(control.started, 4)
    })))

  it.effect("never stores a failure, nor an answer that is not complete", () =>
    scoped(Effect.gen(function*() {
      const odd = (finishReason: LlmResponse.FinishReason) =>
        new LlmResponse.LlmResponse({
          parts: [{ type: "text", text: "…" }],
          finishReason,
          usage: LlmResponse.emptyUsage,
          model: "m",
          provider: "test",
          warnings: []
        })
      const reasons = ["content-filter", "refusal", "pause", "context-window", "error", "other"] as const
      const { control, service } = yield* wrapped([
        TestLlm.overloaded(),
        TestLlm.cutAfter(3, "Half an answer"),
        ...reasons.map(odd),
        [{ type: "tool-call", id: "1", name: "f", arguments: "{", invalid: true }],
        "Whole."
      ])
      yield* Effect.flip(service.generate(hello))
      yield* Effect.flip(collect(service, hello))
      for (const reason of reasons) assert.strictEqual((yield* service.generate(hello)).finishReason, reason)
      yield* service.generate(hello)
      assert.strictEqual((yield* service.generate(hello)).text, "Whole.")
      assert.strictEqual((yield* service.generate(hello)).text, "Whole.")
      assert.strictEqual(control.remaining, 0)
    })))

  it.effect("keeps an answer of a reader that stopped early out", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped(() => "One two three.")
      yield* service.stream(hello).pipe(Stream.take(3), Stream.runDrain)
      assert.isFalse(Cache.isHit(yield* service.generate(hello)))
      assert.strictEqual(control.started, 2)
    })))

  it.effect("does not cache requests with tools that the provider runs, unless asked to", () =>
    scoped(Effect.gen(function*() {
      const search: LlmRequest = { ...hello, tools: [LlmTool.provider("search", { type: "web_search" })] }
      const careful = yield* wrapped(() => "Hi!")
      yield* careful.service.generate(search)
      yield* careful.service.generate(search)
      assert.strictEqual(careful.control.started, 2)
      const bold = yield* wrapped(() => "Hi!", { when: () => true })
      yield* bold.service.generate(search)
      yield* bold.service.generate(search)
      assert.strictEqual(bold.control.started, 1)
    })))

  it.effect("gives a hit the label of its own request, and leaves out what was true of the first call only", () =>
    scoped(Effect.gen(function*() {
      const { service } = yield* wrapped([
        new LlmResponse.LlmResponse({
          parts: [],
          finishReason: "stop",
          usage: LlmResponse.emptyUsage,
          model: "m",
          provider: "test",
          label: "first",
          warnings: [],
          cost: 3,
          rateLimits: { requests: { remaining: 1 } },
          priorAttempts: [{ provider: "x", model: "y", reason: "Overloaded" }]
        })
      ])
      yield* service.generate({ ...hello, label: "first" })
      const hit = yield* service.generate({ ...hello, label: "second" })
      assert.strictEqual(hit.label, "second")
      assert.isUndefined(hit.rateLimits)
      assert.isUndefined(hit.priorAttempts)
      assert.strictEqual(hit.cost, 0)
    })))

  it.effect("keeps the least recently used answers out when it is full", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped(() => "Hi!", { store: Cache.storeMemory({ capacity: 2 }) })
      const ask = (prompt: string) => service.generate({ prompt })
      yield* ask("a")
      yield* ask("b")
      yield* ask("a")
      yield* ask("c")
      yield* ask("a")
      assert.strictEqual(control.started, 3)
      yield* ask("b")
      assert.strictEqual(control.started, 4)
    })))

  it.effect("works on a key-value store, and shares a store of the context", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: () => "Hi!" })
      const llm = Layer.succeed(LlmService.LlmService, service).pipe(
        Cache.policy({ partition: () => "all", store: Cache.storeShared })
      )
      const ask = Effect.provide(LlmService.generate(hello), llm)
      yield* Effect.andThen(ask, ask).pipe(
        Effect.provide(Cache.storeKeyValue.pipe(Layer.provide(KeyValueStore.layerMemory)))
      )
      assert.strictEqual(control.started, 1)
    }))

  it.effect("prices nothing anew: Cost outside of it sees the cost of a hit as 0", () =>
    scoped(Effect.gen(function*() {
      const prices = { "test/test-model": { input: 1000, output: 1000 } }
      const { service } = yield* wrapped(["Hi!"])
      const priced = yield* Cost.policy({ prices }).wrap(service)
      assert.strictEqual((yield* priced.generate(hello)).cost, 0.002)
      assert.strictEqual((yield* priced.generate(hello)).cost, 0)
    })))
})

describe("Cache, identical requests at the same time", () => {
  it.effect("share one call, streamed or whole", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped([TestLlm.delayed("1 second", "Hi!")])
      const fibers = yield* Effect.forEach(Array.from({ length: 200 }), (_, index) =>
        Effect.forkChild(index % 2 === 0 ? service.generate(hello) : Effect.map(collect(service, hello), finished)))
      yield* digested
      const responses = yield* finish(fibers, "100 millis")
      assert.strictEqual(control.started, 1)
      assert.strictEqual(responses.filter(Cache.isHit).length, 199)
      assert.isTrue(responses.every((response) =>
        response.text === "Hi!"
      ))
    })))

  it.effect("do not mind when one of those who wait goes away", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped([TestLlm.delayed("1 second", "Hi!")])
      const leader = yield* Effect.forkChild(service.generate(hello))
      yield* until(() => control.started === 1)
      const [waiter, other] = yield* Effect.forEach([1, 2], () => Effect.forkChild(service.generate(hello)))
      yield* digested
      yield* Fiber.interrupt(waiter!)
      const [first, second] = yield* finish([leader, other!], "1 second")
      assert.strictEqual(first!.text, "Hi!")
      assert.isTrue(Cache.isHit(second!))
      assert.strictEqual(control.started, 1)
    })))

  for (const streamed of [false, true]) {
    it.effect(`are taken over by one of them when the ${streamed ? "streaming " : ""}leader goes away`, () =>
      scoped(Effect.gen(function*() {
        const { control, service } = yield* wrapped(() => TestLlm.delayed("1 second", "Hi!"))
        const leader = yield* Effect.forkChild(
          streamed ? Effect.asVoid(collect(service, hello)) : Effect.asVoid(service.generate(hello))
        )
        yield* until(() => control.started === 1)
        const waiters = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(service.generate(hello)))
        yield* digested
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(leader)
        yield* until(() => control.started === 2)
        const responses = yield* finish(waiters, "1 second")
        assert.strictEqual(control.started, 2)
        assert.strictEqual(responses.filter(Cache.isHit).length, 2)
      })))
  }

  it.effect("share a failure of the provider, but not one of the caller's own", () =>
    scoped(Effect.gen(function*() {
      const shared = yield* wrapped([TestLlm.delayed("1 second", TestLlm.overloaded())])
      const failing = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(Effect.flip(shared.service.generate(hello))))
      yield* digested
      const errors = yield* finish(failing, "100 millis")
      assert.deepStrictEqual(
        errors.map((error) =>
          error.reason._tag
        ),
        ["Overloaded", "Overloaded", "Overloaded"]
      )
      assert.deepStrictEqual(errors.map((error) => error.attempts).toSorted(), [0, 0, 1])

      const own = yield* wrapped([TestLlm.delayed("1 second", TestLlm.authentication()), "Hi!"])
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(Effect.exit(own.service.generate(hello))))
      yield* digested
      const exits = yield* finish(fibers, "100 millis")
      assert.deepStrictEqual(exits.map(Exit.isSuccess).toSorted(), [false, true, true])
      assert.strictEqual(own.control.started, 2)
    })))

  it.effect("call by themselves after the longest wait", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped([TestLlm.never, "Hi!"], { maxWait: "5 seconds" })
      const leader = yield* Effect.forkChild(service.generate(hello))
      yield* until(() => control.started === 1)
      const waiter = yield* Effect.forkChild(service.generate(hello))
      assert.strictEqual((yield* finish([waiter], "1 second"))[0]!.text, "Hi!")
      assert.strictEqual(control.started, 2)
      yield* Fiber.interrupt(leader)
    })))

  it.effect("each call when coalescing is off", () =>
    scoped(Effect.gen(function*() {
      const { control, service } = yield* wrapped(() => TestLlm.delayed("1 second", "Hi!"), { coalesce: false })
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(service.generate(hello)))
      yield* until(() => control.started === 3)
      yield* finish(fibers, "1 second")
    })))
})

describe("Cache with a store that is away", () => {
  const away = (effect: Effect.Effect<never, Persistence.PersistenceError>) =>
    Layer.succeed(Persistence.BackingPersistence, {
      make: () =>
        Effect.succeed({
          get: () => effect,
          getMany: () => effect,
          set: () => effect,
          setMany: () => effect,
          remove: () => effect,
          clear: effect
        })
    })

  for (
    const [name, layer] of [
      ["fails", away(Effect.fail(new Persistence.PersistenceError({ message: "away" })))],
      ["hangs", away(Effect.never)],
      ["dies", away(Effect.die("broken"))]
    ] as const
  ) {
    it.effect(`calls the provider when it ${name}, without a hang`, () =>
      scoped(Effect.gen(function*() {
        const { control, service } = yield* wrapped(() => "Hi!", { store: layer })
        const fiber = yield* Effect.forkChild(
          Effect.all([service.generate(hello), collect(service, hello), service.generate(hello)])
        )
        yield* finish([fiber], "500 millis")
        assert.strictEqual(control.started, 3)
      })))
  }

  it.effect("treats an entry it cannot read as none", () =>
    scoped(Effect.gen(function*() {
      const store = Layer.succeed(Persistence.BackingPersistence, {
        make: () =>
          Effect.map(
            Effect.flatMap(
              Layer.build(Persistence.layerBackingMemory),
              (context) => Context.get(context, Persistence.BackingPersistence).make("x")
            ),
            (backing) => ({ ...backing, get: () => Effect.succeed({ parts: "not parts" }) })
          ).pipe(Effect.scoped)
      })
      const { control, service } = yield* wrapped(() => "Hi!", { store })
      yield* service.generate(hello)
      yield* service.generate(hello)
      assert.strictEqual(control.started, 2)
    })))
})

describe("The key of an answer", () => {
  const info: LlmService.ServiceInfo = { provider: "test", model: "m", capabilities: {} }
  const keyOf = (request: LlmRequest, partition = "p", of = info) => keyText(request, of, partition, "1")

  it("is the same for what does not shape the answer", () => {
    const more: LlmRequest = {
      ...hello,
      label: "l",
      scope: { userId: "u" },
      metadata: { a: 1 },
      priority: 3,
      apiKey: Redacted.make("secret"),
      timeouts: { total: "1 second" },
      cache: { systemPrompt: true },
      tools: undefined
    }
    assert.strictEqual(keyOf(more), keyOf(hello))
    assert.strictEqual(keyOf({ messages: [Message.cacheable(Message.user("Hello"))] }), keyOf(hello))
    assert.strictEqual(keyOf({ ...hello, model: "m" }), keyOf(hello))
    assert.notInclude(keyOf(more), "secret")
  })

  it("differs in everything that shapes it", () => {
    const requests: ReadonlyArray<LlmRequest> = [
      hello,
      { prompt: "Hello!" },
      { messages: [Message.assistant("Hello")] },
      { messages: [Message.user("Hello"), Message.assistant("Hi")] },
      { ...hello, system: "s" },
      { ...hello, model: "other" },
      { ...hello, maxTokens: 5 },
      { ...hello, temperature: 0 },
      { ...hello, topP: 0.5 },
      { ...hello, topK: 5 },
      { ...hello, frequencyPenalty: 1 },
      { ...hello, presencePenalty: 1 },
      { ...hello, stop: ["x"] },
      { ...hello, seed: 1 },
      { ...hello, tools: [LlmTool.make("f", {})] },
      { ...hello, tools: [LlmTool.make("f", { description: "d" })] },
      { ...hello, toolChoice: "none" },
      { ...hello, parallelToolCalls: false },
      { ...hello, responseFormat: { type: "json" } },
      { ...hello, thinking: "low" },
      { ...hello, thinking: { budgetTokens: 2000 } },
      { ...hello, effort: "low" },
      { ...hello, logprobs: true },
      { ...hello, includeRaw: true },
      { ...hello, headers: { "x-beta": "1" } },
      { ...hello, providerOptions: { test: { a: 1 } } as LlmRequest["providerOptions"] }
    ]
    const keys = [
      ...requests.map((request) => keyOf(request)),
      keyOf(hello, "q"),
      keyOf(hello, "p", { ...info, provider: "other" }),
      keyOf(hello, "p", { ...info, label: "eu" })
    ]
    assert.strictEqual(new Set(keys).size, keys.length)
  })

  it("does not depend on the order of fields, and tells texts apart however they are cut", () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (metadata) => {
      const options = (value: object) => ({
        ...hello,
        providerOptions: { test: value } as LlmRequest["providerOptions"]
      })
      const reversed = Object.fromEntries(Object.entries(metadata).toReversed())
      assert.strictEqual(keyOf(options(metadata)), keyOf(options(reversed)))
    }))
    fc.assert(fc.property(fc.array(fc.string()), fc.array(fc.string()), (a, b) => {
      const of = (stop: ReadonlyArray<string>) => keyOf({ ...hello, stop })
      assert.strictEqual(of(a) === of(b), JSON.stringify(a) === JSON.stringify(b))
    }))
  })
})

describe("Cache under random courses", () => {
  const course = fc.record({
    prompt: fc.constantFrom("a", "b"),
    starts: fc.integer({ min: 0, max: 40 }),
    leavesAfter: fc.option(fc.integer({ min: 1, max: 40 })),
    streamed: fc.boolean()
  })

  it.effect(
    "gives everybody who stays an answer to their own question, and leaves nothing running",
    () =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.array(course, { minLength: 1, maxLength: 10 }),
            fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.boolean()), { minLength: 30, maxLength: 30 }),
            (courses, provider) =>
              Effect.runPromise(
                scoped(Effect.gen(function*() {
                  const { control, service } = yield* wrapped((request, { index }) => {
                    const [lasts, fails] = provider[index]!
                    return TestLlm.delayed(
                      Duration.millis(lasts),
                      fails ? TestLlm.overloaded() : `Answer to ${request.prompt}`
                    )
                  }, { ttl: "20 millis" })
                  const fibers = yield* Effect.forEach(courses, ({ leavesAfter, prompt, starts, streamed }) => {
                    const run = streamed
                      ? Effect.map(collect(service, { prompt }), finished)
                      : service.generate({ prompt })
                    const staying: Effect.Effect<unknown, LlmError> = leavesAfter === null
                      ? run
                      : Effect.timeoutOption(run, Duration.millis(leavesAfter))
                    return Effect.forkChild(Effect.exit(Effect.delay(staying, Duration.millis(starts))))
                  })
                  const exits = yield* finish(fibers, "5 millis")
                  exits.forEach((exit, index) => {
                    const { leavesAfter, prompt } = courses[index]!
                    if (Exit.isSuccess(exit) && leavesAfter === null) {
                      assert.strictEqual((exit.value as LlmResponse.LlmResponse).text, `Answer to ${prompt}`)
                    } else if (Exit.isFailure(exit)) {
                      assert.isTrue(
                        exit.cause.reasons.every((reason) =>
                          reason._tag === "Fail" && reason.error.reason._tag === "Overloaded"
                        )
                      )
                    }
                  })
                  assert.strictEqual(control.running, 0)
                  assert.isAtMost(control.started, courses.length)
                })).pipe(Effect.provide(TestClock.layer()))
              )
          ),
          { numRuns: 40 }
        )
      ),
    30_000
  )
})
