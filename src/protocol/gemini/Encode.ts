/**
 * A request as the Gemini wire spells it: https://ai.google.dev/api/generate-content#request-body
 *
 * History is made legal by `Conversation`; this file sets system instruction, tools and options. Contents are spelled in
 * `Content`, schemas in `Schema`, thinking is resolved in `Thinking`.
 *
 * @since 0.1.0
 */
import { nameIssue, resource } from "../../address/paths.ts"
import type { Issue, LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { FunctionTool } from "../../LlmTool.ts"
import type { JsonObject } from "../../Message.ts"
import { prepare, type Turn } from "../Conversation.ts"
import { identifiers } from "../conversation/ToolNames.ts"
import { encoding } from "../encoding.ts"
import { leftOut } from "../Placeless.ts"
import { bodyOf } from "../Probe.ts"
import type { Encode, Encoded, EncodeInput, Refused } from "../Protocol.ts"
import { gemini, geminiOld } from "../schema/dialects.ts"
import { Schemas, type Spelled } from "../schema/Schemas.ts"
import { orderedTools } from "../ToolOrder.ts"
import type { Body, BodyTool, FunctionDeclaration, GenerationConfig, TextPart, ToolConfig } from "./Body.ts"
import { type Building, contentsOf, rulesOf } from "./Content.ts"
import { wire } from "./name.ts"
import { type Quirks, wireRules } from "./Quirks.ts"
import { thinkingConfig, thinksByLevel } from "./Thinking.ts"

export { wire } from "./name.ts"

const isIssue = (value: object): value is Issue => "field" in value && "message" in value

// =============================================================================
// Tools
// =============================================================================

/** Hosts of OpenAPI's schemas refuse any other. */
const told = (spelled: Spelled | Refused, field: string, quirks: Quirks): Spelled | Issue =>
  "refused" in spelled
    ? spelled.refused as Issue
    : quirks.jsonSchema === false && !spelled.inDialect
    ? { field, message: "This host takes a part of OpenAPI's schemas, in which it cannot be said: make it smaller." }
    : spelled

const declarationOf = (
  tool: FunctionTool,
  at: string,
  quirks: Quirks,
  schemas: Schemas
): FunctionDeclaration | Issue => {
  const found = told(schemas.tool(tool, at), `${at}.parameters`, quirks)
  if (isIssue(found)) return found
  const declaration: FunctionDeclaration = {
    name: tool.name,
    ...(tool.description === undefined ? undefined : { description: tool.description })
  }
  if (quirks.jsonSchema !== false) declaration.parametersJsonSchema = found.schema
  // An object without properties is rejected there; it means a call without arguments.
  else if (Object.keys(found.schema["properties"] ?? {}).length > 0) declaration.parameters = found.schema
  return declaration
}

const toolsOf = (
  request: LlmRequest,
  quirks: Quirks,
  schemas: Schemas,
  warnings: Array<Warning>
): Array<BodyTool> | Issue => {
  const tools = orderedTools(request)
  const declarations: Array<FunctionDeclaration> = []
  const own: Array<JsonObject> = []
  for (const tool of tools) {
    if (tool.type === "custom") {
      return {
        field: "tools",
        message: `"${tool.name}" takes free-form text, which this wire lacks: give it a schema with a string property.`
      }
    }
    if (tool.type === "provider") {
      own.push(tool.definition)
      continue
    }
    const declaration = declarationOf(tool, `tools[${request.tools!.indexOf(tool)}]`, quirks, schemas)
    if (isIssue(declaration)) return declaration
    declarations.push(declaration)
  }
  const choice = request.toolChoice
  if (choice === "none" && own.length > 0) {
    warnings.push({
      field: "toolChoice",
      message: "The provider's own tools cannot be sent and forbidden at once; they were left out."
    })
    own.length = 0
  }
  const forced = choice === "required"
    ? declarations.length === 0
    : typeof choice === "object" && !declarations.some(({ name }) => name === choice.name)
  if (forced) {
    return { field: "toolChoice", message: "Only functions can be forced on this wire, not the provider's own tools." }
  }
  return declarations.length === 0 ? own : [{ functionDeclarations: declarations }, ...own]
}

const toolConfigOf = (request: LlmRequest, quirks: Quirks, warnings: Array<Warning>): ToolConfig | undefined => {
  const functions = (request.tools ?? []).filter((tool) => tool.type === "function")
  if (functions.length === 0) return undefined
  const strict = functions.some((tool) => tool.strict === true)
  const validated = strict && quirks.validatedMode !== false
  if (strict && !validated) {
    warnings.push({ field: "tools", message: "This provider has no strict tools; arguments may not fit the schema." })
  }
  const choice = request.toolChoice
  const mode = (mode: ToolConfig["functionCallingConfig"]["mode"], names?: Array<string>): ToolConfig => ({
    functionCallingConfig: { mode, ...(names === undefined ? undefined : { allowedFunctionNames: names }) }
  })
  if (choice === "none") return mode("NONE")
  if (choice === "required") return mode("ANY")
  if (typeof choice === "object") return mode("ANY", [choice.name])
  return validated ? mode("VALIDATED") : choice === "auto" ? mode("AUTO") : undefined
}

// =============================================================================
// Answer format
// =============================================================================

/** The format as options, or the instruction that stands in for it. */
const formatOf = (
  input: EncodeInput,
  quirks: Quirks,
  schemas: Schemas,
  warnings: Array<Warning>
): { readonly config?: GenerationConfig; readonly instruction?: string } | Issue => {
  const format = input.request.responseFormat
  if (format === undefined || format.type === "text") return {}
  if (format.type === "json") return { config: { responseMimeType: "application/json" } }
  if (input.meta?.capabilities.structuredOutput === false) {
    const asked = schemas.instruction(format, "any")
    if ("refused" in asked) return asked.refused as Issue
    warnings.push({
      field: "responseFormat",
      message: "The model has no structured output; it was told to answer in JSON of the schema."
    })
    return {
      instruction:
        "Answer with one JSON value that fits this JSON Schema and nothing else: no prose, no code fence.\n" +
        JSON.stringify(asked.schema)
    }
  }
  const found = told(schemas.answer(format), "responseFormat.schema", quirks)
  if (isIssue(found)) return found
  return {
    config: {
      responseMimeType: "application/json",
      ...(quirks.jsonSchema === false ? { responseSchema: found.schema } : { responseJsonSchema: found.schema })
    }
  }
}

// =============================================================================
// Options
// =============================================================================

const samplingOf = (request: LlmRequest): GenerationConfig => {
  const config: GenerationConfig = {}
  if (request.maxTokens !== undefined) config.maxOutputTokens = request.maxTokens
  if (request.temperature !== undefined) config.temperature = request.temperature
  if (request.topP !== undefined) config.topP = request.topP
  if (request.topK !== undefined) config.topK = request.topK
  if (request.seed !== undefined) config.seed = request.seed
  if (request.presencePenalty !== undefined) config.presencePenalty = request.presencePenalty
  if (request.frequencyPenalty !== undefined) config.frequencyPenalty = request.frequencyPenalty
  const stop = (request.stop ?? []).filter((text) => text !== "")
  if (stop.length > 0) config.stopSequences = stop
  if (request.logprobs !== undefined && request.logprobs !== false) {
    config.responseLogprobs = true
    if (typeof request.logprobs === "number" && request.logprobs > 0) config.logprobs = request.logprobs
  }
  return config
}

const warnOfCache = (request: LlmRequest, turns: ReadonlyArray<Turn>, warnings: Array<Warning>): void => {
  const { cache } = request
  const asked = cache !== undefined &&
    (cache.systemPrompt === true || cache.tools === true || (cache.recentTurns ?? 0) > 0 || cache.key !== undefined ||
      cache.extendedTtl === true)
  const marked = turns.some((turn) =>
    turn.parts.some((part) => "cacheControl" in part && part.cacheControl !== undefined)
  )
  if (!asked && !marked) return
  warnings.push({
    field: "cache",
    message: "This wire has no cache breakpoints: prefixes are cached by themselves, or by name with `cachedContent`."
  })
}

// =============================================================================
// Body
// =============================================================================

const textsOf = (turns: ReadonlyArray<Turn>): Array<TextPart> =>
  turns.flatMap((turn) =>
    turn.parts.flatMap((part) => part.type === "text" && part.text !== "" ? [{ text: part.text }] : [])
  )

/** Names that are paths already: https://github.com/googleapis/js-genai/blob/main/src/_transformers.ts */
const modelForms = [
  "models/*",
  "tunedModels/*",
  "endpoints/*",
  "publishers/*/models/*",
  "projects/*/locations/*/endpoints/*",
  "projects/*/locations/*/models/*",
  "projects/*/locations/*/publishers/*/models/*"
]

/** Where a request goes to. */
const pathOf = ({ model, stream }: EncodeInput): string | Refused => {
  const name = resource(model, modelForms, "models")
  if (name === undefined) return { refused: { field: "model", message: nameIssue(model)! } }
  return `/${name}${stream ? ":streamGenerateContent?alt=sse" : ":generateContent"}`
}

const encode = (input: EncodeInput, quirks: Quirks): Encoded | Refused => {
  const { meta, model, provider, request } = input
  const path = pathOf(input)
  if (typeof path !== "string") return path
  const { refused, turns, warnings } = prepare(
    request,
    rulesOf(wire, { quirks, provider, model }, meta?.capabilities.prefill)
  )
  if (refused !== undefined) return { refused }
  warnings.push(...leftOut(request, ["image.detail", "file.citations", "file.filename", "tool.cacheControl"]))
  const byLevel = thinksByLevel(model, meta, quirks)
  const building: Building = { quirks, provider, model, byLevel }

  const spoken = turns.findIndex((turn) => turn.role !== "system")
  const system = textsOf(spoken === -1 ? turns : turns.slice(0, spoken))
  const contents = contentsOf(spoken === -1 ? [] : turns.slice(spoken), building)
  const schemas = new Schemas(quirks.jsonSchema === false ? geminiOld : gemini, input, warnings)
  const tools = toolsOf(request, quirks, schemas, warnings)
  if (!Array.isArray(tools)) return { refused: tools }
  const format = formatOf(input, quirks, schemas, warnings)
  if (isIssue(format)) return { refused: format }
  const toolConfig = toolConfigOf(request, quirks, warnings)
  const thinking = thinkingConfig(request, model, meta, quirks, warnings)
  warnOfCache(request, turns, warnings)

  const config: GenerationConfig = {
    ...samplingOf(request),
    ...format.config,
    ...(thinking === undefined ? undefined : { thinkingConfig: thinking })
  }
  const body: Body = { contents }
  if (format.instruction !== undefined) system.push({ text: format.instruction })
  if (system.length > 0) body.systemInstruction = { parts: system }
  if (tools.length > 0) body.tools = tools
  if (toolConfig !== undefined) body.toolConfig = toolConfig
  if (Object.keys(config).length > 0) body.generationConfig = config
  return { path, body: bodyOf(body), warnings, ...schemas.sent }
}

/**
 * The encoder for a host with these quirks.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encoder = (quirks: Quirks): Encode =>
  encoding({
    wire,
    toolNames: identifiers,
    rules: () => [wireRules, quirks.rules],
    encode: (input) => encode(input, quirks),
    path: pathOf
  })
