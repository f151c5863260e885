/**
 * Decodes answers of Ollama's native API: NDJSON lines and whole bodies through the same handlers.
 *
 * Tool calls come whole, one or several per line. The answer is over with `done: true`; a line with an error is a
 * failure even after content; bytes that end without either are incomplete. A single object that has no `done` at all
 * is a whole answer of a server that leaves it out. Lines of `/api/generate`, which proxies pass on, are read as well.
 *
 * @see https://docs.ollama.com/api/chat
 * @since 0.1.0
 */
import type { Usage } from "../../LlmResponse.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { Assembler } from "../assembling.ts"
import { failureFrom } from "../chat/Failures.ts"
import { type Tags, ThinkTags } from "../chat/ThinkTags.ts"
import { isErrorBody } from "../errors/ErrorBody.ts"
import { finishReasonOf } from "../FinishReasons.ts"
import { blank, blankBut, callArguments, type Fields, filledRecord, list, merged, nonEmpty, record } from "../Probe.ts"
import { type DecodeContext, type Decoder, type Failure, parseFrame } from "../Protocol.ts"

/** Counts and durations (nanoseconds) of the last line: https://docs.ollama.com/api/usage */
const usageFields = [
  "prompt_eval_count",
  "eval_count",
  "total_duration",
  "load_duration",
  "prompt_eval_duration",
  "eval_duration"
] as const

const unnamed = "unnamed_tool"

const callLabels: ReadonlySet<string> = new Set(["type", "index"])

