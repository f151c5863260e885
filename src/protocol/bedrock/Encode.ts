/**
 * A request as the Converse wire spells it: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 *
 * History is made legal by `Conversation`; this file hoists the system prompt, merges turns and spells tools. Blocks are
 * spelled in `Content`, cache points placed in `Cache`, options resolved in `Options`.
 *
 * @since 0.1.0
 */
import { nameIssue, segment } from "../../address/paths.ts"
import type { Issue, LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { FunctionTool } from "../../LlmTool.ts"
import type { Json, JsonObject, ReasoningPart } from "../../Message.ts"
import { goesOn, lacksThinking, withoutThinking } from "../anthropic/Loop.ts"
import { prepare, type Rules, type Turn } from "../Conversation.ts"
import { calledTools, declaredForHistory } from "../conversation/Called.ts"
import { plainIds } from "../conversation/Ids.ts"
import { plainNames } from "../conversation/ToolNames.ts"
import { encoding } from "../encoding.ts"
import { leftOut } from "../Placeless.ts"
import { record } from "../Probe.ts"
import type { Encode, Encoded, EncodeInput, Refused } from "../Protocol.ts"
import { bedrock } from "../schema/dialects.ts"
import { Schemas } from "../schema/Schemas.ts"
import { orderedTools } from "../ToolOrder.ts"
import { placeCachePoints, spelled } from "./Cache.ts"
import { type Building, contentOf, type Entry } from "./Content.ts"
import { wire } from "./name.ts"
import { optionsOf } from "./Options.ts"
import type { Family, Quirks } from "./Quirks.ts"
import { rulesOf as optionRules } from "./Rules.ts"

export { wire } from "./name.ts"

/** What the API takes; models that follow its strictest do with less. */
const dottedIds = /^[a-zA-Z0-9_.:-]{1,64}$/

/** Reasoning without a signature is refused in a request, and so is that of a model which is asked to reason in another way. */
const rulesOf = (input: EncodeInput, family: Family, familyOf: Quirks["familyOf"]): Rules => ({
  wire,
  toolCallId: family.dottedToolCallIds === true ? plainIds(dottedIds) : plainIds(),
  keepReasoning: ({ encrypted, origin, signature }: ReasoningPart) => {
    if (origin?.provider !== undefined && origin.provider !== input.provider) return false
    if (origin?.model !== undefined && (familyOf?.(origin.model) ?? {}).thinking !== family.thinking) return false
    return encrypted !== undefined || (signature !== undefined && signature !== "")
  },
  resultMedia: (_, result) => result.isError === true ? "leave-out" : "keep",
  assistantMedia: false,
  nothing: "blank",
  leadingSystem: true,
  alternating: true,
  userFirst: true,
  userLast: !goesOn(input.request, input.meta?.capabilities.prefill),
  reasoningNeeds: "something-after"
})

// =============================================================================
// Messages
// =============================================================================

interface Message {
  readonly role: "user" | "assistant"
  entries: Array<Entry>
}

const entryOf = (text: string): Entry => ({ block: { text }, cache: undefined })

/** Models want the results of calls before anything else of a user turn. */
const resultsFirst = (entries: ReadonlyArray<Entry>): Array<Entry> => {
  const isResult = (entry: Entry) => "toolResult" in entry.block
  return [...entries.filter(isResult), ...entries.filter((entry) => !isResult(entry))]
}

const messagesFrom = (turns: ReadonlyArray<Turn>, building: Building): Array<Message> => {
  const messages: Array<Message> = []
  const warn = (message: string) => {
    building.warnings.push({ field: "messages", message })
  }
  for (const turn of turns) {
    const role = turn.role === "assistant" ? "assistant" : "user"
    const entries = contentOf(role, turn.parts, building)
    if (entries.length === 0) continue
    const last = messages.at(-1)
    if (last?.role === role) { for (const entry of entries) last.entries.push(entry) }
    else messages.push({ role, entries })
  }
  for (const message of messages) {
    if (message.role !== "user") continue
    message.entries = resultsFirst(message.entries)
    const has = (member: string) => message.entries.some((entry) => member in entry.block)
    if (has("document") && !has("text")) {
      warn("A message with a document needs a text on this wire; one was added.")
      message.entries.push(entryOf("(The document is attached.)"))
    }
  }
  const last = messages.at(-1)
  const end = last?.role === "assistant" ? last.entries.at(-1) : undefined
  const text = end?.block["text"]
  if (last !== undefined && end !== undefined && typeof text === "string" && text.trimEnd() !== text) {
    last.entries = [...last.entries.slice(0, -1), { block: { text: text.trimEnd() }, cache: end.cache }]
    warn("A final assistant message cannot end in whitespace; it was trimmed.")
  }
  return messages
}

// =============================================================================
// Tools
// =============================================================================

const specOf = (tool: FunctionTool, at: string, schemas: Schemas): JsonObject | Refused => {
  const spelled = schemas.tool(tool, at)
  if ("refused" in spelled) return spelled
  return {
    toolSpec: {
      name: tool.name,
      ...(tool.description === undefined || tool.description === "" ? undefined : { description: tool.description }),
      inputSchema: { json: { ...spelled.schema, type: "object" } },
      ...(spelled.strict ? { strict: true } : undefined)
    }
  }
}

const toolsOf = (
  request: LlmRequest,
  called: ReadonlyArray<string>,
  family: Family,
  schemas: Schemas,
  warnings: Array<Warning>
): ReadonlyArray<Entry> | Issue => {
  const inHistory = called.length > 0
  const given = request.tools ?? []
  if (request.toolChoice === "none" && given.length > 0) {
    if (!inHistory) return []
    warnings.push({
      field: "toolChoice",
      message: "This wire has no tool choice \"none\", and the history needs the tools: the model may still call one."
    })
  }
  const custom = given.find((tool) => tool.type === "custom")
  if (custom !== undefined) {
    return {
      field: "tools",
      message: `"${custom.name}" takes free-form text, which this wire lacks: give it a schema with a string property.`
    }
  }
  if (family.structuredOutput === false && given.some((tool) => tool.type === "function" && tool.strict === true)) {
    warnings.push({ field: "tools", message: "This model has no strict tools; arguments may not fit the schema." })
  }
  if (given.length === 0 && inHistory) {
    warnings.push(declaredForHistory)
    return called.map((name): Entry => ({
      block: { toolSpec: { name, inputSchema: { json: { type: "object" } } } },
      cache: undefined
    }))
  }
  const out: Array<Entry> = []
  for (const tool of orderedTools(request)) {
    if (tool.type === "provider") out.push({ block: tool.definition, cache: undefined })
    if (tool.type !== "function") continue
    const block = specOf(tool, `tools[${given.indexOf(tool)}]`, schemas)
    if ("refused" in block) return (block as Refused).refused
    out.push({ block, cache: tool.cacheControl })
  }
  return out
}

const toolChoiceOf = (request: LlmRequest): JsonObject | undefined => {
  const choice = request.toolChoice
  if (choice === "required") return { any: {} }
  if (typeof choice === "object") return { tool: { name: choice.name } }
  return choice === "auto" ? { auto: {} } : undefined
}

// =============================================================================
// Body
// =============================================================================

const present = (fields: { readonly [key: string]: Json }): boolean => Object.keys(fields).length > 0

/** Where a request goes to. */
const pathOf = ({ model, stream }: EncodeInput): string | Refused => {
  // Also of ARNs, whose slashes are the model's.
  const name = segment(model)
  if (name === undefined) return { refused: { field: "model", message: nameIssue(model)! } }
  return `/model/${name}/${stream ? "converse-stream" : "converse"}`
}

const encode = (input: EncodeInput, quirks: Quirks): Encoded | Refused => {
  const { model, request } = input
  const path = pathOf(input)
  if (typeof path !== "string") return path
  const family = quirks.familyOf?.(model) ?? {}
  const prepared = prepare(request, rulesOf(input, family, quirks.familyOf))
  if (prepared.refused !== undefined) return { refused: prepared.refused }
  const warnings: Array<Warning> = prepared.warnings
  warnings.push(...leftOut(request, ["image.detail"]))
  const { turns } = prepared
  const building: Building = { warnings, documents: new Map(), refused: undefined }

  const spoken = turns.findIndex((turn) => turn.role !== "system")
  const leading = spoken === -1 ? turns : turns.slice(0, spoken)
  const system = leading.flatMap((turn) =>
    contentOf("user", turn.parts, building).filter((entry) => "text" in entry.block)
  )
  const messages = messagesFrom(spoken === -1 ? [] : turns.slice(spoken), building)
  if (building.refused !== undefined) return { refused: building.refused }
  const dialects = family.structuredOutput === false ? { tools: bedrock.tools } : bedrock
  const schemas = new Schemas(dialects, input, warnings)
  const tools = toolsOf(request, calledTools(turns), family, schemas, warnings)
  if ("field" in tools) return { refused: tools }
  const chosen = tools.length === 0 || (request.tools ?? []).length === 0 ? undefined : toolChoiceOf(request)
  const forced = chosen !== undefined && !("auto" in chosen)
  const options = optionsOf(
    input,
    family,
    lacksThinking(turns, (from) => from === input.provider),
    schemas,
    warnings
  )
  if ("refused" in options) return options
  const { additional, inferenceConfig, instruction, outputConfig } = options
  const last = messages.at(-1)
  const thinks = !["disabled", undefined].includes(record(additional["thinking"])?.["type"] as string | undefined)
  if ((family.thinking ?? "anthropic") === "anthropic" && !thinks && last?.role === "assistant") {
    last.entries = withoutThinking(last.entries, (entry) => "reasoningContent" in entry.block, warnings)
  }
  // The type may stand in one of the two places only: https://github.com/BerriAI/litellm/pull/34347
  const serial = family.serialToolCalls === true && request.parallelToolCalls === false && tools.length > 0
  const toolChoice = serial && !forced ? undefined : chosen
  if (serial) {
    additional["tool_choice"] = { ...(forced ? undefined : { type: "auto" }), disable_parallel_tool_use: true }
  }
  const caching = input.meta?.capabilities.promptCaching === false ? "none" : family.caching
  placeCachePoints({ tools, system, messages }, request.cache, caching, warnings)
  // After the cache points, so that it does not change what is cached.
  const systemBlocks = [...spelled(system), ...(instruction === undefined ? [] : [{ text: instruction }])]

  const body: { [key: string]: Json } = {
    messages: messages.map(({ entries, role }) => ({ role, content: spelled(entries) }))
  }
  if (systemBlocks.length > 0) body["system"] = systemBlocks
  if (present(inferenceConfig)) body["inferenceConfig"] = inferenceConfig
  if (tools.length > 0) {
    body["toolConfig"] = { tools: spelled(tools), ...(toolChoice === undefined ? undefined : { toolChoice }) }
  }
  if (present(additional)) body["additionalModelRequestFields"] = additional
  if (present(outputConfig)) body["outputConfig"] = outputConfig
  return { path, body, warnings, ...schemas.sent }
}

/**
 * The encoder, with the quirks of the models behind the API.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encoder = (quirks: Quirks): Encode =>
  encoding({
    wire,
    toolNames: plainNames,
    rules: ({ model }) => {
      const family = quirks.familyOf?.(model) ?? {}
      return [optionRules(family), family.rules]
    },
    encode: (input) => encode(input, quirks),
    path: pathOf
  })
