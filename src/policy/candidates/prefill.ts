/**
 * A beginning of an answer that a model is to go on from, in the two forms providers take.
 *
 * As a prefill it is the last, assistant, message. Where that is refused it becomes an unfinished turn that a user message
 * asks to be finished. Knows no wire: what a candidate takes is said by the application or learned from its refusals.
 *
 * @since 0.1.0
 */
import type { LlmError } from "../../LlmError.ts"
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import { type Message, parts, textOf } from "../../Message.ts"

const withMessages = (request: LlmRequest, messages: ReadonlyArray<Message>): LlmRequest => {
  const { messages: _, prompt: __, ...options } = request
  return { ...options, messages }
}

const isText = (message: Message): boolean => parts(message).every((part) => part.type === "text")

/**
 * The text that a request asks to go on from, "" when it asks for a new answer.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const prefillOf = (request: LlmRequest): string => {
  const last = messagesOf(request).at(-1)
  return last !== undefined && last.role === "assistant" && isText(last) ? textOf(last) : ""
}

/**
 * A request to go on from what it asked for already and `text`. Some APIs refuse whitespace at the end, so there is none.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/prefill-claudes-response
 * @stability stable
 * @category requests
 * @since 0.1.0
 */
export const withPrefill = (request: LlmRequest, text: string): LlmRequest => {
  const messages = messagesOf(request)
  const begun = prefillOf(request)
  const before = begun === "" ? messages : messages.slice(0, -1)
  return withMessages(request, [...before, { role: "assistant", content: (begun + text).trimEnd() }])
}

const longestTail = 60

/**
 * The last words of a text, for finding the place again.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const tailOf = (text: string): string => {
  const whole = text.trim()
  if (whole.length <= longestTail) return whole
  const tail = whole.slice(-longestTail)
  const space = tail.slice(0, longestTail / 2).search(/\s/)
  const cut = space === -1 ? tail : tail.slice(space + 1)
  // Half a surrogate pair is no character.
  return (/^[\uDC00-\uDFFF]/.test(cut) ? cut.slice(1) : cut).trimStart()
}

const goOn = "Your answer above was cut off. Go on from exactly where it stops: no introduction, no comment, " +
  "and nothing of it said anew."

const goOnRepeating = (tail: string): string =>
  "Your answer above was cut off. Begin with its last characters, given between the marks, letter by letter, and go on " +
  `from there: no introduction, no comment, and nothing else of it said anew.\n<<<${tail}>>>`

/**
 * A request that ends in a prefill, with an instruction in its place. With `repeat` the model is asked to begin with
 * the last characters, which makes the seam certain for whoever trims them; without, to begin behind them.
 *
 * @stability stable
 * @category requests
 * @since 0.1.0
 */
export const asInstruction = (request: LlmRequest, repeat: boolean): LlmRequest => {
  const begun = prefillOf(request)
  return begun === ""
    ? request
    : withMessages(request, [
      ...messagesOf(request),
      { role: "user", content: repeat ? goOnRepeating(tailOf(begun)) : goOn }
    ])
}

/**
 * Whether an error can mean that a provider takes no prefill: 400 or 422 to a request that has one.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const refusesPrefill = ({ reason }: LlmError, request: LlmRequest): boolean =>
  reason._tag === "Validation" && (reason.status === 400 || reason.status === 422) && prefillOf(request) !== ""
