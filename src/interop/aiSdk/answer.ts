/**
 * Answers of ours as content and stream parts of the AI SDK.
 *
 * @since 0.1.0
 */
import type {
  LanguageModelV4Content,
  LanguageModelV4File,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4ToolCall,
  LanguageModelV4Usage,
  SharedV4Warning
} from "@ai-sdk/provider"
import { jsonText } from "../../json/text.ts"
import type { LlmEvent } from "../../LlmEvent.ts"
import type { FinishReason, LlmResponse, Usage, Warning } from "../../LlmResponse.ts"
import type { AudioPart, FilePart, ImagePart, Json, Part, ServerToolPart, ToolCallPart } from "../../Message.ts"
import { record } from "../../protocol/Probe.ts"
import { besides, named, plainJson } from "./own.ts"

// =============================================================================
// Ends
// =============================================================================

/**
 * The AI SDK's words for how an answer ended.
 *
 * @stability experimental
 * @category constants
 * @since 0.1.0
 */
export const unifiedReason: { readonly [reason in FinishReason]: LanguageModelV4FinishReason["unified"] } = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool-calls",
  "content-filter": "content-filter",
  refusal: "content-filter",
  pause: "other",
  "context-window": "length",
  error: "error",
  other: "other"
}

/**
 * How an answer ended.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const finishReason = (response: LlmResponse): LanguageModelV4FinishReason => ({
  unified: unifiedReason[response.finishReason],
  raw: response.rawFinishReason
})

/**
 * Token counts; what was not said stays unknown.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const usageOf = ({ input, output, raw }: Usage): LanguageModelV4Usage => ({
  inputTokens: {
    total: input.total,
    noCache: input.uncached,
    cacheRead: input.cacheRead,
    cacheWrite: input.cacheWrite
  },
  outputTokens: { total: output.total, text: output.text, reasoning: output.reasoning },
  ...(record(raw) === undefined ? undefined : { raw: raw as NonNullable<LanguageModelV4Usage["raw"]> })
})

/**
 * What was dropped, changed or emulated.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const warningsOf = (warnings: ReadonlyArray<Warning>): ReadonlyArray<SharedV4Warning> =>
  warnings.map(({ field, message }) => ({ type: "compatibility", feature: field, details: message }))

/**
 * What else is known of an answer: who gave it, what it cost, which attempts failed before.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const aboutAnswer = (response: LlmResponse): ReturnType<typeof named> => {
  const {
    cost,
    extra,
    finishReason,
    label,
    logprobs,
    model,
    priorAttempts,
    provider,
    rateLimits,
    requestId,
    warnings
  } = response
  return named({
    provider,
    model,
    finishReason,
    label,
    requestId,
    cost,
    priorAttempts,
    rateLimits,
    extra,
    logprobs,
    ...(warnings.length === 0 ? undefined : { warnings })
  })
}

// =============================================================================
// Parts
// =============================================================================

/** A provider's own tool stands under the caller's name for it. */
type Names = ReadonlyMap<string, string>

const inputOf = (call: ToolCallPart): string =>
  call.invalid === true && typeof call.arguments === "string" ? call.arguments : jsonText(call.arguments)

const callOf = (part: ToolCallPart, names: Names): LanguageModelV4ToolCall => ({
  type: "tool-call",
  toolCallId: part.id,
  toolName: names.get(part.name) ?? part.name,
  input: inputOf(part),
  ...besides(part)
})

const fileOf = (part: ImagePart | AudioPart | FilePart): LanguageModelV4Content => {
  const { source } = part
  const mediaType = source.mediaType ?? (part.type === "file" ? "application/octet-stream" : `${part.type}/*`)
  if (source.type === "base64") {
    return { type: "file", mediaType, data: { type: "data", data: source.data }, ...besides(part) }
  }
  const url = source.type === "url" && URL.canParse(source.url) ? new URL(source.url) : undefined
  return url === undefined
    ? { type: "custom", kind: "effect-llm.file", ...named({ part }) }
    : { type: "file", mediaType, data: { type: "url", url }, ...besides(part) } satisfies LanguageModelV4File
}

