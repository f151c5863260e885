// A service that tells nothing but its events, such as an application's own, is as alive as its events are.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { emptyUsage, LlmResponse } from "../../src/LlmResponse.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Timeout from "../../src/policy/Timeout.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const response = new LlmResponse({
  parts: [],
  finishReason: "stop",
  usage: emptyUsage,
  model: "m",
  provider: "p",
  warnings: []
})
const start = { _tag: "ResponseStart", model: "m" } as LlmEvent
const begin = { _tag: "TextStart", index: 0 } as LlmEvent
const word = { _tag: "TextDelta", index: 0, text: "a" } as LlmEvent
const finish: LlmEvent = { _tag: "Finish", response }

/** Gives each event after so many seconds, and then nothing. */
const slow = (...steps: ReadonlyArray<readonly [seconds: number, event: LlmEvent]>): Service => ({
  ...TestLlm.make().service,
  stream: (): Stream.Stream<LlmEvent, LlmError> =>
    Stream.concat(
      Stream.fromIterable(steps).pipe(
        Stream.mapEffect(([seconds, event]) => Effect.delay(Effect.succeed(event), `${seconds} seconds`)),
        Stream.takeUntil(({ _tag }) => _tag === "Finish")
      ),
      steps.at(-1)?.[1]._tag === "Finish" ? Stream.empty : Stream.never
    )
})

/** After how many seconds a stream ends, and how. */
const ending = (service: Service, options: Timeout.Options) =>
  Effect.gen(function*() {
    const limited = yield* Timeout.policy(options).wrap(service)
    const fiber = yield* Effect.forkChild(
      Effect.match(Stream.runDrain(limited.stream({ prompt: "Hi" })), {
        onFailure: ({ reason }) => reason._tag === "Timeout" ? reason.phase : reason._tag,
        onSuccess: () => "finished"
      }),
      { startImmediately: true }
    )
    for (let seconds = 0; seconds < 100; seconds++) {
      if (fiber.pollUnsafe() !== undefined) return [yield* Fiber.join(fiber), seconds] as const
      yield* TestClock.adjust("1 second")
    }
    yield* Fiber.interrupt(fiber)
    return ["never", Infinity] as const
  })

describe("A stream of nothing but events", () => {
  it.effect("is idle when so long after one none comes, and not before the first", () =>
    Effect.gen(function*() {
      const idle = { idle: "5 seconds" } as const
      assert.deepStrictEqual(yield* ending(slow([1, start]), idle), ["idle", 6])
      assert.deepStrictEqual(yield* ending(slow([9, start], [4, begin], [4, word]), idle), ["idle", 22])
      assert.deepStrictEqual(yield* ending(slow([1, start], [4, word], [4, finish]), idle), ["finished", 9])
      assert.deepStrictEqual(yield* ending(slow(), idle), ["never", Infinity])
    }))

  it.effect("has its first token when content comes, and its total whatever comes", () =>
    Effect.gen(function*() {
      const firstToken = { firstToken: "5 seconds" } as const
      assert.deepStrictEqual(yield* ending(slow([1, start], [3, begin]), firstToken), ["firstToken", 5])
      assert.deepStrictEqual(yield* ending(slow([4, word], [20, finish]), firstToken), ["finished", 24])
      const words = Array.from({ length: 20 }, () => [1, word] as const)
      assert.deepStrictEqual(yield* ending(slow(...words), { total: "7 seconds" }), ["total", 7])
      assert.deepStrictEqual(
        yield* ending(slow([1, start]), { total: "4 seconds", firstToken: "9 seconds", idle: "9 seconds" }),
        ["total", 4]
      )
      // Of two that pass together, the one that ends the call for good.
      assert.deepStrictEqual(
        yield* ending(slow([1, start]), { total: "6 seconds", idle: "5 seconds", firstToken: "6 seconds" }),
        ["total", 6]
      )
    }))
})
