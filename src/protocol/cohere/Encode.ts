/**
 * Spells a request as a body of Cohere's Chat API v2. What the API lacks is dropped with a warning when the meaning
 * stays, and refused when it would not.
 *
 * @see https://docs.cohere.com/reference/chat
 * @since 0.1.0
 */
import type { Issue, LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { JsonObject } from "../../Message.ts"
import type { ThinkingLevel } from "../../Model.ts"
import { plainNames } from "../conversation/ToolNames.ts"
import { encoding } from "../encoding.ts"
import { leftOut } from "../Placeless.ts"
import { bodyOf } from "../Probe.ts"
import type { Encode, EncodeInput, Refused } from "../Protocol.ts"
import { cohere } from "../schema/dialects.ts"
import { Schemas } from "../schema/Schemas.ts"
import { placedTools } from "../ToolOrder.ts"
import { type Body, type WireTool } from "./Body.ts"
import { messagesFor } from "./Messages.ts"
import { wire } from "./name.ts"
import { rules } from "./Rules.ts"

type Warn = (field: string, message: string) => void

// ---------------------------------------------------------------------------
// Tools
// ---------------------------------------------------------------------------

type ToolFields = Pick<Body, "tools" | "strict_tools" | "tool_choice">

const toolsOf = (request: LlmRequest, schemas: Schemas, allStrict: boolean, warn: Warn): ToolFields | Refused => {
  const given = request.tools ?? []
  if (given.length === 0) return {}
  const choice = request.toolChoice
  const named = typeof choice === "object" ? choice.name : undefined
  const tools: Array<WireTool | JsonObject> = []
  let strict = 0
  let functions = 0
  let held = true
  for (const [tool, at] of placedTools(request)) {
    if (named !== undefined && tool.name !== named) continue
    switch (tool.type) {
      case "custom":
        return {
          refused: {
            field: at,
            message: "Cohere has no free-form tools: give the tool a JSON Schema."
          }
        }
      case "provider":
        // The API's own entry, which this wire neither knows nor checks.
        tools.push(tool.definition)
        break
      case "function": {
        functions++
        const parameters = schemas.tool(allStrict ? tool : { ...tool, strict: false }, at)
        if ("refused" in parameters) return parameters
        if (tool.strict === true) strict++
        held &&= parameters.strict
        tools.push({
          type: "function",
          function: {
            name: tool.name,
            ...(tool.description === undefined ? undefined : { description: tool.description }),
            parameters: parameters.schema
          }
        })
      }
    }
  }
  if (strict > 0 && strict < functions) {
    warn("tools", "Cohere holds all tools to their schemas or none; not all were strict, so none are.")
  }
  if (named !== undefined && given.length > 1) {
    warn("toolChoice", `Cohere forces any tool, not one by name; only "${named}" was sent, as required.`)
  }
  return {
    tools,
    ...(allStrict && held && functions > 0 ? { strict_tools: true } : undefined),
    ...(choice === "none"
      ? { tool_choice: "NONE" as const }
      : choice === "required" || named !== undefined
      ? { tool_choice: "REQUIRED" as const }
      : undefined)
  }
}

// ---------------------------------------------------------------------------
// Answer format
// ---------------------------------------------------------------------------

const formatOf = (request: LlmRequest, schemas: Schemas): Body["response_format"] | Refused => {
  const format = request.responseFormat
  const told = format?.type === "json-schema" ? schemas.answer(format) : undefined
  if (told !== undefined && "refused" in told) return told
  return format === undefined || format.type === "text"
    ? undefined
    : format.type === "json"
    ? { type: "json_object" }
    : { type: "json_object", json_schema: told!.schema }
}

// ---------------------------------------------------------------------------
// Thinking
// ---------------------------------------------------------------------------

/**
 * Tokens per level; the levels above think as long as they want, which is the API's default.
 *
 * @see https://docs.cohere.com/docs/reasoning
 */
const budgets: { readonly [level in ThinkingLevel]?: number } = { minimal: 1024, low: 4096, medium: 16_384 }

const thinkingOf = (thinking: LlmRequest["thinking"]): Body["thinking"] => {
  if (thinking === undefined) return undefined
  if (thinking === "off") return { type: "disabled" }
  const budget = typeof thinking === "object" ? thinking.budgetTokens : budgets[thinking]
  return { type: "enabled", ...(budget === undefined ? undefined : { token_budget: budget }) }
}

// ---------------------------------------------------------------------------
// Options
// ---------------------------------------------------------------------------

const samplingOf = (
  { frequencyPenalty, presencePenalty, seed, temperature, topK, topP }: LlmRequest
): Pick<Body, "temperature" | "p" | "k" | "frequency_penalty" | "presence_penalty" | "seed"> => ({
  ...(temperature === undefined ? undefined : { temperature }),
  ...(topP === undefined ? undefined : { p: topP }),
  ...(topK === undefined ? undefined : { k: topK }),
  ...(frequencyPenalty === undefined ? undefined : { frequency_penalty: frequencyPenalty }),
  ...(presencePenalty === undefined ? undefined : { presence_penalty: presencePenalty }),
  ...(seed === undefined ? undefined : { seed })
})

const withoutMeaning = (request: LlmRequest, warn: Warn): void => {
  const cache = request.cache
  if (cache?.systemPrompt === true || cache?.tools === true || (cache?.recentTurns ?? 0) > 0) {
    warn("cache", "Cohere has no cache breakpoints: it reuses equal prefixes by itself.")
  }
}

// ---------------------------------------------------------------------------
// Body
// ---------------------------------------------------------------------------

/**
 * Builds the body.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
const build = (
  input: EncodeInput
): { readonly body: Body; readonly warnings: ReadonlyArray<Warning>; readonly sent: Schemas["sent"] } | {
  readonly refused: Issue
} => {
  const { request } = input
  const warnings: Array<Warning> = []
  const warn: Warn = (field, message) => void warnings.push({ field, message })
  const schemas = new Schemas(cohere, input, warnings)
  const functions = (request.tools ?? []).filter((tool) => tool.type === "function")
  const allStrict = functions.length > 0 && functions.every((tool) => tool.strict === true)
  const tools = toolsOf(request, schemas, allStrict, warn)
  if ("refused" in tools) return tools
  const spelled = messagesFor(request, warnings)
  if ("refused" in spelled) return spelled
  warnings.push(...leftOut(request, ["tool.cacheControl"]))
  const thinking = thinkingOf(request.thinking)
  const format = formatOf(request, schemas)
  if (format !== undefined && "refused" in format) return format
  withoutMeaning(request, warn)
  const body: Body = {
    model: input.model,
    messages: spelled.messages,
    stream: input.stream,
    ...(spelled.documents.length === 0 ? undefined : { documents: spelled.documents }),
    ...tools,
    ...(request.maxTokens === undefined ? undefined : { max_tokens: request.maxTokens }),
    ...samplingOf(request),
    ...(request.stop === undefined || request.stop.length === 0 ? undefined : { stop_sequences: [...request.stop] }),
    ...(request.logprobs === undefined || request.logprobs === false ? undefined : { logprobs: true }),
    ...(format === undefined ? undefined : { response_format: format }),
    ...(thinking === undefined ? undefined : { thinking })
  }
  return { body, warnings, sent: schemas.sent }
}

/**
 * The encoder.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encoder: Encode = encoding({
  wire,
  toolNames: plainNames,
  rules: () => [rules],
  encode: (input) => {
    const built = build(input)
    return "refused" in built
      ? built
      : { path: "/chat", body: bodyOf(built.body), warnings: built.warnings, ...built.sent }
  },
  path: () => "/chat"
})
