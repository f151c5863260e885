/**
 * JSON Schemas as this wire takes them.
 *
 * Where JSON Schema is understood, what the API ignores is spelled in words it knows (`const` as `enum`, a `$ref` with
 * siblings as `anyOf`, `allOf` merged). Hosts without it get the OpenAPI subset, in a rewrite that loses nothing or is refused.
 * https://ai.google.dev/gemini-api/docs/structured-output#json-schema-support and https://ai.google.dev/api/caching#Schema
 *
 * @since 0.1.0
 */
import { setOwn } from "../../json/own.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { type JsonFields, record } from "../Probe.ts"

type Draft = { [key: string]: Json }

const deepest = 100

/** Whether two values are the same JSON. It ends at the first difference, so that a small value costs little beside a large one. */
const isSame = (a: Json | undefined, b: Json | undefined): boolean => {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((one: Json, at) => isSame(one, b[at] as Json))
  }
  const left = a as JsonFields
  const right = b as JsonFields
  const names = Object.keys(left)
  return names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name]))
}

/** Merges `allOf` into the schema around it when no keyword stands twice. */
const withoutAllOf = (schema: JsonFields): JsonFields => {
  const all = schema["allOf"]
  if (!Array.isArray(all)) return schema
  const { allOf: _, ...merged } = schema as { [key: string]: Json }
  for (const one of all) {
    const fields = record(one)
    if (fields === undefined) return schema
    for (const [key, value] of Object.entries(fields)) {
      if (Object.hasOwn(merged, key) && !isSame(merged[key], value)) return schema
      setOwn(merged, key, value!)
    }
  }
  return merged
}

const enumOf = (value: Json | undefined): ReadonlyArray<Json> | undefined =>
  typeof value === "string" || typeof value === "number" ? [value] : undefined

// =============================================================================
// JSON Schema
// =============================================================================

const maps: ReadonlySet<string> = new Set(["properties", "$defs", "definitions", "patternProperties"])
const lists: ReadonlySet<string> = new Set(["anyOf", "oneOf", "allOf", "prefixItems"])
const schemas: ReadonlySet<string> = new Set(["items", "additionalProperties", "not"])

const rewritten = (value: Json, depth: number): Json => {
  const given = record(value)
  if (given === undefined || depth > deepest) return value
  const schema = withoutAllOf(given)
  const out: Draft = {}
  for (const [key, child] of Object.entries(schema)) {
    if (child === undefined || key === "$schema") continue
    const fields = record(child)
    if (key === "const" && schema["enum"] === undefined && enumOf(child) !== undefined) {
      out["enum"] = [...enumOf(child)!]
      if (schema["type"] === undefined) out["type"] = typeof child === "string" ? "string" : "number"
    } else if (maps.has(key) && fields !== undefined) {
      out[key] = Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, rewritten(one!, depth + 1)]))
    } else if (lists.has(key) && Array.isArray(child)) {
      out[key] = child.map((one: Json) => rewritten(one, depth + 1))
    } else {
      setOwn(out, key, schemas.has(key) ? rewritten(child, depth + 1) : child)
    }
  }
  const reference = out["$ref"]
  if (typeof reference !== "string" || Object.keys(out).every((key) => key.startsWith("$"))) return out
  // A reference stands alone on this wire.
  if (out["anyOf"] !== undefined) return out
  const { $ref: _, ...siblings } = out
  return { ...siblings, anyOf: [{ $ref: reference }] }
}

/**
 * The schema in the API's part of JSON Schema.
 *
 * @category encoding
 * @since 0.1.0
 */
export const jsonSchema = (schema: JsonObject): JsonObject => rewritten(schema, 0) as JsonObject

// =============================================================================
// OpenAPI
// =============================================================================

/** Why a schema has no equal in the OpenAPI subset. */
class NoEqual {
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
}

const kept = [
  "title",
  "description",
  "minimum",
  "maximum",
  "minItems",
  "maxItems",
  "minLength",
  "maxLength",
  "minProperties",
  "maxProperties",
  "pattern",
  "default",
  "required",
  "propertyOrdering",
  "nullable",
  "example"
]

