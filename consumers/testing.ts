/**
 * The tests of an application that has installed nothing beside `effect`, on any runtime: nothing of Node is imported.
 */
import { Effect } from "effect"
import { LlmService, Retry } from "effect-llm"
import { TestLlm } from "effect-llm/testing"

const scripted = Effect.gen(function*() {
  const control = yield* TestLlm.TestLlm
  const response = yield* LlmService.generate({ prompt: "Hello" })
  return { text: response.text, requests: control.requests.length }
}).pipe(Effect.provide(TestLlm.layer({ answers: [TestLlm.overloaded(), "Hi!"] }).pipe(Retry.policy({ base: 0 }))))

const { requests, text } = await Effect.runPromise(scripted)
if (text !== "Hi!" || requests !== 2) throw new Error(`${text}, ${requests} requests`)
