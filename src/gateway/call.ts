/**
 * One call through the gateway: who asks what of whom, and how its answer and its failure become a response of HTTP.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { Scope } from "effect/Scope"
import * as LlmError from "../LlmError.ts"
import type { LlmRequest } from "../LlmRequest.ts"
import type { LlmResponse, Warning } from "../LlmResponse.ts"
import type { Service } from "../LlmService.ts"
import type { AnswerContext, EncodedError, ErrorDetails, Headers, ServerProtocol } from "../protocol/Server.ts"
import { type Event, EventSink } from "../stream/emit.ts"
import { answerHeaders, attemptsHeader, attemptsOf } from "./headers.ts"
import type { Client } from "./keys.ts"
import type { Target } from "./routing.ts"
import { renewedIn } from "./spending.ts"

/**
 * How a client is spoken to.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Exchange {
  readonly wire: ServerProtocol
  readonly context: AnswerContext
  /** Headers of every response of the gateway: whose page may read it, which request it answers. */
  readonly headers: Headers
}

/**
 * A call.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Call extends Exchange {
  readonly client: Client
  readonly target: Target
  /** The instance, with the limits of the client's key around it. */
  readonly service: Service
  readonly request: LlmRequest
  /** What is not asked of anybody, whoever answers. */
  readonly dropped: ReadonlyArray<Warning>
  /** What has happened to the call so far; live. */
  readonly events: ReadonlyArray<Event>
  /** Gives the events of the call to it, and to whoever listened before. */
  readonly listening: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Is told the answer. */
  readonly onAnswer: (response: LlmResponse) => Effect.Effect<void>
}

/** Events that are kept of a call: retries and moves are few. */
const maxEvents = 64

/**
 * Listens to a call.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const listener = (): Pick<Call, "events" | "listening"> => {
  const events: Array<Event> = []
  return {
    events,
    listening: (effect) =>
      Effect.withFiber((fiber) => {
        const others = fiber.getRef(EventSink)
        return Effect.provideService(effect, EventSink, (event) => {
          if (events.length < maxEvents && (event._tag === "Retry" || event._tag === "FailOver")) events.push(event)
          others?.(event)
        })
      })
  }
}

/**
 * A JSON body as a response.
 *
 * @stability experimental
 * @category responses
 * @since 0.1.0
 */
export const json = (
  body: unknown,
  { headers, status = 200 }: { readonly headers: Headers; readonly status?: number | undefined }
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(JSON.stringify(body), { status, contentType: "application/json", headers })

const written = ({ context, headers, wire }: Exchange, { body, status, headers: own }: EncodedError, more?: Headers) =>
  json(body, { status, headers: { ...wire.headers(context), ...own, ...headers, ...more } })

/**
 * A refusal in the words of the client's wire.
 *
 * @stability experimental
 * @category responses
 * @since 0.1.0
 */
export const refused = (exchange: Exchange, details: ErrorDetails): HttpServerResponse.HttpServerResponse =>
  written(exchange, exchange.wire.encodeErrorDetails(details, exchange.context))

/**
 * A failure as clients are told of it: what is wrong with the gateway's own configuration is for whoever runs it.
 *
 * @stability experimental
 * @category errors
 * @since 0.1.0
 */
export const told = (error: LlmError.LlmError): LlmError.LlmError =>
  error.reason._tag === "Configuration"
    ? error.with({ reason: new LlmError.Provider({ status: 500, message: "The gateway is not set up for this." }) })
    : error

const logged = (error: LlmError.LlmError): Effect.Effect<void> =>
  error.reason._tag === "Configuration"
    ? Effect.logWarning(`The gateway is not set up: ${error.reason.message}`)
    : Effect.void

/** When a spent budget begins anew, as a header. */
const renewal = (error: LlmError.LlmError, { key }: Client): Effect.Effect<Headers> =>
  error.reason._tag !== "BudgetExceeded" || key === undefined
    ? Effect.succeed({})
    : Effect.map(renewedIn(key), (seconds): Headers => seconds === undefined ? {} : { "retry-after": String(seconds) })

/**
 * A failure in the words of the client's wire.
 *
 * @stability experimental
 * @category responses
 * @since 0.1.0
 */
export const failed = (
  exchange: Exchange,
  error: LlmError.LlmError,
  { client = {}, events = [] }: Partial<Pick<Call, "client" | "events">> = {}
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.map(
    Effect.andThen(logged(error), renewal(error, client)),
    (renewed) =>
      written(exchange, exchange.wire.encodeError(told(error), exchange.context), {
        ...attemptsHeader(attemptsOf(error, events)),
        ...renewed
      })
  )

/**
 * A failure after a stream has begun, as the event that ends it.
 *
 * @stability experimental
 * @category responses
 * @since 0.1.0
 */
export const failedEvent = ({ context, wire }: Exchange, error: LlmError.LlmError, sent: number): string => {
  const event = wire.encodeStreamError(told(error), context, sent)
  return typeof event === "string" ? event : new TextDecoder().decode(event)
}

/**
 * A whole answer.
 *
 * @stability experimental
 * @category responses
 * @since 0.1.0
 */
export const whole = (call: Call): Effect.Effect<HttpServerResponse.HttpServerResponse, never, Scope> =>
  Effect.matchEffect(call.listening(call.service.generate(call.request)), {
    onFailure: (error) => failed(call, error, call),
    onSuccess: (response) => {
      const { context, dropped, headers, wire } = call
      const { body, warnings } = wire.encodeAnswer(response, context)
      return Effect.as(
        call.onAnswer(response),
        json(body, {
          headers: {
            ...wire.headers(context),
            ...headers,
            ...answerHeaders(response, [...dropped, ...response.warnings, ...warnings])
          }
        })
      )
    }
  })
