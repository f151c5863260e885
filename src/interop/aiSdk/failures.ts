/**
 * What a model of the AI SDK throws, rejects with or streams as an error, as a typed reason.
 *
 * The AI SDK's errors are known by their names, as markers of several versions go together; statuses, bodies and headers are read as those
 * of any provider. Whatever is thrown may be anything, and throw when it is touched.
 *
 * @since 0.1.0
 */
import * as LlmError from "../../LlmError.ts"
import type { LlmResponse } from "../../LlmResponse.ts"
import { readErrorBody, readErrorText } from "../../protocol/ErrorMap.ts"
import { record } from "../../protocol/Probe.ts"
import { reasonOf } from "../../transport/Reasons.ts"
import * as RetryAfter from "../../transport/RetryAfter.ts"
import { describeCause, type Scrub } from "../../transport/secrets/Redaction.ts"
import { plainJson } from "./own.ts"

/**
 * What is known beside the failure.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Around {
  readonly scrub: Scrub
  readonly partial: LlmResponse | undefined
  readonly nowMillis: number
  /** What an error of no known kind is: a connection that broke while it was read, else the model's own. */
  readonly reading: boolean
}

/**
 * A reason and, where an answer named one, its request id.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Failed {
  readonly reason: LlmError.Reason
  readonly requestId?: string | undefined
}

type Thrown = { readonly [field: string]: unknown }

const headersIn = (thrown: Thrown): RetryAfter.ResponseHeaders =>
  Object.fromEntries(
    Object.entries(record(plainJson(thrown["responseHeaders"])) ?? {})
      .flatMap(([name, value]) => typeof value === "string" ? [[name.toLowerCase(), value]] : [])
  )

/** An error object: a class of the AI SDK, of a runtime, or whatever a provider sent. */
const isThing = (value: unknown): value is Thrown => typeof value === "object" && value !== null

const nameOf = (thrown: Thrown): string => typeof thrown["name"] === "string" ? thrown["name"] : ""

/** A retry of the AI SDK's stands for the last failure. */
const innermost = (thrown: unknown): unknown => {
  let current = thrown
  for (let depth = 0; depth < 5 && isThing(current) && nameOf(current) === "AI_RetryError"; depth++) {
    const { errors, lastError } = current
    const last = lastError ?? (Array.isArray(errors) ? errors.at(-1) : undefined)
    if (last === undefined) break
    current = last
  }
  return current
}

/** Our own error behind one of the AI SDK's, as that of `AiSdk.languageModel`. */
const ours = (thrown: unknown): LlmError.LlmError | undefined => {
  for (let current = thrown, depth = 0; depth < 5 && isThing(current); depth++) {
    if (current instanceof LlmError.LlmError) return current
    current = current["cause"]
  }
  return undefined
}

const codeOf = (thrown: unknown): string | undefined => {
  for (let current = thrown, depth = 0; depth < 5 && isThing(current); depth++) {
    if (typeof current["code"] === "string" && /^[A-Z][A-Z0-9_]+$/.test(current["code"])) return current["code"]
    current = current["cause"]
  }
  return undefined
}

const apiCall = (thrown: Thrown, around: Around): Failed => {
  const { partial, scrub } = around
  const status = typeof thrown["statusCode"] === "number" ? thrown["statusCode"] : undefined
  const body = typeof thrown["responseBody"] === "string" ? thrown["responseBody"] : undefined
  const headers = headersIn(thrown)
  const requestId = RetryAfter.requestId(headers)
  const message = typeof thrown["message"] === "string" && thrown["message"] !== ""
    ? thrown["message"]
    : "The model refused the call."
  if (status === undefined && body === undefined) return { reason: network(thrown, around) }
  const read = body === undefined ? readErrorBody(plainJson(thrown["data"])) : readErrorText(body)
  if (status !== undefined && status < 400 && read === undefined) {
    return { reason: reasonOf({ kind: "parse", message, status, body }, { scrub, partial }), requestId }
  }
  return {
    requestId: requestId === undefined ? read?.requestId : scrub(requestId, 256),
    reason: reasonOf(
      { kind: "provider", message, ...read, status, ...(body === undefined ? undefined : { body }) },
      { scrub, partial, retryAfter: RetryAfter.retryAfter(headers, around.nowMillis) }
    )
  }
}

