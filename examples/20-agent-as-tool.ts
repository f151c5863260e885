/**
 * An agent as the tool of another: what it uses counts for both, and an approval that it waits for comes up to the run above.
 */
import { Console, Effect, Redacted, Schema } from "effect"
import { Agent, Anthropic, Handlers, LlmTool, Run } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region agents
const book = LlmTool.make("book_flight", {
  description: "Books a flight",
  parameters: Schema.Struct({ to: Schema.String }),
  needsApproval: true
})

const clerk = Agent.make({
  instructions: "You book flights.",
  tools: Handlers.make([book], { book_flight: ({ to }) => Effect.succeed(`A seat to ${to}.`) })
})

const planner = Agent.make({
  instructions: "You plan journeys.",
  tools: Agent.asTool(clerk, { name: "travel_clerk", description: "Books what a journey needs" }),
  bounds: { maxSteps: 8 }
})
// #endregion

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  yield* simulator.enqueue(
    Simulator.toolCall("travel_clerk", { prompt: "A flight to Oslo." }),
    Simulator.toolCall("book_flight", { to: "Oslo" }),
    Simulator.text("The flight to Oslo is booked."),
    Simulator.text("Your journey is planned.")
  )
  const llm = Anthropic.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` })
  // #region run
  const first = yield* Agent.run(planner, { prompt: "Plan a journey to Oslo." }).pipe(Effect.provide(llm))
  const [request] = first.waiting.approvals
  yield* Console.log(`${first.status}: ${request!.toolName} ${JSON.stringify(request!.arguments)}`)

  const last = yield* Agent.run(planner, {
    state: first.state,
    decisions: [Run.approve(request!)]
  }).pipe(Effect.provide(llm))
  yield* Console.log(`${last.text} (${last.spent.steps} steps, ${last.spent.toolCalls} calls of both)`)
  // #endregion
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
