/**
 * What the Messages API refuses: https://platform.claude.com/docs/en/api/messages and the guides it names.
 */
import { type Fields, fieldsOf, listOf } from "../Fault.ts"
import { type Refuse, type Rule, ruled, strings } from "../rules.ts"

const reference = "https://platform.claude.com/docs/en/api/messages"
const caching = "https://platform.claude.com/docs/en/build-with-claude/prompt-caching"
const thinkingGuide = "https://platform.claude.com/docs/en/build-with-claude/extended-thinking"

/** Models that take no sampling parameters. */
export const withoutSampling = /claude-(?:opus-(?:4-[7-9]|[5-9])|sonnet-[5-9]|haiku-[5-9]|fable)/
/** Models that take no prefilled answer. */
const withoutPrefill = /claude-(?:opus-(?:4-[6-9]|[5-9])|sonnet-(?:4-[6-9]|[5-9])|haiku-[5-9]|fable)/
/** Models that think by budget. */
const byBudget = /claude-(?:3-7|(?:opus|sonnet|haiku)-4-[0-5])/

const blocksOf = (content: unknown): ReadonlyArray<Fields> =>
  typeof content === "string" ? [{ type: "text", text: content }] : listOf(content).map(fieldsOf)

const thinks = (body: Fields): boolean => ["enabled", "adaptive"].includes(String(fieldsOf(body["thinking"])["type"]))

const turns = (body: Fields, refuse: Refuse): void => {
  const messages = listOf(body["messages"]).map(fieldsOf)
  if (messages.length === 0) refuse("messages", "must not be empty")
  if (messages.length > 0 && messages[0]!["role"] !== "user") refuse("messages[0]", "the first must be of the user")
  let calls: ReadonlyArray<unknown> = []
  for (const [index, { content, role }] of messages.entries()) {
    const at = `messages[${index}]`
    if (role !== "user" && role !== "assistant") refuse(`${at}.role`, `must be user or assistant, is ${String(role)}`)
    const blocks = blocksOf(content)
    if (blocks.length === 0 && !(role === "assistant" && index === messages.length - 1)) {
      refuse(`${at}.content`, "must not be empty")
    }
    const results = blocks.filter(({ type }) => type === "tool_result").map((block) => block["tool_use_id"])
    for (const id of calls) if (!results.includes(id)) refuse(at, `the call ${String(id)} has no result right after it`)
    for (const id of results) {
      if (!calls.includes(id)) refuse(at, `the result of ${String(id)} has no call right before it`)
    }
    if (new Set(results).size < results.length) refuse(at, "results have the same id")
    for (const [place, block] of blocks.entries()) block_(block, `${at}.content[${place}]`, refuse)
    calls = role === "assistant" ? blocks.filter(({ type }) => type === "tool_use").map(({ id }) => id) : []
    if (new Set(calls).size < calls.length) refuse(at, "calls have the same id")
  }
  if (calls.length > 0) refuse("messages", "the last message has calls without results")
}

const block_ = (block: Fields, at: string, refuse: Refuse): void => {
  if (block["type"] === "text" && String(block["text"]).trim() === "") {
    refuse(at, "text must have something but white space")
  }
  if (block["type"] === "tool_use") {
    if (!/^[a-zA-Z0-9_-]+$/.test(String(block["id"]))) refuse(`${at}.id`, "must match ^[a-zA-Z0-9_-]+$")
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(block["name"]))) refuse(`${at}.name`, "must match ^[a-zA-Z0-9_-]{1,128}$")
    if (typeof block["input"] !== "object" || block["input"] === null || Array.isArray(block["input"])) {
      refuse(`${at}.input`, "must be an object")
    }
  }
  if (block["type"] === "image") {
    const { media_type: type, type: kind } = fieldsOf(block["source"])
    if (kind === "base64" && !/^image\/(?:jpeg|png|gif|webp)$/.test(String(type))) {
      refuse(`${at}.source.media_type`, `must be jpeg, png, gif or webp, is ${String(type)}`)
    }
  }
  if (block["type"] === "tool_result" && block["is_error"] === true) {
    if (blocksOf(block["content"]).some(({ type }) => type !== "text")) {
      refuse(at, "the content of an error must be text")
    }
  }
}

const marks = (value: unknown): number => {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + marks(one), 0)
  const fields = fieldsOf(value)
  return Object.values(fields).reduce((sum: number, one) => sum + marks(one), "cache_control" in fields ? 1 : 0)
}

