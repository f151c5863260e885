import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { type LlmRequest, messagesOf, type RequestOptions } from "../../src/LlmRequest.ts"
import { fold, type LlmResponse } from "../../src/LlmResponse.ts"
import { LlmService, type Service } from "../../src/LlmService.ts"
import * as Message from "../../src/Message.ts"
import * as Balance from "../../src/policy/Balance.ts"
import { prefillOf } from "../../src/policy/candidates/prefill.ts"
import * as Continue from "../../src/policy/Continue.ts"
import { Seam } from "../../src/policy/continue/seam.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello: LlmRequest = { prompt: "Tell me a story." }
const story = "Once upon a time there was a lighthouse"

const candidate = (provider: string, ...answers: ReadonlyArray<TestLlm.Answer>) => {
  const { control, service } = TestLlm.make({ provider, model: `${provider}-1`, answers })
  return { control, service, layer: Layer.succeed(LlmService, service) }
}

/** A stream's events up to its end or failure. */
const run = (service: Service, request: LlmRequest = hello) =>
  Effect.gen(function*() {
    const events: Array<LlmEvent> = []
    const exit = yield* Effect.exit(
      Stream.runForEach(service.stream(request), (event) => Effect.sync(() => void events.push(event)))
    )
    const last = events.at(-1)
    return {
      events,
      text: events.map((event) => event._tag === "TextDelta" ? event.text : "").join(""),
      response: last?._tag === "Finish" ? last.response : undefined,
      error: Exit.isFailure(exit) ? yield* Effect.flip(exit) : undefined
    }
  })

/** The laws of events, of a stream that finished. */
const assertLaws = (events: ReadonlyArray<LlmEvent>) => {
  const tags = events.map((event) => event._tag)
  assert.strictEqual(tags[0], "ResponseStart")
  assert.strictEqual(tags.filter((tag) => tag === "ResponseStart").length, 1)
  assert.strictEqual(tags.filter((tag) => tag === "Finish").length, 1)
  assert.strictEqual(tags.at(-1), "Finish")
  const open = new Set<number>()
  let next = 0
  for (const event of events) {
    switch (event._tag) {
      case "TextStart":
      case "ReasoningStart":
      case "ToolCallStart":
        assert.strictEqual(event.index, next++)
        open.add(event.index)
        break
      case "TextDelta":
      case "ReasoningDelta":
      case "ToolCallDelta":
        assert.isTrue(open.has(event.index))
        break
      case "TextEnd":
      case "ReasoningEnd":
      case "ToolCallEnd":
        assert.isTrue(open.delete(event.index))
        break
    }
  }
  assert.strictEqual(open.size, 0)
  const last = events.at(-1)!
  assert.deepStrictEqual(last._tag === "Finish" ? last.response.parts : [], fold(events)!.parts)
}

const lastTurn = (request: LlmRequest) => {
  const message = messagesOf(request).at(-1)!
  return { role: message.role, text: Message.textOf(message) }
}

/** ResponseStart, TextStart and so many words. */
const words = (count: number) => 2 + count

