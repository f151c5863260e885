// What is told to whoever listens to events: what happened, whose call it was, when; with names that a backend bears.
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { type About, emit, type Event, type EventDetail, EventSink } from "../../src/stream/emit.ts"

const told = (about: About, detail: () => EventDetail) => {
  const events: Array<Event> = []
  return Effect.as(
    Effect.provideService(emit(about, detail), EventSink, (event) => void events.push(event)),
    events
  )
}

const long = "x".repeat(300)
const cut = `${"x".repeat(255)}…`

describe("An event", () => {
  it("has an id of its own, its moment, and of the call what that says of itself", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({
          scope: fc.constantFrom(undefined, { requestId: "r", userId: "u" }),
          label: fc.constantFrom(undefined, "mine"),
          metadata: fc.constantFrom(undefined, { a: 1 })
        }),
        (about) =>
          Effect.gen(function*() {
            yield* TestClock.setTime(1_700_000_000_000)
            const [first] = yield* told(about, () => ({ _tag: "CircuitClosed", key: "k" }))
            const [second] = yield* told(about, () => ({ _tag: "CircuitClosed", key: "k" }))
            const { eventId, timestamp, ...rest } = first!
            const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
            assert.match(eventId, uuid)
            assert.notStrictEqual(eventId, second!.eventId)
            assert.strictEqual(DateTime.toEpochMillis(timestamp), 1_700_000_000_000)
            const said = Object.fromEntries(Object.entries(about).filter(([, value]) => value !== undefined))
            assert.deepStrictEqual({ ...rest }, { _tag: "CircuitClosed", key: "k", ...said } as never)
          }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise)
      ),
      { numRuns: 12 }
    ))

  it.effect("has names of models and requests that a server chose, cut where they are too long", () =>
    Effect.gen(function*() {
      const call = { _tag: "ProviderCall", provider: "p", operation: "generate", durationMillis: 1 } as const
      const names = ([event]: ReadonlyArray<Event>) =>
        event?._tag === "ProviderCall" ? [event.model, "requestId" in event ? event.requestId : undefined] : undefined
      for (const [requestId, shown] of [["r", "r"], [long, cut], [undefined, undefined]] as const) {
        const detail = { ...call, model: long, status: "finished", requestId } as unknown as EventDetail
        assert.deepStrictEqual(names(yield* told({}, () => detail)), [cut, shown])
      }
      const from = { provider: "a", model: long }
      const [failOver] = yield* told({}, () => ({ _tag: "FailOver", from, to: from, reason: "Network" }))
      assert.deepStrictEqual(failOver?._tag === "FailOver" ? [failOver.from, failOver.to] : [], [
        { provider: "a", model: cut },
        { provider: "a", model: cut }
      ])
    }))

  it.effect("is not made where nobody listens", () => emit({}, () => assert.fail()))
})
