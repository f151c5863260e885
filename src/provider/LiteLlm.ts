/**
 * A LiteLLM proxy.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of LiteLLM proxy that have no portable name, sent as they are. */
    readonly litellm?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "litellm",
  name: "LiteLLM proxy",
  docs: "https://docs.litellm.ai/docs/proxy/quick_start",
  baseUrl: "http://127.0.0.1:4000/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["LITELLM_API_KEY"], baseUrl: "LITELLM_BASE_URL", model: "LITELLM_MODEL" },
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.litellm.ai/docs/proxy/user_keys
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    maxStops: Infinity,
    toolCallId: "any",
    cacheControl: true,
    // In front of Anthropic a history with tool calls needs the field.
    emptyToolsWithHistory: true,
    reasoningReplay: "reasoning_content"
  })
})

/** LiteLLM proxy as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `LITELLM_API_KEY`, `LITELLM_BASE_URL`, `LITELLM_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
