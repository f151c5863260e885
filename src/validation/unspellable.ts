/**
 * Schemas that have no JSON Schema, remembered until a request is made with them.
 *
 * Making a tool or asking for an object must not throw, so that what stands for the JSON Schema carries why there is none; the check of
 * a request finds it and says so.
 *
 * @since 0.1.0
 */

const reasons = new WeakMap<object, string>()

/**
 * What stands for a JSON Schema that cannot be made.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const withoutJsonSchema = (error: unknown): { readonly [key: string]: never } => {
  const stand = {}
  const why = error instanceof Error && typeof error.message === "string" ? `: ${error.message.slice(0, 300)}` : ""
  reasons.set(stand, `This schema has no JSON Schema${why}. Give another schema, or a JSON Schema.`)
  return stand
}

/**
 * Why there is no JSON Schema, or `undefined`.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const unspellable = (schema: unknown): string | undefined =>
  typeof schema === "object" && schema !== null ? reasons.get(schema) : undefined
