/**
 * The text of a JSON body as every parser takes it.
 *
 * `JSON.stringify` spells half a surrogate pair as an escape, which strict parsers refuse; it becomes the replacement character here, in
 * one pass over all strings of a body, wherever they came from.
 *
 * @since 0.1.0
 */

/** Each escape once, from left to right, so that a backslash of the text itself begins none. */
const escapes = /\\(?:u(d[89a-f][0-9a-f]{2})|.)/g

/**
 * JSON with every string well-formed.
 *
 * @category encoding
 * @since 0.1.0
 */
export const jsonText = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.includes("\\ud")
    ? text.replace(escapes, (escape, half: string | undefined) => half === undefined ? escape : "\ufffd")
    : text
}

/**
 * Replaces lone surrogates, which no UTF-8 encoder and no provider accepts.
 *
 * @category decoding
 * @since 0.1.0
 */
export const wellFormed = (text: string): string => text.isWellFormed() ? text : text.toWellFormed()
