import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Assembler } from "../../src/protocol/Assembler.ts"
import { crc32, maxMessageLength } from "../../src/protocol/bedrock/EventStream.ts"
import { eventStreamMessage } from "../../src/protocol/bedrock/server/EventStreamMessage.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import type { Decoder, Failure } from "../../src/protocol/Protocol.ts"
import * as Framing from "../../src/transport/Framing.ts"

interface Seen {
  readonly frames: Array<readonly [event: string, data: string]>
  readonly bodies: Array<unknown>
  ended: boolean
  failure: Failure | undefined
}

const read = (chunks: ReadonlyArray<Uint8Array>): Seen => {
  const seen: Seen = { frames: [], bodies: [], ended: false, failure: undefined }
  const assembler = new Assembler({
    wire: "test",
    provider: "test",
    model: "test",
    warnings: [],
    idSeed: "",
    includeRaw: false
  })
  const decoder: Decoder = {
    assembler,
    settled: false,
    frame: (data, event) => void seen.frames.push([event, data]),
    whole: (body) => void seen.bodies.push(body),
    end: () => {
      seen.ended = true
    }
  }
  const framing = Framing.make(BedrockConverse.make().framing, decoder)
  for (const chunk of chunks) framing.push(chunk)
  framing.end()
  seen.failure = assembler.failure
  return seen
}

const event = (type: string, payload: string) =>
  eventStreamMessage({ ":event-type": type, ":content-type": "application/json", ":message-type": "event" }, payload)

const join = (...messages: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(messages))

const split = (bytes: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

const two = join(event("first", "{\"a\":\"Grüße\"}"), event("second", "{}"))

const withPrelude = (total: number, headers: number): Uint8Array => {
  const bytes = new Uint8Array(64)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, total)
  view.setUint32(4, headers)
  view.setUint32(8, crc32(bytes, 0, 8))
  return bytes
}

const utf8 = new TextEncoder()

describe("AWS event stream framing", () => {
  it("has the check value of CRC32", () => {
    assert.strictEqual(crc32(utf8.encode("123456789")), 0xcbf43926)
  })

  it("gives the payload and the event type of every message", () => {
    const seen = read([two])
    assert.deepStrictEqual(seen.frames, [["first", "{\"a\":\"Grüße\"}"], ["second", "{}"]])
    assert.isTrue(seen.ended)
    assert.isUndefined(seen.failure)
  })

  it("gives the same frames however the bytes are split", () => {
    for (let size = 1; size <= two.length; size++) assert.deepStrictEqual(read(split(two, size)), read([two]))
  })

  it("reads a message larger than its buffer in pieces, in time linear in its length", () => {
    const large = event("large", JSON.stringify({ text: "x".repeat(3_000_000) }))
    const seen = read(split(join(large, two), 1000))
    assert.deepStrictEqual(seen.frames.map(([type, data]) => [type, data.length]), [
      ["large", 3_000_011],
      ["first", 13],
      ["second", 2]
    ])
  })

  it("names exceptions and unmodelled errors", () => {
    const seen = read([
      eventStreamMessage(
        { ":message-type": "exception", ":exception-type": "throttlingException" },
        "{\"message\":\"Slow\"}"
      ),
      eventStreamMessage({ ":message-type": "error", ":error-code": "InternalError", ":error-message": "Oh" }, "")
    ])
    assert.deepStrictEqual(seen.frames, [
      ["exception:throttlingException", "{\"message\":\"Slow\"}"],
      ["exception:InternalError", "{\"message\":\"Oh\"}"]
    ])
  })

  it("skips headers of every type", () => {
    const header = (name: string, type: number, value: ReadonlyArray<number>) => [
      name.length,
      ...utf8.encode(name),
      type,
      ...value
    ]
    const plain = event("first", "{}")
    const view = new DataView(plain.buffer)
    const head = [
      ...header("yes", 0, []),
      ...header("no", 1, []),
      ...header("byte", 2, [1]),
      ...header("short", 3, [0, 1]),
      ...header("int", 4, [0, 0, 0, 1]),
      ...header("long", 5, [0, 0, 0, 0, 0, 0, 0, 1]),
      ...header("bytes", 6, [0, 2, 1, 2]),
      ...header("time", 8, [0, 0, 0, 0, 0, 0, 0, 1]),
      ...header("uuid", 9, Array.from({ length: 16 }, () => 7)),
      ...plain.subarray(12, 12 + view.getUint32(4))
    ]
    const bytes = new Uint8Array(16 + head.length + 2)
    const out = new DataView(bytes.buffer)
    out.setUint32(0, bytes.length)
    out.setUint32(4, head.length)
    out.setUint32(8, crc32(bytes, 0, 8))
    bytes.set(head, 12)
    bytes.set(utf8.encode("{}"), 12 + head.length)
    out.setUint32(bytes.length - 4, crc32(bytes, 0, bytes.length - 4))
    assert.deepStrictEqual(read([bytes]).frames, [["first", "{}"]])
  })

  it("ends the decoder where the bytes end, also within a message", () => {
    const seen = read([two.subarray(0, two.length - 3)])
    assert.deepStrictEqual(seen.frames.length, 1)
    assert.isTrue(seen.ended)
    assert.isUndefined(seen.failure)
  })

  it("refuses a damaged byte anywhere, and keeps what came before", () => {
    const first = new DataView(two.buffer).getUint32(0)
    for (let at = 0; at < two.length; at++) {
      const damaged = two.slice()
      damaged[at]! ^= 0x40
      const seen = read([damaged])
      assert.strictEqual(seen.frames.length, at < first ? 0 : 1)
      assert.isTrue(seen.failure?.kind === "parse", `byte ${at}`)
      assert.isFalse(seen.ended)
    }
  })

  it("refuses lengths that cannot be", () => {
    assert.match(read([withPrelude(maxMessageLength + 1, 0)]).failure?.message ?? "", /more than 16777216 bytes/)
    assert.match(read([withPrelude(15, 0)]).failure?.message ?? "", /contradict/)
    assert.match(read([withPrelude(40, 25)]).failure?.message ?? "", /contradict/)
    assert.match(read(split(withPrelude(40, 25), 1)).failure?.message ?? "", /contradict/)
  })

  it("refuses headers that do not fit", () => {
    const bytes = withPrelude(64, 48)
    bytes.fill(250, 12, 60)
    new DataView(bytes.buffer).setUint32(60, crc32(bytes, 0, 60))
    assert.match(read([bytes]).failure?.message ?? "", /headers of a message/)
  })

  it("reads a JSON document, a page and text events for what they are", () => {
    const text = (body: string) => split(utf8.encode(body), 3)
    assert.deepStrictEqual(read(text(" {\"message\":\"no\"}")).bodies, [{ message: "no" }])
    assert.match(read(text("<html><title>Sign in</title></html>")).failure?.message ?? "", /Sign in/)
    assert.deepStrictEqual(read(text("event: messageStop\ndata: {\"stopReason\":\"end_turn\"}\n\n")).frames, [
      ["messageStop", "{\"stopReason\":\"end_turn\"}"]
    ])
    assert.strictEqual(read(text("upstream went away")).failure?.kind, "parse")
    assert.isTrue(read([]).ended)
  })

  it("never throws on any bytes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.constant(two)), { maxLength: 6 }),
        fc.integer({ min: 1, max: 50 }),
        (pieces, size) => {
          const seen = read(split(join(...pieces), size))
          assert.isTrue(seen.ended || seen.failure !== undefined || seen.bodies.length > 0)
        }
      ),
      { numRuns: 2000, seed: 20261121 }
    )
  })
})
