/**
 * Writes answers of the Messages API: https://platform.claude.com/docs/en/build-with-claude/streaming
 *
 * Text, thinking and calls are blocks; citations are of the text that they follow. A message begins with the counts that are known by
 * then, which is why its start waits for the event after it.
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../../LlmEvent.ts"
import type { LlmResponse, Usage } from "../../../LlmResponse.ts"
import { emptyUsage } from "../../../LlmResponse.ts"
import type { Json, JsonObject, Part, SourcePart, ToolCallPart } from "../../../Message.ts"
import { list, record } from "../../Probe.ts"
import type { AnswerContext, EncodedAnswer } from "../../Server.ts"
import {
  argumentObject,
  countsOf,
  Encoding,
  extrasOf,
  finishWord,
  type FinishWords,
  isOf,
  Losses,
  sseEvent
} from "../../server/Answers.ts"
import { wire } from "../Encode.ts"

const words: FinishWords = {
  usual: {
    stop: "end_turn",
    length: "max_tokens",
    "tool-calls": "tool_use",
    "content-filter": "refusal",
    refusal: "refusal",
    pause: "pause_turn",
    "context-window": "model_context_window_exceeded",
    // What went wrong after all is no reason that this API has: the turn is over.
    error: "end_turn",
    other: "end_turn"
  },
  own: { stop_sequence: "stop", end_turn: "stop", compaction: "pause", pause_turn: "pause" }
}

const inputUsage = (usage: Usage) => {
  const { cacheRead, cacheWrite, uncached } = countsOf(usage)
  return {
    input_tokens: uncached,
    cache_creation_input_tokens: cacheWrite ?? 0,
    cache_read_input_tokens: cacheRead ?? 0
  }
}

const startUsage = (usage: Usage, outputTokens: number): JsonObject => {
  const { cacheWrite = 0, cacheWrite1h = 0 } = countsOf(usage)
  return {
    ...inputUsage(usage),
    cache_creation: { ephemeral_5m_input_tokens: cacheWrite - cacheWrite1h, ephemeral_1h_input_tokens: cacheWrite1h },
    output_tokens: outputTokens,
    service_tier: "standard",
    inference_geo: "not_available"
  }
}

const outputDetails = (usage: Usage): JsonObject => {
  const { reasoning } = countsOf(usage)
  return reasoning !== undefined && reasoning > 0 ? { output_tokens_details: { thinking_tokens: reasoning } } : {}
}

const stop = (response: LlmResponse): JsonObject => ({
  stop_reason: finishWord(response, words),
  stop_sequence: null,
  stop_details: null,
  ...extrasOf(response, ["stop_sequence", "stop_details"])
})

const envelope = (id: string | undefined, model: string, context: AnswerContext) => ({
  model,
  id: id ?? `msg_${context.requestId}`,
  type: "message",
  role: "assistant"
})

const callOf = (call: Pick<ToolCallPart, "id" | "name" | "replay">): JsonObject => ({
  type: "tool_use",
  id: call.id,
  name: call.name,
  input: {},
  caller: { type: "direct" },
  ...call.replay
})

/** A citation in this API's words; that of another wire becomes a search result. */
const citationOf = ({ citedText, raw, title, url }: SourcePart): JsonObject => {
  const own = record(raw) as JsonObject | undefined
  return own !== undefined && typeof own["type"] === "string" && own["type"].endsWith("_location")
    ? own
    : {
      type: "web_search_result_location",
      url: url ?? "",
      title: title ?? null,
      encrypted_index: "",
      cited_text: citedText ?? ""
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
  const content: Array<{ [member: string]: Json }> = []
  let cited: { [member: string]: Json } | undefined
  for (const part of response.parts) {
    switch (part.type) {
      case "text":
        content.push(cited = { type: "text", text: part.text })
        break
      case "reasoning":
        content.push(
          part.encrypted !== undefined
            ? { type: "redacted_thinking", data: part.encrypted }
            : { type: "thinking", thinking: part.text, signature: part.signature ?? "" }
        )
        break
      case "tool-call":
        content.push({ ...callOf(part), input: argumentObject(part) })
        break
      case "source":
        if (cited === undefined) content.push(cited = { type: "text", text: "" })
        cited["citations"] = [...list(cited["citations"]) as ReadonlyArray<Json>, citationOf(part)]
        break
      default: {
        const own = opaqueOf(part)
        if (own === undefined) losses.part(part)
        else content.push({ ...own })
      }
    }
  }
  const { usage } = response
  return {
    body: {
      ...envelope(response.id, response.model, context),
      content,
      ...stop(response),
      container: null,
      ...extrasOf(response, ["container", "context_management"]),
      usage: {
        ...startUsage(usage, countsOf(usage).output),
        ...outputDetails(usage),
        ...extrasOf(response, ["service_tier", "inference_geo", "speed"])
      }
    },
    warnings: losses.warnings
  }
}

const opaqueOf = (part: Part): JsonObject | undefined =>
  part.type === "server-tool" && isOf(wire, part) ? part.data : undefined

/**
 * A sign of life.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n"

/** A streamed answer. @stability experimental @category encoding @since 0.1.0 */
export class AnthropicAnswer extends Encoding {
  private readonly context: AnswerContext
  private start: { readonly id: string | undefined; readonly model: string } | undefined
  private usage: Usage = emptyUsage
  private begun = false
  private next = 0
  /** Blocks by the index of their part. */
  private readonly blocks = new Map<number, number>()
  /** The text block that citations belong to. */
  private cited: number | undefined
  private citedOpen = false

  constructor(context: AnswerContext) {
    super()
    this.context = context
  }

  protected on(event: LlmEvent): void {
    if (event._tag === "ResponseStart") {
      this.start = { id: event.id, model: event.model ?? "" }
      return
    }
    if (event._tag === "UsageUpdate") this.usage = event.usage
    if (!this.begun) this.begin(event._tag === "Finish" ? event.response : undefined)
    switch (event._tag) {
      case "TextStart":
        this.endCited()
        this.cited = this.open(event.index, { type: "text", text: "" })
        return
      case "TextDelta":
        return this.delta(event.index, { type: "text_delta", text: event.text })
      case "TextEnd":
        // Citations may follow the text, which is theirs.
        this.citedOpen = this.blocks.get(event.index) === this.cited
        if (!this.citedOpen) this.close(event.index)
        return
      case "ReasoningStart":
        return
      case "ReasoningDelta":
        if (!this.blocks.has(event.index)) this.openThinking(event.index)
        return this.delta(event.index, { type: "thinking_delta", thinking: event.text })
      case "ReasoningEnd": {
        const { encrypted, signature } = event.part
        if (encrypted !== undefined && !this.blocks.has(event.index)) {
          this.endCited()
          this.open(event.index, { type: "redacted_thinking", data: encrypted })
        } else if (!this.blocks.has(event.index)) this.openThinking(event.index)
        if (signature !== undefined) this.delta(event.index, { type: "signature_delta", signature })
        return this.close(event.index)
      }
      case "ToolCallStart":
        this.endCited()
        this.open(event.index, callOf(event))
        // The API begins every call with an empty piece.
        return this.delta(event.index, { type: "input_json_delta", partial_json: "" })
      case "ToolCallDelta":
        return this.delta(event.index, { type: "input_json_delta", partial_json: event.delta })
      case "ToolCallEnd":
        return this.close(event.index)
      case "Source":
        if (this.cited === undefined) {
          this.cited = this.open(event.index, { type: "text", text: "" })
          this.citedOpen = true
        }
        return this.send("content_block_delta", {
          index: this.cited,
          delta: { type: "citations_delta", citation: citationOf(event.part) }
        })
      case "ServerTool":
      case "File": {
        const own = opaqueOf(event.part)
        if (own === undefined) return this.losses.part(event.part)
        this.endCited()
        this.open(event.index, own)
        return this.close(event.index)
      }
      case "Finish":
        return this.finish(event.response)
    }
  }

  private begin(response: LlmResponse | undefined): void {
    this.begun = true
    const { id, model } = this.start ?? { id: response?.id, model: response?.model ?? "" }
    this.send("message_start", {
      message: {
        ...envelope(id, model, this.context),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: startUsage(this.usage, 1)
      }
    })
  }

  private openThinking(index: number): void {
    this.endCited()
    this.open(index, { type: "thinking", thinking: "", signature: "" })
  }

  private open(part: number, block: JsonObject): number {
    const index = this.next++
    this.blocks.set(part, index)
    this.send("content_block_start", { index, content_block: block })
    if (index === 0) this.push("ping", ping)
    return index
  }

  private delta(part: number, delta: JsonObject): void {
    const index = this.blocks.get(part)
    if (index !== undefined) this.send("content_block_delta", { index, delta })
  }

  private close(part: number): void {
    const index = this.blocks.get(part)
    if (index !== undefined) this.send("content_block_stop", { index })
  }

  /** Ends the text whose citations were waited for. */
  private endCited(): void {
    if (this.citedOpen) this.send("content_block_stop", { index: this.cited! })
    this.citedOpen = false
    this.cited = undefined
  }

  private finish(response: LlmResponse): void {
    this.endCited()
    const { usage } = response
    this.push(
      "terminal",
      sseEvent("message_delta", {
        type: "message_delta",
        delta: { ...stop(response), ...extrasOf(response, ["container"]) },
        usage: { ...inputUsage(usage), output_tokens: countsOf(usage).output, ...outputDetails(usage) }
      })
    )
    this.push("done", sseEvent("message_stop", { type: "message_stop" }))
  }

  private send(type: string, fields: JsonObject): void {
    this.push("content", sseEvent(type, { type, ...fields }))
  }
}
