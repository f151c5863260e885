// Holds the encoded body to the official client's types: it is the compiler that checks, the test only runs what it read.
import { assert, it } from "@effect/vitest"
import type { ChatRequest } from "ollama"
import type { Body } from "../../src/protocol/OllamaChat.ts"

const request = (body: Body<never>): ChatRequest => body

it("The body of the Ollama wire has the type of the official client's request", () => {
  const body: Body<never> = {
    model: "tea-3:8b",
    messages: [],
    stream: true,
    think: "high",
    options: { num_predict: 1 }
  }
  assert.deepStrictEqual(request(body), body as ChatRequest)
})
