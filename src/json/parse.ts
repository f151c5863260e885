/**
 * The one place where JSON text from outside becomes a value.
 *
 * `JSON.parse` reads any depth, and whatever walks the value afterwards by recursion (`JSON.stringify`, a schema, a hash)
 * ends in a `RangeError`. So text that is nested deeper than `maxJsonDepth` is not read: to a caller it is no JSON, as
 * any other text that cannot be parsed. An architecture test holds all other files to this one.
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "./depth.ts"
import type { Json } from "./value.ts"

/** Every level takes a character to open and one to close; text with fewer is not looked at. */
const shortest = 2 * (maxJsonDepth + 1)

/**
 * Where the string that begins before `from` ends: the place of its closing quote, or the end of the text. Jumps from quote
 * to quote, because most of a long text is strings.
 */
const endOfString = (text: string, from: number): number => {
  for (let at = text.indexOf("\"", from); at !== -1; at = text.indexOf("\"", at + 1)) {
    let before = at
    while (before > from && text.charCodeAt(before - 1) === 92) before--
    if ((at - before) % 2 === 0) return at
  }
  return text.length
}

/**
 * Whether JSON text is nested deeper than is read. Linear in the text; of text that is no JSON it may say either.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTooDeep = (text: string): boolean => {
  const { length } = text
  if (length < shortest) return false
  let depth = 0
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) at = endOfString(text, at + 1)
    else if (code === 123 || code === 91) {
      if (++depth > maxJsonDepth) return true
    } else if (code === 125 || code === 93) depth--
  }
  return false
}

/**
 * Whether a value that somebody else has parsed, such as a store, is nested deeper than is read. Without recursion.
 *
 * @category guards
 * @since 0.1.0
 */
export const isValueTooDeep = (value: unknown): boolean => {
  const values: Array<unknown> = [value]
  const depths = [0]
  while (values.length > 0) {
    const one = values.pop()
    const depth = depths.pop()! + 1
    if (typeof one !== "object" || one === null) continue
    if (depth > maxJsonDepth) return true
    for (const child of Object.values(one)) {
      values.push(child)
      depths.push(depth)
    }
  }
  return false
}

/**
 * The value of JSON text. Throws a `SyntaxError` for any other, which says where the mistake is, and for text that is
 * nested too deep.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseJsonUnsafe = (text: string): Json => {
  if (isTooDeep(text)) throw new SyntaxError(`JSON nested deeper than ${maxJsonDepth} levels`)
  return JSON.parse(text)
}

/**
 * The value of JSON text; `undefined`, which is no JSON, for any other and for text that is nested too deep.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseJson = (text: string): Json | undefined => {
  try {
    return parseJsonUnsafe(text)
  } catch {
    return undefined
  }
}

/**
 * Why `parseJson` gave nothing, to go on after the name of the thing that was read.
 *
 * @category decoding
 * @since 0.1.0
 */
export const whyNotJson = (text: string): string =>
  isTooDeep(text) ? `is nested deeper than ${maxJsonDepth} levels` : "is not JSON"
