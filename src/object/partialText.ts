/**
 * The value of an answer while it comes, through what may stand before it: whitespace, a Markdown fence and, where that is asked for, prose
 * and JSON that is none.
 *
 * @since 0.1.0
 */
import { candidatesIn } from "../json/extract.ts"
import { GrowingJson, type Guide } from "../json/growing.ts"
import type { Json } from "../json/value.ts"

/** Where the first bracket is that does not belong to the first line of a fence; -1 where there is none. */
const firstBracket = (text: string): number => {
  const first = text.search(/[[{]/)
  if (first < 0) return first
  const fence = text.indexOf("```", text.lastIndexOf("\n", first) + 1)
  const end = fence >= 0 && fence < first ? text.indexOf("\n", first) : -1
  if (end < 0) return first
  const next = text.slice(end).search(/\S/)
  return next >= 0 && /[[{]/.test(text.charAt(end + next)) ? end + next : first
}

const start = /^[\s\ufeff]*(?:```[^\n]*\n\s*)?(?=[[{"\d-]|[tfn])/
const fenceOrNothing = /^[\s\ufeff]*(?:`{0,3}|```[^\n]*\n?\s*)$/
/** Prose before the value is given up after so many characters. */
const longestProse = 8192

/**
 * A reader of one answer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class PartialText {
  private readonly reader: GrowingJson
  private readonly repair: boolean
  /** What came before the value began, and all of it where it has to be read again and again. */
  private text = ""
  private hasBegun = false
  private isLost = false
  private readAt = 0

  constructor(guide: Guide, repair: boolean) {
    this.reader = new GrowingJson(guide)
    this.repair = repair
  }

  /** The whole elements so far of the list that was asked for. */
  get elements(): ReadonlyArray<Json> {
    return this.reader.elements
  }

  /** Reads on; the value, if it changed. */
  push(delta: string): Json | undefined {
    // White space in front is not kept: models in a JSON mode can write it without an end.
    if (this.repair || !this.hasBegun) this.text += this.text === "" ? delta.trimStart() : delta
    if (this.isLost) return this.again()
    if (this.hasBegun) this.reader.push(delta)
    else this.begin(delta)
    if (this.hasBegun && this.reader.isBroken) {
      this.isLost = true
      return this.again()
    }
    return this.reader.take()
  }

  private begin(delta: string): void {
    const found = start.exec(this.text)
    const at = found !== null
      ? found.index + found[0].length
      : this.repair && /[[{]/.test(delta)
      ? firstBracket(this.text)
      : -1
    if (at < 0) {
      const isOpen = this.text.length < longestProse && (this.repair || fenceOrNothing.test(this.text))
      if (!isOpen) this.isLost = true
      return
    }
    this.hasBegun = true
    this.reader.push(this.text.slice(at))
    if (!this.repair) this.text = ""
  }

  /** What is no JSON is read anew only after growth in proportion, which keeps the work linear in the length of the answer. */
  private again(): Json | undefined {
    if (!this.repair || this.text.length - this.readAt < this.text.length / 16) return undefined
    this.readAt = this.text.length
    return candidatesIn(this.text, true)[0]?.value
  }
}
