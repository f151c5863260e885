/**
 * Reading JSON whose shape nobody guarantees: compatible hosts leave fields out, null them or change their type.
 *
 * Every reader gives `undefined` (or the empty text) for what is not there; none throws.
 *
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../Message.ts"

/**
 * An object of the wire before its fields are checked.
 *
 * @category models
 * @since 0.1.0
 */
export type Loose = { readonly [key: string]: Json | undefined }

/**
 * The value when it is an object and not an array.
 *
 * @category decoding
 * @since 0.1.0
 */
export const record = (value: unknown): Loose | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as Loose : undefined

/**
 * The value when it is a non-empty string.
 *
 * @category decoding
 * @since 0.1.0
 */
export const nonEmpty = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

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
 * Content as text: nothing is empty, an object becomes its compact JSON.
 *
 * @category decoding
 * @since 0.1.0
 */
export const textOf = (value: unknown): string =>
  typeof value === "string"
    ? value
    : value === undefined || value === null
    ? ""
    : typeof value === "object"
    ? JSON.stringify(value)
    : String(value)

/**
 * Copies what is there, so that null never overwrites a value.
 *
 * @category decoding
 * @since 0.1.0
 */
export const copyPresent = (
  target: { [key: string]: Json },
  source: Loose,
  except: ReadonlySet<string>
): void => {
  for (const key of Object.keys(source)) {
    const value = source[key]
    if (value === undefined || value === null || key === "__proto__" || except.has(key)) continue
    target[key] = value
  }
}

/**
 * The object as plain JSON data.
 *
 * @category decoding
 * @since 0.1.0
 */
export const jsonOf = (value: Loose): JsonObject => value as JsonObject
