/**
 * Whether a value fits a JSON Schema (draft 2020-12, and what older drafts spell otherwise), told in words a model can act on.
 *
 * Effect's own reading of JSON Schemas refuses what it has no type for (`not`, `if`, `contains`, `dependentRequired`, references to the
 * root) and takes every `format`; validators that compile schemas need `eval`, which edge runtimes forbid. So schemas are interpreted
 * here. A format or a keyword that nobody knows is an annotation, as the standard has it; a reference to a schema that is not there, or
 * to another document, fits nothing. Patterns are ECMAScript's, as the standard recommends.
 *
 * https://json-schema.org/draft/2020-12/json-schema-validation
 *
 * @since 0.1.0
 */
import { ownOf } from "../json/own.ts"
import type { Json } from "../json/value.ts"
import { hasFormat } from "./formats.ts"
import { matches, patternOf } from "./patterns.ts"

/**
 * What does not fit: where, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface Misfit {
  /** Path below the value, such as `.items[2].name`. */
  readonly path: string
  readonly message: string
}

type Schema = Json | undefined
type Fields = { readonly [key: string]: Json }

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const typeOf = (value: Json): string => value === null ? "null" : Array.isArray(value) ? "array" : typeof value

const isType = (value: Json, type: Json): boolean =>
  type === "integer" ? Number.isInteger(value) : typeOf(value) === type

/** Deep equality, whatever the order of keys. */
const same = (a: Json, b: Json): boolean => {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((one, at) => same(one, b[at]!))
  if (!isFields(a) || !isFields(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(a[key]!, b[key]!))
}

const shown = (value: Json): string => {
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text
}

const step = (key: string): string => /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`

/** Misfits that are told at most. */
const most = 10

/** References that may be followed without going deeper into the value: a schema that refers to itself alone fits nothing. */
const mostReferences = 64

/** Places of the schema that are held against places of the value; a value that would take more counts as one that fits. */
const mostSteps = 200_000

/** What a schema has looked at of a value, for the `unevaluated` keywords. */
interface Looked {
  readonly keys: Set<string>
  items: number
  readonly places: Set<number>
}

const nothingLooked = (): Looked => ({ keys: new Set(), items: 0, places: new Set() })

const addLooked = (to: Looked, from: Looked): void => {
  for (const key of from.keys) to.keys.add(key)
  for (const at of from.places) to.places.add(at)
  to.items = Math.max(to.items, from.items)
}

const decodeStep = (text: string): string => {
  const plain = text.replaceAll("~1", "/").replaceAll("~0", "~")
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}

/** Schemas by the names that references may use. */
const anchorsOf = (root: Schema): Map<string, Schema> => {
  const anchors = new Map<string, Schema>()
  const waiting: Array<unknown> = [root]
  while (waiting.length > 0) {
    const one = waiting.pop()
    if (typeof one !== "object" || one === null) continue
    if (!Array.isArray(one)) {
      const fields = one as Fields
      for (const name of [fields["$anchor"], fields["$dynamicAnchor"]]) {
        if (typeof name === "string") anchors.set(`#${name}`, fields)
      }
      const id = fields["$id"] ?? fields["id"]
      if (typeof id === "string") anchors.set(id.replace(/#$/, ""), fields)
    }
    for (const child of Object.values(one)) waiting.push(child)
  }
  return anchors
}

class Reader {
  readonly found: Array<Misfit> = []
  private readonly root: Schema
  private readonly anchors: Map<string, Schema>
  private references = 0
  private steps = 0

  constructor(root: Schema) {
    this.root = root
    this.anchors = anchorsOf(root)
  }

  private miss(path: string, message: string): false {
    if (this.found.length < most) this.found.push({ path, message })
    return false
  }

  /** Whether a value fits, without saying why not. */
  private quietly(schema: Schema, value: Json, path: string, looked?: Looked): boolean {
    const before = this.found.length
    const fits = this.fits(schema, value, path, looked)
    this.found.length = before
    return fits
  }

