// Something that can be repeated, and what reads it. `run(n)` gives the work on n of them; input is made before.
import { eventStreamMessage } from "../../src/protocol/bedrock/server/EventStreamMessage.ts"
import type { Decoder, Protocol } from "../../src/protocol/Protocol.ts"
import * as Framing from "../../src/transport/Framing.ts"
import { decoderOf } from "../../test/protocol/decoder-of.ts"

export interface Case {
  readonly name: string
  /** About how many are taken, up to eight times as many. */
  readonly size: number
  readonly run: (n: number) => () => void
}

export const usual = 100_000

export const many = <A>(n: number, make: (at: number) => A): Array<A> => Array.from({ length: n }, (_, at) => make(at))

const decoderFor = (protocol: Protocol): Decoder =>
  decoderOf(protocol, {
    wire: protocol.wire,
    provider: "test",
    model: "m",
    warnings: [],
    idSeed: "s",
    includeRaw: false
  })

const encoder = new TextEncoder()

/** Feeds bytes to a wire as the transport does, in chunks of so many bytes. */
const feed = (protocol: Protocol, bytes: Uint8Array, chunk = 65_536): Decoder => {
  const decoder = decoderFor(protocol)
  const framing = Framing.make(protocol.framing, decoder)
  for (let at = 0; at < bytes.length; at += chunk) {
    framing.push(bytes.subarray(at, at + chunk))
    decoder.assembler.out = []
  }
  framing.end()
  return decoder
}

/** A frame: its data, with the name of the event where the wire has one. */
export type Frame = object | readonly [event: string, data: object]

const sse = (frame: Frame): string =>
  Array.isArray(frame)
    ? `event: ${String(frame[0])}\ndata: ${JSON.stringify(frame[1])}\n\n`
    : `data: ${JSON.stringify(frame)}\n\n`

const ndjson = (frame: Frame): string => `${JSON.stringify(frame)}\n`

const message = (frame: Frame): Uint8Array => {
  const [event, data] = frame as readonly [string, object]
  return eventStreamMessage(
    { ":event-type": event, ":content-type": "application/json", ":message-type": "event" },
    JSON.stringify(data)
  )
}

const bytesOf = (protocol: Protocol, frames: ReadonlyArray<Frame>): Uint8Array => {
  if (protocol.framing === "ndjson") return encoder.encode(frames.map(ndjson).join(""))
  if (typeof protocol.framing === "function") return Buffer.concat(frames.map(message))
  return encoder.encode(frames.map(sse).join(""))
}

/** A wire, with what its streams begin and end with, and its repeatable things. */
export interface Wire {
  readonly name: string
  readonly protocol: Protocol
  readonly begin: ReadonlyArray<Frame>
  readonly end: ReadonlyArray<Frame>
  /** Frames with n of something. */
  readonly frames: { readonly [thing: string]: (n: number) => ReadonlyArray<Frame> }
  /** Whole answers with n of something. */
  readonly bodies: { readonly [thing: string]: (n: number) => object }
  /** How many of each thing. @default `usual` */
  readonly size?: number
  /** Where a thing is so expensive that fewer will do. */
  readonly sizes?: { readonly [thing: string]: number }
}

export const casesOf = (
  { begin, bodies, end, frames, name, protocol, size: each = usual, sizes }: Wire
): ReadonlyArray<Case> => [
  ...Object.entries(frames).flatMap(([thing, make]) => {
    const input = (n: number) => bytesOf(protocol, [...begin, ...make(n), ...end])
    const size = sizes?.[thing] ?? each
    const whole: Case = {
      name: `${name}: ${thing}`,
      size,
      run: (n) => {
        const bytes = input(n)
        return () => void feed(protocol, bytes)
      }
    }
    // The same byte by byte: what is not whole yet is not looked at again for each.
    const bytewise: Case = {
      name: `${name}: ${thing}, byte by byte`,
      size: Math.ceil(size / 10),
      run: (n) => {
        const bytes = input(n)
        return () => void feed(protocol, bytes, 1)
      }
    }
    return thing === "text" || thing === "arguments" ? [whole, bytewise] : [whole]
  }),
  ...Object.entries(bodies).map(([thing, make]): Case => ({
    name: `${name}: whole answer with ${thing}`,
    size: sizes?.[thing] ?? each,
    run: (n) => {
      const bytes = encoder.encode(JSON.stringify(make(n)))
      return () => void feed(protocol, bytes)
    }
  }))
]

/** Text that is fed to a wire as it is. */
export const textCase = (name: string, protocol: Protocol, text: (n: number) => string, size = usual): Case => ({
  name,
  size,
  run: (n) => {
    const bytes = encoder.encode(text(n))
    return () => void feed(protocol, bytes)
  }
})
