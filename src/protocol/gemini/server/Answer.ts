/**
 * Writes answers of the Gemini API: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
 *
 * Streams are server-sent events with `alt=sse`, else one JSON array. Calls come whole. The signature of a text or thought comes
 * after it, with an empty text: https://ai.google.dev/gemini-api/docs/thought-signatures
 *
 * @since 0.1.0
 */
import type { LlmEvent } from "../../../LlmEvent.ts"
import { emptyUsage, type LlmResponse, type Usage } from "../../../LlmResponse.ts"
import type { Json, JsonObject, Media, Part, SourcePart, ToolCallPart } from "../../../Message.ts"
import { record } from "../../Probe.ts"
import type { AnswerContext, EncodedAnswer, Incoming } from "../../Server.ts"
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
import { signatureBlock } from "../Parts.ts"

const words: FinishWords = {
  usual: {
    stop: "STOP",
    length: "MAX_TOKENS",
    "tool-calls": "STOP",
    "content-filter": "SAFETY",
    refusal: "SAFETY",
    pause: "STOP",
    "context-window": "MAX_TOKENS",
    error: "MALFORMED_FUNCTION_CALL",
    other: "OTHER"
  },
  own: {
    RECITATION: "content-filter",
    BLOCKLIST: "content-filter",
    PROHIBITED_CONTENT: "content-filter",
    SPII: "content-filter",
    IMAGE_SAFETY: "content-filter",
    UNEXPECTED_TOOL_CALL: "error",
    MALFORMED_RESPONSE: "error"
  }
}

/** Candidates exclude thoughts; what came from a cache is part of the prompt. */
const usageOf = (usage: Usage): JsonObject => {
  const { cacheRead = 0, input, output, reasoning = 0 } = countsOf(usage)
  return {
    promptTokenCount: input,
    ...(cacheRead > 0 ? { cachedContentTokenCount: cacheRead } : undefined),
    candidatesTokenCount: Math.max(0, output - reasoning),
    totalTokenCount: input + output,
    promptTokensDetails: [{ modality: "TEXT", tokenCount: input }],
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : undefined)
  }
}

const envelope = (
  { id, model }: { readonly id?: string | undefined; readonly model: string },
  { requestId }: AnswerContext
): JsonObject => ({ modelVersion: model, responseId: id ?? requestId })

const mediaOf = (source: Media): JsonObject => {
  switch (source.type) {
    case "base64":
      return { inlineData: { mimeType: source.mediaType, data: source.data } }
    case "url":
    case "file": {
      const fileUri = source.type === "url" ? source.url : source.fileId
      return { fileData: { fileUri, ...(source.mediaType === undefined ? undefined : { mimeType: source.mediaType }) } }
    }
  }
}

const signed = (part: { readonly signature?: string | undefined }) =>
  part.signature === undefined ? undefined : { thoughtSignature: part.signature }

const callOf = (call: ToolCallPart): JsonObject => ({
  functionCall: {
    ...(call.id === "" ? undefined : { id: call.id }),
    name: call.name,
    args: argumentObject(call)
  },
  ...signed(call)
})

/** The parts of a part; those that stand with the candidate have none. */
const partsOf = (part: Part, losses: Losses): ReadonlyArray<JsonObject> => {
  switch (part.type) {
    case "text":
      return [{ text: part.text, ...signed(part) }]
    case "reasoning":
      return [{ text: part.text, thought: true, ...signed(part) }]
    case "tool-call":
      return [callOf(part)]
    case "image":
    case "audio":
    case "file":
      return [mediaOf(part.source)]
    case "server-tool":
      if (isOf(wire, part)) return [part.data]
      losses.part(part)
      return []
    default:
      return []
  }
}

/** Web pages that are cited, as a search gives them; those of this wire are in the extras as they came. */
const groundingOf = (response: LlmResponse): JsonObject | undefined => {
  if (response.extra?.["groundingMetadata"] !== undefined || response.extra?.["citationMetadata"] !== undefined) {
    return undefined
  }
  const chunks = response.parts.filter((part): part is SourcePart => part.type === "source" && part.url !== undefined)
    .map(({ title, url }): Json => ({ web: { uri: url!, ...(title === undefined ? undefined : { title }) } }))
  return chunks.length === 0 ? undefined : { groundingMetadata: { groundingChunks: chunks } }
}

const extras = [
  "finishMessage",
  "groundingMetadata",
  "citationMetadata",
  "urlContextMetadata",
  "safetyRatings",
  "avgLogprobs"
]

