/**
 * Looks into a JSON Schema: references, alternatives, what stands below a property or an element.
 *
 * @since 0.1.0
 */
import { ownOf } from "../json/own.ts"
import type { Json, JsonObject } from "../json/value.ts"

/**
 * A place in a schema: the node there, and the document its references point into.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Place {
  readonly node: Json
  readonly root: JsonObject
}

/** References to references, and alternatives of alternatives, end somewhere. */
const maxSteps = 256

/**
 * The object behind a value, if it is one.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const objectOf = (value: Json | undefined): JsonObject | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : undefined

const listOf = (value: Json | undefined): ReadonlyArray<Json> => Array.isArray(value) ? value : []

const pointed = (root: JsonObject, reference: string): Json | undefined => {
  if (!reference.startsWith("#")) return undefined
  let at: Json | undefined = root
  for (const step of reference.slice(1).split("/").slice(1)) {
    let name: string
    try {
      name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")
    } catch {
      return undefined
    }
    if (Array.isArray(at)) at = at[Number(name)]
    else {
      const object = objectOf(at)
      at = object === undefined ? undefined : ownOf(object, name)
    }
  }
  return at
}

/**
 * The nodes a value may match at a place: references followed, alternatives taken apart. A node with `allOf` stands for itself and is given
 * with its parts merged over it.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const alternativesAt = ({ node, root }: Place): ReadonlyArray<JsonObject> => {
  const found: Array<JsonObject> = []
  const queue: Array<Json> = [node]
  for (let step = 0; queue.length > 0 && step < maxSteps; step++) {
    const object = objectOf(queue.shift()!)
    if (object === undefined) continue
    const { $ref, allOf, anyOf, oneOf, ...own } = object
    if (typeof $ref === "string") {
      const target = pointed(root, $ref)
      if (target !== undefined) {
        queue.unshift(
          Object.keys(own).length > 0 && objectOf(target) !== undefined ? { ...own, ...objectOf(target) } : target
        )
      }
      continue
    }
    const choices = [...listOf(anyOf), ...listOf(oneOf)]
    if (choices.length > 0) {
      queue.unshift(
        ...choices.map((choice) => objectOf(choice) === undefined ? choice : { ...own, ...objectOf(choice) })
      )
      continue
    }
    const parts = listOf(allOf)
    if (parts.length > 0) {
      queue.unshift(
        parts.reduce<JsonObject>((whole, part) => merged(whole, alternativesAt({ node: part, root })[0] ?? {}), own)
      )
      continue
    }
    found.push(object)
  }
  return found
}

const merged = (a: JsonObject, b: JsonObject): JsonObject => ({
  ...a,
  ...b,
  ...(a["properties"] === undefined || b["properties"] === undefined
    ? undefined
    : { properties: { ...objectOf(a["properties"]), ...objectOf(b["properties"]) } }),
  ...(a["required"] === undefined || b["required"] === undefined
    ? undefined
    : { required: [...listOf(a["required"]), ...listOf(b["required"])] })
})

/**
 * Which kinds of value a node takes, by `type`, `const` and `enum`; `undefined` for any.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const typesOf = (node: JsonObject): ReadonlyArray<string> | undefined => {
  const { const: constant, enum: words, type } = node
  if (typeof type === "string") return [type]
  if (Array.isArray(type)) return type.filter((one) => typeof one === "string")
  if (constant !== undefined) return [typeOf(constant)]
  if (Array.isArray(words)) return [...new Set(words.map(typeOf))]
  if (node["properties"] !== undefined || node["required"] !== undefined) return ["object"]
  if (node["items"] !== undefined || node["prefixItems"] !== undefined) return ["array"]
  return undefined
}

/**
 * The kind of a value, in the words of JSON Schema.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const typeOf = (value: Json): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value === "object" ? "object" : typeof value

/**
 * The values a node names one by one, if it does.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const namedValues = (node: JsonObject): ReadonlyArray<Json> | undefined => {
  if (node["const"] !== undefined) return [node["const"]]
  return Array.isArray(node["enum"]) ? node["enum"] : undefined
}

/**
 * The node of a property; `undefined` where the schema has none for it.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const propertyOf = (node: JsonObject, name: string): Json | undefined => {
  const properties = objectOf(node["properties"])
  const own = properties === undefined ? undefined : ownOf(properties, name)
  if (own !== undefined) return own
  const patterns = objectOf(node["patternProperties"])
  if (patterns !== undefined) {
    for (const [pattern, schema] of Object.entries(patterns)) {
      try {
        if (new RegExp(pattern, "u").test(name)) return schema
      } catch {
        // A pattern that is none matches nothing.
      }
    }
  }
  return node["additionalProperties"]
}

/**
 * The node of an element; `undefined` where the schema has none for it.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const elementOf = (node: JsonObject, index: number): Json | undefined => {
  const { items, prefixItems } = node
  if (Array.isArray(prefixItems) && index < prefixItems.length) return prefixItems[index]
  if (Array.isArray(items)) return items[index] ?? node["additionalItems"]
  return items
}