  private resolve(reference: string): Schema {
    const whole = this.anchors.get(reference.replace(/#$/, ""))
    if (reference === "#" || reference === "") return this.root
    if (whole !== undefined) return whole
    const [document = "", fragment = ""] = reference.split("#")
    const base = document === "" ? this.root : this.anchors.get(document)
    if (base === undefined || (fragment !== "" && !fragment.startsWith("/"))) return undefined
    let at: Json | undefined = base
    for (const part of fragment.split("/").slice(1)) {
      const key: string = decodeStep(part)
      at = Array.isArray(at) ? at[Number(key)] : isFields(at) ? ownOf(at, key) : undefined
    }
    return at
  }

  fits(schema: Schema, value: Json, path: string, looked: Looked = nothingLooked()): boolean {
    if (schema === true || ++this.steps > mostSteps) return true
    if (schema === false) return this.miss(path, "Is not allowed here.")
    if (!isFields(schema)) return this.miss(path, "The tool's schema refers to something that is not there.")
    let fits = this.refers(schema, value, path, looked)
    fits = this.isAny(schema, value, path) && fits
    if (typeof value === "string") fits = this.string(schema, value, path) && fits
    else if (typeof value === "number") fits = this.number(schema, value, path) && fits
    else if (Array.isArray(value)) fits = this.array(schema, value, path, looked) && fits
    else if (isFields(value)) fits = this.object(schema, value, path, looked) && fits
    fits = this.combined(schema, value, path, looked) && fits
    return this.unevaluated(schema, value, path, looked) && fits
  }

  private refers(schema: Fields, value: Json, path: string, looked: Looked): boolean {
    let fits = true
    for (const keyword of ["$ref", "$dynamicRef"]) {
      const reference = schema[keyword]
      if (typeof reference !== "string") continue
      if (this.references >= mostReferences) return this.miss(path, "The tool's schema refers only to itself.")
      this.references++
      fits = this.fits(this.resolve(reference), value, path, looked) && fits
      this.references--
    }
    return fits
  }

  /** Deeper in the value, references begin anew. */
  private below(schema: Schema, value: Json, path: string): boolean {
    const { references } = this
    this.references = 0
    const fits = this.fits(schema, value, path)
    this.references = references
    return fits
  }

  private isAny(schema: Fields, value: Json, path: string): boolean {
    const { const: only, enum: choices, type } = schema
    if (type !== undefined) {
      const types = Array.isArray(type) ? type : [type]
      if (!types.some((one) => isType(value, one))) {
        return this.miss(path, `Must be ${types.join(" or ")}. Got ${typeOf(value)}.`)
      }
    }
    if (Array.isArray(choices) && !choices.some((choice) => same(choice, value))) {
      return this.miss(path, `Must be one of ${shown(choices)}. Got ${shown(value)}.`)
    }
    return only === undefined || same(only, value) || this.miss(path, `Must be ${shown(only)}. Got ${shown(value)}.`)
  }

  private limit(schema: Fields, keyword: string, holds: (limit: number) => boolean, path: string, words: string) {
    const limit = schema[keyword]
    return typeof limit !== "number" || holds(limit) || this.miss(path, `Must have ${words} ${limit}.`)
  }

  private string(schema: Fields, value: string, path: string): boolean {
    const { format, pattern } = schema
    let length = 0
    if (schema["minLength"] !== undefined || schema["maxLength"] !== undefined) length = [...value].length
    if (!this.limit(schema, "minLength", (limit) => length >= limit, path, "a length of at least")) return false
    if (!this.limit(schema, "maxLength", (limit) => length <= limit, path, "a length of at most")) return false
    if (typeof pattern === "string" && !matches(pattern, value)) {
      return this.miss(path, `Must match the pattern ${pattern}. Got ${shown(value)}.`)
    }
    return typeof format !== "string" || hasFormat(format, value) ||
      this.miss(path, `Must be a ${format}. Got ${shown(value)}.`)
  }

  private number(schema: Fields, value: number, path: string): boolean {
    const { multipleOf } = schema
    const compare = (keyword: string, holds: (limit: number) => boolean, words: string): boolean => {
      const limit = schema[keyword]
      return typeof limit !== "number" || holds(limit) || this.miss(path, `Must be ${words} ${limit}. Got ${value}.`)
    }
    if (typeof multipleOf === "number" && multipleOf > 0) {
      const times = value / multipleOf
      // 0.3 is a multiple of 0.1, although 0.3 / 0.1 is not whole.
      if (!Number.isFinite(times) || Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times))) {
        return this.miss(path, `Must be a multiple of ${multipleOf}. Got ${value}.`)
      }
    }
    return compare("minimum", (limit) => value >= limit, "at least") &&
      compare("maximum", (limit) => value <= limit, "at most") &&
      compare("exclusiveMinimum", (limit) => value > limit, "more than") &&
      compare("exclusiveMaximum", (limit) => value < limit, "less than")
  }

