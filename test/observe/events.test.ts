import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as PubSub from "effect/PubSub"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { LlmError } from "../../src/LlmError.ts"
import { LlmResponse } from "../../src/LlmResponse.ts"
import type * as LlmService from "../../src/LlmService.ts"
import * as Cost from "../../src/observe/Cost.ts"
import * as Events from "../../src/observe/Events.ts"
import * as Cache from "../../src/policy/Cache.ts"
import { emit, EventSink } from "../../src/stream/emit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello = { prompt: "Hello" }

/** A service with the events of its calls so far. */
const observed = (
  options: TestLlm.Options,
  around: (service: LlmService.Service) => Effect.Effect<LlmService.Service, LlmError, Scope> = Effect.succeed
) =>
  Effect.gen(function*() {
    const { control, service } = TestLlm.make(options)
    const subscription = yield* Events.subscribe
    const inner = yield* around(service)
    const seen: Effect.Effect<ReadonlyArray<Events.Event>> = PubSub.takeUpTo(subscription, 1000)
    return { control, seen, service: yield* Events.policy().wrap(inner) }
  })

const listening = <A, E>(effect: Effect.Effect<A, E, Events.Events | Scope>, capacity?: number) =>
  // The service value is used outside of the layer's context, as an application's layers are.
  Effect.scoped(Effect.flatMap(Layer.build(Events.layer({ capacity })), (context) =>
    Effect.provideService(Effect.provideContext(effect, context), EventSink, undefined)))

const tags = (events: ReadonlyArray<Events.Event>) => events.map((event) => event._tag)

const answer = new LlmResponse({
  parts: [{ type: "text", text: "Hi!" }],
  finishReason: "stop",
  usage: { input: { total: 100, uncached: 20, cacheRead: 50, cacheWrite: 30 }, output: { total: 5 } },
  model: "test-model",
  provider: "test",
  cost: 0.5,
  warnings: []
})

