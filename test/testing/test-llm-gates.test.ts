import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import type * as LlmService from "../../src/LlmService.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const ask = (service: LlmService.Service, prompt = "Hello") =>
  Effect.map(service.generate({ prompt }), ({ text }) => text)

describe("A gate", () => {
  it.effect("holds a call until the test lets it go on", () =>
    Effect.gen(function*() {
      const gate = yield* TestLlm.gate
      const { control, service } = TestLlm.make({
        answers: [gate.hold("first"), gate.hold("second"), gate.hold("third")]
      })
      const fibers = yield* Effect.forEach(["a", "b"], (prompt) => Effect.forkChild(ask(service, prompt)))
      assert.strictEqual((yield* gate.arrived(2)).prompt, "b")
      assert.strictEqual((yield* gate.arrived()).prompt, "a")
      assert.deepStrictEqual([yield* gate.held, control.running, control.finished], [2, 2, 0])
      yield* gate.release
      assert.strictEqual(yield* Fiber.join(fibers[0]!), "first")
      assert.deepStrictEqual([yield* gate.held, control.running], [1, 1])
      yield* gate.open
      assert.strictEqual(yield* Fiber.join(fibers[1]!), "second")
      assert.strictEqual(yield* ask(service), "third")
    }))

  it.effect("holds a stream in its midst", () =>
    Effect.gen(function*() {
      const gate = yield* TestLlm.gate
      const { service } = TestLlm.make({ answers: [gate.hold("one two three", { after: 3 })] })
      const seen: Array<string> = []
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(service.stream({ prompt: "x" }), (event) => Effect.sync(() => seen.push(event._tag)))
      )
      yield* gate.arrived()
      assert.deepStrictEqual(seen, ["ResponseStart", "TextStart", "TextDelta"])
      yield* gate.release
      yield* Fiber.join(fiber)
      assert.strictEqual(seen.at(-1), "Finish")
    }))

  it.effect("may be released before anybody comes, and forgets who was given up", () =>
    Effect.gen(function*() {
      const gate = yield* TestLlm.gate
      const { control, service } = TestLlm.make({ answers: () => gate.hold("x") })
      yield* gate.release
      assert.strictEqual(yield* ask(service), "x")
      const fiber = yield* Effect.forkChild(ask(service))
      yield* gate.arrived(2)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([yield* gate.held, control.interrupted], [0, 1])
    }))
})

describe("An expectation", () => {
  it.effect("answers the calls it is for, in whatever order they come", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({
        answers: [
          TestLlm.when("France", "Paris"),
          TestLlm.when(/weather/gi, "Sunny", { times: 2 }),
          TestLlm.when((request) => request.model === "small", "Small", { times: Number.POSITIVE_INFINITY }),
          "Anything"
        ]
      })
      assert.strictEqual(yield* ask(service, "Weather?"), "Sunny")
      assert.strictEqual(yield* ask(service, "Capital of Spain?"), "Anything")
      assert.strictEqual(yield* ask(service, "Capital of France?"), "Paris")
      assert.deepStrictEqual(control.open, ["a request with /weather/gi"])
      assert.strictEqual(control.remaining, 1)
      const left = yield* Effect.flip(Effect.as(control.verify, "nothing"))
      assert.include(left.message, "Nobody made a request with /weather/gi.")
      assert.strictEqual(yield* ask(service, "Weather again?"), "Sunny")
      yield* control.verify
      assert.strictEqual((yield* service.generate({ prompt: "x", model: "small" })).text, "Small")
      assert.strictEqual((yield* service.generate({ prompt: "y", model: "small" })).text, "Small")
    }))

  it.effect("that is not met tells what it was, and so does the check at the end", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: [TestLlm.when("France", "Paris")] })
      const error = yield* Effect.flip(ask(service, "Capital of Spain?"))
      assert.include(error.message, "Unexpected call 1")
      assert.include(error.message, "Expected is a request with \"France\"")
      assert.strictEqual(yield* ask(service, "France"), "Paris")
      const problem = yield* Effect.flip(Effect.as(control.verify, "nothing"))
      assert.include(problem.message, "Spain")
    }))

  it.effect("can be added later", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make()
      yield* control.push(TestLlm.when("a", "A"), "rest", TestLlm.when("never", "x", { times: 0 }))
      assert.deepStrictEqual(control.open, ["a request with \"a\"", "a request"])
      assert.strictEqual(yield* ask(service, "zzz"), "rest")
      assert.strictEqual(yield* ask(service, "a"), "A")
    }))
})
