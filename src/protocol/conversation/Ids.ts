/**
 * Ids of calls: what each wire takes, and one for each call that no other call of the conversation has.
 *
 * What an id becomes depends on the ids before it and on nothing after, so that a conversation which grows keeps those it was sent with.
 *
 * @since 0.1.0
 */
import { shortName } from "./ShortName.ts"
import type { IdRule } from "./Turn.ts"

/**
 * Letters, digits, `_` and `-`, at most 64 of them: Anthropic and Amazon Bedrock.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
 * @stability experimental
 * @category rules
 * @since 0.1.0
 */
export const plainIds = (isValid: RegExp = /^[a-zA-Z0-9_-]{1,64}$/): IdRule => ({
  isValid: (id) => isValid.test(id),
  rewrite: (id, attempt) => {
    const suffix = attempt === 0 ? "" : `_${attempt}`
    const cleaned = id.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64 - suffix.length)
    return (cleaned === "" ? "call" : cleaned) + suffix
  }
})

/**
 * Any text up to a length.
 *
 * @stability experimental
 * @category rules
 * @since 0.1.0
 */
export const idsUpTo = (length: number): IdRule => ({
  // Half a surrogate pair is replaced before it is sent, and two of them would be one id.
  isValid: (id) => id.length <= length && id.isWellFormed(),
  rewrite: (id, attempt) => `call_${shortName(`${attempt}:${id}`, 20)}`
})

/**
 * So many letters and digits exactly.
 *
 * @stability experimental
 * @category rules
 * @since 0.1.0
 */
export const idsOf = (length: number): IdRule => {
  const exact = new RegExp(`^[a-zA-Z0-9]{${length}}$`)
  return { isValid: (id) => exact.test(id), rewrite: (id, attempt) => shortName(`${attempt}:${id}`, length) }
}

/** Every id is accepted; a repeated one gets a number. */
const anyId: IdRule = {
  isValid: (id) => id.isWellFormed(),
  rewrite: (id, attempt) => `${id.toWellFormed()}_${attempt + 2}`
}

/**
 * Gives ids to calls, in their order. The work is linear, however often an id comes again.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Ids {
  private readonly rule: IdRule
  private readonly taken = new Set<string>()
  /** The next attempt at an id, by what the first one gives: those before it are taken. */
  private readonly attempts = new Map<string, number>()

  constructor(rule: IdRule | undefined) {
    this.rule = rule ?? anyId
  }

  next(id: string): string {
    const { isValid, rewrite } = this.rule
    let made = id
    if (this.taken.has(made) || !isValid(made)) {
      const first = rewrite(id, 0)
      let attempt = this.attempts.get(first) ?? 0
      made = attempt === 0 ? first : rewrite(id, attempt)
      while (this.taken.has(made) || !isValid(made)) made = rewrite(id, ++attempt)
      this.attempts.set(first, attempt + 1)
    }
    this.taken.add(made)
    return made
  }
}
