/**
 * Nebius Token Factory.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Nebius Token Factory that have no portable name, sent as they are. */
    readonly nebius?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "nebius",
  name: "Nebius Token Factory",
  docs: "https://docs.tokenfactory.nebius.com",
  baseUrl: "https://api.tokenfactory.nebius.com/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["NEBIUS_API_KEY"], baseUrl: "NEBIUS_BASE_URL", model: "NEBIUS_MODEL" },
  defaultModel: "openai/gpt-oss-120b",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.tokenfactory.nebius.com/api-reference/introduction
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    topK: true,
    strictTools: false,
    reasoningReplay: "reasoning_content",
    thinkTags: true,
    rules: {
      refuses: [
        noParts("https://docs.tokenfactory.nebius.com/api-reference/inference/create-chat-completion", "files", "audio")
      ]
    }
  })
})

/** Nebius Token Factory as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `NEBIUS_API_KEY`, `NEBIUS_BASE_URL`, `NEBIUS_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
