/**
 * The Anthropic decoder: stream frames and whole bodies to events, through the same handlers.
 *
 * Rules where hosts differ from the API: a frame without `type` has that of its event name, else that of its fields; a
 * delta without a known index goes to the last open block it fits; a block that starts on a used index ends
 * the one before, and a call that was never stopped is not a call; `message_stop` ends the answer, a stop
 * reason alone completes it at the end of the bytes. Unknown events, blocks and deltas are ignored.
 * https://platform.claude.com/docs/en/build-with-claude/streaming
 *
 * @since 0.1.0
 */
import type { Json } from "../../Message.ts"
import { Assembler } from "../assembling.ts"
import { isErrorBody } from "../errors/ErrorBody.ts"
import { finishReasonOf, isCut } from "../FinishReasons.ts"
import {
  asText,
  blank,
  blankBut,
  copyPresent,
  filled,
  filledRecord,
  firstText,
  type JsonFields,
  jsonOf,
  mergeCounts,
  nonEmpty,
  record
} from "../Probe.ts"
import { type DecodeContext, type Decoder, parseFrame } from "../Protocol.ts"
import { Template } from "../Template.ts"
import { type Block, cite, closeCall, closeContent, closeOpaque, hasNoInput, type Kind, openBlock } from "./Block.ts"
import { errorFailure, hasError } from "./ErrorFrame.ts"
import { deltaType, inferType } from "./FrameTypes.ts"
import { usageOf } from "./Usage.ts"

/** Fields of a message or frame that are not extras. */
const known: ReadonlySet<string> = new Set([
  "id",
  "type",
  "role",
  "model",
  "content",
  "stop_reason",
  "usage",
  "message",
  "delta",
  "index",
  "error"
])

/** Fields of the usage object that say how the answer was served. */
const serving = ["service_tier", "inference_geo", "speed"]

/** The kind of block that a delta which only adds text belongs to. */
const kindOfDelta: { readonly [type: string]: Kind | undefined } = {
  text_delta: "text",
  thinking_delta: "reasoning",
  input_json_delta: "tool"
}

const repeatedText = (delta: JsonFields): Json | undefined => {
  switch (delta["type"]) {
    case "text_delta":
      return delta["text"]
    case "thinking_delta":
      return delta["thinking"]
    case "input_json_delta":
      return delta["partial_json"]
  }
}

const blockLabels: ReadonlySet<string> = new Set(["type"])

const textOfDelta = (frame: unknown): unknown => {
  const delta = record(record(frame)?.["delta"])
  return delta === undefined ? undefined : repeatedText(delta)
}

