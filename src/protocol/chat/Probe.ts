/**
 * Reads fields of wire objects that may lack anything: what is not of the expected type counts as absent.
 *
 * @since 0.1.0
 */

/**
 * A parsed JSON object of unknown fields.
 *
 * @category models
 * @since 0.1.0
 */
export type Fields = { readonly [key: string]: unknown }

/**
 * The value when it is a JSON object.
 *
 * @category decoding
 * @since 0.1.0
 */
export const record = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as Fields : undefined

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
 * The readable text of a reasoning or content value: a string, a list of such, or an object that holds one.
 *
 * @category decoding
 * @since 0.1.0
 */
export const textOf = (value: unknown, depth = 0): string => {
  if (typeof value === "string") return value
  if (typeof value !== "object" || value === null || depth > 4) return ""
  if (Array.isArray(value)) {
    let out = ""
    for (const one of value) out += textOf(one, depth + 1)
    return out
  }
  const fields = value as Fields
  return textOf(fields["text"] ?? fields["thinking"] ?? fields["content"] ?? fields["summary"], depth + 1)
}
