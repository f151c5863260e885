/**
 * Writes answers of Cohere's Chat API v2. Events: https://docs.cohere.com/docs/streaming
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../../LlmEvent.ts"
import type { LlmResponse, Usage } from "../../../LlmResponse.ts"
import type { Json, JsonObject, Part, SourcePart, ToolCallPart } from "../../../Message.ts"
import { nonEmpty, record } from "../../Probe.ts"
import type { AnswerContext, EncodedAnswer } from "../../Server.ts"
import {
  argumentText,
  countsOf,
  Encoding,
  finishWord,
  type FinishWords,
  isOf,
  Losses,
  sseEvent
} from "../../server/Answers.ts"
import { toolPlan, wire } from "../Messages.ts"

const words: FinishWords = {
  usual: {
    stop: "COMPLETE",
    length: "MAX_TOKENS",
    "tool-calls": "TOOL_CALL",
    "content-filter": "ERROR_TOXIC",
    refusal: "ERROR_TOXIC",
    pause: "COMPLETE",
    "context-window": "ERROR_LIMIT",
    error: "ERROR",
    other: "COMPLETE"
  },
  own: { STOP_SEQUENCE: "stop", TIMEOUT: "error" }
}

const usageOf = (usage: Usage): JsonObject => {
  const { cacheRead, input, output, reasoning } = countsOf(usage)
  return {
    billed_units: { input_tokens: input, output_tokens: output },
    tokens: {
      input_tokens: input,
      output_tokens: output,
      ...(reasoning === undefined || reasoning === 0 ? undefined : { reasoning_tokens: reasoning })
    },
    ...(cacheRead === undefined ? undefined : { cached_tokens: cacheRead })
  }
}

const callOf = (call: Pick<ToolCallPart, "id" | "name">, text: string): JsonObject => ({
  id: call.id,
  type: "function",
  function: { name: call.name, arguments: text }
})

/** A citation in this API's words; that of another wire is of a document. */
const citationOf = ({ citedText, raw, title, url }: SourcePart): JsonObject => {
  const own = record(raw) as JsonObject | undefined
  if (own !== undefined && Array.isArray(own["sources"])) return own
  return {
    start: 0,
    end: 0,
    text: citedText ?? "",
    sources: [{
      type: "document",
      id: url ?? title ?? "document",
      document: {
        ...(url === undefined ? undefined : { url }),
        ...(title === undefined ? undefined : { title }),
        ...(citedText === undefined ? undefined : { snippet: citedText })
      }
    }]
  }
}

const planIn = (part: Part): string | undefined =>
  part.type === "server-tool" && isOf(wire, part) && part.name === toolPlan ? nonEmpty(part.data[toolPlan]) : undefined

const logprobsOf = ({ logprobs }: LlmResponse): Json | undefined => Array.isArray(logprobs) ? logprobs : undefined

/**
 * A whole answer.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encodeAnswer = (response: LlmResponse, context: AnswerContext): EncodedAnswer => {
  const losses = new Losses()
  const content: Array<Json> = []
  const citations: Array<Json> = []
  const calls: Array<Json> = []
  let plan = ""
  for (const part of response.parts) {
    switch (part.type) {
      case "text":
        content.push({ type: "text", text: part.text })
        break
      case "reasoning":
        content.push({ type: "thinking", thinking: part.text })
        break
      case "tool-call":
        calls.push(callOf(part, argumentText(part)))
        break
      case "source":
        citations.push(citationOf(part))
        break
      default: {
        const own = planIn(part)
        if (own === undefined) losses.part(part)
        else plan += own
      }
    }
  }
  const logprobs = logprobsOf(response)
  return {
    body: {
      id: response.id ?? context.requestId,
      message: {
        role: "assistant",
        ...(plan === "" ? undefined : { tool_plan: plan }),
        ...(content.length === 0 ? undefined : { content }),
        ...(calls.length === 0 ? undefined : { tool_calls: calls }),
        ...(citations.length === 0 ? undefined : { citations })
      },
      finish_reason: finishWord(response, words),
      usage: usageOf(response.usage),
      ...(logprobs === undefined ? undefined : { logprobs })
    },
    warnings: losses.warnings
  }
}

/**
 * An event of a stream.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const event = (type: string, payload: JsonObject): string => sseEvent(type, { type, ...payload })

/** A streamed answer. @stability experimental @category encoding @since 0.1.0 */
export class CohereAnswer extends Encoding {
  private readonly context: AnswerContext
  private begun = false
  private contents = 0
  private calls = 0
  private citations = 0
  private readonly indexes = new Map<number, number>()
  private readonly spoken = new Set<number>()

  constructor(context: AnswerContext) {
    super()
    this.context = context
  }

  protected on(event: LlmEvent): void {
    if (event._tag === "ResponseStart") return this.begin(event.id)
    if (event._tag === "UsageUpdate" || event._tag === "Continued") return
    this.begin(event._tag === "Finish" ? event.response.id : undefined)
    switch (event._tag) {
      case "TextStart":
        return this.start(event.index, { type: "text", text: "" })
      case "TextDelta":
        return this.delta(event.index, { text: event.text })
      case "TextEnd":
      case "ReasoningEnd":
        return this.send("content-end", { index: this.indexes.get(event.index) ?? 0 })
      case "ReasoningStart":
        return this.start(event.index, { type: "thinking", thinking: "" })
      case "ReasoningDelta":
        return this.delta(event.index, { thinking: event.text })
      case "ToolCallStart": {
        const index = this.calls++
        this.indexes.set(event.index, index)
        return this.send("tool-call-start", { index, delta: { message: { tool_calls: callOf(event, "") } } })
      }
      case "ToolCallDelta":
        return this.argument(event.index, event.delta)
      case "ToolCallEnd":
        if (!this.spoken.has(event.index)) this.argument(event.index, argumentText(event.part))
        return this.send("tool-call-end", { index: this.indexes.get(event.index) ?? 0 })
      case "Source": {
        const index = this.citations++
        this.send("citation-start", { index, delta: { message: { citations: citationOf(event.part) } } })
        return this.send("citation-end", { index })
      }
      case "File":
      case "ServerTool": {
        const plan = planIn(event.part)
        return plan === undefined
          ? this.losses.part(event.part)
          : this.send("tool-plan-delta", { delta: { message: { tool_plan: plan } } })
      }
      case "Finish":
        this.push(
          "terminal",
          sseEvent("message-end", {
            type: "message-end",
            delta: { finish_reason: finishWord(event.response, words), usage: usageOf(event.response.usage) }
          })
        )
        return this.push("done", "data: [DONE]\n\n")
    }
  }

  private begin(id: string | undefined): void {
    if (this.begun) return
    this.begun = true
    this.send("message-start", {
      id: id ?? this.context.requestId,
      delta: { message: { role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] } }
    })
  }

  private start(part: number, content: JsonObject): void {
    const index = this.contents++
    this.indexes.set(part, index)
    this.send("content-start", { index, delta: { message: { content } } })
  }

  private delta(part: number, content: JsonObject): void {
    this.send("content-delta", { index: this.indexes.get(part) ?? 0, delta: { message: { content } } })
  }

  private argument(part: number, text: string): void {
    if (text === "") return
    this.spoken.add(part)
    this.send("tool-call-delta", {
      index: this.indexes.get(part) ?? 0,
      delta: { message: { tool_calls: { function: { arguments: text } } } }
    })
  }

  private send(type: string, payload: JsonObject): void {
    this.push("content", event(type, payload))
  }
}
