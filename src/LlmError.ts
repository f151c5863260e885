/**
 * One error for everything that can go wrong with a call: `LlmError`, whose `reason` says what.
 *
 * Catch it with `Effect.catchTag("LlmError", …)`, or one reason with
 * `Effect.catchReason("LlmError", "RateLimit", …)`. Every reason knows whether trying again can help
 * (`isRetryable`) and, where the provider said so, how long to wait (`retryAfter`). A failure after
 * content carries what had come (`partial`). Provider text is scrubbed of credentials and capped before it
 * gets here, and no foreign cause object is attached. What the model said (`partial`, `text`) is data and
 * left as it is; errors and reasons are rendered (`toString`, `toJSON`, `util.inspect`) without it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import { hasProperty } from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type { Reason } from "./error/reasons.ts"
import { reason } from "./error/reasonSchema.ts"
import type { Json } from "./json/value.ts"
import type { LlmResponse } from "./message/response.ts"

export * from "./error/reasons.ts"

/**
 * What an operation was about to do when it failed.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Operation = "generate" | "stream" | "countTokens" | "models" | "health" | "layer" | "files" | "batch"

/**
 * The error of every operation of this library.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export class LlmError extends Data.TaggedError("LlmError")<{
  /** Provider id such as `anthropic`, or the name of the policy that failed. */
  readonly provider: string
  /** Id of the model asked; empty where no model is involved, such as for a list of models. */
  readonly model: string
  /** Label of the layer or the request, which tells instances of one provider apart. */
  readonly label?: string | undefined
  /** What was being done; `layer` while a layer was built. */
  readonly operation: Operation
  /** The provider's request id, for support. */
  readonly requestId?: string | undefined
  /** What went wrong, by `_tag`. Policies decide on it. */
  readonly reason: Reason
  /** How many requests were sent for this call; 1 unless a policy retried. */
  readonly attempts: number
}> {
  /** One line for people: provider, model, reason, HTTP status, the reason's own message and the request id. No secrets. */
  override get message(): string {
    const reason = this.reason
    const status = "status" in reason && reason.status !== undefined ? ` ${reason.status}` : ""
    const where = this.model === "" ? this.provider : `${this.provider}/${this.model}`
    const request = this.requestId === undefined ? "" : ` (request ${this.requestId})`
    return `${where}: ${reason._tag}${status}: ${reason.message}${request}`
  }

  /** Whether the same call may succeed later. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  /** How long the provider, or an open breaker, asks to wait. */
  get retryAfter(): Duration.Duration | undefined {
    return "retryAfter" in this.reason ? this.reason.retryAfter : undefined
  }

  /** Output received before the failure. */
  get partial(): LlmResponse | undefined {
    return this.reason.partial
  }

  /** A copy with some fields replaced. */
  with(fields: {
    /** The provider to name instead; else it stays. */
    readonly provider?: string
    /** The model to name instead; else it stays. */
    readonly model?: string
    /** The reason to give instead; else it stays. */
    readonly reason?: Reason
    /** Requests that were sent for the call, in place of the count so far. */
    readonly attempts?: number
    /** The label to name instead; `undefined` takes it off. */
    readonly label?: string | undefined
  }): LlmError {
    return new LlmError({
      provider: this.provider,
      model: this.model,
      label: this.label,
      operation: this.operation,
      requestId: this.requestId,
      reason: this.reason,
      attempts: this.attempts,
      ...fields
    })
  }

  /** The error as plain JSON, without a stack and without secrets; `LlmError.schema` reads it back. */
  override toJSON(): unknown {
    return {
      _tag: this._tag,
      message: this.message,
      provider: this.provider,
      model: this.model,
      label: this.label,
      operation: this.operation,
      requestId: this.requestId,
      attempts: this.attempts,
      reason: this.reason.toJSON()
    }
  }
}

/**
 * Whether a value is an {@link LlmError}.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isLlmError = (u: unknown): u is LlmError => hasProperty(u, "_tag") && u._tag === "LlmError"

// =============================================================================
// Schema
// =============================================================================

const makeSchema = () =>
  Schema.Struct({
    _tag: Schema.tag("LlmError"),
    provider: Schema.String,
    model: Schema.String,
    label: Schema.optional(Schema.String),
    operation: Schema.Literals(["generate", "stream", "countTokens", "models", "health", "layer", "files", "batch"]),
    requestId: Schema.optional(Schema.String),
    attempts: Schema.Finite,
    reason
  }).pipe(
    Schema.decodeTo(
      Schema.instanceOf(LlmError, { expected: "LlmError" }),
      SchemaTransformation.transform({
        decode: ({ _tag, ...fields }) => new LlmError(fields),
        encode: (error) => ({
          _tag: "LlmError" as const,
          provider: error.provider,
          model: error.model,
          ...(error.label === undefined ? undefined : { label: error.label }),
          operation: error.operation,
          ...(error.requestId === undefined ? undefined : { requestId: error.requestId }),
          attempts: error.attempts,
          reason: error.reason
        })
      })
    )
  )

/**
 * Schema of an error with its reason, its attempts and its partial output, as JSON: to store it, to send it to another process, to
 * raise it again there.
 *
 * What is encoded is the whole error: unlike `toJSON`, which is for logs, it has the provider's body and what the model said. Both were
 * scrubbed of credentials when the error was made. Stack and cause stay behind. Fields of later versions are ignored, and a reason of
 * a tag that this version does not know is a `Provider` with that tag as its `type`.
 *
 * @example
 * ```ts
 * const stored = Schema.encodeSync(Schema.fromJsonString(LlmError.schema))(error)
 * ```
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const schema = /* @__PURE__ */ makeSchema() as unknown as Schema.Codec<LlmError, Json>
