/**
 * Token counts of the Anthropic wire: https://platform.claude.com/docs/en/api/messages#response.usage
 *
 * `input_tokens` excludes what was read from or written to the cache, so the total is their sum. Counts in
 * `message_delta` are cumulative and replace those of `message_start`; null replaces nothing. Tokens of a
 * `compaction` iteration are not in the top-level counts and are added; every other iteration is already in them.
 *
 * @since 0.1.0
 */
import type { Usage } from "../../LlmResponse.ts"
import type { Json } from "../../Message.ts"
import { count, firstCount, type JsonFields, record } from "../Probe.ts"

interface Counts {
  input: number | undefined
  cacheRead: number | undefined
  cacheWrite: number | undefined
  cacheWrite1h: number | undefined
  output: number | undefined
}

const add = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : a + b

const countsOf = (usage: JsonFields): Counts => {
  const written = record(usage["cache_creation"])
  const cacheWrite1h = count(written?.["ephemeral_1h_input_tokens"])
  return {
    input: count(usage["input_tokens"]),
    cacheRead: count(usage["cache_read_input_tokens"]),
    cacheWrite: firstCount(
      count(usage["cache_creation_input_tokens"]),
      add(count(written?.["ephemeral_5m_input_tokens"]), cacheWrite1h)
    ),
    cacheWrite1h,
    output: count(usage["output_tokens"])
  }
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
  const counts = countsOf(raw)
  const iterations = raw["iterations"]
  if (Array.isArray(iterations)) {
    for (const one of iterations) {
      const iteration = record(one)
      if (iteration?.["type"] !== "compaction") continue
      const more = countsOf(iteration)
      counts.input = add(counts.input, more.input)
      counts.cacheRead = add(counts.cacheRead, more.cacheRead)
      counts.cacheWrite = add(counts.cacheWrite, more.cacheWrite)
      counts.cacheWrite1h = add(counts.cacheWrite1h, more.cacheWrite1h)
      counts.output = add(counts.output, more.output)
    }
  }
  const input: Draft<Usage["input"]> = {}
  if (counts.input !== undefined) {
    input.total = counts.input + (counts.cacheRead ?? 0) + (counts.cacheWrite ?? 0)
    input.uncached = counts.input
  }
  if (counts.cacheRead !== undefined) input.cacheRead = counts.cacheRead
  if (counts.cacheWrite !== undefined) input.cacheWrite = counts.cacheWrite
  if (counts.cacheWrite1h !== undefined) input.cacheWrite1h = counts.cacheWrite1h
  const output: Draft<Usage["output"]> = {}
  if (counts.output !== undefined) output.total = counts.output
  const reasoning = count(record(raw["output_tokens_details"])?.["thinking_tokens"])
  if (reasoning !== undefined) {
    output.reasoning = reasoning
    if (counts.output !== undefined) output.text = Math.max(0, counts.output - reasoning)
  }
  return { input, output, raw: raw as Json }
}
