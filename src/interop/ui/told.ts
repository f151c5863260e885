/**
 * What a user interface is told of an answer or a run: its events, the attempts that failed on the way, and how it failed, if it did.
 *
 * Retries and changes of provider are told as the policies tell of them, while they wait. Those that nobody told of here, because the
 * application listens to them itself further in, are told with the answer.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { AgentEvent } from "../../agent/Agent.ts"
import { isLlmError, type LlmError, type ReasonTag } from "../../LlmError.ts"
import type { LlmEvent } from "../../LlmEvent.ts"
import { type Candidate, type Event, EventSink } from "../../stream/emit.ts"

/**
 * An attempt that failed, whereupon another one was made.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface FailedAttempt {
  /**
   * `retry`: the same provider is asked again; `failover`: another one is; `continued`: another one goes on where this one broke off;
   * `step`: a step of a run begins anew; `attempt`: what was done about it is not known.
   */
  readonly what: "retry" | "failover" | "continued" | "step" | "attempt"
  /** Tag of the reason it failed with. */
  readonly reason: string
  /** Who failed. */
  readonly provider?: string | undefined
  /** The model that failed; absent when it is not to be told. */
  readonly model?: string | undefined
  /** Who is asked next. */
  readonly next?: Candidate | undefined
  /** How long is waited before. */
  readonly delayMillis?: number | undefined
}

/**
 * A failure in words for whoever sits before the screen: none of them a provider's.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface PublicFailure {
  /** Tag of the reason; `RunRefusal` for a run that could not be gone on with, `Failure` for anything else. */
  readonly reason: string
  /** What happened, in words that may be shown. */
  readonly message: string
  /** Whether the same may succeed later. */
  readonly isRetryable: boolean
  /** Milliseconds after which it may work; absent when not known. */
  readonly retryAfterMillis?: number | undefined
}

/**
 * One thing that is told.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Told<A> =
  | { readonly _tag: "Event"; readonly event: A }
  | { readonly _tag: "Attempt"; readonly attempt: FailedAttempt }
  /** `error` is what it failed with; absent for an end without an end and for what nobody expected. */
  | { readonly _tag: "Failed"; readonly failure: PublicFailure; readonly error?: unknown }

/**
 * Events of an answer, or of a run.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type AnyEvent = LlmEvent | AgentEvent

// =============================================================================
// Failures
// =============================================================================

const words: { readonly [tag in ReasonTag]: string } = {
  Configuration: "The model is not set up.",
  Validation: "The request was not valid.",
  Authentication: "The model could not be reached with these credentials.",
  PermissionDenied: "The model may not be used for this.",
  QuotaExhausted: "The quota is used up.",
  RateLimit: "There are too many requests at the moment.",
  Overloaded: "The model is overloaded at the moment.",
  NotFound: "The model was not found.",
  ContextLength: "The conversation is too long.",
  ContentPolicy: "The content was refused.",
  Provider: "The provider failed.",
  Network: "The connection to the model failed.",
  Timeout: "The model took too long.",
  ResponseParse: "The answer could not be read.",
  IncompleteStream: "The answer broke off.",
  StructuredOutput: "The answer was not of the form that was asked for.",
  ToolFailure: "A tool failed.",
  CircuitBreakerOpen: "The model is not available at the moment.",
  QueueFull: "There are too many requests at the moment.",
  BudgetExceeded: "The budget is used up.",
  FallbackExhausted: "No model could answer."
}

const ofError = ({ isRetryable, reason, retryAfter }: LlmError): PublicFailure => ({
  reason: reason._tag,
  message: words[reason._tag] ?? "The model failed.",
  isRetryable,
  ...(retryAfter === undefined ? undefined : { retryAfterMillis: Math.ceil(Duration.toMillis(retryAfter)) })
})

/**
 * What is said of a failure, whatever it is.
 *
 * @stability experimental
 * @category failures
 * @since 0.1.0
 */
