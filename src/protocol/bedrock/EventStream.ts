/**
 * Cuts an AWS event stream (`application/vnd.amazon.eventstream`) into messages and hands each to a decoder.
 *
 * Owns the binary form: prelude, headers, payload and both CRC32 sums. A message of type `event` becomes a frame
 * named by its `:event-type`; one of type `exception` or `error` a frame named `exception:` and its type.
 * What they mean is the decoder's business. A body that begins as text (a JSON document, a page) is none of this
 * and goes to the text framing.
 *
 * https://smithy.io/2.0/aws/amazon-eventstream.html
 *
 * @since 0.1.0
 */
import { type Decoder, exceptionPrefix, type Framing } from "../Protocol.ts"

/**
 * Largest message that is read, in bytes; it is also the most that the format allows.
 *
 * @stability experimental
 * @category limits
 * @since 0.1.0
 */
export const maxMessageLength = 16 * 1024 * 1024

/** Total length, headers length and their CRC32, 4 bytes each. */
const preludeLength = 12
/** A message without headers and payload. */
const smallest = preludeLength + 4

// =============================================================================
// CRC32
// =============================================================================

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value >>> 0
})

/**
 * The CRC32 (as of gzip) of some bytes.
 *
 * @stability experimental
 * @category checksums
 * @since 0.1.0
 */
export const crc32 = (bytes: Uint8Array, from = 0, to = bytes.length): number => {
  let crc = 0xffffffff
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ crcTable[(crc ^ bytes[at]!) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}

// =============================================================================
// Headers
// =============================================================================

/** Bytes of a header value by type; -1 for those that begin with a length of 2 bytes. */
const valueLengths = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16]

const stringType = 7

const utf8 = new TextDecoder()

/** The string headers of a message, or `undefined` when they do not fit their length. */
const readHeaders = (view: DataView, from: number, to: number): Map<string, string> | undefined => {
  const headers = new Map<string, string>()
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  let at = from
  while (at < to) {
    const nameEnd = at + 1 + bytes[at]!
    if (nameEnd >= to) return undefined
    const type = bytes[nameEnd]!
    let length = valueLengths[type]
    if (length === undefined) return undefined
    let value = nameEnd + 1
    if (length === -1) {
      if (value + 2 > to) return undefined
      length = view.getUint16(value)
      value += 2
    }
    if (value + length > to) return undefined
    if (type === stringType) {
      headers.set(utf8.decode(bytes.subarray(at + 1, nameEnd)), utf8.decode(bytes.subarray(value, value + length)))
    }
    at = value + length
  }
  return headers
}

// =============================================================================
// Framing
// =============================================================================

/** The first byte of a message is 0 or 1: none of these, with which JSON, pages, event streams of text and a BOM begin. */
const textStarts: ReadonlySet<number> = new Set([..."{[<\t\n\r :deir"].map((char) => char.charCodeAt(0)).concat(0xef))

