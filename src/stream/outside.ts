/**
 * Streams read by callers who do not write Effect: array by array, with a promise each, until the end, a failure, an abort or a reader
 * that goes away. However it ends, what the stream holds is given back.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"

/**
 * Where effects of such callers run.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Outside<in R = never> {
  readonly run: <A, E>(effect: Effect.Effect<A, E, R>, signal?: AbortSignal) => Promise<Exit.Exit<A, E>>
  /** A scope for what is open; closed with the runtime, if there is one. */
  readonly scope: () => Scope.Closeable
}

/**
 * Reads a stream.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Reader<out A, out E> {
  /** What comes next, or how it failed; `undefined` after the end, and after {@link Reader.close}. One at a time. */
  readonly next: () => Promise<Exit.Exit<ReadonlyArray<A>, E> | undefined>
  /** Stops reading and waits until everything is given back. */
  readonly close: () => Promise<void>
}

/**
 * A reader of a stream, which begins with the first `next`. An abort closes it.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const readerOf = <A, E, R>(
  outside: Outside<R>,
  stream: Stream.Stream<A, E, R>,
  signal?: AbortSignal | undefined
): Reader<A, E> => {
  const scope = outside.scope()
  const gone = new AbortController()
  let running: Promise<unknown> = Promise.resolve()
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    if (closed !== undefined) return closed
    signal?.removeEventListener("abort", close)
    gone.abort()
    return closed = running.then(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  }
  if (signal?.aborted === true) void close()
  else signal?.addEventListener("abort", close, { once: true })
  let pull: Pull.Pull<ReadonlyArray<A>, E, void, R> = Effect.flatMap(
    Effect.suspend(() => Channel.toPullScoped(stream.channel, scope)),
    (opened) => pull = opened
  )
  return {
    close,
    next: async () => {
      if (closed !== undefined) return undefined
      const pulled = outside.run(Effect.suspend(() => pull), gone.signal)
      running = pulled
      const exit = await pulled
      // It was told to stop meanwhile: what came is nobody's any more.
      if (closed !== undefined) return undefined
      if (Exit.isSuccess(exit)) return Exit.succeed(exit.value)
      await close()
      return Pull.isDoneCause(exit.cause) ? undefined : exit as Exit.Exit<never, E>
    }
  }
}
