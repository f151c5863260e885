/**
 * What Cohere's Chat API refuses, in its own words: the mistakes a client would make.
 *
 * https://docs.cohere.com/reference/chat and the messages of the API itself.
 *
 * @since 0.1.0
 */
import type { ErrorDetails, Incoming, Operation } from "../../Server.ts"
import * as Json from "../../server/Json.ts"

const invalid = (message: string): ErrorDetails => ({ status: 400, message: `invalid request: ${message}` })

/**
 * The error the API would report, `undefined` for a proper request.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const validate = (request: Incoming, operation: Operation): ErrorDetails | undefined => {
  if (operation !== "generate") return undefined
  if (!Json.isObject(request.body)) return invalid("the body is not valid JSON")
  const body = request.body
  if (typeof body.model !== "string" || body.model === "") return invalid("model is required")
  if (!Array.isArray(body.messages) || body.messages.length === 0) return invalid("list of messages must not be empty")
  return checkRanges(body) ?? checkMessages(body.messages.map(Json.object)) ?? checkTools(body)
}

// https://docs.cohere.com/reference/chat
const ranges: ReadonlyArray<readonly [name: string, low: number, high: number]> = [
  ["p", 0.01, 0.99],
  ["k", 0, 500],
  ["frequency_penalty", 0, 1],
  ["presence_penalty", 0, 1],
  ["temperature", 0, Number.POSITIVE_INFINITY]
]

const checkRanges = (body: Json.JsonObject): ErrorDetails | undefined => {
  for (const [name, low, high] of ranges) {
    const value = body[name]
    if (typeof value === "number" && (value < low || value > high)) {
      return invalid(`${name} must be between ${low} and ${high}, got ${value}`)
    }
  }
  return undefined
}

const checkMessages = (messages: ReadonlyArray<Json.JsonObject>): ErrorDetails | undefined => {
  let called = new Set<string>()
  for (const [index, message] of messages.entries()) {
    const { content, role } = message
    if (typeof role !== "string" || !["system", "user", "assistant", "tool"].includes(role)) {
      return invalid(`message at index ${index} has an unknown role`)
    }
    for (const part of Json.array(content).map(Json.object)) {
      if (typeof part.type !== "string") return invalid(`message at index ${index} has content without a type`)
    }
    if (role === "assistant") {
      const calls = Json.array(message.tool_calls).map(Json.object)
      if (content === undefined && calls.length === 0) {
        return invalid(`message at index ${index} must have content or tool_calls`)
      }
      for (const one of calls) {
        if (typeof Json.object(one.function).arguments !== "string") {
          return invalid(`message at index ${index} has a tool call whose arguments are not a string`)
        }
      }
      called = new Set(calls.map((one) => Json.string(one.id)))
    } else if (role === "tool") {
      if (!called.has(Json.string(message.tool_call_id))) {
        return invalid(`tool call id ${Json.string(message.tool_call_id)} not found in previous tool calls`)
      }
    } else if (content === undefined || content === null) {
      return invalid(`message at index ${index} must have content`)
    }
  }
  return undefined
}

const checkTools = (body: Json.JsonObject): ErrorDetails | undefined => {
  const tools = Json.array(body.tools).map(Json.object)
  if (body.tool_choice !== undefined && tools.length === 0) return invalid("tool_choice cannot be set without tools")
  if (body.tool_choice !== undefined && body.tool_choice !== "REQUIRED" && body.tool_choice !== "NONE") {
    return invalid("tool_choice must be REQUIRED or NONE")
  }
  for (const tool of tools) {
    if (typeof Json.object(tool.function).name !== "string") return invalid("all tools must have a name")
  }
  return undefined
}
