/**
 * What a provider's failure means: from status, type, code and text to one reason.
 *
 * Pure. The rules are data in `errors/Rules.ts`, the words for a full context in `errors/ContextOverflow.ts`, the
 * documented mappings, which tests and the documentation iterate over, in `errors/ErrorTable.ts`. Reading an error out
 * of a body is `errors/ErrorBody.ts`. No rule asks which provider it is: names and texts differ enough.
 *
 * @since 0.1.0
 */
import { httpStatus } from "./errors/ErrorBody.ts"
import type { ProviderReasonTag, Rule } from "./errors/Rules.ts"
import { rules } from "./errors/Rules.ts"

export { overflowPatterns } from "./errors/ContextOverflow.ts"
export { type ErrorBody, isErrorBody, isErrorMember, readErrorBody, readErrorText } from "./errors/ErrorBody.ts"
export { errorTable, type ErrorTableRow } from "./errors/ErrorTable.ts"
export { type OverflowText, overflowTexts } from "./errors/OverflowTexts.ts"
export { retryDelayFromMessage } from "./errors/RetryDelay.ts"
export { type ProviderReasonTag, type Rule, rules } from "./errors/Rules.ts"

/**
 * What is known of a failure; `Failure` of `Protocol.ts` is one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Classifiable {
  /** Not asked: unreadable and cut answers have reasons of their own, which no table decides. */
  readonly kind?: string | undefined
  readonly status?: number | undefined
  readonly type?: string | undefined
  readonly code?: string | number | undefined
  readonly message: string
  /** The error as text; read only where the message says nothing ("Provider returned error"). */
  readonly body?: string | undefined
}

/** Texts that only say that someone further up failed; what happened is in the body (OpenRouter's `metadata.raw`). */
const saysNothing =
  /^\s*(?:provider returned (?:an )?error|upstream (?:provider )?error|error from (?:the )?(?:upstream )?provider)/i

/** Long texts echo prompts; what they mean stands at the beginning. */
const searched = 8192

const canonical = (name: string): string => name.toLowerCase().replace(/^[\w.]*#/, "").replace(/[^a-z0-9]/g, "")

interface Compiled extends Omit<Rule, "names"> {
  readonly names: ReadonlySet<string> | undefined
}

const compiled: ReadonlyArray<Compiled> = rules.map((rule) => ({
  ...rule,
  names: rule.names === undefined ? undefined : new Set(rule.names.map(canonical))
}))

/**
 * The reason that a failure deserves.
 *
 * A status below 400 (an error inside a 200) counts as none; then a numeric code of 400 to 599 is the status. What no
 * rule knows is `Provider`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const classify = (failure: Classifiable): ProviderReasonTag => {
  const status = httpStatus(failure.status) ?? httpStatus(failure.code) ?? httpStatus(failure.type) ?? 0
  const names = [failure.type, failure.code].flatMap((name) => name === undefined ? [] : [canonical(String(name))])
  const own = failure.message.slice(0, searched)
  const text = failure.body !== undefined && saysNothing.test(own)
    ? `${own}\n${failure.body.slice(0, searched)}`
    : own
  return compiled.find((rule) => matches(rule, status, names, text))?.reason ?? "Provider"
}

const matches = (rule: Compiled, status: number, names: ReadonlyArray<string>, text: string): boolean =>
  (rule.status === undefined ||
    rule.status.some((s) => typeof s === "number" ? s === status : s[0] <= status && status <= s[1])) &&
  (rule.names === undefined || names.some((name) => rule.names!.has(name))) &&
  (rule.text === undefined || rule.text.some((pattern) => pattern.test(text))) &&
  (rule.unless === undefined || !rule.unless.test(text))