const logprobsOf = ({ logprobs }: LlmResponse): JsonObject | undefined => {
  const fields = record(logprobs)
  return fields?.["chosenCandidates"] === undefined ? undefined : { logprobsResult: logprobs! }
}

const candidateOf = (parts: ReadonlyArray<JsonObject>, more?: JsonObject): JsonObject => ({
  content: { parts, role: "model" },
  ...more,
  index: 0
})

const endOf = (response: LlmResponse): JsonObject => ({
  finishReason: finishWord(response, words),
  ...groundingOf(response),
  ...logprobsOf(response),
  ...extrasOf(response, extras)
})

/** A thought signature of a picture stands with the picture. */
const joined = (parts: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const out: Array<JsonObject> = []
  for (const part of parts) {
    const last = out.at(-1)
    const media = last !== undefined && ("inlineData" in last || "fileData" in last)
    if (media && Object.keys(part).length === 1 && signatureBlock in part) out[out.length - 1] = { ...last, ...part }
    else out.push(part)
  }
  return out
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
  return {
    body: {
      candidates: [candidateOf(joined(response.parts.flatMap((part) => partsOf(part, losses))), endOf(response))],
      usageMetadata: usageOf(response.usage),
      ...envelope(response, context),
      ...extrasOf(response, ["promptFeedback"])
    },
    warnings: losses.warnings
  }
}

/**
 * Whether a stream is of server-sent events.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const isSse = ({ query }: Incoming): boolean => query.get("alt") === "sse"

/** A streamed answer. @stability experimental @category encoding @since 0.1.0 */
export class GeminiAnswer extends Encoding {
  private readonly context: AnswerContext
  private readonly sse: boolean
  private name: { readonly id?: string | undefined; readonly model: string } = { model: "" }
  private usage: Usage = emptyUsage
  private sent = 0
  /** A picture, whose signature comes after it. */
  private picture: JsonObject | undefined

  constructor(context: AnswerContext) {
    super()
    this.context = context
    this.sse = isSse(context.incoming)
  }

  protected on(event: LlmEvent): void {
    if (event._tag !== "ServerTool") this.endPicture()
    switch (event._tag) {
      case "ResponseStart":
        this.name = { id: event.id, model: event.model ?? "" }
        return
      case "UsageUpdate":
        this.usage = event.usage
        return
      case "TextDelta":
        return this.part({ text: event.text })
      case "ReasoningDelta":
        return this.part({ text: event.text, thought: true })
      case "TextEnd":
        return event.part.signature === undefined ? undefined : this.part({ text: "", ...signed(event.part) })
      case "ReasoningEnd":
        return event.part.signature === undefined
          ? undefined
          : this.part({ text: "", thought: true, ...signed(event.part) })
      case "ToolCallEnd":
        return this.part(callOf(event.part))
      case "File":
        this.picture = mediaOf(event.part.source)
        return
      case "ServerTool": {
        const [own] = partsOf(event.part, this.losses)
        if (own === undefined) return
        if (event.part.name === signatureBlock && this.picture !== undefined) {
          this.picture = { ...this.picture, ...own }
          return this.endPicture()
        }
        this.endPicture()
        return this.part(own)
      }
      case "Finish":
        return this.finish(event.response)
    }
  }

  private endPicture(): void {
    const { picture } = this
    this.picture = undefined
    if (picture !== undefined) this.part(picture)
  }

  private part(part: JsonObject): void {
    const { input } = countsOf(this.usage)
    this.send("content", {
      candidates: [candidateOf([part])],
      usageMetadata: { promptTokenCount: input, totalTokenCount: input },
      ...envelope(this.name, this.context)
    })
  }

  /** The last response repeats an empty text and says how the answer finished. */
  private finish(response: LlmResponse): void {
    if (this.name.model === "") this.name = response
    this.send("terminal", {
      candidates: [candidateOf([{ text: "" }], endOf(response))],
      usageMetadata: usageOf(response.usage),
      ...envelope(this.name, this.context),
      ...extrasOf(response, ["promptFeedback"])
    })
    if (!this.sse) this.push("done", "\n]\n")
  }

  private send(kind: "content" | "terminal", body: JsonObject): void {
    const text = JSON.stringify(body)
    this.push(kind, this.sse ? `data: ${text}\r\n\r\n` : `${this.sent === 0 ? "[" : ",\r\n"}${text}`)
    this.sent++
  }
}
