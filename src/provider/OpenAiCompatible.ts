/**
 * Any host that speaks Chat Completions, described by options.
 *
 * For a host that this library has no module for: give its base URL and, where it differs from the most common
 * behaviour, quirks. A module of your own is the same as data; see `docs/adding-a-provider.md`.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { anything, filledText, optional, recordOf } from "../validation/values.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of the host that have no portable name, sent as they are. */
    readonly "openai-compatible"?: JsonObject | undefined
  }
}

/**
 * Options of a compatible host.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options extends Provider.Options {
  /** Provider id in errors, telemetry and responses. @default "openai-compatible" */
  readonly id?: string | undefined
  /** What the host does differently; merged over the defaults of compatible hosts. */
  readonly quirks?: OpenAiChat.Quirks | undefined
}

/** What most compatible hosts have in common. */
const common: OpenAiChat.Quirks = {
  tokenField: "max_tokens",
  customTools: false,
  promptCacheKey: false,
  toolCallId: "any"
}

const provider = Provider.define<Options>({
  id: "openai-compatible",
  name: "OpenAI-compatible server",
  docs: "https://platform.openai.com/docs/api-reference/chat",
  baseUrl: "http://127.0.0.1:8080/v1",
  auth: { type: "none" },
  env: {
    apiKey: ["OPENAI_COMPATIBLE_API_KEY"],
    baseUrl: "OPENAI_COMPATIBLE_BASE_URL",
    model: "OPENAI_COMPATIBLE_MODEL"
  },
  capabilities: { streaming: true, tools: true },
  protocol: OpenAiChat.make(common)
}, (definition, { id, quirks }) => ({
  ...definition,
  ...(id === undefined ? {} : { id }),
  ...(quirks === undefined ? {} : { protocol: OpenAiChat.make({ ...common, ...quirks }) })
}), { id: optional(filledText), quirks: optional(recordOf(anything)) })

/** A compatible host as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/**
 * A layer from the environment: `OPENAI_COMPATIBLE_BASE_URL`, `OPENAI_COMPATIBLE_API_KEY`, `OPENAI_COMPATIBLE_MODEL`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv = provider.layerEnv
