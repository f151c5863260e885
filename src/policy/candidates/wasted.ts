/**
 * Tokens that were paid for and shown to nobody.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Usage } from "../../LlmResponse.ts"

/**
 * Tokens of attempts whose output was thrown away, as far as the provider reported them, by `policy` and `provider`.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const wastedTokens = Metric.counter("effect_llm.wasted_tokens", {
  description: "Tokens of attempts whose output was thrown away",
  incremental: true
})

/**
 * Counts the usage of a lost attempt; one that is not known counts nothing.
 *
 * @stability stable
 * @category metrics
 * @since 0.1.0
 */
export const countWaste = (policy: string, provider: string, usage: Usage | undefined): Effect.Effect<void> => {
  const tokens = (usage?.input.total ?? 0) + (usage?.output.total ?? 0)
  return tokens === 0
    ? Effect.void
    : Metric.update(Metric.withAttributes(wastedTokens, { policy, provider }), tokens)
}
