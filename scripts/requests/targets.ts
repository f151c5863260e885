/**
 * Whom the requests are for: every provider of the library on every wire it speaks, with models of the families that refuse
 * different things.
 */
import { Effect, Redacted } from "effect"
import type { HttpClient } from "effect/http"
import {
  Azure,
  Bedrock,
  Llm,
  type LlmError,
  type LlmService,
  Ollama,
  OpenAi,
  Vertex,
  VertexAnthropic,
  Xai
} from "../../src/index.ts"

type Made = Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient>

/** A provider on one wire, with one model. */
export interface Target {
  readonly provider: string
  readonly wire: string
  readonly model: string
  readonly make: Made
}

const apiKey = Redacted.make("a-key-of-nobody")

/** Models beside the default one, which stand for families that refuse different things. */
const models: { readonly [provider: string]: ReadonlyArray<string> } = {
  alibaba: ["qwen3.7-max", "qwen3-235b-a22b-thinking-2507"],
  anthropic: ["claude-opus-4-5-20251101", "claude-opus-4-6", "claude-haiku-4-5", "claude-opus-4-8", "claude-sonnet-5"],
  azure: ["gpt-4.1", "gpt-5", "o3"],
  bedrock: [
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.nova-pro-v1:0",
    "openai.gpt-oss-120b-1:0",
    "meta.llama3-3-70b-instruct-v1:0"
  ],
  cerebras: ["zai-glm-4.7"],
  cohere: ["command-a-reasoning-08-2025", "command-r7b-12-2024"],
  deepseek: ["deepseek-v4-pro"],
  fireworks: ["accounts/fireworks/models/gpt-oss-120b"],
  gemini: ["gemini-2.5-pro", "gemini-2.5-flash", "gemini-3.1-pro-preview"],
  groq: ["llama-3.3-70b-versatile", "qwen/qwen3.6-27b"],
  minimax: ["MiniMax-M2.7"],
  mistral: ["mistral-small-latest", "codestral-latest", "magistral-medium-latest"],
  moonshot: ["kimi-k2.6", "kimi-k2.7-code", "moonshot-v1-128k"],
  nvidia: ["nvidia/nemotron-3-super-120b-a12b"],
  openai: ["gpt-4.1", "gpt-5", "o3"],
  openrouter: ["openai/gpt-5", "google/gemini-2.5-pro"],
  perplexity: ["sonar-pro", "sonar-reasoning-pro"],
  together: ["deepseek-ai/DeepSeek-V4.1-Flash"],
  "vercel-gateway": ["anthropic/claude-sonnet-4.5"],
  vertex: ["gemini-2.5-pro", "gemini-3.1-pro-preview"],
  "vertex-anthropic": ["claude-opus-4-5-20251101"],
  xai: ["grok-4.3", "grok-4.6"],
  xiaomi: ["mimo-v2.5-pro"],
  zai: ["glm-4.7", "glm-5.2"]
}

/** Models of servers that have no usual one. */
const usual: { readonly [provider: string]: string } = {
  azure: "gpt-6.1-sol",
  litellm: "gpt-4.1",
  lmstudio: "openai/gpt-oss-20b",
  "openai-compatible": "some-model",
  vllm: "Qwen/Qwen3-32B"
}

/** Providers that are made in a way of their own, by wire. */
const own: { readonly [provider: string]: { readonly [api: string]: (model: string) => Made } } = {
  azure: {
    chat: (model) => Azure.make({ apiKey, model, resource: "r", api: "chat" }),
    responses: (model) => Azure.make({ apiKey, model, resource: "r" })
  },
  bedrock: { converse: (model) => Bedrock.make({ apiKey, model, region: "us-east-1" }) },
  ollama: {
    native: (model) => Ollama.make({ apiKey, model }),
    chat: (model) => Ollama.make({ apiKey, model, api: "chat" })
  },
  openai: {
    chat: (model) => OpenAi.make({ apiKey, model, api: "chat" }),
    responses: (model) => OpenAi.make({ apiKey, model })
  },
  vertex: { gemini: (model) => Vertex.make({ accessToken: apiKey, model, project: "p", location: "global" }) },
  "vertex-anthropic": {
    anthropic: (model) => VertexAnthropic.make({ accessToken: apiKey, model, project: "p", location: "global" })
  },
  xai: {
    chat: (model) => Xai.make({ apiKey, model }),
    responses: (model) => Xai.make({ apiKey, model, api: "responses" })
  }
}

const wires: { readonly [provider: string]: { readonly [api: string]: string } } = {
  azure: { chat: "openai-chat", responses: "openai-responses" },
  ollama: { chat: "openai-chat" },
  openai: { chat: "openai-chat", responses: "openai-responses" },
  xai: { chat: "openai-chat", responses: "openai-responses" }
}

/** Every target, with all models or only the usual one of each provider. */
export const targets = (all: boolean): Effect.Effect<ReadonlyArray<Target>> =>
  Effect.map(
    Effect.forEach(Llm.providerIds, (provider) =>
      Effect.map(Effect.orDie(Llm.load(provider)), ({ definition, make }) => {
        const first = usual[provider] ?? definition.defaultModel ?? "some-model"
        const baseUrl = definition.baseUrl.replace(/\{\w+\}/, "name")
        const apis = own[provider] ??
          { [definition.protocol.wire]: (model: string) => make({ apiKey, model, baseUrl }) }
        return Object.entries(apis).flatMap(([api, makes]) =>
          [first, ...(all ? models[provider] ?? [] : [])].map((model): Target => ({
            provider,
            wire: wires[provider]?.[api] ?? definition.protocol.wire,
            model,
            make: makes(model)
          }))
        )
      })),
    (found) => found.flat()
  )
