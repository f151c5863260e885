/**
 * Entries of a request's tools, from options that may be left out.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../Message.ts"

/**
 * An entry without the fields that are not given.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const definitionOf = (fields: { readonly [field: string]: Json | undefined }): JsonObject => {
  const given: { [field: string]: Json } = {}
  for (const [field, value] of Object.entries(fields)) if (value !== undefined) given[field] = value
  return given
}
