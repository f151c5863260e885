/**
 * The grammar of a streamed answer.
 *
 * Laws, which every wire keeps: one `ResponseStart` first; every Start has its End; `index` names one
 * part and never changes; exactly one `Finish`, last; folding the events gives `Finish.response`;
 * the same bytes split anywhere give the same events. `ToolCallEnd` comes as soon as the wire closes
 * the call, with parsed arguments; a call that was cut never gets one.
 *
 * Events are plain objects made by the wires' shared assembler; there is no schema work per event.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Json } from "./json/value.ts"
import {
  AudioPart,
  FilePart,
  ImagePart,
  ReasoningPart,
  ServerToolPart,
  SourcePart,
  TextPart,
  ToolCallPart
} from "./message/parts.ts"
import { type LlmResponse, schema as response } from "./message/response.ts"
import { Usage } from "./message/usage.ts"

/**
 * The provider began to answer. Never sent before the provider's first frame.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface ResponseStart {
  readonly _tag: "ResponseStart"
  /** The provider's response id, when it has come by now. */
  readonly id?: string | undefined
  /** The model that answers, as the provider names it. */
  readonly model?: string | undefined
}

/**
 * A text part begins.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface TextStart {
  readonly _tag: "TextStart"
  /** Place of the part in the answer, from 0, counted over all kinds of parts. */
  readonly index: number
}

/**
 * More text.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface TextDelta {
  readonly _tag: "TextDelta"
  /** Of the text that grows: the `index` of its `TextStart`. */
  readonly index: number
  /** What is new, never the whole text so far; never ends in half of a surrogate pair. */
  readonly text: string
}

/**
 * A text part is whole.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface TextEnd {
  readonly _tag: "TextEnd"
  /** Of the text that is whole: the `index` of its `TextStart`. */
  readonly index: number
  /** The whole text, with what must be replayed with it. */
  readonly part: TextPart
}

/**
 * A reasoning part begins.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface ReasoningStart {
  readonly _tag: "ReasoningStart"
  /** Place of the part in the answer, from 0, counted over all kinds of parts. */
  readonly index: number
}

/**
 * More reasoning text.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface ReasoningDelta {
  readonly _tag: "ReasoningDelta"
  /** Of the reasoning that grows: the `index` of its `ReasoningStart`. */
  readonly index: number
  /** What is new, never the whole reasoning so far. */
  readonly text: string
}

/**
 * A reasoning part is whole, with its signature or encrypted data.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface ReasoningEnd {
  readonly _tag: "ReasoningEnd"
  /** Of the reasoning that is whole: the `index` of its `ReasoningStart`. */
  readonly index: number
  /** The whole reasoning, with its signature or encrypted form. */
  readonly part: ReasoningPart
}

/**
 * The model begins a tool call.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface ToolCallStart {
  readonly _tag: "ToolCallStart"
  /** Place of the part in the answer, from 0, counted over all kinds of parts. */
  readonly index: number
  /** Unique within the answer; minted when the wire sent none or one twice. Results name it as `toolCallId`. */
  readonly id: string
  /** The tool's name as the application gave it, also where it was sent under another. */
  readonly name: string
}

/**
 * More of a call's argument text.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface ToolCallDelta {
  readonly _tag: "ToolCallDelta"
  /** Of the call whose arguments grow: the `index` of its `ToolCallStart`. */
  readonly index: number
  /** Of the call whose arguments grow. */
  readonly id: string
  /** What is new of the argument text. Not JSON by itself; the whole is parsed in `ToolCallEnd`. */
  readonly delta: string
}

/**
 * A call is whole: it can be run now, while the answer still streams, unless `part.invalid` is set.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface ToolCallEnd {
  readonly _tag: "ToolCallEnd"
  /** Of the call that is whole: the `index` of its `ToolCallStart`. */
  readonly index: number
  /** The call with its arguments parsed. Do not run one that is `invalid`. */
  readonly part: ToolCallPart
}

/**
 * A citation or source.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface Source {
  readonly _tag: "Source"
  /** Place of the part in the answer, from 0, counted over all kinds of parts. */
  readonly index: number
  /** The page or document that is cited. */
  readonly part: SourcePart
}

/**
 * A generated image, sound or file.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface File {
  readonly _tag: "File"
  /** Place of the part in the answer, from 0, counted over all kinds of parts. */
  readonly index: number
  /** The medium, whole: files do not come in deltas. */
  readonly part: ImagePart | AudioPart | FilePart
}

