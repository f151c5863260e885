/**
 * Reading of model listings that are spelled differently from OpenAI's `{ data: [{ id }] }`.
 *
 * @since 0.1.0
 */
import type { ModelMeta } from "../Model.ts"

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
(body: unknown): ReadonlyArray<ModelMeta> => {
  const list = (body as { readonly [name: string]: unknown } | null | undefined)?.[field]
  if (!Array.isArray(list)) return []
  return list.flatMap((model: { readonly [name: string]: unknown } | null) => {
    const id = model?.[idField]
    return typeof id === "string" ? [{ provider, id: idOf(id), capabilities: {} }] : []
  })
}
