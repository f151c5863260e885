/**
 * What happens to a call, told to whoever listens: the events and the one-line hook policies emit them with.
 *
 * Two listen: a sink, if there is one, and Effect's loggers, if their level lets the line through. The hook looks up three
 * references; when neither listens nothing is made. Publishing is synchronous and never waits, so it can stand in any place of a
 * policy. Who the sink is, is `observe/Events`' business.
 *
 * @example
 * ```ts
 * yield* emit(request, () => ({ _tag: "CircuitOpened", key, retryAfterMillis: 30_000 }))
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as LogLevel from "effect/LogLevel"
import * as Random from "effect/Random"
import { MinimumLogLevel } from "effect/References"
import type { ReasonTag } from "../LlmError.ts"
import type { CallScope, LlmRequest } from "../LlmRequest.ts"
import type { Usage } from "../LlmResponse.ts"
import type { JsonObject } from "../Message.ts"
import { shownName } from "./shownNames.ts"

/**
 * One party of an event.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Candidate {
  /** Provider id, such as `anthropic`. */
  readonly provider: string
  /** Id of the model that is asked. */
  readonly model: string
}

/**
 * Where two requests begin to differ, in the order in which providers read them: model, tools, system prompt, messages.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface PrefixDifference {
  /** What differs; `options` are those that providers key their cache by. */
  readonly in: "model" | "tools" | "system" | "messages" | "options"
  /** Of the message or the tool, from 0. */
  readonly index?: number | undefined
  /** Of the part of the message, from 0. */
  readonly part?: number | undefined
  /** The field of it, such as `role` or `text`. */
  readonly field?: string | undefined
  /** Of the first character of the field that differs, in UTF-16 units, from 0. */
  readonly character?: number | undefined
}

/**
 * What happened, by `_tag`.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type EventDetail =
  | (Candidate & {
    readonly _tag: "ProviderCall"
    /** Whether a whole answer or a stream was asked for. */
    readonly operation: "generate" | "stream"
    /** How the attempt ended; `interrupted` when nobody wanted its answer any more. */
    readonly status: "finished" | "failed" | "interrupted"
    /** Milliseconds from the start of the attempt to its end. */
    readonly durationMillis: number
  })
  | (Candidate & {
    readonly _tag: "TokenUsage"
    /** Token counts of the answer, as the provider gave them. */
    readonly usage: Usage
  })
  | (Candidate & {
    readonly _tag: "CacheHit"
    /** `prompt` is the provider's cache of prompt prefixes, `response` the `Cache` policy's of whole answers. */
    readonly cache: "prompt" | "response"
    /** Input tokens that were not processed anew; of a whole answer its output as well. Absent when not known. */
    readonly tokensSaved?: number | undefined
  })
  | (Candidate & {
    readonly _tag: "CacheWrite"
    /** `prompt` is the provider's cache of prompt prefixes, `response` the `Cache` policy's of whole answers. */
    readonly cache: "prompt" | "response"
    /** Input tokens that were stored; absent when not known. */
    readonly tokensWritten?: number | undefined
  })
  | (Candidate & {
    readonly _tag: "Retry"
    /** 1 for the first retry. */
    readonly retry: number
    /** Tag of the reason that the attempt before failed with. */
    readonly reason: ReasonTag
    /** Milliseconds until the retry is sent. */
    readonly delayMillis: number
  })
  | {
    readonly _tag: "FailOver"
    /** Who failed. */
    readonly from: Candidate
    /** Who is asked next. */
    readonly to: Candidate
    /** Tag of the reason it failed with. */
    readonly reason: ReasonTag
  }
  | {
    readonly _tag: "CircuitOpened"
    /** Key of the circuit, as the policy's options gave it. */
    readonly key: string
    /** Milliseconds until a probe is let through; absent when not known. */
    readonly retryAfterMillis?: number | undefined
  }
  | {
    readonly _tag: "CircuitClosed"
    /** Key of the circuit, as the policy's options gave it. */
    readonly key: string
  }
  | (Candidate & {
    /** A candidate is left out for a while. */
    readonly _tag: "Benched"
    /** Tag of the reason it failed with. */
    readonly reason: ReasonTag
    /** Milliseconds for which it is left out. */
    readonly benchMillis: number
  })
  | (Candidate & {
    /** A call waited for a policy longer than {@link EventLog} calls slow. */
    readonly _tag: "Waited"
    /** Such as `Concurrency` or `RateLimit`. */
    readonly policy: string
    /** Milliseconds that the call waited. */
    readonly waitMillis: number
  })
  | (Candidate & {
    /** A policy turned a call away; nothing was sent for it. Only in the log: subscribers are told by `RequestFailed`. */
    readonly _tag: "Rejected"
    /** Such as `Concurrency` or `Budget`. */
    readonly policy: string
    /** Tag of the reason the caller gets. */
    readonly reason: ReasonTag
    /** What of the policy it was, such as `full`, `late`, `limit`. */
    readonly cause?: string | undefined
    /** Milliseconds until it may be let through; absent when not known. */
    readonly retryAfterMillis?: number | undefined
  })
  | {
    /** A second request was sent because the first was slow. */
    readonly _tag: "Hedged"
    /** Who was slow. */
    readonly from: Candidate
    /** Who was asked as well. */
    readonly to: Candidate
    /** Milliseconds that the first had been waited for. */
    readonly delayMillis: number
  }
  | (Candidate & {
    /** A key was taken out of its pool: the next call uses another. */
    readonly _tag: "KeyRemoved"
    /** A hash; never the key. */
    readonly key: string
    /** `benched` for a while, `dead` for good: refused as a credential. */
    readonly state: "benched" | "dead"
    /** Tag of the reason that the call with it failed with. */
    readonly reason: ReasonTag
    /** Milliseconds for which it is left out; absent when it is dead. */
    readonly benchMillis?: number | undefined
  })
  | (Candidate & {
    /** A credential was refused, and another got in its place. */
    readonly _tag: "KeyRenewed"
    /** Tag of the reason that the old credential was refused with. */
    readonly reason: ReasonTag
  })
  | (Candidate & {
    /** A warning of an answer: an option was left out, something was sent or read in another way than asked for. */
    readonly _tag: "Warning"
    /** The request field or part concerned, such as `thinking`. */
    readonly field: string
    /** What was done instead, and why. */
    readonly message: string
  })
  | {
    /** Arguments of a tool that did not decode were replaced. */
    readonly _tag: "ArgumentsRepaired"
    /** The tool as the model called it. */
    readonly toolName: string
    /** Id of the call. */
    readonly toolCallId: string
  }
  | (Candidate & {
    /** A prefix that was to be cached was not read from the provider's cache, again and again. */
    readonly _tag: "PromptCacheMissed"
    /** Misses in a row. */
    readonly misses: number
    /** Input tokens that were processed anew this time. */
    readonly tokensMissed: number
    /** Where the request first differs from the one before it; absent when it is an extension of it. */
    readonly difference?: PrefixDifference | undefined
  })
  | {
    /** What an application's own policy tells. */
    readonly _tag: "Custom"
    /** What happened, in the emitter's own words; tells its events apart. */
    readonly name: string
    /** What the emitter adds, as plain JSON. @default nothing */
    readonly data?: JsonObject | undefined
  }
  | (Candidate & {
    readonly _tag: "CostRecorded"
    /** US dollars. */
    readonly cost: number
    /** `true` when the provider named it, `false` when it was computed from prices. */
    readonly billed: boolean
  })
  | (Candidate & {
    readonly _tag: "RequestFailed"
    /** Whether a whole answer or a stream was asked for. */
    readonly operation: "generate" | "stream"
    /** Tag of the reason the caller gets. */
    readonly reason: ReasonTag
    /** HTTP status of the provider's answer; absent when there was none. */
    readonly status?: number | undefined
    /** Whether the same call may succeed later. */
    readonly isRetryable: boolean
    /** Requests that were sent for the call. */
    readonly attempts: number
    /** The provider's request id, for support. */
    readonly requestId?: string | undefined
  })

