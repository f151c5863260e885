/**
 * Something held for the length of a call: a permit, a reservation, a probe slot.
 *
 * It is taken before the call starts and given back exactly once, when the call has finished, failed, or been
 * interrupted or abandoned; of a stream that is at its last event or when its scope closes, not when it is opened.
 * Failures hand it back after the connection below is closed. Per pulled array there is one look at the last event,
 * per event nothing. No fiber is made.
 *
 * What is held and what an ending means is the policy's; retrying is the gate's.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import type { Service } from "../LlmService.ts"
import { modelOf } from "../service/addressee.ts"
import { emit } from "./emit.ts"
import { CallNotes } from "./notes.ts"
import { type Events, type EventsPull, provided, Relay, watched } from "./source.ts"

/**
 * How a call ended. `Abandoned` is an interruption, a consumer that stopped reading, or a defect.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Ending =
  | {
    readonly _tag: "Finished"
    /** The whole answer. */
    readonly response: LlmResponse
  }
  | {
    readonly _tag: "Failed"
    /** What the call failed with. */
    readonly error: LlmError.LlmError
  }
  | { readonly _tag: "Abandoned" }

/**
 * What is held for one call.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Hold {
  /** The request to send. */
  readonly request: LlmRequest
  /** Runs once, uninterruptibly. */
  readonly end: (ending: Ending) => Effect.Effect<void>
  /** Told of the events of a stream in the arrays in which they are pulled; must not throw and cannot wait. Of a whole answer there are none. */
  readonly onEvents?: ((events: Events) => void) | undefined
  /** How long the call was held back; its span says so. @default 0 */
  readonly queuedMillis?: number | undefined
}

/** What runs inside of a hold knows how long it was held back. */
const noting = (queuedMillis: number) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const around = fiber.getRef(CallNotes)
    return Effect.provideService(effect, CallNotes, { ...around, queuedMillis: around.queuedMillis + queuedMillis })
  })

