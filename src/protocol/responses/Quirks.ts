/**
 * In what hosts that speak the Responses API differ, as one flat record.
 *
 * The defaults are OpenAI's own API. A provider module sets the fields its host needs, each with the reason and a
 * URL; the wire itself never asks which host it serves.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../../Message.ts"
import type { OptionName, OptionRules, ThinkingLevel } from "../../Model.ts"
import type { Dialects } from "../schema/Dialect.ts"

/**
 * What a host does differently. Every field is optional; absent is OpenAI's own behaviour.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Quirks {
  /** Path below the base URL. @default "/responses" */
  readonly path?: string | undefined
  /** Fields sent with every request, below everything the request itself says. */
  readonly body?: JsonObject | undefined
  /**
   * Value of `store`, which the host would default to `true`; `"omit"` for hosts that know no such field. Answers that
   * are not stored are replayed from the messages alone, so that a conversation can go on anywhere.
   *
   * @default false
   */
  readonly store?: boolean | "omit" | undefined
  /**
   * Whether `include: ["reasoning.encrypted_content"]` may be asked of a model. OpenAI's models without reasoning
   * reject it, so by default it is asked of models that are known to reason (`Capabilities.reasoning`), and where the
   * request asks for thinking.
   */
  readonly encryptedReasoning?: boolean | undefined
  /** Whether reasoning is summarised for readers when thinking is asked for. @default "auto" */
  readonly reasoningSummary?: "auto" | "concise" | "detailed" | false | undefined
  /** The host's word for each thinking level, where the model's own data does not say. @default OpenAI's words */
  readonly reasoningEfforts?: { readonly [level in ThinkingLevel]?: string | undefined } | undefined
  /** Role of instructions in the middle of a conversation. @default "developer" */
  readonly systemRole?: "developer" | "system" | undefined
  /** Whether free-form tools (`type: "custom"`) exist. @default true; `false` refuses them */
  readonly customTools?: boolean | undefined
  /** Item types that the host runs itself although other hosts leave them to the application. @default none */
  readonly hostedItems?: ReadonlyArray<string> | undefined
  /** Whether `parallel_tool_calls` is known. @default true */
  readonly parallelToolCalls?: boolean | undefined
  /** Whether `prompt_cache_key` is known. @default true */
  readonly promptCacheKey?: boolean | undefined
  /** Whether `prompt_cache_retention: "24h"` may be sent for `cache.extendedTtl`. @default true */
  readonly promptCacheRetention?: boolean | undefined
  /**
   * Whether content takes `prompt_cache_breakpoint`. By default it is sent to models that are known to
   * (`Capabilities.cacheBreakpoints`); others cache by themselves only. https://platform.openai.com/docs/guides/prompt-caching
   */
  readonly cacheBreakpoints?: boolean | undefined
  /** Whether log probabilities can be included. @default true */
  readonly logprobs?: boolean | undefined
  /** Fewest tokens `max_output_tokens` takes; less is raised to it, with a warning. @default 16 */
  readonly smallestOutput?: number | undefined
  /** Options and pairs of them that the host does not take, beyond what the other fields say. */
  readonly rules?: OptionRules | undefined
  /** What the host takes of JSON Schema. @default OpenAI's */
  readonly schemas?: Dialects | undefined
}

/**
 * What the API and the fields say of options, as rules.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const rulesOf = (quirks: Quirks): OptionRules => {
  const url = "https://platform.openai.com/docs/api-reference/responses/create"
  const lacks = (...names: ReadonlyArray<OptionName>) => names
  return {
    refuses: [
      { option: ["topK", "frequencyPenalty", "presencePenalty", "seed", "effort"], url },
      { option: "stop", because: "The Chat Completions API has it for some models.", url },
      {
        option: [
          ...(quirks.logprobs === false ? lacks("logprobs") : []),
          ...(quirks.parallelToolCalls === false ? lacks("parallelToolCalls") : []),
          ...(quirks.promptCacheKey === false ? lacks("cache.key") : [])
        ]
      }
    ],
    // "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16":
    // https://github.com/BerriAI/litellm/issues/16216
    only: [{ option: "maxTokens", from: quirks.smallestOutput ?? 16, url }]
  }
}
