import { assert, describe, it, vi } from "@effect/vitest"
import * as Channel from "effect/Channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as Policy from "../../src/policy/Policy.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import { Activity } from "../../src/stream/activity.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello: LlmRequest = { prompt: "Hello" }

const wrapped = (answers: TestLlm.Options["answers"], options: Timeout.Options) =>
  Effect.gen(function*() {
    const { control, service } = TestLlm.make({ answers })
    return { control, service: yield* Timeout.policy(options).wrap(service) }
  })

/** Asserts that a call runs until just before `millis` and fails then with a timeout of `phase`. */
const failsAt = <A, R>(call: Effect.Effect<A, LlmError, R>, millis: number, phase: string) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.flip(call))
    yield* TestClock.adjust(millis - 1)
    assert.isUndefined(fiber.pollUnsafe(), `still running after ${millis - 1} ms`)
    yield* TestClock.adjust(1)
    assert.isDefined(fiber.pollUnsafe(), `over after ${millis} ms`)
    const error = yield* Fiber.join(fiber)
    assert.strictEqual(error.reason._tag, "Timeout")
    if (error.reason._tag === "Timeout") assert.strictEqual(error.reason.phase, phase)
    return error
  })

/** Events with waits between them, as `[wait in ms, sign]`; a ping is life without an event. */
const timeline = (steps: ReadonlyArray<readonly [number, LlmEvent | "ping"]>): Stream.Stream<LlmEvent> =>
  Stream.fromIterable(steps).pipe(
    Stream.rechunk(1),
    Stream.mapEffect(([wait, sign]) =>
      Effect.gen(function*() {
        yield* Effect.sleep(wait)
        if (sign !== "ping") return [sign]
        const activity = yield* Activity
        activity.touch()
        return []
      })
    ),
    Stream.flatMap((events) => Stream.fromIterable(events))
  )

/** Never emits; says when the scope it is pulled in closes. */
const neverWithScope = (onClose: () => void): Stream.Stream<never> =>
  Stream.fromChannel(
    Channel.fromTransform((_: unknown, scope: Scope.Scope) =>
      Effect.as(Scope.addFinalizer(scope, Effect.sync(onClose)), Effect.never)
    )
  )

const start: LlmEvent = { _tag: "ResponseStart" }
const open: LlmEvent = { _tag: "TextStart", index: 0 }
const delta: LlmEvent = { _tag: "TextDelta", index: 0, text: "word " }