describe("Continue", () => {
  it.effect("goes on with the same service where a text broke, in one stream", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(4), story, TestLlm.network()), "there was a lighthouse")
      const { events, response, text } = yield* run(Continue.make(a.service))
      assert.strictEqual(text, "Once upon a timethere was a lighthouse")
      assertLaws(events)
      assert.deepStrictEqual(response?.parts, [{ type: "text", text }])
      assert.deepStrictEqual(events.find((event) => event._tag === "Continued"), {
        _tag: "Continued",
        from: { provider: "a", model: "a-1" },
        to: { provider: "a", model: "a-1" },
        reason: "Network"
      })
      assert.deepStrictEqual(response?.priorAttempts?.map(({ model, provider, reason }) => [provider, model, reason]), [
        ["a", "a-1", "Network"]
      ])
    }))

  it.effect("gives the text so far as a prefill to a candidate that takes one, without space at its end", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(1), [{ type: "text", text: "Once " }], TestLlm.network()))
      const b = candidate("b", " upon a time")
      const service = Continue.make(a.service, [Continue.candidate(b.service, { prefill: true })])
      const { events, text } = yield* run(service)
      assert.deepStrictEqual(lastTurn(b.control.requests[0]!), { role: "assistant", text: "Once" })
      assert.strictEqual(text, "Once upon a time")
      assertLaws(events)
    }))

  it.effect("goes on from a prefill of the caller's own", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(2), " upon a time", TestLlm.network()))
      const b = candidate("b", " a time")
      const service = Continue.make(a.service, [Continue.candidate(b.service, { prefill: true })])
      const request = { messages: [Message.user("Tell me."), Message.assistant("Once")] }
      yield* run(service, request)
      assert.deepStrictEqual(messagesOf(b.control.requests[0]!).map(({ role }) => role), ["user", "assistant"])
      assert.strictEqual(lastTurn(b.control.requests[0]!).text, "Once upon a")
    }))

  it.effect("asks others in words to go on from the last characters", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(4), story, TestLlm.network()), "a time there was a lighthouse")
      const { response } = yield* run(Continue.make(a.service))
      const [, request] = a.control.requests
      assert.deepStrictEqual(messagesOf(request!).map((message) => message.role), ["user", "assistant", "user"])
      assert.strictEqual(Message.textOf(messagesOf(request!)[1]!), "Once upon a time")
      assert.include(lastTurn(request!).text, "<<<Once upon a time>>>")
      assert.strictEqual(response?.text, story)
    }))

  it.effect("falls to the instruction when a prefill is refused with 400, and remembers that", () =>
    Effect.gen(function*() {
      const broken = TestLlm.failAfter(words(4), story, TestLlm.overloaded())
      const a = candidate("a", broken, broken)
      const b = candidate("b", TestLlm.validation(), "Once upon a time there was", " there was")
      const service = Continue.make(a.service, [Continue.candidate(b.service, { prefill: true })])
      const first = yield* run(service)
      assert.strictEqual(first.text, "Once upon a time there was")
      assertLaws(first.events)
      assert.deepStrictEqual(first.response?.priorAttempts?.map(({ reason }) => reason), ["Overloaded", "Validation"])
      yield* run(service)
      assert.deepStrictEqual(b.control.requests.map((request) => lastTurn(request).role), ["assistant", "user", "user"])
    }))

  it.effect("goes on more than once, with the candidates in turn", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(2), story, TestLlm.network()))
      const b = candidate("b", TestLlm.failAfter(words(4), story, TestLlm.overloaded()))
      const c = candidate("c", story)
      const { events, response, text } = yield* run(Continue.make(a.service, [b.service, c.service]))
      assert.strictEqual(text, story)
      assertLaws(events)
      assert.deepStrictEqual(
        events.flatMap((event) => event._tag === "Continued" ? [`${event.from.provider}>${event.to.provider}`] : []),
        ["a>b", "b>c"]
      )
      assert.deepStrictEqual(response?.priorAttempts?.map(({ provider, reason }) => `${provider} ${reason}`), [
        "a Network",
        "b Overloaded"
      ])
    }))

  it.effect("sums usage, in updates and at the end", () =>
    Effect.gen(function*() {
      const usage = (input: number, output: number): LlmEvent => ({
        _tag: "UsageUpdate",
        usage: { input: { total: input }, output: { total: output } }
      })
      const begun: ReadonlyArray<LlmEvent> = [
        { _tag: "ResponseStart" },
        usage(10, 1),
        { _tag: "TextStart", index: 0 },
        { _tag: "TextDelta", index: 0, text: "Once upon a" }
      ]
      const a = candidate("a", TestLlm.failAfter(4, begun, TestLlm.network()))
      const b = candidate("b", "Once upon a time")
      const { events, response } = yield* run(Continue.make(a.service, [b.service]))
      const last = events.findLast((event) => event._tag === "UsageUpdate")
      assert.isAbove(response!.usage.input.total!, 10)
      assert.strictEqual(response?.usage.output.total, 1 + 4)
      assert.deepStrictEqual(last?.usage, response?.usage)
    }))

  it.effect("lowers the token limit by what was written", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(4), story, TestLlm.network()), "x")
      yield* run(Continue.make(a.service), { ...hello, maxTokens: 100 })
      assert.strictEqual(a.control.requests[1]?.maxTokens, 96)
    }))

  it.effect("gives the first error with all the text when the continuations fail too", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(2), story, TestLlm.incomplete()))
      const b = candidate("b", TestLlm.failAfter(words(4), story, TestLlm.network()))
      const c = candidate("c", TestLlm.rateLimit())
      const { error, text } = yield* run(Continue.make(a.service, [b.service, c.service]))
      assert.strictEqual(error?.reason._tag, "IncompleteStream")
      assert.strictEqual(error?.provider, "a")
      assert.strictEqual(error?.partial?.text, "Once upon a time")
      assert.strictEqual(text, "Once upon a time")
      assert.strictEqual(error?.attempts, 3)
    }))

  it.effect("makes at most the declared continuations", () =>
    Effect.gen(function*() {
      const a = candidate(
        "a",
        ...Array.from({ length: 9 }, () => TestLlm.failAfter(words(2), story, TestLlm.network()))
      )
      yield* run(Continue.make(a.service, [], { maxContinuations: 3 }))
      assert.strictEqual(a.control.started, 4)
      yield* run(Continue.make(a.service, [], { maxContinuations: 0 }))
      assert.strictEqual(a.control.started, 5)
    }))

  const call: Message.Part = { type: "tool-call", id: "c1", name: "look", arguments: { at: "sea" } }
  const never: ReadonlyArray<readonly [string, TestLlm.Answer, RequestOptions?]> = [
    ["before the first content", TestLlm.failAfter(1, story, TestLlm.network())],
    ["inside a tool call", TestLlm.failAfter(2, call, TestLlm.network())],
    ["after a tool call", TestLlm.failAfter(words(1) + 4, [{ type: "text", text: "Look:" }, call], TestLlm.network())],
    ["inside reasoning", TestLlm.failAfter(words(1), { type: "reasoning", text: "Hm, well" }, TestLlm.network())],
    ["in structured output", TestLlm.failAfter(words(2), story, TestLlm.network()), {
      responseFormat: { type: "json" }
    }],
    ["when the content was refused", TestLlm.failAfter(words(2), story, TestLlm.contentPolicy())],
    ["past the total time", TestLlm.failAfter(words(2), story, TestLlm.timeout("total"))]
  ]
  for (const [when, answer, options] of never) {
    it.effect(`never goes on ${when}`, () =>
      Effect.gen(function*() {
        const a = candidate("a", answer, "no")
        const { error } = yield* run(Continue.make(a.service), { prompt: "Hello", ...options })
        const alone = yield* run(candidate("a", answer).service, { prompt: "Hello", ...options })
        assert.deepStrictEqual(error, alone.error)
        assert.strictEqual(a.control.started, 1)
      }))
  }

  it.effect("goes on with text that signed reasoning came before", () =>
    Effect.gen(function*() {
      const thought: Message.Part = { type: "reasoning", text: "A story.", signature: "sig" }
      const a = candidate(
        "a",
        TestLlm.failAfter(4 + 1 + 2, [thought, { type: "text", text: story }], TestLlm.network())
      )
      const b = candidate("b", [{ type: "reasoning", text: "Further." }, { type: "text", text: story }])
      const { events, response } = yield* run(Continue.make(a.service, [b.service]))
      assertLaws(events)
      assert.deepStrictEqual(response?.parts.map((part) => part.type), ["reasoning", "text", "reasoning"])
      assert.strictEqual(response?.text, story)
    }))

  it.effect("leaves whole answers and whole streams alone", () =>
    Effect.gen(function*() {
      const a = candidate("a", story, TestLlm.network())
      const service = Continue.make(a.service)
      assert.deepStrictEqual((yield* run(service)).events, (yield* run(candidate("a", story).service)).events)
      assert.strictEqual((yield* Effect.flip(service.generate(hello))).reason._tag, "Network")
      assert.strictEqual(a.control.started, 2)
    }))

  it.effect("asks those first that did not break, and names the candidate of a fallback that goes on", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(4), story, TestLlm.network()))
      const b = candidate("b", story)
      const { events, response, text } = yield* run(Continue.make(Fallback.make([a.service, b.service])))
      assert.strictEqual(text, story)
      assertLaws(events)
      const continued = events.find((event) => event._tag === "Continued")
      assert.deepStrictEqual(continued?.to, { provider: "b", model: "b-1" })
      assert.strictEqual(response?.provider, "b")
      assert.deepStrictEqual(response?.priorAttempts?.map(({ provider, reason }) => `${provider} ${reason}`), [
        "a Network"
      ])
    }))

  it.effect("comes back to the one that broke when the others cannot go on", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(4), story, TestLlm.network()), story)
      const b = candidate("b", TestLlm.overloaded())
      const { response, text } = yield* run(Continue.make(Fallback.make([a.service, b.service])))
      assert.strictEqual(text, story)
      assert.deepStrictEqual(response?.priorAttempts?.map(({ provider, reason }) => `${provider} ${reason}`), [
        "a Network",
        "b Overloaded"
      ])
    }))

  it.effect("finds the one that did not break behind policies and choosers inside of choosers", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(4), story, TestLlm.network()))
      const b = candidate("b", story)
      const c = candidate("c", story)
      const wrapped = yield* Timeout.policy({ idle: "1 minute" }).wrap(Balance.make([a.service, b.service], {
        strategy: "round-robin"
      }))
      const { response } = yield* run(Continue.make(Fallback.make([wrapped, c.service])))
      assert.strictEqual(response?.provider, "b")
    }))

  it.effect("uses a prefill only where every candidate of a fallback takes one", () =>
    Effect.gen(function*() {
      const forms = (all: boolean) =>
        Effect.gen(function*() {
          const a = candidate("a", TestLlm.failAfter(words(4), story, TestLlm.network()))
          const b = candidate("b", story)
          const service = Fallback.make([
            Continue.candidate(a.service, { prefill: true }),
            all ? Continue.candidate(b.service, { prefill: true }) : b.service
          ])
          yield* run(Continue.make(service))
          return lastTurn(b.control.requests[0]!).role
        })
      assert.strictEqual(yield* forms(true), "assistant")
      assert.strictEqual(yield* forms(false), "user")
    }))

  it.effect("shows a time limit around it everything that came", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(4), story, TestLlm.network()))
      const b = candidate("b", TestLlm.hangAfter(words(6), story))
      const service = yield* Timeout.policy({ total: "10 seconds" }).wrap(Continue.make(a.service, [b.service]))
      const fiber = yield* Effect.forkChild(run(service))
      yield* TestClock.adjust("10 seconds")
      const { error } = yield* Fiber.join(fiber)
      assert.strictEqual(error?.reason._tag, "Timeout")
      assert.strictEqual(error?.partial?.text, "Once upon a time there was")
      assert.strictEqual(b.control.interrupted, 1)
    }))

  it.effect("goes on after a stall, once the broken attempt is closed", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.hangAfter(words(4), story))
      const b = candidate("b", story)
      const limited = yield* Timeout.policy({ idle: "30 seconds" }).wrap(a.service)
      const fiber = yield* Effect.forkChild(run(Continue.make(limited, [b.service])))
      yield* TestClock.adjust(Duration.seconds(30))
      assert.strictEqual((yield* Fiber.join(fiber)).text, story)
      assert.strictEqual(a.control.interrupted, 1)
    }))

  it.effect("interrupts the attempt that runs", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(words(4), story, TestLlm.network()))
      const b = candidate("b", TestLlm.never)
      const fiber = yield* Effect.forkChild(run(Continue.make(a.service, [b.service])))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([b.control.interrupted, b.control.running, a.control.failed], [1, 0, 1])
    }))

  it.effect("pipes over layers, with candidates built once", () => {
    const b = candidate("b", story)
    return Effect.gen(function*() {
      const { text } = yield* run(yield* LlmService)
      assert.strictEqual(text, story)
    }).pipe(
      Effect.provide(
        TestLlm.layer({ answers: [TestLlm.failAfter(words(4), story, TestLlm.network())] }).pipe(
          Continue.policy({ candidates: [Continue.candidate(b.layer, { prefill: false })] })
        )
      )
    )
  })
})

