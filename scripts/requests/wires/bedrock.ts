/**
 * What Converse refuses: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
import { type Fields, fieldsOf, listOf } from "../Fault.ts"
import { type Refuse, type Rule, ruled } from "../rules.ts"
import { withoutSampling } from "./anthropic.ts"

const reference = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"
const block = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html"
const word = /^[a-zA-Z0-9_-]{1,64}$/

const turns = (body: Fields, refuse: Refuse): void => {
  const messages = listOf(body["messages"]).map(fieldsOf)
  if (messages[0]?.["role"] !== "user") refuse("messages", "a conversation must start with a user message")
  let calls: ReadonlyArray<unknown> = []
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    const content = listOf(message["content"]).map(fieldsOf)
    if (index > 0 && messages[index - 1]!["role"] === message["role"]) refuse(at, "roles must alternate")
    if (content.length === 0) refuse(`${at}.content`, "must not be empty")
    for (const [place, part] of content.entries()) {
      const where = `${at}.content[${place}]`
      if ("text" in part && String(part["text"]).trim() === "") refuse(`${where}.text`, "must not be blank")
      const use = fieldsOf(part["toolUse"])
      if ("toolUse" in part && !word.test(String(use["name"]))) refuse(`${where}.toolUse.name`, `must match ${word}`)
      const id = use["toolUseId"] ?? fieldsOf(part["toolResult"])["toolUseId"]
      if (id !== undefined && !/^[a-zA-Z0-9_.:-]{1,64}$/.test(String(id))) {
        refuse(`${where}.toolUseId`, "must match ^[a-zA-Z0-9_.:-]{1,64}$")
      }
      const name = fieldsOf(part["document"])["name"]
      if ("document" in part && !/^[a-zA-Z0-9\s\-()[\]]{1,200}$/.test(String(name))) {
        refuse(`${where}.document.name`, "has characters that are refused")
      }
      if ("document" in part && !content.some((one) => "text" in one)) {
        refuse(where, "a document needs a text beside it")
      }
    }
    const results = content.filter((part) => "toolResult" in part).map((part) =>
      fieldsOf(part["toolResult"])["toolUseId"]
    )
    for (const id of calls) if (!results.includes(id)) refuse(at, `the call ${String(id)} has no result right after it`)
    for (const id of results) {
      if (!calls.includes(id)) refuse(at, `the result of ${String(id)} has no call right before it`)
    }
    calls = content.filter((part) => "toolUse" in part).map((part) => fieldsOf(part["toolUse"])["toolUseId"])
  }
  if (calls.length > 0) refuse("messages", "the last message has calls without results")
}

const rules: ReadonlyArray<Rule> = [
  { source: block, check: ({ body }, refuse) => turns(body, refuse) },
  {
    source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html",
    check: ({ body }, refuse) => {
      const { maxTokens, stopSequences, temperature, topP } = fieldsOf(body["inferenceConfig"])
      for (const [at, value] of [["temperature", temperature], ["topP", topP]] as const) {
        if (typeof value === "number" && (value < 0 || value > 1)) {
          refuse(`inferenceConfig.${at}`, `must be within 0 and 1, is ${value}`)
        }
      }
      if (typeof maxTokens === "number" && maxTokens < 1) refuse("inferenceConfig.maxTokens", "must be at least 1")
      for (const stop of listOf(stopSequences)) {
        if (stop === "") refuse("inferenceConfig.stopSequences", "must not be empty")
      }
    }
  },
  {
    source: reference,
    check: ({ body }, refuse) => {
      const { toolChoice, tools } = fieldsOf(body["toolConfig"])
      if (Array.isArray(tools) && tools.length === 0) refuse("toolConfig.tools", "must not be empty")
      if (toolChoice !== undefined && tools === undefined) refuse("toolConfig.tools", "is missing")
      const used = /"tool(?:Use|Result)":/.test(JSON.stringify(body["messages"]))
      if (used && tools === undefined) refuse("toolConfig", "must be given when messages have tool use or results")
      for (const [index, tool] of listOf(tools).entries()) {
        const spec = fieldsOf(fieldsOf(tool)["toolSpec"])
        if ("toolSpec" in fieldsOf(tool) && !word.test(String(spec["name"]))) {
          refuse(`toolConfig.tools[${index}].toolSpec.name`, `must match ${word}`)
        }
        if (spec["description"] === "") refuse(`toolConfig.tools[${index}].toolSpec.description`, "must not be empty")
      }
    }
  },
  {
    source: "https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html",
    models: withoutSampling,
    check: ({ body }, refuse) => {
      const { temperature, topP } = fieldsOf(body["inferenceConfig"])
      if (temperature !== undefined) refuse("inferenceConfig.temperature", "is refused by the model")
      if (topP !== undefined) refuse("inferenceConfig.topP", "is refused by the model")
      if (fieldsOf(body["additionalModelRequestFields"])["top_k"] !== undefined) {
        refuse("additionalModelRequestFields.top_k", "is refused by the model")
      }
    }
  },
  {
    source: "https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html",
    models: /claude/,
    check: ({ body }, refuse) => {
      const { thinking, top_k: topK } = fieldsOf(body["additionalModelRequestFields"])
      const { budget_tokens: budget, type } = fieldsOf(thinking)
      if (type !== "enabled" && type !== "adaptive") return
      const { maxTokens, temperature, topP } = fieldsOf(body["inferenceConfig"])
      if (type === "enabled" && Number(budget) < 1024) {
        refuse("additionalModelRequestFields.thinking.budget_tokens", "must be at least 1024")
      }
      if (type === "enabled" && maxTokens !== undefined && Number(budget) >= Number(maxTokens)) {
        refuse("additionalModelRequestFields.thinking.budget_tokens", "must be below maxTokens")
      }
      if (temperature !== undefined && temperature !== 1) {
        refuse("inferenceConfig.temperature", "must be 1 while thinking")
      }
      if (typeof topP === "number" && topP < 0.95) {
        refuse("inferenceConfig.topP", "must be within 0.95 and 1 while thinking")
      }
      if (topK !== undefined) refuse("additionalModelRequestFields.top_k", "is refused while thinking")
      const choice = fieldsOf(fieldsOf(body["toolConfig"])["toolChoice"])
      if ("any" in choice || "tool" in choice) refuse("toolConfig.toolChoice", "must be auto while thinking")
    }
  },
  {
    source: "https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html",
    check: ({ body }, refuse) => {
      const count = JSON.stringify(body).split("\"cachePoint\":").length - 1
      if (count > 4) refuse("cachePoint", `must be set at most 4 times, is set ${count} times`)
    }
  }
]

/** Rules of the wire. */
export const bedrock = ruled("Converse", rules)
