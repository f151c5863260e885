import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LlmService } from "../../src/LlmService.ts"
import * as Balance from "../../src/policy/Balance.ts"
import * as Continue from "../../src/policy/Continue.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

describe("a layer that is a candidate in several places", () => {
  it.effect("is built once and closed once", () =>
    Effect.gen(function*() {
      let built = 0
      let closed = 0
      const shared = Layer.effect(
        LlmService,
        Effect.acquireRelease(
          Effect.sync(() => {
            built++
            return TestLlm.make({ answers: () => "Hello" }).service
          }),
          () => Effect.sync(() => void closed++)
        )
      )
      const stack = Fallback.layer([shared, Balance.layer([shared, shared])]).pipe(
        Hedge.policy({ after: "1 second", candidate: shared }),
        Continue.policy({ candidates: [shared] }),
        Fallback.policy(shared)
      )
      yield* Effect.scoped(Effect.gen(function*() {
        yield* Layer.build(Layer.merge(stack, Layer.effectDiscard(LlmService.pipe(Effect.provide(shared)))))
        assert.strictEqual(built, 1)
        assert.strictEqual(closed, 0)
      }))
      assert.strictEqual(closed, 1)
    }))
})