/**
 * Spells the parts of one answer.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export class PartsOut {
  /** Calls of the provider's own tools, by which their results are known. */
  private readonly steps = new Map<string, string>()
  private readonly names: Names

  constructor(names: Names) {
    this.names = names
  }

  /** A part that is whole; its index tells it apart. */
  content(part: Part, index: number): ReadonlyArray<LanguageModelV4Content> {
    switch (part.type) {
      case "text":
        return [{ type: "text", text: part.text, ...besides(part) }]
      case "reasoning":
        return [{ type: "reasoning", text: part.text, ...besides(part) }]
      case "tool-call":
        return [callOf(part, this.names)]
      case "source": {
        const id = `source-${index}`
        const { title, url } = part
        return [
          url === undefined
            ? {
              type: "source",
              sourceType: "document",
              id,
              mediaType: "text/plain",
              title: title ?? "",
              ...besides(part)
            }
            : {
              type: "source",
              sourceType: "url",
              id,
              url,
              ...(title === undefined ? undefined : { title }),
              ...besides(part)
            }
        ]
      }
      case "image":
      case "audio":
      case "file":
        return [fileOf(part)]
      case "server-tool":
        return [this.step(part, index)]
      case "tool-result":
        return []
    }
  }

  private step(part: ServerToolPart, index: number): LanguageModelV4Content {
    const toolName = this.names.get(part.name) ?? part.name
    if (part.kind === "call") {
      const toolCallId = part.id ?? `step-${index}`
      this.steps.set(toolCallId, toolName)
      return {
        type: "tool-call",
        toolCallId,
        toolName,
        input: jsonText(stepInput(part)),
        providerExecuted: true,
        dynamic: true,
        ...besides(part)
      }
    }
    const called = part.kind === "result" && part.id !== undefined ? this.steps.get(part.id) : undefined
    return called === undefined ? { type: "custom", kind: "effect-llm.step", ...besides(part) } : {
      type: "tool-result",
      toolCallId: part.id!,
      toolName: called,
      result: plainJson(part.data) as NonNullable<Json>,
      dynamic: true,
      ...besides(part)
    } as LanguageModelV4Content
  }

  /** The stream parts of an event that is not the last. */
  event(event: LlmEvent, timestamp?: Date): ReadonlyArray<LanguageModelV4StreamPart> {
    switch (event._tag) {
      case "ResponseStart":
        return [{
          type: "response-metadata",
          ...(timestamp === undefined ? undefined : { timestamp }),
          ...(event.id === undefined ? undefined : { id: event.id }),
          ...(event.model === undefined ? undefined : { modelId: event.model })
        }]
      case "TextStart":
        return [{ type: "text-start", id: String(event.index) }]
      case "TextDelta":
        return [{ type: "text-delta", id: String(event.index), delta: event.text }]
      case "TextEnd":
        return [{ type: "text-end", id: String(event.index), ...besides(event.part) }]
      case "ReasoningStart":
        return [{ type: "reasoning-start", id: String(event.index) }]
      case "ReasoningDelta":
        return [{ type: "reasoning-delta", id: String(event.index), delta: event.text }]
      case "ReasoningEnd":
        return [{ type: "reasoning-end", id: String(event.index), ...besides(event.part) }]
      case "ToolCallStart":
        return [{ type: "tool-input-start", id: event.id, toolName: this.names.get(event.name) ?? event.name }]
      case "ToolCallDelta":
        return [{ type: "tool-input-delta", id: event.id, delta: event.delta }]
      case "ToolCallEnd":
        return [{ type: "tool-input-end", id: event.part.id }, callOf(event.part, this.names)]
      case "Source":
      case "File":
      case "ServerTool":
        return this.content(event.part, event.index) as ReadonlyArray<LanguageModelV4StreamPart>
      default:
        return []
    }
  }

  /** The end of a stream. */
  finish(response: LlmResponse): ReadonlyArray<LanguageModelV4StreamPart> {
    const { raw } = response
    const frames = raw === undefined ? [] : Array.isArray(raw) ? raw : [raw]
    return [
      ...frames.map((rawValue): LanguageModelV4StreamPart => ({ type: "raw", rawValue })),
      {
        type: "finish",
        usage: usageOf(response.usage),
        finishReason: finishReason(response),
        ...aboutAnswer(response)
      }
    ]
  }
}

const stepInput = ({ data }: ServerToolPart): Json => record(data["input"]) as Json | undefined ?? {}
