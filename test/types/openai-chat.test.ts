// Holds the encoded body to the official SDK's types: it is the compiler that checks, the test only runs what it read.
import { assert, it } from "@effect/vitest"
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions"
import type { Body } from "../../src/protocol/chat/Wire.ts"

// `stream` decides between two members of the SDK's union.
type Known = Omit<Body<never>, "stream">

const whole = (body: Known & { stream: false }): ChatCompletionCreateParams => body
const streamed = (body: Known & { stream: true }): ChatCompletionCreateParams => body

it("The body of the Chat wire has the type of the official SDK's parameters", () => {
  const body = { model: "bird-1", messages: [] }
  assert.deepStrictEqual([whole({ ...body, stream: false }), streamed({ ...body, stream: true })], [
    { ...body, stream: false },
    { ...body, stream: true }
  ])
})