/**
 * What every event carries.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface EventFields {
  /** Unique; a UUID. */
  readonly eventId: string
  /** When it happened, by the `Clock` of the call. */
  readonly timestamp: DateTime.Utc
  /** From the request; the label, where that has none, from the service. */
  readonly scope?: CallScope | undefined
  /** Label of the request, else of the service. */
  readonly label?: string | undefined
  /** The `metadata` of the request. */
  readonly metadata?: JsonObject | undefined
}

/**
 * An event.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Event = EventDetail & EventFields

/**
 * Takes events. Must not throw and must not wait.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Sink = (event: Event) => void

/**
 * Who listens to the calls of a fiber; nobody by default.
 *
 * @stability experimental
 * @category references
 * @since 0.1.0
 */
export const EventSink: Context.Reference<Sink | undefined> = Context.Reference<Sink | undefined>(
  "effect-llm/EventSink",
  { defaultValue: () => undefined }
)

/**
 * What an event takes from a request.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type About = Pick<LlmRequest, "scope" | "label" | "metadata">

/** A version 4 UUID. It only has to be unique, so the fiber's random numbers will do. */
const uuid = (random: Random.Random): string => {
  let hex = ""
  for (let i = 0; i < 4; i++) hex += Math.floor(random.nextDoubleUnsafe() * 0x1_0000_0000).toString(16).padStart(8, "0")
  const variant = "89ab"[Math.floor(random.nextDoubleUnsafe() * 4)] ?? "8"
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}

const named = (candidate: Candidate): Candidate => ({
  provider: candidate.provider,
  model: shownName(candidate.model)
})

/** A server names its model and its requests as it likes. */
const shown = (detail: EventDetail): EventDetail => {
  if (detail._tag === "FailOver" || detail._tag === "Hedged") {
    return { ...detail, from: named(detail.from), to: named(detail.to) }
  }
  if (!("model" in detail)) return detail
  const requestId = "requestId" in detail && detail.requestId !== undefined ? shownName(detail.requestId) : undefined
  return {
    ...detail,
    model: shownName(detail.model),
    ...(requestId === undefined ? undefined : { requestId })
  }
}

