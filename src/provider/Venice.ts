/**
 * Venice.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Venice that have no portable name, sent as they are. */
    readonly venice?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "venice",
  name: "Venice",
  docs: "https://docs.venice.ai",
  baseUrl: "https://api.venice.ai/api/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["VENICE_API_KEY"], model: "VENICE_MODEL" },
  defaultModel: "llama-3.3-70b",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.venice.ai/api-reference/endpoint/chat/completions
    tokenField: "max_tokens",
    customTools: false,
    // A tool result is a string, a file its bytes: there is no API to upload one.
    textAsString: true,
    files: "file_data",
    promptCacheKey: false,
    topK: true,
    strictTools: false,
    reasoningReplay: "reasoning_content",
    thinkTags: true,
    rules: { refuses: [noParts("https://docs.venice.ai/api-reference/endpoint/chat/completions", "image.detail")] }
  })
})

/** Venice as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `VENICE_API_KEY`, `VENICE_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
