/**
 * Answers as plain server-sent events, each an `LlmEvent` as JSON, in the body of a response: for pages with a few lines of JavaScript, and
 * for programs in other languages. `Sse.decode` reads it back.
 *
 * Attempts that failed are announced as they happen (`AttemptFailed`). A stream that fails ends with its `LlmError`.
 *
 * @example
 * ```ts
 * HttpRouter.add("GET", "/answer", EventStream.response(LlmService.stream({ prompt: "Hello" })))
 * ```
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { IncompleteStream, isLlmError, LlmError, Provider } from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"
import * as Sse from "../Sse.ts"
import { type FailedAttempt, type PublicFailure, told } from "./ui/told.ts"

/**
 * Options of a stream.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** A comment is sent whenever nothing else was for so long; `"Infinity"` for never. @default 15 seconds */
  readonly heartbeat?: Duration.Input | undefined
}

const announced = ({ model = "", provider = "", reason }: FailedAttempt): Sse.Message => ({
  _tag: "AttemptFailed",
  attempt: { provider, model, reason }
})

/** What nobody expected is told without what it holds. */
const unexpected = ({ message, reason }: PublicFailure): LlmError =>
  new LlmError({
    provider: "",
    model: "",
    operation: "stream",
    reason: reason === "IncompleteStream"
      ? new IncompleteStream({ message })
      : new Provider({ message, shouldRetry: false }),
    attempts: 1
  })

/**
 * The events of an answer, with the attempts that failed in between.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const messages = <E, R>(events: Stream.Stream<LlmEvent, E, R>): Stream.Stream<Sse.Message, LlmError, R> =>
  Stream.flatMap(told(events), (one): Stream.Stream<Sse.Message, LlmError> => {
    switch (one._tag) {
      case "Event":
        return Stream.succeed(one.event)
      case "Attempt":
        return one.attempt.what === "continued" ? Stream.empty : Stream.succeed(announced(one.attempt))
      case "Failed":
        return Stream.fail(isLlmError(one.error) ? one.error : unexpected(one.failure))
    }
  })

/**
 * A response with the stream. `HttpServerResponse.toWeb` makes a `Response` of it for other servers.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const response = <E, R>(
  events: Stream.Stream<LlmEvent, E, R>,
  options: Options = {}
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> =>
  Effect.map(
    Effect.context<R>(),
    (context) =>
      HttpServerResponse.stream(
        Stream.provideContext(Sse.encode(messages(events), options), context),
        { headers: Sse.headers, contentType: Sse.headers["content-type"] }
      )
  )
