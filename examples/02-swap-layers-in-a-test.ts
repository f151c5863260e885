/**
 * The application depends on `LlmService`; a test provides `TestLlm` in place of a provider.
 */
import { Console, Effect } from "effect"
import { LlmService } from "../src/index.ts"
import { TestLlm } from "../src/testing/index.ts"

// #region application
const headline = Effect.fn("headline")(function*(article: string) {
  const response = yield* LlmService.generate({
    system: "You write headlines of at most eight words.",
    prompt: article,
    maxTokens: 40
  })
  return response.text
})
// #endregion

// #region test
const test = Effect.gen(function*() {
  const control = yield* TestLlm.TestLlm
  const text = yield* headline("Rain is expected all week, except on Friday.")

  // What came back, and what was asked.
  if (text !== "Umbrellas until Friday") return yield* Effect.die(`unexpected headline: ${text}`)
  if (control.requests[0]?.maxTokens !== 40) return yield* Effect.die("the limit was not passed on")
  yield* Console.log("ok: the headline is what the script says, and the request had its limit")
})

const program = Effect.provide(test, TestLlm.layer({ answers: ["Umbrellas until Friday"] }))
// #endregion

await Effect.runPromise(program)
