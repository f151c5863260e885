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
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { whyNotJson } from "../json/parse.ts"
import * as LlmError from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"
import type { Timeouts } from "../LlmRequest.ts"
import type { LlmResponse } from "../LlmResponse.ts"
import { isErrorBody, readErrorBody } from "../protocol/errors/ErrorBody.ts"
import { parsed } from "../protocol/Probe.ts"
import type { Failure, MakeDecoder } from "../protocol/Protocol.ts"
import { Activity } from "../stream/activity.ts"
import type { EventsPull } from "../stream/source.ts"
import { millisOf, streamWithTimeouts, withEffectTimeouts } from "../stream/timeouts.ts"
import * as Body from "./Body.ts"
import { BoundedText } from "./BoundedText.ts"
import { type Call, type JsonCall, type JsonReading, notLoaded } from "./Call.ts"
import { unreadableEncoding } from "./Encoding.ts"
import * as Events from "./Events.ts"
import { type Failing, failingOf, guarded, networkReason, refusal } from "./Failing.ts"
import * as JsonText from "./JsonText.ts"
import { reasonOf } from "./Reasons.ts"
import { requestOf } from "./Request.ts"
import * as RetryAfter from "./RetryAfter.ts"
import { redactedRequest, Scrubbers } from "./secrets/Redaction.ts"

export type { Call, JsonCall, JsonReading } from "./Call.ts"

/**
 * The time limits of a call that says nothing of them; `total` is of whole answers alone.
 *
 * @category limits
 * @since 0.1.0
 */
export const defaultLimits = {
  connect: Duration.seconds(120),
  firstToken: Duration.minutes(10),
  firstByte: Duration.minutes(5),
  idle: Duration.minutes(2),
  total: Duration.minutes(10)
} as const

/** How long to wait for bookkeeping frames after the finish reason, unless the idle limit is shorter. */
const maxGraceMillis = 2000

/**
 * Characters that are kept of the body of an error; what it means must stand in them. Twice as much is read, so that it is not cut
 * within a secret.
 */
const maxErrorBody = 64 * 1024
/** Characters of an answer outside the wires: a listing, a count, a file's facts. The longest known listing has some 5 MB. */
const maxJsonBody = 32 * 1024 * 1024
/** How long such a body is waited for, unless `firstByte` or `idle` is shorter. */
const errorBodyMillis = 10_000
const maxRedirects = 3

/** The limits of an answer that is read whole. `connect` is in force only where the client tells when the request is written. */
const wholeLimits = ({ connect, firstByte, idle, total }: Timeouts) => ({
  connect: connect ?? defaultLimits.connect,
  firstByte: firstByte ?? defaultLimits.firstByte,
  idle: idle ?? defaultLimits.idle,
  total: total ?? defaultLimits.total
})

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
  readonly json: <A>(call: JsonCall, reading: JsonReading<A>) => Effect.Effect<A, LlmError.LlmError>
}

/** An answer that has begun. */
interface Exchange {
  readonly fail: Failing
  readonly requestId: string | undefined
  readonly pull: EventsPull
}

