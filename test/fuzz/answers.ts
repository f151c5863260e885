// Answers that no API would send, made from the seeds: what a case of the fuzzer serves.
import { damaged, deep, nested, spell, wild } from "./json.ts"
import type { Random } from "./random.ts"
import { seeds, type WireName } from "./seeds.ts"
import { type Frame, frameBytes, type FramingName, type StreamSeed } from "./seeds/frames.ts"
import { speakers } from "./wires.ts"

export const operations = [
  "stream",
  "generate",
  "streamObject",
  "generateObject",
  "countTokens",
  "models",
  "health",
  "batch"
] as const

export type Operation = (typeof operations)[number]

/** How a body ends: as it should, by a broken connection, or not at all. */
export type Ending = "close" | "break" | "stall"

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly ending: Ending
}

export interface AnswerCase {
  readonly wire: WireName
  readonly provider: string
  readonly operation: Operation
  readonly policies: number
  readonly answer: Answer
  /** To be compared with the same bytes in one piece, and with the other operation. */
  readonly compared: boolean
  /** Nothing but cut before its end: it must not succeed. */
  readonly lost: boolean
}

const encoder = new TextEncoder()

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** The bytes in pieces, now of one byte, now of all. */
const chunked = (random: Random, bytes: Uint8Array): Array<Uint8Array> => {
  const size = random.pick([1, 7, 64, 1000, 1e9])
  const chunks: Array<Uint8Array> = []
  // Few pieces of a long body, so that a case takes no longer than others.
  for (let at = 0; at < bytes.length;) {
    const next = chunks.length > 100 ? bytes.length : at + random.between(1, size)
    chunks.push(bytes.slice(at, next))
    at = next
  }
  return chunks
}

const framingNames: ReadonlyArray<FramingName> = ["sse", "ndjson", "json-array", "event-stream"]

const framesBytes = (framing: FramingName, frames: ReadonlyArray<Frame>, ending: string): ReadonlyArray<Uint8Array> => {
  const bytes = frames.map((frame, at) => frameBytes(framing, frame, at === 0, ending))
  return framing === "json-array" ? [...bytes, encoder.encode("]")] : bytes
}

/** Texts that stand where a frame was due. */
const noise = [
  ": comment",
  "event: ping",
  "retry: 3",
  "error: broken",
  "data:",
  "data: {",
  "data: [",
  "{\"error\":{\"message\":\"no\"}}",
  "{\"error\":",
  "<html><title>Bad gateway</title>",
  "[DONE]",
  "null",
  "event: error",
  "\u0000",
  "id: 1\nevent: x\ndata: y\n"
]

const damagedFrames = (random: Random, wire: WireName, given: ReadonlyArray<Frame>): Array<Frame> => {
  const frames = [...given]
  const { streams } = seeds[wire]
  for (let times = 1 + random.few(3); times > 0; times--) {
    const at = random.int(Math.max(1, frames.length))
    const frame = frames[at]
    switch (random.int(10)) {
      case 0:
        frames.splice(at, 1)
        break
      case 1:
        if (frame !== undefined) frames.splice(at, 0, frame)
        break
      case 2: {
        const other = random.int(Math.max(1, frames.length))
        const [one, two] = [frames[at], frames[other]]
        if (one !== undefined && two !== undefined) {
          frames[at] = two
          frames[other] = one
        }
        break
      }
      case 3:
        frames.splice(at, 0, random.pick(random.pick(streams).frames))
        break
      case 4:
        frames.splice(at, 0, random.chance(0.5) ? { data: wild(random) } : { data: random.pick(noise), text: true })
        break
      default:
        if (frame !== undefined && frame.text !== true) frames[at] = { ...frame, data: damaged(random, frame.data) }
    }
  }
  return frames
}

const flipped = (random: Random, given: Uint8Array): Uint8Array => {
  if (given.length === 0) return given
  const bytes = given.slice()
  switch (random.int(4)) {
    case 0:
      for (let times = 1 + random.few(6); times > 0; times--) bytes[random.int(bytes.length)] = random.int(256)
      return bytes
    case 1: {
      // Bytes that are no UTF-8.
      const at = random.int(bytes.length)
      return joined([bytes.slice(0, at), Uint8Array.of(0xff, 0xc3, 0xed, 0xa0, 0x80, 0xf8), bytes.slice(at)])
    }
    case 2: {
      const at = random.int(bytes.length)
      const length = random.between(1, 40)
      return joined([bytes.slice(0, at), bytes.slice(at + length)])
    }
    default: {
      const at = random.int(bytes.length)
      const piece = bytes.slice(at, at + random.between(1, 60))
      return joined([bytes.slice(0, at), piece, bytes.slice(at)])
    }
  }
}

/** Bodies that are no answer of any API. */
const notAnswers = [
  "",
  " ",
  "\n\n",
  "\r\n",
  "\uFEFF",
  "plain text",
  "OK",
  "0",
  "42",
  "-1.5e3",
  "\"text\"",
  "null",
  "true",
  "false",
  "[]",
  "{}",
  "[1,2]",
  "[\"a\"]",
  "[null]",
  "[[]]",
  "[{}]",
  "<html><title>Sign in</title></html>",
  "<?xml version=\"1.0\"?>",
  "data: 42\n\n",
  "data: null\n\n",
  "data: \"x\"\n\n",
  "data: []\n\n",
  "data: {}\n\n",
  "data: [DONE]\n\n",
  "data:\n\n",
  "null\n",
  "{}\n",
  "event: done\n\n",
  ":\n\n"
]

