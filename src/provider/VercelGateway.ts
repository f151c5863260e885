/**
 * Vercel AI Gateway.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Vercel AI Gateway that have no portable name, sent as they are. */
    readonly "vercel-gateway"?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "vercel-gateway",
  name: "Vercel AI Gateway",
  docs: "https://vercel.com/docs/ai-gateway/openai-compat",
  baseUrl: "https://ai-gateway.vercel.sh/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"], model: "AI_GATEWAY_MODEL" },
  defaultModel: "openai/gpt-5.4-mini",
  catalogue: () => import("../model/catalogue/vercel-gateway.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://vercel.com/docs/ai-gateway/openai-compat
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    toolCallId: "any",
    cacheControl: true,
    reasoning: "reasoning",
    reasoningReplay: "reasoning_details"
  })
})

/** Vercel AI Gateway as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `AI_GATEWAY_API_KEY`, `AI_GATEWAY_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
