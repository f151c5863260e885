/**
 * What requests become on a wire, at once: the encoders and the compiler of schemas are loaded here, as layers and calls load them.
 */
import { Effect, Result } from "effect"
import type { Issue, LlmRequest } from "../src/LlmRequest.ts"
import type { ModelMeta } from "../src/Model.ts"
import * as AnthropicMessages from "../src/protocol/AnthropicMessages.ts"
import * as BedrockConverse from "../src/protocol/BedrockConverse.ts"
import * as CohereChat from "../src/protocol/CohereChat.ts"
import * as GeminiGenerateContent from "../src/protocol/GeminiGenerateContent.ts"
import * as OllamaChat from "../src/protocol/OllamaChat.ts"
import * as OpenAiChat from "../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../src/protocol/OpenAiResponses.ts"
import type { Encode, Protocol } from "../src/protocol/Protocol.ts"
import { compiler } from "../src/protocol/schema/compiler.ts"
import * as Provider from "../src/provider/Provider.ts"

const wires = [
  AnthropicMessages,
  BedrockConverse,
  CohereChat,
  GeminiGenerateContent,
  OllamaChat,
  OpenAiChat,
  OpenAiResponses
]

const loadEncoder = async (protocol: Protocol): Promise<void> => {
  if (typeof protocol.encoder === "object") await protocol.encoder.load()
}

const compile = await compiler.load()
await Promise.all(wires.map(({ make }) => loadEncoder(make())))

/** The encoder of a wire, with the compiler of schemas. */
export const encoderOf = ({ encoder }: Protocol): Encode => {
  const encode = typeof encoder === "function" ? encoder : encoder.ready!
  return (input) => encode({ compile, ...input })
}

/** What `Provider.encode` gives, or why it fails. */
export const spelled = (
  definition: Provider.Definition,
  request: LlmRequest,
  model: string,
  stream = false,
  meta?: ModelMeta
): Provider.Spelled | Issue =>
  Result.match(Effect.runSync(Effect.result(Provider.encode(definition, request, model, stream, meta))), {
    onSuccess: (made) => made,
    onFailure: ({ reason }) => {
      if (reason._tag !== "Validation" || reason.field === undefined) throw new Error(reason.message)
      return { field: reason.field, message: reason.message.slice(`${reason.field}: `.length) }
    }
  })
