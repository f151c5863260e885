/**
 * Reads what models write in place of JSON: comments, single or curly quotes, names without quotes, commas too many or too few, Python's
 * and JavaScript's words, escapes that are none, quotes inside of strings, ends that are missing.
 *
 * Sound JSON is never read here; `JSON.parse` comes first. Nothing is invented: a value that is missing is `null` between its neighbours
 * and absent at a cut end, and where the text cannot be understood there is no value. Every repair has a name. The text is read once;
 * where a quote could be the end of a string or part of it, a bounded number of characters after it decides.
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "./depth.ts"
import { ahead, type Place } from "./lookahead.ts"
import { setOwn } from "./own.ts"
import { identifier, looseNumber, quoteOf, strictNumber, white, words } from "./spelling.ts"
import { Strings } from "./strings.ts"
import type { Json } from "./value.ts"

/**
 * What was read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Repaired {
  readonly value: Json
  /** Where the value ends in the text. */
  readonly end: number
  /** What was mended, each kind once, in words such as `a trailing comma`. */
  readonly repairs: ReadonlyArray<string>
  /** Whether the text ended within the value. */
  readonly cut: boolean
}

/**
 * What was not to be understood, and where that showed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Misread {
  readonly value: undefined
  readonly end: number
}

/** Thrown within this file only: the text is not to be understood. */
class Unreadable extends Error {}

class Reader extends Strings {
  private match(pattern: RegExp, at = this.at): string | undefined {
    pattern.lastIndex = at
    return pattern.exec(this.text)?.[0]
  }

  /** Undefined where the text ends before a value begins. */
  value(place: Place): Json | undefined {
    this.skip()
    if (this.isOver) {
      this.cut = true
      return undefined
    }
    const character = this.text[this.at]!
    if (character === "{") return this.object()
    if (character === "[") return this.list("]")
    if (character === "(" && place !== "top") return this.list(")")
    if (quoteOf(character) !== undefined) return this.strings(place)
    if (character === "\\" && quoteOf(this.text[this.at + 1]) !== undefined) return this.escaped()
    return this.bare(place)
  }

  private enter(closer: "}" | "]" | ")"): void {
    if (this.due.length >= maxJsonDepth) throw new Unreadable()
    this.due.push(closer)
    this.at++
  }

  private leave(): void {
    this.due.pop()
  }

  /** Between two members: how the next one is reached; false at the end of the container. */
  private next(closer: "}" | "]" | ")", isFirst: boolean): boolean {
    for (let first = isFirst;;) {
      this.skip()
      let commas = 0
      while (
        this.text[this.at] === "," || this.text[this.at] === ";" || this.text.startsWith("...", this.at) ||
        this.text[this.at] === "\u2026"
      ) {
        const isEllipsis = this.text[this.at] === "." || this.text[this.at] === "\u2026"
        if (this.text[this.at] === ";") this.repairs.add("a semicolon for a comma")
        if (isEllipsis) this.repairs.add("an ellipsis")
        else commas++
        this.at += this.text[this.at] === "." ? 3 : 1
        this.skip()
      }
      if (this.isOver) {
        this.endOfText()
        return false
      }
      const character = this.text[this.at]
      if (character === closer) {
        if (commas > 0) this.repairs.add("a trailing comma")
        this.at++
        return false
      }
      if (this.isForOuter(character)) {
        this.repairs.add("a missing bracket")
        return false
      }
      if (character === "}" || character === "]" || character === ")") {
        this.repairs.add("a bracket too many")
        this.at++
        first &&= commas === 0
        continue
      }
      if (commas > (first ? 0 : 1)) this.repairs.add("a comma too many")
      if (commas === 0 && !first) this.repairs.add("a missing comma")
      return true
    }
  }

  private list(closer: "]" | ")"): Json {
    // Python's `(1, 2)`.
    if (closer === ")") this.repairs.add("parentheses for brackets")
    this.enter(closer)
    const list: Array<Json> = []
    for (let isFirst = true; this.next(closer, isFirst); isFirst = false) {
      const from = this.at
      const value = this.value("array")
      if (typeof value === "string" && this.isName()) {
        // The name of a field of the object further out.
        this.at = from
        this.repairs.add("a missing bracket")
        break
      }
      if (value !== undefined) list.push(value)
      if (this.at === from) throw new Unreadable()
    }
    this.leave()
    return list
  }

  private isName(): boolean {
    if (!this.due.includes("}")) return false
    const before = this.at
    this.skip()
    const isColon = this.text[this.at] === ":"
    this.at = before
    return isColon
  }

  private object(): Json {
    this.enter("}")
    const fields: { [key: string]: Json } = {}
    for (let isFirst = true; this.next("}", isFirst); isFirst = false) {
      const from = this.at
      const key = this.key()
      if (key === undefined) break
      this.skip()
      const mark = this.text[this.at]
      if (mark === ":" || mark === "=") {
        if (mark === "=") this.repairs.add("an equals sign for a colon")
        this.at += this.text.startsWith("=>", this.at) || this.text.startsWith(":=", this.at) ? 2 : 1
      } else if (this.isOver) {
        this.endOfText()
        break
      } else if (mark !== "," && mark !== "}") this.repairs.add("a missing colon")
      this.skip()
      if (this.isOver) {
        this.endOfText()
        break
      }
      if (this.text[this.at] === "," || this.text[this.at] === "}" || this.isForOuter(this.text[this.at])) {
        this.repairs.add("a missing value")
        setOwn(fields, key, null)
      } else {
        const value = this.value("object")
        if (value !== undefined) setOwn(fields, key, value)
      }
      if (this.at === from) throw new Unreadable()
    }
    this.leave()
    return fields
  }

