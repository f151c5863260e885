/**
 * Strings as models write them, and what may stand between values: single, curly and triple quotes, quotes and line breaks inside of
 * strings, escapes that are none, ends that are missing, comments.
 *
 * @since 0.1.0
 */
import { ahead, Lookahead, type Place } from "./lookahead.ts"
import { closes, escapes, quoteOf, white } from "./spelling.ts"
import type { Json } from "./value.ts"

/** A place in a text whose strings may be of any kind, and what was mended on the way. */
export class Strings extends Lookahead {
  readonly repairs = new Set<string>()
  cut = false
  protected readonly partial: boolean
  private readonly lastCommentEnd: number

  constructor(text: string, at: number, partial: boolean) {
    super(text, at)
    this.partial = partial
    this.lastCommentEnd = text.lastIndexOf("-->")
  }

  get end(): number {
    return this.at
  }

  protected get isOver(): boolean {
    return this.at >= this.text.length
  }

  /** Past whitespace and comments. */
  skip(): void {
    const { text } = this
    for (;;) {
      while (this.at < text.length && white.test(text[this.at]!)) this.at++
      if (text.startsWith("//", this.at) || (text[this.at] === "#" && this.due.length > 0)) {
        const end = text.indexOf("\n", this.at)
        this.at = end === -1 ? text.length : end
      } else if (text.startsWith("/*", this.at)) {
        const end = text.indexOf("*/", this.at + 2)
        this.at = end === -1 ? text.length : end + 2
      } else if (text.startsWith("<!--", this.at) && this.lastCommentEnd > this.at) {
        this.at = text.indexOf("-->", this.at) + 3
      } else return
      this.repairs.add("a comment")
    }
  }

  protected endOfText(): void {
    this.cut = true
    this.repairs.add("a missing end")
  }

  /** Strings that are added up, as in `"a" + "b"`, are one. */
  protected strings(place: Place): Json {
    let text = this.string(place)
    for (;;) {
      const before = this.at
      this.skip()
      if (this.text[this.at] !== "+") {
        this.at = before
        return text
      }
      this.at++
      this.skip()
      if (quoteOf(this.text[this.at]) === undefined) {
        this.at = before
        return text
      }
      this.repairs.add("strings added up")
      text += this.string(place)
    }
  }

  protected string(place: Place): string {
    const opened = this.text[this.at]!
    if (opened !== "\"") this.repairs.add(opened === "'" ? "single quotes" : "curly quotes")
    this.at++
    // Three quotes, as in Python.
    if (opened === "\"" && this.text.startsWith("\"\"", this.at)) {
      const end = this.text.indexOf("\"\"\"", this.at + 2)
      if (end !== -1) {
        this.repairs.add("triple quotes")
        const inside = this.text.slice(this.at + 2, end)
        this.at = end + 3
        return inside
      }
    }
    let text = ""
    let from = this.at
    const upTo = (end: number) => text + this.text.slice(from, end)
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at]!
      if (character === "\\") {
        text = upTo(this.at)
        text += this.escape()
        from = this.at
        this.at--
      } else if (closes(opened, character) && this.isEnd(place)) {
        text = upTo(this.at)
        this.at++
        return text
      } else if (closes(opened, character)) {
        const said = this.text.slice(Math.max(from, this.at - ahead), this.at)
        const before = said.replace(/\/\*[^*]*\*\/\s*$/, "").trimEnd()
        if (before.endsWith(",") && this.beginsNext(place)) {
          this.repairs.add("a missing quote")
          return upTo(this.at - said.length + before.length - 1)
        }
        this.repairs.add("a quote within a string")
      } else if (character === "\n" || character === "\r" || character === "\t") {
        if (character === "\n" && this.hasEnded(place)) {
          this.repairs.add("a missing quote")
          const line = upTo(this.at).trimEnd()
          const isComma = line.endsWith(",")
          return isComma ? line.slice(0, -1) : line
        }
        this.repairs.add("a line break within a string")
      }
    }
    text = upTo(this.text.length)
    this.at = this.text.length
    this.endOfText()
    return this.withoutClosers(text)
  }

  /** A string at the end of the text may have swallowed the closers that are due. */
  private withoutClosers(text: string): string {
    const trimmed = text.trimEnd()
    let end = trimmed.length
    let open = this.due.length
    while (open > 0 && end > 0) {
      const character = trimmed[end - 1]!
      if (character === this.due[this.due.length - open]) open--
      else if (!white.test(character)) break
      end--
    }
    if (open > 0 || this.due.length === 0 || this.partial) return isHalf(text) ? text.slice(0, -1) : text
    return trimmed.slice(0, end).trimEnd()
  }

  private escape(): string {
    const letter = this.text[this.at + 1]
    if (letter === undefined) {
      this.at++
      return ""
    }
    if (letter === "u") {
      const digits = /^[0-9a-fA-F]{0,4}/.exec(this.text.slice(this.at + 2, this.at + 6))![0]
      if (digits.length === 4) {
        this.at += 6
        return String.fromCharCode(Number.parseInt(digits, 16))
      }
      if (this.at + 2 + digits.length >= this.text.length) {
        this.at = this.text.length
        return ""
      }
      this.repairs.add("an escape that is none")
      this.at += 2
      return "\\u"
    }
    this.at += 2
    const character = escapes[letter]
    if (character !== undefined) return character
    if (letter === "\"" || letter === "\\" || letter === "/") return letter
    this.repairs.add("an escape that is none")
    return letter === "\n" ? "" : letter
  }

  /** `\"text\"`: JSON that was written as a string, its outer quotes lost. */
  protected escaped(): string {
    this.repairs.add("escaped quotes")
    const from = this.at + 2
    let end = from
    while (end < this.text.length) {
      if (this.text[end] === "\\") {
        if (this.text[end + 1] === "\"") break
        end += 2
        if (this.text[end - 1] === "\\" && this.text[end] === "\"") end++
      } else if (this.text[end] === "\"") break
      else end++
    }
    const inside = this.text.slice(from, end)
    if (end >= this.text.length) this.endOfText()
    this.at = Math.min(this.text.length, end + (this.text[end] === "\\" ? 2 : 1))
    let length = inside.length
    while (inside[length - 1] === "\\") length--
    return inside.slice(0, length).replaceAll("\\\\\"", "\"").replaceAll("\\\\", "\\").replaceAll(
      /\\([nrt])/g,
      (_, letter: string) => escapes[letter]!
    )
  }
}

const isHalf = (text: string): boolean => {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff
}
