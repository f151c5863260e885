/**
 * The recommended HTTP client on Node: `node:http` and `node:https` with kept connections, read without web streams.
 *
 * `layerHttpClient` is an `HttpClient` for the provider layers. Bytes go from the socket to the decoder by one
 * callback, which costs less than `fetch` per request and per token: docs/benchmarks.md. It speaks HTTP/1.1, decodes
 * `gzip`, `deflate` and `br` when a server sends them unasked, and follows no redirects. Proxies and certificates
 * are set by giving it an `agent` of yours. Bodies of requests are sent whole: streams and forms are collected first.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import type { HttpBody } from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Url from "effect/http/Url"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { Socket } from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import * as Http from "node:http"
import * as Https from "node:https"
import { pipeline, type Readable } from "node:stream"
import { urlToHttpOptions } from "node:url"
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib"
import { afterDrain, type Body, bodySymbol, WillRead } from "./transport/Body.ts"

type HttpError = HttpClientError.HttpClientError

// =============================================================================
// Options
// =============================================================================

/**
 * How connections are made and kept.
 *
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
  readonly agent?: { readonly http: Http.Agent; readonly https: Https.Agent } | undefined
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
// Body
// =============================================================================

/** Bytes that wait to be taken before the socket is paused. */
const highWaterMark = 256 * 1024

const ignore = () => {}

const soon = Promise.resolve()

class NodeBody implements Body {
  ended = false
  error: unknown = undefined

  private readonly message: Http.IncomingMessage
  private readonly source: Readable
  private chunks: Array<Uint8Array> = []
  private size = 0
  private ready: (() => void) | undefined
  private scheduled = false

  constructor(message: Http.IncomingMessage) {
    this.message = message
    this.source = decompressed(message)
    this.source.on("data", this.onData)
    this.source.on("end", this.onEnd)
    this.source.on("error", this.onError)
    this.source.on("close", this.onClose)
  }

  private readonly onData = (chunk: Uint8Array): void => {
    this.chunks.push(chunk)
    this.size += chunk.length
    if (this.size >= highWaterMark) this.source.pause()
    this.schedule()
  }

  private readonly onEnd = (): void => {
    this.ended = true
    this.schedule()
  }

  private readonly onError = (error: unknown): void => {
    if (this.ended) return
    this.error = error
    this.onEnd()
  }

  private readonly onClose = (): void => {
    if (!this.ended) this.onError(Object.assign(new Error("The connection was closed."), { code: "ECONNRESET" }))
  }

  /** All chunks of one read of the socket wake the reader once. */
  private schedule(): void {
    if (this.ready === undefined || this.scheduled) return
    this.scheduled = true
    // Not queueMicrotask, which makes an AsyncResource each time.
    void soon.then(this.flush)
  }

  private readonly flush = (): void => {
    this.scheduled = false
    const ready = this.ready
    this.ready = undefined
    ready?.()
  }

  take(): ReadonlyArray<Uint8Array> | undefined {
    if (this.chunks.length === 0) return undefined
    const chunks = this.chunks
    this.chunks = []
    if (this.size >= highWaterMark && !this.ended) this.source.resume()
    this.size = 0
    return chunks
  }

  wait(ready: () => void): void {
    this.ready = ready
    if (this.ended || this.chunks.length > 0) this.schedule()
  }

  close(finished: boolean): void {
    if (this.ended) return
    this.ready = undefined
    this.source.off("data", this.onData)
    if (!finished) return this.destroy()
    // The connection can be used again if its body ends soon.
    this.source.resume()
    this.source.once("close", afterDrain(this.destroy))
  }

  private readonly destroy = (): void => {
    this.source.on("error", ignore)
    this.source.destroy()
    this.message.destroy()
  }
}

const decompressed = (message: Http.IncomingMessage): Readable => {
  const encoding = message.headers["content-encoding"]
  if (encoding === undefined || encoding === "identity") return message
  const decoder = encoding === "gzip" || encoding === "x-gzip"
    ? createGunzip()
    : encoding === "deflate"
    ? createInflate()
    : encoding === "br"
    ? createBrotliDecompress()
    : undefined
  return decoder === undefined ? message : pipeline(message, decoder, ignore)
}

// =============================================================================
// Response
// =============================================================================

/** In one pass: `message.headers` would be an object of its own, to be copied. */
const headersOf = (raw: ReadonlyArray<string>): Headers.Headers => {
  const headers: Record<string, string> = {}
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!.toLowerCase()
    const before = headers[name]
    headers[name] = before === undefined ? raw[at + 1]! : `${before}, ${raw[at + 1]!}`
  }
  return Headers.fromRecordUnsafe(headers)
}

class NodeResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest
  readonly url: string
  readonly status: number
  readonly message: Http.IncomingMessage
  private body: Body | undefined
  private cachedHeaders: Headers.Headers | undefined
  private cachedBytes: Effect.Effect<Uint8Array<ArrayBuffer>, HttpError> | undefined

  constructor(request: HttpClientRequest, message: Http.IncomingMessage, url: string) {
    super()
    this.request = request
    this.message = message
    this.url = url
    this.status = message.statusCode ?? 0
  }

  get [bodySymbol](): Body {
    return this.body ??= new NodeBody(this.message)
  }

  get headers(): Headers.Headers {
    return this.cachedHeaders ??= headersOf(this.message.rawHeaders)
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.message.headers["set-cookie"] ?? [])
  }

  get remoteAddress(): Option.Option<string> {
    return Option.fromUndefinedOr(this.message.socket.remoteAddress)
  }

  private readonly failure = (cause: unknown): HttpError =>
    new HttpClientError.HttpClientError({
      reason: new HttpClientError.DecodeError({ request: this.request, response: this, cause })
    })

  get stream(): Stream.Stream<Uint8Array, HttpError> {
    return Stream.unwrap(Effect.sync(() => {
      const body = this[bodySymbol]
      const poll = (): Pull.Pull<readonly [Uint8Array, ...Array<Uint8Array>], HttpError> => {
        const chunks = body.take()
        if (chunks !== undefined) return Effect.succeed(chunks as [Uint8Array, ...Array<Uint8Array>])
        if (!body.ended) {
          return Effect.flatMap(Effect.callback<void>((resume) => body.wait(() => resume(Effect.void))), poll)
        }
        return body.error === undefined ? Cause.done() : Effect.fail(this.failure(body.error))
      }
      return Stream.ensuring(
        Stream.fromPull(Effect.succeed(Effect.suspend(poll))),
        Effect.sync(() => body.close(false))
      )
    }))
  }

  private get bytes(): Effect.Effect<Uint8Array<ArrayBuffer>, HttpError> {
    return this.cachedBytes ??= Effect.runSync(Effect.cached(Stream.mkUint8Array(this.stream))) as Effect.Effect<
      Uint8Array<ArrayBuffer>,
      HttpError
    >
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpError> {
    return Effect.map(this.bytes, (bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }

  get text(): Effect.Effect<string, HttpError> {
    return Effect.map(this.bytes, (bytes) => new TextDecoder().decode(bytes))
  }

  get json(): HttpClientResponse.HttpClientResponse["json"] {
    return Effect.flatMap(
      this.text,
      (text) => Effect.try({ try: () => text === "" ? null : JSON.parse(text), catch: this.failure })
    )
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpError> {
    return Effect.flatMap(this.bytes, (bytes) => {
      const headers = { "content-type": this.headers["content-type"] ?? "" }
      return Effect.tryPromise({ try: () => new Response(bytes, { headers }).formData(), catch: this.failure })
    })
  }

  get upgrade(): Effect.Effect<Socket, HttpError> {
    return Effect.fail(this.failure(new Error("This client cannot hand over the connection of an upgrade.")))
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  pipe() {
    // oxlint-disable-next-line eslint/prefer-rest-params -- the protocol of Pipeable
    return pipeArguments(this, arguments)
  }
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

const exchange = (
  agents: Agents,
  request: HttpClientRequest,
  target: Target,
  bytes: Uint8Array | string | undefined,
  contentType: string | undefined
): Effect.Effect<NodeResponse, HttpError> =>
  Effect.callback((resume) => {
    const { secure } = target
    let sent: Http.ClientRequest
    const fail = (cause: unknown) => resume(Effect.fail(transportError(request, cause)))
    try {
      sent = (secure ? Https : Http).request({
        ...target.options,
        method: request.method,
        headers: headerList(request, target, bytes, contentType),
        agent: secure ? agents.https : agents.http
      })
    } catch (cause) {
      return fail(cause)
    }
    sent.on("response", (message) => resume(Effect.succeed(new NodeResponse(request, message, target.url))))
    // Stays for the life of the connection: an error after the response is the body's to report.
    sent.on("error", fail)
    sent.end(bytes)
    return Effect.sync(() => void sent.destroy())
  })

const send = (
  agents: Agents,
  request: HttpClientRequest,
  target: Target
): Effect.Effect<NodeResponse, HttpError> => {
  const body: HttpBody = request.body
  switch (body._tag) {
    case "Empty":
      return exchange(agents, request, target, undefined, undefined)
    case "Uint8Array":
      return exchange(agents, request, target, body.body, undefined)
    case "Raw":
      return typeof body.body === "string" || body.body instanceof Uint8Array
        ? exchange(agents, request, target, body.body, undefined)
        : Effect.fail(transportError(request, new Error("A raw body must be a string or bytes.")))
    case "Stream":
      return Effect.flatMap(
        Effect.mapError(Stream.mkUint8Array(body.stream), (cause) => transportError(request, cause)),
        (bytes) => exchange(agents, request, target, bytes, undefined)
      )
    case "FormData": {
      const form = new Response(body.formData)
      return Effect.flatMap(
        Effect.tryPromise({ try: () => form.arrayBuffer(), catch: (cause) => transportError(request, cause) }),
        (buffer) =>
          exchange(agents, request, target, new Uint8Array(buffer), form.headers.get("content-type") ?? undefined)
      )
    }
  }
}

/**
 * Makes the client. Its connections are closed with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeHttpClient = (
  options: Options = {}
): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.map(makeAgents(options), (agents) => {
    const targets = new Map<string, Target>()
    // Traces, and aborts when a response is collected that nobody read.
    const general = HttpClient.make((request, url, signal) =>
      Effect.map(send(agents, request, targetOf(url)), (response) => {
        // The response itself must not be held by what waits for its collection.
        const { message } = response
        signal.addEventListener("abort", () => void message.destroy(), { once: true })
        return response
      })
    )
    return HttpClient.makeWith(
      Effect.flatMap((request) =>
        Effect.withFiber((fiber) => {
          if (!fiber.getRef(WillRead)) return general.execute(request)
          const known = targets.get(request.url)
          if (known !== undefined && request.urlParams === UrlParams.empty) return send(agents, request, known)
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
          return send(agents, request, target)
        })
      ),
      Effect.succeed as HttpClient.HttpClient.Preprocess<never, never>
    )
  })

/**
 * The recommended `HttpClient` on Node, with options.
 *
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
 * @category layers
 * @since 0.1.0
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient> = layerHttpClientOptions({})