describe("Timeout", () => {
  it.effect("fails when no content comes in time, though other events do", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped(
        [Stream.concat(timeline([[500, start], [500, open]]), Stream.never)],
        { firstToken: "5 seconds" }
      )
      const error = yield* failsAt(Stream.runDrain(service.stream(hello)), 5000, "firstToken")
      assert.strictEqual(error.message, "test/test-model: Timeout: No content within 5s.")
      assert.strictEqual(error.operation, "stream")
      assert.deepStrictEqual(control.calls.map((call) => call.status), ["interrupted"])
    }))

  it.effect("lets a stream take its time once content has come", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped([TestLlm.paced("4 seconds", "one two three")], {
        firstToken: "13 seconds"
      })
      const fiber = yield* Effect.forkChild(Stream.runDrain(service.stream(hello)))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.strictEqual(control.finished, 1)
    }))

  it.effect("does not count pings for the first token", () =>
    Effect.gen(function*() {
      const pings = Array.from({ length: 20 }, () => [1000, "ping"] as const)
      const { service } = yield* wrapped([timeline(pings)], { firstToken: "5 seconds" })
      yield* failsAt(Stream.runDrain(service.stream(hello)), 5000, "firstToken")
    }))

  it.effect("fails when nothing comes between signs of life, with the partial output", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped(
        [Stream.concat(timeline([[2000, start], [0, open], [3000, delta]]), Stream.never)],
        { idle: "4 seconds" }
      )
      const error = yield* failsAt(Stream.runDrain(service.stream(hello)), 5000 + 4000, "idle")
      assert.strictEqual(error.partial?.text, "word ")
      assert.strictEqual(control.interrupted, 1)
    }))

  it.effect("counts pings as signs of life", () =>
    Effect.gen(function*() {
      const pings = Array.from({ length: 5 }, () => [3000, "ping"] as const)
      const { service } = yield* wrapped(
        [Stream.concat(timeline([[0, start], ...pings]), Stream.never)],
        { idle: "4 seconds" }
      )
      yield* failsAt(Stream.runDrain(service.stream(hello)), 5 * 3000 + 4000, "idle")
    }))

  it.effect("leaves the wait for the first sign of life to the other limits", () =>
    Effect.gen(function*() {
      const { service } = yield* wrapped([TestLlm.never], { idle: "1 second", firstToken: "1 minute" })
      yield* failsAt(Stream.runDrain(service.stream(hello)), 60_000, "firstToken")
    }))

  it.effect("does not take a slow consumer for an idle provider", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped(["one two three"], { idle: "1 second", firstToken: "1 second" })
      const fiber = yield* Effect.forkChild(Stream.runForEach(service.stream(hello), () => Effect.sleep("10 seconds")))
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(fiber)
      assert.strictEqual(control.finished, 1)
    }))

  it.effect("limits the whole of a stream, whoever is slow", () =>
    Effect.gen(function*() {
      const paced = yield* wrapped([TestLlm.paced("1 second", "one two three")], { total: "3500 millis" })
      const error = yield* failsAt(Stream.runDrain(paced.service.stream(hello)), 3500, "total")
      assert.strictEqual(error.partial?.text, "one")
      const instant = yield* wrapped(["one two three"], { total: "3 seconds" })
      const slow = Stream.runForEach(instant.service.stream(hello), () => Effect.sleep("2 seconds"))
      yield* failsAt(slow, 4000, "total")
    }))

  it.effect("limits generate as a whole and interrupts it", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped([TestLlm.never], {
        total: "10 seconds",
        firstToken: "1 second",
        idle: "1 second"
      })
      const error = yield* failsAt(service.generate(hello), 10_000, "total")
      assert.strictEqual(error.operation, "generate")
      assert.strictEqual(control.interrupted, 1)
    }))

  it.effect("limits the silence of a generate that has begun to come", () =>
    Effect.gen(function*() {
      const { service } = yield* wrapped([TestLlm.hangAfter(3, "one two")], { idle: "2 seconds" })
      const error = yield* failsAt(service.generate(hello), 2000, "idle")
      assert.strictEqual(error.partial?.text, "one")
    }))

  it.effect("hands its limits down under the request's own, which win here as well", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped([TestLlm.never], { connect: "1 second", total: "2 seconds" })
      const request = { ...hello, timeouts: { total: "5 seconds", idle: "9 seconds" } } as const
      yield* failsAt(service.generate(request), 5000, "total")
      assert.deepStrictEqual(control.requests[0]?.timeouts, {
        connect: "1 second",
        idle: "9 seconds",
        total: "5 seconds"
      })
    }))

  it.effect("keeps the limits of a policy inside from being loosened by one outside", () =>
    Effect.gen(function*() {
      const layer = TestLlm.layer({ answers: [TestLlm.never, TestLlm.never] }).pipe(
        Timeout.policy({ total: "2 seconds" }),
        Timeout.policy({ total: "1 minute" })
      )
      yield* Effect.gen(function*() {
        yield* failsAt(LlmService.generate(hello), 2000, "total")
        yield* failsAt(LlmService.generate({ ...hello, timeouts: { total: "3 seconds" } }), 3000, "total")
      }).pipe(Effect.provide(layer))
    }))

  it.effect("covers all attempts from outside a retry, and each attempt from inside", () =>
    Effect.gen(function*() {
      const attempts = () => [TestLlm.delayed("3 seconds", TestLlm.network()), TestLlm.never, "no"]
      const retry = Retry.policy({ jitter: false })
      const outer = TestLlm.layer({ answers: attempts() }).pipe(retry, Timeout.policy({ total: "6 seconds" }))
      yield* failsAt(LlmService.generate(hello).pipe(Effect.provide(outer)), 6000, "total")

      const inner = TestLlm.layer({ answers: attempts() }).pipe(Timeout.policy({ total: "6 seconds" }), retry)
      const fiber = yield* Effect.forkChild(LlmService.generate(hello).pipe(Effect.provide(inner)))
      yield* TestClock.adjust(3000 + 1000 + 6000 + 2000)
      const response = yield* Fiber.join(fiber)
      assert.strictEqual(response.text, "no")
      assert.deepStrictEqual(response.priorAttempts?.map((attempt) => attempt.reason), ["Network", "Timeout"])
    }))

  it.effect("does not take the wait between two attempts for an idle provider", () =>
    Effect.gen(function*() {
      const layer = TestLlm.layer({ answers: [TestLlm.failAfter(2, "lost", TestLlm.network()), "kept"] }).pipe(
        Retry.policy({ base: "20 seconds", jitter: false }),
        Timeout.policy({ idle: "1 second" })
      )
      const fiber = yield* Effect.forkChild(Stream.runDrain(LlmService.stream(hello)).pipe(Effect.provide(layer)))
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(fiber)
    }))

  it.effect("notices silence before the first content, though that limit is far away", () =>
    Effect.gen(function*() {
      const { service } = yield* wrapped([Stream.concat(timeline([[500, start]]), Stream.never)], {
        firstToken: "10 minutes",
        idle: "2 seconds"
      })
      yield* failsAt(Stream.runDrain(service.stream(hello)), 500 + 2000, "idle")
    }))

  it.effect("passes signs of life, rests and partial output on to the limits further out", () =>
    Effect.gen(function*() {
      const far = Timeout.policy({ idle: "1 hour", firstToken: "1 hour" })
      const near = Timeout.policy({ idle: "2 seconds" })
      const pings = Array.from({ length: 5 }, () => [1500, "ping"] as const)
      const lively = TestLlm.layer({
        answers: [Stream.concat(timeline([[0, start], [0, open], [0, delta], ...pings]), Stream.never)]
      }).pipe(far, near)
      const error = yield* failsAt(
        Stream.runDrain(LlmService.stream(hello)).pipe(Effect.provide(lively)),
        5 * 1500 + 2000,
        "idle"
      )
      assert.strictEqual(error.partial?.text, "word ")

      const retried = TestLlm.layer({ answers: [TestLlm.failAfter(2, "lost", TestLlm.network()), "kept"] }).pipe(
        Retry.policy({ base: "20 seconds", jitter: false }),
        far,
        near
      )
      const fiber = yield* Effect.forkChild(Stream.runDrain(LlmService.stream(hello)).pipe(Effect.provide(retried)))
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(fiber)
    }))

  it.effect("takes events that a policy inside holds back for signs of life", () =>
    Effect.gen(function*() {
      const layer = TestLlm.layer({ answers: [] }).pipe(
        Policy.make((service) => ({
          ...service,
          stream: () => Stream.concat(timeline([[0, start], [1500, open], [1500, open]]), Stream.never)
        })),
        Retry.policy(),
        Timeout.policy({ idle: "2 seconds" })
      )
      yield* failsAt(Stream.runDrain(LlmService.stream(hello)).pipe(Effect.provide(layer)), 3000 + 2000, "idle")
    }))

  it.effect("closes the upstream before it fails", () =>
    Effect.gen(function*() {
      let closed = false
      const upstream = neverWithScope(() => {
        closed = true
      })
      const policy = Timeout.policy({ firstToken: "1 second" })
      const service = yield* policy.wrap({ ...TestLlm.make().service, stream: () => upstream })
      const seen: Array<boolean> = []
      const call = service.stream(hello).pipe(
        Stream.catchCause((cause) => {
          seen.push(closed)
          return Stream.failCause(cause)
        }),
        Stream.runDrain
      )
      yield* failsAt(call, 1000, "firstToken")
      assert.deepStrictEqual(seen, [true])
    }))

  it.effect("interrupts the upstream when the consumer is interrupted, and wakes no more", () =>
    Effect.gen(function*() {
      const { control, service } = yield* wrapped([TestLlm.never, TestLlm.never], { total: "1 second" })
      for (const call of [service.generate(hello), Stream.runDrain(service.stream(hello))]) {
        const fiber = yield* Effect.forkChild(Effect.asVoid(call))
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(fiber)
      }
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(control.interrupted, 2)
    }))

  it.effect("adds nothing when it has no limits and nothing to a stream that keeps within them", () =>
    Effect.gen(function*() {
      for (const options of [{}, { firstToken: "1 second", idle: "1 second", total: Duration.infinity }] as const) {
        const { service } = yield* wrapped(["one two"], options)
        const arrays: Array<number> = []
        yield* Stream.runForEachArray(service.stream(hello), (events) =>
          Effect.sync(() => {
            arrays.push(events.length)
          }))
        assert.deepStrictEqual(arrays, [1, 1, 1, 1, 1, 1, 1])
      }
    }))
})

