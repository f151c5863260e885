/**
 * Collects reasoning: synonymous text fields, and `reasoning_details` with signatures and encrypted data.
 *
 * Of the synonymous fields the first non-empty one counts, never two; the text of details counts only where no
 * field carries any. Details are kept for replay in the order of the wire: consecutive deltas of one text or
 * summary are merged, encrypted entries are parts of their own with empty text. The entries of all
 * reasoning parts, in order, are what the host must get back.
 *
 * @see https://openrouter.ai/docs/use-cases/reasoning-tokens
 * @since 0.1.0
 */
import { setOwn } from "../../json/own.ts"
import type { Json, JsonObject, ReasoningPart } from "../../Message.ts"
import type { Assembler } from "../assembling.ts"
import { blankBut, type Fields, list, nonEmpty, record, textIn } from "../Probe.ts"

const synonyms = ["reasoning_content", "reasoning", "reasoning_text", "thinking"] as const

const fieldText = (delta: Fields): string => {
  for (const name of synonyms) {
    const value = delta[name]
    if (value === undefined || value === null) continue
    const text = textIn(value)
    if (text !== "") return text
  }
  return ""
}

type Draft = Record<string, unknown>

/** The text field of a detail, by its type. */
const textKey = (detail: Fields): "text" | "summary" | undefined =>
  typeof detail["text"] === "string" ? "text" : typeof detail["summary"] === "string" ? "summary" : undefined

const labels: ReadonlySet<string> = new Set(["type", "format", "index"])

const continues = (earlier: Fields, later: Fields): boolean =>
  earlier["type"] === later["type"] &&
  earlier["index"] === later["index"] &&
  (earlier["id"] ?? undefined) === (later["id"] ?? earlier["id"] ?? undefined) &&
  textKey(later) !== undefined &&
  // A signature ends its text: what follows is the next block, even under the same index.
  (nonEmpty(earlier["signature"]) === undefined || earlier["signature"] === later["signature"] ||
    later[textKey(later)!] === "")

/**
 * The reasoning of one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class Reasoning {
  /** Whether any reasoning has come. */
  seen = false

  private readonly assembler: Assembler
  /** Called before a part opens, so that text closes first. */
  private readonly onOpen: () => void
  private part = -1
  private details: Array<Draft> = []
  private signature: string | undefined
  private fieldSeen = false

  constructor(assembler: Assembler, onOpen: () => void) {
    this.assembler = assembler
    this.onOpen = onOpen
  }

  /** Takes the reasoning fields of a delta or message. */
  add(delta: Fields, whole: boolean): void {
    const text = fieldText(delta)
    const value = delta["reasoning_details"]
    const given = Array.isArray(value) ? value : record(value) !== undefined ? [value] : []
    // Details that only say their type belong to the part that is open, or to none.
    const details = this.part < 0 && given.every((one) => blankBut(record(one) ?? {}, labels)) ? [] : given
    const signature = nonEmpty(record(delta["thinking"])?.["signature"]) ??
      nonEmpty(record(delta["reasoning"])?.["signature"])
    if (text === "" && details.length === 0 && signature === undefined) return
    if (text !== "") this.fieldSeen = true
    let unspoken = text
    for (const one of details) {
      const detail = record(one)
      if (detail === undefined) continue
      if (
        detail["type"] === "reasoning.encrypted" ||
        (textKey(detail) === undefined && nonEmpty(detail["data"]) !== undefined)
      ) {
        this.opaque(detail)
        continue
      }
      const earlier = this.details.at(-1)
      if (!whole && earlier !== undefined && !continues(earlier, detail)) this.close()
      if (unspoken !== "") {
        this.text(unspoken)
        unspoken = ""
      } else if (!this.fieldSeen) {
        this.text(textIn(detail))
      }
      this.attach(detail, whole)
    }
    if (unspoken !== "") this.text(unspoken)
    if (signature !== undefined) this.sign(signature)
  }

  /** More reasoning text. */
  text(text: string): void {
    if (text === "") return
    this.assembler.reasoning(this.open(), text)
  }

  /** The signature of the open part. */
  sign(signature: string): void {
    this.open()
    this.signature = signature
  }

  /** A block of content that holds reasoning: Mistral's `thinking`, Databricks' `reasoning`. */
  block(block: Fields): void {
    this.text(
      textIn(block["thinking"]) || textIn(block["text"]) || textIn(block["summary"]) || textIn(block["content"])
    )
    const signature = nonEmpty(block["signature"]) ?? nonEmpty(record(list(block["summary"])[0])?.["signature"])
    if (signature !== undefined) this.sign(signature)
  }

  /** Ends the open part. */
  close(): void {
    if (this.part < 0) return
    const more: { -readonly [K in "signature" | "replay"]?: ReasoningPart[K] } = {}
    if (this.signature !== undefined) more.signature = this.signature
    if (this.details.length > 0) more.replay = { reasoning_details: this.details as ReadonlyArray<unknown> as Json }
    this.assembler.endReasoning(this.part, more)
    this.part = -1
    this.details = []
    this.signature = undefined
  }

  private open(): number {
    if (this.part < 0) {
      this.onOpen()
      this.part = this.assembler.openReasoning()
      this.seen = true
    }
    return this.part
  }

  private opaque(detail: Fields): void {
    this.close()
    this.onOpen()
    this.seen = true
    const index = this.assembler.openReasoning()
    const data = nonEmpty(detail["data"])
    this.assembler.endReasoning(index, {
      ...(data === undefined ? undefined : { encrypted: data }),
      replay: { reasoning_details: [detail as JsonObject] }
    })
  }

  private attach(detail: Fields, whole: boolean): void {
    this.open()
    const signature = nonEmpty(detail["signature"])
    if (signature !== undefined) this.signature = signature
    const earlier = this.details.at(-1)
    if (whole || earlier === undefined || !continues(earlier, detail)) {
      this.details.push({ ...detail })
      return
    }
    const key = textKey(detail)!
    for (const name in detail) {
      const value = detail[name]
      if (name === key) earlier[key] = `${typeof earlier[key] === "string" ? earlier[key] : ""}${String(value)}`
      else if (value !== null && value !== undefined && value !== "") setOwn(earlier, name, value)
    }
  }
}
