/**
 * Google Gemini, over the Gemini API of AI Studio.
 *
 * Generation options that only this API has may stand directly in `providerOptions.gemini`; they are put into
 * `generationConfig`, where the API wants them.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../Message.ts"
import type { ModelMeta } from "../Model.ts"
import * as GeminiGenerateContent from "../protocol/GeminiGenerateContent.ts"
import { anything, optional, recordOf } from "../validation/values.ts"
import { numberAt, only } from "./counting.ts"
import { listIn, nextPageToken } from "./listing.ts"
import * as Provider from "./Provider.ts"

/**
 * Request fields of the Gemini API that have no portable name.
 *
 * @see https://ai.google.dev/api/generate-content
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface RequestFields {
  /** A cache made before, `cachedContents/…`: https://ai.google.dev/api/caching. It holds system prompt and tools. */
  readonly cachedContent?: string | undefined
  /** From which probability on harmful content is blocked, by category: https://ai.google.dev/gemini-api/docs/safety-settings */
  readonly safetySettings?:
    | ReadonlyArray<{
      /** Such as `HARM_CATEGORY_HARASSMENT`. */
      readonly category: string
      /** Such as `BLOCK_ONLY_HIGH`. */
      readonly threshold: string
      /** Vertex AI only. */
      readonly method?: string | undefined
    }>
    | undefined
  /** Merged over the options this library sets. */
  readonly generationConfig?: JsonObject | undefined
  /** What the answer may have in it. @default text */
  readonly responseModalities?: ReadonlyArray<"TEXT" | "IMAGE" | "AUDIO"> | undefined
  /** Merged over what `thinking` gives: https://ai.google.dev/gemini-api/docs/thinking */
  readonly thinkingConfig?: JsonObject | undefined
  /** Voice and language of a spoken answer: https://ai.google.dev/gemini-api/docs/speech-generation */
  readonly speechConfig?: JsonObject | undefined
  /** Size and shape of images in the answer: https://ai.google.dev/gemini-api/docs/image-generation */
  readonly imageConfig?: JsonObject | undefined
  /**
   * How finely media are read, such as `MEDIA_RESOLUTION_LOW`; finer costs more tokens:
   * https://ai.google.dev/gemini-api/docs/media-resolution
   */
  readonly mediaResolution?: string | undefined
  /** Better answers to civic questions, on models that have them. @default false */
  readonly enableEnhancedCivicAnswers?: boolean | undefined
  readonly [field: string]: unknown
}

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Gemini's own fields: cached content, safety settings, modalities. */
    readonly gemini?: RequestFields | undefined
  }
}

/** Fields of `providerOptions` that belong into `generationConfig`. */
const generationFields = [
  "responseModalities",
  "thinkingConfig",
  "speechConfig",
  "imageConfig",
  "mediaResolution",
  "enableEnhancedCivicAnswers",
  "audioTimestamp",
  "candidateCount",
  "routingConfig"
]

/**
 * What the providers of this wire share: generation options go into `generationConfig`.
 *
 * @stability stable
 * @category definition
 * @since 0.1.0
 */
export const requestShape: Pick<Provider.Definition, "nonBodyOptions" | "ownOptions"> & {
  /** Sorts the fields of `providerOptions.gemini` into the body. */
  readonly finish: (outgoing: Provider.Outgoing, options: JsonObject) => Provider.Outgoing
} = {
  ownOptions: { generationConfig: optional(recordOf(anything)) },
  nonBodyOptions: ["generationConfig", ...generationFields],
  finish: (outgoing, options) => {
    const own: Record<string, Json> = {}
    for (const key of generationFields) if (options[key] !== undefined) own[key] = options[key]
    Object.assign(own, options["generationConfig"])
    if (Object.keys(own).length === 0) return outgoing
    const known = outgoing.body["generationConfig"] as JsonObject | undefined
    return { ...outgoing, body: { ...outgoing.body, generationConfig: { ...known, ...own } } }
  }
}

