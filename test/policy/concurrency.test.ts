import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import * as LlmService from "../../src/LlmService.ts"
import * as Concurrency from "../../src/policy/Concurrency.ts"
import { Permits } from "../../src/policy/concurrency/permits.ts"
import { PriorityQueue } from "../../src/policy/concurrency/priorityQueue.ts"
import type { Restore } from "../../src/stream/held.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello = { prompt: "Hello" }

const make = (answers: NonNullable<TestLlm.Options["answers"]>, options: Concurrency.Options) =>
  Effect.gen(function*() {
    const { control, service } = TestLlm.make({ answers })
    return { control, service: yield* Concurrency.policy(options).wrap(service) }
  })

/** Lets forked fibers run until they wait. */
const settle = TestClock.adjust(0)

const start = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.tap(Effect.forkChild(effect, { startImmediately: true }), () => settle)

describe("Concurrency.policy", () => {
  it.effect("lets as many calls run as there are permits, and the next when one ends", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make(() => TestLlm.delayed("1 second", "Hi!"), { permits: 2 })
      const calls = yield* start(Effect.forEach([1, 2, 3], () => service.generate(hello), { concurrency: "unbounded" }))
      assert.strictEqual(control.started, 2)
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(control.started, 2)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(control.started, 3)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(calls)).length, 3)
    }))

  it.effect("keeps the permit of a stream until its last event, not only until it opens", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make(() => TestLlm.paced("1 second", "One two three"), { permits: 1 })
      const first = yield* start(Stream.runDrain(service.stream(hello)))
      const second = yield* start(service.generate(hello))
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(control.started, 1)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(first)
      assert.strictEqual(control.started, 2)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(second)
    }))

  it.effect("frees the permit when a stream fails, is interrupted, or is no longer read", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([
        TestLlm.failAfter(3, "Hello there", TestLlm.network()),
        TestLlm.hangAfter(3, "Hello there"),
        TestLlm.hangAfter(3, "Hello there"),
        "Hi!"
      ], { permits: 1, maxQueue: 0 })
      yield* Effect.flip(Stream.runDrain(service.stream(hello)))
      const hanging = yield* start(Stream.runDrain(service.stream(hello)))
      assert.strictEqual((yield* Effect.flip(service.generate(hello))).reason._tag, "QueueFull")
      yield* Fiber.interrupt(hanging)
      yield* Stream.runDrain(Stream.take(service.stream(hello), 1))
      assert.strictEqual((yield* service.generate(hello)).text, "Hi!")
      assert.strictEqual(control.interrupted, 2)
      assert.strictEqual(control.running, 0)
    }))

  it.effect("frees the permit of an interrupted whole answer", () =>
    Effect.gen(function*() {
      const { service } = yield* make([TestLlm.never, "Hi!"], { permits: 1, maxQueue: 0 })
      yield* Fiber.interrupt(yield* start(service.generate(hello)))
      assert.strictEqual((yield* service.generate(hello)).text, "Hi!")
    }))

  it.effect("serves higher priorities first, and equals in the order they came", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make(() => TestLlm.delayed("1 second", "Hi!"), { permits: 1 })
      const say = (prompt: string, priority?: number) =>
        start(service.generate(priority === undefined ? { prompt } : { prompt, priority }))
      yield* say("first")
      yield* say("a")
      yield* say("low", -1)
      yield* say("high", 5)
      yield* say("b")
      yield* say("high too", 5)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(
        control.requests.map((request) => request.prompt),
        ["first", "high", "high too", "a", "b", "low"]
      )
    }))

  it.effect("fails with QueueFull when the queue is full, without sending anything", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([TestLlm.never], { permits: 1, maxQueue: 1 })
      yield* start(service.generate(hello))
      yield* start(service.generate(hello))
      const error = yield* Effect.flip(service.generate({ ...hello, label: "third" }))
      assert.strictEqual(error.reason._tag, "QueueFull")
      assert.strictEqual(error.attempts, 0)
      assert.strictEqual(error.label, "third")
      assert.strictEqual(
        error.message,
        "test/test-model: QueueFull: All permits are taken and the queue is full (1 calls)."
      )
      assert.strictEqual(control.started, 1)
    }))

  it.effect("fails with QueueFull exactly at the queue deadline, which leaves no trace in the queue", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([TestLlm.delayed("1 minute", "Hi!"), "Ho!"], {
        permits: 1,
        maxQueue: 1,
        queueDeadline: "5 seconds"
      })
      yield* start(service.generate(hello))
      const late = yield* start(Effect.flip(Stream.runDrain(service.stream(hello))))
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(late.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(late)).reason._tag, "QueueFull")
      const next = yield* start(service.generate(hello))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Effect.flip(Fiber.join(next))).reason._tag, "QueueFull")
      assert.strictEqual((yield* service.generate(hello)).text, "Ho!")
      assert.strictEqual(control.started, 2)
    }))

  it.effect("takes an interrupted waiter out of the queue", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make([TestLlm.delayed("1 second", "Hi!"), "Ho!"], { permits: 1, maxQueue: 1 })
      yield* start(service.generate(hello))
      yield* Fiber.interrupt(yield* start(service.generate(hello)))
      const next = yield* start(service.generate(hello))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(next)).text, "Ho!")
      assert.strictEqual(control.started, 2)
    }))

  it.effect("gives each layer its own permits, and works on layers", () =>
    Effect.gen(function*() {
      const layer = TestLlm.layer({ answers: ["Hi!"] }).pipe(Concurrency.policy({ permits: 1 }))
      const response = yield* Effect.provide(LlmService.generate(hello), layer)
      assert.strictEqual(response.text, "Hi!")
    }))

  it.effect("reports permits, queue, waits and rejections", () =>
    Effect.gen(function*() {
      const { service } = yield* make(() => TestLlm.delayed("1 second", "Hi!"), { permits: 1, maxQueue: 1 })
      const attributes = { provider: "test" }
      const inFlight = Metric.withAttributes(Concurrency.inFlight, attributes)
      const queued = Metric.withAttributes(Concurrency.queued, attributes)
      yield* start(service.generate(hello))
      yield* start(service.generate(hello))
      yield* Effect.exit(service.generate(hello))
      assert.strictEqual((yield* Metric.value(inFlight)).value, 1)
      assert.strictEqual((yield* Metric.value(queued)).value, 1)
      const full = Metric.withAttributes(Concurrency.rejections, { ...attributes, cause: "full" })
      assert.strictEqual((yield* Metric.value(full)).count, 1)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Metric.value(inFlight)).value, 0)
      assert.strictEqual((yield* Metric.value(queued)).value, 0)
      assert.strictEqual((yield* Metric.value(Metric.withAttributes(Concurrency.waitTime, attributes))).sum, 1)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("hands a permit through thousands of waiters that end at once", () =>
    Effect.gen(function*() {
      const { control, service } = yield* make(
        (_, call) => call.index === 0 ? TestLlm.delayed("1 second", "Hi!") : "Hi!",
        { permits: 1, maxQueue: 5000 }
      )
      const calls = yield* start(Effect.forEach(Array.from({ length: 5000 }), () => service.generate(hello), {
        concurrency: "unbounded",
        discard: true
      }))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(calls)
      assert.strictEqual(control.finished, 5000)
    }))

  it("never has more calls in flight than permits, whatever happens to them", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 5 }),
        fc.array(
          fc.record({
            at: fc.integer({ min: 0, max: 20 }),
            lasts: fc.integer({ min: 0, max: 10 }),
            priority: fc.integer({ min: -2, max: 2 }),
            fate: fc.constantFrom("finish", "fail", "interrupt", "abandon"),
            streamed: fc.boolean()
          }),
          { maxLength: 25 }
        ),
        (permits, maxQueue, script) =>
          Effect.gen(function*() {
            let most = 0
            const { control, service } = TestLlm.make({
              answers: (request) => {
                if (request.prompt === "idle") return TestLlm.never
                const { fate, lasts } = script[Number(request.prompt)]!
                most = Math.max(most, control.running)
                return fate === "fail"
                  ? TestLlm.delayed(lasts, TestLlm.failAfter(3, "Hello there", TestLlm.network()))
                  : TestLlm.paced(lasts, "Hello there")
              }
            })
            const limited = yield* Concurrency.policy({ permits, maxQueue, queueDeadline: 7 }).wrap(service)
            const fibers = yield* Effect.forEach(script, ({ at, fate, priority, streamed }, index) => {
              const request = { prompt: String(index), priority }
              const stream = limited.stream(request)
              const call: Effect.Effect<unknown, unknown> = fate === "abandon"
                ? Stream.runDrain(Stream.take(stream, 2))
                : streamed
                ? Stream.runDrain(stream)
                : limited.generate(request)
              return Effect.forkChild(Effect.andThen(Effect.sleep(at), call))
            })
            const ends = yield* Effect.forkChild(Effect.forEach(script, ({ at, fate, lasts }, index) =>
              fate === "interrupt"
                ? Effect.andThen(Effect.sleep(at + lasts), Fiber.interrupt(fibers[index]!))
                : Effect.void, { concurrency: "unbounded", discard: true }))
            for (let tick = 0; tick < 400; tick++) yield* TestClock.adjust(1)
            yield* Fiber.join(ends)
            const exits = yield* Effect.forEach(fibers, (fiber) => Fiber.await(fiber))
            assert.isAtMost(most, permits)
            assert.strictEqual(control.running, 0)
            assert.strictEqual(exits.length, script.length)
            // All permits are free again.
            const idle = yield* Effect.forEach(
              Array.from({ length: permits }),
              () => start(limited.generate({ prompt: "idle" }))
            )
            assert.strictEqual(control.running, permits)
            yield* Fiber.interruptAll(idle)
          }).pipe(Effect.provide(TestClock.layer()), Effect.scoped, Effect.runPromise)
      ),
      { numRuns: 60 }
    ))
})

