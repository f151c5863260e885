/**
 * Mistral, with its dialect of Chat Completions.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { mistral } from "../protocol/schema/dialects.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Mistral that have no portable name, sent as they are. */
    readonly mistral?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "mistral",
  name: "Mistral",
  docs: "https://docs.mistral.ai/api",
  baseUrl: "https://api.mistral.ai/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["MISTRAL_API_KEY"], model: "MISTRAL_MODEL" },
  defaultModel: "mistral-medium-latest",
  catalogue: () => import("../model/catalogue/mistral.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    schemas: mistral,
    // https://docs.mistral.ai/api/endpoint/chat
    tokenField: "max_tokens",
    seedField: "random_seed",
    requiredToolChoice: "any",
    logprobs: false,
    promptCacheKey: false,
    customTools: false,
    // Usage always comes with the last chunk; the option is refused.
    streamUsage: false,
    // Ids must be 9 characters of [a-zA-Z0-9].
    toolCallId: "mistral",
    toolResultName: true,
    // https://docs.mistral.ai/capabilities/document_ai/document_qna and https://docs.mistral.ai/capabilities/audio
    audioForm: "string",
    rules: { only: [{ option: "temperature", from: 0, to: 1.5, url: "https://docs.mistral.ai/api/endpoint/chat" }] },
    // The order of messages that the API takes, and `prefix` on an assistant message at the end:
    // https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py and
    // https://docs.mistral.ai/capabilities/completion/usage#prefix
    assistantAfterTool: true,
    leadingSystem: true,
    lastAssistant: "prefix",
    // https://docs.mistral.ai/capabilities/document_ai/document_qna; `DocumentURLChunk` of https://github.com/mistralai/client-ts
    files: "document_url",
    reasoningReplay: "thinking_parts"
  })
})

/** Mistral as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `MISTRAL_API_KEY`, `MISTRAL_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