/**
 * Models that think by level and demand thought signatures, as their data say where there are some:
 * https://ai.google.dev/gemini-api/docs/gemini-3
 *
 * @stability stable
 * @category definition
 * @since 0.1.0
 */
export const levelModels = /^(?:models\/)?gemini-(?:[3-9]|\d{2,})(?:[.-]|$)/

/**
 * Fields of a request that count.
 *
 * @stability stable
 * @category counting
 * @since 0.1.0
 */
export const countedFields = ["contents", "systemInstruction", "tools", "toolConfig", "cachedContent"]

/**
 * The counting method beside the generating one.
 *
 * @stability stable
 * @category counting
 * @since 0.1.0
 */
export const countTokensUrl = (baseUrl: string, path: string): string =>
  `${baseUrl}${path.replace(/:\w+(\?.*)?$/, ":countTokens")}`

/** https://ai.google.dev/api/models#Model */
const readModels = (body: unknown): ReadonlyArray<ModelMeta> | undefined =>
  listIn(body, "models")?.flatMap(({ displayName, inputTokenLimit, name, outputTokenLimit, thinking }) => {
    if (typeof name !== "string") return []
    return [{
      provider: "gemini",
      id: name.replace(/^models\//, ""),
      ...(typeof displayName === "string" ? { name: displayName } : undefined),
      ...(typeof inputTokenLimit === "number" ? { contextWindow: inputTokenLimit } : undefined),
      ...(typeof outputTokenLimit === "number" ? { maxOutputTokens: outputTokenLimit } : undefined),
      capabilities: typeof thinking === "boolean" ? { reasoning: thinking } : {}
    }]
  })

const baseUrl = "https://generativelanguage.googleapis.com/v1beta"

const provider = Provider.define({
  id: "gemini",
  name: "Google Gemini",
  docs: "https://ai.google.dev/api/generate-content",
  baseUrl,
  // A header rather than the query, where proxies and logs would keep it: https://ai.google.dev/api#authentication
  auth: { type: "header", name: "x-goog-api-key" },
  env: {
    apiKey: ["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"],
    baseUrl: "GEMINI_BASE_URL",
    model: "GEMINI_MODEL"
  },
  defaultModel: "gemini-3.5-flash",
  catalogue: () => import("../model/catalogue/gemini.ts"),
  capabilities: {
    streaming: true,
    tools: true,
    parallelTools: true,
    images: true,
    pdf: true,
    audio: true,
    reasoning: true,
    structuredOutput: true
  },
  protocol: GeminiGenerateContent.make({
    levelModels,
    // Uploaded files are named `files/…` and addressed by their URI: https://ai.google.dev/gemini-api/docs/files
    filesUrl: baseUrl,
    // https://github.com/googleapis/googleapis/blob/master/google/ai/generativelanguage/v1beta/generative_service.proto
    finishNumbers: "gemini"
  }),
  // https://ai.google.dev/api/models#method:-models.list
  modelsUrl: (baseUrl) => `${baseUrl}/models?pageSize=1000`,
  readModels,
  nextModels: nextPageToken,
  // https://ai.google.dev/api/tokens#method:-models.counttokens
  countTokens: ({ baseUrl, model, outgoing }) => ({
    url: countTokensUrl(baseUrl, outgoing.path),
    body: {
      generateContentRequest: {
        model: model.includes("/") ? model : `models/${model}`,
        ...only(outgoing.body, countedFields)
      }
    },
    read: numberAt("totalTokens")
  }),
  ...requestShape
})

/** Gemini as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/**
 * A layer from the environment: `GEMINI_API_KEY`, `GOOGLE_API_KEY` or `GOOGLE_GENERATIVE_AI_API_KEY`, `GEMINI_BASE_URL`,
 * `GEMINI_MODEL`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv = provider.layerEnv
