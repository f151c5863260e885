/**
 * The server's side of Ollama's native API: `/api/chat` and `/api/tags`; `/api/pull` succeeds at once.
 *
 * As on a real server a request needs no credential, and streams unless it says not to. Requests are read in `Request`, answers
 * written in `Answer`; what the API refuses is in `Validation`. The API's errors have a status and a text.
 *
 * Errors: https://docs.ollama.com/api/errors
 *
 * @since 0.1.0
 */
import type { EncodedError, ErrorDetails, ServerProtocol } from "../../Server.ts"
import { detailsOf, errorHeaders, streamDetails, type Words } from "../../server/Errors.ts"
import { wire } from "../Messages.ts"
import { encodeAnswer, line, OllamaAnswer } from "./Answer.ts"
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
  401: "unauthorized",
  404: "model not found, try pulling it first",
  429: "you've reached your hourly usage limit, please upgrade to continue",
  500: "an error was encountered while running the model: unexpected EOF",
  503: "server busy, please try again.  maximum pending requests exceeded"
}

const encodeErrorDetails = (details: ErrorDetails): EncodedError => {
  const { message, status } = details
  return {
    status,
    headers: errorHeaders(details),
    body: { error: message ?? usualErrors[status === 200 ? 500 : status] ?? usualErrors[status < 500 ? 400 : 500]! }
  }
}

const model = (id: string) => ({
  name: id,
  model: id,
  modified_at: "2026-01-01T00:00:00.000000Z",
  size: 4_661_224_676,
  digest: "365c0bd3c000a25d28ddbf732fe1c6add414de7275464c4e4d1c3b5fcb5d8ad1",
  details: {
    parent_model: "",
    format: "gguf",
    family: "model",
    families: ["model"],
    parameter_size: "8.0B",
    quantization_level: "Q4_0"
  }
})

/**
 * Ollama's native chat API.
 *
 * @stability experimental
 * @category wires
 * @since 0.1.0
 */
export const server: ServerProtocol = {
  wire,
  operation: ({ method, path }) =>
    method === "POST"
      ? path.endsWith("/api/chat") ? "generate" : path.endsWith("/api/pull") ? "model" : undefined
      : method === "GET" && path.endsWith("/api/tags")
      ? "models"
      : undefined,
  // A server of one's own asks for none.
  credential: ({ headers }) => headers["authorization"]?.replace(/^bearer\s+/i, "") ?? "none",
  decodeRequest,
  validate,
  headers: () => ({}),
  encodeAnswer,
  answerEncoder: (context) => new OllamaAnswer(context),
  streamContentType: () => "application/x-ndjson",
  // The API has no keep-alive; a blank line is what a proxy could send.
  ping: "\n",
  encodeErrorDetails,
  encodeError: (error) => encodeErrorDetails(detailsOf(error, words, encodeErrorDetails)),
  encodeStreamError: (error) => line(encodeErrorDetails(streamDetails(error, words, encodeErrorDetails)).body),
  unauthorized: () => ({ status: 401, message: "unauthorized" }),
  unknownModel: (model) => ({ status: 404, message: `model "${model}" not found, try pulling it first` }),
  encodeTokenCount: (tokens) => ({ tokens }),
  encodeModels: (ids) => ({ models: ids.map(model) }),
  encodeModel: () => ({ status: "success" })
}
