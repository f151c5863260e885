/**
 * Which provider of this library speaks the `api` of a recorded case. A provider of that name is taken when there
 * is one that speaks the wire, so that its quirks are judged as well.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Anthropic from "../../provider/Anthropic.ts"
import * as Azure from "../../provider/Azure.ts"
import * as Bedrock from "../../provider/Bedrock.ts"
import * as Cohere from "../../provider/Cohere.ts"
import * as Gemini from "../../provider/Gemini.ts"
import * as Llm from "../../provider/Llm.ts"
import * as Mistral from "../../provider/Mistral.ts"
import * as Ollama from "../../provider/Ollama.ts"
import * as OpenAi from "../../provider/OpenAi.ts"
import * as OpenAiCompatible from "../../provider/OpenAiCompatible.ts"
import type { Definition, ProviderModule } from "../../provider/Provider.ts"
import * as Vertex from "../../provider/Vertex.ts"
import * as VertexAnthropic from "../../provider/VertexAnthropic.ts"
import * as Xai from "../../provider/Xai.ts"
import type { Case } from "./Case.ts"

type Speaker = { readonly definition: Definition; readonly make: ProviderModule["make"] }

/** Providers that speak Chat Completions by choice. */
const chat: { readonly [provider: string]: Speaker } = {
  ollama: { definition: Ollama.definition, make: (options) => Ollama.make({ ...options, api: "chat" }) },
  openai: { definition: OpenAi.chatDefinition, make: (options) => OpenAi.make({ ...options, api: "chat" }) }
}

const responses: { readonly [provider: string]: Speaker } = {
  azure: Azure,
  xai: { definition: Xai.responsesDefinition, make: (options) => Xai.make({ ...options, api: "responses" }) }
}

const chatProvider = (id: string): Effect.Effect<Speaker> => {
  const chosen = chat[id]
  if (chosen !== undefined) return Effect.succeed(chosen)
  if (!Llm.isProviderId(id)) return Effect.succeed(OpenAiCompatible)
  return Effect.map(
    Effect.orDie(Llm.load(id)),
    (found): Speaker => found.definition.protocol.wire === "openai-chat" ? found : OpenAiCompatible
  )
}

/**
 * The provider for a case, or `undefined` when no wire of this library is the case's.
 *
 * @stability experimental
 * @category running
 * @since 0.1.0
 */
export const providerOf = (recorded: Case): Effect.Effect<Speaker | undefined> => {
  switch (recorded.api) {
    case "openai-chat":
      return chatProvider(recorded.provider)
    case "openai-responses":
      return Effect.succeed(responses[recorded.provider] ?? OpenAi)
    case "anthropic-messages":
      return Effect.succeed(recorded.provider === "vertex" ? VertexAnthropic : Anthropic)
    case "gemini":
      return Effect.succeed(recorded.provider === "vertex" ? Vertex : Gemini)
    case "bedrock-converse":
      return Effect.succeed(Bedrock)
    case "mistral":
      return Effect.succeed(Mistral)
    case "ollama-native":
      return Effect.succeed(Ollama)
    case "cohere":
    case "cohere-v1":
      return Effect.succeed(Cohere)
    default:
      return Effect.undefined
  }
}
