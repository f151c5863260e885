/**
 * Z.ai (Zhipu): the GLM models.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { forcedCalls, noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Z.ai that have no portable name, sent as they are. */
    readonly zai?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "zai",
  name: "Z.ai",
  docs: "https://docs.z.ai/api-reference/introduction",
  baseUrl: "https://api.z.ai/api/paas/v4",
  auth: { type: "bearer" },
  env: { apiKey: ["ZAI_API_KEY", "ZHIPU_API_KEY"], baseUrl: "ZAI_BASE_URL", model: "ZAI_MODEL" },
  defaultModel: "glm-5.3",
  catalogue: () => import("../model/catalogue/zai.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.z.ai/api-reference/llm/chat-completion
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    seedField: false,
    penalties: false,
    logprobs: false,
    strictTools: false,
    parallelToolCalls: false,
    maxStops: 1,
    responseFormat: "json_object",
    // A switch: https://docs.z.ai/guides/capabilities/thinking
    reasoning: "thinking",
    // Models from GLM-5.2 on, as their data say: https://docs.z.ai/api-reference/llm/chat-completion
    effortBesideSwitch: "known",
    textAsString: true,
    rules: {
      // "Currently only supports auto."
      refuses: [noParts("https://docs.z.ai/api-reference/llm/chat-completion", "files", "audio"), {
        option: [...forcedCalls, "toolChoice: none"],
        url: "https://docs.z.ai/api-reference/llm/chat-completion"
      }],
      only: [
        { option: "temperature", from: 0, to: 1, url: "https://docs.z.ai/api-reference/llm/chat-completion" },
        { option: "topP", from: 0.01, to: 1, url: "https://docs.z.ai/api-reference/llm/chat-completion" }
      ]
    },
    reasoningReplay: "reasoning_content"
  })
})

/** Z.ai as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `ZAI_API_KEY`, `ZAI_BASE_URL`, `ZAI_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
