/**
 * Streams of JSON as server-sent events, in the body of a response.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { jsonText } from "../../json/text.ts"

/**
 * Headers of a response of server-sent events: nothing on the way may keep it back.
 *
 * @stability experimental
 * @category constants
 * @since 0.1.0
 */
export const sseHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  // nginx: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
  "x-accel-buffering": "no"
} as const

/** Comments between events, so that nobody on the way takes silence for the end. */
const keepAlive = ": keep-alive\n\n"

/**
 * Each value as an event, and `end` after the last.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const sseText = <E, R>(
  values: Stream.Stream<object, E, R>,
  end: string | undefined
): Stream.Stream<string, E, R> => {
  const texts = Stream.map(values, (value) => `data: ${jsonText(value)}\n\n`)
  return end === undefined ? texts : Stream.concat(texts, Stream.succeed(`data: ${end}\n\n`))
}

/**
 * A response of server-sent events, with a comment every 15 seconds. A client that goes away ends the stream.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const sseResponse = (
  text: Stream.Stream<string>,
  headers: { readonly [name: string]: string }
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.stream(
    Stream.encodeText(
      Stream.merge(text, Stream.fromEffectSchedule(Effect.succeed(keepAlive), Schedule.spaced("15 seconds")), {
        haltStrategy: "left"
      })
    ),
    { headers, contentType: headers["content-type"] }
  )
