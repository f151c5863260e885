/**
 * A model provider on a loopback port: wire-accurate enough that the vendors' own clients accept it, and
 * able to fail in every way that providers and proxies do.
 *
 * Owns the server, the script and the record of requests. Unscripted it answers with a small built-in
 * model. What it says on each wire is `protocol/<wire>/server`; `simulator/` has faults, scripts and delivery. It asks a request
 * for what the real API demands and refuses it with that API's own error. Node only.
 *
 * @example
 * const simulator = yield* Simulator.make()
 * yield* simulator.enqueue(
 *   Simulator.error(529),
 *   Simulator.text("Hello", { faults: { cutAfter: 3 } })
 * )
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { server as anthropicMessages } from "../protocol/anthropic/server/Server.ts"
import { server as bedrockConverse } from "../protocol/bedrock/server/Server.ts"
import { server as openAiChat } from "../protocol/chat/server/Server.ts"
import { server as cohereChat } from "../protocol/cohere/server/Server.ts"
import { server as geminiGenerateContent } from "../protocol/gemini/server/Server.ts"
import { server as ollamaChat } from "../protocol/ollama/server/Server.ts"
import { server as openAiResponses } from "../protocol/responses/server/Server.ts"
import type { Operation, ServerProtocol } from "../protocol/Server.ts"
import * as Json from "../protocol/server/Json.ts"
import type { Answer } from "./simulator/Answer.ts"
import { deliver } from "./simulator/Delivery.ts"
import * as SmallModel from "./simulator/SmallModel.ts"
import type { Entrance, Response } from "./simulator/Spelling.ts"
import { decoded, json, listing, notFound, refuse, spell } from "./simulator/Spelling.ts"
import { type IncomingRequest, vendorOf } from "./simulator/Vendor.ts"

export type { Frame, Operation } from "../protocol/Server.ts"
export {
  echoKey,
  emptyBody,
  error,
  errorBody200,
  hang,
  html,
  raw,
  redirect,
  reset,
  text,
  toolCall
} from "./simulator/Answer.ts"
export type {
  Answer,
  Delivery,
  ErrorAnswer,
  ErrorDetails,
  Faults,
  Headers,
  Part,
  RawAnswer,
  ReplyAnswer,
  ReplyUsage
} from "./simulator/Answer.ts"
export type { Entrance } from "./simulator/Spelling.ts"
export type { IncomingRequest } from "./simulator/Vendor.ts"
export {
  anthropicMessages,
  bedrockConverse,
  cohereChat,
  geminiGenerateContent,
  ollamaChat,
  openAiChat,
  openAiResponses
}

/**
 * A wire of the simulator: the server's side of it.
 *
 * @stability stable
 * @category wires
 * @since 0.1.0
 */
export type Wire = ServerProtocol

/**
 * How a request ended: the answer was sent to its last byte, the client closed before that, or the server
 * reset the connection because a fault told it to (or because its scope closed).
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Outcome = "answered" | "closed-by-client" | "reset-by-server"

/**
 * A request and how its answer went. The numbers and the outcome are live.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface RecordedRequest extends IncomingRequest {
  /** Number of the TCP connection it came on, from 1: the same number again is a reused connection. */
  readonly connection: number
  /** The wire that recognised it. */
  readonly wire: string | undefined
  /** What was asked for; `undefined` when no wire recognised the request. */
  readonly operation: Operation | undefined
  /** Bytes of the body that the kernel has taken; they stop growing when the client stops reading. */
  readonly bytesWritten: number
  /** Frames of the answer that were handed to the connection. */
  readonly framesWritten: number
  /** `undefined` while it is being answered. */
  readonly outcome: Outcome | undefined
  /** Waits for the outcome. */
  readonly ended: Effect.Effect<Outcome>
  /** Waits until a fault (`hang`, `stallAfter`, `keepOpen`) makes the server fall silent; never returns without one. */
  readonly quiet: Effect.Effect<void>
}

