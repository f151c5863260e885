import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Persistence from "effect/persistence/CircuitBreaker"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import { type Event, EventSink } from "../../src/stream/emit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello = { prompt: "Hello" }

const make = (
  answers: NonNullable<TestLlm.Options["answers"]>,
  options?: CircuitBreaker.Options
) =>
  Effect.gen(function*() {
    const { control, service } = TestLlm.make({ answers })
    const guarded = CircuitBreaker.policy({ openFor: "30 seconds", maxOpenFor: "5 minutes", ...options })
    return { control, service: yield* guarded.wrap(service) }
  })

const times = <A>(count: number, value: A): ReadonlyArray<A> => Array.from({ length: count }, () => value)

const start = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.tap(Effect.forkChild(effect, { startImmediately: true }), () => TestClock.adjust(0))

/** Makes calls one after another and gives the tags of their reasons, `ok` for an answer. */
const outcomes = (service: LlmService.Service, count: number) =>
  Effect.replicateEffect(
    Effect.match(service.generate(hello), { onSuccess: () => "ok", onFailure: ({ reason }) => reason._tag }),
    count
  )

const rejected = (error: LlmError): number | undefined => {
  assert.strictEqual(error.reason._tag, "CircuitBreakerOpen")
  assert.strictEqual(error.attempts, 0)
  return error.retryAfter === undefined ? undefined : Duration.toMillis(error.retryAfter)
}

/** How long the circuit is open, found by calling at the last closed and the first open millisecond. */
const openFor = (service: LlmService.Service) =>
  Effect.gen(function*() {
    const wait = rejected(yield* Effect.flip(service.generate(hello)))!
    yield* TestClock.adjust(wait - 1)
    assert.strictEqual(rejected(yield* Effect.flip(service.generate(hello))), 1)
    yield* TestClock.adjust(1)
    return wait
  })

class First extends Context.Service<First, LlmService.Service>()("test/First") {}
class Second extends Context.Service<Second, LlmService.Service>()("test/Second") {}

