/**
 * The Responses API over a WebSocket: calls one after the other on a connection, which remembers its own answers, whether or not they
 * are stored. A client that closes it stops the call that runs.
 *
 * Each message is a request of its own: its key is asked for again, and counts against the limits.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Scope } from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as Stream from "effect/Stream"
import type { LlmError } from "../LlmError.ts"
import type { JsonObject } from "../Message.ts"
import { type Created, errorMessage, messagesOf, readied, readMessage } from "../protocol/responses/server/Socket.ts"
import type { EncodedError, Incoming } from "../protocol/Server.ts"
import { type Exchange, told } from "./call.ts"
import { responses } from "./incoming.ts"
import { keep, type Memory, prepared, ready, type Refused, type Setup } from "./prepare.ts"
import { Stored } from "./stored.ts"
import { brokenBy, Writing } from "./writing.ts"

/** Messages that may wait while a call runs. */
const maxWaiting = 16

/** Answers that a connection remembers, for as long as connections live. */
const remembered = { count: 64, bytes: 32 * 1024 * 1024, millis: 60 * 60 * 1000 }

const memoryOf = (): Memory => {
  const stored = new Stored(remembered)
  return {
    get: (id) => stored.get("", id, 0),
    keep: (input, response) => stored.keep("", input, response, 0),
    forget: (id) => void stored.delete("", id)
  }
}

/**
 * Answers the messages of a connection until it is closed.
 *
 * @stability experimental
 * @category answering
 * @since 0.1.0
 */
export const converse = (
  setup: Setup,
  socket: Socket.Socket,
  /** The request that opened the connection. */
  head: Incoming,
  exchangeOf: (incoming: Incoming) => Effect.Effect<Exchange>
): Effect.Effect<void, never, Scope> =>
  Effect.gen(function*() {
    const pull = yield* Socket.readerString(socket)
    const { write } = yield* socket.writer
    const memory = memoryOf()
    const waiting = yield* Queue.bounded<string, Cause.Done>(maxWaiting)

    const reading = Effect.forever(Effect.flatMap(pull, (messages) =>
      messages.every((message) => Queue.offerUnsafe(waiting, message))
        ? Effect.void
        : Effect.andThen(
          write(new Socket.CloseEvent(1008, "Too many requests wait.")),
          Effect.fail("crowded" as const)
        )))

    const send = (messages: ReadonlyArray<string>) =>
      Effect.forEach(messages, (message) =>
        write(message), { discard: true })

    const answer = (text: string) =>
      Effect.gen(function*() {
        const read = readMessage(text)
        const body: JsonObject = "refused" in read ? {} : read.body as JsonObject
        const exchange = yield* exchangeOf({ ...head, method: "POST", body })
        const error = (encoded: EncodedError) => write(errorMessage(encoded))
        const failed = (failure: LlmError | Refused) => {
          const { previous_response_id: previous } = body
          // A failed turn takes what it went on from out of what the connection remembers, as at OpenAI.
          if (typeof previous === "string") memory.forget(previous)
          return error(
            failure._tag === "Refused"
              ? responses.encodeErrorDetails(failure.details, exchange.context)
              : responses.encodeError(told(failure), exchange.context)
          )
        }
        if ("refused" in read) return yield* error(responses.encodeErrorDetails(read.refused, exchange.context))
        const asked = Effect.flatMap(
          setup.doorkeeper.identify(head, responses),
          (client) => call(setup, exchange, read, client, memory, send)
        )
        yield* Effect.catchTags(asked, { LlmError: failed, Refused: failed })
      })

    const answering = Effect.forever(Effect.flatMap(Queue.take(waiting), (text) => Effect.scoped(answer(text))))
    return yield* Effect.raceFirst(reading, answering)
  }).pipe(
    // However the connection ended, it is over.
    Effect.ignore
  )

const call = (
  setup: Setup,
  exchange: Exchange,
  { generates }: Created,
  client: Parameters<typeof prepared>[2],
  memory: Memory,
  send: (messages: ReadonlyArray<string>) => Effect.Effect<void, Socket.SocketError>
): Effect.Effect<void, LlmError | Refused | Socket.SocketError, Scope> =>
  Effect.gen(function*() {
    if (!generates) {
      const { full, model } = yield* ready(setup, exchange, client, memory)
      const { messages, response } = readied(model, exchange.context)
      yield* keep(setup, exchange, full, client, memory)(response)
      return yield* send(messages)
    }
    const { call, onBegin, onEnd } = yield* prepared(setup, exchange, client, memory)
    const writing = new Writing(call)
    let begun = false
    yield* call.service.stream(call.request).pipe(
      Stream.runForEachArray((events) => {
        const sent = send(messagesOf(writing.text(events)))
        if (begun) return sent
        begun = true
        return Effect.andThen(onBegin, sent)
      }),
      call.listening,
      Effect.catchDefect(brokenBy),
      Effect.onExit((exit) => onEnd(exit._tag === "Success" ? "200" : "cut"))
    )
    if (writing.finished !== undefined) yield* Effect.ignoreCause(call.onAnswer(writing.finished))
  })
