/**
 * The server's side of the Anthropic Messages API: `/v1/messages`, `/v1/messages/count_tokens` and `/v1/models`.
 *
 * Requests are read in `Request`, answers written in `Answer`; what the API refuses is in `Validation`. Consecutive messages of one
 * role are accepted, as the API merges them.
 *
 * Errors: https://docs.claude.com/en/api/errors
 *
 * @since 0.1.0
 */
import type { AnswerContext, EncodedError, ErrorDetails, ServerProtocol } from "../../Server.ts"
import { sseEvent } from "../../server/Answers.ts"
import { detailsOf, errorHeaders, streamDetails, type Words } from "../../server/Errors.ts"
import { wire } from "../Encode.ts"
import { AnthropicAnswer, encodeAnswer, ping } from "./Answer.ts"
import { decodeRequest } from "./Request.ts"
import { validate } from "./Validation.ts"

const words: Words = {
  Validation: { status: 400, type: "invalid_request_error" },
  Authentication: { status: 401, type: "authentication_error" },
  PermissionDenied: { status: 403, type: "permission_error" },
  QuotaExhausted: { status: 402, type: "billing_error" },
  RateLimit: { status: 429, type: "rate_limit_error" },
  Overloaded: { status: 529, type: "overloaded_error" },
  NotFound: { status: 404, type: "not_found_error" },
  ContextLength: { status: 400, type: "invalid_request_error" },
  ContentPolicy: { status: 400, type: "invalid_request_error" },
  Provider: { status: 500, type: "api_error" }
}

const usualErrors: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ["invalid_request_error", "messages: Field required"],
  401: ["authentication_error", "invalid x-api-key"],
  402: ["billing_error", "There is an issue with your billing or payment information."],
  403: ["permission_error", "Your API key does not have permission to use the specified resource."],
  404: ["not_found_error", "Not Found"],
  413: ["request_too_large", "Request exceeds the maximum size"],
  429: ["rate_limit_error", "This request would exceed your organization's rate limit. Please try again later."],
  500: ["api_error", "Internal server error"],
  504: ["timeout_error", "The request timed out."],
  529: ["overloaded_error", "Overloaded"]
}

const encodeErrorDetails = (details: ErrorDetails, context: AnswerContext): EncodedError => {
  const [type, message] = usualErrors[details.status === 200 ? 529 : details.status] ?? usualErrors[500]!
  const error = { type: details.type ?? type, message: details.message ?? message }
  return {
    status: details.status,
    headers: errorHeaders(details),
    // 413 comes from the proxy in front of the API, which knows neither `type` nor a request id.
    body: details.status === 413
      ? { error }
      : { type: "error", error: { details: null, ...error }, request_id: context.requestId }
  }
}

const model = (id: string) => ({
  type: "model",
  id,
  display_name: id,
  created_at: "2026-01-01T00:00:00Z",
  max_input_tokens: 200_000,
  max_tokens: 64_000
})

/**
 * The Anthropic Messages API.
 *
 * @stability experimental
 * @category wires
 * @since 0.1.0
 */
export const server: ServerProtocol = {
  wire,
  operation: ({ headers, method, path }) => {
    if (method === "POST") {
      return path.endsWith("/messages")
        ? "generate"
        : path.endsWith("/messages/count_tokens")
        ? "countTokens"
        : undefined
    }
    // OpenAI has the same paths: the API's own headers tell.
    if (method !== "GET" || (headers["anthropic-version"] ?? headers["x-api-key"]) === undefined) return undefined
    return path.endsWith("/models") ? "models" : /\/models\/.+$/.test(path) ? "model" : undefined
  },
  credential: ({ headers }) => headers["x-api-key"] ?? headers["authorization"]?.replace(/^bearer\s+/i, ""),
  decodeRequest,
  validate,
  headers: ({ requestId }) => ({ "request-id": requestId }),
  encodeAnswer,
  answerEncoder: (context) => new AnthropicAnswer(context),
  streamContentType: () => "text/event-stream; charset=utf-8",
  ping,
  encodeErrorDetails,
  encodeError: (error, context) => {
    const encode = (details: ErrorDetails) => encodeErrorDetails(details, context)
    return encode(detailsOf(error, words, encode))
  },
  encodeStreamError: (error, context) => {
    const encode = (details: ErrorDetails) => encodeErrorDetails(details, context)
    return sseEvent("error", { type: "error", error: encode(streamDetails(error, words, encode)).body["error"] })
  },
  unauthorized: (credential) => ({
    status: 401,
    message: credential === undefined ? "x-api-key header is required" : "invalid x-api-key"
  }),
  unknownModel: (model) => ({ status: 404, message: `model: ${model}` }),
  encodeTokenCount: (tokens) => ({ input_tokens: tokens }),
  encodeModels: (ids) => ({
    data: ids.map(model),
    first_id: ids[0] ?? null,
    has_more: false,
    last_id: ids.at(-1) ?? null
  }),
  encodeModel: model
}
