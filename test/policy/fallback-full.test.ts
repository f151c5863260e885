import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { type LlmRequest, messagesOf } from "../../src/LlmRequest.ts"
import { LlmResponse } from "../../src/LlmResponse.ts"
import { LlmService, type Service } from "../../src/LlmService.ts"
import * as Message from "../../src/Message.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Retry from "../../src/policy/Retry.ts"
import { type Event, EventSink } from "../../src/stream/emit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello: LlmRequest = { prompt: "Hello" }

const candidate = (provider: string, ...answers: ReadonlyArray<TestLlm.Answer>) => {
  const { control, service } = TestLlm.make({ provider, model: `${provider}-1`, answers })
  return { control, service, layer: Layer.succeed(LlmService, service) }
}

/** A candidate that always answers the same. */
const constant = (provider: string, answer: TestLlm.Answer) => {
  const { control, service } = TestLlm.make({ provider, model: `${provider}-1`, answers: () => answer })
  return { control, service }
}

const drain = (service: Service, request: LlmRequest = hello) => Stream.runDrain(service.stream(request))

const times = (count: number, effect: Effect.Effect<unknown, unknown>) =>
  Effect.repeat(Effect.exit(effect), { times: count - 1 })

describe("Fallback benching", () => {
  for (const operation of ["generate", "stream"] as const) {
    const call = (service: Service) => operation === "generate" ? service.generate(hello) : drain(service)

    it.effect(`skips a candidate after three rate limits in a row, for 30 seconds (${operation})`, () =>
      Effect.gen(function*() {
        const a = constant("a", TestLlm.rateLimit())
        const b = constant("b", "from b")
        const service = Fallback.make([a.service, b.service])
        yield* times(3, call(service))
        assert.strictEqual(a.control.started, 3)
        yield* times(5, call(service))
        assert.strictEqual(a.control.started, 3)
        yield* TestClock.adjust("29999 millis")
        yield* call(service)
        assert.strictEqual(a.control.started, 3)
        yield* TestClock.adjust("1 millis")
        yield* call(service)
        assert.strictEqual(a.control.started, 4)
        // Still limited: one more is enough.
        yield* call(service)
        assert.strictEqual(a.control.started, 4)
      }))
  }

  it.effect("benches for the time the provider names", () =>
    Effect.gen(function*() {
      const a = constant("a", TestLlm.rateLimit({ retryAfter: "5 minutes" }))
      const service = Fallback.make([a.service, constant("b", "from b").service])
      yield* times(3, service.generate(hello))
      yield* TestClock.adjust("299 seconds")
      yield* service.generate(hello)
      assert.strictEqual(a.control.started, 3)
      yield* TestClock.adjust("1 second")
      yield* service.generate(hello)
      assert.strictEqual(a.control.started, 4)
    }))

  it.effect("counts rate limits in a row only", () =>
    Effect.gen(function*() {
      const limited = TestLlm.rateLimit()
      const a = candidate(
        "a",
        limited,
        limited,
        "from a",
        limited,
        limited,
        TestLlm.network(),
        limited,
        limited,
        "still a"
      )
      const service = Fallback.make([a.service, constant("b", "from b").service])
      yield* times(8, service.generate(hello))
      assert.strictEqual((yield* service.generate(hello)).text, "still a")
    }))

  it.effect("skips nobody when all are benched", () =>
    Effect.gen(function*() {
      const a = constant("a", TestLlm.rateLimit())
      const b = constant("b", TestLlm.rateLimit())
      const service = Fallback.make([a.service, b.service])
      yield* times(4, service.generate(hello))
      assert.deepStrictEqual([a.control.started, b.control.started], [4, 4])
    }))

  it.effect("skips a benched candidate in the middle of the list", () =>
    Effect.gen(function*() {
      const a = constant("a", TestLlm.overloaded())
      const b = constant("b", TestLlm.rateLimit())
      const c = constant("c", "from c")
      const service = Fallback.make([a.service, b.service, c.service])
      yield* times(5, service.generate(hello))
      assert.deepStrictEqual([a, b, c].map(({ control }) => control.started), [5, 3, 5])
    }))

  it.effect("takes other numbers, and keeps its memory per layer build", () =>
    Effect.gen(function*() {
      const a = constant("a", TestLlm.rateLimit())
      const layer = Fallback.layer(
        [Layer.succeed(LlmService, a.service), Layer.succeed(LlmService, constant("b", "from b").service)],
        { benchAfter: 1, benchFor: "1 second" }
      )
      const build = Effect.map(Layer.build(layer), Context.get(LlmService))
      const one = yield* build
      const two = yield* build
      yield* times(3, one.generate(hello))
      assert.strictEqual(a.control.started, 1)
      yield* two.generate(hello)
      assert.strictEqual(a.control.started, 2)
      yield* TestClock.adjust("1 second")
      yield* one.generate(hello)
      assert.strictEqual(a.control.started, 3)
    }))

  it.effect("counts a call that was rate limited after its own retries once", () =>
    Effect.gen(function*() {
      const a = constant("a", TestLlm.rateLimit())
      const retried = yield* Retry.policy({ retries: 2, base: 0, floor: 0 }).wrap(a.service)
      const service = Fallback.make([retried, constant("b", "from b").service])
      yield* times(4, service.generate(hello))
      assert.strictEqual(a.control.started, 9)
    }))
})

