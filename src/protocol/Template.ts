/**
 * Reads frames that differ from an earlier one in nothing but one string, without parsing them again.
 *
 * Most frames of a stream are the frame before with another piece of text. After such a frame was parsed, its text is a
 * hole between a prefix and a suffix; a later frame with the same prefix and suffix and a JSON string in the hole means
 * the same with that string. A frame that fits no template is parsed as ever, so this changes cost and nothing else.
 *
 * @since 0.1.0
 */

import { parseJson } from "../json/parse.ts"

/** Attempts to learn without a single use, after which frames are taken to vary in more than their text. */
const maxVain = 8

/** What would make a string literal end early, need unescaping, or be invalid. */
// oxlint-disable-next-line eslint/no-control-regex -- JSON forbids control characters in strings
const special = /["\\\u0000-\u001f]/

const probe = "a probe, to see where the text is"

/**
 * The template of one stream.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Template {
  private prefix = ""
  private suffix = ""
  private vain = 0
  /** Whether there is anything to compare frames with. */
  learned = false

  /** The string in the hole, or `undefined` when the frame does not fit. */
  read(frame: string): string | undefined {
    const { prefix, suffix } = this
    const from = prefix.length
    const to = frame.length - suffix.length
    // Slices and comparison are faster than startsWith and endsWith, which go character by character.
    if (to < from || frame.slice(0, from) !== prefix || frame.slice(to) !== suffix) return undefined
    const text = frame.slice(from, to)
    if (special.test(text)) {
      const unescaped = parseJson(`"${text}"`)
      if (typeof unescaped !== "string") return undefined
      this.vain = 0
      return unescaped
    }
    this.vain = 0
    return text
  }

  /** Learns from a frame that was parsed: `text` is its string, `textOf` finds the string in a parsed frame. */
  learn(frame: string, text: string, textOf: (frame: unknown) => unknown): void {
    this.learned = false
    if (this.vain >= maxVain) return
    this.vain++
    const literal = JSON.stringify(text)
    const at = frame.indexOf(literal)
    if (at === -1 || frame.indexOf(literal, at + 1) !== -1) return
    const prefix = frame.slice(0, at + 1)
    const suffix = frame.slice(at + literal.length - 1)
    if (textOf(parseJson(prefix + probe + suffix)) !== probe) return
    this.prefix = prefix
    this.suffix = suffix
    this.learned = true
  }

  /** The next frame may mean something else. */
  forget(): void {
    this.learned = false
  }
}
