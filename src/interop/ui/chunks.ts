/**
 * Chunks of the AI SDK's UI message stream, and what they are of our events.
 *
 * @see https://github.com/vercel/ai/blob/main/packages/ai/src/ui-message-stream/ui-message-chunks.ts
 * @since 0.1.0
 */
import type { LanguageModelV4StreamPart } from "@ai-sdk/provider"
import type { CallResult } from "../../agent/Run.ts"
import { parseJson } from "../../json/parse.ts"
import type { LlmEvent } from "../../LlmEvent.ts"
import type { FinishReason } from "../../LlmResponse.ts"
import type { Json } from "../../Message.ts"
import { dataUrl } from "../../protocol/DataUrl.ts"
import { PartsOut, unifiedReason } from "../aiSdk/answer.ts"
import type { AnyEvent, FailedAttempt, PublicFailure } from "./told.ts"

/** Metadata by provider; ours stands under `effect-llm`. */
type Metadata = { readonly providerMetadata?: { readonly [provider: string]: { readonly [field: string]: unknown } } }

/**
 * A chunk of the UI message stream. Those of kinds that nothing here gives are left out.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Chunk =
  | {
    readonly type: "start"
    /** Id of the message that begins. @default the client makes one */
    readonly messageId?: string
    /** Data of the application for the message. */
    readonly messageMetadata?: unknown
  }
  | { readonly type: "start-step" | "finish-step" | "reset-step" }
  | ({
    readonly type: "text-start" | "reasoning-start" | "text-end" | "reasoning-end"
    /** Names the text or the reasoning within the message. */
    readonly id: string
  } & Metadata)
  | ({
    readonly type: "text-delta" | "reasoning-delta"
    /** Names the text or the reasoning within the message. */
    readonly id: string
    /** What is new. */
    readonly delta: string
  } & Metadata)
  | {
    readonly type: "tool-input-start"
    /** Names the call, for what follows of it. */
    readonly toolCallId: string
    /** Name of the tool. */
    readonly toolName: string
    /** Whether the client has no type for the tool. */
    readonly dynamic?: boolean
  }
  | {
    readonly type: "tool-input-delta"
    /** The call it belongs to. */
    readonly toolCallId: string
    /** What is new of the arguments' text. */
    readonly inputTextDelta: string
  }
  | ({
    readonly type: "tool-input-available"
    /** The call whose arguments are whole. */
    readonly toolCallId: string
    /** Name of the tool. */
    readonly toolName: string
    /** The arguments, parsed. */
    readonly input: unknown
    /** Whether the provider runs it. */
    readonly providerExecuted?: boolean
    /** Whether the client has no type for the tool. */
    readonly dynamic?: boolean
  } & Metadata)
  | ({
    readonly type: "tool-input-error"
    /** The call whose arguments cannot be read. */
    readonly toolCallId: string
    /** Name of the tool. */
    readonly toolName: string
    /** The arguments as they came. */
    readonly input: unknown
    /** What is wrong with them. */
    readonly errorText: string
  } & Metadata)
  | {
    readonly type: "tool-approval-request"
    /** Names the request in the client's decision. */
    readonly approvalId: string
    /** The call that somebody has to approve. */
    readonly toolCallId: string
  }
  | ({
    readonly type: "tool-output-available"
    /** The call it is the result of. */
    readonly toolCallId: string
    /** The result. */
    readonly output: unknown
    /** Whether more will come in its place. */
    readonly preliminary?: boolean
    /** Whether the provider ran it. */
    readonly providerExecuted?: boolean
    /** Whether the client has no type for the tool. */
    readonly dynamic?: boolean
  } & Metadata)
  | {
    readonly type: "tool-output-error"
    /** The call that failed. */
    readonly toolCallId: string
    /** Why, as the model is told. */
    readonly errorText: string
  }
  | (
    & {
      readonly type: "source-url"
      /** Names the source within the message. */
      readonly sourceId: string
      /** Address of what is cited. */
      readonly url: string
      /** Title of the page. */
      readonly title?: string
    }
    & Metadata
  )
  | ({
    readonly type: "source-document"
    /** Names the source within the message. */
    readonly sourceId: string
    /** What the document is. */
    readonly mediaType: string
    /** Title of the document. */
    readonly title: string
  } & Metadata)
  | ({
    readonly type: "file"
    /** Where the file is; a `data:` URL holds it. */
    readonly url: string
    /** What the file is. */
    readonly mediaType: string
  } & Metadata)
  | ({
    readonly type: "custom"
    /** What it is, as provider and name. */
    readonly kind: string
  } & Metadata)
  | {
    readonly type: "data-attempt"
    /** The attempt that failed. */
    readonly data: FailedAttempt
    /** Not kept in the client's message. */
    readonly transient: true
  }
  | {
    readonly type: "data-failure"
    /** What failed, as far as it may be told. */
    readonly data: PublicFailure
    /** Not kept in the client's message. */
    readonly transient: true
  }
  | {
    readonly type: "error"
    /** What happened, in words that may be shown. */
    readonly errorText: string
  }
  | {
    readonly type: "finish"
    /** Why the answer ended. */
    readonly finishReason?: string
    /** Data of the application for the message. */
    readonly messageMetadata?: unknown
  }

