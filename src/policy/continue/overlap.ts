/**
 * Where a text that still grows occurs in another, and how far one goes on the other: each character is looked at a bounded
 * number of times, whatever repeats in the texts.
 *
 * Knuth, Morris and Pratt: https://doi.org/10.1137/0206024
 *
 * @since 0.1.0
 */

/** A pattern that may grow, with the length of the longest of its beginnings that also ends it, at each place. */
class Pattern {
  /** Not a string, of which to read one character after each growth would cost its length. */
  private readonly codes: Array<number> = []
  private readonly borders: Array<number> = []

  get length(): number {
    return this.codes.length
  }

  grow(more: string): void {
    const { borders, codes } = this
    for (let at = 0; at < more.length; at++) {
      const code = more.charCodeAt(at)
      borders.push(codes.length === 0 ? 0 : this.next(borders[codes.length - 1]!, code))
      codes.push(code)
    }
  }

  /** How much of the pattern is matched when this character follows `matched` of it, all of which is less than the pattern. */
  next(matched: number, code: number): number {
    let length = matched
    while (length > 0 && this.codes[length] !== code) length = this.borders[length - 1]!
    return this.codes[length] === code ? length + 1 : 0
  }
}

/**
 * The first place at which a growing text occurs in another.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Occurrence {
  private readonly within: string
  private readonly pattern = new Pattern()
  private at = 0
  private matched = 0

  constructor(within: string) {
    this.within = within
  }

  /** Adds to the text and gives where its first occurrence ends, `undefined` when there is none any more. */
  grow(more: string): number | undefined {
    const { pattern, within } = this
    pattern.grow(more)
    while (this.matched < pattern.length && this.at < within.length) {
      this.matched = pattern.next(this.matched, within.charCodeAt(this.at++))
    }
    return this.matched === pattern.length ? this.at : undefined
  }
}

/**
 * Length of the longest beginning of `text` that ends `written`.
 *
 * @stability stable
 * @category parsing
 * @since 0.1.0
 */
export const overlapOf = (written: string, text: string): number => {
  const length = Math.min(written.length, text.length)
  const pattern = new Pattern()
  pattern.grow(text.slice(0, length))
  let matched = 0
  // Less than the pattern is matched until the very last character, because no more than its length is read.
  for (let at = written.length - length; at < written.length; at++) {
    matched = pattern.next(matched, written.charCodeAt(at))
  }
  return matched
}
