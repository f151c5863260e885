/**
 * Hyperbolic.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Hyperbolic that have no portable name, sent as they are. */
    readonly hyperbolic?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "hyperbolic",
  name: "Hyperbolic",
  docs: "https://docs.hyperbolic.xyz",
  baseUrl: "https://api.hyperbolic.xyz/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["HYPERBOLIC_API_KEY"], model: "HYPERBOLIC_MODEL" },
  defaultModel: "openai/gpt-oss-120b",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.hyperbolic.xyz/docs/rest-api
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    topK: true,
    strictTools: false,
    parallelToolCalls: false,
    thinkTags: true,
    rules: { refuses: [noParts("https://docs.hyperbolic.xyz/docs/rest-api", "files", "audio")] }
  })
})

/** Hyperbolic as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `HYPERBOLIC_API_KEY`, `HYPERBOLIC_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
