/**
 * A complete answer, and the fold that makes one from events.
 *
 * `LlmResponse` holds parts in the order of the wire; `text`, `reasoningText`, `toolCalls` and
 * `message` are derived from them. A value that a provider did not send is absent, never 0 or "".
 * The same class holds the partial output of a failed call (`LlmError.partial`); only a `Finish`
 * event carries a whole one.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { PartsFold } from "./internal/partsFold.ts"
import type { LlmEvent } from "./LlmEvent.ts"
import * as Message from "./Message.ts"
import type { Json } from "./Message.ts"

// =============================================================================
// Usage
// =============================================================================

/**
 * Token counts. On every wire `input.total` includes cache reads and writes and `output.total`
 * includes reasoning. Absent means the provider did not say.
 *
 * @category models
 * @since 0.1.0
 */
export interface Usage {
  readonly input: {
    /** All input tokens, cached or not. */
    readonly total?: number | undefined
    /** Input tokens neither read from nor written to a cache. */
    readonly uncached?: number | undefined
    readonly cacheRead?: number | undefined
    /** All tokens written to a cache, whatever their lifetime. */
    readonly cacheWrite?: number | undefined
    /** The part of `cacheWrite` with a lifetime of one hour. */
    readonly cacheWrite1h?: number | undefined
  }
  readonly output: {
    /** All output tokens, reasoning included. */
    readonly total?: number | undefined
    /** Output tokens that are not reasoning. */
    readonly text?: number | undefined
    readonly reasoning?: number | undefined
  }
  /** Cost in US dollars as billed by the provider (OpenRouter, Perplexity and others report it). */
  readonly billedCost?: number | undefined
  /** The provider's usage object, unchanged. */
  readonly raw?: Json | undefined
}

/**
 * Schema of {@link Usage}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Usage: Schema.Codec<Usage> = Schema.Struct({
  input: Schema.Struct({
    total: Schema.optional(Schema.Finite),
    uncached: Schema.optional(Schema.Finite),
    cacheRead: Schema.optional(Schema.Finite),
    cacheWrite: Schema.optional(Schema.Finite),
    cacheWrite1h: Schema.optional(Schema.Finite)
  }),
  output: Schema.Struct({
    total: Schema.optional(Schema.Finite),
    text: Schema.optional(Schema.Finite),
    reasoning: Schema.optional(Schema.Finite)
  }),
  billedCost: Schema.optional(Schema.Finite),
  raw: Schema.optional(Schema.Json)
})

/**
 * Usage of which nothing is known.
 *
 * @category constructors
 * @since 0.1.0
 */
export const emptyUsage: Usage = { input: {}, output: {} }

/**
 * Adds the usage of separate calls. A count is absent only when both lack it. `raw` is dropped.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sumUsage = (a: Usage, b: Usage): Usage => {
  const sum = (x: number | undefined, y: number | undefined) => x === undefined ? y : y === undefined ? x : x + y
  const usage: { input: Record<string, number>; output: Record<string, number>; billedCost?: number } = {
    input: {},
    output: {}
  }
  for (const key of ["total", "uncached", "cacheRead", "cacheWrite", "cacheWrite1h"] as const) {
    const value = sum(a.input[key], b.input[key])
    if (value !== undefined) usage.input[key] = value
  }
  for (const key of ["total", "text", "reasoning"] as const) {
    const value = sum(a.output[key], b.output[key])
    if (value !== undefined) usage.output[key] = value
  }
  const billedCost = sum(a.billedCost, b.billedCost)
  if (billedCost !== undefined) usage.billedCost = billedCost
  return usage
}

// =============================================================================
// Response
// =============================================================================

/**
 * Why the model stopped.
 *
 * `tool-calls` also when a wire says "stop" although it closed tool calls; `other` for values this
 * version does not know and for none at all; the wire's own word is `rawFinishReason`.
 *
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
 * @category models
 * @since 0.1.0
 */
export interface RateLimit {
  readonly limit?: number | undefined
  readonly remaining?: number | undefined
  /** Milliseconds from the response until the window resets. */
  readonly resetMillis?: number | undefined
}

/**
 * Rate limits by what they count.
 *
 * @category models
 * @since 0.1.0
 */
