/**
 * What providers say a list of messages must be, written from their documentation and their own error messages, not from our encoders.
 * Each judge gives what is wrong with a body, as a sentence; nothing is right.
 */

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json | undefined }
export type Body = { readonly [key: string]: Json | undefined }
type Entry = { readonly [key: string]: Json | undefined }

export interface Judged {
  readonly body: Body
  /** Whether the model goes on from an assistant message at the end. */
  readonly prefill: boolean
}

export type Judge = (judged: Judged) => ReadonlyArray<string>

const list = (value: Json | undefined): ReadonlyArray<Entry> =>
  Array.isArray(value) ? value as ReadonlyArray<Entry> : []
const text = (value: Json | undefined): string => typeof value === "string" ? value : ""
const isBlank = (value: Json | undefined): boolean => typeof value !== "string" || value.trim() === ""

/** https://platform.openai.com/docs/api-reference/chat/create: a-z, A-Z, 0-9, underscores and dashes, at most 64. */
const functionName = /^[a-zA-Z0-9_-]{1,64}$/

const isObject = (value: Json | undefined): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parsesToObject = (value: Json | undefined): boolean => {
  try {
    return isObject(JSON.parse(text(value)) as Json)
  } catch {
    return false
  }
}

/** Strict parsers refuse half of a surrogate pair, in the body and in the JSON that stands in its strings. */
export const illFormed = (value: Json | undefined, path = ""): ReadonlyArray<string> => {
  if (typeof value === "string") {
    const inner = /\\u[dD][89abAB]/.test(value) && (value.startsWith("{") || value.startsWith("["))
    return value.isWellFormed() && !inner ? [] : [`ill-formed text at ${path}`]
  }
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => [
    ...(key.isWellFormed() ? [] : [`ill-formed key at ${path}`]),
    ...illFormed(one, `${path}.${key}`)
  ])
}

// ---------------------------------------------------------------------------
// Chat Completions
// ---------------------------------------------------------------------------

interface ChatRules {
  readonly ids: RegExp
  readonly tools: boolean
  /** What may follow what; everything when absent. */
  readonly after?: { readonly [role: string]: ReadonlyArray<string> }
  readonly first?: ReadonlyArray<string>
  readonly alternates?: boolean
  readonly last?: (message: Entry) => boolean
  readonly more?: (message: Entry, at: number) => ReadonlyArray<string>
}

const parts = new Set(["text", "image_url", "input_audio", "file", "thinking", "refusal"])

const chat = (rules: ChatRules): Judge => ({ body }) => {
  const problems: Array<string> = []
  const messages = list(body["messages"])
  if (messages.length === 0) problems.push("no messages")
  const seen = new Set<string>()
  let open: Set<string> | undefined
  let before: string | undefined
  let spoken: string | undefined
  messages.forEach((message, at) => {
    const role = text(message["role"])
    const say = (problem: string) => void problems.push(`messages.${at} (${role}): ${problem}`)
    const isSystem = role === "system" || role === "developer"
    if (!["system", "developer", "user", "assistant", "tool"].includes(role)) say("unknown role")
    const content = message["content"]
    for (const part of list(content)) {
      if (!parts.has(text(part["type"]))) say(`unknown part ${text(part["type"])}`)
      if (part["type"] === "text" && part["text"] === "") say("empty text part")
    }
    if (role === "tool") {
      if (!rules.tools) say("no tools here")
      const id = text(message["tool_call_id"])
      if (open === undefined || !open.delete(id)) say(`answers no call before it: ${id}`)
      if (list(content).some((part) => part["type"] !== "text")) say("holds more than text")
    } else {
      if (open !== undefined && open.size > 0) say(`calls without result before it: ${[...open].join()}`)
      open = undefined
    }
    if (
      role === "user" &&
      (content === "" || content === null || content === undefined ||
        list(content).length === 0 && Array.isArray(content))
    ) {
      say("is empty")
    }
    if (role === "assistant") {
      const calls = list(message["tool_calls"])
      if ("tool_calls" in message && calls.length === 0) say("empty tool_calls")
      if (calls.length > 0 && !rules.tools) say("no tools here")
      if (calls.length === 0 && (typeof content === "string" ? content === "" : list(content).length === 0)) {
        say("is empty")
      }
      for (const call of calls) {
        const id = text(call["id"])
        if (!rules.ids.test(id)) say(`id ${id}`)
        if (seen.has(id)) say(`id comes again: ${id}`)
        seen.add(id)
        const called = (call["function"] ?? call["custom"] ?? {}) as Entry
        if (!functionName.test(text(called["name"]))) say(`name ${text(called["name"])}`)
        if (call["type"] === "function" && !parsesToObject(called["arguments"])) say("arguments are no object")
      }
      if (calls.length > 0) open = new Set(calls.map((call) => text(call["id"])))
    }
    if (before !== undefined && rules.after !== undefined && rules.after[before]?.includes(role) !== true) {
      say(`cannot come after ${before}`)
    }
    if (!isSystem) {
      if (spoken === undefined && rules.first?.includes(role) === false) say("cannot be first")
      if (rules.alternates === true && spoken === role && role !== "tool") say("follows its own role")
      spoken = role
    } else if (rules.alternates === true && spoken !== undefined) say("instructions in the middle")
    for (const problem of rules.more?.(message, at) ?? []) say(problem)
    before = role
  })
  if (open !== undefined && (open as Set<string>).size > 0) problems.push("calls without result at the end")
  const last = messages.at(-1)
  if (last !== undefined && rules.last?.(last) === false) problems.push(`ends with ${text(last["role"])}`)
  if (!messages.some((message) => message["role"] !== "system" && message["role"] !== "developer")) {
    problems.push("nothing but instructions")
  }
  for (const tool of list(body["tools"])) {
    const declared = (tool["function"] ?? tool["custom"]) as Entry | undefined
    if (declared !== undefined && !functionName.test(text(declared["name"]))) problems.push("name of a tool")
  }
  return problems
}

