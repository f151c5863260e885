/**
 * A request as the Anthropic wire spells it: https://platform.claude.com/docs/en/api/messages/create
 *
 * History is made legal by `Conversation`; this file hoists the system prompt, merges turns and
 * sets the options. Blocks are spelled in `Content`, breakpoints placed in `Cache`, thinking resolved in `Thinking`.
 *
 * @since 0.1.0
 */
import type { Issue, LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { FunctionTool } from "../../LlmTool.ts"
import type { JsonObject, ReasoningPart } from "../../Message.ts"
import { prepare, type Rules, type Turn } from "../Conversation.ts"
import { calledTools, declaredForHistory } from "../conversation/Called.ts"
import { plainIds } from "../conversation/Ids.ts"
import { plainNames } from "../conversation/ToolNames.ts"
import { encoding } from "../encoding.ts"
import { leftOut } from "../Placeless.ts"
import { bodyOf } from "../Probe.ts"
import type { Encode, Encoded, EncodeInput, Refused } from "../Protocol.ts"
import { anthropic } from "../schema/dialects.ts"
import { Schemas } from "../schema/Schemas.ts"
import { orderedTools } from "../ToolOrder.ts"
import type { Body, BodyMessage, BodyTool, BodyToolChoice, ContentBlock, TextBlock } from "./Body.ts"
import { placeBreakpoints, type Wanted } from "./Cache.ts"
import { type Building, contentOf } from "./Content.ts"
import { goesOn, lacksThinking, withoutThinking } from "./Loop.ts"
import { wire } from "./name.ts"
import type { Quirks } from "./Quirks.ts"
import { rulesOf as optionRules } from "./Rules.ts"
import { resolveLimits } from "./Thinking.ts"

export { wire } from "./name.ts"

const rulesOf = (input: EncodeInput, quirks: Quirks): Rules => {
  const { meta, request } = input
  return {
    wire,
    toolCallId: plainIds(),
    keepReasoning: (part: ReasoningPart) => {
      const from = part.origin?.provider
      if (from !== undefined && from !== input.provider && quirks.reasoningFrom?.includes(from) !== true) return false
      if (part.encrypted !== undefined) return true
      return (part.signature !== undefined && part.signature !== "") || quirks.allowEmptySignature === true
    },
    serverToolResult: "tool_use_id",
    resultMedia: (_, result) => result.isError === true ? "leave-out" : "keep",
    assistantMedia: false,
    nothing: "blank",
    leadingSystem: true,
    alternating: true,
    userFirst: true,
    userLast: !goesOn(request, meta?.capabilities.prefill),
    // "The final block in an assistant message cannot be `thinking`": https://github.com/tailcallhq/forgecode/pull/3073
    reasoningNeeds: "something-after"
  }
}

// =============================================================================
// Messages
// =============================================================================

/** The API wants the results of calls before anything else of a user turn. */
const resultsFirst = (content: Array<ContentBlock>): Array<ContentBlock> => {
  const isResult = (block: ContentBlock) => block["type"] === "tool_result"
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))]
}

const messagesFrom = (turns: ReadonlyArray<Turn>, building: Building): Array<BodyMessage> => {
  const messages: Array<BodyMessage> = []
  for (const turn of turns) {
    const role = turn.role === "assistant" ? "assistant" : "user"
    const content = contentOf(role, turn.parts, building)
    if (content.length === 0) continue
    const last = messages.at(-1)
    if (last?.role === role) { for (const block of content) last.content.push(block) }
    else messages.push({ role, content })
  }
  for (const message of messages) if (message.role === "user") message.content = resultsFirst(message.content)
  const last = messages.at(-1)
  const end = last?.role === "assistant" ? last.content.at(-1) : undefined
  if (end !== undefined && end["type"] === "text") {
    const text = end as TextBlock
    const trimmed = text.text.trimEnd()
    if (trimmed !== text.text) {
      text.text = trimmed
      building.warnings.push({
        field: "messages",
        message: "A final assistant message cannot end in whitespace; it was trimmed."
      })
    }
  }
  return messages
}

const isThinking = (block: ContentBlock): boolean =>
  block["type"] === "thinking" || block["type"] === "redacted_thinking"

