/**
 * What JSON Schema asks of one value: its type, its length in characters, whether it is a multiple of a number or one of a list.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../json/value.ts"
import { isSame } from "./document.ts"

/** The name of a type. @stability stable @category reading @since 0.1.0 */
export const typeOf = (value: Json): string => value === null ? "null" : Array.isArray(value) ? "array" : typeof value

/** Whether a value is of a type that a schema names. @stability stable @category predicates @since 0.1.0 */
export const isType = (value: Json, type: string): boolean =>
  type === "integer" ? Number.isInteger(value) : typeOf(value) === type

/** In characters, of which some are two units. @stability stable @category reading @since 0.1.0 */
export const lengthOf = (text: string): number => {
  let length = text.length
  for (let at = 0; at < text.length - 1; at++) {
    const code = text.charCodeAt(at)
    if (code < 0xd800 || code >= 0xdc00) continue
    const next = text.charCodeAt(at + 1)
    if (next >= 0xdc00 && next < 0xe000) length--
  }
  return length
}

/** 0.3 is a multiple of 0.1, although 0.3 / 0.1 is not whole. @stability stable @category predicates @since 0.1.0 */
export const isMultiple = (value: number, of: number): boolean => {
  const times = value / of
  return Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times))
}

/** Scalars of long lists of choices. */
const scalars = new WeakMap<ReadonlyArray<Json>, ReadonlySet<Json>>()

/** Whether a value is one of a list. @stability stable @category predicates @since 0.1.0 */
export const isAmong = (choices: ReadonlyArray<Json>, value: Json): boolean => {
  if (choices.length < 16 || (typeof value === "object" && value !== null)) {
    return choices.some((choice) => isSame(choice, value))
  }
  let known = scalars.get(choices)
  if (known === undefined) scalars.set(choices, known = new Set(choices))
  return known.has(value)
}

/** JSON with the members in one order, so that equal values are equal texts. @stability stable @category rendering @since 0.1.0 */
export const canonical = (value: Json): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${(value as ReadonlyArray<Json>).map(canonical).join()}]`
  const fields = value as JsonObject
  return `{${
    Object.keys(fields).toSorted().map((name) => `${JSON.stringify(name)}:${canonical(fields[name]!)}`).join()
  }}`
}