describe("Permits", () => {
  it.effect("are all free again after any mix of waits, deadlines and interruptions", () =>
    Effect.gen(function*() {
      const permits = new Permits(1, 100)
      const use = Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(permits.acquire(0, undefined, restore), (acquired) =>
          acquired === "acquired"
            ? Effect.ensuring(restore(Effect.sleep(10)), Effect.sync(() => permits.release()))
            : Effect.void)
      )
      const fibers = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.forkChild(use))
      yield* settle
      assert.deepStrictEqual([permits.inFlight, permits.queued], [1, 19])
      yield* TestClock.adjust(10)
      yield* Effect.forEach(fibers, (fiber, index) => index % 2 === 0 ? Fiber.interrupt(fiber) : Effect.void)
      assert.deepStrictEqual([permits.inFlight, permits.queued], [1, 9])
      yield* TestClock.adjust(1000)
      const exits = yield* Effect.forEach(fibers, (fiber) => Fiber.await(fiber))
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 11)
      assert.deepStrictEqual([permits.inFlight, permits.queued], [0, 0])
    }))

  it.effect("go on to the next when their new holder is interrupted before it knows of them", () =>
    Effect.gen(function*() {
      const permits = new Permits(1, 10)
      const acquire = (restore: Restore) => Effect.uninterruptible(permits.acquire(0, undefined, restore))
      yield* acquire((effect) => effect)
      const interrupted = yield* start(acquire((effect) => Effect.andThen(effect, Effect.interrupt)))
      const next = yield* start(acquire((effect) => effect))
      permits.release()
      assert.isTrue(Exit.isFailure(yield* Fiber.await(interrupted)))
      assert.strictEqual(yield* Fiber.join(next), "acquired")
      assert.deepStrictEqual([permits.inFlight, permits.queued], [1, 0])
    }))

  it.effect("go to a waiter whose deadline comes in the same moment, or back, but never get lost", () =>
    Effect.gen(function*() {
      const permits = new Permits(1, 10)
      const acquire = (deadline: number) =>
        Effect.uninterruptibleMask((restore) => permits.acquire(0, Duration.millis(deadline), restore))
      assert.strictEqual(yield* acquire(10), "acquired")
      const waiter = yield* start(acquire(10))
      yield* Effect.forkChild(Effect.andThen(Effect.sleep(10), Effect.sync(() => permits.release())))
      yield* TestClock.adjust(10)
      const got = yield* Fiber.join(waiter)
      assert.strictEqual(permits.inFlight, got === "acquired" ? 1 : 0)
      assert.strictEqual(permits.queued, 0)
    }))
})

describe("PriorityQueue", () => {
  it("gives what a stable sort by priority gives, with entries removed at any time", () =>
    fc.assert(fc.property(
      fc.array(fc.record({ priority: fc.integer({ min: -3, max: 3 }), remove: fc.boolean() }), { maxLength: 120 }),
      (entries) => {
        const queue = new PriorityQueue<number>()
        const added = entries.map(({ priority }, index) => queue.add(index, priority))
        entries.forEach(({ remove }, index) => remove && queue.remove(added[index]!))
        const expected = entries
          .map(({ priority, remove }, index) => ({ index, priority, remove }))
          .filter(({ remove }) => !remove)
          .toSorted((a, b) => b.priority - a.priority)
          .map(({ index }) => index)
        assert.strictEqual(queue.size, expected.length)
        const taken: Array<number> = []
        for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next)
        assert.deepStrictEqual(taken, expected)
        assert.strictEqual(queue.size, 0)
      }
    )))
})
