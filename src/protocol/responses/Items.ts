/**
 * The output items of one answer, as they grow: messages, reasoning, tool calls, and everything else.
 *
 * Each item knows how to take what a stream says of it piece by piece, and what its whole form adds to that, so that
 * text given only at the end, or twice, comes out once. Which item an event is about is `Decoder.ts`.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/object
 * @since 0.1.0
 */
import type { Json, JsonObject, ToolCallPart } from "../../Message.ts"
import { type Assembler, readArguments } from "../Assembler.ts"
import { type Fields, list, nonEmpty, record, textIn } from "../Probe.ts"
import { audioFrom, imageFrom, sourceFrom } from "./Attachments.ts"

/** What all items of an answer share. @category models @since 0.1.0 */
export interface Shared {
  readonly assembler: Assembler
  /** Set by a refusal; decides the finish reason. */
  refused: boolean
  /** Log probabilities of every content part, in order. */
  readonly logprobs: Array<Array<unknown>>
}

/** The kinds of items that are decoded differently. @category models @since 0.1.0 */
export type Kind = "message" | "reasoning" | "function_call" | "custom_tool_call" | "hosted"

/**
 * The kind of an item type.
 *
 * @category decoding
 * @since 0.1.0
 */
export const kindOf = (type: string): Kind =>
  type === "message" || type === "reasoning" || type === "function_call" || type === "custom_tool_call"
    ? type
    : "hosted"

/** What `whole` says beyond `said`, which is read only when its length lets it be the beginning; nothing on a contradiction. */
const unsaid = (length: number, said: () => string, whole: string): string =>
  length === 0 ? whole : whole.length > length && whole.startsWith(said()) ? whole.slice(length) : ""

const replayOf = (
  fields: { readonly [key: string]: Json | undefined }
): { readonly replay: JsonObject } | undefined => {
  const replay: { [key: string]: Json } = {}
  for (const key in fields) {
    const value = fields[key]
    if (value !== undefined && value !== null) replay[key] = value
  }
  return Object.keys(replay).length === 0 ? undefined : { replay }
}

/**
 * One output item.
 *
 * @category decoding
 * @since 0.1.0
 */
export abstract class Item {
  abstract readonly kind: Kind
  /** Whether `output_item.done` has come. */
  closed = false
  id: string | undefined
  protected readonly shared: Shared
  protected readonly assembler: Assembler

  constructor(shared: Shared) {
    this.shared = shared
    this.assembler = shared.assembler
  }

  /** Takes what an item says of itself when it begins. */
  take(item: Fields): void {
    this.id ??= nonEmpty(item["id"])
  }

  /** Takes the whole item and closes it. */
  close(item: Fields): void {
    if (this.closed) return this.supplement(item)
    this.take(item)
    this.closed = true
    this.whole(item)
  }

  /** Takes what the final output adds to an item that is closed. */
  abstract supplement(item: Fields): void
  /** The answer is over and the item was never closed. `completed`: the wire says that nothing is missing. */
  abstract end(completed: boolean): void
  protected abstract whole(item: Fields): void
}

// ---------------------------------------------------------------------------
// Messages
// ---------------------------------------------------------------------------

/** Parts open with their first text, so that an empty one never shows. */
const unopened = -1
const ended = -2

interface Content {
  /** Index of the part, {@link unopened} or {@link ended}. */
  part: number
  readonly refusal: boolean
  sources: number
  logprobs: Array<unknown> | undefined
}

/** A message: text and refusals by content index. @category decoding @since 0.1.0 */
export class MessageItem extends Item {
  readonly kind = "message"
  private readonly contents = new Map<number, Content>()
  /** Those whose text is open. */
  private open: Array<Content> = []
  private phase: string | undefined
  private sounds = 0

  override take(item: Fields): void {
    super.take(item)
    this.phase ??= nonEmpty(item["phase"])
  }

