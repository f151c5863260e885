/**
 * Token counts of the Gemini wire: https://ai.google.dev/api/generate-content#UsageMetadata
 *
 * Counts are those last seen; null replaces nothing. The prompt includes what came from a cache. Candidates exclude
 * thoughts, so the output is their sum; a count of zero is left out by the API and read from the total.
 *
 * @since 0.1.0
 */
import { ownOf } from "../../json/own.ts"
import type { Usage } from "../../LlmResponse.ts"
import type { Json } from "../../Message.ts"
import { blank, count, firstCount, type JsonFields } from "../Probe.ts"
import { field } from "./Fields.ts"

/**
 * Whether a usage object says anything but what is known; breakdowns change only with the counts they break down.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const addsTo = (known: JsonFields | undefined, next: JsonFields): boolean => {
  if (known === undefined) return true
  for (const key in next) {
    const value = next[key]
    const before = ownOf(known, key)
    if (value === before || (blank(value) && (typeof value !== "number" || before !== undefined))) continue
    if (before === undefined || (value !== before && typeof value !== "object")) return true
  }
  return false
}

type Draft<A> = { -readonly [K in keyof A]: A[K] }

/**
 * Reads a usage object.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const usageOf = (raw: JsonFields): Usage => {
  const prompt = count(field(raw, "promptTokenCount"))
  const cached = count(field(raw, "cachedContentTokenCount"))
  const thoughts = count(field(raw, "thoughtsTokenCount"))
  const total = count(field(raw, "totalTokenCount"))
  let candidates = firstCount(count(field(raw, "candidatesTokenCount")), count(field(raw, "responseTokenCount")))
  if (candidates === undefined && total !== undefined && prompt !== undefined) {
    // Tokens of tool results that the provider put into the prompt itself are in the total only.
    const toolUse = count(field(raw, "toolUsePromptTokenCount")) ?? 0
    candidates = Math.max(0, total - prompt - toolUse - (thoughts ?? 0))
  }
  const input: Draft<Usage["input"]> = {}
  if (prompt !== undefined) {
    input.total = prompt
    input.uncached = Math.max(0, prompt - (cached ?? 0))
  }
  if (cached !== undefined) input.cacheRead = cached
  const output: Draft<Usage["output"]> = {}
  if (candidates !== undefined) {
    output.total = candidates + (thoughts ?? 0)
    output.text = candidates
  }
  if (thoughts !== undefined) output.reasoning = thoughts
  return { input, output, raw: raw as Json }
}
