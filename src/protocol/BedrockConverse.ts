/**
 * The Amazon Bedrock Converse wire: `POST /model/{modelId}/converse` and `/converse-stream`.
 *
 * Pure: it turns a request into a body, and messages of an AWS event stream or a body into events. Regions, keys and
 * signatures are the provider's; what differs between the models behind the API is its `Quirks`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 *
 * @since 0.1.0
 */
import { EventStream } from "./bedrock/EventStream.ts"
import { wire } from "./bedrock/name.ts"
import type { Quirks } from "./bedrock/Quirks.ts"
import { lazy, made } from "./lazy.ts"
import type { Protocol } from "./Protocol.ts"

export type {
  /**
   * What a family of models takes.
   *
   * @stability experimental
   * @category models
   * @since 0.1.0
   */
  Family,
  /**
   * What differs between the models behind this wire.
   *
   * @stability experimental
   * @category models
   * @since 0.1.0
   */
  Quirks
} from "./bedrock/Quirks.ts"

const encoders = lazy(() => import("./bedrock/Encode.ts"))
const decoders = lazy(() => import("./bedrock/Decoder.ts"))

/**
 * The wire, with the quirks of the models behind it.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (quirks: Quirks = {}): Protocol => ({
  wire,
  framing: (decoder, text) => new EventStream(decoder, text),
  encoder: made(encoders, ({ encoder }) => encoder(quirks)),
  decoder: made(decoders, ({ BedrockDecoder }) => (context) => new BedrockDecoder(context))
})
