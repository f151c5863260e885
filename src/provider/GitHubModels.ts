/**
 * GitHub Models.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of GitHub Models that have no portable name, sent as they are. */
    readonly "github-models"?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "github-models",
  name: "GitHub Models",
  docs: "https://docs.github.com/en/github-models",
  baseUrl: "https://models.github.ai/inference",
  auth: { type: "bearer" },
  env: { apiKey: ["GITHUB_MODELS_TOKEN", "GITHUB_TOKEN"], model: "GITHUB_MODELS_MODEL" },
  defaultModel: "openai/gpt-4.1",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  // Beside the inference API, for all organisations: https://docs.github.com/en/rest/models/catalog
  modelsUrl: (baseUrl) => `${new URL(baseUrl).origin}/catalog/models`,
  protocol: OpenAiChat.make({
    // https://docs.github.com/en/rest/models/inference
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    parallelToolCalls: false,
    logprobs: false,
    toolCallId: "any",
    rules: {
      refuses: [
        { option: "toolChoice: name", url: "https://docs.github.com/en/rest/models/inference" },
        noParts("https://docs.github.com/en/rest/models/inference", "files")
      ]
    }
  })
})

/** GitHub Models as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `GITHUB_MODELS_TOKEN`, `GITHUB_MODELS_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
