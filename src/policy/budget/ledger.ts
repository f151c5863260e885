/**
 * The books of budgets: what was spent and what is reserved, per key. All amounts are whole billionths of a dollar, so that sums
 * are exact.
 *
 * This is the arithmetic in memory; `policy/budget/redis.ts` has the same as scripts.
 *
 * @since 0.1.0
 */

/**
 * A reservation that is wanted.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Reserve {
  /** Names the account. */
  readonly key: string
  /** Names the reservation; unique. */
  readonly id: string
  /** Billionths of a dollar that the call may cost at most. */
  readonly amount: number
  /** Billionths of a dollar that may be spent and reserved together. */
  readonly limit: number
  /** How long the account is kept after its last use. */
  readonly keepMillis: number
  /** After this long a shared store takes the reservation's process for dead and frees it. */
  readonly leaseMillis: number
}

/**
 * Whether there was room, and what was spent and reserved before.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Reserved {
  /** Whether there was room, and the amount is reserved now. */
  readonly granted: boolean
  /** Spent and reserved before. */
  readonly committed: number
  /** Of what was not granted: how much is reserved only, and may come free; all of it where a store does not say. */
  readonly reserved?: number | undefined
}

/**
 * The end of a reservation: what was really spent takes its place. Settling one twice counts once.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Settle {
  /** Names the account. */
  readonly key: string
  /** Of the reservation. */
  readonly id: string
  /** Billionths of a dollar that the call really cost. */
  readonly spent: number
  /** Milliseconds for which the account is kept after its last use. */
  readonly keepMillis: number
}

/**
 * The state of an account.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Account {
  /** Billionths of a dollar that were spent. */
  readonly spent: number
  /** Billionths of a dollar that running calls may still spend. */
  readonly reserved: number
}

interface Entry {
  spent: number
  reserved: number
  forgetAt: number
  readonly reservations: Map<string, number>
}

/** Accounts are swept for old ones every so many reservations. */
const sweepEvery = 1024

/**
 * Accounts in this process.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Ledger {
  private readonly entries = new Map<string, Entry>()
  private untilSweep = sweepEvery

  reserve({ amount, id, keepMillis, key, limit }: Reserve, now: number): Reserved {
    if (--this.untilSweep === 0) this.sweep(now)
    const entry = this.entry(key, now)
    const { reserved } = entry
    const committed = entry.spent + reserved
    if (committed + amount > limit || committed >= limit) return { granted: false, committed, reserved }
    entry.reserved += amount
    entry.reservations.set(id, amount)
    entry.forgetAt = now + keepMillis
    return { granted: true, committed }
  }

  settle({ id, keepMillis, key, spent }: Settle, now: number): void {
    const entry = this.entry(key, now)
    const reserved = entry.reservations.get(id)
    if (reserved === undefined) return
    entry.reservations.delete(id)
    entry.reserved -= reserved
    entry.spent += spent
    entry.forgetAt = now + keepMillis
  }

  read(key: string, now: number): Account {
    const entry = this.entries.get(key)
    return entry === undefined || (entry.forgetAt <= now && entry.reservations.size === 0)
      ? { spent: 0, reserved: 0 }
      : { spent: entry.spent, reserved: entry.reserved }
  }

  get size(): number {
    return this.entries.size
  }

  private entry(key: string, now: number): Entry {
    const known = this.entries.get(key)
    if (known !== undefined && (known.forgetAt > now || known.reservations.size > 0)) return known
    const entry: Entry = { spent: 0, reserved: 0, forgetAt: Infinity, reservations: new Map() }
    this.entries.set(key, entry)
    return entry
  }

  private sweep(now: number): void {
    this.untilSweep = sweepEvery
    for (const [key, entry] of this.entries) {
      if (entry.reservations.size === 0 && (entry.forgetAt <= now || entry.forgetAt === Infinity)) {
        this.entries.delete(key)
      }
    }
  }
}
