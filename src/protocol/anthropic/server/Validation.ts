/**
 * What the Anthropic Messages API refuses, in its own words: the mistakes a client would make.
 *
 * https://docs.claude.com/en/api/messages and the messages of the API itself.
 *
 * @since 0.1.0
 */
import type { ErrorDetails, Incoming, Operation } from "../../Server.ts"
import * as Json from "../../server/Json.ts"

const invalid = (message: string): ErrorDetails => ({ status: 400, type: "invalid_request_error", message })

const knownFields = new Set([
  "max_tokens",
  "messages",
  "model",
  "cache_control",
  "container",
  "context_management",
  "diagnostics",
  "inference_geo",
  "mcp_servers",
  "metadata",
  "output_config",
  "output_format",
  "service_tier",
  "speed",
  "stop_sequences",
  "stream",
  "system",
  "temperature",
  "thinking",
  "tool_choice",
  "tools",
  "top_k",
  "top_p",
  "user_profile_id",
  "workspace_id"
])

/**
 * The error the API would report, `undefined` for a proper request.
 *
 * @stability experimental
 * @category validation
 * @since 0.1.0
 */
export const validate = (request: Incoming, operation: Operation): ErrorDetails | undefined => {
  if (request.headers["anthropic-version"] === undefined) return invalid("anthropic-version: header is required")
  if (operation === "models" || operation === "model") return undefined
  if (!Json.isObject(request.body)) {
    return invalid(
      request.body === undefined
        ? "The request body is not valid JSON: unexpected character or end of data"
        : "Input should be a valid dictionary"
    )
  }
  const body = request.body
  const message = checkFields(request, body, operation) ?? checkMessages(body) ?? checkTools(body) ??
    checkThinking(body)
  return message === undefined ? undefined : invalid(message)
}

const checkFields = (request: Incoming, body: Json.JsonObject, operation: Operation): string | undefined => {
  if (typeof body.model !== "string") return "model: Field required"
  if (body.messages === undefined) return "messages: Field required"
  if (operation === "generate") {
    if (body.max_tokens === undefined) return "max_tokens: Field required"
    if (typeof body.max_tokens !== "number" || !Number.isInteger(body.max_tokens)) {
      return "max_tokens: Input should be a valid integer"
    }
    if (body.max_tokens < 1) return "max_tokens: Input should be greater than or equal to 1"
  }
  if (typeof body.temperature === "number" && (body.temperature < 0 || body.temperature > 1)) {
    return "temperature: range: 0..1"
  }
  // Beta features bring fields of their own.
  if (request.headers["anthropic-beta"] !== undefined) return undefined
  const unknown = Object.keys(body).find((field) => !knownFields.has(field))
  return unknown === undefined ? undefined : `${unknown}: Extra inputs are not permitted`
}

// =============================================================================
// Messages
// =============================================================================

const checkMessages = (body: Json.JsonObject): string | undefined => {
  if (!Array.isArray(body.messages)) return "messages: Input should be a valid list"
  const messages = body.messages.map(Json.object)
  if (messages.length === 0) return "messages: at least one message is required"
  for (const [index, message] of messages.entries()) {
    const problem = message.role === "system"
      ? checkSystem(message, index, messages)
      : checkMessage(message, index, index === messages.length - 1)
    if (problem !== undefined) return problem
  }
  if (messages[0]!.role !== "user") return "messages: first message must use the \"user\" role"
  return checkToolPairs(messages.filter((message) => message.role !== "system")) ?? checkCacheBreakpoints(body)
}

/** https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages: right after a user turn. */
const checkSystem = (
  { content }: Json.JsonObject,
  index: number,
  messages: ReadonlyArray<Json.JsonObject>
): string | undefined => {
  if (messages[index - 1]?.role !== "user") {
    return "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role."
  }
  return typeof content === "string" || Array.isArray(content) ? undefined : `messages.${index}.content: Field required`
}

const checkMessage = (message: Json.JsonObject, index: number, isLast: boolean): string | undefined => {
  const { content, role } = message
  if (role === undefined) return `messages.${index}.role: Field required`
  if (role !== "user" && role !== "assistant") {
    return `messages: Unexpected role "${String(role)}". Allowed roles are "user" or "assistant"`
  }
  if (typeof content !== "string" && !Array.isArray(content)) {
    return content === undefined || content === null
      ? `messages.${index}.content: Field required`
      : `messages.${index}.content: Input should be a valid list`
  }
  if (content.length === 0 && !(isLast && role === "assistant")) {
    return `messages.${index}: all messages must have non-empty content except for the optional final assistant message`
  }
  if (isLast && role === "assistant" && /\s$/.test(Json.contentText(content))) {
    return "messages: final assistant content cannot end with trailing whitespace"
  }
  if (typeof content === "string") return undefined
  for (const [position, block] of content.entries()) {
    const problem = checkBlock(Json.object(block), `messages.${index}.content.${position}`)
    if (problem !== undefined) return problem
  }
  return undefined
}

