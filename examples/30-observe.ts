/**
 * What is seen of calls at night: lines in the log, spans, metrics and money, exported over OTLP, with a warning about a prompt cache
 * that is never hit. A collector of a few lines stands in for a real one; the provider is the simulator.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Console, Effect, Layer, Logger, Redacted, References } from "effect"
import { Otlp, OtlpExporter, OtlpSerialization } from "effect/observability"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Anthropic, Cost, Events, LlmService, PromptCache, Retry, Telemetry } from "../src/index.ts"
import * as Simulator from "../src/testing/Simulator.ts"

/** Prints the names of the spans and metrics it is sent. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
    const seen = new Set<string>()
    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk) => body += chunk)
      request.on("end", () => {
        for (const [, name] of body.matchAll(/"name":"((?:gen_ai|effect_llm|chat)[^"]*)"/g)) {
          if (!seen.has(name!)) console.log(`  ${request.url}: ${name}`)
          seen.add(name!)
        }
        response.setHeader("content-type", "application/json").end("{}")
      })
    }).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

// #region export
/** Logs, spans and metrics of the whole application to a collector; `Otlp.layerFromConfig()` reads `OTEL_*` instead. */
const exporting = (baseUrl: string) =>
  Otlp.layer({ baseUrl, resource: { serviceName: "library" } }).pipe(
    Layer.provide(OtlpSerialization.layerJson),
    Layer.provide(NodeHttpClient.layerUndici)
  )
// #endregion

// #region stack
/** What a provider's layer gets around it to be seen; spans and metrics of requests it has already. */
const observed = (llm: Layer.Layer<LlmService.LlmService, unknown>) =>
  llm.pipe(
    Retry.policy({ base: "10 millis", floor: "10 millis" }),
    PromptCache.policy({ misses: 2 }),
    Cost.policy()
  )
// #endregion

// #region log
/** One line for each retry, failover, long wait, refusal, dropped option …; at `Info` here, at `Debug` unless told otherwise. */
const logging = Layer.mergeAll(
  Events.log({ level: "Info", slowWaitMillis: 500 }),
  Logger.layer([Logger.formatLogFmt.pipe((format) => Logger.make((entry) => console.log(`  ${format.log(entry)}`)))])
)
// #endregion

const instructions = "You are a librarian and know every book of this library. ".repeat(100)

const program = Effect.gen(function*() {
  const { url } = yield* collector
  const simulator = yield* Simulator.make()
  yield* simulator.enqueue(Simulator.error(529))
  for (let n = 0; n < 4; n++) {
    yield* simulator.enqueue(Simulator.text("It is out.", { usage: { input: 1500, cacheWrite: 1400, output: 4 } }))
  }
  const llm = observed(
    Anthropic.layer({
      apiKey: Redacted.make("sk-example"),
      baseUrl: `${simulator.url}/v1`,
      model: "claude-haiku-4-5",
      label: "desk"
    }).pipe(Layer.provide(NodeHttpClient.layerUndici))
  )
  yield* Console.log("the log, and what the collector is sent:")
  yield* Effect.gen(function*() {
    // #region changing
    for (let minute = 0; minute < 4; minute++) {
      // The time of day in the system prompt: every call pays for writing a prefix that none will read.
      yield* LlmService.generate({
        system: `${instructions}It is 12:0${minute}.`,
        prompt: "Is Emma in?",
        cache: { systemPrompt: true }
      })
    }
    // #endregion
    yield* Effect.flatMap(OtlpExporter.Flusher, ({ flush }) => flush)
  }).pipe(Effect.provide(Layer.mergeAll(llm, exporting(url), logging)))
}).pipe(
  // #region content
  // Prompts and answers are recorded only when asked for, and then redacted.
  Effect.provide(Telemetry.layer({ captureContent: "span", redact: (text) => text.replaceAll("Emma", "<title>") })),
  // #endregion
  Effect.provideService(References.MinimumLogLevel, "Info"),
  Effect.scoped
)

Effect.runPromise(program)
