import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, Option, Redacted, Stream, Tracer } from "effect"
import { inspect } from "node:util"
import { Anthropic, Telemetry } from "../../src/index.ts"
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
      assert.isTrue(has("gen_ai.client.operation.duration", "gen_ai.provider.name", service.info.provider))
      assert.isTrue(has("gen_ai.client.operation.duration", "error.type", "Provider"))
      assert.isTrue(has("gen_ai.client.token.usage", "gen_ai.token.type", "output"))
      assert.isTrue(has("gen_ai.client.operation.time_to_first_chunk", "gen_ai.request.model", service.info.model))
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

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
