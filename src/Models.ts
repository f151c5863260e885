/**
 * Looks models up in the catalogue that ships with the library.
 *
 * The catalogue is loaded per provider when it is first asked, never at import; a bundle that does not use this module holds
 * only the catalogues of its own providers. An unknown provider or model is `undefined`, not an error: nothing is refused
 * for what is not known. Facts age: each catalogue module says when it was collected, and options `models` of a layer or
 * of a policy override it.
 *
 * An id is found as it is, or as the dated form of a listed one: `gpt-4o-mini-2024-07-18` is `gpt-4o-mini`, while
 * `gpt-4o-audio` is not `gpt-4o`. What may follow a listed id is a date, a revision or `latest`, so that prices are never those of
 * another model.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ModelMeta } from "./Model.ts"
import { type Catalogue, find, list, type LoadCatalogue } from "./model/catalogue.ts"

const catalogues: { readonly [provider: string]: LoadCatalogue | undefined } = {
  anthropic: () => import("./model/catalogue/anthropic.ts"),
  azure: () => import("./model/catalogue/azure.ts"),
  baseten: () => import("./model/catalogue/baseten.ts"),
  bedrock: () => import("./model/catalogue/bedrock.ts"),
  cerebras: () => import("./model/catalogue/cerebras.ts"),
  cloudflare: () => import("./model/catalogue/cloudflare.ts"),
  deepseek: () => import("./model/catalogue/deepseek.ts"),
  fireworks: () => import("./model/catalogue/fireworks.ts"),
  gemini: () => import("./model/catalogue/gemini.ts"),
  groq: () => import("./model/catalogue/groq.ts"),
  huggingface: () => import("./model/catalogue/huggingface.ts"),
  meta: () => import("./model/catalogue/meta.ts"),
  minimax: () => import("./model/catalogue/minimax.ts"),
  mistral: () => import("./model/catalogue/mistral.ts"),
  moonshot: () => import("./model/catalogue/moonshot.ts"),
  nvidia: () => import("./model/catalogue/nvidia.ts"),
  openai: () => import("./model/catalogue/openai.ts"),
  openrouter: () => import("./model/catalogue/openrouter.ts"),
  together: () => import("./model/catalogue/together.ts"),
  "vercel-gateway": () => import("./model/catalogue/vercel-gateway.ts"),
  vertex: () => import("./model/catalogue/vertex.ts"),
  xai: () => import("./model/catalogue/xai.ts"),
  xiaomi: () => import("./model/catalogue/xiaomi.ts"),
  zai: () => import("./model/catalogue/zai.ts")
}

const loaded = new Map<string, Catalogue>()

const load = (provider: string): Effect.Effect<Catalogue | undefined> =>
  Effect.suspend(() => {
    if (typeof provider !== "string") return Effect.undefined
    const known = loaded.get(provider)
    const loader = Object.hasOwn(catalogues, provider) ? catalogues[provider] : undefined
    if (known !== undefined || loader === undefined) return Effect.succeed(known)
    return Effect.match(Effect.tryPromise(loader), {
      // A bundle without its chunk knows nothing, which is not worth failing a call for.
      onFailure: () => undefined,
      onSuccess: (catalogue) => {
        loaded.set(provider, catalogue)
        return catalogue
      }
    })
  })

/**
 * What is known of a model, or `undefined`.
 *
 * @example
 * ```ts
 * const meta = yield* Models.lookup("anthropic", "claude-haiku-4-5")
 * ```
 *
 * @stability stable
 * @category lookup
 * @since 0.1.0
 */
export const lookup = (provider: string, id: string): Effect.Effect<ModelMeta | undefined> =>
  Effect.map(
    load(provider),
    (catalogue) => catalogue === undefined || typeof id !== "string" ? undefined : find(catalogue, provider, id)
  )

/**
 * All models listed for a provider; none for a provider that is not listed.
 *
 * @stability stable
 * @category lookup
 * @since 0.1.0
 */
export const all = (provider: string): Effect.Effect<ReadonlyArray<ModelMeta>> =>
  Effect.map(load(provider), (catalogue) => catalogue === undefined ? [] : list(catalogue, provider))
