/**
 * A response of `node:http` as one of Effect's, and its body as the transport reads it.
 *
 * Owns back-pressure on the socket, and that a response nobody reads lets go of its connection. How requests
 * are sent is `node.ts`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as UrlParams from "effect/http/UrlParams"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Pull from "effect/Pull"
import type { Socket } from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import type { IncomingMessage } from "node:http"
import type { Readable } from "node:stream"
import { ownOf, setOwn } from "../json/own.ts"
import { parseJsonUnsafe } from "../json/parse.ts"
import { afterDrain, type Body, bodySymbol, BodyTooLong, EncodedBody, maxBodyBytes } from "../transport/Body.ts"
import { EncodingError, isBinary, isBroken } from "../transport/Encoding.ts"
import { decompressed } from "./Decompression.ts"

type HttpError = HttpClientError.HttpClientError

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

  private readonly message: IncomingMessage
  private readonly source: Readable
  private readonly codings: ReadonlyArray<string>
  private chunks: Array<Uint8Array> = []
  private size = 0
  private received = 0
  private ready: (() => void) | undefined
  private scheduled = false

  constructor(message: IncomingMessage, source: Readable, codings: ReadonlyArray<string>) {
    this.message = message
    this.source = source
    this.codings = codings
    if (source !== message) message.on("data", this.onCompressed)
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

  /** Compressed bytes, of which any number can stand for nothing; those they stand for are counted by whoever reads. */
  private readonly onCompressed = (chunk: Uint8Array): void => {
    this.received += chunk.length
    if (this.received <= maxBodyBytes || this.ended) return
    this.onError(new BodyTooLong(maxBodyBytes))
    this.destroy()
  }

  private readonly onEnd = (): void => {
    this.ended = true
    this.schedule()
  }

  private readonly onError = (error: unknown): void => {
    if (this.ended) return
    const code = error instanceof Error && "code" in error ? String(error.code) : ""
    this.error = isBroken(code) ? new EncodingError(this.codings, true) : error
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

// =============================================================================
// Response
// =============================================================================

/** A response that nobody reads any more must not hold its connection. */
const unread = new FinalizationRegistry((message: IncomingMessage) => message.destroy())

let arrived: Array<NodeResponse> = []

/**
 * Watches those that nobody has begun to read by the end of this turn of the event loop. Most have, and a watched response
 * outlives the young collections.
 */
const watchUnread = (): void => {
  const responses = arrived
  arrived = []
  for (const response of responses) response.watch()
}

/** In one pass: `message.headers` would be an object of its own, to be copied. */
const headersOf = (raw: ReadonlyArray<string>): Headers.Headers => {
  const headers: Record<string, string> = {}
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]!.toLowerCase()
    const before = ownOf(headers, name)
    setOwn(headers, name, before === undefined ? raw[at + 1]! : `${before}, ${raw[at + 1]!}`)
  }
  return Headers.fromRecordUnsafe(headers)
}

/**
 * A response whose body goes to the transport as it comes.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class NodeResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly request: HttpClientRequest
  readonly url: string
  readonly status: number
  private readonly message: IncomingMessage
  private watched = false
  private body: Body | undefined
  private cachedHeaders: Headers.Headers | undefined
  private cachedBytes: Effect.Effect<Uint8Array<ArrayBuffer>, HttpError> | undefined

  constructor(request: HttpClientRequest, message: IncomingMessage, url: string) {
    super()
    this.request = request
    this.message = message
    this.url = url
    this.status = message.statusCode ?? 0
    if (arrived.push(this) === 1) setImmediate(watchUnread)
  }

  watch(): void {
    if (this.body !== undefined) return
    this.watched = true
    unread.register(this, this.message, this.message)
  }

  get [bodySymbol](): Body {
    if (this.watched) unread.unregister(this.message)
    return this.body ??= this.open()
  }

  private open(): Body {
    const { codings, known, source } = decompressed(this.message, this.headers["content-encoding"])
    const body = new NodeBody(this.message, source, codings)
    return codings.length === 0 || isBinary(this.headers) ? body : new EncodedBody(body, codings, known)
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
      (text) => Effect.try({ try: () => text === "" ? null : parseJsonUnsafe(text), catch: this.failure })
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
