/**
 * A streamed answer: events of a call as frames of the client's wire.
 *
 * The headers are sent with the first content, so that whatever fails before has a status of its own, or when that takes too long.
 * From then on a failure is the error event of the wire. What is read of the provider waits until the client has taken what came
 * before; silence is broken by signs of life; a client that takes nothing for long, or hangs up, ends the call, unless its route lets it go
 * on to its end. What headers cannot say any more is a comment before the last frames, on wires of server-sent events.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { LlmError } from "../LlmError.ts"
import type { Headers } from "../protocol/Server.ts"
import { infosOf } from "../service/addressee.ts"
import { millisBy } from "../stream/monotonic.ts"
import { type Call, failed, failedEvent } from "./call.ts"
import { attemptsHeader, attemptsIn, servedBy, warningsHeader } from "./headers.ts"
import { brokenBy, isBeginning, isSse, Writing } from "./writing.ts"

/**
 * How a stream is kept up.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Keeping {
  readonly heartbeat: Duration.Input
  readonly firstContent: Duration.Input
  readonly stallMillis: number
  /** Where calls live that go on without their client. */
  readonly scope: Scope.Scope
}

/** How a stream ended: whole, broken off, or left alone by its client. */
type Ending = "200" | "cut" | "hangup"

type Frames = Queue.Queue<Uint8Array, Cause.Done>

const encoder = new TextEncoder()

/** Who answers, as far as it is known when the stream begins. */
const beginning = (call: Call, model: string | undefined): Headers => {
  const [first] = infosOf(call.service)
  const moved = call.events.findLast((event) => event._tag === "FailOver")
  const by = moved?._tag === "FailOver"
    ? moved.to
    : { provider: first.provider, model: call.request.model ?? first.model }
  const label = infosOf(call.service).find((info) => info.provider === by.provider && info.model === by.model)?.label
  const attempts = attemptsIn(call.events)
  return {
    ...servedBy({ provider: by.provider, model: model ?? by.model, label: label ?? first.label }),
    ...(attempts.length === 0 ? undefined : attemptsHeader(attempts)),
    ...warningsHeader(call.dropped)
  }
}

/** How far a stream has come. */
interface State {
  begun: boolean
  /** Nothing was written since the last look. */
  quiet: boolean
  /** The client has gone, and the call goes on. */
  alone: boolean
}

/** Breaks silence, and off a stream of which nothing is taken. */
const heartbeat = (
  frames: Frames,
  state: State,
  ping: Uint8Array | undefined,
  { heartbeat, stallMillis }: Keeping,
  breakOff: () => void
): Effect.Effect<void> =>
  Effect.flatMap(Clock.Clock, (clock) => {
    let fullSince: number | undefined
    return Effect.sleep(heartbeat).pipe(
      Effect.andThen(Effect.sync(() => {
        const now = millisBy(clock)
        const full = Queue.isFullUnsafe(frames)
        fullSince = full ? fullSince ?? now : undefined
        if (fullSince !== undefined && now - fullSince >= stallMillis) return breakOff()
        if (!full && state.begun && state.quiet && ping !== undefined) Queue.offerUnsafe(frames, ping)
        state.quiet = true
      })),
      Effect.forever
    )
  })

/**
 * A streamed answer. `onEnd` is told once how it ended, after the call is over.
 *
 * @stability experimental
 * @category responses
 * @since 0.1.0
 */
export const streamed = (
  call: Call,
  keeping: Keeping,
  onEnd: (ending: Ending) => Effect.Effect<void>,
  onBegin: Effect.Effect<void>
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, Scope.Scope> =>
  Effect.gen(function*() {
    const own = yield* Effect.scope
    const fiber = yield* Effect.withFiber((fiber) => Effect.succeed(fiber))
    const frames: Frames = yield* Queue.bounded<Uint8Array, Cause.Done>(1)
    const begun = yield* Deferred.make<void, LlmError>()
    const writing = new Writing(call)
    const state: State = { begun: false, quiet: false, alone: false }
    let held = ""

    const offer = (text: string): Effect.Effect<unknown> => {
      if (state.alone || text === "") return Effect.void
      state.quiet = false
      return Queue.offer(frames, encoder.encode(text))
    }
    const begin = Effect.suspend(() => {
      if (state.begun) return Effect.void
      state.begun = true
      return Effect.andThen(Deferred.succeed(begun, undefined), onBegin)
    })

    const reading = call.service.stream(call.request).pipe(
      Stream.runForEachArray((events) =>
        Effect.suspend(() => {
          const text = writing.text(events)
          if (state.begun) return offer(text)
          held += text
          if (!events.some(isBeginning)) return Effect.void
          const first = held
          held = ""
          return Effect.andThen(begin, offer(first))
        })
      ),
      call.listening,
      Effect.catchDefect(brokenBy),
      Effect.matchEffect({
        onSuccess: () =>
          Effect.suspend((): Effect.Effect<Ending> =>
            Effect.as(
              writing.finished === undefined ? Effect.void : Effect.ignoreCause(call.onAnswer(writing.finished)),
              state.alone ? "hangup" : "200"
            )
          ),
        onFailure: (error) =>
          Effect.suspend((): Effect.Effect<Ending> => {
            if (!state.begun) return Effect.as(Deferred.fail(begun, error), "cut")
            return Effect.as(offer(held + failedEvent(call, error, writing.sent)), "cut")
          })
      }),
      Effect.tap(() => Queue.end(frames)),
      Effect.onExit((exit) => onEnd(exit._tag === "Success" ? exit.value : "hangup"))
    )

    if (call.target.route?.onDisconnect === "continue") {
      yield* Effect.forkIn(reading, keeping.scope)
      yield* Effect.addFinalizer(() =>
        Effect.suspend(() => {
          state.alone = true
          return Queue.shutdown(frames)
        })
      )
    } else {
      yield* Effect.forkIn(reading, own)
    }
    const ping = isSse(call) ? pingOf(call) : undefined
    yield* Effect.forkIn(heartbeat(frames, state, ping, keeping, () => fiber.interruptUnsafe()), own)

    const opened = yield* Effect.exit(Effect.timeoutOrElse(Deferred.await(begun), {
      duration: keeping.firstContent,
      orElse: () =>
        Effect.suspend(() => {
          const text = held
          held = ""
          return Effect.andThen(
            begin,
            Effect.sync(() => void (text === "" || Queue.offerUnsafe(frames, encoder.encode(text))))
          )
        })
    }))
    if (opened._tag === "Failure") {
      const [reason] = opened.cause.reasons
      if (reason?._tag === "Fail") return yield* failed(call, reason.error, call)
      return yield* Effect.failCause(opened.cause as Cause.Cause<never>)
    }
    const { context, headers, wire } = call
    return HttpServerResponse.stream(Stream.fromQueue(frames), {
      contentType: wire.streamContentType(context),
      headers: {
        ...wire.headers(context),
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        ...headers,
        ...beginning(call, writing.model)
      }
    })
  })

const pingOf = ({ wire }: Call): Uint8Array => typeof wire.ping === "string" ? encoder.encode(wire.ping) : wire.ping
