/**
 * xAI: over Chat Completions, or by choice over the Responses API, which has its built-in tools and keeps reasoning.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../protocol/OpenAiResponses.ts"
import { xai } from "../protocol/schema/dialects.ts"
import { oneOf, optional } from "../validation/values.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of xAI that have no portable name, sent as they are. */
    readonly xai?: JsonObject | undefined
  }
}

/**
 * Options of the xAI layer.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options extends Provider.Options {
  /** The API to speak. @default "chat" */
  readonly api?: "responses" | "chat" | undefined
}

const common = {
  id: "xai",
  name: "xAI",
  docs: "https://docs.x.ai/docs/api-reference",
  baseUrl: "https://api.x.ai/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["XAI_API_KEY"], model: "XAI_MODEL" },
  defaultModel: "grok-4.7",
  catalogue: () => import("../model/catalogue/xai.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true }
} as const

/** xAI over the Responses API, as data. @stability stable @category definition @since 0.1.0 */
export const responsesDefinition: Provider.Definition = {
  ...common,
  protocol: OpenAiResponses.make({
    schemas: xai,
    // https://docs.x.ai/docs/guides/chat: every model takes the include, whether it reasons or not.
    encryptedReasoning: true,
    // https://docs.x.ai/docs/guides/reasoning: summaries come by themselves.
    reasoningSummary: false,
    systemRole: "system",
    // Steps of X search come as custom tool calls, which xAI runs itself: https://docs.x.ai/docs/guides/tools/overview
    customTools: false,
    hostedItems: ["custom_tool_call"],
    promptCacheRetention: false,
    cacheBreakpoints: false
  }),
  nonBodyOptions: OpenAiResponses.mergedOptions
}

const provider = Provider.define<Options>(
  {
    ...common,
    protocol: OpenAiChat.make({
      schemas: xai,
      // https://docs.x.ai/docs/api-reference#chat-completions
      customTools: false,
      promptCacheKey: false,
      // Reasoning models refuse penalties and stop: https://docs.x.ai/docs/guides/reasoning
      penalties: false,
      rules: { refuses: [noParts("https://docs.x.ai/docs/api-reference#chat-completions", "files", "audio")] }
    })
  },
  (definition, { api }) => api === "responses" ? responsesDefinition : definition,
  {
    api: optional(oneOf("responses", "chat"))
  }
)

/** xAI over Chat Completions, as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `XAI_API_KEY`, `XAI_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
