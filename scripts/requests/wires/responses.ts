/**
 * What the Responses API refuses: https://platform.openai.com/docs/api-reference/responses/create
 */
import { type Fields, fieldsOf, listOf } from "../Fault.ts"
import { type Refuse, type Rule, ruled } from "../rules.ts"

const reference = "https://platform.openai.com/docs/api-reference/responses/create"
const toolName = /^[a-zA-Z0-9_-]{1,64}$/

const items = (body: Fields, refuse: Refuse): void => {
  const input = listOf(body["input"]).map(fieldsOf)
  if (body["input"] === undefined || (Array.isArray(body["input"]) && input.length === 0)) {
    refuse("input", "must not be empty")
  }
  const called = new Set<unknown>()
  const answered = new Set<unknown>()
  for (const [index, item] of input.entries()) {
    const at = `input[${index}]`
    const type = item["type"]
    if (type === "function_call" || type === "custom_tool_call") {
      if (!toolName.test(String(item["name"]))) refuse(`${at}.name`, `must match ${toolName}`)
      if (String(item["call_id"]).length > 64) refuse(`${at}.call_id`, "must have at most 64 characters")
      if (called.has(item["call_id"])) refuse(at, "calls have the same id")
      called.add(item["call_id"])
    }
    if (type === "function_call_output" || type === "custom_tool_call_output") {
      if (!called.has(item["call_id"])) refuse(at, "No tool call found for function call output")
      answered.add(item["call_id"])
    }
    if (Array.isArray(item["content"]) && item["content"].length === 0) refuse(`${at}.content`, "must not be empty")
    if (type === "reasoning" && index === input.length - 1) {
      refuse(at, "a reasoning item must be followed by the item it led to")
    }
  }
  for (const id of called) {
    if (!answered.has(id)) refuse("input", `No tool output found for function call ${String(id)}`)
  }
}

const rules: ReadonlyArray<Rule> = [
  { source: reference, check: ({ body }, refuse) => items(body, refuse) },
  {
    source: reference,
    check: ({ body }, refuse) => {
      const tools = listOf(body["tools"]).map(fieldsOf)
      for (const [index, tool] of tools.entries()) {
        if (tool["type"] === "function" && !toolName.test(String(tool["name"]))) {
          refuse(`tools[${index}].name`, `must match ${toolName}`)
        }
        if (tool["type"] === "function" && fieldsOf(tool["parameters"])["type"] !== "object") {
          refuse(`tools[${index}].parameters`, "must be a schema of an object")
        }
      }
      if (tools.length === 0 && body["tool_choice"] !== undefined && body["tool_choice"] !== "none") {
        refuse("tool_choice", "is only allowed with tools")
      }
      const format = fieldsOf(fieldsOf(body["text"])["format"])
      if (format["type"] === "json_object" && !/json/i.test(JSON.stringify(body["input"]))) {
        refuse("text.format", "of JSON needs the word json in the input")
      }
      if (format["type"] === "json_schema" && !toolName.test(String(format["name"]))) {
        refuse("text.format.name", `must match ${toolName}`)
      }
    }
  }
]

/** Rules of the wire. */
export const responses = ruled("Responses API", rules)
