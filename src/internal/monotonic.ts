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
 * @category accessors
 * @since 0.1.0
 */
export const millisBy = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/**
 * The monotonic time of the caller's clock, in milliseconds.
 *
 * @category accessors
 * @since 0.1.0
 */
export const monotonicMillis: Effect.Effect<number> = Effect.withFiber((fiber) =>
  Effect.succeed(millisBy(fiber.getRef(Clock.Clock)))
)
