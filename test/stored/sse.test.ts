import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { LlmError, type LlmEvent, LlmResponse, Sse } from "../../src/index.ts"
import { TestLlm } from "../../src/testing/index.ts"
import * as given from "./arbitraries.ts"

const utf8 = new TextEncoder()
const textOf = (bytes: Stream.Stream<Uint8Array>) => Effect.runSync(Stream.mkString(Stream.decodeText(bytes)))
const encoded = (messages: ReadonlyArray<Sse.Message>, failure?: LlmError.LlmError) => {
  const events = Stream.fromIterable(messages)
  return textOf(
    Sse.encode(failure === undefined ? events : Stream.concat(events, Stream.fail(failure)), { heartbeat: "Infinity" })
  )
}

interface Read {
  readonly messages: ReadonlyArray<Sse.Message>
  readonly error?: LlmError.LlmError
}

/** What a reader gets of bytes in these chunks. */
const read = (chunks: Iterable<Uint8Array>, options?: Sse.DecodeOptions): Read => {
  const messages: Array<Sse.Message> = []
  const exit = Effect.runSyncExit(
    Stream.runForEach(
      Sse.decodeAll(Stream.fromIterable(chunks), options),
      (message) => Effect.sync(() => messages.push(message))
    )
  )
  if (exit._tag === "Success") return { messages }
  const [reason] = exit.cause.reasons
  assert(reason?._tag === "Fail", String(exit.cause))
  return { messages, error: reason.error }
}

const cut = (bytes: Uint8Array, sizes: ReadonlyArray<number>): Array<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!
    chunks.push(bytes.slice(at, at + size))
    at += size
  }
  return chunks
}
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 })
const response = new LlmResponse.LlmResponse({
  parts: [{ type: "text", text: "Grüße, 世界 👋" }],
  finishReason: "stop",
  usage: { input: {}, output: {} },
  id: "r-1",
  model: "m",
  provider: "p",
  warnings: []
})
const events = LlmResponse.toEvents(response)

describe("A stream of events, sent", () => {
  it("is what it was, however its bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(given.unfinished, { maxLength: 8 }), given.events.Finish, sizes, (events, last, sizes) => {
        const { error, messages } = read(cut(utf8.encode(encoded([...events, last])), sizes))
        assert.isUndefined(error)
        assert.deepStrictEqual<unknown>(messages, [...events, last])
      })
    )
  })

  it("fails as it did, with what had come before", () => {
    fc.assert(
      fc.property(fc.array(given.unfinished, { maxLength: 5 }), given.error, sizes, (events, failure, sizes) => {
        const { error, messages } = read(cut(utf8.encode(encoded(events, failure)), sizes))
        assert.deepStrictEqual<unknown>(messages, events)
        assert.deepStrictEqual<unknown>(given.anatomy(error!), given.anatomy(failure))
      })
    )
  })

  it("has one line of data per event, as its schema has it", () => {
    const lines = encoded(events).split("\n\n")
    assert.strictEqual(lines.pop(), "")
    assert.strictEqual(lines.length, events.length)
    for (const [at, line] of lines.entries()) {
      assert.isTrue(line.startsWith("data: {\"_tag\":\""))
      assert.notInclude(line, "\n")
      assert.deepStrictEqual<unknown>(JSON.parse(line.slice(6)), JSON.parse(JSON.stringify(events[at])))
    }
  })

  it("that was cut anywhere is never whole, and is told with what had come", () => {
    const bytes = utf8.encode(encoded(events))
    const whole = bytes.length - "\n\n".length
    for (let at = 0; at < bytes.length; at++) {
      const { error, messages } = read([bytes.slice(0, at)])
      if (at >= whole) {
        assert.isUndefined(error, `cut at ${at}`)
        continue
      }
      assert.strictEqual(error?.reason._tag, "IncompleteStream", `cut at ${at}`)
      const text = messages.flatMap((message) => message._tag === "TextDelta" ? [message.text] : []).join("")
      assert.strictEqual(error?.partial?.text, messages.length === 0 ? undefined : text)
      assert.isTrue(error?.isRetryable)
    }
  })

  it("tells of attempts that failed to who asks for them", () => {
    const attempt: Sse.AttemptFailed = {
      _tag: "AttemptFailed",
      attempt: { provider: "anthropic", model: "m", reason: "Overloaded", durationMillis: 5 }
    }
    const bytes = utf8.encode(encoded([attempt, ...events]))
    assert.deepStrictEqual<unknown>(read([bytes]).messages, [attempt, ...events])
    const plain = Effect.runSync(Stream.runCollect(Sse.decode(Stream.make(bytes))))
    assert.deepStrictEqual<unknown>(plain, events)
  })

  it("is done at its last event, though the connection stays open", () => {
    const bytes = Stream.concat(Stream.make(utf8.encode(encoded(events))), Stream.never)
    assert.deepStrictEqual<unknown>(Effect.runSync(Stream.runCollect(Sse.decode(bytes))), events)
  })

  it("is written to its last event and no further", () => {
    const more = [...events, { _tag: "TextStart", index: 1 } as const]
    assert.strictEqual(encoded(more).split("\n\n").length - 1, events.length)
    assert.deepStrictEqual<unknown>(read([utf8.encode(encoded(more))]).messages, events)
  })

  it("that broke below is a failure of the network, whose cause is not shown", () => {
    const bytes = Stream.concat(
      Stream.make(utf8.encode(encoded(events.slice(0, 3)))),
      Stream.fail({ _tag: "SocketError", url: "https://user:s3cret@example.com" })
    )
    const error = Effect.runSync(Effect.flip(Stream.runDrain(Sse.decode(bytes, { provider: "relay" }))))
    assert.strictEqual(error.reason._tag, "Network")
    assert.strictEqual(error.provider, "relay")
    assert.strictEqual(error.model, "m")
    assert.strictEqual(error.partial?.text, "Grüße, 世界 👋")
    assert.include(error.message, "SocketError")
    assert.notInclude(JSON.stringify(error), "s3cret")
  })
})

