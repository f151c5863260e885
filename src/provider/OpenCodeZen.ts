/**
 * OpenCode Zen.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of OpenCode Zen that have no portable name, sent as they are. */
    readonly "opencode-zen"?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "opencode-zen",
  name: "OpenCode Zen",
  docs: "https://opencode.ai/docs/zen",
  baseUrl: "https://opencode.ai/zen/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["OPENCODE_API_KEY"], model: "OPENCODE_MODEL" },
  defaultModel: "glm-5.3",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://opencode.ai/docs/zen
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    toolCallId: "any",
    strictTools: false,
    reasoningReplay: "reasoning_content"
  })
})

/** OpenCode Zen as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `OPENCODE_API_KEY`, `OPENCODE_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
