/**
 * Reading of model listings: OpenAI's `{ data: [{ id }] }`, and those that are spelled differently. What is no listing
 * gives `undefined`, so that it is not taken for an empty one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ModelMeta } from "../Model.ts"
import { type Fields, record } from "../protocol/Probe.ts"
import type { JsonReading } from "../transport/Transport.ts"
import type { Definition } from "./definition.ts"

/**
 * The models of a listing, as they are.
 *
 * @stability stable
 * @category reading
 * @since 0.1.0
 */
export const listIn = (body: unknown, field: string): ReadonlyArray<Fields> | undefined => {
  const found = record(body)?.[field]
  return Array.isArray(found) ? found.map(record).filter((one) => one !== undefined) : undefined
}

/**
 * Reads a listing: the field with the models, and the field of each with its id.
 *
 * @stability stable
 * @category reading
 * @since 0.1.0
 */
export const modelsAt = (
  provider: string,
  field: string,
  idField: string,
  idOf: (text: string) => string = (text) => text
) =>
(body: unknown): ReadonlyArray<ModelMeta> | undefined =>
  listIn(body, field)?.flatMap((model) => {
    const id = model[idField]
    return typeof id === "string" ? [{ provider, id: idOf(id), capabilities: {} }] : []
  })

/**
 * A page of a listing.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Page {
  readonly models: ReadonlyArray<ModelMeta>
  readonly next: { readonly [parameter: string]: string } | undefined
}

/**
 * How a provider's pages are read: as OpenAI lists models, unless it says otherwise; a list without the object around it is one too.
 *
 * @stability stable
 * @category reading
 * @since 0.1.0
 */
export const pageReading = (definition: Definition): JsonReading<Page> => ({
  read: (body) => {
    const read = definition.readModels ??
      ((body) => modelsAt(definition.id, "data", "id")(Array.isArray(body) ? { data: body } : body))
    const models = read(body)
    return models === undefined ? undefined : { models, next: definition.nextModels?.(body) }
  },
  nothing: "The provider's list of models has no list in it."
})

/** More pages are not asked for: a server that always names a next one must not hold a caller for ever. */
const mostPages = 100

/**
 * All pages of a listing, one after the other. Ends where a page names no next one, or the one it was asked for itself.
 *
 * @stability stable
 * @category reading
 * @since 0.1.0
 */
export const listedPages = <E>(
  ask: (url: string) => Effect.Effect<Page, E>,
  url: string
): Effect.Effect<ReadonlyArray<ModelMeta>, E> =>
  Effect.gen(function*() {
    const models: Array<ModelMeta> = []
    let at = url
    for (let page = 0; page < mostPages; page++) {
      const { models: more, next } = yield* ask(at)
      for (const model of more) models.push(model)
      if (next === undefined) break
      const following = new URL(url)
      for (const [name, value] of Object.entries(next)) following.searchParams.set(name, value)
      if (following.href === at) break
      at = following.href
    }
    return models
  })

/**
 * The token of Google's listings: https://google.aip.dev/158
 *
 * @stability stable
 * @category reading
 * @since 0.1.0
 */
export const nextPageToken = (body: unknown): { readonly pageToken: string } | undefined => {
  const token = record(body)?.["nextPageToken"]
  return typeof token === "string" && token !== "" ? { pageToken: token } : undefined
}
