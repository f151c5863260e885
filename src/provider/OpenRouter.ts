/**
 * OpenRouter: many providers behind one API, with routing preferences.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import * as Provider from "./Provider.ts"

/**
 * Which upstream providers OpenRouter may use, and in which order.
 *
 * @see https://openrouter.ai/docs/guides/routing/provider-selection
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface ProviderPrefs {
  /** Upstream providers to try, in this order. */
  readonly order?: ReadonlyArray<string> | undefined
  /** Whether others may serve when those cannot. @default true */
  readonly allow_fallbacks?: boolean | undefined
  /** Only these. */
  readonly only?: ReadonlyArray<string> | undefined
  /** Never these. */
  readonly ignore?: ReadonlyArray<string> | undefined
  /** What upstream providers are ordered by; turns load balancing off. @default OpenRouter weighs them itself */
  readonly sort?: "price" | "throughput" | "latency" | undefined
  /** Only endpoints with these quantizations, such as `int8`. @default any */
  readonly quantizations?: ReadonlyArray<string> | undefined
  /** US dollars per million tokens, request or image. */
  readonly max_price?:
    | { readonly [unit in "prompt" | "completion" | "request" | "image"]?: number | undefined }
    | undefined
  /** `deny` excludes providers that store or train on data. @default "allow" */
  readonly data_collection?: "allow" | "deny" | undefined
  /** Only endpoints with zero data retention. */
  readonly zdr?: boolean | undefined
  /** Only providers that support every parameter of the request. @default false */
  readonly require_parameters?: boolean | undefined
}

/**
 * OpenRouter's own request fields.
 *
 * @see https://openrouter.ai/docs/api-reference/chat-completion
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface RequestFields {
  /** Which upstream providers may answer: https://openrouter.ai/docs/guides/routing/provider-routing */
  readonly provider?: ProviderPrefs | undefined
  /** Models to try in order when the first cannot answer. */
  readonly models?: ReadonlyArray<string> | undefined
  /** `middle-out` shortens a prompt that is too long in its middle: https://openrouter.ai/docs/guides/features/message-transforms */
  readonly transforms?: ReadonlyArray<"middle-out"> | undefined
  /** Plugins such as web search, `{ id: "web" }`: https://openrouter.ai/docs/guides/features/plugins */
  readonly plugins?: ReadonlyArray<JsonObject> | undefined
  readonly [field: string]: unknown
}

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** OpenRouter's own fields: routing preferences, model list, plugins. */
    readonly openrouter?: RequestFields | undefined
  }
}

const provider = Provider.define({
  id: "openrouter",
  name: "OpenRouter",
  docs: "https://openrouter.ai/docs/api-reference/overview",
  baseUrl: "https://openrouter.ai/api/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["OPENROUTER_API_KEY"], model: "OPENROUTER_MODEL" },
  defaultModel: "openrouter/auto",
  catalogue: () => import("../model/catalogue/openrouter.ts"),
  capabilities: {
    streaming: true,
    tools: true,
    images: true,
    pdf: true,
    reasoning: true,
    promptCaching: true,
    structuredOutput: true
  },
  protocol: OpenAiChat.make({
    // https://openrouter.ai/docs/api-reference/parameters
    tokenField: "max_tokens",
    topK: true,
    toolCallId: "any",
    customTools: false,
    promptCacheKey: false,
    // On parts of text only: https://openrouter.ai/docs/features/prompt-caching
    cacheControl: "text",
    fileUrls: true,
    // https://openrouter.ai/docs/use-cases/reasoning-tokens
    reasoning: "reasoning",
    reasoningReplay: "reasoning_details",
    // Adds the billed cost: https://openrouter.ai/docs/use-cases/usage-accounting
    body: { usage: { include: true } }
  })
})

/** OpenRouter as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `OPENROUTER_API_KEY`, `OPENROUTER_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
