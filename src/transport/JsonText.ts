/**
 * The text of a JSON answer outside the wires, such as a model listing, and of an error: it ends with its document, though the
 * connection stay open.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Pull from "effect/Pull"
import * as Body from "./Body.ts"
import { JsonEnd } from "./JsonEnd.ts"
import { Utf8Chunks } from "./Utf8.ts"

/**
 * A text as far as it was read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Read {
  readonly text: string
  /** Whether there was more than the bound. */
  readonly isOver: boolean
}

/**
 * What takes the bytes of a body.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sink {
  accept(chunks: ReadonlyArray<Uint8Array>): void
  /** Whether there was more than is wanted. */
  readonly isOver: boolean
  /** Whether nothing more is wanted: the document has closed, or is over its bound. */
  readonly closed: boolean
}

/** What has come of a text. */
class Text implements Sink {
  private readonly decoder = new Utf8Chunks()
  private readonly json = new JsonEnd()
  private readonly most: number
  private readonly touch: () => void
  private length = 0

  constructor(most: number, touch: () => void) {
    this.most = most
    this.touch = touch
  }

  accept(chunks: ReadonlyArray<Uint8Array>): void {
    this.touch()
    for (let i = 0; i < chunks.length && !this.isOver; i++) this.add(this.decoder.decode(chunks[i]!))
  }

  private add(text: string): void {
    this.length += text.length
    this.json.push(text)
  }

  get isOver(): boolean {
    return this.length > this.most
  }

  get closed(): boolean {
    return this.isOver || this.json.closed
  }

  end(): Read {
    this.add(this.decoder.end())
    return { text: this.json.text, isOver: this.isOver }
  }
}

const polled = (body: Body.Body, text: Sink): Effect.Effect<void, unknown> =>
  Effect.callback((resume) => {
    let stopTurn: (() => void) | undefined
    const onTurn = (): void => {
      stopTurn = undefined
      if (!text.closed) return
      body.close(true)
      resume(Effect.void)
    }
    const onReady = (): void => {
      for (let chunks = body.take(); chunks !== undefined; chunks = body.take()) text.accept(chunks)
      if (body.ended) {
        stopTurn?.()
        return resume(body.error === undefined || text.closed ? Effect.void : Effect.fail(body.error))
      }
      if (text.isOver) {
        body.close(false)
        return resume(Effect.void)
      }
      body.wait(onReady)
      // The end of the body mostly comes with its last bytes.
      if (text.closed) stopTurn ??= Body.afterTurn(onTurn)
    }
    body.wait(onReady)
    return Effect.sync(() => {
      stopTurn?.()
      body.close(false)
    })
  })

const pulled = (response: HttpClientResponse, text: Sink): Effect.Effect<void, unknown> =>
  Effect.scopedWith((scope) =>
    Effect.flatMap(Channel.toPullScoped(response.stream.channel, scope), (pull) => {
      // A connection whose body ends soon can be used again.
      const last = Effect.timeoutOrElse(pull, { duration: Body.drainMillis, orElse: () => Cause.done() })
      const step: Effect.Effect<void, unknown> = Effect.suspend(() =>
        Pull.matchEffect(text.isOver ? Cause.done() : text.closed ? last : pull, {
          onSuccess: (chunks: ReadonlyArray<Uint8Array>) => {
            text.accept(chunks)
            return step
          },
          onFailure: (cause: Cause.Cause<unknown>) => Effect.failCause(cause),
          onDone: () => Effect.void
        })
      )
      return step
    })
  )

/**
 * Reads the body of a response to the end of its document, or of the body, or until nothing more is wanted.
 *
 * @category reading
 * @since 0.1.0
 */
export const readInto = (text: Sink, response: HttpClientResponse): Effect.Effect<void, unknown> =>
  Effect.suspend(() => {
    const body = Body.of(response)
    return body === undefined ? pulled(response, text) : polled(body, text)
  })

/**
 * Reads the text of a response, to a little beyond `most` characters (UTF-16 code units). `touch` is told of every read.
 *
 * @category reading
 * @since 0.1.0
 */
export const read = (response: HttpClientResponse, most: number, touch: () => void): Effect.Effect<Read, unknown> =>
  Effect.suspend(() => {
    const text = new Text(most, touch)
    return Effect.map(readInto(text, response), () => text.end())
  })
