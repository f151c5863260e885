/**
 * Time limits of a call: until the request is written, until the first content, between signs of life, for the whole.
 *
 * One watchdog per call and two clock readings per pulled array; nothing per event. The limits count only while the
 * consumer waits, so a slow consumer is never the provider's fault (`total` counts always). The idle limit begins
 * with the first sign of life: the wait for it is what `connect` and `firstToken` limit, and of a whole answer `total`, and
 * `firstByte` once the headers have come. When a limit passes, the pull is interrupted and its scope closed before
 * the error is given.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { LlmError, Timeout } from "../LlmError.ts"
import { isContent, type LlmEvent } from "../LlmEvent.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import { Activity } from "./activity.ts"
import { type Events, type EventsPull, isKnown, pullOf, type Source, sourceOf } from "./source.ts"

/**
 * A limit that passed.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Phase = Timeout["phase"]

/**
 * The limits a boundary can enforce; an absent one does not exist.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Limits = { readonly [K in Phase]?: Duration.Input | undefined }

/**
 * Makes the error of a limit; `partial` is there when whoever reads the network registered it.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type OnTimeout<E> = (phase: Phase, limit: Duration.Input, partial: LlmResponse | undefined) => E

/**
 * A limit in milliseconds; an absent one is infinite.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const millisOf = (limit: Duration.Input | undefined): number =>
  limit === undefined ? Infinity : Duration.toMillis(Duration.fromInputUnsafe(limit))

const ignore = () => {}

/** The clock of an application that has put no other in its place. */
const platformClock = Context.get(Context.empty(), Clock.Clock)

/** The longest time a timer of the platform can wait; a longer one would ring at once. */
const maxTimerMillis = 2 ** 31 - 1

/** Calls back after a time at the earliest; gives what prevents it. A timer costs a small part of a fiber that sleeps. */
const alarm = (
  millis: number,
  clock: Clock.Clock,
  context: Context.Context<never>,
  ring: () => void
): () => void => {
  if (clock === platformClock) {
    // @effect-diagnostics-next-line globalTimers:off
    const timer = setTimeout(ring, Math.min(millis, maxTimerMillis))
    return () => clearTimeout(timer)
  }
  // Whole milliseconds, because less than one may be lost in the clock's sum, and then no time would ever pass.
  const fiber = Effect.runForkWith(context)(Effect.andThen(Effect.sleep(Math.ceil(millis)), Effect.sync(ring)))
  return () => fiber.interruptUnsafe()
}

/** The limits of one running call. */
class Watchdog {
  readonly activity: Activity
  readonly context: Context.Context<never>
  expired: Phase | undefined
  /** Told when a limit passes while the consumer waits. */
  onExpire: (() => void) | undefined
  readPartial: (() => LlmResponse | undefined) | undefined

  private readonly clock: Clock.Clock
  private readonly start: number
  private readonly idle: number
  private readonly totalAt: number
  private readonly connect: number
  private readonly firstByte: number
  private connectAt: number
  private firstTokenAt: number
  private firstByteAt = Infinity
  /** When the last sign of life came; `undefined` while none is expected. */
  private aliveAt: number | undefined
  private wakesAt = Infinity
  private silence: () => void = ignore

  constructor(limits: Limits, context: Context.Context<never>, connectFromStart: boolean) {
    const outer = Context.get(context, Activity)
    this.clock = Context.get(context, Clock.Clock)
    this.start = this.now()
    this.idle = millisOf(limits.idle)
    this.totalAt = this.start + millisOf(limits.total)
    this.connect = millisOf(limits.connect)
    this.firstByte = millisOf(limits.firstByte)
    this.connectAt = connectFromStart ? this.start + this.connect : Infinity
    this.firstTokenAt = this.start + millisOf(limits.firstToken)
    this.activity = {
      connecting: () => {
        this.connects()
        outer.connecting()
      },
      writing: () => {
        // Not once the response has begun, which can be before the request is written.
        if (this.connectAt !== Infinity) this.connects()
        outer.writing()
      },
      written: () => {
        this.connectAt = Infinity
        outer.written()
      },
      connected: () => {
        this.connectAt = Infinity
        if (this.firstByte !== Infinity) {
          this.firstByteAt = this.now() + this.firstByte
          this.arm()
        }
        outer.connected()
      },
      touch: (at) => outer.touch(this.touch(at)),
      rest: () => {
        this.connectAt = Infinity
        this.firstByteAt = Infinity
        this.aliveAt = undefined
        outer.rest()
      },
      partialFrom: (read) => {
        this.readPartial = read
        outer.partialFrom(read)
      }
    }
    this.context = Context.add(context, Activity, this.activity)
  }

