/**
 * Clients and sockets that let no test reach a network.
 *
 * Public through `Cassette`, which re-exports everything here.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import { Socket } from "node:net"
import { Configuration } from "../../LlmError.ts"

const isLoopback = (host: string): boolean =>
  /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[?::1\]?|\[?::ffff:127(?:\.\d+){3}\]?)$/i.test(host)

const sentence = (what: string): string =>
  `A test reached for the network: ${what}. Give it a TestLlm, a Simulator or a Cassette.`

const refused = (request: HttpClientRequest, url: URL): HttpClientError.HttpClientError => {
  // Without the query, which may hold a key.
  const message = sentence(`${request.method} ${url.origin}${url.pathname}`)
  return new HttpClientError.HttpClientError({
    reason: new HttpClientError.EncodeError({ request, description: message, cause: new Configuration({ message }) })
  })
}

/**
 * A client that sends nothing: every request fails with `Configuration` and says where it was going.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const noNetwork: Layer.Layer<HttpClient.HttpClient> = Layer.succeed(HttpClient.HttpClient)(
  HttpClient.make((request, url) => Effect.fail(refused(request, url)))
)

/**
 * A client over the one in the context that sends to servers on this machine only, as a test with a `Simulator` needs it.
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const loopbackOnly: Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient
)(
  Effect.map(
    HttpClient.HttpClient,
    (upstream) =>
      HttpClient.make((request, url) =>
        isLoopback(url.hostname) ? upstream.execute(request) : Effect.fail(refused(request, url))
      )
  )
)

/** Where a socket is told to go; `undefined` for a path on this machine. */
const hostOf = (args: ReadonlyArray<unknown>): string | undefined => {
  const [first, second] = Array.isArray(args[0]) ? args[0] as ReadonlyArray<unknown> : args
  if (typeof first === "object" && first !== null) {
    const { host, path } = first as { readonly host?: unknown; readonly path?: unknown }
    return typeof path === "string" ? undefined : typeof host === "string" ? host : "localhost"
  }
  if (typeof first === "string" && !/^\d+$/.test(first)) return undefined
  return typeof second === "string" ? second : "localhost"
}

let guards = 0
let connect: typeof Socket.prototype.connect | undefined

const close = (): void => {
  if (guards++ > 0) return
  const open = connect = Socket.prototype.connect
  const guarded = function(this: Socket, ...args: Array<unknown>): Socket {
    const host = hostOf(args)
    if (host === undefined || isLoopback(host)) return Reflect.apply(open, this, args) as Socket
    // Once it is in the hands of who asked for it, and listens.
    process.nextTick(() => this.destroy(Object.assign(new Error(sentence(host)), { code: "ENETUNREACH" })))
    return this
  }
  Socket.prototype.connect = guarded as typeof Socket.prototype.connect
}

const reopen = (): void => {
  if (--guards > 0 || connect === undefined) return
  Socket.prototype.connect = connect
  connect = undefined
}

/**
 * As long as its scope is open, no socket of this process connects to another machine, whoever opens it: `fetch`, `node:http`, a
 * vendor's SDK. What tries fails with an error that says so. For a whole test run, open it in a setup file.
 *
 * @example
 * ```ts
 * layer(Cassette.guard)("my suite", (it) => { … })
 * ```
 *
 * @stability experimental
 * @category guards
 * @since 0.1.0
 */
export const guard: Layer.Layer<never> = Layer.effectDiscard(
  Effect.acquireRelease(Effect.sync(close), () => Effect.sync(reopen))
)
