/**
 * Writes answers of the Responses API: https://platform.openai.com/docs/api-reference/responses-streaming
 *
 * Each part of an answer is an item. Items are numbered as they begin; the ids that a model gave them, which must come back to it
 * unchanged, stand in their final form. A whole answer is what the stream of it ends with.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../../LlmEvent.ts"
import { emptyUsage, type LlmResponse, toEvents, type Usage } from "../../../LlmResponse.ts"
import type {
  ImagePart,
  Json,
  JsonObject,
  ReasoningPart,
  ServerToolPart,
  SourcePart,
  TextPart,
  ToolCallPart
} from "../../../Message.ts"
import { list, nonEmpty, record } from "../../Probe.ts"
import type { AnswerContext, EncodedAnswer, Frame } from "../../Server.ts"
import { argumentText, countsOf, Encoding, extrasOf, isOf, sseEvent } from "../../server/Answers.ts"
import * as Body from "../../server/Json.ts"
import { wire } from "../Input.ts"

// =============================================================================
// Response
// =============================================================================

const cutWords = {
  length: "max_output_tokens",
  "content-filter": "content_filter",
  "context-window": "model_context_window_exceeded",
  pause: "pause_turn"
}

const statusOf = ({ finishReason, rawFinishReason }: LlmResponse): JsonObject => {
  const plain = { incomplete_details: null, error: null }
  switch (finishReason) {
    case "stop":
    case "tool-calls":
    case "refusal":
      return { status: "completed", ...plain }
    case "length":
    case "content-filter":
    // The API itself has no word for the last two: those of another vendor say what happened.
    case "context-window":
    case "pause":
      return { status: "incomplete", ...plain, incomplete_details: { reason: cutWords[finishReason] } }
    case "error":
      return {
        status: "failed",
        ...plain,
        error: { code: "server_error", message: "The server had an error while processing your request." }
      }
    case "other":
      return { status: rawFinishReason ?? "completed", ...plain }
  }
}

/**
 * Counts as the API has them.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const usageOf = (usage: Usage): JsonObject => {
  const { cacheRead, cacheWrite, input, output, reasoning } = countsOf(usage)
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: cacheRead ?? 0,
      ...(cacheWrite === undefined ? undefined : { cache_write_tokens: cacheWrite })
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning ?? 0 },
    total_tokens: input + output
  }
}

/** What a request says, or what holds when it does not. */
const echoed = (body: Body.JsonObject, name: string, otherwise: Json): { readonly [name: string]: Json } => ({
  [name]: (body[name] ?? otherwise) as Json
})

/** A tool as it is repeated: with every member that functions have. */
const toolOf = (tool: Body.JsonObject): JsonObject =>
  tool.type === "function"
    ? { description: null, parameters: null, strict: null, ...Body.asJson(tool) }
    : Body.asJson(tool)

/** The response object; fields of the request are repeated in it. */
const envelope = (
  { id, model }: { readonly id?: string | undefined; readonly model: string },
  { created, incoming, requestId }: AnswerContext
): JsonObject => {
  const body = Body.object(incoming.body)
  return {
    id: id ?? `resp_${requestId}`,
    object: "response",
    created_at: created,
    completed_at: null,
    ...echoed(body, "background", false),
    ...echoed(body, "frequency_penalty", 0),
    ...echoed(body, "instructions", null),
    ...echoed(body, "max_output_tokens", null),
    ...echoed(body, "max_tool_calls", null),
    ...echoed(body, "metadata", {}),
    model,
    ...echoed(body, "parallel_tool_calls", true),
    ...echoed(body, "presence_penalty", 0),
    ...echoed(body, "previous_response_id", null),
    ...echoed(body, "prompt_cache_key", null),
    reasoning: { effort: null, summary: null, ...Body.asJson(Body.object(body.reasoning)) },
    ...echoed(body, "safety_identifier", null),
    service_tier: "default",
    ...echoed(body, "store", true),
    ...echoed(body, "temperature", 1),
    text: { format: { type: "text" }, ...Body.asJson(Body.object(body.text)) },
    ...echoed(body, "tool_choice", "auto"),
    tools: Body.array(body.tools).map(Body.object).map(toolOf),
    ...echoed(body, "top_logprobs", 0),
    ...echoed(body, "top_p", 1),
    ...echoed(body, "truncation", "disabled"),
    user: null
  }
}

const begun = { status: "in_progress", error: null, incomplete_details: null, output: [], usage: null }