/** Leading system turns become the system prompt, each part a block of its own. */
const systemOf = (turns: ReadonlyArray<Turn>, building: Building): Array<TextBlock> =>
  turns.flatMap((turn) =>
    contentOf("user", turn.parts, building).filter((block): block is TextBlock => block["type"] === "text")
  )

// =============================================================================
// Tools
// =============================================================================

const functionTool = (
  tool: FunctionTool,
  at: string,
  quirks: Quirks,
  wanted: Wanted,
  schemas: Schemas
): BodyTool | Refused => {
  const spelled = schemas.tool(tool, at)
  if ("refused" in spelled) return spelled
  const strict = tool.strict !== undefined && quirks.strictTools !== false ? spelled.strict : undefined
  const made: BodyTool = {
    name: tool.name,
    ...(tool.description === undefined ? undefined : { description: tool.description }),
    input_schema: { ...spelled.schema, type: "object" } as BodyTool["input_schema"],
    ...(strict === undefined ? undefined : { strict })
  }
  if (tool.cacheControl !== undefined) wanted.set(made, tool.cacheControl)
  return made
}

/**
 * A tool that only the history knows: "Requests which include `tool_use` or `tool_result` blocks must define tools",
 * https://github.com/BerriAI/litellm/issues/4689
 */
const undescribed = (name: string): BodyTool => ({ name, input_schema: { type: "object" } })

const toolsOf = (
  request: LlmRequest,
  quirks: Quirks,
  wanted: Wanted,
  schemas: Schemas,
  warnings: Array<Warning>
): Array<BodyTool | JsonObject> | Issue => {
  // Provider tools first, so that a breakpoint falls on a tool that is ours to mark.
  const tools = orderedTools(request).toSorted((a, b) => Number(b.type === "provider") - Number(a.type === "provider"))
  const out: Array<BodyTool | JsonObject> = []
  for (const tool of tools) {
    if (tool.type === "custom") {
      return {
        field: "tools",
        message: `"${tool.name}" takes free-form text, which this wire lacks: give it a schema with a string property.`
      }
    }
    // A copy, because a breakpoint may be put on it.
    if (tool.type === "provider") {
      out.push({ ...tool.definition })
      continue
    }
    const made = functionTool(tool, `tools[${request.tools!.indexOf(tool)}]`, quirks, wanted, schemas)
    if ("refused" in made) return made.refused as Issue
    out.push(made)
  }
  if (quirks.strictTools === false && tools.some((tool) => tool.type === "function" && tool.strict === true)) {
    warnings.push({ field: "tools", message: "This provider has no strict tools; arguments may not fit the schema." })
  }
  return out
}

const toolChoiceOf = (request: LlmRequest): BodyToolChoice | undefined => {
  if ((request.tools ?? []).length === 0) return undefined
  const choice = request.toolChoice
  const parallel = request.parallelToolCalls === undefined
    ? undefined
    : { disable_parallel_tool_use: !request.parallelToolCalls }
  if (choice === "none") return { type: "none" }
  if (choice === "required") return { type: "any", ...parallel }
  if (typeof choice === "object") return { type: "tool", name: choice.name, ...parallel }
  return choice === undefined && parallel === undefined ? undefined : { type: "auto", ...parallel }
}

// =============================================================================
// Answer format
// =============================================================================

/** The format, or the instruction that stands in for it. */
const formatOf = (
  input: EncodeInput,
  quirks: Quirks,
  schemas: Schemas,
  warnings: Array<Warning>
): { readonly schema?: JsonObject; readonly instruction?: string } | Refused => {
  const format = input.request.responseFormat
  if (format === undefined || format.type === "text") return {}
  if (format.type === "json") {
    warnings.push({
      field: "responseFormat",
      message: "This wire has no free JSON mode; the model was told to answer in JSON."
    })
    return { instruction: "Answer with one valid JSON value and nothing else: no prose, no code fence." }
  }
  if (quirks.structuredOutput !== false && input.meta?.capabilities.structuredOutput !== false) {
    const told = schemas.answer(format)
    if ("refused" in told || told.inDialect) return told
  }
  const told = schemas.instruction(format, "any")
  if ("refused" in told) return told
  warnings.push({
    field: "responseFormat",
    message: "The model has no structured output; it was told to answer in JSON of the schema."
  })
  return {
    instruction: "Answer with one JSON value that fits this JSON Schema and nothing else: no prose, no code fence.\n" +
      JSON.stringify(told.schema)
  }
}

