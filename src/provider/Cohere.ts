/**
 * Cohere, over its Chat API v2: grounded answers with citations.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../Message.ts"
import type { ModelMeta } from "../Model.ts"
import * as CohereChat from "../protocol/CohereChat.ts"
import { record } from "../protocol/Probe.ts"
import { anything, listOf, optional } from "../validation/values.ts"
import { listIn } from "./listing.ts"
import * as Provider from "./Provider.ts"

/**
 * A document the model may cite.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Document {
  /** Name of the document in citations. @default given by the host */
  readonly id?: string | undefined
  /** Fields the model reads, such as `title` and `text`. */
  readonly data: { readonly [field: string]: Json }
}

/**
 * Cohere's own request fields.
 *
 * @see https://docs.cohere.com/reference/chat
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface RequestFields {
  /** Documents to ground the answer in, after those that are files of a message. */
  readonly documents?: ReadonlyArray<string | Document> | undefined
  /** How citations are made: with the text, after it, or not at all. @default "ENABLED" */
  readonly citation_options?:
    | {
      /** How carefully citations are made, or none at all (`OFF`): https://docs.cohere.com/docs/rag-citations */
      readonly mode?: "ENABLED" | "DISABLED" | "FAST" | "ACCURATE" | "OFF" | undefined
    }
    | undefined
  /** @default "CONTEXTUAL" */
  readonly safety_mode?: "CONTEXTUAL" | "STRICT" | "OFF" | undefined
  /** Holds the model to the schemas of all tools. */
  readonly strict_tools?: boolean | undefined
  /** Lower is served first under load. @default 0 */
  readonly priority?: number | undefined
  readonly [field: string]: unknown
}

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Cohere's own fields: documents, citation mode, safety mode. */
    readonly cohere?: RequestFields | undefined
  }
}

// https://docs.cohere.com/reference/list-models
const readModels = (body: unknown): ReadonlyArray<ModelMeta> | undefined =>
  listIn(body, "models")?.flatMap(({ context_length, name }) =>
    typeof name === "string"
      ? [{
        provider: "cohere",
        id: name,
        capabilities: {},
        ...(typeof context_length === "number" && context_length > 0 ? { contextWindow: context_length } : undefined)
      }]
      : []
  )

/** All text of a body: of messages, tools and documents. */
const textOf = (value: Json | undefined): string =>
  typeof value === "string"
    ? `${value}\n`
    : Array.isArray(value)
    ? value.map(textOf).join("")
    : typeof value === "object" && value !== null
    ? Object.entries(value).map(([key, inner]) =>
      key === "role" || key === "type" || key === "model" ? "" : textOf(inner)
    )
      .join("")
    : ""

const provider = Provider.define({
  id: "cohere",
  name: "Cohere",
  docs: "https://docs.cohere.com/reference/chat",
  baseUrl: "https://api.cohere.com/v2",
  // Models are listed by version 1 only.
  modelsUrl: (baseUrl) => `${baseUrl.replace(/\/v2$/, "")}/v1/models?endpoint=chat&page_size=1000`,
  readModels,
  nextModels: (body) => {
    const token = record(body)?.["next_page_token"]
    return typeof token === "string" && token !== "" ? { page_token: token } : undefined
  },
  auth: { type: "bearer" },
  env: { apiKey: ["COHERE_API_KEY", "CO_API_KEY"], baseUrl: "COHERE_BASE_URL", model: "COHERE_MODEL" },
  defaultModel: "command-a-03-2025",
  capabilities: { streaming: true, tools: true, images: true, reasoning: true, structuredOutput: true },
  protocol: CohereChat.make(),
  // Counts plain text only: https://docs.cohere.com/reference/tokenize
  countTokens: ({ baseUrl, model, outgoing }) => ({
    url: `${baseUrl.replace(/\/v2$/, "")}/v1/tokenize`,
    body: { model, text: textOf(outgoing.body) },
    read: (answer) => {
      const tokens = (answer as { readonly tokens?: unknown } | undefined)?.tokens
      return Array.isArray(tokens) ? tokens.length : undefined
    }
  }),
  nonBodyOptions: ["documents"],
  ownOptions: { documents: optional(listOf(anything)) },
  finish: (outgoing, options) => {
    const documents = options["documents"] as ReadonlyArray<JsonObject> | undefined
    if (documents === undefined) return outgoing
    const own = outgoing.body["documents"] as ReadonlyArray<JsonObject> | undefined
    return { ...outgoing, body: { ...outgoing.body, documents: [...own ?? [], ...documents] } }
  }
})

/** Cohere as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `COHERE_API_KEY` or `CO_API_KEY`, `COHERE_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
