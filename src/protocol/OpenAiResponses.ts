/**
 * The wire of OpenAI's Responses API and of the hosts that copy it.
 *
 * `make` gives the wire for one host: what the host does differently is a field of its {@link Quirks}. One decoder
 * reads streamed events and whole responses. Answers are not stored with the host (`store: false`); reasoning comes
 * back encrypted and travels with the messages, so that a conversation can go on elsewhere. An application that wants
 * the host to keep state gives `store: true`, `previous_response_id` or `conversation` as provider options.
 *
 * @see https://platform.openai.com/docs/api-reference/responses
 * @since 0.1.0
 */
import { lazy, made } from "./lazy.ts"
import type { Protocol } from "./Protocol.ts"
import { wire } from "./responses/name.ts"
import type { Quirks } from "./responses/Quirks.ts"

export { mergedOptions, wire } from "./responses/name.ts"
export type { Quirks } from "./responses/Quirks.ts"

const encoders = lazy(() => import("./responses/Encode.ts"))
const decoders = lazy(() => import("./responses/Decoder.ts"))

/**
 * The Responses wire for a host with these quirks; without any, for OpenAI itself.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (quirks: Quirks = {}): Protocol => {
  const hosted = new Set(quirks.hostedItems)
  return {
    wire,
    framing: "sse",
    encoder: made(encoders, ({ encoder }) => encoder(quirks)),
    decoder: made(decoders, ({ ResponsesDecoder }) => (context) => new ResponsesDecoder(context, hosted))
  }
}
