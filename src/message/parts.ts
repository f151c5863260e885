/**
 * Parts of messages and responses, and their schemas.
 *
 * Public through `Message`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { type Json, JsonObject } from "../json/value.ts"
import { CacheControl, Media, Origin } from "./blocks.ts"

export * from "../json/value.ts"
export * from "./blocks.ts"

// =============================================================================
// Parts
// =============================================================================

/**
 * Text, exactly as on the wire.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export interface TextPart {
  readonly type: "text"
  /** Any text; half surrogate pairs are replaced when it is sent. */
  readonly text: string
  /** Ends a cached prompt prefix at this part. */
  readonly cacheControl?: CacheControl | undefined
  /** Opaque signature some providers attach to text (Gemini thought signatures). */
  readonly signature?: string | undefined
  /** Opaque per-wire data that must be replayed with this text (an item id, a phase). */
  readonly replay?: JsonObject | undefined
  /** Who wrote it; `signature` and `replay` go back to that wire and provider only. */
  readonly origin?: Origin | undefined
}

/**
 * An image.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export interface ImagePart {
  readonly type: "image"
  /** The image, inline or where it is. */
  readonly source: Media
  /** Resolution hint where the provider has one. */
  readonly detail?: "auto" | "low" | "high" | undefined
  /** Ends a cached prompt prefix at this part. @default no */
  readonly cacheControl?: CacheControl | undefined
}

/**
 * A document such as a PDF or a text file.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export interface FilePart {
  readonly type: "file"
  /** The document, inline or where it is. */
  readonly source: Media
  /** Name the model may see; some providers refuse files without. @default made up where one is needed */
  readonly filename?: string | undefined
  /** Asks the provider to cite this document where it can. */
  readonly citations?: boolean | undefined
  /** Ends a cached prompt prefix at this part. @default no */
  readonly cacheControl?: CacheControl | undefined
}

/**
 * Recorded or generated sound.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export interface AudioPart {
  readonly type: "audio"
  /** The recording, inline or where it is. Which formats are taken differs by provider. */
  readonly source: Media
  /** Text of what is said, when the provider sends it. */
  readonly transcript?: string | undefined
}

/**
 * The model's reasoning. Redacted or encrypted reasoning has empty `text` and an opaque `encrypted` value.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export interface ReasoningPart {
  readonly type: "reasoning"
  /** Readable reasoning, or the provider's summary of it; empty when it is opaque. */
  readonly text: string
  /** Opaque proof that the text is the provider's own; replayed unchanged to the same wire. */
  readonly signature?: string | undefined
  /** Opaque encrypted or redacted reasoning; replayed unchanged to the same wire. */
  readonly encrypted?: string | undefined
  /** Opaque per-wire data that must be replayed with this reasoning (ids, formats, detail entries). */
  readonly replay?: JsonObject | undefined
  /** Who thought it; it is sent back to that wire and provider only, and dropped for others. */
  readonly origin?: Origin | undefined
}

/**
 * The model asks the application to run a tool.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export interface ToolCallPart {
  readonly type: "tool-call"
  /** Unique within a response; minted when the wire sent none or a duplicate. */
  readonly id: string
  /** The tool's name as the application gave it. */
  readonly name: string
  /** Parsed arguments: usually an object; a string for free-form (custom) tools; the raw text when `invalid`. */
  readonly arguments: Json
  /** Set when the wire closed the call with arguments that are not a JSON value. Never execute such a call. */
  readonly invalid?: true | undefined
  /** `true` for a free-form tool, whose input is a string rather than JSON. */
  readonly custom?: true | undefined
  /** Opaque signature that must be echoed with this call. */
  readonly signature?: string | undefined
  /** Opaque per-wire data that must be replayed with this call (an item id, extra content). */
  readonly replay?: JsonObject | undefined
  /** Who made the call; `signature` and `replay` go back to that wire and provider only. */
  readonly origin?: Origin | undefined
  /** Ends a cached prompt prefix at this part. @default no */
  readonly cacheControl?: CacheControl | undefined
}

/**
 * What running a tool gave, or the error it ended with.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export interface ToolResultPart {
  readonly type: "tool-result"
  /** `id` of the call that it answers. */
  readonly toolCallId: string
  /** Name of the tool; some wires need it and look it up from the call when absent. */
  readonly name?: string | undefined
  /** What the model sees. Parts are sent as text on wires whose results have no media, with a warning. */
  readonly content: string | ReadonlyArray<TextPart | ImagePart | FilePart>
  /** `true` when the tool failed and `content` tells the model why. */
  readonly isError?: boolean | undefined
  /** Ends a cached prompt prefix at this part. @default no */
  readonly cacheControl?: CacheControl | undefined
}

/**
 * A page or document that the model cites.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export interface SourcePart {
  readonly type: "source"
  /** Address of what is cited; absent for a document of the request. */
  readonly url?: string | undefined
  /** Title of the page or document, as the provider gives it. */
  readonly title?: string | undefined
  /** The passage that is quoted. */
  readonly citedText?: string | undefined
  /** The provider's citation object, unchanged. */
  readonly raw?: Json | undefined
}

