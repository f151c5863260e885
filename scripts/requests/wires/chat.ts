/**
 * The grammar of Chat Completions that all hosts share: https://platform.openai.com/docs/api-reference/chat/create
 */
import { fieldsOf, listOf } from "../Fault.ts"
import { type Refuse, type Rule, ruled } from "../rules.ts"

const reference = "https://platform.openai.com/docs/api-reference/chat/create"
const roles = ["system", "developer", "user", "assistant", "tool"]
const toolName = /^[a-zA-Z0-9_-]{1,64}$/

const messagesOf = (body: { readonly [field: string]: unknown }) => listOf(body["messages"]).map(fieldsOf)

/** Tool messages answer, without a gap, every call of the assistant message before them. */
const pairs = (messages: ReturnType<typeof messagesOf>, refuse: Refuse): void => {
  let open = new Set<unknown>()
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    if (message["role"] === "tool") {
      if (!open.delete(message["tool_call_id"])) refuse(at, "a tool message answers no call of the message before")
      continue
    }
    if (open.size > 0) refuse(at, `calls without a result: ${[...open].join(", ")}`)
    const ids = listOf(message["tool_calls"]).map((call) => fieldsOf(call)["id"])
    open = new Set(ids)
    if (open.size < ids.length) refuse(at, "calls have the same id")
  }
  if (open.size > 0) refuse("messages", `calls without a result: ${[...open].join(", ")}`)
}

const grammar: ReadonlyArray<Rule> = [
  {
    source: reference,
    check: ({ body }, refuse) => {
      const messages = messagesOf(body)
      if (messages.length === 0) refuse("messages", "must not be empty")
      for (const [index, message] of messages.entries()) {
        const at = `messages[${index}]`
        const { content, role, tool_calls: calls } = message
        if (typeof role !== "string" || !roles.includes(role)) {
          refuse(`${at}.role`, `must be a role, is ${String(role)}`)
        }
        if (Array.isArray(content) && content.length === 0) refuse(`${at}.content`, "must not be an empty list")
        if ((content === undefined || content === null) && !(role === "assistant" && Array.isArray(calls))) {
          refuse(`${at}.content`, "is missing")
        }
        if (role === "tool" && typeof message["tool_call_id"] !== "string") refuse(`${at}.tool_call_id`, "is missing")
        if (Array.isArray(calls) && calls.length === 0) refuse(`${at}.tool_calls`, "must not be empty")
        for (const [place, call] of listOf(calls).entries()) {
          const { arguments: text, name } = fieldsOf(fieldsOf(call)["function"])
          if (fieldsOf(call)["type"] !== "function") continue
          if (!toolName.test(String(name))) refuse(`${at}.tool_calls[${place}].function.name`, `must match ${toolName}`)
          if (typeof text !== "string") refuse(`${at}.tool_calls[${place}].function.arguments`, "must be a string")
          else {
            try {
              JSON.parse(text)
            } catch {
              refuse(`${at}.tool_calls[${place}].function.arguments`, "must be JSON")
            }
          }
        }
      }
      pairs(messages, refuse)
    }
  },
  {
    source: reference,
    check: ({ body }, refuse) => {
      const tools = listOf(body["tools"]).map(fieldsOf)
      if (tools.length === 0) {
        for (const field of ["tool_choice", "parallel_tool_calls"]) {
          if (body[field] !== undefined && body[field] !== "none") refuse(field, "is only allowed with tools")
        }
      }
      for (const [index, tool] of tools.entries()) {
        if (tool["type"] !== "function") continue
        const { name, parameters } = fieldsOf(tool["function"])
        const at = `tools[${index}].function`
        if (!toolName.test(String(name))) refuse(`${at}.name`, `must match ${toolName}`)
        if (fieldsOf(parameters)["type"] !== "object") refuse(`${at}.parameters`, "must be a schema of an object")
        else if (!("properties" in fieldsOf(parameters))) refuse(`${at}.parameters`, "must have properties")
      }
      const chosen = fieldsOf(fieldsOf(body["tool_choice"])["function"])["name"]
      if (chosen !== undefined && !tools.some((tool) => fieldsOf(tool["function"])["name"] === chosen)) {
        refuse("tool_choice", "names no tool of the request")
      }
    }
  },
  {
    source: reference,
    check: ({ body, operation }, refuse) => {
      if (body["stream_options"] !== undefined && body["stream"] !== true) {
        refuse("stream_options", "is only allowed with stream")
      }
      if (operation === "stream" && body["stream"] !== true) refuse("stream", "must be true")
      if (typeof body["top_logprobs"] === "number" && body["logprobs"] !== true) {
        refuse("top_logprobs", "needs logprobs")
      }
      for (const [field, most] of [["temperature", 2], ["top_p", 1]] as const) {
        const value = body[field]
        if (typeof value === "number" && (value < 0 || value > most)) {
          refuse(field, `must be within 0 and ${most}, is ${value}`)
        }
      }
      const schema = fieldsOf(fieldsOf(body["response_format"])["json_schema"])
      if (fieldsOf(body["response_format"])["type"] === "json_schema" && !toolName.test(String(schema["name"]))) {
        refuse("response_format.json_schema.name", `must match ${toolName}`)
      }
    }
  }
]

