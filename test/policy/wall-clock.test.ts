import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Balance from "../../src/policy/Balance.ts"
import * as Cache from "../../src/policy/Cache.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello: LlmRequest = { prompt: "Hello" }

/** Runs an effect while the wall clock is an hour behind; other time goes on as before. */
const anHourEarlier = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() - 3_600_000
    return Effect.provideService(effect, Clock.Clock, {
      currentTimeMillisUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
      currentTimeNanosUnsafe: () => BigInt(currentTimeMillisUnsafe()) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(currentTimeMillisUnsafe()) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    })
  })

const rateLimitedOnce = (answers: number) =>
  TestLlm.make({ answers: (_, call) => call.index < answers ? TestLlm.rateLimit() : "Hello" })

interface Case {
  readonly name: string
  /** The service, and how often the provider was asked. */
  readonly made: Effect.Effect<{ readonly service: Service; readonly asked: () => number }, LlmError>
  readonly calls: number
  readonly seconds: number
}

const wrapped = (
  limits: number,
  wrap: (service: Service) => Effect.Effect<Service, LlmError>
): Case["made"] =>
  Effect.suspend(() => {
    const { control, service } = rateLimitedOnce(limits)
    return Effect.map(wrap(service), (service) => ({ service, asked: () => control.started }))
  })

const other = TestLlm.make({ provider: "other", answers: () => "From the other one." }).service

const cases: ReadonlyArray<Case> = [
  {
    name: "a candidate of Fallback that was benched is asked again",
    made: wrapped(3, (service) => Effect.succeed(Fallback.make([service, other], { benchFor: "30 seconds" }))),
    calls: 3,
    seconds: 31
  },
  {
    name: "a candidate of Balance that was skipped is asked again",
    made: wrapped(
      1,
      (service) =>
        Effect.succeed(Balance.make([Balance.candidate(service, { tier: 0 }), Balance.candidate(other, { tier: 1 })]))
    ),
    calls: 1,
    seconds: 31
  },
  {
    name: "a key that was benched is used again",
    made: wrapped(
      1,
      (service) => KeyPool.policy({ keys: [{ apiKey: Redacted.make("one") }], bench: "30 seconds" }).wrap(service)
    ),
    calls: 1,
    seconds: 31
  },
  {
    name: "an open circuit lets a probe through",
    made: wrapped(5, (service) => CircuitBreaker.policy({ openFor: "30 seconds" }).wrap(service)),
    calls: 5,
    seconds: 31
  },
  {
    name: "an empty bucket fills",
    made: wrapped(0, (service) => RateLimit.policy({ requestsPerMinute: 1, maxWait: "1 second" }).wrap(service)),
    calls: 1,
    seconds: 61
  },
  {
    name: "an old answer is not served",
    made: wrapped(0, (service) => Cache.policy({ partition: () => "tests", ttl: "30 seconds" }).wrap(service)),
    calls: 1,
    seconds: 31
  }
]

describe("a wall clock that is set back by an hour", () => {
  for (const { calls, made, name, seconds } of cases) {
    it.effect(`changes no interval: ${name}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const { asked, service } = yield* made
        for (let i = 0; i < calls; i++) yield* Effect.exit(service.generate(hello))
        const before = asked()
        yield* TestClock.adjust(`${seconds} seconds`)
        const fiber = yield* Effect.forkChild(anHourEarlier(Effect.exit(service.generate(hello))), {
          startImmediately: true
        })
        yield* TestClock.adjust("900 millis")
        yield* Fiber.join(fiber)
        assert.strictEqual(asked(), before + 1)
      })))
  }
})
