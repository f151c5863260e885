/**
 * Decodes Responses answers: streamed events and whole responses through the same items.
 *
 * Events belong to the item at their `output_index`, because compatible hosts change item ids between events; where
 * another item is there, to the one with their item id, and a whole item to the one that has said the same. The
 * final response adds what the events left out. The answer is over with `response.completed`, `response.incomplete`,
 * `response.failed` or an `error` event; bytes that end before are an incomplete stream. Unknown events are ignored.
 *
 * @see https://platform.openai.com/docs/api-reference/responses-streaming
 * @since 0.1.0
 */
import type { Json, JsonObject } from "../../Message.ts"
import { Assembler } from "../assembling.ts"
import { readUsage } from "../chat/Usage.ts"
import {
  blank,
  blankBut,
  type Fields,
  filledRecord,
  list,
  nonEmpty,
  parsedOrText,
  record,
  textIn as readable
} from "../Probe.ts"
import { type DecodeContext, type Decoder, parseFrame } from "../Protocol.ts"
import { type Item, type Kind, kindOf, type Shared } from "./Item.ts"
import { callIdOf, CallItem, HostedItem } from "./Items.ts"
import { MessageItem, messageText } from "./MessageItem.ts"
import { type ReasoningField, ReasoningItem, reasoningText } from "./ReasoningItem.ts"
import { Remaining } from "./Remaining.ts"
import { endingOf, errorEvent, failureIn, strayFailure } from "./Status.ts"

/** xAI bills in ticks of 1e-10 US dollars: https://docs.x.ai/docs/api-reference */
const ticksPerDollar = 1e10

const isBegun = (status: string | undefined): boolean => status === "queued" || status === "in_progress"

/** How many items a whole one is compared with. */
const maxCandidates = 64

const indexOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 100_000 ? value : undefined

