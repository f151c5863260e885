/**
 * The recommended HTTP client on Node: `node:http` and `node:https` with kept connections, read without web streams.
 *
 * `layerHttpClient` is an `HttpClient` for the provider layers. Bytes go from the socket to the decoder by one
 * callback, which costs less than `fetch` per request and per token: docs/benchmarks.md. It speaks HTTP/1.1, decodes
 * `gzip`, `deflate` and `br` when a server sends them unasked, and follows no redirects. Proxies and certificates
 * are set by giving it an `agent` of yours. Bodies of requests are sent whole: streams and forms are collected first. It tells the
 * time limits of a call when the connection stands and the request is written, which other clients cannot. A kept
 * connection that turns out to be closed while a request is being written is left for a new one, together with the others to that
 * server; a request that was written whole is never sent again.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { HttpBody } from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Url from "effect/http/Url"
import * as UrlParams from "effect/http/UrlParams"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as Http from "node:http"
import * as Https from "node:https"
import { urlToHttpOptions } from "node:url"
import { Activity } from "../stream/activity.ts"
import { NodeResponse } from "./Response.ts"

type HttpError = HttpClientError.HttpClientError

// =============================================================================
// Options
// =============================================================================

/**
 * How connections are made and kept.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Connections at the same time per host; requests beyond wait in line. @default Infinity */
  readonly maxConnections?: number | undefined
  /** Idle connections kept per host. @default 256 */
  readonly maxIdleConnections?: number | undefined
  /** Milliseconds after which an idle connection is closed; a shorter time the server announces counts. @default 30000 */
  readonly idleMillis?: number | undefined
  /** Your own agents, for proxies, client certificates or sockets; they are yours to close. */
  readonly agent?: {
    /** Agent for `http:` addresses. */
    readonly http: Http.Agent
    /** Agent for `https:` addresses. */
    readonly https: Https.Agent
  } | undefined
}

interface Agents {
  readonly http: Http.Agent
  readonly https: Https.Agent
}

const makeAgents = (options: Options): Effect.Effect<Agents, never, Scope.Scope> => {
  if (options.agent !== undefined) return Effect.succeed(options.agent)
  const settings: Http.AgentOptions = {
    keepAlive: true,
    maxSockets: options.maxConnections ?? Infinity,
    maxFreeSockets: options.maxIdleConnections ?? 256,
    // On a busy connection it says nothing; the agent closes an idle one.
    timeout: options.idleMillis ?? 30_000,
    scheduling: "lifo"
  }
  return Effect.acquireRelease(
    Effect.sync(() => ({ http: new Http.Agent(settings), https: new Https.Agent(settings) })),
    (agents) =>
      Effect.sync(() => {
        agents.http.destroy()
        agents.https.destroy()
      })
  )
}

// =============================================================================
// Request
// =============================================================================

const transportError = (request: HttpClientRequest, cause: unknown): HttpError =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })

/** Where a request goes, as `node:http` wants it. */
interface Target {
  readonly url: string
  readonly host: string
  readonly secure: boolean
  readonly options: Http.RequestOptions
}

const targetOf = (url: URL): Target => ({
  url: url.href,
  host: url.host,
  secure: url.protocol === "https:",
  options: urlToHttpOptions(url) as Http.RequestOptions
})

/** Requests go to few addresses, so these are kept. */
const maxTargets = 64

/** Names and values in turn: `node:http` writes such a list as it is, and would copy an object name by name. */
const headerList = (
  request: HttpClientRequest,
  { host, options }: Target,
  bytes: Uint8Array | string | undefined,
  contentType: string | undefined
): Array<string> => {
  const { headers } = request
  const list = headers["host"] === undefined ? ["host", host] : []
  for (const name of Object.keys(headers)) {
    // What is really sent decides its length and type.
    if (name !== "content-length" && (name !== "content-type" || contentType === undefined)) {
      list.push(name, headers[name]!)
    }
  }
  if (contentType !== undefined) list.push("content-type", contentType)
  if (bytes !== undefined) list.push("content-length", String(Buffer.byteLength(bytes)))
  else if (!bodiless.has(request.method)) list.push("content-length", "0")
  if (typeof options.auth === "string" && headers["authorization"] === undefined) {
    list.push("authorization", `Basic ${Buffer.from(options.auth).toString("base64")}`)
  }
  return list
}

const bodiless: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])

/** Bodies up to this many bytes are handed over in one go; larger ones in pieces of it, so that progress shows on slow lines too. */
const pieceBytes = 64 * 1024

/** Writes a body that is too long to go out at once, telling of each piece that the network has taken. */
const writePieces = (sent: Http.ClientRequest, body: Uint8Array, writing: () => void): void => {
  let at = 0
  const next = (error?: Error | null): void => {
    if (error !== undefined && error !== null) return
    if (at > 0) writing()
    const piece = body.subarray(at, at += pieceBytes)
    if (at >= body.length) sent.end(piece)
    else sent.write(piece, next)
  }
  next()
}

/** Times that a request is sent again because the server had closed the kept connection: one is enough, unless others keep some just then. */
const mostAgain = 3

const wasDropped = (cause: Error): boolean => "code" in cause && (cause.code === "ECONNRESET" || cause.code === "EPIPE")

/** Some versions of Node call a request finished whose last write has failed. */
const isOfWriting = (cause: Error): boolean => "syscall" in cause && cause.syscall === "write"

/** Where one kept connection was dead the others are as well, as after a restart of the server. */
const closeIdle = ({ freeSockets }: Http.Agent, { options, secure }: Target): void => {
  // https://nodejs.org/api/http.html#agentgetnameoptions
  const name = `${options.hostname}:${options.port || (secure ? 443 : 80)}:`
  for (const [key, sockets] of Object.entries(freeSockets ?? {})) {
    if (key.startsWith(name)) { for (const socket of sockets?.slice() ?? []) socket.destroy() }
  }
}

