/**
 * Failures: `LlmError` as `AiError` and the other way, with the reason that fits and the same answer to whether trying again can help.
 *
 * An `AiError` made here knows the `LlmError` it was made of, partial answer included, as long as it is not sent elsewhere.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Duration from "effect/Duration"
import { ownOf as ownField } from "../../json/own.ts"
import * as LlmError from "../../LlmError.ts"
import type { LlmResponse } from "../../LlmResponse.ts"
import type { JsonObject } from "../../Message.ts"
import { reasonOf } from "../../transport/Reasons.ts"
import { makeScrubber } from "../../transport/secrets/Redaction.ts"
import { jsonOf, key, ownOf } from "./metadata.ts"

// =============================================================================
// To effect/ai
// =============================================================================

const made = new WeakMap<AiError.AiError, LlmError.LlmError>()

/** The error that an `AiError` was made of here. */
export const originalOf = (error: AiError.AiError): LlmError.LlmError | undefined => made.get(error)

const detailsOf = (error: LlmError.LlmError): JsonObject => {
  const { label, model, provider, reason, requestId, attempts } = error
  const { code, param, status, type } = reason as Partial<LlmError.ProviderFields>
  const retryAfter = error.retryAfter === undefined ? undefined : Duration.toMillis(error.retryAfter)
  return jsonOf({
    reason: reason._tag,
    provider,
    model,
    label,
    requestId,
    attempts,
    status,
    type,
    code,
    param,
    retryAfterMillis: retryAfter
  }) as JsonObject
}

/** What both `AiError.retryAfter` and policies of `effect/ai` read; only one of its reasons has a field for it. */
const waiting = (reason: AiError.AiErrorReason, retryAfter: Duration.Duration | undefined): AiError.AiErrorReason =>
  retryAfter === undefined || "retryAfter" in reason
    ? reason
    : Object.defineProperty(reason, "retryAfter", { value: retryAfter })

const responseOf = (reason: LlmError.Reason) => {
  // Not the body: an `AiError` is rendered with all it has.
  const { status } = reason as Partial<LlmError.ProviderFields>
  return status === undefined || !Number.isInteger(status) ? undefined : { http: { response: { status, headers: {} } } }
}

const alike: { readonly [tag: string]: new(fields: LlmError.ProviderFields) => LlmError.Reason } = {
  RateLimit: LlmError.RateLimit,
  QuotaExhausted: LlmError.QuotaExhausted,
  Authentication: LlmError.Authentication,
  PermissionDenied: LlmError.PermissionDenied,
  ContentPolicy: LlmError.ContentPolicy
}

const chosen = (error: LlmError.LlmError): AiError.AiErrorReason => {
  const { reason } = error
  const description = `${reason.message}`
  const http = responseOf(reason)
  const metadata = { [key]: detailsOf(error) } as never
  const common = { metadata, ...http }
  const network = (url: string) =>
    new AiError.NetworkError({ reason: "TransportError", method: "POST", url, description, cause: error })
  const failed = () =>
    error.isRetryable
      ? new AiError.InternalProviderError({ description, ...common })
      : new AiError.UnknownError({ description, ...common })
  switch (reason._tag) {
    case "RateLimit":
      return error.isRetryable
        ? new AiError.RateLimitError({
          ...(reason.retryAfter === undefined ? undefined : { retryAfter: reason.retryAfter }),
          ...common
        })
        : new AiError.QuotaExhaustedError(common)
    case "QuotaExhausted":
    case "BudgetExceeded":
      return new AiError.QuotaExhaustedError(common)
    case "Authentication":
      return new AiError.AuthenticationError({ kind: "InvalidKey", description, ...common })
    case "PermissionDenied":
      return new AiError.AuthenticationError({ kind: "InsufficientPermissions", description, ...common })
    case "ContentPolicy":
      return new AiError.ContentPolicyError({ description, ...common })
    case "Configuration":
    case "Validation":
    case "NotFound":
    case "ContextLength": {
      if (error.isRetryable) return failed()
      const parameter = ("field" in reason ? reason.field : undefined) ??
        ("param" in reason ? reason.param : undefined)
      return new AiError.InvalidRequestError({
        description,
        ...(parameter === undefined ? undefined : { parameter }),
        ...common
      })
    }
    case "Network":
    case "Timeout":
    case "IncompleteStream":
      return error.isRetryable ? network(error.provider) : failed()
    case "ResponseParse":
      return new AiError.InvalidResponseError({ description, ...common })
    case "StructuredOutput":
      return new AiError.StructuredOutputError({ description, responseText: reason.text, metadata })
    case "ToolFailure":
      return new AiError.ToolParameterValidationError({ toolName: reason.toolName, description })
    case "Overloaded":
    case "Provider":
    case "CircuitBreakerOpen":
    case "QueueFull":
      return failed()
    case "FallbackExhausted": {
      // Where all candidates failed alike, that is the reason.
      const [tag, ...others] = new Set(reason.attempts.map((attempt) => attempt.reason))
      const Alike = others.length > 0 || tag === undefined ? undefined : ownField(alike, tag)
      const { message, retryAfter } = reason
      return Alike === undefined
        ? failed()
        : chosen(error.with({ reason: new Alike({ message, retryAfter, shouldRetry: error.isRetryable }) }))
    }
  }
}

/** The `AiError` of an `LlmError`. */
export const toAiError = (error: LlmError.LlmError, method: string): AiError.AiError => {
  const reason = waiting(chosen(error), error.retryAfter)
  const ai = AiError.make({ module: "EffectAi", method, reason })
  made.set(ai, error)
  return ai
}

