/**
 * Spells a request as a Chat Completions body: options, tools and answer format; messages and reasoning have files of
 * their own. What the host lacks is dropped with a warning when the meaning stays, and refused when it would not.
 *
 * @since 0.1.0
 */
import type { Issue, LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { LlmTool } from "../../LlmTool.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { plainNames } from "../conversation/ToolNames.ts"
import { encoding } from "../encoding.ts"
import { leftOut } from "../Placeless.ts"
import { bodyOf } from "../Probe.ts"
import type { Encode, Encoded, EncodeInput, Refused } from "../Protocol.ts"
import { openAi, plain } from "../schema/dialects.ts"
import { Schemas } from "../schema/Schemas.ts"
import { placedTools } from "../ToolOrder.ts"
import { limitMarks } from "./Marks.ts"
import { cacheControlOf, messagesFor } from "./Messages.ts"
import { wire } from "./name.ts"
import { marksParts, type Quirks, rulesOf } from "./Quirks.ts"
import { reasoningFields } from "./ReasoningRequest.ts"
import type { Body, WireFormat, WireTool, WireToolChoice } from "./Wire.ts"

type Extra = { [field: string]: Json }

const isRefused = (value: object): value is Refused => "refused" in value && typeof value.refused === "object"

const refused = (field: string, message: string): Refused => ({ refused: { field, message } })

class Warnings {
  readonly all: Array<Warning> = []
  add(field: string, message: string): void {
    this.all.push({ field, message })
  }
}

const schemasOf = (input: EncodeInput, quirks: Quirks, warnings: Warnings): Schemas => {
  const { strictTools, ...dialects } = quirks.schemas ?? (quirks.strictSchema === false ? plain : openAi)
  return new Schemas(
    { ...dialects, strictTools: quirks.strictTools === false ? undefined : strictTools },
    input,
    warnings.all
  )
}

// ---------------------------------------------------------------------------
// Tools
// ---------------------------------------------------------------------------

const toolOf = (
  tool: LlmTool,
  at: string,
  quirks: Quirks,
  schemas: Schemas,
  warnings: Warnings
): WireTool | JsonObject | Refused => {
  switch (tool.type) {
    case "provider":
      // The host's own entry, which this wire neither knows nor checks. A copy, because a breakpoint may be put on it.
      return { ...tool.definition }
    case "custom": {
      if (quirks.customTools === false) {
        return refused(at, "The provider has no free-form tools: give the tool a JSON Schema instead.")
      }
      const custom: { name: string; description?: string } = { name: tool.name }
      if (tool.description !== undefined) custom.description = tool.description
      return {
        type: "custom",
        custom: { ...custom, ...(tool.format === undefined ? undefined : { format: tool.format }) }
      } as WireTool
    }
    case "function": {
      const parameters = schemas.tool(tool, at)
      if (isRefused(parameters)) return parameters
      const strict = tool.strict !== undefined && quirks.strictTools !== false
      if (tool.strict === true && !strict) {
        warnings.add(`${at}.strict`, "The provider has no strict tools; it was left out.")
      }
      const made: WireTool = {
        type: "function",
        function: {
          name: tool.name,
          ...(tool.description === undefined ? undefined : { description: tool.description }),
          parameters: parameters.schema,
          ...(strict ? { strict: parameters.strict } : undefined)
        }
      }
      if (tool.cacheControl === undefined) return made
      if (marksParts(quirks)) return Object.assign(made, { cache_control: cacheControlOf(tool.cacheControl) })
      warnings.add(`${at}.cacheControl`, "The provider has no cache breakpoints; it was left out.")
      return made
    }
  }
}

const toolsOf = (
  request: LlmRequest,
  quirks: Quirks,
  schemas: Schemas,
  warnings: Warnings
): Array<WireTool | JsonObject> | Refused => {
  const out: Array<WireTool | JsonObject> = []
  for (const [tool, at] of placedTools(request)) {
    const made = toolOf(tool, at, quirks, schemas, warnings)
    if (isRefused(made)) return made
    out.push(made)
  }
  const last = out.at(-1)
  if (
    request.cache?.tools === true && last !== undefined && marksParts(quirks) && !("cache_control" in last)
  ) {
    const control = cacheControlOf(request.cache.extendedTtl === true ? "extended" : "ephemeral")
    Object.assign(last, { cache_control: control })
  }
  return out
}

const choiceOf = (request: LlmRequest, quirks: Quirks): WireToolChoice | undefined => {
  const choice = request.toolChoice
  if (choice === undefined) return undefined
  if (choice === "required") return (quirks.requiredToolChoice ?? "required") as "required"
  if (typeof choice === "string") return choice
  const tool = request.tools?.find((one) => one.name === choice.name)
  return tool?.type === "custom"
    ? { type: "custom", custom: { name: choice.name } }
    : { type: "function", function: { name: choice.name } }
}

// ---------------------------------------------------------------------------
// Answer format
// ---------------------------------------------------------------------------

interface Format {
  readonly field?: WireFormat
  readonly instructions?: string
}

const formatOf = (
  request: LlmRequest,
  quirks: Quirks,
  schemas: Schemas,
  warnings: Warnings
): Format | Refused => {
  const format = request.responseFormat
  if (format === undefined || format.type === "text") return {}
  const known = quirks.responseFormat ?? "json_schema"
  if (format.type === "json") {
    if (known !== "none") return { field: { type: "json_object" } }
    warnings.add("responseFormat", "The provider has no JSON mode; the format was asked for in the instructions.")
    return { instructions: "Answer with one JSON value and nothing else." }
  }
  if (known === "json_schema") {
    const told = schemas.answer(format)
    if (isRefused(told)) return told
    return {
      field: {
        type: "json_schema",
        json_schema: {
          name: format.name ?? "response",
          ...(format.description === undefined ? undefined : { description: format.description }),
          schema: { ...told.schema },
          ...(quirks.strictSchema === false ? undefined : { strict: told.strict })
        }
      }
    }
  }
  const told = schemas.instruction(format, known === "json_object" ? "object" : "any")
  if (isRefused(told)) return told
  warnings.add("responseFormat", "The provider takes no JSON Schema; the schema was put in the instructions.")
  return {
    ...(known === "json_object" ? { field: { type: "json_object" } } : undefined),
    instructions: "Answer with one JSON value that fits this JSON Schema, and nothing else:\n" +
      JSON.stringify(told.schema)
  }
}

// ---------------------------------------------------------------------------
// Options
// ---------------------------------------------------------------------------

const cacheFields = (request: LlmRequest, quirks: Quirks, body: Body, warnings: Warnings): void => {
  const cache = request.cache
  if (cache === undefined) return
  if (cache.key !== undefined) body.prompt_cache_key = cache.key
  if (cache.extendedTtl === true && !marksParts(quirks)) {
    if (quirks.promptCacheRetention === true) body.prompt_cache_retention = "24h"
    else warnings.add("cache.extendedTtl", "The provider has no cache lifetime; it was left out.")
  }
  if (cache.tools === true && !marksParts(quirks)) {
    warnings.add("cache.tools", "The provider has no cache breakpoints; the tools were only sorted by name.")
  }
}

/** Options as they are; those that the host lacks are gone already. */
const options = ({ meta, request }: EncodeInput, quirks: Quirks, body: Body, extra: Extra): void => {
  if (request.maxTokens !== undefined) {
    body[meta?.limitsCompletion === true ? "max_completion_tokens" : quirks.tokenField ?? "max_completion_tokens"] =
      request.maxTokens
  }
  if (request.temperature !== undefined) body.temperature = request.temperature
  if (request.topP !== undefined) body.top_p = request.topP
  if (request.topK !== undefined) extra["top_k"] = request.topK
  if (request.frequencyPenalty !== undefined) body.frequency_penalty = request.frequencyPenalty
  if (request.presencePenalty !== undefined) body.presence_penalty = request.presencePenalty
  if (request.stop !== undefined && request.stop.length > 0) body.stop = [...request.stop]
  if (request.seed !== undefined) {
    if (quirks.seedField === "random_seed") extra["random_seed"] = request.seed
    else body.seed = request.seed
  }
  if (request.logprobs !== undefined && request.logprobs !== false) {
    if (quirks.logprobs === "count") extra["logprobs"] = request.logprobs === true ? 1 : request.logprobs
    else {
      body.logprobs = true
      if (typeof request.logprobs === "number") body.top_logprobs = request.logprobs
    }
  }
}

// ---------------------------------------------------------------------------
// Body
// ---------------------------------------------------------------------------

/**
 * A typed body of OpenAI's API beside the fields that other hosts add.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Built {
  readonly body: Body
  readonly extra: JsonObject
  readonly warnings: ReadonlyArray<Warning>
  readonly sent: Schemas["sent"]
}

/**
 * Builds the body, typed as far as OpenAI knows it.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
const build = (input: EncodeInput, quirks: Quirks): Built | { readonly refused: Issue } => {
  const { request } = input
  const warnings = new Warnings()
  const schemas = schemasOf(input, quirks, warnings)
  const format = formatOf(request, quirks, schemas, warnings)
  if (isRefused(format)) return format
  const tools = toolsOf(request, quirks, schemas, warnings)
  if (isRefused(tools)) return tools
  const spelled = messagesFor(input, quirks, warnings.all, format.instructions)
  if ("refused" in spelled) return spelled
  if (marksParts(quirks)) limitMarks(spelled.messages, tools, warnings.all)
  warnings.all.push(...leftOut(request, ["file.citations"]))
  const extra: Extra = {}
  const body: Body = { model: input.model, messages: spelled.messages, stream: input.stream }
  if (input.stream && quirks.streamUsage !== false) body.stream_options = { include_usage: true }
  options(input, quirks, body, extra)
  if (tools.length > 0) {
    body.tools = tools
    const choice = choiceOf(request, quirks)
    if (choice !== undefined && quirks.toolChoiceValue === true) extra["tool_choice"] = { value: choice as Json }
    else if (choice !== undefined) body.tool_choice = choice
    if (request.parallelToolCalls !== undefined) body.parallel_tool_calls = request.parallelToolCalls
  } else if (quirks.emptyToolsWithHistory === true && spelled.toolCalls) body.tools = []
  if (format.field !== undefined) body.response_format = format.field
  cacheFields(request, quirks, body, warnings)
  Object.assign(extra, reasoningFields(request.thinking, quirks, input.meta, warnings.all))
  return { body, extra, warnings: warnings.all, sent: schemas.sent }
}

const encode = (input: EncodeInput, quirks: Quirks): Encoded | Refused => {
  const built = build(input, quirks)
  if ("refused" in built) return built
  return {
    path: quirks.path ?? "/chat/completions",
    body: { ...quirks.body, ...bodyOf(built.body), ...built.extra },
    warnings: built.warnings,
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
    path: () => quirks.path ?? "/chat/completions"
  })
}
