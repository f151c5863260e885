import { NodeRedis } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import type { Redis } from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import { isContent } from "../../src/LlmEvent.ts"
import type { LlmService } from "../../src/LlmService.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Concurrency from "../../src/policy/Concurrency.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import * as Policy from "../../src/policy/Policy.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const policies = {
  keys: () =>
    KeyPool.policy({
      keys: ["dead", "a", "b"].map((key) => ({ apiKey: Redacted.make(key) })),
      bench: "2 seconds"
    }),
  rate: () => RateLimit.policy({ requestsPerMinute: 1200, tokensPerMinute: 1_200_000, maxWait: "5 seconds" }),
  permits: () => Concurrency.policy({ permits: 3, maxQueue: 20, queueDeadline: "10 seconds" }),
  retry: () => Retry.policy({ base: "100 millis", retries: 2 }),
  breaker: () => CircuitBreaker.policy({ failures: 3, openFor: "1 second", maxOpenFor: "4 seconds" })
}
type Name = keyof typeof policies
const names: ReadonlyArray<Name> = ["keys", "rate", "permits", "retry", "breaker"]

const fates = [
  "finish",
  "overloaded",
  "cut",
  "cut early",
  "limited",
  "refused",
  "interrupt",
  "abandon",
  "hang"
] as const

describe("Limits, circuits and keys together", () => {
  it("keep nothing of a call that is over, in any order and whatever became of it", () =>
    fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...names], { minLength: 2 }),
        fc.array(
          fc.record({
            at: fc.integer({ min: 0, max: 8000 }),
            lasts: fc.integer({ min: 0, max: 1000 }),
            fate: fc.constantFrom(...fates),
            streamed: fc.boolean()
          }),
          { minLength: 1, maxLength: 25 }
        ),
        (order, script) =>
          Effect.gen(function*() {
            let calm = false
            const { control, service } = TestLlm.make({
              answers: (request) => {
                if (request.apiKey !== undefined && Redacted.value(request.apiKey) === "dead") {
                  return TestLlm.authentication()
                }
                if (calm) return TestLlm.delayed(50, "Hello again")
                const { fate, lasts } = script[Number(request.prompt)]!
                switch (fate) {
                  case "overloaded":
                    return TestLlm.delayed(lasts, TestLlm.overloaded())
                  case "cut":
                    return TestLlm.delayed(lasts, TestLlm.cutAfter(4, "Hello there"))
                  case "cut early":
                    return TestLlm.delayed(lasts, TestLlm.cutAfter(1, "Hello there"))
                  case "limited":
                    return TestLlm.delayed(lasts, TestLlm.rateLimit({ retryAfter: "1 second" }))
                  case "refused":
                    return TestLlm.validation()
                  case "hang":
                    return TestLlm.hangAfter(4, "Hello there")
                  default:
                    return TestLlm.delayed(lasts, "Hello there")
                }
              }
            })
            const stacked = yield* Policy.compose(...order.map((name) => policies[name]())).wrap(service)
            const fibers = yield* Effect.forEach(script, ({ at, fate, lasts, streamed }, index) => {
              const request = { prompt: String(index) }
              let contents = 0
              const read = Stream.runForEach(stacked.stream(request), (event) =>
                Effect.sync(() => {
                  if (isContent(event)) contents++
                }))
              const call: Effect.Effect<unknown, LlmError> = fate === "abandon"
                ? Stream.runDrain(Stream.take(stacked.stream(request), 2))
                : streamed
                ? read
                : stacked.generate(request)
              const cut = fate === "interrupt" || fate === "hang"
                ? Effect.timeoutOption(call, Math.max(1, lasts - 1))
                : call
              return Effect.forkChild(Effect.andThen(
                Effect.sleep(at),
                Effect.map(Effect.exit(cut), (exit) => ({ contents, exit }))
              ))
            })
            for (let i = 0; i < 200; i++) yield* TestClock.adjust(500)
            for (const fiber of fibers) {
              const { contents, exit } = yield* Fiber.join(fiber)
              assert.isTrue(exit._tag === "Success" || exit.cause.reasons.every(({ _tag }) => _tag === "Fail"))
              assert.isAtMost(contents, 2)
            }
            assert.strictEqual(control.running, 0)
            // A calm time: a probe closes the circuit, and then as many calls as there are permits go at once.
            calm = true
            yield* stacked.generate({ prompt: "0" }).pipe(
              Effect.forkChild,
              Effect.tap(() => TestClock.adjust("10 seconds")),
              Effect.flatMap(Fiber.join)
            )
            const last = yield* Effect.forkChild(
              Effect.forEach([1, 2, 3], () => Stream.runDrain(stacked.stream({ prompt: "0" })), {
                concurrency: "unbounded"
              })
            )
            yield* TestClock.adjust(1)
            assert.isAtLeast(control.running, 3)
            yield* TestClock.adjust("1 second")
            yield* Fiber.join(last)
            assert.strictEqual(control.running, 0)
          }).pipe(Effect.provide(TestClock.layer()), Effect.scoped, Effect.runPromise)
      ),
      { numRuns: 60 }
    ))

  it("say in their types what a shared store needs", () => {
    const nothing: Policy.Policy = Policy.compose(CircuitBreaker.policy(), RateLimit.policy({ requestsPerMinute: 1 }))
    const shared = Policy.compose(
      CircuitBreaker.policy({ store: CircuitBreaker.storeRedis() }),
      RateLimit.policy({ store: RateLimit.storeRedis(), requestsPerMinute: 1 })
    )
    const needs: Policy.Policy<LlmError, Redis | Scope> = shared
    // @ts-expect-error a shared store needs Redis
    const wrong: Policy.Policy = shared
    const layer: Layer.Layer<LlmService | TestLlm.TestLlm, LlmError, Redis> = TestLlm.layer().pipe(shared)
    const fromContext: Policy.Policy<LlmError, RateLimit.Store | Scope> = RateLimit.policy({
      store: RateLimit.storeShared
    })
    const failing = CircuitBreaker.policy({ store: CircuitBreaker.storeMemory() }).wrap
    assert.lengthOf([nothing, needs, wrong, layer, fromContext, failing, NodeRedis.layer], 7)
  })
})
