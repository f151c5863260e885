/**
 * Something built when it is first needed, lent to calls, and closed once it is retired and the last call has given it
 * back.
 *
 * Lending counts synchronously, so that nothing can be retired between being found and being counted.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"

/**
 * A value that is built once, and how many use it.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Slot<A, E> {
  private readonly build: Effect.Effect<A, E, Scope.Scope>
  private readonly lock = Semaphore.makeUnsafe(1)
  private users = 0
  private retired = false
  private ended = false
  private built: { readonly value: A; readonly scope: Scope.Closeable } | undefined

  constructor(build: Effect.Effect<A, E, Scope.Scope>) {
    this.build = build
  }

  /** What was built, if it is there. */
  get value(): A | undefined {
    return this.built?.value
  }

  /** Counts one more user. `giveBack` must follow, once. */
  take(): void {
    this.users++
  }

  /** Counts one user less; closes what is retired with its last one. */
  readonly giveBack: Effect.Effect<void> = Effect.suspend(() => {
    this.users--
    return this.closeIfIdle()
  })

  /** Builds it, unless it is there. A failure is not kept: the next one tries again. */
  readonly ready: Effect.Effect<A, E> = Effect.suspend(() =>
    this.built === undefined ? this.lock.withPermits(1)(this.buildOnce) : Effect.succeed(this.built.value)
  )

  private readonly buildOnce: Effect.Effect<A, E> = Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      if (this.built !== undefined) return Effect.succeed(this.built.value)
      const scope = Scope.makeUnsafe()
      return Effect.onExit(
        restore(Effect.provideService(this.build, Scope.Scope, scope)),
        (exit) => {
          // What was closed while it was being built is not kept either.
          if (Exit.isFailure(exit) || this.ended) return Scope.close(scope, exit)
          this.built = { value: exit.value, scope }
          return Effect.void
        }
      )
    })
  )

  /** Closes it as soon as nobody uses it. */
  readonly retire: Effect.Effect<void> = Effect.suspend(() => {
    this.retired = true
    return this.closeIfIdle()
  })

  /** Closes it, whoever uses it. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    const built = this.built
    this.retired = true
    this.ended = true
    this.built = undefined
    return built === undefined ? Effect.void : Scope.close(built.scope, Exit.void)
  })

  private closeIfIdle(): Effect.Effect<void> {
    return this.retired && this.users === 0 ? this.close : Effect.void
  }
}
