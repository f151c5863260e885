/**
 * In what servers and models behind Ollama's native API differ, as one flat record.
 *
 * @since 0.1.0
 */
import { formatLabels, type OptionRules } from "../../Model.ts"
import type { Tags } from "../chat/ThinkTags.ts"

/**
 * What a server does differently. Every field is optional; absent is Ollama's own behaviour.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Quirks {
  /** Path below the base URL. @default "/api/chat" */
  readonly path?: string | undefined
  /**
   * Whether `think` takes a flag or a level, where the model's own data does not say. Only some models (gpt-oss) take
   * levels, and those cannot be told to stop thinking: https://docs.ollama.com/capabilities/thinking
   *
   * @default "switch"
   */
  readonly think?: "switch" | "levels" | undefined
  /**
   * Reasoning written inline between tags, which moves from text to reasoning; `true` is `<think>…</think>`. Servers
   * older than 0.9 and models without a thinking template do this.
   *
   * @default false
   */
  readonly thinkTags?: boolean | Tags | undefined
  /** Options and pairs of them that the server does not take. */
  readonly rules?: OptionRules | undefined
}

/**
 * What the API does not take. https://docs.ollama.com/api/chat
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const wireRules: OptionRules = {
  refuses: [
    { option: ["effort", "parallelToolCalls", "cache.key", ...formatLabels] },
    { option: "cache.extendedTtl", because: "`keep_alive` keeps the model loaded." },
    { option: "toolChoice: none" },
    {
      option: ["toolChoice: name", "toolChoice: required"],
      because: "Use \"auto\" and say in the prompt what to call."
    }
  ]
}
