import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LlmTool, Message } from "../src/index.ts"
import * as TestLlm from "../src/testing/TestLlm.ts"
import * as Tokenizer from "../src/tokenizer.ts"

const counted = (estimated: boolean) => ({
  ...TestLlm.make({ answers: [] }).service,
  countTokens: () => Effect.succeed({ inputTokens: 7, estimated })
})

describe("the local tokenizer", () => {
  it.effect("counts exactly where the provider only estimates", () =>
    Effect.gen(function*() {
      const service = yield* Tokenizer.policy.wrap(counted(true))
      // "Hello, world!" is 4 tokens of o200k_base; the role is 1, the message 3, the reply 3.
      assert.deepStrictEqual(yield* service.countTokens({ prompt: "Hello, world!" }), {
        inputTokens: 11,
        estimated: false
      })
    }))

  it.effect("keeps the provider's own count, and the estimate of what is not text", () =>
    Effect.gen(function*() {
      const image = Message.image({ type: "url", url: "https://example.com/a.png" })
      const own = yield* Tokenizer.policy.wrap(counted(false))
      assert.deepStrictEqual(yield* own.countTokens({ prompt: "x" }), { inputTokens: 7, estimated: false })
      const guess = yield* Tokenizer.policy.wrap(counted(true))
      const request = { messages: [Message.user([Message.text("x"), image])] }
      assert.deepStrictEqual(yield* guess.countTokens(request), { inputTokens: 7, estimated: true })
    }))

  it("counts tools, calls and results", () => {
    const tools = [LlmTool.make("look_up", {})]
    const messages = [
      Message.user("a"),
      Message.assistant([{ type: "tool-call", id: "1", name: "look_up", arguments: { a: 1 } }]),
      Message.toolResult({ id: "1" }, "found")
    ]
    const all = Tokenizer.countTokens({ messages, tools })
    const some = Tokenizer.countTokens({ messages: messages.slice(0, 1) })
    assert.isTrue(all !== undefined && some !== undefined && all > some + 10)
  })
})