describe("Bytes that somebody else sent", () => {
  const finish = `data: ${JSON.stringify(events.at(-1))}\n\n`

  it("may use every liberty of the format", () => {
    const text =
      "\ufeff: hello\r\nretry: 10\r\nid: 1\r\nevent: message\r\ndata:{\"_tag\":\"TextDelta\",\r\ndata: \"index\":0,\"text\":\"a\"}\r\n\r\n"
    const { error, messages } = read([utf8.encode(text + finish)])
    assert.isUndefined(error)
    assert.deepStrictEqual<unknown>(messages, [{ _tag: "TextDelta", index: 0, text: "a" }, events.at(-1)])
  })

  it("may say what this version does not know", () => {
    const later = "data: {\"_tag\":\"Tomorrow\",\"index\":-1}\n\n"
    const delta = "data: {\"_tag\":\"TextDelta\",\"index\":0,\"text\":\"a\",\"mood\":\"good\"}\n\n"
    assert.deepStrictEqual<unknown>(read([utf8.encode(later + delta + finish)]).messages, [
      { _tag: "TextDelta", index: 0, text: "a" },
      events.at(-1)
    ])
  })

  it("that say a failure in a way of a later version still fail", () => {
    const { error } = read([utf8.encode("data: {\"_tag\":\"LlmError\",\"operation\":\"dream\"}\n\n")])
    assert.strictEqual(error?.reason._tag, "Provider")
  })

  for (
    const [what, data] of [
      ["is no JSON", "{\"_tag\":"],
      ["is no object", "[1]"],
      ["has no tag", "{\"index\":0}"],
      ["is a delta of no part", "{\"_tag\":\"TextDelta\",\"index\":-1,\"text\":\"x\"}"],
      ["is a delta of a part beyond any", "{\"_tag\":\"TextDelta\",\"index\":4000000000,\"text\":\"x\"}"],
      ["is a part beyond any", "{\"_tag\":\"TextStart\",\"index\":4000000000}"],
      ["has a text that is none", "{\"_tag\":\"TextDelta\",\"index\":0,\"text\":1}"],
      [
        "is nested without end",
        `{"_tag":"UsageUpdate","usage":{"input":{},"output":{},"raw":${"[".repeat(5000)}${"]".repeat(5000)}}}`
      ]
    ] as const
  ) {
    it(`are no answer where a message ${what}`, () => {
      const { error } = read([
        utf8.encode(`data: {"_tag":"TextDelta","index":0,"text":"a"}\n\ndata: ${data}\n\n${finish}`)
      ])
      assert.strictEqual(error?.reason._tag, "ResponseParse")
      assert.strictEqual(error?.partial?.text, "a")
    })
  }

  it("grow to a bound, a message and all of them", () => {
    const long = utf8.encode("data: " + "x".repeat(1000))
    const endless = (chunk: Uint8Array) => ({
      *[Symbol.iterator]() {
        for (let i = 0; i < 1000; i++) yield chunk
      }
    })
    assert.strictEqual(read(endless(long), { maxMessageLength: 10_000 }).error?.reason._tag, "ResponseParse")
    assert.strictEqual(read(endless(utf8.encode(": x\n\n")), { maxBytes: 2000 }).error?.reason._tag, "ResponseParse")
  })
})

