/**
 * Exact token counts without a network, by the optional peer `gpt-tokenizer`.
 *
 * For providers that have no counting endpoint: text is encoded with OpenAI's encoding, which other models' tokenizers only
 * resemble, and each message adds what OpenAI documents for the chat format. A count that the provider gives is kept.
 * Images, sounds and files are no text: a request with one keeps the estimate.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { countTokens as countO200k } from "gpt-tokenizer/encoding/o200k_base"
import type { LlmRequest } from "./LlmRequest.ts"
import { messagesOf } from "./LlmRequest.ts"
import { parts } from "./Message.ts"
import type { Part } from "./Message.ts"
import * as Policy from "./policy/Policy.ts"

/** https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb */
const perMessage = 3
const perReply = 3

/** The text of a part as a model reads it, or `undefined` when it is not text. */
const textOf = (part: Part): string | undefined => {
  switch (part.type) {
    case "text":
      return part.text
    case "tool-call":
      return `${part.name}${typeof part.arguments === "string" ? part.arguments : JSON.stringify(part.arguments)}`
    case "tool-result":
      return typeof part.content === "string"
        ? part.content
        : part.content.every((one) => one.type === "text")
        ? part.content.map((one) => one.type === "text" ? one.text : "").join("")
        : undefined
    case "reasoning":
    case "source":
    case "server-tool":
      return ""
    default:
      return undefined
  }
}

/**
 * The input tokens of a request in OpenAI's `o200k_base` encoding, or `undefined` when it holds more than text.
 *
 * @stability stable
 * @category counting
 * @since 0.1.0
 */
export const countTokens = (request: LlmRequest): number | undefined => {
  let total = perReply
  if (request.system !== undefined) total += perMessage + countO200k(request.system)
  for (const message of messagesOf(request)) {
    total += perMessage + countO200k(message.role)
    for (const part of parts(message)) {
      const text = textOf(part)
      if (text === undefined) return undefined
      total += countO200k(text)
    }
  }
  for (const tool of request.tools ?? []) total += countO200k(JSON.stringify(tool))
  return total
}

/**
 * Counts locally and exactly where the provider's count would be an estimate.
 *
 * @stability stable
 * @category policies
 * @since 0.1.0
 */
export const policy: Policy.Policy = Policy.make((service) => ({
  ...service,
  countTokens: (request) =>
    Effect.map(service.countTokens(request), (count) => {
      if (!count.estimated) return count
      const inputTokens = countTokens(request)
      return inputTokens === undefined ? count : { inputTokens, estimated: false }
    })
}))
