/**
 * Schemas that hold together, as one: `allOf` and references are taken in, so that each keyword is seen once for all.
 *
 * @since 0.1.0
 */
import { ownOf } from "../../json/own.ts"
import type { Json, JsonObject } from "../../Message.ts"
import {
  boundsOf,
  type Document,
  isNode,
  isSame,
  listWords,
  referenceOf,
  typesOf
} from "../../validation/jsonSchema/document.ts"
import { matches } from "../../validation/patterns.ts"

/** What all must hold of a value. @stability experimental @category models @since 0.1.0 */
export interface Shape {
  /** Tells it apart from other shapes of the document. */
  readonly key: string
  readonly parts: ReadonlyArray<JsonObject>
  /** Lists of alternatives, of which one must hold each. */
  readonly unions: ReadonlyArray<Alternatives>
  /** Whether nothing can hold. */
  readonly never: boolean
  /** Whether a reference led here. */
  readonly referred: boolean
  /** A name for a definition of it. */
  readonly name: string | undefined
  /** References that lead nowhere. */
  readonly lost: ReadonlyArray<string>
  readonly description: string | undefined
  /** What stands beside a reference, of the place rather than of the shape. */
  readonly placeDescription: string | undefined
  readonly title: string | undefined
}

/** `anyOf` or `oneOf`. @stability experimental @category models @since 0.1.0 */
export interface Alternatives {
  readonly keyword: "anyOf" | "oneOf"
  readonly list: ReadonlyArray<Json>
}

/** Keywords that say nothing of what a value may be. */
const annotations: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "id",
  "$anchor",
  "$dynamicAnchor",
  "$recursiveAnchor",
  "$vocabulary",
  "$comment",
  "$defs",
  "definitions",
  "$ref",
  "$dynamicRef",
  "$recursiveRef",
  "allOf",
  "title",
  "description",
  "default",
  "examples",
  "example",
  "deprecated",
  "readOnly",
  "writeOnly",
  "contentEncoding",
  "contentMediaType"
])

const objectWords = [
  "properties",
  "required",
  "additionalProperties",
  "patternProperties",
  "propertyNames",
  "minProperties",
  "maxProperties",
  "unevaluatedProperties",
  "dependentRequired",
  "dependentSchemas",
  "dependencies"
]
const listWordsOf = [
  "items",
  "prefixItems",
  "additionalItems",
  "minItems",
  "maxItems",
  "uniqueItems",
  "contains",
  "unevaluatedItems"
]
const textWords = ["minLength", "maxLength", "pattern", "format"]
const numberWords = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]

/** Whether a node says something of values, beside alternatives that are spent. */
const says = (node: JsonObject, spent: ReadonlySet<object>): boolean => {
  for (const key in node) {
    const value = node[key]
    if (annotations.has(key) || value === undefined) continue
    if ((key === "anyOf" || key === "oneOf") && typeof value === "object" && value !== null && spent.has(value)) {
      continue
    }
    return true
  }
  return false
}

/** Effect writes a struct without fields so; what is meant is an object. */
const isEmptyStruct = (node: JsonObject): boolean => {
  const { not } = node
  return isNode(not) && Object.keys(not).length === 1 && not["type"] === "null" && node["type"] === undefined &&
    Object.keys(node).every((key) => key === "not" || annotations.has(key))
}

const emptyObject: JsonObject = { type: "object", properties: {}, additionalProperties: false }

