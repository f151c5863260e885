/**
 * Which provider of this library speaks the `api` of a recorded case. A provider of that name is taken when there
 * is one that speaks the wire, so that its quirks are judged as well.
 *
 * @since 0.1.0
 */
import * as Anthropic from "../../provider/Anthropic.ts"
import * as Azure from "../../provider/Azure.ts"
import * as Bedrock from "../../provider/Bedrock.ts"
import * as Cerebras from "../../provider/Cerebras.ts"
import * as Cohere from "../../provider/Cohere.ts"
import * as DeepSeek from "../../provider/DeepSeek.ts"
import * as Fireworks from "../../provider/Fireworks.ts"
import * as Groq from "../../provider/Groq.ts"
import * as LlamaCpp from "../../provider/LlamaCpp.ts"
import * as LmStudio from "../../provider/LmStudio.ts"
import * as Mistral from "../../provider/Mistral.ts"
import * as Moonshot from "../../provider/Moonshot.ts"
import * as Ollama from "../../provider/Ollama.ts"
import * as OpenAi from "../../provider/OpenAi.ts"
import * as OpenAiCompatible from "../../provider/OpenAiCompatible.ts"
import * as OpenRouter from "../../provider/OpenRouter.ts"
import * as Perplexity from "../../provider/Perplexity.ts"
import type { Definition, ProviderModule } from "../../provider/Provider.ts"
import * as Together from "../../provider/Together.ts"
import * as Vllm from "../../provider/Vllm.ts"
import * as Xai from "../../provider/Xai.ts"
import type { Case } from "./Case.ts"

type Speaker = { readonly definition: Definition; readonly make: ProviderModule["make"] }

const chat: { readonly [provider: string]: Speaker } = {
  cerebras: Cerebras,
  deepseek: DeepSeek,
  fireworks: Fireworks,
  groq: Groq,
  llamacpp: LlamaCpp,
  lmstudio: LmStudio,
  mistral: Mistral,
  moonshot: Moonshot,
  ollama: { definition: Ollama.definition, make: (options) => Ollama.make({ ...options, api: "chat" }) },
  openai: { definition: OpenAi.chatDefinition, make: (options) => OpenAi.make({ ...options, api: "chat" }) },
  openrouter: OpenRouter,
  perplexity: Perplexity,
  together: Together,
  vllm: Vllm,
  xai: Xai
}

const responses: { readonly [provider: string]: Speaker } = {
  azure: Azure,
  xai: { definition: Xai.responsesDefinition, make: (options) => Xai.make({ ...options, api: "responses" }) }
}

/**
 * The provider for a case, or `undefined` when no wire of this library is the case's.
 *
 * @category running
 * @since 0.1.0
 */
export const providerOf = (recorded: Case): Speaker | undefined => {
  switch (recorded.api) {
    case "anthropic-messages":
      return Anthropic
    case "bedrock-converse":
      return Bedrock
    case "openai-chat":
      return chat[recorded.provider] ?? OpenAiCompatible
    case "openai-responses":
      return responses[recorded.provider] ?? OpenAi
    case "mistral":
      return Mistral
    case "ollama-native":
      return Ollama
    case "cohere":
    case "cohere-v1":
      return Cohere
    default:
      return undefined
  }
}
