import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LlmConfig } from "../../src/index.ts"

const config = (timeouts: unknown, whole: unknown) => ({
  default: "one",
  instances: { one: { provider: "anthropic", timeouts, defaults: { whole } } }
})

describe("a configuration of whole answers", () => {
  it.effect("names their limit and how they are got", () =>
    Effect.gen(function*() {
      const { instances } = yield* LlmConfig.decode(config({ firstByte: "3 minutes" }, "streamed"))
      assert.strictEqual(instances["one"]?.timeouts?.firstByte, "3 minutes")
      assert.strictEqual(instances["one"]?.defaults?.whole, "streamed")
    }))

  it.effect("takes no other word and no other limit", () =>
    Effect.gen(function*() {
      for (
        const [given, field] of [
          [config({}, "folded"), "instances.one.defaults.whole"],
          [config({ firstbyte: "3 minutes" }, "auto"), "instances.one.timeouts.firstbyte"],
          [config({ firstByte: "soon" }, "auto"), "instances.one.timeouts.firstByte"]
        ] as const
      ) {
        const { reason } = yield* Effect.flip(LlmConfig.decode(given))
        assert.strictEqual(reason._tag, "Configuration")
        assert.include(reason.message, field)
      }
    }))
})
