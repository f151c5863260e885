/**
 * The one pipeline from an encoded request to events: HTTP, framing, decoding, and the frame policy.
 *
 * Owns status, headers and body of a response, time limits of one attempt, redirects, size limits, and the
 * mapping of every failure to an `LlmError`. Retrying, falling back and limiting are policies, one
 * level up; what bytes mean is the wire's business.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Activity } from "../internal/activity.ts"
import type { EventsPull } from "../internal/source.ts"
import { millisOf, streamWithTimeouts, withEffectTimeouts } from "../internal/timeouts.ts"
import * as LlmError from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"
import type { Timeouts } from "../LlmRequest.ts"
import type { LlmResponse, Warning } from "../LlmResponse.ts"
import { readErrorText } from "../protocol/ErrorMap.ts"
import { parsed } from "../protocol/Probe.ts"
import type { Failure, Protocol } from "../protocol/Protocol.ts"
import * as Body from "./Body.ts"
import { BoundedText, readInto } from "./BoundedText.ts"
import * as Events from "./Events.ts"
import { titleOf } from "./Page.ts"
import { reasonOf } from "./Reasons.ts"
import { describeCause, makeScrubber } from "./Redaction.ts"
import * as RetryAfter from "./RetryAfter.ts"

/**
 * One attempt, ready to be sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly protocol: Protocol
  readonly provider: string
  readonly model: string
  readonly label?: string | undefined
  readonly operation: LlmError.Operation
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  /** Values that must not appear in anything rendered. */
  readonly secrets: ReadonlyArray<string>
  readonly timeouts: Timeouts
  readonly warnings: ReadonlyArray<Warning>
  readonly includeRaw: boolean
  readonly idSeed: string
}

const defaultConnect = Duration.seconds(120)
const defaultFirstToken = Duration.minutes(10)
const defaultIdle = Duration.minutes(2)
const defaultTotal = Duration.minutes(10)

/** How long to wait for bookkeeping frames after the finish reason, unless the idle limit is shorter. */
const maxGraceMillis = 2000

/** Characters that are read of the body of an error; what it means must stand in them. */
const maxErrorBody = 64 * 1024
/** Characters of an answer outside the wires: a listing, a count, a file's facts. The longest known listing has some 5 MB. */
const maxJsonBody = 32 * 1024 * 1024
const errorBodyLimit: Duration.Input = "10 seconds"
const maxRedirects = 3

/**
 * Sends calls through an `HttpClient`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transport {
  readonly generate: (call: Call) => Effect.Effect<LlmResponse, LlmError.LlmError>
  readonly stream: (call: Call) => Stream.Stream<LlmEvent, LlmError.LlmError>
  /** A JSON request outside the wires, such as a model listing. */
  readonly json: (call: JsonCall) => Effect.Effect<unknown, LlmError.LlmError>
}

/**
 * A JSON request outside the wires.
 *
 * @category models
 * @since 0.1.0
 */
export interface JsonCall {
  readonly method: "GET" | "POST" | "DELETE"
  readonly provider: string
  readonly model: string
  readonly operation: LlmError.Operation
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  /** JSON text, a form, or bytes with their media type. */
  readonly body?: string | FormData | { readonly bytes: Uint8Array; readonly mediaType: string } | undefined
  readonly secrets: ReadonlyArray<string>
  readonly timeouts: Timeouts
}

/** What makes errors of one attempt. */
interface Failing {
  readonly scrub: (text: string) => string
  readonly error: (reason: LlmError.Reason, requestId?: string | undefined) => LlmError.LlmError
}

const failing = (call: Call | JsonCall): Failing => {
  let scrub: ((text: string) => string) | undefined
  return {
    scrub: (text) => (scrub ??= makeScrubber(call.secrets))(text),
    error: (reason, requestId) =>
      new LlmError.LlmError({
        provider: call.provider,
        model: call.model,
        label: "label" in call ? call.label : undefined,
        operation: call.operation,
        requestId,
        reason,
        attempts: 1
      })
  }
}

/** An answer that has begun. */
interface Exchange {
  readonly fail: Failing
  readonly requestId: string | undefined
  readonly pull: EventsPull
}

