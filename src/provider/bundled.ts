/**
 * The import of each provider, for bundlers. Only what every provider is wanted for may import this module.
 *
 * @since 0.1.0
 */

/**
 * Imports of all provider modules.
 *
 * @stability stable
 * @category loading
 * @since 0.1.0
 */
export const loaders = {
  Alibaba: () => import("./Alibaba.ts"),
  Anthropic: () => import("./Anthropic.ts"),
  Azure: () => import("./Azure.ts"),
  Baseten: () => import("./Baseten.ts"),
  Bedrock: () => import("./Bedrock.ts"),
  Cerebras: () => import("./Cerebras.ts"),
  Cloudflare: () => import("./Cloudflare.ts"),
  Cohere: () => import("./Cohere.ts"),
  Databricks: () => import("./Databricks.ts"),
  DeepInfra: () => import("./DeepInfra.ts"),
  DeepSeek: () => import("./DeepSeek.ts"),
  Fireworks: () => import("./Fireworks.ts"),
  Gemini: () => import("./Gemini.ts"),
  GitHubModels: () => import("./GitHubModels.ts"),
  Groq: () => import("./Groq.ts"),
  HuggingFace: () => import("./HuggingFace.ts"),
  Hyperbolic: () => import("./Hyperbolic.ts"),
  LiteLlm: () => import("./LiteLlm.ts"),
  LlamaCpp: () => import("./LlamaCpp.ts"),
  LmStudio: () => import("./LmStudio.ts"),
  MiniMax: () => import("./MiniMax.ts"),
  Mistral: () => import("./Mistral.ts"),
  Moonshot: () => import("./Moonshot.ts"),
  Nebius: () => import("./Nebius.ts"),
  Nvidia: () => import("./Nvidia.ts"),
  Ollama: () => import("./Ollama.ts"),
  OpenAi: () => import("./OpenAi.ts"),
  OpenAiCompatible: () => import("./OpenAiCompatible.ts"),
  OpenCodeZen: () => import("./OpenCodeZen.ts"),
  OpenRouter: () => import("./OpenRouter.ts"),
  Perplexity: () => import("./Perplexity.ts"),
  SambaNova: () => import("./SambaNova.ts"),
  Snowflake: () => import("./Snowflake.ts"),
  Together: () => import("./Together.ts"),
  Venice: () => import("./Venice.ts"),
  VercelGateway: () => import("./VercelGateway.ts"),
  Vertex: () => import("./Vertex.ts"),
  VertexAnthropic: () => import("./VertexAnthropic.ts"),
  Vllm: () => import("./Vllm.ts"),
  Writer: () => import("./Writer.ts"),
  Xai: () => import("./Xai.ts"),
  Xiaomi: () => import("./Xiaomi.ts"),
  Zai: () => import("./Zai.ts")
}

/** Imports of all provider modules, by name. @stability stable @category models @since 0.1.0 */
export type Bundled = typeof loaders
