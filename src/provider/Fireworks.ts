/**
 * Fireworks AI.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { fireworks } from "../protocol/schema/dialects.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"
import { above } from "./wholeAnswers.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Fireworks AI that have no portable name, sent as they are. */
    readonly fireworks?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "fireworks",
  name: "Fireworks AI",
  docs: "https://docs.fireworks.ai/api-reference/post-chatcompletions",
  baseUrl: "https://api.fireworks.ai/inference/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["FIREWORKS_API_KEY"], model: "FIREWORKS_MODEL" },
  defaultModel: "accounts/fireworks/models/kimi-k3",
  catalogue: () => import("../model/catalogue/fireworks.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    schemas: fireworks,
    // https://docs.fireworks.ai/api-reference/post-chatcompletions
    // https://github.com/fw-ai-external/python-sdk: the words of models whose data name none.
    reasoningEfforts: { off: "none", low: "low", medium: "medium", high: "high" },
    tokenField: "max_tokens",
    // Usage comes with the last chunk by itself.
    streamUsage: false,
    topK: true,
    customTools: false,
    promptCacheKey: false,
    reasoningReplay: "reasoning_content",
    rules: { refuses: [noParts("https://docs.fireworks.ai/api-reference/post-chatcompletions", "files", "audio")] }
  }),
  // "Requests with max_tokens > 4096 must have stream=true": https://github.com/nullclaw/nullclaw/pull/231
  streamsWhole: ({ body }) => above(body["max_tokens"], 4096) || above(body["max_completion_tokens"], 4096)
})

/** Fireworks AI as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `FIREWORKS_API_KEY`, `FIREWORKS_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