// =============================================================================
// From effect/ai
// =============================================================================

/** Keys of providers that another library's error may hold are known by their form. */
const scrub = makeScrubber([])

/** Who failed. */
export interface Who {
  readonly provider: string
  readonly model: string
  readonly label?: string | undefined
  readonly operation: LlmError.Operation
}

const tooled = (toolName: string, message: string) => new LlmError.ToolFailure({ toolName, message })

const read = (error: AiError.AiError, partial: LlmResponse | undefined): LlmError.Reason => {
  const { reason } = error
  const own = ownOf("metadata" in reason ? reason.metadata : undefined)
  const message = scrub(reason.message, 16_384)
  const http = "http" in reason ? reason.http : undefined
  const millis = own?.["retryAfterMillis"]
  const retryAfter = error.retryAfter ?? (typeof millis === "number" ? Duration.millis(millis) : undefined)
  const status = http?.response?.status
  const body = http?.body === undefined ? undefined : scrub(http.body, 65_536)
  const fields = { message, partial, status, body, ...(retryAfter === undefined ? undefined : { retryAfter }) }
  /** As the same words from a provider of ours would be read. */
  const classified = (shouldRetry: boolean) => {
    const found = reasonOf(
      { kind: "provider", message, ...(status === undefined ? undefined : { status }), body },
      { scrub, partial, retryAfter }
    )
    return found.isRetryable === shouldRetry || found._tag !== "Provider"
      ? found
      : new LlmError.Provider({ ...fields, shouldRetry })
  }
  switch (reason._tag) {
    case "RateLimitError":
      return new LlmError.RateLimit(fields)
    case "QuotaExhaustedError":
      return new LlmError.QuotaExhausted(fields)
    case "AuthenticationError":
      return reason.kind === "InsufficientPermissions"
        ? new LlmError.PermissionDenied(fields)
        : new LlmError.Authentication(fields)
    case "ContentPolicyError":
      return new LlmError.ContentPolicy(fields)
    case "InvalidRequestError": {
      const found = classified(false)
      return found._tag === "ContextLength" || found._tag === "NotFound" || found._tag === "ContentPolicy"
        ? found
        : new LlmError.Validation({ ...fields, field: reason.parameter, param: reason.parameter })
    }
    case "InternalProviderError": {
      const found = classified(true)
      return found.isRetryable ? found : new LlmError.Provider({ ...fields, shouldRetry: true })
    }
    case "UnknownError": {
      const found = classified(false)
      return found.isRetryable ? new LlmError.Provider({ ...fields, shouldRetry: false }) : found
    }
    case "InvalidResponseError":
      return new LlmError.ResponseParse({ message, partial, status })
    case "InvalidOutputError":
      // What a model wrote is not what its provider package reads; it may write better.
      return new LlmError.Provider({ ...fields, shouldRetry: true })
    case "StructuredOutputError":
      return new LlmError.StructuredOutput({ message, partial, text: reason.responseText })
    case "UnsupportedSchemaError":
      return new LlmError.Validation({ message, partial, field: "responseFormat" })
    case "InvalidUserInputError":
    case "ToolkitRequiredError":
      return new LlmError.Validation({ message, partial, field: "messages" })
    case "NetworkError":
      return reason.reason === "TransportError"
        ? new LlmError.Network({ message, partial })
        : new LlmError.Configuration({ message, partial })
    case "ToolNotFoundError":
    case "ToolParameterValidationError":
    case "InvalidToolResultError":
    case "ToolResultEncodingError":
    case "ToolConfigurationError":
      return tooled(reason.toolName, message)
  }
}

const wrapped = (who: Who, reason: LlmError.Reason): LlmError.LlmError =>
  new LlmError.LlmError({ ...who, reason, attempts: 1 })

const withPartial = (error: LlmError.LlmError, partial: LlmResponse | undefined): LlmError.LlmError => {
  if (partial === undefined || error.partial !== undefined) return error
  const Reason = error.reason.constructor as new(fields: object) => LlmError.Reason
  return error.with({ reason: new Reason({ ...error.reason, partial }) })
}

/** The `LlmError` of whatever a `LanguageModel` failed with. */
export const toLlmError = (error: unknown, who: Who, partial: LlmResponse | undefined): LlmError.LlmError => {
  if (LlmError.isLlmError(error)) return withPartial(error, partial)
  if (AiError.isAiError(error)) {
    const original = originalOf(error)
    return original === undefined ? wrapped(who, read(error, partial)) : withPartial(original, partial)
  }
  if (AiError.isAiErrorReason(error)) {
    return wrapped(who, read(AiError.make({ module: "LanguageModel", method: who.operation, reason: error }), partial))
  }
  const message = typeof error === "string" ? error : error instanceof Error ? error.message : undefined
  return wrapped(
    who,
    reasonOf(
      { kind: "provider", message: message ?? "The language model failed." },
      { scrub, partial }
    )
  )
}

/** The `LlmError` of a `LanguageModel` that broke down. */
export const brokenDown = (who: Who, partial: LlmResponse | undefined): LlmError.LlmError =>
  wrapped(who, new LlmError.Provider({ message: "The language model broke down.", partial, shouldRetry: false }))

/** The `LlmError` of a stream that ended too early. */
export const cutOff = (who: Who, partial: LlmResponse | undefined): LlmError.LlmError =>
  wrapped(who, new LlmError.IncompleteStream({ message: "The stream ended before its terminal event.", partial }))
