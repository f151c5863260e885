/**
 * What a running call has received so far, for whoever has to settle it when it is interrupted.
 *
 * Whoever reads the network registers its partial output with `Activity`. This listens there, per request object, and passes every
 * word on to the boundary further out.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import type { Service } from "../LlmService.ts"
import { Activity } from "./activity.ts"
import { provided } from "./source.ts"

/**
 * A service whose calls are listened to, and what each has received.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface WithPartials {
  readonly service: Service
  /** The output so far of the call made with this very request object. */
  readonly partialOf: (request: LlmRequest) => LlmResponse | undefined
}

/**
 * Listens to the calls of a service.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const withPartials = (service: Service): WithPartials => {
  const readers = new WeakMap<LlmRequest, () => LlmResponse | undefined>()
  const activity = (request: LlmRequest, fiber: Fiber.Fiber<unknown, unknown>): Activity => {
    const outer = fiber.getRef(Activity)
    return {
      ...outer,
      connected: outer.connected,
      partialFrom: (read) => {
        readers.set(request, read)
        outer.partialFrom(read)
      }
    }
  }
  return {
    partialOf: (request) => readers.get(request)?.(),
    service: {
      ...service,
      generate: (request) =>
        Effect.withFiber((fiber) =>
          Effect.provideService(service.generate(request), Activity, activity(request, fiber))
        ),
      stream: (request) =>
        Stream.fromChannel(
          Channel.fromTransform((_: unknown, scope: Scope) =>
            Effect.withFiber((fiber) => {
              const listening = activity(request, fiber)
              return Effect.map(
                Effect.provideService(
                  Channel.toPullScoped(service.stream(request).channel, scope),
                  Activity,
                  listening
                ),
                (pull) => provided(pull, Effect.provideService(Activity, listening))
              )
            })
          )
        )
    }
  }
}
