/**
 * What one provider service knows of its models: its catalogue, loaded at the first call, under the overrides of the layer.
 *
 * After the first call everything is synchronous and kept per model, so that a request pays one look into a map.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { type Issue, type LlmRequest, messagesOf } from "../LlmRequest.ts"
import type { Part } from "../Message.ts"
import type { ModelMeta } from "../Model.ts"
import type { LoadCatalogue } from "./catalogue.ts"

/**
 * Facts an application knows better, by model id. They are laid over the catalogue's.
 *
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
 * @category models
 * @since 0.1.0
 */
export class ModelFacts {
  private readonly provider: string
  private readonly overrides: ModelOverrides
  private readonly loader: LoadCatalogue | undefined
  private readonly known = new Map<string, ModelMeta | undefined>()
  private find: ((model: string) => ModelMeta | undefined) | undefined
  /** Whether {@link of} can answer; run {@link load} first when not. */
  ready: boolean

  constructor(provider: string, loader: LoadCatalogue | undefined, overrides: ModelOverrides = {}) {
    this.provider = provider
    this.loader = loader
    this.overrides = overrides
    this.ready = loader === undefined
  }

  /** Loads the catalogue and its reader. A bundle without it knows nothing, which is not worth failing a call for. */
  readonly load: Effect.Effect<void> = Effect.suspend(() => {
    const { loader } = this
    if (loader === undefined) return Effect.void
    return Effect.match(Effect.tryPromise(() => Promise.all([loader(), import("./catalogue.ts")])), {
      onFailure: () => {
        this.ready = true
      },
      onSuccess: ([catalogue, { find }]) => {
        this.find = (model) => find(catalogue, this.provider, model)
        this.ready = true
      }
    })
  })

  of(model: string): ModelMeta | undefined {
    const known = this.known.get(model)
    if (known !== undefined || this.known.has(model)) return known
    const listed = this.find?.(model)
    const own = Object.hasOwn(this.overrides, model) ? this.overrides[model] : undefined
    const meta: ModelMeta | undefined = own === undefined ? listed : {
      provider: this.provider,
      id: model,
      ...listed,
      ...own,
      capabilities: { ...listed?.capabilities, ...own.capabilities }
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

const imageAt = (parts: ReadonlyArray<Part>, at: string): string | undefined => {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (part.type === "image") return `${at}[${i}]`
    if (part.type === "tool-result" && typeof part.content !== "string") {
      const found = imageAt(part.content, `${at}[${i}].content`)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/**
 * An image in a request to a model that is known to take none.
 *
 * @category validation
 * @since 0.1.0
 */
export const imageIssue = (request: LlmRequest, meta: ModelMeta | undefined): Issue | undefined => {
  if (meta?.capabilities.images !== false) return undefined
  const messages = messagesOf(request)
  for (let i = 0; i < messages.length; i++) {
    const { content, role } = messages[i]!
    // What a model drew itself is its wire's to replay or drop.
    if (typeof content === "string" || role === "assistant") continue
    const field = imageAt(content, `messages[${i}].content`)
    if (field !== undefined) {
      return {
        field,
        message: `The model ${meta.id} takes no images. If it does, say so in the layer's option models.`
      }
    }
  }
  return undefined
}
