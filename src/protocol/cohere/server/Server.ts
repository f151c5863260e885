/**
 * The server's side of Cohere's API: `/v2/chat`, `/v1/models` and `/v1/tokenize`.
 *
 * Models are listed under the path that OpenAI's API has too: the query or the name of the SDK tells them apart. Requests are read in
 * `Request`, answers written in `Answer`; what the API refuses is in `Validation`. The API's errors have a status and a text.
 *
 * Errors: https://docs.cohere.com/reference/errors
 *
 * @since 0.1.0
 */
import type { LlmError } from "../../../LlmError.ts"
import type { LlmRequest } from "../../../LlmRequest.ts"
import type { AnswerContext, Decoded, EncodedError, ErrorDetails, Incoming, ServerProtocol } from "../../Server.ts"
import { detailsOf, errorHeaders, streamDetails, type Words } from "../../server/Errors.ts"
import * as Body from "../../server/Json.ts"
import { decoded, Transcript } from "../../server/Transcript.ts"
import { wire } from "../Messages.ts"
import { CohereAnswer, encodeAnswer, event } from "./Answer.ts"
import { decodeRequest } from "./Request.ts"
import { validate } from "./Validation.ts"

const words: Words = {
  Validation: { status: 400 },
  Authentication: { status: 401 },
  PermissionDenied: { status: 403 },
  QuotaExhausted: { status: 402 },
  RateLimit: { status: 429 },
  Overloaded: { status: 503 },
  NotFound: { status: 404 },
  ContextLength: { status: 400 },
  ContentPolicy: { status: 400 },
  Provider: { status: 500 }
}

const usualErrors: Readonly<Record<number, string>> = {
  400: "invalid request",
  401: "invalid api token",
  402: "Please add or update your payment method at https://dashboard.cohere.com/billing to continue",
  404: "model not found, make sure the correct model ID was used and that you have access to the model.",
  422: "failed to tokenize: invalid special token",
  429: "You are past the per minute request limit, please wait and try again later.",
  498: "blocked token",
  499: "request cancelled by user",
  500: "internal server error",
  503: "service unavailable",
  504: "gateway timeout"
}

const encodeErrorDetails = (details: ErrorDetails, { requestId }: Pick<AnswerContext, "requestId">): EncodedError => {
  const { message, status } = details
  return {
    status,
    headers: errorHeaders(details),
    body: {
      id: requestId,
      message: message ?? usualErrors[status === 200 ? 500 : status] ?? usualErrors[status < 500 ? 400 : 500]!
    }
  }
}

const encoding = (context: AnswerContext) => (details: ErrorDetails): EncodedError =>
  encodeErrorDetails(details, context)

/** A broken answer ends with a message-end that says why. */
const streamError = (error: LlmError | ErrorDetails, context: AnswerContext): string => {
  const encode = encoding(context)
  const { body } = encode(streamDetails(error, words, encode))
  return event("message-end", { delta: { finish_reason: "ERROR", error: body["message"]! } })
}

const model = (id: string) => ({
  name: id,
  endpoints: ["chat"],
  finetuned: false,
  context_length: 256_000,
  tokenizer_url: null,
  default_endpoints: [],
  features: ["tools", "json_mode", "strict_tools"]
})

const isCohere = ({ headers, query }: Incoming): boolean =>
  headers["x-fern-sdk-name"] === "cohere-ai" || query.has("endpoint") || query.has("page_size")

/** Tokens are counted of a text. */
const tokenized = (body: Body.JsonObject): Decoded => {
  const transcript = new Transcript()
  transcript.add("user", [{ type: "text", text: Body.string(body.text) }])
  const options: Partial<LlmRequest> = {}
  return decoded(
    { wire, layout: { messages: "messages" }, body, model: Body.string(body.model), stream: false },
    options,
    transcript,
    []
  )
}

/**
 * Cohere's Chat API v2.
 *
 * @stability experimental
 * @category wires
 * @since 0.1.0
 */
export const server: ServerProtocol = {
  wire,
  operation: (incoming) => {
    const { method, path } = incoming
    if (method === "POST") {
      return path.endsWith("/v2/chat") ? "generate" : path.endsWith("/v1/tokenize") ? "countTokens" : undefined
    }
    if (method !== "GET" || !isCohere(incoming)) return undefined
    return path.endsWith("/v1/models") ? "models" : /\/v1\/models\/.+$/.test(path) ? "model" : undefined
  },
  credential: ({ headers }) => headers["authorization"]?.replace(/^bearer\s+/i, ""),
  decodeRequest: (incoming) =>
    incoming.path.endsWith("/v1/tokenize") ? tokenized(Body.object(incoming.body)) : decodeRequest(incoming),
  validate,
  headers: ({ requestId }) => ({ "x-debug-trace-id": requestId }),
  encodeAnswer,
  answerEncoder: (context) => new CohereAnswer(context),
  streamContentType: () => "text/event-stream",
  ping: ": keep-alive\n\n",
  encodeErrorDetails,
  encodeError: (error, context) => encoding(context)(detailsOf(error, words, encoding(context))),
  encodeStreamError: streamError,
  unauthorized: (credential) => ({
    status: 401,
    message: credential === undefined || credential === "" ? "no api key supplied" : "invalid api token"
  }),
  unknownModel: (model) => ({
    status: 404,
    message:
      `model '${model}' not found, make sure the correct model ID was used and that you have access to the model.`
  }),
  encodeTokenCount: (tokens) => ({
    tokens: Array.from({ length: tokens }, (_, index) => index),
    token_strings: Array.from({ length: tokens }, () => "tokn"),
    meta: { api_version: { version: "1" } }
  }),
  encodeModels: (ids) => ({ models: ids.map(model) }),
  encodeModel: model
}