export const publicFailure = (error: unknown): PublicFailure => {
  if (isLlmError(error)) return ofError(error)
  if (hasProperty(error, "_tag")) {
    if (error._tag === "RunFailed" && hasProperty(error, "error")) return publicFailure(error.error)
    if (error._tag === "RunRefusal") {
      return { reason: "RunRefusal", message: "The run cannot go on like this.", isRetryable: false }
    }
  }
  return { reason: "Failure", message: "Something went wrong.", isRetryable: false }
}

const broken: PublicFailure = { reason: "IncompleteStream", message: words.IncompleteStream, isRetryable: true }

// =============================================================================
// Attempts
// =============================================================================

const attemptOf = (event: Event): FailedAttempt | undefined => {
  switch (event._tag) {
    case "Retry":
      return {
        what: "retry",
        reason: event.reason,
        provider: event.provider,
        model: event.model,
        delayMillis: event.delayMillis
      }
    case "FailOver":
      return { what: "failover", reason: event.reason, ...event.from, next: event.to }
    default:
      return undefined
  }
}

/** Attempts that events themselves tell of. */
const attemptsIn = (event: AnyEvent, told: number): ReadonlyArray<FailedAttempt> => {
  switch (event._tag) {
    case "Continued":
      return [{ what: "continued", reason: event.reason, ...event.from, next: event.to }]
    case "AttemptStart":
      return [{ what: "step", reason: event.reason }]
    case "Finish":
      return (event.response.priorAttempts ?? []).slice(told).map(({ model, provider, reason }) => ({
        what: "attempt",
        reason,
        provider,
        model
      }))
    default:
      return []
  }
}

// =============================================================================
// Streams
// =============================================================================

/** Events that wait for a slow reader, who holds up the model then. */
const bufferSize = 64

const isLast = (event: AnyEvent, ofRun: boolean): boolean =>
  event._tag === "RunEnd" || (!ofRun && event._tag === "Finish")

/**
 * Tells of a stream of events. It never fails: a failure, a defect and an end without an end are the last that is told.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const told = <A extends AnyEvent, E, R>(events: Stream.Stream<A, E, R>): Stream.Stream<Told<A>, never, R> =>
  Stream.callback<Told<A>, never, R>(
    (queue) =>
      Effect.withFiber((fiber) => {
        const outer = fiber.getRef(EventSink)
        let attempts = 0
        let ofRun = false
        let ended = false
        const sink = (event: Event): void => {
          outer?.(event)
          const attempt = attemptOf(event)
          if (attempt === undefined) return
          attempts++
          Queue.offerUnsafe(queue, { _tag: "Attempt", attempt })
        }
        const isEnd = (event: A): boolean => {
          if (event._tag === "RunStart") ofRun = true
          return ended ||= isLast(event, ofRun)
        }
        const tell = (event: A): ReadonlyArray<Told<A>> => {
          const more = attemptsIn(event, attempts)
          if (event._tag === "Finish") attempts = 0
          else attempts += more.length
          return [...more.map((attempt): Told<A> => ({ _tag: "Attempt", attempt })), { _tag: "Event", event }]
        }
        const failed = (failure: PublicFailure, error?: unknown) =>
          Queue.offer(queue, { _tag: "Failed", failure, ...(error === undefined ? undefined : { error }) })
        return Effect.matchCauseEffect(
          Effect.provideService(
            // Nobody waits for what comes after the end.
            Stream.takeUntil(events, isEnd).pipe(
              Stream.runForEachArray((some) => Queue.offerAll(queue, some.flatMap(tell)))
            ),
            EventSink,
            sink
          ),
          {
            onSuccess: () => Effect.andThen(ended ? Effect.void : failed(broken), Queue.end(queue)),
            onFailure: (cause) => {
              const found = cause.reasons.find(Cause.isFailReason)
              return Effect.andThen(failed(publicFailure(found?.error), found?.error), Queue.end(queue))
            }
          }
        )
      }),
    { bufferSize }
  )
