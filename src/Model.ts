/**
 * Facts about models: limits, capabilities and prices.
 *
 * A `ModelMeta` is data. Wires round options down to what it says; prices are US dollars per million
 * tokens and an unknown price stays unknown.
 *
 * @since 0.1.0
 */

/**
 * What a model or provider can do. `undefined` is "not known": nothing is refused for it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Capabilities {
  /** Answers as a stream of events. */
  readonly streaming?: boolean | undefined
  /** Takes tools that the application runs. */
  readonly tools?: boolean | undefined
  /** May call several tools in one answer. */
  readonly parallelTools?: boolean | undefined
  /** Reads images in user messages. */
  readonly images?: boolean | undefined
  /** Reads PDF documents. */
  readonly pdf?: boolean | undefined
  /** Reads recorded sound. */
  readonly audio?: boolean | undefined
  /** Can think before it answers. */
  readonly reasoning?: boolean | undefined
  /** The provider caches prompt prefixes, by itself or where marked. */
  readonly promptCaching?: boolean | undefined
  /** Takes marks of where a prefix to be cached ends, at hosts that have models with and without. */
  readonly cacheBreakpoints?: boolean | undefined
  /** Holds the answer to a JSON Schema itself. */
  readonly structuredOutput?: boolean | undefined
  /** Goes on from an assistant message at the end of the conversation as if it were its own beginning of the answer. */
  readonly prefill?: boolean | undefined
}

/**
 * US dollars per million tokens.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Prices {
  /** Input tokens that are neither read from nor written to a cache. */
  readonly input: number
  /** Output tokens, reasoning included. */
  readonly output: number
  /** Input tokens read from the prompt cache. @default the price of input */
  readonly cacheRead?: number | undefined
  /** Cache writes with a lifetime of 5 minutes. */
  readonly cacheWrite?: number | undefined
  /** Cache writes with a lifetime of 1 hour. */
  readonly cacheWrite1h?: number | undefined
  /** Prices that hold when the input is longer than `aboveInputTokens`. */
  readonly tiers?:
    | ReadonlyArray<
      Omit<Prices, "tiers"> & {
        /** Input tokens, cached or not; a request with more of them has these prices for all its tokens. */
        readonly aboveInputTokens: number
      }
    >
    | undefined
}

/**
 * Levels of reasoning, from none to the most a model has. A level a model lacks is rounded down, with a warning.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type ThinkingLevel = "off" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max"

/**
 * All thinking levels, in rising order.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const thinkingLevels: ReadonlyArray<ThinkingLevel> = ["off", "minimal", "low", "medium", "high", "xhigh", "max"]

// =============================================================================
// What models and hosts refuse
// =============================================================================

/**
 * An option of a request that a rule is about, whole or one value of it. `thinking: on` is also a model that thinks by itself and is not
 * told to stop; `the word json` is that word in a message.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export type OptionName =
  | "audio"
  | "cache.extendedTtl"
  | "cache.key"
  | "custom tools"
  | "effort"
  | "effort: above high"
  | "files"
  | "frequencyPenalty"
  | "image.detail"
  | "logprobs"
  | "logprobs: count"
  | "maxTokens"
  | "parallelToolCalls"
  | "parallelToolCalls: false"
  | "presencePenalty"
  | "responseFormat"
  | "responseFormat.description"
  | "responseFormat.name"
  | "responseFormat: json"
  | "responseFormat: json-schema"
  | "seed"
  | "stop"
  | "stream"
  | "temperature"
  | "the word json"
  | "thinking"
  | "thinking: budget"
  | "thinking: off"
  | "thinking: on"
  | "toolChoice"
  | "toolChoice: name"
  | "toolChoice: none"
  | "toolChoice: required"
  | "tools"
  | "topK"
  | "topP"

/**
 * What a schema of the answer is called beside the schema itself, which some wires have no place for.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export const formatLabels: ReadonlyArray<OptionName> = ["responseFormat.name", "responseFormat.description"]

/**
 * Why a rule is, for the warning or the error that it makes.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export interface Reason {
  /** A sentence to add. */
  readonly because?: string | undefined
  /** Where it is written. @default the provider's documentation */
  readonly url?: string | undefined
}

/**
 * Options that are not taken at all.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export interface Refusal extends Reason {
  /** The option, or several that are refused alike. */
  readonly option: OptionName | ReadonlyArray<OptionName>
  /** Values that are taken all the same, such as a `temperature` of 1. */
  readonly but?: ReadonlyArray<number | string | boolean> | undefined
  /** Options of the request that ask for the same in another way. */
  readonly instead?: { readonly [option: string]: unknown } | undefined
}

