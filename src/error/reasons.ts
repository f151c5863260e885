/**
 * What a failure can be, one class per reason.
 *
 * Public through `LlmError`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { LlmResponse, PriorAttempt } from "../message/response.ts"
import { TaggedReason } from "./taggedReason.ts"

/**
 * Fields common to every reason.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ReasonFields {
  /** What happened, in one sentence; the provider's own words where it sent any. */
  readonly message: string
  /** Output received before the failure. */
  readonly partial?: LlmResponse | undefined
}

/**
 * Fields of reasons that a provider's answer gave.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ProviderFields extends ReasonFields {
  /** HTTP status; absent when the error came inside a 200 stream without one. */
  readonly status?: number | undefined
  /** The provider's error type, as sent. */
  readonly type?: string | undefined
  /** The provider's error code, as sent. */
  readonly code?: string | number | undefined
  /** The request field the provider complains about. */
  readonly param?: string | undefined
  /** The error body, scrubbed and capped. */
  readonly body?: string | undefined
  /** How long the provider asks to wait. */
  readonly retryAfter?: Duration.Duration | undefined
  /** The provider's own word on retrying (`x-should-retry`); it overrides the rule of the reason. */
  readonly shouldRetry?: boolean | undefined
}

/**
 * Options, environment or credentials are missing or wrong; nothing was sent.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class Configuration extends TaggedReason("Configuration")<
  ReasonFields & {
    /** The option or environment variable concerned. */
    readonly field?: string | undefined
  }
> {
  /** `false`: an option or a variable has to change first. */
  readonly isRetryable = false
}

/**
 * The request is not one the provider could answer. Without `status` it was refused before any I/O; with one, by the provider.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class Validation extends TaggedReason("Validation")<
  ProviderFields & {
    /** Path of the request field, such as `messages[2].content`. */
    readonly field?: string | undefined
  }
> {
  /** As the provider says (`shouldRetry`), else `false`: the same request is refused again. */
  get isRetryable(): boolean {
    return this.shouldRetry ?? false
  }
}

/**
 * The credential was rejected (401).
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class Authentication extends TaggedReason("Authentication")<ProviderFields> {
  /** `false`: another credential is needed. `Credentials` with `refresh` renew theirs once by themselves. */
  readonly isRetryable = false
}

/**
 * The credential may not do this (403).
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class PermissionDenied extends TaggedReason("PermissionDenied")<ProviderFields> {
  /** `false`: the account has to be given the right first. */
  readonly isRetryable = false
}

/**
 * No credit, no plan, or a spending limit or a limit per day or longer reached (402, or a 429 that means so). Waiting a moment does not help.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class QuotaExhausted extends TaggedReason("QuotaExhausted")<ProviderFields> {
  /** `false`: somebody has to pay, or a day has to pass. Another provider may answer. */
  readonly isRetryable = false
}

/**
 * Too many requests or tokens (429) for a limit that frees up soon: per second, minute or hour.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class RateLimit extends TaggedReason("RateLimit")<ProviderFields> {
  /** As the provider says (`shouldRetry`), else `true`, after `retryAfter` where that is given. */
  get isRetryable(): boolean {
    return this.shouldRetry ?? true
  }
}

/**
 * The provider is out of capacity (503 or 529 with that meaning, `overloaded_error`).
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class Overloaded extends TaggedReason("Overloaded")<ProviderFields> {
  /** As the provider says (`shouldRetry`), else `true`. */
  get isRetryable(): boolean {
    return this.shouldRetry ?? true
  }
}

/**
 * No such model, file or endpoint (404).
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class NotFound extends TaggedReason("NotFound")<ProviderFields> {
  /** `false`: the name has to change. */
  readonly isRetryable = false
}

