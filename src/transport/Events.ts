/**
 * From the bytes of one response to arrays of events: one array per read of the network.
 *
 * Owns the order of what a reader sees (events, then a failure or the end), the grace for bookkeeping frames after the finish
 * reason, that a JSON document which has closed is whole though its connection stays open, and the one guard of reading:
 * whatever framing or decoder throw is a failure to read the answer, since most of it runs in callbacks of the network, where a throw
 * ends the process. A body that can be polled is read without fiber, Option or Effect per chunk; any other through its
 * stream. Time limits are enforced around it, by `stream/timeouts.ts`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import type * as LlmError from "../LlmError.ts"
import type { LlmEvent } from "../LlmEvent.ts"
import type { Decoder, Failure, Framing as Frames, FramingKind } from "../protocol/Protocol.ts"
import { type Events as NonEmptyEvents, type EventsPull, pullOf, type Source } from "../stream/source.ts"
import { afterTurn, type Body, BodyTooLong, drainMillis } from "./Body.ts"
import * as Framing from "./Framing.ts"
import { unreadable } from "./Reasons.ts"

type EventsExit = Exit.Exit<NonEmptyEvents, LlmError.LlmError | Cause.Done>

/**
 * What events are made with: the wire, and how its failures become errors.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  readonly decoder: Decoder
  readonly framing: FramingKind
  /** The error of a failure the decoder found. */
  readonly decodingError: (failure: Failure) => LlmError.LlmError
  /** The error of a body that broke. */
  readonly networkError: (cause: unknown) => LlmError.LlmError
  /** Told when bytes have come. */
  readonly touch: () => void
  /** Told when bytes need not come any more. */
  readonly rest: () => void
  /** How long to wait for bookkeeping frames after the finish reason. */
  readonly graceMillis: number
  /** Whether a whole answer was asked for: a document that has closed is it, at once. */
  readonly whole?: boolean | undefined
  /** How many bytes are read. */
  readonly maxBytes: number
}

/** Where the answer stands. */
class Progress {
  readonly decoder: Decoder
  private readonly reading: Reading
  private readonly framing: Frames
  private failure: LlmError.LlmError | undefined
  private received = 0
  private ended = false
  /** How long to wait for what may follow a document that has closed; `undefined` while none has. */
  private closedGrace: number | undefined
  /** A document that was asked for has closed: only the end of the body can follow, after which the connection can be used again. */
  complete = false

  constructor(reading: Reading) {
    this.reading = reading
    this.decoder = reading.decoder
    this.framing = Framing.make(reading.framing, reading.decoder)
  }

  /** What the reader gets next, if it is known already. */
  take(): EventsExit | undefined {
    const assembler = this.decoder.assembler
    if (assembler.failure !== undefined && this.failure === undefined) {
      this.failure = this.reading.decodingError(assembler.failure)
    }
    if (assembler.out.length > 0) {
      const events = assembler.out
      assembler.out = []
      return Exit.succeed(events as [LlmEvent, ...Array<LlmEvent>])
    }
    if (this.failure !== undefined) return Exit.fail(this.failure)
    return assembler.finished || this.ended ? Exit.fail(Cause.Done()) : undefined
  }

  /** Whether only bookkeeping can follow. */
  private get decoderSettled(): boolean {
    try {
      return this.decoder.settled
    } catch (thrown) {
      this.threw(thrown)
      return false
    }
  }

  /** Whether a document or line has closed. */
  private get closed(): "document" | "line" | undefined {
    try {
      return this.framing.pause?.()
    } catch (thrown) {
      this.threw(thrown)
      return undefined
    }
  }

  accept(chunks: ReadonlyArray<Uint8Array>): void {
    try {
      if (!this.settled) this.reading.touch()
      this.closedGrace = undefined
      this.complete = false
      const { maxBytes } = this.reading
      for (let i = 0; i < chunks.length; i++) {
        const chunk = chunks[i]!
        this.received += chunk.length
        // Before it is read, because of it nothing is to be kept.
        if (this.received > maxBytes) return this.broken(new BodyTooLong(maxBytes))
        this.framing.push(chunk)
      }
    } catch (thrown) {
      this.threw(thrown)
    }
  }

  /** Whether the answer is whole, though what has come may be followed by more. */
  get settled(): boolean {
    return this.closedGrace !== undefined || this.decoderSettled
  }

  /** How long to wait for more once the answer is {@link settled}. */
  get graceMillis(): number {
    return this.closedGrace ?? this.reading.graceMillis
  }

  /** There are no bytes to read, or none are known of: gives what is known without them. */
  pause(): EventsExit | undefined {
    const { closed } = this
    if (closed !== undefined) {
      this.complete = closed === "document" && this.reading.whole === true
      if (this.complete) this.reading.rest()
      this.closedGrace = this.complete ? drainMillis : this.reading.graceMillis
    }
    return this.take()
  }

  /** Nothing more has come in time. */
  expire(): EventsExit | Pull.Pull<never> {
    if (this.closedGrace !== undefined) this.end()
    else this.settle()
    return this.take() ?? Cause.done()
  }

