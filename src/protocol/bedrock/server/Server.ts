/**
 * The server's side of the Amazon Bedrock Converse API: `/model/{modelId}/converse`, `/converse-stream` and `/count-tokens`, with
 * answers as AWS event streams.
 *
 * Requests are read in `Request`, answers written in `Answer`; what the API refuses is in `Validation`. Signatures are not verified: an
 * access key in the Authorization header is a credential like an API key.
 *
 * Errors: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors
 *
 * @since 0.1.0
 */
import type { EncodedError, ErrorDetails, Incoming, ServerProtocol } from "../../Server.ts"
import { detailsOf, errorHeaders, streamDetails, type Words } from "../../server/Errors.ts"
import { wire } from "../Encode.ts"
import { BedrockAnswer, encodeAnswer, event } from "./Answer.ts"
import { eventStreamMessage } from "./EventStreamMessage.ts"
import { calledIn, decodeRequest } from "./Request.ts"
import { validate } from "./Validation.ts"

/** The API key, or the access key that signed. */
const credential = ({ headers }: Incoming): string | undefined => {
  const given = headers["authorization"]
  if (given === undefined) return undefined
  return /^AWS4-HMAC-SHA256\s.*Credential=([^/,\s]+)\//.exec(given)?.[1] ?? given.replace(/^bearer\s+/i, "")
}

const words: Words = {
  Validation: { status: 400, type: "ValidationException" },
  Authentication: { status: 403, type: "UnrecognizedClientException" },
  PermissionDenied: { status: 403, type: "AccessDeniedException" },
  QuotaExhausted: { status: 400, type: "ServiceQuotaExceededException" },
  RateLimit: { status: 429, type: "ThrottlingException" },
  Overloaded: { status: 503, type: "ServiceUnavailableException" },
  NotFound: { status: 404, type: "ResourceNotFoundException" },
  ContextLength: { status: 400, type: "ValidationException" },
  ContentPolicy: { status: 400, type: "ValidationException" },
  Provider: { status: 500, type: "InternalServerException" }
}

const usualErrors: Readonly<Record<number, readonly [type: string, message: string]>> = {
  400: ["ValidationException", "The request is not valid."],
  401: ["UnrecognizedClientException", "The security token included in the request is invalid."],
  403: ["AccessDeniedException", "You don't have access to the model with the specified model ID."],
  404: ["ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier."],
  408: ["ModelTimeoutException", "The model took too long to answer. Try again."],
  413: ["ValidationException", "Input is too long for requested model."],
  424: ["ModelErrorException", "The model could not process the request."],
  429: ["ThrottlingException", "Too many requests, please wait before trying again."],
  500: [
    "InternalServerException",
    "The system encountered an unexpected error during processing. Try your request again."
  ],
  503: ["ServiceUnavailableException", "Bedrock is unable to process your request."]
}

const spelled = (details: ErrorDetails): { readonly type: string; readonly message: string } => {
  const [type, message] = usualErrors[details.status === 200 ? 503 : details.status] ?? usualErrors[500]!
  return { type: details.type ?? type, message: details.message ?? message }
}

const encodeErrorDetails = (details: ErrorDetails): EncodedError => {
  const { message, type } = spelled(details)
  return {
    status: details.status,
    headers: {
      "x-amzn-errortype": `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
      ...errorHeaders(details)
    },
    body: { message }
  }
}

const exception = (name: string, message: string): Uint8Array =>
  eventStreamMessage(
    { ":exception-type": name, ":content-type": "application/json", ":message-type": "exception" },
    JSON.stringify({ message })
  )

/**
 * The Amazon Bedrock Converse API. Its stream has no keep-alive; this one's is an event that no client knows.
 *
 * @stability experimental
 * @category wires
 * @since 0.1.0
 */
export const server: ServerProtocol = {
  wire,
  operation: ({ method, path }) => {
    const called = method === "POST" ? calledIn(path)?.method : undefined
    if (called !== undefined) return called === "count-tokens" ? "countTokens" : "generate"
    return method === "GET" && path.endsWith("/foundation-models") ? "models" : undefined
  },
  credential,
  decodeRequest,
  validate,
  headers: ({ requestId }) => ({ "x-amzn-requestid": requestId }),
  encodeAnswer,
  answerEncoder: () => new BedrockAnswer(),
  streamContentType: () => "application/vnd.amazon.eventstream",
  ping: event("keepAlive", {}),
  encodeErrorDetails,
  encodeError: (error) => encodeErrorDetails(detailsOf(error, words, encodeErrorDetails)),
  encodeStreamError: (error) => {
    const { message, type } = spelled(streamDetails(error, words, encodeErrorDetails))
    return exception(type.charAt(0).toLowerCase() + type.slice(1), message)
  },
  unauthorized: (credential) => ({
    status: 403,
    ...(credential === undefined
      ? { type: "MissingAuthenticationTokenException", message: "Missing Authentication Token" }
      : { type: "UnrecognizedClientException", message: "The security token included in the request is invalid." })
  }),
  unknownModel: () => ({ status: 400, message: "The provided model identifier is invalid." }),
  encodeTokenCount: (tokens) => ({ inputTokens: tokens }),
  encodeModels: (ids) => ({
    modelSummaries: ids.map((modelId) => ({
      modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${modelId}`,
      modelId,
      modelName: modelId,
      inferenceTypesSupported: ["ON_DEMAND"],
      responseStreamingSupported: true
    }))
  }),
  encodeModel: (id) => ({ modelDetails: { modelId: id, modelName: id } })
}
