/**
 * The wire of Cohere's Chat API v2: typed stream events with text, thinking, tool plans, tool calls and citations.
 *
 * One decoder reads streams and whole answers, and those of v1 as far as they say the same. Credentials and addresses
 * are the provider's business.
 *
 * @see https://docs.cohere.com/reference/chat
 * @since 0.1.0
 */
import { encode } from "./cohere/Encode.ts"
import { wire } from "./cohere/Messages.ts"
import { plainNames, withToolNames } from "./conversation/ToolNames.ts"
import { lazy, made } from "./lazy.ts"
import type { Protocol } from "./Protocol.ts"
import { verbatim } from "./Verbatim.ts"

export type { Body } from "./cohere/Body.ts"
export { toolPlan, wire } from "./cohere/Messages.ts"

const decoders = lazy(() => import("./cohere/Decoder.ts"))

/**
 * The Chat API v2 wire.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Protocol => ({
  wire,
  framing: "sse",
  encode: (input) =>
    verbatim(wire, input, {
      encode: withToolNames(plainNames, encode),
      path: () => "/chat"
    }),
  decoder: made(decoders, ({ CohereDecoder }) => (context) => new CohereDecoder(context))
})