/** Keywords that do not constrain. */
const annotations: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "$anchor",
  "$comment",
  "$defs",
  "definitions",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly"
])
const spelled: ReadonlySet<string> = new Set([
  "type",
  "properties",
  "items",
  "anyOf",
  "oneOf",
  "enum",
  "const",
  "format",
  "$ref",
  "additionalProperties"
])
const formats: ReadonlySet<unknown> = new Set(["enum", "date-time", "int32", "int64", "float", "double"])

/** A step of a reference; one that is not percent-encoded as it should be is taken as it is. */
const decoded = (step: string): string => {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

const resolve = (reference: string, root: JsonObject): JsonFields | undefined => {
  let at: unknown = root
  if (!reference.startsWith("#")) return undefined
  for (const step of reference.slice(1).split("/").slice(1)) {
    const fields = record(at)
    if (fields === undefined) return undefined
    at = fields[decoded(step).replaceAll("~1", "/").replaceAll("~0", "~")]
  }
  return record(at)
}

const described = (out: Draft, note: string): void => {
  const known = out["description"]
  out["description"] = typeof known === "string" && known !== "" ? `${known} (${note})` : note
}

const isNull = (schema: Json): boolean => record(schema)?.["type"] === "null"

/**
 * Characters, about, that a rewrite may have beyond twice those it was given. Each reference is written out where it stands,
 * so that twenty definitions of which each names the next one twice would be a million schemas.
 */
const mostCopied = 1_000_000

/** What each value counts beside its text. */
const overhead = 16

/** About how many characters a JSON value has. */
const sizeOf = (value: Json | undefined): number => {
  let size = 0
  const left: Array<Json | undefined> = [value]
  while (left.length > 0) {
    const one = left.pop()
    size += typeof one === "string" ? overhead + one.length : overhead
    if (typeof one !== "object" || one === null) continue
    for (const [key, child] of Object.entries(one)) {
      size += key.length
      left.push(child as Json)
    }
  }
  return size
}

/** One rewrite. */
interface Rewrite {
  readonly root: JsonObject
  /** Characters that may still be written. */
  left: number
}

/** Where a schema stands: how deep, and inside of which references. */
interface Place {
  readonly depth: number
  readonly references: ReadonlySet<string>
}

const inside = ({ depth, references }: Place, reference?: string): Place => ({
  depth: depth + 1,
  references: reference === undefined ? references : new Set([...references, reference])
})

const openApi = (value: Json, rewrite: Rewrite, place: Place): Draft | NoEqual => {
  const found = record(value)
  if (found === undefined) return new NoEqual("a schema that is true or false")
  if (place.depth > deepest) return new NoEqual("a schema nested too deeply")
  rewrite.left -= overhead
  if (rewrite.left < 0) return new NoEqual("a schema as large as this one when all its references are written out")
  const schema = withoutAllOf(found)
  const reference = schema["$ref"]
  if (typeof reference === "string") {
    if (place.references.has(reference)) return new NoEqual(`a recursive reference (${reference})`)
    const target = resolve(reference, rewrite.root)
    if (target === undefined) return new NoEqual(`a reference that leads nowhere (${reference})`)
    const { $ref: _, ...siblings } = schema
    return openApi({ ...target, ...siblings } as Json, rewrite, inside(place, reference))
  }
  for (const [key, child] of Object.entries(schema)) {
    if (child === undefined || annotations.has(key) || spelled.has(key) || kept.includes(key)) continue
    return new NoEqual(`the keyword "${key}"`)
  }
  const out: Draft = {}
  for (const key of kept) if (schema[key] !== undefined) out[key] = schema[key]
  rewrite.left -= sizeOf(out) + sizeOf(schema["enum"])
  return setEnum(out, schema) ?? setType(out, schema, rewrite, place) ?? setChoices(out, schema, rewrite, place) ??
    setMembers(out, schema, rewrite, place) ?? out
}

const setEnum = (out: Draft, schema: JsonFields): NoEqual | undefined => {
  const { const: only, enum: given, format } = schema
  const values = Array.isArray(given) ? given : only === undefined ? undefined : [only]
  if (values !== undefined) {
    if (!values.every((one: Json) => typeof one === "string")) return new NoEqual("an enum of values that are not text")
    out["type"] = "STRING"
    out["format"] = "enum"
    out["enum"] = values
  } else if (formats.has(format)) {
    out["format"] = format!
  } else if (typeof format === "string") {
    // A format does not constrain in JSON Schema; others than these are rejected.
    described(out, `format: ${format}`)
  }
  return undefined
}

const setType = (
  out: Draft,
  schema: JsonFields,
  rewrite: Rewrite,
  place: Place
): NoEqual | Draft | undefined => {
  const type = schema["type"]
  if (typeof type === "string") out["type"] = type.toUpperCase()
  if (!Array.isArray(type)) return undefined
  const types = type.filter((one: Json) => one !== "null")
  if (types.length < type.length) out["nullable"] = true
  if (types.length === 1) {
    out["type"] = String(types[0]).toUpperCase()
    return undefined
  }
  const { items, properties, type: _, ...rest } = schema
  // Members are of objects and items of lists: written at every type, they would double with each level.
  const choices = types.map((one: Json) => ({
    ...rest,
    ...(one === "object" && properties !== undefined ? { properties } : undefined),
    ...(one === "array" && items !== undefined ? { items } : undefined),
    type: one
  }))
  const choice = openApi({ anyOf: choices } as Json, rewrite, inside(place))
  return choice instanceof NoEqual
    ? choice
    : { ...choice, ...(out["nullable"] === true ? { nullable: true } : undefined) }
}

const setChoices = (
  out: Draft,
  schema: JsonFields,
  rewrite: Rewrite,
  place: Place
): NoEqual | Draft | undefined => {
  const given = schema["anyOf"] ?? schema["oneOf"]
  if (given === undefined) return undefined
  if (!Array.isArray(given) || (schema["anyOf"] !== undefined && schema["oneOf"] !== undefined)) {
    return new NoEqual("anyOf beside oneOf")
  }
  const choices: Array<Draft> = []
  for (const one of given) {
    if (isNull(one)) {
      out["nullable"] = true
      continue
    }
    const choice = openApi(one, rewrite, inside(place))
    if (choice instanceof NoEqual) return choice
    choices.push(choice)
  }
  if (choices.length === 1) return { ...choices[0], ...out }
  out["anyOf"] = choices
  return undefined
}

const setMembers = (
  out: Draft,
  schema: JsonFields,
  rewrite: Rewrite,
  place: Place
): NoEqual | undefined => {
  const { additionalProperties, items, properties } = schema
  const members = record(properties)
  if (members !== undefined) {
    const made: Draft = {}
    for (const [name, one] of Object.entries(members)) {
      rewrite.left -= name.length
      const member = openApi(one!, rewrite, inside(place))
      if (member instanceof NoEqual) return member
      setOwn(made, name, member)
    }
    out["properties"] = made
  }
  // Members that are not named are never generated.
  if (additionalProperties !== undefined && additionalProperties !== false) {
    return new NoEqual("additional properties")
  }
  if (items === undefined) return undefined
  const item = openApi(items, rewrite, inside(place))
  if (item instanceof NoEqual) return item
  out["items"] = item
  return undefined
}

/**
 * The schema in the OpenAPI subset, or what of it has no equal there.
 *
 * @category encoding
 * @since 0.1.0
 */
export const openApiSchema = (schema: JsonObject): JsonObject | { readonly noEqual: string } => {
  const rewrite: Rewrite = { root: schema, left: 2 * sizeOf(schema) + mostCopied }
  const made = openApi(schema, rewrite, { depth: 0, references: new Set() })
  return made instanceof NoEqual ? { noEqual: made.why } : made
}
