/**
 * NVIDIA NIM, hosted or self-hosted.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of NVIDIA NIM that have no portable name, sent as they are. */
    readonly nvidia?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "nvidia",
  name: "NVIDIA NIM",
  docs: "https://docs.api.nvidia.com/nim/reference/llm-apis",
  baseUrl: "https://integrate.api.nvidia.com/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["NVIDIA_API_KEY"], baseUrl: "NVIDIA_BASE_URL", model: "NVIDIA_MODEL" },
  defaultModel: "openai/gpt-oss-20b",
  catalogue: () => import("../model/catalogue/nvidia.ts"),
  capabilities: { streaming: true, tools: true, images: false },
  protocol: OpenAiChat.make({
    // https://docs.api.nvidia.com/nim/reference/llm-apis
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    strictTools: false,
    parallelToolCalls: false,
    // Several models mirror a content array as text.
    contentMustBeString: true,
    reasoning: "chat_template_kwargs",
    reasoningReplay: "none",
    thinkTags: true,
    rules: { refuses: [noParts("https://docs.api.nvidia.com/nim/reference/llm-apis", "files", "audio")] }
  })
})

/** NVIDIA NIM as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `NVIDIA_API_KEY`, `NVIDIA_BASE_URL`, `NVIDIA_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
