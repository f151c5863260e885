/**
 * Instruments services of providers with `Telemetry`, which is loaded with the first layer, beside what its calls need.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import * as Scheduler from "effect/Scheduler"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Service } from "../LlmService.ts"
import { lazy } from "../protocol/lazy.ts"

const module = lazy(() => import("./Telemetry.ts"))

/** Calls go on unseen when it does not come; it is tried again with the next one. */
const loading = Effect.ignore(Effect.tryPromise(() => module.load()))

/** Loads it. Run by `Effect.runSync`, which cannot wait, it only begins to. @stability stable @category loading @since 0.1.0 */
export const prepared: Effect.Effect<void> = Effect.withFiber((fiber) =>
  module.ready !== undefined
    ? Effect.void
    : fiber.getRef(Scheduler.Scheduler).executionMode === "sync"
    ? Effect.sync(() => Effect.runFork(loading))
    : loading
)

/** The service with spans and metrics. @stability stable @category combinators @since 0.1.0 */
export const instrument = (service: Service): Service => {
  let made: Service | undefined
  const seen = (): Service | undefined => made ??= module.ready?.instrument(service)
  const awaited = Effect.map(loading, () => seen() ?? service)
  return {
    ...service,
    generate: (request) => seen()?.generate(request) ?? Effect.flatMap(awaited, (service) => service.generate(request)),
    stream: (request) =>
      seen()?.stream(request) ??
        Stream.fromChannel(
          Channel.fromTransform((_: unknown, scope: Scope) =>
            Effect.flatMap(awaited, (service) => Channel.toPullScoped(service.stream(request).channel, scope))
          )
        )
  }
}