/**
 * A step of a tool that the provider runs itself (web search, code execution), kept opaque. It is
 * replayed to the wire it came from and dropped elsewhere.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export interface ServerToolPart {
  readonly type: "server-tool"
  /** Name of the tool, or of the wire's block or item type. */
  readonly name: string
  /** `call` for a request the provider answers itself, `result` for its answer, `block` for other opaque content. */
  readonly kind: "call" | "result" | "block"
  /** Pairs a call with its result, where the wire has such ids. */
  readonly id?: string | undefined
  /** The wire's block or item, unchanged. */
  readonly data: JsonObject
  /** Who ran it; the part goes back to that wire and provider only. */
  readonly origin: Origin
}

/**
 * Every part a message or a response can hold.
 *
 * @stability stable
 * @category parts
 * @since 0.1.0
 */
export type Part =
  | TextPart
  | ImagePart
  | FilePart
  | AudioPart
  | ReasoningPart
  | ToolCallPart
  | ToolResultPart
  | SourcePart
  | ServerToolPart

const optionalString = Schema.optional(Schema.String)
const optionalTrue = Schema.optional(Schema.Literal(true))
const optionalOrigin = Schema.optional(Origin)
const optionalReplay = Schema.optional(JsonObject)
const optionalCacheControl = Schema.optional(CacheControl)

/**
 * Schema of {@link TextPart}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const TextPart: Schema.Codec<TextPart> = Schema.Struct({
  type: Schema.Literal("text"),
  text: Schema.String,
  cacheControl: optionalCacheControl,
  signature: optionalString,
  replay: optionalReplay,
  origin: optionalOrigin
})

/**
 * Schema of {@link ImagePart}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const ImagePart: Schema.Codec<ImagePart> = Schema.Struct({
  type: Schema.Literal("image"),
  source: Media,
  detail: Schema.optional(Schema.Literals(["auto", "low", "high"])),
  cacheControl: optionalCacheControl
})

/**
 * Schema of {@link FilePart}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const FilePart: Schema.Codec<FilePart> = Schema.Struct({
  type: Schema.Literal("file"),
  source: Media,
  filename: optionalString,
  citations: Schema.optional(Schema.Boolean),
  cacheControl: optionalCacheControl
})

/**
 * Schema of {@link AudioPart}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const AudioPart: Schema.Codec<AudioPart> = Schema.Struct({
  type: Schema.Literal("audio"),
  source: Media,
  transcript: optionalString
})

/**
 * Schema of {@link ReasoningPart}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const ReasoningPart: Schema.Codec<ReasoningPart> = Schema.Struct({
  type: Schema.Literal("reasoning"),
  text: Schema.String,
  signature: optionalString,
  encrypted: optionalString,
  replay: optionalReplay,
  origin: optionalOrigin
})

/**
 * Schema of {@link ToolCallPart}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const ToolCallPart: Schema.Codec<ToolCallPart> = Schema.Struct({
  type: Schema.Literal("tool-call"),
  id: Schema.String,
  name: Schema.String,
  arguments: Schema.Json,
  invalid: optionalTrue,
  custom: optionalTrue,
  signature: optionalString,
  replay: optionalReplay,
  origin: optionalOrigin,
  cacheControl: optionalCacheControl
})

/**
 * Schema of {@link ToolResultPart}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const ToolResultPart: Schema.Codec<ToolResultPart> = Schema.Struct({
  type: Schema.Literal("tool-result"),
  toolCallId: Schema.String,
  name: optionalString,
  content: Schema.Union([Schema.String, Schema.Array(Schema.Union([TextPart, ImagePart, FilePart]))]),
  isError: Schema.optional(Schema.Boolean),
  cacheControl: optionalCacheControl
})

/**
 * Schema of {@link SourcePart}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const SourcePart: Schema.Codec<SourcePart> = Schema.Struct({
  type: Schema.Literal("source"),
  url: optionalString,
  title: optionalString,
  citedText: optionalString,
  raw: Schema.optional(Schema.Json)
})

/**
 * Schema of {@link ServerToolPart}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const ServerToolPart: Schema.Codec<ServerToolPart> = Schema.Struct({
  type: Schema.Literal("server-tool"),
  name: Schema.String,
  kind: Schema.Literals(["call", "result", "block"]),
  id: optionalString,
  data: JsonObject,
  origin: Origin
})

/**
 * Schema of {@link Part}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Part: Schema.Codec<Part> = Schema.Union([
  TextPart,
  ImagePart,
  FilePart,
  AudioPart,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
  SourcePart,
  ServerToolPart
])

// =============================================================================
// Constructors
// =============================================================================

/**
 * A text part.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const text = (text: string, options?: Omit<TextPart, "type" | "text">): TextPart => ({
  type: "text",
  text,
  ...options
})

/**
 * An image part, from base64 data, a URL or an uploaded file.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const image = (source: Media, options?: Omit<ImagePart, "type" | "source">): ImagePart => ({
  type: "image",
  source,
  ...options
})

/**
 * A file part, such as a PDF.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const file = (source: Media, options?: Omit<FilePart, "type" | "source">): FilePart => ({
  type: "file",
  source,
  ...options
})

/**
 * An audio part.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const audio = (source: Media): AudioPart => ({ type: "audio", source })