  /** Monotonic, because a corrected wall clock must not end a call. */
  private now(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe()) / 1e6
  }

  private connects(): void {
    if (this.connect === Infinity) return
    this.connectAt = this.now() + this.connect
    this.arm()
  }

  /** Gives the time it was, if it is known. */
  private touch(at: number | undefined): number | undefined {
    this.firstByteAt = Infinity
    if (this.idle === Infinity) return at
    this.aliveAt = at ?? this.now()
    this.arm()
    return this.aliveAt
  }

  /** The consumer begins to wait. */
  wait(onExpire: () => void): void {
    this.onExpire = onExpire
    if (this.aliveAt !== undefined) this.aliveAt = this.now()
    this.arm()
  }

  /** The consumer has what it waited for. */
  got(alive: boolean): void {
    this.onExpire = undefined
    if (alive && this.aliveAt === undefined) this.aliveAt = 0
  }

  committed(): void {
    this.firstTokenAt = Infinity
  }

  private nextAt(): number {
    if (this.onExpire === undefined) return this.totalAt
    const idleAt = this.aliveAt === undefined ? Infinity : this.aliveAt + this.idle
    return Math.min(this.connectAt, this.firstTokenAt, this.firstByteAt, this.totalAt, idleAt)
  }

  arm(): void {
    if (this.nextAt() < this.wakesAt) this.check()
  }

  private readonly check = (): void => {
    const at = this.nextAt()
    const now = this.now()
    if (at > now) {
      this.silence()
      this.wakesAt = at
      this.silence = at === Infinity ? ignore : alarm(at - now, this.clock, this.context, this.check)
      return
    }
    this.expired = now >= this.totalAt
      ? "total"
      : now >= this.connectAt
      ? "connect"
      : now >= this.firstTokenAt
      ? "firstToken"
      : now >= this.firstByteAt
      ? "firstByte"
      : "idle"
    this.onExpire?.()
  }

  readonly stop = (): void => {
    this.wakesAt = -Infinity
    this.silence()
  }
}

/** Waits for a fiber of `effect` or for a limit, whichever comes first. */
const guarded = <A, E, E2>(
  effect: Effect.Effect<A, E>,
  watchdog: Watchdog,
  settle: (exit: Exit.Exit<A, E>) => Effect.Effect<A, E>,
  expire: () => Effect.Effect<never, E2>
): Effect.Effect<A, E | E2> =>
  Effect.callback<A, E | E2>((resume) => {
    watchdog.arm()
    if (watchdog.expired !== undefined) return resume(expire())
    let over = false
    const fiber = Effect.runForkWith(watchdog.context)(effect)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return resume(settle(exit))
    watchdog.wait(() => {
      if (over) return
      over = true
      resume(Effect.andThen(Fiber.interrupt(fiber), Effect.suspend(expire)))
    })
    fiber.addObserver((exit) => {
      if (over) return
      over = true
      resume(settle(exit))
    })
    return Fiber.interrupt(fiber)
  })

/** A source with limits: as `guarded`, with one callback instead of a fiber. */
class GuardedSource implements Source {
  /** Opens what is read, until it is open. */
  private upstream: EventsPull
  private source: Source | undefined
  private resume: ((next: EventsPull) => void) | undefined
  private cancel: () => void = ignore
  private readonly watchdog: Watchdog
  private readonly settle: (exit: EventsExit) => EventsPull
  private readonly expire: () => Effect.Effect<never, LlmError>

  constructor(
    open: Effect.Effect<EventsPull, LlmError>,
    watchdog: Watchdog,
    settle: (exit: EventsExit) => EventsPull,
    expire: () => Effect.Effect<never, LlmError>
  ) {
    this.upstream = Effect.flatMap(open, (upstream) => {
      this.source = sourceOf(upstream)
      return this.upstream = upstream
    })
    this.watchdog = watchdog
    this.settle = settle
    this.expire = expire
  }

  /** Work that is left to do can take long, as opening or another attempt does, and has the limits too. */
  private readonly accept = (next: EventsPull): EventsPull =>
    isKnown(next) ? this.settle(next) : guarded(next, this.watchdog, this.settle, this.expire)

