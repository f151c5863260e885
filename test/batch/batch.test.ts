import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import * as Batch from "../../src/batch/Batch.ts"
import { Network } from "../../src/LlmError.ts"
import { LlmResponse, sumUsage, type Usage } from "../../src/LlmResponse.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const prompts = (count: number) => Array.from({ length: count }, (_, index) => ({ prompt: `Question ${index}` }))

describe("Batch.all", () => {
  it.effect("gives every request an exit, in the order given", () =>
    Effect.gen(function*() {
      const result = yield* Batch.all(prompts(5))
      assert.deepStrictEqual(
        result.exits.map((exit) => Exit.isSuccess(exit) ? exit.value.text : exit),
        prompts(5).map(({ prompt }) => prompt)
      )
      assert.strictEqual(result.succeeded, 5)
      assert.strictEqual(result.failed, 0)
      assert.deepStrictEqual(result.usage.input, { total: 10, uncached: 10 })
    }).pipe(Effect.provide(TestLlm.echo)))

  it.effect("does not end for a failure, and sums what failures used", () =>
    Effect.gen(function*() {
      const usage: Usage = { input: { total: 7 }, output: { total: 3 } }
      const partial = new LlmResponse({
        parts: [],
        finishReason: "other",
        usage,
        model: "m",
        provider: "test",
        warnings: []
      })
      const answers = ["One.", new Network({ message: "reset", partial }), TestLlm.validation(), "Four."]
      const result = yield* Batch.all(prompts(4), { concurrency: 1 }).pipe(Effect.provide(TestLlm.layer({ answers })))
      assert.deepStrictEqual(result.exits.map(Exit.isSuccess), [true, false, false, true])
      assert.strictEqual(result.failed, 2)
      assert.strictEqual(result.total, 4)
      // Two words for each of two answers, and what the broken one had used.
      assert.deepStrictEqual(result.usage, {
        input: { total: 11, uncached: 4 },
        output: { total: 5, text: 2, reasoning: 0 }
      })
    }))

  it.effect("runs as many calls at a time as it may, and no more", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      const fiber = yield* Effect.forkChild(Batch.all(prompts(10), { concurrency: 3 }))
      for (const [seconds, running, finished] of [[0, 3, 0], [1, 3, 3], [1, 3, 6], [1, 1, 9], [1, 0, 10]] as const) {
        yield* TestClock.adjust(`${seconds} seconds`)
        assert.strictEqual(control.running, running)
        assert.strictEqual(control.finished, finished)
      }
      assert.strictEqual((yield* Fiber.join(fiber)).succeeded, 10)
    }).pipe(Effect.provide(TestLlm.layer({ answers: () => TestLlm.delayed("1 second", "Hi!") }))))

  it.effect("interrupts the calls that run, and starts no others, when it is interrupted", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      const fiber = yield* Effect.forkChild(Batch.all(prompts(10), { concurrency: 4 }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(control.running, 4)
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(control.started, 4)
      assert.strictEqual(control.interrupted, 4)
    }).pipe(Effect.provide(TestLlm.layer({ answers: () => TestLlm.never }))))

  it.effect("sums the costs that are known, and says of how many it knows none", () =>
    Effect.gen(function*() {
      const of = (cost: number | undefined, billedCost?: number) =>
        new LlmResponse({
          parts: [],
          finishReason: "stop",
          usage: { input: {}, output: {}, billedCost },
          cost,
          model: "m",
          provider: "test",
          warnings: []
        })
      const answers = [of(0.25), of(undefined), of(undefined, 0.5), TestLlm.overloaded()]
      const result = yield* Batch.all(prompts(4)).pipe(Effect.provide(TestLlm.layer({ answers })))
      assert.strictEqual(result.cost, 0.75)
      assert.strictEqual(result.withoutCost, 1)
    }))

  it.effect("does nothing for no requests", () =>
    Effect.gen(function*() {
      const result = yield* Batch.all([]).pipe(Effect.provide(TestLlm.layer()))
      assert.deepStrictEqual(result.exits, [])
      assert.strictEqual(result.total, 0)
    }))

  it.effect("keeps a defect of one call to that call", () =>
    Effect.gen(function*() {
      const answers = ["One.", () => Effect.die("broken"), "Three."]
      const result = yield* Batch.all(prompts(3), { concurrency: 1 }).pipe(Effect.provide(TestLlm.layer({ answers })))
      assert.deepStrictEqual(result.exits.map(Exit.isSuccess), [true, false, true])
    }))

  it.effect("tells of each as it ends, and the last word is the result", () =>
    Effect.gen(function*() {
      const seen: Array<Batch.Progress> = []
      const answers = (_: unknown, { index }: TestLlm.Call) =>
        TestLlm.delayed(`${4 - index} seconds`, `Answer ${index}`)
      const fiber = yield* Batch.all(prompts(3), { onProgress: (progress) => Effect.sync(() => seen.push(progress)) })
        .pipe(Effect.provide(TestLlm.layer({ answers })), Effect.forkChild)
      yield* TestClock.adjust("10 seconds")
      const { exits: _, ...totals } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen.map(({ index }) => index), [2, 1, 0])
      assert.deepStrictEqual(seen.map(({ totals }) => totals.succeeded), [1, 2, 3])
      assert.deepStrictEqual(seen.at(-1)?.totals, totals)
    }))
})

describe("Batch.stream", () => {
  it.effect("stops calling when its reader has enough", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      const first = yield* Batch.stream(prompts(100), { concurrency: 1 }).pipe(Stream.take(3), Stream.runCollect)
      assert.strictEqual(first.length, 3)
      assert.isAtMost(control.started, 5)
      assert.strictEqual(control.running, 0)
    }).pipe(Effect.provide(TestLlm.echo)))

  it.effect("accounts for every request, whatever becomes of them", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20 })), { maxLength: 30 }),
          fc.integer({ min: 1, max: 8 }),
          (courses, concurrency) =>
            Effect.runPromise(
              Effect.gen(function*() {
                const control = yield* TestLlm.TestLlm
                const requests = courses.map((_, index) => ({ prompt: "Hello", label: String(index) }))
                const fiber = yield* Effect.forkChild(Batch.all(requests, { concurrency }))
                for (let i = 0; i < 31; i++) {
                  yield* TestClock.adjust("20 millis")
                  assert.isAtMost(control.running, concurrency)
                }
                const result = yield* Fiber.join(fiber)
                assert.deepStrictEqual(result.exits.map(Exit.isSuccess), courses.map(([ok]) => ok))
                assert.strictEqual(result.succeeded + result.failed, courses.length)
                assert.strictEqual(control.started, courses.length)
                const usages = result.exits.flatMap((exit) => Exit.isSuccess(exit) ? [exit.value.usage] : [])
                assert.deepStrictEqual(result.usage, usages.reduce(sumUsage, { input: {}, output: {} }))
              }).pipe(
                Effect.provide(Layer.merge(
                  TestLlm.layer({
                    answers: (request) => {
                      const [ok, lasts] = courses[Number(request.label)]!
                      return TestLlm.delayed(`${lasts} millis`, ok ? "Hi!" : TestLlm.overloaded())
                    }
                  }),
                  TestClock.layer()
                ))
              )
            )
        ),
        { numRuns: 40 }
      )
    ))
})
