/**
 * Ollama on this machine, over its OpenAI-compatible API.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Ollama that have no portable name, sent as they are. */
    readonly ollama?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "ollama",
  name: "Ollama",
  docs: "https://docs.ollama.com/api/openai-compatibility",
  baseUrl: "http://127.0.0.1:11434/v1",
  auth: { type: "none" },
  env: { apiKey: ["OLLAMA_API_KEY"], baseUrl: "OLLAMA_BASE_URL", model: "OLLAMA_MODEL" },
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.ollama.com/api/openai-compatibility
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    reasoningReplay: "reasoning"
  })
})

/** Ollama as data. @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `OLLAMA_API_KEY`, `OLLAMA_BASE_URL`, `OLLAMA_MODEL`. @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
