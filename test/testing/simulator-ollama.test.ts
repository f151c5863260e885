import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Ollama } from "ollama"
import * as Simulator from "../../src/testing/Simulator.ts"
import { collect, getWeather, rejectionOf } from "./sdk.ts"

const clientFor = (simulator: Simulator.Service, key?: string) =>
  new Ollama({ host: simulator.url, ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }) })

const rejection = <A>(promise: () => PromiseLike<A>) => rejectionOf(Error, promise)

const weather = {
  type: "function",
  function: getWeather
}

const model = "qwen3:8b"

const hello = [{ role: "user", content: "Good morning" }]

describe("Simulator with the official Ollama client", () => {
  it.effect("answers a message whole, without a credential", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const answer = yield* Effect.promise(() => clientFor(simulator).chat({ model, messages: hello }))
      assert.strictEqual(answer.message.content, "You said: Good morning")
      assert.strictEqual(answer.done_reason, "stop")
      assert.strictEqual(answer.eval_count, 6)
      assert.strictEqual(simulator.requests[0]?.wire, "ollama-chat")
    }))

  it.effect("streams thinking, text and a whole tool call", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue({
        parts: [
          { type: "reasoning", text: "The user wants the weather." },
          { type: "text", text: "I look it up, Grüße 🌞." },
          { type: "tool-call", name: "get_weather", arguments: { city: "Lisbon" } }
        ],
        usage: { input: 40, output: 12 }
      })
      const stream = yield* Effect.promise(() =>
        clientFor(simulator).chat({ model, messages: hello, tools: [weather], think: true, stream: true })
      )
      const lines = yield* collect(stream)
      assert.strictEqual(lines.map((line) => line.message.thinking ?? "").join(""), "The user wants the weather.")
      assert.strictEqual(lines.map((line) => line.message.content).join(""), "I look it up, Grüße 🌞.")
      assert.deepStrictEqual(
        lines.flatMap((line) => line.message.tool_calls ?? []).map((call) => call.function.arguments),
        [
          { city: "Lisbon" }
        ]
      )
      assert.deepInclude(lines.at(-1), { done: true, done_reason: "stop", prompt_eval_count: 40, eval_count: 12 })
    }))

  it.effect("carries a tool conversation: call, result, answer", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = clientFor(simulator)
      const messages = [{ role: "user", content: "What is the weather in Lisbon" }]
      const first = yield* Effect.promise(() => client.chat({ model, messages, tools: [weather] }))
      assert.deepStrictEqual(first.message.tool_calls?.[0]?.function.arguments, { city: "Lisbon" })
      const second = yield* Effect.promise(() =>
        client.chat({
          model,
          messages: [...messages, first.message, { role: "tool", content: "19 °C", tool_name: "get_weather" }],
          tools: [weather]
        })
      )
      assert.strictEqual(second.message.content, "The tool says: 19 °C")
    }))

  it.effect("fills a JSON schema and stops at the token limit", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = clientFor(simulator)
      const format = { type: "object", properties: { name: { type: "string" } }, required: ["name"] }
      const filled = yield* Effect.promise(() =>
        client.chat({ model, messages: [{ role: "user", content: "This is Ada" }], format })
      )
      assert.deepStrictEqual(JSON.parse(filled.message.content), { name: "Ada" })
      const cut = yield* Effect.promise(() => client.chat({ model, messages: hello, options: { num_predict: 2 } }))
      assert.strictEqual(cut.done_reason, "length")
    }))

  it.effect("lists models and pulls one", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const { models } = yield* Effect.promise(() => clientFor(simulator).list())
      assert.deepStrictEqual(models.map(({ name }) => name), ["qwen3:8b", "gpt-oss:20b"])
      const pulled = yield* Effect.promise(() => clientFor(simulator).pull({ model }))
      assert.strictEqual(pulled.status, "success")
    }))

  it.effect("refuses wrong requests, unknown models and unknown keys in the API's words", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ models: [model], keys: ["none", "right"] })
      const client = clientFor(simulator)
      const unknown = yield* rejection(() => client.chat({ model: "nope", messages: hello }))
      assert.include(unknown.message, "model \"nope\" not found, try pulling it first")
      const format = yield* rejection(() => client.chat({ model, messages: hello, format: "yaml" }))
      assert.include(format.message, "invalid format")
      const image = yield* rejection(() =>
        client.chat({ model, messages: [{ role: "user", content: "?", images: ["data:image/png;base64,AA=="] }] })
      )
      assert.include(image.message, "illegal base64")
      const key = yield* rejection(() => clientFor(simulator, "wrong").chat({ model, messages: hello }))
      assert.include(key.message, "unauthorized")
    }))

  it.effect("reports an error in the middle of a stream, and a cut one", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        Simulator.text("Hello there, friend", { faults: { errorAfter: 1 } }),
        Simulator.text("Hello there, friend", { faults: { cutAfter: 1 } })
      )
      const run = () =>
        clientFor(simulator).chat({ model, messages: hello, stream: true }).then(async (stream) => {
          for await (const _ of stream) { /* read on */ }
        })
      assert.include((yield* rejection(run)).message, "an error was encountered while running the model")
      assert.include((yield* rejection(run)).message, "Did not receive done")
    }))
})