describe("Fallback and long conversations", () => {
  const long = { window: (tokens: number) => (self: Service) => Fallback.candidate(self, { contextWindow: tokens }) }

  it.effect("goes on with a candidate whose window is larger, past smaller and unknown ones", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.contextLength())
      const small = candidate("small", "no")
      const unknown = candidate("unknown", "no")
      const large = candidate("large", "from large")
      const service = Fallback.make([
        long.window(1000)(a.service),
        long.window(500)(small.service),
        unknown.service,
        long.window(2000)(large.service)
      ])
      const response = yield* service.generate(hello)
      assert.strictEqual(response.text, "from large")
      assert.deepStrictEqual(response.priorAttempts?.map(({ reason }) => reason), ["ContextLength"])
      assert.strictEqual(small.control.started + unknown.control.started, 0)
    }))

  it.effect("asks no smaller one afterwards either", () =>
    Effect.gen(function*() {
      const small = candidate("small", "no")
      const service = Fallback.make([
        long.window(1000)(candidate("a", TestLlm.contextLength()).service),
        long.window(2000)(candidate("large", TestLlm.overloaded()).service),
        long.window(1000)(small.service)
      ])
      assert.strictEqual((yield* Effect.flip(service.generate(hello))).reason._tag, "FallbackExhausted")
      assert.strictEqual(small.control.started, 0)
    }))

  it.effect("believes a window that the request fits, when the first one's is not known", () =>
    Effect.gen(function*() {
      const layer = candidate("a", TestLlm.contextLength(), TestLlm.contextLength()).layer.pipe(
        Fallback.policy(Fallback.candidate(candidate("b", "from b").layer, { contextWindow: 100 }))
      )
      yield* Effect.gen(function*() {
        const service = yield* LlmService
        assert.strictEqual((yield* service.generate(hello)).text, "from b")
        const error = yield* Effect.flip(service.generate({ prompt: "word ".repeat(1000) }))
        assert.strictEqual(error.reason._tag, "ContextLength")
      }).pipe(Effect.provide(layer))
    }))

  it.effect("goes to anybody or to nobody when told so", () =>
    Effect.gen(function*() {
      const call = (route: Fallback.Route) =>
        Fallback.make([
          candidate("a", TestLlm.contextLength()).service,
          Fallback.candidate(candidate("b", "from b").service, route === "stop" ? { contextWindow: 1e6 } : {})
        ], { on: { ContextLength: route } }).generate(hello)
      assert.strictEqual((yield* call("next")).text, "from b")
      assert.strictEqual((yield* Effect.flip(call("stop"))).reason._tag, "ContextLength")
    }))
})

