/**
 * Finds the provider's own error in a JSON body or stream frame, whatever its shape.
 *
 * Owns the shapes: who wraps what in which member. What an error means is `classify` in `ErrorMap.ts`.
 * Texts are kept exactly as sent; a text that is itself a JSON error (proxies do that) is unwrapped.
 *
 * @since 0.1.0
 */
import { parsePartialJson } from "../../json/partial.ts"
import { parsed } from "../Probe.ts"
import { type LimitWindow, windowOf, windowOfQuotaIds } from "./LimitWindow.ts"
import { goDuration, retryDelayFromMessage } from "./RetryDelay.ts"

/**
 * What a provider said of its failure.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ErrorBody {
  /** The provider's text, exactly; its type or code where it sent no text. */
  readonly message: string
  /** The provider's error type, as sent. */
  readonly type?: string | undefined
  /** The provider's error code, as sent. */
  readonly code?: string | number | undefined
  /** The request field the provider complains about. */
  readonly param?: string | undefined
  /** An HTTP status named in the body, 400 to 599. */
  readonly status?: number | undefined
  /** The provider's request id, where the body has one. */
  readonly requestId?: string | undefined
  /** The delay the body asks for, in milliseconds. */
  readonly retryAfterMillis?: number | undefined
  /** Over how long the limit counts that was reached, where the body has fields that say so. */
  readonly limitWindow?: LimitWindow | undefined
  /** `google.rpc.ErrorInfo.reason`, such as `API_KEY_INVALID`. */
  readonly reason?: string | undefined
}

type Obj = Readonly<Record<string, unknown>>
type Draft = { -readonly [K in keyof ErrorBody]: ErrorBody[K] }

/** Wrappers around wrappers: deeper than this is no error anybody sends. */
const maxDepth = 6

const isObject = (u: unknown): u is Obj => typeof u === "object" && u !== null && !Array.isArray(u)

const text = (u: unknown): string | undefined => typeof u === "string" && u.trim() !== "" ? u : undefined

/** What `read` makes of the first member it can read. */
const first = <A>(o: Obj, keys: ReadonlyArray<string>, read: (u: unknown) => A | undefined): A | undefined => {
  for (const key of keys) {
    const value = read(o[key])
    if (value !== undefined) return value
  }
  return undefined
}

const firstText = (o: Obj, keys: ReadonlyArray<string>): string | undefined => first(o, keys, text)

