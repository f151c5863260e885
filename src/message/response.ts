/**
 * A complete answer: its fields, their schemas, and the class that derives the rest from them.
 *
 * Public through `LlmResponse`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Message from "../Message.ts"
import type { Json } from "../Message.ts"
import { Usage } from "./usage.ts"

// =============================================================================
// Response
// =============================================================================

/**
 * Why the model stopped.
 *
 * `tool-calls` also when a wire says "stop" although it closed tool calls; `other` for values this
 * version does not know and for none at all; the wire's own word is `rawFinishReason`.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type FinishReason =
  | "stop"
  | "length"
  | "tool-calls"
  | "content-filter"
  | "refusal"
  | "pause"
  | "context-window"
  | "error"
  | "other"

/**
 * Schema of {@link FinishReason}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const FinishReason: Schema.Codec<FinishReason> = Schema.Literals([
  "stop",
  "length",
  "tool-calls",
  "content-filter",
  "refusal",
  "pause",
  "context-window",
  "error",
  "other"
])

/**
 * What the provider's headers say of one rate limit.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface RateLimit {
  /** Most that fits into the window, in requests or tokens. */
  readonly limit?: number | undefined
  /** What is left of it, in requests or tokens. */
  readonly remaining?: number | undefined
  /** Milliseconds from the response until the window resets. */
  readonly resetMillis?: number | undefined
}

/**
 * Rate limits by what they count.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface RateLimits {
  /** Requests per window. */
  readonly requests?: RateLimit | undefined
  /** Tokens per window, input and output together. */
  readonly tokens?: RateLimit | undefined
  /** Input tokens per window. */
  readonly inputTokens?: RateLimit | undefined
  /** Output tokens per window. */
  readonly outputTokens?: RateLimit | undefined
}

const RateLimitSchema: Schema.Codec<RateLimit> = Schema.Struct({
  limit: Schema.optional(Schema.Finite),
  remaining: Schema.optional(Schema.Finite),
  resetMillis: Schema.optional(Schema.Finite)
})

/**
 * Something the caller asked for that was dropped, rounded or emulated without changing the meaning.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Warning {
  /** The request field or part concerned, such as `thinking` or `cache`. */
  readonly field: string
  /** What was done instead of what was asked for, and why, in a sentence. */
  readonly message: string
  /** Where the provider says so. */
  readonly url?: string | undefined
}

/**
 * An attempt that a policy made before the one that answered.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface PriorAttempt {
  /** Id of the provider that was asked, or name of the policy that turned the call away. */
  readonly provider: string
  /** Id of the model that was asked. */
  readonly model: string
  /** Tag of the reason it failed with. */
  readonly reason: string
  /** Milliseconds from its start until it failed; absent when nobody took the time. */
  readonly durationMillis?: number | undefined
  /** What happened, in one sentence; at most 500 characters. */
  readonly message?: string | undefined
  /** The provider's request id, for support. */
  readonly requestId?: string | undefined
  /** Whether the same call could have succeeded there later. */
  readonly isRetryable?: boolean | undefined
  /** Milliseconds that the provider, or an open breaker, asked to wait. */
  readonly retryAfterMillis?: number | undefined
}

/**
 * Everything a response is made of; the derived accessors come on top.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Fields {
  /** Everything the model gave, in the order it came. */
  readonly parts: ReadonlyArray<Message.Part>
  /** Why the answer ended. Look at it before trusting the text: `length` is a text cut short. */
  readonly finishReason: FinishReason
  /** The provider's own word for it, unchanged; absent when it sent none. */
  readonly rawFinishReason?: string | undefined
  /** Token counts; what the provider did not say is absent, never 0. */
  readonly usage: Usage
  /** The provider's id of the answer, by which some continue a conversation. */
  readonly id?: string | undefined
  /** The model that answered, as the provider names it, else the one asked for. */
  readonly model: string
  /** Id of the provider that answered, such as `anthropic`. */
  readonly provider: string
  /** Label of the request, else of the layer. */
  readonly label?: string | undefined
  /** The provider's request id, for support. */
  readonly requestId?: string | undefined
  /** What the provider's headers say of the account's limits at the time of the answer. */
  readonly rateLimits?: RateLimits | undefined
  /** US dollars, when the price is known. */
  readonly cost?: number | undefined
  /** What was dropped, rounded or emulated on the way; empty when the request was sent as it was meant. */
  readonly warnings: ReadonlyArray<Warning>
  /** Attempts that failed before this answer, oldest first. */
  readonly priorAttempts?: ReadonlyArray<PriorAttempt> | undefined
  /** The wire's log probabilities, unchanged, when asked for. */
  readonly logprobs?: Json | undefined
  /** Provider extras worth having, under the wire's own names (service tier, system fingerprint, stop details). */
  readonly extra?: { readonly [key: string]: Json } | undefined
  /** The raw body, or the raw frames, when the request asked for it. */
  readonly raw?: Json | undefined
}

