import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import { LlmResponse } from "../../src/LlmResponse.ts"
import * as Budget from "../../src/policy/Budget.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

// A dollar per thousand tokens each way.
const prices = { "test/test-model": { input: 1000, output: 1000 } }

/** Ten input tokens by the estimate. */
const request = (more: Partial<LlmRequest> = {}): LlmRequest => ({ prompt: "x".repeat(40), ...more }) as LlmRequest

const answer = (output: number) =>
  new LlmResponse({
    parts: [{ type: "text", text: "Yes." }],
    finishReason: "stop",
    usage: { input: { total: 10, uncached: 10 }, output: { total: output } },
    model: "test-model",
    provider: "test",
    warnings: []
  })

const budgeted = (options: Partial<Budget.Options>, answers: TestLlm.Options["answers"] = () => answer(20)) =>
  Effect.gen(function*() {
    const { control, service } = TestLlm.make({ answers })
    return { control, service: yield* Budget.policy({ limit: 1, prices, ...options }).wrap(service) }
  })

describe("Budget: what is reserved for a call without maxTokens", () => {
  it.effect("is learned from the answers of the model, so that many calls at once have room", () =>
    Effect.gen(function*() {
      const { control, service } = yield* budgeted(
        { limit: 50 },
        (_, call) => call.index < 30 ? answer(20) : TestLlm.delayed("1 second", answer(20))
      )
      // Thousand tokens are expected at first; soon some twenty.
      for (let i = 0; i < 30; i++) yield* service.generate(request())
      const fiber = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 500 }), () => Effect.exit(service.generate(request())), {
          concurrency: "unbounded"
        })
      )
      yield* TestClock.adjust("2 seconds")
      const exits = yield* Fiber.join(fiber)
      assert.strictEqual(exits.filter(({ _tag }) => _tag === "Success").length, 500)
      assert.strictEqual(control.started, 530)
    }))

  it.effect("is what the application expects, and never more than maxTokens", () =>
    Effect.gen(function*() {
      const fits = (expect: Budget.Options["expect"], more?: Partial<LlmRequest>) =>
        Effect.gen(function*() {
          const { service } = yield* budgeted({ limit: 0.1, expect })
          return (yield* Effect.exit(service.generate(request(more))))._tag === "Success"
        })
      assert.isTrue(yield* fits(90))
      assert.isFalse(yield* fits(91))
      assert.isTrue(yield* fits(({ label }) => label === "short" ? 50 : 500, { label: "short" }))
      assert.isFalse(yield* fits(({ label }) => label === "short" ? 50 : 500, { label: "long" }))
      assert.isTrue(yield* fits(500, { maxTokens: 90 }))
      assert.isFalse(yield* fits(undefined, { maxTokens: 91 }))
    }))
})

describe("Budget: waiting for room", () => {
  const slow = () => TestLlm.delayed("2 seconds", answer(10))

  it.effect("a call waits until others have settled less than they had reserved", () =>
    Effect.gen(function*() {
      const { control, service } = yield* budgeted({ limit: 0.1, onExceeded: "wait" }, slow)
      const first = yield* Effect.forkChild(service.generate(request({ maxTokens: 80 })), { startImmediately: true })
      const second = yield* Effect.forkChild(service.generate(request({ maxTokens: 50 })), { startImmediately: true })
      yield* TestClock.adjust("1900 millis")
      assert.strictEqual(control.started, 1)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.strictEqual(control.started, 2)
    }))

  it.effect("no longer than allowed, and not at all where waiting cannot help", () =>
    Effect.gen(function*() {
      const { control, service } = yield* budgeted({ limit: 0.1, onExceeded: "wait", maxWait: "1 second" }, slow)
      const first = yield* Effect.forkChild(service.generate(request({ maxTokens: 80 })), { startImmediately: true })
      // More than the whole budget: nothing to wait for.
      const never = yield* Effect.flip(service.generate(request({ maxTokens: 200 })))
      assert.strictEqual(never.reason._tag, "BudgetExceeded")
      const late = yield* Effect.forkChild(Effect.flip(service.generate(request({ maxTokens: 50 }))), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(late)).reason._tag, "BudgetExceeded")
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(first)
      assert.strictEqual(control.started, 1)
    }))

  it.effect("an interrupted wait holds nothing", () =>
    Effect.gen(function*() {
      const { control, service } = yield* budgeted({ limit: 0.1, onExceeded: "wait" }, slow)
      const first = yield* Effect.forkChild(service.generate(request({ maxTokens: 80 })), { startImmediately: true })
      const waiting = yield* Effect.forkChild(service.generate(request({ maxTokens: 50 })), { startImmediately: true })
      yield* TestClock.adjust("100 millis")
      yield* Fiber.interrupt(waiting)
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(first)
      const next = yield* Effect.forkChild(service.generate(request({ maxTokens: 70 })), { startImmediately: true })
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(next)
      assert.strictEqual(control.started, 2)
    }))
})

describe("Budget: limits by request", () => {
  it.effect("each account has the limit that the application names for it", () =>
    Effect.gen(function*() {
      const { service } = yield* budgeted({
        limit: ({ scope }) => scope?.userId === "paying" ? 10 : 0.05,
        scope: "user"
      })
      const fits = (userId: string) =>
        Effect.map(
          Effect.exit(service.generate(request({ maxTokens: 100, scope: { userId } }))),
          ({ _tag }) => _tag === "Success"
        )
      assert.isTrue(yield* fits("paying"))
      assert.isFalse(yield* fits("trying"))
    }))
})
