/**
 * What the simulator is told to answer, independent of the wire that will spell it.
 *
 * An answer is parts of a model's reply, an error of the provider, or raw HTTP. Each may carry
 * {@link Faults}: what goes wrong while it is delivered. How a wire spells it is in the wire's file,
 * how faults act is in `Delivery.ts`.
 *
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"
import type * as Vendor from "../../protocol/Server.ts"

/**
 * Text of the reply.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface TextPart {
  readonly type: "text"
  readonly text: string
}

/**
 * Reasoning of the reply. With `encrypted` it is opaque: its text stays hidden, as redacted thinking.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ReasoningPart {
  readonly type: "reasoning"
  readonly text: string
  readonly signature?: string | undefined
  readonly encrypted?: string | undefined
}

/**
 * A tool call of the reply.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ToolCallPart {
  readonly type: "tool-call"
  /** @default an id in the wire's style, counted */
  readonly id?: string | undefined
  readonly name: string
  /** A string is sent as it is, so that it may be broken JSON; anything else as its JSON. */
  readonly arguments: unknown
}

/**
 * One part of a reply.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Part = TextPart | ReasoningPart | ToolCallPart

/**
 * Token counts of a reply. `input` includes what was read from or written to a cache, `output`
 * includes reasoning; a wire that counts otherwise subtracts.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ReplyUsage {
  /** Input tokens, those from and to a cache included. */
  readonly input: number
  /** Output tokens, reasoning included. */
  readonly output: number
  /** Of `input`: read from a cache. @default not said */
  readonly cacheRead?: number | undefined
  /** Of `input`: written to a cache. @default not said */
  readonly cacheWrite?: number | undefined
  /** Of `output`: reasoning. @default not said */
  readonly reasoning?: number | undefined
}

/**
 * An error as the provider would report it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ErrorDetails extends Vendor.ErrorDetails {
  /** Repeats the credential of the request in the message, as careless gateways do. @default false */
  readonly echoKey?: boolean | undefined
}

/**
 * Response headers, names in lower case.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Headers = Vendor.Headers

/**
 * What goes wrong while an answer is delivered. Faults combine.
 *
 * They count frames: a streamed answer has one per event of its wire (a ping is one too); any other
 * JSON body is sent as two, its halves, so that `cutAfter: 1` truncates it; a raw body has one per
 * chunk. "After 0 frames" is after the headers.
 *
 * @stability stable
 * @category faults
 * @since 0.1.0
 */
export interface Faults {
  /** Never answers, not even with headers. */
  readonly hang?: boolean | undefined
  /** Resets the connection instead of answering. */
  readonly reset?: boolean | undefined
  /** Resets the connection after so many frames. */
  readonly resetAfter?: number | undefined
  /** Sends nothing after so many frames and keeps the connection open. */
  readonly stallAfter?: number | undefined
  /** Ends the body properly after so many frames. */
  readonly cutAfter?: number | undefined
  /** Puts a frame that is not JSON after so many frames, then goes on. */
  readonly malformedAfter?: number | undefined
  /** Reports an error in the wire's in-stream form after so many frames, then ends the body. */
  readonly errorAfter?: number | undefined
  /** The error of `errorAfter`. @default the provider is overloaded */
  readonly streamError?: ErrorDetails | undefined
  /** Sends only keep-alives after so many frames, for ever. */
  readonly pingsAfter?: number | undefined
  /** Leaves out every frame that says how the answer finished, and ends the body. */
  readonly omitTerminal?: boolean | undefined
  /** Leaves out the last frame alone (`[DONE]`, `message_stop`), and ends the body. */
  readonly omitDone?: boolean | undefined
  /** Keeps the connection open after the last frame. */
  readonly keepOpen?: boolean | undefined
  /** Sends status line and headers one byte at a time, with so many milliseconds between bytes. */
  readonly slowHeaders?: number | undefined
  /** Writes the body in pieces of so many bytes, each flushed on its own. */
  readonly splitBytes?: number | undefined
  /** Milliseconds between the pieces of `splitBytes`, which is 1 when only this is given. @default 0 */
  readonly slowBytes?: number | undefined
}

