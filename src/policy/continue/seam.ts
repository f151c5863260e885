/**
 * Finds where a continuation really begins: what it repeats of the text before it is cut away.
 *
 * Text is held back only as long as it can still be a repetition, that is while it occurs in what was written before its end.
 * An overlap counts from a length on that chance does not reach; digits alone never count, because `10` and `100` differ by
 * nothing but a repetition.
 *
 * @since 0.1.0
 */

import { Occurrence, overlapOf } from "./overlap.ts"

/**
 * What a continuation was asked to do.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Asked {
  /** The last characters it was asked to begin with; `undefined` after a prefill, where nothing should be repeated. */
  readonly repeat?: string | undefined
}

const leastAsked = 4
const leastUnasked = 8

/**
 * The seam between a text and its continuation.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Seam {
  /** What was written, without the space at its end. */
  private readonly written: string
  private readonly space: string
  private readonly repeat: string | undefined
  private held = ""
  private readonly found: Occurrence
  private begun = false
  private open = false

  constructor(written: string, asked: Asked = {}) {
    this.written = written.trimEnd()
    this.space = written.slice(this.written.length)
    this.repeat = asked.repeat
    this.found = new Occurrence(this.written)
  }

  /** Takes text of the continuation and gives what of it is new for sure. */
  push(text: string): string {
    if (this.open) return text
    this.held += text
    // Space at the beginning is no part of what is looked for.
    const more = this.begun ? text : text.trimStart()
    if (more === "") return ""
    this.begun = true
    const end = this.found.grow(more)
    // The first place decides: while it ends before the end, more of the same may come, and then the same space.
    if (end !== undefined && (end < this.written.length || this.space !== "")) return ""
    return this.flush()
  }

  /** Decides with what there is. */
  flush(): string {
    if (this.open) return ""
    this.open = true
    const begun = this.held.trimStart()
    const overlap = this.overlapOf(begun)
    return dropSpace(this.space, overlap === 0 ? this.held : begun.slice(overlap))
  }

  /** Length of the longest beginning of `text` that ends `written`, 0 when it can be chance. */
  private overlapOf(text: string): number {
    const length = overlapOf(this.written, text)
    return length > 0 && this.counts(text.slice(0, length)) ? length : 0
  }

  private counts(overlap: string): boolean {
    if (this.repeat !== undefined && this.repeat !== "" && overlap.endsWith(this.repeat.trimEnd())) return true
    return overlap.length >= (this.repeat === undefined ? leastUnasked : leastAsked) && /\p{L}/u.test(overlap)
  }
}

/** Drops space at the beginning that was written already. */
const dropSpace = (written: string, text: string): string => {
  const space = text.slice(0, text.length - text.trimStart().length)
  return text.slice(overlapOf(written, space))
}
