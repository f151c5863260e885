/**
 * HTTP in front of a `Registry`: what speaks to OpenAI, Anthropic or Google speaks to this, and gets the failover, the limits and the
 * honesty of the instances behind it.
 *
 * `layer` adds the routes to the `HttpRouter` of `effect/http`: Chat Completions, Responses, Messages, `generateContent`, lists of
 * models and counts of tokens under the paths that clients of these wires ask for, `/health` and `/metrics`. Requests and answers are
 * read and written by the server sides of the wires (`protocol/<wire>/server`); nothing of a wire is known here. A request that leaves on
 * the wire it came in on leaves as it came. `effect-llm gateway` is the ready program.
 *
 * It keeps no log of what is said. It does not list what providers list: clients see routes and instances.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Result from "effect/Result"
import * as Problems from "../config/problems.ts"
import { Registry } from "../config/Registry.ts"
import * as LlmError from "../LlmError.ts"
import * as Budget from "../policy/Budget.ts"
import * as RateLimit from "../policy/RateLimit.ts"
import { isCompaction } from "../protocol/responses/server/Compact.ts"
import type { Incoming, ServerProtocol } from "../protocol/Server.ts"
import { answer } from "./answering.ts"
import { type Exchange, failed, refused } from "./call.ts"
import { decode, type GatewayConfig, targetsOf } from "./config.ts"
import { Draining } from "./draining.ts"
import * as Guard from "./guard.ts"
import { type BodyLimits, bodyOf, headOf, responses, spokenIn } from "./incoming.ts"
import { recorded, Recorder } from "./inspector/recorder.ts"
import { type Inspected, isInspector, respond } from "./inspector/serving.ts"
import { type Doorkeeper, doorkeeper, hashOf, type KeyStore, refusal } from "./keys.ts"
import * as Metrics from "./metrics.ts"
import type { Setup } from "./prepare.ts"
import { converse } from "./socket.ts"
import { limiter } from "./spending.ts"
import { Stored } from "./stored.ts"

export { GatewayConfig, Key, KeyBudget, Limits, Route } from "./config.ts"
export { type KeyStore } from "./keys.ts"
export { calls, duration, eventLoopLag, firstContent, inFlight, refusals } from "./metrics.ts"

// =============================================================================
// Options
// =============================================================================

/**
 * How a gateway is set up: what the `[gateway]` table of a configuration holds, and what only code can say. `host`, `port`, and of the
 * limits `connections` and `drain`, are the program's.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options extends GatewayConfig {
  /** Keys beside those of `keys`. */
  readonly keyStore?: KeyStore | undefined
  /**
   * Where budgets and rates of keys live, for several processes that share them.
   *
   * @default in this process
   * @example `Layer.mergeAll(Budget.storeRedis(), RateLimit.storeRedis()).pipe(Layer.provide(NodeRedis.layer({ url })))`
   */
  readonly stores?: Layer.Layer<Budget.Store | RateLimit.Store, LlmError.LlmError> | undefined
  /** What the paths begin with, such as `/llm`. @default nothing */
  readonly prefix?: `/${string}` | undefined
}

/**
 * The SHA-256 of a key, as `keys` has it. Keys have to be long and random, as those that `effect-llm key` makes: their hashes have no salt.
 *
 * @stability experimental
 * @category keys
 * @since 0.1.0
 */
export const hash: (key: string) => Effect.Effect<string, LlmError.LlmError> = hashOf

// =============================================================================
// Setup
// =============================================================================

const mebibyte = 1024 * 1024

interface Door {
  readonly setup: Setup
  readonly allowed: Guard.Allowed
  readonly body: BodyLimits
  readonly prefix: string
  readonly metrics: boolean
  readonly inspected: Inspected | undefined
}

/** Calls that the inspector keeps. */
const mostInspected = 500

/** What the inspector is shown, where there is one; keys without `admin` see nothing of it. */
const inspectedBy = (keeper: Doorkeeper, { inspector = false }: GatewayConfig) =>
  Effect.gen(function*() {
    if (inspector === false) return undefined
    const closed = (yield* Draining) ?? (yield* Deferred.make<void>())
    yield* Effect.addFinalizer(() => Deferred.succeed(closed, undefined))
    const inspected: Inspected = {
      recorder: new Recorder(mostInspected, inspector === "content"),
      closed,
      mayLook: (incoming) =>
        keeper.asks
          ? Effect.match(keeper.identify(incoming, responses), {
            onFailure: () => false,
            onSuccess: ({ key }) => key?.admin === true
          })
          : Effect.succeed(true)
    }
    return inspected
  })

