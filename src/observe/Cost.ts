/**
 * What answers cost, in US dollars.
 *
 * A cost the provider billed counts; else usage is priced: uncached input, cache reads, cache writes of 5 minutes and of 1 hour,
 * output with reasoning, at the tier the input falls into. Prices come from the catalogue or from `prices`. Unknown stays
 * unknown: a response whose price or usage is missing has no `cost`, it is never 0. An answer of the `Cache` policy costs 0,
 * because nothing was bought; its usage is the stored one.
 *
 * It prices answers, not failures: what a failed or interrupted call used is in `error.partial.usage`, and only `Budget`
 * counts it. What the provider's prompt cache saved and cost per route is counted beside it. Subscriptions, discounts, minimum fees and charges per tool call are not known to it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { LlmError } from "../LlmError.ts"
import type { LlmResponse, Usage } from "../LlmResponse.ts"
import type { ModelMeta, Prices } from "../Model.ts"
import { priceFinder, priceOf, type PriceOverrides, priceOverrides, prices as modelPrices } from "../model/pricing.ts"
import * as Policy from "../policy/Policy.ts"
import { modelOf } from "../service/addressee.ts"
import { misconfigured, optionsIssue } from "../service/checked.ts"
import { mapResponses } from "../stream/finish.ts"
import { isServed } from "../stream/served.ts"
import { ShownNames } from "../stream/shownNames.ts"
import { anything, fields, finite, optional, recordOf, text } from "../validation/values.ts"

export type { PriceOverrides } from "../model/pricing.ts"

/**
 * US dollars spent, by `provider` and `model`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const spent = Metric.counter("effect_llm.cost", { description: "US dollars spent", incremental: true })

/**
 * Answers whose cost is not known, by `provider` and `model`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const unknown = Metric.counter("effect_llm.cost.unknown", {
  description: "Answers whose cost is not known",
  incremental: true
})

/**
 * US dollars that the provider's prompt cache saved: what its reads would have cost as uncached input, less what they cost. By `provider`,
 * `model` and `label`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const cacheSaved = Metric.counter("effect_llm.cost.cache.saved", {
  description: "US dollars saved by reading from the provider's prompt cache",
  incremental: true
})

/**
 * US dollars that writing to the provider's prompt cache cost on top of uncached input. Where it is more than {@link cacheSaved} of the
 * same route, caching wastes money there. By `provider`, `model` and `label`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const cacheSurcharge = Metric.counter("effect_llm.cost.cache.surcharge", {
  description: "US dollars paid for writing to the provider's prompt cache, above uncached input",
  incremental: true
})

/**
 * Where prices come from.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Prices by `provider/model`, before those of the catalogue. */
  readonly prices?: PriceOverrides | undefined
}

const counts = recordOf(optional(finite))
const aUsage = fields({ input: counts, output: counts, billedCost: optional(finite) })

/**
 * US dollars of a usage: as billed, else at the prices; `undefined` when neither is known.
 *
 * @example
 * ```ts
 * Cost.ofUsage({ input: { total: 1000 }, output: { total: 200 } }, { input: 3, output: 15 }) // 0.006
 * ```
 *
 * @stability stable
 * @category pricing
 * @since 0.1.0
 */
export const ofUsage = (usage: Usage, prices: Prices | ModelMeta | undefined): number | undefined => {
  if (optionsIssue(aUsage, usage) !== undefined) return undefined
  if (usage.billedCost !== undefined) return usage.billedCost
  const ofModel = optionsIssue(recordOf(anything), prices) === undefined && "capabilities" in prices!
  const own = ofModel ? (prices as ModelMeta).prices : prices as Prices | undefined
  return optionsIssue(optional(modelPrices), own) === undefined ? priceOf(usage, own) : undefined
}

/**
 * What prompt caching did to the price of one answer, in US dollars.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface CacheEconomics {
  /** What was read from the cache would have cost so much more as uncached input. */
  readonly saved: number
  /** What was written to it cost so much more than uncached input. */
  readonly surcharge: number
  /** `saved` less `surcharge`; below 0 caching cost more than it brought. */
  readonly net: number
}

/**
 * What prompt caching saved and cost; `undefined` when a count or a price is not known. A cost that the provider billed does not count
 * here: only prices tell what would have been.
 *
 * @example
 * ```ts
 * const prices = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 }
 * Cost.ofCache({ input: { total: 1e6, uncached: 0, cacheRead: 1e6 }, output: { total: 0 } }, prices) // saved 2.7
 * ```
 *
 * @stability stable
 * @category pricing
 * @since 0.1.0
 */
export const ofCache = (usage: Usage, prices: Prices | undefined): CacheEconomics | undefined => {
  if (optionsIssue(aUsage, usage) !== undefined || optionsIssue(optional(modelPrices), prices) !== undefined) {
    return undefined
  }
  return economicsOf(usage, prices)
}

