/**
 * Tool calls of an answer, and items of every other kind, which are kept as they are.
 *
 * Text given only at the end, or twice, comes out once. Which item an event is about is `Decoder.ts`.
 *
 * @see https://platform.openai.com/docs/api-reference/responses/object
 * @since 0.1.0
 */
import type { Json, JsonObject, ToolCallPart } from "../../Message.ts"
import { readArguments } from "../assembling.ts"
import { callArguments, type Fields, filledRecord, list, nonEmpty, record } from "../Probe.ts"
import { imageFrom } from "./Attachments.ts"
import { Item, replayOf, type Shared, unsaid } from "./Item.ts"
import { argumentsIn } from "./ToolItems.ts"

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

/**
 * The id that a call's result must name.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const callIdOf = (item: Fields): string | undefined =>
  nonEmpty(item["call_id"]) ?? nonEmpty(item["tool_call_id"])

/** A function call, or a call of a free-form tool. @stability experimental @category decoding @since 0.1.0 */
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
    this.callId ??= callIdOf(item)
    this.name ??= nonEmpty(item["name"]) ?? nonEmpty(filledRecord(item["function"])?.["name"])
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
    this.callId ??= callIdOf(frame)
    this.open(false)
    const text = this.textIn(frame)
    this.delta(this.unsaid(text))
    this.final = text === "" ? this.saidLength : text
  }

  private get finalText(): string | undefined {
    return typeof this.final === "number" ? this.said().slice(0, this.final) : this.final
  }

  protected whole(item: Fields): void {
    // An item that ends may hold a placeholder where its arguments have come before.
    const text = argumentText(callArguments(this.textIn(item), this.final, this.said(), this.initial))
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

  said(): string {
    return this.part < 0 ? this.pending : this.assembler.openArguments(this.part)
  }

  private get saidLength(): number {
    return this.part < 0 ? this.pending.length : this.assembler.openLength(this.part)
  }

  private unsaid(text: string): string {
    return unsaid(this.saidLength, () => this.said(), text)
  }

  private textIn(item: Fields): string {
    const { arguments: given, input, parameters } = item
    const inner = record(item["function"])?.["arguments"]
    return argumentText(this.custom ? callArguments(input, given) : callArguments(given, input, parameters, inner))
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

/** A step of a built-in tool, or an item of a type this version does not know: kept as it is. @stability experimental @category decoding @since 0.1.0 */
export class HostedItem extends Item {
  readonly kind = "hosted"
  readonly type: string
  private partialImage: string | undefined

  /** The application's tool whose calls are items of this type. */
  private readonly tool: string | undefined

  constructor(shared: Shared, type: string, tool?: string | undefined) {
    super(shared)
    this.type = type
    this.tool = tool
  }

  /** A preview of an image; only the last one counts, and only when no final image comes. */
  preview(image: unknown): void {
    this.partialImage = nonEmpty(image) ?? this.partialImage
  }

  protected whole(item: Fields): void {
    if (this.tool !== undefined) return this.call(this.tool, item)
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

  private call(tool: string, item: Fields): void {
    const args = argumentsIn(this.type, item)
    const more = replayOf({ id: this.id, caller: record(item["caller"]) as JsonObject | undefined })
    // A call of an answer that was cut, or without what is to be done.
    if (args === undefined || item["status"] === "incomplete") {
      const text = JSON.stringify(args ?? item)
      return this.assembler.toolCall(callIdOf(item) ?? this.id, tool, text, { invalid: true, ...more })
    }
    this.assembler.toolCall(callIdOf(item) ?? this.id, tool, args, more)
  }

  said(): string {
    return ""
  }

  supplement(): void {}

  end(): void {
    this.closed = true
  }
}