const openAiChat = chat({ ids: /^[^]{1,40}$/, tools: true })

const isUsers = (message: Entry): boolean => message["role"] === "user" || message["role"] === "tool"

/** https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py */
const mistral = chat({
  ids: /^[a-zA-Z0-9]{9}$/,
  tools: true,
  after: {
    system: ["user", "assistant", "system"],
    user: ["assistant", "system", "user"],
    assistant: ["assistant", "user", "tool"],
    tool: ["assistant", "tool"]
  },
  last: (message) => isUsers(message) || message["prefix"] === true
})

/** https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model: " " counts as reasoning, "" does not. */
const moonshot = chat({
  ids: /^[^]{1,64}$/,
  tools: true,
  more: (message) =>
    list(message["tool_calls"]).length > 0 && text(message["reasoning_content"]) === ""
      ? ["thinking is enabled but reasoning_content is missing in assistant tool call message"]
      : []
})

/** https://api-docs.deepseek.com/guides/thinking_mode, and the interleaving that deepseek-reasoner demands. */
const deepSeek = chat({
  ids: /^[^]{1,64}$/,
  tools: true,
  first: ["user"],
  alternates: true,
  last: (message) => isUsers(message) || message["prefix"] === true,
  more: (message) => [
    ...(message["role"] === "assistant" && typeof message["reasoning_content"] !== "string"
      ? ["no reasoning_content"]
      : []),
    ...(Array.isArray(message["content"]) ? ["content is no string"] : [])
  ]
})

/** "After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s)." */
const perplexity = chat({ ids: /^[^]*$/, tools: false, first: ["user"], alternates: true, last: isUsers })

/** https://console.groq.com/docs/api-reference#chat-create */
const groq = chat({ ids: /^[^]{1,64}$/, tools: true })

// ---------------------------------------------------------------------------
// Responses
// ---------------------------------------------------------------------------

