import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { LlmResponse } from "../../src/LlmResponse.ts"
import { LlmService, type Service } from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello: LlmRequest = { prompt: "Hello" }

const candidate = (provider: string, ...answers: ReadonlyArray<TestLlm.Answer>) => {
  const { control, service } = TestLlm.make({ provider, model: `${provider}-1`, answers })
  return { control, service, layer: Layer.succeed(LlmService, service) }
}

const streamed = (service: Service, request: LlmRequest = hello) =>
  Effect.map(
    Stream.runFold(service.stream(request), () => [] as Array<LlmEvent>, (events, event) => [...events, event]),
    (events) => {
      const last = events.at(-1)!
      assert.strictEqual(events.filter((event) => event._tag === "ResponseStart").length, 1)
      return last._tag === "Finish" ? last.response : assert.fail("no Finish")
    }
  )

const operations = {
  generate: (service: Service, request: LlmRequest = hello) => service.generate(request),
  stream: streamed
}

/** Runs a call while time passes, and gives its exit. */
const after = (millis: number, call: Effect.Effect<LlmResponse, unknown>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.exit(call))
    yield* TestClock.adjust(Duration.millis(millis))
    return yield* Fiber.join(fiber)
  })

const success = <A>(exit: Exit.Exit<A, unknown>): A =>
  Exit.isSuccess(exit) ? exit.value : assert.fail(String(exit.cause))

for (const [operation, call] of Object.entries(operations)) {
  describe(`Hedge (${operation})`, () => {
    it.effect("sends one request when the answer begins in time", () =>
      Effect.gen(function*() {
        const a = candidate("a", TestLlm.delayed(999, "quick"))
        const b = candidate("b", "no")
        const exit = yield* after(999, call(Hedge.make(a.service, b.service, { after: "1 second" })))
        assert.strictEqual(success(exit).text, "quick")
        assert.strictEqual(b.control.started, 0)
      }))

    it.effect("takes the second candidate when it begins first, and interrupts the first", () =>
      Effect.gen(function*() {
        const a = candidate("a", TestLlm.delayed("10 seconds", "slow"))
        const b = candidate("b", TestLlm.delayed("1 second", "from b"))
        const exit = yield* after(3000, call(Hedge.make(a.service, b.service, { after: "2 seconds" })))
        assert.strictEqual(success(exit).provider, "b")
        assert.isUndefined(success(exit).priorAttempts)
        assert.deepStrictEqual([a.control.interrupted, a.control.running, b.control.finished], [1, 0, 1])
      }))

    it.effect("takes the first candidate when it begins first after all", () =>
      Effect.gen(function*() {
        const a = candidate("a", TestLlm.delayed("3 seconds", "from a"))
        const b = candidate("b", TestLlm.delayed("5 seconds", "no"))
        const exit = yield* after(3000, call(Hedge.make(a.service, b.service, { after: "2 seconds" })))
        assert.strictEqual(success(exit).provider, "a")
        assert.deepStrictEqual([b.control.interrupted, b.control.running], [1, 0])
      }))

    it.effect("asks the same service again when there is no other", () =>
      Effect.gen(function*() {
        const a = candidate("a", TestLlm.never, "second try")
        const service = yield* Hedge.policy({ after: "2 seconds" }).wrap(a.service)
        assert.strictEqual(success(yield* after(2000, call(service))).text, "second try")
        assert.deepStrictEqual([a.control.started, a.control.interrupted, a.control.finished], [2, 1, 1])
      }))

    it.effect("fails at once when the first fails before the delay", () =>
      Effect.gen(function*() {
        const a = candidate("a", TestLlm.overloaded())
        const b = candidate("b", "no")
        const error = yield* Effect.flip(call(Hedge.make(a.service, b.service, { after: "2 seconds" })))
        assert.deepStrictEqual([error.provider, error.attempts, b.control.started], ["a", 1, 0])
      }))

    it.effect("waits for the other when one fails after the delay, and says so", () =>
      Effect.gen(function*() {
        const a = candidate("a", TestLlm.delayed("3 seconds", TestLlm.network()))
        const b = candidate("b", TestLlm.delayed("4 seconds", "from b"))
        const exit = yield* after(6000, call(Hedge.make(a.service, b.service, { after: "2 seconds" })))
        assert.strictEqual(success(exit).provider, "b")
        assert.deepStrictEqual(success(exit).priorAttempts?.map(({ provider, reason }) => [provider, reason]), [
          ["a", "Network"]
        ])
      }))

    it.effect("gives the error of the first when both fail, with both requests counted", () =>
      Effect.gen(function*() {
        const a = candidate("a", TestLlm.delayed("5 seconds", TestLlm.network()))
        const b = candidate("b", TestLlm.overloaded())
        const error = yield* Effect.forkChild(
          Effect.flip(call(Hedge.make(a.service, b.service, { after: "2 seconds" })))
        )
        yield* TestClock.adjust("5 seconds")
        const { attempts, provider } = yield* Fiber.join(error)
        assert.deepStrictEqual([provider, attempts], ["a", 2])
      }))

    it.effect("never sends a request twice whose tools the provider runs", () =>
      Effect.gen(function*() {
        const a = candidate("a", TestLlm.delayed("10 seconds", "alone"))
        const b = candidate("b", "no")
        const request = { ...hello, tools: [LlmTool.provider("web_search", { type: "web_search" })] }
        const exit = yield* after(10_000, call(Hedge.make(a.service, b.service, { after: "1 second" }), request))
        assert.strictEqual(success(exit).text, "alone")
        assert.strictEqual(b.control.started, 0)
      }))

    it.effect("closes both when it is interrupted", () =>
      Effect.gen(function*() {
        const a = candidate("a", TestLlm.never)
        const b = candidate("b", TestLlm.never)
        const fiber = yield* Effect.forkChild(call(Hedge.make(a.service, b.service, { after: "1 second" })))
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual([a.control.running, b.control.running], [1, 1])
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual([a.control.running, b.control.running], [0, 0])
        assert.deepStrictEqual([a.control.interrupted, b.control.interrupted], [1, 1])
      }))

    it.effect("measures the delay: the 95th percentile of the latest calls", () =>
      Effect.gen(function*() {
        const delays = Array.from({ length: 20 }, (_, i) => (i + 1) * 100)
        const a = candidate("a", ...delays.map((delay) => TestLlm.delayed(delay, "quick")), TestLlm.never)
        const b = candidate("b", "from b")
        const service = Hedge.make(a.service, b.service)
        for (const delay of delays) yield* after(delay, call(service))
        assert.strictEqual(b.control.started, 0)
        const fiber = yield* Effect.forkChild(call(service))
        yield* TestClock.adjust("1899 millis")
        assert.strictEqual(b.control.started, 0)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* Fiber.join(fiber)).provider, "b")
      }))

    it.effect("uses the initial delay, or none, as long as too little was measured", () =>
      Effect.gen(function*() {
        const b = candidate("b", "from b")
        const slow = () => candidate("a", TestLlm.delayed("1 minute", "alone")).service
        assert.strictEqual(success(yield* after(60_000, call(Hedge.make(slow(), b.service)))).text, "alone")
        const hedged = Hedge.make(slow(), b.service, { initial: "5 seconds" })
        assert.strictEqual(success(yield* after(5000, call(hedged))).text, "from b")
      }))
  })
}