  /** Text of a content part: a piece, or with `whole` all of it. */
  text(at: number, text: string, refusal: boolean, whole: boolean): void {
    if (refusal && text !== "") this.shared.refused = true
    const content = this.content(at, refusal)
    if (text === "" || content.part === ended) return
    if (content.part === unopened) {
      content.part = this.assembler.openText()
      this.open.push(content)
    }
    const { assembler } = this
    const { part } = content
    const more = whole ? unsaid(assembler.openLength(part), () => assembler.openContent(part), text) : text
    assembler.text(part, more)
    if (this.closed) this.endTexts()
  }

  /** Log probabilities of a content part: of one piece, or with `whole` of all of it. */
  logprobs(at: number, given: unknown, whole: boolean): void {
    const logprobs = list(given)
    if (logprobs.length === 0) return
    const content = this.content(at, false)
    if (content.logprobs === undefined) this.shared.logprobs.push(content.logprobs = [])
    if (whole && logprobs.length >= content.logprobs.length) content.logprobs.length = 0
    else if (whole) return
    for (const one of logprobs) content.logprobs.push(one)
  }

  annotation(at: number, annotation: unknown): void {
    const content = this.content(at, false)
    content.sources++
    const part = sourceFrom(annotation)
    if (part !== undefined) this.assembler.source(part)
  }

  /** A content part in its whole form. */
  part(at: number, part: Fields): void {
    switch (part["type"]) {
      case "refusal":
        return this.text(at, textIn(part["refusal"]), true, true)
      case "output_audio": {
        const audio = audioFrom(part)
        if (audio !== undefined && this.sounds++ === 0) this.assembler.file(audio)
        return
      }
      default: {
        this.text(at, textIn(part["text"]), false, true)
        this.logprobs(at, part["logprobs"], true)
        const annotations = list(part["annotations"])
        if (annotations.length === 0) return
        const content = this.content(at, false)
        for (const annotation of annotations.slice(content.sources)) this.annotation(at, annotation)
      }
    }
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
    const content = item["content"]
    if (typeof content === "string") return this.text(0, content, false, true)
    list(content).forEach((one, at) => {
      const part = typeof one === "string" ? { text: one } : record(one)
      if (part !== undefined) this.part(at, part)
    })
  }

  private content(at: number, refusal: boolean): Content {
    // Servers that do not count content parts may say text and a refusal under the same index.
    const key = refusal ? -1 - at : at
    let content = this.contents.get(key)
    if (content === undefined) {
      this.contents.set(key, content = { part: unopened, refusal, sources: 0, logprobs: undefined })
    }
    return content
  }

  private endTexts(): void {
    const { open } = this
    this.open = []
    for (const content of open) {
      const replay = replayOf({ id: this.id, phase: this.phase, refusal: content.refusal || undefined })
      this.assembler.endText(content.part, replay === undefined ? {} : { ...replay, origin: this.assembler.origin })
      content.part = ended
    }
  }
}

// ---------------------------------------------------------------------------
// Reasoning
// ---------------------------------------------------------------------------

/** Summaries written for readers, or the raw reasoning of open models. @category models @since 0.1.0 */
export type ReasoningField = "summary" | "content"

const sectionsOf = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string" ? [value] : list(value).map((one) => textIn(one))

