import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { LlmError } from "../../src/index.ts"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import { isKnown } from "../../src/stream/source.ts"
import type { Body } from "../../src/transport/Body.ts"
import { EventSource } from "../../src/transport/Events.ts"
import { decoderOf } from "../protocol/decoder-of.ts"

/** A body that has what a test puts in. */
class TestBody implements Body {
  ended = false
  error: unknown = undefined
  closed: boolean | undefined
  private chunks: Array<Uint8Array> = []
  private ready: (() => void) | undefined

  put(text: string): void {
    this.chunks.push(new TextEncoder().encode(text))
    const ready = this.ready
    this.ready = undefined
    ready?.()
  }
  take(): ReadonlyArray<Uint8Array> | undefined {
    if (this.chunks.length === 0) return undefined
    const chunks = this.chunks
    this.chunks = []
    return chunks
  }
  wait(ready: () => void): void {
    this.ready = ready
  }
  close(finished: boolean): void {
    this.closed = finished
  }
}

const error = (message: string) =>
  new LlmError.LlmError({
    provider: "test",
    model: "m",
    operation: "stream",
    attempts: 1,
    reason: new LlmError.Network({ message })
  })

const make = () => {
  const body = new TestBody()
  const protocol = AnthropicMessages.make()
  const source = new EventSource({
    decoder: decoderOf(protocol, {
      wire: protocol.wire,
      provider: "test",
      model: "m",
      warnings: [],
      idSeed: "",
      includeRaw: false
    }),
    framing: protocol.framing,
    decodingError: ({ message }) => error(message),
    networkError: (cause) => error(String(cause)),
    touch: () => {},
    rest: () => {},
    graceMillis: 2000,
    maxBytes: Infinity
  }, body)
  return { body, source }
}

const start = "data: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"model\":\"m\"}}\n\n"
const stopReason = "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"
const ping = "data: {\"type\":\"ping\"}\n\n"
const end = `${stopReason}data: {"type":"message_stop"}\n\n`

const tags = (next: ReturnType<EventSource["poll"]>) =>
  next !== undefined && isKnown(next) && Exit.isSuccess(next) ? next.value.map(({ _tag }) => _tag) : undefined

describe("EventSource", () => {
  it("keeps what comes after a reader gave up for the next one", () => {
    const { body, source } = make()
    const seen: Array<unknown> = []
    const cancel = source.next((exit) => seen.push(exit))
    cancel()
    body.put(start)
    assert.deepStrictEqual(seen, [])
    assert.deepStrictEqual(tags(source.poll()), ["ResponseStart"])
    assert.isUndefined(source.poll())
  })

  it("keeps it when a pull is interrupted", () =>
    Effect.runPromise(Effect.gen(function*() {
      const { body, source } = make()
      const fiber = yield* Effect.forkChild(source.pull, { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      body.put(start)
      const events = yield* source.pull
      assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["ResponseStart"])
    })))

  it("gives one array for all that has come, and closes as finished once the answer is over", () => {
    const { body, source } = make()
    body.put(start)
    body.put(end)
    assert.deepStrictEqual(tags(source.poll()), ["ResponseStart", "Finish"])
    const after = source.poll()
    assert.isTrue(after !== undefined && isKnown(after) && Exit.isFailure(after))
    source.close()
    assert.isTrue(body.closed)
  })

  describe("after a finish reason that made no event", () => {
    const begun = Effect.suspend(() => {
      const { body, source } = make()
      body.put(start)
      return Effect.as(source.pull, { body, source })
    })
    const wait = (source: EventSource) => Effect.forkChild(source.pull, { startImmediately: true })
    const tagsOf = (waiting: Effect.Success<ReturnType<typeof wait>>) =>
      Effect.map(Fiber.join(waiting), (events) => events.map(({ _tag }) => _tag))

    it.effect("finishes when nothing more comes, though its reader was waiting already", () =>
      Effect.gen(function*() {
        const { body, source } = yield* begun
        const waiting = yield* wait(source)
        body.put(stopReason)
        yield* TestClock.adjust("1 second")
        body.put(ping)
        yield* TestClock.adjust("999 millis")
        assert.isUndefined(waiting.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(yield* tagsOf(waiting), ["Finish"])
      }))

    it.effect("keeps its time for the next reader when one gives up", () =>
      Effect.gen(function*() {
        const { body, source } = yield* begun
        body.put(stopReason)
        const first = yield* wait(source)
        yield* TestClock.adjust("1500 millis")
        yield* Fiber.interrupt(first)
        const second = yield* wait(source)
        yield* TestClock.adjust("500 millis")
        assert.deepStrictEqual(yield* tagsOf(second), ["Finish"])
      }))

    it.effect("takes the frame that ends it", () =>
      Effect.gen(function*() {
        const { body, source } = yield* begun
        const waiting = yield* wait(source)
        body.put(stopReason)
        body.put(end)
        assert.deepStrictEqual(yield* tagsOf(waiting), ["Finish"])
      }))
  })
})
