/**
 * Splits reasoning that a host writes inline between tags from the answer, whatever the chunk boundaries.
 *
 * Only as much text is held back as could begin the next tag. Nothing is trimmed: what stands between
 * the tags is reasoning, everything else is text, the tags themselves are dropped.
 *
 * @since 0.1.0
 */

/**
 * The tags around inline reasoning.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Tags {
  /** What begins reasoning in the text, such as `<think>`. */
  readonly open: string
  /** What ends it, such as `</think>`. */
  readonly close: string
  /** Whether the answer begins inside: chat templates that write the opening tag into the prompt. @default false */
  readonly startsInside?: boolean | undefined
}

/**
 * The tags that a host's quirk stands for: `true` is the usual pair, `false` none.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const tagsOf = (quirk: Tags | boolean | undefined): Tags | undefined =>
  quirk === true ? { open: "<think>", close: "</think>" } : quirk === false ? undefined : quirk

/**
 * Takes the text of one answer apart.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class ThinkTags {
  private inside: boolean
  private held = ""
  private readonly tags: Tags
  private readonly onText: (text: string) => void
  private readonly onReasoning: (text: string) => void

  constructor(tags: Tags, onText: (text: string) => void, onReasoning: (text: string) => void) {
    this.tags = tags
    this.inside = tags.startsInside === true
    this.onText = onText
    this.onReasoning = onReasoning
  }

  push(more: string): void {
    let text = this.held === "" ? more : this.held + more
    this.held = ""
    while (text !== "") {
      const tag = this.inside ? this.tags.close : this.tags.open
      const at = text.indexOf(tag)
      if (at >= 0) {
        this.emit(text.slice(0, at))
        text = text.slice(at + tag.length)
        this.inside = !this.inside
        continue
      }
      const keep = prefixAtEnd(text, tag)
      this.emit(text.slice(0, text.length - keep))
      this.held = text.slice(text.length - keep)
      return
    }
  }

  /** Gives out what was held back: it was no tag. */
  flush(): void {
    const held = this.held
    this.held = ""
    this.emit(held)
  }

  private emit(text: string): void {
    if (text === "") return
    if (this.inside) this.onReasoning(text)
    else this.onText(text)
  }
}

/** Length of the longest end of `text` that begins `tag`. */
const prefixAtEnd = (text: string, tag: string): number => {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(tag.slice(0, length))) return length
  }
  return 0
}
