/**
 * The tests of an application that has installed nothing beside `effect`, not even the types of Node.
 */
import { Effect, Redacted } from "effect"
import { Anthropic, LlmService, Retry } from "effect-llm"
import { Simulator, TestLlm } from "effect-llm/testing"
import { FetchHttpClient } from "effect/http"

const scripted = Effect.gen(function*() {
  const control = yield* TestLlm.TestLlm
  const response = yield* LlmService.generate({ prompt: "Hello" })
  return { text: response.text, requests: control.requests.length }
}).pipe(Effect.provide(TestLlm.layer({ answers: [TestLlm.overloaded(), "Hi!"] }).pipe(Retry.policy({ base: 0 }))))

const simulated = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  yield* simulator.enqueue(Simulator.text("Hi!"))
  const response = yield* LlmService.generate({ prompt: "Hello" }).pipe(Effect.provide(Anthropic.layer({
    apiKey: Redacted.make("key"),
    baseUrl: `${simulator.url}/v1`,
    model: "claude-sonnet-4-5"
  })))
  return response.text
}).pipe(Effect.scoped, Effect.provide(FetchHttpClient.layer))

const { requests, text } = await Effect.runPromise(scripted)
if (text !== "Hi!" || requests !== 2) throw new Error(`${text}, ${requests} requests`)
const answer = await Effect.runPromise(simulated)
if (answer !== "Hi!") throw new Error(answer)
