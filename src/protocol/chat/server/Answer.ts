/**
 * Writes answers of the Chat Completions API: https://platform.openai.com/docs/api-reference/chat-streaming/streaming
 *
 * Reasoning goes out as `reasoning_content`, which compatible hosts send and OpenAI itself does not, and with what must come back
 * unchanged as OpenRouter's `reasoning_details`. Sources become annotations, pictures `images`.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../../LlmEvent.ts"
import type { LlmResponse, Usage } from "../../../LlmResponse.ts"
import type {
  AudioPart,
  ImagePart,
  Json,
  JsonObject,
  Part,
  ReasoningPart,
  SourcePart,
  ToolCallPart
} from "../../../Message.ts"
import { list, record } from "../../Probe.ts"
import type { AnswerContext, EncodedAnswer, Frame } from "../../Server.ts"
import {
  argumentText,
  countsOf,
  Encoding,
  extrasOf,
  finishWord,
  type FinishWords,
  isOf,
  Losses
} from "../../server/Answers.ts"
import * as Body from "../../server/Json.ts"
import { extraFields } from "../Choice.ts"
import { wire } from "../Messages.ts"

const words: FinishWords = {
  usual: {
    stop: "stop",
    length: "length",
    "tool-calls": "tool_calls",
    "content-filter": "content_filter",
    // Refusals are told by a member of the message.
    refusal: "stop",
    pause: "stop",
    "context-window": "length",
    error: "error",
    other: "stop"
  },
  own: { function_call: "tool-calls" }
}

const usageOf = (usage: Usage): JsonObject => {
  const { cacheRead, cacheWrite, input, output, reasoning } = countsOf(usage)
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: cacheRead ?? 0,
      audio_tokens: 0,
      ...(cacheWrite === undefined || cacheWrite === 0 ? undefined : { cache_write_tokens: cacheWrite })
    },
    completion_tokens_details: {
      reasoning_tokens: reasoning ?? 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0
    },
    ...(usage.billedCost === undefined ? undefined : { cost: usage.billedCost })
  }
}

const envelope = (
  { id, model }: { readonly id?: string | undefined; readonly model: string },
  object: string,
  context: AnswerContext
): JsonObject => ({
  id: id ?? `chatcmpl-${context.requestId}`,
  object,
  created: context.created,
  model,
  service_tier: "default",
  system_fingerprint: null
})

const annotationOf = ({ citedText, raw, title, url }: SourcePart): JsonObject => {
  const own = record(raw) as JsonObject | undefined
  if (own !== undefined && (own["type"] === "url_citation" || own["type"] === "file_citation")) return own
  return {
    type: "url_citation",
    url_citation: {
      url: url ?? "",
      title: title ?? "",
      ...(citedText === undefined ? undefined : { content: citedText }),
      start_index: 0,
      end_index: 0
    }
  }
}

const imageOf = ({ source }: ImagePart): JsonObject | undefined =>
  source.type === "file" ? undefined : {
    type: "image_url",
    image_url: { url: source.type === "url" ? source.url : `data:${source.mediaType};base64,${source.data}` }
  }

const audioOf = (part: AudioPart): JsonObject | undefined =>
  part.source.type !== "base64"
    ? undefined
    : { data: part.source.data, ...(part.transcript === undefined ? undefined : { transcript: part.transcript }) }

/** What must come back with reasoning: the entries as they came, else signature and opaque data in OpenRouter's form. */
const detailsOf = (part: ReasoningPart): ReadonlyArray<Json> => {
  const own = isOf(wire, part) ? list(part.replay?.["reasoning_details"]) as ReadonlyArray<Json> : []
  if (own.length > 0) return own
  if (part.encrypted !== undefined) return [{ type: "reasoning.encrypted", data: part.encrypted }]
  return part.signature === undefined ? [] : [{ type: "reasoning.text", text: part.text, signature: part.signature }]
}