/**
 * Reads shapes of one document.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export class Shapes {
  readonly document: Document
  private readonly ids = new Map<object, number>()
  private readonly known = new Map<object, Shape>()
  constructor(document: Document) {
    this.document = document
  }

  private id(value: object): number {
    let id = this.ids.get(value)
    if (id === undefined) this.ids.set(value, id = this.ids.size)
    return id
  }

  of(nodes: ReadonlyArray<Json>, spent: ReadonlySet<object>): Shape {
    const [only] = nodes
    if (nodes.length !== 1 || spent.size > 0 || !isNode(only)) return this.read(nodes, spent)
    let known = this.known.get(only)
    if (known === undefined) this.known.set(only, known = this.read(nodes, spent))
    return known
  }

  private read(nodes: ReadonlyArray<Json>, spent: ReadonlySet<object>): Shape {
    const off: Array<number> = []
    const parts: Array<JsonObject> = []
    const unions: Array<Alternatives> = []
    const lost: Array<string> = []
    const seen = new Set<object>()
    let never = false
    let name: string | undefined
    let referred = false
    let title: string | undefined
    let description: string | undefined
    let placeDescription: string | undefined
    const left: Array<Json> = nodes.toReversed()
    while (left.length > 0) {
      const given = left.pop()!
      if (given === false) never = true
      if (!isNode(given) || seen.has(given)) continue
      seen.add(given)
      const node = isEmptyStruct(given) ? emptyObject : given
      const own = typeof node["description"] === "string" && node["description"] !== ""
        ? node["description"]
        : undefined
      const reference = referenceOf(node)
      const target = reference === undefined ? undefined : this.document.resolve(reference)
      if (reference !== undefined) {
        if (target === undefined) lost.push(reference)
        else {
          referred = true
          name ??= reference.slice(reference.lastIndexOf("/") + 1).replace(/^#/, "")
        }
      }
      if (reference !== undefined && !says(node, spent)) placeDescription ??= own
      else description ??= own
      const alone = target !== undefined && this.document.referenceAlone
      if (!alone) {
        title ??= typeof node["title"] === "string" && node["title"] !== "" ? node["title"] : undefined
        const bearing = says(node, spent)
        if (bearing) parts.push(node)
        for (const keyword of ["anyOf", "oneOf"] as const) {
          const list = node[keyword]
          if (!Array.isArray(list) || list.length === 0) continue
          if (spent.has(list)) {
            if (bearing) off.push(this.id(list))
          } else {
            unions.push({ keyword, list: list as ReadonlyArray<Json> })
          }
        }
        const { allOf } = node
        if (Array.isArray(allOf)) left.push(...(allOf as ReadonlyArray<Json>).toReversed())
      }
      if (target !== undefined) left.push(target)
    }
    const ids = [...new Set(parts.map((part) => this.id(part)))].toSorted((a, b) => a - b)
    return {
      key: off.length === 0 ? ids.join() : `${ids.join()}|${off.toSorted((a, b) => a - b).join()}`,
      parts,
      unions,
      never,
      referred,
      name,
      lost,
      title,
      description,
      placeDescription
    }
  }
}

const inferred = (part: JsonObject): ReadonlyArray<string> => {
  const has = (words: ReadonlyArray<string>) => words.some((word) => part[word] !== undefined)
  const out: Array<string> = []
  if (has(objectWords)) out.push("object")
  if (has(listWordsOf)) out.push("array")
  if (has(textWords)) out.push("string")
  if (has(numberWords)) out.push("number")
  return out
}

/**
 * Types that a shape allows; `undefined` when it says nothing of types, which its words are then taken to imply.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const typesIn = (parts: ReadonlyArray<JsonObject>): ReadonlyArray<string> | undefined => {
  let types: ReadonlyArray<string> | undefined
  for (const part of parts) {
    const own = typesOf(part)
    if (own === undefined) continue
    const wide = [...new Set(own)]
    types = types === undefined ? wide : [
      ...types.filter((type) => wide.includes(type) || (type === "integer" && wide.includes("number"))),
      ...(types.includes("number") && wide.includes("integer") && !types.includes("integer") ? ["integer"] : [])
    ]
  }
  if (types !== undefined) return types.includes("number") ? types.filter((type) => type !== "integer") : types
  const implied = new Set(parts.flatMap(inferred))
  return implied.size === 0 ? undefined : [...implied]
}

/** Values of `enum` and `const` that all parts allow; `undefined` when none of them lists any. @stability experimental @category reading @since 0.1.0 */
export const valuesIn = (parts: ReadonlyArray<JsonObject>): ReadonlyArray<Json> | undefined => {
  let values: ReadonlyArray<Json> | undefined
  for (const part of parts) {
    const { const: only, enum: list } = part
    for (
      const one of [
        only === undefined ? undefined : [only],
        Array.isArray(list) ? list as ReadonlyArray<Json> : undefined
      ]
    ) {
      if (one === undefined) continue
      values = values === undefined ? one : values.filter((value) => one.some((other) => isSame(value, other)))
    }
  }
  return values
}