describe("Events.policy", () => {
  for (const streamed of [false, true]) {
    const call = (service: LlmService.Service, request: Parameters<LlmService.Service["generate"]>[0]) =>
      streamed ? Stream.runDrain(service.stream(request)) : Effect.asVoid(service.generate(request))
    const how = streamed ? "streamed" : "whole"

    it.effect(`tells of a call, its tokens, the prompt cache and the cost, ${how}`, () =>
      listening(Effect.gen(function*() {
        const { seen, service } = yield* observed({ answers: [TestLlm.delayed("2 seconds", answer)] })
        const scope = { userId: "ada", sessionId: "s", requestId: "r" }
        yield* TestClock.setTime(Date.UTC(2030, 0, 1))
        const fiber = yield* Effect.forkChild(call(service, { ...hello, scope, label: "l", metadata: { team: "x" } }))
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(fiber)
        const events = yield* seen
        assert.deepStrictEqual(tags(events), ["ProviderCall", "TokenUsage", "CacheHit", "CacheWrite", "CostRecorded"])
        for (const event of events) {
          assert.match(event.eventId, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
          assert.strictEqual(DateTime.formatIso(event.timestamp), "2030-01-01T00:00:02.000Z")
          assert.deepStrictEqual(event.scope, scope)
          assert.strictEqual(event.label, "l")
          assert.deepStrictEqual(event.metadata, { team: "x" })
        }
        assert.strictEqual(new Set(events.map(({ eventId }) => eventId)).size, 5)
        const [first, , hit, write, cost] = events
        assert.isTrue(first?._tag === "ProviderCall" && first.durationMillis === 2000 && first.status === "finished")
        assert.isTrue(hit?._tag === "CacheHit" && hit.tokensSaved === 50 && hit.cache === "prompt")
        assert.isTrue(write?._tag === "CacheWrite" && write.tokensWritten === 30)
        assert.isTrue(cost?._tag === "CostRecorded" && cost.cost === 0.5 && !cost.billed)
      })))

    it.effect(`tells of a failure by its reason, without message or body, ${how}`, () =>
      listening(Effect.gen(function*() {
        const { seen, service } = yield* observed({
          answers: [TestLlm.serverError(503, { message: "secret words" })]
        })
        yield* Effect.flip(call(service, hello))
        const events = yield* seen
        assert.deepStrictEqual(tags(events), ["ProviderCall", "RequestFailed"])
        const failed = events[1]!
        assert.isTrue(failed._tag === "RequestFailed" && failed.reason === "Provider" && failed.status === 503)
        assert.notInclude(JSON.stringify(events), "secret")
      })))

    it.effect(`tells of an interruption, ${how}`, () =>
      listening(Effect.gen(function*() {
        const { seen, service } = yield* observed({ answers: [TestLlm.never] })
        const fiber = yield* Effect.forkChild(call(service, hello))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        const events = yield* seen
        assert.deepStrictEqual(tags(events), ["ProviderCall"])
        assert.isTrue(events[0]?._tag === "ProviderCall" && events[0].status === "interrupted")
      })))

    it.effect(`tells of the tokens of what broke off, ${how}`, () =>
      listening(Effect.gen(function*() {
        const { seen, service } = yield* observed({
          answers: [TestLlm.failAfter(5, answer, TestLlm.network())]
        })
        yield* Effect.flip(call(service, hello))
        const events = yield* seen
        assert.deepStrictEqual(tags(events), ["ProviderCall", "TokenUsage", "RequestFailed"])
      })))

    it.effect(`lets the policies inside tell theirs, also when only the layer knows of the bus, ${how}`, () =>
      listening(Effect.gen(function*() {
        const { seen, service } = yield* observed(
          { answers: [answer] },
          (service) => Cache.policy({ partition: () => "all" }).wrap(service)
        )
        yield* call(service, hello)
        assert.deepStrictEqual(tags(yield* seen).slice(0, 2), ["CacheWrite", "ProviderCall"])
        yield* call(service, { ...hello, label: "again" })
        const events = yield* seen
        assert.deepStrictEqual(tags(events), ["CacheHit"])
        assert.isTrue(events[0]?._tag === "CacheHit" && events[0].cache === "response" && events[0].tokensSaved === 105)
        assert.strictEqual(events[0]?.label, "again")
      })))
  }

  it.effect("records the cost that Cost works out inside of it", () =>
    listening(Effect.gen(function*() {
      const { seen, service } = yield* observed({ answers: ["Hi!"] }, (service) =>
        Cost.policy({ prices: { "test/test-model": { input: 1e6, output: 1e6 } } }).wrap(service))
      yield* service.generate(hello)
      const cost = (yield* seen).find((event) =>
        event._tag === "CostRecorded"
      )
      assert.isTrue(cost?._tag === "CostRecorded" && cost.cost === 2)
    })))

  it.effect("records a billed cost as such", () =>
    listening(Effect.gen(function*() {
      const billed = answer.with({ cost: undefined, usage: { ...answer.usage, billedCost: 0.7 } })
      const { seen, service } = yield* observed({ answers: [billed] })
      yield* service.generate(hello)
      const cost = (yield* seen).find((event) => event._tag === "CostRecorded")
      assert.isTrue(cost?._tag === "CostRecorded" && cost.cost === 0.7 && cost.billed)
    })))

  it.effect("counts no provider call for a request that was turned away before it was sent", () =>
    listening(Effect.gen(function*() {
      const { seen, service } = yield* observed({ answers: [TestLlm.overloaded()] }, (service) =>
        Effect.succeed({
          ...service,
          generate: (request) => Effect.mapError(service.generate(request), (error) => error.with({ attempts: 0 }))
        }))
      yield* Effect.flip(service.generate(hello))
      assert.deepStrictEqual(tags(yield* seen), ["RequestFailed"])
    })))
})

describe("Events", () => {
  it.effect("never holds up a call: what a slow subscriber cannot take is dropped and counted", () =>
    listening(
      Effect.gen(function*() {
        const before = (yield* Metric.value(Events.dropped)).count
        const { seen, service } = yield* observed({ answers: () => "Hi!" })
        for (let i = 0; i < 10; i++) yield* service.generate(hello)
        assert.isAtMost((yield* seen).length, 4)
        assert.isAtLeast((yield* Metric.value(Events.dropped)).count, before + 16)
        yield* service.generate(hello)
        assert.strictEqual((yield* seen).length, 2)
      }),
      4
    ))

  it.effect("makes nothing when nobody listens", () =>
    Effect.gen(function*() {
      let made = 0
      const told = emit(hello as never, () => {
        made++
        return { _tag: "CircuitClosed", key: "k" }
      })
      yield* told
      assert.strictEqual(made, 0)
      const events: Array<Events.Event> = []
      yield* Effect.provideService(told, EventSink, (event) => void events.push(event))
      assert.strictEqual(made, 1)
      assert.deepStrictEqual(tags(events), ["CircuitClosed"])
    }))

  it.effect("can be had as a stream, and publishes an application's own", () =>
    Effect.gen(function*() {
      const bus = yield* Events.Events
      const fiber = yield* Effect.forkChild(Events.stream.pipe(Stream.take(1), Stream.runCollect))
      yield* Effect.yieldNow
      yield* TestClock.adjust("1 second")
      yield* bus.publish({ _tag: "CircuitClosed", key: "mine", eventId: "1", timestamp: yield* DateTime.now })
      assert.deepStrictEqual(tags(yield* Fiber.join(fiber)), ["CircuitClosed"])
    }).pipe(Effect.provide(Events.layer())))
})
