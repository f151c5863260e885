/**
 * Decodes Chat Completions answers: streamed chunks and whole completions through the same handlers.
 *
 * Choice 0 is the answer; other choices are ignored. Unknown fields and frames are ignored. The answer is over at
 * `[DONE]`, or when the bytes end after a finish reason; an error anywhere, even after the finish reason, is
 * a failure. A whole completion may also come inside a stream: what it repeats of the deltas before is
 * left out.
 *
 * @see https://platform.openai.com/docs/api-reference/chat-streaming
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"
import type { Json, JsonObject, TextPart } from "../../Message.ts"
import { Assembler } from "../Assembler.ts"
import { cutsToolCalls, finishReasonOf } from "../FinishReasons.ts"
import { type Fields, list, nonEmpty, parsedOrText, record, textIn } from "../Probe.ts"
import { type DecodeContext, type Decoder, type Failure, parseFrame } from "../Protocol.ts"
import { Template } from "../Template.ts"
import { Attachments } from "./Attachments.ts"
import { failureFrom, failureIn, nativeFailure } from "./Failures.ts"
import { Reasoning } from "./Reasoning.ts"
import { type Tags, ThinkTags } from "./ThinkTags.ts"
import { ToolCalls } from "./ToolCalls.ts"
import { mergeUsage, readUsage } from "./Usage.ts"

/** Frame fields worth keeping, under their own names. */
const extraFields = ["service_tier", "system_fingerprint", "provider"] as const

/**
 * The decoder of one answer.
 *
 * @category decoding
 * @since 0.1.0
 */
export class ChatDecoder implements Decoder {
  readonly assembler: Assembler

  private readonly reasoning: Reasoning
  private readonly toolCalls: ToolCalls
  private readonly attachments: Attachments
  private readonly thinkTags: ThinkTags | undefined
  private textPart = -1
  private textSeen = false
  private extraContent: JsonObject | undefined
  private refused = false
  private usage: Fields | undefined
  private rawFinish: string | undefined
  private native: string | undefined
  private answered = false
  /** The text delta that repeats. */
  private readonly template = new Template()

  constructor(context: DecodeContext, tags: Tags | undefined) {
    const assembler = new Assembler(context)
    this.assembler = assembler
    this.reasoning = new Reasoning(assembler, () => this.closeText())
    this.toolCalls = new ToolCalls(assembler)
    this.attachments = new Attachments(assembler)
    this.thinkTags = tags === undefined
      ? undefined
      : new ThinkTags(tags, (text) => this.plainText(text), (text) => this.reasoning.text(text))
  }

  get settled(): boolean {
    return this.rawFinish !== undefined && this.assembler.failure === undefined
  }

  frame(data: string, event: string): void {
    if (this.assembler.finished || this.assembler.failure !== undefined) return
    if (this.template.learned) {
      const text = event === "" ? this.template.read(data) : undefined
      if (text !== undefined) return this.assembler.text(this.textPart, text)
      this.template.forget()
    }
    if (data.charCodeAt(0) !== 123) {
      const trimmed = data.trim()
      // A comment that a proxy wrapped as data is still a comment.
      if (trimmed === "" || trimmed.startsWith(":")) return
      if (trimmed === "[DONE]") return this.finish()
    }
    if (event === "error") return this.fail(failureFrom(parsedOrText(data)))
    const frame = parseFrame(this.assembler, data)
    if (frame === undefined) return this.flush()
    this.accept(frame, false)
    if (event === "") this.learn(data, frame)
  }

  /** Learns from a frame that said nothing but one piece of text. */
  private learn(data: string, frame: unknown): void {
    if (this.textPart < 0 || this.thinkTags !== undefined || this.assembler.raw !== undefined) return
    const text = onlyText(frame)
    if (text !== undefined) this.template.learn(data, text, onlyText)
  }

  whole(body: Json): void {
    if (this.assembler.finished || this.assembler.failure !== undefined) return
    this.accept(body, true)
    if (this.assembler.failure !== undefined) return
    if (this.answered) return this.finish()
    this.fail({
      kind: "parse",
      message: "The provider's body is not a chat completion: it has no choices.",
      body: JSON.stringify(body)
    })
  }

  end(): void {
    if (this.assembler.finished || this.assembler.failure !== undefined) return
    if (this.settled) return this.finish()
    this.fail({ kind: "incomplete", message: "The stream ended before a finish reason." })
  }

  // ---------------------------------------------------------------------------
  // Frames
  // ---------------------------------------------------------------------------