/**
 * A step of a tool that the provider runs itself, opaque.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface ServerTool {
  readonly _tag: "ServerTool"
  /** Place of the part in the answer, from 0, counted over all kinds of parts. */
  readonly index: number
  /** What the provider's tool was asked or gave, in the wire's own shape. */
  readonly part: ServerToolPart
}

/**
 * Token counts as known now; the last one wins, values are never to be summed.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface UsageUpdate {
  readonly _tag: "UsageUpdate"
  /** The counts as known so far: totals, not what was added since the last update. */
  readonly usage: Usage
}

/**
 * Another candidate goes on where a broken stream stopped. Only the `Continue` policy emits it.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface Continued {
  readonly _tag: "Continued"
  /** The candidate whose answer broke off. */
  readonly from: {
    /** Provider id, such as `anthropic`. */
    readonly provider: string
    /** Id of the model that broke off. */
    readonly model: string
  }
  /** The candidate that goes on from there. */
  readonly to: {
    /** Provider id, such as `openai`. */
    readonly provider: string
    /** Id of the model that goes on. */
    readonly model: string
  }
  /** Tag of the reason that broke the stream. */
  readonly reason: string
}

/**
 * The answer is complete.
 *
 * @stability stable
 * @category events
 * @since 0.1.0
 */
export interface Finish {
  readonly _tag: "Finish"
  /** The whole answer, equal to the fold of all events before. */
  readonly response: LlmResponse
}

/**
 * Everything a stream can emit.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type LlmEvent =
  | ResponseStart
  | TextStart
  | TextDelta
  | TextEnd
  | ReasoningStart
  | ReasoningDelta
  | ReasoningEnd
  | ToolCallStart
  | ToolCallDelta
  | ToolCallEnd
  | Source
  | File
  | ServerTool
  | UsageUpdate
  | Continued
  | Finish

/**
 * Whether an event is content the caller has seen: from the first such event on, no policy starts over.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isContent = (event: LlmEvent): event is TextDelta | ReasoningDelta | ToolCallStart | File => {
  switch (event._tag) {
    case "TextDelta":
    case "ReasoningDelta":
    case "ToolCallStart":
    case "File":
      return true
    default:
      return false
  }
}

/**
 * Whether an event is text for the reader.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isTextDelta = (event: LlmEvent): event is TextDelta => event._tag === "TextDelta"

// =============================================================================
// Schema
// =============================================================================

/**
 * Highest index of a part. Answers have no more parts, and a list is made as long as its last index says.
 *
 * @stability stable
 * @category limits
 * @since 0.1.0
 */
export const maxIndex = 262_143

const makeSchema = () => {
  const candidate = Schema.Struct({ provider: Schema.String, model: Schema.String })
  const index = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxIndex }))
  return Schema.Union([
    Schema.TaggedStruct("ResponseStart", { id: Schema.optional(Schema.String), model: Schema.optional(Schema.String) }),
    Schema.TaggedStruct("TextStart", { index }),
    Schema.TaggedStruct("TextDelta", { index, text: Schema.String }),
    Schema.TaggedStruct("TextEnd", { index, part: TextPart }),
    Schema.TaggedStruct("ReasoningStart", { index }),
    Schema.TaggedStruct("ReasoningDelta", { index, text: Schema.String }),
    Schema.TaggedStruct("ReasoningEnd", { index, part: ReasoningPart }),
    Schema.TaggedStruct("ToolCallStart", { index, id: Schema.String, name: Schema.String }),
    Schema.TaggedStruct("ToolCallDelta", { index, id: Schema.String, delta: Schema.String }),
    Schema.TaggedStruct("ToolCallEnd", { index, part: ToolCallPart }),
    Schema.TaggedStruct("Source", { index, part: SourcePart }),
    Schema.TaggedStruct("File", { index, part: Schema.Union([ImagePart, AudioPart, FilePart]) }),
    Schema.TaggedStruct("ServerTool", { index, part: ServerToolPart }),
    Schema.TaggedStruct("UsageUpdate", { usage: Usage }),
    Schema.TaggedStruct("Continued", { from: candidate, to: candidate, reason: Schema.String }),
    Schema.TaggedStruct("Finish", { response })
  ])
}

/**
 * Schema of an event as JSON: to store a stream, to send it to another process, to replay it.
 *
 * Fields of later versions are ignored; an event of a tag that this version does not know is none. `Sse` sends whole streams, without
 * schema work per delta.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const schema = /* @__PURE__ */ makeSchema() as unknown as Schema.Codec<LlmEvent, Json>
