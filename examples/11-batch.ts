/**
 * Many requests, so many at a time: progress as they end, an outcome for each, usage and cost in sum.
 */
import { Cause, Console, Effect, Exit, Redacted } from "effect"
import { Anthropic, Batch, Cost, Retry } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

const reviews = Array.from({ length: 20 }, (_, index) => `Review ${index}: the battery lasts ${index} hours.`)

const program = Effect.gen(function*() {
  let count = 0
  const simulator = yield* Simulator.make({
    respondWith: (request) =>
      JSON.stringify(request.body).includes("Review 13:")
        ? Simulator.error(400)
        : count++ % 7 === 3
        ? Simulator.error(529)
        : Simulator.text("positive")
  })
  const llm = Anthropic.layer({
    apiKey: Redacted.make("simulated-key"),
    baseUrl: `${simulator.url}/v1`,
    model: "claude-haiku-4-5"
  }).pipe(Retry.policy({ base: "50 millis" }), Cost.policy())

  // #region batch
  const result = yield* Batch.all(
    reviews.map((prompt) => ({ prompt, system: "Answer with one word: positive or negative.", maxTokens: 10 })),
    {
      concurrency: 5,
      onProgress: ({ totals }) =>
        (totals.succeeded + totals.failed) % 5 === 0
          ? Console.log(`${totals.succeeded} answered, ${totals.failed} failed, of ${totals.total}`)
          : Effect.void
    }
  ).pipe(Effect.provide(llm))

  for (const [index, exit] of result.exits.entries()) {
    if (Exit.isFailure(exit)) yield* Console.log(`${reviews[index]} ${Cause.squash(exit.cause)}`)
  }
  yield* Console.log(
    `${result.usage.input.total} tokens in, ${result.usage.output.total} out, $${result.cost.toFixed(6)}`
  )
  // #endregion
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
