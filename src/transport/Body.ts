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
import { type HttpClientResponse, toWeb } from "effect/http/HttpClientResponse"
import { codingsOf, EncodingError, isBinary, isText } from "./Encoding.ts"

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

/**
 * Milliseconds that a connection may take to end its body after the answer is over, before it is closed.
 *
 * @category limits
 * @since 0.1.0
 */
export const drainMillis = 100

/**
 * Calls back when a body has not ended in time after its answer; gives what stops the waiting. Real time, whatever clock the
 * application has: this is the connection's affair.
 *
 * @category constructors
 * @since 0.1.0
 */
export const afterDrain = (late: () => void): () => void => later(late, drainMillis)

/**
 * Calls back when the end of a body has not come with its last bytes: then the answer is not kept waiting for it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const afterTurn = (late: () => void): () => void => later(late, 0)

const later = (late: () => void, millis: number): () => void => {
  // @effect-diagnostics-next-line globalTimers:off
  const timer = setTimeout(late, millis)
  return () => clearTimeout(timer)
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

/** The body of a response that has none, as one with status 204: it has ended. */
const none: Body = { take: () => undefined, wait: (ready) => ready(), ended: true, error: undefined, close: ignore }
/** Bytes by which text is told from other data. */
const probeLength = 4

/**
 * A body whose header names an encoding, of which the first bytes are looked at.
 *
 * @category models
 * @since 0.1.0
 */
export class EncodedBody implements Body {
  private readonly inner: Body
  private readonly codings: ReadonlyArray<string>
  private readonly known: boolean
  private held: Array<Uint8Array> = []
  private heldLength = 0
  private checked = false
  private failure: EncodingError | undefined

  constructor(inner: Body, codings: ReadonlyArray<string>, known: boolean) {
    this.inner = inner
    this.codings = codings
    this.known = known
  }

  get ended(): boolean {
    return this.failure !== undefined || this.inner.ended
  }

  get error(): unknown {
    return this.failure ?? this.inner.error
  }

  take(): ReadonlyArray<Uint8Array> | undefined {
    if (this.failure !== undefined) return undefined
    const chunks = this.inner.take()
    if (this.checked) return chunks
    for (const chunk of chunks ?? []) {
      this.held.push(chunk)
      this.heldLength += chunk.length
    }
    if (this.heldLength === 0 || (this.heldLength < probeLength && !this.inner.ended)) return undefined
    const { held } = this
    this.checked = true
    this.held = []
    if (isText(joined(held))) return held
    this.failure = new EncodingError(this.codings, this.known)
    this.inner.close(false)
    return undefined
  }

  wait(ready: () => void): void {
    this.inner.wait(ready)
  }

  close(finished: boolean): void {
    this.inner.close(finished)
  }
}

/** Enough of the chunks to tell. */
const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  if (chunks.length === 1) return chunks[0]!
  const bytes = new Uint8Array(64)
  let length = 0
  for (const chunk of chunks) {
    const part = chunk.subarray(0, 64 - length)
    bytes.set(part, length)
    length += part.length
    if (length === 64) break
  }
  return bytes.subarray(0, length)
}

/**
 * The body of a response, when it can be read directly.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (response: HttpClientResponse): Body | undefined => {
  if (bodySymbol in response) return response[bodySymbol] as Body
  const web = toWeb(response)
  if (web._tag === "None" || web.value.bodyUsed) return undefined
  if (web.value.body === null) return none
  const body = new WebBody(web.value.body.getReader())
  const codings = codingsOf(response.headers["content-encoding"])
  return codings.length === 0 || isBinary(response.headers) ? body : new EncodedBody(body, codings, false)
}
