/**
 * The form of recorded traffic: a case (what went over the wire) and an expectation (what an independent
 * reader found in it, nothing mapped or added up).
 *
 * @since 0.1.0
 */
import type { Json } from "../../Message.ts"

/**
 * A recorded exchange.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Case {
  /** Name of the case, the same as its file's. */
  readonly id: string
  /** Who answered when it was recorded. */
  readonly provider: string
  /** The wire, by the name that the corpus gives it. */
  readonly api: string
  /** The model that was asked; `null` when the recording does not tell. */
  readonly model: string | null
  /** Whether a stream was asked for. */
  readonly streaming: boolean
  /** What came back over the network. */
  readonly response: {
    /** HTTP status. */
    readonly status: number
    /** As recorded; values may be masked. */
    readonly headers: { readonly [name: string]: string }
    /** How the body is framed, such as `sse`. */
    readonly framing: string
    /** The body, when it is UTF-8 text. */
    readonly bodyText?: string | null
    /** The body in Base64, when it is not text. */
    readonly bodyBase64?: string | null
    /** Sizes of the network chunks as recorded. */
    readonly chunkByteLengths?: ReadonlyArray<number> | null
  }
}

/**
 * What the exchange says, `null` where the wire is silent.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Expected {
  /** Whether the exchange is an answer rather than an error. */
  readonly ok: boolean
  /** All text of the answer, joined. */
  readonly text?: string | null
  /** All readable reasoning, joined. */
  readonly reasoning?: string | null
  /** Calls in wire order. */
  readonly toolCalls?:
    | ReadonlyArray<{
      /** The provider's id of the call. */
      readonly id?: string | null
      /** Name of the tool. */
      readonly name: string
      /** The arguments, parsed, when they are valid JSON. */
      readonly args?: Json
      /** The arguments as text, as they came. */
      readonly rawArgs?: string | null
      /** Whether the text of the arguments is JSON. */
      readonly argsValid?: boolean | null
    }>
    | null
  /** The wire's own word, or number, for why it ended. */
  readonly finishReason?: string | number | null
  /** Token counts under the wire's own meaning, nothing added up. */
  readonly usage?: {
    /** Input tokens, as the wire counts them. */
    readonly input?: number | null
    /** Output tokens, as the wire counts them. */
    readonly output?: number | null
    /** Input tokens read from the prompt cache. */
    readonly cachedRead?: number | null
    /** Input tokens written to the prompt cache. */
    readonly cacheWrite?: number | null
    /** Output tokens of reasoning. */
    readonly reasoning?: number | null
    /** Total, where the wire names one. */
    readonly total?: number | null
  } | null
  /** What the model said when it declined, on wires with a field for it. */
  readonly refusal?: string | null
  /** Whether the stream reached its terminal event. */
  readonly terminal?: boolean | null
  /** What else the reader noticed. */
  readonly extra?: {
    /** Whether, or how often, a block index stood for more than one block. */
    readonly blockIndexReused?: number | boolean | null
  } | null
  /** The error, when the exchange is one. */
  readonly error?: {
    /** HTTP status. */
    readonly status?: number | null
    /** The provider's error type, as sent. */
    readonly type?: string | null
    /** The provider's error code, as sent. */
    readonly code?: string | number | null
    /** The provider's words. */
    readonly message?: string | null
    /** Whether it came inside a stream that had begun. */
    readonly midStream?: boolean | null
  } | null
}

/**
 * The bytes of a recorded body.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const bodyOf = (self: Case): Uint8Array => {
  const { bodyBase64, bodyText } = self.response
  return bodyBase64 ? Buffer.from(bodyBase64, "base64") : Buffer.from(bodyText ?? "", "utf8")
}
