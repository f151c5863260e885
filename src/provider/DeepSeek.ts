/**
 * DeepSeek.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { deepSeek } from "../protocol/schema/dialects.ts"
import { jsonWord, noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of DeepSeek that have no portable name, sent as they are. */
    readonly deepseek?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "deepseek",
  name: "DeepSeek",
  docs: "https://api-docs.deepseek.com",
  baseUrl: "https://api.deepseek.com",
  auth: { type: "bearer" },
  env: { apiKey: ["DEEPSEEK_API_KEY"], model: "DEEPSEEK_MODEL" },
  defaultModel: "deepseek-flash",
  catalogue: () => import("../model/catalogue/deepseek.ts"),
  capabilities: { streaming: true, tools: true, images: false, reasoning: true },
  protocol: OpenAiChat.make({
    schemas: deepSeek,
    // https://api-docs.deepseek.com/api/create-chat-completion
    tokenField: "max_tokens",
    responseFormat: "json_object",
    seedField: false,
    strictTools: false,
    customTools: false,
    parallelToolCalls: false,
    promptCacheKey: false,
    maxStops: 16,
    textAsString: true,
    rules: {
      refuses: [noParts("https://api-docs.deepseek.com/api/create-chat-completion", "files", "audio")],
      needs: [jsonWord("https://api-docs.deepseek.com/guides/json_mode")]
    },
    // A switch with an effort beside it: https://api-docs.deepseek.com/guides/thinking_mode
    reasoning: "thinking",
    effortBesideSwitch: true,
    // Roles must alternate, from the user on: https://github.com/Aider-AI/aider/pull/5591. An assistant message at the end needs the beta
    // address: https://api-docs.deepseek.com/guides/chat_prefix_completion
    leadingSystem: true,
    alternatingRoles: true,
    userFirst: true,
    lastAssistant: "refused",
    // https://api-docs.deepseek.com/api/create-chat-completion: content is a string.
    contentMustBeString: true,
    // With tools every assistant turn must carry the field, empty or not.
    reasoningReplay: "reasoning_content_always"
  })
})

/** DeepSeek as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `DEEPSEEK_API_KEY`, `DEEPSEEK_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
