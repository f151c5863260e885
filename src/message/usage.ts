/**
 * Token counts.
 *
 * Public through `LlmResponse`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Json } from "../json/value.ts"
/**
 * Token counts. On every wire `input.total` includes cache reads and writes and `output.total`
 * includes reasoning. Absent means the provider did not say.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Usage {
  /** What was read, in tokens. */
  readonly input: {
    /** All input tokens, cached or not. */
    readonly total?: number | undefined
    /** Input tokens neither read from nor written to a cache. */
    readonly uncached?: number | undefined
    /** Input tokens read from the prompt cache. */
    readonly cacheRead?: number | undefined
    /** All tokens written to a cache, whatever their lifetime. */
    readonly cacheWrite?: number | undefined
    /** The part of `cacheWrite` with a lifetime of one hour. */
    readonly cacheWrite1h?: number | undefined
  }
  /** What was written, in tokens. */
  readonly output: {
    /** All output tokens, reasoning included. */
    readonly total?: number | undefined
    /** Output tokens that are not reasoning. */
    readonly text?: number | undefined
    /** Output tokens of reasoning, also where its text is hidden. */
    readonly reasoning?: number | undefined
  }
  /** Cost in US dollars as billed by the provider (OpenRouter, Perplexity and others report it). */
  readonly billedCost?: number | undefined
  /** The provider's usage object, unchanged. */
  readonly raw?: Json | undefined
}

/**
 * Schema of {@link Usage}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Usage: Schema.Codec<Usage> = Schema.Struct({
  input: Schema.Struct({
    total: Schema.optional(Schema.Finite),
    uncached: Schema.optional(Schema.Finite),
    cacheRead: Schema.optional(Schema.Finite),
    cacheWrite: Schema.optional(Schema.Finite),
    cacheWrite1h: Schema.optional(Schema.Finite)
  }),
  output: Schema.Struct({
    total: Schema.optional(Schema.Finite),
    text: Schema.optional(Schema.Finite),
    reasoning: Schema.optional(Schema.Finite)
  }),
  billedCost: Schema.optional(Schema.Finite),
  raw: Schema.optional(Schema.Json)
})

/**
 * Usage of which nothing is known.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const emptyUsage: Usage = { input: {}, output: {} }

/**
 * Adds the usage of separate calls. A count is absent only when both lack it. `raw` is dropped.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const sumUsage = (a: Usage, b: Usage): Usage => {
  const sum = (x: number | undefined, y: number | undefined) => x === undefined ? y : y === undefined ? x : x + y
  const usage: { input: Record<string, number>; output: Record<string, number>; billedCost?: number } = {
    input: {},
    output: {}
  }
  for (const key of ["total", "uncached", "cacheRead", "cacheWrite", "cacheWrite1h"] as const) {
    const value = sum(a.input[key], b.input[key])
    if (value !== undefined) usage.input[key] = value
  }
  for (const key of ["total", "text", "reasoning"] as const) {
    const value = sum(a.output[key], b.output[key])
    if (value !== undefined) usage.output[key] = value
  }
  const billedCost = sum(a.billedCost, b.billedCost)
  if (billedCost !== undefined) usage.billedCost = billedCost
  return usage
}
