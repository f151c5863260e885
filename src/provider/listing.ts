/**
 * Reading of model listings: OpenAI's `{ data: [{ id }] }`, and those that are spelled differently. What is no listing
 * gives `undefined`, so that it is not taken for an empty one.
 *
 * @since 0.1.0
 */
import type { ModelMeta } from "../Model.ts"
import { type Fields, record } from "../protocol/Probe.ts"

/**
 * The models of a listing, as they are.
 *
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