  private array(schema: Fields, value: ReadonlyArray<Json>, path: string, looked: Looked): boolean {
    if (!this.limit(schema, "minItems", (limit) => value.length >= limit, path, "a number of items of at least")) {
      return false
    }
    if (!this.limit(schema, "maxItems", (limit) => value.length <= limit, path, "a number of items of at most")) {
      return false
    }
    // Older drafts have the schemas of the first items in `items`, and those of the rest in `additionalItems`.
    const older = Array.isArray(schema["items"])
    const firsts = older ? schema["items"] : schema["prefixItems"]
    const rest = older ? schema["additionalItems"] : schema["items"]
    const prefix = Array.isArray(firsts) ? firsts : []
    let fits = true
    value.forEach((item, at) => {
      const one = at < prefix.length ? prefix[at] : rest
      if (one !== undefined) fits = this.below(one, item, `${path}[${at}]`) && fits
    })
    looked.items = Math.max(looked.items, rest === undefined ? Math.min(prefix.length, value.length) : value.length)
    return this.contains(schema, value, path, looked) && this.unique(schema, value, path) && fits
  }

  private unique(schema: Fields, value: ReadonlyArray<Json>, path: string): boolean {
    if (schema["uniqueItems"] !== true) return true
    const scalars = new Set<Json>()
    const others: Array<Json> = []
    for (const item of value) {
      const isScalar = typeof item !== "object" || item === null
      if (isScalar ? scalars.has(item) : others.some((other) => same(other, item))) {
        return this.miss(path, `Its items must differ. Twice: ${shown(item)}.`)
      }
      if (isScalar) scalars.add(item)
      else others.push(item)
    }
    return true
  }

  private contains(schema: Fields, value: ReadonlyArray<Json>, path: string, looked: Looked): boolean {
    const { contains, maxContains, minContains } = schema
    if (contains === undefined) return true
    let count = 0
    value.forEach((item, at) => {
      if (!this.quietly(contains, item, path)) return
      count++
      looked.places.add(at)
    })
    const least = typeof minContains === "number" ? minContains : 1
    if (count < least) return this.miss(path, `Must have at least ${least} item(s) like ${shown(contains)}.`)
    return typeof maxContains !== "number" || count <= maxContains ||
      this.miss(path, `Must have at most ${maxContains} item(s) like ${shown(contains)}.`)
  }

  private object(schema: Fields, value: Fields, path: string, looked: Looked): boolean {
    const keys = Object.keys(value)
    const { additionalProperties, dependencies, patternProperties, properties, propertyNames, required } = schema
    let fits =
      this.limit(schema, "minProperties", (limit) => keys.length >= limit, path, "a number of fields of at least") &&
      this.limit(schema, "maxProperties", (limit) => keys.length <= limit, path, "a number of fields of at most")
    for (const name of Array.isArray(required) ? required : []) {
      if (!Object.hasOwn(value, String(name))) fits = this.miss(`${path}${step(String(name))}`, "Is missing.")
    }
    const patterns = isFields(patternProperties)
      ? Object.entries(patternProperties).flatMap(([pattern, one]) => {
        // A pattern that is none is an annotation.
        return patternOf(pattern) === undefined ? [] : [[pattern, one] as const]
      })
      : []
    for (const key of keys) {
      const at = `${path}${step(key)}`
      const child = value[key]!
      const own = isFields(properties) ? ownOf(properties, key) : undefined
      let known = own !== undefined
      if (own !== undefined) fits = this.below(own, child, at) && fits
      for (const [pattern, one] of patterns) {
        if (!matches(pattern, key)) continue
        known = true
        fits = this.below(one, child, at) && fits
      }
      if (!known && additionalProperties !== undefined) {
        known = true
        fits = additionalProperties === false
          ? this.miss(at, "There is no such field.")
          : this.below(additionalProperties, child, at) && fits
      }
      if (known) looked.keys.add(key)
      if (propertyNames !== undefined && !this.quietly(propertyNames, key, at)) {
        fits = this.miss(at, `The name ${JSON.stringify(key)} is not allowed.`)
      }
    }
    for (const table of [schema["dependentRequired"], schema["dependentSchemas"], dependencies]) {
      for (const [key, needs] of isFields(table) ? Object.entries(table) : []) {
        if (!Object.hasOwn(value, key)) continue
        if (!Array.isArray(needs)) fits = this.fits(needs, value, path, looked) && fits
        else {
          for (const name of needs) {
            if (!Object.hasOwn(value, String(name))) {
              fits = this.miss(`${path}${step(String(name))}`, `Is missing, and ${key} needs it.`)
            }
          }
        }
      }
    }
    return fits
  }