/** Schemas of a member: what each part says of its name. @stability experimental @category reading @since 0.1.0 */
export const memberIn = (parts: ReadonlyArray<JsonObject>, name: string): ReadonlyArray<Json> => {
  const { named, open } = membersOf(parts)
  const own = named.get(name) ?? []
  if (open.length === 0) return own.map(([, schema]) => schema)
  const out = [...own]
  for (const [at, { additionalProperties, patternProperties, properties }] of open) {
    let known = isNode(properties) && ownOf(properties, name) !== undefined
    if (isNode(patternProperties)) {
      for (const [pattern, one] of Object.entries(patternProperties)) {
        if (one === undefined || !matches(pattern, name)) continue
        known = true
        out.push([at, one])
      }
    }
    if (!known && additionalProperties !== undefined) out.push([at, additionalProperties])
  }
  return out.toSorted(([a], [b]) => a - b).map(([, schema]) => schema)
}

/** What parts say of members, so that each is looked up rather than searched for: what names them, and what may mean any. */
interface Members {
  readonly named: ReadonlyMap<string, ReadonlyArray<readonly [part: number, schema: Json]>>
  readonly open: ReadonlyArray<readonly [part: number, schema: JsonObject]>
}

const membersBy = new WeakMap<ReadonlyArray<JsonObject>, Members>()

const membersOf = (parts: ReadonlyArray<JsonObject>): Members => {
  const known = membersBy.get(parts)
  if (known !== undefined) return known
  const named = new Map<string, Array<readonly [number, Json]>>()
  const open: Array<readonly [number, JsonObject]> = []
  for (const [at, part] of parts.entries()) {
    const { additionalProperties, patternProperties, properties } = part
    if (additionalProperties !== undefined || patternProperties !== undefined) open.push([at, part])
    for (const [name, schema] of isNode(properties) ? Object.entries(properties) : []) {
      if (schema === undefined) continue
      const all = named.get(name)
      if (all === undefined) named.set(name, [[at, schema]])
      else all.push([at, schema])
    }
  }
  const made = { named, open }
  membersBy.set(parts, made)
  return made
}

/** What a shape says of members that it does not name. @stability experimental @category models @since 0.1.0 */
export interface Others {
  /** Schemas of their values, all of which hold; empty for any value. */
  readonly values: ReadonlyArray<Json>
  /** Schemas that names must fit. */
  readonly names: ReadonlyArray<Json>
}

/**
 * The members beyond those that are named: `undefined` when there are none. A shape that names members and says nothing of
 * others has none, unless `kept`.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const othersIn = (parts: ReadonlyArray<JsonObject>, named: boolean, kept: boolean): Others | undefined => {
  const values: Array<Json> = []
  const names: Array<Json> = []
  let open = kept || !named
  for (const part of parts) {
    const { additionalProperties, patternProperties, propertyNames, unevaluatedProperties } = part
    const patterns = isNode(patternProperties) ? Object.values(patternProperties).filter((one) => one !== false) : []
    const additional = additionalProperties ?? unevaluatedProperties
    if (patterns.length > 0) {
      open = true
      if (additional === false || additional === undefined) {
        if (additional === false || !kept) {
          values.push(patterns.length === 1 ? patterns[0]! : { anyOf: patterns as ReadonlyArray<Json> })
        }
      } else if (additional !== true) values.push({ anyOf: [...patterns, additional] as ReadonlyArray<Json> })
    } else if (additional === false) return undefined
    else if (additional !== undefined) {
      open = true
      if (additional !== true) values.push(additional)
    }
    if (propertyNames !== undefined && propertyNames !== true) names.push(propertyNames)
    if (propertyNames === false) return undefined
  }
  return open ? { values, names } : undefined
}

/** Bounds and their like, the narrowest of each. @stability experimental @category models @since 0.1.0 */
export interface Bounds {
  readonly words: { readonly [keyword: string]: Json }
  /** What more there is of a keyword than can be said at once. */
  readonly more: ReadonlyArray<string>
}

