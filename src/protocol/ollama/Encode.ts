/**
 * Spells a request as a body of Ollama's native chat API. What the API lacks is dropped with a warning when the meaning
 * stays, and refused when it would not.
 *
 * @see https://docs.ollama.com/api/chat
 * @since 0.1.0
 */
import type { Issue, LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { JsonObject } from "../../Message.ts"
import type { ModelMeta, ThinkingLevel } from "../../Model.ts"
import { encoding } from "../encoding.ts"
import { leftOut } from "../Placeless.ts"
import { bodyOf } from "../Probe.ts"
import type { Encode, Encoded, EncodeInput, Refused } from "../Protocol.ts"
import { ollama } from "../schema/dialects.ts"
import { Schemas, type Spelled } from "../schema/Schemas.ts"
import { type LevelWords, wordFor } from "../ThinkingLevels.ts"
import { placedTools } from "../ToolOrder.ts"
import type { Body, WireOptions, WireTool } from "./Body.ts"
import { messagesFor } from "./Messages.ts"
import { wire } from "./name.ts"
import { type Quirks, wireRules } from "./Quirks.ts"

type Warn = (field: string, message: string) => void

const refused = (field: string, message: string): Refused => ({ refused: { field, message } })

// ---------------------------------------------------------------------------
// Tools
// ---------------------------------------------------------------------------

const toolsOf = (request: LlmRequest, schemas: Schemas, warn: Warn): Array<WireTool | JsonObject> | Refused => {
  const given = request.tools ?? []
  if (given.length === 0) return []
  const tools: Array<WireTool | JsonObject> = []
  for (const [tool, at] of placedTools(request)) {
    switch (tool.type) {
      case "custom":
        return refused(at, "Ollama has no free-form tools: give the tool a JSON Schema instead.")
      case "provider":
        // The server's own entry, which this wire neither knows nor checks.
        tools.push(tool.definition)
        break
      case "function": {
        const parameters = schemas.tool(tool, at)
        if ("refused" in parameters) return parameters
        if (tool.strict === true) warn(`${at}.strict`, "Ollama has no strict tools; it was left out.")
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
  return tools
}

// ---------------------------------------------------------------------------
// Answer format
// ---------------------------------------------------------------------------

const formatOf = (request: LlmRequest, schemas: Schemas): Spelled | Refused | "json" | undefined => {
  const format = request.responseFormat
  return format === undefined || format.type === "text"
    ? undefined
    : format.type === "json"
    ? "json"
    : schemas.answer(format)
}

// ---------------------------------------------------------------------------
// Thinking
// ---------------------------------------------------------------------------

/** The words that every model with levels takes: https://docs.ollama.com/capabilities/thinking */
const levelWords: LevelWords = { low: "low", medium: "medium", high: "high" }

/** Upper bounds in tokens: the API knows no budgets. */
const levelOfBudget = (tokens: number): ThinkingLevel => tokens <= 4096 ? "low" : tokens <= 16_384 ? "medium" : "high"

const thinkOf = (
  thinking: LlmRequest["thinking"],
  quirks: Quirks,
  meta: ModelMeta | undefined,
  warn: Warn
): boolean | string | undefined => {
  if (thinking === undefined) return undefined
  const asked = typeof thinking === "object" ? levelOfBudget(thinking.budgetTokens) : thinking
  const words = meta?.thinkingLevels ?? (quirks.think === "levels" ? levelWords : undefined)
  if (words === undefined) {
    if (asked === "off") return false
    warn(
      "thinking",
      typeof thinking === "object"
        ? `Ollama has no thinking budgets; ${thinking.budgetTokens} tokens were sent as on.`
        : `Most models only switch thinking on or off; level "${thinking}" was sent as on.`
    )
    return true
  }
  const found = wordFor(asked, words)
  if (found === undefined) {
    warn("thinking", "The model has no thinking levels; the option was left out.")
    return undefined
  }
  if (typeof thinking === "object") {
    warn("thinking", `Ollama has no thinking budgets; ${thinking.budgetTokens} tokens were sent as "${found[0]}".`)
  } else if (found[0] !== thinking) {
    warn("thinking", `Level "${thinking}" is not available; "${found[0]}" was sent.`)
  }
  return found[1]
}

// ---------------------------------------------------------------------------
// Options
// ---------------------------------------------------------------------------

const optionsOf = (request: LlmRequest): WireOptions => ({
  ...(request.maxTokens === undefined ? undefined : { num_predict: request.maxTokens }),
  ...(request.temperature === undefined ? undefined : { temperature: request.temperature }),
  ...(request.topP === undefined ? undefined : { top_p: request.topP }),
  ...(request.topK === undefined ? undefined : { top_k: request.topK }),
  ...(request.seed === undefined ? undefined : { seed: request.seed }),
  ...(request.stop === undefined || request.stop.length === 0 ? undefined : { stop: [...request.stop] }),
  ...(request.frequencyPenalty === undefined ? undefined : { frequency_penalty: request.frequencyPenalty }),
  ...(request.presencePenalty === undefined ? undefined : { presence_penalty: request.presencePenalty })
})

const withoutMeaning = (request: LlmRequest, warn: Warn): void => {
  const cache = request.cache
  if (cache?.systemPrompt === true || cache?.tools === true || (cache?.recentTurns ?? 0) > 0) {
    warn("cache", "Ollama has no cache breakpoints: it reuses equal prefixes by itself.")
  }
}

// ---------------------------------------------------------------------------
// Body
// ---------------------------------------------------------------------------

/**
 * Builds the body with the types that the official client knows; levels of newer models come as plain strings.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
const build = (
  input: EncodeInput,
  quirks: Quirks
):
  | {
    readonly body: Body<JsonObject, boolean | string>
    readonly warnings: ReadonlyArray<Warning>
    readonly sent: Schemas["sent"]
  }
  | { readonly refused: Issue } =>
{
  const { request } = input
  const warnings: Array<Warning> = []
  const warn: Warn = (field, message) => void warnings.push({ field, message })
  const schemas = new Schemas(ollama, input, warnings)
  const tools = toolsOf(request, schemas, warn)
  if ("refused" in tools) return tools
  const spelled = messagesFor(request, warnings)
  if ("refused" in spelled) return spelled
  warnings.push(...leftOut(request, ["image.detail", "tool.cacheControl"]))
  const options = optionsOf(request)
  const format = formatOf(request, schemas)
  if (typeof format === "object" && "refused" in format) return format
  const think = thinkOf(request.thinking, quirks, input.meta, warn)
  withoutMeaning(request, warn)
  const { logprobs } = request
  const body: Body<JsonObject, boolean | string> = {
    model: input.model,
    messages: spelled.messages,
    stream: input.stream,
    ...(tools.length === 0 ? undefined : { tools }),
    ...(format === undefined ? undefined : { format: format === "json" ? format : format.schema }),
    ...(think === undefined ? undefined : { think }),
    ...(logprobs === undefined || logprobs === false ? undefined : { logprobs: true }),
    ...(typeof logprobs === "number" ? { top_logprobs: logprobs } : undefined),
    ...(Object.keys(options).length === 0 ? undefined : { options })
  }
  return { body, warnings, sent: schemas.sent }
}

const encode = (input: EncodeInput, quirks: Quirks): Encoded | Refused => {
  const built = build(input, quirks)
  return "refused" in built
    ? built
    : {
      path: quirks.path ?? "/api/chat",
      body: bodyOf(built.body),
      warnings: built.warnings,
      ...built.sent
    }
}

/**
 * The encoder for a server with these quirks.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encoder = (quirks: Quirks): Encode =>
  encoding({
    wire,
    rules: () => [wireRules, quirks.rules],
    encode: (input) => encode(input, quirks),
    path: () => quirks.path ?? "/api/chat"
  })
