// Who speaks each wire: providers with quirks of their own too, since those are read differently.
import type * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import {
  Anthropic,
  Bedrock,
  Cohere,
  DeepSeek,
  Gemini,
  type LlmError,
  type LlmService,
  Mistral,
  Ollama,
  OpenAi,
  OpenAiCompatible,
  OpenRouter,
  Perplexity,
  Together,
  Vertex,
  VertexAnthropic,
  Xai
} from "../../src/index.ts"
import type { WireName } from "./seeds.ts"

export interface Place {
  readonly baseUrl: string
  readonly key: string
}

type Make = (place: Place) => Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient>

const options = ({ baseUrl, key }: Place) => ({
  apiKey: Redacted.make(key),
  baseUrl,
  // Short ones, so that a body that stalls over a real connection ends the case soon; in memory, time is virtual.
  timeouts: { connect: "5 seconds", firstToken: "4 seconds", idle: "3 seconds", total: "8 seconds" }
} as const)

export const speakers: { readonly [wire in WireName]: { readonly [provider: string]: Make } } = {
  anthropic: {
    anthropic: (place) => Anthropic.make({ ...options(place), model: "claude-test" }),
    vertex: (place) => VertexAnthropic.make({ ...options(place), model: "claude-test", project: "p", location: "l" })
  },
  chat: {
    any: (place) => OpenAiCompatible.make({ ...options(place), model: "gpt-test" }),
    deepseek: (place) => DeepSeek.make({ ...options(place), model: "deepseek-test" }),
    mistral: (place) => Mistral.make({ ...options(place), model: "mistral-test" }),
    openai: (place) => OpenAi.make({ ...options(place), model: "gpt-test", api: "chat" }),
    openrouter: (place) => OpenRouter.make({ ...options(place), model: "some/test" }),
    perplexity: (place) => Perplexity.make({ ...options(place), model: "sonar" }),
    together: (place) => Together.make({ ...options(place), model: "some/test" })
  },
  responses: {
    openai: (place) => OpenAi.make({ ...options(place), model: "gpt-test" }),
    xai: (place) => Xai.make({ ...options(place), model: "grok-test", api: "responses" })
  },
  gemini: {
    gemini: (place) => Gemini.make({ ...options(place), model: "gemini-test" }),
    vertex: (place) => Vertex.make({ ...options(place), model: "gemini-test", project: "p", location: "l" })
  },
  ollama: {
    native: (place) => Ollama.make({ ...options(place), model: "test" }),
    tags: (place) => Ollama.make({ ...options(place), model: "test", thinkTags: true })
  },
  cohere: { cohere: (place) => Cohere.make({ ...options(place), model: "command-test" }) },
  bedrock: { bedrock: (place) => Bedrock.make({ ...options(place), model: "anthropic.claude-test" }) }
}
