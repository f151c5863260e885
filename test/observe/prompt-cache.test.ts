import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import { LlmResponse } from "../../src/LlmResponse.ts"
import * as Message from "../../src/Message.ts"
import * as PromptCache from "../../src/observe/PromptCache.ts"
import { differenceOf, prefixOf } from "../../src/observe/promptCache/prefix.ts"
import { type Event, EventSink } from "../../src/stream/emit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const answer = (cacheRead: number | undefined, cacheWrite: number | undefined, total = 4000) =>
  new LlmResponse({
    parts: [{ type: "text", text: "Hi!" }],
    finishReason: "stop",
    usage: { input: { total, cacheRead, cacheWrite }, output: { total: 5 } },
    model: "m",
    provider: "test",
    warnings: []
  })

/** Asks one request after the other, and gives the events. */
const watched = (
  calls: ReadonlyArray<readonly [LlmRequest, LlmResponse, pauseMillis?: number]>,
  options?: PromptCache.Options
) =>
  Effect.gen(function*() {
    const events: Array<Event> = []
    const { service } = TestLlm.make({ answers: calls.map(([, response]) => response) })
    const watching = yield* PromptCache.policy(options).wrap(service)
    for (const [request, , pause = 1000] of calls) {
      yield* Effect.provideService(watching.generate(request), EventSink, (event) => void events.push(event))
      yield* TestClock.adjust(pause)
    }
    return events.flatMap((event) => event._tag === "PromptCacheMissed" ? [event] : [])
  })

const cache = { systemPrompt: true }
const instructions = "You are a librarian. ".repeat(1000)
const at = (time: number): LlmRequest => ({ system: `${instructions}It is ${time}.`, prompt: "Which book?", cache })

describe("PromptCache", () => {
  it.effect("tells of a prefix that is written and never read, and where it changes", () =>
    Effect.gen(function*() {
      const missed = yield* watched([1, 2, 3, 4, 5, 6, 7].map((time) => [at(time), answer(0, 3900)] as const))
      assert.deepStrictEqual(missed.map(({ misses }) => misses), [3, 6])
      assert.deepStrictEqual(missed[0]!.difference, { in: "system", character: instructions.length + "It is ".length })
      assert.strictEqual(missed[0]!.tokensMissed, 3900)
    }))

  it.effect("is silent when the cache is read, when it may have expired, and when nothing is known or marked", () =>
    Effect.gen(function*() {
      const six = [1, 2, 3, 4, 5, 6]
      const silent = (calls: Parameters<typeof watched>[0], options?: PromptCache.Options) =>
        Effect.map(watched(calls, options), (missed) => assert.deepStrictEqual(missed, []))
      yield* silent(six.map((n) => [at(0), n === 1 ? answer(0, 3900) : answer(3900, 0)] as const))
      yield* silent(six.map((n) => [at(n), answer(0, 3900), 301_000] as const))
      yield* silent(six.map((n) => [at(n), answer(undefined, undefined)] as const))
      yield* silent(six.map((n) => [at(n), answer(0, 500)] as const))
      yield* silent(six.map((n) => [{ ...at(n), cache: undefined }, answer(0, 0)] as const))
      yield* silent(six.map((n) => [at(n), answer(0, 3900)] as const), { maxCharacters: 1000 })
    }))

  it.effect("starts anew after a hit", () =>
    Effect.gen(function*() {
      const read = [true, false, false, true, false, false]
      assert.deepStrictEqual(
        yield* watched(read.map((hit, n) => [at(n), hit ? answer(3900, 0) : answer(0, 3900)] as const)),
        []
      )
    }))

  it.effect("judges hosts that cache on their own when asked, and names the message, the part and the character", () =>
    Effect.gen(function*() {
      const long = "x".repeat(20_000)
      const turn = (n: number): LlmRequest => ({
        messages: [
          Message.user(long),
          Message.assistant("Yes."),
          { role: "user", content: [{ type: "text", text: "Look:" }, { type: "text", text: `now ${n} it is` }] }
        ]
      })
      const calls = [1, 2, 3, 4].map((n) => [turn(n), answer(0, undefined, 5000)] as const)
      assert.deepStrictEqual(yield* watched(calls), [])
      const [missed] = yield* watched(calls, { automatic: true })
      assert.deepStrictEqual(missed?.difference, { in: "messages", index: 2, part: 1, field: "text", character: 4 })
    }))

  it.effect("does not hold one conversation against another", () =>
    Effect.gen(function*() {
      const turn = (who: string, n: number): LlmRequest => ({
        system: instructions,
        cache: { systemPrompt: true, recentTurns: 1 },
        messages: [
          Message.user(`I am ${who}. ${"y".repeat(40_000)}`),
          ...Array.from({ length: n }, () => [Message.assistant("And?"), Message.user("Go on.")]).flat()
        ]
      })
      // Of another conversation only the system prompt can be read: 5000 tokens of it, of the 15,000 written.
      const missed = yield* watched(
        ["a", "b", "c", "d", "e"].map((who) => [turn(who, 1), answer(5000, 10_000, 15_100)] as const)
      )
      assert.deepStrictEqual(missed, [])
    }))

  it.effect("refuses options that cannot be", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({ answers: [] })
      const error = yield* Effect.flip(PromptCache.policy({ misses: 0 }).wrap(service))
      assert.strictEqual(error.reason._tag, "Configuration")
    }))

  it("finds the first difference, and none in an extension", () => {
    const texts = fc.array(fc.string({ maxLength: 8 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(texts, texts, (before, more) => {
        const request = (words: ReadonlyArray<string>): LlmRequest => ({
          messages: words.map((content, n) => ({ role: n % 2 === 0 ? "user" : "assistant", content }))
        })
        const first = prefixOf(request(before), true)!
        assert.isUndefined(differenceOf(first, prefixOf(request([...before, ...more]), true)!))
        const other = [...more, ...before]
        const found = differenceOf(first, prefixOf(request(other), true)!)
        const index = before.findIndex((text, n) => other[n] !== text)
        if (index < 0) return assert.isUndefined(found)
        assert.strictEqual(found?.index, index)
        const [a, b] = [before[index]!, other[index]!]
        assert.strictEqual(a.slice(0, found!.character), b.slice(0, found!.character))
        assert.notStrictEqual(a[found!.character!], b[found!.character!])
      })
    )
  })
})
