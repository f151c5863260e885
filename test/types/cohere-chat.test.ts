// Holds the encoded body to the official SDK's wire types: it is the compiler that checks, the test only runs what it read.
import { assert, it } from "@effect/vitest"
import type * as serialization from "cohere-ai/serialization/index.js"
import type { Body } from "../../src/protocol/CohereChat.ts"

// The SDK adds `stream` itself.
type Known = Omit<Body, "stream">

const whole = (body: Known): serialization.V2ChatRequest.Raw => body
const streamed = (body: Known): serialization.V2ChatStreamRequest.Raw => body

it("The body of the Cohere wire has the type that the official SDK sends", () => {
  const body: Known = { model: "command-test", messages: [], tool_choice: "REQUIRED" }
  assert.deepStrictEqual([whole(body), streamed(body)], [body, body] as ReadonlyArray<unknown>)
})
