/**
 * A JSON Schema of any draft, read: where its references lead, and what its words mean in that draft.
 *
 * https://json-schema.org/draft/2020-12/json-schema-core, https://json-schema.org/draft/2019-09/json-schema-core and
 * https://json-schema.org/draft-07/json-schema-core
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "../../json/depth.ts"
import { ownOf } from "../../json/own.ts"
import type { Json, JsonObject } from "../../json/value.ts"

/** A value of the kind that holds keywords. @stability stable @category guards @since 0.1.0 */
export const isNode = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Whether two values are the same JSON. It ends at the first difference, so that a small value costs little beside a
 * large one.
 *
 * @stability stable
 * @category comparing
 * @since 0.1.0
 */
export const isSame = (a: Json | undefined, b: Json | undefined): boolean => {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length &&
      a.every((one: Json, at) => isSame(one, b[at] as Json))
  }
  const left = a as JsonObject
  const right = b as JsonObject
  const names = Object.keys(left)
  return names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name]))
}

const unescaped = (step: string): string => {
  let text = step
  try {
    text = decodeURIComponent(step)
  } catch {
    // Not percent-encoded as it should be: taken as it is.
  }
  return text.replaceAll("~1", "/").replaceAll("~0", "~")
}

const oldDrafts = /draft-0[3-7]/

/**
 * A schema and its references. Reading never fails: what leads nowhere is `undefined`.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Document {
  readonly root: JsonObject
  /** Levels of objects and lists; one more than are sent where it has more. */
  readonly depth: number
  /** Values in the whole schema. */
  readonly size: number
  /** Whether anything says what becomes of members and items that nothing else has looked at. */
  readonly unevaluated: boolean
  /** Whether a reference replaces what stands beside it (draft 7 and before). */
  readonly referenceAlone: boolean
  private readonly named = new Map<string, Json>()
  private readonly dynamic = new Map<string, { readonly depth: number; readonly fields: JsonObject }>()
  private readonly found = new Map<string, Json | undefined>()

  constructor(root: JsonObject) {
    this.root = root
    this.referenceAlone = oldDrafts.test(String(root["$schema"] ?? ""))
    let size = 0
    let deepest = 0
    let unevaluated = false
    const left: Array<readonly [Json, number]> = [[root, 1]]
    while (left.length > 0) {
      const [value, depth] = left.pop()!
      size++
      if (typeof value !== "object" || value === null) continue
      if (depth > deepest) deepest = depth
      if (depth > maxJsonDepth) break
      if (Array.isArray(value)) {
        for (const one of value as ReadonlyArray<Json>) left.push([one, depth + 1])
        continue
      }
      const fields = value as JsonObject
      this.name(fields, depth)
      for (const key in fields) {
        const child = fields[key]
        if (key === "unevaluatedItems" || key === "unevaluatedProperties") unevaluated = true
        if (child !== undefined) left.push([child, depth + 1])
      }
    }
    for (const [name, { fields }] of this.dynamic) if (!this.named.has(`#${name}`)) this.named.set(`#${name}`, fields)
    this.size = size
    this.depth = deepest
    this.unevaluated = unevaluated
  }

  private name(fields: JsonObject, depth: number): void {
    const { $anchor: anchor, $dynamicAnchor: dynamic, $id: id, id: old } = fields
    if (typeof anchor === "string" && !this.named.has(`#${anchor}`)) this.named.set(`#${anchor}`, fields)
    // The outermost: what a schema that extends another puts in the place of its anchors.
    if (typeof dynamic === "string" && (this.dynamic.get(dynamic)?.depth ?? Infinity) > depth) {
      this.dynamic.set(dynamic, { depth, fields })
    }
    for (const one of [id, old]) {
      if (typeof one !== "string" || one === "") continue
      const bare = one.endsWith("#") ? one.slice(0, -1) : one
      if (!this.named.has(bare)) this.named.set(bare, fields)
      const last = bare.slice(bare.lastIndexOf("/") + 1)
      if (last !== "" && !this.named.has(last)) this.named.set(last, fields)
    }
  }

  /** What a reference leads to; `undefined` for what is not in this document. */
  resolve(reference: string): Json | undefined {
    if (this.found.has(reference)) return this.found.get(reference)
    const made = this.follow(reference)
    this.found.set(reference, made)
    return made
  }

  private follow(reference: string): Json | undefined {
    const whole = this.named.get(reference)
    if (whole !== undefined) return whole
    const hash = reference.indexOf("#")
    const base = hash === -1 ? reference : reference.slice(0, hash)
    const fragment = hash === -1 ? "" : reference.slice(hash + 1)
    let at: Json | undefined = base === ""
      ? this.root
      : this.named.get(base) ?? this.named.get(base.slice(base.lastIndexOf("/") + 1))
    if (at === undefined || fragment === "") return at
    if (!fragment.startsWith("/")) return this.named.get(`#${fragment}`)
    for (const step of fragment.slice(1).split("/")) {
      const name = unescaped(step)
      if (Array.isArray(at)) at = (at as ReadonlyArray<Json>)[Number(name)]
      else if (isNode(at)) at = ownOf(at, name)
      else return undefined
    }
    return at
  }
}

