/**
 * OpenAI: over the Responses API, or by choice over Chat Completions.
 *
 * Responses keeps reasoning between turns and has the built-in tools; Chat Completions has stop texts, seeds, penalties
 * and audio. A conversation can change between the two at any turn.
 *
 * @since 0.1.0
 */
import type { JsonObject, Open } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../protocol/OpenAiResponses.ts"
import { oneOf, optional } from "../validation/values.ts"
import { numberAt, only } from "./counting.ts"
import { jsonWord } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

/**
 * OpenAI's own request fields.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/create
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface RequestFields {
  /** Whether OpenAI keeps the answer, for `previous_response_id`. @default false */
  readonly store?: boolean | undefined
  /** The stored answer this request goes on from; messages up to the last assistant turn are then left out. */
  readonly previous_response_id?: string | undefined
  /** Stored conversation that this answer belongs to, by id; not together with `previous_response_id`. */
  readonly conversation?: string | JsonObject | undefined
  /** Added to what the wire asks for. */
  readonly include?: ReadonlyArray<string> | undefined
  /** Merged over what `thinking` gives. */
  readonly reasoning?: JsonObject | undefined
  /** `verbosity`; merged over what `responseFormat` gives. */
  readonly text?: JsonObject | undefined
  /** `auto` drops the oldest items of a context that is too long; deprecated by OpenAI. @default "disabled", which refuses the request */
  readonly truncation?: Open<"auto" | "disabled"> | undefined
  /** https://platform.openai.com/docs/api-reference/responses/create */
  readonly service_tier?: Open<"auto" | "default" | "flex" | "priority"> | undefined
  /** Most calls of OpenAI's own tools in one answer, over all tools. @default no limit */
  readonly max_tool_calls?: number | undefined
  /** Up to 16 labels to find the answer by: keys to 64 characters, values to 512. */
  readonly metadata?: { readonly [key: string]: string } | undefined
  /** Stable opaque id of the application's user, against abuse; 128 characters at most. */
  readonly safety_identifier?: string | undefined
  readonly [field: string]: unknown
}

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of OpenAI that have no portable name: state, verbosity, service tier. */
    readonly openai?: RequestFields | undefined
  }
}

/**
 * Options of the OpenAI layer.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options extends Provider.Options {
  /** The API to speak. @default "responses" */
  readonly api?: "responses" | "chat" | undefined
}

const common = {
  id: "openai",
  name: "OpenAI",
  baseUrl: "https://api.openai.com/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["OPENAI_API_KEY"], baseUrl: "OPENAI_BASE_URL", model: "OPENAI_MODEL" },
  defaultModel: "gpt-5.4-mini",
  catalogue: () => import("../model/catalogue/openai.ts")
} as const

const capabilities = {
  streaming: true,
  tools: true,
  parallelTools: true,
  images: true,
  pdf: true,
  reasoning: true,
  structuredOutput: true
}

/** OpenAI over Chat Completions, as data. @stability stable @category definition @since 0.1.0 */
export const chatDefinition: Provider.Definition = {
  ...common,
  docs: "https://platform.openai.com/docs/api-reference/chat",
  capabilities: { ...capabilities, audio: true },
  protocol: OpenAiChat.make({
    // Reasoning models take instructions from the developer role: https://platform.openai.com/docs/guides/text
    systemRole: "developer",
    promptCacheRetention: true,
    rules: { needs: [jsonWord("https://platform.openai.com/docs/guides/structured-outputs#json-mode")] }
  })
}

const countedFields = [
  "model",
  "input",
  "instructions",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "previous_response_id",
  "reasoning",
  "text",
  "truncation"
]

const provider = Provider.define<Options>(
  {
    ...common,
    docs: "https://platform.openai.com/docs/api-reference/responses",
    capabilities,
    protocol: OpenAiResponses.make(),
    // https://platform.openai.com/docs/api-reference/responses/input-tokens
    countTokens: ({ baseUrl, outgoing }) => ({
      url: `${baseUrl}/responses/input_tokens`,
      body: only(outgoing.body, countedFields),
      read: numberAt("input_tokens")
    }),
    nonBodyOptions: OpenAiResponses.mergedOptions
  },
  (definition, { api }) => api === "chat" ? chatDefinition : definition,
  { api: optional(oneOf("responses", "chat")) }
)

/** OpenAI over Responses, as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/**
 * A layer over Responses from the environment: `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OPENAI_MODEL`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv = provider.layerEnv
