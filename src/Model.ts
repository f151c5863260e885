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
 * @category models
 * @since 0.1.0
 */
export interface Capabilities {
  readonly streaming?: boolean | undefined
  readonly tools?: boolean | undefined
  readonly parallelTools?: boolean | undefined
  readonly images?: boolean | undefined
  readonly pdf?: boolean | undefined
  readonly audio?: boolean | undefined
  readonly reasoning?: boolean | undefined
  readonly promptCaching?: boolean | undefined
  readonly structuredOutput?: boolean | undefined
  /** Goes on from an assistant message at the end of the conversation as if it were its own beginning of the answer. */
  readonly prefill?: boolean | undefined
}

/**
 * US dollars per million tokens.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prices {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number | undefined
  /** Cache writes with a lifetime of 5 minutes. */
  readonly cacheWrite?: number | undefined
  /** Cache writes with a lifetime of 1 hour. */
  readonly cacheWrite1h?: number | undefined
  /** Prices that hold when the input is longer than `aboveInputTokens`. */
  readonly tiers?: ReadonlyArray<Omit<Prices, "tiers"> & { readonly aboveInputTokens: number }> | undefined
}

/**
 * Levels of reasoning, from none to the most a model has. A level a model lacks is rounded down, with a warning.
 *
 * @category models
 * @since 0.1.0
 */
export type ThinkingLevel = "off" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max"

/**
 * All thinking levels, in rising order.
 *
 * @category models
 * @since 0.1.0
 */
export const thinkingLevels: ReadonlyArray<ThinkingLevel> = ["off", "minimal", "low", "medium", "high", "xhigh", "max"]

/**
 * What is known of one model.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelMeta {
  readonly provider: string
  /** The id requests use. */
  readonly id: string
  readonly name?: string | undefined
  /** Tokens of input and output together. */
  readonly contextWindow?: number | undefined
  readonly maxOutputTokens?: number | undefined
  readonly capabilities: Capabilities
  /** Thinking levels the model has, with the word its wire uses for each. */
  readonly thinkingLevels?: { readonly [level in ThinkingLevel]?: string | undefined } | undefined
  readonly prices?: Prices | undefined
}
