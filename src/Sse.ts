/**
 * A stream of answers as server-sent events: from a process that talks to a provider to a browser, a queue or another process.
 *
 * `encode` writes a `Stream<LlmEvent, LlmError>` as bytes of `text/event-stream`, `decode` reads them back. Each message is one line
 * `data:` with one JSON object that has a `_tag`: an event as `LlmEvent.schema` has it, `LlmError` for the failure that ended the stream
 * (`LlmError.schema`), `AttemptFailed` for an attempt that a policy gave up. A stream that was cut is `IncompleteStream` with what had
 * come; it is never taken for whole, since only `Finish` ends one. Comments keep idle connections open.
 *
 * No schema is run per delta, one array of bytes is made per array of events, and nothing is read ahead of the consumer. It knows
 * no HTTP: `headers` are what a response needs. What a vendor's clients understand is written by the gateway, not here.
 *
 * SSE: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { parseJson, whyNotJson } from "./json/parse.ts"
import type { Json } from "./json/value.ts"
import * as LlmError from "./LlmError.ts"
import { type LlmEvent, maxIndex, schema as eventSchema } from "./LlmEvent.ts"
import { PartsFold } from "./message/partsFold.ts"
import { LlmResponse, PriorAttempt } from "./message/response.ts"
import { emptyUsage } from "./message/usage.ts"

// =============================================================================
// Models
// =============================================================================

/**
 * Tells the reader that an attempt was given up and another one follows, before anything of it was shown.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface AttemptFailed {
  readonly _tag: "AttemptFailed"
  /** Who failed, with what reason and after how long. */
  readonly attempt: PriorAttempt
}

/**
 * Everything that can be sent before the end.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type Message = LlmEvent | AttemptFailed

/**
 * Schema of {@link AttemptFailed}.
 *
 * @stability experimental
 * @category schemas
 * @since 0.1.0
 */
export const AttemptFailed: Schema.Codec<AttemptFailed> = /* @__PURE__ */ Schema.TaggedStruct("AttemptFailed", {
  attempt: PriorAttempt
})

/**
 * What a response of server-sent events says in its headers; `x-accel-buffering` keeps nginx from collecting it.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
 * @stability experimental
 * @category headers
 * @since 0.1.0
 */
export const headers: {
  /** Media type of a stream of server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
  readonly "content-type": string
  /** Keeps caches from storing or changing the stream. */
  readonly "cache-control": string
  /** Tells nginx not to buffer: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering */
  readonly "x-accel-buffering": string
} = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no"
}

// =============================================================================
// Encoding
// =============================================================================

const utf8 = /* @__PURE__ */ new TextEncoder()
const comment = /* @__PURE__ */ utf8.encode(": keep-alive\n\n")
const encodeError = /* @__PURE__ */ Schema.encodeSync(LlmError.schema)

const line = (message: unknown): string => `data: ${JSON.stringify(message)}\n\n`

/** The failure as a message; one that cannot be written is told without what it holds. */
const failureLine = (error: LlmError.LlmError): string => {
  try {
    return line(encodeError(error))
  } catch {
    return line(encodeError(
      new LlmError.LlmError({
        provider: error.provider,
        model: error.model,
        operation: "stream",
        attempts: error.attempts,
        reason: new LlmError.Provider({ message: `${error.reason._tag}: ${error.reason.message}` })
      })
    ))
  }
}

const unwritable = (): string =>
  failureLine(
    new LlmError.LlmError({
      provider: "sse",
      model: "",
      operation: "stream",
      attempts: 1,
      reason: new LlmError.ResponseParse({ message: "An event is no JSON and cannot be sent." })
    })
  )

type Bytes = readonly [Uint8Array, ...Array<Uint8Array>]
type BytesPull = Pull.Pull<Bytes>

/** A pull that gives a comment whenever nothing else has come for a while. The one below goes on meanwhile; it is never restarted. */
const withHeartbeat = (pull: BytesPull, every: Duration.Duration, scope: Scope): BytesPull => {
  let running: Fiber.Fiber<Bytes, Cause.Done> | undefined
  const beat = Effect.as(Effect.sleep(every), undefined)
  return Effect.gen(function*() {
    running ??= yield* Effect.forkIn(pull, scope, { startImmediately: true })
    const exit = running.pollUnsafe() ?? (yield* Effect.raceFirst(Fiber.await(running), beat))
    if (exit === undefined) return [comment]
    running = undefined
    return yield* exit
  })
}