/** Where a node refers to, in any draft's words. @stability stable @category reading @since 0.1.0 */
export const referenceOf = (node: JsonObject): string | undefined => {
  const reference = node["$ref"] ?? node["$dynamicRef"] ?? node["$recursiveRef"]
  return typeof reference === "string" ? reference : undefined
}

/** The parts of a list: positions, then the rest; `undefined` where nothing is said. @stability stable @category models @since 0.1.0 */
export interface ListWords {
  readonly prefix: ReadonlyArray<Json>
  readonly rest: Json | undefined
}

/** `items`, `prefixItems` and `additionalItems` of any draft. @stability stable @category reading @since 0.1.0 */
export const listWords = (node: JsonObject): ListWords => {
  const { additionalItems, items, prefixItems } = node
  if (Array.isArray(items)) {
    return { prefix: items as ReadonlyArray<Json>, rest: additionalItems ?? node["unevaluatedItems"] }
  }
  return Array.isArray(prefixItems)
    ? { prefix: prefixItems as ReadonlyArray<Json>, rest: items ?? node["unevaluatedItems"] }
    : { prefix: [], rest: items ?? node["unevaluatedItems"] }
}

/** `exclusiveMinimum` of draft 4 is a flag beside `minimum`. @stability stable @category reading @since 0.1.0 */
export const boundsOf = (
  node: JsonObject
): {
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
} => {
  const { exclusiveMaximum, exclusiveMinimum, maximum, minimum } = node
  const out: { minimum?: number; maximum?: number; exclusiveMinimum?: number; exclusiveMaximum?: number } = {}
  if (typeof minimum === "number") out[exclusiveMinimum === true ? "exclusiveMinimum" : "minimum"] = minimum
  if (typeof maximum === "number") out[exclusiveMaximum === true ? "exclusiveMaximum" : "maximum"] = maximum
  if (typeof exclusiveMinimum === "number") out.exclusiveMinimum = exclusiveMinimum
  if (typeof exclusiveMaximum === "number") out.exclusiveMaximum = exclusiveMaximum
  return out
}

/** Types that a node names, `undefined` when it names none. `nullable` is OpenAPI 3.0's. @stability stable @category reading @since 0.1.0 */
export const typesOf = (node: JsonObject): ReadonlyArray<string> | undefined => {
  const { type } = node
  const types = typeof type === "string"
    ? [type]
    : Array.isArray(type)
    ? (type as ReadonlyArray<Json>).filter((one): one is string => typeof one === "string")
    : undefined
  if (types === undefined || types.includes("any")) return undefined
  return node["nullable"] === true && !types.includes("null") ? [...types, "null"] : types
}