/**
 * Decides an answer, `undefined` for the built-in model's. It sees requests of every operation; for others
 * than `generate` only errors and raw answers count.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Responder = (request: RecordedRequest) => Answer | undefined

/**
 * How the simulator is set up.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Options extends Entrance {
  /** @default the built-in model */
  readonly respondWith?: Responder | undefined
  /** The first that recognises a request answers it. @default {@link defaultWires} */
  readonly wires?: ReadonlyArray<Wire> | undefined
}

/**
 * A running simulator.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Service {
  /** Origin without a slash at the end, such as `http://127.0.0.1:49152`. */
  readonly url: string
  /** Every request so far, in order of arrival; the array is live. */
  readonly requests: ReadonlyArray<RecordedRequest>
  /** The request of that number, from 1, as soon as it has come. */
  readonly request: (number: number) => Effect.Effect<RecordedRequest>
  /** How many TCP connections were ever opened and how many are open now; live. */
  readonly connections: {
    /** TCP connections since the start. */
    readonly opened: number
    /** TCP connections that are open now. */
    readonly open: number
  }
  /** Answers the next generation requests, one each. Refused requests (400, 401, 404) use none up. */
  readonly enqueue: (...answers: ReadonlyArray<Answer>) => Effect.Effect<void>
  /** Answers every request that the queue does not. */
  readonly respondWith: (responder: Responder) => Effect.Effect<void>
}

/**
 * The tag of a running simulator.
 *
 * @stability stable
 * @category services
 * @since 0.1.0
 */
export class Simulator extends Context.Service<Simulator, Service>()("effect-llm/testing/Simulator") {}

/**
 * The wires a simulator speaks unless told otherwise.
 *
 * @stability stable
 * @category wires
 * @since 0.1.0
 */
export const defaultWires: ReadonlyArray<Wire> = [
  anthropicMessages,
  bedrockConverse,
  cohereChat,
  geminiGenerateContent,
  ollamaChat,
  openAiChat,
  openAiResponses
]

