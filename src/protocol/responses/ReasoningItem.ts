/**
 * Reasoning of an answer: one part, whose sections follow each other without a separator.
 *
 * As with messages, a whole section is the one whose text it begins with, whatever its number.
 *
 * @since 0.1.0
 */
import { type Fields, list, nonEmpty, textIn } from "../Probe.ts"
import { agrees, Claims, Item, replayOf, together, unsaid } from "./Item.ts"

/** Summaries written for readers, or the raw reasoning of open models. @stability experimental @category models @since 0.1.0 */
export type ReasoningField = "summary" | "content"

const sectionsOf = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string" ? [value] : list(value).map((one) => textIn(one))

/**
 * What whole reasoning says, as {@link ReasoningItem.said} has it.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const reasoningText = (item: Fields): string =>
  together(sectionsOf(item["summary"])) || together(sectionsOf(item["content"]))

/** Reasoning: one part, whose sections follow each other without a separator. @stability experimental @category decoding @since 0.1.0 */
export class ReasoningItem extends Item {
  readonly kind = "reasoning"
  /** What was said of each section that has any text, by its index; a server may count from anywhere. */
  private readonly sections = new Map<number, string>()
  /** The sections in the order in which they began. */
  private readonly places: Array<number> = []
  /** The highest of them. */
  private last = -1
  /** The field that spoke first; the other one would say the same again. */
  private field: ReasoningField | undefined
  /** Sections by the index that whole events give. */
  private readonly wholes = new Claims<number>()
  private part = -1
  private encrypted: string | undefined
  /** What OpenRouter adds to reasoning of other labs. */
  private signature: string | undefined
  private format: string | undefined

  override take(item: Fields): void {
    super.take(item)
    this.encrypted ??= nonEmpty(item["encrypted_content"])
    this.signature ??= nonEmpty(item["signature"])
    this.format ??= nonEmpty(item["format"])
  }

  /** Text of a section: a piece, or with `whole` all of it. */
  text(field: ReasoningField, at: number, text: string, whole: boolean): void {
    if (this.closed) return
    if (whole) this.wholeSection(field, at, text, this.wholes)
    else this.say(field, at, text)
  }

  said(): string {
    return together([...this.sections.values()])
  }

  private say(field: ReasoningField, at: number, text: string): void {
    if (text === "") return
    this.field ??= field
    if (field !== this.field) return
    const said = this.sections.get(at)
    if (said === undefined) this.places.push(at)
    this.sections.set(at, (said ?? "") + text)
    this.last = Math.max(this.last, at)
    if (this.part < 0) this.part = this.assembler.openReasoning()
    this.assembler.reasoning(this.part, text)
  }

  /** A section in its whole form; `claims` are those that other whole forms of the same kind are. */
  private wholeSection(field: ReasoningField, at: number, text: string, claims: Claims<number>): void {
    if (text === "" || (this.field !== undefined && field !== this.field)) return
    const section = claims.get(at) ?? this.sectionOf(at, text, claims)
    claims.set(at, section)
    const said = this.sections.get(section) ?? ""
    const more = unsaid(said.length, () => said, text)
    // What an earlier section lacked cannot be put before what was sent since.
    if (more !== "" && section >= this.last) this.say(field, section, more)
  }

  /** The section that a whole text is: one that says the same, else the one with its number. */
  private sectionOf(at: number, text: string, claims: Claims<number>): number {
    const free = !claims.has(at)
    if (free && agrees(this.sections.get(at) ?? "", text)) return at
    const same = claims.find(this.places, (place) => agrees(this.sections.get(place)!, text))
    return same ?? (free ? at : this.last + 1)
  }

  protected whole(item: Fields): void {
    this.texts(item)
    this.endPart(true)
  }

  supplement(item: Fields): void {
    const encrypted = nonEmpty(item["encrypted_content"])
    const late = this.encrypted === undefined && encrypted !== undefined
    if (this.field === undefined) this.texts(item)
    // Azure sends the encrypted content only with the final output: a part of its own, which joins this item when it is
    // replayed.
    if (late) {
      this.encrypted = encrypted
      if (this.part < 0) this.part = this.assembler.openReasoning()
    }
    if (this.part >= 0) this.endPart(false)
  }

  end(): void {
    this.closed = true
    this.endPart(true)
  }

  private texts(item: Fields): void {
    for (const field of ["summary", "content"] as const) {
      const claims = new Claims<number>()
      sectionsOf(item[field]).forEach((text, at) => this.wholeSection(field, at, text, claims))
    }
  }

  private endPart(evenEmpty: boolean): void {
    if (this.part < 0) {
      if (!evenEmpty || (this.encrypted === undefined && this.id === undefined)) return
      this.part = this.assembler.openReasoning()
    }
    const sections = [...this.sections].toSorted(([a], [b]) => a - b).map(([, text]) => text)
    const replay = replayOf({
      id: this.id,
      // The text of the part is the only summary, unless there are several.
      summary: this.field === "summary" && sections.length > 1 ? sections : undefined,
      content: this.field === "content" ? sections : undefined,
      format: this.format
    })
    this.assembler.endReasoning(this.part, {
      ...(this.signature === undefined ? undefined : { signature: this.signature }),
      ...(this.encrypted === undefined ? undefined : { encrypted: this.encrypted }),
      ...replay
    })
    this.part = -1
  }
}
