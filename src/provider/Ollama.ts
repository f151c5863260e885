/**
 * Ollama on this machine, on another, or in its cloud.
 *
 * Speaks the native API, which alone has thinking, context size and `keep_alive`; `api: "chat"` speaks the
 * OpenAI-compatible one. Without a key or an address the server is the one on this machine; a key without an address
 * is for the cloud. `pull` downloads a model.
 *
 * @since 0.1.0
 */
import type { JsonObject, Open } from "../Message.ts"
import type { ModelMeta } from "../Model.ts"
import * as OllamaChat from "../protocol/OllamaChat.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { anything, flag, oneOf, optional, recordOf } from "../validation/values.ts"
import { listIn } from "./listing.ts"
import { cloudUrl, localUrl, serverUrl } from "./ollama/Host.ts"
import * as Provider from "./Provider.ts"

export { pull, type PullOptions, type PullProgress } from "./ollama/Pull.ts"

/**
 * Ollama's own request fields.
 *
 * @see https://docs.ollama.com/api/chat
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface RequestFields {
  /** How long the model stays loaded after the call: seconds or a duration such as `"10m"`, 0 to unload, -1 for ever. */
  readonly keep_alive?: string | number | undefined
  /** Overrides what `thinking` says: a flag, or a level for models that take one (gpt-oss). */
  readonly think?: boolean | Open<"low" | "medium" | "high"> | undefined
  /** Options of the model runner, laid over those of the request. */
  readonly options?: RunnerOptions | undefined
  /** Fails instead of leaving out the oldest messages when the prompt is longer than the context. */
  readonly truncate?: boolean | undefined
  readonly [field: string]: unknown
}

/**
 * Options of the model runner.
 *
 * @see https://docs.ollama.com/modelfile#valid-parameters-and-values
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface RunnerOptions {
  /** Context window in tokens. */
  readonly num_ctx?: number | undefined
  /** Most tokens of the answer; -1 for no limit. Prefer `maxTokens`. @default -1 */
  readonly num_predict?: number | undefined
  /** Layers of the model that are put on the GPU. @default as many as fit */
  readonly num_gpu?: number | undefined
  /** Threads of the CPU. @default chosen by Ollama */
  readonly num_thread?: number | undefined
  /** Least probability of a token, relative to the likeliest one; 0 to 1. @default 0 */
  readonly min_p?: number | undefined
  /** Above 1 makes repetitions less likely. https://docs.ollama.com/modelfile @default the model's own */
  readonly repeat_penalty?: number | undefined
  /** How many tokens back repetitions are looked for; 0 for none, -1 for the whole context. @default 64 */
  readonly repeat_last_n?: number | undefined
  readonly [option: string]: unknown
}

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Ollama's own fields: `keep_alive`, `think`, runner options such as `num_ctx`. */
    readonly ollama?: RequestFields | undefined
  }
}

/**
 * Options of the Ollama layer.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options extends Provider.Options {
  /** The native API, or the OpenAI-compatible one. @default "native" */
  readonly api?: "native" | "chat" | undefined
  /** Whether the model switches thinking on and off or takes levels (gpt-oss). Native API only. @default "switch" */
  readonly think?: OllamaChat.Quirks["think"]
  /** Moves reasoning that the model writes inline between `<think>` tags out of the text. @default false */
  readonly thinkTags?: boolean | undefined
}

const capabilities = { streaming: true, tools: true, images: true, reasoning: true, structuredOutput: true } as const

// https://docs.ollama.com/api/tags
const readModels = (body: unknown): ReadonlyArray<ModelMeta> | undefined =>
  listIn(body, "models")?.flatMap(({ model, name }) => {
    const id = name ?? model
    return typeof id === "string" ? [{ provider: "ollama", id, capabilities: {} }] : []
  })

const overChat = (definition: Provider.Definition, options: Options): Provider.Definition => ({
  ...definition,
  docs: "https://docs.ollama.com/api/openai-compatibility",
  baseUrl: `${definition.baseUrl}/v1`,
  baseUrlOf: (given) => {
    const url = URL.parse(serverUrl(given))
    if (url === null) return given
    url.pathname = `${url.pathname === "/" ? "" : url.pathname}/v1`
    return url.href
  },
  modelsUrl: (baseUrl) => `${baseUrl.replace(/\/v1$/, "")}/api/tags`,
  nonBodyOptions: [],
  ownOptions: {},
  finish: undefined,
  protocol: OpenAiChat.make({
    // https://docs.ollama.com/api/openai-compatibility
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    reasoningReplay: "reasoning",
    thinkTags: options.thinkTags
  })
})

const provider = Provider.define<Options>({
  id: "ollama",
  name: "Ollama",
  docs: "https://docs.ollama.com/api/introduction",
  baseUrl: localUrl,
  baseUrlOf: serverUrl,
  modelsUrl: (baseUrl) => `${baseUrl}/api/tags`,
  readModels,
  auth: { type: "none" },
  env: { apiKey: ["OLLAMA_API_KEY"], baseUrl: "OLLAMA_BASE_URL", host: "OLLAMA_HOST", model: "OLLAMA_MODEL" },
  capabilities,
  protocol: OllamaChat.make(),
  nonBodyOptions: ["options"],
  ownOptions: { options: optional(recordOf(anything)) },
  // Runner options of the request and of the provider are one object on the wire.
  finish: (outgoing, { options }) =>
    options === undefined
      ? outgoing
      : {
        ...outgoing,
        body: { ...outgoing.body, options: { ...outgoing.body["options"] as JsonObject, ...options as JsonObject } }
      }
}, (definition, options) => {
  const { api, apiKey, baseUrl, think, thinkTags } = options
  const placed = {
    ...definition,
    baseUrl: apiKey !== undefined && baseUrl === undefined ? cloudUrl : definition.baseUrl
  }
  if (api === "chat") return overChat(placed, options)
  return think === undefined && thinkTags === undefined
    ? placed
    : { ...placed, protocol: OllamaChat.make({ think, thinkTags }) }
}, {
  api: optional(oneOf("native", "chat")),
  think: optional(oneOf("switch", "levels")),
  thinkTags: optional(flag)
})

/** Ollama as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/**
 * A layer from the environment: `OLLAMA_HOST` (or `OLLAMA_BASE_URL`), `OLLAMA_API_KEY`, `OLLAMA_MODEL`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv = provider.layerEnv
