/**
 * Spells a request as a Responses body: options, tools and answer format; input items have a file of their own. What
 * the API lacks is dropped with a warning when the meaning stays, and refused when it would not.
 *
 * @since 0.1.0
 */
import type { LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { LlmTool } from "../../LlmTool.ts"
import type { Json, JsonObject } from "../../Message.ts"
import type { ModelMeta } from "../../Model.ts"
import { reasoningFields } from "../chat/ReasoningRequest.ts"
import { plainNames } from "../conversation/ToolNames.ts"
import { encoding } from "../encoding.ts"
import { leftOut } from "../Placeless.ts"
import { bodyOf, list, nonEmpty, record } from "../Probe.ts"
import type { Encode, Encoded, EncodeInput, Refused } from "../Protocol.ts"
import { openAi } from "../schema/dialects.ts"
import { Schemas } from "../schema/Schemas.ts"
import { placedTools } from "../ToolOrder.ts"
import type { Body, Effort, WireFormat, WireTool, WireToolChoice } from "./Body.ts"
import { inputFor } from "./Input.ts"
import { wire } from "./name.ts"
import { type Quirks, rulesOf } from "./Quirks.ts"
import { calledItemsOf } from "./ToolItems.ts"

const refused = (field: string, message: string): Refused => ({ refused: { field, message } })

const isRefused = (value: object): value is Refused => "refused" in value && typeof value.refused === "object"

/** Options of the provider's own that this wire merges into fields it also writes itself. */
const optionsOf = (input: EncodeInput): JsonObject =>
  (input.request.providerOptions as { readonly [id: string]: JsonObject | undefined } | undefined)?.[input.provider] ??
    {}

// ---------------------------------------------------------------------------
// Tools
// ---------------------------------------------------------------------------

const toolOf = (
  tool: LlmTool,
  at: string,
  quirks: Quirks,
  schemas: Schemas
): WireTool | JsonObject | Refused => {
  switch (tool.type) {
    case "provider":
      // The host's own entry (web_search, mcp, …), which this wire neither knows nor checks.
      return tool.definition
    case "custom":
      return quirks.customTools === false
        ? refused(at, "The provider has no free-form tools: give the tool a JSON Schema instead.")
        : {
          type: "custom",
          name: tool.name,
          ...(tool.description === undefined ? undefined : { description: tool.description }),
          ...(tool.format === undefined ? undefined : { format: tool.format })
        }
    case "function": {
      const parameters = schemas.tool(tool, at)
      if (isRefused(parameters)) return parameters
      return {
        type: "function",
        name: tool.name,
        ...(tool.description === undefined ? undefined : { description: tool.description }),
        parameters: { ...parameters.schema },
        // Left out, the API would make the schema strict and change it on the way.
        strict: parameters.strict
      }
    }
  }
}

const toolsOf = (request: LlmRequest, quirks: Quirks, schemas: Schemas): Array<WireTool | JsonObject> | Refused => {
  const out: Array<WireTool | JsonObject> = []
  for (const [tool, at] of placedTools(request)) {
    const made = toolOf(tool, at, quirks, schemas)
    if (isRefused(made)) return made
    out.push(made)
  }
  return out
}

/** https://platform.openai.com/docs/api-reference/responses/create#responses-create-tool_choice */
const choiceOf = (request: LlmRequest): WireToolChoice | JsonObject | undefined => {
  const choice = request.toolChoice
  if (choice === undefined || typeof choice === "string") return choice
  const tool = request.tools?.find((one) => one.name === choice.name)
  if (tool?.type === "custom") return { type: "custom", name: choice.name }
  if (tool?.type !== "provider") return { type: "function", name: choice.name }
  const { name, server_label: server, type } = tool.definition
  return {
    type: type ?? choice.name,
    ...(server === undefined ? undefined : { server_label: server }),
    ...(name === undefined ? undefined : { name })
  }
}

// ---------------------------------------------------------------------------
// Answer format
// ---------------------------------------------------------------------------

const formatOf = (
  request: LlmRequest,
  schemas: Schemas
): WireFormat | Refused | undefined => {
  const format = request.responseFormat
  if (format === undefined || format.type === "text") return undefined
  if (format.type === "json") return { type: "json_object" }
  const told = schemas.answer(format)
  if (isRefused(told)) return told
  return {
    type: "json_schema",
    name: format.name ?? "response",
    ...(format.description === undefined ? undefined : { description: format.description }),
    schema: { ...told.schema },
    strict: told.strict
  }
}

// ---------------------------------------------------------------------------
// Thinking
// ---------------------------------------------------------------------------

const reasoningOf = (
  request: LlmRequest,
  quirks: Quirks,
  meta: ModelMeta | undefined,
  warnings: Array<Warning>
): Body["reasoning"] => {
  const dialect = { reasoning: "reasoning_effort" as const, reasoningEfforts: quirks.reasoningEfforts }
  const effort = reasoningFields(request.thinking, dialect, meta, warnings)["reasoning_effort"]
  if (effort === undefined) return undefined
  const summary = quirks.reasoningSummary ?? "auto"
  return {
    effort: effort as Effort,
    ...(summary === false || request.thinking === "off" ? undefined : { summary })
  }
}

// ---------------------------------------------------------------------------
// Options
// ---------------------------------------------------------------------------

const cacheFields = (
  request: LlmRequest,
  quirks: Quirks,
  breakpoints: boolean,
  body: Body,
  warnings: Array<Warning>
): void => {
  const cache = request.cache
  if (cache === undefined) return
  const warn = (field: string, message: string) => warnings.push({ field: `cache.${field}`, message })
  if (cache.key !== undefined) body.prompt_cache_key = cache.key
  if (cache.extendedTtl === true) {
    if (breakpoints) body.prompt_cache_options = { ttl: "12h" }
    else if (quirks.promptCacheRetention === false) {
      warn("extendedTtl", "The provider has no cache lifetime; it was left out.")
    } else body.prompt_cache_retention = "24h"
  }
  // Tools come first in the prompt: what caches the system prompt caches them as well.
  if (cache.tools === true && !breakpoints) {
    warn("tools", "The provider has no cache breakpoints; the tools were only sorted by name.")
  }
}

const options = (request: LlmRequest, body: Body): void => {
  if (request.maxTokens !== undefined) body.max_output_tokens = request.maxTokens
  if (request.temperature !== undefined) body.temperature = request.temperature
  if (request.topP !== undefined) body.top_p = request.topP
}

const includes = (input: EncodeInput, quirks: Quirks, stored: boolean) => {
  const { meta, request } = input
  const out: Array<"reasoning.encrypted_content" | "message.output_text.logprobs"> = []
  const thinks = request.thinking !== undefined && request.thinking !== "off"
  const encrypted = quirks.encryptedReasoning ??
    (meta?.capabilities.reasoning ?? thinks)
  if (encrypted && !stored) out.push("reasoning.encrypted_content")
  if (request.logprobs !== undefined && request.logprobs !== false) out.push("message.output_text.logprobs")
  return out
}

// ---------------------------------------------------------------------------
// Body
// ---------------------------------------------------------------------------

/** A body and what was dropped from the request. @stability experimental @category models @since 0.1.0 */
export interface Built {
  readonly body: Body
  readonly warnings: ReadonlyArray<Warning>
  readonly sent: Schemas["sent"]
}

/**
 * JSON mode is refused unless the input says so; `instructions` do not count: "Response input messages must contain the word 'json' in
 * some form to use 'text.format' of type 'json_object'". https://github.com/ultimatejimmy/xray.koplugin/issues/33
 */
const sayJson = (items: Body["input"], quirks: Quirks, warnings: Array<Warning>): void => {
  if (items.some((item) => "content" in item && /json/i.test(JSON.stringify(item.content)))) return
  items.unshift({ role: quirks.systemRole ?? "developer", content: "Answer in JSON." })
  warnings.push({
    field: "messages",
    message: "JSON mode needs the word JSON in a message; an instruction was added.",
    url: "https://platform.openai.com/docs/guides/structured-outputs#json-mode"
  })
}

/**
 * Builds the body, typed as far as OpenAI knows it.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
const build = (input: EncodeInput, quirks: Quirks): Built | Refused => {
  const { request } = input
  const own = optionsOf(input)
  const warnings: Array<Warning> = []
  const schemas = new Schemas(quirks.schemas ?? openAi, input, warnings)
  const format = formatOf(request, schemas)
  if (format !== undefined && isRefused(format)) return format
  const tools = toolsOf(request, quirks, schemas)
  if (isRefused(tools)) return tools
  const store = typeof own["store"] === "boolean" ? own["store"] : quirks.store ?? false
  const continues = nonEmpty(own["previous_response_id"]) !== undefined ||
    (own["conversation"] !== undefined && own["conversation"] !== null)
  const breakpoints = quirks.cacheBreakpoints ?? input.meta?.capabilities.cacheBreakpoints === true
  const spelled = inputFor(input, quirks, { stored: store === true, continues, breakpoints })
  if ("refused" in spelled) return spelled
  warnings.unshift(...spelled.warnings)
  warnings.push(...leftOut(request, ["file.citations", "tool.cacheControl"]))
  if (format?.type === "json_object") sayJson(spelled.items, quirks, warnings)
  const body: Body = { model: input.model, input: spelled.items, stream: input.stream }
  if (spelled.instructions !== undefined) body.instructions = spelled.instructions
  if (store !== "omit") body.store = store
  const include = includes(input, quirks, store === true)
  if (include.length > 0) body.include = include
  if (typeof request.logprobs === "number") body.top_logprobs = request.logprobs
  options(request, body)
  if (tools.length > 0) {
    body.tools = tools
    const choice = choiceOf(request)
    if (choice !== undefined) body.tool_choice = choice
    if (request.parallelToolCalls !== undefined) body.parallel_tool_calls = request.parallelToolCalls
  }
  if (format !== undefined) body.text = { format }
  const reasoning = reasoningOf(request, quirks, input.meta, warnings)
  if (reasoning !== undefined) body.reasoning = reasoning
  cacheFields(request, quirks, breakpoints, body, warnings)
  return { body, warnings, sent: schemas.sent }
}

const merged = (body: JsonObject, own: JsonObject): JsonObject => {
  const out: { [field: string]: Json } = {}
  for (const field of ["reasoning", "text"] as const) {
    const given = record(own[field]) as JsonObject | undefined
    if (given !== undefined) out[field] = { ...record(body[field]) as JsonObject | undefined, ...given }
  }
  const include = list(own["include"]) as ReadonlyArray<Json>
  if (include.length > 0) out["include"] = [...new Set([...list(body["include"]) as ReadonlyArray<Json>, ...include])]
  return out
}

const encode = (input: EncodeInput, quirks: Quirks): Encoded | Refused => {
  const built = build(input, quirks)
  if ("refused" in built) return built
  const body: JsonObject = { ...quirks.body, ...bodyOf(built.body) }
  const called = calledItemsOf(input.request)
  return {
    path: quirks.path ?? "/responses",
    body: { ...body, ...merged(body, optionsOf(input)) },
    warnings: built.warnings,
    ...(called.size === 0 ? undefined : { calledItems: called }),
    ...built.sent
  }
}

/**
 * The encoder for a host with these quirks.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encoder = (quirks: Quirks): Encode => {
  const rules = [rulesOf(quirks), quirks.rules]
  return encoding({
    wire,
    toolNames: plainNames,
    rules: () => rules,
    encode: (input) => encode(input, quirks),
    path: () => quirks.path ?? "/responses"
  })
}
