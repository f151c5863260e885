/**
 * MiniMax.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of MiniMax that have no portable name, sent as they are. */
    readonly minimax?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "minimax",
  name: "MiniMax",
  docs: "https://platform.minimax.io/docs/api-reference/text-openai-api",
  baseUrl: "https://api.minimax.io/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["MINIMAX_API_KEY"], baseUrl: "MINIMAX_BASE_URL", model: "MINIMAX_MODEL" },
  defaultModel: "MiniMax-M3",
  catalogue: () => import("../model/catalogue/minimax.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://platform.minimax.io/docs/api-reference/text-openai-api
    textAsString: true,
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    penalties: false,
    logprobs: false,
    seedField: false,
    strictTools: false,
    // Reasoning comes inline unless asked to be split.
    body: { reasoning_split: true },
    reasoning: "none",
    reasoningReplay: "reasoning_details",
    thinkTags: true,
    rules: {
      refuses: [noParts("https://platform.minimax.io/docs/api-reference/text-openai-api", "files", "audio")],
      only: [{
        option: "temperature",
        from: 0.01,
        to: 1,
        url: "https://platform.minimax.io/docs/api-reference/text-openai-api"
      }]
    }
  })
})

/** MiniMax as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `MINIMAX_API_KEY`, `MINIMAX_BASE_URL`, `MINIMAX_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
