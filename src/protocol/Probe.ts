/**
 * Reading JSON whose shape nobody guarantees: hosts leave fields out, null them or change their type.
 *
 * What is not of the expected type counts as absent: every reader then gives `undefined`, or the empty text or list.
 * None throws. Names of fields are the wires' own business.
 *
 * @since 0.1.0
 */
import { parseJson } from "../internal/json.ts"
import { setOwn } from "../internal/own.ts"
import type { Json, JsonObject } from "../Message.ts"

/**
 * An object of which nothing is known yet.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields = { readonly [key: string]: unknown }

/**
 * An object of parsed JSON before its fields are checked.
 *
 * @category models
 * @since 0.1.0
 */
export type JsonFields = { readonly [key: string]: Json | undefined }

export {
  /**
   * The value of JSON text; `undefined`, which is no JSON, for any other and for text that is nested too deep.
   *
   * @category decoding
   * @since 0.1.0
   */
  parseJson as parsed
}

/**
 * The value of JSON text, or any other text as it is.
 *
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
 * @category decoding
 * @since 0.1.0
 */
export const record = (value: unknown): JsonFields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonFields : undefined

/**
 * The value when it is a string that is not empty.
 *
 * @category decoding
 * @since 0.1.0
 */
export const nonEmpty = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/**
 * The value when it is a list, else an empty one.
 *
 * @category decoding
 * @since 0.1.0
 */
export const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

/**
 * The value when it is a finite number, also one written as text.
 *
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
  return textIn(fields["text"] ?? fields["thinking"] ?? fields["content"] ?? fields["summary"], depth + 1)
}

const nothing: ReadonlySet<string> = new Set()

/**
 * Copies what is there, so that null never overwrites a value.
 *
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
    if (value === undefined || value === null || except.has(key)) continue
    setOwn(target, key, value)
  }
}

/**
 * Most fields of a usage object that are kept; the largest that is known has some twenty. Each time usage comes the object is
 * copied, so more would cost their number each time.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxUsageFields = 256

/**
 * The usage object after one more has come: null replaces nothing, and of fields beyond {@link maxUsageFields} the first
 * stand.
 *
 * @category decoding
 * @since 0.1.0
 */
export const mergedUsage = (known: JsonFields | undefined, next: JsonFields): JsonFields => {
  const merged: { [key: string]: Json } = {}
  let size = 0
  for (const source of known === undefined ? [next] : [known, next]) {
    for (const key in source) {
      const value = source[key]
      if (value === undefined || value === null || key === "__proto__") continue
      if (!Object.hasOwn(merged, key) && ++size > maxUsageFields) continue
      merged[key] = value
    }
  }
  return merged
}

/**
 * A body that a wire has built, as JSON. The types of bodies are held against the official SDKs' and are interfaces with
 * optional members, which have no index signature: that their values are JSON the compiler cannot see.
 *
 * @category encoding
 * @since 0.1.0
 */
export const bodyOf = (body: object): JsonObject => body as JsonObject

/**
 * The object as plain JSON data.
 *
 * @category decoding
 * @since 0.1.0
 */
export const jsonOf = (value: JsonFields): JsonObject => value as JsonObject