describe("Seam", () => {
  const join = (written: string, continuation: ReadonlyArray<string>, repeat?: string) => {
    const seam = new Seam(written, { repeat })
    return continuation.map((text) => seam.push(text)).join("") + seam.flush()
  }

  it("cuts away what is repeated, however it is split", () => {
    const text = "the lazy dog and ran"
    for (let at = 0; at <= text.length; at++) {
      assert.strictEqual(join("Over the lazy dog", [text.slice(0, at), text.slice(at)], "the lazy dog"), " and ran")
    }
  })

  it("cuts away a whole beginning that was said anew", () => {
    assert.strictEqual(join("Once upon a time", ["Once ", "upon ", "a ", "time ", "there was"]), " there was")
  })

  it("never writes a space twice", () => {
    assert.strictEqual(join("Once upon ", [" a", " time"]), "a time")
    assert.strictEqual(join("Once upon ", ["Once upon", " a time"], "Once upon"), "a time")
    assert.strictEqual(join("Once upon ", ["a time"]), "a time")
  })

  it("keeps what chance repeats: short words after a prefill, and digits always", () => {
    assert.strictEqual(join("ha", ["ha!"]), "ha!")
    assert.strictEqual(join("It costs 1000", ["000 dollars"]), "000 dollars")
    assert.strictEqual(join("It costs 10000000", ["0000000 dollars"], "It costs 10000000"), "0000000 dollars")
  })

  it("loses nothing of a text that repeats nothing", () =>
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "b", " ", "c") }), fc.array(fc.string()), (written, texts) => {
        const out = join(written, texts)
        assert.isTrue(texts.join("").endsWith(out))
      })
    ))
})

