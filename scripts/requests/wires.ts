/**
 * The hand-written validators of every wire, by the documentation of who made it.
 */
import type { Validator } from "./Fault.ts"
import { anthropic } from "./wires/anthropic.ts"
import { bedrock } from "./wires/bedrock.ts"
import { chat } from "./wires/chat.ts"
import { cohere } from "./wires/cohere.ts"
import { every } from "./wires/every.ts"
import { gemini } from "./wires/gemini.ts"
import { responses } from "./wires/responses.ts"

const wires: { readonly [wire: string]: Validator } = {
  "anthropic-messages": anthropic,
  "bedrock-converse": bedrock,
  "cohere-chat": cohere,
  "gemini-generate-content": gemini,
  "openai-chat": chat,
  "openai-responses": responses
}

/** The validators of a wire. */
export const wireValidators = (wire: string): ReadonlyArray<Validator> => {
  const own = wires[wire]
  return own === undefined ? [every] : [every, own]
}
