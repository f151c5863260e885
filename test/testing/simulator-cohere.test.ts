import { assert, describe, it } from "@effect/vitest"
import { type Cohere, CohereClient, CohereClientV2, CohereError } from "cohere-ai"
import * as Effect from "effect/Effect"
import * as Simulator from "../../src/testing/Simulator.ts"
import { collect, getWeather, rejectionOf } from "./sdk.ts"

const clientFor = (simulator: Simulator.Service, token = "co-test") =>
  new CohereClientV2({ baseUrl: simulator.url, token, maxRetries: 0 })

const rejection = <A>(promise: () => PromiseLike<A>) => rejectionOf(CohereError, promise)

const weather: Cohere.ToolV2 = {
  type: "function",
  function: getWeather
}

const model = "command-a-03-2025"

const hello: Cohere.ChatMessages = [{ role: "user", content: "Good morning" }]

describe("Simulator with the official Cohere client", () => {
  it.effect("answers a message whole", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const answer = yield* Effect.promise(() => clientFor(simulator).chat({ model, messages: hello }))
      assert.deepStrictEqual(answer.message.content, [{ type: "text", text: "You said: Good morning" }])
      assert.strictEqual(answer.finishReason, "COMPLETE")
      assert.strictEqual(answer.usage?.tokens?.outputTokens, 6)
      assert.strictEqual(simulator.requests[0]?.wire, "cohere-chat")
      assert.strictEqual(simulator.requests[0]?.headers.authorization, "Bearer co-test")
    }))

  it.effect("streams thinking, text and a tool call in the events of the API", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue({
        parts: [
          { type: "reasoning", text: "The user wants the weather." },
          { type: "text", text: "Ich sehe nach, Grüße 🌞." },
          { type: "tool-call", id: "call_1", name: "get_weather", arguments: { city: "Lisbon" } }
        ],
        usage: { input: 40, output: 12, cacheRead: 16 }
      })
      const stream = yield* Effect.promise(() => clientFor(simulator).chatStream({ model, messages: hello }))
      const events = yield* collect(stream)
      const deltas = events.flatMap((event) => event.type === "content-delta" ? [event.delta?.message?.content] : [])
      assert.strictEqual(deltas.map((delta) => delta?.thinking ?? "").join(""), "The user wants the weather.")
      assert.strictEqual(deltas.map((delta) => delta?.text ?? "").join(""), "Ich sehe nach, Grüße 🌞.")
      const started = events.find((event) => event.type === "tool-call-start")
      assert.strictEqual(started?.delta?.message?.toolCalls?.id, "call_1")
      const args = events.flatMap((event) =>
        event.type === "tool-call-delta" ? [event.delta?.message?.toolCalls?.function?.arguments ?? ""] : []
      )
      assert.deepStrictEqual(JSON.parse(args.join("")), { city: "Lisbon" })
      const end = events.at(-1)
      assert.strictEqual(end?.type === "message-end" ? end.delta?.finishReason : end?.type, "TOOL_CALL")
      assert.strictEqual(end?.type === "message-end" ? end.delta?.usage?.cachedTokens : undefined, 16)
    }))

  it.effect("carries a tool conversation: call, result, answer", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = clientFor(simulator)
      const question: Cohere.ChatMessageV2 = { role: "user", content: "What is the weather in Lisbon" }
      const first = yield* Effect.promise(() => client.chat({ model, messages: [question], tools: [weather] }))
      const call = first.message.toolCalls?.[0]
      assert.strictEqual(call?.function?.arguments, "{\"city\":\"Lisbon\"}")
      const second = yield* Effect.promise(() =>
        client.chat({
          model,
          messages: [
            question,
            { role: "assistant", toolCalls: first.message.toolCalls ?? [] },
            {
              role: "tool",
              toolCallId: call?.id ?? "",
              content: [{ type: "document", document: { data: { celsius: 19 } } }]
            }
          ],
          tools: [weather]
        })
      )
      assert.deepStrictEqual(second.message.content, [{ type: "text", text: "The tool says: {\"celsius\":19}" }])
    }))

  it.effect("lists models beside OpenAI's listing on the same path, and counts tokens", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = clientFor(simulator)
      const listed = yield* Effect.promise(() => client.models.list({ endpoint: "chat" }))
      assert.deepStrictEqual(listed.models.map((one) => one.name), ["command-a-03-2025", "command-r7b-12-2024"])
      // The v2 client has the method but not what it needs.
      const older = new CohereClient({ baseUrl: simulator.url, token: "co-test", maxRetries: 0 })
      const counted = yield* Effect.promise(() => older.tokenize({ model, text: "Sixteen letters!" }))
      assert.strictEqual(counted.tokens.length, 4)
    }))

  it.effect("refuses wrong requests, unknown models and unknown keys with the API's statuses", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ models: [model], keys: ["co-test"] })
      const client = clientFor(simulator)
      assert.strictEqual((yield* rejection(() => client.chat({ model: "nope", messages: hello }))).statusCode, 404)
      assert.strictEqual((yield* rejection(() => client.chat({ model, messages: [] }))).statusCode, 400)
      assert.strictEqual((yield* rejection(() => client.chat({ model, messages: hello, p: 1 }))).statusCode, 400)
      assert.strictEqual(
        (yield* rejection(() => clientFor(simulator, "x").chat({ model, messages: hello }))).statusCode,
        401
      )
      const orphan = yield* rejection(() =>
        client.chat({ model, messages: [...hello, { role: "tool", toolCallId: "call_9", content: "19" }] })
      )
      assert.include(JSON.stringify(orphan.body), "call_9")
    }))

  it.effect("sends scripted errors and an error at the end of a stream", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        Simulator.error(429),
        Simulator.text("Hello there, friend", { faults: { errorAfter: 3 } })
      )
      const limited = yield* rejection(() => clientFor(simulator).chat({ model, messages: hello }))
      assert.strictEqual(limited.statusCode, 429)
      const stream = yield* Effect.promise(() => clientFor(simulator).chatStream({ model, messages: hello }))
      const end = (yield* collect(stream)).at(-1)
      assert.strictEqual(end?.type === "message-end" ? end.delta?.error : undefined, "internal server error")
    }))
})
