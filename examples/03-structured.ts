/**
 * An answer as a value of a schema.
 */
import { Console, Effect, Redacted, Schema } from "effect"
import { LlmService, OpenAi } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region schema
const Recipe = Schema.Struct({
  title: Schema.String,
  minutes: Schema.Int,
  ingredients: Schema.Array(Schema.String)
})

const recipe = Effect.fn("recipe")(function*(dish: string) {
  const { response, value } = yield* LlmService.generateObject(Recipe, { prompt: `A recipe for ${dish}` })
  yield* Console.log(`${value.title}: ${value.minutes} minutes, ${value.ingredients.join(", ")}`)
  yield* Console.log(`${response.usage.output.total} tokens`)
})
// #endregion

// The simulator fills the schema with what it finds in the prompt.
const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  const layer = OpenAi.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` })
  yield* Effect.provide(recipe("Pancakes, ready in 20 minutes"), layer)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
