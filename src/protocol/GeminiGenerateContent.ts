/**
 * The Gemini wire: `POST /models/{model}:generateContent` of Google AI Studio and Vertex AI.
 *
 * Pure: it turns a request into a body, and frames or a body into events. Hosts, keys and projects are the provider's;
 * what differs between hosts of this wire is its `Quirks`. Streams come as server-sent events or as one JSON array.
 * https://ai.google.dev/api/generate-content
 *
 * @since 0.1.0
 */
import { wire } from "./gemini/name.ts"
import type { Quirks } from "./gemini/Quirks.ts"
import { lazy, made } from "./lazy.ts"
import type { Protocol } from "./Protocol.ts"

export type {
  /**
   * The request body as this wire spells it.
   *
   * @stability experimental
   * @category models
   * @since 0.1.0
   */
  Body
} from "./gemini/Body.ts"

export type {
  /**
   * What differs between hosts that speak this wire.
   *
   * @stability experimental
   * @category models
   * @since 0.1.0
   */
  Quirks
} from "./gemini/Quirks.ts"

const encoders = lazy(() => import("./gemini/Encode.ts"))
const decoders = lazy(() => import("./gemini/Decoder.ts"))

/**
 * The wire, with the quirks of a host.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (quirks: Quirks = {}): Protocol => ({
  wire,
  framing: "sse",
  encoder: made(encoders, ({ encoder }) => encoder(quirks)),
  decoder: made(decoders, ({ GeminiDecoder }) => (context) => new GeminiDecoder(context, quirks))
})