const checkBlock = (block: Json.JsonObject, at: string): string | undefined => {
  switch (block.type) {
    case undefined:
      return `${at}.type: Field required`
    case "text":
      if (typeof block.text !== "string") return `${at}.text.text: Field required`
      return block.text === "" ? "messages: text content blocks must be non-empty" : undefined
    case "thinking":
      return typeof block.signature !== "string" ? `${at}.thinking.signature: Field required` : undefined
    case "tool_use":
      if (typeof block.id !== "string") return `${at}.tool_use.id: Field required`
      if (!/^[a-zA-Z0-9_-]+$/.test(block.id)) {
        return `${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`
      }
      if (typeof block.name !== "string") return `${at}.tool_use.name: Field required`
      if (block.input === undefined) return `${at}.tool_use.input: Field required`
      return Json.isObject(block.input) ? undefined : `${at}.tool_use.input: Input should be a valid dictionary`
    case "tool_result":
      return typeof block.tool_use_id !== "string" ? `${at}.tool_result.tool_use_id: Field required` : undefined
    case "image":
    case "document":
      return Json.isObject(block.source) ? undefined : `${at}.${block.type}.source: Field required`
    default:
      return undefined
  }
}

interface Turn {
  readonly role: unknown
  readonly index: number
  readonly blocks: Array<Json.JsonObject>
}

/**
 * Results of all calls come first in the very next turn, where a turn is all messages in a row of one role.
 *
 * https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use
 */
const checkToolPairs = (messages: ReadonlyArray<Json.JsonObject>): string | undefined => {
  const turns: Array<Turn> = []
  for (const [index, { content, role }] of messages.entries()) {
    if (turns.at(-1)?.role !== role) turns.push({ role, index, blocks: [] })
    turns.at(-1)!.blocks.push(...Json.array(content).map(Json.object))
  }
  const ids = (turn: Turn | undefined, type: string, field: string): ReadonlyArray<string> =>
    turn?.blocks.filter((block) => block.type === type).map((block) => Json.string(block[field])) ?? []
  for (const [position, turn] of turns.entries()) {
    const calls = ids(turn, "tool_use", "id")
    if (new Set(calls).size !== calls.length) return "messages: `tool_use` ids must be unique"
    const next = turns[position + 1]?.blocks ?? []
    const others = next.findIndex((block) => block.type !== "tool_result")
    const answered = next.slice(0, others === -1 ? next.length : others).map((block) => block.tool_use_id)
    const orphans = calls.filter((id) => !answered.includes(id))
    if (orphans.length > 0) {
      return `messages.${turn.index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${
        orphans.join(", ")
      }. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
    }
    const asked = ids(turns[position - 1], "tool_use", "id")
    const results = ids(turn, "tool_result", "tool_use_id")
    const stray = results.findIndex((id) => !asked.includes(id))
    if (stray !== -1) {
      return `messages.${turn.index}.content.${stray}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${
        results[stray]
      }. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`
    }
    if (new Set(results).size !== results.length) {
      return `messages.${turn.index}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with one id`
    }
  }
  return undefined
}

const checkCacheBreakpoints = (body: Json.JsonObject): string | undefined => {
  const blocks = [
    ...Json.array(body.system),
    ...Json.array(body.tools),
    ...Json.array(body.messages).flatMap((message) => Json.array(Json.object(message).content))
  ]
  const found = blocks.filter((block) => Json.isObject(Json.object(block).cache_control)).length
  return found > 4 ? `A maximum of 4 blocks with cache_control may be provided. Found ${found}.` : undefined
}

// =============================================================================
// Tools and thinking
// =============================================================================

const checkTools = (body: Json.JsonObject): string | undefined => {
  const tools = Json.array(body.tools).map(Json.object)
  for (const [index, tool] of tools.entries()) {
    if (typeof tool.name !== "string" && tool.type !== "mcp_toolset") {
      return `tools.${index}.custom.name: Field required`
    }
    if (tool.type !== undefined && tool.type !== "custom") continue
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(Json.string(tool.name))) {
      return `tools.${index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`
    }
    if (!Json.isObject(tool.input_schema)) return `tools.${index}.custom.input_schema: Field required`
    if (tool.input_schema.type !== "object") return `tools.${index}.custom.input_schema.type: Field required`
  }
  if (new Set(tools.map((tool) => tool.name)).size !== tools.length) return "tools: Tool names must be unique."
  if (body.tool_choice === undefined || body.tool_choice === null) return undefined
  if (tools.length === 0) return "tool_choice: may only be specified while providing tools"
  const choice = Json.object(body.tool_choice)
  return choice.type === "tool" && !tools.some((tool) => tool.name === choice.name)
    ? `Tool '${String(choice.name)}' not found in provided tools`
    : undefined
}

const checkThinking = (body: Json.JsonObject): string | undefined => {
  const thinking = Json.object(body.thinking)
  if (thinking.type !== "enabled") return undefined
  const budget = thinking.budget_tokens
  if (typeof budget !== "number") return "thinking.enabled.budget_tokens: Field required"
  if (budget < 1024) return "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
  if (typeof body.max_tokens === "number" && body.max_tokens <= budget) {
    return "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
  }
  if (typeof body.temperature === "number" && body.temperature !== 1) {
    return "`temperature` may only be set to 1 when thinking is enabled."
  }
  const choice = Json.object(body.tool_choice).type
  return choice === "any" || choice === "tool"
    ? "Thinking may not be enabled when tool_choice forces tool use."
    : undefined
}
