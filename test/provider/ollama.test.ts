import { assert, describe, it } from "@effect/vitest"
import { Cause, Config, Effect, Exit, Layer, Redacted, Stream } from "effect"
import { HttpClient } from "effect/http"
import { LlmService, LlmTool, Message, Ollama } from "../../src/index.ts"
import { serverUrl } from "../../src/provider/ollama/Host.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { env, overHttp, recorder, type Sent } from "./setUp.ts"

const model = "qwen3:8b"
const key = Redacted.make("ollama-key-0123456789")

/** Runs with a simulator and an HTTP client. */
const withSimulator = <A, E>(
  use: (simulator: Simulator.Service) => Effect.Effect<A, E, HttpClient.HttpClient>
): Effect.Effect<A, E> => overHttp(Effect.flatMap(Simulator.make(), use))

/** The URL and key of the request that a layer or service sends, without sending it. */
const addressed = <E>(use: Effect.Effect<unknown, E, HttpClient.HttpClient>) =>
  Effect.suspend(() => {
    const sent: Array<Sent> = []
    const client = recorder(sent, { error: "stop" }, 400)
    return use.pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.exit,
      Effect.map(() => sent.map(({ headers, url }) => [url, headers["authorization"]]))
    )
  })

const asked = (variables: Record<string, string>) =>
  addressed(
    LlmService.generate({ prompt: "Hi", model }).pipe(Effect.provide(Layer.provide(Ollama.layerEnv, env(variables))))
  )

describe("Ollama: where the server is", () => {
  it.each([
    ["", "http://127.0.0.1:11434"],
    ["gpu", "http://gpu:11434"],
    ["gpu:8080", "http://gpu:8080"],
    [":9999", "http://127.0.0.1:9999"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["0.0.0.0:80", "http://127.0.0.1"],
    ["[::]:11500", "http://127.0.0.1:11500"],
    ["[::1]", "http://[::1]:11434"],
    ["http://gpu", "http://gpu"],
    ["https://ollama.example.com/team/", "https://ollama.example.com/team"],
    ["http://gpu:11434/v1", "http://gpu:11434"],
    ["http://gpu:11434/api/", "http://gpu:11434"]
  ])("reads %j as %s", (given, url) => {
    assert.strictEqual(serverUrl(given), url)
  })

  it.effect("is this machine without a key or an address", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* asked({}), [["http://127.0.0.1:11434/api/chat", undefined]])
    }))

  it.effect("is what OLLAMA_HOST says, and OLLAMA_BASE_URL before it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* asked({ OLLAMA_HOST: "gpu:8080" }), [["http://gpu:8080/api/chat", undefined]])
      assert.deepStrictEqual(yield* asked({ OLLAMA_HOST: "gpu", OLLAMA_BASE_URL: "http://other:1/v1" }), [
        ["http://other:1/api/chat", undefined]
      ])
    }))

  it.effect("is the cloud with a key alone, and not with an address beside it", () =>
    Effect.gen(function*() {
      const bearer = `Bearer ${Redacted.value(key)}`
      assert.deepStrictEqual(yield* asked({ OLLAMA_API_KEY: Redacted.value(key) }), [
        ["https://ollama.com/api/chat", bearer]
      ])
      assert.deepStrictEqual(yield* asked({ OLLAMA_API_KEY: Redacted.value(key), OLLAMA_HOST: "gpu" }), [
        ["http://gpu:11434/api/chat", bearer]
      ])
    }))

  it.effect("is the same server over the OpenAI-compatible API", () =>
    Effect.gen(function*() {
      const of = (options: Ollama.Options) =>
        addressed(Effect.flatMap(Ollama.make(options), (service) => service.generate({ prompt: "Hi", model })))
      assert.deepStrictEqual(yield* of({ api: "chat" }), [["http://127.0.0.1:11434/v1/chat/completions", undefined]])
      assert.deepStrictEqual(yield* of({ api: "chat", baseUrl: "http://gpu:1/v1" }), [
        ["http://gpu:1/v1/chat/completions", undefined]
      ])
    }))

  it.effect("comes from Config too", () =>
    Effect.gen(function*() {
      const layer = Ollama.layerConfig({ baseUrl: Config.String("WHERE") })
      const sent = yield* addressed(
        LlmService.generate({ prompt: "Hi", model }).pipe(Effect.provide(Layer.provide(layer, env({ WHERE: "gpu" }))))
      )
      assert.deepStrictEqual(sent, [["http://gpu:11434/api/chat", undefined]])
    }))
})