const doorOf = (options: Options) =>
  Effect.gen(function*() {
    const { keyStore, prefix = "", stores: shared, ...given } = options
    const registry = yield* Registry
    const decoded = decode(given, targetsOf(yield* registry.config))
    if (Result.isFailure(decoded)) return yield* Problems.error(decoded.failure)
    const config = decoded.success
    const { limits = {}, routes = [] } = config
    const scope = yield* Effect.scope
    const keeper = yield* doorkeeper(config.keys ?? [], keyStore)
    const stores = yield* Layer.build(shared ?? Layer.mergeAll(Budget.storeMemory, RateLimit.storeMemory))
    yield* Metrics.watchEventLoop
    const inspected = yield* inspectedBy(keeper, config)
    const millis = (span: Duration.Input | undefined, otherwise: Duration.Input) =>
      Duration.toMillis(Duration.fromInputUnsafe(span ?? otherwise))
    const setup: Setup = {
      registry,
      routes,
      strict: config.strict === true,
      doorkeeper: keeper,
      limit: limiter(stores, scope),
      stored: new Stored({
        count: limits.storedResponses ?? 1000,
        bytes: limits.storedBytes ?? 64 * mebibyte,
        millis: millis(limits.storedFor, "1 hour")
      }),
      keeping: {
        heartbeat: limits.heartbeat ?? "15 seconds",
        firstContent: limits.firstContent ?? "60 seconds",
        stallMillis: millis(limits.stall, "2 minutes"),
        scope
      },
      callTimeout: limits.callTimeout,
      mostCalls: limits.calls ?? 2000,
      services: new Map(),
      running: { count: 0 },
      inspected: inspected === undefined ? identity : (service) => recorded(service, inspected.recorder)
    }
    const door: Door = {
      setup,
      allowed: { hosts: config.hosts?.map((host) => host.toLowerCase()), origins: config.origins, asks: keeper.asks },
      body: { bytes: limits.bodyBytes ?? 32 * mebibyte, timeout: limits.bodyTimeout ?? "30 seconds" },
      prefix: prefix.replace(/\/+$/, ""),
      metrics: config.metrics !== false,
      inspected
    }
    return door
  })

// =============================================================================
// Requests
// =============================================================================

const requestId = (): string => `req_${globalThis.crypto.randomUUID().replaceAll("-", "")}`

const text = (body: string, status: number, headers: Record<string, string> = {}) =>
  HttpServerResponse.text(body, { status, headers })

const refusedFor = (cause: string) => Metric.update(Metric.withAttributes(Metrics.refusals, { cause }), 1)

/** A call that nobody foresaw: its client is told that it failed, whoever runs the gateway why. */
const broken = (exchange: Exchange) => (cause: unknown) =>
  Effect.andThen(
    Effect.logError("The gateway could not answer", cause),
    failed(exchange, refusal(new LlmError.Provider({ status: 500, message: "The gateway failed." })))
  )

