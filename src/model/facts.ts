/**
 * What one provider service knows of its models: its catalogue and what families of models have in common, loaded at the first call,
 * under the overrides of the layer.
 *
 * After the first call everything is synchronous and kept per model, so that a request pays one look into a map.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Issue, LlmRequest } from "../LlmRequest.ts"
import type { Part } from "../Message.ts"
import type { ModelMeta } from "../Model.ts"
import type { LoadCatalogue } from "./catalogue.ts"
import type { familyFacts } from "./families.ts"
import { canonicalType, placeOf } from "./media.ts"

/**
 * Facts an application knows better, by model id. They are laid over the catalogue's.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ModelOverrides {
  readonly [model: string]: Partial<Omit<ModelMeta, "provider" | "id">>
}

/** Model ids come from requests: more than these are not kept. */
const capacity = 256

/**
 * The facts of one service.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class ModelFacts {
  private readonly provider: string
  private readonly overrides: ModelOverrides
  private readonly loader: LoadCatalogue | undefined
  private readonly known = new Map<string, ModelMeta | undefined>()
  private find: ((model: string) => ModelMeta | undefined) | undefined
  private families: typeof familyFacts | undefined
  /** Whether {@link of} can answer; run {@link load} first when not. */
  ready = false

  constructor(provider: string, loader: LoadCatalogue | undefined, overrides: ModelOverrides = {}) {
    this.provider = provider
    this.loader = loader
    this.overrides = overrides
  }

  /** Loads catalogue, its reader and families. A bundle without them knows nothing, which is not worth failing a call for. */
  readonly load: Effect.Effect<void> = Effect.suspend(() => {
    const { loader } = this
    return Effect.all([
      Effect.option(Effect.tryPromise(() => import("./families.ts"))),
      loader === undefined
        ? Effect.succeedNone
        : Effect.option(Effect.tryPromise(() => Promise.all([loader(), import("./catalogue.ts")])))
    ])
  }).pipe(
    Effect.map(([families, listed]) => {
      this.families = Option.getOrUndefined(families)?.familyFacts
      if (Option.isSome(listed)) {
        const [catalogue, { find }] = listed.value
        this.find = (model) => find(catalogue, this.provider, model)
      }
      this.ready = true
    })
  )

  of(model: string): ModelMeta | undefined {
    const known = this.known.get(model)
    if (known !== undefined || this.known.has(model)) return known
    const listed = this.find?.(model)
    const family = this.families?.(this.provider, model)
    const own = Object.hasOwn(this.overrides, model) ? this.overrides[model] : undefined
    const meta: ModelMeta | undefined = own === undefined && family === undefined ? listed : {
      provider: this.provider,
      id: model,
      ...family,
      ...listed,
      ...own,
      capabilities: { ...family?.capabilities, ...listed?.capabilities, ...own?.capabilities }
    }
    if (this.known.size >= capacity) this.known.clear()
    this.known.set(model, meta)
    return meta
  }

  /** What a provider lists of its models, with what is known beside; the listing wins. */
  complete(listed: ReadonlyArray<ModelMeta>): Effect.Effect<ReadonlyArray<ModelMeta>> {
    const all = () =>
      listed.map((model) => {
        const known = this.of(model.id)
        return known === undefined
          ? model
          : { ...known, ...model, capabilities: { ...known.capabilities, ...model.capabilities } }
      })
    return this.ready ? Effect.sync(all) : Effect.map(this.load, all)
  }
}

const modalities = {
  images: ["image", "images"],
  audio: ["audio", "audio"],
  pdf: ["file", "PDF files"]
} as const

const isPdf = (part: Part): boolean =>
  part.type === "file" && part.source.mediaType !== undefined &&
  canonicalType(part.source.mediaType) === "application/pdf"

/**
 * Media in a request to a model that is known to take none of them.
 *
 * @stability stable
 * @category validation
 * @since 0.1.0
 */
export const mediaIssue = (request: LlmRequest, meta: ModelMeta | undefined): Issue | undefined => {
  for (const capability of ["images", "audio", "pdf"] as const) {
    if (meta?.capabilities[capability] !== false) continue
    const [type, title] = modalities[capability]
    const field = placeOf(request, (part) => part.type === type && (type !== "file" || isPdf(part)))
    if (field !== undefined) {
      return {
        field,
        message: `The model ${meta.id} takes no ${title}. If it does, say so in the layer's option models.`
      }
    }
  }
  return undefined
}
