/**
 * What differs between the models behind the Converse wire.
 *
 * The API is one; which fields of it a model takes, and how it is asked to reason, is the model's.
 *
 * @since 0.1.0
 */

import type { OptionRules } from "../../Model.ts"

/**
 * What a family of models takes.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Family {
  /**
   * How reasoning is asked for in `additionalModelRequestFields`: Claude's `thinking`, Nova's `reasoningConfig`,
   * `reasoning_effort`, or not at all. @default "anthropic"
   */
  readonly thinking?: "anthropic" | "nova" | "effort" | "none" | undefined
  /** Where `topK` goes: `top_k`, Nova's `inferenceConfig.topK`, or nowhere. @default "top_k" */
  readonly topK?: "top_k" | "nova" | "none" | undefined
  /** Whether `temperature` and `topP` may be sent together. @default true */
  readonly topPWithTemperature?: boolean | undefined
  /** Which prompts can hold cache points. @default "everywhere" */
  readonly caching?: "everywhere" | "not-in-tools" | "none" | undefined
  /** Whether `tool_choice.disable_parallel_tool_use` is understood in `additionalModelRequestFields`. @default false */
  readonly serialToolCalls?: boolean | undefined
  /** Whether tool-call ids may hold dots and colons, as some models make them; the API allows it. @default false */
  readonly dottedToolCallIds?: boolean | undefined
  /** Whether `outputConfig.textFormat` and strict tools are understood. @default true */
  readonly structuredOutput?: boolean | undefined
  /** Options and pairs of them that the family does not take, beyond what the other fields say. */
  readonly rules?: OptionRules | undefined
}

/**
 * Differences of what is behind the wire.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Quirks {
  /** The family of a model; every default when absent. */
  readonly familyOf?: ((model: string) => Family) | undefined
}
