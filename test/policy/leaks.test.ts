import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { LlmError } from "../../src/LlmError.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Node from "../../src/node.ts"
import * as Balance from "../../src/policy/Balance.ts"
import * as Budget from "../../src/policy/Budget.ts"
import * as Cache from "../../src/policy/Cache.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Concurrency from "../../src/policy/Concurrency.ts"
import * as Continue from "../../src/policy/Continue.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import * as Groq from "../../src/provider/Groq.ts"

// =============================================================================
// A server
// =============================================================================

const deeds = ["answer", "hang", "headers", "drip", "flood", "reset", "junk", "cut", 401, 429, 503] as const
type Deed = typeof deeds[number]

const frame = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const delta = frame({ choices: [{ index: 0, delta: { content: "Once upon a time. " } }] })
const end = `${frame({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}data: [DONE]\n\n`
const whole = JSON.stringify({ choices: [{ index: 0, message: { content: "Once." }, finish_reason: "stop" }] })

const act = (deed: Deed, streamed: boolean, response: ServerResponse): void => {
  if (typeof deed === "number") {
    response.writeHead(deed, { "content-type": "application/json" }).end("{\"error\":{\"message\":\"No.\"}}")
    return
  }
  if (deed === "hang") return
  if (deed === "reset") return void response.socket?.resetAndDestroy()
  response.writeHead(200, { "content-type": streamed ? "text/event-stream" : "application/json" })
  response.flushHeaders()
  switch (deed) {
    case "answer":
      return void response.end(streamed ? delta + end : whole)
    case "cut":
      response.write(streamed ? delta : whole.slice(0, 20))
      return void setImmediate(() => response.destroy())
    case "junk":
      return void response.end("<html>\u0000{{{[[[")
    case "drip":
      return void response.write(streamed ? delta : "{")
    case "flood": {
      const more = () => {
        while (!response.destroyed && response.write(streamed ? delta.repeat(100) : " ".repeat(8192)));
      }
      response.on("drain", more)
      return more()
    }
    default:
      return
  }
}

