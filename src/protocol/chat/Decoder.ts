/**
 * Decodes Chat Completions answers: streamed chunks and whole completions through the same handlers.
 *
 * Choice 0 is the answer; other choices are ignored. Unknown fields and frames are ignored. The answer is over at
 * `[DONE]`, or when the bytes end after a finish reason; an error anywhere, even after the finish reason, is
 * a failure. A whole completion may also come inside a stream: what it repeats of the deltas before is
 * left out.
 *
 * A choice says its piece in `delta` or in `message`, whole or streamed; the one that says something counts, never both.
 * Of other synonyms (finish reasons, usage, reasoning, calls) the filled one counts likewise.
 *
 * @see https://platform.openai.com/docs/api-reference/chat-streaming
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"
import type { Json, JsonObject, TextPart } from "../../Message.ts"
import { Assembler } from "../assembling.ts"
import { cutsToolCalls, finishReasonOf } from "../FinishReasons.ts"
import { blank, type Fields, filledRecord, list, merged, nonEmpty, parsedOrText, record, textIn } from "../Probe.ts"
import { type DecodeContext, type Decoder, type Failure, parseFrame } from "../Protocol.ts"
import { Template } from "../Template.ts"
import { Attachments } from "./Attachments.ts"
import { counts, extraFields, finishIn, isEmptyCall, onlyText, primary, says, textBlocks, unsaid } from "./Choice.ts"
import { failureFrom, failureIn, nativeFailure } from "./Failures.ts"
import { Reasoning } from "./Reasoning.ts"
import { type Tags, ThinkTags } from "./ThinkTags.ts"
import { ToolCalls } from "./ToolCalls.ts"
import { mergeUsage, readUsage } from "./Usage.ts"

/**
 * The decoder of one answer.
 *
 * @stability experimental
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
  /** Whether a choice had a delta and no message. */
  private chunk = false
  /** Where pieces have come from. */
  private inDeltas = false
  private inMessages = false
  /** The last message that came beside a filled delta, as hosts send that repeat all of the answer with every piece. */
  private beside: Fields | undefined
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
    if (this.answered) {
      // One chunk that is taken for a body: the stream was cut after it.
      return this.chunk && this.rawFinish === undefined ? this.end() : this.finish(true)
    }
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
    const usage = frame["usage"]
    if (usage !== undefined && usage !== null) this.addUsage(usage)
    const groq = record(frame["x_groq"])
    if (groq !== undefined && blank(usage)) this.addUsage(groq["usage"])
    for (const name of extraFields) {
      const extra = frame[name]
      if (!blank(extra)) this.assembler.extra[name] = extra as Json
    }
    if (known) {
      if (frame["citations"] !== undefined || frame["search_results"] !== undefined) this.attachments.references(frame)
      if (!blank(frame["related_questions"])) {
        this.assembler.extra["related_questions"] = frame["related_questions"] as Json
      }
    }
    const failure = failureIn(frame) ?? (groq === undefined ? undefined : failureIn(groq))
    if (failure !== undefined) return this.fail(failure)
    if (this.native !== undefined && this.rawFinish !== undefined) {
      const broken = nativeFailure(this.native)
      if (broken !== undefined) this.fail({ ...broken, body: JSON.stringify(frame) })
    }
  }

  private choice(choice: Fields, frame: Fields, whole: boolean): void {
    const delta = record(choice["delta"])
    const message = record(choice["message"])
    const finish = finishIn(choice, delta, message)
    const inDelta = delta !== undefined && (message === undefined || says(delta))
    const inMessage = message !== undefined && (delta === undefined || says(message))
    if (delta !== undefined && !inMessage) this.chunk = true
    if (inMessage && inDelta) {
      this.inMessages = true
      if (whole) this.piece(merged(message, delta), choice, true)
      else {
        this.piece(delta, choice, false)
        this.beside = message
      }
    } else if (inMessage) {
      this.message(message, choice, frame, finish, whole)
    } else if (delta !== undefined || typeof choice["text"] === "string") {
      this.piece(delta ?? {}, choice, whole)
    }
    this.addUsage(choice["usage"])
    const logprobs = choice["logprobs"]
    if (typeof logprobs === "object" && logprobs !== null) this.attachments.addLogprobs(logprobs as Fields)
    const native = nonEmpty(choice["native_finish_reason"])
    if (native !== undefined) {
      this.native = native
      this.assembler.extra["native_finish_reason"] = native
    }
    if (finish !== undefined) this.settle(finish)
    const error = choice["error"]
    if (error !== undefined && error !== null) {
      const failure = failureIn({ error })
      if (failure !== undefined) this.fail(failure)
    }
  }

  /** What a delta says, or a message that says all there is. */
  private piece(body: Fields, choice: Fields, whole: boolean): void {
    this.answered = true
    const text = choice["text"]
    const said = typeof text === "string" && text !== "" && blank(body["content"]) ? { ...body, content: text } : body
    if (!this.inDeltas && says(said)) this.inDeltas = true
    this.content(said, whole)
  }

  /**
   * A message without a filled delta: all of the answer when the body is whole; in a stream a piece like any delta, or
   * the answer once more. It is the latter in a finished completion, on a host that repeats the answer with every piece,
   * and at the finish of an answer that came in deltas.
   */
  private message(message: Fields, choice: Fields, frame: Fields, finish: unknown, whole: boolean): void {
    this.answered = true
    if (!says(message)) return this.piece(message, choice, whole)
    const repeats = this.beside !== undefined
    const complete = whole || repeats || (finish !== undefined &&
      (frame["object"] === "chat.completion" || (this.inDeltas && !this.inMessages)))
    this.inMessages = true
    if (!complete || !(this.textSeen || this.reasoning.seen || this.toolCalls.any)) {
      return this.content(message, complete)
    }
    if (repeats) this.beside = message
    else this.rest(message, false)
  }

  private settle(finish: unknown): void {
    if (typeof finish !== "string" && typeof finish !== "number") return
    this.answered = true
    this.rawFinish = String(finish)
    this.addBeside()
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
      else if (delta["text"] !== undefined) this.text(textIn(delta["text"]))
    } else if (content === undefined || content === null || content === false) {
      if (delta["text"] !== undefined) this.text(textIn(delta["text"]))
    } else if (!blank(content) || (whole && !says(delta))) {
      this.structured(content)
    }
    const refusal = delta["refusal"]
    if (typeof refusal === "string" && refusal !== "") {
      this.refused = true
      if (refusal !== content) this.text(refusal)
    }
    const extra = filledRecord(delta["extra_content"])
    if (extra !== undefined) this.extraContent = extra as JsonObject
    this.attachments.delta(delta)
    const calls = delta["tool_calls"]
    const legacy = delta["function_call"]
    if (typeof calls === "object" && calls !== null) {
      const given = Array.isArray(calls) ? calls : [calls]
      const entries = given.some(isEmptyCall) ? given.filter((one) => !isEmptyCall(one)) : given
      if (entries.length > 0) {
        this.closeContent()
        return this.toolCalls.add(entries, whole)
      }
    }
    const call = record(legacy)
    if (call !== undefined && !isEmptyCall(call)) {
      this.closeContent()
      this.toolCalls.addFunctionCall(call, whole)
    }
  }

  /** Takes from the message beside the last delta what no delta has said. */
  private addBeside(): void {
    const { beside } = this
    this.beside = undefined
    if (beside !== undefined && says(beside)) this.rest(beside, true)
  }

  /**
   * Takes from a whole message what the deltas before it have not said. With `only`, a text that does not begin with
   * theirs is none.
   */
  private rest(message: Fields, only: boolean): void {
    const { content, reasoning_details: _, ...others } = message
    const reasoning = this.reasoning.seen ? withoutReasoning(others) : { ...others, reasoning_details: _ }
    const text = this.textSeen ? unsaid(this.assembler, content, only) : content
    const { tool_calls: calls, function_call: legacy, ...rest } = reasoning
    this.content({
      ...rest,
      ...(this.refused ? { refusal: undefined } : undefined),
      ...(this.textSeen ? { text: undefined } : undefined),
      content: text,
      ...(this.toolCalls.any ? undefined : { tool_calls: calls, function_call: legacy })
    }, true)
  }

  private structured(content: unknown): void {
    if (!Array.isArray(content)) {
      const block = record(content)
      const isBlock = block !== undefined && textBlocks.has(block["type"]) && typeof block["text"] === "string"
      return isBlock ? this.block(block) : this.text(JSON.stringify(content))
    }
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
        const text = textIn(block["text"]) || textIn(block["content"])
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

  private addUsage(value: unknown): void {
    const usage = record(value)
    // Counts of nothing are no later state of counts that were something, nor are no counts at all.
    if (usage === undefined || (blank(usage) && (this.usage !== undefined || !counts(usage)))) return
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

  private finish(whole = false): void {
    if (this.assembler.failure !== undefined) return
    this.addBeside()
    const reason = this.reason()
    this.closeContent()
    this.toolCalls.end(cutsToolCalls(reason))
    this.attachments.end()
    const called = this.toolCalls.closedCalls > 0 && reason === "stop"
    this.assembler.finish(called ? "tool-calls" : reason, this.rawFinish, whole || this.rawFinish !== undefined)
  }

  private reason(): FinishReason {
    const native = this.native === undefined ? undefined : finishReasonOf(this.native)
    if (native === "error") return "error"
    return this.refused ? "refusal" : finishReasonOf(this.rawFinish)
  }
}

const withoutReasoning = (message: Fields): Fields => {
  const { reasoning: _, reasoning_content: __, reasoning_text: ___, thinking: ____, ...rest } = message
  return rest
}
