/**
 * JSON Schemas as structured outputs and strict tools take them.
 *
 * Objects are closed, `oneOf` becomes `anyOf`, and keywords the API rejects move into the description, where the model
 * still reads them: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "../../json/depth.ts"
import { setOwn } from "../../json/own.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { record } from "../Probe.ts"

const formats: ReadonlySet<unknown> = new Set([
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "uri",
  "ipv4",
  "ipv6",
  "uuid"
])

const kept: ReadonlySet<string> = new Set(["type", "enum", "const", "title", "required", "$ref"])

const each = (schemas: Json, depth: number): Json =>
  Array.isArray(schemas) ? schemas.map((schema: Json) => anySchema(schema, depth)) : schemas

const named = (schemas: Json, depth: number): Json => {
  const given = record(schemas)
  if (given === undefined) return schemas
  return Object.fromEntries(Object.entries(given).map(([name, schema]) => [name, anySchema(schema!, depth)]))
}

/** A schema within another one. What is deeper than any JSON that is sent stays as it is. */
const anySchema = (schema: Json, depth: number): Json => {
  const given = record(schema)
  return given === undefined || depth > maxJsonDepth ? schema : strict(given as JsonObject, depth)
}

/**
 * The schema with what the API takes; meaning that it cannot express goes into descriptions.
 *
 * @category encoding
 * @since 0.1.0
 */
export const strictSchema = (schema: JsonObject): { [key: string]: Json } => strict(schema, 1)

const strict = (schema: JsonObject, depth: number): { [key: string]: Json } => {
  const out: { [key: string]: Json } = {}
  const rest: { [key: string]: Json } = {}
  for (const [key, value] of Object.entries(schema)) {
    switch (key) {
      case "$defs":
      case "definitions":
      case "properties":
        out[key] = named(value, depth + 2)
        break
      case "anyOf":
      case "allOf":
        out[key] = each(value, depth + 2)
        break
      case "oneOf":
        if (!("anyOf" in schema)) out["anyOf"] = each(value, depth + 2)
        break
      case "items":
        out["items"] = anySchema(value, depth + 1)
        break
      case "minItems":
        ;(value === 0 || value === 1 ? out : rest)[key] = value
        break
      case "format":
        ;(formats.has(value) ? out : rest)[key] = value
        break
      case "$schema":
      case "description":
      case "additionalProperties":
        break
      default:
        setOwn(kept.has(key) ? out : rest, key, value)
    }
  }
  if (schema["type"] === "object" || (Array.isArray(schema["type"]) && schema["type"].includes("object"))) {
    out["additionalProperties"] = false
    if (!("properties" in out)) out["properties"] = {}
  }
  const given = schema["description"]
  const hints = Object.keys(rest).length === 0 ? [] : [JSON.stringify(rest)]
  const description = [...(typeof given === "string" && given !== "" ? [given] : []), ...hints].join("\n\n")
  if (description !== "") out["description"] = description
  return out
}