/** https://platform.openai.com/docs/api-reference/responses/create */
const responses: Judge = ({ body }) => {
  const problems: Array<string> = []
  const items = list(body["input"])
  if (items.length === 0) problems.push("no input")
  const called = new Map<string, string>()
  const answered = new Set<string>()
  const ids = new Set<string>()
  items.forEach((item, at) => {
    const type = text(item["type"])
    const say = (problem: string) => void problems.push(`input.${at} (${type || text(item["role"])}): ${problem}`)
    if (type === "function_call" || type === "custom_tool_call") {
      const id = text(item["call_id"])
      if (id === "" || id.length > 64) say(`call_id ${id}`)
      if (called.has(id)) say("call_id comes again")
      called.set(id, type)
      if (!functionName.test(text(item["name"]))) say(`name ${text(item["name"])}`)
      if (type === "function_call" && !parsesToObject(item["arguments"])) say("arguments are no object")
    }
    if (type === "function_call_output" || type === "custom_tool_call_output") {
      const id = text(item["call_id"])
      if (called.get(id) !== type.replace("_output", "")) say(`answers no call before it: ${id}`)
      if (answered.has(id)) say("answers a second time")
      answered.add(id)
      for (const part of list(item["output"])) {
        if (!["input_text", "input_image", "input_file"].includes(text(part["type"]))) say("part of an output")
      }
    }
    if (type === "reasoning") {
      const next = items[at + 1]
      const follows = next !== undefined &&
        (next["role"] === "assistant" || (next["type"] !== undefined && !text(next["type"]).endsWith("_output")))
      if (!follows) say("was provided without its required following item")
    }
    const id = text(item["id"])
    if (id !== "") {
      if (ids.has(id)) say(`id comes again: ${id}`)
      ids.add(id)
    }
    if (
      text(item["role"]) === "user" &&
      (item["content"] === "" || (Array.isArray(item["content"]) && item["content"].length === 0))
    ) {
      say("is empty")
    }
  })
  for (const id of called.keys()) if (!answered.has(id)) problems.push(`no tool output found for function call ${id}`)
  for (const tool of list(body["tools"])) {
    if ("name" in tool && !functionName.test(text(tool["name"]))) problems.push("name of a tool")
  }
  return problems
}

// ---------------------------------------------------------------------------
// Anthropic
// ---------------------------------------------------------------------------

const anthropicTypes: { readonly [role: string]: ReadonlySet<string> } = {
  user: new Set(["text", "image", "document", "tool_result", "search_result"]),
  assistant: new Set([
    "text",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "server_tool_use",
    "web_search_tool_result",
    "code_execution_tool_result"
  ])
}

/** https://platform.claude.com/docs/en/api/messages/create and https://platform.claude.com/docs/en/build-with-claude/extended-thinking */
const anthropic: Judge = ({ body, prefill }) => {
  const problems: Array<string> = []
  const messages = list(body["messages"])
  if (messages.length === 0) problems.push("no messages")
  const seen = new Set<string>()
  messages.forEach((message, at) => {
    const role = text(message["role"])
    const content = list(message["content"])
    const say = (problem: string) => void problems.push(`messages.${at} (${role}): ${problem}`)
    if (role !== "user" && role !== "assistant") return say("unknown role")
    if (messages[at - 1]?.["role"] === role) say("roles must alternate")
    if (content.length === 0) say("content is empty")
    for (const block of content) {
      if (!anthropicTypes[role]!.has(text(block["type"]))) say(`cannot hold ${text(block["type"])}`)
      if (block["type"] === "text" && isBlank(block["text"])) {
        say("text content blocks must contain non-whitespace text")
      }
      if (block["type"] === "thinking" && text(block["signature"]) === "") say("thinking without signature")
    }
    const before = list(messages[at - 1]?.["content"]).filter((block) => block["type"] === "tool_use").map((block) =>
      text(block["id"])
    )
    const results = content.filter((block) => block["type"] === "tool_result")
    const answered = results.map((block) => text(block["tool_use_id"]))
    if (role === "user") {
      for (const id of before) if (!answered.includes(id)) say(`tool_use without tool_result: ${id}`)
      for (const id of answered) if (!before.includes(id)) say(`unexpected tool_use_id ${id}`)
      if (new Set(answered).size < answered.length) say("each tool_use must have a single result")
      if (content.slice(0, results.length).some((block) => block["type"] !== "tool_result")) {
        say("results must come first")
      }
      for (const block of results) {
        const inner = list(block["content"])
        if (block["is_error"] === true && inner.some((one) => one["type"] !== "text")) {
          say("all content must be text if is_error")
        }
        if (inner.some((one) => one["type"] === "text" && isBlank(one["text"]))) say("blank text in a result")
      }
      return
    }
    const last = content.at(-1)
    if (last?.["type"] === "thinking" || last?.["type"] === "redacted_thinking") {
      say("the final block cannot be thinking")
    }
    const server = new Set(
      content.filter((block) => block["type"] === "server_tool_use").map((block) => text(block["id"]))
    )
    for (const block of content) {
      if (text(block["type"]).endsWith("_tool_result") && !server.delete(text(block["tool_use_id"]))) {
        say("result without server_tool_use")
      }
    }
    if (server.size > 0 && at < messages.length - 1) say("server_tool_use without its result")
    for (const block of content) {
      if (block["type"] !== "tool_use") continue
      const id = text(block["id"])
      if (!/^[a-zA-Z0-9_-]{1,64}$/.test(id)) say(`id ${id}`)
      if (seen.has(id)) say("tool_use ids must be unique")
      seen.add(id)
      if (!functionName.test(text(block["name"]))) say(`name ${text(block["name"])}`)
      if (!isObject(block["input"])) say("input is no object")
    }
    if (at === messages.length - 1) {
      if (content.some((block) => block["type"] === "tool_use")) say("tool_use at the end")
      if (last?.["type"] === "text" && /\s$/.test(text(last["text"]))) {
        say("final assistant content cannot end with trailing whitespace")
      }
    }
  })
  if (messages[0] !== undefined && messages[0]["role"] !== "user") problems.push("first message must be user's")
  if (list(body["system"]).some((block) => isBlank(block["text"]))) problems.push("blank system text")
  const ends = messages.at(-1)
  const paused = /^server_tool_use$|_tool_result$/.test(text(list(ends?.["content"]).at(-1)?.["type"]))
  if (ends?.["role"] === "assistant" && !prefill && !paused) {
    problems.push("this model does not support assistant message prefill")
  }
  problems.push(
    ...thinkingProblems(
      (body["thinking"] as Entry | undefined)?.["type"],
      messages,
      "tool_use",
      "tool_result",
      (content) => {
        const type = content[0]?.["type"]
        return type === "thinking" || type === "redacted_thinking"
      }
    )
  )
  const marks = JSON.stringify(body).split("\"cache_control\"").length - 1
  if (marks > 4) problems.push(`a maximum of 4 blocks with cache_control may be provided, found ${marks}`)
  for (const tool of list(body["tools"])) if (!functionName.test(text(tool["name"]))) problems.push("name of a tool")
  if (seen.size > 0 && list(body["tools"]).length === 0) {
    problems.push("requests which include tool_use or tool_result blocks must define tools")
  }
  return problems
}

