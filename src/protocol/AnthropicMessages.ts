/**
 * The Anthropic Messages wire: `POST /messages` below `https://api.anthropic.com/v1`.
 *
 * Pure: it turns a request into a body, and frames or a body into events. Keys, versions and beta headers are the
 * provider's; what differs between hosts of this wire is its `Quirks`.
 * https://platform.claude.com/docs/en/api/messages
 *
 * @since 0.1.0
 */
import { wire } from "./anthropic/name.ts"
import type { Quirks } from "./anthropic/Quirks.ts"
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
} from "./anthropic/Body.ts"

export type {
  /**
   * What differs between hosts that speak this wire.
   *
   * @stability experimental
   * @category models
   * @since 0.1.0
   */
  Quirks
} from "./anthropic/Quirks.ts"

const encoders = lazy(() => import("./anthropic/Encode.ts"))
const decoders = lazy(() => import("./anthropic/Decoder.ts"))

/**
 * The wire, with the quirks of a host.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (quirks: Quirks = {}): Protocol => {
  return {
    wire,
    framing: "sse",
    encoder: made(encoders, ({ encoder }) => encoder(quirks)),
    decoder: made(decoders, ({ AnthropicDecoder }) => (context) => new AnthropicDecoder(context))
  }
}
