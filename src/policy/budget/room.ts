/**
 * Waiting for room in a budget.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Restore } from "../../stream/held.ts"
import { monotonicMillis } from "../../stream/monotonic.ts"
import type { Reserve, Reserved } from "./ledger.ts"

/** Between two looks for room: at first, and at most. */
const firstLookMillis = 50
const maxLookMillis = 1000

/**
 * Tries to reserve until there is room, or until what is spent alone leaves none, or too long. Holds nothing while it waits; `restore`
 * makes the waits interruptible.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const untilRoom = (
  reserve: Effect.Effect<Reserved | undefined>,
  { amount, limit }: Reserve,
  maxWaitMillis: number,
  restore: Restore
): Effect.Effect<Reserved | undefined> =>
  Effect.gen(function*() {
    const until = (yield* monotonicMillis) + maxWaitMillis
    for (let pause = firstLookMillis;; pause = Math.min(maxLookMillis, 2 * pause)) {
      const reserved = yield* reserve
      if (reserved === undefined || reserved.granted) return reserved
      const spent = reserved.committed - (reserved.reserved ?? reserved.committed)
      const left = until - (yield* monotonicMillis)
      if (left < 1 || spent >= limit || spent + amount > limit) return reserved
      // Spread, so that those who wait do not all look at the same moment.
      yield* restore(Effect.sleep(Math.floor(Math.min(left, pause * (0.5 + (yield* Random.next))))))
    }
  })
