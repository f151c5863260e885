/**
 * Writes answers of the Converse API, streams as AWS event streams:
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../../LlmEvent.ts"
import type { LlmResponse, Usage } from "../../../LlmResponse.ts"
import type { Json, JsonObject, Part, SourcePart, ToolCallPart } from "../../../Message.ts"
import { record } from "../../Probe.ts"
import type { EncodedAnswer, Frame } from "../../Server.ts"
import {
  argumentObject,
  countsOf,
  Encoding,
  extrasOf,
  finishWord,
  type FinishWords,
  isOf,
  Losses
} from "../../server/Answers.ts"
import { wire } from "../Encode.ts"
import { formatOf, kindOf } from "../Formats.ts"
import { eventStreamMessage } from "./EventStreamMessage.ts"

const words: FinishWords = {
  usual: {
    stop: "end_turn",
    length: "max_tokens",
    "tool-calls": "tool_use",
    "content-filter": "content_filtered",
    refusal: "content_filtered",
    pause: "end_turn",
    "context-window": "model_context_window_exceeded",
    error: "malformed_model_output",
    other: "end_turn"
  },
  own: {
    stop_sequence: "stop",
    guardrail_intervened: "content-filter",
    malformed_tool_use: "error"
  }
}

/** Input tokens exclude what a cache read or wrote. */
const usageOf = (usage: Usage): JsonObject => {
  const { cacheRead, cacheWrite, cacheWrite1h, input, output, uncached } = countsOf(usage)
  return {
    inputTokens: uncached,
    outputTokens: output,
    totalTokens: input + output,
    ...(cacheRead === undefined ? undefined : { cacheReadInputTokens: cacheRead }),
    ...(cacheWrite === undefined ? undefined : { cacheWriteInputTokens: cacheWrite }),
    ...(cacheWrite1h === undefined ? undefined : { cacheDetails: [{ ttl: "1h", inputTokens: cacheWrite1h }] })
  }
}

const metadataOf = (response: LlmResponse): JsonObject => ({
  usage: usageOf(response.usage),
  metrics: { latencyMs: 100 },
  ...extrasOf(response, ["metrics", "trace", "performanceConfig", "serviceTier"])
})

/** A citation in this API's words; that of another wire is of a web page. */
const citationOf = ({ citedText, raw, title, url }: SourcePart): JsonObject => {
  const own = record(raw) as JsonObject | undefined
  if (own !== undefined && (own["location"] !== undefined || own["sourceContent"] !== undefined)) return own
  return {
    ...(title === undefined ? undefined : { title }),
    ...(citedText === undefined ? undefined : { sourceContent: [{ text: citedText }] }),
    location: { web: { url: url ?? "" } }
  }
}

const callOf = (call: Pick<ToolCallPart, "id" | "name">): JsonObject => ({ toolUseId: call.id, name: call.name })

/** A picture, which is all of media that an answer can have. */
const mediaOf = (part: Part): JsonObject | undefined => {
  if (part.type !== "image" || part.source.type !== "base64") return undefined
  const format = formatOf(kindOf(part.source.mediaType), part.source.mediaType)
  return format === undefined ? undefined : { image: { format, source: { bytes: part.source.data } } }
}

const ownOf = (part: Part): JsonObject | undefined =>
  part.type === "server-tool" && isOf(wire, part) ? part.data : undefined

const blocksOf = (parts: ReadonlyArray<Part>, losses: Losses): ReadonlyArray<JsonObject> => {
  const blocks: Array<JsonObject> = []
  for (const part of parts) {
    switch (part.type) {
      case "text":
        blocks.push({ text: part.text })
        break
      case "reasoning":
        blocks.push({
          reasoningContent: part.encrypted !== undefined ? { redactedContent: part.encrypted } : {
            reasoningText: {
              text: part.text,
              ...(part.signature === undefined ? undefined : { signature: part.signature })
            }
          }
        })
        break
      case "tool-call":
        blocks.push({ toolUse: { ...callOf(part), input: argumentObject(part) } })
        break
      case "source": {
        // The citations of a text stand in a block with it.
        const last = blocks.at(-1)
        const cited = record(last?.["citationsContent"])
        const text = last?.["text"]
        const before = cited === undefined ? [] : cited["citations"] as ReadonlyArray<Json>
        const content = cited === undefined ? [{ text: text ?? "" }] : cited["content"]!
        const made = { citationsContent: { content, citations: [...before, citationOf(part)] } }
        if (cited === undefined && text === undefined) blocks.push(made)
        else blocks[blocks.length - 1] = made
        break
      }
      default: {
        const block = ownOf(part) ?? mediaOf(part)
        if (block === undefined) losses.part(part)
        else blocks.push(block)
      }
    }
  }
  return blocks
}