const callOf = (call: ToolCallPart): JsonObject => ({
  id: call.id,
  ...(call.custom === true
    ? { type: "custom", custom: { name: call.name, input: argumentText(call) } }
    : { type: "function", function: { name: call.name, arguments: argumentText(call) } }),
  ...(isOf(wire, call) && call.replay?.["extra_content"] !== undefined
    ? { extra_content: call.replay["extra_content"] }
    : undefined)
})

const own = (response: LlmResponse): JsonObject => extrasOf(response, extraFields)

const logprobsOf = ({ logprobs }: LlmResponse): Json =>
  record(logprobs) !== undefined && Array.isArray(record(logprobs)!["content"]) ? logprobs! : null

/** Members of a message beside its text and calls. */
const besides = (parts: ReadonlyArray<Part>, losses: Losses): JsonObject => {
  const images: Array<Json> = []
  const annotations: Array<Json> = []
  let audio: JsonObject | undefined
  for (const part of parts) {
    switch (part.type) {
      case "image": {
        const image = imageOf(part)
        if (image === undefined) losses.part(part)
        else images.push(image)
        break
      }
      case "audio":
        audio ??= audioOf(part)
        if (audio === undefined) losses.part(part)
        break
      case "source":
        annotations.push(annotationOf(part))
        break
      case "file":
      case "server-tool":
      case "tool-result":
        losses.part(part)
    }
  }
  return {
    annotations,
    ...(images.length === 0 ? undefined : { images }),
    ...(audio === undefined ? undefined : { audio })
  }
}

/**
 * A whole answer.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encodeAnswer = (response: LlmResponse, context: AnswerContext): EncodedAnswer => {
  const losses = new Losses()
  const { parts, text } = response
  const reasoning = parts.filter((part) => part.type === "reasoning")
  const thought = reasoning.map((part) => part.text).join("")
  const details = reasoning.flatMap(detailsOf)
  const calls = parts.filter((part) => part.type === "tool-call")
  const refused = response.finishReason === "refusal"
  const extra = parts.findLast((part) => part.type === "text" && isOf(wire, part))
  return {
    body: {
      ...envelope(response, "chat.completion", context),
      choices: [{
        index: 0,
        message: {
          role: "assistant",
          content: refused || (text === "" && calls.length > 0) ? null : text,
          ...(thought === "" ? undefined : { reasoning_content: thought }),
          ...(details.length === 0 ? undefined : { reasoning_details: details }),
          ...(calls.length === 0 ? undefined : { tool_calls: calls.map(callOf) }),
          refusal: refused ? text : null,
          ...(extra?.type === "text" && extra.replay?.["extra_content"] !== undefined
            ? { extra_content: extra.replay["extra_content"] }
            : undefined),
          ...besides(parts, losses)
        },
        logprobs: logprobsOf(response),
        finish_reason: finishWord(response, words)
      }],
      usage: usageOf(response.usage),
      ...own(response)
    },
    warnings: losses.warnings
  }
}

const data = (payload: unknown): string => `data: ${JSON.stringify(payload)}\n\n`

interface OpenCall {
  readonly index: number
  readonly name: string
  /** Whether argument text has gone out. */
  sent: boolean
}