const contentPart = (text: string, refused: boolean, annotations: ReadonlyArray<Json> = []): JsonObject =>
  refused ? { type: "refusal", refusal: text } : { type: "output_text", annotations, logprobs: [], text }

/** A citation in this API's words; that of another wire becomes a URL's. */
const annotationOf = ({ raw, title, url }: SourcePart): JsonObject => {
  const own = record(raw) as JsonObject | undefined
  const type = own?.["type"]
  return own !== undefined &&
      (type === "url_citation" || type === "file_citation" || type === "container_file_citation")
    ? own
    : { type: "url_citation", url: url ?? "", title: title ?? "", start_index: 0, end_index: 0 }
}

// =============================================================================
// Stream
// =============================================================================

/** Items that may be cut. */
const cuttable: ReadonlySet<unknown> = new Set(["message", "function_call", "custom_tool_call"])

/** An item that has begun. */
interface Open {
  readonly index: number
  readonly id: string
  /** How it stands now; the text in it comes when it is done. */
  item: JsonObject
  text: string
}

/** A message whose text has ended, and to which annotations may still come. */
interface Message extends Open {
  readonly annotations: Array<Json>
  part: TextPart | undefined
}

/** An answer as it is written. @stability experimental @category encoding @since 0.1.0 */
export class ResponsesAnswer extends Encoding {
  /** The response as it ended. */
  response: JsonObject | undefined
  private readonly context: AnswerContext
  private readonly streamed: boolean
  private readonly custom: ReadonlySet<unknown>
  private readonly encrypts: boolean
  private name: { readonly id?: string | undefined; readonly model: string } = { model: "" }
  private begun = false
  private sequence = 0
  private readonly output: Array<JsonObject> = []
  private readonly open = new Map<number, Open>()
  private message: Message | undefined
  private image: ImagePart | undefined
  private next = 0

  constructor(context: AnswerContext, streamed = true) {
    super()
    this.context = context
    this.streamed = streamed
    const body = Body.object(context.incoming.body)
    this.custom = new Set(
      Body.array(body.tools).map(Body.object).filter((tool) => tool.type === "custom").map((tool) => tool.name)
    )
    this.encrypts = Body.array(body.include).includes("reasoning.encrypted_content")
  }

  protected on(event: LlmEvent): void {
    if (event._tag === "ResponseStart") {
      this.name = { id: event.id, model: event.model ?? "" }
      return this.begin()
    }
    if (event._tag === "UsageUpdate" || event._tag === "Continued") return
    if (!this.begun) {
      if (event._tag === "Finish") this.name = event.response
      this.begin()
    }
    switch (event._tag) {
      case "TextStart":
        return this.startText(event.index)
      case "TextDelta": {
        const message = this.open.get(event.index)
        if (message === undefined) return
        message.text += event.text
        const refused = this.context.refused === true
        return this.send(`response.${refused ? "refusal" : "output_text"}.delta`, {
          item_id: message.id,
          output_index: message.index,
          content_index: 0,
          delta: event.text,
          ...(refused ? undefined : { logprobs: [] })
        })
      }
      case "TextEnd":
        if (this.message !== undefined && this.open.get(event.index) === this.message) this.message.part = event.part
        return
      case "ReasoningStart":
        this.start(event.index, "rs", { type: "reasoning", summary: [] })
        return
      case "ReasoningDelta":
        return this.reasoning(this.open.get(event.index), event.text)
      case "ReasoningEnd":
        return this.endReasoning(this.open.get(event.index), event.part)
      case "ToolCallStart": {
        const custom = this.custom.has(event.name)
        this.start(event.index, custom ? "ctc" : "fc", {
          type: custom ? "custom_tool_call" : "function_call",
          status: "in_progress",
          call_id: event.id,
          name: event.name,
          [custom ? "input" : "arguments"]: ""
        })
        return
      }
      case "ToolCallDelta": {
        const call = this.open.get(event.index)
        // Of a whole answer the call itself has all there is.
        if (call !== undefined && this.streamed) this.argumentDelta(call, event.delta)
        return
      }
      case "ToolCallEnd":
        return this.endCall(this.open.get(event.index), event.part)
      case "Source":
        return this.annotate(event.part)
      case "File":
        this.endImage()
        if (event.part.type === "image") this.image = event.part
        else this.losses.part(event.part)
        return
      case "ServerTool":
        return this.hosted(event.part)
      case "Finish":
        return this.finish(event.response)
    }
  }

