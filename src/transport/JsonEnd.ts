/**
 * Tells whether a JSON document that comes in pieces has closed, so that an answer is whole although its connection stays open.
 *
 * Asked only when the reader would have to wait. Most documents close once and parse at the first try; for any other each
 * character is looked at once, and no text is parsed more than twice, whatever was sent.
 *
 * @since 0.1.0
 */
import { parseJson } from "../json/parse.ts"

/** Where the first character that is not white space stands, from the end; -1 when there is none. */
const lastPlace = (text: string): number => {
  for (let at = text.length - 1; at >= 0; at--) {
    const code = text.charCodeAt(at)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at
  }
  return -1
}

/**
 * A JSON object or array on its way.
 *
 * @category models
 * @since 0.1.0
 */
export class JsonEnd {
  private pieces: Array<string> = []
  /** The last character that is not white space. */
  private last = 0
  private tried = false
  private givenUp = false
  private parsed: { readonly body: unknown } | undefined
  /** How many pieces have been looked at, and what they left open. */
  private seen = 0
  private depth = 0
  private inString = false
  private escaped = false

  push(text: string): void {
    const at = lastPlace(text)
    this.pieces.push(text)
    if (at === -1) return
    this.last = text.charCodeAt(at)
    // What goes on behind its end is not one document.
    if (this.parsed !== undefined) {
      this.parsed = undefined
      this.givenUp = true
    }
  }

  get text(): string {
    if (this.pieces.length !== 1) this.pieces = [this.pieces.join("")]
    return this.pieces[0]!
  }

  /** What the document says, once {@link closed} has found it whole. */
  get body(): unknown {
    return this.parsed?.body
  }

  /** Whether the document has closed. */
  get closed(): boolean {
    if (this.parsed !== undefined) return true
    if (this.givenUp || (this.last !== 125 && this.last !== 93)) return false
    if (!this.tried) {
      this.tried = true
      return this.parse()
    }
    this.scan()
    if (this.depth > 0 || this.inString) return false
    this.givenUp = !this.parse()
    return !this.givenUp
  }

  /** Whether the document fills one line: then it may be the first of several. */
  get isLine(): boolean {
    const { text } = this
    return text.indexOf("\n", text.search(/\S/)) > lastPlace(text)
  }

  private parse(): boolean {
    const body = parseJson(this.text)
    if (body !== undefined) this.parsed = { body }
    return body !== undefined
  }

  private scan(): void {
    for (; this.seen < this.pieces.length; this.seen++) {
      const piece = this.pieces[this.seen]!
      for (let at = 0; at < piece.length; at++) {
        const code = piece.charCodeAt(at)
        if (this.inString) {
          if (this.escaped) this.escaped = false
          else if (code === 92) this.escaped = true
          else if (code === 34) this.inString = false
        } else if (code === 34) this.inString = true
        else if (code === 123 || code === 91) this.depth++
        else if (code === 125 || code === 93) this.depth--
      }
    }
  }
}