  /** The bytes have ended. */
  end(): void {
    const { assembler } = this.decoder
    try {
      this.framing.end()
      if (!assembler.finished && assembler.failure === undefined) this.decoder.end()
    } catch (thrown) {
      this.threw(thrown)
    }
    this.ended = true
  }

  /** No more bytes are waited for, though they have not ended. */
  settle(): void {
    try {
      this.decoder.end()
    } catch (thrown) {
      this.threw(thrown)
    }
  }

  private threw(thrown: unknown): void {
    this.decoder.assembler.fail(unreadable(thrown))
  }

  /** The body broke; what was cut off after the finish reason was bookkeeping. */
  broken(cause: unknown): void {
    const closed = this.closed
    if (this.decoderSettled || closed === "document" || (closed === "line" && this.reading.whole === true)) this.end()
    else this.failure = this.reading.networkError(cause)
  }
}

/** Ends an answer that is settled when nothing more comes in time; `next` goes on with one that is not, after all. */
const graced = (reading: Reading, progress: Progress, pull: EventsPull, next: EventsPull): EventsPull => {
  let settledAt: number | undefined
  return Effect.flatMap(Clock.currentTimeMillis, (now) => {
    settledAt ??= now
    reading.rest()
    return Effect.timeoutOrElse(pull, {
      duration: Math.max(0, settledAt + progress.graceMillis - now),
      orElse: () => progress.settled ? progress.expire() : next
    })
  })
}

/**
 * Events of a body that can be polled.
 *
 * @category models
 * @since 0.1.0
 */
export class EventSource implements Source {
  readonly pull: EventsPull = pullOf(this)
  private readonly progress: Progress
  private readonly body: Body
  private resume: ((next: EventsPull) => void) | undefined
  private readonly grace: EventsPull
  private inGrace = false
  private stopTurn: (() => void) | undefined

  constructor(reading: Reading, body: Body) {
    this.progress = new Progress(reading)
    this.body = body
    this.grace = graced(
      reading,
      this.progress,
      Effect.callback((resume) => {
        this.inGrace = true
        return Effect.sync(this.next(resume))
      }),
      Effect.suspend(() => {
        this.inGrace = false
        return this.pull
      })
    )
  }

  /** What the bytes that have come amount to. */
  private known(): EventsExit | undefined {
    const { body, progress } = this
    for (let exit = progress.take();; exit = progress.take()) {
      if (exit !== undefined) return exit
      const chunks = body.take()
      if (chunks !== undefined) progress.accept(chunks)
      else if (!body.ended) return progress.pause()
      else if (body.error === undefined) progress.end()
      else progress.broken(body.error)
    }
  }

  poll(): EventsPull | undefined {
    const { progress } = this
    return this.known() ?? (progress.settled && !progress.complete ? this.grace : undefined)
  }

  private readonly onReady = (): void => {
    const { resume } = this
    // What has come by now belongs to whoever asks next.
    if (resume === undefined) return
    const next = this.inGrace ? this.known() : this.poll()
    if (next === undefined) return this.wait()
    this.resume = undefined
    resume(next)
  }

  private wait(): void {
    this.body.wait(this.onReady)
    if (this.progress.complete) this.stopTurn ??= afterTurn(this.onTurn)
  }

  /** The end of the body of a complete answer has not come with it. */
  private readonly onTurn = (): void => {
    this.stopTurn = undefined
    const { progress, resume } = this
    if (resume === undefined || !progress.complete) return
    this.resume = undefined
    resume(progress.expire())
  }

  private readonly cancel = (): void => {
    this.resume = undefined
  }

  next(resume: (next: EventsPull) => void): () => void {
    this.resume = resume
    this.wait()
    return this.cancel
  }

  /** The reader is gone. */
  close(): void {
    this.stopTurn?.()
    this.body.close(this.progress.decoder.assembler.finished)
  }
}

type BytesPull = Pull.Pull<ReadonlyArray<Uint8Array>, HttpClientError.HttpClientError, unknown>

/**
 * Events of any other body.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromPull = (reading: Reading): (bytes: BytesPull) => EventsPull => {
  const progress = new Progress(reading)
  return (bytes) => pulling(reading, progress, bytes)
}

const pulling = (reading: Reading, progress: Progress, bytes: BytesPull): EventsPull => {
  const readThen = (then: EventsPull): EventsPull =>
    Pull.matchEffect(bytes, {
      onSuccess: (chunks: ReadonlyArray<Uint8Array>) => {
        progress.accept(chunks)
        return then
      },
      onFailure: (cause: Cause.Cause<HttpClientError.HttpClientError>) => {
        const error = Cause.findErrorOption(cause)
        if (Option.isNone(error)) return Effect.failCause(cause as Cause.Cause<never>)
        progress.broken(error.value)
        return then
      },
      onDone: () => {
        progress.end()
        return then
      }
    })
  const inGrace: EventsPull = Effect.suspend(() => progress.take() ?? readInGrace)
  const readInGrace = readThen(inGrace)
  const next: EventsPull = Effect.suspend(() =>
    progress.take() ?? progress.pause() ?? (progress.settled ? grace : read)
  )
  const grace = graced(reading, progress, readInGrace, next)
  const read = readThen(next)
  return next
}