/**
 * The framing of AWS event streams. `text` makes what reads a body that turns out to be text.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export class EventStream implements Framing {
  private readonly decoder: Decoder
  private readonly makeText: () => Framing
  private text: Framing | undefined
  private begun = false
  /** The unfinished message: its first `length` bytes. */
  private buffer = new Uint8Array(512)
  private length = 0

  constructor(decoder: Decoder, text: () => Framing) {
    this.decoder = decoder
    this.makeText = text
  }

  push(bytes: Uint8Array): void {
    if (this.text !== undefined) return this.text.push(bytes)
    if (bytes.length === 0) return
    if (!this.begun) {
      this.begun = true
      if (textStarts.has(bytes[0]!)) {
        this.text = this.makeText()
        return this.text.push(bytes)
      }
    }
    let at = 0
    while (at < bytes.length && !this.stopped) {
      if (this.length === 0) {
        const read = this.whole(bytes, at)
        if (read > 0) {
          at += read
          continue
        }
      }
      at += this.collect(bytes, at)
    }
  }

  pause(): "document" | "line" | undefined {
    return this.text?.pause?.()
  }

  end(): void {
    if (this.text !== undefined) return this.text.end()
    // Too short for a checksum to tell, but no message begins so.
    if (this.length > 0 && this.buffer[0]! > 1) this.fail("The body is no AWS event stream.")
    // An unfinished message is a cut: the decoder knows whether anything but bookkeeping was missing.
    if (!this.stopped) this.decoder.end(this.length > 0)
  }

  private get stopped(): boolean {
    return this.decoder.assembler.finished || this.decoder.assembler.failure !== undefined
  }

  /** Reads a message that lies whole in a chunk, without a copy; gives its length, 0 when it does not. */
  private whole(bytes: Uint8Array, at: number): number {
    const left = bytes.length - at
    if (left < preludeLength) return 0
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, left)
    const total = this.totalLength(view)
    if (total === 0) return left
    if (total > left) return 0
    this.message(bytes.subarray(at, at + total))
    return total
  }

  /** Moves bytes of the unfinished message into the buffer; gives how many. */
  private collect(bytes: Uint8Array, at: number): number {
    let moved = 0
    if (this.length < preludeLength) {
      moved = this.take(bytes, at, preludeLength)
      if (this.length < preludeLength) return moved
    }
    const total = new DataView(this.buffer.buffer).getUint32(0)
    if (moved > 0 && this.totalLength(new DataView(this.buffer.buffer)) === 0) return bytes.length - at
    moved += this.take(bytes, at + moved, total)
    if (this.length === total) {
      this.length = 0
      this.message(this.buffer.subarray(0, total))
    }
    return moved
  }

  private take(bytes: Uint8Array, at: number, upTo: number): number {
    const count = Math.min(upTo - this.length, bytes.length - at)
    const needed = this.length + count
    if (needed > this.buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2))
      grown.set(this.buffer.subarray(0, this.length))
      this.buffer = grown
    }
    this.buffer.set(bytes.subarray(at, at + count), this.length)
    this.length = needed
    return count
  }

  /** The length that a sound prelude tells, 0 after a failure. */
  private totalLength(view: DataView): number {
    const total = view.getUint32(0)
    const headers = view.getUint32(4)
    if (crc32(new Uint8Array(view.buffer, view.byteOffset, 8)) !== view.getUint32(8)) {
      return this.fail("The stream is damaged or no AWS event stream: the checksum of a message's prelude is wrong.")
    }
    if (total > maxMessageLength) {
      return this.fail(`The provider sent a message of more than ${maxMessageLength} bytes.`)
    }
    if (total < smallest || headers > total - smallest) {
      return this.fail("The lengths of a message contradict each other.")
    }
    return total
  }

  private fail(message: string): 0 {
    this.decoder.assembler.fail({ kind: "parse", message })
    return 0
  }

  private message(bytes: Uint8Array): void {
    const end = bytes.length - 4
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    if (crc32(bytes, 0, end) !== view.getUint32(end)) {
      this.fail("The stream is damaged: the checksum of a message is wrong.")
      return
    }
    const payloadStart = preludeLength + view.getUint32(4)
    const headers = readHeaders(view, preludeLength, payloadStart)
    if (headers === undefined) {
      this.fail("The headers of a message cannot be read.")
      return
    }
    const data = utf8.decode(bytes.subarray(payloadStart, end))
    switch (headers.get(":message-type")) {
      case "exception":
        return this.decoder.frame(data, exceptionPrefix + (headers.get(":exception-type") ?? ""))
      case "error": {
        // An error that the service's model does not name has no payload: it is told in headers.
        const message = headers.get(":error-message")
        return this.decoder.frame(
          data !== "" || message === undefined ? data : JSON.stringify({ message }),
          exceptionPrefix + (headers.get(":error-code") ?? "")
        )
      }
      default:
        return this.decoder.frame(data, headers.get(":event-type") ?? "")
    }
  }
}