  private accept(value: unknown, whole: boolean): void {
    if (Array.isArray(value)) {
      for (const one of value) {
        if (this.assembler.failure !== undefined) return
        if (record(one) !== undefined) this.accept(one, whole)
      }
      return
    }
    const frame = record(value)
    if (frame === undefined) return
    this.assembler.raw?.push(frame as JsonObject)
    const choices = frame["choices"]
    const known = Array.isArray(choices)
    if (known) {
      this.assembler.start(nonEmpty(frame["id"]), nonEmpty(frame["model"]))
      const choice = primary(choices, whole)
      if (choice !== undefined) this.choice(choice, frame, whole)
    }
    const usage = record(frame["usage"]) ?? record(record(frame["x_groq"])?.["usage"])
    if (usage !== undefined) this.addUsage(usage)
    for (const name of extraFields) {
      const extra = frame[name]
      if (extra !== undefined && extra !== null && extra !== "") this.assembler.extra[name] = extra as Json
    }
    if (known) {
      if (frame["citations"] !== undefined || frame["search_results"] !== undefined) this.attachments.references(frame)
      if (frame["related_questions"] !== undefined) {
        this.assembler.extra["related_questions"] = frame["related_questions"] as Json
      }
    }
    const groq = record(frame["x_groq"])
    const failure = failureIn(frame) ?? (groq === undefined ? undefined : failureIn(groq))
    if (failure !== undefined) return this.fail(failure)
    if (this.native !== undefined && this.rawFinish !== undefined) {
      const broken = nativeFailure(this.native)
      if (broken !== undefined) this.fail({ ...broken, body: JSON.stringify(frame) })
    }
  }

  private choice(choice: Fields, frame: Fields, whole: boolean): void {
    const delta = record(choice["delta"])
    const body = delta ?? record(choice["message"])
    const finish = choice["finish_reason"]
    if (body !== undefined) {
      this.answered = true
      // A completion inside a stream is whole when it is finished; unfinished messages come in pieces, like deltas.
      const complete = whole ||
        (delta === undefined && frame["object"] === "chat.completion" && typeof finish === "string")
      if (complete && (this.textSeen || this.reasoning.seen || this.toolCalls.any)) this.rest(body)
      else this.content(body, complete)
    } else if (typeof choice["text"] === "string") {
      this.answered = true
      this.text(choice["text"])
    }
    const usage = record(choice["usage"])
    if (usage !== undefined) this.addUsage(usage)
    const logprobs = choice["logprobs"]
    if (typeof logprobs === "object" && logprobs !== null) this.attachments.addLogprobs(logprobs as Fields)
    const native = nonEmpty(choice["native_finish_reason"])
    if (native !== undefined) {
      this.native = native
      this.assembler.extra["native_finish_reason"] = native
    }
    if (finish !== undefined && finish !== null && finish !== "") this.settle(finish)
    const error = choice["error"]
    if (error !== undefined && error !== null) {
      const failure = failureIn({ error })
      if (failure !== undefined) this.fail(failure)
    }
  }

  private settle(finish: unknown): void {
    if (typeof finish !== "string" && typeof finish !== "number") return
    this.answered = true
    this.rawFinish = String(finish)
    this.toolCalls.settle()
  }

  // ---------------------------------------------------------------------------
  // Content
  // ---------------------------------------------------------------------------

  private content(delta: Fields, whole: boolean): void {
    this.reasoning.add(delta, whole)
    const content = delta["content"]
    if (typeof content === "string") {
      if (content !== "") this.text(content)
    } else if (content !== undefined && content !== null) {
      this.structured(content)
    }
    const refusal = delta["refusal"]
    if (typeof refusal === "string" && refusal !== "") {
      this.refused = true
      this.text(refusal)
    }
    const extra = record(delta["extra_content"])
    if (extra !== undefined) this.extraContent = extra as JsonObject
    this.attachments.delta(delta)
    const calls = delta["tool_calls"]
    const legacy = record(delta["function_call"])
    if (typeof calls === "object" && calls !== null) {
      const entries = Array.isArray(calls) ? calls : [calls]
      if (entries.length > 0) {
        this.closeContent()
        this.toolCalls.add(entries, whole)
      }
    } else if (legacy !== undefined) {
      this.closeContent()
      this.toolCalls.addFunctionCall(legacy, whole)
    }
  }

  /** Takes from a whole message what the deltas before it have not said. */
  private rest(message: Fields): void {
    const { content, reasoning_details: _, ...others } = message
    const reasoning = this.reasoning.seen ? withoutReasoning(others) : { ...others, reasoning_details: _ }
    const text = this.textSeen ? unsaid(this.assembler, content) : content
    const { tool_calls: calls, function_call: legacy, ...rest } = reasoning
    this.content({
      ...rest,
      ...(this.refused ? { refusal: undefined } : undefined),
      content: text,
      ...(this.toolCalls.any ? undefined : { tool_calls: calls, function_call: legacy })
    }, true)
  }

  private structured(content: unknown): void {
    if (!Array.isArray(content)) return this.text(JSON.stringify(content))
    for (const one of content) {
      if (typeof one === "string") {
        if (one !== "") this.text(one)
        continue
      }
      const block = record(one)
      if (block !== undefined) this.block(block)
    }
  }