/** Rules of the wire. */
export const chat = ruled("Chat Completions", grammar)

/** Whether any message says "json", as hosts with a JSON mode of OpenAI's demand. */
export const saysJson = (source: string): Rule => ({
  source,
  check: ({ body }, refuse) => {
    if (fieldsOf(body["response_format"])["type"] !== "json_object") return
    if (!/json/i.test(JSON.stringify(body["messages"]))) {
      refuse("response_format", "of JSON needs the word json in a message")
    }
  }
})

/** Media that content may hold: any other part is a fault. */
export const partsOnly = (source: string, types: ReadonlyArray<string>, models?: RegExp): Rule => ({
  source,
  models,
  check: ({ body }, refuse) => {
    for (const [index, message] of messagesOf(body).entries()) {
      for (const [place, part] of listOf(message["content"]).entries()) {
        const type = String(fieldsOf(part)["type"])
        if (!types.includes(type)) {
          refuse(`messages[${index}].content[${place}]`, `must be of ${types.join(", ")}, is ${type}`)
        }
      }
    }
  }
})

/** At most so many stop texts. */
export const stops = (source: string, most: number, models?: RegExp): Rule => ({
  source,
  models,
  check: ({ body }, refuse) => {
    const count = listOf(body["stop"]).length
    if (count > most) refuse("stop", `must have at most ${most}, has ${count}`)
  }
})

/** Users and assistants take turns after the system messages, and the user has the first and the last word. */
export const alternation = (source: string, models?: RegExp): Rule => ({
  source,
  models,
  check: ({ body }, refuse) => {
    const messages = messagesOf(body)
    let before: unknown = "system"
    for (const [index, { role }] of messages.entries()) {
      const at = `messages[${index}]`
      if (role === "system" && before !== "system") refuse(at, "system messages must come first")
      if (role === "user" && before === "user") refuse(at, "user messages must alternate with assistant ones")
      if (role === "assistant" && (before === "assistant" || before === "system")) {
        refuse(at, "must come after a user or tool message")
      }
      before = role
    }
    if (before !== "user" && before !== "tool") refuse("messages", "the last must be of a user or a tool")
  }
})

/** No forced tool choice while the model thinks. */
export const autoWhileThinking = (
  source: string,
  thinks: (body: { readonly [field: string]: unknown }) => boolean,
  models?: RegExp
): Rule => ({
  source,
  models,
  check: ({ body }, refuse) => {
    const choice = body["tool_choice"]
    if (choice !== undefined && choice !== "auto" && choice !== "none" && thinks(body)) {
      refuse("tool_choice", "must be auto or none while the model thinks")
    }
  }
})

/** Every assistant message with calls carries its reasoning. */
export const reasoningBack = (source: string, models?: RegExp): Rule => ({
  source,
  models,
  check: ({ body }, refuse) => {
    for (const [index, message] of messagesOf(body).entries()) {
      if (Array.isArray(message["tool_calls"]) && typeof message["reasoning_content"] !== "string") {
        refuse(`messages[${index}].reasoning_content`, "is missing beside calls while the model thinks")
      }
    }
  }
})