const headerPool: ReadonlyArray<readonly [string, string]> = [
  ["content-type", "text/event-stream"],
  ["content-type", "application/json"],
  ["content-type", "text/html"],
  ["content-type", ""],
  ["x-request-id", "req_1"],
  ["x-request-id", "sk-planted-0123456789-secret"],
  ["retry-after", "1e999"],
  ["retry-after", "-5"],
  ["retry-after", "Fri, 99 Foo 2026 00:00:00 GMT"],
  ["retry-after-ms", "99999999999999999999"],
  ["x-ratelimit-remaining-tokens", "NaN"],
  ["x-ratelimit-reset-requests", "9".repeat(300)],
  ["x-ratelimit-reset-tokens", "1h2m3s4ms5us"],
  ["anthropic-ratelimit-tokens-reset", "2026-13-45T99:99:99Z"],
  ["x-ratelimit-limit-__proto__", "5"],
  ["x-should-retry", "maybe"],
  ["x-amzn-errortype", ":"],
  ["location", "http://[::"],
  ["location", "/again"],
  ["__proto__", "x"],
  ["constructor", "x"]
]

const statuses = [201, 202, 204, 206, 299, 301, 307, 400, 401, 403, 404, 408, 413, 418, 429, 500, 502, 503, 529, 599]

const contentType: { readonly [name in FramingName]: string } = {
  sse: "text/event-stream",
  ndjson: "application/x-ndjson",
  "json-array": "application/json",
  "event-stream": "application/vnd.amazon.eventstream"
}

/** A stream that ends before its terminal event, and is whole but for that. */
const lostStream = (random: Random, framing: FramingName, { completeAt, frames }: StreamSeed): Uint8Array => {
  const upTo = frames.slice(0, completeAt + 1).map((frame, at) => frameBytes(framing, frame, at === 0))
  const last = upTo[completeAt]
  const bytes = joined(upTo)
  // At least the closing brace of the terminal event is missing.
  const most = last === undefined ? bytes.length : bytes.length - 4
  return bytes.slice(0, random.int(most))
}

const bytesOf = (random: Random, wire: WireName): { readonly bytes: Uint8Array; readonly lost: boolean } => {
  const { bodies, framing, streams } = seeds[wire]
  const kind = random.int(20)
  if (kind < 3) {
    if (random.chance(0.3)) {
      const body = encoder.encode(spell(random.pick(bodies)))
      return { bytes: body.slice(0, random.int(body.length)), lost: true }
    }
    return { bytes: lostStream(random, framing, random.pick(streams)), lost: true }
  }
  if (kind === 3) return { bytes: encoder.encode(random.pick(notAnswers)), lost: false }
  if (kind === 4) {
    const text = random.chance(0.5) ? spell(deep(random)) : nested(random.pick([600, 5000]), "object", "\"x\"")
    return { bytes: encoder.encode(random.chance(0.3) ? `data: ${text}\n\n` : text), lost: false }
  }
  if (kind < 10) {
    let body: unknown = random.pick(bodies)
    for (let times = 1 + random.few(3); times > 0; times--) body = damaged(random, body)
    const bytes = encoder.encode(spell(body))
    return { bytes: random.chance(0.1) ? flipped(random, bytes) : bytes, lost: false }
  }
  const as = random.chance(0.93) ? framing : random.pick(framingNames)
  const ending = random.pick(["\n", "\n", "\n", "\r\n", "\r"])
  const frames = damagedFrames(random, wire, random.pick(streams).frames)
  const bytes = joined(framesBytes(as, frames, ending))
  return { bytes: random.chance(0.25) ? flipped(random, bytes) : bytes, lost: false }
}

export const answerCase = (random: Random, wire: WireName): AnswerCase => {
  const provider = random.pick(Object.keys(speakers[wire]))
  const { bytes, lost } = bytesOf(random, wire)
  const operation = random.chance(0.8)
    ? random.pick(["stream", "stream", "generate"] as const)
    : random.pick(operations)
  const status = lost || random.chance(0.85) ? 200 : random.pick(statuses)
  const headers: Array<readonly [string, string]> = [["content-type", contentType[seeds[wire].framing]]]
  for (let times = random.few(4); times > 0; times--) headers.push(random.pick(headerPool))
  return {
    wire,
    provider,
    operation,
    policies: random.chance(0.3) ? random.int(64) : 0,
    answer: {
      status,
      headers: lost ? headers.filter(([name]) => name !== "location") : headers,
      chunks: chunked(random, bytes),
      ending: lost
        ? "close"
        : random.pick(["close", "close", "close", "close", "close", "close", "break", "stall"] as const)
    },
    compared: random.chance(0.4),
    lost: lost && (operation === "stream" || operation === "generate")
  }
}

/** The whole body. */
export const bodyOf = ({ chunks }: Answer): Uint8Array<ArrayBuffer> => joined(chunks)
