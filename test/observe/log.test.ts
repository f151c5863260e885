import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import * as Agent from "../../src/agent/Agent.ts"
import * as Handlers from "../../src/agent/Handlers.ts"
import * as LlmError from "../../src/LlmError.ts"
import { LlmResponse } from "../../src/LlmResponse.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Events from "../../src/observe/Events.ts"
import * as Telemetry from "../../src/observe/Telemetry.ts"
import * as Balance from "../../src/policy/Balance.ts"
import * as Budget from "../../src/policy/Budget.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Concurrency from "../../src/policy/Concurrency.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as Retry from "../../src/policy/Retry.ts"
import { emit, EventLog, EventSink } from "../../src/stream/emit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

interface Line {
  readonly message: string
  readonly level: LogLevel.LogLevel
  readonly annotations: Readonly<Record<string, unknown>>
}

/** Runs with a logger, and gives its lines of one kind. */
const logged = <A, E>(
  effect: Effect.Effect<A, E>,
  level: LogLevel.LogLevel = "Debug"
): Effect.Effect<ReadonlyArray<Line>> => {
  const lines: Array<Line> = []
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    const annotations = { ...fiber.getRef(References.CurrentLogAnnotations) }
    lines.push({ message: String(Array.isArray(message) ? message[0] : message), level: logLevel, annotations })
  })
  return Effect.exit(effect).pipe(
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(References.MinimumLogLevel, level),
    Effect.as(lines)
  )
}

const of = (lines: ReadonlyArray<Line>, event: string) =>
  lines.filter(({ annotations }) => annotations["event"] === event)

const hello = { prompt: "Hello", label: "greeting", scope: { requestId: "r-1", userId: "ada" } }

/** Lets a call sleep. */
const inTime = <A, E>(effect: Effect.Effect<A, E>, adjust: Parameters<typeof TestClock.adjust>[0] = "1 minute") =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    yield* Effect.yieldNow
    yield* TestClock.adjust(adjust)
    return yield* Fiber.join(fiber)
  })

const ask = (service: LlmService.Service) => service.generate(hello)

const make = (answers: TestLlm.Options["answers"], model?: string) => TestLlm.make({ answers, model }).service