/**
 * A streamed answer. A refusal is told by the member that its text is in. Where that is not known before it begins, the text goes out as
 * content, and only the finish reason says that something was held back.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export class ChatAnswer extends Encoding {
  private readonly context: AnswerContext
  private readonly includeUsage: boolean
  private name: { readonly id?: string | undefined; readonly model: string } = { model: "" }
  private begun = false
  private calls = 0
  /** Calls by the index of their part. */
  private readonly open = new Map<number, OpenCall>()
  private readonly custom: ReadonlySet<unknown>

  constructor(context: AnswerContext) {
    super()
    this.context = context
    const body = Body.object(context.incoming.body)
    this.includeUsage = Body.object(body.stream_options).include_usage === true
    this.custom = new Set(
      Body.array(body.tools).map(Body.object).filter((tool) => tool.type === "custom")
        .map((tool) => Body.object(tool.custom).name)
    )
  }

  protected on(event: LlmEvent): void {
    if (event._tag === "ResponseStart") {
      this.name = { id: event.id, model: event.model ?? "" }
      return
    }
    if (event._tag === "UsageUpdate" || event._tag === "Continued") return
    if (event._tag === "TextStart" || event._tag === "ReasoningStart") return
    if (!this.begun) this.begin(event)
    switch (event._tag) {
      case "TextDelta":
        return this.delta(this.context.refused === true ? { refusal: event.text } : { content: event.text })
      case "TextEnd": {
        const { replay } = event.part
        const extra = isOf(wire, event.part) ? replay?.["extra_content"] : undefined
        return extra === undefined ? undefined : this.delta({ extra_content: extra })
      }
      case "ReasoningDelta":
        return this.delta({ reasoning_content: event.text })
      case "ReasoningEnd": {
        const details = detailsOf(event.part)
        return details.length === 0 ? undefined : this.delta({ reasoning_details: details })
      }
      case "ToolCallStart": {
        const index = this.calls++
        this.open.set(event.index, { index, name: event.name, sent: false })
        const first = { index, id: event.id }
        return this.delta({
          tool_calls: [
            this.custom.has(event.name)
              ? { ...first, type: "custom", custom: { name: event.name, input: "" } }
              : { ...first, type: "function", function: { name: event.name, arguments: "" } }
          ]
        })
      }
      case "ToolCallDelta": {
        const call = this.open.get(event.index)
        if (call === undefined) return
        call.sent = true
        return this.delta({ tool_calls: [{ index: call.index, ...this.argumentsOf(call, event.delta) }] })
      }
      case "ToolCallEnd": {
        const call = this.open.get(event.index)
        if (call === undefined) return
        const extra = isOf(wire, event.part) ? event.part.replay?.["extra_content"] : undefined
        const text = call.sent ? "" : argumentText(event.part)
        if (text === "" && extra === undefined) return
        return this.delta({
          tool_calls: [{
            index: call.index,
            ...(text === "" ? undefined : this.argumentsOf(call, text)),
            ...(extra === undefined ? undefined : { extra_content: extra })
          }]
        })
      }
      case "Source":
        return this.delta({ annotations: [annotationOf(event.part)] })
      case "File":
      case "ServerTool": {
        const { annotations: _, ...more } = besides([event.part], this.losses)
        return Object.keys(more).length === 0 ? undefined : this.delta(more)
      }
      case "Finish":
        return this.finish(event.response)
    }
  }

  private argumentsOf(call: OpenCall, text: string): JsonObject {
    return this.custom.has(call.name) ? { custom: { input: text } } : { function: { arguments: text } }
  }

  private begin(first: LlmEvent): void {
    this.begun = true
    if (first._tag === "Finish") this.name = { id: first.response.id, model: first.response.model }
    this.delta({ role: "assistant", content: first._tag === "ToolCallStart" ? null : "", refusal: null })
  }

  private finish(response: LlmResponse): void {
    const late = response.finishReason === "refusal" && this.context.refused !== true && response.text !== ""
    const finish = late ? words.usual["content-filter"] : finishWord(response, words)
    this.chunk("terminal", {
      choices: [{ index: 0, delta: {}, logprobs: logprobsOf(response), finish_reason: finish }],
      ...(this.includeUsage ? { usage: null } : undefined),
      ...own(response)
    })
    if (this.includeUsage) this.chunk("terminal", { choices: [], usage: usageOf(response.usage) })
    this.push("done", "data: [DONE]\n\n")
  }

  private delta(delta: JsonObject): void {
    this.chunk("content", {
      choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
      ...(this.includeUsage ? { usage: null } : undefined)
    })
  }

  private chunk(kind: Frame["kind"], fields: JsonObject): void {
    this.push(kind, data({ ...envelope(this.name, "chat.completion.chunk", this.context), ...fields }))
  }
}
