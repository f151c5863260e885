/**
 * Plain server-sent events, read back by `Sse.decode`.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as EventStream from "../../src/interop/EventStream.ts"
import * as LlmError from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as Sse from "../../src/Sse.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const served = (events: Stream.Stream<LlmEvent, unknown>) =>
  Effect.map(EventStream.response(events), (response) => {
    const web = HttpServerResponse.toWeb(response)
    return {
      headers: web.headers,
      messages: Sse.decodeAll(
        Stream.fromReadableStream<Uint8Array, unknown>({ evaluate: () => web.body!, onError: (error) => error })
      )
    }
  })

describe("EventStream", () => {
  it.effect("is read back as it was, with the attempts that failed", () =>
    Effect.gen(function*() {
      const reason = new LlmError.Overloaded({ message: "busy" })
      const retried = TestLlm.layer({ answers: [reason, "Hello you"] }).pipe(Retry.policy({ retries: 1, base: 0 }))
      const { headers, messages } = yield* served(Stream.provide(LlmService.stream({ prompt: "x" }), retried))
      assert.strictEqual(headers.get("content-type"), Sse.headers["content-type"])
      const fiber = yield* Effect.forkChild(Stream.runCollect(messages))
      for (let i = 0; i < 5; i++) {
        // The bytes pass through a web stream, which has turns of its own.
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        yield* TestClock.adjust("1 minute")
      }
      const read = yield* Fiber.join(fiber)
      const last = read.at(-1)!
      assert.strictEqual(last._tag, "Finish")
      assert.strictEqual(last._tag === "Finish" ? last.response.text : "", "Hello you")
      assert.deepStrictEqual(read.find(({ _tag }) => _tag === "AttemptFailed"), {
        _tag: "AttemptFailed",
        attempt: { provider: "test", model: "test-model", reason: "Overloaded" }
      })
    }))

  it.effect("ends with what it failed with", () =>
    Effect.gen(function*() {
      const scripted = (answer: TestLlm.Answer) => TestLlm.make({ answers: [answer] }).service.stream({ prompt: "x" })
      const failing: ReadonlyArray<readonly [Stream.Stream<LlmEvent, unknown>, string]> = [
        [scripted(new LlmError.RateLimit({ message: "slow" })), "RateLimit"],
        [scripted(TestLlm.cutAfter(3, "Hello you")), "IncompleteStream"],
        [Stream.empty, "IncompleteStream"],
        [Stream.die("secret"), "Provider"],
        [Stream.fail("secret"), "Provider"]
      ]
      for (const [stream, reason] of failing) {
        const { messages } = yield* served(stream)
        const error = yield* Effect.flip(Stream.runDrain(messages))
        assert.strictEqual(error.reason._tag, reason)
        assert.notInclude(JSON.stringify(error), "secret")
      }
    }))
})
