/**
 * The server's side of the OpenAI Responses API: `…/responses` and `…/responses/input_tokens`, under any prefix.
 *
 * Errors, headers and model lists are those of Chat Completions. Requests are read in `Request`, answers written in `Answer`; what
 * the API refuses is in `Validation`. Keeping answers for `previous_response_id` is whoever serves.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../../../Message.ts"
import { streamError } from "../../chat/server/Errors.ts"
import { server as chat } from "../../chat/server/Server.ts"
import { record } from "../../Probe.ts"
import type { ServerProtocol } from "../../Server.ts"
import { wire } from "../Input.ts"
import { encodeAnswer, errorEvent, ResponsesAnswer } from "./Answer.ts"
import { decodeRequest } from "./Request.ts"
import { validate } from "./Validation.ts"

/**
 * The OpenAI Responses API.
 *
 * @stability experimental
 * @category wires
 * @since 0.1.0
 */
export const server: ServerProtocol = {
  ...chat,
  wire,
  operation: ({ method, path }) =>
    method !== "POST"
      ? undefined
      : path.endsWith("/responses")
      ? "generate"
      : path.endsWith("/responses/input_tokens")
      ? "countTokens"
      : undefined,
  decodeRequest,
  validate,
  encodeAnswer,
  answerEncoder: (context) => new ResponsesAnswer(context),
  encodeStreamError: (error, _, sent) =>
    errorEvent(record(streamError(error).body["error"]) as JsonObject | undefined ?? {}, sent),
  encodeTokenCount: (tokens) => ({ object: "response.input_tokens", input_tokens: tokens })
}
