import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Fiber, Inspectable, type Layer, Logger, Redacted, Stream } from "effect"
import type { HttpClient } from "effect/http"
import { inspect } from "node:util"
import {
  Anthropic,
  Bedrock,
  Gemini,
  type LlmError,
  type LlmService,
  OpenAi,
  OpenAiCompatible,
  Timeout
} from "../../src/index.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { layerHttpClient } from "../../src/node.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { inTurns } from "../turns.ts"

const key = "sk-planted-0123456789-secret-value"
const apiKey = Redacted.make(key)

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["fetch", NodeHttpClient.layerFetch],
  ["undici", NodeHttpClient.layerUndici],
  ["node:http", NodeHttpClient.layerNodeHttp],
  ["the Node entry", layerHttpClient]
]

const wires = [
  ["Anthropic Messages", Anthropic] as const,
  ["Chat Completions", OpenAiCompatible] as const
]

type Maker = typeof Anthropic | typeof OpenAiCompatible

const setUp = (provider: Maker, options?: Simulator.Options) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make(options)
    const service = yield* provider.make({ apiKey, baseUrl: `${simulator.url}/v1`, model: "model-1" })
    return { service, simulator }
  })

const failureOf = <A>(effect: Effect.Effect<A, LlmError.LlmError>): Effect.Effect<LlmError.LlmError> =>
  Effect.matchEffect(effect, {
    onFailure: Effect.succeed,
    onSuccess: (value) => Effect.die(new Error(`a failure was expected, got ${inspect(value)}`))
  })

const collect = (service: LlmService.Service, prompt = "Hello there") => Stream.runCollect(service.stream({ prompt }))

const reasonOf = (error: LlmError.LlmError) => error.reason._tag

