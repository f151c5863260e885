import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Fiber, Metric, Option, Redacted, Stream, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import { Anthropic, Concurrency, Fallback, Retry, Telemetry } from "../../src/index.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const recording = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer }
}

const attributesOf = (span: Tracer.Span | undefined) => Object.fromEntries(span?.attributes ?? [])

const instrumented = (answers: TestLlm.Options["answers"]) => Telemetry.instrument(TestLlm.make({ answers }).service)

describe("telemetry", () => {
  it.effect("makes one client span per call, named and filled by the conventions", () =>
    Effect.gen(function*() {
      const { spans, tracer } = recording()
      const service = instrumented(["Hello there"])
      yield* service.generate({ prompt: "Hi", temperature: 0.5, maxTokens: 9, scope: { sessionId: "s-1" } }).pipe(
        Effect.withTracer(tracer)
      )
      assert.lengthOf(spans, 1)
      assert.strictEqual(spans[0]?.name, `chat ${service.info.model}`)
      assert.strictEqual(spans[0]?.kind, "client")
      const attributes = attributesOf(spans[0])
      assert.strictEqual(attributes["gen_ai.operation.name"], "chat")
      assert.strictEqual(attributes["gen_ai.provider.name"], service.info.provider)
      assert.strictEqual(attributes["gen_ai.request.temperature"], 0.5)
      assert.strictEqual(attributes["gen_ai.request.max_tokens"], 9)
      assert.strictEqual(attributes["gen_ai.conversation.id"], "s-1")
      assert.deepStrictEqual(attributes["gen_ai.response.finish_reasons"], ["stop"])
      assert.isNumber(attributes["gen_ai.usage.output_tokens"])
      assert.notInclude(JSON.stringify(attributes), "Hello")
    }))

  it.effect("ends the span of a stream at its finish, at its failure, and when it is abandoned", () =>
    Effect.gen(function*() {
      const { spans, tracer } = recording()
      const service = instrumented([
        "One two three",
        TestLlm.failAfter(3, "One two three", TestLlm.overloaded()),
        "One two three"
      ])
      const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.exit(Effect.withTracer(effect, tracer))
      yield* run(Stream.runDrain(service.stream({ prompt: "a" })))
      yield* run(Stream.runDrain(service.stream({ prompt: "b" })))
      yield* run(Stream.runDrain(Stream.take(service.stream({ prompt: "c" }), 1)))
      assert.deepStrictEqual(spans.map((span) => span.status._tag), ["Ended", "Ended", "Ended"])
      const exits = spans.map((span) => span.status._tag === "Ended" ? Exit.isSuccess(span.status.exit) : undefined)
      assert.deepStrictEqual(exits, [true, false, false])
      assert.strictEqual(attributesOf(spans[1])["error.type"], "Overloaded")
    }))

  it.effect("makes no span when nobody listens", () =>
    Effect.gen(function*() {
      const parents: Array<boolean> = []
      const inner = TestLlm.make({ answers: ["x"] }).service
      const service = Telemetry.instrument({
        ...inner,
        generate: (request) =>
          Effect.andThen(
            Effect.map(Effect.option(Effect.currentSpan), (span) => void parents.push(Option.isSome(span))),
            inner.generate(request)
          )
      })
      yield* service.generate({ prompt: "x" })
      assert.deepStrictEqual(parents, [false])
    }))

  it.effect("counts durations, tokens and the time to the first token, by provider and model", () =>
    Effect.gen(function*() {
      const service = instrumented(["One two three", TestLlm.serverError(500)])
      yield* Stream.runDrain(service.stream({ prompt: "a" }))
      yield* Effect.exit(service.generate({ prompt: "b" }))
      const snapshot = yield* Metric.snapshot
      const seen = snapshot.filter((metric) => metric.id.startsWith("gen_ai.")).map((metric) => ({
        id: metric.id,
        attributes: metric.attributes ?? {}
      }))
      const has = (id: string, key: string, value: string) =>
        seen.some((metric) => metric.id === id && metric.attributes[key] === value)
      assert.isTrue(has("gen_ai.client.inference.duration", "gen_ai.provider.name", service.info.provider))
      assert.isTrue(has("gen_ai.client.inference.duration", "error.type", "Provider"))
      assert.isTrue(has("gen_ai.client.inference.usage.output_tokens", "gen_ai.token.modality", "unknown"))
      assert.isTrue(has("gen_ai.client.inference.time_to_first_chunk", "gen_ai.request.model", service.info.model))
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("says of which candidate it is, and how long it was held back", () =>
    Effect.gen(function*() {
      const slow = () => TestLlm.delayed("2 seconds", "z")
      for (const streamed of [false, true]) {
        const { spans, tracer } = recording()
        const { service } = TestLlm.make({ answers: [slow(), slow()], model: "a" })
        const retrying = yield* Retry.policy({ jitter: false }).wrap(Telemetry.instrument(service))
        const limited = yield* Concurrency.policy({ permits: 1 }).wrap(Fallback.make([retrying, retrying]))
        const call = Effect.withTracer(
          streamed
            ? Stream.runDrain(limited.stream({ prompt: "x" }))
            : Effect.asVoid(limited.generate({ prompt: "x" })),
          tracer
        )
        const fiber = yield* Effect.forkChild(Effect.all([call, call], { concurrency: 2 }))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
        const of = (key: string) => spans.map((span) => attributesOf(span)[key])
        assert.deepStrictEqual(of("effect_llm.queue.duration"), [undefined, 2])
        assert.deepStrictEqual(of("effect_llm.candidate"), ["test/a", "test/a"])
        assert.deepStrictEqual(of("effect_llm.attempt"), [1, 1])
      }
    }))

  it.effect("counts attempts through policies inside of policies", () =>
    Effect.gen(function*() {
      const { spans, tracer } = recording()
      const one = (answers: TestLlm.Options["answers"], model: string) =>
        Telemetry.instrument(TestLlm.make({ answers, model }).service)
      const overloaded = Array.from({ length: 3 }, () => TestLlm.overloaded())
      for (const streamed of [false, true]) {
        const both = Fallback.make([
          yield* Retry.policy({ retries: 2, jitter: false }).wrap(one(overloaded, "a")),
          one(["y"], "b")
        ])
        const call = streamed ? Stream.runDrain(both.stream({ prompt: "x" })) : both.generate({ prompt: "x" })
        const fiber = yield* Effect.forkChild(Effect.withTracer(call, tracer))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(fiber)
      }
      const attempts = spans.map((span) => [span.name, attributesOf(span)["effect_llm.attempt"]])
      const expected = [["chat a", 1], ["chat a", 2], ["chat a", 3], ["chat b", 4]]
      assert.deepStrictEqual(attempts, [...expected, ...expected])
    }))

  it.effect("reads the environment as the conventions say", () =>
    Effect.gen(function*() {
      const names = (env: Record<string, string>) =>
        Effect.gen(function*() {
          const { spans, tracer } = recording()
          yield* Effect.withTracer(instrumented(["Hello there"]).generate({ prompt: "Hi" }), tracer)
          const snapshot = yield* Metric.snapshot
          const has = (id: string) => snapshot.some((metric) => metric.id === id)
          return {
            current: has("gen_ai.client.inference.duration"),
            older: has("gen_ai.client.operation.duration"),
            content: attributesOf(spans[0])["gen_ai.input.messages"] !== undefined,
            event: spans[0]!.events.length > 0
          }
        }).pipe(
          Effect.provideService(Metric.MetricRegistry, new Map()),
          Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
        )
      const none = { current: true, older: false, content: false, event: false }
      assert.deepStrictEqual(yield* names({}), none)
      assert.deepStrictEqual(yield* names({ OTEL_SEMCONV_STABILITY_OPT_IN: "gen_ai_latest_experimental" }), none)
      assert.deepStrictEqual(yield* names({ OTEL_SEMCONV_STABILITY_OPT_IN: "http,gen_ai/dup" }), {
        ...none,
        older: true
      })
      const capture = (value: string) => names({ OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: value })
      assert.deepStrictEqual(yield* capture("true"), { ...none, content: true })
      assert.deepStrictEqual(yield* capture("EVENT_ONLY"), { ...none, event: true })
      assert.deepStrictEqual(yield* capture("SPAN_AND_EVENT"), { ...none, content: true, event: true })
      assert.deepStrictEqual(yield* capture("NO_CONTENT"), none)
    }))

  it.live("carries the provider's request id and never the key", () =>
    Effect.scoped(Effect.gen(function*() {
      const key = "sk-planted-9876543210-secret"
      const { spans, tracer } = recording()
      const simulator = yield* Simulator.make()
      const service = yield* Anthropic.make({ apiKey: Redacted.make(key), baseUrl: `${simulator.url}/v1` })
      yield* simulator.enqueue(Simulator.text("Fine."), Simulator.echoKey(401))
      const calls = Effect.all([
        Effect.exit(service.generate({ prompt: "a" })),
        Effect.exit(Stream.runDrain(service.stream({ prompt: "b" })))
      ])
      yield* Effect.withTracer(calls, tracer)
      assert.lengthOf(spans, 2)
      for (const span of spans) {
        assert.isString(attributesOf(span)["effect_llm.request_id"])
        assert.notInclude(inspect(span, { depth: 12 }), key)
      }
    })).pipe(Effect.provide(NodeHttpClient.layerUndici)))
})
