/**
 * Errors of OpenAI's APIs: https://platform.openai.com/docs/guides/error-codes
 *
 * @since 0.1.0
 */
import type { LlmError } from "../../../LlmError.ts"
import type { AnswerContext, EncodedError, ErrorDetails, Headers } from "../../Server.ts"
import { detailsOf, errorHeaders, streamDetails, type Words } from "../../server/Errors.ts"

const words: Words = {
  Validation: { status: 400, type: "invalid_request_error" },
  Authentication: { status: 401, type: "invalid_request_error", code: "invalid_api_key" },
  PermissionDenied: { status: 403, type: "permission_error" },
  QuotaExhausted: { status: 429, type: "insufficient_quota", code: "insufficient_quota" },
  RateLimit: { status: 429, type: "requests", code: "rate_limit_exceeded" },
  Overloaded: { status: 503, type: "server_error", code: "server_overloaded" },
  NotFound: { status: 404, type: "invalid_request_error", code: "model_not_found" },
  ContextLength: { status: 400, type: "invalid_request_error", code: "context_length_exceeded" },
  ContentPolicy: { status: 400, type: "invalid_request_error", code: "content_policy_violation" },
  Provider: { status: 500, type: "server_error" }
}

const usualErrors: Readonly<Record<number, readonly [type: string, code: string | null, message: string]>> = {
  400: ["invalid_request_error", null, "Invalid request."],
  401: ["invalid_request_error", "invalid_api_key", "Incorrect API key provided."],
  403: ["invalid_request_error", "unsupported_country_region_territory", "Country, region, or territory not supported"],
  404: ["invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."],
  413: ["invalid_request_error", null, "Request too large."],
  429: ["requests", "rate_limit_exceeded", "Rate limit reached for requests. Please try again in 20ms."],
  500: ["server_error", null, "The server had an error while processing your request. Sorry about that!"],
  503: ["server_error", null, "The server is currently overloaded with other requests. Sorry about that!"]
}

/**
 * An error response in OpenAI's words.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encodeErrorDetails = (details: ErrorDetails): EncodedError => {
  const { code, message, param, status, type } = details
  const usual = usualErrors[status === 200 ? 503 : status] ?? usualErrors[status < 500 ? 400 : 500]!
  return {
    status,
    headers: errorHeaders(details),
    body: {
      error: {
        message: message ?? usual[2],
        type: type ?? usual[0],
        param: param ?? null,
        // An own type or message must not come with the code of the usual error.
        code: code ?? (type === undefined && message === undefined ? usual[1] : null)
      }
    }
  }
}

/**
 * Any error of a call as a response.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encodeError = (error: LlmError): EncodedError =>
  encodeErrorDetails(detailsOf(error, words, encodeErrorDetails))

/**
 * The error that a stream breaks off with.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const streamError = (error: LlmError | ErrorDetails): EncodedError =>
  encodeErrorDetails(streamDetails(error, words, encodeErrorDetails))

/** The API shows the ends of a long key and all of a short one. */
const masked = (key: string): string =>
  key.length <= 12 ? key : `${key.slice(0, 8)}${"*".repeat(key.length - 12)}${key.slice(-4)}`

/**
 * The error for a credential that is missing or wrong.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export const unauthorized = (credential: string | undefined): ErrorDetails => ({
  status: 401,
  type: "invalid_request_error",
  ...(credential === undefined
    ? {
      message: "You didn't provide an API key. You need to provide your API key in an Authorization header using " +
        "Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
    }
    : {
      code: "invalid_api_key",
      message: `Incorrect API key provided: ${masked(credential)}. You can find your API key at ` +
        "https://platform.openai.com/account/api-keys."
    })
})

/**
 * The error for a model that does not exist.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export const unknownModel = (model: string): ErrorDetails => ({
  status: 404,
  type: "invalid_request_error",
  code: "model_not_found",
  message: `The model \`${model}\` does not exist or you do not have access to it.`
})

/**
 * Headers of every response of OpenAI's APIs.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const headers = ({ requestId }: AnswerContext): Headers => ({
  "x-request-id": requestId,
  "openai-version": "2020-10-01"
})
