/**
 * Reaching into a run that is going on: a message in between, and a stop that keeps what is there.
 */
import { Console, Effect, Redacted, Stream } from "effect"
import { Agent, Anthropic, Handlers, LlmTool, Message } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

const search = LlmTool.make("search", { description: "Searches the archive" })

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  yield* simulator.enqueue(
    Simulator.toolCall("search", { for: "ships" }),
    Simulator.text("The harbour was full of ships that year, and the town with it, as the old papers tell.", {
      delayMillis: 5
    })
  )
  // #region steer
  const control = yield* Agent.control
  const agent = Agent.make({
    tools: Handlers.make([search], {
      // A user who writes while the agent is busy; the model reads it with its next step.
      search: () => Effect.as(control.steer(Message.user("Only the year 1881, please.")), "Forty papers.")
    })
  })
  let characters = 0
  yield* Agent.stream(agent, { prompt: "What do the papers say of ships?", control }).pipe(
    Stream.runForEach((event) => {
      switch (event._tag) {
        case "MessagesAdded":
          return Console.log(`put in between: ${event.messages.map(Message.textOf).join(" ")}`)
        case "TextDelta":
          characters += event.text.length
          return characters > 30 ? control.stop("enough read") : Effect.void
        case "RunEnd":
          return Console.log(`${event.outcome.status} (${event.outcome.reason}): ${event.outcome.text}…`)
        default:
          return Effect.void
      }
    }),
    // #endregion
    Effect.provide(Anthropic.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` }))
  )
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