const metricsOf = ({ metrics, setup }: Door, exchange: Exchange) => {
  const notFound = refused(exchange, { status: 404, message: "There is nothing here." })
  if (!metrics) return Effect.succeed(notFound)
  const told = Effect.map(
    PrometheusMetrics.format(),
    (body) => HttpServerResponse.text(body, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
  )
  if (!setup.doorkeeper.asks) return told
  return Effect.matchEffect(setup.doorkeeper.identify(exchange.context.incoming, exchange.wire), {
    onFailure: (error) => failed(exchange, error),
    onSuccess: ({ key }) => key?.admin === true ? told : Effect.succeed(notFound)
  })
}

const seconds = (millis: number): number => Math.floor(millis / 1000)

const exchangeOf = (door: Door, incoming: Incoming, wire: ServerProtocol): Effect.Effect<Exchange> =>
  Effect.map(Clock.Clock, (clock) => {
    const id = requestId()
    const now = clock.currentTimeMillisUnsafe()
    return {
      wire,
      context: {
        incoming,
        requestId: id,
        created: seconds(now),
        completed: () => seconds(clock.currentTimeMillisUnsafe())
      },
      headers: { "x-effect-llm-request-id": id, ...Guard.corsHeaders(door.allowed, incoming.headers) }
    }
  })

/** Whether a request opens a WebSocket of the Responses API. */
const isSocket = ({ headers, method, path }: Incoming): boolean =>
  method === "GET" && headers["upgrade"]?.toLowerCase() === "websocket" && path.endsWith("/responses")

const connected = (door: Door, request: HttpServerRequest, exchange: Exchange) =>
  Effect.gen(function*() {
    const { incoming } = exchange.context
    // Before the connection is made: afterwards a refusal has no status.
    yield* door.setup.doorkeeper.identify(incoming, responses)
    const socket = yield* request.upgrade
    yield* converse(door.setup, socket, incoming, (incoming) => exchangeOf(door, incoming, responses))
    return HttpServerResponse.empty()
  }).pipe(
    Effect.catch((error) =>
      error._tag === "LlmError"
        ? failed(exchange, error)
        : Effect.succeed(refused(exchange, { status: 400, message: "The connection could not be upgraded." }))
    )
  )

const handle = (door: Door, request: HttpServerRequest) =>
  Effect.gen(function*() {
    const head = headOf(request, door.prefix)
    // Before the guard of the gateway, whose names may be those of other machines.
    if (door.inspected !== undefined && isInspector(head.path)) return yield* respond(door.inspected, request, head)
    const denied = Guard.refused(door.allowed, head.headers)
    if (denied !== undefined) {
      yield* refusedFor("origin")
      return text(denied, 403)
    }
    if (head.method === "OPTIONS") {
      return HttpServerResponse.empty({ status: 204, headers: Guard.preflightHeaders(door.allowed, head.headers) })
    }
    if (head.path === "/health") return text("ok", 200)
    const { operation, wire } = spokenIn(head)
    const exchange = yield* exchangeOf(door, head, wire)
    if (head.path === "/metrics") return yield* metricsOf(door, exchange)
    if (isSocket(head)) return yield* connected(door, request, exchange)
    if (isCompaction(head)) return yield* answered(door, request, { ...exchange, wire: responses }, "compact")
    if (operation === undefined) {
      return refused(exchange, {
        status: 404,
        message: `There is nothing at ${head.method} ${head.path.slice(0, 200)}.`
      })
    }
    return yield* answered(door, request, exchange, operation)
  })

const answered = (
  door: Door,
  request: HttpServerRequest,
  exchange: Exchange,
  operation: Parameters<typeof answer>[3]
) =>
  Effect.gen(function*() {
    const { context, wire } = exchange
    const { setup } = door
    const client = yield* setup.doorkeeper.identify(context.incoming, wire)
    if (operation === "models" || operation === "model") return yield* answer(setup, exchange, client, operation)
    const read = yield* bodyOf(request, door.body)
    if ("refused" in read) {
      yield* refusedFor("body")
      return refused(exchange, read.refused)
    }
    const incoming = { ...context.incoming, body: read.body }
    return yield* answer(setup, { ...exchange, context: { ...context, incoming } }, client, operation)
  }).pipe(
    Effect.catch((error) => Effect.andThen(refusedFor(error.reason._tag), failed(exchange, error))),
    Effect.catchDefect(broken(exchange))
  )

const isUnroutable = ({ prefix }: Door, url: string): boolean => {
  if (!url.startsWith(`${prefix}/`)) return false
  try {
    decodeURI(url)
    return false
  } catch {
    return true
  }
}

// =============================================================================
// Layers
// =============================================================================

/**
 * The routes of a gateway in front of the registry. Fails with `Configuration`, which tells every problem, when an option cannot be.
 *
 * @example
 * ```ts
 * const gateway = HttpRouter.serve(Gateway.layer({ routes: [{ model: "claude-*", to: "claude" }] })).pipe(
 *   Layer.provide(Registry.layerFile("llm.toml")),
 *   Layer.provide(NodeHttpServer.layer(createServer, { port: 4141, host: "127.0.0.1" }))
 * )
 * ```
 *
 * @stability experimental
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<never, LlmError.LlmError, Registry | HttpRouter.HttpRouter> =>
  HttpRouter.use((router) =>
    Effect.flatMap(doorOf(options), (door) => {
      const path: HttpRouter.PathInput = `${door.prefix as `/${string}`}/*`
      return Effect.andThen(
        // The router knows no path that is no percent encoding; whoever asks for it speaks a wire all the same.
        router.addGlobalMiddleware((routed) =>
          Effect.flatMap(
            HttpServerRequest,
            (request) => isUnroutable(door, request.url) ? handle(door, request) : routed
          )
        ),
        router.add("*", path, (request) => handle(door, request))
      )
    })
  )
