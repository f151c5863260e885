// How calls end, whatever becomes of them: what was taken for a call is given back once, what an attempt said before its commit is
// forgotten when it fails, and after it nothing is.
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import * as LlmError from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { emptyUsage, LlmResponse } from "../../src/LlmResponse.ts"
import type { Service } from "../../src/LlmService.ts"
import { mapResponses } from "../../src/stream/finish.ts"
import { withAttempts } from "../../src/stream/gate.ts"
import { type Ending, withHold } from "../../src/stream/held.ts"
import { shownName, ShownNames } from "../../src/stream/shownNames.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const prompt = "Hi"
const response = new LlmResponse({
  parts: [{ type: "text", text: "Hello" }],
  finishReason: "stop",
  usage: emptyUsage,
  model: "m",
  provider: "p",
  warnings: []
})
const failure = (message: string, attempts = 1, reason?: LlmError.Reason) =>
  new LlmError.LlmError({
    provider: "p",
    model: "m",
    operation: "stream",
    reason: reason ?? new LlmError.Overloaded({ message, status: 529 }),
    attempts
  })

const quiet: ReadonlyArray<LlmEvent> = [
  { _tag: "ResponseStart", model: "m" },
  { _tag: "UsageUpdate", usage: emptyUsage },
  { _tag: "TextStart", index: 0 }
] as unknown as ReadonlyArray<LlmEvent>
const said = (text: string) => ({ _tag: "TextDelta", index: 0, text }) as LlmEvent
const finish: LlmEvent = { _tag: "Finish", response }

const fates = ["finishes", "fails", "ends early", "dies", "hangs"] as const
type Fate = typeof fates[number]

/** A service of which calls go so, and what became of its streams. */
const going = (fate: Fate, pieces: ReadonlyArray<ReadonlyArray<LlmEvent>>, log: Array<string>): Service => {
  const ends: { readonly [F in Fate]: Stream.Stream<LlmEvent, LlmError.LlmError> } = {
    finishes: Stream.make(finish),
    fails: Stream.fail(failure("no")),
    "ends early": Stream.empty,
    dies: Stream.die("a defect"),
    hangs: Stream.never
  }
  const whole: { readonly [F in Fate]: Effect.Effect<LlmResponse, LlmError.LlmError> } = {
    finishes: Effect.succeed(response),
    fails: Effect.fail(failure("no")),
    "ends early": Effect.fail(failure("no")),
    dies: Effect.die("a defect"),
    hangs: Effect.never
  }
  const chunks = Stream.fromIterable(pieces).pipe(Stream.flatMap((events) => Stream.fromIterable(events)))
  return {
    ...TestLlm.make().service,
    generate: () => Effect.ensuring(whole[fate], Effect.sync(() => log.push("closed"))),
    stream: () => Stream.concat(chunks, ends[fate]).pipe(Stream.ensuring(Effect.sync(() => log.push("closed"))))
  }
}

describe("What is held for a call", () => {
  it("is given back once, with how the call ended, after what it was held for has closed", () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...fates),
        fc.constantFrom("generate", "stream"),
        fc.nat(3),
        fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
        (fate, operation, count, take) =>
          Effect.gen(function*() {
            const log: Array<string> = []
            const endings: Array<Ending> = []
            const pieces = [...quiet.map((event) => [event]), [said("a"), said("b")]].slice(0, count)
            const events = pieces.flat().length
            const service = withHold(going(fate, pieces, log), (request) =>
              Effect.succeed({
                request,
                end: (ending) =>
                  Effect.sync(() => {
                    log.push("given back")
                    endings.push(ending)
                  })
              }))
            const call: Effect.Effect<unknown, LlmError.LlmError> = operation === "generate"
              ? service.generate({ prompt })
              : Stream.runDrain(
                take === undefined ? service.stream({ prompt }) : Stream.take(service.stream({ prompt }), take)
              )
            const fiber = yield* Effect.forkChild(call, { startImmediately: true })
            yield* TestClock.adjust(1)
            const isCut = operation === "stream" && take !== undefined && take <= events
            if (fate === "hangs" && !isCut) {
              assert.deepStrictEqual(log, [])
              yield* Fiber.interrupt(fiber)
            } else yield* Fiber.await(fiber)
            assert.strictEqual(endings.length, 1)
            const expected = isCut || fate === "dies" || fate === "hangs"
              ? "Abandoned"
              : fate === "finishes"
              ? "Finished"
              : "Failed"
            assert.strictEqual(endings[0]!._tag, expected)
            if (endings[0]!._tag === "Failed" && fate === "ends early" && operation === "stream") {
              assert.strictEqual(endings[0]!.error.reason._tag, "IncompleteStream")
              assert.strictEqual(endings[0]!.error.attempts, 1)
            }
            assert.deepStrictEqual(log.toSorted(), ["closed", "given back"])
            if (expected === "Failed") assert.deepStrictEqual(log, ["closed", "given back"])
          }).pipe(Effect.provide(TestClock.layer()), Effect.scoped, Effect.runPromise)
      ),
      { numRuns: 40 }
    ))

  it("is nothing where nothing was got: the call fails for that, and nothing is asked", () =>
    Effect.runPromise(Effect.gen(function*() {
      const log: Array<string> = []
      const service = withHold(going("finishes", [], log), () => Effect.fail(failure("full", 0)))
      const errors = [
        yield* Effect.flip(service.generate({ prompt })),
        yield* Effect.flip(Stream.runDrain(service.stream({ prompt })))
      ]
      assert.deepStrictEqual(errors.map(({ attempts }) => attempts), [0, 0])
      assert.deepStrictEqual(log, [])
    })))
})

