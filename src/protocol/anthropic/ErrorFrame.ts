/**
 * Errors inside an answer: `event: error` frames, bare `{ "error": … }` objects and error bodies with status 200.
 *
 * Only reads them; the reason they deserve is decided by the transport from type, code, status and message.
 * https://platform.claude.com/docs/en/api/errors
 *
 * @since 0.1.0
 */
import type { Failure } from "../Protocol.ts"
import { count, type Loose, nonEmpty, record, textOf } from "./Loose.ts"

/**
 * Whether a frame or body carries an error.
 *
 * @category decoding
 * @since 0.1.0
 */
export const hasError = (frame: Loose): boolean => {
  const error = frame["error"]
  return frame["type"] === "error" || (typeof error === "object" && error !== null) || nonEmpty(error) !== undefined
}

const httpStatus = (value: unknown): number | undefined => {
  const status = count(value)
  return status !== undefined && Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined
}

/**
 * The failure that an error frame or body reports.
 *
 * @category decoding
 * @since 0.1.0
 */
export const errorFailure = (frame: Loose): Failure => {
  const given = frame["error"]
  const error = record(Array.isArray(given) ? given[0] : given) ?? frame
  const inner = record(error["error"])
  const type = nonEmpty(error["type"]) ?? nonEmpty(inner?.["type"]) ?? nonEmpty(frame["type"])
  const code = error["code"] ?? inner?.["code"]
  const status = httpStatus(error["status"]) ?? httpStatus(error["status_code"]) ?? httpStatus(frame["status"]) ??
    httpStatus(code)
  const message = nonEmpty(given) ?? nonEmpty(textOf(error["message"])) ?? nonEmpty(textOf(inner?.["message"])) ??
    nonEmpty(textOf(error["detail"])) ?? "The provider reported an error without a message."
  const requestId = nonEmpty(frame["request_id"]) ?? nonEmpty(error["request_id"])
  return {
    kind: "provider",
    message,
    ...(type === undefined || type === "error" ? undefined : { type }),
    ...(typeof code === "string" || typeof code === "number" ? { code } : undefined),
    ...(status === undefined ? undefined : { status }),
    ...(nonEmpty(error["param"]) === undefined ? undefined : { param: error["param"] as string }),
    ...(requestId === undefined ? undefined : { requestId }),
    body: JSON.stringify(frame)
  }
}
