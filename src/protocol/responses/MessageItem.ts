/**
 * Messages of an answer: text, refusals, citations and sound by content index.
 *
 * Hosts number content parts one way in deltas and another in whole forms. A whole text is therefore that of the part
 * whose text it begins with, and only where there is none that of its number.
 *
 * @since 0.1.0
 */
import { blank, type Fields, filled, list, nonEmpty, record, textIn } from "../Probe.ts"
import { audioFrom, sourceFrom } from "./Attachments.ts"
import { agrees, Claims, Item, replayOf, together, unsaid } from "./Item.ts"

/** Parts open with their first text, so that an empty one never shows. */
const unopened = -1

interface Content {
  /** Index of the part or {@link unopened}. */
  part: number
  open: boolean
  readonly refusal: boolean
  /** How many annotations have come. */
  sources: number
  logprobs: Array<unknown> | undefined
}

/** The text and kind of a whole content part, under whichever name it has them. */
const textOf = (part: Fields): { readonly text: string; readonly refusal: boolean } => {
  const text = textIn(part["text"]) || textIn(part["content"])
  const refusal = textIn(part["refusal"])
  return refusal !== "" && (part["type"] === "refusal" || text === "")
    ? { text: refusal, refusal: true }
    : { text, refusal: part["type"] === "refusal" }
}

/** The content parts of a whole item. */
const partsOf = (item: Fields): ReadonlyArray<Fields | undefined> => {
  const content = item["content"]
  if (blank(content)) {
    const text = filled(item["text"]) ?? filled(item["output_text"])
    return text === undefined ? [] : [{ text }]
  }
  if (typeof content === "string") return [{ text: content }]
  return list(content).map((one) => typeof one === "string" ? { text: one } : record(one))
}

/**
 * What a whole message says, as {@link MessageItem.said} has it.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const messageText = (item: Fields): string =>
  together(partsOf(item).map((part) => part === undefined ? "" : textOf(part).text))

/** A message: text and refusals by content index. @stability experimental @category decoding @since 0.1.0 */
export class MessageItem extends Item {
  readonly kind = "message"
  private readonly contents: Array<Content> = []
  /** Those whose text is open. */
  private open: Array<Content> = []
  /** Content parts by the index that deltas give. */
  private readonly byIndex = new Map<number, Content>()
  /** Content parts by the index that whole events give. */
  private readonly wholes = new Claims<Content>()
  private phase: string | undefined
  private sounds = 0

  override take(item: Fields): void {
    super.take(item)
    this.phase ??= nonEmpty(item["phase"])
  }

  /** Text of a content part: a piece, or with `whole` all of it. */
  text(at: number, text: string, refusal: boolean, whole: boolean): void {
    if (text === "") return
    if (whole) this.wholeText(at, text, refusal, this.wholes)
    else {
      const content = this.content(at, refusal)
      if (content.part === unopened || content.open) this.say(content, text)
    }
    if (this.closed) this.endTexts()
  }

  /** Log probabilities of a content part: of one piece, or with `whole` of all of it. */
  logprobs(at: number, given: unknown, whole: boolean): void {
    this.logprobsOf(whole ? this.wholes.get(at) ?? this.content(at, false) : this.content(at, false), given, whole)
  }

  annotation(at: number, annotation: unknown): void {
    this.annotate(this.content(at, false), annotation)
  }

  /** A content part in its whole form. */
  part(at: number, part: Fields): void {
    this.wholePart(at, part, this.wholes)
  }

  said(): string {
    return together(this.contents.map((content) => this.saidBy(content)))
  }

  protected whole(item: Fields): void {
    this.parts(item)
    this.endTexts()
  }

  supplement(item: Fields): void {
    this.parts(item)
    this.endTexts()
  }

  end(): void {
    this.closed = true
    this.endTexts()
  }

  private parts(item: Fields): void {
    const claims = new Claims<Content>()
    partsOf(item).forEach((part, at) => {
      if (part !== undefined) this.wholePart(at, part, claims)
    })
  }