const network = (thrown: unknown, { partial, scrub }: Around): LlmError.Reason => {
  const code = codeOf(thrown)
  return new LlmError.Network({
    message: `The connection failed: ${describeCause(thrown, scrub)}.`,
    partial,
    ...(code === undefined ? undefined : { code })
  })
}

/** The AI SDK's errors beside that of a call. https://ai-sdk.dev/docs/reference/ai-sdk-errors */
const byName = (name: string, message: string, { partial }: Around): LlmError.Reason | undefined => {
  switch (name) {
    case "AI_LoadAPIKeyError":
      return new LlmError.Configuration({ message, field: "apiKey", partial })
    case "AI_LoadSettingError":
      return new LlmError.Configuration({ message, partial })
    case "AI_InvalidArgumentError":
    case "AI_InvalidPromptError":
    case "AI_UnsupportedFunctionalityError":
    case "AI_NoSuchProviderReferenceError":
      return new LlmError.Validation({ message, partial })
    case "AI_NoSuchModelError":
      return new LlmError.NotFound({ message, partial })
    case "AI_NoContentGeneratedError":
      return new LlmError.IncompleteStream({ message, partial })
    case "AI_EmptyResponseBodyError":
    case "AI_InvalidResponseDataError":
    case "AI_JSONParseError":
    case "AI_TypeValidationError":
      return new LlmError.ResponseParse({ message, partial })
    default:
      return undefined
  }
}

const isNetwork = (thrown: Thrown, reading: boolean): boolean =>
  codeOf(thrown) !== undefined || ["AbortError", "TimeoutError", "ResponseAborted"].includes(nameOf(thrown)) ||
  (nameOf(thrown) === "TypeError" && (reading || /fetch|network|terminated/i.test(String(thrown["message"]))))

const read = (given: unknown, around: Around): Failed => {
  const thrown = innermost(given)
  const own = ours(thrown)
  if (own !== undefined) {
    const { reason, requestId } = own
    return {
      reason: around.partial === undefined || reason.partial !== undefined ? reason : withPartial(reason, around),
      requestId
    }
  }
  if (isThing(thrown)) {
    const name = nameOf(thrown)
    if (name === "AI_APICallError" || typeof thrown["statusCode"] === "number") return apiCall(thrown, around)
    const message = describeCause(thrown, around.scrub)
    const known = byName(name, message, around)
    if (known !== undefined) return { reason: known }
    if (isNetwork(thrown, around.reading)) return { reason: network(thrown, around) }
    if (thrown instanceof Error) {
      return { reason: reasonOf({ kind: "provider", message, code: codeOf(thrown) }, around) }
    }
  }
  // Error frames are streamed as the provider sent them.
  const body = readErrorBody(plainJson(thrown))
  return {
    reason: reasonOf({
      kind: "provider",
      message: typeof thrown === "string" && thrown !== "" ? thrown : "The model reported an error.",
      ...body
    }, around)
  }
}

const withPartial = (reason: LlmError.Reason, { partial }: Around): LlmError.Reason =>
  Reflect.construct(reason.constructor, [{ ...reason, message: reason.message, partial }]) as LlmError.Reason

/**
 * The reason of whatever a model failed with. Never throws.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const failed = (thrown: unknown, around: Around): Failed => {
  try {
    return read(thrown, around)
  } catch {
    return {
      reason: new LlmError.Provider({
        message: "The model failed with something that cannot be read.",
        partial: around.partial
      })
    }
  }
}