/** The turn that is open (a tool loop is one turn) begins with thinking while thinking is enabled by a budget, and has none while it is off. */
const thinkingProblems = (
  type: Json | undefined,
  messages: ReadonlyArray<Entry>,
  use: string,
  result: string,
  starts: (content: ReadonlyArray<Entry>) => boolean
): ReadonlyArray<string> => {
  const has = (content: ReadonlyArray<Entry>, name: string) =>
    content.some((block) => block["type"] === name || name in block)
  const last = messages.findLastIndex((message) => message["role"] === "assistant")
  if (last === -1) return []
  const contentAt = (at: number) => list(messages[at]?.["content"])
  if (type !== "enabled") {
    return last === messages.length - 1 && starts(contentAt(last)) && type !== "adaptive"
      ? ["when thinking is disabled, an assistant message in the final position cannot contain thinking"]
      : []
  }
  if (last < messages.length - 1 && !has(contentAt(last), use)) return []
  let start = last
  while (
    start >= 2 && has(contentAt(start - 1), result) &&
    contentAt(start - 1).every((block) => block["type"] === result || result in block)
  ) start -= 2
  return starts(contentAt(last)) || starts(contentAt(start))
    ? []
    : ["when thinking is enabled, a final assistant message must start with a thinking block"]
}

