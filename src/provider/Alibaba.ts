/**
 * Alibaba Cloud Model Studio (Qwen), outside China; give the base URL of another region.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { answerFormats, forcedCalls, jsonWord, noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Alibaba Model Studio that have no portable name, sent as they are. */
    readonly alibaba?: JsonObject | undefined
  }
}

/**
 * Models that think, or speak, unless told otherwise: QwQ, QVQ and Omni only stream, and so do the open Qwen3 while they think.
 * https://docs.qwencloud.com/resources/faq-text-generation, https://www.alibabacloud.com/help/en/model-studio/deep-thinking
 */
const streamingModels = /qwq|qvq|omni|thinking|^qwen3(?:\.\d+)?-\d+(?:\.\d+)?b(?!.*instruct)/

const provider = Provider.define({
  id: "alibaba",
  name: "Alibaba Model Studio",
  docs: "https://www.alibabacloud.com/help/en/model-studio",
  baseUrl: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["DASHSCOPE_API_KEY", "ALIBABA_API_KEY"], baseUrl: "DASHSCOPE_BASE_URL", model: "DASHSCOPE_MODEL" },
  defaultModel: "qwen-plus",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    topK: true,
    strictTools: false,
    responseFormat: "json_object",
    // https://www.alibabacloud.com/help/en/model-studio/deep-thinking
    reasoning: "enable_thinking",
    thinkingBudget: true,
    reasoningReplay: "none",
    maxStops: Infinity,
    rules: {
      refuses: [
        noParts("https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope", "files")
      ],
      only: [{
        option: "temperature",
        from: 0,
        to: 1.99,
        url: "https://www.alibabacloud.com/help/en/model-studio/use-qwen-by-calling-api"
      }],
      excludes: [
        // "The tool_choice parameter does not support being set to required or object in thinking mode"
        { option: "thinking: on", by: forcedCalls, url: "https://github.com/cloudwego/eino/issues/994" },
        // Structured output is for the non-thinking mode.
        {
          option: answerFormats,
          by: "thinking: on",
          url: "https://www.alibabacloud.com/help/en/model-studio/qwen-structured-output"
        }
      ],
      needs: [jsonWord("https://www.alibabacloud.com/help/en/model-studio/qwen-structured-output")]
    }
  }),
  // "parameter.enable_thinking must be set to false for non-streaming calls", "This model only support stream mode":
  // https://www.alibabacloud.com/help/en/model-studio/error-code
  streamsWhole: ({ body, model }) =>
    body["enable_thinking"] === true || (body["enable_thinking"] !== false && streamingModels.test(model))
})

/** Alibaba Model Studio as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `DASHSCOPE_API_KEY`, `DASHSCOPE_BASE_URL`, `DASHSCOPE_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
