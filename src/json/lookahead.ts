/**
 * Tells what a quote, a line break or a bracket is by a bounded number of characters after it, while JSON is read that may be none.
 *
 * @since 0.1.0
 */
import { white } from "./spelling.ts"

/** A name with its colon, quoted or not, as it stands in an object. */
const keyAhead =
  /\s*(?:["'\u201c\u2018`][^"'\u201d\u2019`\n]{0,120}["'\u201d\u2019`]|[\p{L}_$][\p{L}\p{N}_$ .-]{0,60})\s*:/uy

/** How far ahead is looked to tell what a quote is. */
export const ahead = 160

export type Place = "key" | "object" | "array" | "top"

/** A place in a text, and the containers that are open there. */
export class Lookahead {
  protected readonly text: string
  protected at: number
  /** The closers that are due, the innermost last. */
  protected readonly due: Array<"}" | "]" | ")"> = []

  private readonly lastQuote: number

  constructor(text: string, at: number) {
    this.text = text
    this.at = at
    this.lastQuote = text.lastIndexOf("\"")
  }

  /** Whether a closer that is not the innermost belongs to a container further out, so that this one's is missing. */
  protected isForOuter(character: string | undefined): boolean {
    if (character !== "}" && character !== "]" && character !== ")") return false
    return this.due.lastIndexOf(character, this.due.length - 2) !== -1
  }

  /** At a quote: whether what follows is what comes after a string here. */
  protected isEnd(place: Place): boolean {
    const rest = this.text.slice(this.at + 1, this.at + 1 + ahead)
    const after = rest.replace(/^(?:[\s\u00a0]|\/\*[\s\S]*?\*\/)+/, "")
    if (after === "" || after.startsWith("//") || after.startsWith("/*") || after[0] === "#") return true
    const [first] = after
    if (place === "key") return /^(?:[:=,}]|["'{[]|-?\d|true|false|null)/.test(after)
    if (place === "top") {
      return /^[;)\]}]|^```/.test(after) || rest.startsWith("\n") || this.lastQuote <= this.at
    }
    if (first === "+") return /^\+\s*["']/.test(after)
    if (first === "}" || first === "]" || first === ")") return this.closesFrom(after)
    if (first === ",") return this.followsComma(after.slice(1), place)
    if (first === ":") return place === "array" && this.due.includes("}")
    // A comma is missing: what follows is a whole member.
    if (place === "object") return this.looksLikeKey(after)
    return /^["'][^"'\n]*["']\s*(?:[,\]]|$)/.test(after) ||
      /^(?:-?\d[\d.eE+-]*|true|false|null|\{|\[)\s*(?:[,\]]|$|["{[])/.test(after)
  }

  protected looksLikeKey(after: string): boolean {
    keyAhead.lastIndex = 0
    return keyAhead.test(after)
  }

  /** After a quote: closers that are due, and then something that may follow them. */
  private closesFrom(after: string): boolean {
    let open = this.due.length
    let at = 0
    while (at < after.length && open > 0) {
      const character = after[at]!
      if (character === this.due[open - 1]) open--
      else if (!white.test(character)) break
      at++
    }
    const rest = after.slice(at).trimStart()
    if (open === this.due.length) return this.isForOuter(after[0])
    return open === 0 || rest === "" || /^(?:[,}\])]|\/\/|\/\*|#|["'])/.test(rest)
  }

  private followsComma(after: string, place: Place): boolean {
    const rest = after.replace(/^(?:[\s\u00a0]|\/\*[\s\S]*?\*\/|\/\/[^\n]*\n|#[^\n]*\n)+/, "")
    if (rest === "" || /^(?:[}\]),]|\.\.\.|\/\/|\/\*)/.test(rest)) return true
    if (place === "object") return this.looksLikeKey(rest) || !/["'\u201d]/.test(after)
    return /^(?:["'{[\u201c\u2018`-]|\d|true|false|null|None|True|False)/.test(rest) ||
      /^[\p{L}_$][^\s"']*\s*[,\]]/u.test(rest) || /^[^"'\n]*["'],/.test(rest)
  }

  /** At a quote after a comma within a string: whether it begins the next member, so that the end of this one is missing. */
  protected beginsNext(place: Place): boolean {
    const rest = this.text.slice(this.at, this.at + ahead)
    if (place === "object") return this.looksLikeKey(rest)
    return place === "array" && /^"[^",\n]*"\s*[,\]]/.test(rest)
  }

  /** At the end of a line within a string: whether the next line shows that the string was over. */
  protected hasEnded(place: Place): boolean {
    if (place === "key" || place === "top") return false
    let before = this.at
    while (before > 0 && /[ \t\r]/.test(this.text[before - 1]!)) before--
    const isComma = this.text[before - 1] === ","
    const rest = this.text.slice(this.at, this.at + ahead).trimStart()
    if (place === "object") {
      return (isComma && this.looksLikeKey(rest) && /^["'\u201c]/.test(rest)) ||
        (/^\}\s*[,}\]]?\s*$/.test(rest) && !this.hasQuoteAhead())
    }
    return (isComma && /^"[^"\n]*"\s*[,\]\n]/.test(rest)) || (/^\]\s*[,}\]]*\s*$/.test(rest) && !this.hasQuoteAhead())
  }

  private hasQuoteAhead(): boolean {
    return this.lastQuote >= this.at
  }
}
