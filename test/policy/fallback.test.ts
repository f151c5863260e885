import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { isContent, type LlmEvent } from "../../src/LlmEvent.ts"
import { LlmService, type Service } from "../../src/LlmService.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello = { prompt: "Hello" }

const candidate = (provider: string, ...answers: ReadonlyArray<TestLlm.Answer>) => {
  const { control, service } = TestLlm.make({ provider, model: `${provider}-1`, answers })
  return { control, service, layer: Layer.succeed(LlmService, service) }
}

describe("Fallback", () => {
  it.effect("answers with the next candidate and says who failed before", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.delayed("2 seconds", TestLlm.overloaded()), TestLlm.rateLimit())
      const b = candidate("b", "from b", "from b")
      const service = Fallback.make([a.service, b.service])
      const fiber = yield* Effect.forkChild(service.generate(hello))
      yield* TestClock.adjust("2 seconds")
      const response = yield* Fiber.join(fiber)
      assert.strictEqual(response.text, "from b")
      assert.strictEqual(response.provider, "b")
      assert.deepStrictEqual(response.priorAttempts, [
        {
          provider: "a",
          model: "a-1",
          reason: "Overloaded",
          durationMillis: 2000,
          message: TestLlm.overloaded().message,
          isRetryable: true
        }
      ])
      const events = yield* Stream.runCollect(service.stream(hello))
      const last = events.at(-1)!
      assert.strictEqual(last._tag === "Finish" ? last.response.priorAttempts?.[0]?.reason : "", "RateLimit")
      assert.strictEqual(events.filter((event) => event._tag === "ResponseStart").length, 1)
    }))

  it.effect("begins every call with the first candidate", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.overloaded(), "from a")
      const b = candidate("b", "from b")
      const service = Fallback.make([a.service, b.service])
      yield* service.generate(hello)
      assert.strictEqual((yield* service.generate(hello)).text, "from a")
    }))

  it.effect("fails with every attempt, and no bodies, when all candidates fail", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.overloaded(), TestLlm.overloaded())
      const b = candidate("b", TestLlm.quotaExhausted(), TestLlm.quotaExhausted())
      const service = Fallback.make([a.service, b.service])
      for (const call of [service.generate(hello), Stream.runDrain(service.stream(hello))]) {
        const error = yield* Effect.flip(call)
        assert.strictEqual(
          error.message,
          "fallback: FallbackExhausted: Every candidate failed: a/a-1: Overloaded; b/b-1: QuotaExhausted."
        )
        assert.strictEqual(error.attempts, 2)
        assert.isTrue(error.isRetryable)
        assert.deepStrictEqual(error.reason._tag === "FallbackExhausted" ? error.reason.attempts : [], [
          {
            provider: "a",
            model: "a-1",
            reason: "Overloaded",
            durationMillis: 0,
            message: TestLlm.overloaded().message,
            isRetryable: true
          },
          {
            provider: "b",
            model: "b-1",
            reason: "QuotaExhausted",
            durationMillis: 0,
            message: TestLlm.quotaExhausted().message,
            isRetryable: false
          }
        ])
      }
    }))

  it.effect("says when the first of those that named a time can be asked again", () =>
    Effect.gen(function*() {
      const service = Fallback.make([
        candidate("a", TestLlm.rateLimit({ retryAfter: "2 minutes" })).service,
        candidate("b", TestLlm.overloaded({ retryAfter: "20 seconds" })).service,
        candidate("c", TestLlm.network()).service
      ])
      const error = yield* Effect.flip(service.generate(hello))
      assert.strictEqual(error.retryAfter && Duration.toMillis(error.retryAfter), 20_000)
    }))

  it.effect("cannot be tried again when no candidate can", () =>
    Effect.gen(function*() {
      const service = Fallback.make([
        candidate("a", TestLlm.authentication()).service,
        candidate("b", TestLlm.quotaExhausted()).service
      ])
      assert.isFalse((yield* Effect.flip(service.generate(hello))).isRetryable)
    }))

  for (
    const reason of [
      TestLlm.validation(),
      TestLlm.permissionDenied(),
      TestLlm.contextLength(),
      TestLlm.contentPolicy(),
      TestLlm.serverError(418),
      TestLlm.timeout("total")
    ]
  ) {
    it.effect(`gives ${reason.message} (${reason._tag}) as it is`, () =>
      Effect.gen(function*() {
        const a = candidate("a", reason)
        const b = candidate("b", "no")
        const error = yield* Effect.flip(Fallback.make([a.service, b.service]).generate(hello))
        assert.strictEqual(error.reason, reason)
        assert.strictEqual(b.control.started, 0)
      }))
  }

  for (
    const reason of [
      TestLlm.rateLimit(),
      TestLlm.overloaded(),
      TestLlm.serverError(),
      TestLlm.network(),
      TestLlm.timeout("connect"),
      TestLlm.timeout("firstToken"),
      TestLlm.timeout("idle"),
      TestLlm.quotaExhausted(),
      TestLlm.authentication(),
      TestLlm.notFound(),
      TestLlm.incomplete()
    ]
  ) {
    it.effect(`moves on after ${reason.message} (${reason._tag})`, () =>
      Effect.gen(function*() {
        const service = Fallback.make([candidate("a", reason).service, candidate("b", "from b").service])
        assert.strictEqual((yield* service.generate(hello)).provider, "b")
      }))
  }

  it.effect("takes other routes for the reasons it is given, the rest stay", () =>
    Effect.gen(function*() {
      const on: Fallback.Options["on"] = {
        RateLimit: "stop",
        ContentPolicy: (reason) => reason.status === 400 ? "next" : "stop"
      }
      const call = (answer: TestLlm.Answer) =>
        Fallback.make([candidate("a", answer).service, candidate("b", "from b").service], { on }).generate(hello)
      assert.strictEqual((yield* Effect.flip(call(TestLlm.rateLimit()))).reason._tag, "RateLimit")
      assert.strictEqual((yield* call(TestLlm.contentPolicy())).provider, "b")
      assert.strictEqual((yield* call(TestLlm.network())).provider, "b")
    }))

  it.effect("stays with a candidate after its first content", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.failAfter(3, "seen words", TestLlm.network()))
      const b = candidate("b", "no")
      const error = yield* Effect.flip(Stream.runDrain(Fallback.make([a.service, b.service]).stream(hello)))
      assert.strictEqual(error.reason._tag, "Network")
      assert.strictEqual(error.partial?.text, "seen")
      assert.strictEqual(b.control.started, 0)
    }))

  it.effect("counts the requests of all candidates in an error that stops", () =>
    Effect.gen(function*() {
      const a = yield* Retry.policy({ base: 0, floor: 0 }).wrap(
        candidate("a", TestLlm.network(), TestLlm.network(), TestLlm.network(), TestLlm.network()).service
      )
      const b = candidate("b", TestLlm.contentPolicy())
      const fiber = yield* Effect.forkChild(Effect.flip(Fallback.make([a, b.service]).generate(hello)))
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error.reason._tag, "ContentPolicy")
      assert.strictEqual(error.attempts, 5)
    }))

  it.effect("pipes over layers, one candidate after the other, and lists the attempts of all", () => {
    const b = candidate("b", TestLlm.overloaded())
    const c = candidate("c", "from c")
    const layer = TestLlm.layer({ answers: [TestLlm.network()] }).pipe(
      Fallback.policy(b.layer),
      Fallback.policy(c.layer)
    )
    return Effect.gen(function*() {
      const service = yield* LlmService
      const response = yield* service.generate(hello)
      assert.deepStrictEqual(response.priorAttempts?.map((attempt) => attempt.provider), ["test", "b"])
      assert.strictEqual((yield* TestLlm.TestLlm).failed, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("builds each layer once, keeps it, and closes it with its own scope", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const counted = (name: string, service: Service) =>
        Layer.effect(
          LlmService,
          Effect.acquireRelease(
            Effect.sync(() => {
              log.push(`open ${name}`)
              return service
            }),
            () => Effect.sync(() => log.push(`close ${name}`))
          )
        )
      const a = candidate("a", TestLlm.network(), TestLlm.network(), TestLlm.network())
      const b = candidate("b", "one", "two", "three")
      yield* Effect.gen(function*() {
        const service = yield* LlmService
        for (let i = 0; i < 3; i++) yield* service.generate(hello)
        assert.deepStrictEqual(log, ["open a", "open b"])
        assert.strictEqual(service.info.provider, "a")
      }).pipe(Effect.provide(Fallback.layer([counted("a", a.service), counted("b", b.service)])))
      assert.deepStrictEqual(log, ["open a", "open b", "close b", "close a"])
    }))

  it.effect("interrupts the candidate that runs", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.network(), TestLlm.network())
      const b = candidate("b", TestLlm.never, TestLlm.never)
      const service = Fallback.make([a.service, b.service])
      for (const call of [service.generate(hello), Stream.runDrain(service.stream(hello))]) {
        const fiber = yield* Effect.forkChild(Effect.asVoid(call))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
      }
      assert.strictEqual(b.control.interrupted, 2)
      assert.strictEqual(a.control.failed, 2)
    }))
})

// =============================================================================
// Properties
// =============================================================================

const answer = fc.oneof(
  fc.constantFrom<TestLlm.Answer>("one two", TestLlm.overloaded(), TestLlm.validation(), TestLlm.timeout("total")),
  fc.integer({ min: 0, max: 7 }).map((events) => TestLlm.failAfter(events, "one two", TestLlm.network())),
  fc.integer({ min: 0, max: 7 }).map((events) => TestLlm.cutAfter(events, "one two"))
)

describe("Fallback, for any script", () => {
  it("asks each candidate at most once and in order, replays nothing and accounts for every call", () =>
    fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 4 }), (answers) =>
        Effect.runPromise(Effect.gen(function*() {
          for (const operation of ["generate", "stream"] as const) {
            const candidates = answers.map((answer, i) =>
              candidate(`p${i}`, answer)
            )
            const [first, ...rest] = candidates.map(({ service }) => service)
            const service = Fallback.make([first!, ...rest])
            const seen: Array<LlmEvent> = []
            const exit = yield* Effect.exit(
              operation === "generate"
                ? Effect.asVoid(service.generate(hello))
                : Stream.runForEach(service.stream(hello), (event) =>
                  Effect.sync(() => {
                    seen.push(event)
                  }))
            )
            const started = candidates.map(({ control }) => control.started)
            assert.deepStrictEqual(started, started.toSorted((x, y) => y - x))
            assert.isTrue(started.every((count) => count <= 1))
            for (const { control } of candidates) {
              assert.strictEqual(control.running + control.interrupted, 0)
              assert.strictEqual(control.started, control.finished + control.failed)
            }
            assert.isAtMost(seen.filter((event) => event._tag === "ResponseStart").length, 1)
            const finished = candidates.filter(({ control }) => control.finished === 1).length
            assert.strictEqual(finished, Exit.isSuccess(exit) ? 1 : 0)
            if (Exit.isSuccess(exit) && operation === "stream") {
              const last = seen.at(-1)!
              assert.strictEqual(last._tag, "Finish")
              const total = started.reduce((sum, count) => sum + count, 0)
              if (last._tag === "Finish") {
                assert.strictEqual(last.response.priorAttempts?.length ?? 0, total - 1)
                assert.strictEqual(
                  seen.filter(isContent).map((event) => event._tag === "TextDelta" ? event.text : "").join(""),
                  last.response.text
                )
              }
            }
          }
        }))),
      { numRuns: 200 }
    ))
})
