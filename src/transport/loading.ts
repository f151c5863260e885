/**
 * A transport that is loaded with the first layer that needs it, and the decoder of its wire beside it.
 *
 * An application that has only imported a provider has no need of them yet, and a bundler that splits keeps them out of the first load.
 * Nothing is sent, read or shown before they are there. What could not be loaded with the layer is tried again with each call, which tells.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as LlmError from "../LlmError.ts"
import { lazy } from "../protocol/lazy.ts"
import type { Protocol } from "../protocol/Protocol.ts"
import { type Call, type JsonCall, notLoaded } from "./Call.ts"
import type { Transport } from "./Transport.ts"

const module = lazy(() => import("./Transport.ts"))

/** Both at once; a decoder that does not come is the transport's to tell. */
const load = async (decoder: Protocol["decoder"] | undefined) => {
  const [loaded] = await Promise.all([
    module.load(),
    typeof decoder === "object" ? decoder.load().catch(() => undefined) : undefined
  ])
  return loaded
}

/**
 * Loads what calls on a wire need, so that they wait for nothing but the network. What does not come is for the calls to tell. Run by
 * `Effect.runSync`, which cannot wait, it only begins to.
 *
 * @category loading
 * @since 0.1.0
 */
export const prepared = ({ decoder }: Protocol): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    if (module.ready !== undefined && (typeof decoder === "function" || decoder.ready !== undefined)) return Effect.void
    const loading = Effect.ignore(Effect.tryPromise(() => load(decoder)))
    return fiber.getRef(Scheduler.Scheduler).executionMode === "sync"
      ? Effect.sync(() => Effect.runFork(loading))
      : loading
  })

/**
 * Makes a transport from an `HttpClient`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (client: HttpClient.HttpClient): Transport => {
  let made: Transport | undefined
  const ready = (call: Call | JsonCall): Effect.Effect<Transport, LlmError.LlmError> =>
    Effect.map(
      Effect.tryPromise({
        try: () => load("protocol" in call ? call.protocol.decoder : undefined),
        catch: () =>
          new LlmError.LlmError({
            provider: call.provider,
            model: call.model,
            label: "label" in call ? call.label : undefined,
            operation: call.operation,
            reason: notLoaded(),
            attempts: 1
          })
      }),
      (loaded) => made ??= loaded.make(client)
    )
  const known = (): Transport | undefined => made ??= module.ready?.make(client)
  return {
    generate: (call) => known()?.generate(call) ?? Effect.flatMap(ready(call), (transport) => transport.generate(call)),
    stream: (call) =>
      known()?.stream(call) ?? Stream.unwrap(Effect.map(ready(call), (transport) => transport.stream(call))),
    json: (call, reading) =>
      known()?.json(call, reading) ?? Effect.flatMap(ready(call), (transport) => transport.json(call, reading))
  }
}
