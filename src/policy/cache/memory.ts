/**
 * A bounded store of answers in this process: the least recently used goes first.
 *
 * It is a backing of `effect/persistence`, as Redis, a key-value store and SQL are; theirs in memory has no bound.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BackingPersistence, BackingPersistenceStore } from "effect/persistence/Persistence"
import { monotonicMillis } from "../../stream/monotonic.ts"

interface Entry {
  readonly value: object
  readonly expiresAt: number
}

const makeStore = (capacity: number): BackingPersistenceStore => {
  // A map keeps the order of insertion: what is read is put last again.
  const entries = new Map<string, Entry>()
  const get = (key: string, now: number): object | undefined => {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    entries.delete(key)
    if (entry.expiresAt <= now) return undefined
    entries.set(key, entry)
    return entry.value
  }
  const set = (key: string, value: object, ttl: Duration.Duration | undefined, now: number): void => {
    entries.delete(key)
    entries.set(key, { value, expiresAt: ttl === undefined ? Infinity : now + Duration.toMillis(ttl) })
    for (const oldest of entries.keys()) {
      if (entries.size <= capacity) break
      entries.delete(oldest)
    }
  }
  return {
    get: (key) => Effect.map(monotonicMillis, (now) => get(key, now)),
    getMany: ([first, ...rest]) =>
      Effect.map(monotonicMillis, (now) => [get(first, now), ...rest.map((key) => get(key, now))]),
    set: (key, value, ttl) => Effect.map(monotonicMillis, (now) => set(key, value, ttl, now)),
    setMany: (all) =>
      Effect.map(monotonicMillis, (now) => {
        for (const [key, value, ttl] of all) set(key, value, ttl, now)
      }),
    remove: (key) => Effect.sync(() => void entries.delete(key)),
    clear: Effect.sync(() => entries.clear())
  }
}

/**
 * Makes a store that keeps so many answers.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (capacity: number): BackingPersistence["Service"] => {
  const stores = new Map<string, BackingPersistenceStore>()
  return {
    make: (storeId) =>
      Effect.sync(() => {
        const known = stores.get(storeId)
        if (known !== undefined) return known
        const store = makeStore(Math.max(1, Math.floor(capacity) || 1))
        stores.set(storeId, store)
        return store
      })
  }
}
