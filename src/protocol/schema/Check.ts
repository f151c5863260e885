/**
 * Whether a value fits a JSON Schema: what is held here after a provider could not be told.
 *
 * `format` is not held, as JSON Schema has it by default. The work is bounded: a value that would take too long to check
 * counts as one that fits.
 *
 * https://json-schema.org/draft/2020-12/json-schema-validation
 *
 * @since 0.1.0
 */
import { ownOf } from "../../json/own.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { matches } from "../../validation/patterns.ts"
import { boundsOf, type Document, isNode, isSame, listWords, referenceOf, typesOf } from "./Document.ts"

/** Where a value breaks its schema, and how. @category models @since 0.1.0 */
export interface Misfit {
  /** Such as `.items[3].name`; empty for the value itself. */
  readonly path: string
  readonly message: string
}

const mostSteps = 200_000
const deepest = 600

const typeOf = (value: Json): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value === "object" ? "object" : typeof value

const isOf = (type: string, value: Json): boolean =>
  type === "integer" ? typeof value === "number" && Number.isInteger(value) : type === typeOf(value)

const lengthOf = (text: string): number => {
  let length = text.length
  for (let at = 0; at < text.length - 1; at++) {
    const code = text.charCodeAt(at)
    if (code >= 0xd800 && code < 0xdc00) {
      const next = text.charCodeAt(at + 1)
      if (next >= 0xdc00 && next < 0xe000) length--
    }
  }
  return length
}

const isMultiple = (value: number, of: number): boolean => {
  if (!(of > 0)) return true
  const quotient = value / of
  return Math.abs(quotient - Math.round(quotient)) <= 1e-9 * Math.max(1, Math.abs(quotient))
}

const num = (value: Json | undefined): number | undefined => typeof value === "number" ? value : undefined

