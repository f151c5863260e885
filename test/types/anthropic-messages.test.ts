// Holds the encoded body to the official SDK's types: it is the compiler that checks, the test only runs what it read.
import type { MessageCreateParams as BetaMessageCreateParams } from "@anthropic-ai/sdk/resources/beta/messages"
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages"
import { assert, it } from "@effect/vitest"
import type { Body } from "../../src/protocol/AnthropicMessages.ts"

// Without the blocks and tools that travel unchanged in the caller's or the provider's own words. `stream` decides
// between two members of the SDK's union.
type Known = Body<never>
type Whole = Omit<Known, "stream">
type Streamed = Whole & { stream: true }

const whole = (body: Whole): MessageCreateParams => body
const streamed = (body: Streamed): MessageCreateParams => body
const beta = (body: Whole): BetaMessageCreateParams => body

it("The body of the Anthropic wire has the type of the official SDK's parameters", () => {
  const body: Whole = { model: "claude-test-1", max_tokens: 1, messages: [] }
  assert.deepStrictEqual([whole(body), beta(body), streamed({ ...body, stream: true })], [
    body,
    body,
    { ...body, stream: true }
  ])
})