  poll(): EventsPull | undefined {
    if (this.watchdog.expired !== undefined) return this.expire()
    const next = this.source === undefined ? this.upstream : this.source.poll()
    return next === undefined ? undefined : this.accept(next)
  }

  /** Called by the network, where nobody catches: what is thrown belongs to the reader's fiber. */
  private readonly onNext = (next: EventsPull): void => {
    let accepted: EventsPull
    try {
      accepted = this.accept(next)
    } catch (defect) {
      accepted = Effect.die(defect)
    }
    this.resume!(accepted)
  }

  private readonly onExpire = (): void => {
    this.cancel()
    this.resume!(Effect.suspend(this.expire))
  }

  next(resume: (next: EventsPull) => void): () => void {
    this.resume = resume
    this.cancel = ignore
    this.watchdog.wait(this.onExpire)
    if (this.watchdog.expired !== undefined) return ignore
    return this.cancel = this.source!.next(this.onNext)
  }
}

const none = ({ connect, firstByte, firstToken, idle, total }: Limits): boolean =>
  connect === undefined && firstToken === undefined && firstByte === undefined && idle === undefined &&
  total === undefined

type EventsExit = Exit.Exit<Events, LlmError | Cause.Done>

/**
 * A stream from an upstream opened by the first pull, with limits enforced. `connect` begins with the pull when
 * `connectFromStart`, and otherwise only when the client tells that it connects, because only then it also tells the end.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const streamWithTimeouts = <R>(
  open: (scope: Scope.Scope) => Effect.Effect<EventsPull, LlmError, R>,
  limits: Limits,
  onTimeout: OnTimeout<LlmError>,
  connectFromStart = true
): Stream.Stream<LlmEvent, LlmError, R> =>
  Stream.fromChannel(
    Channel.fromTransform((_: unknown, scope: Scope.Scope) =>
      Effect.contextWith((context: Context.Context<R>) => {
        const watchdog = new Watchdog(limits, context as Context.Context<never>, connectFromStart)
        const upstreamScope = Scope.forkUnsafe(scope)
        const expire = () =>
          Effect.andThen(
            Scope.close(upstreamScope, Exit.void),
            Effect.suspend(() => {
              const phase = watchdog.expired!
              return Effect.fail(onTimeout(phase, limits[phase]!, watchdog.readPartial?.()))
            })
          )
        let committed = false
        const settle = (exit: EventsExit): EventsPull => {
          watchdog.got(Exit.isSuccess(exit))
          if (!Exit.isSuccess(exit)) {
            watchdog.stop()
            return exit
          }
          if (!committed && exit.value.some(isContent)) {
            committed = true
            watchdog.committed()
          }
          return exit
        }
        // Opening the upstream may itself take long, so it belongs to the first pull.
        const opening = open(upstreamScope) as Effect.Effect<EventsPull, LlmError>
        const pull = pullOf(new GuardedSource(opening, watchdog, settle, expire))
        return Effect.as(Scope.addFinalizer(scope, Effect.sync(watchdog.stop)), pull)
      })
    )
  )

/**
 * Enforces limits on a stream.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const withStreamTimeouts = (
  stream: Stream.Stream<LlmEvent, LlmError>,
  limits: Limits,
  onTimeout: OnTimeout<LlmError>
): Stream.Stream<LlmEvent, LlmError> =>
  none(limits) ? stream : streamWithTimeouts((scope) => Channel.toPullScoped(stream.channel, scope), limits, onTimeout)

/**
 * Enforces `total` on an effect, `connect` from when the client tells that it connects, `firstByte` from the response headers on,
 * and `idle` from the first sign of life its maker reports. `firstToken` is of streams: a whole answer has no first part.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const withEffectTimeouts = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  limits: Omit<Limits, "firstToken">,
  onTimeout: OnTimeout<E>
): Effect.Effect<A, E, R> =>
  none(limits) ? effect : Effect.contextWith((context: Context.Context<R>) => {
    const { connect, firstByte, idle, total } = limits
    const checked: Limits = { connect, firstByte, idle, total }
    const watchdog = new Watchdog(checked, context as Context.Context<never>, false)
    const expire = () => {
      const phase = watchdog.expired!
      return Effect.fail(onTimeout(phase, checked[phase]!, watchdog.readPartial?.()))
    }
    return Effect.ensuring(
      guarded(effect as Effect.Effect<A, E>, watchdog, (exit) => exit, expire),
      Effect.sync(watchdog.stop)
    )
  })
