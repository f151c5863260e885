/**
 * What happened to each call, as events an application can subscribe to: usage per user, audit, billing.
 *
 * What policies do is also logged, at `Debug`, with or without a bus: see {@link log}.
 *
 * Opt-in: `Events.layer` makes the bus, `Events.policy` around a stack reports its calls and lets the policies inside report
 * theirs (`Retry`, `FailOver`, `CircuitOpened`, hits of the `Cache` policy …). Without it nothing is made and nothing is
 * looked up but one reference per call. Every event carries an id, the time in UTC, and scope, label and metadata of its request;
 * none carries a prompt, an answer or a credential.
 *
 * Publishing never waits: events that find the buffer full are dropped and counted. It stores nothing, and events of one call that
 * run in several attempts are told once, where the policy stands: outermost per call, innermost per attempt.
 *
 * @example
 * ```ts
 * const llm = Anthropic.layerEnv.pipe(Retry.policy(), Cost.policy(), Events.policy())
 * const audit = Events.stream.pipe(Stream.runForEach((event) => Console.log(event._tag, event.scope?.userId)))
 * ```
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as PubSub from "effect/PubSub"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import type { LlmError } from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { Service } from "../LlmService.ts"
import * as Policy from "../policy/Policy.ts"
import { modelOf } from "../service/addressee.ts"
import { misconfigured, optionsIssue } from "../service/checked.ts"
import {
  type About,
  type Event,
  type EventDetail,
  EventLog,
  EventSink,
  type LogSettings,
  publish,
  type Sink
} from "../stream/emit.ts"
import { type Ending, withHold } from "../stream/held.ts"
import { millisBy, monotonicMillis } from "../stream/monotonic.ts"
import { isServed } from "../stream/served.ts"
import { provided } from "../stream/source.ts"
import { countFrom, fields, optional } from "../validation/values.ts"

export type { Candidate, Event, EventDetail, EventFields, LogSettings, PrefixDifference } from "../stream/emit.ts"

/**
 * Events that were lost because a subscriber was too slow.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const dropped = Metric.counter("effect_llm.events.dropped", {
  description: "Events lost because the buffer was full",
  incremental: true
})

// =============================================================================
// Service
// =============================================================================

/**
 * The bus.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Bus {
  /** Publishes an event of the application's own making; drops it when the buffer is full. */
  readonly publish: (event: Event) => Effect.Effect<void>
  /** Events from now on, until the scope closes. */
  readonly subscribe: Effect.Effect<PubSub.Subscription<Event>, never, Scope>
  /** Events from when it starts to run. */
  readonly stream: Stream.Stream<Event>
}

/**
 * The tag of the bus.
 *
 * @stability stable
 * @category services
 * @since 0.1.0
 */
export class Events extends Context.Service<Events, Bus>()("effect-llm/Events") {}

/**
 * Makes the bus. Where it is in a caller's context, policies report to it even without {@link policy}.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: {
  /** Events kept for the slowest subscriber. @default 1024 */
  readonly capacity?: number | undefined
} = {}): Layer.Layer<Events, LlmError> =>
  Layer.effectContext(Effect.gen(function*() {
    const issue = optionsIssue(fields({ capacity: optional(countFrom(1)) }), options)
    if (issue !== undefined) return yield* misconfigured("Events", issue)
    const pubsub = yield* Effect.acquireRelease(
      PubSub.dropping<Event>(Math.max(1, options.capacity ?? 1024)),
      PubSub.shutdown
    )
    const context = yield* Effect.context<never>()
    const sink: Sink = (event) => {
      if (!PubSub.publishUnsafe(pubsub, event)) dropped.updateUnsafe(1, context)
    }
    const bus: Bus = {
      publish: (event) => Effect.sync(() => sink(event)),
      subscribe: PubSub.subscribe(pubsub),
      stream: Stream.fromPubSub(pubsub)
    }
    sinks.set(bus, sink)
    return Context.make(Events, bus).pipe(Context.add(EventSink, sink))
  }))

/** One sink per bus, so that a policy can see whether a caller has it already. */
const sinks = new WeakMap<Bus, Sink>()

const sinkOf = (bus: Bus): Sink => {
  const known = sinks.get(bus)
  if (known !== undefined) return known
  const sink: Sink = (event) => void Effect.runFork(bus.publish(event))
  sinks.set(bus, sink)
  return sink
}