/**
 * Starts a simulator on an ephemeral port of 127.0.0.1. Closing the scope ends it with all its connections.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: Options = {}): Effect.fn.Return<Service, never, Scope.Scope> {
  const wires = options.wires ?? defaultWires
  const queue: Array<Answer> = []
  let responder = options.respondWith
  const requests: Array<Entry> = []
  const arrivals = new Map<number, Deferred.Deferred<RecordedRequest>>()
  const sockets = new Map<Socket, number>()
  let opened = 0

  const record = (incoming: IncomingRequest, socket: Socket): Entry => {
    const wire = wires.find((wire) => wire.operation(incoming) !== undefined)
    const entry = makeEntry(incoming, sockets.get(socket) ?? 0, wire)
    requests.push(entry)
    const waiting = arrivals.get(incoming.number)
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.succeed(entry))
    return entry
  }

  const scripted = (entry: Entry): Answer | undefined =>
    entry.operation === "generate" && queue.length > 0 ? queue.shift() : responder?.(entry)

  const respond = (entry: Entry): Response => {
    const { operation, spokenWire: wire } = entry
    if (wire === undefined || operation === undefined) return notFound(entry)
    const refusal = refuse(entry, wire, operation, options)
    if (refusal !== undefined) return spell(entry, wire, { error: refusal })
    const answer = scripted(entry)
    if (answer !== undefined && (operation === "generate" || !("parts" in answer))) return spell(entry, wire, answer)
    return operation === "generate"
      ? spell(entry, wire, smallAnswer(entry, wire))
      : json(entry, wire, listing(entry, wire, operation, options.models))
  }

  const run = yield* FiberSet.makeRuntime<never, void, never>()
  let arrived = 0
  const server = createServer((message, target) => {
    const number = ++arrived
    const bytes: Array<Buffer> = []
    message.on("data", (chunk: Buffer) => bytes.push(chunk))
    message.on("end", () => {
      const entry = record(readRequest(message, Buffer.concat(bytes).toString("utf8"), number), message.socket)
      serve(entry, target)
    })
  })
  const serve = (entry: Entry, target: ServerResponse) => {
    const fiber = run(
      Effect.suspend(() => deliver(target, respond(entry), entry.progress)).pipe(
        Effect.tap(() => Effect.sync(() => entry.end("answered"))),
        // A wire that breaks must not leave its client waiting.
        Effect.tapDefect((defect) =>
          Effect.andThen(Effect.logError("The simulator could not answer", defect), Effect.sync(() => target.destroy()))
        )
      )
    )
    const closed = () => {
      entry.end(target.writableFinished ? "answered" : "closed-by-client")
      run(Fiber.interrupt(fiber))
    }
    target.on("close", closed)
    // Errors of a connection that is going away are told by its close.
    target.on("error", () => {})
  }
  server.on("connection", (socket: Socket) => {
    sockets.set(socket, ++opened)
    socket.on("error", () => {})
    socket.on("close", () => sockets.delete(socket))
  })

  const close = Effect.callback<void>((resume) => {
    for (const entry of requests) entry.end("reset-by-server")
    server.close(() => resume(Effect.void))
    for (const socket of sockets.keys()) socket.destroy()
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () => close
  )
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    connections: {
      get opened() {
        return opened
      },
      get open() {
        return sockets.size
      }
    },
    request: (number) =>
      Effect.suspend(() => {
        const entry = requests.find((entry) => entry.number === number)
        if (entry !== undefined) return Effect.succeed<RecordedRequest>(entry)
        const waiting = arrivals.get(number) ?? Deferred.makeUnsafe<RecordedRequest>()
        arrivals.set(number, waiting)
        return Deferred.await(waiting)
      }),
    enqueue: (...answers) => Effect.sync(() => void queue.push(...answers)),
    respondWith: (next) =>
      Effect.sync(() => {
        responder = next
      })
  }
})

/**
 * A layer of a simulator of its own.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Simulator> => Layer.effect(Simulator, make(options))

// =============================================================================
// Requests
// =============================================================================

const smallAnswer = (entry: IncomingRequest, wire: Wire): Answer => {
  const { request } = decoded(entry, wire)
  const asked = request.thinking !== undefined && request.thinking !== "off"
  return SmallModel.answer(request, asked && vendorOf(wire).showsReasoning(Json.object(entry.body)))
}

const readRequest = (message: IncomingMessage, bodyText: string, number: number): IncomingRequest => {
  const url = new URL(message.url ?? "/", "http://127.0.0.1")
  return {
    number,
    method: message.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(
      Object.entries(message.headers).map((
        [name, value]
      ) => [name, Array.isArray(value) ? value.join(", ") : value ?? ""])
    ),
    bodyText,
    body: bodyText === "" ? undefined : Json.parse(bodyText)
  }
}

interface Entry extends RecordedRequest {
  readonly spokenWire: Wire | undefined
  readonly progress: Parameters<typeof deliver>[2]
  readonly end: (outcome: Outcome) => void
}

const makeEntry = (incoming: IncomingRequest, connection: number, wire: Wire | undefined): Entry => {
  const ended = Deferred.makeUnsafe<Outcome>()
  const quiet = Deferred.makeUnsafe<void>()
  let bytesWritten = 0
  let framesWritten = 0
  let outcome: Outcome | undefined
  const end = (how: Outcome) => {
    if (outcome !== undefined) return
    outcome = how
    Deferred.doneUnsafe(ended, Effect.succeed(how))
  }
  return {
    ...incoming,
    connection,
    wire: wire?.wire,
    operation: wire?.operation(incoming),
    get bytesWritten() {
      return bytesWritten
    },
    get framesWritten() {
      return framesWritten
    },
    get outcome() {
      return outcome
    },
    ended: Deferred.await(ended),
    quiet: Deferred.await(quiet),
    spokenWire: wire,
    end,
    progress: {
      wrote: (bytes) => {
        bytesWritten += bytes
      },
      frame: () => {
        framesWritten++
      },
      quiet: () => void Deferred.doneUnsafe(quiet, Effect.void),
      reset: () => end("reset-by-server")
    }
  }
}