/**
 * The request is too large, and `kind` says what for its cure: `tokens` (shorten the conversation, or ask a model with a larger
 * window), `bytes` (413; send media by URL or file id), or `media` (smaller, fewer or split images, documents, sounds).
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class ContextLength extends TaggedReason("ContextLength")<
  ProviderFields & {
    /** What there is too much of, and so what to do about it. */
    readonly kind: "tokens" | "bytes" | "media"
    /** The most that is taken, if said: tokens, bytes, or of a medium what its limit is of (bytes, pixels, pages, pieces, seconds). */
    readonly limit?: number | undefined
    /** What was sent, in the same unit, if said. */
    readonly actual?: number | undefined
  }
> {
  /** `false`: the request has to become smaller, or the model another. */
  readonly isRetryable = false
}

/**
 * The provider refuses the content.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class ContentPolicy extends TaggedReason("ContentPolicy")<ProviderFields> {
  /** `false`: the same content is refused again. */
  readonly isRetryable = false
}

/**
 * Whether a call that failed with an HTTP status may succeed later: 408, 409, 425, 429 and every 5xx, those of Cloudflare included.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isRetryableStatus = (status: number): boolean =>
  status === 408 || status === 409 || status === 425 || status === 429 || status >= 500

/**
 * The provider failed, in a way no other reason names.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class Provider extends TaggedReason("Provider")<ProviderFields> {
  /** As the provider says (`shouldRetry`), else by the status, see {@link isRetryableStatus}; `true` when there is none. */
  get isRetryable(): boolean {
    return this.shouldRetry ?? (this.status === undefined || isRetryableStatus(this.status))
  }
}

/**
 * What is wrong with a certificate stays wrong: https://nodejs.org/api/tls.html#x509-certificate-error-codes, and
 * `ERR_TLS_CERT_ALTNAME_INVALID` of https://nodejs.org/api/errors.html for another host's.
 */
const certificateCode = /CERT|^UNABLE_TO_|^CRL_|^(?:INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/

/**
 * The provider could not be reached, or the connection broke. Not worth another attempt when its certificate was not accepted.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class Network extends TaggedReason("Network")<
  ReasonFields & {
    /** The system's code, such as `ECONNREFUSED`. */
    readonly code?: string | undefined
  }
> {
  /** `true`, but for a certificate that was not accepted. */
  get isRetryable(): boolean {
    return this.code === undefined || !certificateCode.test(this.code)
  }
}

/**
 * A declared time limit passed.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class Timeout extends TaggedReason("Timeout")<
  ReasonFields & {
    /**
     * `connect` until the request is written, `firstToken` until the first content of a stream, `firstByte` between the headers and the
     * first byte of a whole answer, `idle` between signs of life, `total` for the whole call.
     */
    readonly phase: "connect" | "firstToken" | "firstByte" | "idle" | "total"
    /** The limit that passed. */
    readonly limit: Duration.Duration
  }
> {
  /** `true`: another attempt may be faster. Policies start over only what the caller has not seen yet. */
  readonly isRetryable = true
}

/**
 * A {@link Timeout} of a phase, with its message.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const timeout = (
  phase: Timeout["phase"],
  limit: Duration.Input,
  partial?: LlmResponse | undefined
): Timeout => {
  const duration = Duration.fromInputUnsafe(limit)
  const what = {
    connect: "The request did not get through",
    firstToken: "No content",
    firstByte: "Headers, but no byte of the answer",
    idle: "No sign of life",
    total: "No complete answer"
  }[phase]
  return new Timeout({ phase, limit: duration, partial, message: `${what} within ${Duration.format(duration)}.` })
}

/**
 * The provider's bytes are not what its API promises: HTML, broken JSON, an oversized frame.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class ResponseParse extends TaggedReason("ResponseParse")<
  ReasonFields & {
    /** HTTP status of the answer; absent for a frame of a stream. */
    readonly status?: number | undefined
    /** The beginning of what could not be read, scrubbed. */
    readonly snippet?: string | undefined
  }
> {
  /** `false`: whoever answered does not speak the API. */
  readonly isRetryable = false
}

