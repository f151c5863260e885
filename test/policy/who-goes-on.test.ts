// Who goes on where an answer broke is told to whoever listens: another provider or another model is a fail-over, the same one is none.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Continue from "../../src/policy/Continue.ts"
import { type Event, EventSink } from "../../src/stream/emit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const story = "Once upon a time there was a lighthouse by the sea"

describe("A continuation", () => {
  it.effect.each<readonly [provider: string, model: string, isFailOver: boolean]>([
    ["a", "1", false],
    ["a", "2", true],
    ["b", "1", true],
    ["b", "2", true]
  ])("of a/1 by %s", ([provider, model, isFailOver]) =>
    Effect.gen(function*() {
      const events: Array<Event> = []
      const first = TestLlm.make({
        provider: "a",
        model: "1",
        answers: [TestLlm.failAfter(6, story, TestLlm.network())]
      })
      const other = TestLlm.make({ provider, model, answers: [story] })
      const service = Continue.make(first.service, [other.service])
      yield* Stream.runDrain(service.stream({ prompt: "Tell a story.", label: "mine" })).pipe(
        Effect.provideService(EventSink, (event) => void events.push(event))
      )
      const told = events.filter((event) => event._tag === "FailOver")
      assert.deepStrictEqual(
        told.map(({ from, label, reason, to }) => ({ from, to, reason, label })),
        isFailOver
          ? [{ from: { provider: "a", model: "1" }, to: { provider, model }, reason: "Network", label: "mine" }]
          : []
      )
    }))
})
