/**
 * Reading JSON whose shape nobody guarantees: hosts leave fields out, null them or change their type.
 *
 * What is not of the expected type counts as absent: every reader then gives `undefined`, or the empty text or list.
 * None throws. Names of fields are the wires' own business.
 *
 * @since 0.1.0
 */
import { setOwn } from "../json/own.ts"
import { parseJson } from "../json/parse.ts"
import type { Json, JsonObject } from "../Message.ts"

/**
 * An object of which nothing is known yet.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Fields = { readonly [key: string]: unknown }

/**
 * An object of parsed JSON before its fields are checked.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type JsonFields = { readonly [key: string]: Json | undefined }

export {
  /**
   * The value of JSON text; `undefined`, which is no JSON, for any other and for text that is nested too deep.
   *
   * @stability experimental
   * @category decoding
   * @since 0.1.0
   */
  parseJson as parsed
}

/**
 * The value of JSON text, or any other text as it is.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const parsedOrText = (text: string): Json => {
  const value = parseJson(text)
  return value === undefined ? text : value
}

/**
 * The value when it is an object and not an array.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const record = (value: unknown): JsonFields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonFields : undefined

/**
 * The value when it is a string that is not empty.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const nonEmpty = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** Placeholders are shallow; what is nested deeper counts as said. */
const placeholderDepth = 4

/**
 * Whether a value says nothing: none, `""`, `0`, `false`, and lists and objects of nothing else. Hosts that know two
 * names for one thing fill one and send such a placeholder under the other.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const blank = (value: unknown, depth = 0): boolean => {
  if (typeof value !== "object") return value === undefined || value === "" || value === 0 || value === false
  if (value === null) return true
  if (depth > placeholderDepth) return false
  if (Array.isArray(value)) return value.every((one) => blank(one, depth + 1))
  const fields = value as Fields
  for (const key in fields) if (!blank(fields[key], depth + 1)) return false
  return true
}

/**
 * Whether a value is none, or an empty text, list or object: nothing is in it, while one with placeholders in it has fields.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === "" ||
  (typeof value === "object" && Object.keys(value).length === 0)

/**
 * The value when it says anything.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const filled = <A>(value: A): Exclude<A, null | undefined | "" | false> | undefined =>
  blank(value) ? undefined : value as Exclude<A, null | undefined | "" | false>

/**
 * The value when it is an object that says anything.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const filledRecord = (value: unknown): JsonFields | undefined => {
  const fields = record(value)
  return fields === undefined || blank(fields) ? undefined : fields
}

/**
 * Whether all fields but some, such as labels that say nothing alone, are placeholders.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const blankBut = (fields: Fields, names: ReadonlySet<string>): boolean => {
  for (const key in fields) if (!names.has(key) && !blank(fields[key])) return false
  return true
}

/**
 * One object of two that say the same thing: of each field the filled value, that of `first` where both are filled.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const merged = (first: Fields, second: Fields): Fields => {
  const both: { [key: string]: unknown } = { ...second }
  for (const key in first) if (key !== "__proto__" && (!blank(first[key]) || blank(both[key]))) both[key] = first[key]
  return both
}

/** No arguments, as an object, a list, or the text of one. */
const noArguments = (value: unknown): boolean =>
  typeof value === "string"
    ? value.length < 32 && /^\s*(?:\{\s*\}|\[\s*\]|null)?\s*$/.test(value)
    : typeof value !== "object" || value === null || Object.keys(value).length === 0

/**
 * The arguments of a call: those under the wire's own name, or where these are none, the first that say anything of those
 * under the names of other APIs.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const callArguments = (own: unknown, ...others: ReadonlyArray<unknown>): unknown => {
  if (!noArguments(own)) return own
  for (const value of others) if (!blank(value) && !noArguments(value)) return value
  // An empty map is a list in PHP.
  return typeof own === "string" || (typeof own === "object" && !Array.isArray(own)) ? own : undefined
}

/**
 * The value when it is a list, else an empty one.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/**
 * The value when it is a finite number, also one written as text.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const count = (value: unknown): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined
  if (typeof value !== "string" || value.trim() === "") return undefined
  const read = Number(value)
  return Number.isFinite(read) ? read : undefined
}

/**
 * Any value as text: nothing is empty, an object becomes its compact JSON.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const asText = (value: unknown): string =>
  typeof value === "string"
    ? value
    : value === undefined || value === null
    ? ""
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value)

/**
 * The readable text of a reasoning or content value: a string, a list of such, or an object that holds one.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const textIn = (value: unknown, depth = 0): string => {
  if (typeof value === "string") return value
  if (typeof value !== "object" || value === null || depth > 4) return ""
  if (Array.isArray(value)) {
    let out = ""
    for (const one of value) out += textIn(one, depth + 1)
    return out
  }
  const fields = value as Fields
  return textIn(fields["text"], depth + 1) || textIn(fields["thinking"], depth + 1) ||
    textIn(fields["content"], depth + 1) || textIn(fields["summary"], depth + 1)
}

const nothing: ReadonlySet<string> = new Set()

/**
 * Text that stands under one of several names: the first that is any. Placeholders are none.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const firstText = (...values: ReadonlyArray<unknown>): string => {
  for (const value of values) if (!blank(value)) return asText(value)
  return ""
}

/**
 * A count that stands in several places: the first above 0, which may be a placeholder; else the first.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const firstCount = (...values: ReadonlyArray<number | undefined>): number | undefined => {
  let some: number | undefined
  for (const value of values) {
    if (value !== undefined && value > 0) return value
    some ??= value
  }
  return some
}

/**
 * Copies what is there, so that null and empty values never overwrite one.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const copyPresent = (
  target: { [key: string]: Json },
  source: JsonFields,
  except: ReadonlySet<string> = nothing
): void => {
  for (const key of Object.keys(source)) {
    const value = source[key]
    if (value === undefined || isEmpty(value) || except.has(key)) continue
    setOwn(target, key, value)
  }
}

/**
 * Most fields of a usage object that are kept; the largest that is known has some twenty. Each time usage comes the object is
 * copied, so more would cost their number each time.
 *
 * @stability experimental
 * @category limits
 * @since 0.1.0
 */
export const maxUsageFields = 256

/**
 * Counts after some more have come. They only grow, so that nothing and 0 after a number are placeholders; of fields beyond
 * {@link maxUsageFields} the first stand.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const mergeCounts = (known: JsonFields | undefined, next: JsonFields): JsonFields => {
  const both: { [key: string]: Json } = known === undefined ? {} : { ...known } as { [key: string]: Json }
  let size = known === undefined ? 0 : Object.keys(known).length
  for (const key in next) {
    const value = next[key]
    if (value === undefined || isEmpty(value)) continue
    const isNew = !Object.hasOwn(both, key)
    if (isNew ? ++size > maxUsageFields : blank(value)) continue
    setOwn(both, key, value)
  }
  return both
}

/**
 * A body that a wire has built, as JSON. The types of bodies are held against the official SDKs' and are interfaces with
 * optional members, which have no index signature: that their values are JSON the compiler cannot see.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const bodyOf = (body: object): JsonObject => body as JsonObject

/**
 * The object as plain JSON data.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const jsonOf = (value: JsonFields): JsonObject => value as JsonObject
