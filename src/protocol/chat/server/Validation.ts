/**
 * What the OpenAI Chat Completions API refuses, in its own words: the mistakes a client would make.
 *
 * Unknown parameters pass, because compatible providers have many of their own.
 * https://platform.openai.com/docs/api-reference/chat/create and the messages of the API itself.
 *
 * @since 0.1.0
 */
import type { ErrorDetails, Incoming, Operation } from "../../Server.ts"
import * as Json from "../../server/Json.ts"

/**
 * A refused request.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const invalid = (message: string, param?: string, code?: string): ErrorDetails => ({
  status: 400,
  type: "invalid_request_error",
  message,
  param,
  code
})

/**
 * A parameter that is missing.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const missing = (param: string): ErrorDetails =>
  invalid(`Missing required parameter: '${param}'.`, param, "missing_required_parameter")

const kindOf = (value: unknown): string =>
  value === null
    ? "null"
    : Array.isArray(value)
    ? "an array"
    : typeof value === "object"
    ? "an object"
    : Number.isInteger(value)
    ? "an integer"
    : `a ${typeof value}`

/**
 * A parameter of another type than expected.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const wrongType = (param: string, expected: string, value: unknown): ErrorDetails =>
  invalid(
    `Invalid type for '${param}': expected ${expected}, but got ${kindOf(value)} instead.`,
    param,
    "invalid_type"
  )

/**
 * A list that must not be empty.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const emptyArray = (param: string): ErrorDetails =>
  invalid(
    `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    param,
    "empty_array"
  )

/**
 * A body that is no JSON object.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const unparsable: ErrorDetails = invalid(
  "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP " +
    "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
)

/**
 * The error the API would report, `undefined` for a proper request.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const validate = (request: Incoming, operation: Operation): ErrorDetails | undefined => {
  if (operation === "models" || operation === "model") return undefined
  if (!Json.isObject(request.body)) return unparsable
  return checkParameters(request.body) ?? checkMessages(request.body) ?? checkTools(request.body) ??
    checkFormat(request.body)
}

const checkParameters = (body: Json.JsonObject): ErrorDetails | undefined => {
  if (typeof body.model !== "string" || body.model === "") return invalid("you must provide a model parameter")
  if (body.stream_options !== undefined && body.stream_options !== null && body.stream !== true) {
    return invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
  }
  if (typeof body.temperature === "number" && body.temperature > 2) {
    return invalid(
      `Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got ${body.temperature} instead.`,
      "temperature",
      "decimal_above_max_value"
    )
  }
  // The API knows its reasoning models by name.
  if (body.max_tokens !== undefined && /^(o\d|gpt-5)/.test(body.model)) {
    return invalid(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      "max_tokens",
      "unsupported_parameter"
    )
  }
  return undefined
}

// =============================================================================
// Messages
// =============================================================================

const roles = ["system", "assistant", "user", "function", "tool", "developer"]

const checkMessages = (body: Json.JsonObject): ErrorDetails | undefined => {
  if (body.messages === undefined) return missing("messages")
  if (!Array.isArray(body.messages)) return wrongType("messages", "an array of objects", body.messages)
  if (body.messages.length === 0) return emptyArray("messages")
  const messages = body.messages.map(Json.object)
  for (const [index, message] of messages.entries()) {
    const problem = checkMessage(message, index)
    if (problem !== undefined) return problem
  }
  return checkToolPairs(messages)
}

const checkMessage = (message: Json.JsonObject, index: number): ErrorDetails | undefined => {
  const { content, role } = message
  if (role === undefined) return missing(`messages[${index}].role`)
  if (typeof role !== "string" || !roles.includes(role)) {
    return invalid(
      `Invalid value: '${String(role)}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', ` +
        "and 'developer'.",
      `messages[${index}].role`,
      "invalid_value"
    )
  }
  const calls = message.tool_calls
  if (content === undefined || content === null) {
    const mayBeEmpty = role === "assistant" && (calls !== undefined || typeof message.refusal === "string")
    if (!mayBeEmpty) {
      return content === undefined
        ? missing(`messages[${index}].content`)
        : invalid("Invalid value for 'content': expected a string, got null.", `messages.[${index}].content`)
    }
  } else if (typeof content !== "string" && !Array.isArray(content)) {
    return wrongType(`messages[${index}].content`, "one of a string or array of objects", content)
  }
  if (role === "tool" && typeof message.tool_call_id !== "string") return missing(`messages[${index}].tool_call_id`)
  for (const [position, part] of Json.array(content).entries()) {
    if (typeof Json.object(part).type !== "string") return missing(`messages[${index}].content[${position}].type`)
  }
  if (calls === undefined) return undefined
  if (!Array.isArray(calls)) return wrongType(`messages[${index}].tool_calls`, "an array of objects", calls)
  return calls.length === 0 ? emptyArray(`messages[${index}].tool_calls`) : checkCalls(calls, index)
}

const checkCalls = (calls: ReadonlyArray<unknown>, message: number): ErrorDetails | undefined => {
  for (const [index, value] of calls.entries()) {
    const at = `messages[${message}].tool_calls[${index}]`
    const call = Json.object(value)
    if (typeof call.id !== "string") return missing(`${at}.id`)
    // https://platform.openai.com/docs/api-reference/chat/create refuses longer ids.
    if (call.id.length > 40) {
      return invalid(
        `Invalid '${at}.id': string too long. Expected a string with maximum length 40, but got a string with ` +
          `length ${call.id.length} instead.`,
        `${at}.id`,
        "string_above_max_length"
      )
    }
    if (typeof call.type !== "string") return missing(`${at}.type`)
    if (call.type !== "function") continue
    const definition = Json.object(call.function)
    if (typeof definition.name !== "string") return missing(`${at}.function.name`)
    if (definition.arguments === undefined) return missing(`${at}.function.arguments`)
    if (typeof definition.arguments !== "string") {
      return wrongType(`${at}.function.arguments`, "a string", definition.arguments)
    }
  }
  return undefined
}

/** Tool messages answer, without a gap, every call of the assistant message before them. */
const checkToolPairs = (messages: ReadonlyArray<Json.JsonObject>): ErrorDetails | undefined => {
  let pending = new Set<string>()
  let answering = false
  const unanswered = (index: number) =>
    invalid(
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
        `The following tool_call_ids did not have response messages: ${[...pending].join(", ")}`,
      `messages.[${index}].role`
    )
  for (const [index, message] of messages.entries()) {
    if (message.role === "tool") {
      if (!answering || !pending.delete(Json.string(message.tool_call_id))) {
        return invalid(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${index}].role`
        )
      }
      continue
    }
    if (pending.size > 0) return unanswered(index)
    pending = new Set(Json.array(message.tool_calls).map((call) => Json.string(Json.object(call).id)))
    answering = pending.size > 0
  }
  return pending.size > 0 ? unanswered(messages.length) : undefined
}

// =============================================================================
// Tools and formats
// =============================================================================

const checkTools = (body: Json.JsonObject): ErrorDetails | undefined => {
  if (Array.isArray(body.tools) && body.tools.length === 0) return emptyArray("tools")
  const tools = Json.array(body.tools).map(Json.object)
  if (tools.length === 0) {
    return body.tool_choice === undefined || body.tool_choice === null
      ? undefined
      : invalid(
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        "tool_choice"
      )
  }
  for (const [index, tool] of tools.entries()) {
    if (typeof tool.type !== "string") return missing(`tools[${index}].type`)
    if (tool.type !== "function") continue
    const { name, parameters, strict } = Json.object(tool.function)
    if (typeof name !== "string") return missing(`tools[${index}].function.name`)
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
      return invalid(
        `Invalid 'tools[${index}].function.name': string does not match pattern. Expected a string that matches the ` +
          "pattern '^[a-zA-Z0-9_-]+$'.",
        `tools[${index}].function.name`,
        "invalid_value"
      )
    }
    const problem = strict === true ? strictProblem(parameters, []) : undefined
    if (problem !== undefined) {
      return invalid(
        `Invalid schema for function '${name}': ${problem}`,
        `tools[${index}].function.parameters`,
        "invalid_function_parameters"
      )
    }
  }
  return undefined
}

const checkFormat = (body: Json.JsonObject): ErrorDetails | undefined => {
  const format = Json.object(body.response_format)
  if (format.type !== "json_schema") return undefined
  if (!Json.isObject(format.json_schema)) return missing("response_format.json_schema")
  const { name, schema, strict } = format.json_schema
  if (typeof name !== "string") return missing("response_format.json_schema.name")
  const problem = strict === true ? strictProblem(schema, []) : undefined
  return problem === undefined
    ? undefined
    : invalid(`Invalid schema for response_format '${name}': ${problem}`, "response_format")
}

/**
 * Strict schemas forbid other properties and require all of theirs:
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const strictProblem = (value: unknown, path: ReadonlyArray<string>): string | undefined => {
  if (!Json.isObject(value)) return undefined
  const context = `In context=(${path.map((step) => `'${step}'`).join(", ")}${path.length === 1 ? "," : ""})`
  const properties = Object.entries(Json.object(value.properties))
  if (value.type === "object" || properties.length > 0) {
    if (value.additionalProperties !== false) {
      return `${context}, 'additionalProperties' is required to be supplied and to be false.`
    }
    const required = Json.array(value.required)
    const optional = properties.find(([name]) => !required.includes(name))
    if (optional !== undefined) {
      return `${context}, 'required' is required to be supplied and to be an array including every key in ` +
        `properties. Missing '${optional[0]}'.`
    }
  }
  const nested: ReadonlyArray<readonly [unknown, ReadonlyArray<string>]> = [
    ...properties.map(([name, schema]) => [schema, [...path, "properties", name]] as const),
    ...Object.entries(Json.object(value.$defs)).map(([name, schema]) => [schema, [...path, "$defs", name]] as const),
    ...Json.array(value.anyOf).map((schema, index) => [schema, [...path, "anyOf", String(index)]] as const),
    [value.items, [...path, "items"]]
  ]
  for (const [schema, at] of nested) {
    const problem = strictProblem(schema, at)
    if (problem !== undefined) return problem
  }
  return undefined
}
