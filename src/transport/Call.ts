/**
 * What is to be sent: an attempt of a call, or a request outside the wires.
 *
 * @since 0.1.0
 */
import * as LlmError from "../LlmError.ts"
import type { Timeouts } from "../LlmRequest.ts"
import type { Warning } from "../LlmResponse.ts"
import type { Encoded, Protocol } from "../protocol/Protocol.ts"
import type { Carrier } from "./secrets/RequestSecrets.ts"

/**
 * One attempt, ready to be sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly protocol: Protocol
  readonly provider: string
  readonly model: string
  readonly label?: string | undefined
  readonly operation: LlmError.Operation
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  /** Values that must not appear in anything rendered. */
  readonly secrets: ReadonlyArray<string>
  /** What the layer has beside: its secrets must not appear either, whether this call sends them or not. */
  readonly layer?: Carrier | undefined
  readonly timeouts: Timeouts
  readonly warnings: ReadonlyArray<Warning>
  readonly includeRaw: boolean
  readonly idSeed: string
  /** Whether a `generate` has asked the wire for a stream, which is folded here. @default false */
  readonly streamed?: boolean | undefined
  /** Tokens that the model takes, where that is known. */
  readonly contextWindow?: number | undefined
  /** The application's name of each tool that was sent under another, by the name that was sent. */
  readonly toolNames?: ReadonlyMap<string, string> | undefined
  readonly calledItems?: Encoded["calledItems"]
  readonly schemas?: Encoded["schemas"]
}

/**
 * What is read from the answer to a JSON request.
 *
 * @category models
 * @since 0.1.0
 */
export interface JsonReading<out A> {
  /** `undefined` when it is not there, which fails with `ResponseParse`, as does whatever it throws. */
  readonly read: (body: unknown) => A | undefined
  /** The message of that failure. */
  readonly nothing: string
}

/**
 * A JSON request outside the wires.
 *
 * @category models
 * @since 0.1.0
 */
export interface JsonCall {
  readonly method: "GET" | "POST" | "DELETE"
  readonly provider: string
  readonly model: string
  readonly operation: LlmError.Operation
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  /** JSON text, a form, or bytes with their media type. */
  readonly body?: string | FormData | { readonly bytes: Uint8Array; readonly mediaType: string } | undefined
  readonly secrets: ReadonlyArray<string>
  /** What the layer has beside; see {@link Call.layer}. */
  readonly layer?: Carrier | undefined
  readonly timeouts: Timeouts
}

/**
 * The reason of a call that needs a module which does not come. It may come another time, and another provider may have its own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const notLoaded = (): LlmError.Reason =>
  new LlmError.Network({ message: "A module of effect-llm could not be loaded." })
