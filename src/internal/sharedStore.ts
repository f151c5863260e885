/**
 * Keeps a call from waiting for a store that does not answer.
 *
 * A store shared by processes can be slow or away. Every operation on it gets a time limit; after one that failed, the
 * store is left alone for a while, so that an outage costs one time limit and not one per call. What to do
 * without the store is the policy's choice.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"

/**
 * Operations on a shared store that failed or took too long, by `policy`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const storeErrors = Metric.counter("effect_llm.store.errors", {
  description: "Operations on a shared store that failed or took too long",
  incremental: true
})

/**
 * How long an operation may take when nothing else is said.
 *
 * @category defaults
 * @since 0.1.0
 */
export const defaultTimeout: Duration.Input = "500 millis"

/** How long a store that failed is left alone. */
const restMillis = 5000

/**
 * Runs an operation on the store: its value, or `undefined` when the store is away. Never fails and never
 * hangs, even where interruption is off.
 *
 * @category models
 * @since 0.1.0
 */
export type RunStore = <A, E>(operation: Effect.Effect<A, E>) => Effect.Effect<A | undefined>

/**
 * The runner of a store in this process, which is never away.
 *
 * @category constructors
 * @since 0.1.0
 */
export const local: RunStore = (operation) => Effect.catchCause(operation, () => Effect.undefined)

/**
 * Makes the runner of one store.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (policy: string, timeout: Duration.Input = defaultTimeout): RunStore => {
  const limit = Duration.fromInputUnsafe(timeout)
  const failures = Metric.withAttributes(storeErrors, { policy })
  let restsUntil = -Infinity
  return <A, E>(operation: Effect.Effect<A, E>) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now): Effect.Effect<A | undefined> =>
        now < restsUntil ? Effect.undefined : Effect.flatMap(
          Effect.exit(Effect.timeoutOption(operation, limit)),
          (exit): Effect.Effect<A | undefined> => {
            if (Exit.isSuccess(exit) && Option.isSome(exit.value)) return Effect.succeed(exit.value.value)
            return Effect.flatMap(Clock.currentTimeMillis, (now) => {
              restsUntil = now + restMillis
              return Effect.as(Metric.update(failures, 1), undefined)
            })
          }
        )
    )
}