// ---------------------------------------------------------------------------
// Bedrock
// ---------------------------------------------------------------------------

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
const bedrock: Judge = ({ body, prefill }) => {
  const problems: Array<string> = []
  const messages = list(body["messages"])
  if (messages.length === 0) problems.push("no messages")
  const seen = new Set<string>()
  const names = new Set<string>()
  let called = false
  messages.forEach((message, at) => {
    const role = text(message["role"])
    const content = list(message["content"])
    const say = (problem: string) => void problems.push(`messages.${at} (${role}): ${problem}`)
    if (messages[at - 1]?.["role"] === role) say("roles must alternate")
    if (content.length === 0) say("content is empty")
    const usesOf = (one: Entry | undefined) =>
      list(one?.["content"]).flatMap((block) => block["toolUse"] === undefined ? [] : [block["toolUse"] as Entry])
    const resultsOf = content.flatMap((block) =>
      block["toolResult"] === undefined ? [] : [block["toolResult"] as Entry]
    )
    for (const block of content) {
      if (Object.keys(block).length !== 1) say("a block is one thing")
      if ("text" in block && isBlank(block["text"])) say("text content blocks must contain non-whitespace text")
      if (role === "assistant" && ["image", "document", "video", "audio", "toolResult"].some((key) => key in block)) {
        say("media or result of an assistant")
      }
      if (role === "user" && ("toolUse" in block || "reasoningContent" in block)) say("call or reasoning of a user")
      const document = block["document"] as Entry | undefined
      if (document !== undefined) {
        if (names.has(text(document["name"]))) say("document names must be distinct")
        names.add(text(document["name"]))
        if (!content.some((one) => "text" in one)) say("a document needs a text")
      }
    }
    if (role === "user") {
      const before = usesOf(messages[at - 1]).map((use) => text(use["toolUseId"]))
      const answered = resultsOf.map((one) => text(one["toolUseId"]))
      for (const id of before) if (!answered.includes(id)) say(`toolUse without toolResult: ${id}`)
      for (const id of answered) if (!before.includes(id)) say(`unexpected toolUseId: ${id}`)
      if (new Set(answered).size < answered.length) say("two results")
      for (const one of resultsOf) {
        if (list(one["content"]).length === 0) say("result without content")
        if (list(one["content"]).some((inner) => "text" in inner && isBlank(inner["text"]))) {
          say("blank text in a result")
        }
      }
      return
    }
    for (const use of usesOf(message)) {
      called = true
      const id = text(use["toolUseId"])
      if (!/^[a-zA-Z0-9_.:-]{1,64}$/.test(id)) say(`id ${id}`)
      if (seen.has(id)) say("id comes again")
      seen.add(id)
      if (!functionName.test(text(use["name"]))) say(`name ${text(use["name"])}`)
      if (!isObject(use["input"])) say("input is no object")
    }
    const last = content.at(-1)
    if (last !== undefined && "reasoningContent" in last) say("the final block cannot be reasoning")
    if (at === messages.length - 1) {
      if (usesOf(message).length > 0) say("toolUse at the end")
      if (typeof last?.["text"] === "string" && /\s$/.test(last["text"])) say("trailing whitespace")
    }
  })
  if (messages[0] !== undefined && messages[0]["role"] !== "user") {
    problems.push("a conversation must start with a user message")
  }
  if (messages.at(-1)?.["role"] === "assistant" && !prefill) problems.push("no prefill")
  const config = body["toolConfig"] as Entry | undefined
  if (called && list(config?.["tools"]).length === 0) {
    problems.push("toolConfig must be defined when using toolUse and toolResult")
  }
  const additional = body["additionalModelRequestFields"] as Entry | undefined
  problems.push(...thinkingProblems(
    (additional?.["thinking"] as Entry | undefined)?.["type"],
    messages.map((message) => ({
      ...message,
      content: list(message["content"]).filter((block) => !("cachePoint" in block)) as unknown as Json
    })),
    "toolUse",
    "toolResult",
    (content) => content[0] !== undefined && "reasoningContent" in content[0]
  ))
  return problems
}

// ---------------------------------------------------------------------------
// Gemini, Vertex
// ---------------------------------------------------------------------------

/** https://ai.google.dev/api/caching#Content, with the messages that the API answers. */
const gemini: Judge = ({ body }) => {
  const problems: Array<string> = []
  const contents = list(body["contents"])
  if (contents.length === 0) problems.push("no contents")
  contents.forEach((content, at) => {
    const role = text(content["role"])
    const inner = list(content["parts"])
    const say = (problem: string) => void problems.push(`contents.${at} (${role}): ${problem}`)
    if (role !== "user" && role !== "model") say("unknown role")
    if (contents[at - 1]?.["role"] === role) say("roles must alternate")
    if (inner.length === 0) say("must include at least one parts field")
    const calls = inner.filter((part) => "functionCall" in part)
    const results = inner.filter((part) => "functionResponse" in part)
    for (const part of inner) {
      const data = [
        "text",
        "inlineData",
        "fileData",
        "functionCall",
        "functionResponse",
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse"
      ]
        .filter((name) => name in part)
      if (data.length !== 1) say("required oneof field 'data' must have one initialized field")
      if (part["text"] === "" && part["thoughtSignature"] === undefined) say("empty text parameter")
    }
    for (const part of calls) {
      const call = part["functionCall"] as Entry
      if (role !== "model") say("call of a user")
      if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(text(call["name"]))) say(`name ${text(call["name"])}`)
      if (!isObject(call["args"])) say("args are no object")
    }
    if (calls.length > 0) {
      if (contents[at - 1]?.["role"] !== "user") {
        say("function call turn must come immediately after a user turn or a function response turn")
      }
      const next = list(contents[at + 1]?.["parts"]).filter((part) => "functionResponse" in part)
      if (next.length !== calls.length) say("number of function response parts must equal that of function call parts")
      const asked = calls.map((part) => text((part["functionCall"] as Entry)["name"])).toSorted().join()
      const given = next.map((part) => text((part["functionResponse"] as Entry)["name"])).toSorted().join()
      if (asked !== given) say("names of calls and responses differ")
    }
    if (results.length > 0) {
      const before = list(contents[at - 1]?.["parts"]).filter((part) => "functionCall" in part)
      if (role !== "user" || before.length === 0) {
        say("function response turn must come immediately after a function call turn")
      }
      if (
        inner.slice(0, results.length).some((part) => !("functionResponse" in part)) &&
        !inner.some((part) => "inlineData" in part || "fileData" in part)
      ) {
        say("responses must come first")
      }
    }
  })
  if (contents.at(-1)?.["role"] === "model") problems.push("ends with the model")
  for (const tool of list(body["tools"])) {
    for (const declared of list(tool["functionDeclarations"])) {
      if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/.test(text(declared["name"]))) problems.push("name of a function")
    }
  }
  return problems
}

