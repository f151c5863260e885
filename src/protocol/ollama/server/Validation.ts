/**
 * What Ollama's chat API refuses, in its own words: the mistakes a client would make.
 *
 * https://docs.ollama.com/api/chat, errors: https://docs.ollama.com/api/errors
 *
 * @since 0.1.0
 */
import type { ErrorDetails, Incoming, Operation } from "../../Server.ts"
import * as Json from "../../server/Json.ts"

const invalid = (message: string): ErrorDetails => ({ status: 400, message })

/** The server decodes into typed structures and says what did not fit. */
const unmarshal = (kind: string, field: string, type: string): ErrorDetails =>
  invalid(`json: cannot unmarshal ${kind} into Go struct field ${field} of type ${type}`)

/**
 * The error the API would report, `undefined` for a proper request.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const validate = (request: Incoming, operation: Operation): ErrorDetails | undefined => {
  if (operation !== "generate") return undefined
  if (request.body === undefined) return invalid("missing request body")
  if (!Json.isObject(request.body)) return invalid("invalid character in request body: not a JSON object")
  const body = request.body
  if (typeof body.model !== "string" || body.model === "") return invalid("model is required")
  if (body.messages !== undefined && !Array.isArray(body.messages)) {
    return unmarshal("object", "ChatRequest.messages", "[]api.Message")
  }
  const { format, think } = body
  if (format !== undefined && format !== null && format !== "" && format !== "json" && !Json.isObject(format)) {
    return invalid(`invalid format: ${JSON.stringify(format)}; expected "json" or a valid JSON Schema object`)
  }
  if (typeof think === "string" && !["high", "medium", "low"].includes(think)) {
    return invalid(`invalid think value: ${JSON.stringify(think)} (must be "high", "medium", "low", true, or false)`)
  }
  for (const message of Json.array(body.messages).map(Json.object)) {
    const problem = checkMessage(message)
    if (problem !== undefined) return problem
  }
  return undefined
}

const checkMessage = (message: Json.JsonObject): ErrorDetails | undefined => {
  if (message.content !== undefined && typeof message.content !== "string") {
    return unmarshal(Array.isArray(message.content) ? "array" : "object", "ChatRequest.messages.content", "string")
  }
  for (const image of Json.array(message.images)) {
    if (typeof image !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(image)) {
      return invalid("illegal base64 data at input byte 4")
    }
  }
  for (const one of Json.array(message.tool_calls)) {
    if (!Json.isObject(Json.object(Json.object(one).function).arguments)) {
      return unmarshal("string", "ChatRequest.messages.tool_calls.function.arguments", "map[string]interface {}")
    }
  }
  return undefined
}