/**
 * An answer.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class LlmResponse implements Fields {
  /** Everything the model gave, in the order it came. */
  declare readonly parts: ReadonlyArray<Message.Part>
  /** Why the answer ended. Look at it before trusting the text: `length` is a text cut short. */
  declare readonly finishReason: FinishReason
  /** The provider's own word for it, unchanged; absent when it sent none. */
  declare readonly rawFinishReason?: string | undefined
  /** Token counts; what the provider did not say is absent, never 0. */
  declare readonly usage: Usage
  /** The provider's id of the answer, by which some continue a conversation. */
  declare readonly id?: string | undefined
  /** The model that answered, as the provider names it, else the one asked for. */
  declare readonly model: string
  /** Id of the provider that answered, such as `anthropic`. */
  declare readonly provider: string
  /** Label of the request, else of the layer. */
  declare readonly label?: string | undefined
  /** The provider's request id, for support. */
  declare readonly requestId?: string | undefined
  /** What the provider's headers say of the account's limits at the time of the answer. */
  declare readonly rateLimits?: RateLimits | undefined
  /** US dollars, when the price is known; see `Cost`. */
  declare readonly cost?: number | undefined
  /** What was dropped, rounded or emulated on the way; empty when the request was sent as it was meant. */
  declare readonly warnings: ReadonlyArray<Warning>
  /** Attempts that failed before this answer, oldest first. */
  declare readonly priorAttempts?: ReadonlyArray<PriorAttempt> | undefined
  /** The wire's log probabilities, unchanged, when asked for. */
  declare readonly logprobs?: Json | undefined
  /** Provider extras worth having, under the wire's own names (service tier, system fingerprint, stop details). */
  declare readonly extra?: { readonly [key: string]: Json } | undefined
  /** The raw body, or the raw frames, when the request asked for it with `includeRaw`. */
  declare readonly raw?: Json | undefined

  constructor(fields: Fields) {
    const own = this as Record<string, unknown>
    for (const key in fields) {
      const value = fields[key as keyof Fields]
      if (value !== undefined) own[key] = value
    }
  }

  /** All answer text, joined without separators. */
  get text(): string {
    let out = ""
    for (const part of this.parts) if (part.type === "text") out += part.text
    return out
  }

  /** All readable reasoning, joined without separators. */
  get reasoningText(): string {
    let out = ""
    for (const part of this.parts) if (part.type === "reasoning") out += part.text
    return out
  }

  /** The calls the application is asked to run, in wire order. Check `invalid` before running one. */
  get toolCalls(): ReadonlyArray<Message.ToolCallPart> {
    return this.parts.filter((part) => part.type === "tool-call")
  }

  /** What the answer cites. */
  get sources(): ReadonlyArray<Message.SourcePart> {
    return this.parts.filter((part) => part.type === "source")
  }

  /** The assistant message to append to the conversation. */
  get message(): Message.Message {
    return Message.assistant(this.parts.filter((part) => part.type !== "source"))
  }

  /** A copy with some fields replaced. */
  with(fields: Partial<Fields>): LlmResponse {
    return new LlmResponse({ ...this, ...fields })
  }
}

/**
 * Schema of {@link PriorAttempt}.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const PriorAttempt: Schema.Codec<PriorAttempt> = Schema.Struct({
  provider: Schema.String,
  model: Schema.String,
  reason: Schema.String,
  durationMillis: Schema.optional(Schema.Finite),
  message: Schema.optional(Schema.String),
  requestId: Schema.optional(Schema.String),
  isRetryable: Schema.optional(Schema.Boolean),
  retryAfterMillis: Schema.optional(Schema.Finite)
})

const members = {
  parts: Schema.Array(Message.Part),
  finishReason: FinishReason,
  rawFinishReason: Schema.optional(Schema.String),
  usage: Usage,
  id: Schema.optional(Schema.String),
  model: Schema.String,
  provider: Schema.String,
  label: Schema.optional(Schema.String),
  requestId: Schema.optional(Schema.String),
  rateLimits: Schema.optional(Schema.Struct({
    requests: Schema.optional(RateLimitSchema),
    tokens: Schema.optional(RateLimitSchema),
    inputTokens: Schema.optional(RateLimitSchema),
    outputTokens: Schema.optional(RateLimitSchema)
  })),
  cost: Schema.optional(Schema.Finite),
  warnings: Schema.Array(
    Schema.Struct({ field: Schema.String, message: Schema.String, url: Schema.optional(Schema.String) })
  ),
  priorAttempts: Schema.optional(Schema.Array(PriorAttempt)),
  logprobs: Schema.optional(Schema.Json),
  extra: Schema.optional(Message.JsonObject),
  raw: Schema.optional(Schema.Json)
}

/**
 * Schema of the plain fields, for storing answers; `new LlmResponse(fields)` brings one back.
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const Fields: Schema.Codec<Fields> = Schema.Struct(members)

const isFinishReason: (reason: string) => reason is FinishReason = /* @__PURE__ */ Schema.is(FinishReason)

type ReadableFields = Omit<Fields, "finishReason"> & { readonly finishReason: string }

/** A word of a later version is `other` here, and is kept beside it unless the provider's own is. */
const readFields = ({ finishReason, ...fields }: ReadableFields) =>
  new LlmResponse(
    isFinishReason(finishReason)
      ? { ...fields, finishReason }
      : { ...fields, finishReason: "other", rawFinishReason: fields.rawFinishReason ?? finishReason }
  )

const makeSchema = () =>
  Schema.Struct({ ...members, finishReason: Schema.String }).pipe(
    Schema.decodeTo(
      Schema.instanceOf(LlmResponse, { expected: "LlmResponse" }),
      SchemaTransformation.transform({ decode: readFields, encode: (response): ReadableFields => ({ ...response }) })
    )
  )

/**
 * Schema of an answer as JSON: to store it, to send it, to replay it (`LlmResponse.toEvents`). A partial one is encoded like a whole one.
 *
 * Fields of later versions are ignored, and a finish reason that this version does not know is `other`.
 *
 * @example
 * ```ts
 * const stored = Schema.encodeSync(Schema.fromJsonString(LlmResponse.schema))(response)
 * ```
 *
 * @stability stable
 * @category schemas
 * @since 0.1.0
 */
export const schema = /* @__PURE__ */ makeSchema() as unknown as Schema.Codec<LlmResponse, Json>