const namePath = (name: string): string => /^[\w$-]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`

type At = () => string
const step = (at: At, more: string): At => () => at() + more

class Checking {
  private readonly document: Document
  private steps = 0
  constructor(document: Document) {
    this.document = document
  }

  fits(schema: Json, value: Json, depth: number): boolean {
    return this.misfit(schema, value, () => "", depth) === undefined
  }

  misfit(schema: Json, value: Json, at: At, depth: number): Misfit | undefined {
    if (schema === false) return { path: at(), message: "Nothing may stand here." }
    if (!isNode(schema) || depth > deepest || this.steps++ > mostSteps) return undefined
    const reference = referenceOf(schema)
    if (reference !== undefined) {
      const target = this.document.resolve(reference)
      const found = target === undefined || target === schema ? undefined : this.misfit(target, value, at, depth + 1)
      if (found !== undefined || this.document.referenceAlone) return found
    }
    return this.kind(schema, value, at) ?? this.joined(schema, value, at, depth) ??
      (typeof value === "string"
        ? this.text(schema, value, at)
        : typeof value === "number"
        ? this.number(schema, value, at)
        : Array.isArray(value)
        ? this.list(schema, value as ReadonlyArray<Json>, at, depth)
        : isNode(value)
        ? this.object(schema, value, at, depth)
        : undefined)
  }

  private kind(schema: JsonObject, value: Json, at: At): Misfit | undefined {
    const types = typesOf(schema)
    if (types !== undefined && !types.some((type) => isOf(type, value))) {
      return { path: at(), message: `Must be ${types.join(" or ")}, not ${typeOf(value)}.` }
    }
    const { const: only, enum: values } = schema
    if (only !== undefined && !isSame(only, value)) return { path: at(), message: `Must be ${shown(only)}.` }
    if (Array.isArray(values) && !(values as ReadonlyArray<Json>).some((one) => isSame(one, value))) {
      return { path: at(), message: `Must be one of ${shown(values as Json)}.` }
    }
    return undefined
  }

  private joined(schema: JsonObject, value: Json, at: At, depth: number): Misfit | undefined {
    const { allOf, anyOf, not, oneOf } = schema
    if (Array.isArray(allOf)) {
      for (const one of allOf as ReadonlyArray<Json>) {
        const found = this.misfit(one, value, at, depth + 1)
        if (found !== undefined) return found
      }
    }
    if (Array.isArray(anyOf) && anyOf.length > 0) {
      let first: Misfit | undefined
      let fits = false
      for (const one of anyOf as ReadonlyArray<Json>) {
        const found = this.misfit(one, value, at, depth + 1)
        if (found === undefined) {
          fits = true
          break
        }
        if (first === undefined || found.path.length > first.path.length) first = found
      }
      if (!fits) return first
    }
    if (Array.isArray(oneOf) && oneOf.length > 0) {
      let first: Misfit | undefined
      let fitting = 0
      for (const one of oneOf as ReadonlyArray<Json>) {
        const found = this.misfit(one, value, at, depth + 1)
        if (found === undefined) fitting++
        else if (first === undefined || found.path.length > first.path.length) first = found
      }
      if (fitting === 0) return first
      if (fitting > 1) return { path: at(), message: "Fits more than one of the forms, of which it must fit one." }
    }
    if (not !== undefined && this.fits(not, value, depth + 1)) {
      return { path: at(), message: `Must not be ${shown(not)}.` }
    }
    const { if: when } = schema
    if (when === undefined) return undefined
    const then = this.fits(when, value, depth + 1) ? schema["then"] : schema["else"]
    return then === undefined ? undefined : this.misfit(then, value, at, depth + 1)
  }

  private text(schema: JsonObject, value: string, at: At): Misfit | undefined {
    const { pattern } = schema
    const most = num(schema["maxLength"])
    const least = num(schema["minLength"])
    if ((most !== undefined || least !== undefined)) {
      const length = lengthOf(value)
      if (most !== undefined && length > most) return { path: at(), message: `Must have at most ${most} characters.` }
      if (least !== undefined && length < least) {
        return { path: at(), message: `Must have at least ${least} characters.` }
      }
    }
    return typeof pattern === "string" && !matches(pattern, value)
      ? { path: at(), message: `Must match ${shown(pattern)}.` }
      : undefined
  }

  private number(schema: JsonObject, value: number, at: At): Misfit | undefined {
    const bounds = boundsOf(schema)
    const fail = (message: string): Misfit => ({ path: at(), message })
    if (bounds.minimum !== undefined && value < bounds.minimum) return fail(`Must be ${bounds.minimum} or more.`)
    if (bounds.maximum !== undefined && value > bounds.maximum) return fail(`Must be ${bounds.maximum} or less.`)
    if (bounds.exclusiveMinimum !== undefined && value <= bounds.exclusiveMinimum) {
      return fail(`Must be more than ${bounds.exclusiveMinimum}.`)
    }
    if (bounds.exclusiveMaximum !== undefined && value >= bounds.exclusiveMaximum) {
      return fail(`Must be less than ${bounds.exclusiveMaximum}.`)
    }
    const of = num(schema["multipleOf"])
    return of !== undefined && !isMultiple(value, of) ? fail(`Must be a multiple of ${of}.`) : undefined
  }

  private list(schema: JsonObject, value: ReadonlyArray<Json>, at: At, depth: number): Misfit | undefined {
    const fail = (message: string): Misfit => ({ path: at(), message })
    const least = num(schema["minItems"])
    const most = num(schema["maxItems"])
    if (least !== undefined && value.length < least) return fail(`Must have at least ${least} items.`)
    if (most !== undefined && value.length > most) return fail(`Must have at most ${most} items.`)
    const { prefix, rest } = listWords(schema)
    for (let i = 0; i < value.length; i++) {
      const one = i < prefix.length ? prefix[i]! : rest
      if (one === undefined || one === true) {
        if (i >= prefix.length) break
        continue
      }
      const found = this.misfit(one, value[i]!, step(at, `[${i}]`), depth + 1)
      if (found !== undefined) return found
    }
    if (schema["uniqueItems"] === true) {
      const seen = new Set<string>()
      for (const one of value) {
        const text = canonical(one)
        if (seen.has(text)) return fail("Must not hold the same item twice.")
        seen.add(text)
      }
    }
    const { contains } = schema
    if (contains !== undefined) {
      const count = value.filter((one) => this.fits(contains, one, depth + 1)).length
      const fewest = num(schema["minContains"]) ?? 1
      const more = num(schema["maxContains"])
      if (count < fewest || (more !== undefined && count > more)) {
        return fail(`Must hold items that are ${shown(contains)}.`)
      }
    }
    return undefined
  }

  private object(schema: JsonObject, value: JsonObject, at: At, depth: number): Misfit | undefined {
    const fail = (message: string): Misfit => ({ path: at(), message })
    const names = Object.keys(value)
    const least = num(schema["minProperties"])
    const most = num(schema["maxProperties"])
    if (least !== undefined && names.length < least) return fail(`Must have at least ${least} members.`)
    if (most !== undefined && names.length > most) return fail(`Must have at most ${most} members.`)
    const { required } = schema
    if (Array.isArray(required)) {
      for (const name of required as ReadonlyArray<Json>) {
        if (typeof name === "string" && !Object.hasOwn(value, name)) return fail(`Lacks ${shown(name)}.`)
      }
    }
    return this.members(schema, value, names, at, depth) ?? this.dependent(schema, value, at, depth)
  }

  private members(
    schema: JsonObject,
    value: JsonObject,
    names: ReadonlyArray<string>,
    at: At,
    depth: number
  ): Misfit | undefined {
    const properties = isNode(schema["properties"]) ? schema["properties"] : {}
    const byPattern = isNode(schema["patternProperties"]) ? Object.entries(schema["patternProperties"]) : []
    const { additionalProperties, propertyNames, unevaluatedProperties } = schema
    const evaluated = unevaluatedProperties === undefined ? undefined : this.evaluated(schema, value, depth)
    for (const name of names) {
      const one = value[name]!
      const inside = step(at, namePath(name))
      let known = false
      const own = ownOf(properties, name)
      if (own !== undefined) {
        known = true
        const found = this.misfit(own, one, inside, depth + 1)
        if (found !== undefined) return found
      }
      for (const [pattern, by] of byPattern) {
        if (!matches(pattern, name)) continue
        known = true
        const found = this.misfit(by!, one, inside, depth + 1)
        if (found !== undefined) return found
      }
      if (!known && additionalProperties !== undefined) {
        const found = this.misfit(additionalProperties, one, inside, depth + 1)
        if (found !== undefined) return found
      }
      if (propertyNames !== undefined && !this.fits(propertyNames, name, depth + 1)) {
        return { path: inside(), message: `The name must be ${shown(propertyNames)}.` }
      }
      if (evaluated !== undefined && !evaluated.has(name)) {
        const found = this.misfit(unevaluatedProperties!, one, inside, depth + 1)
        if (found !== undefined) return found
      }
    }
    return undefined
  }

  /** Names that the schema or what applies in its place has looked at. */
  private evaluated(schema: Json, value: JsonObject, depth: number): Set<string> {
    const out = new Set<string>()
    if (!isNode(schema) || depth > deepest || this.steps++ > mostSteps) return out
    const take = (one: Json | undefined) => {
      if (one === undefined || !this.fits(one, value, depth + 1)) return
      for (const name of this.evaluated(one, value, depth + 1)) out.add(name)
    }
    for (const name of Object.keys(isNode(schema["properties"]) ? schema["properties"] : {})) out.add(name)
    const byPattern = isNode(schema["patternProperties"]) ? Object.keys(schema["patternProperties"]) : []
    for (const name of Object.keys(value)) {
      if (schema["additionalProperties"] !== undefined || byPattern.some((pattern) => matches(pattern, name))) {
        out.add(name)
      }
    }
    const reference = referenceOf(schema)
    if (reference !== undefined) take(this.document.resolve(reference))
    for (const key of ["allOf", "anyOf", "oneOf"]) {
      const list = schema[key]
      if (Array.isArray(list)) { for (const one of list as ReadonlyArray<Json>) take(one) }
    }
    const { dependentSchemas, if: when } = schema
    if (when !== undefined) {
      take(when)
      take(this.fits(when, value, depth + 1) ? schema["then"] : schema["else"])
    }
    if (isNode(dependentSchemas)) {
      for (const [name, one] of Object.entries(dependentSchemas)) if (Object.hasOwn(value, name)) take(one)
    }
    return out
  }

  private dependent(schema: JsonObject, value: JsonObject, at: At, depth: number): Misfit | undefined {
    for (const key of ["dependentRequired", "dependentSchemas", "dependencies"]) {
      const all = schema[key]
      if (!isNode(all)) continue
      for (const [name, one] of Object.entries(all)) {
        if (!Object.hasOwn(value, name) || one === undefined) continue
        if (Array.isArray(one)) {
          const lacking = (one as ReadonlyArray<Json>).find((other) =>
            typeof other === "string" && !Object.hasOwn(value, other)
          )
          if (lacking !== undefined) return { path: at(), message: `With ${shown(name)} it needs ${shown(lacking)}.` }
        } else {
          const found = this.misfit(one, value, at, depth + 1)
          if (found !== undefined) return found
        }
      }
    }
    return undefined
  }
}

/** JSON with the members in one order, so that equal values are equal texts. */
const canonical = (value: Json): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${(value as ReadonlyArray<Json>).map(canonical).join()}]`
  const fields = value as JsonObject
  return `{${
    Object.keys(fields).toSorted().map((name) => `${JSON.stringify(name)}:${canonical(fields[name]!)}`).join()
  }}`
}

