import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { LlmError } from "../../src/LlmError.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Bedrock from "../../src/provider/Bedrock.ts"
import * as Credentials from "../../src/provider/Credentials.ts"
import * as Groq from "../../src/provider/Groq.ts"

const callers = 20

/** Refuses whoever comes with the first credential, and tells so only when it is let go. */
const provider = (first: string) => {
  const gates: Array<Deferred.Deferred<void>> = []
  const client = HttpClient.make((request) =>
    Effect.gen(function*() {
      const isFresh = !(request.headers["authorization"] ?? "").includes(first)
      if (!isFresh) {
        const gate = Deferred.makeUnsafe<void>()
        gates.push(gate)
        yield* Deferred.await(gate)
      }
      const said = isFresh
        ? Response.json({
          choices: [{ index: 0, message: { content: "Hello." }, finish_reason: "stop" }],
          output: { message: { role: "assistant", content: [{ text: "Hello." }] } },
          stopReason: "end_turn",
          usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 }
        })
        : Response.json({ message: "The token is expired.", error: { message: "The token is expired." } }, {
          status: 401
        })
      return HttpClientResponse.fromWeb(request, said)
    })
  )
  return { gates, client }
}

const turns = Effect.promise(async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
})

/** All callers are sent with the old credential; their refusals come one by one, each after the one before has gone on. */
const oneByOne = (service: Service, gates: Array<Deferred.Deferred<void>>, order: "late" | "at once") =>
  Effect.gen(function*() {
    const fibers: Array<Fiber.Fiber<unknown, LlmError>> = []
    for (let i = 0; i < callers; i++) {
      fibers.push(yield* Effect.forkChild(service.generate({ prompt: "Hello" }), { startImmediately: true }))
    }
    while (gates.length < callers) yield* turns
    for (const gate of gates.slice()) {
      yield* Deferred.succeed(gate, undefined)
      if (order === "late") yield* turns
    }
    yield* Effect.forEach(fibers, Fiber.join)
  })

describe("a credential that is rejected", () => {
  for (const order of ["late", "at once"] as const) {
    it.live(`is replaced once for all who had it, whose rejections come ${order}`, () =>
      Effect.gen(function*() {
        let fetched = 0
        const { client, gates } = provider("token-1-long-enough")
        const service = yield* Groq.make({
          apiKey: yield* Credentials.refreshing(Effect.sync(() => ({
            value: Redacted.make(`token-${++fetched}-long-enough`)
          })))
        }).pipe(Effect.provideService(HttpClient.HttpClient, client))
        yield* oneByOne(service, gates, order)
        assert.strictEqual(fetched, 2)
      }))

    it.live(`is replaced once also by effects of the application's own, ${order}`, () =>
      Effect.gen(function*() {
        let token = 1
        let refreshed = 0
        const { client, gates } = provider("token-1-long-enough")
        const get = Effect.sync(() => Redacted.make(`token-${token}-long-enough`))
        const refresh = Effect.andThen(
          turns,
          Effect.suspend(() => {
            token++
            refreshed++
            return get
          })
        )
        const service = yield* Groq.make({ apiKey: { get, refresh } }).pipe(
          Effect.provideService(HttpClient.HttpClient, client)
        )
        yield* oneByOne(service, gates, order)
        assert.strictEqual(refreshed, 1)
      }))

    it.live(`of AWS is fetched anew once, ${order}`, () =>
      Effect.gen(function*() {
        let fetched = 0
        const { client, gates } = provider("AKID1/")
        const service = yield* Bedrock.make({
          credentials: Effect.andThen(
            turns,
            Effect.sync(() => ({
              accessKeyId: `AKID${++fetched}`,
              secretAccessKey: Redacted.make("secret-of-some-length"),
              expiration: 1e15
            }))
          )
        }).pipe(Effect.provideService(HttpClient.HttpClient, client))
        yield* oneByOne(service, gates, order)
        assert.strictEqual(fetched, 2)
      }))
  }

  it.live("leaves warnings and the caller's request as they were, streamed too", () =>
    Effect.gen(function*() {
      let fetched = 0
      const { client, gates } = provider("token-1-long-enough")
      const service = yield* Groq.make({
        apiKey: yield* Credentials.refreshing(Effect.sync(() => ({
          value: Redacted.make(`token-${++fetched}-long-enough`)
        })))
      }).pipe(Effect.provideService(HttpClient.HttpClient, client))
      const call = yield* Effect.forkChild(Effect.exit(Stream.runCollect(service.stream({ prompt: "Hello" }))))
      while (gates.length < 1) yield* turns
      yield* Deferred.succeed(gates[0]!, undefined)
      yield* Fiber.join(call)
      assert.strictEqual(fetched, 2)
    }))
})
