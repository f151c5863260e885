/**
 * What the gateway counts, and how it is told: `/metrics` in Prometheus' text format, `/health`.
 *
 * Nothing is counted by key or by a client's name for a model: one key must not read of another, and names are without bound.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Scope } from "effect/Scope"

/**
 * Calls that run now.
 *
 * @stability experimental
 * @category metrics
 * @since 0.1.0
 */
export const inFlight = Metric.gauge("effect_llm.gateway.in_flight", { description: "Calls in flight" })

/**
 * Calls that ended, by `wire`, `instance`, `operation` and `status` (that of HTTP, or `cut` for a stream that broke off, `hangup` for a
 * client that went away).
 *
 * @stability experimental
 * @category metrics
 * @since 0.1.0
 */
export const calls = Metric.counter("effect_llm.gateway.calls", {
  description: "Calls that ended",
  incremental: true
})

/**
 * Seconds from a request to the end of its answer, by `wire` and `operation`.
 *
 * @stability experimental
 * @category metrics
 * @since 0.1.0
 */
export const duration = Metric.histogram("effect_llm.gateway.duration", {
  description: "Seconds from a request to the end of its answer",
  boundaries: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]
})

/**
 * Seconds from a request to the first content of a stream, by `wire`.
 *
 * @stability experimental
 * @category metrics
 * @since 0.1.0
 */
export const firstContent = Metric.histogram("effect_llm.gateway.first_content", {
  description: "Seconds from a request to the first content of its stream",
  boundaries: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
})

/**
 * Requests that were refused before they were calls, by `cause`.
 *
 * @stability experimental
 * @category metrics
 * @since 0.1.0
 */
export const refusals = Metric.counter("effect_llm.gateway.refusals", {
  description: "Requests that were refused before they were calls",
  incremental: true
})

/**
 * Seconds by which a timer of the process is late: what everything else on its thread takes.
 *
 * @stability experimental
 * @category metrics
 * @since 0.1.0
 */
export const eventLoopLag = Metric.gauge("effect_llm.gateway.event_loop_lag", {
  description: "Seconds by which a timer of the process is late"
})

const probeMillis = 500

/**
 * Measures the lag of the event loop until the scope closes. With a timer of the runtime's own: the clock of Effect may be a test's.
 *
 * @stability experimental
 * @category metrics
 * @since 0.1.0
 */
export const watchEventLoop: Effect.Effect<void, never, Scope> = Effect.flatMap(
  Effect.context<never>(),
  (context) =>
    Effect.asVoid(Effect.acquireRelease(
      Effect.sync(() => {
        // There from the start, whoever asks first.
        eventLoopLag.updateUnsafe(0, context)
        let due = performance.now() + probeMillis
        const timer = setInterval(() => {
          const now = performance.now()
          eventLoopLag.updateUnsafe(Math.max(0, now - due) / 1000, context)
          due = now + probeMillis
        }, probeMillis)
        // A timer of Node's must not keep a process alive that is done.
        if (typeof timer === "object" && "unref" in timer) (timer as { unref(): void }).unref()
        return timer
      }),
      (timer) => Effect.sync(() => clearInterval(timer))
    ))
)