const serve = Effect.acquireRelease(
  Effect.callback<
    { readonly url: string; readonly open: () => number; deeds: ReadonlyArray<Deed>; readonly close: () => void }
  >(
    (resume) => {
      let open = 0
      let turn = 0
      const server = createServer((request, response) => {
        open++
        response.on("close", () => open--)
        response.on("error", () => {})
        let body = ""
        request.on("data", (chunk) => body += chunk)
        request.on("error", () => {})
        request.on(
          "end",
          () => act(made.deeds[turn++ % made.deeds.length]!, body.includes("\"stream\":true"), response)
        )
      })
      const made = {
        url: "",
        open: () => open,
        deeds: ["answer"] as ReadonlyArray<Deed>,
        close: () => {
          server.closeAllConnections()
          server.close()
        }
      }
      server.listen(0, "127.0.0.1", () => {
        made.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        resume(Effect.succeed(made))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

// =============================================================================
// Stacks
// =============================================================================

const key = (value: string) => Redacted.make(`a-key-of-some-length-${value}`)

type Wrapping = (
  service: Service,
  other: Service
) => Effect.Effect<Service, LlmError, Budget.Store | RateLimit.Store | Scope.Scope>

const policies: { readonly [name: string]: Wrapping } = {
  retry: (service) => Retry.policy({ retries: 2, base: "5 millis", cap: "20 millis" }).wrap(service),
  timeout: (service) =>
    Timeout.policy({ firstToken: "15 millis", idle: "15 millis", total: "80 millis" }).wrap(service),
  circuit: (service) => CircuitBreaker.policy({ failures: 1, openFor: "5 millis" }).wrap(service),
  concurrency: (service) => Concurrency.policy({ permits: 1, queueDeadline: "30 millis" }).wrap(service),
  rateLimit: (service) =>
    RateLimit.policy({ requestsPerMinute: 6000, maxWait: "40 millis", key: "all", store: RateLimit.storeShared }).wrap(
      service
    ),
  budget: (service) =>
    Budget.policy({
      limit: 0.003,
      prices: { "groq/m": { input: 1, output: 1 } },
      onExceeded: "wait",
      maxWait: "60 millis",
      store: Budget.storeShared
    }).wrap(service),
  keyPool: (service) =>
    KeyPool.policy({ keys: [{ apiKey: key("1") }, { apiKey: key("2") }], bench: "5 millis" }).wrap(service),
  cache: (service) => Cache.policy({ partition: () => "all", maxWait: "20 millis" }).wrap(service),
  hedge: (service, other) => Effect.succeed(Hedge.make(service, other, { after: "5 millis" })),
  fallback: (service, other) => Effect.succeed(Fallback.make([service, other])),
  balance: (service, other) => Effect.succeed(Balance.make([service, other], { strategy: "least-busy" })),
  goOn: (service) => Effect.succeed(Continue.make(service))
}
const names = Object.keys(policies)

// =============================================================================
// Law
// =============================================================================

const fibers = () => {
  let running = 0
  return {
    running: () => running,
    metrics: {
      recordFiberStart: () => void running++,
      recordFiberEnd: () => void running--
    } satisfies Metric.FiberRuntimeMetricsService
  }
}

/** Waits for what other parties see a little later, such as a closed connection, in turns of the event loop. */
const settles = (what: string, isSettled: () => boolean) =>
  Effect.promise(async () => {
    for (let turn = 0; turn < 20_000 && !isSettled(); turn++) await new Promise(setImmediate)
    assert.isTrue(isSettled(), what)
  })

const gauges = Effect.map(
  Metric.snapshot,
  (found) =>
    found.filter(({ id, type }) => type === "Gauge" && id.startsWith("effect_llm.concurrency")).map(({ id, state }) => [
      id,
      (state as { readonly value: number | bigint }).value
    ])
)

const run = (stack: ReadonlyArray<string>, does: ReadonlyArray<Deed>, calls: ReadonlyArray<Call>) => {
  const counter = fibers()
  return Effect.gen(function*() {
    const server = yield* serve
    server.deeds = does
    const make = Groq.make({ apiKey: key("0"), baseUrl: `${server.url}/v1`, model: "m" })
    let service: Service = yield* make
    for (const name of stack) service = yield* policies[name]!(service, yield* make)
    const before = counter.running()
    const started = calls.map(({ interruptAfter, streamed }) =>
      Effect.gen(function*() {
        const request = { prompt: "Hello", maxTokens: 1000 }
        const call = streamed
          ? Stream.runDrain(service.stream(request).pipe(Stream.take(50)))
          : Effect.asVoid(service.generate(request))
        const fiber = yield* Effect.forkChild(call, { startImmediately: true })
        yield* Effect.sleep(interruptAfter)
        yield* Fiber.interrupt(fiber)
      })
    )
    yield* Effect.all(started, { concurrency: "unbounded" })
    assert.strictEqual(counter.running(), before, "fibers")
    yield* settles("open exchanges", () => server.open() === 0)
    for (const [id, value] of yield* gauges) assert.strictEqual(Number(value), 0, String(id))
    assert.strictEqual((yield* (yield* Budget.Store).read("budget:all")).reserved, 0)
    // A call that was interrupted while it waited has given everything back: no one waits any more.
    const limits = { requests: 6000 }
    const left = yield* (yield* RateLimit.Store).reserve({
      key: "all",
      limits,
      amounts: { requests: 5900 },
      maxWaitMillis: 60_000
    })
    assert.strictEqual(left.waitMillis, 0)
  }).pipe(
    Effect.provideService(Metric.FiberRuntimeMetrics, counter.metrics),
    Effect.provideService(Metric.MetricRegistry, new Map()),
    Effect.scoped,
    Effect.provide(Layer.fresh(Layer.merge(Budget.storeMemory, RateLimit.storeMemory)))
  )
}

interface Call {
  readonly streamed: boolean
  readonly interruptAfter: number
}

const call: fc.Arbitrary<Call> = fc.record({ streamed: fc.boolean(), interruptAfter: fc.integer({ min: 0, max: 60 }) })

describe("whatever was interrupted, starved, flooded or fed with junk", () => {
  const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
    ["node", Node.layerHttpClient],
    ["fetch", FetchHttpClient.layer]
  ]
  for (const [name, layer] of clients) {
    // The assertions are in `run`.
    // oxlint-disable-next-line vitest/expect-expect
    it(`leaves no exchange, fiber, permit or reservation, over ${name}`, () =>
      Effect.gen(function*() {
        const context = yield* Layer.build(layer)
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(
              fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 5 }),
              fc.array(fc.constantFrom<Deed>(...deeds), { minLength: 1, maxLength: 4 }),
              fc.array(call, { minLength: 1, maxLength: 6 }),
              (stack, does, calls) => Effect.runPromiseWith(context)(run(stack, does, calls))
            ),
            { numRuns: 25 }
          )
        )
      }).pipe(Effect.scoped, Effect.runPromise), 30_000)
  }
})