const widest: { readonly [keyword: string]: (a: number, b: number) => number } = {
  minLength: Math.max,
  maxLength: Math.min,
  minimum: Math.max,
  maximum: Math.min,
  exclusiveMinimum: Math.max,
  exclusiveMaximum: Math.min,
  minItems: Math.max,
  maxItems: Math.min,
  minProperties: Math.max,
  maxProperties: Math.min
}

/** Keywords of one kind in all parts. @stability experimental @category reading @since 0.1.0 */
export const boundsIn = (parts: ReadonlyArray<JsonObject>, keywords: ReadonlyArray<string>): Bounds => {
  const words: { [keyword: string]: Json } = {}
  const more = new Set<string>()
  for (const part of parts) {
    const bounds: JsonObject = {
      ...part,
      exclusiveMinimum: undefined,
      exclusiveMaximum: undefined,
      ...boundsOf(part)
    } as JsonObject
    if (bounds["exclusiveMinimum"] !== undefined && part["exclusiveMinimum"] === true) {
      delete (bounds as { [key: string]: unknown })["minimum"]
    }
    if (bounds["exclusiveMaximum"] !== undefined && part["exclusiveMaximum"] === true) {
      delete (bounds as { [key: string]: unknown })["maximum"]
    }
    for (const keyword of keywords) {
      const value = bounds[keyword]
      if (value === undefined || value === false) continue
      const known = words[keyword]
      if (known === undefined) words[keyword] = value
      else if (typeof known === "number" && typeof value === "number" && widest[keyword] !== undefined) {
        words[keyword] = widest[keyword](known, value)
      } else if (!isSame(known, value)) more.add(keyword)
    }
  }
  return { words, more: [...more] }
}

/** Places and rest of lists: of each place what every part says. @stability experimental @category reading @since 0.1.0 */
export const placesIn = (
  parts: ReadonlyArray<JsonObject>
): {
  readonly places: ReadonlyArray<ReadonlyArray<Json>>
  readonly rest: ReadonlyArray<Json>
} => {
  const words = parts.map(listWords)
  const count = Math.max(0, ...words.map(({ prefix }) => prefix.length))
  const places = Array.from({ length: count }, (_, at) =>
    words.flatMap(({ prefix, rest }) => {
      const one = at < prefix.length ? prefix[at] : rest
      return one === undefined ? [] : [one]
    }))
  const rest = words.flatMap(({ rest }) => rest === undefined ? [] : [rest])
  return { places, rest }
}

const structure: ReadonlyArray<string> = [
  "type",
  "properties",
  "items",
  "prefixItems",
  "enum",
  "const",
  "patternProperties",
  "additionalProperties",
  "pattern",
  "anyOf",
  "oneOf"
]

/** Whether a shape says what a value looks like, rather than only what it must not lack. @stability experimental @category predicates @since 0.1.0 */
export const hasStructure = ({ parts }: Shape): boolean =>
  parts.some((part) => structure.some((keyword) => part[keyword] !== undefined))

/** Names of members in any place of a shape. @stability experimental @category reading @since 0.1.0 */
export const namesIn = (parts: ReadonlyArray<JsonObject>): Set<string> => {
  const names = new Set<string>()
  for (const { properties, required } of parts) {
    if (isNode(properties)) { for (const name of Object.keys(properties)) names.add(name) }
    if (Array.isArray(required)) {
      for (const name of required as ReadonlyArray<Json>) if (typeof name === "string") names.add(name)
    }
  }
  return names
}
