/**
 * Validates values by the schemas of specifications: JSON Schema as OpenAPI 3.0 and 3.1 write it.
 *
 * Objects that list their properties and do not say that they are open count as closed, so that a field which a specification
 * does not know is reported. Where a union has no member that fits, the faults are those of the member that fits best.
 */
import { type Fields, fieldsOf, isFields, listOf } from "./Fault.ts"

/** A fault by its place and what is wrong there. */
export interface Finding {
  readonly at: string
  readonly message: string
}

/** Checks a value; `at` is its place. */
export type Check = (value: unknown, at: string, out: Array<Finding>) => void

type Schema = Fields | boolean

const kinds: { readonly [type: string]: (value: unknown) => boolean } = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  array: Array.isArray,
  object: isFields,
  null: (value) => value === null
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** A field by its name, or by its place in a list. */
const below = (at: string, name: string): string => at === "" ? name : `${at}.${name}`

/** Places whose values say which member of a union is meant. */
const tellsApart = /(?:^|\.)(?:type|role|object|kind|mode|model)$/

/** How far a value is from a member of a union that has these faults at it: the least is the one that was meant. */
const distance = (found: ReadonlyArray<Finding>, at: string): number =>
  found.reduce((sum, one) => sum + (one.at === at ? 10_000 : tellsApart.test(one.at) ? 100 : 1), 0)

const pattern = (source: string): RegExp | undefined => {
  try {
    return new RegExp(source, "u")
  } catch {
    return undefined
  }
}

