/**
 * Writer.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { jsonBySchema, noParts } from "./hostRules.ts"
import { modelsAt } from "./listing.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Writer that have no portable name, sent as they are. */
    readonly writer?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "writer",
  name: "Writer",
  docs: "https://dev.writer.com",
  baseUrl: "https://api.writer.com/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["WRITER_API_KEY"], model: "WRITER_MODEL" },
  defaultModel: "palmyra-x5",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  // https://dev.writer.com/api-reference/completion-api/list-models
  readModels: modelsAt("writer", "models", "id"),
  protocol: OpenAiChat.make({
    // https://dev.writer.com/api-reference/completion-api/chat-completion
    logprobs: "flag",
    path: "/chat",
    tokenField: "max_tokens",
    seedField: false,
    // https://github.com/writer/writer-python/blob/main/src/writerai/types/shared_params/tool_choice_string.py
    toolChoiceValue: true,
    textAsString: true,
    reasoning: "none",
    customTools: false,
    promptCacheKey: false,
    penalties: false,
    strictTools: false,
    parallelToolCalls: false,
    rules: {
      refuses: [
        noParts(
          "https://dev.writer.com/api-reference/completion-api/chat-completion",
          "files",
          "audio",
          "image.detail"
        ),
        jsonBySchema("https://dev.writer.com/home/structured-output")
      ]
    }
  })
})

/** Writer as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `WRITER_API_KEY`, `WRITER_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