describe("Ollama: calls", () => {
  it.live("streams and generates the same answer over the native API", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const service = yield* Ollama.make({ baseUrl: simulator.url, model })
        const whole = yield* service.generate({ prompt: "Good morning" })
        const events = yield* Stream.runCollect(service.stream({ prompt: "Good morning" }))
        const last = events.at(-1)
        assert.strictEqual(whole.text, "You said: Good morning")
        assert.strictEqual(last?._tag === "Finish" ? last.response.text : "", whole.text)
        assert.deepStrictEqual(simulator.requests.map((request) => request.wire), ["ollama-chat", "ollama-chat"])
      })
    ))

  it.live("lays runner options over those of the request, and sends its own fields", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const service = yield* Ollama.make({ baseUrl: simulator.url, model })
        yield* service.generate({
          prompt: "Hi",
          temperature: 0.1,
          thinking: "low",
          providerOptions: {
            ollama: { keep_alive: "5m", think: "low", options: { num_ctx: 32_768, temperature: 0.2 } }
          }
        })
        assert.deepInclude(simulator.requests[0]?.body, {
          keep_alive: "5m",
          think: "low",
          options: { temperature: 0.2, num_ctx: 32_768 }
        })
      })
    ))

  it.live("runs a tool conversation", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const service = yield* Ollama.make({ baseUrl: simulator.url, model })
        const weather = LlmTool.make("get_weather", {
          parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
        })
        const question = Message.user("What is the weather in Lisbon")
        const first = yield* service.generate({ messages: [question], tools: [weather] })
        assert.strictEqual(first.finishReason, "tool-calls")
        const result = Message.toolResult(first.toolCalls[0]!, "19 °C")
        const second = yield* service.generate({ messages: [question, first.message, result], tools: [weather] })
        assert.strictEqual(second.text, "The tool says: 19 °C")
      })
    ))

  it.live("types an error in the middle of the lines and keeps what came", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        yield* simulator.enqueue(
          Simulator.text("Hello there, friend", { faults: { errorAfter: 1 } }),
          Simulator.text("Hello there, friend", { faults: { cutAfter: 1 } }),
          Simulator.error(404)
        )
        const service = yield* Ollama.make({ baseUrl: simulator.url, model })
        const ask = Effect.flip(Stream.runDrain(service.stream({ prompt: "Hi" })))
        const failed = yield* ask
        assert.strictEqual(failed.reason._tag, "Provider")
        assert.strictEqual(failed.partial?.text, "Hello th")
        assert.strictEqual((yield* ask).reason._tag, "IncompleteStream")
        assert.strictEqual((yield* ask).reason._tag, "NotFound")
      })
    ))

  it.live("lists the models that were pulled, over either API", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        for (const api of ["native", "chat"] as const) {
          const service = yield* Ollama.make({ baseUrl: simulator.url, api })
          assert.deepStrictEqual((yield* service.models).map(({ id }) => id), ["qwen3:8b", "gpt-oss:20b"])
          assert.isAtLeast((yield* service.health).latencyMillis, 0)
        }
      })
    ))
})

describe("Ollama: pull", () => {
  const lines = [
    { status: "pulling manifest" },
    { status: "pulling 365c0bd3c000", digest: "sha256:365c0bd3c000", total: 1000 },
    { status: "pulling 365c0bd3c000", digest: "sha256:365c0bd3c000", total: 1000, completed: 400 },
    { status: "pulling 365c0bd3c000", digest: "sha256:365c0bd3c000", total: 1000, completed: 1000 },
    { status: "verifying sha256 digest" },
    { status: "writing manifest" },
    { status: "success" }
  ]
  const answering = (simulator: Simulator.Service, given: ReadonlyArray<object>, status?: number) =>
    simulator.respondWith(() => Simulator.raw(given.map((line) => `${JSON.stringify(line)}\n`), { status }))

  it.live("reports progress as it comes and ends with success", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        yield* answering(simulator, lines)
        const progress = yield* Stream.runCollect(Ollama.pull(model, { baseUrl: simulator.url, insecure: true }))
        assert.deepStrictEqual([...progress], lines)
        assert.deepStrictEqual(simulator.requests[0]?.body, { model, stream: true, insecure: true })
      })
    ))

  it.live("ends at once when the server answers in one word", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const progress = yield* Stream.runCollect(Ollama.pull(model, { baseUrl: simulator.url }))
        assert.deepStrictEqual([...progress], [{ status: "success" }])
      })
    ))

  it.live("fails with a typed reason: no such model, a cut download, a refusing or absent server", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const pull = Effect.flip(Stream.runDrain(Ollama.pull("nope", { baseUrl: simulator.url })))
        yield* answering(simulator, [lines[0]!, { error: "pull model manifest: file does not exist" }])
        const missing = yield* pull
        assert.strictEqual(missing.reason._tag, "NotFound")
        assert.include(missing.reason.message, "file does not exist")
        assert.deepInclude(missing, { provider: "ollama", model: "nope", operation: "models" })
        yield* answering(simulator, lines.slice(0, 3))
        assert.strictEqual((yield* pull).reason._tag, "IncompleteStream")
        yield* answering(simulator, [{ error: "unauthorized" }], 401)
        assert.strictEqual((yield* pull).reason._tag, "Authentication")
        yield* simulator.respondWith(() => Simulator.reset)
        assert.strictEqual((yield* pull).reason._tag, "Network")
      })
    ))

  it.live("stops the download when the consumer stops", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        yield* simulator.respondWith(() =>
          Simulator.raw(lines.slice(0, 2).map((line) => `${JSON.stringify(line)}\n`), undefined, {
            faults: { keepOpen: true }
          })
        )
        const first = yield* Stream.runHead(Ollama.pull(model, { baseUrl: simulator.url }))
        assert.deepStrictEqual(first._tag === "Some" ? first.value : undefined, lines[0])
        assert.strictEqual(yield* simulator.requests[0]!.ended, "closed-by-client")
      })
    ))

  it.effect("refuses an empty name, a broken address and the cloud before any I/O, and keeps its key to itself", () =>
    Effect.gen(function*() {
      const sent = yield* addressed(Effect.gen(function*() {
        const reasons: Array<string> = []
        for (
          const [name, baseUrl] of [["", undefined], [model, "ftp://x"], [model, "https://ollama.com"]] as const
        ) {
          const exit = yield* Effect.exit(Stream.runDrain(Ollama.pull(name, { baseUrl, apiKey: key })))
          if (Exit.isFailure(exit)) {
            const error = Cause.squash(exit.cause) as { readonly reason: { readonly _tag: string } }
            reasons.push(error.reason._tag)
            assert.notInclude(JSON.stringify(error), Redacted.value(key))
          }
        }
        assert.deepStrictEqual(reasons, ["Validation", "Configuration", "Configuration"])
      }))
      assert.deepStrictEqual(sent, [])
    }))
})
