/**
 * What decoding knows of its answer, and why it stopped.
 *
 * Public through `Protocol`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import type { RateLimits, Warning } from "../LlmResponse.ts"
import type { LimitWindow } from "./errors/LimitWindow.ts"
import type { Sent } from "./schema/Schemas.ts"

/**
 * What an answer is decoded for: known from the request and the response headers.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface DecodeContext {
  /** Which wire it came over, to tell own parts from foreign ones later. */
  readonly wire: string
  /** Id of the provider that answers. */
  readonly provider: string
  /** The model asked for. */
  readonly model: string
  /** Label of the request, else of the layer; goes into the response. */
  readonly label?: string | undefined
  /** The provider's request id, from the headers. */
  readonly requestId?: string | undefined
  /** What the headers say of rate limits. */
  readonly rateLimits?: RateLimits | undefined
  /** What was dropped, rounded or emulated when the request was encoded. */
  readonly warnings: ReadonlyArray<Warning>
  /** Makes minted tool-call ids unique across responses. */
  readonly idSeed: string
  /** Whether frames or body are kept in the response. */
  readonly includeRaw: boolean
  /** Removes secrets from what the server calls its answer and its model; content is never touched. */
  readonly scrub?: ((text: string, maxBytes?: number) => string) | undefined
  /** Whether a stream was asked for: a body that could be a whole answer or its beginning is then a beginning. */
  readonly streamed?: boolean | undefined
  /** Tokens that the model takes, where that is known. */
  readonly contextWindow?: number | undefined
  /** The application's name of each tool that was sent under another, by the name that was sent. */
  readonly toolNames?: ReadonlyMap<string, string> | undefined
  /** Tools of the application whose calls are items of their own on the wire: their names by the type of the item. */
  readonly calledItems?: ReadonlyMap<string, string> | undefined
  /** How JSON in the answer is read, as the encoder of the request said. */
  readonly schemas?: Sent | undefined
}

/**
 * Why decoding stopped, as plain data. `provider` failures are classified by status, type, code and message.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  /**
   * `provider`: it said so; `parse`: unreadable bytes; `incomplete`: the end came before the terminal event; `misfit`: the answer
   * is complete and breaks the schema that was asked for, `body` is its text.
   */
  readonly kind: "provider" | "parse" | "incomplete" | "misfit"
  /** What happened, in a sentence; the provider's own words where it sent any. */
  readonly message: string
  /** HTTP status; absent for what came inside a stream. */
  readonly status?: number | undefined
  /** The provider's error type, as sent. */
  readonly type?: string | undefined
  /** The provider's error code, as sent. */
  readonly code?: string | number | undefined
  /** The request field the provider complains about. */
  readonly param?: string | undefined
  /** The provider's request id, where the body has one. */
  readonly requestId?: string | undefined
  /** Milliseconds that the provider asks to wait. */
  readonly retryAfterMillis?: number | undefined
  /** Over how long the limit counts that was reached, where the provider has fields that say so. */
  readonly limitWindow?: LimitWindow | undefined
  /** The provider's structured reason beside type and code, as Google's APIs give it. */
  readonly reason?: string | undefined
  /** What could not be read, or the error object as text; capped and scrubbed by the transport. */
  readonly body?: string | undefined
}