/**
 * JSON for people, cut where it is long. Its cost is what is shown, not the size of the value.
 *
 * @category rendering
 * @since 0.1.0
 */
export const shown = (value: Json, most = 120): string => {
  const pieces: Array<string> = []
  let left = most
  const add = (piece: string): boolean => {
    pieces.push(piece)
    left -= piece.length
    return left >= 0
  }
  const write = (one: Json): boolean => {
    if (typeof one === "string") return add(JSON.stringify(one.length > most ? one.slice(0, most) : one))
    if (typeof one !== "object" || one === null) return add(String(one))
    let first = true
    if (Array.isArray(one)) {
      for (const item of one as ReadonlyArray<Json>) {
        if (!add(first ? "[" : ",") || !write(item)) return false
        first = false
      }
      return add(first ? "[]" : "]")
    }
    for (const name in one as JsonObject) {
      const item = (one as JsonObject)[name]
      if (item === undefined) continue
      if (!add(`${first ? "{" : ","}${JSON.stringify(name)}:`) || !write(item)) return false
      first = false
    }
    return add(first ? "{}" : "}")
  }
  const text = write(value) ? pieces.join("") : ""
  return text !== "" && text.length <= most ? text : `${pieces.join("").slice(0, most)}…`
}

/**
 * Where a value breaks a schema, or `undefined` when it fits. `at` is the schema within the document, the root by default.
 *
 * @category checking
 * @since 0.1.0
 */
export const misfitOf = (document: Document, value: Json, at: Json = document.root): Misfit | undefined =>
  new Checking(document).misfit(at, value, () => "", 0)