const networkCode = (cause: unknown): string | undefined => {
  for (let error = cause, depth = 0; depth < 5 && typeof error === "object" && error !== null; depth++) {
    if ("code" in error && typeof error.code === "string") return error.code
    error = "cause" in error ? error.cause : undefined
  }
  return undefined
}

const networkReason = (error: unknown, call: Failing, partial?: LlmResponse | undefined): LlmError.Reason => {
  const reason = HttpClientError.isHttpClientError(error) ? error.reason : undefined
  const cause = reason === undefined ? error : "cause" in reason ? reason.cause : undefined
  const broken = cause ?? error
  if (broken instanceof Body.BodyTooLong) return new LlmError.ResponseParse({ message: broken.message, partial })
  const message = call.scrub(describeCause(broken, call.scrub))
  switch (reason?._tag) {
    case "InvalidUrlError":
    case "EncodeError":
      return new LlmError.Configuration({ message: `The request could not be built: ${message}. Check the base URL.` })
    default:
      return new LlmError.Network({ message: `The connection failed: ${message}.`, code: networkCode(cause), partial })
  }
}

/**
 * Makes a transport from an `HttpClient`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (client: HttpClient.HttpClient): Transport => {
  const execute = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.updateContext(
      client.execute(request),
      (context: Context.Context<never>) => {
        const given = Context.getOrUndefined(context, FetchHttpClient.RequestInit)
        const merged = Context.merge(context, requestContext)
        return given === undefined
          ? merged
          : Context.add(merged, FetchHttpClient.RequestInit, { ...given, ...manualRedirects })
      }
    )

  /** Follows redirects on the same origin only: to another, the credential would go along. */
  const follow = (
    request: HttpClientRequest.HttpClientRequest,
    fail: Failing,
    left: number
  ): Effect.Effect<HttpClientResponse, LlmError.LlmError> =>
    Effect.flatMap(
      Effect.mapError(execute(request), (error) => fail.error(networkReason(error, fail))),
      (response) => {
        const status = response.status
        if (status !== 0 && (status < 300 || status > 399 || status === 304)) return Effect.succeed(response)
        const location = response.headers["location"]
        const target = location === undefined ? undefined : URL.parse(location, request.url)
        const refuse = (why: string) =>
          Effect.suspend(() => {
            Body.of(response)?.close(false)
            return Effect.fail(
              fail.error(new LlmError.Configuration({ message: `${why} Check the base URL.`, field: "baseUrl" }))
            )
          })
        if (target === null || target === undefined) return refuse("The provider answered with a redirect to nowhere.")
        if (target.origin !== new URL(request.url).origin) {
          return refuse(
            `The provider redirects to another origin (${target.origin}); not followed, because the credential would go with it.`
          )
        }
        if (left === 0) return refuse("Too many redirects.")
        if (status !== 307 && status !== 308) {
          return refuse(`The provider answered ${status} to a POST, which would turn it into a GET.`)
        }
        return Effect.andThen(
          Effect.ignore(discard(response)),
          follow(HttpClientRequest.setUrl(request, target.href), fail, left - 1)
        )
      }
    )

  const send = (
    call: Call | JsonCall,
    fail: Failing,
    method: "GET" | "POST" | "DELETE"
  ): Effect.Effect<HttpClientResponse, LlmError.LlmError> => {
    const request = requestOf(method, call)
    return Effect.withFiber((fiber) => {
      const activity = fiber.getRef(Activity)
      return Effect.map(follow(request, fail, maxRedirects), (response) => {
        activity.connected()
        return response
      })
    })
  }

  /** Reads an error body, as far as it comes in time. */
  const refused = Effect.fnUntraced(function*(response: HttpClientResponse, fail: Failing) {
    const body = new BoundedText(maxErrorBody)
    yield* readInto(body, response).pipe(Effect.timeoutOption(errorBodyLimit), Effect.ignore)
    const now = yield* Clock.currentTimeMillis
    const text = body.read()
    const found = readErrorText(text, body.isOver)
    const shouldRetry = response.headers["x-should-retry"]
    const failure: Failure = {
      kind: "provider",
      message: found?.message ?? plainMessage(text, response.status),
      status: response.status,
      type: found?.type ?? awsErrorType(response.headers["x-amzn-errortype"]),
      code: found?.code,
      param: found?.param,
      retryAfterMillis: found?.retryAfterMillis,
      body: text === "" ? undefined : text
    }
    const reason = reasonOf(failure, {
      scrub: fail.scrub,
      retryAfter: RetryAfter.retryAfter(response.headers, now),
      shouldRetry: shouldRetry === "true" ? true : shouldRetry === "false" ? false : undefined
    })
    const requestId = RetryAfter.requestId(response.headers) ?? found?.requestId
    return yield* fail.error(reason, requestId === undefined ? undefined : fail.scrub(requestId))
  })

  /** Sends a call and gives the pull of its events; everything it opens lives in `scope`. */
  const open = (call: Call, scope: Scope.Scope): Effect.Effect<Exchange, LlmError.LlmError> => {
    const fail = failing(call)
    return Effect.flatMap(send(call, fail, "POST"), (response) =>
      response.status < 200 || response.status > 299
        ? refused(response, fail)
        : Effect.withFiber((fiber) => read(call, fail, response, fiber, scope)))
  }

  const read = (
    call: Call,
    fail: Failing,
    response: HttpClientResponse,
    fiber: Fiber.Fiber<unknown, unknown>,
    scope: Scope.Scope
  ): Effect.Effect<Exchange> => {
    const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
    const requestId = RetryAfter.requestId(response.headers)
    const decoder = call.protocol.decoder({
      wire: call.protocol.wire,
      provider: call.provider,
      model: call.model,
      label: call.label,
      requestId,
      rateLimits: RetryAfter.rateLimits(response.headers, now),
      warnings: call.warnings,
      idSeed: call.idSeed,
      includeRaw: call.includeRaw
    })
    const activity = fiber.getRef(Activity)
    const partial = () => decoder.assembler.partial()
    activity.partialFrom(partial)
    const reading: Events.Reading = {
      decoder,
      framing: call.protocol.framing,
      decodingError: (failure) =>
        fail.error(reasonOf(failure, { scrub: fail.scrub, partial: partial() }), requestId ?? failure.requestId),
      networkError: (cause) => fail.error(networkReason(cause, fail, partial()), requestId),
      touch: activity.touch,
      rest: activity.rest,
      graceMillis: Math.min(maxGraceMillis, millisOf(call.timeouts.idle)),
      maxBytes: fiber.getRef(Body.BodyLimit)
    }
    const body = Body.of(response)
    if (body === undefined) {
      return Effect.map(
        Channel.toPullScoped(response.stream.channel, scope),
        (bytes) => ({ fail, requestId, pull: Events.fromPull(reading, bytes) })
      )
    }
    const source = new Events.EventSource(reading, body)
    return Effect.as(
      Scope.addFinalizer(scope, Effect.sync(() => source.close())),
      { fail, requestId, pull: source.pull }
    )
  }

  const stream = (call: Call): Stream.Stream<LlmEvent, LlmError.LlmError> =>
    Stream.suspend(() => {
      let requestId: string | undefined
      const opened = (scope: Scope.Scope) =>
        Effect.map(open(call, scope), (exchange) => {
          requestId = exchange.requestId
          return exchange.pull
        })
      return streamWithTimeouts(opened, {
        connect: call.timeouts.connect ?? defaultConnect,
        firstToken: call.timeouts.firstToken ?? defaultFirstToken,
        idle: call.timeouts.idle ?? defaultIdle,
        total: call.timeouts.total
      }, (phase, limit, partial) => failing(call).error(LlmError.timeout(phase, limit, partial), requestId))
    })

  const generate = (call: Call): Effect.Effect<LlmResponse, LlmError.LlmError> =>
    withEffectTimeouts(
      Effect.scopedWith((scope) =>
        Effect.flatMap(open(call, scope), (exchange) => finishOf(exchange.pull, exchange.fail))
      ),
      {
        connect: call.timeouts.connect ?? defaultConnect,
        idle: call.timeouts.idle,
        total: call.timeouts.total ?? defaultTotal
      },
      (phase, limit, partial) => failing(call).error(LlmError.timeout(phase, limit, partial))
    )

  const json = (call: JsonCall): Effect.Effect<unknown, LlmError.LlmError> => {
    const fail = failing(call)
    const answer = Effect.flatMap(send(call, fail, call.method), (response) => {
      if (response.status < 200 || response.status > 299) return refused(response, fail)
      const bounded = new BoundedText(maxJsonBody)
      return Effect.flatMap(
        Effect.mapError(readInto(bounded, response), (error) => fail.error(networkReason(error, fail))),
        () => {
          if (bounded.isOver) {
            const message = `The provider's answer has more than ${maxJsonBody} characters.`
            return Effect.fail(fail.error(reasonOf({ kind: "parse", message }, fail)))
          }
          const text = bounded.read()
          const body = call.method === "DELETE" && text.trim() === "" ? {} : parsed(text)
          return body === undefined
            ? Effect.fail(fail.error(reasonOf({ kind: "parse", message: "The body is not JSON.", body: text }, fail)))
            : Effect.succeed(body)
        }
      )
    })
    return withEffectTimeouts(
      answer,
      { connect: call.timeouts.connect ?? defaultConnect, total: call.timeouts.total ?? defaultTotal },
      (phase, limit) => fail.error(LlmError.timeout(phase, limit))
    )
  }

  return { generate, stream, json }
}

