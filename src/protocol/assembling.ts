/**
 * The event grammar, kept in one place: every decoder emits through an assembler.
 *
 * It owns part indexes, the pairing of Start and End, unique tool-call ids, the reading of tool
 * arguments, and the final response. It knows no wire: a decoder decides what opens and closes what.
 *
 * @since 0.1.0
 */
import { parseJson } from "../json/parse.ts"
import { wellFormed } from "../json/text.ts"
import { type LlmEvent, maxIndex } from "../LlmEvent.ts"
import { emptyUsage, type FinishReason, LlmResponse, type Usage } from "../LlmResponse.ts"
import type {
  AudioPart,
  FilePart,
  ImagePart,
  Json,
  JsonObject,
  Origin,
  ReasoningPart,
  ServerToolPart,
  SourcePart,
  TextPart,
  ToolCallPart
} from "../Message.ts"
import { PartsFold } from "../message/partsFold.ts"
import { unfenced } from "../object/fence.ts"
import type { DecodeContext, Failure } from "./decoding.ts"
import { Changing } from "./schema/Changing.ts"

type Draft<A> = { -readonly [K in keyof A]: A[K] }

/**
 * Most parts of one answer: texts, calls, sources, files and so on. Each costs some hundred bytes beside what it holds.
 *
 * @stability experimental
 * @category limits
 * @since 0.1.0
 */
export const maxParts = maxIndex + 1
/** Bytes of a model's name. An id is kept whole: answers are continued by it. */
const maxModelName = 512

interface OpenToolCall {
  readonly id: string
  readonly name: string
}

