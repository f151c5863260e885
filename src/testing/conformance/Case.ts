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
 * @category models
 * @since 0.1.0
 */
export interface Case {
  readonly id: string
  readonly provider: string
  readonly api: string
  readonly model: string | null
  readonly streaming: boolean
  readonly response: {
    readonly status: number
    readonly headers: { readonly [name: string]: string }
    readonly framing: string
    readonly bodyText?: string | null
    readonly bodyBase64?: string | null
    /** Sizes of the network chunks as recorded. */
    readonly chunkByteLengths?: ReadonlyArray<number> | null
  }
}

/**
 * What the exchange says, `null` where the wire is silent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Expected {
  readonly ok: boolean
  readonly text?: string | null
  readonly reasoning?: string | null
  readonly toolCalls?:
    | ReadonlyArray<{
      readonly id?: string | null
      readonly name: string
      readonly args?: Json
      readonly rawArgs?: string | null
      readonly argsValid?: boolean | null
    }>
    | null
  readonly finishReason?: string | number | null
  readonly usage?: {
    readonly input?: number | null
    readonly output?: number | null
    readonly cachedRead?: number | null
    readonly cacheWrite?: number | null
    readonly reasoning?: number | null
    readonly total?: number | null
  } | null
  readonly refusal?: string | null
  readonly terminal?: boolean | null
  readonly extra?: { readonly blockIndexReused?: number | boolean | null } | null
  readonly error?: {
    readonly status?: number | null
    readonly type?: string | null
    readonly code?: string | number | null
    readonly message?: string | null
    readonly midStream?: boolean | null
  } | null
}

/**
 * The bytes of a recorded body.
 *
 * @category accessors
 * @since 0.1.0
 */
export const bodyOf = (self: Case): Uint8Array => {
  const { bodyBase64, bodyText } = self.response
  return bodyBase64 ? Buffer.from(bodyBase64, "base64") : Buffer.from(bodyText ?? "", "utf8")
}