describe("A course of attempts", () => {
  const attempts = fc.array(
    fc.record({
      before: fc.nat(3),
      fate: fc.constantFrom("fails", "ends early"),
      requests: fc.integer({ min: 0, max: 3 })
    }),
    { maxLength: 3 }
  )

  it("shows nothing of those that failed before their commit but who they were, and all of the one that did not", () =>
    fc.assert(
      fc.asyncProperty(
        attempts,
        // A whole answer that fails is one more attempt, and so without end here.
        fc.constantFrom(
          ["finishes", "generate"] as const,
          ["finishes", "stream"] as const,
          ["breaks", "stream"] as const,
          ["is cut", "stream"] as const
        ),
        (failed, [last, operation]) =>
          Effect.gen(function*() {
            const log: Array<string> = []
            const commits: Array<number> = []
            const told: Array<number> = []
            const serviceOf = (at: number): Service => {
              const one = failed[at]
              const last_ = going(last === "finishes" ? "finishes" : last === "breaks" ? "fails" : "ends early", [
                [...quiet, said("Hel")],
                [said("lo")]
              ], log)
              if (one === undefined) return last_
              const error = failure(`attempt ${at}`, one.requests)
              const broken = going("fails", [quiet.slice(0, one.before)], log)
              return {
                ...broken,
                generate: () => Effect.fail(error),
                stream: () =>
                  one.fate === "fails"
                    ? Stream.concat(Stream.fromIterable(quiet.slice(0, one.before)), Stream.fail(error))
                    : Stream.fromIterable(quiet.slice(0, one.before))
              }
            }
            const attemptOf = (at: number) => ({ service: serviceOf(at), request: { prompt: String(at) } })
            const service = withAttempts(TestLlm.make().service, () =>
              Effect.succeed({
                first: attemptOf(0),
                next: ({ failed }) => {
                  told.push(failed.length)
                  return Effect.succeed(attemptOf(failed.length))
                },
                onCommit: ({ request }) => commits.push(Number(request.prompt))
              }))
            const seen: Array<LlmEvent> = []
            const exit = yield* Effect.exit(
              operation === "generate"
                ? Effect.map(service.generate({ prompt }), (response) => void seen.push({ _tag: "Finish", response }))
                : Stream.runForEach(service.stream({ prompt }), (event) => Effect.sync(() => void seen.push(event)))
            )
            const isWhole = operation === "generate"
            const requests = failed.reduce(
              (sum, one) => sum + (isWhole || one.fate === "fails" ? one.requests : 1),
              0
            )
            assert.deepStrictEqual(told, failed.map((_, at) => at + 1))
            assert.deepStrictEqual(commits, [failed.length])
            if (!isWhole) {
              assert.deepStrictEqual(
                seen.filter(({ _tag }) => _tag !== "Finish"),
                [...quiet, said("Hel"), said("lo")]
              )
            }
            if (last === "finishes") {
              assert.isTrue(Exit.isSuccess(exit))
              const end = seen.at(-1)!
              const prior = end._tag === "Finish" ? end.response.priorAttempts ?? [] : []
              assert.deepStrictEqual(
                prior.map(({ message, reason }) => [reason, message]),
                failed.map((one, at) =>
                  isWhole || one.fate === "fails"
                    ? ["Overloaded", `attempt ${at}`]
                    : ["IncompleteStream", "The stream ended before it began."]
                )
              )
            } else if (last === "breaks" && Exit.isFailure(exit)) {
              const error = exit.cause.reasons.find(Cause.isFailReason)!.error as LlmError.LlmError
              assert.strictEqual(error.attempts, requests + 1)
            }
          }).pipe(Effect.runPromise)
      ),
      { numRuns: 40 }
    ))

  it("keeps of counts that follow each other before the commit the last alone", () =>
    Effect.runPromise(Effect.gen(function*() {
      const count = (total: number): LlmEvent => ({
        _tag: "UsageUpdate",
        usage: { input: { total }, output: {} }
      })
      const pieces = [[quiet[0]!], [count(1)], [count(2), count(3)], [quiet[2]!], [count(4)], [said("a")]]
      const service = withAttempts(TestLlm.make().service, () =>
        Effect.succeed({
          first: { service: going("finishes", pieces, []), request: { prompt } },
          next: ({ error }) => Effect.fail(error)
        }))
      const events = yield* Stream.runCollect(service.stream({ prompt }))
      assert.deepStrictEqual([...events], [quiet[0]!, count(3), quiet[2]!, count(4), said("a"), finish])
    })))

  it("remembers of a long message its beginning, in whole characters", () =>
    Effect.runPromise(Effect.gen(function*() {
      for (
        const [message, kept] of [["x".repeat(500), 500], ["x".repeat(501), 501], ["😀".repeat(300), 501]] as const
      ) {
        let calls = 0
        const broken = { ...going("fails", [], []), generate: () => Effect.fail(failure(message)) }
        const service = withAttempts(TestLlm.make().service, () =>
          Effect.succeed({
            first: { service: broken, request: { prompt } },
            next: () => {
              calls++
              return Effect.succeed({ service: going("finishes", [], []), request: { prompt } })
            }
          }))
        const { priorAttempts } = yield* service.generate({ prompt })
        const told = priorAttempts![0]!.message!
        assert.deepStrictEqual([told.length, told.isWellFormed(), calls], [kept, true, 1])
        assert.strictEqual(told.endsWith("…"), message.length > 500)
      }
    })))

  it("counts what each candidate of a policy inside has tried", () =>
    Effect.runPromise(Effect.gen(function*() {
      const inner = new LlmError.FallbackExhausted({
        message: "all",
        attempts: [{ provider: "a", model: "1", reason: "Network" }, { provider: "b", model: "2", reason: "Timeout" }]
      })
      const broken = { ...going("fails", [], []), generate: () => Effect.fail(failure("", 2, inner)) }
      const service = withAttempts(TestLlm.make().service, () =>
        Effect.succeed({
          first: { service: broken, request: { prompt } },
          next: () => Effect.succeed({ service: going("finishes", [], []), request: { prompt } })
        }))
      const { priorAttempts } = yield* service.generate({ prompt })
      assert.deepStrictEqual(priorAttempts!.map(({ provider }) => provider), ["a", "b"])
    })))
})

