/**
 * What a call needs and an import does not: the transport, the encoder and the decoder of a wire, which are loaded with the first layer
 * that needs them, and the compiler of schemas, which is loaded with the first request that has one.
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
import { type Lazy, lazy } from "../protocol/lazy.ts"
import type { Encode, Protocol } from "../protocol/Protocol.ts"
import { compiler } from "../protocol/schema/compiler.ts"
import { type Call, type JsonCall, notLoaded } from "./Call.ts"
import type { Transport } from "./Transport.ts"

const module = lazy(() => import("./Transport.ts"))

const readyOf = <A extends (...args: never) => unknown>(piece: A | Lazy<A>): A | undefined =>
  typeof piece === "function" ? piece : piece.ready

const loadOf = <A extends (...args: never) => unknown>(piece: A | Lazy<A>): Promise<A> =>
  typeof piece === "function" ? Promise.resolve(piece) : piece.load()

/** Both at once; a decoder that does not come is the transport's to tell. */
const load = async (decoder: Protocol["decoder"] | undefined) => {
  const [loaded] = await Promise.all([
    module.load(),
    decoder === undefined ? undefined : loadOf(decoder).catch(() => undefined)
  ])
  return loaded
}

/**
 * Loads what calls on a wire need, so that they wait for nothing but the network; the compiler of schemas too, where the layer's own
 * defaults have one. What does not come is for the calls to tell. Run by `Effect.runSync`, which cannot wait, it only begins to.
 *
 * @category loading
 * @since 0.1.0
 */
export const prepared = ({ decoder, encoder }: Protocol, schemas: boolean): Effect.Effect<void> =>
  Effect.withFiber((fiber) => {
    const isReady = module.ready !== undefined && readyOf(decoder) !== undefined && readyOf(encoder) !== undefined
    if (isReady && (!schemas || compiler.ready !== undefined)) return Effect.void
    const loading = Effect.ignore(
      Effect.tryPromise(() => Promise.all([load(decoder), loadOf(encoder), schemas ? compiler.load() : undefined]))
    )
    return fiber.getRef(Scheduler.Scheduler).executionMode === "sync"
      ? Effect.sync(() => Effect.runFork(loading))
      : loading
  })

const complete = (encode: Encode, compile: typeof compiler.ready): Encode =>
  compile === undefined ? encode : (input) => encode({ ...input, compile })

/**
 * The encoder of a wire with all that a request needs: at once where it is there, which it is but for the first call; else an effect that
 * loads it and fails with reason `Network` when it does not come.
 *
 * @category loading
 * @since 0.1.0
 */
export const encoderOf = (
  { encoder }: Protocol,
  schemas: boolean
): Encode | Effect.Effect<Encode, LlmError.Reason> => {
  const encode = readyOf(encoder)
  if (encode !== undefined && (!schemas || compiler.ready !== undefined)) return complete(encode, compiler.ready)
  return Effect.tryPromise({
    try: () => Promise.all([loadOf(encoder), schemas ? compiler.load() : undefined]),
    catch: notLoaded
  }).pipe(Effect.map(([encode, compile]) => complete(encode, compile)))
}

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
