/**
 * How quotes, numbers and words are spelled where JSON is meant.
 *
 * @since 0.1.0
 */
import type { Json } from "./value.ts"

type Quote = "\"" | "'" | "`"

export const quoteOf = (character: string | undefined): Quote | undefined => {
  switch (character) {
    case "\"":
    case "\u201c":
    case "\u201d":
    case "\u201e":
    case "\u00ab":
    case "\u00bb":
      return "\""
    case "'":
    case "\u2018":
    case "\u2019":
      return "'"
    case "`":
    case "\u00b4":
      return "`"
    default:
      return undefined
  }
}

/** A curly quote is closed by its like, and by the straight ones that people put in its place. */
export const closes = (opened: string, character: string): boolean => {
  if (opened === "\"" || opened === "'") return character === opened
  const [one, other] = [quoteOf(opened), quoteOf(character)]
  if (one === undefined || other === undefined) return false
  return one === other || (one === "`" && other === "'")
}

export const white = /[\s\u00a0\u180e\u2000-\u200b\u202f\u205f\u3000\ufeff]/
export const strictNumber = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
export const looseNumber = /[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d*)?/y
export const identifier = /[\p{L}_$][\p{L}\p{N}_$.-]*/uy
export const words = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["none", null],
  ["undefined", null]
])

export const escapes: { readonly [letter: string]: string } = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }
