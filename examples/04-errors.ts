/**
 * One error type, many reasons: handle the ones you can do something about.
 */
import { Console, Duration, Effect } from "effect"
import { LlmService } from "../src/index.ts"
import { TestLlm } from "../src/testing/index.ts"

// #region errors
const answer = LlmService.generate({ prompt: "Hello" }).pipe(
  Effect.map((response) => response.text),
  // One reason, with its fields.
  Effect.catchReason(
    "LlmError",
    "RateLimit",
    (reason) =>
      Effect.succeed(`Busy; try again in ${reason.retryAfter ? Duration.format(reason.retryAfter) : "a moment"}.`)
  ),
  // Several at once.
  Effect.catchReasons("LlmError", {
    ContextLength: () => Effect.succeed("That is too long for me."),
    IncompleteStream: (reason) => Effect.succeed(`${reason.partial?.text ?? ""} [cut off]`)
  }),
  // Everything else: one line that names provider, model, reason and request id, and never a key.
  Effect.catchTag("LlmError", (error) => Effect.succeed(error.message))
)
// #endregion

const layer = TestLlm.layer({
  answers: [
    TestLlm.rateLimit({ retryAfter: "7 seconds" }),
    TestLlm.contextLength(),
    TestLlm.incomplete("Once upon a"),
    TestLlm.serverError(503)
  ]
})
const program = Effect.repeat(Effect.flatMap(answer, Console.log), { times: 3 })

await Effect.runPromise(Effect.provide(program, layer))