describe("Timeout by the platform's clock", () => {
  for (
    const [phase, options, answer] of [
      ["firstToken", { firstToken: 20 }, Stream.never],
      ["idle", { idle: 20 }, Stream.concat(Stream.make(start, open, delta), Stream.never)],
      ["total", { total: 20, idle: "1 minute" }, Stream.never],
      ["total", { total: 0 }, Stream.never]
    ] as const
  ) {
    it.live(`ends a call that passes ${JSON.stringify(options)}`, () =>
      Effect.gen(function*() {
        const { control, service } = yield* wrapped([answer], options)
        const { reason } = yield* Effect.flip(Stream.runDrain(service.stream(hello)))
        assert.strictEqual(reason._tag === "Timeout" ? reason.phase : reason._tag, phase)
        assert.isTrue(control.calls.every((call) => call.status === "interrupted"))
      }))
  }

  it.live("takes limits longer than a timer can be, and clears the timers of a call that is over", () =>
    Effect.gen(function*() {
      const set = vi.spyOn(globalThis, "setTimeout")
      const clear = vi.spyOn(globalThis, "clearTimeout")
      const { service } = yield* wrapped(["one two"], { total: "30 days" })
      yield* Stream.runDrain(service.stream(hello))
      const timers = set.mock.results.flatMap(({ value }, i) => set.mock.calls[i]![1]! > 1e9 ? [value] : [])
      assert.deepStrictEqual(set.mock.calls.map(([, millis]) => millis).filter((millis) => millis! > 1e9), [
        2 ** 31 - 1
      ])
      assert.include(clear.mock.calls.map(([timer]) => timer), timers[0])
      set.mockRestore()
      clear.mockRestore()
    }))
})
