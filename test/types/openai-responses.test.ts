// Holds the encoded body to the official SDK's types: it is the compiler that checks, the test only runs what it read.
import { assert, it } from "@effect/vitest"
import type {
  ResponseCreateParamsNonStreaming,
  ResponseCreateParamsStreaming
} from "openai/resources/responses/responses"
import type { Body } from "../../src/protocol/responses/Body.ts"

// Without the items and tools that travel unchanged in the caller's or the provider's own words. `stream` decides
// between two members of the SDK's union.
type Known = Omit<Body<never>, "stream">

const whole = (body: Known): ResponseCreateParamsNonStreaming => body
const streamed = (body: Known & { stream: true }): ResponseCreateParamsStreaming => body

it("The body of the Responses wire has the type of the official SDK's parameters", () => {
  const body: Known = { model: "gpt-test-1", input: [{ role: "user", content: "Hi" }], store: false }
  assert.deepStrictEqual([whole(body), streamed({ ...body, stream: true })], [body, { ...body, stream: true }])
})
