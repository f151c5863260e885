/**
 * Services that stand for whatever is in a slot when they are called.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as LlmError from "../LlmError.ts"
import type * as LlmService from "../LlmService.ts"
import { standingFor } from "../service/addressee.ts"
import { Slot } from "./slot.ts"

/**
 * A service that is built when it is first needed.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type ServiceSlot = Slot<LlmService.Service, LlmError.LlmError>

/**
 * Borrows a slot for the current scope. The slot is chosen and counted in one step.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const borrow = (
  choose: () => ServiceSlot | LlmError.LlmError
): Effect.Effect<LlmService.Service, LlmError.LlmError, Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(
      Effect.suspend(() => {
        const slot = choose()
        if (!(slot instanceof Slot)) return Effect.fail(slot)
        slot.take()
        return Effect.succeed(slot)
      }),
      (slot) => slot.giveBack
    ),
    (slot) => slot.ready
  )

/**
 * A service that forwards every call to the slot that is chosen then. `initial` is its `info` until there is one.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const forward = (
  choose: () => ServiceSlot | LlmError.LlmError,
  initial: LlmService.ServiceInfo
): LlmService.Service => {
  let last = initial
  const call = <A>(use: (service: LlmService.Service) => Effect.Effect<A, LlmError.LlmError>) =>
    Effect.scoped(Effect.flatMap(borrow(choose), use))
  const current = (): LlmService.Service | undefined => {
    const slot = choose()
    return slot instanceof Slot ? slot.value : undefined
  }
  return standingFor({
    get info() {
      const now = current()?.info
      if (now !== undefined) last = now
      return last
    },
    generate: (request) => call((service) => service.generate(request)),
    stream: (request) => Stream.unwrap(Effect.map(borrow(choose), (service) => service.stream(request))),
    countTokens: (request) => call((service) => service.countTokens(request)),
    models: call((service) => service.models),
    health: call((service) => service.health)
  }, current)
}
