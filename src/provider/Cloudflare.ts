/**
 * Cloudflare Workers AI. The account is part of the base URL: replace {account}, or give the URL of an AI gateway.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Cloudflare Workers AI that have no portable name, sent as they are. */
    readonly cloudflare?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "cloudflare",
  name: "Cloudflare Workers AI",
  docs: "https://developers.cloudflare.com/workers-ai",
  baseUrl: "https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1",
  auth: { type: "bearer" },
  env: {
    apiKey: ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"],
    baseUrl: "CLOUDFLARE_BASE_URL",
    model: "CLOUDFLARE_MODEL"
  },
  defaultModel: "@cf/zai-org/glm-5.3-flash",
  catalogue: () => import("../model/catalogue/cloudflare.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    topK: true,
    strictTools: false,
    parallelToolCalls: false,
    logprobs: false,
    rules: {
      refuses: [
        noParts("https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/", "files", "audio")
      ]
    }
  })
})

/** Cloudflare Workers AI as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `CLOUDFLARE_API_TOKEN`, `CLOUDFLARE_BASE_URL`, `CLOUDFLARE_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
