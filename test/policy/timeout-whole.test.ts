/** What `Timeout.policy` does with whole answers, whoever gives them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { LlmResponse } from "../../src/LlmResponse.ts"
import type { Service } from "../../src/LlmService.ts"
import type * as Policy from "../../src/policy/Policy.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import { Activity } from "../../src/stream/activity.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello: LlmRequest = { prompt: "Hello" }

type Told = (activity: Activity) => void

/** What is told, as `[after so many seconds, what]`; then nothing more happens, or the answer comes. */
const attempt = (steps: ReadonlyArray<readonly [number, Told]>, end: Effect.Effect<LlmResponse, LlmError>) =>
  Effect.gen(function*() {
    const activity = yield* Activity
    for (const [seconds, tell] of steps) {
      yield* Effect.sleep(seconds * 1000)
      tell(activity)
    }
    return yield* end
  })

const connected: Told = (activity) => activity.connected()
const byte: Told = (activity) => activity.touch()

const given = (
  attempts: ReadonlyArray<Effect.Effect<LlmResponse, LlmError>>,
  ...policies: ReadonlyArray<Policy.Policy>
) =>
  Effect.gen(function*() {
    const left = [...attempts]
    let service: Service = { ...TestLlm.make().service, generate: () => left.shift()! }
    for (const policy of policies) service = yield* policy.wrap(service)
    return service
  })

/** In which phase a call fails, and after how many seconds; `ok` when it does not. */
const outcome = (call: Effect.Effect<LlmResponse, LlmError>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(
      Effect.match(call, {
        onSuccess: () => "ok",
        onFailure: ({ reason }) => reason._tag === "Timeout" ? reason.phase : reason._tag
      })
    )
    let seconds = 0
    for (; fiber.pollUnsafe() === undefined && seconds < 10_000; seconds++) yield* TestClock.adjust("1 second")
    return [yield* Fiber.join(fiber), seconds] as const
  })

const answer = Effect.suspend(() => TestLlm.make({ answers: ["Hello."] }).service.generate(hello))

describe("Timeout of whole answers", () => {
  it.effect("leaves connect to the transport: an answer slower than it succeeds", () =>
    Effect.gen(function*() {
      const slow = attempt([[150, connected]], answer)
      const service = yield* given([slow], Timeout.policy({ connect: "5 seconds", firstToken: "20 seconds" }))
      assert.deepStrictEqual(yield* outcome(service.generate(hello)), ["ok", 150])
    }))

  it.effect("ends headers without a byte, but not an answer whose headers are late", () =>
    Effect.gen(function*() {
      const policy = Timeout.policy({ firstByte: "30 seconds", idle: "10 seconds" })
      const silent = yield* given([attempt([[100, connected]], Effect.never)], policy)
      assert.deepStrictEqual(yield* outcome(silent.generate(hello)), ["firstByte", 130])
      const begun = yield* given([attempt([[100, connected], [29, byte]], Effect.never)], policy)
      assert.deepStrictEqual(yield* outcome(begun.generate(hello)), ["idle", 139])
      const pinging = yield* given([
        attempt([[1, connected], ...Array.from({ length: 20 }, () => [9, byte] as const)], answer)
      ], policy)
      assert.deepStrictEqual(yield* outcome(pinging.generate(hello)), ["ok", 181])
    }))

  it.effect("counts anew for each attempt inside, and not between them", () =>
    Effect.gen(function*() {
      const broken = attempt([[1, connected]], TestLlm.make({ answers: [TestLlm.network()] }).service.generate(hello))
      const service = yield* given(
        [broken, attempt([[8, connected], [8, byte]], answer)],
        Retry.policy({ base: "60 seconds", jitter: false, cap: "2 minutes" }),
        Timeout.policy({ firstByte: "10 seconds" })
      )
      assert.deepStrictEqual(yield* outcome(service.generate(hello)), ["ok", 1 + 60 + 16])
    }))

  it.effect("gives way to the request's own limit", () =>
    Effect.gen(function*() {
      const service = yield* given(
        [attempt([[1, connected]], Effect.never)],
        Timeout.policy({ firstByte: "30 seconds" })
      )
      const call = service.generate({ ...hello, timeouts: { firstByte: "3 seconds" } })
      assert.deepStrictEqual(yield* outcome(call), ["firstByte", 4])
    }))
})
