/**
 * The server's side of the OpenAI Chat Completions API: `…/chat/completions` and `…/models`, under any prefix, as compatible hosts
 * serve them.
 *
 * Requests are read in `Request`, answers written in `Answer`, errors in `Errors`; what the API refuses is in `Validation`.
 *
 * @since 0.1.0
 */
import type { ServerProtocol } from "../../Server.ts"
import { wire } from "../Messages.ts"
import { ChatAnswer, encodeAnswer } from "./Answer.ts"
import { encodeError, encodeErrorDetails, headers, streamError, unauthorized, unknownModel } from "./Errors.ts"
import { decodeRequest } from "./Request.ts"
import { validate } from "./Validation.ts"

// Seconds of 2026-01-01T00:00:00Z: when a model was made says nothing of it.
const model = (id: string) => ({ id, object: "model", created: 1_767_225_600, owned_by: "system" })

/**
 * The OpenAI Chat Completions API.
 *
 * @stability experimental
 * @category wires
 * @since 0.1.0
 */
export const server: ServerProtocol = {
  wire,
  operation: ({ method, path }) =>
    method === "POST"
      ? path.endsWith("/chat/completions") ? "generate" : undefined
      : method !== "GET"
      ? undefined
      : path.endsWith("/models")
      ? "models"
      : /\/models\/.+$/.test(path)
      ? "model"
      : undefined,
  credential: ({ headers }) => headers["authorization"]?.replace(/^bearer\s+/i, "") ?? headers["api-key"],
  decodeRequest,
  validate,
  headers,
  encodeAnswer,
  answerEncoder: (context) => new ChatAnswer(context),
  streamContentType: () => "text/event-stream; charset=utf-8",
  ping: ": keep-alive\n\n",
  encodeErrorDetails,
  encodeError,
  encodeStreamError: (error) => `data: ${JSON.stringify(streamError(error).body)}\n\n`,
  unauthorized,
  unknownModel,
  // Chat Completions has no token count.
  encodeTokenCount: (tokens) => ({ input_tokens: tokens }),
  encodeModels: (ids) => ({ object: "list", data: ids.map(model) }),
  encodeModel: model
}
