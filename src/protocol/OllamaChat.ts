/**
 * The wire of Ollama's native chat API, `/api/chat`: JSON lines with thinking, tool calls and images.
 *
 * `make` gives the wire for one server: what it does differently is a field of its {@link Quirks}. One decoder reads
 * streamed lines and whole bodies. Pulling and listing models, credentials and addresses are the provider's business.
 *
 * @see https://docs.ollama.com/api/chat
 * @since 0.1.0
 */
import { tagsOf } from "./chat/ThinkTags.ts"
import { lazy, made } from "./lazy.ts"
import { wire } from "./ollama/name.ts"
import type { Quirks } from "./ollama/Quirks.ts"
import type { Protocol } from "./Protocol.ts"

export type { Body } from "./ollama/Body.ts"
export { wire } from "./ollama/name.ts"
export type { Quirks } from "./ollama/Quirks.ts"

const encoders = lazy(() => import("./ollama/Encode.ts"))
const decoders = lazy(() => import("./ollama/Decoder.ts"))

/**
 * The native chat wire for a server with these quirks.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (quirks: Quirks = {}): Protocol => {
  const tags = tagsOf(quirks.thinkTags)
  return {
    wire,
    framing: "ndjson",
    encoder: made(encoders, ({ encoder }) => encoder(quirks)),
    decoder: made(decoders, ({ OllamaDecoder }) => (context) => new OllamaDecoder(context, tags))
  }
}
