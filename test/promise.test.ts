/**
 * The library as promises and async iterables: what is thrown, and that nothing stays open.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as LlmError from "../src/LlmError.ts"
import { LlmService } from "../src/LlmService.ts"
import * as Llm from "../src/promise.ts"
import * as Anthropic from "../src/provider/Anthropic.ts"
import * as Simulator from "../src/testing/Simulator.ts"
import * as TestLlm from "../src/testing/TestLlm.ts"

const scripted = (...answers: ReadonlyArray<TestLlm.Answer>) => {
  const { control, service } = TestLlm.make({ answers })
  return { control, llm: Llm.make(Layer.succeed(LlmService, service)) }
}

const caught = async (promise: PromiseLike<unknown>): Promise<unknown> => {
  try {
    await promise
  } catch (error) {
    return error
  }
  return assert.fail("It did not fail.")
}

const drained = async (events: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of events);
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe("promise", () => {
  it("answers whole, as a stream, and as values", async () => {
    const { llm } = scripted("Hello you", "Hello you", "{\"a\":1}", "{\"a\":1}")
    assert.strictEqual((await llm.generate({ prompt: "x" })).text, "Hello you")
    let text = ""
    let last = ""
    for await (const event of llm.stream({ prompt: "x" })) {
      last = event._tag
      if (event._tag === "TextDelta") text += event.text
    }
    assert.strictEqual(text, "Hello you")
    assert.strictEqual(last, "Finish")
    const schema = Schema.Struct({ a: Schema.Finite })
    assert.deepStrictEqual((await llm.generateObject(schema, { prompt: "x" })).value, { a: 1 })
    const tags: Array<string> = []
    for await (const event of llm.streamObject(schema, { prompt: "x" })) tags.push(event._tag)
    assert.strictEqual(tags.at(-1), "Object")
    assert.isTrue((await llm.countTokens({ prompt: "x" })).estimated)
    await llm.dispose()
  })

  it("throws typed errors", async () => {
    const overloaded = new LlmError.Overloaded({ message: "busy" })
    const { llm } = scripted(overloaded, overloaded, TestLlm.cutAfter(3, "Hello you"))
    for (const failing of [llm.generate({ prompt: "x" }), drained(llm.stream({ prompt: "x" }))]) {
      const error = await caught(failing)
      assert.instanceOf(error, Llm.LlmError)
      assert.strictEqual((error as LlmError.LlmError).reason._tag, "Overloaded")
    }
    const cut = await caught(drained(llm.stream({ prompt: "x" })))
    assert.strictEqual((cut as LlmError.LlmError).reason._tag, "IncompleteStream")
    assert.strictEqual((cut as LlmError.LlmError).partial?.text, "Hello")
    const invalid = await caught(llm.generate(undefined as never))
    assert.isTrue(Llm.isLlmError(invalid))
    await llm.dispose()
  })

  it("throws a stream that ends without its end, whoever made it", async () => {
    const { service } = TestLlm.make()
    const llm = Llm.make(Layer.succeed(LlmService, { ...service, stream: () => Stream.empty }))
    assert.strictEqual(
      (await caught(drained(llm.stream({ prompt: "x" }))) as LlmError.LlmError).reason._tag,
      "IncompleteStream"
    )
    await llm.dispose()
  })

  it("throws why a layer cannot be built, with each call", async () => {
    const llm = Llm.make(Anthropic.layer({ apiKey: Redacted.make(""), model: "m" }))
    for (let i = 0; i < 2; i++) {
      const error = await caught(llm.generate({ prompt: "x" }))
      assert.instanceOf(error, Llm.LlmError)
    }
    await llm.dispose()
  })

  it("ends calls that are aborted, with the signal's reason", async () => {
    const { control, llm } = scripted(TestLlm.never, TestLlm.hangAfter(3, "Hello you there"), TestLlm.never)
    const reason = new Error("enough")
    for (
      const begin of [
        (signal: AbortSignal) => llm.generate({ prompt: "x" }, { signal }),
        (signal: AbortSignal) => drained(llm.stream({ prompt: "x" }, { signal })),
        (signal: AbortSignal) => llm.generateObject(Schema.String, { prompt: "x" }, { signal })
      ]
    ) {
      const controller = new AbortController()
      const error = caught(begin(controller.signal))
      while (control.running === 0) await turn()
      await turn()
      controller.abort(reason)
      assert.strictEqual(await error, reason)
      assert.strictEqual(control.running, 0)
      assert.strictEqual(await caught(begin(controller.signal)), reason)
    }
    assert.strictEqual(control.interrupted, 3)
    await llm.dispose()
  })

  it("ends a call whose loop is left, also while it waits", async () => {
    const { control, llm } = scripted("Hello you", TestLlm.hangAfter(3, "Hello you there"))
    for await (const event of llm.stream({ prompt: "x" })) if (event._tag === "TextDelta") break
    assert.strictEqual(control.interrupted, 1)
    const iterator = llm.stream({ prompt: "x" })[Symbol.asyncIterator]()
    for (let seen = 0; seen < 3; seen++) await iterator.next()
    const waiting = iterator.next()
    await turn()
    assert.deepStrictEqual(await iterator.return!(), { done: true, value: undefined })
    assert.deepStrictEqual(await waiting, { done: true, value: undefined })
    assert.strictEqual(control.interrupted, 2)
    await llm.dispose()
  })

  it("gives every reader its turn", async () => {
    const { llm } = scripted("a b c")
    const iterator = llm.stream({ prompt: "x" })[Symbol.asyncIterator]()
    const results = await Promise.all(Array.from({ length: 12 }, () => iterator.next()))
    const tags = results.flatMap((result) => result.done === true ? [] : [result.value._tag])
    assert.strictEqual(tags[0], "ResponseStart")
    assert.strictEqual(tags.at(-1), "Finish")
    await llm.dispose()
  })

  it("is disposed of once, with what still runs", async () => {
    const { control, service } = TestLlm.make({ answers: [TestLlm.hangAfter(3, "Hello you there"), TestLlm.never] })
    let released = 0
    const layer = Layer.effect(
      LlmService,
      Effect.acquireRelease(Effect.succeed(service), () => Effect.sync(() => released++))
    )
    let streaming: Promise<unknown>
    let whole: Promise<unknown>
    {
      await using llm = Llm.make(layer)
      streaming = caught(drained(llm.stream({ prompt: "x" })))
      while (control.started < 1) await turn()
      whole = caught(llm.generate({ prompt: "x" }))
      while (control.started < 2) await turn()
      await turn()
      void llm.dispose()
    }
    assert.strictEqual(((await streaming) as LlmError.LlmError).reason._tag, "Configuration")
    assert.strictEqual(((await whole) as LlmError.LlmError).reason._tag, "Configuration")
    assert.strictEqual(released, 1)
    assert.strictEqual(control.running, 0)
    const llm = Llm.make(layer)
    await llm.dispose()
    assert.instanceOf(await caught(llm.generate({ prompt: "x" })), Llm.LlmError)
    assert.instanceOf(await caught(drained(llm.stream({ prompt: "x" }))), Llm.LlmError)
  })

  it.live("closes the socket of a stream that is left, aborted or disposed of", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({
        respondWith: () => Simulator.text("Hello to you all", { chunkSize: 2, faults: { stallAfter: 5 } })
      })
      const make = () =>
        Llm.make(
          Anthropic.layer({ apiKey: Redacted.make("a-key"), model: "claude-sonnet-4-5", baseUrl: simulator.url })
        )
      let number = 0
      for (const how of ["break", "abort", "dispose"] as const) {
        const llm = make()
        const controller = new AbortController()
        const reading = (async () => {
          for await (const event of llm.stream({ prompt: "x" }, { signal: controller.signal })) {
            if (event._tag !== "TextDelta") continue
            if (how === "break") break
            if (how === "abort") controller.abort()
            else void llm.dispose()
          }
        })().catch(() => {})
        const request = yield* simulator.request(++number)
        assert.strictEqual(yield* request.ended, "closed-by-client", how)
        yield* Effect.promise(() => reading)
        yield* Effect.promise(() => llm.dispose())
      }
    }))
})
