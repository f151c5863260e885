/**
 * What the model reads in place of a result that no tool gave.
 *
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"
import type { Json } from "../../Message.ts"
import type { Bound, CallResult } from "./state.ts"

const failed = (content: string): CallResult => ({ content, isError: true })

const because = (reason: string | undefined): string =>
  reason === undefined || reason.trim() === "" ? "" : ` Reason: ${reason}`

/** A call that somebody denied. No error: models try again what failed. @stability experimental @category results @since 0.1.0 */
export const denied = (reason: string | undefined): CallResult => ({
  content: `The call was not carried out: it was denied. Do not make it again.${because(reason)}`
})

/** A call of an answer that did not end well. @stability experimental @category results @since 0.1.0 */
export const cut = (finishReason: FinishReason): CallResult =>
  failed(`The call was not carried out: the answer ended early (${finishReason}).`)

const limits: { readonly [bound in Bound]: string } = {
  steps: "the limit of steps",
  "tool-calls": "the limit of tool calls",
  tokens: "the limit of tokens",
  cost: "the limit of cost",
  time: "the limit of time",
  loop: "the limit of repetitions"
}

/** A call that a bound forbids. @stability experimental @category results @since 0.1.0 */
export const atBound = (bound: Bound): CallResult =>
  failed(`The call was not carried out: ${limits[bound]} of this run is reached.`)

/** A call that was open when the run was stopped. @stability experimental @category results @since 0.1.0 */
export const stopped = (reason: string | undefined): CallResult =>
  failed(`The call was not carried out: the run was stopped.${because(reason)}`)

/** A call that would only repeat others. @stability experimental @category results @since 0.1.0 */
export const repeated = failed(
  "The call was not carried out: the same call gave the same result before. Do something else, or answer with what you have."
)

/** A call that may not run at all. @stability experimental @category results @since 0.1.0 */
export const refused = (message: string): CallResult => failed(message)

const warning = "Note: this call gave the same result before. Doing it again will not help."

const withText = ({ content, ...rest }: CallResult, text: string, first: boolean): CallResult => {
  if (typeof content === "string") {
    return { ...rest, content: first ? `${text}\n${content}` : content === "" ? text : `${content}\n${text}` }
  }
  const part = { type: "text", text } as const
  return { ...rest, content: first ? [part, ...content] : [...content, part] }
}

/** A result of a call that repeats others. @stability experimental @category results @since 0.1.0 */
export const warned = (result: CallResult): CallResult => withText(result, warning, false)

/** A result of a call that ran with other arguments than the model's. @stability experimental @category results @since 0.1.0 */
export const edited = (result: CallResult, args: Json): CallResult =>
  withText(result, `Carried out with changed arguments: ${JSON.stringify(args)}`, true)
