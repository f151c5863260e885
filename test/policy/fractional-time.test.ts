// A limit passes although it began at a fraction of a millisecond, as after a back-off with jitter.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Random, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { OpenAiCompatible, Retry } from "../../src/index.ts"
import { inMemory } from "../fuzz/clients.ts"

const stalled = inMemory({
  status: 200,
  headers: [["content-type", "text/event-stream"]],
  chunks: [new TextEncoder().encode("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n")],
  ending: "stall"
})

const turns = Effect.promise(async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
})

const timeouts = { connect: "5 seconds", total: "8 seconds" } as const

/** One stalled call with a retry, in a virtual time of its own. */
const run = (seed: number) =>
  Effect.gen(function*() {
    const options = { apiKey: Redacted.make("k"), baseUrl: "http://test.invalid/v1", model: "m", timeouts }
    const service = yield* Retry.policy({ retries: 1 }).wrap(yield* OpenAiCompatible.make(options))
    const fiber = yield* Effect.forkChild(service.generate({ prompt: "x" }))
    for (let minute = 0; minute < 4; minute++) {
      yield* turns
      yield* TestClock.adjust("1 minute")
    }
    yield* turns
    const exit = fiber.pollUnsafe()
    fiber.interruptUnsafe()
    assert.isTrue(exit !== undefined && Exit.isFailure(exit), `seed ${seed} hangs`)
  }).pipe(
    Random.withSeed(`${seed}`),
    Effect.provideService(HttpClient.HttpClient, stalled),
    Effect.provide(TestClock.layer())
  )

describe("time limits", () => {
  it.live("pass after a back-off of any length, in virtual time", () =>
    Effect.forEach(Array.from({ length: 60 }, (_, seed) => seed), run, { discard: true }))
})
