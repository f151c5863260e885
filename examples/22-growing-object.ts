/**
 * A recipe that grows in the terminal: what is certain of it with each piece that comes, then a list element by element, then an answer of a
 * weaker model that wrote something else around and in place of JSON.
 */
import { Console, Effect, Redacted, Schema, Stream } from "effect"
import { LlmService, OpenAi } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region schema
const Recipe = Schema.Struct({
  title: Schema.String,
  minutes: Schema.Int,
  course: Schema.Literals(["starter", "main", "dessert"]),
  ingredients: Schema.Array(Schema.String)
})
// #endregion

// #region grow
const grow = LlmService.streamObject(Recipe, { prompt: "A recipe for pea soup" }).pipe(
  Stream.runForEach((event) =>
    event._tag === "Partial"
      ? Console.log(`${event.json.title ?? "…"}, ${event.json.minutes ?? "?"} minutes: ${event.json.ingredients ?? ""}`)
      : event._tag === "Object"
      ? Console.log("whole:", JSON.stringify(event.value))
      : Console.log("asked again:", event.error.message)
  )
)
// #endregion

// #region list
const list = LlmService.streamArray(Recipe, { prompt: "Three recipes" }).pipe(
  Stream.runForEach(({ minutes, title }) => Console.log(`${title}: ${minutes} minutes`))
)
// #endregion

// #region weak
const weak = LlmService.generateObject(Recipe, { prompt: "A recipe for pea soup" }, { repair: true, retries: 1 }).pipe(
  Effect.flatMap(({ response, value }) =>
    Console.log(value.title, value.minutes, response.warnings.map(({ message }) => message).join(" "))
  )
)
// #endregion

const soup = { title: "Pea soup", minutes: 45, course: "main", ingredients: ["peas", "onions", "water"] }
const answers = [
  JSON.stringify(soup),
  JSON.stringify({
    elements: [soup, { ...soup, title: "Leek soup", minutes: 30 }, { ...soup, title: "Broth", minutes: 90 }]
  }),
  `Here you are!\n\n\`\`\`\n{title: 'Pea soup', minutes: "45", course: Main, ingredients: ["peas", "onions",],}\n\`\`\``
]

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make({ respondWith: ({ number }) => Simulator.text(answers[number - 1] ?? "") })
  const layer = OpenAi.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` })
  yield* Effect.provide(Effect.andThen(grow, Effect.andThen(list, weak)), layer)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