describe("the log", () => {
  it.effect("has a line for a retry, with provider, model, label, number, reason and delay", () =>
    Effect.gen(function*() {
      const service = yield* Retry.policy({ jitter: false }).wrap(make([TestLlm.overloaded(), "Hi"]))
      const lines = yield* logged(inTime(ask(service)))
      assert.strictEqual(lines.length, 1)
      assert.strictEqual(lines[0]!.level, "Debug")
      assert.strictEqual(lines[0]!.message, "effect-llm: A call is tried again.")
      assert.deepStrictEqual(lines[0]!.annotations, {
        event: "Retry",
        provider: "test",
        model: "test-model",
        label: "greeting",
        "scope.requestId": "r-1",
        retry: 1,
        reason: "Overloaded",
        delayMillis: 1000
      })
    }))

  it.effect("has lines for what candidates, circuits, hedges and keys do", () =>
    Effect.gen(function*() {
      const limited = () => TestLlm.rateLimit({ retryAfter: "20 seconds" })
      const fallback = Fallback.make([make([limited()], "a"), make(["Hi"], "b")], { benchAfter: 1 })
      const fell = yield* logged(ask(fallback))
      assert.deepStrictEqual(
        of(fell, "FailOver").map(({ annotations }) => [annotations["from.model"], annotations["to.model"]]),
        [
          ["a", "b"]
        ]
      )
      assert.strictEqual(of(fell, "Benched")[0]?.annotations["benchMillis"], 20_000)

      const balance = Balance.make([make([limited(), limited()], "a"), make(["Hi"], "b")], { strategy: "round-robin" })
      const balanced = yield* logged(ask(balance))
      assert.deepStrictEqual(balanced.map(({ annotations }) => annotations["event"]), ["Benched", "FailOver"])

      const circuit = yield* CircuitBreaker.policy({ failures: 1 }).wrap(make([TestLlm.overloaded()]))
      const broken = yield* logged(Effect.andThen(Effect.exit(ask(circuit)), ask(circuit)))
      assert.deepStrictEqual(broken.map(({ annotations }) => annotations["event"]), ["CircuitOpened", "Rejected"])
      assert.strictEqual(broken[1]!.annotations["policy"], "CircuitBreaker")

      const hedge = Hedge.make(make([TestLlm.never], "slow"), make(["Hi"], "fast"), { after: "3 seconds" })
      const hedged = yield* logged(inTime(ask(hedge)))
      assert.strictEqual(of(hedged, "Hedged")[0]?.annotations["delayMillis"], 3000)

      const keys = [{ apiKey: Redacted.make("sk-first-secret-0123456789") }, { apiKey: Redacted.make("sk-second") }]
      const pool = yield* KeyPool.policy({ keys }).wrap(make([limited(), "Hi"]))
      const rotated = yield* logged(ask(pool))
      assert.strictEqual(of(rotated, "KeyRemoved")[0]?.annotations["state"], "benched")
      assert.notInclude(inspect(rotated, { depth: 9 }), "secret")
    }))

  it.effect("has lines for waits over a threshold and for refusals", () =>
    Effect.gen(function*() {
      const concurrency = yield* Concurrency.policy({ permits: 1, maxQueue: 1 }).wrap(
        make([TestLlm.delayed("2 seconds", "one"), "two"])
      )
      const queued = yield* logged(inTime(Effect.all(
        [ask(concurrency), ask(concurrency), Effect.exit(ask(concurrency))],
        { concurrency: "unbounded" }
      )))
      assert.deepStrictEqual(of(queued, "Rejected").map(({ annotations }) => annotations["cause"]), ["full"])
      assert.deepStrictEqual(of(queued, "Waited").map(({ annotations }) => annotations["waitMillis"]), [2000])

      const rate = yield* RateLimit.policy({ requestsPerMinute: 1, maxWait: "2 minutes" }).wrap(make(["one", "two"]))
      const waited = yield* logged(inTime(Effect.andThen(ask(rate), ask(rate)), "2 minutes"))
      assert.strictEqual(of(waited, "Waited")[0]?.annotations["policy"], "RateLimit")

      const budget = yield* Budget.policy({ limit: 0, prices: { "test/test-model": { input: 1, output: 1 } } }).wrap(
        make(["one"])
      )
      const refused = yield* logged(ask(budget))
      assert.deepStrictEqual(of(refused, "Rejected").map(({ annotations }) => annotations["reason"]), [
        "BudgetExceeded"
      ])
    }))

  it.effect("has lines for options that were dropped, streamed and whole alike", () =>
    Effect.gen(function*() {
      const response = new LlmResponse({
        parts: [],
        finishReason: "stop",
        usage: { input: {}, output: {} },
        model: "m",
        provider: "test",
        warnings: [{ field: "topK", message: "Is not taken by this model." }]
      })
      const service = Telemetry.instrument(make([response]))
      const lines = yield* logged(ask(service))
      assert.strictEqual(of(lines, "Warning")[0]?.annotations["field"], "topK")
    }))

  it.effect("has a line for arguments that an agent repaired", () =>
    Effect.gen(function*() {
      const tool = LlmTool.make("look_up", { parameters: Schema.Struct({ title: Schema.String }) })
      const agent = Agent.make({
        tools: Handlers.make([tool], { look_up: ({ title }) => Effect.succeed(title) }),
        request: { label: "desk" },
        invalidArguments: () => Effect.succeed({ title: "Emma" })
      })
      const call = new LlmResponse({
        parts: [{ type: "tool-call", id: "c1", name: "look_up", arguments: { name: "Emma" } }],
        finishReason: "tool-calls",
        usage: { input: {}, output: {} },
        model: "m",
        provider: "test",
        warnings: []
      })
      const service = make([call, "It is in."])
      const run = Effect.provideService(Agent.run(agent, { prompt: "Emma?" }), LlmService.LlmService, service)
      const [line] = of(yield* logged(run), "ArgumentsRepaired")
      assert.strictEqual(line?.annotations["toolName"], "look_up")
      assert.strictEqual(line?.annotations["label"], "desk")
    }))

  it.effect("computes nothing below its level, and one event for a sink and a line together", () =>
    Effect.gen(function*() {
      let made = 0
      const events: Array<Events.Event> = []
      const one = emit({}, () => {
        made++
        return { _tag: "CircuitClosed", key: "k" }
      })
      assert.deepStrictEqual(yield* logged(one, "Info"), [])
      assert.strictEqual(made, 0)
      assert.strictEqual((yield* logged(one)).length, 1)
      assert.strictEqual(made, 1)
      yield* logged(Effect.provideService(one, EventSink, (event) => void events.push(event)))
      assert.deepStrictEqual([made, events.length], [2, 1])
      assert.deepStrictEqual(yield* logged(Effect.provide(one, Events.log({ level: "None" }))), [])
      assert.strictEqual((yield* logged(Effect.provide(one, Events.log({ level: "Info" })), "Info")).length, 1)
    }))

  it.effect("computes nothing for whole calls through policies below its level", () =>
    Effect.gen(function*() {
      const retrying = yield* Retry.policy({ jitter: false }).wrap(make([TestLlm.overloaded(), "Hi"]))
      let read = 0
      const request = {
        prompt: "Hello",
        get label(): string {
          read++
          return "l"
        }
      }
      yield* logged(inTime(retrying.generate(request)), "Info")
      const quiet = read
      const loud = yield* Retry.policy({ jitter: false }).wrap(make([TestLlm.overloaded(), "Hi"]))
      yield* logged(inTime(loud.generate(request)))
      assert.isAbove(read - quiet, quiet)
    }))

  it.effect("has no words of errors, prompts or keys", () =>
    Effect.gen(function*() {
      const service = yield* Retry.policy({ jitter: false }).wrap(
        make([TestLlm.serverError(503, { message: "the secret words" }), "Hi"])
      )
      const lines = yield* logged(inTime(service.generate({ ...hello, prompt: "the secret words" })))
      assert.notInclude(inspect(lines, { depth: 9 }), "secret")
      assert.notInclude(inspect(lines, { depth: 9 }), "ada")
    }))

  it.effect("takes its threshold of waits from the layer", () =>
    Effect.gen(function*() {
      const settings = yield* Effect.provide(
        EventLog,
        Layer.mergeAll(Events.log({ slowWaitMillis: 5 }))
      )
      assert.deepStrictEqual(settings, { level: "Debug", slowWaitMillis: 5 })
      assert.isTrue(LlmError.isLlmError(yield* Effect.flip(ask(make([TestLlm.overloaded()])))))
    }))
})

describe("an event of an application's own", () => {
  it.effect("reaches subscribers and the log like every other", () =>
    Effect.gen(function*() {
      const heard: Array<Events.Event> = []
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      yield* emit({ label: "job" }, () => ({ _tag: "Custom", name: "rerouted", data: { to: "night" } })).pipe(
        Effect.provideService(EventSink, (event) => void heard.push(event)),
        Effect.provideService(References.MinimumLogLevel, "Debug"),
        Effect.provide(Logger.layer([logger]))
      )
      assert.deepInclude(heard[0]! as object, { _tag: "Custom", name: "rerouted", label: "job" })
      assert.deepStrictEqual(lines, ["effect-llm: A policy of the application tells."])
    }))
})
