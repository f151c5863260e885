/**
 * Limits how many calls run at once, with a bounded priority queue for the others.
 *
 * A call takes a permit and keeps it until it has finished, failed, or been interrupted; a stream until its last event
 * or until its consumer stops reading, not merely until it opens. Without a free permit it waits: `request.priority`
 * decides who goes first (higher first, equals in the order they came). A call that finds the queue full, or waits
 * past the queue deadline, fails with `QueueFull`; nothing was sent.
 *
 * Low priorities can wait until the deadline while higher ones keep coming. It limits one process; to share a limit
 * between processes use `RateLimit`. `countTokens`, `models` and `health` need no permit.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import { modelOf } from "../service/addressee.ts"
import { emitWait } from "../stream/emit.ts"
import { turnedAway, withHold } from "../stream/held.ts"
import { monotonicMillis } from "../stream/monotonic.ts"
import { countFrom, duration, fields, optional } from "../validation/values.ts"
import { Permits } from "./concurrency/permits.ts"
import { keyBy, type KeyOption, keyOption, PerKey } from "./perKey.ts"
import * as Policy from "./Policy.ts"

// =============================================================================
// Metrics
// =============================================================================

/**
 * Calls that hold a permit now, by `provider`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const inFlight = Metric.gauge("effect_llm.concurrency.in_flight", {
  description: "Calls that hold a permit"
})

/**
 * Calls that wait for a permit now, by `provider`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const queued = Metric.gauge("effect_llm.concurrency.queued", {
  description: "Calls that wait for a permit"
})

/**
 * Seconds a call waited for its permit, by `provider`; calls that did not wait are not counted.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const waitTime = Metric.histogram("effect_llm.concurrency.wait", {
  description: "Wait for a permit in seconds",
  boundaries: [0.01, 0.04, 0.16, 0.64, 2.56, 10.24, 40.96]
})

/**
 * Calls turned away, by `provider` and `cause` (`full` or `late`).
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const rejections = Metric.counter("effect_llm.concurrency.rejections", {
  description: "Calls turned away because the queue was full or the wait too long",
  incremental: true
})

// =============================================================================
// Policy
// =============================================================================

/**
 * Numbers of the limit.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Most calls that run at once; at least 1. */
  readonly permits: number
  /** Most calls that wait; 0 turns every call away that cannot start at once. @default 100 */
  readonly maxQueue?: number | undefined
  /** Longest wait in the queue. @default 30 seconds */
  readonly queueDeadline?: Duration.Input | undefined
  /**
   * Gives each key, such as a tenant, permits and a queue of its own, so that a noisy one waits for itself alone. Put it around a second
   * `Concurrency` without a key where the sum is limited too. At most 10,000 keys are remembered beside those in use.
   *
   * @default one limit for all
   */
  readonly key?: KeyOption | undefined
}

const whole = (value: number, least: number): number => Math.max(least, Math.floor(value) || 0)

const numbers = fields({
  permits: countFrom(1),
  maxQueue: optional(countFrom(0)),
  queueDeadline: optional(duration),
  key: optional(keyOption)
})

/**
 * Limits the calls that run at once. Fails with `Configuration` when a number of it cannot be.
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy = (options: Options): Policy.Policy<LlmError.LlmError> =>
  Policy.makeChecked(
    "Concurrency",
    options,
    numbers,
    (service) =>
      Effect.contextWith((context: Context.Context<never>) => {
        const attributes = { provider: service.info.provider }
        const metrics = {
          inFlight: Metric.withAttributes(inFlight, attributes),
          queued: Metric.withAttributes(queued, attributes),
          waitTime: Metric.withAttributes(waitTime, attributes)
        }
        const maxQueue = whole(options.maxQueue ?? 100, 0)
        const total = { inFlight: 0, queued: 0 }
        const permitsOf = new PerKey(() => {
          const counted = { inFlight: 0, queued: 0 }
          const permits: Permits = new Permits(whole(options.permits, 1), maxQueue, () => {
            total.inFlight += permits.inFlight - counted.inFlight
            total.queued += permits.queued - counted.queued
            counted.inFlight = permits.inFlight
            counted.queued = permits.queued
            metrics.inFlight.updateUnsafe(total.inFlight, context)
            metrics.queued.updateUnsafe(total.queued, context)
          })
          return permits
        }, ({ inFlight, queued }) => inFlight > 0 || queued > 0)
        const keyOf = keyBy(options.key ?? "")
        const nameOf = (request: LlmRequest) => ({
          provider: service.info.provider,
          model: modelOf(request, service.info),
          label: service.info.label
        })
        const queueDeadline = Duration.fromInputUnsafe(options.queueDeadline ?? "30 seconds")
        const deadline = Duration.isFinite(queueDeadline) ? queueDeadline : undefined
        return Effect.succeed(withHold(service, (request, operation, restore) =>
          Effect.gen(function*() {
            const started = yield* monotonicMillis
            const permits = permitsOf.get(keyOf(request, service.info), started)
            const acquired = yield* permits.acquire(request.priority ?? 0, deadline, restore)
            if (acquired === "acquired") {
              const waited = (yield* monotonicMillis) - started
              if (waited > 0) {
                // Interrupted here, the permit would be nobody's; nothing here can be.
                yield* Metric.update(metrics.waitTime, waited / 1000)
                yield* emitWait(request, nameOf(request), "Concurrency", waited)
              }
              return { request, queuedMillis: waited, end: () => Effect.sync(() => permits.release()) }
            }
            yield* Metric.update(Metric.withAttributes(rejections, { ...attributes, cause: acquired }), 1)
            return yield* turnedAway(
              service,
              request,
              operation,
              { policy: "Concurrency", cause: acquired },
              new LlmError.QueueFull({
                message: acquired === "full"
                  ? `All permits are taken and the queue is full (${maxQueue} calls).`
                  : `No permit became free within ${Duration.format(queueDeadline)}.`
              })
            )
          })))
      })
  )
