import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import * as LlmResponse from "../../src/LlmResponse.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as Message from "../../src/Message.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello = { prompt: "Hello" }

describe("TestLlm", () => {
  it.effect("echoes the last user text, streamed in words", () =>
    Effect.gen(function*() {
      const request = { messages: [Message.user("first"), Message.assistant("no"), Message.user("the last  words\n")] }
      const events = yield* Stream.runCollect(LlmService.stream(request))
      const deltas = events.filter((event) => event._tag === "TextDelta").map((event) => event.text)
      assert.deepStrictEqual(deltas, ["the", " last", "  words\n"])
      assert.strictEqual((yield* LlmService.generate(request)).text, "the last  words\n")
    }).pipe(Effect.provide(TestLlm.echo)))

  it.effect("answers in the order of the script, with text, parts, a response, events, a stream or a function", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      const texts: Array<string> = []
      for (let i = 0; i < 8; i++) texts.push((yield* LlmService.generate(hello)).text)
      assert.deepStrictEqual(texts, ["text", "part", "a b", "whole", "whole", "whole", "Hello?", "effect"])
      assert.strictEqual(control.finished, 8)
      assert.strictEqual(control.remaining, 0)
    }).pipe(Effect.provide(TestLlm.layer({
      answers: [
        "text",
        Message.text("part"),
        [Message.text("a "), Message.text("b")],
        whole,
        LlmResponse.toEvents(whole),
        Stream.fromIterable(LlmResponse.toEvents(whole)),
        (request) => `${request.prompt}?`,
        () => Effect.succeed("effect")
      ]
    }))))

  it.effect("gives the same answer to generate and to the fold of stream", () =>
    Effect.gen(function*() {
      const call: Message.ToolCallPart = { type: "tool-call", id: "c1", name: "add", arguments: { a: 1 } }
      const { service } = TestLlm.make({ answers: () => [Message.text("one two"), call] })
      const whole = yield* service.generate(hello)
      const folded = LlmResponse.fold(yield* Stream.runCollect(service.stream(hello)))
      assert.deepStrictEqual({ ...folded, id: "" }, { ...whole, id: "" })
      assert.strictEqual(whole.finishReason, "tool-calls")
      assert.deepStrictEqual(whole.usage.output, { total: 2, text: 2, reasoning: 0 })
    }))

  it.effect("fails with a reason, naming provider, model and operation", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({
        provider: "anthropic",
        model: "claude",
        answers: [TestLlm.rateLimit({ retryAfter: "2 seconds" }), TestLlm.serverError(503)]
      })
      const first = yield* Effect.flip(service.generate(hello))
      assert.strictEqual(first.message, "anthropic/claude: RateLimit 429: Too many requests.")
      const second = yield* Effect.flip(Stream.runDrain(service.stream(hello)))
      assert.strictEqual(second.operation, "stream")
      assert.strictEqual(control.failed, 2)
    }))

  it.effect("fails after some events with what had come as partial output", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({ answers: () => TestLlm.failAfter(4, "one two three", TestLlm.network()) })
      for (const call of [service.generate(hello), Stream.runDrain(service.stream(hello))]) {
        const error = yield* Effect.flip(call)
        assert.strictEqual(error.reason._tag, "Network")
        assert.isTrue(error.isRetryable)
        assert.strictEqual(error.partial?.text, "one two")
      }
    }))

  it.effect("reports a stream that was cut as incomplete", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({ answers: [TestLlm.cutAfter(100, "one two")] })
      const error = yield* Effect.flip(service.generate(hello))
      assert.strictEqual(error.reason._tag, "IncompleteStream")
      assert.strictEqual(error.partial?.text, "one two")
    }))

  it.effect("takes a scripted stream that breaks the laws for what it can mean", () =>
    Effect.gen(function*() {
      const unlawful = Stream.make<ReadonlyArray<LlmEvent>>(
        { _tag: "TextDelta", index: 0, text: "never " },
        { _tag: "TextDelta", index: 0, text: "opened" },
        { _tag: "ReasoningDelta", index: 1, text: "nor this" },
        { _tag: "ToolCallDelta", index: 2, id: "c1", delta: "{}" },
        { _tag: "TextEnd", index: 3, part: { type: "text", text: ", closed" } },
        { _tag: "TextDelta", index: 3, text: "too late" }
      )
      const { service } = TestLlm.make({ answers: () => unlawful })
      for (const call of [service.generate(hello), Stream.runDrain(service.stream(hello))]) {
        const error = yield* Effect.flip(call)
        assert.strictEqual(error.reason._tag, "IncompleteStream")
        assert.strictEqual(error.partial?.text, "never opened, closed")
        assert.strictEqual(error.partial?.reasoningText, "nor this")
        assert.deepStrictEqual(error.partial?.toolCalls, [])
      }
    }))

  it.effect("names the request of an unexpected call", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: ["only one"] })
      yield* service.generate(hello)
      const error = yield* Effect.flip(service.generate({ messages: [Message.user("What else?")], model: "m" }))
      assert.strictEqual(error.reason._tag, "Validation")
      assert.include(error.message, "Unexpected call 2 (generate): the script has 1 answer.")
      assert.include(error.message, "user: \"What else?\" (1 message, model m)")
      assert.strictEqual(control.requests.length, 2)
      assert.strictEqual(control.failed, 1)
    }))

  it.effect("refuses a request that no provider could answer, as providers do", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({ answers: () => "never" })
      const error = yield* Effect.flip(service.generate({ messages: [] }))
      assert.strictEqual(error.reason._tag, "Validation")
    }))

  it.effect("delays by the clock and counts running and interrupted calls", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: [TestLlm.delayed("5 seconds", "late"), TestLlm.never] })
      const fiber = yield* Effect.forkChild(service.generate(hello))
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(control.running, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).text, "late")
      const hanging = yield* Effect.forkChild(Stream.runDrain(service.stream(hello)))
      yield* TestClock.adjust("1 hour")
      yield* Fiber.interrupt(hanging)
      assert.deepStrictEqual(control.calls.map((call) => call.status), ["finished", "interrupted"])
    }))

  it.effect("counts a stream that its consumer left as interrupted", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: [TestLlm.paced("1 second", "one two three")] })
      const fiber = yield* Effect.forkChild(Stream.runCollect(Stream.take(service.stream(hello), 3)))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).length, 3)
      assert.strictEqual(control.interrupted, 1)
    }))

  it.effect("takes more answers while it runs", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make()
      yield* control.push("one", "two")
      assert.strictEqual((yield* service.generate(hello)).text, "one")
      assert.strictEqual(control.remaining, 1)
    }))
})

const whole = new LlmResponse.LlmResponse({
  parts: [Message.text("whole")],
  finishReason: "stop",
  usage: { input: { total: 3 }, output: { total: 1 } },
  model: "m",
  provider: "p",
  warnings: []
})