// ---------------------------------------------------------------------------
// Cohere, Ollama
// ---------------------------------------------------------------------------

/** https://docs.cohere.com/reference/chat */
const cohere: Judge = (judged) => {
  const problems: Array<string> = []
  const messages = list(judged.body["messages"])
  const seen = new Set<string>()
  let open = new Set<string>()
  if (messages.length === 0) problems.push("no messages")
  messages.forEach((message, at) => {
    const role = text(message["role"])
    const say = (problem: string) => void problems.push(`messages.${at} (${role}): ${problem}`)
    if (role === "tool") {
      if (!open.delete(text(message["tool_call_id"]))) say("answers no call before it")
    } else {
      if (open.size > 0) say("calls without result before it")
      open = new Set()
    }
    const calls = list(message["tool_calls"])
    if (
      role === "assistant" && calls.length === 0 && (message["content"] === "" || message["content"] === undefined) &&
      message["tool_plan"] === undefined
    ) {
      say("must have content, tool_plan or tool_calls")
    }
    if (
      role === "user" &&
      (message["content"] === "" || (Array.isArray(message["content"]) && message["content"].length === 0))
    ) say("is empty")
    for (const call of calls) {
      const id = text(call["id"])
      if (id === "" || seen.has(id)) say("id of a call")
      seen.add(id)
      open.add(id)
      const called = call["function"] as Entry
      if (!functionName.test(text(called["name"]))) say(`name ${text(called["name"])}`)
      if (!parsesToObject(called["arguments"])) say("arguments are no object")
    }
    for (const part of list(message["content"])) if (part["type"] === "text" && part["text"] === "") say("empty text")
  })
  if (open.size > 0) problems.push("calls without result at the end")
  if (messages.at(-1)?.["role"] === "assistant") problems.push("ends with the assistant")
  return problems
}

/** https://docs.ollama.com/api/chat */
const ollama: Judge = ({ body }) => {
  const problems: Array<string> = []
  const messages = list(body["messages"])
  if (messages.length === 0) problems.push("no messages")
  let open = new Set<string>()
  messages.forEach((message, at) => {
    const role = text(message["role"])
    const say = (problem: string) => void problems.push(`messages.${at} (${role}): ${problem}`)
    if (typeof message["content"] !== "string") say("content is a string")
    if (role === "tool") {
      if (!open.delete(text(message["tool_call_id"]))) say("answers no call before it")
      if (text(message["tool_name"]) === "") say("tool_name is missing")
    } else {
      if (open.size > 0) say("calls without result before it")
      open = new Set()
    }
    if (role === "user" && message["content"] === "" && list(message["images"]).length === 0) say("is empty")
    for (const image of (message["images"] ?? []) as ReadonlyArray<Json>) {
      if (typeof image !== "string" || image.startsWith("data:") || image.startsWith("http")) say("images are base64")
    }
    for (const call of list(message["tool_calls"])) {
      open.add(text(call["id"]))
      if (!isObject((call["function"] as Entry)["arguments"])) say("arguments are an object")
    }
  })
  if (open.size > 0) problems.push("calls without result at the end")
  return problems
}

export const judges = {
  anthropic,
  openAiChat,
  responses,
  gemini,
  bedrock,
  mistral,
  cohere,
  moonshot,
  deepSeek,
  perplexity,
  groq,
  ollama
} as const