// =============================================================================
// Properties
// =============================================================================

const failures = [TestLlm.network(), TestLlm.overloaded(), TestLlm.incomplete(), TestLlm.validation()] as const

/** A model that goes on from a prefill and begins anew otherwise. */
const tale: TestLlm.Answer = (request) => story.slice(prefillOf(request).length)

const answer = fc.oneof(
  { weight: 1, arbitrary: fc.constant(tale) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.integer({ min: 0, max: 12 }), fc.constantFrom(...failures)).map(([events, failure]) =>
      TestLlm.failAfter(events, tale, failure)
    )
  }
)

describe("Continue, for any script", () => {
  it("says nothing twice, keeps the laws, accounts for every call and gives all text with the error", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(answer, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 3 }),
        fc.boolean(),
        (answers, maxContinuations, prefill) =>
          Effect.runPromise(Effect.gen(function*() {
            const candidates = answers.map((answer, i) => candidate(`p${i}`, answer))
            const [first, ...others] = candidates.map(({ service }) => Continue.candidate(service, { prefill }))
            const { error, events, response, text }: {
              error: LlmError | undefined
              events: ReadonlyArray<LlmEvent>
              response: LlmResponse | undefined
              text: string
            } = yield* run(Continue.make(first!, others, { maxContinuations }))
            assert.isTrue(story.startsWith(text), text)
            const started = candidates.reduce((sum, { control }) => sum + control.started, 0)
            for (const { control } of candidates) {
              assert.strictEqual(control.started, control.finished + control.failed)
            }
            // A refused prefill is asked once more.
            assert.isAtMost(started, 1 + maxContinuations * 2)
            if (error === undefined) {
              assertLaws(events)
              assert.strictEqual(text, story)
              assert.strictEqual(response?.text, story)
            } else if (events.length > 0) {
              assert.strictEqual(error.partial?.text, text)
            }
          }))
      ),
      { numRuns: 300 }
    ))
})