/**
 * The decoder of one answer.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class OllamaDecoder implements Decoder {
  readonly assembler: Assembler
  /** Only `done: true` settles an answer, and it finishes it at once. */
  readonly settled = false

  private readonly thinkTags: ThinkTags | undefined
  private part = -1
  private kind: "text" | "reasoning" = "text"
  private usage: Record<string, Json> | undefined
  private logprobs: Array<Json> | undefined
  private frames = 0
  private answered = false
  private saysDone = false
  /** Whether a line held a message, be it an empty one. */
  private messaged = false
  private readonly streamed: boolean

  constructor(context: DecodeContext, tags: Tags | undefined) {
    this.assembler = new Assembler(context)
    this.streamed = context.streamed === true
    this.thinkTags = tags === undefined
      ? undefined
      : new ThinkTags(tags, (text) => this.add("text", text), (text) => this.add("reasoning", text))
  }

  frame(data: string, event: string): void {
    if (this.assembler.finished || this.assembler.failure !== undefined) return
    const trimmed = data.charCodeAt(0) === 123 ? data : data.trim()
    if (trimmed === "" || trimmed === "[DONE]") return
    const value = parseFrame(this.assembler, trimmed)
    if (value === undefined) return this.thinkTags?.flush()
    if (event === "error") return this.fail(failureFrom(value))
    this.accept(value)
  }

  whole(body: Json): void {
    if (this.assembler.finished || this.assembler.failure !== undefined) return
    this.accept(body)
    this.close(true)
  }

  end(cut = false): void {
    this.close(!cut && (!this.streamed || this.usage !== undefined))
  }

  /** The bytes have ended: `whole` says that one object without `done` can be all of the answer. */
  private close(whole: boolean): void {
    if (this.assembler.finished || this.assembler.failure !== undefined) return
    if (whole && this.answered && !this.saysDone && this.frames === 1) return this.finish(undefined, true)
    this.fail(
      this.frames === 1 && !this.answered
        ? { kind: "parse", message: "The body is not an answer of Ollama's API: it has no message." }
        : { kind: "incomplete", message: "The stream ended before a line with \"done\": true." }
    )
  }

  // ---------------------------------------------------------------------------
  // Lines
  // ---------------------------------------------------------------------------

  private accept(value: unknown): void {
    if (Array.isArray(value)) {
      for (const one of value) if (!this.assembler.finished && this.assembler.failure === undefined) this.accept(one)
      return
    }
    const line = record(value)
    if (line === undefined) return
    this.frames++
    this.assembler.raw?.push(line as JsonObject)
    const message = record(line["message"])
    const generated = typeof line["response"] === "string" || nonEmpty(line["thinking"]) !== undefined
    // Proxies that leave out `done`, or never set it, still say why the answer ended.
    const done = nonEmpty(line["done_reason"]) === undefined ? line["done"] : true
    if (typeof done === "boolean") this.saysDone = true
    if (message !== undefined || generated || done === true) {
      this.answered = true
      if (message !== undefined || generated) this.messaged = true
      this.assembler.start(undefined, nonEmpty(line["model"]))
      const spoken = { content: line["response"], thinking: line["thinking"] }
      if (message === undefined) this.message(spoken)
      else this.message(generated ? merged(message, spoken) : message)
      const image = nonEmpty(line["image"])
      if (image !== undefined) this.image(image)
      for (const one of list(line["logprobs"])) if (!blank(one)) (this.logprobs ??= []).push(one as Json)
      this.counts(line)
    }
    const error = line["error"]
    if ((error !== undefined && error !== null && error !== "") || !this.isAnswer(line)) {
      if (isErrorBody(line)) return this.fail(failureFrom(line))
    }
    if (done === true) this.finish(line["done_reason"])
  }

  private isAnswer(line: Fields): boolean {
    return record(line["message"]) !== undefined || line["response"] !== undefined || typeof line["done"] === "boolean"
  }

  private message(message: Fields): void {
    const thinking = nonEmpty(message["thinking"]) ?? nonEmpty(message["reasoning"])
    if (thinking !== undefined) this.add("reasoning", thinking)
    const content = message["content"]
    if (typeof content === "string") {
      if (content !== "") this.content(content)
    } else if (!blank(content)) {
      this.content(JSON.stringify(content))
    }
    for (const image of list(message["images"])) if (typeof image === "string" && image !== "") this.image(image)
    const calls = message["tool_calls"]
    for (const one of Array.isArray(calls) ? calls : [calls]) {
      const call = record(one)
      if (call !== undefined && !blankBut(call, callLabels)) this.toolCall(call)
    }
  }

  private content(text: string): void {
    if (this.thinkTags === undefined) this.add("text", text)
    else this.thinkTags.push(text)
  }

  private add(kind: "text" | "reasoning", text: string): void {
    if (this.part >= 0 && this.kind !== kind) this.closePart()
    if (this.part < 0) {
      this.kind = kind
      this.part = kind === "text" ? this.assembler.openText() : this.assembler.openReasoning()
    }
    if (kind === "text") this.assembler.text(this.part, text)
    else this.assembler.reasoning(this.part, text)
  }

  private closePart(): void {
    const index = this.part
    this.part = -1
    if (index < 0) return
    if (this.kind === "text") this.assembler.endText(index)
    else this.assembler.endReasoning(index)
  }

  private toolCall(call: Fields): void {
    this.thinkTags?.flush()
    this.closePart()
    const inner = filledRecord(call["function"]) ?? call
    const name = nonEmpty(inner["name"]) ?? nonEmpty(call["name"])
    const args = callArguments(
      inner["arguments"],
      inner["parameters"],
      inner["input"],
      call["arguments"],
      call["parameters"],
      call["input"]
    ) as Json | undefined
    const id = nonEmpty(call["id"]) ?? nonEmpty(inner["id"])
    this.assembler.toolCall(id, name ?? unnamed, args ?? undefined, name === undefined ? { invalid: true } : {})
  }

  private image(data: string): void {
    this.closePart()
    this.assembler.file({ type: "image", source: { type: "base64", mediaType: imageType(data), data } })
  }

  private counts(line: Fields): void {
    let known = false
    for (const field of usageFields) {
      const value = line[field]
      if (typeof value !== "number" || !Number.isFinite(value)) continue
      if (value === 0 && this.usage?.[field] !== undefined) continue
      known = true
      this.usage ??= {}
      this.usage[field] = value
    }
    if (known && this.usage !== undefined) this.assembler.usage(usageOf({ ...this.usage }))
  }

  // ---------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------

  private fail(failure: Failure): void {
    this.thinkTags?.flush()
    this.assembler.fail(failure)
  }

  /** `done: true` is all that older servers say of the end, but then beside a message or its counts. */
  private finish(doneReason: unknown, whole = false): void {
    this.thinkTags?.flush()
    this.closePart()
    if (this.logprobs !== undefined) this.assembler.logprobs = this.logprobs
    const raw = nonEmpty(doneReason)
    const reason = finishReasonOf(raw)
    this.assembler.finish(
      reason === "stop" && this.assembler.hasToolCalls ? "tool-calls" : reason,
      raw,
      whole || raw !== undefined || this.messaged || this.usage !== undefined
    )
  }
}

const usageOf = (raw: { readonly [field: string]: Json }): Usage => {
  const input = raw["prompt_eval_count"] as number | undefined
  const output = raw["eval_count"] as number | undefined
  return {
    input: input === undefined ? {} : { total: input },
    output: output === undefined ? {} : { total: output },
    raw
  }
}

/** What the first bytes say, in base64: the API does not name the type. */
const imageType = (data: string): string =>
  data.startsWith("/9j/")
    ? "image/jpeg"
    : data.startsWith("R0lGOD")
    ? "image/gif"
    : data.startsWith("UklGR")
    ? "image/webp"
    : "image/png"
