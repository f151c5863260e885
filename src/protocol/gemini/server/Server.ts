/**
 * The server's side of the Gemini API, under the paths of AI Studio and of Vertex AI: `generateContent`, `streamGenerateContent`,
 * `countTokens` and `models`.
 *
 * Requests are read in `Request`, answers written in `Answer`; what the API refuses is in `Validation`.
 *
 * Errors: https://ai.google.dev/gemini-api/docs/troubleshooting
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../../../Message.ts"
import type { EncodedError, ErrorDetails, Incoming, Operation, ServerProtocol } from "../../Server.ts"
import { detailsOf, errorHeaders, streamDetails, type Words } from "../../server/Errors.ts"
import { wire } from "../Encode.ts"
import { encodeAnswer, GeminiAnswer, isSse } from "./Answer.ts"
import { calledIn, decodeRequest } from "./Request.ts"
import { validate } from "./Validation.ts"

const credential = ({ headers, query }: Incoming): string | undefined =>
  headers["x-goog-api-key"] ?? query.get("key") ?? headers["authorization"]?.replace(/^bearer\s+/i, "") ?? undefined

const operation = ({ headers, method, path, query }: Incoming): Operation | undefined => {
  if (method === "POST") {
    const called = calledIn(path)?.method
    return called === undefined ? undefined : called === "countTokens" ? "countTokens" : "generate"
  }
  // Others have the same paths: Google's own ways to send a key tell.
  if (method !== "GET" || (headers["x-goog-api-key"] === undefined && !query.has("key"))) return undefined
  return path.endsWith("/models") ? "models" : /\/models\/.+$/.test(path) ? "model" : undefined
}

/** Says that a limit of a day is spent: https://cloud.google.com/apis/design/errors#error_details */
const spent: JsonObject = {
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel" }]
}

const words: Words = {
  Validation: { status: 400, type: "INVALID_ARGUMENT" },
  Authentication: { status: 401, type: "UNAUTHENTICATED" },
  PermissionDenied: { status: 403, type: "PERMISSION_DENIED" },
  QuotaExhausted: { status: 429, type: "RESOURCE_EXHAUSTED", details: [spent] },
  RateLimit: { status: 429, type: "RESOURCE_EXHAUSTED" },
  Overloaded: { status: 503, type: "UNAVAILABLE" },
  NotFound: { status: 404, type: "NOT_FOUND" },
  ContextLength: { status: 400, type: "INVALID_ARGUMENT" },
  ContentPolicy: { status: 400, type: "INVALID_ARGUMENT" },
  Provider: { status: 500, type: "INTERNAL" }
}

const usualErrors: Readonly<Record<number, readonly [status: string, message: string]>> = {
  400: ["INVALID_ARGUMENT", "Request contains an invalid argument."],
  401: ["UNAUTHENTICATED", "Request had invalid authentication credentials."],
  403: ["PERMISSION_DENIED", "The caller does not have permission"],
  404: ["NOT_FOUND", "Requested entity was not found."],
  429: ["RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."],
  499: ["CANCELLED", "The operation was cancelled."],
  500: ["INTERNAL", "An internal error has occurred. Please retry."],
  503: ["UNAVAILABLE", "The model is overloaded. Please try again later."],
  504: ["DEADLINE_EXCEEDED", "Deadline expired before operation could complete."]
}

const encodeErrorDetails = (given: ErrorDetails): EncodedError => {
  const code = given.status === 200 ? 503 : given.status
  const [status, message] = usualErrors[code] ?? usualErrors[500]!
  const named = given.code === undefined ? code : Number(given.code)
  return {
    status: given.status,
    headers: errorHeaders(given),
    body: {
      error: {
        code: Number.isNaN(named) ? code : named,
        message: given.message ?? message,
        status: given.type ?? status,
        ...(given.details === undefined ? undefined : { details: given.details })
      }
    }
  }
}

const model = (id: string) => ({
  name: `models/${id}`,
  version: "001",
  displayName: id,
  inputTokenLimit: 1_048_576,
  outputTokenLimit: 65_536,
  supportedGenerationMethods: ["generateContent", "countTokens"]
})

/**
 * The Gemini API.
 *
 * @stability experimental
 * @category wires
 * @since 0.1.0
 */
export const server: ServerProtocol = {
  wire,
  operation,
  credential,
  decodeRequest,
  validate,
  headers: () => ({ vary: "Origin" }),
  encodeAnswer,
  answerEncoder: (context) => new GeminiAnswer(context),
  streamContentType: ({ incoming }) => isSse(incoming) ? "text/event-stream" : "application/json",
  ping: ": ping\r\n\r\n",
  encodeErrorDetails,
  encodeError: (error) => encodeErrorDetails(detailsOf(error, words, encodeErrorDetails)),
  encodeStreamError: (error, { incoming }, sent) => {
    const text = JSON.stringify(encodeErrorDetails(streamDetails(error, words, encodeErrorDetails)).body)
    return isSse(incoming) ? `data: ${text}\r\n\r\n` : `${sent === 0 ? "[" : ",\r\n"}${text}]`
  },
  // https://ai.google.dev/gemini-api/docs/troubleshooting: a wrong key is an invalid argument.
  unauthorized: (credential) =>
    credential === undefined
      ? {
        status: 403,
        message:
          "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API."
      }
      : { status: 400, message: "API key not valid. Please pass a valid API key." },
  unknownModel: (model) => ({
    status: 404,
    message:
      `models/${model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`
  }),
  encodeTokenCount: (tokens) => ({
    totalTokens: tokens,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: tokens }]
  }),
  encodeModels: (ids) => ({ models: ids.map(model) }),
  encodeModel: model
}
