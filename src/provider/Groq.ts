/**
 * Groq: open models on fast hardware.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { groq } from "../protocol/schema/dialects.ts"
import { answerFormats, jsonWord, noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Groq that have no portable name, sent as they are. */
    readonly groq?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "groq",
  name: "Groq",
  docs: "https://console.groq.com/docs/api-reference",
  baseUrl: "https://api.groq.com/openai/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["GROQ_API_KEY"], model: "GROQ_MODEL" },
  defaultModel: "openai/gpt-oss-120b",
  catalogue: () => import("../model/catalogue/groq.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    schemas: groq,
    // Not supported: https://console.groq.com/docs/openai#currently-unsupported-openai-features
    // https://console.groq.com/docs/reasoning: the words of models whose data name none.
    reasoningEfforts: { off: "none", low: "low", medium: "medium", high: "high" },
    logprobs: false,
    promptCacheKey: false,
    customTools: false,
    rules: {
      refuses: [noParts("https://console.groq.com/docs/api-reference#chat-create", "files", "audio")],
      excludes: [{ option: answerFormats, by: "tools", url: "https://console.groq.com/docs/structured-outputs" }],
      needs: [jsonWord("https://console.groq.com/docs/structured-outputs#json-object-mode")]
    },
    // Reasoning comes and goes in `reasoning`: https://console.groq.com/docs/reasoning
    reasoningReplay: "reasoning"
  })
})

/** Groq as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `GROQ_API_KEY`, `GROQ_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
