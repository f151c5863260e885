/**
 * Finds errors inside HTTP 200 answers of Chat Completions hosts: instead of an answer, beside it, inside a choice, or
 * only in what a gateway says of its upstream. Reading an error's fields is `ErrorMap.ts`.
 *
 * What a gateway says of its upstream (`metadata`) stays in `body`; the message is the wire's own.
 *
 * @since 0.1.0
 */
import { isErrorBody, readErrorBody } from "../errors/ErrorBody.ts"
import type { Fields } from "../Probe.ts"
import type { Failure } from "../Protocol.ts"

/**
 * The failure that a value known to be an error spells.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const failureFrom = (error: unknown): Failure => ({
  kind: "provider",
  message: "The provider sent an error without a message.",
  ...readErrorBody(error),
  body: JSON.stringify(error)
})

/**
 * The failure in a frame, if there is one.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const failureIn = (frame: Fields): Failure | undefined => {
  const answers = Array.isArray(frame["choices"])
  const named = (frame["error"] !== undefined && frame["error"] !== null) || frame["object"] === "error" ||
    frame["type"] === "error" || frame["base_resp"] !== undefined
  if ((answers && !named) || !isErrorBody(frame)) return undefined
  const { choices: _, ...error } = frame
  return failureFrom(error)
}

/**
 * The failure of an answer whose upstream broke although the gateway's own finish reason is benign.
 *
 * @see https://openrouter.ai/docs/api-reference/overview#finish-reason
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const nativeFailure = (native: string): Failure | undefined => {
  const word = native.toLowerCase()
  return word === "error" || word === "network_error"
    ? { kind: "provider", message: `The provider behind the gateway ended the answer with "${native}".`, code: native }
    : undefined
}