export interface RateLimits {
  readonly requests?: RateLimit | undefined
  readonly tokens?: RateLimit | undefined
  readonly inputTokens?: RateLimit | undefined
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
 * @category models
 * @since 0.1.0
 */
export interface Warning {
  /** The request field or part concerned, such as `thinking` or `cache`. */
  readonly field: string
  readonly message: string
}

/**
 * An attempt that a policy made before the one that answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface PriorAttempt {
  readonly provider: string
  readonly model: string
  /** Tag of the reason it failed with. */
  readonly reason: string
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
 * @category models
 * @since 0.1.0
 */
export interface Fields {
  readonly parts: ReadonlyArray<Message.Part>
  readonly finishReason: FinishReason
  readonly rawFinishReason?: string | undefined
  readonly usage: Usage
  readonly id?: string | undefined
  /** The model that answered, as the provider names it, else the one asked for. */
  readonly model: string
  readonly provider: string
  readonly label?: string | undefined
  /** The provider's request id, for support. */
  readonly requestId?: string | undefined
  readonly rateLimits?: RateLimits | undefined
  /** US dollars, when the price is known. */
  readonly cost?: number | undefined
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
 * @category models
 * @since 0.1.0
 */
export class LlmResponse implements Fields {
  declare readonly parts: ReadonlyArray<Message.Part>
  declare readonly finishReason: FinishReason
  declare readonly rawFinishReason?: string | undefined
  declare readonly usage: Usage
  declare readonly id?: string | undefined
  declare readonly model: string
  declare readonly provider: string
  declare readonly label?: string | undefined
  declare readonly requestId?: string | undefined
  declare readonly rateLimits?: RateLimits | undefined
  declare readonly cost?: number | undefined
  declare readonly warnings: ReadonlyArray<Warning>
  declare readonly priorAttempts?: ReadonlyArray<PriorAttempt> | undefined
  declare readonly logprobs?: Json | undefined
  declare readonly extra?: { readonly [key: string]: Json } | undefined
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

const FieldsSchema: Schema.Codec<Fields> = Schema.Struct({
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
  warnings: Schema.Array(Schema.Struct({ field: Schema.String, message: Schema.String })),
  priorAttempts: Schema.optional(Schema.Array(Schema.Struct({
    provider: Schema.String,
    model: Schema.String,
    reason: Schema.String,
    durationMillis: Schema.optional(Schema.Finite),
    message: Schema.optional(Schema.String),
    requestId: Schema.optional(Schema.String),
    isRetryable: Schema.optional(Schema.Boolean),
    retryAfterMillis: Schema.optional(Schema.Finite)
  }))),
  logprobs: Schema.optional(Schema.Json),
  extra: Schema.optional(Message.JsonObject),
  raw: Schema.optional(Schema.Json)
})

/**
 * Schema of the plain fields, for storing answers; `new LlmResponse(fields)` brings one back.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fields: Schema.Codec<Fields> = FieldsSchema

// =============================================================================
// Fold
// =============================================================================

/**
 * Folds the events of one stream to its response; `undefined` when no `Finish` came.
 *
 * @category fold
 * @since 0.1.0
 */
export const fold = (events: Iterable<LlmEvent>): LlmResponse | undefined => {
  const parts = new PartsFold()
  for (const event of events) {
    if (event._tag === "Finish") return event.response.with({ parts: parts.parts() })
    parts.add(event)
  }
  return undefined
}

/**
 * The events that replay a stored answer as a stream.
 *
 * @category fold
 * @since 0.1.0
 */
export const toEvents = (response: LlmResponse): Array<LlmEvent> => {
  const events: Array<LlmEvent> = [{ _tag: "ResponseStart", id: response.id, model: response.model }]
  response.parts.forEach((part, index) => {
    switch (part.type) {
      case "text":
        events.push({ _tag: "TextStart", index })
        if (part.text !== "") events.push({ _tag: "TextDelta", index, text: part.text })
        events.push({ _tag: "TextEnd", index, part })
        break
      case "reasoning":
        events.push({ _tag: "ReasoningStart", index })
        if (part.text !== "") events.push({ _tag: "ReasoningDelta", index, text: part.text })
        events.push({ _tag: "ReasoningEnd", index, part })
        break
      case "tool-call": {
        const { id, name } = part
        const delta = typeof part.arguments === "string" ? part.arguments : JSON.stringify(part.arguments)
        events.push({ _tag: "ToolCallStart", index, id, name })
        if (delta !== "") events.push({ _tag: "ToolCallDelta", index, id, delta })
        events.push({ _tag: "ToolCallEnd", index, part })
        break
      }
      case "source":
        events.push({ _tag: "Source", index, part })
        break
      case "server-tool":
        events.push({ _tag: "ServerTool", index, part })
        break
      case "image":
      case "audio":
      case "file":
        events.push({ _tag: "File", index, part })
        break
    }
  })
  events.push({ _tag: "UsageUpdate", usage: response.usage })
  events.push({ _tag: "Finish", response })
  return events
}
