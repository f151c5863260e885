/**
 * Together AI.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { together } from "../protocol/schema/dialects.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Together AI that have no portable name, sent as they are. */
    readonly together?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "together",
  name: "Together AI",
  docs: "https://docs.together.ai/reference/chat-completions-1",
  baseUrl: "https://api.together.xyz/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["TOGETHER_API_KEY"], model: "TOGETHER_MODEL" },
  defaultModel: "openai/gpt-oss-120b",
  catalogue: () => import("../model/catalogue/together.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    schemas: together,
    // https://docs.together.ai/reference/chat-completions-1
    parallelToolCalls: false,
    logprobs: "count",
    tokenField: "max_tokens",
    topK: true,
    strictTools: false,
    customTools: false,
    // A tool result is a string.
    textAsString: true,
    promptCacheKey: false,
    // https://docs.together.ai/docs/reasoning-overview
    reasoning: "reasoning_enabled",
    // The messages of a request have no such field, and the pages of GLM ask for it: https://docs.together.ai/docs/glm-5-quickstart
    reasoningReplay: "reasoning",
    reasoningReplayByModel: true,
    rules: { refuses: [noParts("https://docs.together.ai/reference/chat-completions", "files", "image.detail")] }
  })
})

/** Together AI as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `TOGETHER_API_KEY`, `TOGETHER_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
