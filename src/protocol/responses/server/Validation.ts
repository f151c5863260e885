/**
 * What the OpenAI Responses API refuses, in its own words: the mistakes a client would make.
 *
 * Unknown parameters pass, because compatible providers have many of their own; those of Chat Completions do not.
 * https://platform.openai.com/docs/api-reference/responses/create and the messages of the API itself.
 *
 * @since 0.1.0
 */
import { emptyArray, invalid, missing, strictProblem, unparsable, wrongType } from "../../chat/server/Validation.ts"
import type { ErrorDetails, Incoming, Operation } from "../../Server.ts"
import * as Json from "../../server/Json.ts"

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
  return checkParameters(request.body) ?? checkInput(request.body) ?? checkTools(request.body) ??
    checkFormat(request.body)
}

// =============================================================================
// Parameters
// =============================================================================

/** Parameters of Chat Completions and what became of them. */
const moved: Readonly<Record<string, string>> = {
  messages: "input",
  max_tokens: "max_output_tokens",
  max_completion_tokens: "max_output_tokens",
  response_format: "text.format",
  reasoning_effort: "reasoning.effort"
}

const unknown = ["stop", "seed", "n", "frequency_penalty", "presence_penalty", "logprobs", "logit_bias"]

const notSupported = (param: string): ErrorDetails =>
  invalid(`Unsupported parameter: '${param}' is not supported with this model.`, param, "unsupported_parameter")

const checkParameters = (body: Json.JsonObject): ErrorDetails | undefined => {
  for (const [param, now] of Object.entries(moved)) {
    if (body[param] === undefined) continue
    return invalid(
      `Unsupported parameter: '${param}'. In the Responses API, this parameter has moved to '${now}'. Try again with ` +
        "the new parameter. See the API documentation for more information: " +
        "https://platform.openai.com/docs/api-reference/responses/create.",
      param,
      "unsupported_parameter"
    )
  }
  const stranger = unknown.find((param) => body[param] !== undefined)
  if (stranger !== undefined) return invalid(`Unknown parameter: '${stranger}'.`, stranger, "unknown_parameter")
  if (typeof body.model !== "string" || body.model === "") return missing("model")
  if (typeof body.temperature === "number" && body.temperature > 2) {
    return invalid(
      `Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got ${body.temperature} instead.`,
      "temperature",
      "decimal_above_max_value"
    )
  }
  if (typeof body.max_output_tokens === "number" && body.max_output_tokens < 16) {
    return invalid(
      "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got " +
        `${body.max_output_tokens} instead.`,
      "max_output_tokens",
      "integer_below_min_value"
    )
  }
  // The API knows its models without reasoning by name.
  if (!body.model.startsWith("gpt-4")) return undefined
  if (Json.object(body.reasoning).effort !== undefined) return notSupported("reasoning.effort")
  return Json.array(body.include).includes("reasoning.encrypted_content")
    ? invalid("Encrypted content is not supported with this model.", "include")
    : undefined
}

// =============================================================================
// Input
// =============================================================================

const maxIdLength = 64

const tooLong = (param: string, text: string): ErrorDetails =>
  invalid(
    `Invalid '${param}': string too long. Expected a string with maximum length ${maxIdLength}, but got a string with ` +
      `length ${text.length} instead.`,
    param,
    "string_above_max_length"
  )

const checkInput = (body: Json.JsonObject): ErrorDetails | undefined => {
  const known = ["previous_response_id", "conversation", "prompt"].some((field) => typeof body[field] === "string")
  if (body.input === undefined || body.input === null) return known ? undefined : missing("input")
  if (typeof body.input === "string") return undefined
  if (!Array.isArray(body.input)) return wrongType("input", "one of a string or array of input items", body.input)
  if (body.input.length === 0) return emptyArray("input")
  const items = body.input.map(Json.object)
  for (const [index, item] of items.entries()) {
    const problem = checkItem(item, `input[${index}]`)
    if (problem !== undefined) return problem
  }
  // With stored state, the other half of a pair may be in it.
  return known ? undefined : checkPairs(items)
}

/** Items by the prefix of their ids. */
const prefixes: Readonly<Record<string, string>> = {
  message: "msg",
  reasoning: "rs",
  function_call: "fc",
  custom_tool_call: "ctc"
}

const checkItem = (item: Json.JsonObject, at: string): ErrorDetails | undefined => {
  const type = item.type ?? (item.role === undefined ? undefined : "message")
  if (typeof type !== "string") return missing(`${at}.type`)
  const prefix = prefixes[type]
  if (typeof item.id === "string" && prefix !== undefined) {
    if (item.id.length > maxIdLength) return tooLong(`${at}.id`, item.id)
    if (!item.id.startsWith(prefix)) {
      return invalid(
        `Invalid '${at}.id': '${item.id}'. Expected an ID that begins with '${prefix}'.`,
        `${at}.id`,
        "invalid_value"
      )
    }
  }
  switch (type) {
    case "message":
      return checkMessage(item, at)
    case "reasoning":
      if (typeof item.id !== "string") return missing(`${at}.id`)
      return Array.isArray(item.summary) ? undefined : missing(`${at}.summary`)
    case "function_call":
      return checkCall(item, at, "arguments")
    case "custom_tool_call":
      return checkCall(item, at, "input")
    case "function_call_output":
    case "custom_tool_call_output":
      if (typeof item.call_id !== "string") return missing(`${at}.call_id`)
      if (item.call_id.length > maxIdLength) return tooLong(`${at}.call_id`, item.call_id)
      return item.output === undefined ? missing(`${at}.output`) : undefined
    default:
      return undefined
  }
}

