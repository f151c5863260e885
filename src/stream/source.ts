/**
 * Pulls of events that can also be polled, so that what stands between the network and the consumer is one function call
 * per array and not an Effect per layer.
 *
 * Whoever makes a pull that can be polled gives it a `Source`; whoever wraps one asks for it and gives its own on.
 * A pull without a source, such as that of a service of the application, is run as the Effect it is. What a
 * source gives is an Effect too: an `Exit` where the outcome is known, anything else where an end has work to do.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import type { LlmError } from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"

/**
 * The arrays a stream of events is pulled in.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Events = readonly [LlmEvent, ...Array<LlmEvent>]

/**
 * The pull of a stream of events.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type EventsPull = Pull.Pull<Events, LlmError>

/**
 * Reads events without an Effect or a fiber of its own.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Source {
  /**
   * What comes next: an `Exit` where that is known already, work to be run where it takes some, as when nothing is open yet,
   * and `undefined` where it has to be waited for.
   */
  poll(): EventsPull | undefined
  /**
   * Calls back once with what comes next, unless what it returns is called before. For a source whose `poll` has just given
   * `undefined`; the same reader never waits twice at once.
   */
  next(resume: (next: EventsPull) => void): () => void
}

/** On the pull itself: a `WeakMap` would keep each one alive past the young collections. */
const sourceKey = Symbol("effect-llm/Source")

/**
 * The source of a pull, if it has one.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const sourceOf = (pull: EventsPull & { readonly [sourceKey]?: Source }): Source | undefined => pull[sourceKey]

/**
 * Whether what a source gave is an outcome and no work.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const isKnown = (next: EventsPull): next is Exit.Exit<Events, LlmError | Cause.Done> => Exit.isExit(next)

/**
 * The pull that reads a source.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const pullOf = (source: Source): EventsPull => {
  const wait: EventsPull = Effect.callback((resume) => Effect.sync(source.next(resume)))
  return Object.assign(Effect.suspend(() => source.poll() ?? wait), { [sourceKey]: source })
}

/**
 * A pull that begins as one and goes on as another, such as that of an attempt that has committed.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export class Relay implements Source {
  readonly pull: EventsPull
  private current: EventsPull
  private source: Source | undefined

  constructor(first: EventsPull) {
    this.current = first
    this.pull = pullOf(this)
  }

  become(pull: EventsPull): void {
    this.current = pull
    this.source = sourceOf(pull)
  }

  poll(): EventsPull | undefined {
    return this.source === undefined ? this.current : this.source.poll()
  }

  next(resume: (next: EventsPull) => void): () => void {
    return this.source!.next(resume)
  }
}

/** What `settle` makes of what a source gives. There is one reader at a time, so nothing is made anew for each wait. */
class Settled implements Source {
  private readonly source: Source
  private readonly settle: (next: EventsPull) => EventsPull
  private resume: ((next: EventsPull) => void) | undefined

  constructor(source: Source, settle: (next: EventsPull) => EventsPull) {
    this.source = source
    this.settle = settle
  }

  poll(): EventsPull | undefined {
    const next = this.source.poll()
    return next === undefined ? undefined : this.settle(next)
  }

  /** Called by the network, where nobody catches: what is thrown belongs to the reader's fiber. */
  private readonly onNext = (next: EventsPull): void => {
    let settled: EventsPull
    try {
      settled = this.settle(next)
    } catch (defect) {
      settled = Effect.die(defect)
    }
    this.resume!(settled)
  }

  next(resume: (next: EventsPull) => void): () => void {
    this.resume = resume
    return this.source.next(this.onNext)
  }
}

/** A pull of what `settle` makes of what another gives, or of that one itself where it cannot be polled. */
const onTopOf = (upstream: EventsPull, settle: (next: EventsPull) => EventsPull): EventsPull => {
  const source = sourceOf(upstream)
  return source === undefined ? Effect.suspend(() => settle(upstream)) : pullOf(new Settled(source, settle))
}

/**
 * What is done with what a pull gives.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Watch {
  /** Another pull in place of these events; `undefined` hands them through as they are. */
  readonly onEvents: (events: Events) => EventsPull | undefined
  /** In place of a failure, the end of the stream included; `undefined` hands it through. */
  readonly onFailure: (cause: Cause.Cause<LlmError | Cause.Done>) => EventsPull | undefined
}

/**
 * Looks at all that a pull gives, per array and not per event.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const watched = (upstream: EventsPull, { onEvents, onFailure }: Watch): EventsPull => {
  const run = (pull: EventsPull): EventsPull =>
    Effect.matchCauseEffect(pull, {
      onSuccess: (events) => onEvents(events) ?? Effect.succeed(events),
      onFailure: (cause) => onFailure(cause) ?? Effect.failCause(cause)
    })
  return onTopOf(
    upstream,
    (next) => isKnown(next) ? (Exit.isSuccess(next) ? onEvents(next.value) : onFailure(next.cause)) ?? next : run(next)
  )
}

/**
 * A pull whose effects get what `provide` provides. What is polled needs nothing.
 *
 * @stability experimental
 * @category combinators
 * @since 0.1.0
 */
export const provided = (upstream: EventsPull, provide: (pull: EventsPull) => EventsPull): EventsPull =>
  onTopOf(upstream, (next) => isKnown(next) ? next : provide(next))
