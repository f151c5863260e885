/**
 * Short constructors of the failures tests need most, with the status and words a provider would send.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as LlmError from "../../LlmError.ts"
import { emptyUsage, LlmResponse } from "../../LlmResponse.ts"

/**
 * What a provider may say beside the failure itself.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Details {
  /** What the provider says. @default a sentence that fits the reason */
  readonly message?: string | undefined
  /** How long the provider asks to wait. */
  readonly retryAfter?: Duration.Input | undefined
  /** The provider's `x-should-retry`. */
  readonly shouldRetry?: boolean | undefined
}

const fields = (status: number, message: string, details: Details = {}): LlmError.ProviderFields => ({
  status,
  message: details.message ?? message,
  ...(details.retryAfter === undefined ? undefined : { retryAfter: Duration.fromInputUnsafe(details.retryAfter) }),
  ...(details.shouldRetry === undefined ? undefined : { shouldRetry: details.shouldRetry })
})

/**
 * 429: too many requests.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const rateLimit = (details?: Details): LlmError.RateLimit =>
  new LlmError.RateLimit(fields(429, "Too many requests.", details))

/**
 * 529: out of capacity.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const overloaded = (details?: Details): LlmError.Overloaded =>
  new LlmError.Overloaded(fields(529, "Overloaded.", details))

/**
 * Any other status that means the provider failed, 500 unless given.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const serverError = (status = 500, details?: Details): LlmError.Provider =>
  new LlmError.Provider(fields(status, "Internal error.", details))

/**
 * 401: the credential was rejected.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const authentication = (details?: Details): LlmError.Authentication =>
  new LlmError.Authentication(fields(401, "Invalid API key.", details))

/**
 * 403: the credential may not do this.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const permissionDenied = (details?: Details): LlmError.PermissionDenied =>
  new LlmError.PermissionDenied(fields(403, "Not allowed.", details))

/**
 * 402: no credit.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const quotaExhausted = (details?: Details): LlmError.QuotaExhausted =>
  new LlmError.QuotaExhausted(fields(402, "No credit left.", details))

/**
 * 404: no such model.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const notFound = (details?: Details): LlmError.NotFound =>
  new LlmError.NotFound(fields(404, "No such model.", details))

/**
 * 400: the request is not valid, in the provider's opinion.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const validation = (details?: Details): LlmError.Validation =>
  new LlmError.Validation(fields(400, "Invalid request.", details))

const tooLarge = {
  tokens: [400, "The prompt is too long."],
  bytes: [413, "The request is too large."],
  media: [400, "The image is too large."]
} as const

/**
 * 400: the conversation is too long; with another `kind`, a body of too many bytes (413) or a medium that is too large (400).
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const contextLength = (
  details: Details & Partial<Pick<LlmError.ContextLength, "kind" | "limit" | "actual">> = {}
): LlmError.ContextLength => {
  const { actual, kind = "tokens", limit } = details
  const [status, message] = tooLarge[kind]
  return new LlmError.ContextLength({
    ...fields(status, message, details),
    kind,
    ...(limit === undefined ? undefined : { limit }),
    ...(actual === undefined ? undefined : { actual })
  })
}

/**
 * 400: the provider refuses the content.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const contentPolicy = (details?: Details): LlmError.ContentPolicy =>
  new LlmError.ContentPolicy(fields(400, "The content is not allowed.", details))

/**
 * The connection failed, with the system's code.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const network = (code = "ECONNRESET"): LlmError.Network =>
  new LlmError.Network({ message: `The connection failed: ${code}.`, code })

/**
 * A time limit passed, reported by the service; to let real limits pass, use `never` or `delayed` and a `TestClock`.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const timeout = (
  phase: LlmError.Timeout["phase"] = "firstToken",
  limit: Duration.Input = "30 seconds"
): LlmError.Timeout => LlmError.timeout(phase, limit)

/**
 * The stream was cut after this text.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export const incomplete = (partialText?: string): LlmError.IncompleteStream =>
  new LlmError.IncompleteStream({
    message: "The stream ended before its terminal event.",
    ...(partialText === undefined ? undefined : {
      partial: new LlmResponse({
        parts: [{ type: "text", text: partialText }],
        finishReason: "other",
        usage: emptyUsage,
        model: "test-model",
        provider: "test",
        warnings: []
      })
    })
  })
