/**
 * Time for measuring: milliseconds that only go forward, whatever happens to the wall clock.
 *
 * Benches, buckets, leases, limits and durations are measured with it; what is told to people or compared with a
 * server's words is wall time.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * The monotonic time of a clock, in milliseconds since nobody knows when.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const millisBy = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/**
 * Runs an effect whose intervals are measured by wall time, such as one of a library's, by monotonic time.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const byMonotonicTime = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const clock = fiber.getRef(Clock.Clock)
    const currentTimeMillisUnsafe = () => millisBy(clock)
    return Effect.provideService(effect, Clock.Clock, {
      currentTimeMillisUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
      currentTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      currentTimeNanos: clock.monotonicTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    })
  })

/**
 * The monotonic time of the caller's clock, in milliseconds.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const monotonicMillis: Effect.Effect<number> = Effect.withFiber((fiber) =>
  Effect.succeed(millisBy(fiber.getRef(Clock.Clock)))
)
