/**
 * Text that comes in many small pieces.
 *
 * Pieces are joined while they are young: thousands of live ones, or a rope of them, are what a garbage collector
 * copies again and again.
 *
 * @since 0.1.0
 */

/** Pieces joined at a time. */
const pieceCount = 64

/**
 * A text that grows.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Pieces {
  private blocks: Array<string> = []
  private readonly recent: Array<string> = []
  /** Characters of the text so far, which cost nothing to know. */
  length = 0

  /** Appends a piece. */
  add(piece: string): void {
    this.length += piece.length
    if (this.recent.push(piece) < pieceCount) return
    this.blocks.push(this.recent.join(""))
    this.recent.length = 0
  }

  /** The text so far. */
  read(): string {
    if (this.recent.length > 0) {
      this.blocks.push(this.recent.join(""))
      this.recent.length = 0
    }
    if (this.blocks.length > 1) this.blocks = [this.blocks.join("")]
    return this.blocks[0] ?? ""
  }
}
