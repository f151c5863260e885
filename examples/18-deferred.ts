/**
 * Results that come later: the run stops when it only waits, and goes on when results are given to it, in any order.
 */
import { Console, Effect, Redacted, Schema } from "effect"
import { Agent, Anthropic, Handlers, LlmTool } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region tools
const render = LlmTool.make("render", {
  description: "Renders a film; takes hours",
  parameters: Schema.Struct({ scene: Schema.String })
})

const jobs: Array<{ readonly key: string; readonly scene: string }> = []

const agent = Agent.make({
  tools: Handlers.make([render], {
    // The key is the same whenever this call runs: a queue that takes each key once never renders twice.
    render: ({ scene }, { idempotencyKey: key }) =>
      Effect.sync(() => {
        jobs.push({ key, scene })
        return Handlers.later
      })
  })
})
// #endregion

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  yield* simulator.enqueue(
    {
      parts: [
        { type: "tool-call", name: "render", arguments: { scene: "dawn" } },
        { type: "tool-call", name: "render", arguments: { scene: "dusk" } }
      ]
    },
    Simulator.text("Both scenes are rendered.")
  )
  const llm = Anthropic.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` })
  // #region run
  const first = yield* Agent.run(agent, { prompt: "Render dawn and dusk." }).pipe(Effect.provide(llm))
  yield* Console.log(`${first.status}: ${jobs.map(({ scene }) => scene).join(", ")}`)

  const [dawn, dusk] = first.waiting.deferred
  const second = yield* Agent.run(agent, {
    state: first.state,
    results: [{ call: dusk!.call, content: "dusk.mp4" }]
  }).pipe(Effect.provide(llm))
  yield* Console.log(`${second.status} for ${second.waiting.deferred.length} more`)

  const last = yield* Agent.run(agent, {
    state: second.state,
    results: [{ call: dawn!.call, content: "dawn.mp4" }]
  }).pipe(Effect.provide(llm))
  yield* Console.log(`${last.status}: ${last.text}`)
  // #endregion
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
