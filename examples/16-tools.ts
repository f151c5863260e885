/**
 * An agent with tools: two calls side by side, a mistake the model is told of, and everything that happens as one stream.
 */
import { Console, Effect, Redacted, Schema, Stream } from "effect"
import { Agent, Anthropic, Handlers, LlmTool } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region tools
const weather = LlmTool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String }),
  success: Schema.Struct({ celsius: Schema.Number, sky: Schema.String }),
  timeout: "10 seconds"
})

const cities = LlmTool.make("list_cities", { description: "Cities with a weather station" })

const tools = Handlers.make([weather, cities], {
  get_weather: ({ city }) => Effect.succeed({ celsius: city.length * 3, sky: "light rain" }),
  list_cities: () => Effect.succeed(["Lisbon", "Oslo"])
})
// #endregion

// #region agent
const agent = Agent.make({
  instructions: "Answer in one sentence.",
  tools,
  request: { temperature: 0 },
  bounds: { maxSteps: 10, maxCost: 0.5, maxTime: "2 minutes" }
})
// #endregion

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  yield* simulator.enqueue(
    {
      parts: [
        { type: "tool-call", name: "get_weather", arguments: { city: "Lisbon" } },
        { type: "tool-call", name: "get_weather", arguments: { town: "Oslo" } }
      ]
    },
    Simulator.toolCall("get_weather", { city: "Oslo" }),
    Simulator.text("Lisbon is warmer, but take a raincoat to both.")
  )
  // #region events
  yield* Agent.stream(agent, { prompt: "Lisbon or Oslo?" }).pipe(
    Stream.runForEach((event) => {
      switch (event._tag) {
        case "StepStart":
          return Console.log(`step ${event.step}`)
        case "ToolStart":
          return Console.log(`  ${event.toolName}(${JSON.stringify(event.arguments)})`)
        case "ToolResult":
          return Console.log(`  ${event.result.isError === true ? "failed" : "gave"}: ${event.result.content}`)
        case "RunEnd":
          return Console.log(`${event.outcome.text} (${event.outcome.spent.steps} steps)`)
        default:
          return Effect.void
      }
    }),
    // #endregion
    Effect.provide(Anthropic.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` }))
  )
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
