import { assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import { LlmService, type Service } from "../../src/LlmService.ts"
import * as Message from "../../src/Message.ts"
import * as Balance from "../../src/policy/Balance.ts"
import { priceOf, rendezvous } from "../../src/policy/candidates/ranking.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello: LlmRequest = { prompt: "Hello" }

const always = (
  provider: string,
  answer: TestLlm.Answer = (): TestLlm.Answer => `from ${provider}`,
  options: Balance.CandidateOptions = {}
) => {
  const { control, service } = TestLlm.make({ provider, model: "m", answers: () => answer })
  return { control, service: Balance.candidate(service, options) }
}

const make = (
  candidates: ReadonlyArray<{ readonly service: Service }>,
  options?: Balance.Options
): Service => {
  const [first, ...rest] = candidates.map(({ service }) => service)
  return Balance.make([first!, ...rest], options)
}

const counts = (candidates: ReadonlyArray<{ readonly control: TestLlm.Control }>) =>
  candidates.map(({ control }) => control.started)

const providers = (service: Service, calls: number, request: LlmRequest = hello) =>
  Effect.gen(function*() {
    const out: Array<string> = []
    for (let i = 0; i < calls; i++) out.push((yield* service.generate(request)).provider)
    return out.join("")
  })

describe("Balance", () => {
  it.effect("draws by weight", () =>
    Effect.gen(function*() {
      const all = [always("a", undefined, { weight: 3 }), always("b"), always("c", undefined, { weight: 0 })]
      yield* Effect.repeat(make(all).generate(hello), { times: 999 })
      const [a = 0, b = 0, c] = counts(all)
      assert.strictEqual(c, 0)
      assert.strictEqual(a + b, 1000)
      assert.isAbove(a, 680)
      assert.isBelow(a, 820)
    }).pipe(Random.withSeed("weights")))

  it.effect("takes turns", () =>
    Effect.gen(function*() {
      const service = make([always("a"), always("b"), always("c")], { strategy: "round-robin" })
      assert.strictEqual(yield* providers(service, 7), "abcabca")
    }))

  it.effect("goes where fewest calls run, streams included until they end", () =>
    Effect.gen(function*() {
      const all = [always("a", TestLlm.hangAfter(4, "one two three")), always("b", TestLlm.never)]
      const service = make(all, { strategy: "least-busy" })
      const fibers = []
      for (let i = 0; i < 4; i++) fibers.push(yield* Effect.forkChild(Stream.runDrain(service.stream(hello))))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(counts(all), [2, 2])
      for (const [i, fiber] of fibers.entries()) if (i % 2 === 0) yield* Fiber.interrupt(fiber)
      const idle = all.map(({ control }) => control.running)
      for (let i = 0; i < 2; i++) yield* Effect.forkChild(Stream.runDrain(service.stream(hello)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(Math.min(...idle), 0)
      assert.deepStrictEqual(all.map(({ control }) => control.running), [2, 2])
    }))

  it.effect("goes where the first token came soonest, on average, and asks everybody once", () =>
    Effect.gen(function*() {
      let slow: Duration.Input = "2 seconds"
      const all = [
        always("a", () => TestLlm.delayed(slow, "x")),
        always("b", TestLlm.delayed("1 second", "x")),
        always("c", TestLlm.delayed("3 seconds", "x"))
      ]
      const service = make(all, { strategy: "lowest-latency", smoothing: 1 })
      const call = Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Stream.runDrain(service.stream(hello)))
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.join(fiber)
      })
      for (let i = 0; i < 8; i++) yield* call
      assert.deepStrictEqual(counts(all), [1, 6, 1])
      slow = 0
      // Whole answers are measured apart.
      for (let i = 0; i < 3; i++) {
        const fiber = yield* Effect.forkChild(service.generate(hello))
        yield* TestClock.adjust("3 seconds")
        yield* Fiber.join(fiber)
      }
      assert.deepStrictEqual(counts(all), [2, 7, 2])
    }))

  it.effect("goes where it is cheapest, and to unknown prices last", () =>
    Effect.gen(function*() {
      const all = [
        always("a"),
        always("b", undefined, { prices: { input: 1, output: 10 } }),
        always("c", undefined, { prices: { input: 3, output: 2 } })
      ]
      const service = make(all, { strategy: "cheapest" })
      assert.strictEqual(yield* providers(service, 2), "cc")
      assert.strictEqual(yield* providers(service, 2, { prompt: "word ".repeat(4000), maxTokens: 10 }), "bb")
    }))

  it.effect("draws by the inverse square of the price", () =>
    Effect.gen(function*() {
      const all = [
        always("a", undefined, { prices: { input: 1, output: 1 } }),
        always("b", undefined, { prices: { input: 2, output: 2 } })
      ]
      yield* Effect.repeat(make(all, { strategy: "inverse-square-price" }).generate(hello), { times: 999 })
      const [a = 0] = counts(all)
      assert.isAbove(a, 750)
      assert.isBelow(a, 850)
    }).pipe(Random.withSeed("prices")))

  it("prices a request by the tier of its input", () => {
    const prices = { input: 1, output: 2, tiers: [{ aboveInputTokens: 200, input: 10, output: 20 }] }
    assert.closeTo(priceOf(prices, 200, 100), 400e-6, 1e-12)
    assert.closeTo(priceOf(prices, 201, 100), 4010e-6, 1e-12)
  })

  it.effect("asks a higher tier only when the lower ones failed or are skipped", () =>
    Effect.gen(function*() {
      const busy = TestLlm.overloaded({ retryAfter: "10 seconds" })
      const all = [always("a", undefined, { tier: 1, weight: 100 }), always("b", busy), always("c", busy)]
      const service = make(all)
      const response = yield* service.generate(hello)
      assert.strictEqual(response.provider, "a")
      assert.deepStrictEqual(response.priorAttempts?.map(({ provider }) => provider).toSorted(), ["b", "c"])
      yield* service.generate(hello)
      assert.deepStrictEqual(counts(all), [2, 1, 1])
    }))

  for (const operation of ["generate", "stream"] as const) {
    it.effect(`hands over before the first content and skips the failed one for its retryAfter (${operation})`, () =>
      Effect.gen(function*() {
        const all = [always("a", TestLlm.serverError(503, { retryAfter: "20 seconds" })), always("b")]
        const service = make(all, { strategy: "round-robin" })
        const call = operation === "generate" ? service.generate(hello) : Stream.runDrain(service.stream(hello))
        for (let i = 0; i < 5; i++) yield* call
        assert.deepStrictEqual(counts(all), [1, 5])
        yield* TestClock.adjust("20 seconds")
        for (let i = 0; i < 2; i++) yield* call
        assert.deepStrictEqual(counts(all), [2, 7])
      }))
  }

  it.effect("skips a candidate without capacity that did not say how long, for 30 seconds", () =>
    Effect.gen(function*() {
      const all = [always("a", TestLlm.rateLimit()), always("b")]
      const service = make(all, { strategy: "round-robin" })
      for (let i = 0; i < 4; i++) yield* service.generate(hello)
      assert.deepStrictEqual(counts(all), [1, 4])
      yield* TestClock.adjust("30 seconds")
      for (let i = 0; i < 2; i++) yield* service.generate(hello)
      assert.deepStrictEqual(counts(all), [2, 6])
    }))

  it.effect("skips a candidate whose stream broke late with a delay", () =>
    Effect.gen(function*() {
      const all = [
        always("a", TestLlm.failAfter(3, "seen words", TestLlm.overloaded({ retryAfter: "20 seconds" }))),
        always("b")
      ]
      const service = make(all, { strategy: "round-robin" })
      const error = yield* Effect.flip(Stream.runDrain(service.stream(hello)))
      assert.strictEqual(error.partial?.text, "seen")
      for (let i = 0; i < 3; i++) yield* service.generate(hello)
      assert.deepStrictEqual(counts(all), [1, 3])
    }))

  it.effect("skips nobody when all would be skipped, and asks each once per call", () =>
    Effect.gen(function*() {
      const all = [always("a", TestLlm.rateLimit()), always("b", TestLlm.overloaded())]
      const service = make(all)
      for (let i = 0; i < 2; i++) {
        const error = yield* Effect.flip(service.generate(hello))
        assert.strictEqual(error.reason._tag, "FallbackExhausted")
        assert.strictEqual(error.provider, "balance")
        assert.strictEqual(error.attempts, 2)
      }
      assert.deepStrictEqual(counts(all), [2, 2])
    }))

  it.effect("gives the request's own faults as they are", () =>
    Effect.gen(function*() {
      const all = [always("a", TestLlm.validation()), always("b", TestLlm.validation())]
      assert.strictEqual((yield* Effect.flip(make(all).generate(hello))).reason._tag, "Validation")
      assert.strictEqual(counts(all)[0]! + counts(all)[1]!, 1)
    }))

  it.effect("keeps a conversation on one candidate as it grows, and spreads conversations", () =>
    Effect.gen(function*() {
      const all = ["a", "b", "c"].map((name) => always(name))
      const service = make(all, { stickyBy: "conversation" })
      for (let i = 0; i < 60; i++) {
        const opening = Message.user(`Question ${i}`)
        const first = yield* service.generate({ messages: [opening] })
        const second = yield* service.generate({ messages: [opening, first.message, Message.user("And then?")] })
        assert.strictEqual(second.provider, first.provider)
      }
      for (const count of counts(all)) assert.isAbove(count, 15)
    }))

  it.effect("takes the key of the cache, of the session, or the caller's", () =>
    Effect.gen(function*() {
      assert.strictEqual(Balance.conversationKey({ ...hello, cache: { key: "k" }, scope: { sessionId: "s" } }), "k")
      assert.strictEqual(Balance.conversationKey({ ...hello, scope: { sessionId: "s" } }), "s")
      const service = make(["a", "b", "c"].map((name) => always(name)), {
        stickyBy: (request) => request.scope?.userId,
        strategy: "round-robin"
      })
      const mine = yield* providers(service, 5, { ...hello, scope: { userId: "u1" } })
      assert.strictEqual(new Set(mine).size, 1)
      assert.strictEqual(yield* providers(service, 3), "abc")
    }))

  it.effect("goes elsewhere with a conversation while its candidate is skipped, and comes back", () =>
    Effect.gen(function*() {
      let limited = false
      const answer = (): TestLlm.Answer => limited ? TestLlm.rateLimit({ retryAfter: "10 seconds" }) : "x"
      const all = [always("a", answer), always("b")]
      const service = make(all, { stickyBy: () => "k" })
      const home = (yield* service.generate(hello)).provider
      const homeIsA = home === "a"
      limited = true
      const away = (yield* service.generate(hello)).provider
      assert.strictEqual(away, homeIsA ? "b" : home)
      limited = false
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* service.generate(hello)).provider, home)
    }))

  it("moves only the keys of a candidate that goes away", () => {
    const ids = ["x", "y", "z", "w"]
    const first = (key: string, among: ReadonlyArray<number>) => rendezvous(key, among, (i) => ids[i]!, () => 1)[0]!
    for (let key = 0; key < 500; key++) {
      const before = first(`k${key}`, [0, 1, 2, 3])
      const after = first(`k${key}`, [0, 1, 2])
      assert.isTrue(after === before || before === 3)
    }
  })

  it("spreads keys by weight", () => {
    const shares = [0, 0]
    for (let key = 0; key < 3000; key++) {
      shares[rendezvous(`k${key}`, [0, 1], (i) => `c${i}`, (i) => i === 0 ? 3 : 1)[0]!]!++
    }
    assert.isAbove(shares[0]!, 2100)
    assert.isBelow(shares[0]!, 2400)
  })

  it.effect("pipes over layers, which may be described", () => {
    const layer = (provider: string) =>
      Layer.succeed(LlmService, TestLlm.make({ provider, answers: () => provider }).service)
    return Effect.gen(function*() {
      assert.strictEqual(yield* providers(yield* LlmService, 4), "bcbc")
    }).pipe(Effect.provide(
      Balance.candidate(layer("a"), { tier: 1 }).pipe(
        Balance.policy([layer("b"), layer("c")], { strategy: "round-robin" })
      )
    ))
  })

  it.effect("interrupts the candidate that runs and counts it no longer", () =>
    Effect.gen(function*() {
      const all = [always("a", TestLlm.never), always("b", TestLlm.never)]
      const service = make(all, { strategy: "least-busy" })
      for (let i = 0; i < 4; i++) {
        const fiber = yield* Effect.forkChild(service.generate(hello))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
      }
      assert.deepStrictEqual(all.map(({ control }) => control.running), [0, 0])
      assert.deepStrictEqual(counts(all), [2, 2])
    }))
})
