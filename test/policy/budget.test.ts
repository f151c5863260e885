import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import { LlmResponse } from "../../src/LlmResponse.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Budget from "../../src/policy/Budget.ts"
import { Ledger } from "../../src/policy/budget/ledger.ts"
import * as Cache from "../../src/policy/Cache.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

// A dollar per thousand tokens each way: 40 characters in are a cent, ten tokens out are a cent.
const prices = { "test/test-model": { input: 1000, output: 1000 } }

/** Ten input tokens by the estimate, `maxTokens` output tokens. */
const request = (maxTokens = 10, more: Partial<LlmRequest> = {}): LlmRequest =>
  ({ prompt: "x".repeat(40), maxTokens, ...more }) as LlmRequest

const answer = (input: number, output: number, more: Partial<ConstructorParameters<typeof LlmResponse>[0]> = {}) =>
  new LlmResponse({
    parts: [{ type: "text", text: "Yes." }],
    finishReason: "stop",
    usage: { input: { total: input, uncached: input }, output: { total: output } },
    model: "test-model",
    provider: "test",
    warnings: [],
    ...more
  })

const store = Budget.storeShared

const wrapped = (
  answers: TestLlm.Options["answers"],
  options: Partial<Budget.Options> = {}
) =>
  Effect.gen(function*() {
    const { control, service } = TestLlm.make({ answers })
    const budgeted = yield* Budget.policy({ limit: 0.1, prices, ...options, store }).wrap(service)
    const books = yield* Budget.Store
    const account = (key = "budget:all") =>
      Effect.map(books.read(key), ({ reserved, spent }) => ({
        spent: Math.round(spent / 1000) / 1_000_000,
        reserved: Math.round(reserved / 1000) / 1_000_000
      }))
    return { account, control, service: budgeted }
  })

const withStore = <A, E>(effect: Effect.Effect<A, E, Budget.Store | Scope>) =>
  Effect.scoped(Effect.provide(effect, Budget.storeMemory))

const both: ReadonlyArray<
  readonly [string, (service: Service, request: LlmRequest) => Effect.Effect<unknown, LlmError>]
> = [
  ["generate", (service, request) => service.generate(request)],
  ["stream", (service, request) => Stream.runDrain(service.stream(request))]
]

for (const [operation, run] of both) {
  describe(`Budget, ${operation}`, () => {
    it.effect("reserves before the call, and settles what was really used", () =>
      withStore(Effect.gen(function*() {
        const { account, service } = yield* wrapped([TestLlm.delayed("1 second", answer(20, 5))])
        const fiber = yield* Effect.forkChild(run(service, request()))
        yield* TestClock.adjust("500 millis")
        assert.deepStrictEqual(yield* account(), { spent: 0, reserved: 0.02 })
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(yield* account(), { spent: 0.025, reserved: 0 })
      })))

    it.effect("refuses a call that has no room, before it is sent", () =>
      withStore(Effect.gen(function*() {
        const { control, service } = yield* wrapped([answer(40, 50)])
        yield* run(service, request(50))
        const error = yield* Effect.flip(run(service, request(1)))
        assert.strictEqual(control.started, 1)
        assert.strictEqual(error.attempts, 0)
        assert.strictEqual(error.reason._tag, "BudgetExceeded")
        if (error.reason._tag !== "BudgetExceeded") return
        assert.strictEqual(error.reason.scope, "all")
        assert.strictEqual(error.reason.limit, 0.1)
        assert.closeTo(error.reason.spent, 0.09, 1e-9)
        assert.isFalse(error.isRetryable)
      })))

    it.effect("frees the reservation of a call that failed without output", () =>
      withStore(Effect.gen(function*() {
        const { account, service } = yield* wrapped([TestLlm.overloaded(), answer(1, 1)])
        yield* Effect.flip(run(service, request()))
        assert.deepStrictEqual(yield* account(), { spent: 0, reserved: 0 })
      })))

    it.effect("settles the partial output of a call that failed on the way", () =>
      withStore(Effect.gen(function*() {
        // ResponseStart, TextStart and two words of five characters: three tokens at four characters each.
        const { account, service } = yield* wrapped([TestLlm.failAfter(4, "abcd efgh ijkl", TestLlm.network())])
        yield* Effect.flip(run(service, request()))
        assert.deepStrictEqual(yield* account(), { spent: 0.013, reserved: 0 })
      })))

    it.effect("settles the partial output of a call that is interrupted", () =>
      withStore(Effect.gen(function*() {
        const { account, service } = yield* wrapped([TestLlm.hangAfter(4, "abcd efgh ijkl")])
        const fiber = yield* Effect.forkChild(run(service, request()))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* account(), { spent: 0, reserved: 0.02 })
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* account(), { spent: 0.013, reserved: 0 })
      })))

    it.effect("frees the reservation of a call that is interrupted before any output", () =>
      withStore(Effect.gen(function*() {
        const { account, control, service } = yield* wrapped([TestLlm.never])
        const fiber = yield* Effect.forkChild(run(service, request()))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* account(), { spent: 0, reserved: 0 })
        assert.strictEqual(control.interrupted, 1)
      })))

    it.effect("prefers the cost the provider bills", () =>
      withStore(Effect.gen(function*() {
        const usage = { input: { total: 1 }, output: { total: 1 }, billedCost: 0.07 }
        const { account, service } = yield* wrapped([answer(1, 1, { usage })])
        yield* run(service, request())
        assert.deepStrictEqual(yield* account(), { spent: 0.07, reserved: 0 })
      })))

    it.effect("settles the whole reservation when usage is missing from an answer", () =>
      withStore(Effect.gen(function*() {
        const { account, service } = yield* wrapped([answer(1, 1, { usage: { input: {}, output: {} } })])
        yield* run(service, request())
        assert.deepStrictEqual(yield* account(), { spent: 0.02, reserved: 0 })
      })))
  })
}

