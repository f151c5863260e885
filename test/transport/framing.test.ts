import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Assembler } from "../../src/protocol/Assembler.ts"
import type { Decoder, FramingKind } from "../../src/protocol/Protocol.ts"
import * as Framing from "../../src/transport/Framing.ts"

class Recorder implements Decoder {
  readonly assembler = new Assembler({
    wire: "test",
    provider: "test",
    model: "m",
    warnings: [],
    idSeed: "",
    includeRaw: false
  })
  readonly settled = false
  readonly seen: Array<unknown> = []
  ended = 0
  frame(data: string, event: string): void {
    this.seen.push(event === "" ? data : [event, data])
  }
  whole(body: unknown): void {
    this.seen.push({ whole: body })
  }
  end(): void {
    this.ended++
  }
}

const run = (kind: FramingKind, text: string, sizes: ReadonlyArray<number> = [text.length * 4 + 1]) => {
  const recorder = new Recorder()
  const framing = Framing.make(kind, recorder)
  const bytes = new TextEncoder().encode(text)
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    framing.push(bytes.subarray(at, at + size))
    at += size
  }
  framing.end()
  return recorder
}

const frames = (text: string, kind: FramingKind = "sse") => run(kind, text).seen

describe("SSE framing", () => {
  it("reads LF, CRLF and CR line endings alike", () => {
    for (const eol of ["\n", "\r\n", "\r"]) {
      assert.deepStrictEqual(frames(["event: a", "data: 1", "", "data: 2", "", ""].join(eol)), [["a", "1"], "2"])
    }
  })

  it("accepts a byte order mark, no space after the colon and a last event without a blank line", () => {
    assert.deepStrictEqual(frames("\ufeffdata:1\n\ndata:2"), ["1", "2"])
  })

  it("decodes any bytes, split anywhere, as one decoder that sees them all", () => {
    const byte = fc.oneof(
      fc.integer({ min: 0x20, max: 0x7e }),
      fc.constantFrom(0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0xef, 0xbb, 0xbf, 0xff)
    )
    const euro = fc.constantFrom([...new TextEncoder().encode("€")], [...new TextEncoder().encode("😀")], [0xe2, 0x82])
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.oneof(byte.map((one) => [one]), euro), { minLength: 1 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1 }),
        (mark, pieces, sizes) => {
          const bytes = Uint8Array.from([
            ...(mark ? [0xef, 0xbb, 0xbf] : []),
            ...new TextEncoder().encode("data: <"),
            ...pieces.flat(),
            ...new TextEncoder().encode(">\n\n")
          ])
          const recorder = new Recorder()
          const framing = Framing.make("sse", recorder)
          for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]!) {
            // The chunk's memory is used again, as some sources do.
            const chunk = bytes.slice(at, at + sizes[i % sizes.length]!)
            framing.push(chunk)
            chunk.fill(0)
          }
          framing.end()
          assert.deepStrictEqual(recorder.seen, [new TextDecoder().decode(bytes).slice("data: ".length, -2)])
        }
      )
    )
  })

  it("gives a character that the end of the bytes cuts as a replacement", () => {
    const recorder = new Recorder()
    const framing = Framing.make("sse", recorder)
    framing.push(new Uint8Array([...new TextEncoder().encode("data: a"), 0xe2, 0x82]))
    framing.end()
    assert.deepStrictEqual(recorder.seen, ["a\ufffd"])
  })

  it("ignores comments, comments wrapped into data lines, retry, id and blank data", () => {
    assert.deepStrictEqual(
      frames(": PROCESSING\n\ndata: : PROCESSING\n\nretry: 3000\nid: 7\n\ndata:\n\ndata:  \n\ndata: x\n\n"),
      ["x"]
    )
  })

  it("joins the data lines of one event with a line feed", () => {
    assert.deepStrictEqual(frames("data: {\ndata: \"a\": 1}\n\n"), ["{\n\"a\": 1}"])
  })

  it("keeps whole objects apart when the blank line between them is missing", () => {
    assert.deepStrictEqual(frames("data: {\"a\":1}\ndata: {\"b\":2}\ndata: [DONE]\n\n"), [
      "{\"a\":1}",
      "{\"b\":2}",
      "[DONE]"
    ])
    assert.deepStrictEqual(frames("event: a\ndata: {}\nevent: b\ndata: {}\n\n"), [["a", "{}"], ["b", "{}"]])
  })

  it("hands on a field named error and a bare JSON line as frames", () => {
    assert.deepStrictEqual(frames("data: 1\n\nerror: {\"m\":1}\n\n{\"error\":2}\n"), [
      "1",
      ["error", "{\"m\":1}"],
      "{\"error\":2}"
    ])
  })

  it("reads a JSON document in place of a stream as a whole body", () => {
    assert.deepStrictEqual(frames("  {\"error\": {\"code\": 1}}\n"), [{ whole: { error: { code: 1 } } }])
  })

  it("reads bare JSON lines in place of a stream as frames", () => {
    assert.deepStrictEqual(frames("{\"a\":1}\n{\"b\":2}\n"), ["{\"a\":1}", "{\"b\":2}"])
  })

  it("reads a JSON array as one frame per element, as soon as each is whole", () => {
    assert.deepStrictEqual(frames("[{\"a\":\"]},\\\"\"},\n{\"b\":[1,{}]}\n]"), [
      "{\"a\":\"]},\\\"\"}",
      "{\"b\":[1,{}]}"
    ])
  })

  it("takes a page for a parse failure that names its title", () => {
    const failure = run("sse", "<!doctype html><html><title>502 Bad Gateway</title></html>").assembler.failure
    assert.strictEqual(failure?.kind, "parse")
    assert.include(failure?.message, "502 Bad Gateway")
  })

  it("tells a JSON document that was cut from one that is no JSON", () => {
    assert.strictEqual(run("sse", "{\"choices\": [{\"mess").assembler.failure?.kind, "incomplete")
    assert.strictEqual(run("sse", "{choices}").assembler.failure?.kind, "parse")
  })

  it.each(["{\"a\":1", "{\"a\"", "{\"a\":1,", "{", "{\"a\":[1", "{\"a\":\"}]\\"])(
    "takes a document that stops after %s for cut",
    (text) => {
      assert.strictEqual(run("sse", text).assembler.failure?.kind, "incomplete")
    }
  )

  it.each([
    "data: {\"b\":\"half",
    "data: {\"b\":",
    "data: {\"b\":2",
    "data: [DO",
    "{\"error\": {",
    "event: e\ndata: {\"b"
  ])(
    "leaves out a last event that the end of the bytes cut: %s",
    (tail) => {
      const { assembler, ended, seen } = run("sse", `data: {"a":1}\n\n${tail}`)
      assert.deepStrictEqual(seen, ["{\"a\":1}"])
      assert.isUndefined(assembler.failure)
      assert.strictEqual(ended, 1)
    }
  )

  it("leaves a terminated event that is no JSON to the decoder, and a last one that was not cut", () => {
    assert.deepStrictEqual(frames("data: {\"a\n\ndata: {a}"), ["{\"a", "{a}"])
  })

  it("ends the decoder once on an empty body", () => {
    assert.strictEqual(run("sse", "").ended, 1)
  })

  it("refuses a frame of more than 16 MiB", () => {
    const recorder = new Recorder()
    const framing = Framing.make("sse", recorder)
    framing.push(new TextEncoder().encode("data: "))
    const block = new Uint8Array(1024 * 1024).fill(97)
    for (let i = 0; i < 17; i++) framing.push(block)
    assert.strictEqual(recorder.assembler.failure?.kind, "parse")
  })

  it("gives the same frames however the bytes are cut", () => {
    const text = "\ufeffevent: a\r\ndata: {\"x\":\"ünï 😀\"}\r\n\r\n: c\rdata: [1]\r\rdata: tail é"
    const whole = frames(text)
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 }), (sizes) => {
      assert.deepStrictEqual(run("sse", text, sizes).seen, whole)
    }))
  })
})

describe("NDJSON framing", () => {
  it("gives one frame per line, the last one without a line end as well", () => {
    assert.deepStrictEqual(frames("{\"a\":1}\n\n{\"b\":2}", "ndjson"), ["{\"a\":1}", "{\"b\":2}"])
  })

  it("leaves out a last line that the end of the bytes cut", () => {
    const { ended, seen } = run("ndjson", "{\"a\":1}\n{\"message\":{\"content\":\"half a li")
    assert.deepStrictEqual(seen, ["{\"a\":1}"])
    assert.strictEqual(ended, 1)
  })

  it("reads a pretty-printed object as a whole body", () => {
    assert.deepStrictEqual(frames("{\n  \"error\": \"x\"\n}\n", "ndjson"), [{ whole: { error: "x" } }])
  })

  it("reads SSE in place of NDJSON", () => {
    assert.deepStrictEqual(frames("data: {\"a\":1}\n\ndata: [DONE]\n\n", "ndjson"), ["{\"a\":1}"])
  })
})
