/**
 * What servers of all wires tell of an error: the vendor's words for its reason, chosen so that a client of that wire reads the same
 * reason, status and delay again.
 *
 * Whether it does is tried, with the very rules by which our own client reads errors (`ErrorMap`): the status that a reason came with is
 * kept where the reason can be told with it, by the message alone or with words in front of it that say it; else the wire's usual
 * status for it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import { isLlmError, isRetryableStatus, type LlmError, type Reason, type ReasonTag } from "../../LlmError.ts"
import { classify } from "../errors/classify.ts"
import { readErrorBody } from "../errors/ErrorBody.ts"
import type { ProviderReasonTag } from "../errors/Rules.ts"
import type { EncodedError, ErrorDetails, Headers } from "../Server.ts"

/**
 * The vendor's status, type and code for each reason that a provider can give.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Words = { readonly [Tag in ProviderReasonTag]: Omit<ErrorDetails, "message" | "retryAfter" | "headers"> }

const phrases: { readonly [Tag in ProviderReasonTag]: string } = {
  Validation: "Invalid request",
  Authentication: "Invalid API key",
  PermissionDenied: "Permission denied",
  QuotaExhausted: "Insufficient quota",
  RateLimit: "Rate limit exceeded",
  Overloaded: "The model is overloaded",
  NotFound: "Model not found",
  ContextLength: "Context length exceeded: the prompt is too long",
  ContentPolicy: "Blocked by the content filter",
  Provider: "The provider failed"
}

/** What has no reason of a provider's is told as the nearest one. */
const nearest: { readonly [Tag in Exclude<ReasonTag, ProviderReasonTag>]: readonly [ProviderReasonTag, number?] } = {
  Configuration: ["Provider", 500],
  Network: ["Provider", 502],
  Timeout: ["Provider", 504],
  ResponseParse: ["Provider", 502],
  IncompleteStream: ["Provider", 502],
  StructuredOutput: ["Provider", 502],
  ToolFailure: ["Provider", 500],
  CircuitBreakerOpen: ["Overloaded"],
  QueueFull: ["Overloaded"],
  BudgetExceeded: ["QuotaExhausted"],
  FallbackExhausted: ["Overloaded"]
}

const isProviders = (tag: ReasonTag): tag is ProviderReasonTag => tag in phrases

/** Of several attempts the one that may succeed later, else the last: that is what the client can act on. */
const attemptOf = (reason: Reason): ReasonTag => {
  if (reason._tag !== "FallbackExhausted") return reason._tag
  const told = reason.attempts.findLast((attempt) => attempt.isRetryable === true) ?? reason.attempts.at(-1)
  return told !== undefined && (told.reason in phrases || told.reason in nearest)
    ? told.reason as ReasonTag
    : "FallbackExhausted"
}

const toldAs = (reason: Reason): readonly [ProviderReasonTag, number?] => {
  const tag = attemptOf(reason)
  return isProviders(tag) ? [tag] : nearest[tag]
}

/** The reason that a client reads in a response; without a status in a frame of a stream. */
const readBack = (details: ErrorDetails, { body, headers, status }: EncodedError, streamed: boolean) => {
  const found = readErrorBody(body)
  return classify({
    message: details.message ?? "",
    ...found,
    type: found?.type ?? headers["x-amzn-errortype"]?.split(":")[0],
    status: streamed ? undefined : status,
    headerDelayMillis: details.retryAfter === undefined ? undefined : details.retryAfter * 1000
  })
}

/** The official clients of OpenAI and Anthropic ask this header before the status. */
const shouldRetry = (error: LlmError, status: number): Headers | undefined =>
  error.isRetryable === isRetryableStatus(status) ? undefined : { "x-should-retry": String(error.isRetryable) }

/**
 * An error of a call in the vendor's words. `encode` writes them as the wire does.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const detailsOf = (
  error: LlmError,
  words: Words,
  encode: (details: ErrorDetails) => EncodedError,
  streamed = false
): ErrorDetails => {
  const { reason, retryAfter } = error
  const [tag, usual] = toldAs(reason)
  const given = "status" in reason && typeof reason.status === "number" && reason.status >= 400
    ? reason.status
    : usual
  const known = {
    ...words[tag],
    param: "param" in reason ? reason.param : undefined,
    retryAfter: retryAfter === undefined ? undefined : Duration.toMillis(retryAfter) / 1000
  }
  const statuses = given === undefined ? [words[tag].status] : [given, words[tag].status]
  const message = reason.message === "" ? phrases[tag] : reason.message
  const told = (status: number, text: string): ErrorDetails => ({
    ...known,
    status,
    message: text,
    headers: shouldRetry(error, status)
  })
  const candidates = [
    ...statuses.flatMap((status) => [told(status, message), told(status, `${phrases[tag]}: ${message}`)]),
    ...statuses.map((status) => told(status, `${phrases[tag]}.`))
  ]
  const found = candidates.find((details) => readBack(details, encode(details), streamed) === tag)
  if (found !== undefined) return found
  return candidates[0]!
}

/**
 * Headers that only errors have.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const errorHeaders = ({ headers, retryAfter }: ErrorDetails): Headers => ({
  ...(retryAfter === undefined
    ? undefined
    : Number.isInteger(retryAfter)
    ? { "retry-after": String(retryAfter) }
    // Whole seconds are all that HTTP knows; the official clients of OpenAI and Anthropic read milliseconds too.
    : { "retry-after": String(Math.ceil(retryAfter)), "retry-after-ms": String(Math.round(retryAfter * 1000)) }),
  ...headers
})

/**
 * The vendor's words for what a stream breaks off with.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const streamDetails = (
  error: LlmError | ErrorDetails,
  words: Words,
  encode: (details: ErrorDetails) => EncodedError
): ErrorDetails => isLlmError(error) ? detailsOf(error, words, encode, true) : error
