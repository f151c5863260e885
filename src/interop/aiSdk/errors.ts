/**
 * Failures of ours as errors of the AI SDK.
 *
 * The AI SDK knows its errors by markers, not by their class, so that those of several versions go together
 * (https://github.com/vercel/ai/blob/main/packages/provider/src/errors/ai-sdk-error.ts): `APICallError.isInstance` holds for what is made
 * here, and its retries see `isRetryable`, the status and the delay that was asked for. That needs no code of the AI SDK.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import { isLlmError, type LlmError, type Reason } from "../../LlmError.ts"

const marker = "vercel.ai.error"

const marked = (error: Error, name: string): Error => {
  error.name = name
  for (const mark of [marker, `${marker}.${name}`]) {
    Object.defineProperty(error, Symbol.for(mark), { value: true, enumerable: false })
  }
  return error
}

/** Statuses by which those who look at nothing else can tell reasons apart that came without one. */
const statusOf = (reason: Reason): number | undefined => {
  if ("status" in reason && reason.status !== undefined) return reason.status
  switch (reason._tag) {
    case "Authentication":
      return 401
    case "PermissionDenied":
      return 403
    case "NotFound":
      return 404
    case "ContextLength":
      return 413
    case "RateLimit":
      return 429
    case "Overloaded":
      return 503
    default:
      return undefined
  }
}

const headersOf = (error: LlmError): { readonly [name: string]: string } => {
  const { requestId, retryAfter } = error
  return {
    ...(retryAfter === undefined ? undefined : { "retry-after-ms": String(Math.ceil(Duration.toMillis(retryAfter))) }),
    ...(requestId === undefined ? undefined : { "x-request-id": requestId })
  }
}

/**
 * An error of the AI SDK for a failure of ours, which is its `cause`.
 *
 * - `AI_LoadAPIKeyError` and `AI_LoadSettingError` for `Configuration`,
 * - `AI_InvalidArgumentError` for a request that was refused before it was sent,
 * - `AI_APICallError` for everything else, retryable where the failure is.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const aiSdkError = (error: LlmError): Error => {
  const { reason } = error
  const made = new Error(error.message, { cause: error })
  if (reason._tag === "Configuration") {
    const isKey = /key|token|credential/i.test(reason.field ?? "")
    return marked(made, isKey ? "AI_LoadAPIKeyError" : "AI_LoadSettingError")
  }
  if (reason._tag === "Validation" && reason.status === undefined) {
    return marked(Object.assign(made, { argument: reason.field ?? "request" }), "AI_InvalidArgumentError")
  }
  return marked(
    Object.assign(made, {
      url: `effect-llm:${error.provider}`,
      requestBodyValues: {},
      statusCode: statusOf(reason),
      responseHeaders: headersOf(error),
      responseBody: "body" in reason ? reason.body : undefined,
      isRetryable: error.isRetryable,
      data: error.toJSON()
    }),
    "AI_APICallError"
  )
}

/**
 * The error of a prompt that cannot be read.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const promptError = (prompt: unknown, cause: unknown): Error =>
  marked(
    Object.assign(new Error("Invalid prompt: it cannot be read as one of specification v4.", { cause }), { prompt }),
    "AI_InvalidPromptError"
  )

/**
 * What an abort is told by: the reason that the caller gave, or the usual error.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const abortOf = (signal: AbortSignal | undefined): unknown =>
  signal?.reason ?? new DOMException("The call was aborted.", "AbortError")

/**
 * What a failed call is told by. Anything but an `LlmError` is a layer that could not be built, or a service that broke; what it says
 * stays in the process.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const errorOf = (cause: Cause.Cause<unknown>, signal: AbortSignal | undefined): unknown => {
  const failed = cause.reasons.find(Cause.isFailReason)
  if (failed !== undefined && isLlmError(failed.error)) return aiSdkError(failed.error)
  if (signal?.aborted === true || Cause.hasInterruptsOnly(cause)) return abortOf(signal)
  return marked(
    new Error("The model could not be made, or broke.", { cause: Cause.squash(cause) }),
    "AI_LoadSettingError"
  )
}