const roles = ["assistant", "system", "developer", "user"]

const checkMessage = (item: Json.JsonObject, at: string): ErrorDetails | undefined => {
  const { content, role } = item
  if (typeof role !== "string") return missing(`${at}.role`)
  if (!roles.includes(role)) {
    return invalid(
      `Invalid value: '${role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.`,
      `${at}.role`,
      "invalid_value"
    )
  }
  if (content === undefined || content === null) return missing(`${at}.content`)
  if (typeof content === "string") return undefined
  if (!Array.isArray(content)) return wrongType(`${at}.content`, "one of a string or array of objects", content)
  const supported = role === "assistant" ? ["output_text", "refusal"] : ["input_text", "input_image", "input_file"]
  for (const [index, value] of content.entries()) {
    const part = Json.object(value)
    const where = `${at}.content[${index}]`
    if (typeof part.type !== "string") return missing(`${where}.type`)
    if (!supported.includes(part.type)) {
      return invalid(
        `Invalid value: '${part.type}'. Supported values are: ${supported.map((type) => `'${type}'`).join(", ")}.`,
        `${where}.type`,
        "invalid_value"
      )
    }
  }
  return undefined
}

const checkCall = (item: Json.JsonObject, at: string, text: "arguments" | "input"): ErrorDetails | undefined => {
  if (typeof item.call_id !== "string") return missing(`${at}.call_id`)
  if (item.call_id.length > maxIdLength) return tooLong(`${at}.call_id`, item.call_id)
  if (typeof item.name !== "string") return missing(`${at}.name`)
  if (item[text] === undefined) return missing(`${at}.${text}`)
  return typeof item[text] === "string" ? undefined : wrongType(`${at}.${text}`, "a string", item[text])
}

/** Every call has its output and every output its call, anywhere in the input; reasoning leads to something. */
const checkPairs = (items: ReadonlyArray<Json.JsonObject>): ErrorDetails | undefined => {
  for (const kind of ["function_call", "custom_tool_call"]) {
    const ids = (type: string) => items.filter((item) => item.type === type).map((item) => Json.string(item.call_id))
    const calls = ids(kind)
    const outputs = ids(`${kind}_output`)
    const name = kind === "function_call" ? "function call" : "custom tool call"
    const orphan = outputs.find((id) => !calls.includes(id))
    if (orphan !== undefined) {
      return invalid(`No tool call found for ${name} output with call_id ${orphan}.`, "input")
    }
    const open = calls.find((id) => !outputs.includes(id))
    if (open !== undefined) return invalid(`No tool output found for ${name} ${open}.`, "input")
  }
  const alone = items.find((item, index) => {
    const next = items[index + 1]
    return item.type === "reasoning" &&
      (next === undefined || Json.string(next.type).endsWith("_output") ||
        (next.role !== undefined && next.role !== "assistant"))
  })
  return alone === undefined ? undefined : invalid(
    `Item '${Json.string(alone.id)}' of type 'reasoning' was provided without its required following item.`,
    "input"
  )
}

// =============================================================================
// Tools and formats
// =============================================================================

const checkTools = (body: Json.JsonObject): ErrorDetails | undefined => {
  const tools = Json.array(body.tools).map(Json.object)
  for (const [index, tool] of tools.entries()) {
    if (typeof tool.type !== "string") return missing(`tools[${index}].type`)
    if (tool.type !== "function" && tool.type !== "custom") continue
    const { name, parameters, strict } = tool
    if (typeof name !== "string") return missing(`tools[${index}].name`)
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
      return invalid(
        `Invalid 'tools[${index}].name': string does not match pattern. Expected a string that matches the pattern ` +
          "'^[a-zA-Z0-9_-]+$'.",
        `tools[${index}].name`,
        "invalid_value"
      )
    }
    const problem = strict === true ? strictProblem(parameters, []) : undefined
    if (problem !== undefined) {
      return invalid(
        `Invalid schema for function '${name}': ${problem}`,
        `tools[${index}].parameters`,
        "invalid_function_parameters"
      )
    }
  }
  const choice = Json.object(body.tool_choice)
  const named = choice.type === "function" || choice.type === "custom"
  return named && !tools.some((tool) => tool.name === choice.name)
    ? invalid(`Tool choice '${Json.string(choice.name)}' not found in 'tools' parameter.`, "tool_choice")
    : undefined
}

const checkFormat = (body: Json.JsonObject): ErrorDetails | undefined => {
  const format = Json.object(Json.object(body.text).format)
  if (format.type !== "json_schema") return undefined
  if (typeof format.name !== "string") return missing("text.format.name")
  if (!Json.isObject(format.schema)) return missing("text.format.schema")
  const problem = format.strict === true ? strictProblem(format.schema, []) : undefined
  return problem === undefined
    ? undefined
    : invalid(`Invalid schema for response_format '${format.name}': ${problem}`, "text.format.schema")
}