/**
 * Makes an effect interruptible again where the caller was.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Takes what a call needs. Runs uninterruptibly; what waits in it goes through `restore`, and gives back what it
 * took when that is interrupted.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Begin = (
  request: LlmRequest,
  operation: "generate" | "stream",
  restore: Restore
) => Effect.Effect<Hold, LlmError.LlmError>

const abandoned: Ending = { _tag: "Abandoned" }

const endingOf = (cause: Cause.Cause<LlmError.LlmError>): Ending => {
  const fail = cause.reasons.find(Cause.isFailReason)
  return fail === undefined ? abandoned : { _tag: "Failed", error: fail.error }
}

/**
 * The error of a call that a policy turned away; no request was sent for it.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const rejection = (
  service: Service,
  request: LlmRequest,
  operation: "generate" | "stream",
  reason: LlmError.Reason
): LlmError.LlmError =>
  new LlmError.LlmError({
    provider: service.info.provider,
    model: modelOf(request, service.info),
    label: request.label ?? service.info.label,
    operation,
    reason,
    attempts: 0
  })

/**
 * Tells that a policy turned a call away, and fails with the {@link rejection}.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const turnedAway = (
  service: Service,
  request: LlmRequest,
  operation: "generate" | "stream",
  by: { readonly policy: string; readonly cause?: string | undefined },
  reason: LlmError.Reason
): Effect.Effect<never, LlmError.LlmError> => {
  const error = rejection(service, request, operation, reason)
  return Effect.andThen(
    emit(request, () => ({
      _tag: "Rejected",
      provider: error.provider,
      model: error.model,
      ...by,
      reason: reason._tag,
      ...(error.retryAfter === undefined ? undefined : { retryAfterMillis: Duration.toMillis(error.retryAfter) })
    }), { label: error.label, logOnly: true }),
    Effect.fail(error)
  )
}

const generate = (service: Service, begin: Begin, request: LlmRequest): Effect.Effect<LlmResponse, LlmError.LlmError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(begin(request, "generate", restore), (hold) =>
      Effect.onExit(
        restore(
          hold.queuedMillis === undefined || hold.queuedMillis <= 0
            ? Effect.suspend(() => service.generate(hold.request))
            : noting(hold.queuedMillis)(Effect.suspend(() => service.generate(hold.request)))
        ),
        (exit) => hold.end(Exit.isSuccess(exit) ? { _tag: "Finished", response: exit.value } : endingOf(exit.cause))
      ))
  )

const stream = (service: Service, begin: Begin, request: LlmRequest) =>
  Stream.fromChannel(
    Channel.fromTransform((_: unknown, scope: Scope.Scope) =>
      Effect.sync((): EventsPull => {
        let hold: Hold | undefined
        const end = (ending: Ending): Effect.Effect<void> =>
          Effect.suspend(() => {
            const held = hold
            hold = undefined
            return held === undefined ? Effect.void : Effect.uninterruptible(held.end(ending))
          })
        const watch = (upstream: EventsPull, upstreamScope: Scope.Closeable): EventsPull =>
          watched(upstream, {
            onEvents: (events) => {
              hold?.onEvents?.(events)
              const last = events[events.length - 1]!
              return last._tag === "Finish"
                ? Effect.as(end({ _tag: "Finished", response: last.response }), events)
                : undefined
            },
            onFailure: (cause) => {
              // `Finish` has come: what follows is the end of the stream.
              if (hold === undefined) return undefined
              const reason = cause.reasons.find(Cause.isFailReason)
              const ending: Ending = reason === undefined
                ? abandoned
                : { _tag: "Failed", error: Cause.isDone(reason.error) ? endedEarly(service, request) : reason.error }
              return Effect.andThen(
                Effect.uninterruptible(Effect.andThen(Scope.close(upstreamScope, Exit.failCause(cause)), end(ending))),
                Effect.failCause(cause)
              )
            }
          })
        const relay: Relay = new Relay(Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(begin(request, "stream", restore), (held) => {
            hold = held
            return Effect.flatMap(Scope.addFinalizer(scope, end(abandoned)), () => {
              const upstreamScope = Scope.forkUnsafe(scope)
              const opened = Effect.suspend(() =>
                Channel.toPullScoped(service.stream(held.request).channel, upstreamScope)
              )
              const { queuedMillis = 0 } = held
              const open = queuedMillis > 0
                ? Effect.map(noting(queuedMillis)(opened), (pull) => provided(pull, noting(queuedMillis)))
                : opened
              return restore(Effect.flatMap(open, (upstream) => {
                const pull = watch(upstream, upstreamScope)
                relay.become(pull)
                return pull
              }))
            })
          })
        ))
        return relay.pull
      })
    )
  )

/** The ending of a stream that broke the law. */
const endedEarly = (service: Service, request: LlmRequest): LlmError.LlmError =>
  rejection(
    service,
    request,
    "stream",
    new LlmError.IncompleteStream({ message: "The stream ended before its terminal event." })
  ).with({ attempts: 1 })

/**
 * A service whose calls hold something, `generate` and `stream` alike; everything else is the given service's.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const withHold = (service: Service, begin: Begin): Service => ({
  ...service,
  generate: (request) => generate(service, begin, request),
  stream: (request) => stream(service, begin, request)
})

/**
 * Who looks on at one call without a part in it. Its functions must not throw and cannot wait.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Observer {
  /** The events of a stream in the arrays in which they are pulled; of a whole answer there are none. */
  readonly onEvents?: ((events: Events) => void) | undefined
  /** How the call ended, once. */
  readonly onEnd?: ((ending: Ending) => void) | undefined
}

/**
 * A service whose calls are looked on at, `generate` and `stream` alike; `begin` runs once per call, before it.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const observed = (
  service: Service,
  begin: (request: LlmRequest, operation: "generate" | "stream") => Observer
): Service =>
  withHold(service, (request, operation) =>
    Effect.sync(() => {
      const { onEnd, onEvents } = begin(request, operation)
      return { request, onEvents, end: (ending) => Effect.sync(() => onEnd?.(ending)) }
    }))
