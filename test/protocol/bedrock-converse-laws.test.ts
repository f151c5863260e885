import { assert, describe, it } from "@effect/vitest"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import { keepsLaws } from "./event-laws.ts"
import { lawsOf } from "./wire-laws.ts"
import { replay } from "./wire-replay.ts"

const wire = replay("bedrock", BedrockConverse.make())

lawsOf("Bedrock Converse decoder", wire, { unlike: ["length-in-tool", "stop-null"] })

describe("Bedrock Converse decoder: binary messages", () => {
  const bytes = wire.bytesOf("parallel-tools")

  it("is incomplete or complete, never wrong, wherever the bytes are cut", () => {
    const complete = wire.replayBytes(bytes, bytes.length)
    for (let length = 0; length < bytes.length; length++) {
      const outcome = wire.replayBytes(bytes.subarray(0, length), 64)
      assert.isTrue(keepsLaws(outcome))
      if (outcome.response !== undefined) assert.deepStrictEqual(outcome.response.parts, complete.response?.parts)
      else assert.strictEqual(outcome.failure?.kind, "incomplete")
    }
  })

  it("is unreadable when a byte is damaged before the answer is complete", () => {
    for (let at = 1; at < bytes.length; at += 3) {
      const damaged = bytes.slice()
      damaged[at]! ^= 0x10
      const outcome = wire.replayBytes(damaged, 100)
      assert.strictEqual(outcome.failure?.kind, "parse", `byte ${at}`)
      assert.isTrue(keepsLaws(outcome))
    }
  })
})
