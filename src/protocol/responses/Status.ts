/**
 * How an answer ended: its status as a finish reason, and the errors inside HTTP 200.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/object#responses/object-status
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"
import { isErrorBody, readErrorBody } from "../errors/ErrorBody.ts"
import { finishReasonOf } from "../FinishReasons.ts"
import { type Fields, nonEmpty, record } from "../Probe.ts"
import type { Failure } from "../Protocol.ts"

/** A finish reason with the wire's own word. @stability experimental @category models @since 0.1.0 */
export interface Ending {
  readonly reason: FinishReason
  readonly raw: string | undefined
}

/**
 * The finish reason of a status.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const endingOf = (
  status: string | undefined,
  response: Fields,
  answer: { readonly refused: boolean; readonly called: boolean }
): Ending => {
  if (status === "incomplete") {
    const details = response["incomplete_details"]
    const word = nonEmpty(record(details)?.["reason"]) ?? nonEmpty(details)
    return { reason: answer.refused ? "refusal" : finishReasonOf(word), raw: word ?? status }
  }
  if (answer.refused) return { reason: "refusal", raw: status }
  switch (status) {
    case "completed":
      return { reason: answer.called ? "tool-calls" : "stop", raw: status }
    case "queued":
    case "in_progress":
      return { reason: "pause", raw: status }
    default:
      return { reason: "other", raw: status }
  }
}

const failureFrom = (error: unknown, body: unknown, fallback: string): Failure => ({
  kind: "provider",
  message: fallback,
  ...readErrorBody(error),
  body: JSON.stringify(body)
})

/**
 * The failure that an `error` event spells: its fields beside `type`, or inside `error`.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const errorEvent = (frame: unknown): Failure =>
  failureFrom(frame, frame, "The provider sent an error without a message.")

/**
 * The failure that a response object carries, whatever its status says.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const failureIn = (response: Fields, status: string | undefined): Failure | undefined => {
  const error = response["error"]
  if (error !== undefined && error !== null && isErrorBody({ error })) {
    return failureFrom({ error }, { error }, "The provider ended the response with an error.")
  }
  if (status !== "failed") return undefined
  const details = response["incomplete_details"]
  const reason = nonEmpty(record(details)?.["reason"])
  return {
    ...failureFrom(
      error,
      { status, error, incomplete_details: details },
      "The provider says that the response failed."
    ),
    ...(reason === undefined ? undefined : { code: reason })
  }
}

/**
 * The failure of a frame that is no event of this wire but an error body.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const strayFailure = (frame: Fields): Failure | undefined => isErrorBody(frame) ? errorEvent(frame) : undefined
