/**
 * Gates: a call is held at one until the test lets it go on, so that what happens meanwhile can be looked at without a clock.
 *
 * Public through `TestLlm`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import type { LlmRequest } from "../../LlmRequest.ts"
import { type Answer, play, type Script } from "./Answer.ts"

/**
 * Where calls wait for the test.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Gate {
  /**
   * An answer whose call is held: before its first event, or after so many.
   *
   * @default after 0
   */
  readonly hold: (answer: Answer, options?: {
    /** Events that are let through before the call is held. @default 0 */
    readonly after?: number | undefined
  }) => Script
  /** The request of that number, from 1, of those that came to the gate; waits until it is there. */
  readonly arrived: (number?: number) => Effect.Effect<LlmRequest>
  /** How many wait now. */
  readonly held: Effect.Effect<number>
  /** Lets the one go on that has waited longest; if none waits, the next one to come will not have to. */
  readonly release: Effect.Effect<void>
  /** Lets all go on, those still to come too. */
  readonly open: Effect.Effect<void>
}

/**
 * Makes a gate, closed.
 *
 * @example
 * ```ts
 * const gate = yield* TestLlm.gate
 * const { service } = TestLlm.make({ answers: [gate.hold("Hello")] })
 * const fiber = yield* Effect.forkChild(service.generate({ prompt: "Hi" }))
 * yield* gate.arrived() // the call is under way, and has nothing yet
 * yield* gate.release
 * ```
 *
 * @stability stable
 * @category gates
 * @since 0.1.0
 */
export const gate: Effect.Effect<Gate> = Effect.sync(() => {
  const requests: Array<LlmRequest> = []
  const awaited = new Map<number, Deferred.Deferred<LlmRequest>>()
  const waiting: Array<Latch.Latch> = []
  let released = 0
  let isOpen = false

  const arrive = (request: LlmRequest): void => {
    const number = requests.push(request)
    const waiter = awaited.get(number)
    awaited.delete(number)
    if (waiter !== undefined) Deferred.doneUnsafe(waiter, Effect.succeed(request))
  }

  const wait = (request: LlmRequest): Effect.Effect<void> =>
    Effect.suspend(() => {
      const passes = isOpen || released > 0
      const latch = Latch.makeUnsafe(passes)
      if (!passes) waiting.push(latch)
      else if (!isOpen) released--
      // Whoever is told of it finds it waiting, and may give it up.
      const held = Effect.suspend(() => {
        arrive(request)
        return latch.await
      })
      return Effect.onInterrupt(held, () =>
        Effect.sync(() => {
          const at = waiting.indexOf(latch)
          if (at !== -1) waiting.splice(at, 1)
        }))
    })

  const hold: Gate["hold"] = (answer, { after = 0 } = {}) => ({
    _tag: "Script",
    play: (circumstances) => {
      let events = 0
      const held = Effect.suspend(() => wait(circumstances.request))
      const answered = Stream.suspend(() => play(answer, circumstances))
      if (!(after > 0)) return Stream.unwrap(Effect.as(held, answered))
      return Stream.tap(answered, () => Effect.suspend(() => events++ === after ? held : Effect.void))
    }
  })

  return {
    hold,
    arrived: (number = 1) =>
      Effect.suspend(() => {
        const request = requests[number - 1]
        if (request !== undefined) return Effect.succeed(request)
        const waiter = awaited.get(number) ?? Deferred.makeUnsafe<LlmRequest>()
        awaited.set(number, waiter)
        return Deferred.await(waiter)
      }),
    held: Effect.sync(() => waiting.length),
    release: Effect.suspend(() => {
      const first = waiting.shift()
      if (first !== undefined) return Effect.asVoid(first.open)
      released++
      return Effect.void
    }),
    open: Effect.suspend(() => {
      isOpen = true
      return Effect.forEach(waiting.splice(0), (latch) => latch.open, { discard: true })
    })
  }
})
