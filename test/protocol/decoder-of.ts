/** Decoders of wires whose modules are loaded already. */
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import type { DecodeContext, Decoder, Protocol } from "../../src/protocol/Protocol.ts"

const wires = [
  AnthropicMessages,
  BedrockConverse,
  CohereChat,
  GeminiGenerateContent,
  OllamaChat,
  OpenAiChat,
  OpenAiResponses
]
await Promise.all(wires.map(({ make }) => make()).map(({ decoder }) => typeof decoder === "object" && decoder.load()))

export const decoderOf = ({ decoder }: Protocol, context: DecodeContext): Decoder => {
  const make = typeof decoder === "function" ? decoder : decoder.ready
  if (make === undefined) throw new Error("the decoder is not loaded")
  return make(context)
}
