/**
 * Writes messages of AWS event streams: https://smithy.io/2.0/aws/amazon-eventstream.html
 *
 * @since 0.1.0
 */
import type { Headers } from "../../Server.ts"
import { crc32 } from "../EventStream.ts"

const encoder = new TextEncoder()

/**
 * A message with string headers.
 *
 * @stability experimental
 * @category event streams
 * @since 0.1.0
 */
export const eventStreamMessage = (headers: Headers, payload: string | Uint8Array): Uint8Array => {
  const body = typeof payload === "string" ? encoder.encode(payload) : payload
  const head = Object.entries(headers).flatMap(([name, value]) => {
    const [key, text] = [encoder.encode(name), encoder.encode(value)]
    return [key.length, ...key, 7, text.length >> 8, text.length & 0xff, ...text]
  })
  const bytes = new Uint8Array(16 + head.length + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, bytes.length)
  view.setUint32(4, head.length)
  view.setUint32(8, crc32(bytes, 0, 8))
  bytes.set(head, 12)
  bytes.set(body, 12 + head.length)
  view.setUint32(bytes.length - 4, crc32(bytes, 0, bytes.length - 4))
  return bytes
}
