/**
 * The text of a body, as far as a bound: what is beyond it is neither kept nor waited for.
 *
 * @since 0.1.0
 */
import { JsonEnd } from "./JsonEnd.ts"
import type { Sink } from "./JsonText.ts"
import { Utf8Chunks } from "./Utf8.ts"

/**
 * A text that is collected from bytes.
 *
 * @category models
 * @since 0.1.0
 */
export class BoundedText implements Sink {
  /** Whether there was more than the bound. */
  isOver = false
  private readonly most: number
  private readonly chunks = new Utf8Chunks()
  private readonly json = new JsonEnd()
  private pieces: Array<string> = []
  private length = 0

  /** `most` is in characters (UTF-16 code units). */
  constructor(most: number) {
    this.most = most
  }

  accept(chunks: ReadonlyArray<Uint8Array>): void {
    for (let i = 0; i < chunks.length && !this.isOver; i++) this.add(this.chunks.decode(chunks[i]!))
  }

  get closed(): boolean {
    return this.isOver || this.json.closed
  }

  /** The text so far, which ends in a whole character. What was cut does not depend on how the bytes came. */
  read(): string {
    this.add(this.chunks.end())
    const text = this.pieces.join("")
    this.pieces = [text]
    return text
  }

  private add(text: string): void {
    const left = this.most - this.length
    this.isOver ||= text.length > left
    if (text === "" || left === 0) return
    const kept = text.length > left ? whole(text.slice(0, left)) : text
    this.pieces.push(kept)
    this.json.push(kept)
    this.length = text.length > left ? this.most : this.length + kept.length
  }
}

/** Without half a surrogate pair at the end. */
const whole = (text: string): string => {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff ? text.slice(0, -1) : text
}
