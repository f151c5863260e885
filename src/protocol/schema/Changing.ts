/**
 * JSON text in the form that was sent, given on in the form that the caller's schema says.
 *
 * @since 0.1.0
 */
import { parseJson } from "../../json/parse.ts"
import type { Json } from "../../Message.ts"
import { unfenced } from "../../object/fence.ts"

/**
 * One text of JSON as it comes. What is no JSON goes on as it is.
 *
 * @category models
 * @since 0.1.0
 */
export class Changing {
  private readonly undo: (answer: Json) => Json
  private readonly pieces: Array<string> = []
  private length = 0
  private given = false
  private plain = false

  constructor(undo: (answer: Json) => Json) {
    this.undo = undo
  }

  /** All that came, in the form that it came in. */
  get raw(): string {
    if (this.pieces.length > 1) this.pieces.splice(0, this.pieces.length, this.pieces.join(""))
    return this.pieces[0] ?? ""
  }

  /** Characters that came. */
  get rawLength(): number {
    return this.length
  }

  /** Takes a piece and gives what can be told. */
  push(piece: string): string {
    this.pieces.push(piece)
    const before = this.length
    this.length += piece.length
    if (this.plain) return piece
    if (before > 0 && this.given) return ""
    const text = this.raw
    const first = text.trimStart()[0]
    if (first !== undefined && first !== "{" && first !== "[" && first !== "`") {
      this.plain = true
      return text
    }
    return ""
  }

  /** No more comes: gives what is left. */
  end(): string {
    if (this.plain || this.given) return ""
    this.given = true
    const text = this.raw
    const value = parseJson(unfenced(text))
    return value === undefined ? text : JSON.stringify(this.undo(value))
  }
}