/** Made in one go: each combinator of a request would copy its headers. */
const requestOf = (method: "GET" | "POST" | "DELETE", call: Call | JsonCall): HttpClientRequest.HttpClientRequest => {
  const { body, headers, url } = call
  if (typeof body !== "string") {
    return HttpClientRequest.make(method)(url, {
      headers,
      ...(body === undefined ? undefined : { body: bodyOf(body) })
    })
  }
  const sent = Headers.fromInput({ ...headers, "content-type": jsonType })
  return HttpClientRequest.makeWith(method, url, UrlParams.empty, Option.none(), sent, bodyOf(body))
}

const jsonType = "application/json"

const bodyOf = (body: NonNullable<JsonCall["body"]>): HttpBody.HttpBody =>
  typeof body === "string"
    ? HttpBody.raw(body, { contentType: jsonType })
    : body instanceof FormData
    ? HttpBody.formData(body)
    : HttpBody.uint8Array(body.bytes, body.mediaType)

const manualRedirects: globalThis.RequestInit = { redirect: "manual" }

/** What every request is made with: redirects are decided here, and the call has a span of its own. */
const requestContext = Context.make(FetchHttpClient.RequestInit, manualRedirects).pipe(
  Context.add(HttpClient.TracerDisabledWhen, () => true)
)

