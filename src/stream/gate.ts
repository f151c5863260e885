/**
 * The commit gate: attempts until one has shown content, then that one untouched.
 *
 * Every policy that may start over stands on it. Events of an attempt are held back until the first content event or
 * `Finish` and then released in one array; a failure before that closes the attempt's scope, and with it the
 * connection, and asks the policy what comes next. Afterwards the attempt's own pull is handed through: nothing is done per
 * event, and per array only a look at its last event when earlier attempts have to be noted on the response. A whole answer
 * has no commit: nothing was seen before it failed. No fiber is made.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { IncompleteStream, LlmError } from "../LlmError.ts"
import { isContent, type LlmEvent } from "../LlmEvent.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { PriorAttempt } from "../LlmResponse.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import type { Service } from "../LlmService.ts"
import { modelOf } from "../service/addressee.ts"
import { HasAlternative, Serving } from "../service/choosing.ts"
import { Activity } from "./activity.ts"
import { millisBy } from "./monotonic.ts"
import { CallNotes } from "./notes.ts"
import { type Events, type EventsPull, Relay, watched } from "./source.ts"

/**
 * The last array of a stream, with another response in its `Finish`.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const withResponse = (events: Events, response: LlmResponse): Events =>
  Arr.append(events.slice(0, -1), { _tag: "Finish", response })

/**
 * One try of a call.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Attempt {
  /** Who is asked. */
  readonly service: Service
  /** What is asked. */
  readonly request: LlmRequest
  /** Whether another candidate can be asked after this one. @default as whoever is around says */
  readonly hasAlternative?: boolean | undefined
}

/**
 * An attempt that failed before the caller saw anything of it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface FailedAttempt {
  /** The attempt that failed. */
  readonly attempt: Attempt
  /** As the service gave it, but counting all requests of the call so far. */
  readonly error: LlmError
  /** All failed attempts of the call, this one last. */
  readonly failed: ReadonlyArray<PriorAttempt>
}

/**
 * How one call goes: the first attempt, and what follows a failed one. `next` gives another attempt, after whatever
 * wait it needs, or fails with the error of the call.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Course {
  /** The attempt to begin with. */
  readonly first: Attempt
  /** The attempt that follows a failed one; failing here ends the call with that error. */
  readonly next: (failed: FailedAttempt) => Effect.Effect<Attempt, LlmError>
  /** Told at once when an attempt has committed, or has answered whole. */
  readonly onCommit?: ((attempt: Attempt) => void) | undefined
}

/**
 * A stream at its point of commit.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Committed {
  /** Everything up to and including the first content, or the whole of an answer without content. */
  readonly events: Events
  /** The rest. */
  readonly rest: EventsPull
}

/**
 * The error of a cause that is a failure only; defects and interruptions are nobody's to handle, and an end is no error.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const errorOf = (cause: Cause.Cause<LlmError | Cause.Done>): LlmError | undefined => {
  const [first] = cause.reasons
  if (first === undefined || !cause.reasons.every(Cause.isFailReason)) return undefined
  const { error } = first as Cause.Fail<LlmError | Cause.Done>
  return Cause.isDone(error) ? undefined : error
}

const commits = (event: LlmEvent): boolean => isContent(event) || event._tag === "Finish"

/**
 * An attempt's effect with what it should know: whether there is somebody else to ask, how many requests came before it, and which
 * candidate it is of.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const knowing = (
  { hasAlternative, service }: Attempt,
  earlier: number
) =>
<A>(effect: Effect.Effect<A, LlmError>): Effect.Effect<A, LlmError> => {
  const told = hasAlternative === true ? Effect.provideService(effect, HasAlternative, true) : effect
  if (hasAlternative === undefined && earlier === 0) return told
  return Effect.withFiber((fiber) => {
    const around = fiber.getRef(CallNotes)
    const { label, model, provider } = service.info
    return Effect.provideService(told, CallNotes, {
      ...around,
      attempt: around.attempt + earlier,
      ...(hasAlternative === undefined ? undefined : { candidate: label ?? `${provider}/${model}` })
    })
  })
}

/**
 * Runs an attempt's stream up to its first content or `Finish`; everything it opens lives in `scope`, which is the caller's
 * to close. A stream that ends with neither fails with `IncompleteStream`.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const untilCommit = (attempt: Attempt, scope: Scope.Scope): Effect.Effect<Committed, LlmError> =>
  Effect.withFiber((fiber) => {
    const activity = fiber.getRef(Activity)
    const serving = fiber.getRef(Serving)
    const held: Array<LlmEvent> = []
    return Effect.flatMap(
      Channel.toPullScoped(attempt.service.stream(attempt.request).channel, scope),
      (rest) => {
        const step: Effect.Effect<Committed, LlmError> = Pull.matchEffect(rest, {
          onSuccess: (events) => {
            if (events.some(commits)) {
              serving?.(attempt.service.info)
              return Effect.succeed({
                events: held.length === 0 ? events : Arr.appendAll(held, events),
                rest
              })
            }
            activity.touch()
            for (const event of events) {
              // Of counts that follow each other the last says everything; a server can send them for ever.
              if (event._tag === "UsageUpdate" && held.at(-1)?._tag === "UsageUpdate") held[held.length - 1] = event
              else held.push(event)
            }
            return step
          },
          onFailure: Effect.failCause,
          onDone: () => Effect.fail(endedEarly(attempt))
        })
        return step
      }
    )
  })

/**
 * The error of a stream that ended without `Finish`.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const endedEarly = ({ request, service }: Attempt): LlmError =>
  new LlmError({
    provider: service.info.provider,
    model: modelOf(request, service.info),
    label: request.label ?? service.info.label,
    operation: "stream",
    reason: new IncompleteStream({ message: "The stream ended before it began." }),
    attempts: 1
  })

const maxMessageLength = 500

/**
 * What is remembered of a failed attempt.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const priorAttempt = (error: LlmError, durationMillis: number): PriorAttempt => {
  const { message } = error.reason
  const { requestId, retryAfter } = error
  return {
    provider: error.provider,
    model: error.model,
    reason: error.reason._tag,
    durationMillis,
    message: message.length > maxMessageLength ? `${message.slice(0, maxMessageLength).toWellFormed()}…` : message,
    isRetryable: error.isRetryable,
    ...(requestId === undefined ? undefined : { requestId }),
    ...(retryAfter === undefined ? undefined : { retryAfterMillis: Duration.toMillis(retryAfter) })
  }
}

/**
 * What a call remembers of its attempts.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Journal {
  readonly failed: Array<PriorAttempt> = []
  private requests = 0
  private startedAt: number
  private readonly clock: Clock.Clock
  private readonly activity: Activity

  constructor(clock: Clock.Clock, activity: Activity) {
    this.clock = clock
    this.activity = activity
    this.startedAt = millisBy(clock)
  }

  /** Requests of the attempts that failed. */
  get sent(): number {
    return this.requests
  }

  start(): void {
    this.startedAt = millisBy(this.clock)
  }

  fail(attempt: Attempt, error: LlmError): FailedAttempt {
    this.activity.rest()
    this.requests += error.attempts
    if (error.reason._tag === "FallbackExhausted") {
      this.failed.push(...error.reason.attempts)
    } else {
      this.failed.push(priorAttempt(error, millisBy(this.clock) - this.startedAt))
    }
    return {
      attempt,
      error: this.requests === error.attempts ? error : error.with({ attempts: this.requests }),
      failed: this.failed.slice()
    }
  }

  /** The failure of a committed attempt, counting the earlier ones. */
  late(error: LlmError): LlmError {
    return error.with({ attempts: this.requests + error.attempts })
  }

  onResponse(response: LlmResponse): LlmResponse {
    return this.failed.length === 0
      ? response
      : response.with({ priorAttempts: [...this.failed, ...response.priorAttempts ?? []] })
  }

  onEvents(events: Events): Events {
    const last = events[events.length - 1]!
    return last._tag === "Finish" && this.failed.length > 0
      ? withResponse(events, this.onResponse(last.response))
      : events
  }

  onRest(rest: EventsPull): EventsPull {
    return this.failed.length === 0 ? rest : watched(rest, {
      onEvents: (events) => {
        const noted = this.onEvents(events)
        return noted === events ? undefined : Effect.succeed(noted)
      },
      onFailure: (cause) => {
        const error = errorOf(cause)
        return error === undefined ? undefined : Effect.fail(this.late(error))
      }
    })
  }
}