/**
 * What is shown.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ChunkOptions {
  /** Id of the message. @default none: the reader's own, or that of the message that it goes on with */
  readonly messageId?: string | undefined
  /** Whether reasoning is shown. @default true */
  readonly reasoning?: boolean | undefined
  /** Whether sources are shown. @default true */
  readonly sources?: boolean | undefined
  /** What is put into the message's metadata at its end. @default nothing */
  readonly messageMetadata?: ((last: AnyEvent) => unknown) | undefined
}

/** What a tool gave, as data where it is JSON. */
const outputOf = ({ content }: CallResult): Json => {
  if (typeof content !== "string") return content as unknown as Json
  const value = parseJson(content)
  return value === undefined ? content : value
}

const textOf = ({ content }: CallResult): string =>
  typeof content === "string" ? content : content.map((part) => part.type === "text" ? part.text : "").join("")

const metadataOf = (part: { readonly providerMetadata?: Metadata["providerMetadata"] }): Metadata =>
  part.providerMetadata === undefined ? {} : { providerMetadata: part.providerMetadata }

/**
 * Spells the events of one message.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export class ChunksOut {
  private parts = new PartsOut(new Map())
  private readonly options: ChunkOptions
  private readonly announced = new Set<string>()
  private step = 0
  private ofRun = false
  private started = false
  private inStep = false

  constructor(options: ChunkOptions) {
    this.options = options
  }

  /** The chunks of an event. */
  event(event: AnyEvent): ReadonlyArray<Chunk> {
    switch (event._tag) {
      case "RunStart":
        this.ofRun = true
        return this.start()
      case "StepStart":
        return [...this.start(), ...this.startStep()]
      case "AttemptStart":
        return this.reset()
      case "StepEnd":
        return this.finishStep()
      case "ApprovalRequested": {
        const { approvalId, toolCallId } = event.request
        return [...this.announce(event.request), { type: "tool-approval-request", approvalId, toolCallId }]
      }
      case "ToolStart":
        return this.announce(event)
      case "ChildEvent":
        // Of a run below this one, what somebody has to decide.
        return event.event._tag === "ApprovalRequested" || event.event._tag === "ChildEvent"
          ? this.event(event.event)
          : []
      case "ToolProgress":
        return this.known(event.toolCallId, {
          type: "tool-output-available",
          toolCallId: event.toolCallId,
          output: event.value,
          preliminary: true
        })
      case "ToolResult": {
        const { result, toolCallId } = event
        return this.known(
          toolCallId,
          result.isError === true
            ? { type: "tool-output-error", toolCallId, errorText: textOf(result) }
            : { type: "tool-output-available", toolCallId, output: outputOf(result) }
        )
      }
      case "ToolLost":
        return this.known(event.toolCallId, {
          type: "tool-output-error",
          toolCallId: event.toolCallId,
          errorText: "Nobody knows what came of it."
        })
      case "RunEnd":
        return [...this.start(), ...this.finishStep(), this.finish(event, event.outcome.finishReason)]
      case "Finish":
        return this.ofRun
          ? []
          : [...this.start(), ...this.finishStep(), this.finish(event, event.response.finishReason)]
      case "ToolDeferred":
      case "MessagesAdded":
      case "Compacted":
      case "BoundNear":
        return []
      default:
        return this.ofModel(event)
    }
  }

  /** An attempt that failed. */
  attempt(attempt: FailedAttempt): ReadonlyArray<Chunk> {
    return [...this.start(), { type: "data-attempt", data: attempt, transient: true }]
  }

  /** The end of a stream that failed. */
  failed(failure: PublicFailure, errorText: string): ReadonlyArray<Chunk> {
    return [
      ...this.start(),
      { type: "data-failure", data: failure, transient: true },
      { type: "error", errorText }
    ]
  }

  // ---------------------------------------------------------------------------
  // Frame
  // ---------------------------------------------------------------------------

  private start(): ReadonlyArray<Chunk> {
    if (this.started) return []
    this.started = true
    const { messageId } = this.options
    return [{ type: "start", ...(messageId === undefined ? undefined : { messageId }) }]
  }

  private startStep(): ReadonlyArray<Chunk> {
    if (this.inStep) return []
    this.inStep = true
    this.step++
    this.parts = new PartsOut(new Map())
    return [{ type: "start-step" }]
  }

  private finishStep(): ReadonlyArray<Chunk> {
    if (!this.inStep) return []
    this.inStep = false
    return [{ type: "finish-step" }]
  }

  /** What came of the step is void. */
  private reset(): ReadonlyArray<Chunk> {
    if (!this.inStep) return []
    this.step++
    this.parts = new PartsOut(new Map())
    return [{ type: "reset-step" }]
  }

  private finish(event: AnyEvent, reason: FinishReason | undefined): Chunk {
    const messageMetadata = this.options.messageMetadata?.(event)
    return {
      type: "finish",
      ...(reason === undefined ? undefined : { finishReason: unifiedReason[reason] }),
      ...(messageMetadata === undefined ? undefined : { messageMetadata })
    }
  }

  // ---------------------------------------------------------------------------
  // Calls
  // ---------------------------------------------------------------------------

  /** A call of a run that was taken up again may stand in no message of this reader. */
  private announce(
    { arguments: input, toolCallId, toolName }: {
      readonly toolCallId: string
      readonly toolName: string
      readonly arguments: Json
    }
  ): ReadonlyArray<Chunk> {
    if (this.announced.has(toolCallId)) return []
    this.announced.add(toolCallId)
    return [...this.start(), { type: "tool-input-available", toolCallId, toolName, input }]
  }

  private known(toolCallId: string, chunk: Chunk): ReadonlyArray<Chunk> {
    return this.announced.has(toolCallId) ? [chunk] : []
  }

  // ---------------------------------------------------------------------------
  // The model
  // ---------------------------------------------------------------------------

  private ofModel(event: LlmEvent): ReadonlyArray<Chunk> {
    if (event._tag === "UsageUpdate" || event._tag === "Continued") return []
    // Ids hold the number of the step, so that begins first.
    const frame = [...this.start(), ...this.startStep()]
    return [...frame, ...this.parts.event(event).flatMap((part) => this.part(part))]
  }

  private part(part: LanguageModelV4StreamPart): ReadonlyArray<Chunk> {
    const { reasoning = true, sources = true } = this.options
    switch (part.type) {
      case "reasoning-start":
      case "reasoning-end":
        return reasoning ? [{ type: part.type, id: `${this.step}-${part.id}`, ...metadataOf(part) }] : []
      case "reasoning-delta":
        return reasoning ? [{ type: part.type, id: `${this.step}-${part.id}`, delta: part.delta }] : []
      case "text-start":
      case "text-end":
        return [{ type: part.type, id: `${this.step}-${part.id}`, ...metadataOf(part) }]
      case "text-delta":
        return [{ type: part.type, id: `${this.step}-${part.id}`, delta: part.delta }]
      case "tool-input-start":
        return [{ type: part.type, toolCallId: part.id, toolName: part.toolName }]
      case "tool-input-delta":
        return [{ type: part.type, toolCallId: part.id, inputTextDelta: part.delta }]
      case "tool-call": {
        const { toolCallId, toolName } = part
        const input = parseJson(part.input)
        this.announced.add(toolCallId)
        if (input === undefined) {
          const errorText = "The arguments are not JSON."
          return [{ type: "tool-input-error", toolCallId, toolName, input: part.input, errorText, ...metadataOf(part) }]
        }
        return [{
          type: "tool-input-available",
          toolCallId,
          toolName,
          input,
          ...(part.providerExecuted === true ? { providerExecuted: true, dynamic: true } : undefined),
          ...metadataOf(part)
        }]
      }
      case "tool-result":
        return [{
          type: "tool-output-available",
          toolCallId: part.toolCallId,
          output: part.result,
          providerExecuted: true,
          dynamic: true,
          ...metadataOf(part)
        }]
      case "custom":
        return [{ type: "custom", kind: part.kind, ...metadataOf(part) }]
      case "source": {
        if (!sources) return []
        const sourceId = `${this.step}-${part.id}`
        if (part.sourceType === "document") {
          const { mediaType, title } = part
          return [{ type: "source-document", sourceId, mediaType, title, ...metadataOf(part) }]
        }
        const { title, url } = part
        return [{
          type: "source-url",
          sourceId,
          url,
          ...(title === undefined ? undefined : { title }),
          ...metadataOf(part)
        }]
      }
      case "file": {
        const { data, mediaType } = part
        const url = data.type === "url" ? data.url.href : dataUrl(mediaType, String(data.data))
        return [{ type: "file", url, mediaType, ...metadataOf(part) }]
      }
      default:
        return []
    }
  }
}
