/**
 * Brings a response to the client over node:http, and lets it go wrong as its faults say.
 *
 * Every frame waits until the kernel has taken the one before, so a slow reader slows the server and
 * the counts are true. Delays use node's timers and not Effect's clock, because a `TestClock` stands still.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ServerResponse } from "node:http"
import { STATUS_CODES } from "node:http"
import type { Faults, Headers } from "./Answer.ts"
import type { Response } from "./Spelling.ts"

/**
 * Hears how delivery goes on.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  readonly wrote: (bytes: number) => void
  readonly frame: () => void
  /** The server will send nothing more although the response is not over. */
  readonly quiet: () => void
  readonly reset: () => void
}

/**
 * Sends a response. Interruption stops it where it is.
 *
 * @stability stable
 * @category delivery
 * @since 0.1.0
 */
export const deliver = Effect.fnUntraced(function*(target: ServerResponse, response: Response, progress: Progress) {
  const { faults } = response
  const goQuiet = Effect.andThen(Effect.sync(progress.quiet), Effect.never)
  yield* pause(response.delayMillis)
  if (faults.hang === true) return yield* goQuiet
  const sink = faults.slowHeaders === undefined ? httpSink(target) : socketSink(target, faults.slowHeaders)
  const reset = Effect.sync(() => {
    progress.reset()
    sink.reset()
  })
  if (faults.reset === true) return yield* reset
  const send = writer(sink, faults, progress)
  yield* sink.head(response.status, response.headers)

  const frames = response.frames.filter(({ kind }) =>
    !(kind === "done" && (faults.omitDone === true || faults.omitTerminal === true)) &&
    !(kind === "terminal" && faults.omitTerminal === true)
  )
  for (let sent = 0; sent <= frames.length; sent++) {
    if (faults.malformedAfter === sent) yield* send(response.malformed)
    if (faults.errorAfter === sent) {
      yield* send(response.streamError)
      break
    }
    if (faults.cutAfter === sent) break
    if (faults.resetAfter === sent) {
      // What was written is on its way: let the reader have it before the reset overtakes it.
      yield* pause(1)
      return yield* reset
    }
    if (faults.stallAfter === sent) return yield* goQuiet
    if (faults.pingsAfter === sent) {
      return yield* Effect.forever(Effect.andThen(send(response.ping), pause(Math.max(1, response.delayMillis))))
    }
    const frame = frames[sent]
    if (frame === undefined) break
    if (sent > 0) yield* pause(response.delayMillis)
    yield* send(frame.data)
    progress.frame()
  }
  if (faults.keepOpen === true) return yield* goQuiet
  yield* sink.end
})

/** Real time, whatever clock the test has: the client on the other end of the socket waits in real time too. */
const pause = (millis: number): Effect.Effect<void> =>
  millis <= 0 ? Effect.void : Effect.callback<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** Lets what was written leave as a packet of its own. */
const turn: Effect.Effect<void> = Effect.callback((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

const writer = (sink: Sink, faults: Faults, progress: Progress) => {
  const size = faults.splitBytes ?? (faults.slowBytes === undefined ? undefined : 1)
  const write = (bytes: Uint8Array) =>
    Effect.andThen(sink.write(bytes), Effect.sync(() => progress.wrote(bytes.length)))
  return Effect.fnUntraced(function*(data: string | Uint8Array) {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data
    if (size === undefined) return yield* write(bytes)
    for (let at = 0; at < bytes.length; at += Math.max(1, size)) {
      yield* write(bytes.subarray(at, at + Math.max(1, size)))
      yield* faults.slowBytes === undefined ? turn : pause(faults.slowBytes)
    }
  })
}

// =============================================================================
// Sinks
// =============================================================================

interface Sink {
  readonly head: (status: number, headers: Headers) => Effect.Effect<void>
  readonly write: (bytes: Uint8Array) => Effect.Effect<void>
  readonly end: Effect.Effect<void>
  readonly reset: () => void
}

/** Where a callback reports an error the connection is gone, and the caller is interrupted for that reason. */
const awaiting = (start: (done: (error?: Error | null) => void) => void): Effect.Effect<void> =>
  Effect.callback((resume) => start((error) => resume(error instanceof Error ? Effect.never : Effect.void)))

const hasNoBody = (status: number): boolean => status === 204 || status === 304

const httpSink = (target: ServerResponse): Sink => ({
  head: (status, headers) =>
    Effect.sync(() => {
      target.writeHead(status, headers)
      if (!hasNoBody(status)) target.flushHeaders()
    }),
  write: (bytes) => bytes.length === 0 ? Effect.void : awaiting((done) => target.write(bytes, done)),
  end: awaiting((done) => target.end(done)),
  reset: () => target.socket?.resetAndDestroy()
})

/** Speaks HTTP/1.1 by hand, because node:http sends headers in one piece. */
const socketSink = (target: ServerResponse, millisPerByte: number): Sink => {
  const socket = target.socket!
  const write = (text: string | Uint8Array) => awaiting((done) => socket.write(text, done))
  return {
    head: Effect.fnUntraced(function*(status, headers) {
      const lines = Object.entries({ ...headers, "transfer-encoding": "chunked", connection: "close" })
      const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${
        lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")
      }\r\n`
      for (const byte of new TextEncoder().encode(head)) {
        yield* write(Uint8Array.of(byte))
        yield* millisPerByte > 0 ? pause(millisPerByte) : turn
      }
    }),
    write: (bytes) =>
      bytes.length === 0
        ? Effect.void
        : write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")])),
    end: awaiting((done) => socket.end("0\r\n\r\n", () => done())),
    reset: () => socket.resetAndDestroy()
  }
}
