/**
 * SambaNova.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of SambaNova that have no portable name, sent as they are. */
    readonly sambanova?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "sambanova",
  name: "SambaNova",
  docs: "https://docs.sambanova.ai/cloud/api-reference",
  baseUrl: "https://api.sambanova.ai/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["SAMBANOVA_API_KEY"], model: "SAMBANOVA_MODEL" },
  defaultModel: "Meta-Llama-3.3-70B-Instruct",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.sambanova.ai/cloud/docs/capabilities/openai-compatibility
    textAsString: true,
    // https://docs.sambanova.ai/docs/en/features/reasoning
    reasoningEfforts: { low: "low", medium: "medium", high: "high" },
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    topK: true,
    penalties: false,
    seedField: false,
    logprobs: false,
    strictTools: false,
    thinkTags: true,
    rules: {
      refuses: [
        noParts("https://docs.sambanova.ai/docs/en/api-reference/chat-completions", "files", "audio", "image.detail")
      ]
    }
  })
})

/** SambaNova as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `SAMBANOVA_API_KEY`, `SAMBANOVA_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