  private wholePart(at: number, part: Fields, claims: Claims<Content>): void {
    if (part["type"] === "output_audio") {
      const audio = audioFrom(part)
      if (audio !== undefined && this.sounds++ === 0) this.assembler.file(audio)
      return
    }
    const { refusal, text } = textOf(part)
    const content = text === "" ? undefined : this.wholeText(at, text, refusal, claims)
    if (refusal) return
    const logprobs = list(part["logprobs"])
    const annotations = blank(part["annotations"]) ? [] : list(part["annotations"])
    if (logprobs.length === 0 && annotations.length === 0) return
    const of = content ?? claims.get(at) ?? this.content(at, false)
    this.logprobsOf(of, logprobs, true)
    for (const annotation of annotations.slice(of.sources)) this.annotate(of, annotation)
  }

  /** The whole text of a content part: says what is missing of it. */
  private wholeText(at: number, text: string, refusal: boolean, claims: Claims<Content>): Content {
    const key = keyOf(at, refusal)
    const content = claims.get(key) ?? this.contentOf(at, text, refusal, claims)
    claims.set(key, content)
    const length = this.lengthOf(content)
    if (content.part === unopened || content.open) {
      this.say(content, unsaid(length, () => this.saidBy(content), text))
    } else if (length > 0 && text.length > length && agrees(this.saidBy(content), text)) {
      // The part was ended too early: the rest is one of its own.
      content.part = unopened
      this.say(content, text.slice(length))
    }
    return content
  }

  /** The content part that a whole text is of: one that says the same, else the one with its number, else a new one. */
  private contentOf(at: number, text: string, refusal: boolean, claims: Claims<Content>): Content {
    const numbered = this.byIndex.get(keyOf(at, refusal))
    const free = numbered !== undefined && !claims.has(numbered)
    if (free && agrees(this.saidBy(numbered), text)) return numbered
    const same = claims.find(
      this.contents,
      (content) => content.refusal === refusal && agrees(this.saidBy(content), text)
    )
    return same ?? (free ? numbered : this.add(refusal))
  }

  private say(content: Content, text: string): void {
    if (text === "") return
    if (content.refusal) this.shared.refused = true
    this.shared.spoken = true
    if (content.part === unopened) {
      content.part = this.assembler.openText()
      content.open = true
      this.open.push(content)
    }
    this.assembler.text(content.part, text)
  }

  private saidBy(content: Content): string {
    return content.part === unopened ? "" : this.assembler.contentOf(content.part)
  }

  private lengthOf(content: Content): number {
    if (content.part === unopened) return 0
    return content.open ? this.assembler.openLength(content.part) : this.saidBy(content).length
  }

  private logprobsOf(content: Content, given: unknown, whole: boolean): void {
    const logprobs = list(given)
    if (logprobs.length === 0 || blank(logprobs[0])) return
    if (content.logprobs === undefined) this.shared.logprobs.push(content.logprobs = [])
    if (whole && logprobs.length >= content.logprobs.length) content.logprobs.length = 0
    else if (whole) return
    for (const one of logprobs) content.logprobs.push(one)
  }

  private annotate(content: Content, annotation: unknown): void {
    content.sources++
    const part = sourceFrom(annotation)
    if (part !== undefined) this.assembler.source(part)
  }

  private content(at: number, refusal: boolean): Content {
    const key = keyOf(at, refusal)
    let content = this.byIndex.get(key)
    if (content === undefined) this.byIndex.set(key, content = this.add(refusal))
    return content
  }

  private add(refusal: boolean): Content {
    const content = { part: unopened, open: false, refusal, sources: 0, logprobs: undefined }
    this.contents.push(content)
    return content
  }

  private endTexts(): void {
    const { open } = this
    this.open = []
    for (const content of open) {
      const replay = replayOf({ id: this.id, phase: this.phase, refusal: content.refusal || undefined })
      this.assembler.endText(content.part, replay === undefined ? {} : { ...replay, origin: this.assembler.origin })
      content.open = false
    }
  }
}

/** Servers that do not count content parts may say text and a refusal under the same index. */
const keyOf = (at: number, refusal: boolean): number => refusal ? -1 - at : at
