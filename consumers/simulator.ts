/**
 * The tests of an application on Node against a local server; not even the types of Node are installed.
 */
import { Effect, Redacted } from "effect"
import { Anthropic, LlmService } from "effect-llm"
import * as Simulator from "effect-llm/testing/Simulator"
import { FetchHttpClient } from "effect/http"

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

const answer = await Effect.runPromise(simulated)
if (answer !== "Hi!") throw new Error(answer)
