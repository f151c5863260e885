/**
 * What a wire is: a pure pair of an encoder and a decoder, without I/O and without Effect.
 *
 * A wire knows an API's format and nothing of hosts, keys or policies. What differs between hosts that
 * speak one wire is a field of that wire's `Quirks` record, given when the wire is made. Whole and
 * streamed answers go through one decoder. Frames that a wire does not know are ignored; frames that
 * contradict it end in a `Failure`, which the transport turns into an `LlmError`.
 *
 * @since 0.1.0
 */
import { parseJson, whyNotJson } from "../json/parse.ts"
import type { Issue, LlmRequest } from "../LlmRequest.ts"
import type { Warning } from "../LlmResponse.ts"
import type { Json, JsonObject } from "../Message.ts"
import type { ModelMeta } from "../Model.ts"
import type { Assembler } from "./assembling.ts"
import type { DecodeContext } from "./decoding.ts"
import type { Lazy } from "./lazy.ts"
import type { Compile, Sent } from "./schema/Schemas.ts"

export type { DecodeContext, Failure } from "./decoding.ts"
export type { Lazy } from "./lazy.ts"
export type { Compile } from "./schema/Schemas.ts"

/**
 * A validated request on its way out.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface EncodeInput {
  /** What is asked, checked already. */
  readonly request: LlmRequest
  /** The model to ask, resolved from request and layer. */
  readonly model: string
  /** Whether the answer is to be a stream. */
  readonly stream: boolean
  /** Provider id; tells own reasoning and signatures from foreign ones. */
  readonly provider: string
  /** What is known of the model, to round options down to. */
  readonly meta?: ModelMeta | undefined
  /** Where the provider's API is documented, for warnings. */
  readonly docs?: string | undefined
  /** Compiles the schemas of the request, as `SchemaDialect.compile` does; without it a request that has any is refused. */
  readonly compile?: Compile | undefined
}

/**
 * A request as the wire spells it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Encoded {
  /** Path below the base URL, with a leading slash. */
  readonly path: string
  /** The JSON to send. */
  readonly body: JsonObject
  /** Headers that the wire needs for this request, such as for beta features. @default none */
  readonly headers?: { readonly [name: string]: string } | undefined
  /** What was dropped, rounded or emulated. */
  readonly warnings: ReadonlyArray<Warning>
  /** The application's name of each tool that was sent under another, by the name that was sent. */
  readonly toolNames?: ReadonlyMap<string, string> | undefined
  /** Tools of the application whose calls are items of their own on the wire: their names by the type of the item. */
  readonly calledItems?: ReadonlyMap<string, string> | undefined
  /** How JSON in the answer is read, where it was asked for in another form or cannot be held by the host. */
  readonly schemas?: Sent | undefined
}

/**
 * A request this wire cannot spell without changing its meaning.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Refused {
  /** The field that cannot be said, and why. */
  readonly refused: Issue
}

/**
 * Turns frames into events. Events collect in `assembler.out`, which the transport drains once per network chunk.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Decoder {
  /** Collects the events and the final response. */
  readonly assembler: Assembler
  /** One frame of a stream: its data and, for framings that have one, the event name (else ""). */
  frame(data: string, event: string): void
  /** The body of a non-streamed answer, parsed. */
  whole(body: Json): void
  /** The bytes have ended, `cut` when within a frame; finishes if `settled`, fails with `incomplete` otherwise. */
  end(cut?: boolean): void
  /** Whether the answer would be complete if the bytes ended now (a finish reason has come, only bookkeeping can follow). */
  readonly settled: boolean
}

/**
 * Feeds a decoder from bytes.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Framing {
  /** Takes the next bytes, cut anywhere, and gives the decoder every frame that is whole. */
  push(bytes: Uint8Array): void
  /**
   * The reader has to wait, though perhaps for nothing: hands on what is whole without its end. Says whether a body of one JSON document
   * has closed: `document`, or `line` where it may be the first line of several.
   */
  pause?(): "document" | "line" | undefined
  /** The bytes have ended: flushes what is left and ends the decoder. */
  end(): void
}

/**
 * How bytes are cut into frames: by a framing that many wires share, or by one of the wire's own, which gets what reads a body
 * that turns out to be text.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type FramingKind = "sse" | "ndjson" | "json-array" | ((decoder: Decoder, text: () => Framing) => Framing)

/**
 * Begins the event name of a frame that the framing itself marks as an exception, as AWS event streams do, such as
 * `exception:throttlingException`.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export const exceptionPrefix = "exception:"

/**
 * A wire.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Protocol {
  /** Name of the wire, such as `anthropic-messages`. */
  readonly wire: string
  /** How the bytes of a stream are cut into frames. */
  readonly framing: FramingKind
  /** Spells requests; it may be loaded when the first layer is made. */
  readonly encoder: Encode | Lazy<Encode>
  /** Makes the decoder of an answer; it may be loaded when the first layer is made. */
  readonly decoder: MakeDecoder | Lazy<MakeDecoder>
}

/**
 * Spells a request. Pure and synchronous: what it needs to be loaded comes along in its input.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Encode = (input: EncodeInput) => Encoded | Refused

/**
 * Makes the decoder of an answer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type MakeDecoder = (context: DecodeContext) => Decoder

/**
 * Parses a frame, or records a `parse` failure and gives `undefined`.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
// oxlint-disable-next-line typescript/no-explicit-any -- the wire's own shape, which decoders probe field by field
export const parseFrame = (assembler: Assembler, data: string): any => {
  const value = parseJson(data)
  if (value === undefined) {
    assembler.fail({ kind: "parse", message: `The provider sent a frame that ${whyNotJson(data)}.`, body: data })
  }
  return value
}