/**
 * Options that give way where another is asked for as well. Where leaving it out would change the question, the other gives way.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export interface Exclusion extends Reason {
  /** What gives way. */
  readonly option: OptionName | ReadonlyArray<OptionName>
  /** What it gives way to. */
  readonly by: OptionName | ReadonlyArray<OptionName>
  /** Values that are taken all the same. */
  readonly but?: ReadonlyArray<number | string | boolean> | undefined
  /** Numbers from this on are taken all the same. */
  readonly from?: number | undefined
}

/**
 * Options that are taken only beside another.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export interface Need extends Reason {
  /** What is taken only beside another. */
  readonly option: OptionName | ReadonlyArray<OptionName>
  /** The other, without which it is left out. */
  readonly beside: OptionName
}

/**
 * Bounds of a number, or of how many texts `stop` may have.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export interface Bound extends Reason {
  /** The number, or several with the same bounds. */
  readonly option: NumberName | ReadonlyArray<NumberName>
  /** Smallest value that is taken. @default no lower bound */
  readonly from?: number | undefined
  /** Largest value that is taken. @default no upper bound */
  readonly to?: number | undefined
}

/**
 * Options that have bounds.
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export type NumberName =
  | "frequencyPenalty"
  | "logprobs"
  | "maxTokens"
  | "presencePenalty"
  | "stop"
  | "temperature"
  | "thinking: budget"
  | "topK"
  | "topP"

/**
 * What a model or a host does not take, as data. Each rule that changes a request is a warning of the response; one that would change what
 * is asked refuses the request before it is sent.
 *
 * @example
 * ```ts
 * const rules: OptionRules = {
 *   refuses: [{ option: ["temperature", "topP"] }],
 *   excludes: [{ option: "thinking: on", by: ["toolChoice: required", "toolChoice: name"] }],
 *   only: [{ option: "maxTokens", from: 16 }]
 * }
 * ```
 *
 * @stability stable
 * @category rules
 * @since 0.1.0
 */
export interface OptionRules {
  /** What is not taken at all. */
  readonly refuses?: ReadonlyArray<Refusal> | undefined
  /** What is not taken together. */
  readonly excludes?: ReadonlyArray<Exclusion> | undefined
  /** What is taken only beside something else. */
  readonly needs?: ReadonlyArray<Need> | undefined
  /** Bounds of what is taken. */
  readonly only?: ReadonlyArray<Bound> | undefined
}

/**
 * How a model thinks, beyond its levels.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ThinkingFacts {
  /** What it does when nothing is asked. @default not known */
  readonly default?: "on" | "off" | undefined
  /** Whether it can be turned off. @default as its levels say */
  readonly off?: boolean | undefined
  /** Whether it is told by effort although its host tells others by a switch. @default as the host does */
  readonly byEffort?: boolean | undefined
  /** Whether it is to get its earlier reasoning back, at hosts that have models with and without. */
  readonly replay?: boolean | undefined
  /** Fewest tokens a budget may have. */
  readonly smallestBudget?: number | undefined
  /** Most tokens a budget may have. */
  readonly largestBudget?: number | undefined
  /** Where it is written. */
  readonly url?: string | undefined
}

/**
 * What is known of one model.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ModelMeta {
  /** Id of the provider that offers it, such as `anthropic`. */
  readonly provider: string
  /** The id requests use. */
  readonly id: string
  /** Name for people, where the provider lists one. */
  readonly name?: string | undefined
  /** Tokens of input and output together. */
  readonly contextWindow?: number | undefined
  /** Most tokens of one answer, reasoning included. */
  readonly maxOutputTokens?: number | undefined
  /** What it takes; a field that is absent is not known. */
  readonly capabilities: Capabilities
  /** Thinking levels the model has, with the word its wire uses for each. */
  readonly thinkingLevels?: { readonly [level in ThinkingLevel]?: string | undefined } | undefined
  /** How it thinks, beyond its levels. */
  readonly thinking?: ThinkingFacts | undefined
  /** Whether the limit of tokens must be named `max_completion_tokens`, also where its host has `max_tokens`. @default as the host does */
  readonly limitsCompletion?: boolean | undefined
  /** Options it does not take. */
  readonly rules?: OptionRules | undefined
  /** US dollars per million tokens; absent when not known. */
  readonly prices?: Prices | undefined
}
