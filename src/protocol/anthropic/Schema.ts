/**
 * JSON Schemas as structured outputs and strict tools take them.
 *
 * Objects are closed, `oneOf` becomes `anyOf`, and keywords the API rejects move into the description, where the model
 * still reads them: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 *
 * @since 0.1.0
 */
import { setOwn } from "../../internal/own.ts"
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

const each = (schemas: Json): Json => Array.isArray(schemas) ? schemas.map(anySchema) : schemas

const named = (schemas: Json): Json => {
  const given = record(schemas)
  if (given === undefined) return schemas
  return Object.fromEntries(Object.entries(given).map(([name, schema]) => [name, anySchema(schema!)]))
}

const anySchema = (schema: Json): Json => {
  const given = record(schema)
  return given === undefined ? schema : strictSchema(given as JsonObject)
}

/**
 * The schema with what the API takes; meaning that it cannot express goes into descriptions.
 *
 * @category encoding
 * @since 0.1.0
 */
export const strictSchema = (schema: JsonObject): { [key: string]: Json } => {
  const out: { [key: string]: Json } = {}
  const rest: { [key: string]: Json } = {}
  for (const [key, value] of Object.entries(schema)) {
    switch (key) {
      case "$defs":
      case "definitions":
      case "properties":
        out[key] = named(value)
        break
      case "anyOf":
      case "allOf":
        out[key] = each(value)
        break
      case "oneOf":
        if (!("anyOf" in schema)) out["anyOf"] = each(value)
        break
      case "items":
        out["items"] = anySchema(value)
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