const economicsOf = (usage: Usage, prices: Prices | undefined): CacheEconomics | undefined => {
  const { cacheRead = 0, cacheWrite = 0, cacheWrite1h = 0, total, uncached } = usage.input
  const paid = priceOf(usage, prices)
  const plain = uncached ?? (total === undefined ? undefined : total - cacheRead - cacheWrite)
  if (paid === undefined || plain === undefined) return undefined
  const input = total ?? plain + cacheRead + cacheWrite
  const without = (read: number, written: number): number | undefined =>
    priceOf({
      output: usage.output,
      input: {
        total: input,
        uncached: plain + read + written,
        cacheRead: cacheRead - read,
        cacheWrite: cacheWrite - written,
        cacheWrite1h: written === 0 ? cacheWrite1h : 0
      }
    }, prices)
  const unread = without(cacheRead, 0)
  const unwritten = without(0, cacheWrite)
  if (unread === undefined || unwritten === undefined) return undefined
  const saved = unread - paid
  const surcharge = paid - unwritten
  return { saved, surcharge, net: saved - surcharge }
}

const checkedOptions = fields({ prices: optional(priceOverrides), asked: optional(text) })

const pricing = (options: Options) => {
  const find = priceFinder(options.prices)
  return (response: LlmResponse, asked?: string | undefined): Effect.Effect<LlmResponse> => {
    if (isServed(response) || response.cost !== undefined) return Effect.succeed(response)
    if (response.usage.billedCost !== undefined) {
      return Effect.succeed(response.with({ cost: response.usage.billedCost }))
    }
    return Effect.flatMap(find(response.provider, response.model), (prices) => {
      const cost = priceOf(response.usage, prices)
      if (cost !== undefined) return Effect.succeed(response.with({ cost }))
      // A provider may name the model in its answer in another way than in its price list.
      return prices !== undefined || asked === undefined || asked === response.model
        ? Effect.succeed(response)
        : Effect.map(find(response.provider, asked), (prices) => {
          const cost = priceOf(response.usage, prices)
          return cost === undefined ? response : response.with({ cost })
        })
    })
  }
}

const defaultPricing = pricing({})

/**
 * Sets `cost` of a response, where it is known. `asked` is the model of the request, which counts when the response names one
 * that is not known. Fails with `Configuration` when the prices cannot be.
 *
 * @stability stable
 * @category pricing
 * @since 0.1.0
 */
export const withCost = (
  response: LlmResponse,
  options?: Options & {
    /** Id of the model that was asked for, where the answer's own has no price. */
    readonly asked?: string | undefined
  }
): Effect.Effect<LlmResponse, LlmError> =>
  Effect.suspend(() => {
    const issue = optionsIssue(optional(checkedOptions), options)
    return issue === undefined
      ? (options?.prices === undefined ? defaultPricing : pricing(options))(response, options?.asked)
      : Effect.fail(misconfigured("Cost", issue))
  })

/** Models that are counted by name. */
const maxModels = 256

/**
 * Sets `cost` of every response, where it is known, and counts it in {@link spent}, by the first 256 models; the cost of all
 * others stands under `_OTHER`.
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy = (options: Options = {}): Policy.Policy<LlmError> =>
  Policy.makeChecked("Cost", options, checkedOptions, (service) => {
    const price = pricing(options)
    const pricedNames = new ShownNames(maxModels)
    const unpricedNames = new ShownNames(maxModels)
    const labels = new ShownNames(maxModels)
    const find = priceFinder(options.prices)
    /** Counts what caching saved and cost, of answers that read or wrote a cache. */
    const countCache = (response: LlmResponse, asked: string | undefined, label: string | undefined) => {
      const { cacheRead = 0, cacheWrite = 0 } = response.usage.input
      if (isServed(response) || (cacheRead <= 0 && cacheWrite <= 0)) return Effect.void
      return Effect.flatMap(
        Effect.flatMap(
          find(response.provider, response.model),
          (prices) =>
            prices === undefined && asked !== undefined ? find(response.provider, asked) : Effect.succeed(prices)
        ),
        (prices) => {
          const economics = economicsOf(response.usage, prices)
          if (economics === undefined) return Effect.void
          const attributes = {
            provider: response.provider,
            model: pricedNames.of(response.model),
            ...(label === undefined ? undefined : { label: labels.of(label) })
          }
          return Effect.andThen(
            Metric.update(Metric.withAttributes(cacheSaved, attributes), Math.max(0, economics.saved)),
            Metric.update(Metric.withAttributes(cacheSurcharge, attributes), Math.max(0, economics.surcharge))
          )
        }
      )
    }
    return mapResponses(service, (response, request) => {
      const asked = response.provider === service.info.provider ? modelOf(request, service.info) : undefined
      return Effect.flatMap(
        Effect.tap(price(response, asked), () => countCache(response, asked, request.label ?? service.info.label)),
        (priced) => {
          const names = priced.cost === undefined ? unpricedNames : pricedNames
          const attributes = { provider: priced.provider, model: names.of(priced.model) }
          return Effect.as(
            priced.cost === undefined
              ? Metric.update(Metric.withAttributes(unknown, attributes), 1)
              : Metric.update(Metric.withAttributes(spent, attributes), priced.cost),
            priced
          )
        }
      )
    })
  })