describe("Hedge", () => {
  it.effect("decides a stream by its first content, not by its start, and then keeps to it", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.hangAfter(2, "never seen"))
      const b = candidate("b", TestLlm.failAfter(3, "seen words", TestLlm.network()))
      const error = yield* Effect.forkChild(
        Effect.flip(streamed(Hedge.make(a.service, b.service, { after: "1 second" })))
      )
      yield* TestClock.adjust("1 second")
      const { partial, provider } = yield* Fiber.join(error)
      assert.deepStrictEqual([provider, partial?.text], ["b", "seen"])
      assert.deepStrictEqual([a.control.interrupted, b.control.failed], [1, 1])
    }))

  it.effect("closes the winner when the consumer stops reading", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.never)
      const b = candidate("b", TestLlm.hangAfter(4, "one two three"))
      const service = Hedge.make(a.service, b.service, { after: "1 second" })
      const fiber = yield* Effect.forkChild(Stream.runCollect(Stream.take(service.stream(hello), 3)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).length, 3)
      assert.deepStrictEqual([a.control.interrupted, b.control.interrupted], [1, 1])
    }))

  it.effect("shows a time limit around it what the winner sent", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.hangAfter(2, "no"))
      const b = candidate("b", TestLlm.hangAfter(4, "one two three"))
      const service = yield* Timeout.policy({ total: "10 seconds" }).wrap(
        Hedge.make(a.service, b.service, { after: "1 second" })
      )
      const fiber = yield* Effect.forkChild(Effect.flip(streamed(service)))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).partial?.text, "one two")
    }))

  it.effect("counts what was wasted: as reported, else the input as estimated", () =>
    Effect.gen(function*() {
      const usage: LlmEvent = { _tag: "UsageUpdate", usage: { input: { total: 70 }, output: { total: 1 } } }
      const value = (provider: string) =>
        Effect.map(
          Metric.value(Metric.withAttributes(Hedge.wastedTokens, { policy: "hedge", provider })),
          ({ count }) => count
        )
      const told = candidate("told", TestLlm.hangAfter(2, [{ _tag: "ResponseStart" }, usage]))
      yield* after(1000, streamed(Hedge.make(told.service, candidate("b", "hi").service, { after: "1 second" })))
      assert.strictEqual(yield* value("told"), 71)
      const silent = candidate("silent", TestLlm.never)
      yield* after(1000, streamed(Hedge.make(silent.service, candidate("b", "hi").service, { after: "1 second" })))
      assert.strictEqual(yield* value("silent"), 2)
      const won = Metric.withAttributes(Hedge.hedges, { provider: "silent", outcome: "won" })
      assert.strictEqual((yield* Metric.value(won)).count, 1)
    }))

  it.effect("pipes over layers, with the second candidate's requests rewritten", () => {
    const b = candidate("b", "from b")
    return Effect.gen(function*() {
      const service = yield* LlmService
      assert.strictEqual(success(yield* after(1000, service.generate(hello))).model, "b-small")
    }).pipe(Effect.provide(
      TestLlm.layer({ answers: [TestLlm.never] }).pipe(
        Hedge.policy({
          after: "1 second",
          candidate: Hedge.candidate(b.layer, { request: (request) => ({ ...request, model: "b-small" }) })
        })
      )
    ))
  })
})
