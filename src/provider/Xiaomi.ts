/**
 * Xiaomi MiMo.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { forcedCalls, noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Xiaomi MiMo that have no portable name, sent as they are. */
    readonly xiaomi?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "xiaomi",
  name: "Xiaomi MiMo",
  docs: "https://platform.xiaomimimo.com",
  baseUrl: "https://api.xiaomimimo.com/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["MIMO_API_KEY", "XIAOMI_API_KEY"], model: "MIMO_MODEL" },
  defaultModel: "mimo-v2.6-flash",
  catalogue: () => import("../model/catalogue/xiaomi.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://platform.xiaomimimo.com/#/docs/api/chat/openai-api
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    seedField: false,
    logprobs: false,
    strictTools: false,
    parallelToolCalls: false,
    responseFormat: "json_object",
    reasoning: "thinking",
    // Calls without their reasoning are refused, and so is `content: null` beside them:
    // https://platform.xiaomimimo.com/docs/en-US/usage-guide/passing-back-reasoning_content and
    // https://github.com/XiaomiMiMo/MiMo-V2-Flash/issues/8
    reasoningReplay: "reasoning_content_with_calls",
    emptyContent: "empty",
    rules: {
      refuses: [noParts("https://platform.xiaomimimo.com/#/docs/api/chat/openai-api", "files")],
      excludes: [{
        option: "thinking: on",
        by: forcedCalls,
        url: "https://platform.xiaomimimo.com/#/docs/api/chat/openai-api"
      }]
    }
  })
})

/** Xiaomi MiMo as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `MIMO_API_KEY`, `MIMO_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
