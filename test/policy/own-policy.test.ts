import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { fold } from "../../src/LlmResponse.ts"
import * as Policy from "../../src/policy/Policy.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

interface Seen {
  readonly operation: string
  readonly events: Array<LlmEvent>
  readonly endings: Array<string>
}

/** A service that is looked on at, and what was seen of each call. */
const watched = (answers: ReadonlyArray<TestLlm.Answer>) => {
  const seen: Array<Seen> = []
  const { service } = TestLlm.make({ answers })
  const policy = Policy.make((service) =>
    Policy.observe(service, (_, operation) => {
      const mine: Seen = { operation, events: [], endings: [] }
      seen.push(mine)
      return {
        onEvents: (events) => mine.events.push(...events),
        onEnd: (ending) => mine.endings.push(ending._tag)
      }
    })
  )
  return Effect.map(policy.wrap(service), (service) => ({ service, seen }))
}

describe("Policies of an application", () => {
  it.effect("shows an observer each event of a stream once and nothing but the end of a whole answer", () =>
    Effect.gen(function*() {
      const { seen, service } = yield* watched(["Once upon a time", "Twice"])
      const events = yield* Stream.runCollect(service.stream({ prompt: "Tell" }))
      yield* service.generate({ prompt: "Tell" })
      assert.deepStrictEqual(seen.map(({ operation }) => operation), ["stream", "generate"])
      assert.deepStrictEqual(seen[0]!.events, [...events])
      assert.strictEqual(fold(seen[0]!.events)!.text, "Once upon a time")
      assert.deepStrictEqual(seen[1]!.events, [])
      assert.deepStrictEqual(seen.map(({ endings }) => endings), [["Finished"], ["Finished"]])
    }))

  it.effect("tells an observer once how a call ended that fails, is left, or is interrupted", () =>
    Effect.gen(function*() {
      const { seen, service } = yield* watched([
        TestLlm.overloaded(),
        TestLlm.overloaded(),
        "Once upon a time",
        TestLlm.never,
        TestLlm.never
      ])
      yield* Effect.flip(service.generate({ prompt: "Tell" }))
      yield* Effect.flip(Stream.runDrain(service.stream({ prompt: "Tell" })))
      yield* Stream.runDrain(Stream.take(service.stream({ prompt: "Tell" }), 1))
      for (const call of [service.generate({ prompt: "Tell" }), Stream.runDrain(service.stream({ prompt: "Tell" }))]) {
        const fiber = yield* Effect.forkChild(call, { startImmediately: true })
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
      }
      assert.deepStrictEqual(seen.map(({ endings }) => endings), [
        ["Failed"],
        ["Failed"],
        ["Abandoned"],
        ["Abandoned"],
        ["Abandoned"]
      ])
    }))

  it.effect("starts a call over until something of it was seen, and gives back what was held each time", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: [TestLlm.overloaded(), TestLlm.overloaded(), "Once"] })
      let held = 0
      const twice = Policy.make((service) =>
        Policy.attempts(service, (request) => {
          const first = { service, request }
          return Effect.succeed({
            first,
            next: ({ error, failed }) => failed.length < 3 ? Effect.succeed(first) : Effect.fail(error)
          })
        })
      )
      const holding = Policy.make((service) =>
        Policy.held(service, (request) =>
          Effect.sync(() => {
            held++
            return { request, end: () => Effect.sync(() => void held--) }
          }))
      )
      const policy = Policy.compose(holding, twice)
      const response = yield* Effect.flatMap(policy.wrap(service), (service) => service.generate({ prompt: "Tell" }))
      assert.strictEqual(response.text, "Once")
      assert.lengthOf(response.priorAttempts ?? [], 2)
      assert.strictEqual(held, 0)
      assert.lengthOf(control.calls, 3)
    }))
})
