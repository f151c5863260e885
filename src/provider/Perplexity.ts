/**
 * Perplexity Sonar: answers with sources.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { jsonBySchema, noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Perplexity that have no portable name, sent as they are. */
    readonly perplexity?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "perplexity",
  name: "Perplexity",
  docs: "https://docs.perplexity.ai/api-reference/chat-completions-post",
  baseUrl: "https://api.perplexity.ai",
  auth: { type: "bearer" },
  env: { apiKey: ["PERPLEXITY_API_KEY"], model: "PERPLEXITY_MODEL" },
  defaultModel: "sonar",
  capabilities: { streaming: true, tools: false, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.perplexity.ai/api-reference/chat-completions-post
    tokenField: "max_tokens",
    topK: true,
    seedField: false,
    logprobs: false,
    customTools: false,
    parallelToolCalls: false,
    promptCacheKey: false,
    streamUsage: false,
    rules: {
      refuses: [
        { option: "toolChoice: name", url: "https://docs.perplexity.ai/api-reference/chat-completions-post" },
        noParts("https://docs.perplexity.ai/api-reference/chat-completions-post", "files", "audio", "image.detail"),
        // Only `json_schema` and `regex`.
        jsonBySchema("https://docs.perplexity.ai/guides/structured-outputs")
      ]
    },
    reasoningEfforts: { minimal: "minimal", low: "low", medium: "medium", high: "high" },
    // "After the (optional) system message(s), user or tool message(s) should alternate with assistant message(s)", and the last is the
    // user's; the API makes no calls: https://github.com/pipecat-ai/pipecat/pull/4009
    toolTurns: false,
    leadingSystem: true,
    alternatingRoles: true,
    userFirst: true,
    lastAssistant: "refused",
    // Bytes come as base64 without "data:": https://docs.perplexity.ai/guides/file-attachments
    files: "file_url",
    // Reasoning models write it inline.
    thinkTags: true
  })
})

/** Perplexity as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `PERPLEXITY_API_KEY`, `PERPLEXITY_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
