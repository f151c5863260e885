/**
 * LM Studio on this machine.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { lmStudio } from "../protocol/schema/dialects.ts"
import { jsonBySchema, noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of LM Studio that have no portable name, sent as they are. */
    readonly lmstudio?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "lmstudio",
  name: "LM Studio",
  docs: "https://lmstudio.ai/docs/developer/openai-compat",
  baseUrl: "http://127.0.0.1:1234/v1",
  auth: { type: "none" },
  env: { apiKey: ["LM_STUDIO_API_KEY"], baseUrl: "LM_STUDIO_BASE_URL", model: "LM_STUDIO_MODEL" },
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    schemas: lmStudio,
    // https://lmstudio.ai/docs/developer/openai-compat/chat-completions
    tokenField: "max_tokens",
    topK: true,
    customTools: false,
    promptCacheKey: false,
    maxStops: Infinity,
    rules: {
      refuses: [
        noParts("https://lmstudio.ai/docs/developer/openai-compat/chat-completions", "files", "audio"),
        // "'response_format.type' must be 'json_schema' or 'text'"
        jsonBySchema("https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/189"),
        // "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"
        { option: "toolChoice: name", url: "https://lmstudio.ai/docs/developer/openai-compat/tools" }
      ]
    },
    // Reasoning is inline unless the server is told to separate it.
    thinkTags: true
  })
})

/** LM Studio as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `LM_STUDIO_API_KEY`, `LM_STUDIO_BASE_URL`, `LM_STUDIO_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