/**
 * The status of an error, as a number or three digits.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const httpStatus = (u: unknown): number | undefined => {
  const value = typeof u === "number" ? u : typeof u === "string" && /^\d{3}$/.test(u) ? Number(u) : NaN
  return Number.isInteger(value) && value >= 400 && value <= 599 ? value : undefined
}

// =============================================================================
// Fields
// =============================================================================

/** AWS writes `com.amazon.coral.service#ThrottlingException` and `ThrottlingException:http://…`. */
const bareType = (type: string): string => {
  const link = type.search(/:https?:/)
  return (link === -1 ? type : type.slice(0, link)).replace(/^[\w.]*#/, "")
}

/** Values that say no more than that this is an error. */
const emptyTypes = new Set(["error", "about:blank", "failed", "fail", "failure", "ko"])

const typeOf = (o: Obj): string | undefined => {
  for (const key of ["type", "error_type", "errorType", "__type", "status"]) {
    const value = text(o[key])
    if (value === undefined || emptyTypes.has(value.toLowerCase()) || value.startsWith("response.")) continue
    if (key === "status" && httpStatus(value) !== undefined) continue
    return key === "__type" ? bareType(value) : value
  }
  return undefined
}

const codeOf = (o: Obj): string | number | undefined =>
  first(
    o,
    ["code", "error_code", "errorCode", "Code", "errcode"],
    (value) => typeof value === "number" ? value : text(value)
  )

const statusOf = (o: Obj): number | undefined =>
  first(
    o,
    ["status", "statusCode", "status_code", "raw_status_code", "http_code", "code", "originalStatusCode"],
    httpStatus
  )

const requestIdOf = (o: Obj): string | undefined =>
  firstText(o, ["request_id", "requestId", "RequestId", "requestID", "x_request_id"])

const seconds = (u: unknown): number | undefined => {
  const value = typeof u === "number" ? u : typeof u === "string" && /^\d+(?:\.\d+)?$/.test(u.trim()) ? Number(u) : NaN
  return Number.isFinite(value) && value >= 0 ? value * 1000 : typeof u === "string" ? goDuration(u) : undefined
}

/** `google.rpc.RetryInfo.retryDelay`, Hugging Face's `estimated_time`, and `retry_after` as several hosts write it. */
const retryAfterOf = (o: Obj): number | undefined => {
  const named = first(o, ["retry_after", "retryAfter", "retry_after_seconds", "retryDelay", "estimated_time"], seconds)
  if (named !== undefined) return named
  const millis = o.retry_after_ms ?? o.retryAfterMs
  if (typeof millis === "number" && Number.isFinite(millis) && millis >= 0) return millis
  if (Array.isArray(o.details)) {
    for (const detail of o.details) {
      const value = isObject(detail) ? seconds(detail.retryDelay) : undefined
      if (value !== undefined) return value
    }
  }
  return isObject(o.metadata) ? retryAfterOf({ ...o.metadata, metadata: undefined }) : undefined
}

/** `param`, or the first of `google.rpc.BadRequest.fieldViolations`. */
const paramOf = (o: Obj): string | undefined => {
  const param = text(o.param)
  if (param !== undefined || !Array.isArray(o.details)) return param
  for (const detail of o.details) {
    const violation: unknown = isObject(detail) && Array.isArray(detail.fieldViolations)
      ? detail.fieldViolations[0]
      : undefined
    const field = isObject(violation) ? text(violation.field) : undefined
    if (field !== undefined) return field
  }
  return undefined
}

const fieldsOf = (o: Obj): Omit<Draft, "message"> => ({
  type: typeOf(o),
  code: codeOf(o),
  param: paramOf(o),
  status: statusOf(o),
  requestId: requestIdOf(o),
  retryAfterMillis: retryAfterOf(o),
  limitWindow: windowOf(o),
  reason: infoReason(o)
})

/** Reasons that say more than status and message: https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto */
const tellingReason = /^(?:API_KEY_|ACCESS_TOKEN_|CREDENTIALS_|BILLING_DISABLED$|SERVICE_DISABLED$)/

/** `google.rpc.ErrorInfo`: https://cloud.google.com/apis/design/errors#error_info */
const infoReason = (o: Obj): string | undefined => {
  if (!Array.isArray(o.details)) return undefined
  for (const detail of o.details) {
    const type = isObject(detail) ? text(detail["@type"]) : undefined
    const reason = isObject(detail) ? text(detail.reason) : undefined
    if (type?.endsWith("google.rpc.ErrorInfo") === true && reason !== undefined && tellingReason.test(reason)) {
      return reason
    }
  }
  return undefined
}

/** What a gateway says of its upstream, as JSON text: OpenRouter's `metadata.raw`. Only what no message tells is taken from it. */
const upstreamOf = (o: Obj, depth: number): Partial<Draft> => {
  const raw = isObject(o.metadata) ? text(o.metadata.raw) : undefined
  if (raw === undefined) return {}
  const upstream = readInner(parsed(raw), depth)
  return upstream === undefined
    ? { limitWindow: windowOfQuotaIds(raw.slice(0, maxRaw)) }
    : { limitWindow: upstream.limitWindow, retryAfterMillis: upstream.retryAfterMillis, reason: upstream.reason }
}

const maxRaw = 65_536

/** Fills what `draft` lacks. */
const fill = (draft: Draft, from: Partial<Draft>): Draft => ({
  message: draft.message,
  type: draft.type ?? from.type,
  code: draft.code ?? from.code,
  param: draft.param ?? from.param,
  status: draft.status ?? from.status,
  requestId: draft.requestId ?? from.requestId,
  retryAfterMillis: draft.retryAfterMillis ?? from.retryAfterMillis,
  limitWindow: draft.limitWindow ?? from.limitWindow,
  reason: draft.reason ?? from.reason
})

// =============================================================================
// Shapes
// =============================================================================

const messageKeys = [
  "message",
  "Message",
  "msg",
  "error_message",
  "errorMessage",
  "error_msg",
  "errmsg",
  "error_description",
  "detail",
  "status_msg",
  "faultstring",
  "originalMessage",
  "title",
  "reason",
  "description"
]

/** Members whose value may hold the error instead of its text; `message` and `detail` for Mistral's and FastAPI's lists. */
const nestedKeys = ["message", "detail", "errors", "fault", "base_resp"]

/** A member named like an AWS exception (`{"throttlingException":{"message":"…"}}`), as event streams in JSON have it. */
const exceptionKey = (o: Obj): string | undefined =>
  Object.keys(o).find((key) => /^[A-Za-z]+(?:Exception|Error)$/.test(key) && isObject(o[key]))

/** What is inside a member, but not a text that is one. */
const readInner = (u: unknown, depth: number): Draft | undefined =>
  typeof u === "object" && u !== null ? read(u, depth + 1) : undefined

const read = (u: unknown, depth: number): Draft | undefined => {
  if (depth > maxDepth) return undefined
  if (typeof u === "string") return text(u) === undefined ? undefined : unwrapped({ message: u }, depth)
  if (Array.isArray(u)) return readList(u, depth)
  return isObject(u) ? readObject(u, depth) : undefined
}

/** FastAPI's and pydantic's `[{ loc, msg, type }]` becomes one text; of any other list the first error counts. */
const readList = (list: ReadonlyArray<unknown>, depth: number): Draft | undefined => {
  const issues = list.filter((item): item is Obj => isObject(item) && text(item.msg) !== undefined)
  if (issues.length > 0) {
    const loc = issues[0]!.loc
    return {
      message: issues.map((issue) => issue.msg).join("; "),
      param: Array.isArray(loc) ? loc.filter((part) => typeof part !== "object").join(".") : undefined
    }
  }
  for (const item of list.slice(0, 16)) {
    const draft = read(item, depth + 1)
    if (draft !== undefined) return draft
  }
  return undefined
}

const readObject = (o: Obj, depth: number): Draft | undefined => {
  const { error } = o
  if (typeof error === "string" && text(error) !== undefined) return readNamed(o, error, depth)
  for (const wrapped of [error, o.Error, isObject(o.response) ? o.response.error : undefined]) {
    const draft = readInner(wrapped, depth)
    // A sibling's type or code belongs to the frame, not to the error.
    if (draft !== undefined) {
      return fill(draft, {
        type: text(o.error_type),
        status: statusOf(o),
        requestId: requestIdOf(o) ?? ownId(o),
        retryAfterMillis: retryAfterOf(o)
      })
    }
  }
  const message = firstText(o, messageKeys)
  if (message !== undefined) {
    const draft = { message, ...fieldsOf(o), requestId: requestIdOf(o) ?? ownId(o) }
    return unwrapped(fill(draft, upstreamOf(o, depth)), depth)
  }
  return readNested(o, depth) ?? readBare(o)
}

/** `{ error: "…" }`: the text itself, or a label beside the text (Spring, NestJS, OAuth). */
const readNamed = (o: Obj, error: string, depth: number): Draft | undefined => {
  const beside = firstText(o, ["message", "error_description", "error_message"])
  const fields = { ...fieldsOf(o), requestId: requestIdOf(o) }
  return beside === undefined
    ? unwrapped({ ...fields, message: error }, depth)
    : unwrapped({ ...fields, message: beside, type: fields.type ?? error }, depth)
}

const readNested = (o: Obj, depth: number): Draft | undefined => {
  const baseResp = o.base_resp
  // MiniMax: 0 is success. https://platform.minimax.io/docs/api-reference/errorcode
  if (isObject(baseResp) && isBenignCode(baseResp.status_code)) return undefined
  for (const key of nestedKeys) {
    const nested = o[key]
    const draft = readInner(nested, depth)
    if (draft === undefined) continue
    const code = key === "base_resp" && isObject(nested) ? nested.status_code as number | string : undefined
    return fill(draft, { ...fieldsOf(o), code: code ?? codeOf(o) })
  }
  const exception = exceptionKey(o)
  const draft = exception === undefined ? undefined : read(o[exception], depth + 1)
  if (draft !== undefined) return fill(draft, { type: exception })
  for (const key of ["Response", "header", "choices"]) {
    const holder: unknown = key === "choices" && Array.isArray(o.choices) ? o.choices[0] : o[key]
    if (isObject(holder) && (holder.error ?? holder.Error ?? undefined) !== undefined) return read(holder, depth + 1)
  }
  return undefined
}

/** An error without any text: its type or code is all there is to say. */
const readBare = (o: Obj): Draft | undefined => {
  const fields = fieldsOf(o)
  const type = text(o.type) === undefined ? text(o.error_type) ?? text(o.__type) : fields.type
  const label = type ?? (isBenignCode(fields.code) ? undefined : fields.code)
  const onlyError = Object.keys(o).every((key) => bareKeys.has(key))
  return label === undefined || !onlyError ? undefined : { ...fields, message: String(label) }
}

const bareKeys = new Set([
  "type",
  "error_type",
  "__type",
  "code",
  "error_code",
  "status",
  "message",
  "param",
  "metadata",
  "details"
])

/** An `id` beside an error is the request's; beside an answer it is the answer's. */
const ownId = (o: Obj): string | undefined =>
  o.choices === undefined && o.object === undefined && o.model === undefined && o.response === undefined
    ? text(o.id)
    : undefined

/** A proxy's text may be the upstream's JSON: the innermost error speaks, the outer one fills the gaps. */
const unwrapped = (draft: Draft, depth: number): Draft => {
  const source = draft.message.trim()
  if (!(source.startsWith("{") && source.endsWith("}")) && !(source.startsWith("[") && source.endsWith("]"))) {
    return draft
  }
  const value = parsed(source)
  const inner = isPlainList(value) ? undefined : readInner(value, depth)
  return inner === undefined ? draft : fill(inner, draft)
}

const isPlainList = (u: unknown): boolean => Array.isArray(u) && !u.some(isObject)

/**
 * The provider's error in a parsed body or frame, or `undefined` when there is none to be found.
 *
 * Give it bodies that are known to be errors by their status, or for which `isErrorBody` holds. `event` is the name of
 * the stream's event; it stands in for a missing type (AWS event streams name the exception there).
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const readErrorBody = (json: unknown, event?: string): ErrorBody | undefined => {
  const draft = read(json, 0)
  if (draft === undefined) return undefined
  if (draft.type === undefined && event !== undefined && /(?:exception|.error)$/i.test(event)) draft.type = event
  draft.retryAfterMillis ??= retryDelayFromMessage(draft.message)
  for (const key of Object.keys(draft) as Array<keyof Draft>) if (draft[key] === undefined) delete draft[key]
  return draft
}

/** A line of an event stream: a field, or a comment. */
const streamLine = /^(?::|(?:data|event|id|retry|error):)/

/**
 * The provider's error in the text of a body: JSON, or the stream that was asked for, as server-sent events or lines
 * of JSON, whose first error counts. `undefined` for any other text, which is its own message. Of JSON that was `cut` the
 * beginning is read.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const readErrorText = (body: string, cut = false): ErrorBody | undefined => {
  const whole = cut && /^\s*[[{]/.test(body) ? parsePartialJson(body) : parsed(body)
  if (whole !== undefined) return readErrorBody(whole)
  const lines = body.split(/\r\n|\r|\n/).filter((line) => line.trim() !== "")
  const isStream = lines.length > 0 && streamLine.test(lines[0]!.trimStart())
  let spoken: string | undefined
  for (const line of lines) {
    const field = isStream ? /^\s*(?:data|error):(.*)$/.exec(line)?.[1] : line
    if (field === undefined) continue
    const found = /^\s*[[{]/.test(field) ? readErrorBody(parsed(field)) : undefined
    if (found !== undefined) return found
    if (isStream && field.trim() !== "[DONE]") spoken ??= text(field.trim())
  }
  return spoken === undefined ? undefined : { message: spoken }
}

// =============================================================================
// Is it one?
// =============================================================================

/** Members that only an answer has. */
const answerKeys = [
  "choices",
  "candidates",
  "content",
  "output",
  "delta",
  "response",
  "usage",
  "usageMetadata",
  "promptFeedback",
  "parts",
  "text",
  "data",
  "models",
  "generations",
  "done",
  "metrics"
]

const errorWord =
  /error|exception|invalid|fail|denied|exceed|limit|unauth|forbidden|not.?found|bad.?request|unavailable/i

const isBenignCode = (u: unknown): boolean =>
  u === undefined || u === null || u === "" || u === 0 || u === "0" || u === 200 || u === "200" ||
  (typeof u === "string" && /^(?:ok|success|succeeded)$/i.test(u))

/**
 * Whether what stands under `error` is one: hosts that always send the member fill it with `{}`, `""` or
 * `{ code: 0, message: "success" }` when all is well.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const isErrorMember = (u: unknown): boolean => {
  if (typeof u === "string") return text(u) !== undefined
  if (Array.isArray(u)) return u.some((item) => isErrorMember(item))
  if (!isObject(u)) return false
  const spoken = firstText(u, messageKeys)
  const code = codeOf(u)
  if (code !== undefined && isBenignCode(code)) return spoken !== undefined && typeOf(u) !== undefined
  return code !== undefined || spoken !== undefined || read(u, 1) !== undefined
}

const isOtherError = (o: Obj): boolean => {
  if (isObject(o.base_resp)) return !isBenignCode(o.base_resp.status_code)
  if (o.success === false) return true
  if (answerKeys.some((key) => o[key] !== undefined && o[key] !== null) || isObject(o.message)) return false
  if (text(o.__type) !== undefined || isErrorMember(o.fault) || isErrorMember(o.errors)) return true
  if (exceptionKey(o) !== undefined && Object.keys(o).length === 1) return true
  if (firstText(o, ["error_message", "error_msg", "errorMessage"]) !== undefined) return !isBenignCode(codeOf(o) ?? 1)
  const spoken = firstText(o, ["message", "msg", "Message", "detail", "title", "reason"])
  if (spoken === undefined) return Array.isArray(o.detail) && o.detail.some((item) => isObject(item) && text(item.msg))
  if (statusOf(o) !== undefined || /^(?:error|fail|failed|failure)$/i.test(text(o.status) ?? "")) return true
  const code = codeOf(o)
  if (code !== undefined) return !isBenignCode(code) && (text(o.type) === undefined || errorWord.test(String(o.type)))
  if (text(o.error_type) !== undefined) return true
  const type = text(o.type)
  if (type !== undefined) return errorWord.test(type) && !type.startsWith("response.")
  return Object.keys(o).every((key) => plainErrorKeys.has(key))
}

const plainErrorKeys = new Set(["message", "Message", "detail", "id", "request_id", "requestId", "RequestId", "title"])

/**
 * Whether a 200 body or a stream frame is an error, or carries one beside an answer.
 *
 * Conservative: an ordinary answer is never one. Errors deeper inside an answer (`choices[].error`, the response of a
 * `response.failed` event) are the wire's to find, with `readErrorBody` on that part.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const isErrorBody = (json: unknown): boolean => {
  const o = Array.isArray(json) ? json[0] : json
  if (!isObject(o)) return false
  const named = o.type === "error" || o.object === "error" || isErrorMember(o.error) || isErrorMember(o.Error)
  return (named || isOtherError(o)) && readErrorBody(o) !== undefined
}