/**
 * The decoder of one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class ResponsesDecoder implements Decoder {
  readonly assembler: Assembler
  private readonly shared: Shared
  /** Items in the order in which they began. */
  private readonly items: Array<Item> = []
  private readonly byIndex = new Map<number, Item>()
  private readonly byId = new Map<string, Item>()
  private begun = false
  private readonly streamed: boolean

  /** Item types that the host runs itself although other hosts leave them to the application. */
  private readonly hosted: ReadonlySet<string>

  /** Tools that the application runs, by the type of the items that call them. */
  private readonly called: DecodeContext["calledItems"]

  constructor(context: DecodeContext, hosted: ReadonlySet<string>) {
    this.hosted = hosted
    this.called = context.calledItems
    this.streamed = context.streamed === true
    this.assembler = new Assembler(context)
    this.shared = { assembler: this.assembler, refused: false, spoken: false, logprobs: [] }
  }

  get settled(): boolean {
    return this.assembler.finished
  }

  frame(data: string, event: string): void {
    if (this.stopped) return
    if (data.charCodeAt(0) !== 123) {
      const trimmed = data.trim()
      // A comment that a proxy wrapped as data is still a comment.
      if (trimmed === "" || trimmed.startsWith(":") || trimmed === "[DONE]") return
      if (event === "error") return this.assembler.fail(errorEvent(parsedOrText(data)))
    }
    const frame = record(parseFrame(this.assembler, data))
    if (frame === undefined) return
    this.assembler.raw?.push(frame as JsonObject)
    const type = nonEmpty(frame["type"]) ?? event
    if (type === "error" || type === "response.error" || event === "error") {
      return this.assembler.fail(errorEvent(frame))
    }
    if (type.startsWith("response.")) this.event(type, frame)
    else if (frame["object"] === "response") this.snapshot(frame)
    else this.stray(frame)
  }

  whole(body: Json): void {
    if (this.stopped) return
    const response = record(body)
    if (response !== undefined) {
      this.assembler.raw?.push(response as JsonObject)
      const status = nonEmpty(response["status"])
      const answers = Array.isArray(response["output"]) || nonEmpty(response["output_text"]) !== undefined ||
        (response["object"] === "response" && status !== undefined && status !== "completed")
      // Where a stream was due, a response that goes on is the first of it.
      if (answers && this.streamed && isBegun(status)) return this.snapshot(response)
      if (answers) return this.finish(response, status)
      this.stray(response)
      if (this.stopped) return
    }
    this.assembler.fail({
      kind: "parse",
      message: "The provider's body is not a response: it has no output.",
      body: JSON.stringify(body)
    })
  }

  end(): void {
    if (this.stopped) return
    this.assembler.fail({ kind: "incomplete", message: "The stream ended before the response was completed." })
  }

  private get stopped(): boolean {
    return this.assembler.finished || this.assembler.failure !== undefined
  }

  // ---------------------------------------------------------------------------
  // Events
  // ---------------------------------------------------------------------------

  private event(type: string, frame: Fields): void {
    switch (type) {
      case "response.created":
      case "response.in_progress":
      case "response.queued":
        return this.begin(record(frame["response"]) ?? {})
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
      case "response.cancelled":
      case "response.done":
        return this.terminal(type.slice("response.".length), frame)
      case "response.output_item.added":
        return this.added(frame)
      case "response.output_item.done":
        return this.done(frame)
      case "response.content_part.added":
      case "response.content_part.done":
        return this.contentPart(frame)
      case "response.output_text.delta":
      case "response.output_text.done":
        return this.text(frame, false, type.endsWith(".done"))
      case "response.refusal.delta":
      case "response.refusal.done":
        return this.text(frame, true, type.endsWith(".done"))
      case "response.output_text.annotation.added":
      case "response.output_text_annotation.added":
        return this.message(frame, true).annotation(indexOf(frame["content_index"]) ?? 0, frame["annotation"])
      case "response.reasoning_summary_part.added":
      case "response.reasoning_summary_part.done":
        return this.reasoning(frame, "summary", readable(record(frame["part"])?.["text"]), true)
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_summary.delta":
        return this.reasoning(frame, "summary", readable(frame["delta"]), false)
      case "response.reasoning_summary_text.done":
      case "response.reasoning_summary.done":
        return this.reasoning(frame, "summary", readable(frame["text"]), true)
      case "response.reasoning_text.delta":
      case "response.reasoning.delta":
        return this.reasoning(frame, "content", readable(frame["delta"]), false)
      case "response.reasoning_text.done":
      case "response.reasoning.done":
        return this.reasoning(frame, "content", readable(frame["text"]), true)
      case "response.function_call_arguments.delta":
        return this.call(frame, "function_call").delta(pieceOf(frame["delta"]))
      case "response.function_call_arguments.done":
        return this.call(frame, "function_call").argumentsDone(frame)
      case "response.custom_tool_call_input.delta":
        if (this.hosted.has("custom_tool_call")) return
        return this.call(frame, "custom_tool_call").delta(pieceOf(frame["delta"]))
      case "response.custom_tool_call_input.done":
        if (this.hosted.has("custom_tool_call")) return
        return this.call(frame, "custom_tool_call").argumentsDone(frame)
      case "response.image_generation_call.partial_image": {
        const item = this.find(frame, "hosted")
        if (item instanceof HostedItem) item.preview(frame["partial_image_b64"])
        return
      }
      // Progress of built-in tools; their failures are in their items and end no answer.
      default:
        return
    }
  }

  /** A frame this wire has no name for: only an error in it counts. */
  private stray(frame: Fields): void {
    const failure = strayFailure(frame)
    if (failure !== undefined) this.assembler.fail(failure)
  }

  /** A bare response object in a stream. */
  private snapshot(response: Fields): void {
    const status = nonEmpty(response["status"])
    if (isBegun(status)) this.begin(response)
    else this.finish(response, status)
  }

  private begin(response: Fields): void {
    this.begun = true
    this.assembler.start(nonEmpty(response["id"]), nonEmpty(response["model"]))
    const tier = nonEmpty(response["service_tier"])
    if (tier !== undefined) this.assembler.extra["service_tier"] = tier
  }

  private text(frame: Fields, refusal: boolean, whole: boolean): void {
    const at = indexOf(frame["content_index"]) ?? 0
    const item = this.message(frame, whole)
    const text = whole ? frame[refusal ? "refusal" : "text"] : frame["delta"]
    item.text(at, readable(text), refusal, whole)
    if (frame["logprobs"] !== undefined) item.logprobs(at, frame["logprobs"], whole)
  }

  private reasoning(frame: Fields, field: ReasoningField, text: string, whole: boolean): void {
    const at = indexOf(frame["summary_index"]) ?? indexOf(frame["content_index"]) ?? 0
    const item = this.find(frame, "reasoning", whole) ?? this.open(frame, "reasoning")
    if (item instanceof ReasoningItem) item.text(field, at, text, whole)
  }

  private contentPart(frame: Fields): void {
    const part = record(frame["part"])
    if (part === undefined) return
    if (part["type"] === "reasoning_text" || part["type"] === "summary_text") {
      return this.reasoning(
        frame,
        part["type"] === "summary_text" ? "summary" : "content",
        readable(part["text"]),
        true
      )
    }
    this.message(frame, true).part(indexOf(frame["content_index"]) ?? 0, part)
  }

  private added(frame: Fields): void {
    const item = record(frame["item"])
    if (item === undefined || blank(item)) return
    const type = nonEmpty(item["type"]) ?? "message"
    const index = indexOf(frame["output_index"])
    const known = index === undefined ? undefined : this.byIndex.get(index)
    const kind = this.kindOf(type, item)
    const same = known !== undefined && !known.closed && known.kind === kind && sameCall(known, item)
    const slot = same ? known : this.open(frame, kind, type)
    slot.take(item)
    this.remember(slot, item)
  }

  private done(frame: Fields): void {
    const item = record(frame["item"])
    if (item === undefined) return
    const index = indexOf(frame["output_index"])
    if (blank(item)) {
      // No more than that the item is over.
      const over = index === undefined ? this.items.at(-1) : this.byIndex.get(index)
      return over === undefined || over.closed ? undefined : over.close(over instanceof HostedItem ? {} : item)
    }
    const type = nonEmpty(item["type"]) ?? "message"
    const kind = this.kindOf(type, item)
    const placed = this.candidate(index === undefined ? undefined : this.byIndex.get(index), kind, item)
    const named = this.candidate(this.find({ item_id: frame["item_id"] ?? item["id"] }, kind, true), kind, item)
    const slot = this.repeated(item, kind, [placed, named]) ?? (placed?.closed === true ? named ?? placed : placed) ??
      named ??
      this.open(frame, kind, type)
    // What was announced here has spoken under another index.
    if (placed !== undefined && placed !== slot && placed.said() === "") placed.closed = true
    // An item that is closed twice was closed the first time.
    if (!slot.closed) slot.close(item)
    this.remember(slot, item)
    if (index !== undefined) this.byIndex.set(index, slot)
  }

  // ---------------------------------------------------------------------------
  // Which item
  // ---------------------------------------------------------------------------

  private remember(slot: Item, item: Fields): void {
    const id = nonEmpty(item["id"])
    if (id !== undefined && !this.byId.has(id)) this.byId.set(id, slot)
  }

  /** The item an event is about: by `output_index`, without one by item id, else the last of its kind. */
  private find(frame: Fields, kind: Kind, evenClosed = false): Item | undefined {
    const fits = (item: Item | undefined): item is Item =>
      item !== undefined && item.kind === kind && (evenClosed || !item.closed)
    const index = indexOf(frame["output_index"])
    const placed = index === undefined ? undefined : this.byIndex.get(index)
    if (fits(placed)) return placed
    const id = nonEmpty(frame["item_id"])
    const named = id === undefined ? undefined : this.byId.get(id)
    if (fits(named)) return named
    if (index !== undefined) return undefined
    const last = this.items.at(-1)
    return fits(last) && !last.closed ? last : undefined
  }

  private candidate(item: Item | undefined, kind: Kind, whole: Fields): Item | undefined {
    return item !== undefined && item.kind === kind && sameCall(item, whole) ? item : undefined
  }

  /** The open item with the call id of a whole one, or which has said just what that says: a likely one, or one of the last. */
  private repeated(whole: Fields, kind: Kind, likely: ReadonlyArray<Item | undefined>): Item | undefined {
    const callId = callIdOf(whole)
    const text = textIn(kind, whole)
    const repeats = (item: Item | undefined): item is Item =>
      item !== undefined && item.kind === kind && !item.closed &&
      (item instanceof CallItem ? item.callId !== undefined && item.callId === callId : item.said() === text)
    if (callId === undefined && text === "") return undefined
    const found = likely.find(repeats)
    if (found !== undefined) return found
    for (let at = this.items.length - 1; at >= Math.max(0, this.items.length - maxCandidates); at--) {
      const item = this.items[at]
      if (repeats(item)) return item
    }
    return undefined
  }

  /** Messages of others than the assistant (a compacted history repeats them) are no answer. */
  private kindOf(type: string, item: Fields): Kind {
    const role = nonEmpty(item["role"])
    return this.hosted.has(type) || (type === "message" && role !== undefined && role !== "assistant")
      ? "hosted"
      : kindOf(type)
  }

  private open(frame: Fields, kind: Kind, type: string = kind): Item {
    this.assembler.start()
    const item = kind === "message"
      ? new MessageItem(this.shared)
      : kind === "reasoning"
      ? new ReasoningItem(this.shared)
      : kind === "hosted"
      ? new HostedItem(this.shared, type, this.hosted.has(type) ? undefined : this.called?.get(type))
      : new CallItem(this.shared, kind)
    this.items.push(item)
    const index = indexOf(frame["output_index"])
    if (index !== undefined) this.byIndex.set(index, item)
    const id = nonEmpty(frame["item_id"])
    if (id !== undefined && !this.byId.has(id)) this.byId.set(id, item)
    return item
  }

  /** A piece after the end of a message begins another one; what is `whole` only repeats. */
  private message(frame: Fields, whole: boolean): MessageItem {
    const item = this.find(frame, "message", whole) ?? this.open(frame, "message")
    return item as MessageItem
  }

  private call(frame: Fields, kind: "function_call" | "custom_tool_call"): CallItem {
    const item = this.find(frame, kind, true) ?? this.open(frame, kind)
    return item as CallItem
  }

  // ---------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------

  private terminal(word: string, frame: Fields): void {
    // Some proxies put the response's fields into the event itself.
    const response = filledRecord(frame["response"]) ?? (frame["output"] === undefined ? {} : frame)
    if (blank(response) && !this.begun && this.items.length === 0) return this.end()
    const status = nonEmpty(response["status"])
    // Some hosts send the last event with the status of the first.
    const stale = status === undefined || status === "in_progress" || status === "queued"
    const said = word === "done" ? "completed" : word
    this.finish(response, stale || said !== "completed" ? said : status)
  }

  private finish(response: Fields, status: string | undefined): void {
    this.begin(response)
    const usage = filledRecord(response["usage"]) ?? record(response["usage"])
    if (usage !== undefined) this.usage(usage)
    this.output(list(response["output"]))
    const failure = failureIn(response, status)
    if (failure !== undefined) return this.assembler.fail(failure)
    if (!this.shared.spoken) this.convenience(response)
    const completed = status === "completed"
    for (const item of this.items) if (!item.closed) item.end(completed)
    const logprobs = this.shared.logprobs.flat()
    if (logprobs.length > 0) this.assembler.logprobs = { content: logprobs as Array<Json> }
    const ending = endingOf(status, response, {
      refused: this.shared.refused,
      called: this.assembler.hasToolCalls
    })
    this.assembler.finish(ending.reason, ending.raw)
  }

  private usage(usage: Fields): void {
    const read = readUsage(usage)
    const ticks = usage["cost_in_usd_ticks"]
    this.assembler.usage(
      read.billedCost === undefined && typeof ticks === "number" && Number.isFinite(ticks)
        ? { ...read, billedCost: ticks / ticksPerDollar }
        : read
    )
  }

  /** SDKs and some hosts repeat the text as `output_text`; where there is no output, it is the answer. */
  private convenience(response: Fields): void {
    const text = nonEmpty(response["output_text"])
    if (text !== undefined) this.open({}, "message").close({ content: text })
  }

  /**
   * Takes from the final output what the events did not say. Which streamed item each repeats: the one with its call id or
   * id, else the one that has said the same, else the one at its index, else the next of its kind.
   */
  private output(output: ReadonlyArray<unknown>): void {
    const left = new Remaining(this.items.slice())
    const entries = output.flatMap((one, index) => {
      const item = record(one)
      if (item === undefined) return []
      const type = nonEmpty(item["type"]) ?? "message"
      const kind = this.kindOf(type, item)
      if (kind !== "hosted" && blankBut(item, itemLabels)) return []
      return [{
        item,
        type,
        kind,
        index,
        known: left.take(this.named(item, kind, left) ?? left.saying(kind, textIn(kind, item)))
      }]
    })
    for (const { index, item, kind, known, type } of entries) {
      const slot = known ?? left.take(left.fits(this.byIndex.get(index), kind, item) ?? left.next(kind, item))
      if (slot === undefined) this.open({}, kind, type).close(item)
      else slot.close(item)
    }
  }

  /** The streamed item with the call id, or the id, of an item of the final output. */
  private named(item: Fields, kind: Kind, left: Remaining): Item | undefined {
    const called = left.called(callIdOf(item), kind)
    if (called !== undefined) return called
    const id = nonEmpty(item["id"])
    return id === undefined ? undefined : left.fits(this.byId.get(id), kind, item)
  }
}

const itemLabels: ReadonlySet<string> = new Set(["type", "role", "status", "index"])

/** What a whole item says, to tell it from others of its kind. */
const textIn = (kind: Kind, item: Fields): string =>
  kind === "message" ? messageText(item) : kind === "reasoning" ? reasoningText(item) : ""

/** Whether an item is not another call than the one at its place. */
const sameCall = (known: Item, item: Fields): boolean => {
  const callId = callIdOf(item)
  return !(known instanceof CallItem) || known.callId === undefined || callId === undefined || known.callId === callId
}

/** A piece of argument text; hosts that parse arguments send objects. */
const pieceOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value)
