/**
 * Token buckets in memory: what may be taken now, and else how long to wait.
 *
 * A key has a bucket per limited resource: those the application declares, full at first and refilled evenly over a
 * minute, and those the provider's headers show, refilled so that they are full when the provider says. A reservation
 * takes from all of them at once, below zero if need be, and says when they will be at zero again: that is the wait.
 * So callers are served in the order they came, without polling. A resource that costs more than its bucket holds
 * waits for a full bucket and leaves the rest as debt.
 *
 * `policy/rateLimit/redis.ts` does the same arithmetic in Redis.
 *
 * @since 0.1.0
 */
import type { RateLimits } from "../../LlmResponse.ts"
import { maxKeys } from "../perKey.ts"

/**
 * What is limited.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Resource = "requests" | "tokens" | "inputTokens" | "outputTokens"

/**
 * All resources.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const resources: ReadonlyArray<Resource> = ["requests", "tokens", "inputTokens", "outputTokens"]

/**
 * Units per resource.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Amounts = { readonly [R in Resource]?: number | undefined }

/**
 * What a call takes.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Reserve {
  /** Names the buckets: calls with the same key share them. */
  readonly key: string
  /** What to take; nothing to ask only how long a pause still lasts. */
  readonly amounts: Amounts
  /** Declared units per minute. */
  readonly limits: Amounts
  /** Nothing is taken when the wait would be longer. */
  readonly maxWaitMillis: number
}

/**
 * What a call got.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Reservation {
  /** Whether the amounts were taken. */
  readonly granted: boolean
  /** How long to wait before the request is sent. */
  readonly waitMillis: number
}

/**
 * What is known once a call ended.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Settle {
  /** Names the buckets. */
  readonly key: string
  /** Declared units per minute. */
  readonly limits: Amounts
  /** What goes back; negative when more was used than reserved. */
  readonly back: Amounts
  /** What the provider's headers say. */
  readonly seen?: RateLimits | undefined
  /** For how long the provider wants no requests. */
  readonly pauseMillis?: number | undefined
}

/** A bucket whose size and speed the provider's headers gave. */
interface Seen {
  level: number
  readonly capacity: number
  /** Units per millisecond; 0 when the limit is not known and only `until` is. */
  readonly speed: number
  readonly until: number
}

interface Entry {
  at: number
  pausedUntil: number
  expiresAt: number
  readonly levels: { [R in Resource]?: number }
  readonly seen: { [R in Resource]?: Seen }
}

const minute = 60_000

/** Sums of fractions end a hair below a whole number; a millisecond must not come of it. */
const ceil = (millis: number): number => Math.ceil(millis - 1e-6)

