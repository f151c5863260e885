/**
 * A lowered schema in the spelling of OpenAPI 3.0: types in capitals, `nullable` for null.
 *
 * https://ai.google.dev/api/caching#Schema
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../Message.ts"
import { isNode } from "../../validation/jsonSchema/document.ts"

const isNull = (one: Json): boolean => isNode(one) && one["type"] === "null"

/**
 * Spells a schema so.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const openApi = (schema: JsonObject): JsonObject => {
  const out: { [key: string]: Json } = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === "type" && typeof value === "string") out["type"] = value.toUpperCase()
    else if (key === "properties" && isNode(value)) {
      out[key] = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, openApi(one as JsonObject)]))
    } else if (key === "items" && isNode(value)) out[key] = openApi(value)
    else if (key === "enum") {
      out["enum"] = value!
      out["format"] = "enum"
    } else if (key !== "anyOf" && key !== "additionalProperties" && value !== undefined) out[key] = value
  }
  const { anyOf } = schema
  if (!Array.isArray(anyOf)) return out
  const forms = (anyOf as ReadonlyArray<Json>).filter((one) => !isNull(one)).map((one) => openApi(one as JsonObject))
  const nullable = forms.length < anyOf.length ? { nullable: true } : undefined
  return forms.length === 1 ? { ...forms[0], ...out, ...nullable } : { ...out, anyOf: forms, ...nullable }
}