/**
 * Gives an event to a sink at once. Names in it are cut to 256 characters.
 *
 * @stability experimental
 * @category emitting
 * @since 0.1.0
 */
export const publish = (
  sink: Sink,
  fiber: Fiber.Fiber<unknown, unknown>,
  about: About,
  detail: EventDetail
): void =>
  sink({
    ...shown(detail),
    eventId: uuid(fiber.getRef(Random.Random)),
    timestamp: DateTime.makeUnsafe(fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()),
    ...(about.scope === undefined ? undefined : { scope: about.scope }),
    ...(about.label === undefined ? undefined : { label: about.label }),
    ...(about.metadata === undefined ? undefined : { metadata: about.metadata })
  })

// =============================================================================
// Log
// =============================================================================

/**
 * How events are logged.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface LogSettings {
  /** The level of the lines; `None` writes none. @default "Debug" */
  readonly level: LogLevel.Severity | "None"
  /** Waits for a policy of at least so many milliseconds are told. @default 1000 */
  readonly slowWaitMillis: number
}

const logSettings: LogSettings = { level: "Debug", slowWaitMillis: 1000 }

/**
 * How the events of a fiber's calls are logged: at `Debug`, which Effect's loggers leave out unless `MinimumLogLevel` says otherwise.
 *
 * @stability experimental
 * @category references
 * @since 0.1.0
 */
export const EventLog: Context.Reference<LogSettings> = Context.Reference<LogSettings>("effect-llm/EventLog", {
  defaultValue: () => logSettings
})

/** Fields of an event that are no annotation under their own name. */
const annotated = (about: About, detail: EventDetail): Record<string, unknown> => {
  const { _tag, ...fields } = shown(detail)
  const annotations: Record<string, unknown> = { event: _tag }
  if (about.label !== undefined) annotations["label"] = shownName(about.label)
  if (about.scope?.requestId !== undefined) annotations["scope.requestId"] = shownName(about.scope.requestId)
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (typeof value !== "object") annotations[key] = value
    else for (const [inner, field] of Object.entries(value)) annotations[`${key}.${inner}`] = field
  }
  return annotations
}

const words: { readonly [Tag in EventDetail["_tag"]]: string } = {
  ProviderCall: "A call has ended",
  TokenUsage: "Tokens were used",
  CacheHit: "Read from a cache",
  CacheWrite: "Written to a cache",
  Retry: "A call is tried again",
  FailOver: "Another candidate is asked",
  CircuitOpened: "A circuit has opened",
  CircuitClosed: "A circuit has closed",
  Benched: "A candidate is left out for a while",
  Waited: "A call waited for a policy",
  Rejected: "A policy turned a call away",
  Hedged: "A second request was sent",
  KeyRemoved: "A key was taken out of its pool",
  KeyRenewed: "A refused credential was replaced",
  Warning: "An answer has a warning",
  ArgumentsRepaired: "Arguments of a tool were replaced",
  PromptCacheMissed: "A prefix that was to be cached is missed again and again",
  Custom: "A policy of the application tells",
  CostRecorded: "A cost is known",
  RequestFailed: "A call has failed"
}

/**
 * What an event has beside request and detail.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface EmitOptions {
  /** Of the service, where the request has none. */
  readonly label?: string | undefined
  /** Of the log line, where it is not that of {@link EventLog}. */
  readonly level?: LogLevel.Severity | undefined
  /** Makes a line and no event, for what subscribers learn in another way. @default false */
  readonly logOnly?: boolean | undefined
}

/**
 * Emits an event if a sink or a logger takes it; `detail` is called only then, and once.
 *
 * @stability experimental
 * @category emitting
 * @since 0.1.0
 */
export const emit = (request: About, detail: () => EventDetail, options?: EmitOptions): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const sink = options?.logOnly === true ? undefined : fiber.getRef(EventSink)
    const settings = fiber.getRef(EventLog)
    const severity = settings.level === "None" ? undefined : options?.level ?? settings.level
    const logs = severity !== undefined && !LogLevel.isGreaterThan(fiber.getRef(MinimumLogLevel), severity)
    if (sink === undefined && !logs) return Effect.void
    const { label = options?.label, metadata, scope } = request
    const about: About = { label, metadata, scope }
    const made = detail()
    if (sink !== undefined) publish(sink, fiber, about, made)
    return logs
      ? Effect.annotateLogs(Effect.logWithLevel(severity)(`effect-llm: ${words[made._tag]}.`), annotated(about, made))
      : Effect.void
  })

/**
 * Tells of a wait, if it was a long one.
 *
 * @stability experimental
 * @category emitting
 * @since 0.1.0
 */
export const emitWait = (
  request: About,
  { label, ...candidate }: Candidate & Pick<EmitOptions, "label">,
  policy: string,
  waitMillis: number
): Effect.Effect<void> =>
  Effect.withFiber((fiber) =>
    waitMillis < fiber.getRef(EventLog).slowWaitMillis
      ? Effect.void
      : emit(request, () => ({ _tag: "Waited", ...candidate, policy, waitMillis }), { label })
  )