/**
 * The buckets of all keys. A key whose buckets are all full again is forgotten.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class TokenBuckets {
  private readonly entries = new Map<string, Entry>()
  private sweptAt = 0

  /** How many keys are remembered. */
  get size(): number {
    return this.entries.size
  }

  reserve({ amounts, key, limits, maxWaitMillis }: Reserve, now: number): Reservation {
    const entry = this.entry(key, limits, now)
    let wait = Math.max(0, entry.pausedUntil - now)
    for (const resource of resources) {
      const amount = amounts[resource] ?? 0
      if (amount <= 0) continue
      const limit = limits[resource]
      if (limit !== undefined) {
        const missing = Math.min(amount, limit) - entry.levels[resource]!
        if (missing > 0) wait = Math.max(wait, missing * minute / limit)
      }
      const seen = entry.seen[resource]
      if (seen !== undefined) {
        const missing = (seen.speed > 0 ? Math.min(amount, seen.capacity) : amount) - seen.level
        if (missing > 0) wait = Math.max(wait, seen.speed > 0 ? missing / seen.speed : seen.until - now)
      }
    }
    wait = Math.max(0, ceil(wait))
    if (wait > maxWaitMillis) return { granted: false, waitMillis: wait }
    for (const resource of resources) {
      const amount = amounts[resource] ?? 0
      if (amount > 0) this.add(entry, resource, -amount, limits)
    }
    this.touch(entry, limits, now)
    return { granted: true, waitMillis: wait }
  }

  settle({ back, key, limits, pauseMillis = 0, seen }: Settle, now: number): void {
    const entry = this.entry(key, limits, now)
    for (const resource of resources) {
      this.add(entry, resource, back[resource] ?? 0, limits)
      const header = seen?.[resource]
      const remaining = header?.remaining
      if (header === undefined || remaining === undefined || remaining < 0) continue
      const level = entry.levels[resource]
      if (level !== undefined) entry.levels[resource] = Math.min(level, remaining)
      const bucket = bucketOf(header.limit, remaining, header.resetMillis, now)
      if (bucket === undefined) continue
      // Below zero are calls that wait and that the provider has not seen yet.
      const before = entry.seen[resource]
      if (before !== undefined && before.level < 0) bucket.level = Math.min(before.level, remaining)
      entry.seen[resource] = bucket
    }
    entry.pausedUntil = Math.max(entry.pausedUntil, now + pauseMillis)
    this.touch(entry, limits, now)
  }

  private add(entry: Entry, resource: Resource, amount: number, limits: Amounts): void {
    const limit = limits[resource]
    if (limit !== undefined) entry.levels[resource] = Math.min(limit, entry.levels[resource]! + amount)
    const seen = entry.seen[resource]
    if (seen !== undefined) seen.level = Math.min(seen.capacity, seen.level + amount)
  }

  /** The entry of a key, with its buckets as full as they are now. */
  private entry(key: string, limits: Amounts, now: number): Entry {
    this.sweep(now)
    let entry = this.entries.get(key)
    if (entry === undefined) {
      entry = { at: now, pausedUntil: 0, expiresAt: now, levels: {}, seen: {} }
      // More tenants than that within a minute: the oldest begins anew.
      for (const oldest of this.entries.keys()) {
        if (this.entries.size < maxKeys) break
        this.entries.delete(oldest)
      }
      this.entries.set(key, entry)
    }
    const passed = Math.max(0, now - entry.at)
    entry.at = Math.max(entry.at, now)
    for (const resource of resources) {
      const limit = limits[resource]
      if (limit !== undefined) {
        entry.levels[resource] = Math.min(limit, (entry.levels[resource] ?? limit) + passed * limit / minute)
      }
      const seen = entry.seen[resource]
      if (seen === undefined) continue
      if (seen.speed > 0) seen.level = Math.min(seen.capacity, seen.level + passed * seen.speed)
      else if (now >= seen.until) delete entry.seen[resource]
    }
    return entry
  }

  private touch(entry: Entry, limits: Amounts, now: number): void {
    let fullAt = entry.pausedUntil
    for (const resource of resources) {
      const limit = limits[resource]
      if (limit !== undefined) {
        fullAt = Math.max(fullAt, now + (limit - entry.levels[resource]!) * minute / limit)
      }
      const seen = entry.seen[resource]
      if (seen !== undefined) {
        fullAt = Math.max(fullAt, seen.speed > 0 ? now + (seen.capacity - seen.level) / seen.speed : seen.until)
      }
    }
    entry.expiresAt = fullAt
  }

  private sweep(now: number): void {
    if (now - this.sweptAt < minute && now >= this.sweptAt) return
    this.sweptAt = now
    for (const [key, entry] of this.entries) {
      if (entry.expiresAt <= now) this.entries.delete(key)
    }
  }
}

/** A bucket out of headers; `undefined` when they do not say enough. */
const bucketOf = (
  limit: number | undefined,
  remaining: number,
  resetMillis: number | undefined,
  now: number
): Seen | undefined => {
  if (limit === undefined || limit <= 0) {
    return resetMillis === undefined
      ? undefined
      : { level: remaining, capacity: Math.max(1, remaining), speed: 0, until: now + resetMillis }
  }
  // Providers give the time until the bucket is full: https://platform.claude.com/docs/en/api/rate-limits
  const missing = limit - remaining
  const speed = missing > 0 && resetMillis !== undefined && resetMillis > 0 ? missing / resetMillis : limit / minute
  return { level: remaining, capacity: limit, speed, until: now + (resetMillis ?? minute) }
}
