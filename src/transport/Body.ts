/**
 * A response body that is read without an Effect per chunk: poll what has come, else be called back once.
 *
 * Owns the reading of web responses (`fetch`) and the contract by which an `HttpClient` of ours hands its own body over;
 * other clients are read through their `stream`. After the answer is over, a connection gets a moment to end its
 * body, because only then can it be used again.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type HttpClientResponse, toWeb } from "effect/http/HttpClientResponse"

/**
 * A body being read. There is one reader at a time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  /** Takes the chunks that have come, in order; `undefined` when none has. */
  take(): ReadonlyArray<Uint8Array> | undefined
  /** Calls back once, as soon as there are chunks to take or the body has ended. */
  wait(ready: () => void): void
  /** Whether no more chunks will come; those not taken yet still count. */
  readonly ended: boolean
  /** Why the body ended early. */
  readonly error: unknown
  /** Stops reading. `finished` says that the answer is over, so that only the end of the body can follow. */
  close(finished: boolean): void
}

/**
 * Largest body of an answer, in bytes: as it comes over the wire and, where it was compressed, again when it is not. What an
 * answer keeps comes from its body, so this bounds that as well. A stream of 100,000 tokens has some 30 MB.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxBodyBytes = 256 * 1024 * 1024

/**
 * How many bytes are read of the body of an answer.
 *
 * @category limits
 * @since 0.1.0
 */
export const BodyLimit = Context.Reference<number>("effect-llm/BodyLimit", { defaultValue: () => maxBodyBytes })

/**
 * Why a body is not read to its end.
 *
 * @category models
 * @since 0.1.0
 */
export class BodyTooLong extends Error {
  constructor(limit: number) {
    super(`The provider's body has more than ${limit} bytes.`)
  }
}

/**
 * The key under which a response of ours keeps its body.
 *
 * @category symbols
 * @since 0.1.0
 */
export const bodySymbol: unique symbol = Symbol.for("effect-llm/Body")

/** How long a connection may take to end its body after the answer is over, before it is closed. */
const drain: Duration.Input = "100 millis"

/**
 * Cancels a body that does not end in time after its answer; gives what stops the waiting. Real time, whatever clock the
 * application has: this is the connection's affair.
 *
 * @category constructors
 * @since 0.1.0
 */
export const afterDrain = (cancel: () => void): () => void => {
  const timer = Effect.runFork(Effect.andThen(Effect.sleep(drain), Effect.sync(cancel)))
  return () => timer.interruptUnsafe()
}

class WebBody implements Body {
  ended = false
  error: unknown = undefined
  private chunks: Array<Uint8Array> | undefined
  private ready: (() => void) | undefined
  private reading = false
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.reader = reader
  }

  take(): ReadonlyArray<Uint8Array> | undefined {
    const chunks = this.chunks
    this.chunks = undefined
    return chunks
  }

  wait(ready: () => void): void {
    this.ready = ready
    if (this.reading) return
    this.reading = true
    this.reader.read().then(this.onRead, this.onError)
  }

  private readonly onRead = (read: ReadableStreamReadResult<Uint8Array>): void => {
    this.reading = false
    if (read.done) this.ended = true
    else if (this.chunks === undefined) this.chunks = [read.value]
    else this.chunks.push(read.value)
    this.settle()
  }

  private readonly onError = (error: unknown): void => {
    this.error = error
    this.ended = true
    this.settle()
  }

  private settle(): void {
    const ready = this.ready
    this.ready = undefined
    ready?.()
  }

  private readonly cancel = (): void => {
    this.reader.cancel().catch(ignore)
  }

  close(finished: boolean): void {
    if (this.ended) return
    if (!finished) return this.cancel()
    const stop = afterDrain(this.cancel)
    this.wait(() => {
      stop()
      if (!this.ended) this.cancel()
    })
  }
}

const ignore = () => {}

/**
 * The body of a response, when it can be read directly.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (response: HttpClientResponse): Body | undefined => {
  if (bodySymbol in response) return response[bodySymbol] as Body
  const web = toWeb(response)
  return web._tag === "Some" && web.value.body !== null && !web.value.bodyUsed
    ? new WebBody(web.value.body.getReader())
    : undefined
}
