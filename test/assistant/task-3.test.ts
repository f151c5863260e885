/** A test suite of an application's functions, as an assistant writes it from `llms.txt`. */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { Fallback } from "../../src/index.ts"
import { TestLlm } from "../../src/testing/index.ts"
import { reply, triage } from "./task-3-migrated.ts"

describe("support", () => {
  it("triages a mail", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      expect(yield* triage("Where is my order?")).toEqual({ topic: "order", urgent: false })
      expect(control.requests[0]?.prompt).toContain("Where is my order?")
    }).pipe(Effect.provide(TestLlm.layer({ answers: [`{"topic":"order","urgent":false}`] })), Effect.runPromise))

  it("fails when the answer is no topic", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(triage("?"))
      expect(error.reason._tag).toBe("StructuredOutput")
    }).pipe(Effect.provide(TestLlm.layer({ answers: [`{"topic":"weather"}`] })), Effect.runPromise))

  it("runs the tool and answers", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      expect(yield* reply("Where is A1?")).toBe("It is shipped.")
      expect(control.started).toBe(2)
    }).pipe(
      Effect.provide(TestLlm.layer({
        answers: [
          [{ type: "tool-call", id: "call-1", name: "look_up", arguments: { order: "A1" } }],
          "It is shipped."
        ]
      })),
      Effect.runPromise
    ))

  it("goes to the second provider when the first is overloaded", () =>
    Effect.gen(function*() {
      expect(yield* reply("Hello")).toBe("Hello from the second.")
    }).pipe(
      Effect.provide(
        TestLlm.layer({ answers: [TestLlm.overloaded()] }).pipe(
          Fallback.policy(TestLlm.layer({ answers: ["Hello from the second."] }))
        )
      ),
      Effect.runPromise
    ))

  it("says what failed", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(reply("Hello"))
      expect(error._tag).toBe("RunFailed")
    }).pipe(Effect.provide(TestLlm.layer({ answers: [TestLlm.authentication()] })), Effect.runPromise))
})
