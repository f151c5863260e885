/**
 * Reads as much as there is of a JSON text that is still being written.
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "../json/depth.ts"
import { parseJson } from "../json/parse.ts"
import type { Json } from "../json/value.ts"

/** A container that is open, and those around it: a list that is shared, so that remembering a place costs nothing. */
interface Open {
  readonly closer: "}" | "]"
  readonly around: Open | undefined
}

const closersOf = (open: Open | undefined): string => {
  const closers: Array<string> = []
  for (let at = open; at !== undefined; at = at.around) closers.push(at.closer)
  return closers.join("")
}

/** Length of an escape such as `\u00e9`, in characters. */
const unicodeEscape = 6

/**
 * The text, cut at the last place where it can be closed, and closed; as it is when there is no such place, and `undefined`
 * when it is nested deeper than {@link maxJsonDepth}.
 */
const closed = (text: string): string | undefined => {
  let open: Open | undefined
  let depth = 0
  let inString = false
  let escaped = false
  /** Where the last escape of the string begins. */
  let escapeAt = -1
  /** End of the last place where the text can be cut and closed, and what was open there. */
  let keep = 0
  let openThere: Open | undefined
  const mark = (end: number) => {
    keep = end
    openThere = open
  }
  /** In an object, a string is a key until its colon has come. */
  let afterColon = true
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (escaped) escaped = false
      else if (code === 92) {
        escaped = true
        escapeAt = at
      } else if (code === 34) {
        inString = false
        if (afterColon || open?.closer === "]") mark(at + 1)
      }
      continue
    }
    switch (code) {
      case 34: // "
        inString = true
        escapeAt = -1
        break
      case 123: // {
      case 91: // [
        if (++depth > maxJsonDepth) return undefined
        open = { closer: code === 123 ? "}" : "]", around: open }
        if (code === 123) afterColon = false
        mark(at + 1)
        break
      case 125: // }
      case 93: // ]
        depth--
        open = open?.around
        afterColon = true
        mark(at + 1)
        break
      case 58: // :
        afterColon = true
        break
      case 44: // ,
        mark(at)
        afterColon = open?.closer !== "}"
        break
    }
  }
  // A value string that is still open is shown as far as it came.
  if (inString && (afterColon || open?.closer === "]")) {
    const isCut = escaped || (escapeAt !== -1 && text[escapeAt + 1] === "u" && text.length - escapeAt < unicodeEscape)
    return `${isCut ? text.slice(0, escapeAt) : text}"${closersOf(open)}`
  }
  return keep === 0 ? text : text.slice(0, keep) + closersOf(openThere)
}

/**
 * The value of a JSON text as far as it goes, `undefined` while there is none.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parsePartialJson = (text: string): Json | undefined => {
  const source = closed(text.trim())
  return source === undefined ? undefined : parseJson(source)
}
