/**
 * That a server stops taking requests, for answers that would otherwise never end.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Deferred from "effect/Deferred"

/**
 * Done when the program begins to stop. A server waits for its answers before anything behind it is closed, so what has no end of its own
 * has to be told sooner.
 */
export const Draining: Context.Reference<Deferred.Deferred<void> | undefined> = Context.Reference<
  Deferred.Deferred<void> | undefined
>("effect-llm/gateway/Draining", { defaultValue: () => undefined })
