/**
 * Token counts of the Converse wire: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
 *
 * `inputTokens` excludes what was read from or written to the cache, so the total is their sum. The cache counts
 * come under two names, often both.
 *
 * @since 0.1.0
 */
import type { Usage } from "../../LlmResponse.ts"
import type { Json } from "../../Message.ts"
import { count, firstCount, type JsonFields, record } from "../Probe.ts"

type Draft<A> = { -readonly [K in keyof A]: A[K] }

/** Tokens written for 1 hour: `cacheDetails: [{ ttl: "1h", inputTokens }]`. */
const writtenForAnHour = (details: unknown): number | undefined => {
  if (!Array.isArray(details)) return undefined
  const found: JsonFields | undefined = details.map(record).find((detail) => detail?.["ttl"] === "1h")
  return count(found?.["inputTokens"])
}

/**
 * Reads a usage object.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const usageOf = (raw: JsonFields): Usage => {
  const uncached = count(raw["inputTokens"])
  const cacheRead = firstCount(count(raw["cacheReadInputTokens"]), count(raw["cacheReadInputTokenCount"]))
  const cacheWrite = firstCount(count(raw["cacheWriteInputTokens"]), count(raw["cacheWriteInputTokenCount"]))
  const cacheWrite1h = writtenForAnHour(raw["cacheDetails"])
  const total = count(raw["outputTokens"])
  const input: Draft<Usage["input"]> = {}
  if (uncached !== undefined) {
    input.total = uncached + (cacheRead ?? 0) + (cacheWrite ?? 0)
    input.uncached = uncached
  }
  if (cacheRead !== undefined) input.cacheRead = cacheRead
  if (cacheWrite !== undefined) input.cacheWrite = cacheWrite
  if (cacheWrite1h !== undefined) input.cacheWrite1h = cacheWrite1h
  return { input, output: total === undefined ? {} : { total }, raw: raw as Json }
}
