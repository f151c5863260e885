/**
 * Decodes answers of Cohere's Chat API v2: stream events and whole bodies through the same handlers.
 *
 * The tool plan, what the model says it will do with its tools, is no text of the answer: it becomes an opaque part
 * that is sent back with the calls. The answer is over with `message-end`; its `error`, and any error body or event, is
 * a failure. Unknown events and fields are ignored, a missing event of a pair is made up for.
 *
 * @see https://docs.cohere.com/docs/streaming
 * @since 0.1.0
 */
import type { Json, JsonObject, SourcePart } from "../../Message.ts"
import { Assembler } from "../assembling.ts"
import { failureFrom } from "../chat/Failures.ts"
import { isErrorBody, isErrorMember } from "../errors/ErrorBody.ts"
import { cutsToolCalls } from "../FinishReasons.ts"
import {
  asText,
  blank,
  blankBut,
  callArguments,
  type Fields,
  filledRecord,
  list,
  nonEmpty,
  parsedOrText,
  record
} from "../Probe.ts"
import { type DecodeContext, type Decoder, parseFrame } from "../Protocol.ts"
import { toolPlan } from "./Messages.ts"
import { finishReasonOf, usageOf } from "./Usage.ts"
import * as Version1 from "./Version1.ts"

const unnamed = "unnamed_tool"

const roleField: ReadonlySet<string> = new Set(["role"])
const callLabels: ReadonlySet<string> = new Set(["type", "index"])

type Kind = "text" | "reasoning"

interface OpenCall {
  readonly part: number
  readonly named: boolean
}

const indexOf = (value: unknown): number | undefined => typeof value === "number" ? value : undefined

/** One object or a list of them: the API sends one, its documentation showed lists. */
const each = (value: unknown): ReadonlyArray<unknown> =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]

