import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric, Redacted, References, Schema, Stream } from "effect"
import { Otlp, OtlpExporter, OtlpSerialization } from "effect/observability"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import facts from "../../scripts/semconv/facts.json" with { type: "json" }
import * as library from "../../src/index.ts"
import { Agent, Anthropic, Handlers, LlmService, LlmTool, Retry, Telemetry } from "../../src/index.ts"
import * as Simulator from "../../src/testing/Simulator.ts"

// =============================================================================
// Collector
// =============================================================================

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}
interface Span {
  readonly name: string
  readonly kind: number
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: ReadonlyArray<Attribute>
  readonly events: ReadonlyArray<{ readonly name: string; readonly attributes: ReadonlyArray<Attribute> }>
}
interface Point {
  readonly attributes: ReadonlyArray<Attribute>
  readonly explicitBounds?: ReadonlyArray<number>
}
interface Exported {
  readonly name: string
  readonly unit: string
  readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: ReadonlyArray<Point> }
  readonly histogram?: { readonly dataPoints: ReadonlyArray<Point> }
  readonly gauge?: { readonly dataPoints: ReadonlyArray<Point> }
}

/** Takes what an exporter sends. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly bodies: Map<string, Array<any>>; readonly close: () => void }>(
    (resume) => {
      const bodies = new Map<string, Array<any>>()
      const server = createServer((request, response) => {
        let text = ""
        request.on("data", (chunk) => text += chunk)
        request.on("end", () => {
          bodies.set(request.url!, [...bodies.get(request.url!) ?? [], JSON.parse(text)])
          response.setHeader("content-type", "application/json").end("{}")
        })
      }).listen(0, "127.0.0.1", () => {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        resume(Effect.succeed({ url, bodies, close: () => server.close() }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

const ask = LlmTool.make("look_up", {
  description: "Looks a book up",
  parameters: Schema.Struct({ title: Schema.String })
})

const agent = Agent.make({
  name: "librarian",
  description: "Finds books",
  request: { model: "claude-haiku-4-5", scope: { sessionId: "s-1" }, maxTokens: 500 },
  tools: Handlers.make([ask], {
    look_up: ({ title }) => Effect.succeed(`${title} is out; key sk-ant-api03-${"a".repeat(90)}`)
  })
})

const key = "sk-planted-9876543210-secret"

/** Calls of every kind, exported to the collector. */
const exported = (settings: Telemetry.Settings) =>
  Effect.gen(function*() {
    const { bodies, url } = yield* collector
    const simulator = yield* Simulator.make()
    const service = yield* Anthropic.make({
      apiKey: Redacted.make(key),
      baseUrl: `${simulator.url}/v1`,
      model: "claude-haiku-4-5",
      label: "library"
    })
    const retrying = yield* Retry.policy({ base: "1 millis", floor: "1 millis", jitter: false }).wrap(service)
    yield* simulator.enqueue(
      Simulator.text("Fine."),
      Simulator.error(529),
      Simulator.text("Fine, too, and in several pieces.", { delayMillis: 3 }),
      Simulator.echoKey(401),
      Simulator.toolCall("look_up", { title: "Emma" }),
      Simulator.text("It is out.")
    )
    const calls = Effect.gen(function*() {
      yield* retrying.generate({
        system: `Be brief. ${key}`,
        prompt: "Hello, Ada",
        temperature: 0.5,
        topK: 5,
        stop: ["x"],
        apiKey: Redacted.make(key),
        responseFormat: { type: "text" },
        scope: { sessionId: "s-1" }
      })
      yield* Stream.runDrain(retrying.stream({ prompt: "Hello again" }))
      yield* Effect.exit(retrying.generate({ prompt: "No" }))
      yield* Agent.run(agent, { prompt: "Is Emma in?" })
      yield* Effect.flatMap(OtlpExporter.Flusher, ({ flush }) => flush)
    })
    yield* calls.pipe(
      Effect.provideService(LlmService.LlmService, retrying),
      Effect.provide(
        Otlp.layer({ baseUrl: url, resource: { serviceName: "library" } }).pipe(
          Layer.provide(OtlpSerialization.layerJson)
        )
      ),
      Effect.provideService(References.MinimumLogLevel, "Debug")
    )
    const of = (path: string, outer: string, scope: string, inner: string): ReadonlyArray<any> =>
      (bodies.get(path) ?? []).flatMap((body) =>
        body[outer].flatMap((one: any) => one[scope].flatMap((two: any) => two[inner]))
      )
    return {
      text: JSON.stringify([...bodies]),
      spans: of("/v1/traces", "resourceSpans", "scopeSpans", "spans") as ReadonlyArray<Span>,
      metrics: of("/v1/metrics", "resourceMetrics", "scopeMetrics", "metrics") as ReadonlyArray<Exported>,
      logs: of("/v1/logs", "resourceLogs", "scopeLogs", "logRecords")
    }
  }).pipe(
    Effect.scoped,
    Effect.provide(Layer.mergeAll(NodeHttpClient.layerUndici, Logger.layer([]), Telemetry.layer(settings))),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

// =============================================================================
// Checks
// =============================================================================

const attributeFacts = facts.attributes as Readonly<
  Record<string, { readonly type: string; readonly values?: ReadonlyArray<string> }>
>
const metricFacts = facts.metrics as unknown as Readonly<
  Record<string, {
    readonly instrument: string
    readonly unit: string
    readonly boundaries?: ReadonlyArray<number>
    readonly attributes: Readonly<Record<string, string>>
  }>
>

const types: Readonly<Record<string, ReadonlyArray<string>>> = {
  string: ["stringValue"],
  int: ["intValue"],
  // A whole number is sent as one.
  double: ["doubleValue", "intValue"],
  boolean: ["boolValue"],
  "string[]": ["arrayValue"],
  any: ["stringValue"]
}

/** Only names, types and values that the conventions have, beside our own; all that are required. */
const conforms = (where: string, attributes: ReadonlyArray<Attribute>, levels: Readonly<Record<string, string>>) => {
  for (const { key, value } of attributes) {
    if (key.startsWith("effect_llm.") || key === "unit") continue
    assert.property(levels, key, where)
    const fact = attributeFacts[key]!
    assert.include(types[fact.type]!, Object.keys(value)[0]!, `${where} ${key}`)
    if (fact.values !== undefined) assert.include(fact.values, value["stringValue"], `${where} ${key}`)
  }
  for (const [key, level] of Object.entries(levels)) {
    if (level === "required") assert.include(attributes.map(({ key }) => key), key, where)
  }
}

const of = (attributes: ReadonlyArray<Attribute>, key: string): any =>
  Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0]