describe("Budget", () => {
  it.effect("settles a stream whose reader stops early, and goes on with the next call", () =>
    withStore(Effect.gen(function*() {
      const { account, control, service } = yield* wrapped(["abcd efgh ijkl", answer(1, 1)])
      yield* service.stream(request()).pipe(
        Stream.filter((event) => event._tag === "TextDelta"),
        Stream.take(1),
        Stream.runDrain
      )
      assert.deepStrictEqual(yield* account(), { spent: 0.011, reserved: 0 })
      assert.strictEqual(control.interrupted, 1)
      yield* service.generate(request())
    })))

  it.effect("keeps accounts per user, session, label and request apart", () =>
    withStore(Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [Budget.Options["scope"], (id: string) => Partial<LlmRequest>]> = [
        ["user", (userId) => ({ scope: { userId } })],
        ["session", (sessionId) => ({ scope: { sessionId } })],
        ["request", (requestId) => ({ scope: { requestId } })],
        ["label", (label) => ({ label })],
        [(request) => request.metadata?.["team"] as string | undefined, (team) => ({ metadata: { team } })]
      ]
      for (const [scope, of] of cases) {
        const { service } = yield* wrapped(() => answer(40, 40), { scope, name: `per ${String(scope)}` })
        yield* service.generate(request(10, of("ada")))
        const error = yield* Effect.flip(service.generate(request(20, of("ada"))))
        assert.strictEqual(error.reason._tag, "BudgetExceeded")
        yield* service.generate(request(20, of("bob")))
      }
    })))

  it.effect("refuses a call without the id its budget is kept by, or lets it pass uncounted", () =>
    withStore(Effect.gen(function*() {
      const strict = yield* wrapped([], { scope: "user" })
      const error = yield* Effect.flip(strict.service.generate(request()))
      assert.strictEqual(error.reason._tag, "Validation")
      assert.strictEqual(error.reason._tag === "Validation" ? error.reason.field : "", "scope.userId")
      const open = yield* wrapped(() => answer(4000, 4000), { scope: "user", unscoped: "allow" })
      yield* open.service.generate(request())
      yield* open.service.generate(request())
    })))

  it.effect("holds each call on its own to a budget per request, when it names none", () =>
    withStore(Effect.gen(function*() {
      const { control, service } = yield* wrapped(() => answer(50, 50), { scope: "request" })
      yield* service.generate(request(90))
      yield* service.generate(request(90))
      assert.strictEqual((yield* Effect.flip(service.generate(request(91)))).reason._tag, "BudgetExceeded")
      assert.strictEqual(control.started, 2)
    })))

  it.effect("begins anew at the end of its window, at midnight UTC for a day", () =>
    withStore(Effect.gen(function*() {
      const { service } = yield* wrapped(() => answer(50, 50), { window: "1 day" })
      yield* TestClock.setTime(Date.UTC(2030, 0, 1, 23, 59))
      yield* service.generate(request(50))
      assert.strictEqual((yield* Effect.flip(service.generate(request()))).reason._tag, "BudgetExceeded")
      yield* TestClock.adjust("1 minute")
      yield* service.generate(request())
    })))

  it.effect("settles a call in the window it was reserved in", () =>
    withStore(Effect.gen(function*() {
      const { account, service } = yield* wrapped([TestLlm.delayed("2 hours", answer(50, 0))], { window: "1 hour" })
      yield* Fiber.join(
        yield* Effect.tap(Effect.forkChild(service.generate(request())), () => TestClock.adjust("3 hours"))
      )
      assert.deepStrictEqual(yield* account("budget:all:0"), { spent: 0.05, reserved: 0 })
      assert.deepStrictEqual(yield* account("budget:all:3"), { spent: 0, reserved: 0 })
    })))

  it.effect("refuses a model without a price, or lets it pass and counts what is billed", () =>
    withStore(Effect.gen(function*() {
      const strict = yield* wrapped([], { prices: {} })
      const error = yield* Effect.flip(strict.service.generate(request()))
      assert.strictEqual(error.reason._tag, "BudgetExceeded")
      assert.include(error.message, "not known")
      const usage = { input: { total: 1 }, output: { total: 1 }, billedCost: 0.1 }
      const open = yield* wrapped([answer(9, 9), answer(1, 1, { usage })], { prices: {}, unknownPrice: "allow" })
      yield* open.service.generate(request())
      assert.deepStrictEqual(yield* open.account(), { spent: 0, reserved: 0 })
      yield* open.service.generate(request())
      assert.deepStrictEqual(yield* open.account(), { spent: 0.1, reserved: 0 })
      assert.strictEqual((yield* Effect.flip(open.service.generate(request()))).reason._tag, "BudgetExceeded")
    })))

  it.effect("reserves a usual answer, not the longest one, when the request names no limit", () =>
    withStore(Effect.gen(function*() {
      const { service } = TestLlm.make({ provider: "anthropic", model: "claude-haiku-4-5", answers: () => "Yes." })
      // A thousand tokens at 5 dollars per million are half a cent; 64000 would be 32 cents.
      const enough = yield* Budget.policy({ limit: 0.006, store }).wrap(service)
      yield* enough.generate({ prompt: "Hello" })
      const small = yield* Budget.policy({ limit: 0.004, name: "small", store }).wrap(service)
      const error = yield* Effect.flip(small.generate({ prompt: "Hello" }))
      assert.include(error.message, "smaller maxTokens")
      yield* small.generate({ prompt: "Hello", maxTokens: 500 })
      const other = yield* Budget.policy({ limit: 0.3, name: "other", expect: 500, store }).wrap(service)
      yield* other.generate({ prompt: "Hello" })
    })))

  it.effect("counts nothing for an answer from the cache", () =>
    withStore(Effect.gen(function*() {
      const { service } = TestLlm.make({ answers: [answer(20, 20)] })
      const cached = yield* Cache.policy({ partition: () => "all" }).wrap(service)
      const budgeted = yield* Budget.policy({ limit: 0.1, prices, store }).wrap(cached)
      for (let i = 0; i < 5; i++) yield* budgeted.generate(request())
      const books = yield* Budget.Store
      assert.strictEqual((yield* books.read("budget:all")).spent, 40_000_000)
    })))

  it.effect("inside of Retry it reserves for each attempt, and frees each", () =>
    withStore(Effect.gen(function*() {
      const { control, service } = TestLlm.make({
        answers: [TestLlm.overloaded(), TestLlm.overloaded(), answer(10, 10)]
      })
      const stack = yield* Effect.flatMap(
        Budget.policy({ limit: 0.03, prices, store }).wrap(service),
        Retry.policy({ base: 0, floor: 0 }).wrap
      )
      yield* stack.generate(request())
      assert.strictEqual(control.started, 3)
      const books = yield* Budget.Store
      assert.deepStrictEqual(yield* books.read("budget:all"), { spent: 20_000_000, reserved: 0 })
    })))

  it.effect("never lets calls in flight reserve more than there is", () =>
    withStore(Effect.gen(function*() {
      const { account, control, service } = yield* wrapped(() => TestLlm.delayed("1 second", answer(10, 10)))
      const fibers = yield* Effect.forEach(Array.from({ length: 20 }), () =>
        Effect.forkChild(Effect.exit(service.generate(request()))))
      yield* TestClock.adjust("2 seconds")
      const exits = yield* Fiber.joinAll(fibers)
      // Two cents each of ten.
      assert.strictEqual(control.started, 5)
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 5)
      assert.deepStrictEqual(yield* account(), { spent: 0.1, reserved: 0 })
    })))

  it.effect("counts dollars and refusals", () =>
    withStore(Effect.gen(function*() {
      const name = "metered"
      const { service } = yield* wrapped([answer(50, 50)], { name })
      yield* service.generate(request())
      yield* Effect.flip(service.generate(request()))
      const attributes = { budget: name, provider: "test" }
      const dollars = yield* Metric.value(Metric.withAttributes(Budget.spent, attributes))
      const refused = yield* Metric.value(Metric.withAttributes(Budget.rejections, { ...attributes, cause: "limit" }))
      assert.closeTo(Number(dollars.count), 0.1, 1e-9)
      assert.strictEqual(Number(refused.count), 1)
    })))
})

