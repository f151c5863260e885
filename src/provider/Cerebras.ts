/**
 * Cerebras.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { cerebras } from "../protocol/schema/dialects.ts"
import { answerFormats, noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Cerebras that have no portable name, sent as they are. */
    readonly cerebras?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "cerebras",
  name: "Cerebras",
  docs: "https://inference-docs.cerebras.ai/api-reference/chat-completions",
  baseUrl: "https://api.cerebras.ai/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["CEREBRAS_API_KEY"], model: "CEREBRAS_MODEL" },
  defaultModel: "gpt-oss-120b",
  catalogue: () => import("../model/catalogue/cerebras.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    schemas: cerebras,
    // Not supported: https://inference-docs.cerebras.ai/resources/openai
    penalties: false,
    customTools: false,
    promptCacheKey: false,
    textAsString: true,
    // https://inference-docs.cerebras.ai/capabilities/reasoning
    reasoningEfforts: { off: "none", low: "low", medium: "medium", high: "high" },
    rules: {
      refuses: [noParts("https://inference-docs.cerebras.ai/api-reference/chat-completions", "files", "audio")],
      // "tools and response_format cannot be used in the same request"
      excludes: [{
        option: answerFormats,
        by: "tools",
        url: "https://inference-docs.cerebras.ai/capabilities/structured-outputs"
      }]
    },
    // Refuses `reasoning_content` in the history.
    reasoningReplay: "none"
  })
})

/** Cerebras as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `CEREBRAS_API_KEY`, `CEREBRAS_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