const current: Telemetry.Settings = { conventions: "current", captureContent: "none" }

describe("the GenAI conventions, over OTLP", () => {
  it.live("are kept by spans: names, kinds, types, levels, parents", () =>
    Effect.gen(function*() {
      const { logs, metrics, spans, text } = yield* exported(current)
      const kinds = { client: 3, internal: 1 }
      const typeOf = {
        chat: "gen_ai.client.inference",
        invoke_agent: "gen_ai.invoke_agent.internal",
        execute_tool: "gen_ai.execute_tool.internal"
      }
      const ours = spans.filter(({ attributes }) => of(attributes, "gen_ai.operation.name") !== undefined)
      for (const { attributes, kind, name } of ours) {
        const fact = facts.spans[typeOf[of(attributes, "gen_ai.operation.name") as "chat"] as "gen_ai.client.inference"]
        assert.strictEqual(kind, kinds[fact.kind as "client"], name)
        assert.strictEqual(name, fact.name.replace(/\{([^}]+)\}/g, (_, key: string) => of(attributes, key)))
        conforms(name, attributes, fact.attributes)
      }
      const names = ours.map(({ name }) => name)
      for (const name of ["chat claude-haiku-4-5", "invoke_agent librarian", "execute_tool look_up"]) {
        assert.include(names, name)
      }
      const parent = ours.find(({ name }) => name === "invoke_agent librarian")!
      assert.strictEqual(ours.filter(({ parentSpanId }) => parentSpanId === parent.spanId).length, 3)
      // The second attempt of the stream says so.
      assert.deepStrictEqual(
        ours.filter(({ attributes }) => of(attributes, "effect_llm.attempt") === 2).map(({ attributes }) =>
          of(attributes, "gen_ai.request.stream")
        ),
        [true]
      )
      assert.deepStrictEqual(
        new Set(ours.flatMap(({ attributes }) => of(attributes, "error.type") ?? [])),
        new Set(["Overloaded", "Authentication"])
      )
      assert.strictEqual(of(parent.attributes, "gen_ai.agent.description"), "Finds books")

      // Metrics: instruments, units, boundaries, attributes.
      for (const [name, fact] of Object.entries(metricFacts)) {
        const found = metrics.find((metric) => metric.name === name)
        assert.isDefined(found, name)
        assert.strictEqual(found!.unit, fact.unit, name)
        if (fact.instrument === "counter") assert.isTrue(found!.sum?.isMonotonic, name)
        else assert.isDefined(found!.histogram, name)
        const points = found!.sum?.dataPoints ?? found!.histogram!.dataPoints
        for (const { attributes, explicitBounds } of points) {
          conforms(name, attributes, fact.attributes)
          if (fact.boundaries !== undefined) assert.deepStrictEqual(explicitBounds, fact.boundaries, name)
        }
      }
      const unknown = metrics.filter(({ name }) => name.startsWith("gen_ai.") && !(name in metricFacts))
      assert.deepStrictEqual(unknown.map(({ name }) => name), [])

      // The log line of the retry.
      const lines = logs.filter(({ attributes }) => of(attributes, "event") === "Retry")
      assert.deepStrictEqual(lines.map(({ severityText }) => String(severityText).toUpperCase()), ["DEBUG"])

      // No content, and no key anywhere.
      for (const word of ["Ada", "Emma", "It is out", key]) assert.notInclude(text, word)
    }))

  it.live("have content where it is asked for, in their form, without keys", () =>
    Effect.gen(function*() {
      const { spans, text } = yield* exported({
        conventions: "current",
        captureContent: "both",
        redact: (text) => text.replaceAll("Ada", "<name>")
      })
      const chat = spans.find(({ attributes }) =>
        String(of(attributes, "gen_ai.input.messages")).includes("Hello, <name>")
      )!
      conforms("chat", chat.attributes, facts.spans["gen_ai.client.inference"].attributes)
      assert.deepStrictEqual(JSON.parse(of(chat.attributes, "gen_ai.input.messages")), [
        { role: "user", parts: [{ type: "text", content: "Hello, <name>" }] }
      ])
      assert.deepStrictEqual(JSON.parse(of(chat.attributes, "gen_ai.output.messages")), [
        { role: "assistant", parts: [{ type: "text", content: "Fine." }], finish_reason: "stop" }
      ])
      const [event] = chat.events
      assert.strictEqual(event?.name, "gen_ai.client.inference.operation.details")
      assert.include(of(event!.attributes, "gen_ai.system_instructions"), "Be brief.")
      const tool = spans.find(({ name }) => name === "execute_tool look_up")!
      assert.deepStrictEqual(JSON.parse(of(tool.attributes, "gen_ai.tool.call.arguments")), { title: "Emma" })
      assert.include(of(tool.attributes, "gen_ai.tool.call.result"), "Emma is out")
      for (const word of ["Ada", key, "sk-ant-api03-aaaa"]) assert.notInclude(text, word)
    }))

  it.live("are the older ones where these are asked for", () =>
    Effect.gen(function*() {
      const { metrics, spans } = yield* exported({ ...current, conventions: "older" })
      const names = [...new Set(metrics.map(({ name }) => name))].filter((name) => name.startsWith("gen_ai.client."))
      assert.sameMembers(names, [
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.operation.time_per_output_chunk"
      ])
      assert.isDefined(spans.find(({ name }) => name === "chat claude-haiku-4-5"))
    }))
})

