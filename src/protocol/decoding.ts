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
 * @category models
 * @since 0.1.0
 */
export interface DecodeContext {
  readonly wire: string
  readonly provider: string
  /** The model asked for. */
  readonly model: string
  readonly label?: string | undefined
  readonly requestId?: string | undefined
  readonly rateLimits?: RateLimits | undefined
  readonly warnings: ReadonlyArray<Warning>
  /** Makes minted tool-call ids unique across responses. */
  readonly idSeed: string
  readonly includeRaw: boolean
  /** Removes secrets from what the server calls its answer and its model; content is never touched. */
  readonly scrub?: ((text: string, maxBytes?: number) => string) | undefined
  /** Whether a stream was asked for: a body that could be a whole answer or its beginning is then a beginning. */
  readonly streamed?: boolean | undefined
  /** Tokens that the model takes, where that is known. */
  readonly contextWindow?: number | undefined
  /** The application's name of each tool that was sent under another, by the name that was sent. */
  readonly toolNames?: ReadonlyMap<string, string> | undefined
  /** How JSON in the answer is read, as the encoder of the request said. */
  readonly schemas?: Sent | undefined
}

/**
 * Why decoding stopped, as plain data. `provider` failures are classified by status, type, code and message.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  /**
   * `provider`: it said so; `parse`: unreadable bytes; `incomplete`: the end came before the terminal event; `misfit`: the answer
   * is complete and breaks the schema that was asked for, `body` is its text.
   */
  readonly kind: "provider" | "parse" | "incomplete" | "misfit"
  readonly message: string
  readonly status?: number | undefined
  readonly type?: string | undefined
  readonly code?: string | number | undefined
  readonly param?: string | undefined
  readonly requestId?: string | undefined
  readonly retryAfterMillis?: number | undefined
  /** Over how long the limit counts that was reached, where the provider has fields that say so. */
  readonly limitWindow?: LimitWindow | undefined
  /** The provider's structured reason beside type and code, as Google's APIs give it. */
  readonly reason?: string | undefined
  /** What could not be read, or the error object as text; capped and scrubbed by the transport. */
  readonly body?: string | undefined
}
