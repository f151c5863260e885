/**
 * OpenAI, over Chat Completions.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of OpenAI that have no portable name, sent as they are. */
    readonly openai?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "openai",
  name: "OpenAI",
  docs: "https://platform.openai.com/docs/api-reference/chat",
  baseUrl: "https://api.openai.com/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["OPENAI_API_KEY"], baseUrl: "OPENAI_BASE_URL", model: "OPENAI_MODEL" },
  defaultModel: "gpt-5.4-mini",
  capabilities: { streaming: true, tools: true, parallelTools: true, images: true, pdf: true, audio: true, reasoning: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // Reasoning models take instructions from the developer role: https://platform.openai.com/docs/guides/text
    systemRole: "developer",
    promptCacheRetention: true
  })
})

/** OpenAI as data. @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OPENAI_MODEL`. @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
