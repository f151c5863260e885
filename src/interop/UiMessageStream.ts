/**
 * The AI SDK's UI message stream (its data stream protocol), of answers and of runs of agents: what `useChat` and every other reader of
 * that protocol shows.
 *
 * Attempts that failed are announced as they happen (`data-attempt`, transient), and what came of a broken attempt of a step is taken back
 * (`reset-step`). A stream that fails says so at its end: `data-failure` with the reason, and `error` with words of this library's own, none
 * of a provider's. What has no field in the protocol (signatures, encrypted reasoning) rides along in metadata and comes back with the next
 * request.
 *
 * @example
 * ```ts
 * const { messages } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ messages: Schema.Unknown }))
const history = yield* UiMessageStream.messages(messages)
return yield* UiMessageStream.response(Agent.stream(agent, { messages: history }))
 * ```
 *
 * @see https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { LlmError, Validation } from "../LlmError.ts"
import type { Message } from "../Message.ts"
import { type Chunk, type ChunkOptions, ChunksOut } from "./ui/chunks.ts"
import { messagesOfPage } from "./ui/messages.ts"
import { sseHeaders, sseResponse, sseText } from "./ui/sse.ts"
import { type AnyEvent, type PublicFailure, told } from "./ui/told.ts"

export type { Chunk, ChunkOptions } from "./ui/chunks.ts"
export { type AnyEvent, type FailedAttempt, type PublicFailure, publicFailure } from "./ui/told.ts"

/**
 * Options of a stream.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Options extends ChunkOptions {
  /** What the `error` chunk says. @default the reason's tag and a sentence */
  readonly errorText?: ((failure: PublicFailure) => string) | undefined
}

/**
 * Headers of a response with such a stream.
 *
 * @see https://github.com/vercel/ai/blob/main/packages/ai/src/ui-message-stream/ui-message-stream-headers.ts
 * @stability experimental
 * @category constants
 * @since 0.1.0
 */
export const headers: { readonly [name: string]: string } = { ...sseHeaders, "x-vercel-ai-ui-message-stream": "v1" }

const sentence = ({ message, reason }: PublicFailure): string => `${reason}: ${message}`

/**
 * The chunks of a stream of events. It never fails: a failure is its last chunk.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const chunks = <E, R>(
  events: Stream.Stream<AnyEvent, E, R>,
  options: Options = {}
): Stream.Stream<Chunk, never, R> =>
  Stream.suspend(() => {
    const out = new ChunksOut(options)
    const { errorText = sentence } = options
    return Stream.flattenIterable(Stream.map(told(events), (one): ReadonlyArray<Chunk> => {
      switch (one._tag) {
        case "Event":
          return out.event(one.event)
        case "Attempt":
          return out.attempt(one.attempt)
        case "Failed":
          return out.failed(one.failure, errorText(one.failure))
      }
    }))
  })

/**
 * The stream as text of server-sent events, which ends with `[DONE]`.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const text = <E, R>(
  events: Stream.Stream<AnyEvent, E, R>,
  options: Options = {}
): Stream.Stream<string, never, R> => sseText(chunks(events, options), "[DONE]")

/**
 * A response with the stream. `HttpServerResponse.toWeb` makes a `Response` of it for other servers.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const response = <E, R>(
  events: Stream.Stream<AnyEvent, E, R>,
  options: Options = {}
): Effect.Effect<HttpServerResponse, never, R> =>
  Effect.map(
    Effect.context<R>(),
    (context) => sseResponse(Stream.provideContext(text(events, options), context), headers)
  )

/**
 * The messages that a page of the AI SDK sends, such as `messages` in the body of a `useChat` request, with what rode along in their
 * metadata. Fails with `Validation` for what are no such messages; parts that are not known are left out. Instructions are the application's,
 * so system messages of a page are left out as well.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const messages = (
  given: unknown,
  options: {
    /** Whose uploaded files are meant, where messages refer to such. */
    readonly provider?: string | undefined
  } = {}
): Effect.Effect<ReadonlyArray<Message>, LlmError> =>
  Effect.suspend(() => {
    const read = messagesOfPage(given, options.provider ?? "")
    if (!("field" in read)) return Effect.succeed(read)
    const { field, message } = read
    return Effect.fail(
      new LlmError({
        provider: "",
        model: "",
        operation: "stream",
        reason: new Validation({ field, message: `${field}: ${message}` }),
        attempts: 0
      })
    )
  })
