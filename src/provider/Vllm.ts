/**
 * A vLLM server.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { vllm } from "../protocol/schema/dialects.ts"
import { numberAt, only } from "./counting.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of vLLM that have no portable name, sent as they are. */
    readonly vllm?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "vllm",
  name: "vLLM",
  docs: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
  baseUrl: "http://127.0.0.1:8000/v1",
  auth: { type: "none" },
  env: { apiKey: ["VLLM_API_KEY"], baseUrl: "VLLM_BASE_URL", model: "VLLM_MODEL" },
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  // Beside the API: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html#tokenizer-api
  countTokens: ({ baseUrl, outgoing }) => ({
    url: `${baseUrl.replace(/\/v1$/, "")}/tokenize`,
    body: only(outgoing.body, ["model", "messages", "tools", "chat_template_kwargs"]),
    read: numberAt("count")
  }),
  protocol: OpenAiChat.make({
    schemas: vllm,
    // https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    tokenField: "max_tokens",
    topK: true,
    customTools: false,
    promptCacheKey: false,
    maxStops: Infinity,
    reasoning: "chat_template_kwargs",
    // Servers without a reasoning parser leave it inline.
    thinkTags: true,
    rules: { refuses: [noParts("https://docs.vllm.ai/en/latest/features/multimodal_inputs/", "files")] }
  })
})

/** vLLM as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `VLLM_API_KEY`, `VLLM_BASE_URL`, `VLLM_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
