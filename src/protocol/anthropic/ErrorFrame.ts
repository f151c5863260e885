/**
 * Errors inside an answer: `event: error` frames, bare `{ "error": … }` objects and error bodies with status 200.
 *
 * Only reads them; the reason they deserve is decided by the transport from type, code, status and message.
 * https://platform.claude.com/docs/en/api/errors
 *
 * @since 0.1.0
 */
import { isErrorMember, readErrorBody } from "../errors/ErrorBody.ts"
import { blank, type JsonFields, nonEmpty, record } from "../Probe.ts"
import type { Failure } from "../Protocol.ts"

/**
 * Whether a frame or body carries an error.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const hasError = (frame: JsonFields): boolean => {
  const { error, type } = frame
  if (type === "error" || isErrorMember(error)) return true
  // An object that says something nobody can read is an error only where nothing else is said.
  return record(error) !== undefined && !blank(error) && nonEmpty(type) === undefined && frame["content"] === undefined
}

/**
 * The failure that an error frame or body reports.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const errorFailure = (frame: JsonFields): Failure => ({
  kind: "provider",
  message: "The provider reported an error without a message.",
  ...readErrorBody(frame),
  body: JSON.stringify(frame)
})