/**
 * Writes a stream of answers as bytes of `text/event-stream`. A failure is its last message, so the stream of bytes itself does not
 * fail; interrupting it interrupts the answer.
 *
 * A failure is sent whole, with the provider's body and the partial output. Where readers are not to see that, map the error before
 * (`Stream.mapError`).
 *
 * @example
 * ```ts
 * HttpServerResponse.stream(Sse.encode(LlmService.stream(request)), { headers: Sse.headers })
 * ```
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const encode = <R>(
  stream: Stream.Stream<Message, LlmError.LlmError, R>,
  options: {
    /** A comment is sent whenever nothing else was for so long; `"Infinity"` for never. @default 15 seconds */
    readonly heartbeat?: Duration.Input | undefined
  } = {}
): Stream.Stream<Uint8Array, never, R> => {
  const every = Duration.fromInputUnsafe(options.heartbeat ?? "15 seconds")
  return Stream.fromChannel(
    Channel.fromTransform((_: unknown, scope: Scope) =>
      Effect.map(Channel.toPullScoped(stream.channel, scope), (pull) => {
        let ended = false
        const bytesOf = (messages: ReadonlyArray<Message>): Bytes => {
          let text = ""
          try {
            for (const message of messages) {
              text += line(message)
              if (message._tag !== "Finish") continue
              ended = true
              break
            }
          } catch {
            ended = true
            text += unwritable()
          }
          return [utf8.encode(text)]
        }
        const next = Effect.suspend((): Pull.Pull<Bytes, never, void, R> =>
          ended
            ? Cause.done()
            : Pull.matchEffect(pull, {
              onSuccess: (messages) => Effect.succeed(bytesOf(messages)),
              onFailure: (cause): Pull.Pull<Bytes> => {
                const [reason] = cause.reasons
                if (reason === undefined || !Cause.isFailReason(reason)) {
                  return Effect.failCause(cause as Cause.Cause<never>)
                }
                ended = true
                return Effect.succeed([utf8.encode(failureLine(reason.error))])
              },
              onDone: () => Cause.done()
            })
        )
        return Duration.isFinite(every) ? withHeartbeat(next as BytesPull, every, scope) : next
      })
    )
  )
}

// =============================================================================
// Decoding
// =============================================================================

const decodeEvent = /* @__PURE__ */ Schema.decodeUnknownResult(eventSchema)
const decodeError = /* @__PURE__ */ Schema.decodeUnknownResult(LlmError.schema)
const decodeAttempt = /* @__PURE__ */ Schema.decodeUnknownResult(AttemptFailed)

const known: ReadonlySet<unknown> = new Set<LlmEvent["_tag"]>([
  "ResponseStart",
  "TextStart",
  "TextDelta",
  "TextEnd",
  "ReasoningStart",
  "ReasoningDelta",
  "ReasoningEnd",
  "ToolCallStart",
  "ToolCallDelta",
  "ToolCallEnd",
  "Source",
  "File",
  "ServerTool",
  "UsageUpdate",
  "Continued",
  "Finish"
])

/** What a message may be, of somebody else's making. */
type Unread = { readonly [name: string]: Json }

const isIndex = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxIndex

/** The frequent messages, read by hand; `undefined` for all others and for what is none. */
const readDelta = ({ _tag, delta, id, index, text }: Unread): LlmEvent | undefined => {
  if (!isIndex(index)) return undefined
  switch (_tag) {
    case "TextDelta":
    case "ReasoningDelta":
      return typeof text === "string" ? { _tag, index, text } : undefined
    case "ToolCallDelta":
      return typeof id === "string" && typeof delta === "string" ? { _tag, index, id, delta } : undefined
    default:
      return undefined
  }
}

/**
 * How a stream is read.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface DecodeOptions {
  /** Who is named by failures of the connection itself. @default "sse" */
  readonly provider?: string | undefined
  /** The model that is named by them when the stream has not named one. @default "" */
  readonly model?: string | undefined
  /** Most characters of one message. @default 128 Mi */
  readonly maxMessageLength?: number | undefined
  /** Most bytes of the whole stream. @default 512 MiB */
  readonly maxBytes?: number | undefined
}

/** Where the reading of one stream stands. */
class Reading {
  out: Array<Message> = []
  failure: LlmError.LlmError | undefined
  finished = false
  private readonly text = new TextDecoder("utf-8")
  private readonly parser: Sse.Parser
  private readonly fold = new PartsFold()
  private readonly options: DecodeOptions
  private readonly maxBytes: number
  private bytes = 0
  private begun = false
  private ending = false

  constructor(options: DecodeOptions) {
    this.options = options
    this.maxBytes = options.maxBytes ?? 512 * 1024 * 1024
    this.parser = Sse.makeParser((event) => {
      if (event._tag === "Event") this.message(event.data)
    }, { maxEventSize: options.maxMessageLength ?? 128 * 1024 * 1024 })
  }

  get stopped(): boolean {
    return this.finished || this.failure !== undefined
  }

  push(chunk: Uint8Array): void {
    if (this.stopped) return
    this.bytes += chunk.length
    if (this.bytes > this.maxBytes) return this.unreadable(`The stream has more than ${this.maxBytes} bytes.`)
    this.feed(this.text.decode(chunk, { stream: true }))
  }

  /** The bytes have ended, or broke. */
  end(reason: (fields: LlmError.ReasonFields) => LlmError.Reason): void {
    // The last message may lack its blank line, or its end.
    this.ending = true
    this.feed(`${this.text.decode()}\n\n`)
    if (!this.stopped) this.fail(reason)
  }

  private feed(text: string): void {
    const error = this.parser.feed(text)
    if (error !== undefined && !this.stopped) {
      this.unreadable(`A message has more than ${error.reason.maxEventSize} characters.`)
    }
  }

