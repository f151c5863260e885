/**
 * Prices: what a model's usage costs, and where its prices come from.
 *
 * An unknown price is unknown and never 0: whatever needs a price or a count that is missing has no cost at all.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Usage } from "../LlmResponse.ts"
import type { Prices } from "../Model.ts"
import * as Models from "../Models.ts"
import { type Check, fields, listOf, notNegative, optional, recordOf } from "../validation/values.ts"

/**
 * Prices an application knows better than the catalogue, by `provider/model`.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface PriceOverrides {
  readonly [model: string]: Prices
}

const rates = {
  cacheRead: optional(notNegative),
  cacheWrite: optional(notNegative),
  cacheWrite1h: optional(notNegative)
}

/**
 * Prices of a model.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const prices: Check = fields({
  input: notNegative,
  output: notNegative,
  ...rates,
  tiers: optional(listOf(fields({ input: notNegative, output: notNegative, ...rates, aboveInputTokens: notNegative })))
}, "Must be prices: { input, output } in US dollars per million tokens.")

/**
 * Prices by model.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const priceOverrides: Check = recordOf(prices, "Must be an object of prices by provider/model.")

/** The prices that hold for so much input: of the highest tier that it is above. */
const tierOf = (prices: Prices, inputTokens: number): Omit<Prices, "tiers"> => {
  let found: Omit<Prices, "tiers"> = prices
  let above = -1
  for (const tier of prices.tiers ?? []) {
    if (inputTokens > tier.aboveInputTokens && tier.aboveInputTokens > above) {
      found = tier
      above = tier.aboveInputTokens
    }
  }
  return found
}

/** Dollars of one kind of tokens; tokens that are not there cost nothing at any price. */
const part = (tokens: number, price: number | undefined): number | undefined =>
  tokens <= 0 ? 0 : price === undefined ? undefined : tokens * price / 1_000_000

/**
 * US dollars of a usage at prices, or `undefined` when a count or a price is missing. Reasoning is part of the output; all tokens
 * of a request have the prices of the tier its whole input falls into.
 *
 * @stability stable
 * @category pricing
 * @since 0.1.0
 */
export const priceOf = (usage: Usage, prices: Prices | undefined): number | undefined => {
  const { input, output } = usage
  if (prices === undefined || output.total === undefined) return undefined
  const { cacheRead = 0, cacheWrite = 0 } = input
  const hourly = Math.min(cacheWrite, input.cacheWrite1h ?? 0)
  const uncached = input.uncached ?? (input.total === undefined ? undefined : input.total - cacheRead - cacheWrite)
  if (uncached === undefined) return undefined
  const tier = tierOf(prices, input.total ?? uncached + cacheRead + cacheWrite)
  let sum = 0
  for (
    const cost of [
      part(uncached, tier.input),
      part(cacheRead, tier.cacheRead),
      part(cacheWrite - hourly, tier.cacheWrite),
      part(hourly, tier.cacheWrite1h),
      part(output.total, tier.output)
    ]
  ) {
    if (cost === undefined) return undefined
    sum += cost
  }
  return sum
}

/** Model ids come from requests: more than these are not kept. */
const capacity = 256

/**
 * Finds the prices of a model: the overrides, then the catalogue.
 *
 * @stability stable
 * @category pricing
 * @since 0.1.0
 */
export const priceFinder = (
  overrides: PriceOverrides = {}
): (provider: string, model: string) => Effect.Effect<Prices | undefined> => {
  const known = new Map<string, Effect.Effect<Prices | undefined>>()
  return (provider, model) =>
    Effect.suspend(() => {
      const key = `${provider}/${model}`
      const found = known.get(key)
      if (found !== undefined) return found
      const own = Object.hasOwn(overrides, key) ? overrides[key] : undefined
      return Effect.map(own === undefined ? pricesIn(provider, model) : Effect.succeed(own), (prices) => {
        if (known.size >= capacity) known.clear()
        known.set(key, Effect.succeed(prices))
        return prices
      })
    })
}

const pricesIn = (provider: string, model: string): Effect.Effect<Prices | undefined> =>
  Effect.map(Models.lookup(provider, model), (meta) => meta?.prices)