describe("CircuitBreaker.policy", () => {
  it.effect("opens for 5 seconds unless told otherwise, doubling up to 20", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({ answers: () => TestLlm.overloaded() })
      const guarded = yield* CircuitBreaker.policy().wrap(service)
      yield* outcomes(guarded, 5)
      const periods: Array<number> = []
      for (let i = 0; i < 4; i++) {
        periods.push(yield* openFor(guarded))
        yield* outcomes(guarded, 1)
      }
      assert.deepStrictEqual(periods, [5000, 10_000, 20_000, 20_000])
    }))

  it.effect("opens after five failures in a row, and nothing is sent meanwhile", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([...times(5, TestLlm.overloaded()), "Hi!"])
      assert.deepStrictEqual(yield* outcomes(service, 5), times(5, "Overloaded"))
      const error = yield* Effect.flip(service.generate({ ...hello, label: "sixth" }))
      assert.strictEqual(rejected(error), 30_000)
      assert.strictEqual(error.label, "sixth")
      assert.strictEqual(
        error.message,
        "test/test-model: CircuitBreakerOpen: The circuit of test/test-model is open for another 30s."
      )
      yield* TestClock.adjust("29999 millis")
      assert.strictEqual(rejected(yield* Effect.flip(Stream.runDrain(service.stream(hello)))), 1)
      assert.strictEqual(control.started, 5)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* service.generate(hello)).text, "Hi!")
    }))

  it.effect("does not open while a success comes among the failures", () =>
    Effect.gen(function*() {
      const { service } = yield* make([...times(4, TestLlm.serverError()), "Hi!", ...times(4, TestLlm.serverError())])
      const tags = yield* outcomes(service, 9)
      assert.notInclude(tags, "CircuitBreakerOpen")
    }))

  it.effect("doubles each opening up to five minutes", () =>
    Effect.gen(function*() {
      const { service } = yield* make(() => TestLlm.serverError(503))
      yield* outcomes(service, 5)
      const periods: Array<number> = []
      for (let i = 0; i < 6; i++) {
        periods.push(yield* openFor(service))
        assert.deepStrictEqual(yield* outcomes(service, 1), ["Provider"])
      }
      assert.deepStrictEqual(periods, [30_000, 60_000, 120_000, 240_000, 300_000, 300_000])
    }))

  it.effect("starts again at 30 seconds once it stayed closed as long as it was last open", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([
        ...times(6, TestLlm.overloaded()),
        "Hi!",
        ...times(5, TestLlm.overloaded()),
        "Hi!",
        "Hi!",
        ...times(5, TestLlm.overloaded())
      ])
      yield* outcomes(service, 5)
      yield* openFor(service)
      yield* outcomes(service, 1)
      assert.strictEqual(yield* openFor(service), 60_000)
      assert.deepStrictEqual(yield* outcomes(service, 6), ["ok", ...times(5, "Overloaded")])
      assert.strictEqual(yield* openFor(service), 120_000)
      assert.deepStrictEqual(yield* outcomes(service, 1), ["ok"])
      yield* TestClock.adjust("120 seconds")
      assert.deepStrictEqual(yield* outcomes(service, 6), ["ok", ...times(5, "Overloaded")])
      assert.strictEqual(yield* openFor(service), 30_000)
      assert.strictEqual(control.remaining, 0)
    }))

  it.effect("lets one probe through, and turns 200 others away while it runs", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([
        ...times(5, TestLlm.overloaded()),
        TestLlm.delayed("2 seconds", "Hi!"),
        ...times(200, "Ho!")
      ])
      yield* outcomes(service, 5)
      yield* TestClock.adjust("30 seconds")
      const callers = yield* start(
        Effect.forEach(times(200, hello), (request) => Effect.exit(service.generate(request)), {
          concurrency: "unbounded"
        })
      )
      assert.strictEqual(control.started, 6)
      yield* TestClock.adjust("2 seconds")
      const exits = yield* Fiber.join(callers)
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
      const error = yield* Effect.flip(exits.find(Exit.isFailure)!)
      assert.isUndefined(rejected(error))
      assert.deepStrictEqual(yield* outcomes(service, 200), times(200, "ok"))
    }))

  it.effect("frees the probe slot when the probe is interrupted, abandoned, or meets the caller's own fault", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([
        ...times(5, TestLlm.overloaded()),
        TestLlm.never,
        TestLlm.hangAfter(3, "Hello there"),
        TestLlm.hangAfter(3, "Hello there"),
        TestLlm.contentPolicy(),
        "Hi!"
      ])
      yield* outcomes(service, 5)
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.interrupt(yield* start(service.generate(hello)))
      yield* Fiber.interrupt(yield* start(Stream.runDrain(service.stream(hello))))
      yield* Stream.runDrain(Stream.take(service.stream(hello), 1))
      assert.deepStrictEqual(yield* outcomes(service, 2), ["ContentPolicy", "ok"])
      assert.strictEqual(control.remaining, 0)
    }))

  it.effect("holds the probe slot of a stream until it ends, and closes only at its Finish", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([
        ...times(5, TestLlm.overloaded()),
        TestLlm.paced("10 seconds", "Hello there"),
        "Hi!"
      ])
      yield* outcomes(service, 5)
      yield* TestClock.adjust("30 seconds")
      const probe = yield* start(Stream.runDrain(service.stream(hello)))
      yield* TestClock.adjust("40 seconds")
      assert.deepStrictEqual(yield* outcomes(service, 1), ["CircuitBreakerOpen"])
      assert.strictEqual(control.started, 6)
      yield* TestClock.adjust("60 seconds")
      yield* Fiber.join(probe)
      assert.deepStrictEqual(yield* outcomes(service, 1), ["ok"])
    }))

  it.effect("counts failures of a stream after its first words", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([
        TestLlm.cutAfter(3, "Hello there"),
        TestLlm.failAfter(3, "Hello there", TestLlm.network()),
        TestLlm.failAfter(3, "Hello there", TestLlm.overloaded())
      ], { failures: 3 })
      for (let i = 0; i < 3; i++) {
        const error = yield* Effect.flip(Stream.runDrain(service.stream(hello)))
        assert.isDefined(error.partial)
      }
      assert.strictEqual(rejected(yield* Effect.flip(service.generate(hello))), 30_000)
      assert.strictEqual(control.started, 3)
    }))

  const failures = {
    "529": TestLlm.overloaded(),
    "500": TestLlm.serverError(500),
    "a broken connection": TestLlm.network(),
    "a time limit": TestLlm.timeout(),
    "an incomplete stream": TestLlm.incomplete(),
    "429 without a delay": TestLlm.rateLimit()
  }
  for (const [name, failure] of Object.entries(failures)) {
    it.effect(`counts ${name} as a failure`, () =>
      Effect.gen(function*() {
        const { service } = yield* make(() => failure, { failures: 2 })
        yield* outcomes(service, 2)
        assert.strictEqual(rejected(yield* Effect.flip(service.generate(hello))), 30_000)
      }))
  }

  const ignored = {
    "400": TestLlm.validation(),
    "401": TestLlm.authentication(),
    "402": TestLlm.quotaExhausted(),
    "403": TestLlm.permissionDenied(),
    "404": TestLlm.notFound(),
    "a context that is too long": TestLlm.contextLength(),
    "refused content": TestLlm.contentPolicy(),
    "an unnamed 4xx": TestLlm.serverError(418)
  }
  for (const [name, failure] of Object.entries(ignored)) {
    it.effect(`ignores ${name}, which neither counts nor breaks a row of failures`, () =>
      Effect.gen(function*() {
        const { service } = yield* make([
          TestLlm.overloaded(),
          ...times(3, failure),
          TestLlm.overloaded()
        ], { failures: 2 })
        assert.notInclude(yield* outcomes(service, 5), "CircuitBreakerOpen")
        assert.strictEqual(rejected(yield* Effect.flip(service.generate(hello))), 30_000)
      }))
  }

  it.effect("opens at the first 429 that names a delay, for exactly that delay", () =>
    Effect.gen(function*() {
      const { service } = yield* make([TestLlm.rateLimit({ retryAfter: "7 seconds" }), "Hi!"])
      assert.deepStrictEqual(yield* outcomes(service, 1), ["RateLimit"])
      assert.strictEqual(yield* openFor(service), 7000)
      assert.deepStrictEqual(yield* outcomes(service, 1), ["ok"])
    }))

  it.effect("believes delays up to an hour, and lets other failures only lengthen the opening", () =>
    Effect.gen(function*() {
      const { service } = yield* make([
        TestLlm.rateLimit({ retryAfter: "114 hours" }),
        TestLlm.overloaded({ retryAfter: "3 seconds" }),
        TestLlm.overloaded({ retryAfter: "10 minutes" })
      ], { failures: 1 })
      yield* outcomes(service, 1)
      assert.strictEqual(yield* openFor(service), 3_600_000)
      yield* outcomes(service, 1)
      assert.strictEqual(yield* openFor(service), 60_000)
      yield* outcomes(service, 1)
      assert.strictEqual(yield* openFor(service), 600_000)
    }))

  it.effect("opens by a failure rate over the latest calls", () =>
    Effect.gen(function*() {
      const busy = TestLlm.overloaded()
      const { service } = yield* make(["Hi!", busy, "Hi!", busy, busy], {
        rate: { threshold: 0.75, window: 4 }
      })
      assert.deepStrictEqual(yield* outcomes(service, 6), [
        "ok",
        "Overloaded",
        "ok",
        "Overloaded",
        "Overloaded",
        "CircuitBreakerOpen"
      ])
    }))

  it.effect("keeps a circuit per provider and model, or per key of your own", () =>
    Effect.gen(function*() {
      const { service } = yield* make(({ model }) => model === "b" ? "Hi!" : TestLlm.overloaded(), { failures: 1 })
      yield* Effect.exit(service.generate({ ...hello, model: "a" }))
      assert.strictEqual(rejected(yield* Effect.flip(service.generate({ ...hello, model: "a" }))), 30_000)
      assert.strictEqual((yield* service.generate({ ...hello, model: "b" })).text, "Hi!")
      const one = yield* make(() => TestLlm.overloaded(), { failures: 1, key: "all" })
      yield* Effect.exit(one.service.generate({ ...hello, model: "a" }))
      const error = yield* Effect.flip(one.service.generate({ ...hello, model: "b" }))
      assert.isTrue(error.reason._tag === "CircuitBreakerOpen" && error.reason.key === "all")
    }))

  it.effect("ignores errors of calls that were never sent", () =>
    Effect.gen(function*() {
      const open = yield* make(() => TestLlm.overloaded(), { failures: 1 })
      yield* outcomes(open.service, 1)
      const outer = yield* CircuitBreaker.policy({ failures: 1, key: "outer" }).wrap(open.service)
      const keys = yield* Effect.replicateEffect(
        Effect.map(Effect.flip(outer.generate(hello)), ({ reason }) => "key" in reason ? reason.key : ""),
        3
      )
      assert.deepStrictEqual(keys, times(3, "test/test-model"))
    }))

  it.effect("shares circuits between policies that share a store", () =>
    Effect.gen(function*() {
      const policy = CircuitBreaker.policy({ store: CircuitBreaker.storeShared, failures: 1, key: "shared" })
      const first = TestLlm.layer({ answers: [TestLlm.overloaded()] }).pipe(policy)
      const second = TestLlm.layer({ answers: ["Hi!"], provider: "other" }).pipe(policy)
      const context = yield* Layer.build(
        Layer.mergeAll(
          Layer.effect(First, LlmService.LlmService).pipe(Layer.provide(first)),
          Layer.effect(Second, LlmService.LlmService).pipe(Layer.provide(second))
        ).pipe(Layer.provide(CircuitBreaker.storeMemory()))
      )
      const tags = yield* Effect.provide(
        Effect.gen(function*() {
          return [yield* outcomes(yield* First, 1), yield* outcomes(yield* Second, 1)]
        }),
        context
      )
      assert.deepStrictEqual(tags, [["Overloaded"], ["CircuitBreakerOpen"]])
    }))

  it.effect("tells whoever listens when a circuit opens and closes, with the call it happened to", () =>
    Effect.gen(function*() {
      const events: Array<Event> = []
      const omitted = { eventId: "", timestamp: "" }
      const { service } = yield* make([TestLlm.cutAfter(3, "Hello there"), "Hi!"], { failures: 1 })
      const call = (label: string) =>
        Effect.exit(Stream.runDrain(service.stream({ ...hello, label }))).pipe(
          Effect.provideService(EventSink, (event) => void events.push(event))
        )
      yield* call("first")
      yield* call("second")
      yield* TestClock.adjust("30 seconds")
      yield* call("third")
      assert.deepStrictEqual(
        events.map((event) => ({ ...event, eventId: "", timestamp: "" })),
        [
          { _tag: "CircuitOpened", key: "test/test-model", retryAfterMillis: 30_000, label: "first", ...omitted },
          { _tag: "CircuitClosed", key: "test/test-model", label: "third", ...omitted }
        ]
      )
    }))

  const broken = {
    hangs: Effect.never,
    fails: Effect.fail(
      new Persistence.CircuitBreakerError({ reason: new Persistence.CircuitBreakerStoreError({ message: "gone" }) })
    )
  }
  for (const [name, operation] of Object.entries(broken)) {
    const store = Layer.succeed(Persistence.CircuitBreakerStore, {
      admit: () => operation,
      record: () => operation,
      state: () => operation
    })
    it.effect(`runs calls unguarded when the shared store ${name}, and waits for it only once`, () =>
      Effect.gen(function*() {
        const { control, service } = TestLlm.make({ answers: () => "Hi!" })
        const guarded = yield* CircuitBreaker.policy({ store }).wrap(service)
        const first = yield* start(guarded.generate(hello))
        yield* TestClock.adjust(name === "hangs" ? "500 millis" : 0)
        assert.strictEqual((yield* Fiber.join(first)).text, "Hi!")
        assert.deepStrictEqual(yield* outcomes(guarded, 3), times(3, "ok"))
        assert.strictEqual(control.finished, 4)
      }))

    it.effect(`fails calls with CircuitBreakerOpen when the shared store ${name} and it is told so`, () =>
      Effect.gen(function*() {
        const { control, service } = TestLlm.make({ answers: () => "Hi!" })
        const guarded = yield* CircuitBreaker.policy({ store, onStoreError: "fail", storeTimeout: "1 second" })
          .wrap(service)
        const first = yield* start(Effect.flip(Stream.runDrain(guarded.stream(hello))))
        yield* TestClock.adjust(name === "hangs" ? "1 second" : 0)
        assert.isUndefined(rejected(yield* Fiber.join(first)))
        assert.strictEqual(control.started, 0)
      }))
  }

  it.effect("can be interrupted while the shared store hangs, and comes back to it later", () =>
    Effect.gen(function*() {
      let hangs = true
      let admitted = 0
      const memory = yield* Layer.build(CircuitBreaker.storeMemory())
      const inner = Context.get(memory, Persistence.CircuitBreakerStore)
      const store = Layer.succeed(Persistence.CircuitBreakerStore, {
        ...inner,
        admit: (key) =>
          Effect.suspend(() => {
            if (hangs) return Effect.never
            admitted++
            return inner.admit(key)
          })
      })
      const { service } = TestLlm.make({ answers: () => "Hi!" })
      const guarded = yield* CircuitBreaker.policy({ store }).wrap(service)
      const first = yield* start(guarded.generate(hello))
      const interrupted = yield* start(Fiber.interrupt(first))
      yield* TestClock.adjust("500 millis")
      yield* Fiber.join(interrupted)
      hangs = false
      yield* outcomes(guarded, 1)
      assert.strictEqual(admitted, 0)
      yield* TestClock.adjust("5 seconds")
      yield* outcomes(guarded, 1)
      assert.strictEqual(admitted, 1)
    }))

  it.effect("reports changes of state and rejections", () =>
    Effect.gen(function*() {
      const { service } = yield* make([TestLlm.overloaded(), "Hi!"], { failures: 1 })
      yield* outcomes(service, 3)
      yield* TestClock.adjust("30 seconds")
      yield* outcomes(service, 1)
      const count = (from: string, to: string) =>
        Effect.map(
          Metric.value(Metric.withAttributes(CircuitBreaker.transitions, { provider: "test", from, to })),
          ({ count }) => count
        )
      assert.deepStrictEqual(
        [yield* count("Closed", "Open"), yield* count("Open", "HalfOpen"), yield* count("HalfOpen", "Closed")],
        [1, 1, 1]
      )
      const turnedAway = Metric.withAttributes(CircuitBreaker.rejections, { provider: "test" })
      assert.strictEqual((yield* Metric.value(turnedAway)).count, 2)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it("has never two probes at once, and never loses the slot, whatever the calls do", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.integer({ min: 0, max: 300 }),
            lasts: fc.integer({ min: 0, max: 20 }),
            fate: fc.constantFrom("finish", "fail", "fail", "late fail", "refuse", "interrupt", "abandon", "limit"),
            streamed: fc.boolean()
          }),
          { minLength: 1, maxLength: 30 }
        ),
        (script) =>
          Effect.gen(function*() {
            const { control, service } = TestLlm.make({
              answers: (request) => {
                if (request.prompt === "last") return "Hi!"
                const { fate, lasts } = script[Number(request.prompt)]!
                switch (fate) {
                  case "fail":
                    return TestLlm.delayed(lasts, TestLlm.overloaded())
                  case "late fail":
                    return TestLlm.delayed(lasts, TestLlm.cutAfter(3, "Hello there"))
                  case "refuse":
                    return TestLlm.delayed(lasts, TestLlm.validation())
                  case "limit":
                    return TestLlm.delayed(lasts, TestLlm.rateLimit({ retryAfter: 15 }))
                  default:
                    return TestLlm.delayed(lasts, "Hello there")
                }
              }
            })
            const guarded = yield* CircuitBreaker.policy({ failures: 2, openFor: 30, maxOpenFor: 60 }).wrap(service)
            const fibers = yield* Effect.forEach(script, ({ at, fate, lasts, streamed }, index) => {
              const request = { prompt: String(index) }
              const call: Effect.Effect<unknown, unknown> = fate === "abandon"
                ? Stream.runDrain(Stream.take(guarded.stream(request), 2))
                : streamed
                ? Stream.runDrain(guarded.stream(request))
                : guarded.generate(request)
              const cut = fate === "interrupt" ? Effect.timeoutOption(call, Math.max(1, lasts - 1)) : call
              return Effect.forkChild(Effect.andThen(Effect.sleep(at), cut))
            })
            for (let tick = 0; tick < 80; tick++) yield* TestClock.adjust(5)
            yield* Effect.forEach(fibers, (fiber) => Fiber.await(fiber))
            assert.strictEqual(control.running, 0)
            const value = (from: string, to: string) =>
              Metric.value(Metric.withAttributes(CircuitBreaker.transitions, { provider: "test", from, to })).pipe(
                Effect.map(({ count }) => Number(count))
              )
            const left = (yield* value("Closed", "Open")) + (yield* value("HalfOpen", "Open"))
            assert.isAtMost(yield* value("Open", "HalfOpen"), left)
            assert.isAtMost((yield* value("HalfOpen", "Open")) + (yield* value("HalfOpen", "Closed")), left)
            yield* TestClock.adjust(60)
            assert.strictEqual((yield* guarded.generate({ prompt: "last" })).text, "Hi!")
            assert.strictEqual((yield* guarded.generate({ prompt: "last" })).text, "Hi!")
          }).pipe(
            Effect.provideService(Metric.MetricRegistry, new Map()),
            Effect.provide(TestClock.layer()),
            Effect.scoped,
            Effect.runPromise
          )
      ),
      { numRuns: 60 }
    ))
})
