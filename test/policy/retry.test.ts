import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { LlmError, type Reason } from "../../src/LlmError.ts"
import { isContent, type LlmEvent } from "../../src/LlmEvent.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as Retry from "../../src/policy/Retry.ts"
import { EventSink } from "../../src/stream/emit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello = { prompt: "Hello" }

const errorOf = (reason: Reason) =>
  new LlmError({ provider: "test", model: "m", operation: "generate", reason, attempts: 1 })

/** The delays a schedule gives to errors in turn, in milliseconds; `stop` where it ends. */
const delays = (schedule: Schedule.Schedule<unknown, LlmError>, reasons: ReadonlyArray<Reason>) =>
  Effect.gen(function*() {
    const step = yield* Schedule.toStep(schedule)
    const out: Array<number | "stop"> = []
    for (const reason of reasons) {
      const exit = yield* Effect.exit(step(0, errorOf(reason)))
      if (!Exit.isSuccess(exit)) return [...out, "stop" as const]
      out.push(Duration.toMillis(exit.value[1]))
    }
    return out
  })

const random = (value: number) => ({ nextDoubleUnsafe: () => value, nextIntUnsafe: () => 0 })

/** Runs an effect while time passes by itself, and gives its result and how long it took. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const fiber = yield* Effect.forkChild(
      Effect.flatMap(Effect.exit(effect), (exit) =>
        Effect.map(Clock.currentTimeMillis, (end) => [exit, end - start] as const))
    )
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

const wrapped = (options: TestLlm.Options, retry?: Schedule.Schedule<unknown, LlmError> | Retry.Options) =>
  Effect.gen(function*() {
    const { control, service } = TestLlm.make(options)
    return { control, service: yield* Retry.policy(retry).wrap(service) }
  })

describe("Retry.standard", () => {
  const busy = [1, 2, 3, 4].map(() => TestLlm.overloaded())

  it.effect("doubles from one second, three times at most, when jitter is at its top", () =>
    Effect.gen(function*() {
      const found = yield* delays(Retry.standard, busy).pipe(Effect.provideService(Random.Random, random(1)))
      assert.deepStrictEqual(found, [1000, 2000, 4000, "stop"])
    }))

  it.effect("never waits less than the floor", () =>
    Effect.gen(function*() {
      const found = yield* delays(Retry.standard, busy).pipe(Effect.provideService(Random.Random, random(0)))
      assert.deepStrictEqual(found, [200, 200, 200, "stop"])
    }))

  it.effect("stays within floor and back-off for any seed", () =>
    Effect.gen(function*() {
      for (let seed = 0; seed < 200; seed++) {
        const found = yield* delays(Retry.standard, busy.slice(0, 3)).pipe(Random.withSeed(seed))
        found.forEach((delay, i) => assert.isTrue(delay !== "stop" && delay >= 200 && delay <= 1000 * 2 ** i))
      }
    }))

  it.effect("never waits more than the cap", () =>
    Effect.gen(function*() {
      const schedule = Retry.make({ retries: 7, jitter: false })
      const found = yield* delays(schedule, [...busy, ...busy])
      assert.deepStrictEqual(found, [1000, 2000, 4000, 8000, 16000, 30000, 30000, "stop"])
    }))

  const asking = [
    TestLlm.rateLimit({ retryAfter: 0 }),
    TestLlm.rateLimit({ retryAfter: "50 millis" }),
    TestLlm.rateLimit({ retryAfter: "30 seconds" })
  ]

  it.effect("waits as long as the provider asks, be it shorter or longer than the back-off, but not below the floor", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* delays(Retry.make({ jitter: false }), asking), [200, 200, 30000])
    }))

  it.effect("spreads what the provider asks, so that callers refused together do not return together", () =>
    Effect.gen(function*() {
      const schedules = [Retry.standard, Retry.fromSchedule(Schedule.recurs(3))]
      for (const schedule of schedules) {
        const rounds = yield* Effect.forEach([...Array(20).keys()], () => delays(schedule, asking))
        for (const [none, little, much] of rounds) {
          assert.isAtLeast(Number(none), 200)
          assert.isAtMost(Number(none), 400)
          assert.isAtLeast(Number(little), 200)
          assert.isAtMost(Number(little), 400)
          assert.isAtLeast(Number(much), 30_000)
          assert.isAtMost(Number(much), 33_000)
        }
        for (const at of [0, 1, 2]) assert.isAbove(new Set(rounds.map((round) => round[at])).size, 15)
      }
    }))

  it.effect("spreads the shortest back-off too", () =>
    Effect.gen(function*() {
      const rounds = yield* Effect.forEach(
        [...Array(20).keys()],
        () => delays(Retry.make({ base: "25 millis" }), [TestLlm.rateLimit()])
      )
      for (const [wait] of rounds) assert.isAtLeast(Number(wait), 200)
      assert.isAbove(new Set(rounds.map(([wait]) => wait)).size, 15)
    }))

  it.effect("ends when the provider asks for more than the cap", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* delays(Retry.standard, [TestLlm.rateLimit({ retryAfter: "31 seconds" })]), ["stop"])
      assert.deepStrictEqual(
        yield* delays(Retry.make({ cap: "1 minute", jitter: false }), [
          TestLlm.rateLimit({ retryAfter: "31 seconds" })
        ]),
        [31000]
      )
    }))

  for (
    const reason of [
      TestLlm.authentication(),
      TestLlm.permissionDenied(),
      TestLlm.quotaExhausted(),
      TestLlm.notFound(),
      TestLlm.validation(),
      TestLlm.contextLength(),
      TestLlm.contentPolicy(),
      TestLlm.serverError(418),
      TestLlm.overloaded({ shouldRetry: false })
    ]
  ) {
    it.effect(`does not retry ${reason._tag} ${reason.status}${reason.shouldRetry === false ? " that says not to" : ""}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* delays(Retry.standard, [reason]), ["stop"])
      }))
  }

  for (
    const reason of [
      TestLlm.rateLimit(),
      TestLlm.overloaded(),
      ...[408, 409, 425, 500, 502, 503, 504, 520, 524].map((status) => TestLlm.serverError(status)),
      TestLlm.network(),
      TestLlm.timeout(),
      TestLlm.incomplete(),
      TestLlm.validation({ shouldRetry: true })
    ]
  ) {
    it.effect(`retries ${reason._tag} ${"status" in reason ? reason.status : ""}`, () =>
      Effect.gen(function*() {
        assert.notDeepEqual(yield* delays(Retry.standard, [reason]), ["stop"])
      }))
  }

  it.effect("can be narrowed to some reasons", () =>
    Effect.gen(function*() {
      const schedule = Retry.make({ retryOn: ["RateLimit"], jitter: false })
      assert.deepStrictEqual(yield* delays(schedule, [TestLlm.rateLimit(), TestLlm.network()]), [1000, "stop"])
    }))
})

describe("Retry.policy", () => {
  it.effect("answers after retries, waiting between them, and says what failed before", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped(
        { answers: [TestLlm.overloaded(), TestLlm.delayed("3 seconds", TestLlm.network()), "Hi!"] },
        { jitter: false }
      )
      const [exit, took] = yield* timed(service.generate(hello))
      assert.isTrue(Exit.isSuccess(exit))
      if (!Exit.isSuccess(exit)) return
      assert.strictEqual(exit.value.text, "Hi!")
      assert.strictEqual(took, 1000 + 3000 + 2000)
      assert.deepStrictEqual(
        exit.value.priorAttempts?.map(({ durationMillis, isRetryable, model, provider, reason }) =>
          `${provider}/${model} ${reason} ${durationMillis} ${isRetryable}`
        ),
        ["test/test-model Overloaded 0 true", "test/test-model Network 3000 true"]
      )
      assert.strictEqual(control.started, 3)
    }))

  it.effect("gives the last error with the number of requests when the budget is spent", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped({ answers: () => TestLlm.serverError(500) })
      for (const call of [service.generate(hello), Stream.runDrain(service.stream(hello))]) {
        const [exit] = yield* timed(Effect.flip(call))
        assert.isTrue(Exit.isSuccess(exit))
        if (Exit.isSuccess(exit)) assert.strictEqual(exit.value.attempts, 4)
      }
      assert.strictEqual(control.started, 8)
    }))

  it.effect("fails at once with the delay when the provider asks for more than the cap", () =>
    Effect.gen(function*() {
      const { service } = yield* wrapped({ answers: [TestLlm.rateLimit({ retryAfter: "1 hour" })] })
      const error = yield* Effect.flip(service.generate(hello))
      assert.deepStrictEqual(error.retryAfter, Duration.hours(1))
      assert.strictEqual(error.attempts, 1)
    }))

  it.effect("drops the events of a failed attempt whole", () =>
    Effect.gen(function*() {
      const { service } = yield* wrapped({ answers: [TestLlm.failAfter(2, "lost words", TestLlm.network()), "kept"] })
      const [exit] = yield* timed(Stream.runCollect(service.stream(hello)))
      assert.isTrue(Exit.isSuccess(exit))
      if (!Exit.isSuccess(exit)) return
      assert.deepStrictEqual(exit.value.map((event) => event._tag), [
        "ResponseStart",
        "TextStart",
        "TextDelta",
        "TextEnd",
        "UsageUpdate",
        "Finish"
      ])
      const last = exit.value.at(-1)!
      assert.strictEqual(last._tag === "Finish" ? last.response.priorAttempts?.length : 0, 1)
    }))

  it.effect("does not retry a stream after its first content, and keeps the partial", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped({
        answers: [TestLlm.overloaded({ retryAfter: 0 }), TestLlm.failAfter(3, "seen words", TestLlm.network()), "no"]
      })
      const seen: Array<LlmEvent> = []
      const [exit] = yield* timed(Effect.flip(Stream.runForEach(service.stream(hello), (event) =>
        Effect.sync(() => {
          seen.push(event)
        }))))
      const error = yield* exit
      assert.strictEqual(error.partial?.text, "seen")
      assert.strictEqual(error.attempts, 2)
      assert.strictEqual(control.started, 2)
      assert.strictEqual(seen.filter(isContent).length, 1)
    }))

  it.effect("holds events back until the first content, then gives them in one array and the rest untouched", () =>
    Effect.gen(function*() {
      const { service } = yield* wrapped({ answers: ["one two three"] })
      const arrays: Array<number> = []
      yield* Stream.runForEachArray(service.stream(hello), (events) =>
        Effect.sync(() => {
          arrays.push(events.length)
        }))
      assert.deepStrictEqual(arrays, [3, 1, 1, 1, 1, 1])
    }))

  it.effect("drives any schedule, still not retrying what cannot succeed and waiting as long as asked", () =>
    Effect.gen(function*() {
      const schedule = Schedule.spaced("5 seconds")
      const { control, service } = yield* wrapped({
        answers: [TestLlm.network(), TestLlm.rateLimit({ retryAfter: "7 seconds" }), TestLlm.authentication()]
      }, schedule)
      const [exit, took] = yield* timed(Effect.flip(service.generate(hello)))
      assert.strictEqual(Exit.isSuccess(exit) ? exit.value.reason._tag : "", "Authentication")
      assert.isAtLeast(took!, 12_000)
      assert.isAtMost(took!, 14_000)
      assert.strictEqual(control.started, 3)
    }))

  it.effect("ends any schedule when the provider asks for more than the cap", () =>
    Effect.gen(function*() {
      const long = TestLlm.rateLimit({ retryAfter: "31 seconds" })
      assert.deepStrictEqual(yield* delays(Retry.fromSchedule(Schedule.spaced(0)), [long]), ["stop"])
      const patient = Retry.fromSchedule(Schedule.spaced(0), { cap: "1 minute", jitter: false, retryOn: ["RateLimit"] })
      assert.deepStrictEqual(yield* delays(patient, [long, TestLlm.network()]), [31000, "stop"])
    }))

  it.effect("keeps what a schedule of this module decided, even piped further", () =>
    Effect.gen(function*() {
      const schedule = Retry.make({ cap: "2 minutes", jitter: false }).pipe(Schedule.tap(() => Effect.void))
      const { service } = yield* wrapped({ answers: [TestLlm.rateLimit({ retryAfter: "1 minute" }), "Hi"] }, schedule)
      const [, took] = yield* timed(service.generate(hello))
      assert.strictEqual(took, 60000)
    }))

  it.effect("shows the requirements of a schedule on the layer, and keeps other services of the layer", () => {
    class Patience extends Context.Service<Patience, { readonly wait: Duration.Input }>()("test/Patience") {}
    const schedule = Schedule.recurs(3).pipe(
      Schedule.modifyDelay(() => Effect.map(Patience, (patience) => patience.wait))
    )
    const layer: Layer.Layer<LlmService.LlmService | TestLlm.TestLlm, LlmError, Patience> = TestLlm.layer({
      answers: [TestLlm.network(), "Hi"]
    }).pipe(Retry.policy(schedule))
    return Effect.gen(function*() {
      const [exit, took] = yield* timed(LlmService.generate(hello))
      assert.strictEqual(Exit.isSuccess(exit) ? exit.value.text : "", "Hi")
      assert.strictEqual(took, 4000)
      assert.strictEqual((yield* TestLlm.TestLlm).finished, 1)
    }).pipe(Effect.provide(Layer.provide(layer, Layer.succeed(Patience, { wait: "4 seconds" }))))
  })

  it.effect("sends nothing more when interrupted while it waits", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped({ answers: [TestLlm.network(), "no"] })
      const fiber = yield* Effect.forkChild(Stream.runDrain(service.stream(hello)))
      yield* TestClock.adjust("100 millis")
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(control.calls.map((call) => call.status), ["failed"])
    }))

  it.effect("closes the attempt when interrupted before and after its first content", () =>
    Effect.gen(function*() {
      for (const events of [1, 3]) {
        const { control, service } = yield* wrapped({ answers: [TestLlm.hangAfter(events, "one two")] })
        const fiber = yield* Effect.forkChild(Stream.runDrain(service.stream(hello)))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(control.calls.map((call) => call.status), ["interrupted"])
      }
    }))
})

// =============================================================================
// Properties
// =============================================================================

const answer = fc.oneof(
  fc.constant("one two three"),
  fc.constantFrom(
    TestLlm.overloaded(),
    TestLlm.rateLimit({ retryAfter: "3 seconds" }),
    TestLlm.authentication(),
    TestLlm.network()
  ),
  fc.integer({ min: 0, max: 8 }).map((events) => TestLlm.failAfter(events, "one two three", TestLlm.network())),
  fc.integer({ min: 0, max: 8 }).map((events) => TestLlm.cutAfter(events, "one two three"))
)

const script = fc.record({
  answers: fc.array(answer, { minLength: 1, maxLength: 6 }),
  retries: fc.integer({ min: 0, max: 3 })
})

describe("Retry, for any script", () => {
  it("replays nothing that was seen, sends at most the declared requests and accounts for every one", () =>
    fc.assert(
      fc.asyncProperty(script, ({ answers, retries }) =>
        Effect.runPromise(
          Effect.gen(function*() {
            for (const operation of ["generate", "stream"] as const) {
              const { control, service } = yield* wrapped({ answers }, { retries })
              const seen: Array<LlmEvent> = []
              let startedAtContent: number | undefined
              const call = operation === "generate"
                ? Effect.asVoid(service.generate(hello))
                : Stream.runForEach(service.stream(hello), (event) =>
                  Effect.sync(() => {
                    if (isContent(event)) startedAtContent ??= control.started
                    seen.push(event)
                  }))
              const [exit] = yield* timed(call)
              assert.isAtMost(control.started, retries + 1)
              assert.strictEqual(control.running, 0)
              assert.strictEqual(control.started, control.finished + control.failed + control.interrupted)
              assert.isAtMost(seen.filter((event) => event._tag === "ResponseStart").length, 1)
              if (startedAtContent !== undefined) assert.strictEqual(control.started, startedAtContent)
              if (operation === "stream") {
                assert.strictEqual(seen.at(-1)?._tag === "Finish", Exit.isSuccess(exit))
              }
              assert.strictEqual(control.finished, Exit.isSuccess(exit) ? 1 : 0)
            }
          }).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
        )),
      { numRuns: 150 }
    ))
})

describe("Retry: events", () => {
  it.effect("tells of every retry, with its reason and delay", () =>
    Effect.gen(function*() {
      const events: Array<unknown> = []
      const { service } = TestLlm.make({ answers: [TestLlm.overloaded(), TestLlm.serverError(500), "Fine"] })
      const retrying = yield* Retry.policy(Retry.make({ jitter: false, base: "1 second" })).wrap(service)
      const call = retrying.generate({ prompt: "x", label: "l-1" }).pipe(
        Effect.provideService(EventSink, (event) => void events.push(event))
      )
      const fiber = yield* Effect.forkChild(call)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
      const about = { _tag: "Retry", provider: service.info.provider, model: service.info.model, label: "l-1" }
      assert.deepInclude(events[0], { ...about, retry: 1, reason: "Overloaded", delayMillis: 1000 })
      assert.deepInclude(events[1], { ...about, retry: 2, reason: "Provider", delayMillis: 2000 })
      assert.lengthOf(events, 2)
    }))
})
