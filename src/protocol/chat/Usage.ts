/**
 * Token counts of Chat Completions hosts: where each host puts them and what they include.
 *
 * Counts are last seen, never summed over chunks, and `null` never overwrites a number. Prompt tokens
 * include cached ones. Completion tokens include reasoning, except on hosts whose totals show otherwise.
 *
 * @see https://platform.openai.com/docs/api-reference/chat/object
 * @since 0.1.0
 */
import { ownOf, setOwn } from "../../json/own.ts"
import type { Usage } from "../../LlmResponse.ts"
import type { Json } from "../../Message.ts"
import { blank, type Fields, filledRecord, maxUsageFields, record } from "../Probe.ts"

const count = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? Math.max(0, value) : undefined

/** The first that is more than 0, which may be a placeholder; else the first. */
const first = (...values: ReadonlyArray<unknown>): number | undefined => {
  let some: number | undefined
  for (const value of values) {
    const found = count(value)
    if (found !== undefined && found > 0) return found
    some ??= found
  }
  return some
}

/** The first of some objects that says anything; else the first. */
const details = (raw: Fields, names: ReadonlyArray<string>): Fields => {
  for (const name of names) {
    const found = filledRecord(raw[name])
    if (found !== undefined) return found
  }
  for (const name of names) {
    const found = record(raw[name])
    if (found !== undefined) return found
  }
  return {}
}

/**
 * Lays a later usage object over an earlier one.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const mergeUsage = (earlier: Fields | undefined, later: Fields): Fields => {
  if (earlier === undefined) return Object.keys(later).length > maxUsageFields ? mergeUsage({}, later) : later
  const merged: Record<string, unknown> = { ...earlier }
  let size = Object.keys(merged).length
  for (const key in later) {
    const value = later[key]
    if (!Object.hasOwn(merged, key) && ++size > maxUsageFields) continue
    if (value === null || value === undefined) {
      if (!Object.hasOwn(merged, key)) setOwn(merged, key, value)
      continue
    }
    const inner = record(value)
    const before = record(ownOf(merged, key))
    if (inner === undefined && before !== undefined && blank(value)) continue
    setOwn(merged, key, inner !== undefined && before !== undefined ? mergeUsage(before, inner) : value)
  }
  return merged
}

/**
 * Reads a usage object.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const readUsage = (raw: Fields): Usage => {
  // Mistral spells `prompt_token_details` without the s.
  const prompt = details(raw, ["prompt_tokens_details", "prompt_token_details", "input_tokens_details"])
  const completion = details(raw, ["completion_tokens_details", "output_tokens_details"])
  const input = first(raw["prompt_tokens"], raw["input_tokens"])
  const cacheRead = first(
    prompt["cached_tokens"],
    raw["prompt_cache_hit_tokens"],
    raw["cached_tokens"],
    raw["num_cached_tokens"]
  )
  const cacheWrite = first(
    prompt["cache_write_tokens"],
    prompt["cache_creation_tokens"],
    raw["cache_write_tokens"],
    raw["cache_creation_input_tokens"]
  )
  const reported = first(raw["completion_tokens"], raw["output_tokens"])
  const reasoning = first(completion["reasoning_tokens"], raw["reasoning_tokens"])
  const total = count(raw["total_tokens"])
  const outside = reasoning !== undefined && reasoning > 0 && reported !== undefined &&
    (reasoning > reported || (input !== undefined && total === input + reported + reasoning))
  const output = outside ? reported + reasoning : reported
  const cost = raw["cost"]
  const billedCost = first(cost, record(cost)?.["total_cost"])
  return {
    input: {
      ...(input === undefined ? undefined : { total: input }),
      ...(input === undefined || (cacheRead === undefined && cacheWrite === undefined)
        ? undefined
        : { uncached: Math.max(0, input - (cacheRead ?? 0) - (cacheWrite ?? 0)) }),
      ...(cacheRead === undefined ? undefined : { cacheRead }),
      ...(cacheWrite === undefined ? undefined : { cacheWrite })
    },
    output: {
      ...(output === undefined ? undefined : { total: output }),
      ...(output === undefined || reasoning === undefined ? undefined : { text: Math.max(0, output - reasoning) }),
      ...(reasoning === undefined ? undefined : { reasoning })
    },
    ...(billedCost === undefined ? undefined : { billedCost }),
    raw: raw as Json
  }
}