describe("Budget with a store that is away", () => {
  const failing = Layer.succeed(Budget.Store, {
    reserve: () => Effect.fail(new Budget.StoreError({ message: "away" })),
    settle: () => Effect.fail(new Budget.StoreError({ message: "away" })),
    read: () => Effect.fail(new Budget.StoreError({ message: "away" }))
  })
  const hanging = Layer.succeed(Budget.Store, {
    reserve: () => Effect.never,
    settle: () => Effect.never,
    read: () => Effect.never
  })

  for (const [name, layer] of [["fails", failing], ["hangs", hanging]] as const) {
    it.effect(`goes on with accounts of its own when it ${name}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const { control, service } = TestLlm.make({ answers: () => answer(25, 25) })
        const budgeted = yield* Budget.policy({ limit: 0.1, prices, store: layer }).wrap(service)
        const fiber = yield* Effect.forkChild(
          Effect.forEach([1, 2, 3], () => Effect.exit(budgeted.generate(request())))
        )
        yield* TestClock.adjust("10 seconds")
        const exits = yield* Fiber.join(fiber)
        assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, true, false])
        assert.strictEqual(control.started, 2)
      })))

    it.effect(`refuses calls when it ${name}, if so asked`, () =>
      Effect.scoped(Effect.gen(function*() {
        const { control, service } = TestLlm.make({ answers: () => answer(1, 1) })
        const budgeted = yield* Budget.policy({ limit: 1, prices, store: layer, onStoreError: "fail" }).wrap(service)
        const fiber = yield* Effect.forkChild(Effect.flip(budgeted.generate(request())))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "BudgetExceeded")
        assert.strictEqual(control.started, 0)
      })))
  }

  it.effect("settles what was spent meanwhile when it is back", () =>
    Effect.scoped(Effect.gen(function*() {
      let away = false
      const ledger = new Ledger()
      const guard = <A>(f: () => A) =>
        Effect.suspend(() => away ? Effect.fail(new Budget.StoreError({ message: "away" })) : Effect.sync(f))
      const layer = Layer.succeed(Budget.Store, {
        reserve: (options) => guard(() => ledger.reserve(options, 0)),
        settle: (options) => guard(() => ledger.settle(options, 0)),
        read: (key) => guard(() => ledger.read(key, 0))
      })
      const { service } = TestLlm.make({ answers: () => TestLlm.delayed("1 second", answer(10, 20)) })
      const budgeted = yield* Budget.policy({ limit: 1, prices, store: layer }).wrap(service)
      const first = yield* Effect.forkChild(budgeted.generate(request()))
      yield* TestClock.adjust("500 millis")
      away = true
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(first)
      assert.deepStrictEqual(ledger.read("budget:all", 0), { spent: 0, reserved: 20_000_000 })
      away = false
      yield* TestClock.adjust("10 seconds")
      const second = yield* Effect.forkChild(budgeted.generate(request()))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(second)
      assert.deepStrictEqual(ledger.read("budget:all", 0), { spent: 60_000_000, reserved: 0 })
    })))
})

describe("Budget under random courses", () => {
  const course = fc.record({
    maxTokens: fc.integer({ min: 1, max: 40 }),
    used: fc.integer({ min: 0, max: 40 }),
    lasts: fc.integer({ min: 0, max: 50 }),
    ending: fc.constantFrom("finish", "fail", "cut", "interrupt"),
    starts: fc.integer({ min: 0, max: 50 }),
    streamed: fc.boolean()
  })

  it.effect("is never overspent, frees every reservation and sends nothing it refused", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(course, { minLength: 1, maxLength: 12 }), (courses) =>
          Effect.runPromise(
            withStore(Effect.gen(function*() {
              const limit = 0.1
              const { account, control, service } = yield* wrapped((request) => {
                const { ending, lasts, used } = courses[Number(request.label)]!
                const output = Math.min(used, request.maxTokens!)
                return TestLlm.delayed(
                  Duration.millis(lasts),
                  ending === "finish"
                    ? answer(10, output)
                    : ending === "fail"
                    ? TestLlm.overloaded()
                    : ending === "cut"
                    ? TestLlm.cutAfter(3, "abcd efgh")
                    : TestLlm.hangAfter(3, "abcd efgh")
                )
              }, { limit })
              const fibers = yield* Effect.forEach(courses, ({ ending, maxTokens, starts, streamed }, index) => {
                const one = request(maxTokens, { label: String(index) })
                const run: Effect.Effect<unknown, LlmError> = streamed
                  ? Stream.runDrain(service.stream(one))
                  : service.generate(one)
                return Effect.forkChild(Effect.exit(Effect.delay(
                  ending === "interrupt" ? Effect.timeoutOption(run, "60 millis") : run,
                  Duration.millis(starts)
                )))
              })
              for (let i = 0; i < 30; i++) {
                yield* TestClock.adjust("5 millis")
                const { reserved, spent } = yield* account()
                assert.isAtMost(spent + reserved, limit + 1e-9)
              }
              const exits = yield* Fiber.joinAll(fibers)
              const refused = exits.filter((exit) =>
                Exit.isFailure(exit) &&
                exit.cause.reasons.some((reason) =>
                  reason._tag === "Fail" && reason.error.reason._tag === "BudgetExceeded"
                )
              )
              assert.strictEqual(control.started, courses.length - refused.length)
              assert.strictEqual(control.running, 0)
              assert.strictEqual((yield* account()).reserved, 0)
            })).pipe(Effect.provide(TestClock.layer()))
          )),
        { numRuns: 60 }
      )
    ))
})

describe("The ledger", () => {
  it("counts a settlement once, and forgets accounts that are out of use", () => {
    const ledger = new Ledger()
    const reserve = (key: string, id: string, now: number) =>
      ledger.reserve({ key, id, amount: 5, limit: 100, keepMillis: 10, leaseMillis: 1000 }, now)
    assert.deepStrictEqual(reserve("a", "1", 0), { granted: true, committed: 0 })
    ledger.settle({ key: "a", id: "1", spent: 3, keepMillis: 10 }, 1)
    ledger.settle({ key: "a", id: "1", spent: 3, keepMillis: 10 }, 2)
    assert.deepStrictEqual(ledger.read("a", 2), { spent: 3, reserved: 0 })
    assert.deepStrictEqual(ledger.read("a", 11), { spent: 0, reserved: 0 })
    for (let i = 0; i < 5000; i++) {
      reserve(`b${i}`, "1", i)
      ledger.settle({ key: `b${i}`, id: "1", spent: 1, keepMillis: 10 }, i)
    }
    assert.isBelow(ledger.size, 1100)
  })
})