  private begin(): void {
    this.begun = true
    const first = { response: { ...envelope(this.name, this.context), ...begun } }
    this.send("response.created", first)
    this.send("response.in_progress", first)
  }

  // ---------------------------------------------------------------------------
  // Items
  // ---------------------------------------------------------------------------

  private start(part: number, prefix: string, item: JsonObject): Open {
    this.settle()
    const index = this.next++
    const id = `${prefix}_${this.context.requestId}_${index}`
    const open: Open = { index, id, item: { id, ...item }, text: "" }
    this.open.set(part, open)
    this.send("response.output_item.added", { output_index: index, item: open.item })
    return open
  }

  private done(open: Open, item: JsonObject): void {
    this.output[open.index] = item
    this.send("response.output_item.done", { output_index: open.index, item })
  }

  /** Ends what waited for the next item. */
  private settle(): void {
    this.endImage()
    const { message } = this
    this.message = undefined
    if (message === undefined) return
    const refused = this.context.refused === true || message.part?.replay?.["refusal"] === true
    const { annotations, id, index, part, text } = message
    const at = { item_id: id, output_index: index, content_index: 0 }
    const content = contentPart(text, refused, annotations)
    this.send(refused ? "response.refusal.done" : "response.output_text.done", {
      ...at,
      ...(refused ? { refusal: text } : { text, logprobs: [] })
    })
    this.send("response.content_part.done", { ...at, part: content })
    const replay = part !== undefined && isOf(wire, part) ? part.replay : undefined
    const phase = nonEmpty(replay?.["phase"])
    this.done(message, {
      ...message.item,
      id: nonEmpty(replay?.["id"]) ?? id,
      status: "completed",
      content: [content],
      ...(phase === undefined ? undefined : { phase })
    })
  }

  private startText(part: number): void {
    const open = this.start(part, "msg", { type: "message", status: "in_progress", role: "assistant", content: [] })
    this.message = Object.assign(open, { annotations: [], part: undefined })
    this.send("response.content_part.added", {
      item_id: open.id,
      output_index: open.index,
      content_index: 0,
      part: contentPart("", this.context.refused === true)
    })
  }

  private reasoning(open: Open | undefined, text: string): void {
    if (open === undefined) return
    const where = { item_id: open.id, output_index: open.index, summary_index: 0 }
    if (open.text === "") {
      this.send("response.reasoning_summary_part.added", { ...where, part: { type: "summary_text", text: "" } })
    }
    open.text += text
    this.send("response.reasoning_summary_text.delta", { ...where, delta: text })
  }

  private endReasoning(open: Open | undefined, part: ReasoningPart): void {
    if (open === undefined) return
    const where = { item_id: open.id, output_index: open.index, summary_index: 0 }
    const { text } = open
    if (text !== "") {
      this.send("response.reasoning_summary_text.done", { ...where, text })
      this.send("response.reasoning_summary_part.done", { ...where, part: { type: "summary_text", text } })
    }
    const own = isOf(wire, part) ? part.replay : undefined
    const format = nonEmpty(own?.["format"])
    const encrypted = part.encrypted ?? (format === undefined ? part.signature : undefined)
    const sections = this.streamed ? [] : list(own?.["summary"]).filter((one) => typeof one === "string")
    const content = this.streamed ? [] : list(own?.["content"]).filter((one) => typeof one === "string")
    const said = sections.length > 0 ? sections : text === "" || content.length > 0 ? [] : [text]
    this.done(open, {
      ...open.item,
      id: nonEmpty(own?.["id"]) ?? open.id,
      ...(this.encrypts && encrypted !== undefined ? { encrypted_content: encrypted } : undefined),
      summary: said.map((text) => ({ type: "summary_text", text })),
      ...(content.length === 0 ? undefined : { content: content.map((text) => ({ type: "reasoning_text", text })) }),
      ...(format === undefined
        ? undefined
        : { format, ...(part.signature === undefined ? {} : { signature: part.signature }) })
    })
  }

  private argumentDelta(call: Open, delta: string): void {
    if (delta === "") return
    call.text += delta
    const custom = call.item["type"] === "custom_tool_call"
    this.send(`response.${custom ? "custom_tool_call_input" : "function_call_arguments"}.delta`, {
      item_id: call.id,
      output_index: call.index,
      delta
    })
  }

