/**
 * What Cohere's chat refuses: https://docs.cohere.com/reference/chat
 */
import { fieldsOf, listOf } from "../Fault.ts"
import { type Rule, ruled, within } from "../rules.ts"

const reference = "https://docs.cohere.com/reference/chat"

const rules: ReadonlyArray<Rule> = [
  within(reference, "temperature", 0, 1),
  within(reference, "p", 0.01, 0.99),
  within(reference, "k", 0, 500),
  within(reference, "frequency_penalty", 0, 1),
  within(reference, "presence_penalty", 0, 1),
  {
    source: reference,
    check: ({ body }, refuse) => {
      const stops = listOf(body["stop_sequences"]).length
      if (stops > 5) refuse("stop_sequences", `must have at most 5, has ${stops}`)
      const tools = listOf(body["tools"])
      if (tools.length === 0 && body["tool_choice"] !== undefined) refuse("tool_choice", "is only allowed with tools")
      const choice = body["tool_choice"]
      if (choice !== undefined && choice !== "REQUIRED" && choice !== "NONE") {
        refuse("tool_choice", "must be REQUIRED or NONE")
      }
      const messages = listOf(body["messages"]).map(fieldsOf)
      if (messages.length === 0) refuse("messages", "must not be empty")
      let calls = new Set<unknown>()
      for (const [index, message] of messages.entries()) {
        if (message["role"] === "tool" && !calls.has(message["tool_call_id"])) {
          refuse(`messages[${index}]`, "a tool message answers no call before it")
        }
        if (message["role"] === "assistant") {
          calls = new Set(listOf(message["tool_calls"]).map((call) => fieldsOf(call)["id"]))
        }
        if (Array.isArray(message["content"]) && message["content"].length === 0) {
          refuse(`messages[${index}].content`, "must not be empty")
        }
      }
    }
  },
  {
    // "response_format … is not supported together with documents, tools": https://docs.cohere.com/docs/structured-outputs
    source: "https://docs.cohere.com/docs/structured-outputs",
    check: ({ body }, refuse) => {
      if (fieldsOf(body["response_format"])["type"] === "json_object" && listOf(body["tools"]).length > 0) {
        refuse("response_format", "of JSON is refused together with tools")
      }
    }
  }
]

/** Rules of the wire. */
export const cohere = ruled("Cohere chat", rules)
