/**
 * llama.cpp's server on this machine.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { llamaCpp } from "../protocol/schema/dialects.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of llama.cpp that have no portable name, sent as they are. */
    readonly llamacpp?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "llamacpp",
  name: "llama.cpp",
  docs: "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
  baseUrl: "http://127.0.0.1:8080/v1",
  auth: { type: "none" },
  env: { apiKey: ["LLAMA_API_KEY"], baseUrl: "LLAMACPP_BASE_URL", model: "LLAMACPP_MODEL" },
  defaultModel: "default",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    schemas: llamaCpp,
    // https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    tokenField: "max_tokens",
    topK: true,
    customTools: false,
    promptCacheKey: false,
    maxStops: Infinity,
    rules: {
      // Anything but a word counts as "auto", in silence.
      refuses: [noParts("https://github.com/ggml-org/llama.cpp/blob/master/docs/multimodal.md", "files"), {
        option: "toolChoice: name",
        url: "https://github.com/ggml-org/llama.cpp/blob/master/docs/function-calling.md"
      }]
    },
    reasoning: "chat_template_kwargs",
    reasoningReplay: "reasoning_content",
    thinkTags: true
  })
})

/** llama.cpp as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `LLAMA_API_KEY`, `LLAMACPP_BASE_URL`, `LLAMACPP_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
