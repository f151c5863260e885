/**
 * The text of a JSON answer outside the wires, such as a model listing: it ends with its document, though the connection stay open.
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

/** What has come of a text. */
class Text {
  private readonly decoder = new TextDecoder()
  private readonly json = new JsonEnd()
  private readonly touch: () => void

  constructor(touch: () => void) {
    this.touch = touch
  }

  accept(chunks: ReadonlyArray<Uint8Array>): void {
    this.touch()
    for (let i = 0; i < chunks.length; i++) this.json.push(this.decoder.decode(chunks[i]!, { stream: true }))
  }

  get closed(): boolean {
    return this.json.closed
  }

  end(): string {
    this.json.push(this.decoder.decode())
    return this.json.text
  }
}

const polled = (body: Body.Body, text: Text): Effect.Effect<string, unknown> =>
  Effect.callback((resume) => {
    let stopTurn: (() => void) | undefined
    const end = Effect.sync(() => text.end())
    const onTurn = (): void => {
      stopTurn = undefined
      if (!text.closed) return
      body.close(true)
      resume(end)
    }
    const onReady = (): void => {
      for (let chunks = body.take(); chunks !== undefined; chunks = body.take()) text.accept(chunks)
      if (body.ended) {
        stopTurn?.()
        return resume(body.error === undefined || text.closed ? end : Effect.fail(body.error))
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

const pulled = (response: HttpClientResponse, text: Text): Effect.Effect<string, unknown> =>
  Effect.scopedWith((scope) =>
    Effect.flatMap(Channel.toPullScoped(response.stream.channel, scope), (pull) => {
      const last = Effect.timeoutOrElse(pull, { duration: Body.drainMillis, orElse: () => Cause.done() })
      const step: Effect.Effect<string, unknown> = Effect.suspend(() =>
        Pull.matchEffect(text.closed ? last : pull, {
          onSuccess: (chunks: ReadonlyArray<Uint8Array>) => {
            text.accept(chunks)
            return step
          },
          onFailure: (cause: Cause.Cause<unknown>) => Effect.failCause(cause),
          onDone: () => Effect.sync(() => text.end())
        })
      )
      return step
    })
  )

/**
 * Reads the text of a response to the end of its document, or of its body. `touch` is told of every read.
 *
 * @category reading
 * @since 0.1.0
 */
export const read = (response: HttpClientResponse, touch: () => void): Effect.Effect<string, unknown> =>
  Effect.suspend(() => {
    const body = Body.of(response)
    const text = new Text(touch)
    return body === undefined ? pulled(response, text) : polled(body, text)
  })