/**
 * Events from when the stream starts to run.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const stream: Stream.Stream<Event, never, Events> = Stream.unwrap(Effect.map(Events, (bus) => bus.stream))

/**
 * Subscribes until the scope closes.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const subscribe: Effect.Effect<PubSub.Subscription<Event>, never, Events | Scope> = Effect.flatMap(
  Events,
  (bus) => bus.subscribe
)

// =============================================================================
// Log
// =============================================================================

/**
 * How the events of policies are logged, with or without a bus: one line each at `Debug`, annotated with what the event has. Nothing is
 * made of an event whose line is below Effect's `MinimumLogLevel`. What a policy warns of, such as a prompt cache that is never
 * hit, is logged at `Warn` whatever the level here, unless it is `None`.
 *
 * @example
 * ```ts
 * program.pipe(Effect.provide(Events.log({ level: "Info" })))
 * ```
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const log = (settings: Partial<LogSettings>): Layer.Layer<never> =>
  Layer.effectContext(
    Effect.map(EventLog, (around) => Context.make(EventLog, { ...around, ...settings }))
  )

// =============================================================================
// Policy
// =============================================================================

const parts = new WeakMap<Sink, ReadonlyArray<Sink>>()
const joins = new WeakMap<Sink, WeakMap<Sink, Sink>>()

/** A sink beside one that listens already, such as a page's; made once for each two. */
const beside = (outer: Sink | undefined, own: Sink): Sink => {
  if (outer === undefined || outer === own) return own
  const heard = parts.get(outer) ?? [outer]
  if (heard.includes(own)) return outer
  const known = joins.get(outer) ?? new WeakMap<Sink, Sink>()
  joins.set(outer, known)
  let joined = known.get(own)
  if (joined === undefined) {
    joined = (event) => {
      own(event)
      outer(event)
    }
    parts.set(joined, [...heard, own])
    known.set(own, joined)
  }
  return joined
}

/** Puts the sink into the context of the calls inside, beside whoever listens already. */
const listening = (service: Service, own: Sink): Service => ({
  ...service,
  generate: (request) =>
    Effect.withFiber((fiber) => {
      const outer = fiber.getRef(EventSink)
      const sink = beside(outer, own)
      return outer === sink
        ? service.generate(request)
        : Effect.provideService(service.generate(request), EventSink, sink)
    }),
  stream: (request) =>
    Stream.fromChannel(Channel.fromTransform((_: unknown, scope: Scope) =>
      Effect.withFiber((fiber) => {
        const inner = Channel.toPullScoped(service.stream(request).channel, scope)
        const outer = fiber.getRef(EventSink)
        const sink = beside(outer, own)
        return outer === sink ? inner : Effect.map(
          Effect.provideService(inner, EventSink, sink),
          (pull) => provided(pull, Effect.provideService(EventSink, sink))
        )
      })
    ))
})

const report = (
  service: Service,
  request: LlmRequest,
  operation: "generate" | "stream",
  startedAt: number,
  ending: Ending,
  fiber: Fiber.Fiber<unknown, unknown>,
  sink: Sink
): void => {
  const about: About = { scope: request.scope, label: request.label ?? service.info.label, metadata: request.metadata }
  const tell = (detail: EventDetail) => publish(sink, fiber, about, detail)
  const durationMillis = millisBy(fiber.getRef(Clock.Clock)) - startedAt
  const asked = { provider: service.info.provider, model: modelOf(request, service.info) }
  switch (ending._tag) {
    case "Finished": {
      const { response } = ending
      // A hit of the response cache called no provider; the Cache policy has told of it.
      if (isServed(response)) return
      const { cost, usage } = response
      const by = { provider: response.provider, model: response.model }
      tell({ _tag: "ProviderCall", ...by, operation, status: "finished", durationMillis })
      tell({ _tag: "TokenUsage", ...by, usage })
      const { cacheRead = 0, cacheWrite = 0 } = usage.input
      if (cacheRead > 0) tell({ _tag: "CacheHit", ...by, cache: "prompt", tokensSaved: cacheRead })
      if (cacheWrite > 0) tell({ _tag: "CacheWrite", ...by, cache: "prompt", tokensWritten: cacheWrite })
      const paid = usage.billedCost ?? cost
      if (paid !== undefined) {
        tell({ _tag: "CostRecorded", ...by, cost: paid, billed: usage.billedCost !== undefined })
      }
      return
    }
    case "Failed": {
      const { attempts, isRetryable, reason, requestId } = ending.error
      const by = { provider: ending.error.provider, model: ending.error.model }
      // Nothing was sent: there was no call, only its refusal.
      if (attempts > 0) tell({ _tag: "ProviderCall", ...by, operation, status: "failed", durationMillis })
      const usage = ending.error.partial?.usage
      if (usage !== undefined && (usage.input.total !== undefined || usage.output.total !== undefined)) {
        tell({ _tag: "TokenUsage", ...by, usage })
      }
      tell({
        _tag: "RequestFailed",
        ...by,
        operation,
        reason: reason._tag,
        ...("status" in reason && reason.status !== undefined ? { status: reason.status } : undefined),
        isRetryable,
        attempts,
        ...(requestId === undefined ? undefined : { requestId })
      })
      return
    }
    case "Abandoned":
      return tell({ _tag: "ProviderCall", ...asked, operation, status: "interrupted", durationMillis })
  }
}

/**
 * Reports the calls of a service: `ProviderCall`, `TokenUsage`, `CacheHit` and `CacheWrite` of the provider's prompt cache,
 * `CostRecorded` when the cost is known (put `Cost.policy` inside), and `RequestFailed`.
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy = (): Policy.Policy<never, Events> =>
  Policy.make((service) =>
    Effect.map(Events, (bus) => {
      const sink = sinkOf(bus)
      return withHold(listening(service, sink), (request, operation) =>
        Effect.map(monotonicMillis, (startedAt) => ({
          request,
          end: (ending) =>
            Effect.withFiber((fiber) => {
              report(service, request, operation, startedAt, ending, fiber, sink)
              return Effect.void
            })
        })))
    })
  )
