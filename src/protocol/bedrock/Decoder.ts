/**
 * The Converse decoder: events of a stream and whole bodies to events, through the same handlers.
 *
 * Rules where traffic differs from the API: text and reasoning have no start event, so a delta opens its block; an event
 * without a name has that of its members; a call whose block was never stopped counts when the stop reason says that
 * tools are to be called; `messageStop` completes the answer and `metadata` after it ends it, but `metadata` may also
 * come before. Unknown events, blocks and deltas are ignored.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
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
  filledRecord,
  firstText,
  isEmpty,
  type JsonFields,
  jsonOf,
  mergeCounts,
  nonEmpty,
  record
} from "../Probe.ts"
import { type DecodeContext, type Decoder, exceptionPrefix, parseFrame } from "../Protocol.ts"
import {
  type Block,
  cite,
  closeBlock,
  closeCall,
  fill,
  hasNoInput,
  type Kind,
  openBlock,
  reasoningOf
} from "./Block.ts"
import { exceptionFailure } from "./Exception.ts"
import { usageOf } from "./Usage.ts"

const eventNames = [
  "messageStart",
  "contentBlockStart",
  "contentBlockDelta",
  "contentBlockStop",
  "messageStop",
  "metadata"
]

/** What is kept beside content and usage, under the wire's names. */
const extras = ["additionalModelResponseFields", "metrics", "trace", "performanceConfig", "serviceTier"]

/** The members by which an unnamed payload is told, and the event it must be of. */
const members: ReadonlyArray<readonly [name: string, event: string]> = [
  ["delta", "contentBlockDelta"],
  ["start", "contentBlockStart"],
  ["stopReason", "messageStop"],
  ["usage", "metadata"],
  ["metrics", "metadata"]
]

/** Where one member says something, the others are placeholders. */
const inferName = (frame: JsonFields): string | undefined => {
  const found = members.find(([name]) => !blank(frame[name])) ?? members.find(([name]) => frame[name] !== undefined)
  if (
    found !== undefined && ((found[0] !== "delta" && found[0] !== "start") || record(frame[found[0]]) !== undefined)
  ) {
    return found[1]
  }
  if ("contentBlockIndex" in frame) return "contentBlockStop"
  return "role" in frame ? "messageStart" : undefined
}

