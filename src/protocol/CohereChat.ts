/**
 * The wire of Cohere's Chat API v2: typed stream events with text, thinking, tool plans, tool calls and citations.
 *
 * One decoder reads streams and whole answers, and those of v1 as far as they say the same. Credentials and addresses
 * are the provider's business.
 *
 * @see https://docs.cohere.com/reference/chat
 * @since 0.1.0
 */
import { wire } from "./cohere/name.ts"
import { lazy, made } from "./lazy.ts"
import type { Protocol } from "./Protocol.ts"

export type { Body } from "./cohere/Body.ts"
export { toolPlan } from "./cohere/Messages.ts"
export { wire } from "./cohere/name.ts"

const encoders = lazy(() => import("./cohere/Encode.ts"))
const decoders = lazy(() => import("./cohere/Decoder.ts"))

/**
 * The Chat API v2 wire.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Protocol => ({
  wire,
  framing: "sse",
  encoder: made(encoders, ({ encoder }) => encoder),
  decoder: made(decoders, ({ CohereDecoder }) => (context) => new CohereDecoder(context))
})
