/**
 * What a call costs: expected before it, known after it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { LlmRequest } from "../../LlmRequest.ts"
import type { LlmResponse } from "../../LlmResponse.ts"
import type { ServiceInfo } from "../../LlmService.ts"
import { priceFinder, priceOf, type PriceOverrides } from "../../model/pricing.ts"
import * as Models from "../../Models.ts"
import { isServed } from "../../stream/served.ts"
import { PerKey } from "../perKey.ts"

/** A quarter of the characters, as in the estimate of a request. */
const charactersPerToken = 4

/**
 * What a response cost; `undefined` when that cannot be known.
 *
 * @stability stable
 * @category costs
 * @since 0.1.0
 */
export const costs = (prices: PriceOverrides | undefined, info: ServiceInfo) => {
  const find = priceFinder(prices)
  const ofModel = (response: LlmResponse, asked: string) =>
    Effect.filterOrElse(
      find(response.provider, response.model),
      (prices) => prices !== undefined || response.provider !== info.provider,
      () => find(response.provider, asked)
    )
  return {
    find,
    whole: (response: LlmResponse, asked: string): Effect.Effect<number | undefined> => {
      if (isServed(response)) return Effect.succeed(0)
      const known = response.usage.billedCost ?? response.cost
      return known === undefined
        ? Effect.map(ofModel(response, asked), (prices) => priceOf(response.usage, prices))
        : Effect.succeed(known)
    },
    /** Of output that broke off: its usage, and for what that does not tell the length of what came. */
    partial: (partial: LlmResponse, asked: string, inputEstimate: number): Effect.Effect<number | undefined> => {
      const { billedCost, input, output } = partial.usage
      if (billedCost !== undefined) return Effect.succeed(billedCost)
      const received = (partial.text.length + partial.reasoningText.length +
        partial.toolCalls.reduce((sum, call) => sum + JSON.stringify(call.arguments).length, 0)) / charactersPerToken
      const usage = {
        input: input.total === undefined && input.uncached === undefined
          ? { total: inputEstimate, uncached: inputEstimate }
          : input,
        // Wires that count as they go begin with a count of next to nothing.
        output: { total: Math.max(output.total ?? 0, Math.ceil(received)) }
      }
      return Effect.map(ofModel(partial, asked), (prices) => priceOf(usage, prices))
    }
  }
}

// =============================================================================
// Expected output
// =============================================================================

/** Output tokens expected of a model of which nothing is known yet. */
const firstGuess = 1000

/** How much the latest answer counts. */
const smoothing = 0.1

/** How long answers are: a moving mean, and how far they are from it. */
class Lengths {
  private mean: number | undefined
  private deviation = 0

  add(tokens: number): void {
    if (this.mean === undefined) {
      this.mean = tokens
      this.deviation = tokens / 2
      return
    }
    this.deviation += smoothing * (Math.abs(tokens - this.mean) - this.deviation)
    this.mean += smoothing * (tokens - this.mean)
  }

  /** Few answers are longer than this. */
  get usual(): number {
    return this.mean === undefined ? firstGuess : Math.ceil(this.mean + 3 * this.deviation)
  }
}

/**
 * Output tokens that calls are expected to use: as the application says, else learned from the answers of each model.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class ExpectedOutput {
  private readonly lengths = new PerKey(() => new Lengths())
  private readonly given: number | ((request: LlmRequest) => number) | undefined

  constructor(given: number | ((request: LlmRequest) => number) | undefined) {
    this.given = given
  }

  of(request: LlmRequest, provider: string, model: string, now: number): Effect.Effect<number> {
    const { maxTokens } = request
    if (this.given !== undefined) {
      const expected = typeof this.given === "number" ? this.given : this.given(request)
      return Effect.succeed(
        Math.min(maxTokens ?? Infinity, Math.max(0, Number.isFinite(expected) ? expected : firstGuess))
      )
    }
    if (maxTokens !== undefined) return Effect.succeed(maxTokens)
    const { usual } = this.lengths.get(`${provider}/${model}`, now)
    return Effect.map(Models.lookup(provider, model), (known) => Math.min(usual, known?.maxOutputTokens ?? Infinity))
  }

  /** Learns from an answer. */
  learn(response: LlmResponse, provider: string, model: string, now: number): void {
    const { total } = response.usage.output
    if (total !== undefined && !isServed(response)) this.lengths.get(`${provider}/${model}`, now).add(total)
  }
}