const discard = (response: HttpClientResponse) => Stream.runDrain(Stream.take(response.stream, 1))

/** `ThrottlingException:http://…` is `ThrottlingException`. */
const awsErrorType = (header: string | undefined): string | undefined => header?.split(":", 1)[0]!.trim() || undefined

const plainMessage = (text: string, status: number): string => {
  const trimmed = text.trim()
  if (trimmed === "") return `The provider answered ${status} without a body.`
  if (trimmed.startsWith("<")) {
    const title = titleOf(trimmed)
    return `The provider answered ${status} with a page${title === undefined ? "" : `: ${title}`}.`
  }
  return trimmed.slice(0, 1000)
}

/** Runs a pull to its `Finish`. */
const finishOf = (
  pull: EventsPull,
  fail: Failing
): Effect.Effect<LlmResponse, LlmError.LlmError> => {
  const step: Effect.Effect<LlmResponse, LlmError.LlmError> = Pull.matchEffect(pull, {
    onSuccess: (events) => {
      const last = events[events.length - 1]!
      return last._tag === "Finish" ? Effect.succeed(last.response) : step
    },
    onFailure: (cause: Cause.Cause<LlmError.LlmError>) => Effect.failCause(cause),
    onDone: () => Effect.fail(fail.error(new LlmError.IncompleteStream({ message: "The answer did not finish." })))
  })
  return step
}