const exchange = (
  agents: Agents,
  request: HttpClientRequest,
  target: Target,
  bytes: Uint8Array | string | undefined,
  contentType: string | undefined,
  activity: Activity
): Effect.Effect<NodeResponse, HttpError> =>
  Effect.callback((resume) => {
    const { secure } = target
    const agent = secure ? agents.https : agents.http
    let sent: Http.ClientRequest | undefined
    let again = mostAgain
    let interrupted = false
    const fail = (cause: unknown) => resume(Effect.fail(transportError(request, cause)))
    const begin = (): void => {
      activity.connecting()
      let exchanged: Http.ClientRequest
      try {
        exchanged = (secure ? Https : Http).request({
          ...target.options,
          method: request.method,
          headers: headerList(request, target, bytes, contentType),
          agent
        })
      } catch (cause) {
        return fail(cause)
      }
      sent = exchanged
      let written = false
      let bytesBefore: number | undefined
      exchanged.on("socket", (socket) => bytesBefore = socket.bytesRead)
      exchanged.on("response", (message) => resume(Effect.succeed(new NodeResponse(request, message, target.url))))
      // Stays for the life of the connection: an error after the response is the body's to report.
      exchanged.on("error", (cause) => {
        const silent = exchanged.socket?.bytesRead === bytesBefore
        if (!exchanged.reusedSocket || !silent || !wasDropped(cause)) return fail(cause)
        closeIdle(agent, target)
        // What was written whole may be at work, and paid for: whether to ask again is for whoever counts attempts.
        if (interrupted || (written && !isOfWriting(cause)) || again-- <= 0) return fail(cause)
        begin()
      })
      // Nobody asked for another protocol; without a listener Node closes the connection and tells nobody.
      exchanged.on("upgrade", (_, socket) => {
        socket.destroy()
        fail(Object.assign(new Error("The server switched to another protocol."), { code: "ERR_UPGRADE" }))
      })
      // Comes when the last of the request has gone to the operating system, so not before the connection stands.
      exchanged.on("finish", () => {
        written = true
        activity.written()
      })
      if (bytes === undefined || bytes.length <= pieceBytes) exchanged.end(bytes)
      else writePieces(exchanged, typeof bytes === "string" ? Buffer.from(bytes) : bytes, activity.writing)
    }
    begin()
    return Effect.sync(() => {
      interrupted = true
      sent?.destroy()
    })
  })

const send = (
  agents: Agents,
  request: HttpClientRequest,
  target: Target,
  fiber: Fiber.Fiber<unknown, unknown>
): Effect.Effect<NodeResponse, HttpError> => {
  const activity = fiber.getRef(Activity)
  const body: HttpBody = request.body
  switch (body._tag) {
    case "Empty":
      return exchange(agents, request, target, undefined, undefined, activity)
    case "Uint8Array":
      return exchange(agents, request, target, body.body, undefined, activity)
    case "Raw":
      return typeof body.body === "string" || body.body instanceof Uint8Array
        ? exchange(agents, request, target, body.body, undefined, activity)
        : Effect.fail(transportError(request, new Error("A raw body must be a string or bytes.")))
    case "Stream":
      return Effect.flatMap(
        Effect.mapError(Stream.mkUint8Array(body.stream), (cause) => transportError(request, cause)),
        (bytes) => exchange(agents, request, target, bytes, undefined, activity)
      )
    case "FormData": {
      const form = new Response(body.formData)
      return Effect.flatMap(
        Effect.tryPromise({ try: () => form.arrayBuffer(), catch: (cause) => transportError(request, cause) }),
        (buffer) =>
          exchange(
            agents,
            request,
            target,
            new Uint8Array(buffer),
            form.headers.get("content-type") ?? undefined,
            activity
          )
      )
    }
  }
}

/**
 * Makes the client. Its connections are closed with the scope.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const makeHttpClient = (
  options: Options = {}
): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.map(makeAgents(options), (agents) => {
    const targets = new Map<string, Target>()
    const traced = HttpClient.make((request, url, _signal, fiber) => send(agents, request, targetOf(url), fiber))
    return HttpClient.makeWith(
      Effect.flatMap((request) =>
        Effect.withFiber((fiber) => {
          const quiet = fiber.getRef(Tracer.DisablePropagation) || fiber.getRef(HttpClient.TracerDisabledWhen)(request)
          if (!quiet) return traced.execute(request)
          const known = targets.get(request.url)
          if (known !== undefined && request.urlParams === UrlParams.empty) return send(agents, request, known, fiber)
          const url = Url.make(request.url, request.urlParams, Option.getOrUndefined(request.hash))
          if (Result.isFailure(url)) {
            return Effect.fail(
              new HttpClientError.HttpClientError({
                reason: new HttpClientError.InvalidUrlError({ request, cause: url.failure })
              })
            )
          }
          const target = targetOf(url.success)
          if (request.urlParams === UrlParams.empty) {
            if (targets.size >= maxTargets) targets.clear()
            targets.set(request.url, target)
          }
          return send(agents, request, target, fiber)
        })
      ),
      Effect.succeed as HttpClient.HttpClient.Preprocess<never, never>
    )
  })

/**
 * The recommended `HttpClient` on Node, with options.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerHttpClientOptions = (options: Options): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(HttpClient.HttpClient, makeHttpClient(options))

/**
 * The recommended `HttpClient` on Node: kept connections, no limit on their number.
 *
 * @example
 * ```ts
 * const llm = Anthropic.layerEnv.pipe(Layer.provide(NodeHttp.layerHttpClient))
 * ```
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient> = layerHttpClientOptions({})