// =============================================================================
// Options
// =============================================================================

/** Options as they are; those that the model and the host do not take are gone already. */
const setSampling = (body: Body, request: LlmRequest, warnings: Array<Warning>): void => {
  if (request.temperature !== undefined) body.temperature = request.temperature
  if (request.topP !== undefined) body.top_p = request.topP
  if (request.topK !== undefined) body.top_k = request.topK
  const stop = (request.stop ?? []).filter((text) => text.trim() !== "")
  if (stop.length < (request.stop?.length ?? 0)) {
    warnings.push({ field: "stop", message: "A stop sequence must hold more than whitespace; it was left out." })
  }
  if (stop.length > 0) body.stop_sequences = stop
}

// =============================================================================
// Body
// =============================================================================

const encode = (input: EncodeInput, quirks: Quirks): Encoded | Refused => {
  const { meta, request } = input
  const { refused, turns, warnings } = prepare(request, rulesOf(input, quirks))
  if (refused !== undefined) return { refused }
  warnings.push(...leftOut(request, ["image.detail"]))
  const building: Building = { quirks, wanted: new Map(), warnings, refused: undefined }

  const spoken = turns.findIndex((turn) => turn.role !== "system")
  const system = systemOf(spoken === -1 ? turns : turns.slice(0, spoken), building)
  const messages = messagesFrom(spoken === -1 ? [] : turns.slice(spoken), building)
  if (building.refused !== undefined) return { refused: building.refused }
  const dialects = quirks.strictTools === false ? { ...anthropic, strictTools: undefined } : anthropic
  const schemas = new Schemas(dialects, input, warnings)
  const tools = toolsOf(request, quirks, building.wanted, schemas, warnings)
  if (!Array.isArray(tools)) return { refused: tools }
  const declared = tools.length > 0 ? [] : calledTools(turns).map(undescribed)
  if (declared.length > 0) warnings.push(declaredForHistory)
  const toolChoice = declared.length > 0 ? { type: "none" as const } : toolChoiceOf(request)
  const accepts = (from: string) => from === input.provider || quirks.reasoningFrom?.includes(from) === true
  const limits = resolveLimits(request, meta, quirks, warnings, lacksThinking(turns, accepts))
  if (limits.thinking === undefined || limits.thinking.type === "disabled") {
    const last = messages.at(-1)
    if (last?.role === "assistant") last.content = withoutThinking(last.content, isThinking, warnings)
  }
  const format = formatOf(input, quirks, schemas, warnings)
  if ("refused" in format) return format

  const body: Body = { model: input.model, max_tokens: limits.maxTokens, messages }
  if (system.length > 0) body.system = system
  if (tools.length + declared.length > 0) body.tools = [...tools, ...declared]
  if (toolChoice !== undefined) body.tool_choice = toolChoice
  if (limits.thinking !== undefined) body.thinking = limits.thinking
  if (limits.effort !== undefined || format.schema !== undefined) {
    body.output_config = {
      ...(limits.effort === undefined ? undefined : { effort: limits.effort }),
      ...(format.schema === undefined ? undefined : { format: { type: "json_schema", schema: format.schema } })
    }
  }
  setSampling(body, request, warnings)
  placeBreakpoints(body, building.wanted, request.cache, quirks, warnings)
  // After the breakpoints, so that it does not change what is cached.
  if (format.instruction !== undefined) body.system = [...system, { type: "text", text: format.instruction }]
  if (input.stream) body.stream = true
  return { path: quirks.path ?? "/messages", body: bodyOf(body), warnings, ...schemas.sent }
}

/**
 * The encoder for a host with these quirks.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encoder = (quirks: Quirks): Encode => {
  const rules = [optionRules(quirks), quirks.rules]
  return encoding({
    wire,
    toolNames: plainNames,
    rules: () => rules,
    encode: (input) => encode(input, quirks),
    path: () => quirks.path ?? "/messages"
  })
}
