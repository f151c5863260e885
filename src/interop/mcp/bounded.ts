/**
 * `fetch` whose answers are as large as is said, and no larger: a whole answer by its bytes, a stream of events by the bytes of an event.
 *
 * @since 0.1.0
 */
import type { FetchLike } from "@modelcontextprotocol/client"

/** Bytes of an answer that is an error. */
const maxErrorBytes = 64 * 1024

/** Statuses whose answers have no body, so that `Response` takes none. */
const bodiless = new Set([101, 204, 205, 304])

const lineFeed = 10
const carriageReturn = 13

/** Counts bytes since the last empty line. */
class EventBytes {
  private count = 0
  private blank = true
  private afterReturn = false

  /** The largest count on the way. */
  add(chunk: Uint8Array): number {
    let most = 0
    for (const byte of chunk) {
      const isEnd = byte === lineFeed || byte === carriageReturn
      this.count++
      if (isEnd && !(byte === lineFeed && this.afterReturn)) {
        if (this.blank) this.count = 0
        this.blank = true
      } else if (!isEnd) this.blank = false
      this.afterReturn = byte === carriageReturn
      if (this.count > most) most = this.count
    }
    return most
  }
}

/**
 * Bounds the answers of a `fetch`. `tooLarge` is told the body of the request whose answer passed the bound, `unanswered` that of one that was
 * accepted without an answer; `sent` sees the headers of every request.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const boundedFetch = (
  given: FetchLike,
  options: {
    readonly maxBytes: number
    readonly tooLarge: (body: unknown) => void
    readonly unanswered: (body: unknown) => void
    readonly sent: (headers: Headers) => void
  }
): FetchLike =>
async (url, init) => {
  options.sent(new Headers(init?.headers))
  const response = await given(url, init)
  const { body, headers, ok, status, statusText } = response
  // https://modelcontextprotocol.io/specification/2025-11-25/basic/transports: for what is no request.
  if (status === 202) options.unanswered(init?.body)
  if (body === null || bodiless.has(status) || status < 200 || status > 599) return response
  const isEvents = (headers.get("content-type") ?? "").toLowerCase().startsWith("text/event-stream")
  const most = ok ? options.maxBytes : Math.min(maxErrorBytes, options.maxBytes)
  const events = isEvents ? new EventBytes() : undefined
  let total = 0
  const counted = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        total += chunk.byteLength
        if ((events === undefined ? total : events.add(chunk)) <= most) return controller.enqueue(chunk)
        if (!ok) return controller.terminate()
        options.tooLarge(init?.body)
        controller.error(new TypeError("The answer is larger than is read."))
      }
    })
  )
  return new Response(counted, { headers, status, statusText })
}