/** Makes checks of the schemas of one document, each once. */
export const checker = (document: Fields): (schema: unknown) => Check => {
  const made = new Map<unknown, Check>()

  const resolve = (ref: string): unknown => {
    let found: unknown = document
    if (ref === "#") return found
    for (const step of ref.replace(/^#\//, "").split("/")) {
      found = fieldsOf(found)[decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")]
    }
    return found
  }

  /** The fields that a schema knows, its unions and intersections included; `undefined` when it takes any. */
  const known = (schema: unknown, seen: ReadonlySet<unknown> = new Set()): ReadonlySet<string> | undefined => {
    if (!isFields(schema) || seen.has(schema)) return new Set()
    const within = new Set([...seen, schema])
    if (typeof schema["$ref"] === "string") return known(resolve(schema["$ref"]), within)
    const open = schema["additionalProperties"]
    if (open === true || isFields(open)) return undefined
    const names = new Set(Object.keys(fieldsOf(schema["properties"])))
    let says = "properties" in schema || open === false
    for (const word of ["allOf", "anyOf", "oneOf"]) {
      for (const member of listOf(schema[word])) {
        const others = known(member, within)
        if (others === undefined) return undefined
        if (word !== "allOf" || others.size > 0) says = true
        for (const name of others) names.add(name)
      }
    }
    return says ? names : undefined
  }

  const union = (members: ReadonlyArray<unknown>, closed: boolean, word: string): Check => {
    const checks = members.map((member) => make(member, closed))
    return (value, at, out) => {
      let best: ReadonlyArray<Finding> | undefined
      let least = Number.POSITIVE_INFINITY
      for (const check of checks) {
        const found: Array<Finding> = []
        check(value, at, found)
        if (found.length === 0) return
        const weight = distance(found, at)
        if (weight < least) [best, least] = [found, weight]
      }
      if (best !== undefined) {
        out.push(...best.length > 3 ? [{ at, message: `fits no member of ${word}: ${shown(value)}` }] : best)
      }
    }
  }

  const build = (schema: Schema | undefined, closed: boolean): Check => {
    if (!isFields(schema)) return () => {}
    if (typeof schema["$ref"] === "string") {
      const target = resolve(schema["$ref"])
      let check: Check | undefined
      return (value, at, out) => (check ??= make(target, closed))(value, at, out)
    }
    const checks: Array<Check> = []
    const nullable = schema["nullable"] === true
    const types = schema["type"] === undefined ? [] : [schema["type"]].flat() as Array<string>
    if (types.length > 0) {
      checks.push((value, at, out) => {
        if (!types.some((type) => kinds[type]?.(value) ?? true)) {
          out.push({ at, message: `must be ${types.join(" or ")}, is ${shown(value)}` })
        }
      })
    }
    const allowed = "const" in schema ? [schema["const"]] : Array.isArray(schema["enum"]) ? schema["enum"] : undefined
    if (allowed !== undefined) {
      checks.push((value, at, out) => {
        if (!allowed.includes(value)) {
          out.push({ at, message: `must be one of ${allowed.map(shown).join(", ").slice(0, 160)}, is ${shown(value)}` })
        }
      })
    }
    checks.push(...bounds(schema))
    const all = listOf(schema["allOf"])
    const any = listOf(schema["anyOf"]).length > 0 ? listOf(schema["anyOf"]) : listOf(schema["oneOf"])
    const mixed = all.length > 0 || (any.length > 0 && "properties" in schema)
    for (const member of all) checks.push(make(member, false))
    if (any.length > 0) {
      checks.push(union(any, closed && !mixed, Array.isArray(schema["anyOf"]) ? "anyOf" : "oneOf"))
    }
    const properties = Object.entries(fieldsOf(schema["properties"]))
    const rest = schema["additionalProperties"]
    const restCheck = isFields(rest) ? make(rest, true) : undefined
    if (properties.length > 0 || restCheck !== undefined || Array.isArray(schema["required"])) {
      const fields = new Map(properties.map(([name, property]) => [name, make(property, true)]))
      const required = listOf(schema["required"]) as ReadonlyArray<string>
      checks.push((value, at, out) => {
        if (!isFields(value)) return
        for (const name of required) if (!(name in value)) out.push({ at: below(at, name), message: "is missing" })
        for (const [name, field] of Object.entries(value)) {
          ;(fields.get(name) ?? restCheck)?.(field, below(at, name), out)
        }
      })
    }
    if (closed && (properties.length > 0 || mixed || rest === false)) {
      let names: ReadonlySet<string> | undefined | "unread" = "unread"
      checks.push((value, at, out) => {
        if (!isFields(value)) return
        if (names === "unread") names = known(schema)
        if (names === undefined) return
        for (const name of Object.keys(value)) {
          if (!names.has(name)) out.push({ at: below(at, name), message: "is no field of the specification" })
        }
      })
    }
    const items = schema["items"]
    if (isFields(items)) {
      const item = make(items, true)
      checks.push((value, at, out) => {
        if (Array.isArray(value)) value.forEach((one, index) => item(one, `${at}[${index}]`, out))
      })
    }
    return (value, at, out) => {
      if (value === null && nullable) return
      for (const check of checks) check(value, at, out)
    }
  }

  const open = new Map<unknown, Check>()
  const make = (schema: unknown, closed: boolean): Check => {
    const store = closed ? made : open
    const before = store.get(schema)
    if (before !== undefined) return before
    let check: Check | undefined
    store.set(schema, (value, at, out) => check?.(value, at, out))
    check = build(schema as Schema, closed)
    store.set(schema, check)
    return check
  }

  return (schema) => make(schema, true)
}

const bounds = (schema: Fields): ReadonlyArray<Check> => {
  const checks: Array<Check> = []
  const number = (word: string, holds: (value: number, bound: number) => boolean, said: string) => {
    const bound = schema[word]
    if (typeof bound !== "number") return
    checks.push((value, at, out) => {
      if (typeof value === "number" && !holds(value, bound)) {
        out.push({ at, message: `must be ${said} ${bound}, is ${value}` })
      }
    })
  }
  number("minimum", (value, bound) => value >= bound, "at least")
  number("maximum", (value, bound) => value <= bound, "at most")
  number("exclusiveMinimum", (value, bound) => value > bound, "above")
  number("exclusiveMaximum", (value, bound) => value < bound, "below")
  const size = (word: string, of: (value: unknown) => number | undefined, most: boolean) => {
    const bound = schema[word]
    if (typeof bound !== "number") return
    checks.push((value, at, out) => {
      const length = of(value)
      if (length !== undefined && (most ? length > bound : length < bound)) {
        out.push({ at, message: `must have ${most ? "at most" : "at least"} ${bound}, has ${length}` })
      }
    })
  }
  const characters = (value: unknown) => typeof value === "string" ? value.length : undefined
  const entries = (value: unknown) => Array.isArray(value) ? value.length : undefined
  size("minLength", characters, false)
  size("maxLength", characters, true)
  size("minItems", entries, false)
  size("maxItems", entries, true)
  const regexp = typeof schema["pattern"] === "string" ? pattern(schema["pattern"]) : undefined
  if (regexp !== undefined) {
    checks.push((value, at, out) => {
      if (typeof value === "string" && !regexp.test(value)) {
        out.push({ at, message: `must match ${regexp.source}, is ${shown(value)}` })
      }
    })
  }
  return checks
}
