/**
 * Hugging Face: the router of Inference Providers.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Hugging Face that have no portable name, sent as they are. */
    readonly huggingface?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "huggingface",
  name: "Hugging Face",
  docs: "https://huggingface.co/docs/inference-providers",
  baseUrl: "https://router.huggingface.co/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["HF_TOKEN", "HUGGINGFACE_API_KEY"], model: "HF_MODEL" },
  defaultModel: "openai/gpt-oss-120b",
  catalogue: () => import("../model/catalogue/huggingface.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // The router passes requests on to many hosts; it promises no more than they share.
    // https://huggingface.co/docs/inference-providers/tasks/chat-completion
    parallelToolCalls: false,
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    strictTools: false,
    reasoningReplay: "reasoning_content",
    rules: {
      refuses: [noParts("https://huggingface.co/docs/inference-providers/tasks/chat-completion", "files", "audio")]
    }
  })
})

/** Hugging Face as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `HF_TOKEN`, `HF_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
