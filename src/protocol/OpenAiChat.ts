/**
 * The wire of OpenAI's Chat Completions API and of the many hosts that copy it.
 *
 * `make` gives the wire for one host: what the host does differently is a field of its {@link Quirks}. One decoder
 * reads streamed chunks and whole completions. Credentials, URLs and companies are the providers' business;
 * dialects of JSON Schema are data in `Quirks.schemas`.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 * @since 0.1.0
 */
import { wire } from "./chat/name.ts"
import type { Quirks } from "./chat/Quirks.ts"
import { tagsOf } from "./chat/ThinkTags.ts"
import { lazy, made } from "./lazy.ts"
import type { Protocol } from "./Protocol.ts"

export { wire } from "./chat/name.ts"
export type { Quirks, ReasoningDialect, ReasoningReplay } from "./chat/Quirks.ts"
export type { Tags } from "./chat/ThinkTags.ts"

const encoders = lazy(() => import("./chat/Encode.ts"))
const decoders = lazy(() => import("./chat/Decoder.ts"))

/**
 * The Chat Completions wire for a host with these quirks; without any, for OpenAI itself.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (quirks: Quirks = {}): Protocol => {
  const tags = tagsOf(quirks.thinkTags)
  return {
    wire,
    framing: "sse",
    encoder: made(encoders, ({ encoder }) => encoder(quirks)),
    decoder: made(decoders, ({ ChatDecoder }) => (context) => new ChatDecoder(context, tags))
  }
}
