/**
 * JSON Schemas as providers take them: rewritten so that every answer they allow still fits the schema that was given,
 * or refused with the place that cannot be said.
 *
 * Closing an object narrows what the model may write and never widens it, so it is safe; leaving a keyword out would
 * widen it, so it is not. The application decodes the answer in any case.
 *
 * @since 0.1.0
 */
import { isObject } from "effect/Predicate"
import { maxJsonDepth } from "../json/depth.ts"
import { setOwn } from "../json/own.ts"
import type { JsonSchema } from "../LlmTool.ts"
import type { Json, JsonObject } from "../Message.ts"
import type { Refused } from "./Protocol.ts"

/**
 * A rewritten schema, or why it cannot be strict.
 *
 * @category models
 * @since 0.1.0
 */
export type Strict =
  | { readonly schema: JsonSchema }
  | { readonly problem: { readonly at: string; readonly message: string } }

const isSchema = (value: Json | undefined): value is JsonObject => isObject(value) && !Array.isArray(value)

const isObjectType = (schema: JsonObject): boolean =>
  schema["type"] === "object" || (Array.isArray(schema["type"]) && schema["type"].includes("object")) ||
  (schema["type"] === undefined && isSchema(schema["properties"]))

/**
 * Keywords that OpenAI's strict mode rejects.
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
const notStrict: ReadonlyArray<string> = [
  "allOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "patternProperties",
  "propertyNames",
  "unevaluatedProperties",
  "unevaluatedItems",
  "contains",
  "minProperties",
  "maxProperties",
  "uniqueItems",
  "prefixItems"
]

const tooDeep = `A schema nested deeper than ${maxJsonDepth} levels cannot be sent.`

class NotStrict {
  readonly at: string
  readonly message: string
  constructor(at: string, message: string) {
    this.at = at
    this.message = message
  }
}

const close = (schema: Json, at: string, depth: number): Json | NotStrict => {
  if (!isSchema(schema)) return schema
  if (depth > maxJsonDepth) return new NotStrict("", tooDeep)
  for (const keyword of notStrict) {
    if (keyword in schema) return new NotStrict(at, `"${keyword}" is not available in strict mode.`)
  }
  const out: { [key: string]: Json } = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$schema" || key === "default") continue
    if ((key === "properties" || key === "$defs" || key === "definitions") && isSchema(value)) {
      const inner: { [name: string]: Json } = {}
      for (const [name, one] of Object.entries(value)) {
        const closed = close(one, `${at}.${key}.${name}`, depth + 2)
        if (closed instanceof NotStrict) return closed
        setOwn(inner, name, closed)
      }
      out[key] = inner
    } else if (key === "anyOf" && Array.isArray(value)) {
      const inner: Array<Json> = []
      for (let i = 0; i < value.length; i++) {
        const closed = close(value[i], `${at}.anyOf[${i}]`, depth + 2)
        if (closed instanceof NotStrict) return closed
        inner.push(closed)
      }
      out[key] = inner
    } else if (key === "items") {
      const closed = close(value, `${at}.items`, depth + 1)
      if (closed instanceof NotStrict) return closed
      out[key] = closed
    } else {
      setOwn(out, key, value)
    }
  }
  if (isObjectType(schema)) {
    const additional = schema["additionalProperties"]
    if (isSchema(additional) || additional === true || (schema["properties"] === undefined && additional !== false)) {
      return new NotStrict(`${at}.additionalProperties`, "Open objects are not available in strict mode.")
    }
    const names = Object.keys((schema["properties"] ?? {}) as object)
    const required = new Set<Json>(Array.isArray(schema["required"]) ? schema["required"] : [])
    const optional = names.find((name) => !required.has(name))
    if (optional !== undefined) {
      return new NotStrict(
        `${at}.properties.${optional}`,
        "Strict mode has no optional properties: require it, and let it be null."
      )
    }
    out["properties"] ??= {}
    out["required"] = names
    out["additionalProperties"] = false
  }
  return out
}

const strictSchemas = new WeakMap<JsonSchema, Strict>()

/**
 * The schema as OpenAI's strict mode takes it: every object closed. What strict mode cannot say is a `problem`, so that the
 * caller can ask without strict instead. Computed once per schema value.
 *
 * @category dialects
 * @since 0.1.0
 */
export const openAiStrict = (schema: JsonSchema): Strict => {
  const known = strictSchemas.get(schema)
  if (known !== undefined) return known
  const closed = "anyOf" in schema
    ? new NotStrict("", "The root of a strict schema cannot be \"anyOf\".")
    : isObjectType(schema)
    ? close(schema, "", 1)
    : new NotStrict("", "The root of a strict schema must be an object.")
  const made: Strict = closed instanceof NotStrict
    ? { problem: { at: closed.at, message: closed.message } }
    : { schema: closed as JsonSchema }
  strictSchemas.set(schema, made)
  return made
}

/**
 * The schema as Moonshot takes it: no `$schema`, tuples as `prefixItems`, and `type` inside the branches of an `anyOf`
 * rather than beside it. https://platform.moonshot.ai/docs/guide/use-json-mode-feature-of-kimi-api
 *
 * @category dialects
 * @since 0.1.0
 */
export const moonshot = (schema: JsonSchema, at: string): JsonSchema | Refused => {
  if (schema["type"] !== undefined && schema["type"] !== "object") {
    return { refused: { field: at, message: "The provider takes only schemas whose root is an object." } }
  }
  let deep = false
  const rewrite = (value: Json, depth: number): Json => {
    if (depth > maxJsonDepth) deep = true
    if (deep || typeof value !== "object" || value === null) return value
    if (!isSchema(value)) return value.map((one: Json) => rewrite(one, depth + 1))
    const out: { [key: string]: Json } = {}
    for (const [key, one] of Object.entries(value)) {
      if (key === "$schema") continue
      if (key === "items" && Array.isArray(one)) out["prefixItems"] = one.map((item: Json) => rewrite(item, depth + 2))
      else if (key === "enum" || key === "const" || key === "required" || key === "default") out[key] = one
      else setOwn(out, key, rewrite(one, depth + 1))
    }
    const { anyOf, type } = out
    if (type !== undefined && Array.isArray(anyOf)) {
      delete out["type"]
      out["anyOf"] = anyOf.map((branch) =>
        isSchema(branch) && branch["type"] === undefined ? { type, ...branch } : branch
      )
    }
    return out
  }
  const made = rewrite(schema, 1) as JsonSchema
  return deep ? { refused: { field: at, message: tooDeep } } : made
}