  private combined(schema: Fields, value: Json, path: string, looked: Looked): boolean {
    const { allOf, anyOf, else: otherwise, if: condition, not, oneOf, then } = schema
    let fits = true
    for (const one of Array.isArray(allOf) ? allOf : []) fits = this.fits(one, value, path, looked) && fits
    for (const [choices, exactlyOne] of [[anyOf, false], [oneOf, true]] as const) {
      if (!Array.isArray(choices)) continue
      const fitting = choices.filter((choice) => {
        const seen = nothingLooked()
        const holds = this.quietly(choice, value, path, seen)
        if (holds) addLooked(looked, seen)
        return holds
      })
      if (fitting.length === 0) fits = this.noChoice(choices, value, path)
      else if (exactlyOne && fitting.length > 1) fits = this.miss(path, "Fits more than one of the choices.")
    }
    if (not !== undefined && this.quietly(not, value, path)) fits = this.miss(path, `Must not be like ${shown(not)}.`)
    if (condition !== undefined) {
      const seen = nothingLooked()
      const holds = this.quietly(condition, value, path, seen)
      if (holds) addLooked(looked, seen)
      const branch = holds ? then : otherwise
      if (branch !== undefined) fits = this.fits(branch, value, path, looked) && fits
    }
    return fits
  }

  /** Tells what is wrong with the choice that comes nearest: of those with the right type, the one with the fewest misfits. */
  private noChoice(choices: ReadonlyArray<Json>, value: Json, path: string): false {
    const before = this.found.length
    const tried = choices.map((choice) => {
      this.fits(choice, value, path)
      return this.found.splice(before)
    }).filter((misfits) => misfits.some((misfit) => misfit.path !== path))
    const nearest = tried.toSorted((a, b) => a.length - b.length)[0]
    if (nearest === undefined) {
      return this.miss(path, `Fits none of the ${choices.length} choices. Got ${shown(value)}.`)
    }
    for (const { message, path } of nearest) this.miss(path, message)
    return false
  }

  private unevaluated(schema: Fields, value: Json, path: string, looked: Looked): boolean {
    const { unevaluatedItems, unevaluatedProperties } = schema
    let fits = true
    if (unevaluatedProperties !== undefined && isFields(value)) {
      for (const key of Object.keys(value)) {
        if (looked.keys.has(key)) continue
        fits = this.below(unevaluatedProperties, value[key]!, `${path}${step(key)}`) && fits
        looked.keys.add(key)
      }
    }
    if (unevaluatedItems !== undefined && Array.isArray(value)) {
      value.forEach((item: Json, at: number) => {
        if (at < looked.items || looked.places.has(at)) return
        fits = this.below(unevaluatedItems, item, `${path}[${at}]`) && fits
      })
      looked.items = value.length
    }
    return fits
  }
}

/**
 * What of a value does not fit a schema; empty when it fits. At most ten misfits are told.
 *
 * @category validation
 * @since 0.1.0
 */
export const misfits = (schema: Json, value: Json): ReadonlyArray<Misfit> => {
  const reader = new Reader(schema)
  return reader.fits(schema, value, "")
    ? []
    : reader.found.length > 0
    ? reader.found
    : [{ path: "", message: "Does not fit the schema." }]
}