describe("Fallback and requests", () => {
  it.effect("rewrites what is sent to a candidate, and nothing else", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.overloaded(), TestLlm.overloaded())
      const b = candidate("b", "one", "two")
      const service = Fallback.make([
        a.service,
        Fallback.candidate(b.service, {
          request: (request) => ({ ...request, model: "b-small", maxTokens: 64, thinking: "off" })
        })
      ])
      const request: LlmRequest = { prompt: "Hello", model: "a-large", maxTokens: 4096, thinking: "high" }
      assert.strictEqual((yield* service.generate(request)).model, "b-small")
      yield* drain(service, request)
      assert.deepStrictEqual(a.control.requests, [request, request])
      const rewritten: LlmRequest = { ...request, model: "b-small", maxTokens: 64, thinking: "off" }
      assert.deepStrictEqual(b.control.requests, [rewritten, rewritten])
    }))

  const prefilled: LlmRequest = { messages: [Message.user("A rhyme, please."), Message.assistant("Roses are")] }
  const roles = (request: LlmRequest) => messagesOf(request).map((message) => message.role)

  it.effect("asks a later candidate that refuses a prefill once more, in a form that every API takes", () =>
    Effect.gen(function*() {
      const a = candidate("a", TestLlm.overloaded(), TestLlm.overloaded())
      const b = candidate("b", TestLlm.validation(), " red", " red")
      const service = Fallback.make([a.service, b.service])
      const response = yield* service.generate(prefilled)
      assert.strictEqual(response.text, " red")
      assert.deepStrictEqual(response.priorAttempts?.map(({ reason }) => reason), ["Overloaded", "Validation"])
      // The second call knows.
      yield* drain(service, prefilled)
      assert.deepStrictEqual(b.control.requests.map(roles), [
        ["user", "assistant"],
        ["user", "assistant", "user"],
        ["user", "assistant", "user"]
      ])
    }))

  it.effect("asks once, when it is known that a candidate takes no prefill", () =>
    Effect.gen(function*() {
      const b = candidate("b", " red")
      const service = Fallback.make([
        candidate("a", TestLlm.overloaded()).service,
        Fallback.candidate(b.service, { prefill: false })
      ])
      yield* service.generate(prefilled)
      assert.deepStrictEqual(b.control.requests.map(roles), [["user", "assistant", "user"]])
    }))

  it.effect("gives the caller's own 400, and one that the other form does not help", () =>
    Effect.gen(function*() {
      const b = candidate("b", TestLlm.validation(), TestLlm.validation())
      const service = Fallback.make([candidate("a", TestLlm.validation(), TestLlm.overloaded()).service, b.service])
      assert.strictEqual((yield* Effect.flip(service.generate(prefilled))).provider, "a")
      const error = yield* Effect.flip(service.generate(prefilled))
      assert.deepStrictEqual([error.provider, error.reason._tag, error.attempts], ["b", "Validation", 3])
      assert.strictEqual(b.control.started, 2)
    }))
})

describe("Fallback telemetry", () => {
  it.effect("tells who was left for whom, and counts fail-overs and wasted tokens", () =>
    Effect.gen(function*() {
      const partial = new LlmResponse({
        parts: [],
        finishReason: "other",
        usage: { input: { total: 120 }, output: { total: 3 } },
        model: "m",
        provider: "lost",
        warnings: []
      })
      const broken = Object.assign(TestLlm.overloaded(), { partial })
      const events: Array<Event> = []
      const service = Fallback.make([candidate("lost", broken).service, candidate("found", "hi").service])
      yield* Effect.provideService(service.generate({ ...hello, label: "greeting" }), EventSink, (event) => {
        events.push(event)
      })
      assert.deepStrictEqual(
        events.map((event) => ({ ...event, eventId: "", timestamp: undefined })) as ReadonlyArray<unknown>,
        [{
          _tag: "FailOver",
          eventId: "",
          timestamp: undefined,
          label: "greeting",
          from: { provider: "lost", model: "lost-1" },
          to: { provider: "found", model: "found-1" },
          reason: "Overloaded"
        }]
      )
      const moved = Metric.withAttributes(Fallback.failovers, { from: "lost", to: "found", reason: "Overloaded" })
      assert.strictEqual((yield* Metric.value(moved)).count, 1)
      const wasted = Metric.withAttributes(Fallback.wastedTokens, { policy: "fallback", provider: "lost" })
      assert.strictEqual((yield* Metric.value(wasted)).count, 123)
    }))
})