const journal = Effect.withFiber((fiber) =>
  Effect.succeed(new Journal(fiber.getRef(Clock.Clock), fiber.getRef(Activity)))
)

const stream = (begin: Effect.Effect<Course, LlmError>): Stream.Stream<LlmEvent, LlmError> =>
  Stream.fromChannel(
    Channel.fromTransform((_: unknown, scope: Scope.Scope) =>
      Effect.map(journal, (journal): EventsPull => {
        const run = (course: Course, attempt: Attempt): EventsPull =>
          Effect.suspend(() => {
            journal.start()
            const attemptScope = Scope.forkUnsafe(scope)
            return Effect.matchCauseEffect(
              knowing(attempt, journal.sent)(untilCommit(attempt, attemptScope)),
              {
                onSuccess: ({ events, rest }): EventsPull => {
                  relay.become(journal.onRest(rest))
                  course.onCommit?.(attempt)
                  return Effect.succeed(journal.onEvents(events))
                },
                onFailure: (cause): EventsPull =>
                  Effect.andThen(
                    Scope.close(attemptScope, Exit.failCause(cause)),
                    Effect.suspend(() => {
                      const error = errorOf(cause)
                      return error === undefined
                        ? Effect.failCause(cause)
                        : Effect.flatMap(course.next(journal.fail(attempt, error)), (next) => run(course, next))
                    })
                  )
              }
            )
          })
        const relay = new Relay(Effect.flatMap(begin, (course) => run(course, course.first)))
        return relay.pull
      })
    )
  )

const generate = (begin: Effect.Effect<Course, LlmError>): Effect.Effect<LlmResponse, LlmError> =>
  Effect.flatMap(journal, (journal) =>
    Effect.flatMap(begin, (course) => {
      const run = (attempt: Attempt): Effect.Effect<LlmResponse, LlmError> =>
        Effect.suspend(() => {
          journal.start()
          return Effect.matchCauseEffect(
            knowing(attempt, journal.sent)(attempt.service.generate(attempt.request)),
            {
              onSuccess: (response) => {
                course.onCommit?.(attempt)
                return Effect.succeed(journal.onResponse(response))
              },
              onFailure: (cause) => {
                const error = errorOf(cause)
                return error === undefined
                  ? Effect.failCause(cause)
                  : Effect.flatMap(course.next(journal.fail(attempt, error)), run)
              }
            }
          )
        })
      return run(course.first)
    }))

/**
 * A service whose calls go a course of attempts, `generate` and `stream` alike; everything else is the given service's.
 * `begin` runs once per call and makes what that call alone needs.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const withAttempts = (
  service: Service,
  begin: (request: LlmRequest, operation: "generate" | "stream") => Effect.Effect<Course, LlmError>
): Service => ({
  ...service,
  generate: (request) => generate(Effect.suspend(() => begin(request, "generate"))),
  stream: (request) => stream(Effect.suspend(() => begin(request, "stream")))
})
