// The seven wires in both directions, and what tests of their servers have in common.
import type { LlmRequest } from "../../../src/LlmRequest.ts"
import type { JsonObject } from "../../../src/Message.ts"
import { server as anthropic } from "../../../src/protocol/anthropic/server/Server.ts"
import * as AnthropicMessages from "../../../src/protocol/AnthropicMessages.ts"
import { server as bedrock } from "../../../src/protocol/bedrock/server/Server.ts"
import * as BedrockConverse from "../../../src/protocol/BedrockConverse.ts"
import { server as chat } from "../../../src/protocol/chat/server/Server.ts"
import { server as cohere } from "../../../src/protocol/cohere/server/Server.ts"
import * as CohereChat from "../../../src/protocol/CohereChat.ts"
import { server as gemini } from "../../../src/protocol/gemini/server/Server.ts"
import * as GeminiGenerateContent from "../../../src/protocol/GeminiGenerateContent.ts"
import { server as ollama } from "../../../src/protocol/ollama/server/Server.ts"
import * as OllamaChat from "../../../src/protocol/OllamaChat.ts"
import * as OpenAiChat from "../../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../../src/protocol/OpenAiResponses.ts"
import type { Encoded, EncodeInput, Protocol } from "../../../src/protocol/Protocol.ts"
import { server as responses } from "../../../src/protocol/responses/server/Server.ts"
import type { AnswerContext, Decoded, Incoming, ServerProtocol } from "../../../src/protocol/Server.ts"
import { encoderOf } from "../../encoding.ts"

export interface Wire {
  readonly client: Protocol
  readonly server: ServerProtocol
  /** Below which requests go, as hosts have it. */
  readonly base: string
}

export const wires: { readonly [name: string]: Wire } = {
  anthropic: { client: AnthropicMessages.make(), server: anthropic, base: "/v1" },
  chat: { client: OpenAiChat.make(), server: chat, base: "/v1" },
  responses: { client: OpenAiResponses.make(), server: responses, base: "/v1" },
  gemini: { client: GeminiGenerateContent.make(), server: gemini, base: "/v1beta" },
  bedrock: { client: BedrockConverse.make(), server: bedrock, base: "" },
  cohere: { client: CohereChat.make(), server: cohere, base: "/v2" },
  ollama: { client: OllamaChat.make(), server: ollama, base: "" }
}

export const names = Object.keys(wires)

/** A request as it comes to a server. */
export const incomingOf = (wire: Wire, { body, path }: Pick<Encoded, "body" | "path">): Incoming => {
  const url = new URL(`${wire.base}${path}`, "http://127.0.0.1")
  return {
    method: "POST",
    path: url.pathname,
    query: url.searchParams,
    headers: {},
    body: JSON.parse(JSON.stringify(body))
  }
}

export const inputOf = (request: LlmRequest, more?: Partial<EncodeInput>): EncodeInput => ({
  request,
  model: "model-1",
  stream: false,
  provider: "someone",
  ...more
})

/** The request as an application would have written it, without what it was read from. */
export const forgotten = (request: LlmRequest): LlmRequest =>
  Object.fromEntries(Object.entries(request)) as unknown as LlmRequest

export const encode = (wire: Wire, request: LlmRequest, more?: Partial<EncodeInput>): Encoded => {
  const made = encoderOf(wire.client)(inputOf(request, more))
  if ("refused" in made) throw new Error(`refused: ${JSON.stringify(made.refused)}`)
  return made
}

export const decode = (wire: Wire, incoming: Incoming): Decoded => {
  const read = wire.server.decodeRequest(incoming)
  if ("refused" in read) throw new Error(`refused: ${JSON.stringify(read.refused)}`)
  return read
}

/** What came in and goes out on one wire. */
export const roundTrip = (wire: Wire, body: JsonObject, path: string): Encoded => {
  const read = decode(wire, incomingOf(wire, { body, path }))
  return encode(wire, read.request, { model: read.model, stream: read.stream })
}

export const contextOf = (incoming: Incoming, more?: Partial<AnswerContext>): AnswerContext => ({
  incoming,
  requestId: "req_1",
  created: 1_767_225_600,
  ...more
})