describe("A response on its way out", () => {
  it("is changed alike whole and streamed, and nothing else is", () =>
    Effect.runPromise(Effect.gen(function*() {
      const pieces = [[...quiet, said("Hello")]]
      const service = mapResponses(going("finishes", pieces, []), (response, request) =>
        Effect.succeed(response.with({ label: request.prompt })))
      assert.strictEqual((yield* service.generate({ prompt: "mine" })).label, "mine")
      const events = [...yield* Stream.runCollect(service.stream({ prompt: "mine" }))]
      assert.deepStrictEqual(events.slice(0, -1), pieces.flat())
      const last = events.at(-1)!
      assert.strictEqual(last._tag === "Finish" ? last.response.label : "", "mine")
      const broken = mapResponses(going("fails", pieces, []), () =>
        Effect.die("not asked"))
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(broken.stream({ prompt })))).reason.message, "no")
    })))
})

describe("Names that others chose", () => {
  it("are shown up to 256 characters, whole ones, and so many of them", () => {
    assert.strictEqual(shownName("x".repeat(256)), "x".repeat(256))
    assert.strictEqual(shownName("x".repeat(257)), `${"x".repeat(255)}…`)
    assert.isTrue(shownName("😀".repeat(200)).isWellFormed())
    const names = new ShownNames(2)
    assert.deepStrictEqual(["a", "b", "c", "a", "b", "d"].map((name) => names.of(name)), [
      "a",
      "b",
      "_OTHER",
      "a",
      "b",
      "_OTHER"
    ])
  })
})
