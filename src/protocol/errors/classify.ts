/**
 * From status, type, code and text of a failure to one reason, by the rules of `Rules.ts`.
 *
 * @since 0.1.0
 */
import { httpStatus } from "./ErrorBody.ts"
import { type LimitWindow, windowIn, windowOfQuotaIds } from "./LimitWindow.ts"
import { type Overflow, overflowOf } from "./Overflow.ts"
import { retryDelayFromMessage } from "./RetryDelay.ts"
import type { ProviderReasonTag, Rule } from "./Rules.ts"
import { rules } from "./Rules.ts"

/**
 * What is known of a failure; `Failure` of `Protocol.ts` is one.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Classifiable {
  /** Not asked: unreadable and cut answers have reasons of their own, which no table decides. */
  readonly kind?: string | undefined
  /** HTTP status. @default none, as inside a stream */
  readonly status?: number | undefined
  /** Error type, as the provider sent it. */
  readonly type?: string | undefined
  /** Error code, as the provider sent it. */
  readonly code?: string | number | undefined
  /** A structured reason beside type and code. */
  readonly reason?: string | undefined
  /** The provider's words. */
  readonly message: string
  /** The error as text; read only where the message says nothing ("Provider returned error"). */
  readonly body?: string | undefined
  /** The delay that the body asks for, in milliseconds. */
  readonly retryAfterMillis?: number | undefined
  /** The delay that the headers ask for, in milliseconds. */
  readonly headerDelayMillis?: number | undefined
  /** What the body's fields say of the limit that was reached. */
  readonly limitWindow?: LimitWindow | undefined
}

/** Texts that only say that someone further up failed; what happened is in the body (OpenRouter's `metadata.raw`). */
const saysNothing =
  /^\s*(?:provider returned (?:an )?error|upstream (?:provider )?error|error from (?:the )?(?:upstream )?provider)/i

/** Long texts echo prompts; what they mean stands at the beginning. */
const searched = 8192

/** A delay up to which a limit per day is worth waiting for: such limits of rolling windows free up bit by bit. */
const shortDelayMillis = 60_000

const canonical = (name: string): string => name.toLowerCase().replace(/^[\w.]*#/, "").replace(/[^a-z0-9]/g, "")

interface Compiled extends Omit<Rule, "names"> {
  readonly names: ReadonlySet<string> | undefined
}

const compiled: ReadonlyArray<Compiled> = rules.map((rule) => ({
  ...rule,
  names: rule.names === undefined ? undefined : new Set(rule.names.map(canonical))
}))

/** A failure as rules see it. */
interface Seen {
  readonly status: number
  readonly names: ReadonlySet<string>
  readonly text: string
}

const seen = (failure: Classifiable): Seen => {
  const own = failure.message.slice(0, searched)
  return {
    status: httpStatus(failure.status) ?? httpStatus(failure.code) ?? httpStatus(failure.type) ?? 0,
    names: new Set(
      [failure.type, failure.code, failure.reason].flatMap((name) =>
        name === undefined ? [] : [canonical(String(name))]
      )
    ),
    text: failure.body !== undefined && saysNothing.test(own) ? `${own}\n${failure.body.slice(0, searched)}` : own
  }
}

/**
 * The reason that a failure deserves.
 *
 * A status below 400 (an error inside a 200) counts as none; then a numeric code of 400 to 599 is the status. What no
 * rule knows is `Provider`. A throttle whose limit counts over a day or more is `QuotaExhausted`, unless a wait of at most a
 * minute is asked for by words or headers; fields that name such a limit count more than any delay beside them, which
 * Google sends with both.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const classify = (failure: Classifiable): ProviderReasonTag => {
  const facts = seen(failure)
  const rule = compiled.find((one) => matches(one, facts))
  const reason = rule?.reason ?? "Provider"
  if (reason === "RateLimit") return isSpent(failure, facts.text) ? "QuotaExhausted" : reason
  const worded = reason === "QuotaExhausted" && rule?.text !== undefined && (facts.status === 0 || facts.status === 429)
  return worded && isThrottle(failure, facts.text) ? "RateLimit" : reason
}

/** Whether waiting a moment does not help against a limit. */
const isSpent = (failure: Classifiable, text: string): boolean => {
  const structured = failure.limitWindow ?? windowOfQuotaIds(text)
  if (structured !== undefined) return structured !== "short" || nothingAllowed.test(text)
  const delay = failure.headerDelayMillis ?? failure.retryAfterMillis ?? retryDelayFromMessage(text)
  return windowIn(text) === "long" && !(delay !== undefined && delay <= shortDelayMillis)
}

const nothingAllowed = /\blimit: 0\b/i

const currentQuota = /exceeded (?:your|its|the) (?:current )?quota|quota exceeded/i

/** Whether what is worded as a quota is a limit that frees up soon: Google says the same of both and tells them apart in fields. */
const isThrottle = (failure: Classifiable, text: string): boolean => {
  if (nothingAllowed.test(text)) return false
  const structured = failure.limitWindow ?? windowOfQuotaIds(text)
  if (structured !== undefined) return structured === "short"
  const delay = failure.retryAfterMillis
  return currentQuota.test(text) && windowIn(text) !== "long" && delay !== undefined && delay <= shortDelayMillis
}

/**
 * What was too much in a failure that `classify` takes for `ContextLength`.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const overflowIn = (failure: Classifiable): Overflow => {
  const { names, status, text } = seen(failure)
  return overflowOf(status, names, text, failure.body?.slice(0, searched))
}

const matches = (rule: Compiled, { names, status, text }: Seen): boolean =>
  (rule.status === undefined ||
    rule.status.some((s) => typeof s === "number" ? s === status : s[0] <= status && status <= s[1])) &&
  (rule.names === undefined || [...names].some((name) => rule.names!.has(name))) &&
  (rule.text === undefined || rule.text.some((pattern) => pattern.test(text))) &&
  (rule.unless === undefined || !rule.unless.test(text))