describe("docs/grafana.json", () => {
  it("uses only metrics that the library has, and panels that have a query each", () => {
    const metrics = Object.values(library).flatMap((module) =>
      Object.values(module).filter((value): value is Metric.Metric<unknown, unknown> => Metric.isMetric(value))
    )
    /** As an OTLP receiver of Prometheus names them: https://prometheus.io/docs/guides/opentelemetry/ */
    const names = new Set(metrics.flatMap(({ attributes, id, type }) => {
      const name = `${id.replaceAll(".", "_")}${attributes?.["unit"] === "s" ? "_seconds" : ""}`
      return type === "Counter"
        ? [`${name}_total`]
        : type === "Histogram"
        ? [`${name}_bucket`, `${name}_count`, `${name}_sum`]
        : [name]
    }))
    const dashboard = JSON.parse(readFileSync(new URL("../../docs/grafana.json", import.meta.url), "utf8"))
    const used = [...JSON.stringify(dashboard).matchAll(/\b((?:gen_ai_(?:client|invoke|execute)|effect_llm)_[a-z_]+)/g)]
      .map(([name]) => name)
    assert.isAbove(used.length, 30)
    assert.deepStrictEqual([...new Set(used)].filter((name) => !names.has(name)), [])
    for (const { targets, type } of dashboard.panels) if (type !== "row") assert.isAbove(targets.length, 0)
  })
})