/**
 * Decodes one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class BedrockDecoder implements Decoder {
  readonly assembler: Assembler
  settled = false

  /** Open blocks by index, in the order of their start. */
  private readonly blocks = new Map<unknown, Block>()
  /** Blocks in the order of their start, in all and by kind; those closed since are dropped when they are met. */
  private readonly order: Array<Block> = []
  private readonly orderOf = new Map<Kind, Array<Block>>()
  /** A closed call without arguments that may yet turn out to be cut by a limit. */
  private undecided: Block | undefined
  private begun = false
  private stopReason: string | undefined
  private usageSoFar: JsonFields | undefined

  constructor(context: DecodeContext) {
    this.assembler = new Assembler(context)
  }

  // ---------------------------------------------------------------------------
  // Events of a stream
  // ---------------------------------------------------------------------------

  frame(data: string, event: string): void {
    const assembler = this.assembler
    if (assembler.finished || assembler.failure !== undefined) return
    if (event.startsWith(exceptionPrefix)) {
      return assembler.fail(exceptionFailure(data, event.slice(exceptionPrefix.length)))
    }
    if (data.trim() === "") return event.endsWith("Exception") ? assembler.fail(exceptionFailure("", event)) : undefined
    const frame: JsonFields | null | undefined = parseFrame(assembler, data)
    if (typeof frame !== "object" || frame === null || Array.isArray(frame)) return
    if (assembler.raw !== undefined) assembler.raw.push(event === "" ? jsonOf(frame) : { [event]: jsonOf(frame) })
    if (event === "contentBlockDelta") {
      const text = (frame["delta"] as JsonFields | null | undefined)?.["text"]
      const block = this.blocks.get(frame["contentBlockIndex"])
      if (typeof text === "string" && text !== "" && block !== undefined && block.kind === "text") {
        return assembler.text(block.index, text)
      }
    }
    this.onEvent(event, frame, data)
  }

  private onEvent(name: string, frame: JsonFields, data: string): void {
    switch (name) {
      case "messageStart":
        return this.begin()
      case "contentBlockStart":
        return this.onStart(frame)
      case "contentBlockDelta":
        return this.onDelta(frame)
      case "contentBlockStop":
        return this.onBlockStop(frame["contentBlockIndex"])
      case "messageStop":
        this.begin()
        this.keepExtras(frame)
        return this.onStop(frame["stopReason"])
      case "metadata":
        this.onMetadata(frame)
        return this.settled ? this.finish() : undefined
    }
    // Some proxies send `{ "messageStart": {…} }` without the name of the event.
    const wrapped = eventNames.find((one) => filledRecord(frame[one]) !== undefined) ??
      eventNames.find((one) => record(frame[one]) !== undefined)
    if (wrapped !== undefined) return this.onEvent(wrapped, record(frame[wrapped])!, data)
    if (/(?:exception|error)$/i.test(name)) {
      return this.assembler.fail(exceptionFailure(data, name === "error" ? "" : name))
    }
    if (isErrorBody(frame)) return this.assembler.fail(exceptionFailure(data, ""))
    const inferred = name === "" || name === "chunk" ? inferName(frame) : undefined
    if (inferred !== undefined) this.onEvent(inferred, frame, data)
  }

  private begin(): void {
    this.begun = true
    this.assembler.start()
  }

  private onStart(frame: JsonFields): void {
    const start = record(frame["start"])
    if (start === undefined) return
    this.begin()
    const block = this.open(frame["contentBlockIndex"], start)
    fill(this.assembler, block, start)
  }

  private onDelta(frame: JsonFields): void {
    const delta = record(frame["delta"])
    if (delta === undefined) return
    this.begin()
    const assembler = this.assembler
    const index = frame["contentBlockIndex"]
    if ("text" in delta) {
      const text = firstText(delta["text"])
      if (text !== "") assembler.text(this.content(index, "text", delta).index, text)
    }
    if ("reasoningContent" in delta) this.onReasoning(index, delta)
    const citation = record(delta["citation"])
    if (citation !== undefined && (!blank(citation) || Object.keys(delta).length === 1)) {
      cite(assembler, this.content(index, "text", delta), jsonOf(citation))
    }
    if ("toolUse" in delta && !blank(delta["toolUse"])) this.onInput(index, delta)
    if ("toolResult" in delta) {
      const block = this.target(index, "server")
      const results = delta["toolResult"]
      if (block !== undefined && Array.isArray(results)) { for (const one of results) block.results.push(one as Json) }
    }
    if ("image" in delta) {
      const block = this.target(index, "media")
      block?.pieces.push(asText(record(record(delta["image"])?.["source"])?.["bytes"]))
    }
  }

  private onReasoning(index: unknown, delta: JsonFields): void {
    const { encrypted, signature, text } = reasoningOf(delta["reasoningContent"])
    if (text === "" && signature === undefined && encrypted === undefined) return
    let block = this.content(index, "reasoning", delta)
    // Redacted reasoning is a part of its own.
    const mixed = encrypted !== undefined
      ? this.assembler.openLength(block.index) > 0
      : text !== "" && block.encrypted !== undefined
    if (mixed) {
      this.close(block)
      block = this.content(index, "reasoning", delta)
    }
    this.assembler.reasoning(block.index, text)
    block.signature = signature ?? block.signature
    if (encrypted !== undefined) {
      ;(block.encrypted ??= []).push(encrypted)
    }
  }

  private onInput(index: unknown, delta: JsonFields): void {
    const call = record(delta["toolUse"])
    if (call === undefined) return
    const named = this.blocks.get(index)
    const block = named?.kind === "server" ? named : this.target(index, "tool")
    if (block === undefined) {
      // The start was lost: without a name the call cannot be run, but it must not vanish.
      const opened = this.open(index, delta)
      opened.input = undefined
      return this.onInput(opened.key, delta)
    }
    const input = call["input"]
    if (typeof input !== "string") {
      if (input !== undefined && input !== null) block.input = input
      return
    }
    if (input === "") return
    if (block.kind === "server") {
      block.pieces.push(input)
    } else {
      block.streamed = true
      this.assembler.toolCallDelta(block.index, input)
    }
  }

  private onBlockStop(index: unknown): void {
    const named = index === undefined || index === null ? this.lastOpen() : this.blocks.get(index)
    if (named !== undefined) this.close(named)
  }

  // ---------------------------------------------------------------------------
  // Blocks
  // ---------------------------------------------------------------------------

  private lastOpen(kind?: Kind): Block | undefined {
    const order = kind === undefined ? this.order : this.orderOf.get(kind) ?? []
    let last = order.at(-1)
    while (last !== undefined && this.blocks.get(last.key) !== last) {
      order.pop()
      last = order.at(-1)
    }
    return last
  }

  /** The open block that a delta of this kind belongs to: the named one, else the last of its kind. */
  private target(index: unknown, kind: Kind): Block | undefined {
    const named = this.blocks.get(index)
    return named?.kind === kind ? named : this.lastOpen(kind)
  }

  /** The block of text or reasoning with this index, opened when there is none. */
  private content(index: unknown, kind: "text" | "reasoning", delta: JsonFields): Block {
    const unnamed = index === undefined || index === null
    const named = unnamed ? this.lastOpen() : this.blocks.get(index)
    if (named?.kind === kind) return named
    // A call keeps its index; text that names it as well gets a block of its own.
    const taken = named !== undefined && (named.kind === "tool" || named.kind === "server")
    if (taken) {
      const last = this.lastOpen()
      if (last?.kind === kind) return last
    }
    return this.open(
      taken ? undefined : index,
      kind === "text" ? { text: "" } : { reasoningContent: delta["reasoningContent"] }
    )
  }

  private open(index: unknown, fields: JsonFields): Block {
    this.decide(false)
    const key = index === undefined || index === null ? fields : index
    const before = this.blocks.get(key)
    if (before !== undefined) this.displace(before)
    const block = openBlock(this.assembler, key, fields)
    this.blocks.set(key, block)
    this.lastOpen()
    this.order.push(block)
    this.lastOpen(block.kind)
    const alike = this.orderOf.get(block.kind)
    if (alike === undefined) this.orderOf.set(block.kind, [block])
    else alike.push(block)
    return block
  }

  private close(block: Block): void {
    this.blocks.delete(block.key)
    // A limit may have cut it before its first argument: the next block or the stop reason tells.
    if (block.kind === "tool" && hasNoInput(block)) {
      this.decide(false)
      this.undecided = block
    } else {
      closeBlock(this.assembler, block)
    }
  }

  /** Ends a block whose index was given to another: what it has is kept, except a call, which was not stopped. */
  private displace(block: Block): void {
    this.blocks.delete(block.key)
    closeBlock(this.assembler, block, true)
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
    const answer = record(body)
    const output = record(answer?.["output"])
    const message = filledRecord(output?.["message"]) ?? filledRecord(answer?.["message"]) ??
      record(output?.["message"]) ??
      record(answer?.["message"])
    const content = message?.["content"]
    const stopReason = answer?.["stopReason"]
    const isAnswer = Array.isArray(content) || typeof content === "string" || nonEmpty(stopReason) !== undefined
    if (answer === undefined || !isAnswer || isErrorBody(body)) {
      // An unknown operation is `{ "Output": { "__type": "…" } }`.
      const error = record(answer?.["Output"]) ?? body
      if (isErrorBody(error)) return assembler.fail(exceptionFailure(JSON.stringify(error), ""))
      return assembler.fail({
        kind: "parse",
        message: "The body is not an answer of this API.",
        body: JSON.stringify(body)
      })
    }
    this.begin()
    this.onMetadata(answer)
    const blocks = Array.isArray(content) ? content as ReadonlyArray<Json> : [content ?? ""]
    const cut = isCut(nonEmpty(stopReason))
    blocks.forEach((one, i) => {
      const fields = typeof one === "string" ? { text: one } : record(one)
      if (fields === undefined || blank(fields)) return
      const block = this.open(undefined, fields)
      fill(assembler, block, fields)
      if (!cut || i < blocks.length - 1 || block.kind !== "tool") return this.close(block)
      this.blocks.delete(block.key)
      closeCall(assembler, block, true)
    })
    this.onStop(stopReason)
    this.finish()
  }

  // ---------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------

  private keepExtras(fields: JsonFields): void {
    for (const name of extras) {
      const value = fields[name]
      if (value !== undefined && !isEmpty(value)) this.assembler.extra[name] = value
    }
  }

  private onMetadata(fields: JsonFields): void {
    this.keepExtras(fields)
    const router = record(record(fields["trace"])?.["promptRouter"])
    const model = nonEmpty(router?.["invokedModelId"])
    this.begun = true
    this.assembler.start(undefined, model)
    const usage = record(fields["usage"])
    if (usage === undefined) return
    if (this.usageSoFar !== undefined && blank(usage)) return
    this.usageSoFar = mergeCounts(this.usageSoFar, usage)
    this.assembler.usage(usageOf(this.usageSoFar))
  }

  private onStop(value: Json | undefined): void {
    const stopReason = blank(value) ? undefined : asText(value)
    this.stopReason = stopReason === undefined || stopReason === "" ? this.stopReason : stopReason
    this.decide(isCut(this.stopReason))
    const called = finishReasonOf(this.stopReason) === "tool-calls"
    for (const block of [...this.blocks.values()]) {
      this.blocks.delete(block.key)
      closeBlock(this.assembler, block, !called)
    }
    this.settled = true
  }

  private finish(): void {
    const assembler = this.assembler
    this.decide(isCut(this.stopReason))
    for (const block of [...this.blocks.values()]) this.displace(block)
    const reason = finishReasonOf(this.stopReason)
    assembler.finish(reason === "stop" && assembler.hasToolCalls ? "tool-calls" : reason, this.stopReason)
  }

  end(): void {
    const assembler = this.assembler
    if (assembler.finished || assembler.failure !== undefined) return
    if (this.settled) return this.finish()
    assembler.fail({
      kind: "incomplete",
      message: this.begun
        ? "The stream ended before the answer was complete (no messageStop)."
        : "The stream ended before an answer began."
    })
  }
}