/**
 * Decodes one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class AnthropicDecoder implements Decoder {
  readonly assembler: Assembler
  settled = false

  /** Open blocks by index. */
  private readonly blocks = new Map<unknown, Block>()
  /** The open block of each kind that was started last. */
  private readonly latest: Record<Kind, Block | undefined> = {
    text: undefined,
    reasoning: undefined,
    tool: undefined,
    opaque: undefined,
    ignored: undefined
  }
  /** The block that was started last, closed or not. */
  private last: Block | undefined
  /** Whether `last` is still open. */
  private lastOpen = false
  /** Indexes that were ever started. */
  private readonly started = new Set<unknown>()
  /** A closed call without arguments that may yet turn out to be cut by a limit. */
  private undecided: Block | undefined
  private messageId: string | undefined
  private begun = false
  /** Ids of calls that came whole in `message_start`. */
  private preloaded: Set<string> | undefined
  private usageSoFar: JsonFields | undefined
  private stopReason: string | undefined
  /** The delta that repeats, of the open block `repeated`. */
  private readonly template = new Template()
  private repeated: Block | undefined

  constructor(context: DecodeContext) {
    this.assembler = new Assembler(context)
  }

  // ---------------------------------------------------------------------------
  // Frames
  // ---------------------------------------------------------------------------

  frame(data: string, event: string): void {
    const assembler = this.assembler
    if (assembler.finished || assembler.failure !== undefined) return
    if (this.template.learned) {
      const text = this.template.read(data)
      if (text !== undefined) return this.repeat(this.repeated!, text)
    }
    if (data.charCodeAt(0) !== 123) {
      const text = data.trim()
      if (text === "" || text === "[DONE]") return
      if (event === "error" && text.charCodeAt(0) !== 123) {
        return assembler.fail({ kind: "provider", message: text, body: data })
      }
    }
    const frame: JsonFields | null | undefined = parseFrame(assembler, data)
    if (typeof frame !== "object" || frame === null) return
    if (assembler.raw !== undefined) assembler.raw.push(jsonOf(frame))
    if (frame["type"] === "content_block_delta") {
      const delta = frame["delta"] as JsonFields | null | undefined
      const block = this.blocks.get(frame["index"])
      if (block !== undefined && delta !== null && delta !== undefined) {
        const text = repeatedText(delta)
        if (typeof text === "string" && block.kind === kindOfDelta[delta["type"] as string]) {
          if (assembler.raw === undefined) {
            this.repeated = block
            this.template.learn(data, text, textOfDelta)
          }
          return this.repeat(block, text)
        }
      }
      return this.onDelta(frame)
    }
    this.onFrame(frame, event)
  }

  /** More text of an open block. */
  private repeat(block: Block, text: string): void {
    if (block.kind === "text") return this.assembler.text(block.index, text)
    if (block.kind === "reasoning") return this.assembler.reasoning(block.index, text)
    if (text === "") return
    block.streamed = true
    this.assembler.toolCallDelta(block.index, text)
  }

  private onFrame(frame: JsonFields, event: string): void {
    if (Array.isArray(frame)) {
      const first = record(frame[0])
      if (first !== undefined && hasError(first)) this.assembler.fail(errorFailure(first))
      return
    }
    if (event === "error" || hasError(frame)) return this.assembler.fail(errorFailure(frame))
    const type = nonEmpty(frame["type"]) ?? (event === "" || event === "message" ? inferType(frame) : event)
    switch (type) {
      case "message_start":
        return this.onMessageStart(frame)
      case "content_block_start":
        return this.onStart(frame)
      case "content_block_delta":
        return this.onDelta(frame)
      case "content_block_stop":
        return this.onStop(frame)
      case "message_delta":
        return this.onMessageDelta(frame)
      case "message_stop":
        this.onUsage(frame["usage"])
        return this.finish()
      case "message":
        return !this.begun && Array.isArray(frame["content"]) ? this.onWhole(frame) : undefined
    }
  }

  private onMessageStart(frame: JsonFields): void {
    const message = filledRecord(frame["message"]) ?? frame
    const id = nonEmpty(message["id"])
    if (this.messageId !== undefined && id !== undefined && id !== this.messageId) {
      return this.assembler.fail({
        kind: "parse",
        message: "A second message was spliced into the stream of the first.",
        body: JSON.stringify(frame)
      })
    }
    this.messageId ??= id
    const first = !this.begun
    this.onMessage(message)
    const given = message["content"]
    if (!first || !Array.isArray(given)) return
    const content = given.filter((one) => !blankBut(record(one) ?? { one }, blockLabels))
    if (content.length === 0) return
    for (const one of content) {
      const called = record(one)?.["type"] === "tool_use" ? nonEmpty(record(one)?.["id"]) : undefined
      if (called !== undefined) (this.preloaded ??= new Set()).add(called)
    }
    const stopReason = nonEmpty(message["stop_reason"])
    this.onContent(content, stopReason)
    // Only next to content: some hosts put a placeholder into every message_start.
    if (stopReason !== undefined) this.onStopReason(stopReason)
  }

  /** What `message_start` and a whole body share. */
  private onMessage(message: JsonFields): void {
    this.begun = true
    this.assembler.start(nonEmpty(message["id"]), nonEmpty(message["model"]))
    copyPresent(this.assembler.extra, message, known)
    this.onUsage(message["usage"])
  }

  private onMessageDelta(frame: JsonFields): void {
    const delta = record(frame["delta"])
    copyPresent(this.assembler.extra, frame, known)
    if (delta !== undefined) copyPresent(this.assembler.extra, delta, known)
    this.onUsage(delta?.["usage"])
    this.onUsage(frame["usage"])
    const stopReason = filled(delta?.["stop_reason"]) ?? filled(frame["stop_reason"]) ?? delta?.["stop_reason"]
    if (typeof stopReason === "string" || !blank(stopReason)) this.onStopReason(asText(stopReason))
  }

  private onStopReason(stopReason: string): void {
    if (stopReason === "" && this.stopReason !== undefined) return
    this.stopReason = stopReason
    if (stopReason === "") return
    this.decide(isCut(stopReason))
    this.settled = true
  }

  private onUsage(value: Json | undefined): void {
    const usage = record(value)
    if (usage === undefined || (this.usageSoFar !== undefined && blank(usage))) return
    const merged = mergeCounts(this.usageSoFar, usage)
    this.usageSoFar = merged
    for (const key of serving) {
      const served = merged[key]
      if (served !== undefined) this.assembler.extra[key] = served as Json
    }
    this.assembler.usage(usageOf(merged))
  }

  // ---------------------------------------------------------------------------
  // Blocks
  // ---------------------------------------------------------------------------

  private onStart(frame: JsonFields): void {
    const start = record(frame["content_block"])
    const index = frame["index"]
    if (start === undefined) return
    const id = nonEmpty(start["id"])
    if (id !== undefined && this.preloaded?.has(id) === true) return
    this.open(index, start)
  }

  private open(index: unknown, start: JsonFields): Block {
    this.decide(false)
    const key = index === undefined || index === null ? start : index
    const before = this.blocks.get(key)
    if (before !== undefined) this.displace(before)
    const block = openBlock(this.assembler, key, start)
    this.blocks.set(key, block)
    this.started.add(key)
    this.latest[block.kind] = block
    this.last = block
    this.lastOpen = true
    return block
  }

  /** The open block that a delta of this kind belongs to. */
  private target(index: unknown, kind: Kind): Block | undefined {
    const last = this.lastOpen ? this.last : undefined
    const named = index === undefined || index === null ? last : this.blocks.get(index)
    return named !== undefined && named.kind === kind ? named : this.latest[kind]
  }

  private onDelta(frame: JsonFields): void {
    const delta = record(frame["delta"])
    if (delta === undefined) return
    const assembler = this.assembler
    const index = frame["index"]
    const type = deltaType(delta)
    const named = this.blocks.get(index)
    if (named !== undefined && (named.kind === "ignored" || named.kind === "opaque")) {
      if (named.kind === "ignored" || (type !== "input_json_delta" && type !== "compaction_delta")) return
    }
    switch (type) {
      case "text_delta": {
        const text = firstText(delta["text"])
        const block = this.target(index, "text")
        if (block !== undefined) assembler.text(block.index, text)
        else if (text !== "") assembler.text(this.implicit(index, { type: "text" }).index, text)
        return
      }
      case "thinking_delta": {
        const text = firstText(delta["thinking"], delta["text"])
        const block = this.target(index, "reasoning")
        if (block !== undefined) assembler.reasoning(block.index, text)
        else if (text !== "") assembler.reasoning(this.implicit(index, { type: "thinking" }).index, text)
        return
      }
      case "signature_delta": {
        const block = this.target(index, "reasoning")
        if (block !== undefined) block.signature = nonEmpty(delta["signature"]) ?? block.signature
        return
      }
      case "input_json_delta": {
        const text = asText(delta["partial_json"])
        if (text === "") return
        const block = named?.kind === "opaque" ? named : this.target(index, "tool") ?? this.latest.opaque
        if (block === undefined) return
        if (block.kind === "opaque") {
          ;(block.input ??= []).push(text)
        } else {
          block.streamed = true
          assembler.toolCallDelta(block.index, text)
        }
        return
      }
      case "citations_delta":
        return cite(assembler, this.target(index, "text"), delta["citation"])
      case "compaction_delta": {
        const block = this.target(index, "opaque")
        if (block === undefined) return
        const changed = block.changed ??= {}
        const text = asText(delta["content"])
        if (text !== "") changed["content"] = asText(changed["content"] ?? block.start["content"]) + text
        const encrypted = delta["encrypted_content"]
        if (encrypted !== undefined && encrypted !== null) changed["encrypted_content"] = encrypted
        return
      }
    }
  }

  /** A block whose start was lost, or whose index names another kind. */
  private implicit(index: unknown, start: JsonFields): Block {
    return this.open(this.blocks.has(index) ? undefined : index, start)
  }

  private onStop(frame: JsonFields): void {
    const index = frame["index"]
    const named = index === undefined || index === null ? undefined : this.blocks.get(index)
    // A stop for an index that never was started is meant for the open block; a repeated stop for none.
    const block = named ?? (this.lastOpen && !this.started.has(index) ? this.last : undefined)
    if (block !== undefined) this.close(block)
  }

  private close(block: Block): void {
    this.forget(block)
    switch (block.kind) {
      case "text":
      case "reasoning":
        return closeContent(this.assembler, block)
      case "tool":
        if (block !== this.last || !hasNoInput(block)) return closeCall(this.assembler, block)
        // A limit may have cut it before its first argument: the next block or the stop reason tells.
        this.undecided = block
        return
      case "opaque":
        return closeOpaque(this.assembler, block)
    }
  }

  /** Ends a block whose index was given to another: what it has is kept, except a call, which was not stopped. */
  private displace(block: Block): void {
    this.forget(block)
    if (block.kind === "text" || block.kind === "reasoning") closeContent(this.assembler, block)
    else if (block.kind === "opaque") closeOpaque(this.assembler, block, true)
  }

  private forget(block: Block): void {
    this.blocks.delete(block.key)
    if (this.latest[block.kind] === block) this.latest[block.kind] = undefined
    if (this.last === block) this.lastOpen = false
    if (this.repeated === block) this.template.forget()
  }

  private decide(cut: boolean): void {
    const block = this.undecided
    if (block === undefined) return
    this.undecided = undefined
    closeCall(this.assembler, block, cut)
  }

  // ---------------------------------------------------------------------------
  // Whole answers
  // ---------------------------------------------------------------------------

  whole(body: Json): void {
    const assembler = this.assembler
    if (assembler.finished || assembler.failure !== undefined) return
    if (assembler.raw !== undefined) assembler.raw.push(body)
    const message = record(body) ?? (Array.isArray(body) ? record(body[0]) : undefined)
    if (message !== undefined && hasError(message)) return assembler.fail(errorFailure(message))
    const content = message?.["content"]
    const isMessage = record(body) !== undefined && message !== undefined && (Array.isArray(content) ||
      typeof content === "string" ||
      message["type"] === "message" || nonEmpty(message["stop_reason"]) !== undefined)
    if (!isMessage) {
      if (message !== undefined && isErrorBody(message)) return assembler.fail(errorFailure(message))
      return assembler.fail({
        kind: "parse",
        message: "The body is not a message of this API.",
        body: JSON.stringify(body)
      })
    }
    this.onWhole(message)
  }

  private onWhole(message: JsonFields): void {
    this.onMessage(message)
    const stopReason = message["stop_reason"]
    const raw = blank(stopReason) && stopReason !== "" ? undefined : asText(stopReason)
    const content = message["content"]
    this.onContent(Array.isArray(content) ? content : typeof content === "string" ? [content] : [], raw)
    if (raw !== undefined) this.onStopReason(raw)
    this.finish()
  }

  /** Content that came whole. When a limit cut the answer, its last call is not one to run. */
  private onContent(content: ReadonlyArray<Json>, stopReason: string | undefined): void {
    const cut = isCut(stopReason)
    content.forEach((one, i) => {
      const start = typeof one === "string" ? { type: "text", text: one } : record(one)
      if (start === undefined) return
      const block = this.open(undefined, start)
      if (!cut || i < content.length - 1 || block.kind !== "tool") return this.close(block)
      this.forget(block)
      closeCall(this.assembler, block, true)
    })
  }

  // ---------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------

  private finish(): void {
    const assembler = this.assembler
    this.decide(isCut(this.stopReason))
    for (const block of [...this.blocks.values()]) this.displace(block)
    const reason = finishReasonOf(this.stopReason)
    assembler.finish(reason === "stop" && assembler.hasToolCalls ? "tool-calls" : reason, this.stopReason, this.begun)
  }

  end(): void {
    const assembler = this.assembler
    if (assembler.finished || assembler.failure !== undefined) return
    if (this.settled) return this.finish()
    assembler.fail({
      kind: "incomplete",
      message: this.begun
        ? "The stream ended before the answer was complete (no stop reason and no message_stop)."
        : "The stream ended before an answer began."
    })
  }
}
