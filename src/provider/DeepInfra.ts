/**
 * DeepInfra.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of DeepInfra that have no portable name, sent as they are. */
    readonly deepinfra?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "deepinfra",
  name: "DeepInfra",
  docs: "https://deepinfra.com/docs/openai_api",
  baseUrl: "https://api.deepinfra.com/v1/openai",
  auth: { type: "bearer" },
  env: { apiKey: ["DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"], model: "DEEPINFRA_MODEL" },
  defaultModel: "openai/gpt-oss-120b",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://deepinfra.com/docs/openai_api
    parallelToolCalls: false,
    logprobs: "flag",
    strictSchema: false,
    reasoningEfforts: { off: "none", low: "low", medium: "medium", high: "high" },
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    topK: true,
    strictTools: false,
    reasoningReplay: "reasoning_content",
    thinkTags: true,
    rules: {
      refuses: [
        noParts("https://deepinfra.com/docs/openai_api", "files", "audio"),
        { option: "responseFormat.description", url: "https://deepinfra.com/docs/openai_api" }
      ]
    }
  })
})

/** DeepInfra as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `DEEPINFRA_API_KEY`, `DEEPINFRA_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