  private block(block: Fields): void {
    switch (block["type"]) {
      case "thinking":
      case "reasoning":
        return this.reasoning.block(block)
      case "refusal": {
        const refusal = nonEmpty(block["refusal"])
        if (refusal === undefined) return
        this.refused = true
        return this.text(refusal)
      }
      case "reference":
        return this.attachments.source(block)
      case "image_url":
      case "image":
        return this.attachments.image(block)
      case undefined:
      case null:
      case "text":
      case "output_text": {
        const text = textIn(block["text"])
        if (text !== "") this.text(text)
        for (const annotation of list(block["annotations"])) this.attachments.source(annotation)
      }
    }
  }

  private text(text: string): void {
    if (this.thinkTags === undefined) this.plainText(text)
    else this.thinkTags.push(text)
  }

  private plainText(text: string): void {
    if (text === "") return
    if (this.textPart < 0) {
      this.reasoning.close()
      this.textPart = this.assembler.openText()
      this.textSeen = true
    }
    this.assembler.text(this.textPart, text)
  }

  private closeText(): void {
    if (this.textPart < 0) return
    const index = this.textPart
    this.textPart = -1
    const more: Pick<TextPart, "replay" | "origin"> = this.extraContent === undefined
      ? {}
      : { replay: { extra_content: this.extraContent }, origin: this.assembler.origin }
    this.assembler.endText(index, more)
  }

  private closeContent(): void {
    this.flush()
    this.reasoning.close()
    this.closeText()
  }

  private addUsage(usage: Fields): void {
    this.usage = mergeUsage(this.usage, usage)
    this.assembler.usage(readUsage(this.usage))
  }

  // ---------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------

  /** Text held back as the possible beginning of a tag belongs to what was sent. */
  private flush(): void {
    this.thinkTags?.flush()
  }

  private fail(failure: Failure): void {
    this.flush()
    this.assembler.fail(failure)
  }

  private finish(): void {
    if (this.assembler.failure !== undefined) return
    const reason = this.reason()
    this.closeContent()
    this.toolCalls.end(cutsToolCalls(reason))
    this.attachments.end()
    const called = this.toolCalls.closedCalls > 0 && reason === "stop"
    this.assembler.finish(called ? "tool-calls" : reason, this.rawFinish)
  }

  private reason(): FinishReason {
    const native = this.native === undefined ? undefined : finishReasonOf(this.native)
    if (native === "error") return "error"
    return this.refused ? "refusal" : finishReasonOf(this.rawFinish)
  }
}

/** Choice 0; in a whole body the first when none says so. */
const primary = (choices: ReadonlyArray<unknown>, whole: boolean): Fields | undefined => {
  for (const one of choices) {
    const choice = record(one)
    if (choice === undefined) continue
    const index = choice["index"]
    if (index === 0 || index === undefined || index === null) return choice
  }
  return whole ? record(choices.find((one) => record(one) !== undefined)) : undefined
}

/** Space by which a repetition may be shorter than what it repeats. */
const mostSpace = 64

/** What a whole content adds to the text before it. A text that is much longer is not read again for it. */
const unsaid = (assembler: Assembler, content: unknown): unknown => {
  if (typeof content !== "string") return undefined
  if (content.length + mostSpace < assembler.textLength) return content
  const said = assembler.allText
  if (content.startsWith(said)) return content.slice(said.length)
  return said.trim() === content.trim() ? undefined : content
}

const withoutReasoning = (message: Fields): Fields => {
  const { reasoning: _, reasoning_content: __, reasoning_text: ___, thinking: ____, ...rest } = message
  return rest
}

const within = (fields: Fields, names: ReadonlySet<string>): boolean => {
  for (const name in fields) {
    if (fields[name] !== null && !names.has(name)) return false
  }
  return true
}

const frameFields: ReadonlySet<string> = new Set(["id", "object", "created", "model", "choices", ...extraFields])
const choiceFields: ReadonlySet<string> = new Set(["index", "delta"])
const deltaFields: ReadonlySet<string> = new Set(["content", "role"])

/** The text of a frame whose handling does nothing but add it, however often the frame comes. */
const onlyText = (value: unknown): string | undefined => {
  const frame = record(value)
  if (frame === undefined || frame["object"] === "error" || !within(frame, frameFields)) return undefined
  const choices = list(frame["choices"])
  const choice = choices.length === 1 ? record(choices[0]) : undefined
  if (choice === undefined || (choice["index"] ?? 0) !== 0 || !within(choice, choiceFields)) return undefined
  const delta = record(choice["delta"])
  if (delta === undefined || !within(delta, deltaFields)) return undefined
  const content = delta["content"]
  return typeof content === "string" && content !== "" ? content : undefined
}
