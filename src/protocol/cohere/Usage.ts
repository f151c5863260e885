/**
 * Token counts and finish reasons of Cohere's Chat API.
 *
 * Counts are those of `tokens`, what the model saw and wrote with all markup; else the billed units, which leave markup
 * and instructions out. `cached_tokens` are part of the input, `reasoning_tokens` part of the output.
 *
 * @see https://docs.cohere.com/reference/chat
 * @since 0.1.0
 */
import type { FinishReason, Usage } from "../../LlmResponse.ts"
import type { Json } from "../../Message.ts"
import { finishReasonOf as commonFinishReasonOf } from "../FinishReasons.ts"
import { type Fields, firstCount, record } from "../Probe.ts"

const count = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? Math.max(0, value) : undefined

/**
 * Reads a usage object.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const usageOf = (raw: Fields): Usage => {
  const tokens = record(raw["tokens"])
  const billed = record(raw["billed_units"])
  const input = firstCount(count(tokens?.["input_tokens"]), count(billed?.["input_tokens"]))
  const output = firstCount(count(tokens?.["output_tokens"]), count(billed?.["output_tokens"]))
  const cacheRead = firstCount(count(raw["cached_tokens"]), count(tokens?.["cached_tokens"]))
  const reasoning = firstCount(count(tokens?.["reasoning_tokens"]), count(raw["reasoning_tokens"]))
  return {
    input: {
      ...(input === undefined ? undefined : { total: input }),
      ...(input === undefined || cacheRead === undefined ? undefined : { uncached: Math.max(0, input - cacheRead) }),
      ...(cacheRead === undefined ? undefined : { cacheRead })
    },
    output: {
      ...(output === undefined ? undefined : { total: output }),
      ...(output === undefined || reasoning === undefined ? undefined : { text: Math.max(0, output - reasoning) }),
      ...(reasoning === undefined ? undefined : { reasoning })
    },
    raw: raw as Json
  }
}

const own: { readonly [word: string]: FinishReason } = {
  timeout: "error",
  error_limit: "context-window",
  error_toxic: "content-filter"
}

/**
 * The portable finish reason; `other` for words this version does not know and for none.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const finishReasonOf = (raw: string | undefined): FinishReason => {
  const word = raw?.toLowerCase()
  return word !== undefined && Object.hasOwn(own, word) ? own[word]! : commonFinishReasonOf(word)
}
