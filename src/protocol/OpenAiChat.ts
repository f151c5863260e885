/**
 * The wire of OpenAI's Chat Completions API and of the many hosts that copy it.
 *
 * `make` gives the wire for one host: what the host does differently is a field of its {@link Quirks}. One decoder
 * reads streamed chunks and whole completions. Credentials, URLs and companies are the providers' business;
 * JSON-Schema dialects are functions given in `Quirks.schemaDialect`.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 * @since 0.1.0
 */
import { ChatDecoder } from "./chat/Decoder.ts"
import { encode } from "./chat/Encode.ts"
import { wire } from "./chat/Messages.ts"
import { type Quirks, rulesOf } from "./chat/Quirks.ts"
import { tagsOf } from "./chat/ThinkTags.ts"
import { fitting, type Protocol } from "./Protocol.ts"

export { wire } from "./chat/Messages.ts"
export type { Quirks, ReasoningDialect, ReasoningReplay } from "./chat/Quirks.ts"
export type { Tags } from "./chat/ThinkTags.ts"

/**
 * The Chat Completions wire for a host with these quirks; without any, for OpenAI itself.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (quirks: Quirks = {}): Protocol => {
  const tags = tagsOf(quirks.thinkTags)
  const rules = [rulesOf(quirks), quirks.rules]
  return {
    wire,
    framing: "sse",
    encode: fitting(() => rules, (input) => encode(input, quirks)),
    decoder: (context) => new ChatDecoder(context, tags)
  }
}