/**
 * The stream ended before its terminal event.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class IncompleteStream extends TaggedReason("IncompleteStream")<ReasonFields> {
  /** `true`: the next answer may be whole. What had come is in `partial`. */
  readonly isRetryable = true
}

/**
 * The answer does not match the schema that was asked for.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class StructuredOutput extends TaggedReason("StructuredOutput")<
  ReasonFields & {
    /** The text that did not match. */
    readonly text: string
    /**
     * What is wrong: the answer is no JSON, it breaks the schema, the model declined to give one, or it ended at a limit on its length.
     *
     * @default "misfit"
     */
    readonly kind?: "not-json" | "misfit" | "refusal" | "length" | undefined
  }
> {
  /** `false` for policies; `generateObject` can ask again with what was wrong. */
  readonly isRetryable = false
}

/**
 * A tool call could not be carried out: unknown tool, arguments that do not decode, or a handler that failed.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class ToolFailure extends TaggedReason("ToolFailure")<
  ReasonFields & {
    /** The tool as the model called it. */
    readonly toolName: string
    /** Id of the call; absent when it belongs to none. */
    readonly toolCallId?: string | undefined
  }
> {
  /** `false`: a tool may have had an effect already. */
  readonly isRetryable = false
}

/**
 * A circuit breaker is open; nothing was sent.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class CircuitBreakerOpen extends TaggedReason("CircuitBreakerOpen")<
  ReasonFields & {
    /** Key of the circuit that is open. */
    readonly key: string
    /** Until the breaker lets a probe through; absent when that is not known. */
    readonly retryAfter?: Duration.Duration | undefined
  }
> {
  /** `false` for `Retry`, which would only meet it again; `Fallback` goes to the next candidate at once. */
  readonly isRetryable = false
}

/**
 * A bounded queue is full, or a call waited in it past its deadline; nothing was sent.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class QueueFull extends TaggedReason("QueueFull")<
  ReasonFields & {
    /** When there may be room; absent when that is not known. */
    readonly retryAfter?: Duration.Duration | undefined
  }
> {
  /** `false`: more attempts would only fill the queue. */
  readonly isRetryable = false
}

/**
 * A budget does not allow the call; nothing was sent.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class BudgetExceeded extends TaggedReason("BudgetExceeded")<
  ReasonFields & {
    /** Account that has no room: what the budget counts by and the id, such as `user:42`. */
    readonly scope: string
    /** US dollars. */
    readonly limit: number
    /** US dollars spent or reserved. */
    readonly spent: number
  }
> {
  /** `false`: the period has to end, or the limit to rise. */
  readonly isRetryable = false
}

/**
 * Every candidate of a fallback failed. The same call may succeed later if it may at one of them; `retryAfter` is when the first of
 * those that named a time can be asked again.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export class FallbackExhausted extends TaggedReason("FallbackExhausted")<
  ReasonFields & {
    /** One entry per failed attempt, oldest first. */
    readonly attempts: ReadonlyArray<PriorAttempt>
    /** Until the first of those that named a time can be asked again; absent when none did. */
    readonly retryAfter?: Duration.Duration | undefined
  }
> {
  /** Whether one of the candidates may answer later. */
  get isRetryable(): boolean {
    return this.attempts.some((attempt) => attempt.isRetryable === true)
  }
}

/**
 * Everything `LlmError.reason` can be.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export type Reason =
  | Configuration
  | Validation
  | Authentication
  | PermissionDenied
  | QuotaExhausted
  | RateLimit
  | Overloaded
  | NotFound
  | ContextLength
  | ContentPolicy
  | Provider
  | Network
  | Timeout
  | ResponseParse
  | IncompleteStream
  | StructuredOutput
  | ToolFailure
  | CircuitBreakerOpen
  | QueueFull
  | BudgetExceeded
  | FallbackExhausted

/**
 * Tags of {@link Reason}.
 *
 * @stability stable
 * @category reasons
 * @since 0.1.0
 */
export type ReasonTag = Reason["_tag"]
