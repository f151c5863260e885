/**
 * Which key comes next: weighted rotation over the keys that are neither dead nor benched.
 *
 * Rotation is smooth weighted round-robin: each turn every key gains its weight, the richest is taken and pays the sum
 * of all. Keys of weights 2 and 1 go a, b, a. State belongs to the credential itself, so a changed one begins anew,
 * and one that is no longer given is forgotten.
 *
 * @see https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
 * @since 0.1.0
 */
import * as Hash from "effect/Hash"
import * as Redacted from "effect/Redacted"
import type { Authentication, PermissionDenied, QuotaExhausted, RateLimit } from "../../LlmError.ts"

/**
 * A credential and its share.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Key {
  /** The key itself; shown nowhere. */
  readonly apiKey: Redacted.Redacted<string>
  /** Share of the calls, relative to the other keys. @default 1 */
  readonly weight?: number | undefined
}

/**
 * The reasons that are a key's.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type KeyReason = Authentication | PermissionDenied | QuotaExhausted | RateLimit

/**
 * A key and what is known of it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Member {
  readonly apiKey: Redacted.Redacted<string>
  /** Short hash for telemetry. */
  readonly hash: string
  weight: number
  credit: number
  dead: boolean
  benchedUntil: number
  /** What killed or benched it last, without anything of the call that met it. */
  reason: KeyReason | undefined
}

/** 31 bits of a key of hundreds: enough to tell keys of one pool apart, far too little to guess one. */
const shortHash = (key: string): string => (Hash.string(key) >>> 0).toString(16).padStart(8, "0")

const isUsable = ({ benchedUntil, dead, weight }: Member, now: number): boolean =>
  !dead && benchedUntil <= now && weight > 0

/**
 * The keys of a pool.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class KeyRing {
  private members = new Map<string, Member>()
  given: ReadonlyArray<Key> | undefined

  /** Takes over the keys as they are given now. */
  update(keys: ReadonlyArray<Key>): void {
    if (keys === this.given) return
    this.given = keys
    const members = new Map<string, Member>()
    for (const { apiKey, weight = 1 } of keys) {
      const value = Redacted.value(apiKey)
      const member = this.members.get(value) ??
        { apiKey, hash: shortHash(value), weight, credit: 0, dead: false, benchedUntil: 0, reason: undefined }
      member.weight = weight > 0 && Number.isFinite(weight) ? weight : 0
      members.set(value, member)
    }
    this.members = members
  }

  get all(): ReadonlyArray<Member> {
    return [...this.members.values()]
  }

  /** The member of a credential that was handed out, if it is still given. */
  find(apiKey: Redacted.Redacted<string>): Member | undefined {
    return this.members.get(Redacted.value(apiKey))
  }

  /** The next key that can be used and was not tried yet. */
  take(now: number, tried: ReadonlySet<Member>): Member | undefined {
    const usable = this.all.filter((member) => isUsable(member, now) && !tried.has(member))
    const total = usable.reduce((sum, { weight }) => sum + weight, 0)
    // Credits sum to nothing; when a key left or came back, the others share what it left them.
    const excess = usable.reduce((sum, { credit }) => sum + credit, 0) / usable.length
    let best: Member | undefined
    for (const member of usable) {
      member.credit += member.weight - excess
      if (best === undefined || member.credit > best.credit) best = member
    }
    if (best !== undefined) best.credit -= total
    return best
  }

  /** Takes a key out, until `benchedUntil` or, when that is `undefined`, for ever. */
  remove(member: Member, reason: KeyReason, benchedUntil: number | undefined): void {
    member.reason = reason
    member.credit = 0
    if (benchedUntil === undefined) member.dead = true
    else member.benchedUntil = Math.max(member.benchedUntil, benchedUntil)
  }

  /** A key that can be used now, without a turn. */
  peek(now: number): Member | undefined {
    return this.all.find((member) => isUsable(member, now))
  }
}