describe("A writer of events", () => {
  it.effect("sends a comment whenever nothing else was sent for a while, and loses nothing", () =>
    Effect.gen(function*() {
      const slow = TestLlm.make({ answers: [TestLlm.paced("25 seconds", "one two")] }).service.stream({ prompt: "x" })
      const fiber = yield* Effect.forkChild(
        Stream.runCollect(Stream.decodeText(Sse.encode(slow, { heartbeat: "10 seconds" })))
      )
      yield* TestClock.adjust("10 minutes")
      const chunks = yield* Fiber.join(fiber)
      const beats = chunks.filter((chunk) => chunk === ": keep-alive\n\n").length
      const messages = chunks.filter((chunk) => chunk.startsWith("data:")).length
      assert.strictEqual(beats, 2 * messages)
      const { error, messages: read_ } = read(chunks.map((chunk) => utf8.encode(chunk)))
      assert.isUndefined(error)
      assert.strictEqual(read_.at(-1)?._tag, "Finish")
    }))

  it.effect("that is given up gives up the answer", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: [TestLlm.hangAfter(2, "Hello there"), "x"] })
      const bytes = Sse.encode(service.stream({ prompt: "x" }))
      const fiber = yield* Effect.forkChild(Stream.runDrain(bytes))
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(control.running, 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(control.interrupted, 1)
      yield* Stream.runDrain(Stream.take(bytes, 1))
      assert.strictEqual(control.running, 0)
    }))

  it("tells of an event that is no JSON as a failure", () => {
    const circular: Record<string, unknown> = {}
    circular["self"] = circular
    const bad = { _tag: "UsageUpdate", usage: { input: {}, output: {}, raw: circular } } as unknown as LlmEvent.LlmEvent
    const { error, messages } = read([utf8.encode(encoded([events[0]!, bad, ...events.slice(1)]))])
    assert.strictEqual(error?.reason._tag, "ResponseParse")
    assert.deepStrictEqual<unknown>(messages, [events[0]])
  })

  it("tells of a failure that is no JSON without what it holds", () => {
    const circular: Record<string, unknown> = {}
    circular["self"] = circular
    const failure = new LlmError.LlmError({
      provider: "p",
      model: "m",
      operation: "stream",
      attempts: 1,
      reason: new LlmError.IncompleteStream({ message: "Gone.", partial: response.with({ raw: circular as never }) })
    })
    const { error } = read([utf8.encode(encoded([], failure))])
    assert.include(error?.message, "Gone.")
  })

  it("has headers that keep proxies from collecting", () => {
    assert.match(Sse.headers["content-type"], /^text\/event-stream/)
    assert.match(Sse.headers["cache-control"], /no-transform/)
  })

  it("has a schema of what it tells of attempts", () => {
    assert.isTrue(
      Schema.is(Sse.AttemptFailed)({ _tag: "AttemptFailed", attempt: { provider: "p", model: "m", reason: "x" } })
    )
  })
})
