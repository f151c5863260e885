/**
 * Reads as much as there is of a JSON text that is still being written.
 *
 * @since 0.1.0
 */
import { parseJson } from "./json.ts"
import type { Json } from "./parts.ts"

/** What must follow to close a text that was cut here, or `undefined` when it was cut inside a word or number. */
const closing = (text: string): { readonly keep: number; readonly suffix: string } => {
  const open: Array<string> = []
  let inString = false
  let escaped = false
  /** End of the last place where the text can be cut and closed, and what closes it there. */
  let keep = 0
  let suffix = ""
  const mark = (end: number) => {
    keep = end
    suffix = open.toReversed().join("")
  }
  /** In an object, a string is a key until its colon has come. */
  let afterColon = true
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (inString) {
      if (escaped) escaped = false
      else if (char === "\\") escaped = true
      else if (char === "\"") {
        inString = false
        if (afterColon || open.at(-1) === "]") mark(at + 1)
      }
      continue
    }
    switch (char) {
      case "\"":
        inString = true
        break
      case "{":
        open.push("}")
        afterColon = false
        mark(at + 1)
        break
      case "[":
        open.push("]")
        mark(at + 1)
        break
      case "}":
      case "]":
        open.pop()
        afterColon = true
        mark(at + 1)
        break
      case ":":
        afterColon = true
        break
      case ",":
        mark(at)
        afterColon = open.at(-1) !== "}"
        break
    }
  }
  // A value string that is still open is shown as far as it came.
  if (inString && (afterColon || open.at(-1) === "]")) {
    const cut = /\\(u[0-9a-fA-F]{0,3})?$/.exec(escaped || text.at(-1) !== "\\" ? text.slice(-6) : text)
    const end = cut === null ? text.length : text.length - cut[0].length
    return { keep: end, suffix: `"${open.toReversed().join("")}` }
  }
  return { keep, suffix }
}

/**
 * The value of a JSON text as far as it goes, `undefined` while there is none.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parsePartialJson = (text: string): Json | undefined => {
  const trimmed = text.trim()
  if (trimmed === "") return undefined
  for (
    const candidate of [
      () => trimmed,
      () => {
        const { keep, suffix } = closing(trimmed)
        return keep === 0 ? undefined : trimmed.slice(0, keep) + suffix
      }
    ]
  ) {
    const source = candidate()
    const value = source === undefined ? undefined : parseJson(source)
    // Not whole yet: the next candidate closes it.
    if (value !== undefined) return value
  }
  return undefined
}
