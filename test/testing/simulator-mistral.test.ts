import { assert, describe, it } from "@effect/vitest"
import { Mistral } from "@mistralai/mistralai"
import * as Effect from "effect/Effect"
import * as Simulator from "../../src/testing/Simulator.ts"
import { getWeather, rejection } from "./sdk.ts"

const clientFor = (simulator: Simulator.Service, apiKey = "mistral-test") =>
  new Mistral({ serverURL: simulator.url, apiKey, retryConfig: { strategy: "none" } })

const weather = {
  type: "function" as const,
  function: getWeather
}

const model = "mistral-small-latest"

describe("Simulator's Chat Completions with the official Mistral client", () => {
  it.effect("answers a message whole", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const answer = yield* Effect.promise(() =>
        clientFor(simulator).chat.complete({ model, messages: [{ role: "user", content: "Good morning" }] })
      )
      assert.strictEqual(answer.choices[0]?.message?.content, "You said: Good morning")
      assert.strictEqual(answer.choices[0]?.finishReason, "stop")
      assert.strictEqual(answer.usage.completionTokens, 6)
      assert.strictEqual(simulator.requests[0]?.wire, "openai-chat")
    }))

  it.effect("streams text", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("Grüße aus Lissabon 🌞, wie immer."))
      const text = yield* Effect.promise(async () => {
        const stream = await clientFor(simulator).chat.stream({ model, messages: [{ role: "user", content: "Hi" }] })
        let all = ""
        for await (const { data } of stream) {
          const content = data.choices[0]?.delta.content
          if (typeof content === "string") all += content
        }
        return all
      })
      assert.strictEqual(text, "Grüße aus Lissabon 🌞, wie immer.")
    }))

  it.effect("carries a tool conversation: call, result, answer", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = clientFor(simulator)
      const question = { role: "user" as const, content: "What is the weather in Lisbon" }
      const first = yield* Effect.promise(() => client.chat.complete({ model, messages: [question], tools: [weather] }))
      const message = first.choices[0]?.message
      const call = message?.toolCalls?.[0]
      assert.deepStrictEqual(call?.function.arguments, "{\"city\":\"Lisbon\"}")
      assert.strictEqual(first.choices[0]?.finishReason, "tool_calls")
      const second = yield* Effect.promise(() =>
        client.chat.complete({
          model,
          messages: [
            question,
            { role: "assistant", content: "", toolCalls: message?.toolCalls ?? [] },
            { role: "tool", toolCallId: call?.id ?? "", name: "get_weather", content: "19 °C" }
          ],
          tools: [weather]
        })
      )
      assert.strictEqual(second.choices[0]?.message?.content, "The tool says: 19 °C")
    }))

  it.effect("fails with the statuses that were scripted", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["mistral-test"] })
      yield* simulator.enqueue(Simulator.error(429))
      const ask = (apiKey?: string) => () =>
        clientFor(simulator, apiKey).chat.complete({ model, messages: [{ role: "user", content: "Hi" }] })
      assert.propertyVal(yield* rejection(ask("wrong")), "statusCode", 401)
      assert.propertyVal(yield* rejection(ask()), "statusCode", 429)
    }))
})
