/**
 * The Responses API over a WebSocket: a message of the client's is the body of a request, what a stream has as events are messages.
 *
 * https://developers.openai.com/api/docs/guides/websocket-mode, and the messages of the API itself.
 *
 * @since 0.1.0
 */
import { parseJson } from "../../../json/parse.ts"
import { emptyUsage, LlmResponse } from "../../../LlmResponse.ts"
import type { EncodedError } from "../../Server.ts"
import type { AnswerContext, ErrorDetails } from "../../Server.ts"
import * as Body from "../../server/Json.ts"
import { ResponsesAnswer } from "./Answer.ts"

/**
 * What a message asks for.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Created {
  /** The body of the request that it is, which is streamed. */
  readonly body: Body.JsonObject
  /** Whether an answer is wanted, or what is said only made ready for the next request. */
  readonly generates: boolean
}

/**
 * Reads a message.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const readMessage = (text: string): Created | { readonly refused: ErrorDetails } => {
  const message = parseJson(text)
  if (!Body.isObject(message)) return { refused: invalid("The message is not a JSON object.") }
  if (message.type !== "response.create") {
    return { refused: invalid("Only messages of type 'response.create' are taken.", "type") }
  }
  const { background: _, generate, type: __, ...body } = message
  return { body: { ...body, stream: true }, generates: generate !== false }
}

const invalid = (message: string, param?: string): ErrorDetails => ({
  status: 400,
  type: "invalid_request_error",
  message,
  param
})

/**
 * The messages that frames of a stream are.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const messagesOf = (frames: string): ReadonlyArray<string> =>
  frames.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6))

/**
 * The message that an error is.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const errorMessage = ({ body, headers, status }: EncodedError): string =>
  JSON.stringify({ type: "error", status, error: body["error"] ?? null, headers })

/**
 * What a request that only makes ready is answered with: a response without output, whose id the next request can name.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const readied = (
  model: string,
  context: AnswerContext
): { readonly messages: ReadonlyArray<string>; readonly response: LlmResponse } => {
  const response = new LlmResponse({
    parts: [],
    finishReason: "stop",
    usage: emptyUsage,
    id: `resp_${context.requestId}`,
    model,
    provider: "",
    warnings: []
  })
  const answer = new ResponsesAnswer(context)
  const frames = [
    ...answer.add({ _tag: "ResponseStart", id: response.id, model }),
    ...answer.add({ _tag: "Finish", response })
  ]
  return { messages: frames.flatMap(({ data }) => typeof data === "string" ? messagesOf(data) : []), response }
}