const rules: ReadonlyArray<Rule> = [
  { source: reference, check: ({ body }, refuse) => turns(body, refuse) },
  {
    source: reference,
    check: ({ body }, refuse) => {
      if (!Number.isInteger(body["max_tokens"]) || Number(body["max_tokens"]) < 1) {
        refuse("max_tokens", "must be at least 1")
      }
      const temperature = body["temperature"]
      if (typeof temperature === "number" && (temperature < 0 || temperature > 1)) {
        refuse("temperature", `must be within 0 and 1, is ${temperature}`)
      }
      for (const stop of listOf(body["stop_sequences"])) {
        if (String(stop).trim() === "") refuse("stop_sequences", "must not be blank")
      }
      const tools = listOf(body["tools"]).map(fieldsOf)
      for (const [index, tool] of tools.entries()) {
        if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(tool["name"]))) {
          refuse(`tools[${index}].name`, "must match ^[a-zA-Z0-9_-]{1,128}$")
        }
        if ("input_schema" in tool && fieldsOf(tool["input_schema"])["type"] !== "object") {
          refuse(`tools[${index}].input_schema`, "must be of an object")
        }
      }
      if (tools.length === 0 && body["tool_choice"] !== undefined) refuse("tool_choice", "may only be given with tools")
      const used = JSON.stringify(body["messages"])
      if (tools.length === 0 && /"type":"tool_(?:use|result)"/.test(used)) {
        refuse("tools", "must be given when the history has calls")
      }
    }
  },
  {
    source: thinkingGuide,
    check: ({ body }, refuse) => {
      if (!thinks(body)) return
      const { budget_tokens: budget, type } = fieldsOf(body["thinking"])
      if (type === "enabled") {
        if (Number(budget) < 1024) refuse("thinking.budget_tokens", `must be at least 1024, is ${String(budget)}`)
        if (Number(budget) >= Number(body["max_tokens"])) refuse("thinking.budget_tokens", "must be below max_tokens")
      }
      if (body["temperature"] !== undefined && body["temperature"] !== 1) {
        refuse("temperature", "must be 1 while thinking")
      }
      if (body["top_k"] !== undefined) refuse("top_k", "is refused while thinking")
      if (typeof body["top_p"] === "number" && body["top_p"] < 0.95) {
        refuse("top_p", "must be within 0.95 and 1 while thinking")
      }
      const choice = fieldsOf(body["tool_choice"])["type"]
      if (choice === "any" || choice === "tool") refuse("tool_choice", "must be auto or none while thinking")
      const last = fieldsOf(listOf(body["messages"]).at(-1))
      if (last["role"] === "assistant") refuse("messages", "the answer must not be begun while thinking")
    }
  },
  {
    source: `${thinkingGuide}#preserving-thinking-blocks`,
    models: byBudget,
    check: ({ body }, refuse) => {
      if (!thinks(body)) return
      const messages = listOf(body["messages"]).map(fieldsOf)
      const results = blocksOf(messages.at(-1)?.["content"]).some(({ type }) => type === "tool_result")
      const before = blocksOf(messages.at(-2)?.["content"])
      if (results && before[0] !== undefined && !/thinking/.test(String(before[0]["type"]))) {
        refuse("thinking", "a tool loop must begin with a thinking block when thinking is on")
      }
    }
  },
  {
    source: "https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7",
    models: withoutSampling,
    check: ({ body }, refuse) => {
      for (const field of ["temperature", "top_p", "top_k"]) {
        if (body[field] !== undefined) refuse(field, "is refused by the model")
      }
      if (fieldsOf(body["thinking"])["type"] === "enabled") {
        refuse("thinking.type", "enabled is refused by the model: adaptive")
      }
    }
  },
  {
    source: "https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6",
    models: withoutPrefill,
    check: ({ body }, refuse) => {
      if (fieldsOf(listOf(body["messages"]).at(-1))["role"] === "assistant") {
        refuse("messages", "a begun answer is refused by the model")
      }
    }
  },
  {
    source: reference,
    models: /claude-(?:opus-4-[156]|sonnet-4-[56]|haiku-4-5)/,
    check: ({ body }, refuse) => {
      if (body["temperature"] !== undefined && body["top_p"] !== undefined) {
        refuse("top_p", "is refused beside temperature")
      }
    }
  },
  {
    source: reference,
    check: ({ body }, refuse) => {
      const last = fieldsOf(listOf(body["messages"]).at(-1))
      const text = blocksOf(last["content"]).at(-1)?.["text"]
      if (last["role"] === "assistant" && typeof text === "string" && /\s$/.test(text)) {
        refuse("messages", "a begun answer must not end in white space")
      }
    }
  },
  {
    source: caching,
    check: ({ body }, refuse) => {
      const count = marks(body)
      if (count > 4) refuse("cache_control", `must be set at most 4 times, is set ${count} times`)
      strings(body, () => {})
    }
  }
]

/** Rules of the wire. */
export const anthropic = ruled("Messages API", rules)
