/**
 * The one holder of a run's state while it is driven: applies, stores, tells.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import type { LlmError } from "../../LlmError.ts"
import type { Message } from "../../Message.ts"
import * as Run from "../Run.ts"
import type { AgentEvent, Outcome } from "./events.ts"

/**
 * A run failed: the model could not be asked, a handler failed, or the state could not be stored. What was finished is in `state`,
 * from which the run can go on.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export class RunFailed<out E = never> extends Data.TaggedError("RunFailed")<{
  /** What the model, a handler or an option failed with. */
  readonly error: LlmError | E
  /** The run with all that is finished: give it as `state` to go on. */
  readonly state: Run.State
}> {
  /** What happened, in a sentence. */
  override get message(): string {
    const { error } = this
    const words = typeof error === "object" && error !== null && "message" in error ? String(error.message) : ""
    return `The run ${this.state.id} failed: ${words}`
  }
}

/**
 * Reaches into a run that is going on.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Control {
  /** Puts messages in between: the model reads them with its next step. */
  readonly steer: (...messages: ReadonlyArray<Message>) => Effect.Effect<void>
  /** Ends the run as soon as may be, with what is there. */
  readonly stop: (reason?: string) => Effect.Effect<void>
}

/** @stability experimental @category models @since 0.1.0 */
export interface HeldControl extends Control {
  readonly take: () => ReadonlyArray<Message>
  readonly stopped: Deferred.Deferred<string | undefined>
}

/**
 * Makes a {@link Control}.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const control: Effect.Effect<Control> = Effect.sync(() => {
  const stopped = Deferred.makeUnsafe<string | undefined>()
  let waiting: Array<Message> = []
  const held: HeldControl = {
    steer: (...messages) =>
      Effect.sync(() => {
        waiting.push(...messages)
      }),
    stop: (reason) => Effect.asVoid(Deferred.succeed(stopped, reason)),
    take: () => {
      const taken = waiting
      waiting = []
      return taken
    },
    stopped
  }
  return held
})

/** Takes events of a run. */
type Emit = (events: readonly [AgentEvent, ...Array<AgentEvent>]) => Effect.Effect<void>

/** The holder. @stability experimental @category running @since 0.1.0 */
export class Session {
  state: Run.State
  /** The attempt that readers were told of last. */
  announced = 0
  /** What was asked and run since this holder took the run over. */
  readonly made = { inferenceCalls: 0, toolCalls: 0 }
  readonly key: string | undefined
  readonly emit: Emit
  readonly held: HeldControl
  private readonly store: ((state: Run.State) => Effect.Effect<void, unknown, unknown>) | undefined
  private readonly lock = Semaphore.makeUnsafe(1)
  private storedRevision = -1

  constructor(
    state: Run.State,
    options: {
      readonly key: string | undefined
      readonly emit: Emit
      readonly held: HeldControl
      readonly store: ((state: Run.State) => Effect.Effect<void, unknown, unknown>) | undefined
    }
  ) {
    this.state = state
    this.key = options.key
    this.emit = options.emit
    this.held = options.held
    this.store = options.store
  }

  /** Stores the state as it is now, unless that was done. */
  readonly save: Effect.Effect<void, RunFailed<unknown>, unknown> = Effect.suspend(() => {
    const { store } = this
    if (store === undefined) return Effect.void
    return this.lock.withPermit(Effect.suspend(() => {
      const { state } = this
      if (state.revision <= this.storedRevision) return Effect.void
      return Effect.matchEffect(store(state), {
        onFailure: (error) => Effect.fail(new RunFailed({ error, state })),
        onSuccess: () =>
          Effect.sync(() => {
            this.storedRevision = state.revision
          })
      })
    }))
  })

  /** Applies, stores, and tells of bounds that come near. */
  apply(happened: Run.Happened): Effect.Effect<void, RunFailed<unknown> | Run.RunRefusal, unknown> {
    return Effect.suspend((): Effect.Effect<void, RunFailed<unknown> | Run.RunRefusal, unknown> => {
      const before = this.state
      const after = Run.apply(before, happened, { key: this.key })
      if (Result.isFailure(after)) return Effect.fail(after.failure)
      this.state = after.success
      const near = (after.success.near ?? []).filter((bound) => before.near?.includes(bound) !== true)
      const told = near.map((bound): AgentEvent => ({ _tag: "BoundNear", bound }))
      return Effect.andThen(this.save, told.length === 0 ? Effect.void : this.tell(told))
    })
  }

  /** Applies what may come too late, such as the result of a call after the run was stopped. */
  tryApply(happened: Run.Happened): Effect.Effect<boolean, RunFailed<unknown>, unknown> {
    return Effect.suspend(() => {
      const after = Run.apply(this.state, happened, { key: this.key })
      return Result.isFailure(after)
        ? Effect.succeed(false)
        : Effect.as(this.apply(happened), true).pipe(Effect.catchTag("RunRefusal", () => Effect.succeed(false)))
    })
  }

  tell(events: ReadonlyArray<AgentEvent>): Effect.Effect<void> {
    const [first, ...rest] = events
    return first === undefined ? Effect.void : this.emit([first, ...rest])
  }

  /** Milliseconds until the deadline of the run; none when it has none. */
  readonly leftMillis: Effect.Effect<number | undefined> = Effect.suspend(() => {
    const { deadline } = this.state.bounds
    return deadline === undefined
      ? Effect.succeed(undefined)
      : Effect.map(Clock.currentTimeMillis, (now) => Math.max(0, deadline - now))
  })

  outcome(): Outcome {
    const { state } = this
    const { end } = state
    return {
      status: end === undefined ? "waiting" : end.status === "done" ? "done" : "stopped",
      state,
      text: Run.textOf(state),
      ...(end?.finishReason === undefined ? undefined : { finishReason: end.finishReason }),
      ...(end?.bound === undefined ? undefined : { bound: end.bound }),
      ...(end?.reason === undefined ? undefined : { reason: end.reason }),
      waiting: Run.waiting(state),
      spent: state.spent
    }
  }
}
