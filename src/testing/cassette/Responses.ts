/**
 * Responses on their way through a cassette: those of a server, written down while they are read, and those that were.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpBody } from "effect/http/HttpBody"
import type { HttpClient } from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import { parseJson } from "../../json/parse.ts"
import type { Json } from "../../Message.ts"
import { monotonicMillis } from "../../stream/monotonic.ts"
import { maskJson, type Outgoing, responseHeaders, type scrubbed } from "./Scrubbing.ts"
import { bodyOf, type Broken, chunksOf, type RecordedBody, type RecordedExchange, textIn } from "./Tape.ts"

type HttpError = HttpClientError.HttpClientError

/** A request that was sent. */
export interface Recording {
  /** What is known of it by now; nothing before the headers have come. */
  known: () => RecordedExchange | undefined
  /** Whether nothing more will come of it. */
  done: boolean
}

// =============================================================================
// Requests
// =============================================================================

/** What of a body can be compared. One that can be read once only is told by its kind. */
const bodyIn = (body: HttpBody): Json | undefined => {
  switch (body._tag) {
    case "Empty":
      return undefined
    case "Uint8Array": {
      const text = textIn(body.body)
      return text === undefined
        ? { base64: Buffer.from(body.body).toString("base64") }
        : parseJson(text) ?? text
    }
    case "FormData":
      return { form: [...body.formData].map(([name, value]) => [name, typeof value === "string" ? value : value.size]) }
    case "Raw":
      return typeof body.body === "string" ? parseJson(body.body) ?? body.body : { raw: true }
    case "Stream":
      return { stream: body.contentLength ?? true }
  }
}

/**
 * A request as it goes out.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const outgoing = (request: HttpClientRequest, url: URL): Outgoing => ({
  method: request.method,
  url: url.href,
  headers: request.headers,
  body: bodyIn(request.body)
})

// =============================================================================
// Recording
// =============================================================================

const codeOf = (cause: unknown): string | undefined => {
  for (let error = cause, depth = 0; depth < 5 && typeof error === "object" && error !== null; depth++) {
    if ("code" in error && typeof error.code === "string") return error.code
    error = "cause" in error ? error.cause : undefined
  }
  return undefined
}

const rootOf = (error: HttpError): unknown => "cause" in error.reason ? error.reason.cause ?? error : error

const brokenBy = (error: HttpError, scrub: (text: string) => string): Broken => {
  const root = rootOf(error)
  const code = codeOf(error)
  return {
    ...(code === undefined ? undefined : { code }),
    message: scrub(root instanceof Error ? root.message : error.message)
  }
}

const withoutBody = new Set([204, 205, 304])

/** The headers of a response that a `Response` can have; the length is of a body that may have been another one. */
const headersFor = (headers: { readonly [name: string]: string | undefined }): ReadonlyArray<[string, string]> =>
  Object.entries(headers).flatMap(([name, value]): ReadonlyArray<[string, string]> =>
    value === undefined || !/^[\t\u0020-\u00ff]*$/.test(value) || /^(?:content-length|transfer-encoding)$/i.test(name)
      ? []
      : [[name, value]]
  )

const responseOf = (
  request: HttpClientRequest,
  { headers, status }: { readonly status: number; readonly headers: { readonly [name: string]: string | undefined } },
  body: () => ReadableStream<Uint8Array>
): HttpClientResponse.HttpClientResponse =>
  HttpClientResponse.fromWeb(
    request,
    new Response(withoutBody.has(status) ? null : body() as BodyInit, {
      status: Math.min(599, Math.max(200, status)),
      headers: headersFor(headers) as Array<[string, string]>
    })
  )

/**
 * Sends a request, keeps in `recording` what comes of it, and runs `ended` when nothing more will: the body has ended, broken, or is not read
 * any more. The response is handed on as it comes.
 *
 * @stability experimental
 * @category recording
 * @since 0.1.0
 */
export const recorded = (
  upstream: HttpClient,
  request: HttpClientRequest,
  { request: written, scrub }: ReturnType<typeof scrubbed>,
  timing: boolean,
  recording: Recording,
  ended: Effect.Effect<void>
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpError> =>
  Effect.gen(function*() {
    const end = (exchange: RecordedExchange) =>
      Effect.suspend(() => {
        recording.known = () => exchange
        recording.done = true
        return ended
      })
    const started = yield* monotonicMillis
    const response = yield* upstream.execute(request).pipe(
      Effect.tapError((error) => end({ request: written, failed: brokenBy(error, scrub) })),
      // Nobody waits for it any more, and of what never came there is nothing to play.
      Effect.onInterrupt(() =>
        Effect.sync(() => {
          recording.done = true
        })
      )
    )
    const chunks: Array<Uint8Array> = []
    const millis: Array<number> = []
    const exchange = (how: Pick<RecordedBody, "broken" | "open">): RecordedExchange => ({
      request: written,
      response: {
        status: response.status,
        headers: responseHeaders(response.headers, scrub),
        body: { ...bodyOf(chunks, scrub, maskJson), ...(timing ? { millis: [...millis] } : undefined), ...how }
      }
    })
    if (withoutBody.has(response.status)) {
      yield* end(exchange({}))
      return responseOf(request, response, () => new ReadableStream())
    }
    recording.known = () => exchange({ open: true })
    const body = response.stream.pipe(
      Stream.tap((chunk) =>
        Effect.map(monotonicMillis, (now) => {
          chunks.push(chunk.slice())
          millis.push(Math.round(now - started))
        })
      ),
      Stream.onExit((exit) => {
        if (Exit.isSuccess(exit)) return end(exchange({}))
        const [reason] = exit.cause.reasons
        const isBroken = reason !== undefined && Cause.isFailReason(reason)
        return end(exchange(isBroken ? { broken: brokenBy(reason.error, scrub) } : { open: true }))
      })
    )
    const context = yield* Effect.context<never>()
    return responseOf(request, response, () => Stream.toReadableStreamWith(body, context))
  })

// =============================================================================
// Playing
// =============================================================================

const errorOf = ({ code, message }: Broken): Error =>
  Object.assign(new Error(message), code === undefined ? undefined : { code })

const bytesOf = (body: RecordedBody, timing: boolean): Stream.Stream<Uint8Array, Error> => {
  const chunks = chunksOf(body)
  const millis = timing ? body.millis ?? [] : []
  const bytes = Stream.rechunk(Stream.fromArray(chunks), 1)
  const paced = millis.length === 0 ? bytes : Stream.unwrap(Effect.map(monotonicMillis, (started) => {
    let at = 0
    return Stream.tap(
      bytes,
      () => Effect.flatMap(monotonicMillis, (now) => Effect.sleep(Math.max(0, started + (millis[at++] ?? 0) - now)))
    )
  }))
  if (body.broken !== undefined) return Stream.concat(paced, Stream.fail(errorOf(body.broken)))
  return body.open === true ? Stream.concat(paced, Stream.never) : paced
}

/**
 * Answers a request with what was recorded.
 *
 * @stability experimental
 * @category playing
 * @since 0.1.0
 */
export const played = (
  request: HttpClientRequest,
  { failed, response }: RecordedExchange,
  timing: boolean,
  context: Context.Context<never>
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpError> =>
  Effect.suspend(() =>
    response === undefined
      ? Effect.fail(
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.TransportError({
            request,
            cause: errorOf(failed ?? { message: "The connection failed." })
          })
        })
      )
      : Effect.succeed(
        responseOf(request, response, () => Stream.toReadableStreamWith(bytesOf(response.body, timing), context))
      )
  )