  private message(data: string): void {
    if (this.stopped) return
    const value = parseJson(data)
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      if (this.ending) return
      return this.unreadable(value === undefined ? `A message ${whyNotJson(data)}.` : "A message is no object.")
    }
    const message = value as Unread
    const delta = readDelta(message)
    if (delta !== undefined) return this.add(delta)
    const { _tag } = message
    if (_tag === "LlmError") return this.failed(message)
    // Of a later version: nothing that an answer is made of here.
    if (!known.has(_tag) && _tag !== "AttemptFailed") {
      return typeof _tag === "string" ? undefined : this.unreadable("A message has no _tag.")
    }
    if (_tag === "AttemptFailed") {
      const attempt = decodeAttempt(message)
      return Result.isSuccess(attempt) ? void this.out.push(attempt.success) : this.misshapen(_tag)
    }
    const event = decodeEvent(message)
    return Result.isSuccess(event) ? this.add(event.success) : this.misshapen(_tag as string)
  }

  private add(event: LlmEvent): void {
    this.begun = true
    if (event._tag === "Finish") this.finished = true
    else this.fold.add(event)
    this.out.push(event)
  }

  private misshapen(tag: string): void {
    this.unreadable(`A message ${tag} has not the fields of one.`)
  }

  private failed(message: Unread): void {
    const error = decodeError(message)
    if (Result.isSuccess(error)) this.failure = error.success
    // It failed, and how is told in a way of a later version.
    else {this.fail((fields) =>
        new LlmError.Provider({ ...fields, message: "The stream failed, in a way this version cannot read." })
      )}
  }

  private unreadable(message: string): void {
    this.fail((fields) => new LlmError.ResponseParse({ ...fields, message }))
  }

  private fail(reason: (fields: LlmError.ReasonFields) => LlmError.Reason): void {
    const { model = "", provider = "sse" } = this.options
    const partial = this.begun
      ? new LlmResponse({
        parts: this.fold.parts(),
        finishReason: "other",
        usage: this.fold.usage ?? emptyUsage,
        id: this.fold.id,
        model: this.fold.model ?? model,
        provider,
        warnings: []
      })
      : undefined
    this.failure = new LlmError.LlmError({
      provider,
      model: this.fold.model ?? model,
      operation: "stream",
      attempts: 1,
      reason: reason({ message: "The stream ended before its terminal event.", ...(partial && { partial }) })
    })
  }
}

const nameOf = (error: unknown): string => {
  const named = error as { readonly _tag?: unknown; readonly name?: unknown } | null | undefined
  const name = named?._tag ?? named?.name
  return typeof name === "string" && /^\w{1,64}$/.test(name) ? ` (${name})` : ""
}

/**
 * Reads what {@link encode} wrote, attempts that failed included.
 *
 * The failure that was sent fails the stream; an end without one and without `Finish` is `IncompleteStream`, bytes that break are
 * `Network`, bytes that are none of these messages `ResponseParse`, each with the partial output. Messages of tags that this version does
 * not know are skipped. It is done at `Finish`, whether or not the connection closes. Bytes may be cut anywhere.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const decodeAll = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  options: DecodeOptions = {}
): Stream.Stream<Message, LlmError.LlmError, R> =>
  Stream.fromChannel(
    Channel.fromTransform((_: unknown, scope: Scope) =>
      Effect.map(Channel.toPullScoped(bytes.channel, scope), (pull) => {
        const reading = new Reading(options)
        const next = Effect.suspend(
          (): Pull.Pull<readonly [Message, ...Array<Message>], LlmError.LlmError, void, R> => {
            if (reading.out.length > 0) {
              const messages = reading.out
              reading.out = []
              return Effect.succeed(messages as [Message, ...Array<Message>])
            }
            if (reading.failure !== undefined) return Effect.fail(reading.failure)
            return reading.finished ? Cause.done() : read
          }
        )
        const read: typeof next = Pull.matchEffect(pull, {
          onSuccess: (chunks) => {
            for (const chunk of chunks) reading.push(chunk)
            return next
          },
          onFailure: (cause) => {
            const [reason] = cause.reasons
            if (reason === undefined || !Cause.isFailReason(reason)) {
              return Effect.failCause(cause as Cause.Cause<never>)
            }
            const message = `The stream broke${nameOf(reason.error)}.`
            reading.end((fields) => new LlmError.Network({ ...fields, message }))
            return next
          },
          onDone: () => {
            reading.end((fields) => new LlmError.IncompleteStream(fields))
            return next
          }
        })
        return next
      })
    )
  )

const isEvent = (message: Message): message is LlmEvent => message._tag !== "AttemptFailed"

/**
 * Reads what {@link encode} wrote, as {@link decodeAll} does, without attempts that failed: the events that a service streams.
 *
 * @example
 * ```ts
 * const events = Sse.decode(Stream.fromReadableStream({ evaluate: () => response.body, onError: String }))
 * ```
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const decode = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  options: DecodeOptions = {}
): Stream.Stream<LlmEvent, LlmError.LlmError, R> => Stream.filter(decodeAll(bytes, options), isEvent)