/**
 * A whole answer.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encodeAnswer = (response: LlmResponse): EncodedAnswer => {
  const losses = new Losses()
  return {
    body: {
      output: { message: { content: blocksOf(response.parts, losses), role: "assistant" } },
      stopReason: finishWord(response, words),
      ...extrasOf(response, ["additionalModelResponseFields"]),
      ...metadataOf(response)
    },
    warnings: losses.warnings
  }
}

/**
 * An event. `p` fills up its length, so that lengths on the network tell nothing of the text.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const event = (name: string, fields: JsonObject, padding = 0): Uint8Array =>
  eventStreamMessage(
    { ":event-type": name, ":content-type": "application/json", ":message-type": "event" },
    JSON.stringify(padding === 0 ? fields : { ...fields, p: "abcdefghijklmnopqrstuvwxyz".slice(0, padding) })
  )

/** A streamed answer. @stability experimental @category encoding @since 0.1.0 */
export class BedrockAnswer extends Encoding {
  private sent = 0
  private next = 0
  private readonly blocks = new Map<number, number>()
  /** The text block that citations belong to, which is not ended before something else begins. */
  private cited: number | undefined
  private begun = false

  protected on(event: LlmEvent): void {
    if (event._tag === "UsageUpdate" || event._tag === "Continued") return
    if (!this.begun) {
      this.begun = true
      this.send("messageStart", { role: "assistant" })
    }
    switch (event._tag) {
      case "TextStart":
        this.settle()
        this.cited = this.place(event.index)
        return
      case "TextDelta":
        return this.delta(event.index, { text: event.text })
      case "ReasoningStart":
        this.settle()
        this.place(event.index)
        return
      case "ReasoningDelta":
        return this.delta(event.index, { reasoningContent: { text: event.text } })
      case "ReasoningEnd": {
        const { encrypted, signature } = event.part
        if (encrypted !== undefined) this.delta(event.index, { reasoningContent: { redactedContent: encrypted } })
        else if (signature !== undefined) this.delta(event.index, { reasoningContent: { signature } })
        return this.stop(event.index)
      }
      case "ToolCallStart":
        this.settle()
        // Only calls have a start; the others begin with their first delta.
        return this.send("contentBlockStart", {
          contentBlockIndex: this.place(event.index),
          start: { toolUse: callOf(event) }
        })
      case "ToolCallDelta":
        return this.delta(event.index, { toolUse: { input: event.delta } })
      case "ToolCallEnd":
        return this.stop(event.index)
      case "Source":
        this.cited ??= this.place(event.index)
        return this.send("contentBlockDelta", {
          contentBlockIndex: this.cited,
          delta: { citation: citationOf(event.part) }
        })
      case "File":
      case "ServerTool":
        return this.whole(event.index, event.part)
      case "Finish":
        return this.finish(event.response)
    }
  }

  private whole(index: number, part: Part): void {
    const block = ownOf(part) ?? mediaOf(part)
    if (block === undefined) return this.losses.part(part)
    this.settle()
    this.send("contentBlockStart", { contentBlockIndex: this.place(index), start: block })
    this.stop(index)
  }

  private place(part: number): number {
    const index = this.next++
    this.blocks.set(part, index)
    return index
  }

  private delta(part: number, delta: JsonObject): void {
    const index = this.blocks.get(part)
    if (index !== undefined) this.send("contentBlockDelta", { contentBlockIndex: index, delta })
  }

  private stop(part: number): void {
    const index = this.blocks.get(part)
    if (index !== undefined) this.send("contentBlockStop", { contentBlockIndex: index })
  }

  private settle(): void {
    if (this.cited !== undefined) this.send("contentBlockStop", { contentBlockIndex: this.cited })
    this.cited = undefined
  }

  private finish(response: LlmResponse): void {
    this.settle()
    const more = extrasOf(response, ["additionalModelResponseFields"])
    this.frame("terminal", event("messageStop", { stopReason: finishWord(response, words), ...more }, 5))
    this.frame("done", event("metadata", metadataOf(response), 9))
  }

  private send(name: string, fields: JsonObject): void {
    this.frame("content", event(name, fields, 1 + (this.sent % 26)))
  }

  private frame(kind: Frame["kind"], bytes: Uint8Array): void {
    this.sent++
    this.push(kind, bytes)
  }
}
