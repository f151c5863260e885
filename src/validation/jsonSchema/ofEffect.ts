/**
 * JSON Schemas of Effect schemas.
 *
 * Public through `LlmTool`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { JsonObject } from "../../json/value.ts"
import { withoutJsonSchema } from "../unspellable.ts"

const jsonSchemas = new WeakMap<Schema.Constraint, JsonObject>()

/**
 * The JSON Schema (draft 2020-12, self-contained) of an Effect `Schema`; generated once per schema value. For a schema that has none
 * it is empty, and requests with it are refused with `Validation`, which tells why.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const jsonSchemaOf = (schema: Schema.Constraint): JsonObject => {
  const known = jsonSchemas.get(schema)
  if (known !== undefined) return known
  const made = generated(schema)
  ofSchemas.add(made)
  // What is no schema at all may be no object either.
  if (isSchema(schema)) jsonSchemas.set(schema, made)
  return made
}

/**
 * Whether a JSON Schema was made of an Effect `Schema`, whose decoder holds more than it says.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const isOfSchema = (schema: JsonObject): boolean => ofSchemas.has(schema)

const ofSchemas = new WeakSet<JsonObject>()

const generated = (schema: Schema.Constraint): JsonObject => {
  try {
    // Members that a struct does not name are never asked for.
    const document = Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" })
    const definitions = Object.keys(document.definitions)
    return (definitions.length === 0
      ? document.schema
      : { ...document.schema, $defs: document.definitions }) as JsonObject
  } catch (error) {
    return withoutJsonSchema(error)
  }
}

/** Whether something is an Effect `Schema`; whatever it is. @stability stable @category guards @since 0.1.0 */
export const isSchema = (given: unknown): given is Schema.Constraint => {
  try {
    return Schema.isSchema(given)
  } catch {
    return false
  }
}
