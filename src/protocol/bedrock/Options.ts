/**
 * Sampling, limits, reasoning and the form of the answer, as the family of the model takes them.
 *
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html,
 * https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html and
 * https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
 *
 * @since 0.1.0
 */
import { jsonText } from "../../json/text.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { Json, JsonObject } from "../../Message.ts"
import type { ThinkingLevel } from "../../Model.ts"
import { resolveLimits } from "../anthropic/Thinking.ts"
import type { EncodeInput, Refused } from "../Protocol.ts"
import type { Schemas } from "../schema/Schemas.ts"
import type { Family } from "./Quirks.ts"

type Draft = { [key: string]: Json }

/**
 * What options come to, as members of the body.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Spelled {
  readonly inferenceConfig: Draft
  readonly additional: Draft
  readonly outputConfig: Draft
  /** Goes last into the system prompt. */
  readonly instruction: string | undefined
}

type Effort = "low" | "medium" | "high"

/** Levels of models that know three. */
const effortOf = (level: Exclude<ThinkingLevel, "off">): Effort =>
  level === "minimal" || level === "low" ? "low" : level === "medium" ? "medium" : "high"

const levelOfBudget = (tokens: number): Effort => tokens < 8192 ? "low" : tokens < 24_576 ? "medium" : "high"

class Options {
  readonly inferenceConfig: Draft = {}
  readonly additional: Draft = {}
  readonly outputConfig: Draft = {}
  instruction: string | undefined
  readonly input: EncodeInput
  readonly family: Family
  readonly warnings: Array<Warning>

  constructor(input: EncodeInput, family: Family, warnings: Array<Warning>) {
    this.input = input
    this.family = family
    this.warnings = warnings
  }

  warn(field: string, message: string): void {
    this.warnings.push({ field, message })
  }

  format(schemas: Schemas): Refused | undefined {
    const format = this.input.request.responseFormat
    if (format === undefined || format.type === "text") return undefined
    if (format.type === "json") {
      this.warn("responseFormat", "This wire has no free JSON mode; the model was told to answer in JSON.")
      this.instruction = "Answer with one valid JSON value and nothing else: no prose, no code fence."
      return undefined
    }
    if (this.family.structuredOutput === false || this.input.meta?.capabilities.structuredOutput === false) {
      const told = schemas.instruction(format, "any")
      if ("refused" in told) return told
      this.warn("responseFormat", "The model has no structured output; it was told to answer in JSON of the schema.")
      this.instruction =
        "Answer with one JSON value that fits this JSON Schema and nothing else: no prose, no code fence.\n" +
        JSON.stringify(told.schema)
      return undefined
    }
    // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_JsonSchemaDefinition.html: the schema is text.
    const told = schemas.answer(format)
    if ("refused" in told) return told
    const jsonSchema: JsonObject = {
      schema: jsonText(told.schema),
      name: format.name ?? "response",
      ...(format.description === undefined ? undefined : { description: format.description })
    }
    this.outputConfig["textFormat"] = { type: "json_schema", structure: { jsonSchema } }
    return undefined
  }

  /** Three levels, or nothing when the model is not to think or cannot. */
  private threeLevels(): Effort | undefined {
    const { thinking } = this.input.request
    if (thinking === undefined || thinking === "off") return undefined
    const level = typeof thinking === "string" ? effortOf(thinking) : levelOfBudget(thinking.budgetTokens)
    if (typeof thinking !== "string") {
      this.warn("thinking", `The model takes no budget; ${thinking.budgetTokens} tokens became effort "${level}".`)
    } else if (level !== thinking) {
      this.warn("thinking", `The model has no thinking level "${thinking}"; "${level}" was sent.`)
    }
    return level
  }

  /** Claude's. `openTurn`: the history has an open turn which did not begin with thinking. */
  anthropicThinking(openTurn: boolean): void {
    const { meta, request } = this.input
    const limits = resolveLimits(request, meta, {}, this.warnings, openTurn)
    if (limits.thinking !== undefined) this.additional["thinking"] = { ...limits.thinking }
    if (limits.effort !== undefined) this.outputConfig["effort"] = limits.effort
    // Without a limit of its own the model has its largest, which holds any budget.
    if (request.maxTokens !== undefined) this.inferenceConfig["maxTokens"] = limits.maxTokens
  }

  /** Nova's; gives whether it thinks so hard that limits and sampling cannot be set. */
  novaThinking(): boolean {
    const { maxTokens, thinking } = this.input.request
    if (maxTokens !== undefined) this.inferenceConfig["maxTokens"] = maxTokens
    if (thinking === "off") this.additional["reasoningConfig"] = { type: "disabled" }
    let level = this.threeLevels()
    if (level === undefined) return false
    if (level === "high" && maxTokens !== undefined) {
      this.warn("thinking", "The model takes no token limit with thinking level \"high\"; \"medium\" was sent.")
      level = "medium"
    }
    this.additional["reasoningConfig"] = { type: "enabled", maxReasoningEffort: level }
    return level === "high"
  }

  /** `reasoning_effort`, which effort sets as well. */
  effortThinking(): void {
    const { effort, maxTokens, thinking } = this.input.request
    if (maxTokens !== undefined) this.inferenceConfig["maxTokens"] = maxTokens
    if (thinking === "off") this.warn("thinking", "Thinking cannot be turned off on this model.")
    const level = this.threeLevels() ?? (effort === undefined ? undefined : effortOf(effort))
    if (level !== undefined) this.additional["reasoning_effort"] = level
  }

  noThinking(): void {
    const { maxTokens } = this.input.request
    if (maxTokens !== undefined) this.inferenceConfig["maxTokens"] = maxTokens
  }

  /** `why` says why sampling cannot be set, where the level that thinking came to forbids it. */
  sampling(why: string | undefined): void {
    const { inferenceConfig } = this
    const { request } = this.input
    const { temperature, topK, topP } = request
    const drop = (field: string, message: string) => this.warn(field, `${message}; it was left out.`)
    if (temperature !== undefined) {
      if (why !== undefined) drop("temperature", `Temperature cannot be set ${why}`)
      else inferenceConfig["temperature"] = temperature
    }
    if (topP !== undefined) {
      if (why !== undefined) drop("topP", `topP cannot be set ${why}`)
      else inferenceConfig["topP"] = topP
    }
    if (topK !== undefined) {
      if (why !== undefined) drop("topK", `topK cannot be set ${why}`)
      else if (this.family.topK === "nova") this.additional["inferenceConfig"] = { topK }
      else this.additional["top_k"] = topK
    }
    const stop = (request.stop ?? []).filter((text) => text.trim() !== "")
    if (stop.length < (request.stop?.length ?? 0)) drop("stop", "A stop sequence must hold more than whitespace")
    if (stop.length > 0) inferenceConfig["stopSequences"] = stop
  }
}

/**
 * Spells the options of a request.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const optionsOf = (
  input: EncodeInput,
  family: Family,
  openTurn: boolean,
  schemas: Schemas,
  warnings: Array<Warning>
): Spelled | Refused => {
  const options = new Options(input, family, warnings)
  const dialect = family.thinking ?? "anthropic"
  let why: string | undefined
  if (dialect === "anthropic") options.anthropicThinking(openTurn)
  else if (dialect === "effort") options.effortThinking()
  else if (dialect === "none") options.noThinking()
  else if (options.novaThinking()) why = "with thinking level \"high\""
  options.sampling(why)
  return options.format(schemas) ?? options
}
