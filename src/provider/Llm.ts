/**
 * Chooses the provider by environment: `LLM_PROVIDER` names it, its usual variables configure it.
 *
 * Provider modules load when they are chosen, so an application bundles and starts only what it uses. Without
 * `LLM_PROVIDER` the provider is Anthropic; an unknown name is a `Configuration` error that lists the known ones.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as LlmError from "../LlmError.ts"
import type { ProviderModule, ServiceLayer } from "./Provider.ts"

type Loader = () => Promise<ProviderModule>

/** Every provider, by id. */
const loaders = {
  alibaba: () => import("./Alibaba.ts"),
  anthropic: () => import("./Anthropic.ts"),
  azure: () => import("./Azure.ts"),
  baseten: () => import("./Baseten.ts"),
  bedrock: () => import("./Bedrock.ts"),
  cerebras: () => import("./Cerebras.ts"),
  cloudflare: () => import("./Cloudflare.ts"),
  cohere: () => import("./Cohere.ts"),
  databricks: () => import("./Databricks.ts"),
  deepinfra: () => import("./DeepInfra.ts"),
  deepseek: () => import("./DeepSeek.ts"),
  fireworks: () => import("./Fireworks.ts"),
  gemini: () => import("./Gemini.ts"),
  "github-models": () => import("./GitHubModels.ts"),
  groq: () => import("./Groq.ts"),
  huggingface: () => import("./HuggingFace.ts"),
  hyperbolic: () => import("./Hyperbolic.ts"),
  litellm: () => import("./LiteLlm.ts"),
  llamacpp: () => import("./LlamaCpp.ts"),
  lmstudio: () => import("./LmStudio.ts"),
  minimax: () => import("./MiniMax.ts"),
  mistral: () => import("./Mistral.ts"),
  moonshot: () => import("./Moonshot.ts"),
  nebius: () => import("./Nebius.ts"),
  nvidia: () => import("./Nvidia.ts"),
  ollama: () => import("./Ollama.ts"),
  "openai-compatible": () => import("./OpenAiCompatible.ts"),
  openai: () => import("./OpenAi.ts"),
  "opencode-zen": () => import("./OpenCodeZen.ts"),
  openrouter: () => import("./OpenRouter.ts"),
  perplexity: () => import("./Perplexity.ts"),
  sambanova: () => import("./SambaNova.ts"),
  snowflake: () => import("./Snowflake.ts"),
  together: () => import("./Together.ts"),
  venice: () => import("./Venice.ts"),
  "vercel-gateway": () => import("./VercelGateway.ts"),
  "vertex-anthropic": () => import("./VertexAnthropic.ts"),
  vertex: () => import("./Vertex.ts"),
  vllm: () => import("./Vllm.ts"),
  writer: () => import("./Writer.ts"),
  xai: () => import("./Xai.ts"),
  xiaomi: () => import("./Xiaomi.ts"),
  zai: () => import("./Zai.ts")
} satisfies { readonly [id: string]: Loader }

/**
 * Names that `LLM_PROVIDER` accepts.
 *
 * @category models
 * @since 0.1.0
 */
export type ProviderId = keyof typeof loaders

/**
 * All provider ids, sorted.
 *
 * @category models
 * @since 0.1.0
 */
export const providerIds: ReadonlyArray<ProviderId> = Object.keys(loaders).toSorted() as Array<ProviderId>

/**
 * Loads the module of a provider.
 *
 * @category loading
 * @since 0.1.0
 */
export const load = (id: ProviderId): Effect.Effect<ProviderModule> => Effect.promise<ProviderModule>(loaders[id])

/**
 * Whether a provider of that id exists.
 *
 * @category guards
 * @since 0.1.0
 */
export const isProviderId = (id: string): id is ProviderId => Object.hasOwn(loaders, id)

/**
 * The layer of one provider by id, configured by its usual environment variables.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOf = (id: ProviderId): ServiceLayer =>
  Layer.unwrap(Effect.suspend(() =>
    typeof id === "string" && isProviderId(id)
      ? Effect.map(load(id), (provider) => provider.layerEnv)
      : Effect.fail(configuration(`There is no such provider. Known: ${providerIds.join(", ")}.`))
  ))

const configuration = (message: string) =>
  new LlmError.LlmError({
    provider: "",
    model: "",
    operation: "layer",
    reason: new LlmError.Configuration({ field: "LLM_PROVIDER", message }),
    attempts: 1
  })

/**
 * The provider that `LLM_PROVIDER` names, Anthropic when it is unset, with that provider's environment variables.
 * Fails with reason `Configuration` for an unknown name or a missing key.
 *
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
    : yield* configuration(`LLM_PROVIDER is "${id}". Known: ${providerIds.join(", ")}.`)
}))

/**
 * The id of the first provider whose key is in the environment, `LLM_PROVIDER` first; none when there is no key.
 *
 * @category detection
 * @since 0.1.0
 */
export const detect: Effect.Effect<Option.Option<ProviderId>, LlmError.LlmError> = Effect.gen(function*() {
  const given = yield* Config.option(Config.String("LLM_PROVIDER"))
  const named = Option.map(given, (name) => name.trim().toLowerCase())
  if (Option.isSome(named)) {
    if (isProviderId(named.value)) return Option.some(named.value)
    return yield* configuration(`LLM_PROVIDER is "${named.value}". Known: ${providerIds.join(", ")}.`)
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
