/**
 * What goes wrong with a server, and whether a request may have had its effect all the same.
 *
 * Public through `Mcp`, which re-exports {@link McpError}.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import { cap, type Scrub } from "../../transport/secrets/Redaction.ts"

/**
 * What kind of failure it is: the server cannot be reached (`Connection`), took too long (`Timeout`), turned the credential away
 * (`Unauthorized`), answered with an error (`Refused`) or with what cannot be read (`Answer`), passed a limit (`Limit`), asked for something
 * that is not there (`InputRequired`), or the answer was lost so that nobody knows what came of the request (`Lost`). `Input` is a mistake of
 * the caller.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export type McpErrorKind =
  | "Connection"
  | "Timeout"
  | "Unauthorized"
  | "Refused"
  | "Answer"
  | "Limit"
  | "InputRequired"
  | "Lost"
  | "Input"

/**
 * A failure of an MCP server, or of a request to it. No secret of the endpoint is in its message.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export class McpError extends Data.TaggedError("McpError")<{
  /** Name of the server among those that were opened. */
  readonly server: string
  /** What went wrong. */
  readonly kind: McpErrorKind
  /** What happened, in a sentence; without secrets. */
  readonly message: string
  /** JSON-RPC's or HTTP's, as the server sent it. */
  readonly code?: number | undefined
}> {}

/** Of what a server says in an error so much is kept. */
const maxWords = 1024

/** Put by us where an answer should be; no server can send it. */
export const lostMark: { readonly lost: true } = { lost: true }

/** Put by us where an answer should be that is larger than is read. */
export const tooLargeMark: { readonly tooLarge: true } = { tooLarge: true }

/** Put by us where an answer should be that is nested deeper than is read. */
export const tooDeepMark: { readonly tooDeep: true } = { tooDeep: true }

/**
 * What became of a request: `refused` was answered, `unsent` never reached the server, `expired` was turned away with its session, `lost` may
 * have been carried out.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly fate: "refused" | "unsent" | "expired" | "lost"
  readonly error: McpError
  /** What came beside an error. */
  readonly data?: unknown
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined

/** Codes of system calls and of undici that say that nothing was sent. */
const neverSent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "ENOENT",
  "EACCES",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID"
])

const wasNeverSent = (error: unknown, depth = 0): boolean => {
  if (depth > 4 || error === undefined || error === null) return false
  const code = field(error, "code")
  if (typeof code === "string" && neverSent.has(code)) return true
  const errors = field(error, "errors")
  if (Array.isArray(errors) && errors.length > 0) {
    return errors.slice(0, 16).every((one) => wasNeverSent(one, depth + 1))
  }
  return wasNeverSent(field(error, "cause"), depth + 1)
}

/** A gateway in between says this of a server that may have been at work; 520 to 524 are Cloudflare's. */
const isGateway = (status: number): boolean => status === 502 || status === 504 || (status >= 520 && status <= 524)

/** One line in plain characters, short, without secrets. */
const words = (text: unknown, scrub: Scrub, most = maxWords): string =>
  typeof text === "string"
    ? scrub(text, most).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim()
    : "an error without words"

/**
 * Reads an error that the SDK threw. `hasSession` says whether the request belonged to a session, which can be over.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const failureOf = (server: string, thrown: unknown, scrub: Scrub, hasSession = false): Failure => {
  const data = field(thrown, "data")
  const code = field(thrown, "code")
  const name = field(thrown, "name")
  const message = words(field(thrown, "message") ?? thrown, scrub)
  const failed = (fate: Failure["fate"], kind: McpErrorKind, text: string, number?: unknown): Failure => ({
    fate,
    error: new McpError({
      server,
      kind,
      message: `${server}: ${text}`,
      ...(typeof number === "number" ? { code: number } : undefined)
    }),
    ...(data === undefined ? undefined : { data })
  })
  if (data === lostMark) return failed("lost", "Lost", "The connection was lost before the answer came.")
  if (data === tooLargeMark) return failed("refused", "Limit", "The answer is larger than is read.")
  if (data === tooDeepMark) return failed("refused", "Answer", "The answer is nested deeper than is read.")
  if (name === "UnauthorizedError") return failed("refused", "Unauthorized", "The server asks for authorization.")
  const status = field(data, "status")
  if (typeof status === "number" && typeof code === "string") {
    const said = words(field(data, "text") ?? "", scrub, 256)
    const text = `HTTP ${status}${said === "" ? "" : `: ${said}`}`
    if (status === 401 || status === 403) return failed("refused", "Unauthorized", text, status)
    if (status === 404 && hasSession) return failed("expired", "Connection", "The session is over.", status)
    return isGateway(status)
      ? failed("lost", "Lost", text, status)
      : failed("refused", "Refused", text, status)
  }
  switch (code) {
    case "CONNECTION_CLOSED":
      return failed("lost", "Lost", "The connection was closed before the answer came.")
    case "NOT_CONNECTED":
      return failed("unsent", "Connection", "The server is not connected.")
    case "REQUEST_TIMEOUT":
      return failed("lost", "Timeout", "The server took too long.")
    case "ERA_NEGOTIATION_FAILED":
    case "CAPABILITY_NOT_SUPPORTED":
    case "METHOD_NOT_SUPPORTED_BY_PROTOCOL_VERSION":
      return failed("unsent", "Connection", message)
    case "INVALID_RESULT":
    case "UNSUPPORTED_RESULT_TYPE":
    case "CLIENT_HTTP_UNEXPECTED_CONTENT":
      return failed("refused", "Answer", `The answer cannot be read. ${cap(message, 256)}`)
  }
  if (typeof code === "number" && Number.isInteger(code)) return failed("refused", "Refused", message, code)
  // The SDK throws this one without a code.
  if (message === "Not connected") return failed("unsent", "Connection", "The server is not connected.")
  return wasNeverSent(thrown)
    ? failed("unsent", "Connection", `The server cannot be reached: ${causeWords(thrown, scrub) || message}`)
    : failed("lost", "Lost", message)
}

const causeWords = (thrown: unknown, scrub: Scrub): string => {
  const cause = field(thrown, "cause") ?? thrown
  const code = field(cause, "code")
  return typeof code === "string" ? words(code, scrub) : words(field(cause, "message") ?? "", scrub)
}