/**
 * Makes a transport from an `HttpClient`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (client: HttpClient.HttpClient): Transport => {
  const failing = failingOf(new Scrubbers())
  const execute = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.updateContext(
      client.execute(request),
      (context: Context.Context<never>) => {
        const given = Context.getOrUndefined(context, FetchHttpClient.RequestInit)
        const merged = redactedRequest(Context.merge(context, requestContext))
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
              // The application cannot tell a wrong address from a provider that has moved, and another provider may answer.
              fail.error(new LlmError.Provider({ message: `${why} Check the base URL.`, status }))
            )
          })
        if (target === null || target === undefined) return refuse("The provider answered with a redirect to nowhere.")
        if (target.origin !== new URL(request.url).origin) {
          // An origin is in lower case, where nobody would recognise a secret.
          const shown = fail.scrub(target.href) === target.href && fail.scrub(location!) === location
          return refuse(
            `The provider redirects to another origin${
              shown ? ` (${fail.named(target.origin)})` : ""
            }; not followed, because the credential would go with it.`
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

  /** Reads an error body, as far as it comes in time: the status alone is an answer, which no limit on bytes takes away. */
  const refused = Effect.fnUntraced(function*(response: HttpClientResponse, fail: Failing, timeouts: Timeouts) {
    const { rest } = yield* Activity
    rest()
    const body = new BoundedText(2 * maxErrorBody)
    const limit = Math.min(errorBodyMillis, millisOf(timeouts.firstByte), millisOf(timeouts.idle))
    yield* JsonText.readInto(body, response).pipe(Effect.timeoutOption(limit), Effect.ignore)
    const now = yield* Clock.currentTimeMillis
    const { isOver } = body
    const text = body.read()
    return yield* guarded(fail, response, () => Effect.fail(refusal(response, text, isOver, now, fail)))
  })

  /** Sends a call and gives the pull of its events; everything it opens lives in `scope`. */
  const open = (call: Call, scope: Scope.Scope, whole: boolean): Effect.Effect<Exchange, LlmError.LlmError> => {
    const fail = failing(call)
    const { decoder } = call.protocol
    const opened = (make: MakeDecoder) =>
      Effect.flatMap(send(call, fail, "POST"), (response) =>
        response.status < 200 || response.status > 299
          ? refused(response, fail, call.timeouts)
          : Effect.withFiber((fiber) =>
            guarded(fail, response, () => read(call, make, fail, response, fiber, scope, whole))
          ))
    if (typeof decoder === "function") return opened(decoder)
    return decoder.ready === undefined
      ? Effect.flatMap(Effect.tryPromise({ try: decoder.load, catch: () => fail.error(notLoaded()) }), opened)
      : opened(decoder.ready)
  }

  const read = (
    call: Call,
    make: MakeDecoder,
    fail: Failing,
    response: HttpClientResponse,
    fiber: Fiber.Fiber<unknown, unknown>,
    scope: Scope.Scope,
    whole: boolean
  ): Effect.Effect<Exchange> => {
    const now = fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()
    const requestId = fail.named(RetryAfter.requestId(response.headers))
    const decoder = make({
      wire: call.protocol.wire,
      provider: call.provider,
      model: call.model,
      label: call.label,
      requestId,
      rateLimits: RetryAfter.rateLimits(response.headers, now),
      warnings: call.warnings,
      idSeed: call.idSeed,
      includeRaw: call.includeRaw,
      scrub: fail.scrub,
      streamed: !whole,
      contextWindow: call.contextWindow,
      toolNames: call.toolNames,
      calledItems: call.calledItems,
      schemas: call.schemas
    })
    const activity = fiber.getRef(Activity)
    const partial = () => {
      try {
        return decoder.assembler.partial()
      } catch {
        return undefined
      }
    }
    activity.partialFrom(partial)
    const reading: Events.Reading = {
      decoder,
      framing: call.protocol.framing,
      decodingError: (failure) =>
        fail.error(
          reasonOf(failure, { scrub: fail.scrub, partial: partial() }),
          requestId ?? fail.named(failure.requestId)
        ),
      networkError: (cause) => fail.error(networkReason(cause, fail, partial()), requestId),
      touch: activity.touch,
      rest: activity.rest,
      graceMillis: Math.min(maxGraceMillis, millisOf(call.timeouts.idle)),
      whole,
      maxBytes: fiber.getRef(Body.BodyLimit)
    }
    const body = Body.of(response)
    if (body === undefined) {
      const pull = Events.fromPull(reading)
      return Effect.map(
        Channel.toPullScoped(response.stream.channel, scope),
        (bytes) => ({ fail, requestId, pull: pull(bytes) })
      )
    }
    const source = new Events.EventSource(reading, body)
    return Effect.as(
      Scope.addFinalizer(scope, Effect.sync(() => source.close())),
      { fail, requestId, pull: source.pull }
    )
  }

  /** `folded` is a stream that `generate` reads: it has all limits of a whole answer, and the one on its first content. */
  const streamed = (call: Call, folded: boolean): Stream.Stream<LlmEvent, LlmError.LlmError> =>
    Stream.suspend(() => {
      let requestId: string | undefined
      const opened = (scope: Scope.Scope) =>
        Effect.map(open(call, scope, false), (exchange) => {
          requestId = exchange.requestId
          return exchange.pull
        })
      return streamWithTimeouts(
        opened,
        {
          ...wholeLimits(call.timeouts),
          firstToken: call.timeouts.firstToken ?? defaultLimits.firstToken,
          ...(folded ? undefined : { firstByte: undefined, total: call.timeouts.total })
        },
        (phase, limit, partial) => failing(call).error(LlmError.timeout(phase, limit, partial), requestId),
        !folded
      )
    })

  const stream = (call: Call): Stream.Stream<LlmEvent, LlmError.LlmError> => streamed(call, false)

  const folded = (call: Call): Effect.Effect<LlmResponse, LlmError.LlmError> =>
    Effect.scopedWith((scope) =>
      Effect.flatMap(
        Channel.toPullScoped(streamed(call, true).channel, scope),
        (pull) => finishOf(pull, failing(call))
      )
    )

  const generate = (call: Call): Effect.Effect<LlmResponse, LlmError.LlmError> => {
    if (call.streamed === true) return folded(call)
    let requestId: string | undefined
    return withEffectTimeouts(
      Effect.scopedWith((scope) =>
        Effect.flatMap(open(call, scope, true), (exchange) => {
          requestId = exchange.requestId
          return finishOf(exchange.pull, exchange.fail)
        })
      ),
      wholeLimits(call.timeouts),
      (phase, limit, partial) => failing(call).error(LlmError.timeout(phase, limit, partial), requestId)
    )
  }

  const json = <A>(call: JsonCall, reading: JsonReading<A>): Effect.Effect<A, LlmError.LlmError> => {
    const fail = failing(call)
    const answer = Effect.flatMap(send(call, fail, call.method), (response) => {
      if (response.status < 200 || response.status > 299) return refused(response, fail, call.timeouts)
      return Effect.flatMap(
        Effect.mapError(textOf(response), (error) => fail.error(networkReason(error, fail))),
        ({ isOver, text }) =>
          guarded(fail, response, () => {
            const failed = (failure: Failure) => {
              const requestId = RetryAfter.requestId(response.headers) ?? failure.requestId
              return Effect.fail(
                fail.error(reasonOf({ ...failure, body: text }, fail), fail.named(requestId))
              )
            }
            if (isOver) {
              return failed({
                kind: "parse",
                message: `The provider's answer has more than ${maxJsonBody} characters.`
              })
            }
            const body = call.method === "DELETE" && text.trim() === "" ? {} : parsed(text)
            const told = isErrorBody(body) ? readErrorBody(body) : undefined
            if (told !== undefined) return failed({ kind: "provider", ...told })
            if (typeof body !== "object" || body === null) {
              const message = unreadableEncoding(response.headers, text) ??
                `The body ${body === undefined ? whyNotJson(text) : "is no JSON object"}.`
              return failed({ kind: "parse", message })
            }
            const found = reading.read(body)
            return found === undefined ? failed({ kind: "parse", message: reading.nothing }) : Effect.succeed(found)
          })
      )
    })
    return withEffectTimeouts(
      answer,
      wholeLimits(call.timeouts),
      (phase, limit) => fail.error(LlmError.timeout(phase, limit))
    )
  }

  return { generate, stream, json }
}

const manualRedirects: globalThis.RequestInit = { redirect: "manual" }

/** What every request is made with: redirects are decided here, and the call has a span of its own. */
const requestContext = Context.make(FetchHttpClient.RequestInit, manualRedirects).pipe(
  Context.add(HttpClient.TracerDisabledWhen, () => true)
)

const textOf = (response: HttpClientResponse) =>
  Effect.withFiber((fiber) => JsonText.read(response, maxJsonBody, fiber.getRef(Activity).touch))

const discard = (response: HttpClientResponse) => Stream.runDrain(Stream.take(response.stream, 1))

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
