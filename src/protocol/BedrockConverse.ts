/**
 * The Amazon Bedrock Converse wire: `POST /model/{modelId}/converse` and `/converse-stream`.
 *
 * Pure: it turns a request into a body, and messages of an AWS event stream or a body into events. Regions, keys and
 * signatures are the provider's; what differs between the models behind the API is its `Quirks`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 *
 * @since 0.1.0
 */
import { encode, pathOf, wire } from "./bedrock/Encode.ts"
import { EventStream } from "./bedrock/EventStream.ts"
import type { Quirks } from "./bedrock/Quirks.ts"
import { plainNames, withToolNames } from "./conversation/ToolNames.ts"
import { lazy, made } from "./lazy.ts"
import type { Protocol } from "./Protocol.ts"
import { verbatim } from "./Verbatim.ts"

export type {
  /**
   * What a family of models takes.
   *
   * @category models
   * @since 0.1.0
   */
  Family,
  /**
   * What differs between the models behind this wire.
   *
   * @category models
   * @since 0.1.0
   */
  Quirks
} from "./bedrock/Quirks.ts"

const decoders = lazy(() => import("./bedrock/Decoder.ts"))

/**
 * The wire, with the quirks of the models behind it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (quirks: Quirks = {}): Protocol => ({
  wire,
  framing: (decoder, text) => new EventStream(decoder, text),
  encode: (input) =>
    verbatim(wire, input, {
      encode: withToolNames(plainNames, (input) => encode(input, quirks)),
      path: pathOf
    }),
  decoder: made(decoders, ({ BedrockDecoder }) => (context) => new BedrockDecoder(context))
})