  private endCall(call: Open | undefined, part: ToolCallPart): void {
    if (call === undefined) return
    if (call.text === "") this.argumentDelta(call, argumentText(part))
    const custom = call.item["type"] === "custom_tool_call"
    const said = { [custom ? "input" : "arguments"]: call.text }
    this.send(`response.${custom ? "custom_tool_call_input" : "function_call_arguments"}.done`, {
      item_id: call.id,
      output_index: call.index,
      ...said
    })
    const own = isOf(wire, part) ? part.replay : undefined
    this.done(call, {
      ...call.item,
      status: "completed",
      ...said,
      ...own,
      id: nonEmpty(own?.["id"]) ?? call.id
    })
  }

  /** An annotation is of the text that it follows. */
  private annotate(part: SourcePart): void {
    if (this.message === undefined) this.startText(-1 - this.next)
    const { annotations, id, index } = this.message!
    const annotation = annotationOf(part)
    this.send("response.output_text.annotation.added", {
      item_id: id,
      output_index: index,
      content_index: 0,
      annotation_index: annotations.length,
      annotation
    })
    annotations.push(annotation)
  }

  private hosted(part: ServerToolPart): void {
    if (!isOf(wire, part)) return this.losses.part(part)
    // The item that made a picture has it.
    if (part.name === "image_generation_call") this.image = undefined
    this.settle()
    const index = this.next++
    this.send("response.output_item.added", { output_index: index, item: part.data })
    this.done({ index, id: "", item: part.data, text: "" }, part.data)
  }

  private endImage(): void {
    const { image } = this
    this.image = undefined
    if (image === undefined) return
    if (image.source.type !== "base64") return this.losses.part(image)
    const index = this.next++
    const id = `ig_${this.context.requestId}_${index}`
    const item: JsonObject = { id, type: "image_generation_call", status: "completed", result: image.source.data }
    this.send("response.output_item.added", {
      output_index: index,
      item: { ...item, status: "in_progress", result: null }
    })
    this.done({ index, id, item, text: "" }, item)
  }

  // ---------------------------------------------------------------------------
  // The end
  // ---------------------------------------------------------------------------

  private finish(response: LlmResponse): void {
    this.settle()
    const ending = statusOf(response)
    const { status } = ending
    const last = this.output.at(-1)
    if (status === "incomplete" && last?.["status"] === "completed" && cuttable.has(last["type"])) {
      this.output[this.output.length - 1] = { ...last, status: "incomplete" }
    }
    const logprobs = record(response.logprobs)?.["content"]
    this.response = {
      ...envelope(this.name, this.context),
      ...extrasOf(response, ["service_tier"]),
      ...(status === "completed" ? { completed_at: this.context.completed?.() ?? this.context.created } : undefined),
      ...ending,
      output: Array.isArray(logprobs) ? withLogprobs(this.output, logprobs as ReadonlyArray<Json>) : this.output,
      usage: usageOf(response.usage ?? emptyUsage)
    }
    const word = status === "incomplete" || status === "failed" ? status : "completed"
    this.send(`response.${word}`, { response: this.response }, "terminal")
  }

  private send(type: string, fields: JsonObject, kind: Frame["kind"] = "content"): void {
    if (!this.streamed) return
    this.push(kind, sseEvent(type, { type, sequence_number: this.sequence++, ...fields }))
  }
}

/** Log probabilities stand with the first text. */
const withLogprobs = (output: ReadonlyArray<JsonObject>, logprobs: ReadonlyArray<Json>): ReadonlyArray<JsonObject> => {
  const at = output.findIndex((item) => item["type"] === "message")
  return output.map((item, index) => {
    if (index !== at) return item
    const content = (list(item["content"]) as ReadonlyArray<JsonObject>).map((part) =>
      part["type"] === "output_text" ? { ...part, logprobs } : part
    )
    return { ...item, content }
  })
}

/**
 * A whole answer.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encodeAnswer = (response: LlmResponse, context: AnswerContext): EncodedAnswer => {
  const answer = new ResponsesAnswer({ ...context, refused: response.finishReason === "refusal" }, false)
  for (const event of toEvents(response)) answer.add(event)
  return { body: answer.response!, warnings: answer.warnings }
}

/**
 * The error event that ends a stream.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const errorEvent = (error: JsonObject, sent: number): string => {
  const { code, message, param, type } = error
  return sseEvent("error", {
    type: "error",
    sequence_number: sent,
    code: code ?? type ?? null,
    message: message ?? null,
    param: param ?? null,
    // Where https://www.openresponses.org has them.
    error: { type: type ?? null, code: code ?? null, message: message ?? null, param: param ?? null }
  })
}