/**
 * What every answer may carry.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Delivery {
  /** Milliseconds before the headers and between frames. @default 0 */
  readonly delayMillis?: number | undefined
  /** Added to, or in place of, the wire's usual headers. */
  readonly headers?: Headers | undefined
  /** What goes wrong on the way. @default nothing */
  readonly faults?: Faults | undefined
}

/**
 * A model's reply.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ReplyAnswer extends Delivery {
  /** What the model says, in order. */
  readonly parts: ReadonlyArray<Part>
  /** A finish class, or the wire's own word, sent as it is. @default `tool-calls` with calls, else `stop` */
  readonly finish?: FinishReason | (string & {}) | undefined
  /** @default counted from lengths, a token being four characters */
  readonly usage?: ReplyUsage | undefined
  /** Characters per delta of a streamed answer. @default 8 */
  readonly chunkSize?: number | undefined
}

/**
 * An error of the provider.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ErrorAnswer extends Delivery {
  /** Status, type, code and words, spelled as the wire does. */
  readonly error: ErrorDetails
}

/**
 * An HTTP response given to the byte.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface RawAnswer extends Delivery {
  /** Bytes in place of what the wire would write. */
  readonly raw: {
    /** @default 200 */
    readonly status?: number | undefined
    /** All headers; the wire adds none. @default `content-type: application/json` */
    readonly headers?: Headers | undefined
    /** One frame, or one per chunk. */
    readonly body: string | Uint8Array | ReadonlyArray<string | Uint8Array>
  }
}

/**
 * What the simulator answers.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Answer = ReplyAnswer | ErrorAnswer | RawAnswer

/**
 * A reply of one text.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const text = (text: string, options?: Omit<ReplyAnswer, "parts">): ReplyAnswer => ({
  ...options,
  parts: [{ type: "text", text }]
})

/**
 * A reply of one tool call.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const toolCall = (
  name: string,
  args: unknown,
  options?: Omit<ReplyAnswer, "parts"> & {
    /** Id of the call. @default an id in the wire's style, counted */
    readonly id?: string | undefined
  }
): ReplyAnswer => ({ ...options, parts: [{ type: "tool-call", id: options?.id, name, arguments: args }] })

/**
 * An error of the provider with its usual type, code and message for that status.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const error = (
  status: number,
  details?: Omit<ErrorDetails, "status">,
  delivery?: Delivery
): ErrorAnswer => ({ ...delivery, error: { ...details, status } })

/**
 * Raw HTTP, by default 200 and JSON.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const raw = (
  body: RawAnswer["raw"]["body"],
  response?: {
    /** HTTP status. @default 200 */
    readonly status?: number | undefined
    /** All response headers; the wire adds none. @default `content-type: application/json` */
    readonly headers?: Headers | undefined
  },
  delivery?: Delivery
): RawAnswer => ({ ...delivery, raw: { ...response, body } })

/**
 * A page of a proxy or captive portal, with status 200.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const html = (delivery?: Delivery): RawAnswer =>
  raw(
    "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in to continue</h1></body></html>\n",
    { headers: { "content-type": "text/html; charset=utf-8" } },
    delivery
  )

/**
 * A successful status with no body at all.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const emptyBody = (delivery?: Delivery): RawAnswer => raw([], undefined, delivery)

/**
 * The provider's error body with status 200.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const errorBody200 = (details?: Omit<ErrorDetails, "status">, delivery?: Delivery): ErrorAnswer =>
  error(200, details, delivery)

/**
 * A redirect that asks to repeat the request elsewhere.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const redirect = (location: string, status: 301 | 302 | 303 | 307 | 308 = 307): RawAnswer =>
  raw([], { status, headers: { location } })

/**
 * An error whose message repeats the credential of the request.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const echoKey = (status = 401, delivery?: Delivery): ErrorAnswer => error(status, { echoKey: true }, delivery)

/**
 * An answer that never comes.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const hang: RawAnswer = raw([], undefined, { faults: { hang: true } })

/**
 * A connection that is reset instead of answered.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const reset: RawAnswer = raw([], undefined, { faults: { reset: true } })