/** Reasoning: one part, whose sections follow each other without a separator. @category decoding @since 0.1.0 */
export class ReasoningItem extends Item {
  readonly kind = "reasoning"
  /** What was said of each section that has any text. */
  private readonly sections = new Map<number, string>()
  private lastSection = 0
  /** The field that spoke first; the other one would say the same again. */
  private field: ReasoningField | undefined
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
    if (!this.closed) this.say(field, at, text, whole)
  }

  private say(field: ReasoningField, at: number, text: string, whole: boolean): void {
    if (text === "") return
    this.field ??= field
    if (field !== this.field) return
    const said = this.sections.get(at) ?? ""
    const more = whole ? unsaid(said.length, () => said, text) : text
    // What an earlier section lacked cannot be put before what was sent since.
    if (more === "" || (whole && at < this.lastSection)) return
    this.lastSection = Math.max(this.lastSection, at)
    this.sections.set(at, said + more)
    if (this.part < 0) this.part = this.assembler.openReasoning()
    this.assembler.reasoning(this.part, more)
  }

  protected whole(item: Fields): void {
    this.read(item)
    this.endPart(true)
  }

  supplement(item: Fields): void {
    const encrypted = nonEmpty(item["encrypted_content"])
    const late = this.encrypted === undefined && encrypted !== undefined
    if (this.field === undefined) this.read(item)
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

  /** The sections in their order; those without text are none. */
  private texts(): ReadonlyArray<string> {
    return [...this.sections].toSorted(([a], [b]) => a - b).map(([, text]) => text)
  }

  private read(item: Fields): void {
    for (const field of ["summary", "content"] as const) {
      sectionsOf(item[field]).forEach((text, at) => this.say(field, at, text, true))
    }
  }

  private endPart(evenEmpty: boolean): void {
    if (this.part < 0) {
      if (!evenEmpty || (this.encrypted === undefined && this.id === undefined)) return
      this.part = this.assembler.openReasoning()
    }
    const replay = replayOf({
      id: this.id,
      // The text of the part is the only summary, unless there are several.
      summary: this.field === "summary" && this.lastSection > 0 ? this.texts() : undefined,
      content: this.field === "content" ? this.texts() : undefined,
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

// ---------------------------------------------------------------------------
// Tool calls
// ---------------------------------------------------------------------------

/** OpenAI models sometimes wrap parallel calls into one call of this name, which no request declares. */
const parallelWrapper = "multi_tool_use.parallel"

/** Name of a call that never got one. */
const unnamed = "unnamed_tool"

const argumentText = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value)

interface WrappedCall {
  readonly name: string
  readonly arguments: Json
}

const wrappedCalls = (text: string): ReadonlyArray<WrappedCall> | undefined => {
  const read = readArguments(text)
  const uses = list(record(read.arguments)?.["tool_uses"])
  const calls = uses.flatMap((use): ReadonlyArray<WrappedCall> => {
    const fields = record(use)
    const name = nonEmpty(fields?.["recipient_name"])?.replace(/^functions\./, "")
    return name === undefined ? [] : [{ name, arguments: (fields?.["parameters"] ?? {}) as Json }]
  })
  return calls.length === 0 || calls.length < uses.length ? undefined : calls
}

/** A function call, or a call of a free-form tool. @category decoding @since 0.1.0 */
export class CallItem extends Item {
  readonly kind: "function_call" | "custom_tool_call"
  callId: string | undefined
  private readonly custom: boolean
  private name: string | undefined
  private part = -1
  /** Argument text that came before the call could be opened. */
  private pending = ""
  /** Argument text that came with the item when it began. */
  private initial = ""
  /** Argument text that the wire declared to be whole: given, or as much as had been said by then. */
  private final: string | number | undefined
  private namespace: string | undefined
  private caller: JsonObject | undefined

  constructor(shared: Shared, kind: "function_call" | "custom_tool_call") {
    super(shared)
    this.kind = kind
    this.custom = kind === "custom_tool_call"
  }

  override take(item: Fields): void {
    super.take(item)
    this.callId ??= nonEmpty(item["call_id"])
    this.name ??= nonEmpty(item["name"])
    this.namespace ??= nonEmpty(item["namespace"])
    this.caller ??= record(item["caller"]) as JsonObject | undefined
    if (this.initial === "") this.initial = this.textIn(item)
    this.open(false)
  }

  delta(text: string): void {
    if (text === "" || this.closed) return
    if (this.part < 0) this.pending += text
    else this.assembler.toolCallDelta(this.part, text)
  }

  /** The wire says that the arguments are whole. */
  argumentsDone(frame: Fields): void {
    if (this.closed) return
    this.name ??= nonEmpty(frame["name"])
    this.callId ??= nonEmpty(frame["call_id"])
    this.open(false)
    const text = this.textIn(frame)
    this.delta(this.unsaid(text))
    this.final = text === "" ? this.saidLength : text
  }

  private get finalText(): string | undefined {
    return typeof this.final === "number" ? this.said().slice(0, this.final) : this.final
  }

  protected whole(item: Fields): void {
    const text = this.textIn(item) || this.finalText || this.said() || this.initial
    // A call of an answer that was cut: its arguments are not all there, whether or not they parse.
    const cut = item["status"] === "incomplete"
    const calls = this.name === parallelWrapper && !cut ? wrappedCalls(text) : undefined
    if (calls !== undefined && this.part < 0) {
      calls.forEach((call, at) =>
        this.assembler.toolCall(
          this.callId === undefined ? undefined : `${this.callId}_${at}`,
          call.name,
          call.arguments
        )
      )
      return
    }
    this.open(true)
    const missing = this.unsaid(text)
    if (missing !== "") this.assembler.toolCallDelta(this.part, missing)
    this.endCall(text, cut || this.name === undefined)
  }

  supplement(): void {}

  end(completed: boolean): void {
    if (this.closed) return
    this.closed = true
    if (completed && this.final !== undefined && this.name !== undefined) {
      this.open(true)
      return this.endCall(this.finalText!, false)
    }
    // A call that was never closed is none; what was begun in events has to be ended.
    if (this.part >= 0) this.assembler.endToolCall(this.part, { invalid: true })
  }

  private said(): string {
    return this.part < 0 ? this.pending : this.assembler.openArguments(this.part)
  }

  private get saidLength(): number {
    return this.part < 0 ? this.pending.length : this.assembler.openLength(this.part)
  }

  private unsaid(text: string): string {
    return unsaid(this.saidLength, () => this.said(), text)
  }

  private textIn(item: Fields): string {
    return argumentText(this.custom ? item["input"] ?? item["arguments"] : item["arguments"])
  }

  private open(final: boolean): void {
    if (this.part >= 0) return
    if (!final && (this.name === undefined || this.callId === undefined || this.name === parallelWrapper)) return
    this.part = this.assembler.openToolCall(this.callId, this.name ?? unnamed)
    this.assembler.toolCallDelta(this.part, this.pending)
    this.pending = ""
  }

  private endCall(text: string, invalid: boolean): void {
    const more: Partial<Omit<ToolCallPart, "type" | "id" | "name" | "origin">> = {
      ...(invalid
        ? { arguments: text, invalid: true as const }
        : this.custom
        ? { arguments: text }
        : readArguments(text)),
      ...(this.custom ? { custom: true as const } : undefined),
      ...replayOf({ id: this.id, namespace: this.namespace, caller: this.caller })
    }
    this.assembler.endToolCall(this.part, more)
  }
}

// ---------------------------------------------------------------------------
// Everything else
// ---------------------------------------------------------------------------

/** A step of a built-in tool, or an item of a type this version does not know: kept as it is. @category decoding @since 0.1.0 */
export class HostedItem extends Item {
  readonly kind = "hosted"
  readonly type: string
  private partialImage: string | undefined

  constructor(shared: Shared, type: string) {
    super(shared)
    this.type = type
  }

  /** A preview of an image; only the last one counts, and only when no final image comes. */
  preview(image: unknown): void {
    this.partialImage = nonEmpty(image) ?? this.partialImage
  }

  protected whole(item: Fields): void {
    if (this.type === "image_generation_call") {
      const image = imageFrom(item, this.partialImage)
      if (image !== undefined) this.assembler.file(image)
    }
    this.assembler.serverTool({
      name: this.type,
      kind: this.type.endsWith("_output") ? "result" : this.type.endsWith("_call") ? "call" : "block",
      ...(this.id === undefined ? undefined : { id: this.id }),
      data: item as JsonObject
    })
  }

  supplement(): void {}

  end(): void {
    this.closed = true
  }
}