  private key(): string | undefined {
    const character = this.text[this.at]!
    if (quoteOf(character) !== undefined) {
      const key = this.string("key")
      if (this.isOver && this.cut) return undefined
      return key
    }
    if (character === "\\" && quoteOf(this.text[this.at + 1]) !== undefined) return this.escaped()
    const from = this.at
    while (!this.isOver && !/[:,{}[\]\n=]/.test(this.text[this.at]!)) this.at++
    if (this.isOver) {
      this.endOfText()
      return undefined
    }
    const name = this.text.slice(from, this.at).trim()
    if (name === "") throw new Unreadable()
    const last = name.at(-1)!
    if (quoteOf(last) !== undefined) {
      this.repairs.add("a missing quote")
      return name.slice(0, -1)
    }
    this.repairs.add("a name without quotes")
    return name
  }

  /** A number, a word, a call such as `ObjectId("…")`, or text without quotes. */
  private bare(place: Place): Json | undefined {
    const number = this.match(strictNumber)
    if (number !== undefined && this.isDelimited(this.at + number.length)) {
      const end = this.at + number.length
      // It may go on where the text is cut.
      if (end === this.text.length && this.partial) {
        this.at = end
        this.endOfText()
        return undefined
      }
      this.at = end
      return Number(number)
    }
    const loose = this.match(looseNumber)
    if (loose !== undefined && this.isDelimited(this.at + loose.length) && !/^[+-]?0\d/.test(loose)) {
      const value = Number(loose.replaceAll("_", "").replace(/[eE][+-]?$/, "").replace(/\.$/, ""))
      if (Number.isFinite(value)) {
        this.at += loose.length
        if (this.at === this.text.length && this.partial) {
          this.endOfText()
          return undefined
        }
        this.repairs.add("a number in another form")
        return value
      }
    }
    const word = this.match(identifier)
    if (word !== undefined) {
      const end = this.at + word.length
      const known = words.get(word.toLowerCase())
      if (known !== undefined && (this.isDelimited(end) || this.text[end] === ")")) {
        if (word !== String(known)) this.repairs.add("a word of another language")
        this.at = end
        return known
      }
      if (
        end === this.text.length && this.due.length > 0 &&
        ["true", "false", "null"].some((known) => known.startsWith(word))
      ) {
        this.at = end
        this.endOfText()
        return undefined
      }
      const call = /^\s*\(/.exec(this.text.slice(end, end + 8))?.[0]
      if (call !== undefined) {
        this.at = end + call.length - 1
        this.enter(")")
        const value = this.value("array")
        this.skip()
        if (this.text[this.at] === ")") this.at++
        else if (!this.isOver) throw new Unreadable()
        if (this.text[this.at] === ";") this.at++
        this.leave()
        this.repairs.add("a call around a value")
        return value
      }
    }
    return this.unquoted(place)
  }

  private isDelimited(at: number): boolean {
    const rest = this.text.slice(at, at + 3)
    return rest === "" || /^(?:[,}\]);]|\/\/|\/\*|#)/.test(rest) ||
      (white.test(rest[0]!) && this.isDelimitedAfterWhite(at))
  }

  private isDelimitedAfterWhite(at: number): boolean {
    let end = at
    while (end < this.text.length && end < at + ahead && white.test(this.text[end]!)) {
      if (this.text[end] === "\n") return true
      end++
    }
    const rest = this.text.slice(end, end + 3)
    return rest === "" || /^(?:[,}\]);"'{[]|\/\/|\/\*|#|-?\d)/.test(rest)
  }

  private unquoted(place: Place): Json {
    const from = this.at
    if (place === "top") throw new Unreadable()
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at]!
      if (
        character === "/" &&
        (this.text[this.at + 1] === "*" || (this.text[this.at + 1] === "/" && this.text[this.at - 1] !== ":"))
      ) break
      if (
        place === "array"
          ? character === "," || character === "]" || character === "\n" || character === ")"
          : character === "}"
      ) break
      if (place === "object" && (character === "," || character === "\n")) {
        const rest = this.text.slice(this.at + 1, this.at + ahead).trimStart()
        if (rest === "" || /^[}\]]/.test(rest) || this.looksLikeKey(rest) || rest.startsWith("//")) break
        if (character === "," && !rest.includes("}") && !rest.includes("\n")) continue
      }
    }
    let text = this.text.slice(from, this.at).trim()
    if (this.isOver) this.endOfText()
    if (text === "") throw new Unreadable()
    if (/^[[\]{}():=,]/.test(text)) throw new Unreadable()
    const isOpened = quoteOf(text.at(-1)) !== undefined && !/["'\u201c]/.test(text.slice(0, -1))
    if (isOpened) text = text.slice(0, -1)
    this.repairs.add(isOpened ? "a missing quote" : "text without quotes")
    return text
  }
}

/**
 * Reads the value that begins at `at`. With `partial`, the text is one that is still being written: a number at its very end is not certain.
 *
 * @category parsing
 * @since 0.1.0
 */
export const repair = (text: string, at = 0, partial = false): Repaired | Misread => {
  const reader = new Reader(text, at, partial)
  let value: Json | undefined
  try {
    value = reader.value("top")
  } catch {
    // Not to be understood, which is no value.
  }
  const { end } = reader
  return value === undefined ? { value, end } : { value, end, repairs: [...reader.repairs], cut: reader.cut }
}
