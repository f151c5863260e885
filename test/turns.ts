/**
 * The pace of a test over real sockets, independent of the machine's: a turn of this process's event loop, in which what is on its
 * way over a loopback socket arrives, and a clock that moves with the turns.
 */
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

export const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Far more turns than bytes on a loopback socket need. */
export const arrived = Effect.repeat(turn, { times: 100 })

/**
 * Runs something that has both sockets and time limits: the clock moves by 10 milliseconds when everything that was on its way has
 * had the time to arrive, so that no limit passes because the machine is slow.
 */
export const inTurns = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) {
      for (let i = 0; i < 100 && fiber.pollUnsafe() === undefined; i++) yield* turn
      yield* TestClock.adjust("10 millis")
    }
    return yield* Fiber.join(fiber)
  })
