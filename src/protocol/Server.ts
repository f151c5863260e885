/**
 * What a wire is from the server's side: it reads requests and writes answers, as `Protocol` writes requests and reads answers.
 *
 * Pure, like the other half: no I/O, no clock, no Effect. A gateway and the simulator stand on it; no provider imports it. What
 * a request says that no `LlmRequest` can say is a warning, and stays with it for the wire it came in on (`Verbatim`).
 *
 * @since 0.1.0
 */
import type { LlmError } from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmResponse, Warning } from "../LlmResponse.ts"
import type { JsonObject } from "../Message.ts"

// =============================================================================
// Requests
// =============================================================================

/**
 * HTTP headers, names in lower case.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Headers = { readonly [name: string]: string }

/**
 * A request as it came in.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Incoming {
  readonly method: string
  /** The path without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Repeated headers are joined with a comma. */
  readonly headers: Headers
  /** The parsed body, `undefined` when it is empty or no JSON. */
  readonly body: unknown
}

/**
 * What a request asks for.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Operation = "generate" | "countTokens" | "models" | "model"

/**
 * A request that was read.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Decoded {
  /** What it says. Sent on by the wire it came in on, its body is what came in but for what was changed here. */
  readonly request: LlmRequest
  /** The model by the client's name for it; empty where the request names none. */
  readonly model: string
  /** Whether the answer is to be streamed. */
  readonly stream: boolean
  /** What it says that an `LlmRequest` has no place for, and that only the wire it came in on carries on. */
  readonly warnings: ReadonlyArray<Warning>
  /** What it says that nobody is asked for, on whatever wire. @default nothing */
  readonly dropped?: ReadonlyArray<Warning> | undefined
}

/**
 * A request that cannot be read, and what its client is to be told.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Unreadable {
  readonly refused: ErrorDetails
}

// =============================================================================
// Answers
// =============================================================================

/**
 * What an answer is written for.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface AnswerContext {
  /** The request that is answered: wires repeat some of it, and some of it decides the form of the answer. */
  readonly incoming: Incoming
  /** Goes into the header, and the body, where the wire has a request id. */
  readonly requestId: string
  /** Seconds since 1970. */
  readonly created: number
  /** Seconds since 1970 when it is asked: wires that say when an answer was done ask when it is. @default `created` */
  readonly completed?: (() => number) | undefined
  /** Known before it begins to be a refusal: OpenAI's wires put the text of one in a place of its own. @default false */
  readonly refused?: boolean | undefined
}

/**
 * What one frame is for: `terminal` says how the answer finished, `done` only that it is over.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Frame {
  /** `content` of the answer, `ping` that says nothing, `terminal` that ends it, `done` after it. */
  readonly kind: "content" | "ping" | "terminal" | "done"
  /** The frame as it goes over the network; bytes on wires that are no text. */
  readonly data: string | Uint8Array
}

/**
 * Writes a stream: each event becomes the frames it is on the wire, in order. For one answer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface AnswerEncoder {
  add(event: LlmEvent): ReadonlyArray<Frame>
  /** What the wire has had no words for so far. */
  readonly warnings: ReadonlyArray<Warning>
}

/**
 * A whole answer.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface EncodedAnswer {
  readonly body: JsonObject
  /** What the wire has no words for. */
  readonly warnings: ReadonlyArray<Warning>
}

// =============================================================================
// Errors
// =============================================================================

/**
 * An error as the vendor would report it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ErrorDetails {
  /** HTTP status; 200 is an error within a successful response. */
  readonly status: number
  /** The wire's error type. @default what the vendor sends with that status */
  readonly type?: string | undefined
  /** @default what the vendor sends with that status */
  readonly message?: string | undefined
  /** The wire's error code, where it has one. @default what the vendor sends with that status */
  readonly code?: string | undefined
  /** The request field at fault, where the wire says it. */
  readonly param?: string | undefined
  /** Seconds, sent as the `retry-after` header. */
  readonly retryAfter?: number | undefined
  readonly headers?: Headers | undefined
  /** Further members of the error, where the wire has such (Google's `details`). */
  readonly details?: ReadonlyArray<JsonObject> | undefined
}

/**
 * The response that an error is.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface EncodedError {
  readonly status: number
  readonly headers: Headers
  readonly body: JsonObject
}

// =============================================================================
// Wires
// =============================================================================

/**
 * The server's side of a wire.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface ServerProtocol {
  /** Name of the wire, such as `anthropic-messages`. */
  readonly wire: string
  /** What a request asks for, `undefined` when it is not of this wire. */
  readonly operation: (incoming: Incoming) => Operation | undefined
  /** The credential that a request carries, wherever the wire puts it. */
  readonly credential: (incoming: Incoming) => string | undefined
  /** Reads what asks for an answer, or for the count of its tokens. Takes whatever is not plainly unreadable; see `validate`. */
  readonly decodeRequest: (incoming: Incoming) => Decoded | Unreadable
  /** The error that the vendor would report, `undefined` for a proper request. */
  readonly validate: (incoming: Incoming, operation: Operation) => ErrorDetails | undefined
  /** The vendor's headers of every response. */
  readonly headers: (context: AnswerContext) => Headers
  readonly encodeAnswer: (response: LlmResponse, context: AnswerContext) => EncodedAnswer
  readonly answerEncoder: (context: AnswerContext) => AnswerEncoder
  /** Content type of a stream. */
  readonly streamContentType: (context: AnswerContext) => string
  /** A sign of life between frames, which clients pass over. */
  readonly ping: string | Uint8Array
  /** Any error of a call in the vendor's form, such that a client reads the same reason, status and delay. */
  readonly encodeError: (error: LlmError, context: AnswerContext) => EncodedError
  /** An error that has the vendor's words already. */
  readonly encodeErrorDetails: (details: ErrorDetails, context: AnswerContext) => EncodedError
  /** An error after so many frames of a stream, which it ends. */
  readonly encodeStreamError: (
    error: LlmError | ErrorDetails,
    context: AnswerContext,
    sent: number
  ) => string | Uint8Array
  /** The vendor's error for a credential that is missing or wrong. */
  readonly unauthorized: (credential: string | undefined) => ErrorDetails
  /** The vendor's error for a model that does not exist. */
  readonly unknownModel: (model: string) => ErrorDetails
  readonly encodeTokenCount: (tokens: number) => JsonObject
  readonly encodeModels: (ids: ReadonlyArray<string>) => JsonObject
  readonly encodeModel: (id: string) => JsonObject
}