/**
 * Reads the argument text of a closed tool call: nothing, blank or `null` is `{}`; what is not JSON, or is nested
 * deeper than is read and sent, is invalid.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const readArguments = (text: string): { readonly arguments: Json; readonly invalid?: true } => {
  const trimmed = text.trim()
  if (trimmed === "" || trimmed === "null") return { arguments: {} }
  const value = parseJson(trimmed)
  return value === undefined ? { arguments: text, invalid: true } : { arguments: value }
}

/**
 * Collects the events of one answer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Assembler {
  /** Events not yet taken by the transport. */
  out: Array<LlmEvent> = []
  /** Set when decoding cannot go on. */
  failure: Failure | undefined = undefined
  /** Whether `Finish` was emitted. */
  finished = false
  /** Known values that are neither content nor usage, under the wire's names. */
  readonly extra: Draft<JsonObject> = {}
  /** The wire's log probabilities, unchanged. */
  logprobs: Json | undefined = undefined
  /** Frames or body, when the request asked for them. */
  raw: Array<Json> | undefined
  /** Put on parts that only go back to where they came from. */
  readonly origin: Origin
  /** Token counts as known so far; `undefined` until the wire names any. */
  usageSoFar: Usage | undefined = undefined
  /** Characters of all text so far. */
  textLength = 0

  private readonly fold = new PartsFold()
  private readonly context: DecodeContext
  private started = false
  private next = 0
  /** Indexes of the text parts. */
  private readonly texts: Array<number> = []
  private readonly openParts = new Map<number, "text" | "reasoning" | OpenToolCall>()
  private readonly ids = new Set<string>()
  /** Texts and arguments whose JSON has another form on the wire. */
  private readonly changing = new Map<number, Changing>()
  private calls = 0
  private id: string | undefined
  private model: string | undefined

  constructor(context: DecodeContext) {
    this.context = context
    this.raw = context.includeRaw ? [] : undefined
    this.origin = { wire: context.wire, provider: context.provider, model: context.model }
  }

  private emit(event: LlmEvent): void {
    if (this.next > maxParts) return
    this.out.push(event)
    this.fold.add(event)
  }

  /** The index of the next part. */
  private place(): number {
    if (this.next === maxParts) {
      this.fail({ kind: "parse", message: `The provider sent an answer of more than ${maxParts} parts.` })
    }
    return this.next++
  }

  // ---------------------------------------------------------------------------
  // Response
  // ---------------------------------------------------------------------------

  /** Begins the response; later calls fill in an id or model that was missing. */
  start(id?: string | null, model?: string | null): void {
    if (typeof id === "string" && id !== "" && this.id === undefined) this.id = this.clean(id)
    if (typeof model === "string" && model !== "" && this.model === undefined) {
      this.model = model === this.context.model ? model : this.clean(model, maxModelName)
    }
    if (this.started) return
    this.started = true
    this.emit({ _tag: "ResponseStart", id: this.id, model: this.model })
  }

  /** Spans, metrics and logs show what an answer is called, and a server may echo anything. */
  private clean(name: string, maxBytes?: number): string {
    return this.context.scrub === undefined ? name : this.context.scrub(name, maxBytes)
  }

  /** Replaces what is known of the usage; the last call wins. */
  usage(given: Usage): void {
    this.start()
    const usage = countable(given.input) && countable(given.output)
      ? given
      : { ...given, input: counted(given.input), output: counted(given.output) }
    this.usageSoFar = usage
    this.emit({ _tag: "UsageUpdate", usage })
  }

  /** Records that the answer cannot be completed. The first failure stands. */
  fail(failure: Failure): void {
    if (this.finished || this.failure !== undefined) return
    this.failure = failure.kind === "incomplete" ? this.overflow() ?? failure : failure
  }

  /**
   * Some hosts say nothing of a prompt that fills the window: they end without a word, and only the usage tells.
   * https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts
   */
  private overflow(): Failure | undefined {
    const sent = this.usageSoFar?.input.total
    const { contextWindow } = this.context
    return sent === undefined || contextWindow === undefined || sent < contextWindow || !this.isEmpty
      ? undefined
      : {
        kind: "provider",
        code: "context_length_exceeded",
        message: `Nothing came: the prompt is too long: ${sent} tokens > ${contextWindow} maximum.`
      }
  }

  /**
   * Closes open text and reasoning and ends the response. Open tool calls are closed by the decoder before. `stated` says
   * that the wire gave a reason, or that the body was whole: without either, an answer of nothing is no answer.
   */
  finish(reason: FinishReason, rawFinishReason?: string | null, stated = typeof rawFinishReason === "string"): void {
    if (this.finished || this.failure !== undefined) return
    const cut = reason === "length" && this.usageSoFar?.output.total === 0
    if ((!stated || cut) && this.isEmpty) {
      if (!stated) {
        return this.fail({ kind: "incomplete", message: "The answer ended without a reason before it said anything." })
      }
      // The prompt has filled the window; MiMo says so: https://github.com/badlogic/pi-mono/blob/main/packages/ai/src/utils/overflow.ts
      return this.end("context-window", rawFinishReason)
    }
    if (reason === "stop" && this.misfits()) return
    this.end(reason, rawFinishReason)
  }

  /** Whether the answer breaks the schema that was asked for, which is then its failure. */
  private misfits(): boolean {
    const answer = this.context.schemas?.answer
    if (answer === undefined || this.calls > 0) return false
    for (const index of this.texts) this.endText(index)
    const text = this.texts.map((index) => this.fold.textOf(index)).join("")
    const value = parseJson(unfenced(text))
    const misfit = value === undefined ? undefined : answer.check(value)
    if (misfit === undefined) return false
    const at = misfit.path === "" ? "" : `${misfit.path}: `
    this.fail({ kind: "misfit", message: `The answer does not match the schema: ${at}${misfit.message}`, body: text })
    return true
  }

  private get isEmpty(): boolean {
    return this.fold.parts().every((part) =>
      (part.type === "text" && part.text === "") ||
      (part.type === "reasoning" && part.text === "" && part.encrypted === undefined && part.replay === undefined)
    )
  }

  private end(reason: FinishReason, rawFinishReason?: string | null): void {
    this.start()
    for (const [index, kind] of [...this.openParts]) {
      if (kind === "text") this.endText(index)
      else if (kind === "reasoning") this.endReasoning(index)
      else this.endToolCall(index, { invalid: true })
    }
    const response = this.response(reason, rawFinishReason ?? undefined)
    this.finished = true
    this.out.push({ _tag: "Finish", response })
  }

  /** Whether the wire closed any tool call, readable or not. */
  get hasToolCalls(): boolean {
    return this.calls > 0
  }

  /** What has come so far, as a response without a finish; for errors. */
  partial(): LlmResponse | undefined {
    return this.started ? this.response("other", undefined) : undefined
  }

  private response(finishReason: FinishReason, rawFinishReason: string | undefined): LlmResponse {
    const context = this.context
    return new LlmResponse({
      parts: this.fold.parts(),
      finishReason,
      rawFinishReason,
      usage: this.usageSoFar ?? emptyUsage,
      id: this.id,
      model: this.model ?? context.model,
      provider: context.provider,
      label: context.label,
      requestId: context.requestId,
      rateLimits: context.rateLimits,
      warnings: context.warnings,
      logprobs: this.logprobs,
      extra: Object.keys(this.extra).length === 0 ? undefined : this.extra as JsonObject,
      raw: this.raw
    })
  }

  // ---------------------------------------------------------------------------
  // Text and reasoning
  // ---------------------------------------------------------------------------

  /** Begins a text and gives its index. */
  openText(): number {
    this.start()
    const index = this.place()
    this.openParts.set(index, "text")
    this.texts.push(index)
    const answer = this.context.schemas?.answer
    if (answer?.changed === true) this.changing.set(index, new Changing(answer.change))
    this.emit({ _tag: "TextStart", index })
    return index
  }

  /** Adds to an open text; nothing happens for no characters. */
  text(index: number, text: string): void {
    if (text === "") return
    this.textLength += text.length
    const changing = this.changing.get(index)
    const told = changing === undefined ? text : changing.push(text)
    if (told !== "") this.emit({ _tag: "TextDelta", index, text: told })
  }

  /** All text so far. Reading it costs its length, `textLength` nothing. */
  get allText(): string {
    return this.texts.map((index) => this.contentOf(index)).join("")
  }

  /** Characters collected so far of an open part: text, reasoning, or arguments of a call. */
  openLength(index: number): number {
    return this.changing.get(index)?.rawLength ?? this.fold.openLength(index)
  }

  /** Text collected so far of an open text or reasoning part. Reading it costs its length. */
  openContent(index: number): string {
    return this.changing.get(index)?.raw ?? this.fold.openText(index)
  }

  /** Text of a text or reasoning part, open or ended. */
  contentOf(index: number): string {
    return this.changing.get(index)?.raw ?? this.fold.textOf(index)
  }

  /** Closes a text, with what must be replayed with it. */
  endText(index: number, more?: Omit<TextPart, "type" | "text">): void {
    if (this.openParts.get(index) !== "text") return
    this.openParts.delete(index)
    const rest = this.changing.get(index)?.end() ?? ""
    if (rest !== "") this.emit({ _tag: "TextDelta", index, text: rest })
    this.emit({ _tag: "TextEnd", index, part: { type: "text", text: wellFormed(this.fold.openText(index)), ...more } })
  }

  /** Begins reasoning and gives its index. */
  openReasoning(): number {
    this.start()
    const index = this.place()
    this.openParts.set(index, "reasoning")
    this.emit({ _tag: "ReasoningStart", index })
    return index
  }

  /** Adds to open reasoning. */
  reasoning(index: number, text: string): void {
    if (text !== "") this.emit({ _tag: "ReasoningDelta", index, text })
  }

  /** Closes reasoning, with its signature or encrypted form. */
  endReasoning(index: number, more?: Omit<ReasoningPart, "type" | "text" | "origin">): void {
    if (this.openParts.get(index) !== "reasoning") return
    this.openParts.delete(index)
    this.emit({
      _tag: "ReasoningEnd",
      index,
      part: { type: "reasoning", text: wellFormed(this.fold.openText(index)), ...more, origin: this.origin }
    })
  }

  // ---------------------------------------------------------------------------
  // Tool calls
  // ---------------------------------------------------------------------------

  /** Opens a call. A missing, empty or repeated id is replaced by a minted one. */
  openToolCall(id: string | null | undefined, sent: string): number {
    this.start()
    const name = this.context.toolNames?.get(sent) ?? sent
    const index = this.place()
    let unique = typeof id === "string" && id !== "" ? id : this.mint(index)
    if (this.ids.has(unique)) unique = this.mint(index)
    this.ids.add(unique)
    this.openParts.set(index, { id: unique, name })
    const reading = this.context.schemas?.tools.get(name)
    if (reading?.changed === true) this.changing.set(index, new Changing(reading.change))
    this.emit({ _tag: "ToolCallStart", index, id: unique, name })
    return index
  }

  private mint(index: number): string {
    return `call_${this.context.idSeed}${index}`
  }

  /** Adds to the argument text of an open call. */
  toolCallDelta(index: number, delta: string): void {
    const open = this.openParts.get(index)
    if (delta === "" || typeof open !== "object") return
    const changing = this.changing.get(index)
    const told = changing === undefined ? delta : changing.push(delta)
    if (told !== "") this.emit({ _tag: "ToolCallDelta", index, id: open.id, delta: told })
  }

  /** Argument text collected so far of an open call. */
  openArguments(index: number): string {
    return this.changing.get(index)?.raw ?? this.fold.openArguments(index)
  }

  /**
   * Closes a call: its arguments are those given, else what the collected text says. `invalid` marks a call that the
   * wire never closed although the answer finished.
   */
  endToolCall(
    index: number,
    more: Partial<Omit<ToolCallPart, "type" | "id" | "name" | "origin">> = {}
  ): void {
    const open = this.openParts.get(index)
    if (typeof open !== "object") return
    this.openParts.delete(index)
    const text = this.openArguments(index)
    const rest = this.changing.get(index)?.end() ?? ""
    if (rest !== "") this.emit({ _tag: "ToolCallDelta", index, id: open.id, delta: rest })
    const read = more.arguments !== undefined
      ? undefined
      : more.custom || more.invalid
      ? { arguments: text }
      : readArguments(text)
    const part = this.fitting({
      type: "tool-call",
      id: open.id,
      name: open.name,
      ...read,
      ...more,
      origin: this.origin
    } as ToolCallPart)
    if (more.invalid !== true) this.calls++
    this.emit({ _tag: "ToolCallEnd", index, part })
  }

  /** The call in the caller's form, `invalid` when it breaks what no host could be told. */
  private fitting(part: ToolCallPart): ToolCallPart {
    const reading = this.context.schemas?.tools.get(part.name)
    if (reading === undefined || part.invalid === true || part.custom === true) return part
    const value = reading.undo(part.arguments)
    return reading.check(value) === undefined
      ? { ...part, arguments: value }
      : { ...part, arguments: JSON.stringify(value), invalid: true }
  }

  /** A call that came whole. */
  toolCall(
    id: string | null | undefined,
    name: string,
    args: Json | undefined,
    more: Partial<Omit<ToolCallPart, "type" | "id" | "name" | "origin" | "arguments">> = {}
  ): void {
    const index = this.openToolCall(id, name)
    if (typeof args === "string") {
      this.toolCallDelta(index, args)
      this.endToolCall(index, more)
    } else {
      const value = args ?? {}
      this.toolCallDelta(index, JSON.stringify(value))
      this.endToolCall(index, { arguments: value, ...more })
    }
  }

  // ---------------------------------------------------------------------------
  // Whole parts
  // ---------------------------------------------------------------------------

  /** Emits a source at the next index. */
  source(part: SourcePart): void {
    this.start()
    this.emit({ _tag: "Source", index: this.place(), part })
  }

  /** Emits a file at the next index. */
  file(part: ImagePart | AudioPart | FilePart): void {
    this.start()
    this.emit({ _tag: "File", index: this.place(), part })
  }

  /** Emits what a tool of the provider was asked or gave, at the next index. */
  serverTool(part: Omit<ServerToolPart, "type" | "origin">): void {
    this.start()
    this.emit({ _tag: "ServerTool", index: this.place(), part: { type: "server-tool", ...part, origin: this.origin } })
  }
}

type Counts = { readonly [kind: string]: number | undefined }

const isCount = (count: number | undefined): boolean => count === undefined || (count >= 0 && count < Infinity)

const countable = (counts: Counts): boolean => {
  for (const kind in counts) if (!isCount(counts[kind])) return false
  return true
}

/** Leaves out what cannot be a number of tokens; some hosts send -1 for "not known". */
const counted = (counts: Counts): Counts =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => isCount(count)))