for (const [clientName, client] of clients) {
  describe(`transport over ${clientName}`, () => {
    for (const [wireName, provider] of wires) {
      const run = (name: string, test: () => Effect.Effect<void, LlmError.LlmError, HttpClient.HttpClient>) =>
        it.live(`${wireName}: ${name}`, () => Effect.provide(test(), client))
      const scoped = <E, R>(effect: Effect.Effect<void, E, R>) => Effect.scoped(effect)

      run("streams an answer and generates the same one", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.text("One two three."), Simulator.text("One two three."))
          const events = yield* collect(service)
          const whole = yield* service.generate({ prompt: "Hello there" })
          const last = events.at(-1) as LlmEvent
          assert.strictEqual(last._tag, "Finish")
          assert.strictEqual(last._tag === "Finish" ? last.response.text : "", "One two three.")
          assert.strictEqual(whole.text, "One two three.")
          assert.strictEqual(whole.finishReason, "stop")
          assert.isString(whole.requestId)
        })))

      run("fails with IncompleteStream and the partial when the body is cut", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.text("A long enough answer to cut.", { faults: { cutAfter: 5 } }))
          const error = yield* failureOf(collect(service))
          assert.strictEqual(reasonOf(error), "IncompleteStream")
          assert.isTrue("A long enough answer to cut.".startsWith(error.partial?.text ?? "?"))
        })))

      run("fails with Network and the partial when the connection is reset", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.text("A long enough answer to reset.", { faults: { resetAfter: 4 } }))
          const error = yield* failureOf(collect(service))
          assert.include(["Network", "IncompleteStream"], reasonOf(error))
          assert.isTrue(error.isRetryable)
        })))

      run("finishes although the connection stays open after the terminal event", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.text("Done.", { faults: { keepOpen: true } }))
          const events = yield* collect(service)
          assert.strictEqual(events.at(-1)?._tag, "Finish")
        })))

      run("finishes without the last bookkeeping frame", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.text("Done.", { faults: { omitDone: true } }))
          assert.strictEqual((yield* collect(service)).at(-1)?._tag, "Finish")
        })))

      run("types an error inside a stream, with what came before", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.text("Some words before the error.", { faults: { errorAfter: 6 } }))
          const error = yield* failureOf(collect(service))
          assert.include(["Overloaded", "Provider"], reasonOf(error))
          assert.isTrue(error.isRetryable)
        })))

      run(
        "types a page, an empty body and an error body in a 200, streamed and whole",
        () =>
          scoped(Effect.gen(function*() {
            const { service, simulator } = yield* setUp(provider)
            const answers = [Simulator.html(), Simulator.emptyBody(), Simulator.errorBody200()]
            yield* simulator.enqueue(...answers, ...answers)
            const tags = new Set<string>()
            for (let i = 0; i < answers.length; i++) tags.add(reasonOf(yield* failureOf(collect(service))))
            for (let i = 0; i < answers.length; i++) {
              tags.add(reasonOf(yield* failureOf(service.generate({ prompt: "Hello" }))))
            }
            assert.isTrue(tags.has("ResponseParse") && tags.has("IncompleteStream"))
          }))
      )

      run("maps status, body, request id and Retry-After", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.error(429, { retryAfter: 7 }), Simulator.error(529), Simulator.error(400))
          const limited = yield* failureOf(service.generate({ prompt: "Hello" }))
          assert.strictEqual(reasonOf(limited), "RateLimit")
          assert.strictEqual(limited.retryAfter && Duration.toSeconds(limited.retryAfter), 7)
          assert.isString(limited.requestId)
          assert.strictEqual(reasonOf(yield* failureOf(service.generate({ prompt: "Hello" }))), "Overloaded")
          assert.strictEqual(reasonOf(yield* failureOf(service.generate({ prompt: "Hello" }))), "Validation")
        })))

      run("never shows the key, however the error is rendered", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          const logged: Array<string> = []
          const echo = Simulator.echoKey(401)
          const stream = Simulator.text("Words.", {
            faults: { errorAfter: 2, streamError: { status: 500, echoKey: true } }
          })
          yield* simulator.enqueue(echo, echo, stream)
          const exits: ReadonlyArray<Exit.Exit<unknown, LlmError.LlmError>> = [
            yield* Effect.exit(service.generate({ prompt: "Hello" })),
            yield* Effect.exit(collect(service)),
            yield* Effect.exit(collect(service))
          ]
          for (const exit of exits) {
            assert.isTrue(Exit.isFailure(exit))
            if (!Exit.isFailure(exit)) continue
            const error = Cause.squash(exit.cause) as LlmError.LlmError
            logged.push(
              Cause.pretty(exit.cause),
              String(exit),
              JSON.stringify(exit),
              inspect(exit, { depth: 20, showHidden: true }),
              String(error),
              error.stack ?? "",
              error.message,
              JSON.stringify(error),
              JSON.stringify(error.reason),
              inspect(error, { depth: 20 }),
              inspect(error.reason, { depth: 20 }),
              Inspectable.toStringUnknown(error),
              String(error.cause),
              String(error.reason.message)
            )
            const logger = Logger.make((entry) =>
              void logged.push(inspect(entry.message, { depth: 20 }), Cause.pretty(entry.cause))
            )
            yield* Effect.logError("failed", error, exit.cause).pipe(Effect.provide(Logger.layer([logger])))
          }
          for (const text of logged) assert.isFalse(text.includes(key), `leaked: ${text.slice(0, 200)}`)
        })))

      run("does not follow a redirect to another origin", () =>
        scoped(Effect.gen(function*() {
          const other = yield* Simulator.make()
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.redirect(`${other.url}/v1/messages`), Simulator.redirect("//[bad"))
          const error = yield* failureOf(service.generate({ prompt: "Hello" }))
          assert.strictEqual(reasonOf(error), "Provider")
          assert.lengthOf(other.requests, 0)
          assert.strictEqual(reasonOf(yield* failureOf(service.generate({ prompt: "Hello" }))), "Provider")
        })))

      run("follows a redirect on the same origin with method and body", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          const path = provider === Anthropic ? "/elsewhere/v1/messages" : "/elsewhere/v1/chat/completions"
          yield* simulator.enqueue(Simulator.redirect(`${simulator.url}${path}`), Simulator.text("Found."))
          assert.strictEqual((yield* service.generate({ prompt: "Hello" })).text, "Found.")
          assert.deepStrictEqual(simulator.requests.map((request) => request.method), ["POST", "POST"])
        })))

      run("closes the socket when the consumer is interrupted", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.text("Words that stall.", { faults: { stallAfter: 4 } }))
          const fiber = yield* Effect.forkChild(collect(service))
          const request = yield* simulator.request(1)
          yield* request.quiet
          yield* Fiber.interrupt(fiber)
          assert.strictEqual(yield* request.ended, "closed-by-client")
        })))

      run("closes the socket when the consumer takes only the beginning", () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(Simulator.text("Words that stall.", { faults: { stallAfter: 5 } }))
          yield* Stream.runDrain(Stream.take(service.stream({ prompt: "Hello" }), 1))
          assert.strictEqual(yield* (yield* simulator.request(1)).ended, "closed-by-client")
        })))

      it.effect(`${wireName}: a limit that passes ends a stalled stream with its partial`, () =>
        scoped(Effect.gen(function*() {
          const { service, simulator } = yield* setUp(provider)
          yield* simulator.enqueue(
            Simulator.text("Words that stall.", { faults: { stallAfter: 4 } }),
            Simulator.hang,
            Simulator.text("Words.", { faults: { pingsAfter: 1 } })
          )
          const phaseOf = ({ reason }: LlmError.LlmError) => reason._tag === "Timeout" ? reason.phase : reason._tag
          const idle = yield* inTurns(
            failureOf(Stream.runDrain(service.stream({ prompt: "x", timeouts: { idle: "1 second" } })))
          )
          assert.strictEqual(phaseOf(idle), "idle")
          assert.isDefined(idle.partial)
          // The request was written: whole answers send their headers when they are done, so that `connect` is no limit of them.
          const timeouts = { connect: "1 second", total: "3 seconds" } as const
          const total = yield* inTurns(failureOf(service.generate({ prompt: "x", timeouts })))
          assert.strictEqual(phaseOf(total), "total")
          const waiting = { firstToken: "1 second", idle: "1 minute" } as const
          const first = yield* inTurns(failureOf(Stream.runDrain(service.stream({ prompt: "x", timeouts: waiting }))))
          assert.strictEqual(phaseOf(first), "firstToken")
        })).pipe(Effect.provide(client)))
    }

    it.effect("an answer whose finish reason has come is whole, though the connection stays open", () =>
      Effect.forEach(
        [
          [Anthropic, "/v1"],
          [OpenAiCompatible, "/v1"],
          [Gemini, "/v1beta"],
          [OpenAi, "/v1"],
          [Bedrock, ""]
        ] as const,
        ([provider, path]) =>
          Effect.scoped(Effect.gen(function*() {
            const simulator = yield* Simulator.make()
            const service = yield* provider.make({ apiKey, baseUrl: `${simulator.url}${path}`, model: "model-1" })
            const faults = { omitDone: true, keepOpen: true }
            const answer = Simulator.text("One two.", { faults })
            yield* simulator.enqueue(answer, answer)
            const limited = yield* Timeout.policy({ idle: "500 millis" }).wrap(service)
            const request = { prompt: "Hello", timeouts: { idle: "500 millis" } } as const
            yield* inTurns(Effect.forEach(
              [service.stream(request), limited.stream({ prompt: "Hello" })],
              (stream) =>
                Effect.map(Stream.runCollect(stream), (events) => {
                  const last = events.at(-1)
                  assert.strictEqual(last?._tag === "Finish" ? last.response.text : last?._tag, "One two.")
                }),
              { concurrency: "unbounded" }
            ))
            for (const one of [1, 2]) {
              assert.strictEqual(yield* (yield* simulator.request(one)).ended, "closed-by-client")
            }
          })),
        { discard: true }
      ).pipe(Effect.provide(client)))

    it.live("a refused connection is Network with the system's code", () =>
      Effect.gen(function*() {
        const simulator = yield* Effect.scoped(Simulator.make())
        const service = yield* OpenAi.make({ apiKey, baseUrl: simulator.url })
        const error = yield* failureOf(service.generate({ prompt: "Hello" }))
        assert.strictEqual(reasonOf(error), "Network")
        assert.strictEqual(error.reason._tag === "Network" ? error.reason.code : "", "ECONNREFUSED")
        assert.isFalse(inspect(error, { depth: 20 }).includes(key))
      }).pipe(Effect.provide(client)))

    it.live("a slow consumer slows the server down", () =>
      Effect.scoped(Effect.gen(function*() {
        const { service, simulator } = yield* setUp(Anthropic)
        const size = 32 * 1024 * 1024
        yield* simulator.enqueue(Simulator.text("x".repeat(size), { chunkSize: 512 * 1024 }))
        yield* Stream.runForEach(Stream.take(service.stream({ prompt: "Hello" }), 20), () => Effect.sleep("10 millis"))
        const request = yield* simulator.request(1)
        yield* request.ended
        assert.isBelow(request.bytesWritten, size / 2)
      })).pipe(Effect.provide(client)))
  })
}
