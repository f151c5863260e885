/**
 * Keeps a call from waiting for a store that does not answer.
 *
 * A store shared by processes can be slow or away. Every operation on it gets a time limit; after one that failed, the
 * store is left alone for a while, so that an outage costs one time limit and not one per call. A value that cannot be read is no
 * outage: it concerns its key alone. What to do without the store is the policy's choice.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as References from "effect/References"
import { monotonicMillis } from "../stream/monotonic.ts"

/** By `policy`. */
const storeErrors = Metric.counter("effect_llm.store.errors", {
  description: "Operations on a shared store that failed or took too long",
  incremental: true
})

/** How long an operation may take when nothing else is said. */
const defaultTimeout: Duration.Input = "500 millis"

/**
 * The store's own words and, where it only wraps another error, that one's. Objects are not shown: they may hold
 * credentials.
 */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "an unknown error"
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

/** Nobody else is told, so it is logged as Effect logs such errors; `References.UnhandledLogLevel` chooses how. */
const report = (message: string): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const level = fiber.getRef(References.UnhandledLogLevel)
    return level === undefined ? Effect.void : Effect.logWithLevel(level)(message)
  })

/**
 * Whether a store works and only what it holds under a key is not what it should be: text that is no JSON, or in Redis a value of another
 * type, also as met by a script. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isOfValue = (error: unknown): boolean => {
  for (let inner = error, depth = 0; depth < 5 && inner instanceof Error; depth++) {
    if (inner instanceof SyntaxError || /\bWRONGTYPE\b|hash value is not an integer/.test(inner.message)) return true
    inner = inner.cause
  }
  return false
}

/** How long a store that failed is left alone. */
const restMillis = 5000

/**
 * Runs an operation on the store: its value, or `undefined` when the store is away. Never fails and never
 * hangs, even where interruption is off.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type RunStore = <A, E>(operation: Effect.Effect<A, E>) => Effect.Effect<A | undefined>

/**
 * The runner of a store in this process, which is never away.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const local: RunStore = (operation) => Effect.catchCause(operation, () => Effect.undefined)

/**
 * Makes the runner of one store.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (policy: string, timeout: Duration.Input = defaultTimeout): RunStore => {
  const limit = Duration.fromInputUnsafe(timeout)
  const failures = Metric.withAttributes(storeErrors, { policy })
  let restsUntil = -Infinity
  const attempt = <A, E>(operation: Effect.Effect<A, E>): Effect.Effect<A | undefined> =>
    Effect.flatMap(Effect.exit(Effect.timeoutOption(operation, limit)), (exit) => {
      if (Exit.isSuccess(exit) && Option.isSome(exit.value)) return Effect.succeed(exit.value.value)
      const error = Exit.isSuccess(exit) ? undefined : Cause.squash(exit.cause)
      if (isOfValue(error)) {
        const said = report(`The shared store of ${policy} holds a value that cannot be read: ${messageOf(error)}`)
        return Effect.as(Effect.andThen(Metric.update(failures, 1), said), undefined)
      }
      const what = Exit.isSuccess(exit) ? `no answer within ${Duration.format(limit)}` : messageOf(error)
      const said = report(`The shared store of ${policy} failed and is left alone for a while: ${what}`)
      return Effect.flatMap(monotonicMillis, (now) => {
        restsUntil = now + restMillis
        return Effect.as(Effect.andThen(Metric.update(failures, 1), said), undefined)
      })
    })
  return (operation) =>
    Effect.flatMap(monotonicMillis, (now) => now < restsUntil ? Effect.undefined : attempt(operation))
}
