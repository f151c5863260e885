/**
 * Baseten.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Baseten that have no portable name, sent as they are. */
    readonly baseten?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "baseten",
  name: "Baseten",
  docs: "https://docs.baseten.co",
  baseUrl: "https://inference.baseten.co/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["BASETEN_API_KEY"], model: "BASETEN_MODEL" },
  defaultModel: "zai-org/GLM-5.3",
  catalogue: () => import("../model/catalogue/baseten.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.baseten.co/reference/inference-api/chat-completions
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    topK: true,
    strictTools: false,
    reasoningReplay: "reasoning_content",
    rules: { refuses: [noParts("https://docs.baseten.co/reference/inference-api/chat-completions", "files", "audio")] }
  })
})

/** Baseten as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `BASETEN_API_KEY`, `BASETEN_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