/**
 * The decoder of one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class CohereDecoder implements Decoder {
  readonly assembler: Assembler
  /** Only `message-end` settles an answer, and it finishes it at once. */
  readonly settled = false

  private plan = ""
  private part = -1
  private kind: Kind = "text"
  private contentIndex: number | undefined
  private readonly calls = new Map<number | undefined, OpenCall>()
  private lastCall: number | undefined
  private logprobs: Array<Json> | undefined
  private answered = false

  constructor(context: DecodeContext) {
    this.assembler = new Assembler(context)
  }

  frame(data: string, event: string): void {
    if (this.stopped) return
    const trimmed = data.trim()
    if (trimmed === "") return
    // The end was said although no `message-end` came.
    if (trimmed === "[DONE]") return this.answered ? this.finish(undefined) : undefined
    if (event === "error") return this.assembler.fail(failureFrom(parsedOrText(trimmed)))
    const value = record(parseFrame(this.assembler, trimmed))
    if (value === undefined) return
    this.assembler.raw?.push(value as JsonObject)
    this.accept(value, event)
  }

  whole(body: Json): void {
    if (this.stopped) return
    const value = record(body)
    if (value !== undefined) {
      this.assembler.raw?.push(value as JsonObject)
      if (nonEmpty(value["type"]) !== undefined || nonEmpty(value["event_type"]) !== undefined) this.accept(value, "")
      else this.wholeAnswer(value)
    }
    if (this.stopped) return
    this.assembler.fail({
      kind: "parse",
      message: "The provider's body is not an answer of Cohere's Chat API: it has no message.",
      body: JSON.stringify(body)
    })
  }

  end(): void {
    if (this.stopped) return
    this.assembler.fail({ kind: "incomplete", message: "The stream ended before message-end." })
  }

  private get stopped(): boolean {
    return this.assembler.finished || this.assembler.failure !== undefined
  }

  // ---------------------------------------------------------------------------
  // Events
  // ---------------------------------------------------------------------------

  private accept(frame: Fields, event: string): void {
    if (nonEmpty(frame["event_type"]) !== undefined) {
      if (isErrorBody(frame)) return this.assembler.fail(failureFrom(frame))
      for (const one of Version1.eventsOf(frame)) if (!this.stopped) this.accept(one, "")
      return
    }
    const delta = record(frame["delta"])
    const message = filledRecord(delta?.["message"]) ?? filledRecord(frame["message"]) ?? record(delta?.["message"])
    switch (nonEmpty(frame["type"]) ?? event) {
      case "message-start":
        this.answered = true
        this.assembler.start(nonEmpty(frame["id"]), nonEmpty(frame["model"]))
        // Empty as a rule; a proxy may put the first content here.
        if (message !== undefined) this.message(message)
        return
      case "content-start":
      case "content-delta":
        return this.content(indexOf(frame["index"]), message?.["content"], frame["logprobs"])
      case "content-end":
        if (this.contentIndex === indexOf(frame["index"])) this.closeContent()
        return
      case "tool-plan-delta":
        this.answered = true
        this.assembler.start()
        this.plan += nonEmpty(message?.["tool_plan"]) ?? ""
        return
      case "tool-call-start":
        for (const one of each(message?.["tool_calls"])) this.toolCallStart(indexOf(frame["index"]), record(one) ?? {})
        return
      case "tool-call-delta":
        for (const one of each(message?.["tool_calls"])) this.toolCallDelta(indexOf(frame["index"]), record(one) ?? {})
        return
      case "tool-call-end":
        return this.toolCallEnd(frame["index"] === undefined ? this.lastCall : indexOf(frame["index"]))
      case "citation-start":
        for (const one of each(message?.["citations"])) this.citation(one)
        return
      case "message-end":
        return this.messageEnd(frame, delta ?? {})
      default:
        if (frame["type"] === undefined && record(frame["message"]) !== undefined) return this.wholeAnswer(frame)
        if (isErrorBody(frame)) this.assembler.fail(failureFrom(frame))
    }
  }

  private messageEnd(frame: Fields, delta: Fields): void {
    this.assembler.start(nonEmpty(frame["id"]))
    const usage = filledRecord(delta["usage"]) ?? filledRecord(frame["usage"])
    if (usage !== undefined) this.assembler.usage(usageOf(usage))
    const reason = nonEmpty(delta["finish_reason"]) ?? nonEmpty(frame["finish_reason"])
    const error = [delta["error"], frame["error"]].find(isErrorMember)
    if (error !== undefined) {
      this.flushPlan()
      return this.assembler.fail({
        ...(reason === undefined ? undefined : { type: reason }),
        ...failureFrom({ error })
      })
    }
    this.finish(reason)
  }

  private wholeAnswer(body: Fields): void {
    const message = record(body["message"])
    if (message === undefined || (blankBut(message, roleField) && Version1.isWhole(body))) {
      if (isErrorBody(body)) return this.assembler.fail(failureFrom(body))
      return Version1.isWhole(body) ? this.wholeAnswer(Version1.wholeOf(body)) : undefined
    }
    this.assembler.start(nonEmpty(body["id"]), nonEmpty(body["model"]))
    this.message(message)
    for (const one of list(body["logprobs"])) if (!blank(one)) (this.logprobs ??= []).push(one as Json)
    this.messageEnd({}, { finish_reason: body["finish_reason"], usage: body["usage"], error: body["error"] })
  }

  /** A message of a whole answer, or what `message-start` already holds of one. */
  private message(message: Fields): void {
    const plan = nonEmpty(message["tool_plan"])
    if (plan !== undefined) this.plan += plan
    const content = message["content"]
    each(content).forEach((one, index) => {
      this.content(index, one, undefined)
      this.closeContent()
    })
    each(message["tool_calls"]).forEach((one, index) => {
      const call = record(one)
      if (call === undefined || blankBut(call, callLabels)) return
      this.toolCallStart(index, call)
      this.toolCallEnd(index)
    })
    for (const one of list(message["citations"])) this.citation(one)
  }

  // ---------------------------------------------------------------------------
  // Content
  // ---------------------------------------------------------------------------

  private content(index: number | undefined, value: unknown, logprobs: unknown): void {
    this.answered = true
    this.assembler.start()
    if (filledRecord(logprobs) !== undefined) (this.logprobs ??= []).push(logprobs as Json)
    for (const one of each(value)) {
      if (typeof one === "string") {
        this.add(index, "text", one)
        continue
      }
      const content = record(one)
      if (content === undefined) continue
      const { text, thinking, type } = content
      if (typeof thinking === "string") this.add(index, "reasoning", thinking)
      if (type === "thinking" && nonEmpty(thinking) !== undefined) continue
      if (typeof text === "string") this.add(index, type === "thinking" ? "reasoning" : "text", text)
      // Some hosts send objects where text is promised.
      else if (typeof text === "object" && !blank(text)) this.add(index, "text", JSON.stringify(text))
    }
  }

  private add(index: number | undefined, kind: Kind, text: string): void {
    if (text === "") return
    if (this.part >= 0 && (this.contentIndex !== index || this.kind !== kind)) this.closeContent()
    if (this.part < 0) {
      this.flushPlan()
      this.contentIndex = index
      this.kind = kind
      this.part = kind === "text" ? this.assembler.openText() : this.assembler.openReasoning()
    }
    if (kind === "text") this.assembler.text(this.part, text)
    else this.assembler.reasoning(this.part, text)
  }

  private closeContent(): void {
    const index = this.part
    this.part = -1
    if (index < 0) return
    if (this.kind === "text") this.assembler.endText(index)
    else this.assembler.endReasoning(index)
  }

  private flushPlan(): void {
    if (this.plan === "") return
    const plan = this.plan
    this.plan = ""
    this.assembler.serverTool({ name: toolPlan, kind: "block", data: { [toolPlan]: plan } })
  }

  private citation(value: unknown): void {
    const citation = filledRecord(value)
    if (citation === undefined) return
    const source = record(list(citation["sources"])[0])
    const cited = record(source?.["document"]) ?? record(source?.["tool_output"]) ?? source ?? {}
    const url = nonEmpty(cited["url"])
    const title = nonEmpty(cited["title"])
    const citedText = nonEmpty(cited["snippet"]) ?? nonEmpty(citation["text"])
    const part: SourcePart = {
      type: "source",
      ...(url === undefined ? undefined : { url }),
      ...(title === undefined ? undefined : { title }),
      ...(citedText === undefined ? undefined : { citedText }),
      raw: citation as JsonObject
    }
    this.assembler.source(part)
  }

  // ---------------------------------------------------------------------------
  // Tool calls
  // ---------------------------------------------------------------------------

  private toolCallStart(index: number | undefined, call: Fields): void {
    this.answered = true
    this.closeContent()
    this.flushPlan()
    // A second start at an index: the first call's end was lost.
    if (this.calls.has(index)) this.toolCallEnd(index)
    const inner = filledRecord(call["function"]) ?? call
    const name = nonEmpty(inner["name"]) ?? nonEmpty(call["name"])
    const part = this.assembler.openToolCall(nonEmpty(call["id"]), name ?? unnamed)
    this.calls.set(index, { part, named: name !== undefined })
    this.lastCall = index
    this.assembler.toolCallDelta(part, argumentsIn(call))
  }

  private toolCallDelta(index: number | undefined, call: Fields): void {
    if (index === undefined && !this.calls.has(index)) index = this.lastCall
    if (!this.calls.has(index)) this.toolCallStart(index, { id: call["id"], name: record(call["function"])?.["name"] })
    const open = this.calls.get(index)!
    this.assembler.toolCallDelta(open.part, argumentsIn(call))
  }

  private toolCallEnd(index: number | undefined, cut = false): void {
    const open = this.calls.get(index)
    if (open === undefined) return
    this.calls.delete(index)
    this.assembler.endToolCall(open.part, cut || !open.named ? { invalid: true } : {})
  }

  // ---------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------

  private finish(raw: string | undefined): void {
    const reason = finishReasonOf(raw)
    this.closeContent()
    this.flushPlan()
    for (const index of [...this.calls.keys()]) this.toolCallEnd(index, cutsToolCalls(reason))
    if (this.logprobs !== undefined) this.assembler.logprobs = this.logprobs
    this.assembler.finish(reason === "stop" && this.assembler.hasToolCalls ? "tool-calls" : reason, raw)
  }
}

/** The argument text of a call or a piece of one; some hosts send objects, some under the names of v1. */
const argumentsIn = (call: Fields): string => {
  const inner = record(call["function"])
  return asText(callArguments(
    inner?.["arguments"],
    inner?.["parameters"],
    call["arguments"],
    call["parameters"]
  ))
}
