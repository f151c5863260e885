/**
 * Expectations: answers for requests that are of some kind, whatever their order.
 *
 * Public through `TestLlm`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import { textOf } from "../../Message.ts"
import type { Answer } from "./Answer.ts"

/**
 * Which requests an expectation is for: a text that the last message holds, an expression that it fits, or a function of the request.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Match = string | RegExp | ((request: LlmRequest) => boolean)

/**
 * An answer for requests of some kind.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Expectation {
  readonly _tag: "Expectation"
  /** Which calls it is for. */
  readonly match: Match
  /** What such a call gets. */
  readonly answer: Answer
  /** Calls that it answers. */
  readonly times: number
}

/**
 * Expects a request of some kind. A call takes the first of the answers that are left and that is for it: one that stands for itself is for
 * any.
 *
 * @example
 * ```ts
 * TestLlm.layer({
 *   answers: [TestLlm.when("capital of France", "Paris"), TestLlm.when(/weather/i, sunny, { times: Infinity })]
 * })
 * ```
 *
 * @stability stable
 * @category answers
 * @since 0.1.0
 */
export const when = (
  match: Match,
  answer: Answer,
  options: {
    /** Calls that it answers; `Infinity` for as many as come, none included. @default 1 */
    readonly times?: number | undefined
  } = {}
): Expectation => ({ _tag: "Expectation", match, answer, times: options.times ?? 1 })

const lastText = (request: LlmRequest): string => {
  const last = messagesOf(request).at(-1)
  return last === undefined ? "" : textOf(last)
}

const fits = (match: Match, request: LlmRequest): boolean => {
  if (typeof match === "function") return match(request)
  const text = lastText(request)
  // One with the flag `g` would remember where it stopped.
  return typeof match === "string" ? text.includes(match) : text.search(match) !== -1
}

/** What a script holds: answers for any request, and expectations. */
type Entry = Answer | Expectation

const isExpectation = (entry: Entry): entry is Expectation =>
  typeof entry === "object" && "_tag" in entry && entry._tag === "Expectation"

const described = ({ match }: Expectation): string =>
  typeof match === "string"
    ? JSON.stringify(match)
    : typeof match === "function"
    ? match.name || "a function"
    : String(match)

/**
 * The answers that are left of a script.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Script {
  private readonly entries: Array<{ readonly entry: Entry; left: number }> = []

  add(entries: ReadonlyArray<Entry>): void {
    for (const entry of entries) {
      const left = isExpectation(entry) ? entry.times : 1
      if (left > 0) this.entries.push({ entry, left })
    }
  }

  /** The answer for a request; `undefined` when none that is left is for it. */
  take(request: LlmRequest): { readonly answer: Answer } | undefined {
    const at = this.entries.findIndex(({ entry }) => !isExpectation(entry) || fits(entry.match, request))
    const found = this.entries[at]
    if (found === undefined) return undefined
    if (--found.left === 0) this.entries.splice(at, 1)
    return { answer: isExpectation(found.entry) ? found.entry.answer : found.entry }
  }

  /** Calls that are still expected; one that may come any number of times is not. */
  get remaining(): number {
    return this.entries.reduce((sum, { left }) => Number.isFinite(left) ? sum + left : sum, 0)
  }

  /** What is still expected, in words. */
  get open(): ReadonlyArray<string> {
    return this.entries.flatMap(({ entry, left }) => {
      if (!Number.isFinite(left)) return []
      const what = isExpectation(entry) ? `a request with ${described(entry)}` : "a request"
      return [left === 1 ? what : `${what}, ${left} times`]
    })
  }
}
