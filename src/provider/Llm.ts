/**
 * Chooses the provider by environment: `LLM_PROVIDER` names it, its usual variables configure it.
 *
 * Provider modules load when they are chosen, so an application starts only what it uses. Without `LLM_PROVIDER` the
 * provider is Anthropic; an unknown name is a `Configuration` error with the likely name and the known ones. Applications that are bundled
 * import it from `effect-llm/Llm`, which names every provider to the bundler.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as LlmError from "../LlmError.ts"
import { type ModuleName, moduleOf } from "./loading.ts"
import { quoted, unknownName } from "./names.ts"
import type { ProviderModule, ServiceLayer } from "./Provider.ts"

/** The module of every provider, by id. */
const modules = {
  alibaba: "Alibaba",
  anthropic: "Anthropic",
  azure: "Azure",
  baseten: "Baseten",
  bedrock: "Bedrock",
  cerebras: "Cerebras",
  cloudflare: "Cloudflare",
  cohere: "Cohere",
  databricks: "Databricks",
  deepinfra: "DeepInfra",
  deepseek: "DeepSeek",
  fireworks: "Fireworks",
  gemini: "Gemini",
  "github-models": "GitHubModels",
  groq: "Groq",
  huggingface: "HuggingFace",
  hyperbolic: "Hyperbolic",
  litellm: "LiteLlm",
  llamacpp: "LlamaCpp",
  lmstudio: "LmStudio",
  minimax: "MiniMax",
  mistral: "Mistral",
  moonshot: "Moonshot",
  nebius: "Nebius",
  nvidia: "Nvidia",
  ollama: "Ollama",
  "openai-compatible": "OpenAiCompatible",
  openai: "OpenAi",
  "opencode-zen": "OpenCodeZen",
  openrouter: "OpenRouter",
  perplexity: "Perplexity",
  sambanova: "SambaNova",
  snowflake: "Snowflake",
  together: "Together",
  venice: "Venice",
  "vercel-gateway": "VercelGateway",
  "vertex-anthropic": "VertexAnthropic",
  vertex: "Vertex",
  vllm: "Vllm",
  writer: "Writer",
  xai: "Xai",
  xiaomi: "Xiaomi",
  zai: "Zai"
} as const satisfies { readonly [id: string]: ModuleName }

/**
 * Names that `LLM_PROVIDER` accepts.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type ProviderId = keyof typeof modules

/**
 * All provider ids, sorted.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export const providerIds: ReadonlyArray<ProviderId> = Object.keys(modules).toSorted() as Array<ProviderId>

/** What is there is used at once: a configuration that is read again waits for nothing. */
const loaded = new Map<ModuleName, ProviderModule>()

/**
 * Loads the module of a provider. Fails with reason `Configuration` where it is not to be had: in a bundle of an application that
 * imports this module from `effect-llm` instead of `effect-llm/Llm`.
 *
 * @stability stable
 * @category loading
 * @since 0.1.0
 */
export const load = (id: ProviderId): Effect.Effect<ProviderModule, LlmError.LlmError> => {
  const name = modules[id]
  const known = loaded.get(name)
  if (known !== undefined) return Effect.succeed(known)
  return Effect.tryPromise({
    try: async () => {
      const module: ProviderModule = await moduleOf(name)
      loaded.set(name, module)
      return module
    },
    catch: () =>
      configuration(
        `The module of ${id} could not be loaded. In a bundled application, import Llm, LlmConfig and Registry from effect-llm/Llm, effect-llm/LlmConfig and effect-llm/Registry.`
      )
  })
}

/**
 * Whether a provider of that id exists.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isProviderId = (id: string): id is ProviderId => Object.hasOwn(modules, id)

/**
 * The layer of one provider by id, configured by its usual environment variables.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerOf = (id: ProviderId): ServiceLayer =>
  Layer.unwrap(Effect.suspend(() =>
    typeof id === "string" && isProviderId(id)
      ? Effect.map(load(id), (provider) => provider.layerEnv)
      : Effect.fail(configuration(`There is no such provider. ${unknownName(id, providerIds)}`))
  ))

const configuration = (message: string) =>
  new LlmError.LlmError({
    provider: "",
    model: "",
    operation: "layer",
    reason: new LlmError.Configuration({ field: "LLM_PROVIDER", message }),
    attempts: 1
  })

const unknownProvider = (id: string) =>
  configuration(`LLM_PROVIDER: ${quoted(id)} is not a provider. ${unknownName(id, providerIds)}`)

/**
 * The provider that `LLM_PROVIDER` names, Anthropic when it is unset, with that provider's environment variables.
 * Fails with reason `Configuration` for an unknown name or a missing key.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv: ServiceLayer = Layer.unwrap(Effect.gen(function*() {
  const given = yield* Effect.mapError(
    Config.option(Config.String("LLM_PROVIDER")),
    (error) => configuration(error.message)
  )
  const id = Option.getOrElse(given, () => "anthropic").trim().toLowerCase()
  return isProviderId(id)
    ? layerOf(id)
    : yield* unknownProvider(id)
}))

/**
 * The id of the first provider whose key is in the environment, `LLM_PROVIDER` first; none when there is no key.
 *
 * @stability stable
 * @category detection
 * @since 0.1.0
 */
export const detect: Effect.Effect<Option.Option<ProviderId>, LlmError.LlmError> = Effect.gen(function*() {
  const given = yield* Config.option(Config.String("LLM_PROVIDER"))
  const named = Option.map(given, (name) => name.trim().toLowerCase())
  if (Option.isSome(named)) {
    if (isProviderId(named.value)) return Option.some(named.value)
    return yield* unknownProvider(named.value)
  }
  for (const id of providerIds) {
    const { definition } = yield* load(id)
    if (definition.auth.type === "none") continue
    for (const name of definition.env.apiKey) {
      const key = yield* Config.option(Config.String(name))
      if (Option.isSome(key) && key.value.trim() !== "") return Option.some(id)
    }
  }
  return Option.none()
}).pipe(
  Effect.mapError((error) => LlmError.isLlmError(error) ? error : configuration(error.message))
)
