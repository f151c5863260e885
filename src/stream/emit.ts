/**
 * What happens to a call, told to whoever listens: the events and the one-line hook policies emit them with.
 *
 * The hook looks up one reference; without a listener nothing is made. Publishing is synchronous and never waits, so it can
 * stand in any place of a policy. Who listens is `observe/Events`' business.
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
import * as Random from "effect/Random"
import type { ReasonTag } from "../LlmError.ts"
import type { CallScope, LlmRequest } from "../LlmRequest.ts"
import type { Usage } from "../LlmResponse.ts"
import type { JsonObject } from "../Message.ts"
import { shownName } from "./shownNames.ts"

/**
 * One party of an event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Candidate {
  readonly provider: string
  readonly model: string
}

/**
 * What happened, by `_tag`.
 *
 * @category models
 * @since 0.1.0
 */
export type EventDetail =
  | (Candidate & {
    readonly _tag: "ProviderCall"
    readonly operation: "generate" | "stream"
    readonly status: "finished" | "failed" | "interrupted"
    readonly durationMillis: number
  })
  | (Candidate & { readonly _tag: "TokenUsage"; readonly usage: Usage })
  | (Candidate & {
    readonly _tag: "CacheHit"
    /** `prompt` is the provider's cache of prompt prefixes, `response` the `Cache` policy's of whole answers. */
    readonly cache: "prompt" | "response"
    /** Input tokens that were not processed anew; of a whole answer its output as well. Absent when not known. */
    readonly tokensSaved?: number | undefined
  })
  | (Candidate & {
    readonly _tag: "CacheWrite"
    readonly cache: "prompt" | "response"
    readonly tokensWritten?: number | undefined
  })
  | (Candidate & {
    readonly _tag: "Retry"
    /** 1 for the first retry. */
    readonly retry: number
    readonly reason: ReasonTag
    readonly delayMillis: number
  })
  | {
    readonly _tag: "FailOver"
    readonly from: Candidate
    readonly to: Candidate
    readonly reason: ReasonTag
  }
  | { readonly _tag: "CircuitOpened"; readonly key: string; readonly retryAfterMillis?: number | undefined }
  | { readonly _tag: "CircuitClosed"; readonly key: string }
  | (Candidate & {
    readonly _tag: "CostRecorded"
    /** US dollars. */
    readonly cost: number
    /** `true` when the provider named it, `false` when it was computed from prices. */
    readonly billed: boolean
  })
  | (Candidate & {
    readonly _tag: "RequestFailed"
    readonly operation: "generate" | "stream"
    readonly reason: ReasonTag
    readonly status?: number | undefined
    readonly isRetryable: boolean
    /** Requests that were sent for the call. */
    readonly attempts: number
    readonly requestId?: string | undefined
  })

/**
 * What every event carries.
 *
 * @category models
 * @since 0.1.0
 */
export interface EventFields {
  /** Unique; a UUID. */
  readonly eventId: string
  readonly timestamp: DateTime.Utc
  /** From the request. */
  readonly scope?: CallScope | undefined
  readonly label?: string | undefined
  readonly metadata?: JsonObject | undefined
}

/**
 * An event.
 *
 * @category models
 * @since 0.1.0
 */
export type Event = EventDetail & EventFields

/**
 * Takes events. Must not throw and must not wait.
 *
 * @category models
 * @since 0.1.0
 */
export type Sink = (event: Event) => void

/**
 * Who listens to the calls of a fiber; nobody by default.
 *
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
  if (detail._tag === "FailOver") return { ...detail, from: named(detail.from), to: named(detail.to) }
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

/**
 * Emits an event if somebody listens; `detail` is called only then.
 *
 * @category emitting
 * @since 0.1.0
 */
export const emit = (about: About, detail: () => EventDetail): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const sink = fiber.getRef(EventSink)
    if (sink !== undefined) publish(sink, fiber, about, detail())
    return Effect.void
  })
