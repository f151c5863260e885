/**
 * An application of `effect/ai` over this library: its chat, its toolkit and its objects, with failover below.
 */
import { Console, Effect, Layer, Redacted, Schema, Stream } from "effect"
import { Chat, LanguageModel, Tool, Toolkit } from "effect/ai"
import { Agent, Anthropic, Fallback, OpenAi, Retry } from "../src/index.ts"
import * as EffectAi from "../src/interop/EffectAi.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region toolkit
const Weather = Tool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String }),
  success: Schema.Struct({ celsius: Schema.Finite })
})

const tools = Toolkit.make(Weather)

const toolsLive = tools.toLayer({
  get_weather: ({ city }) => Effect.succeed({ celsius: city.length * 3 })
})
// #endregion

// #region chat
const chatting = Effect.gen(function*() {
  const chat = yield* Chat.fromPrompt([{ role: "system", content: "Answer in one sentence." }])
  yield* chat.streamText({ prompt: "How warm is Lisbon?", toolkit: tools }).pipe(
    Stream.runForEach((part) =>
      part.type === "tool-result" ? Console.log(`get_weather gave ${JSON.stringify(part.result)}`) : Effect.void
    )
  )
  const { text } = yield* chat.generateText({ prompt: [], toolkit: tools })
  yield* Console.log(text)
})
// #endregion

// #region object
const City = Schema.Struct({ name: Schema.String, country: Schema.String })

const object = LanguageModel.generateObject({ prompt: "The capital of Portugal", schema: City }).pipe(
  EffectAi.withRequest({ maxTokens: 200, temperature: 0 }),
  Effect.flatMap(({ value }) => Console.log(`${value.name}, ${value.country}`))
)
// #endregion

// #region errors
const failing = LanguageModel.generateText({ prompt: "More." }).pipe(
  Effect.catchReason(
    "AiError",
    "AuthenticationError",
    (_, error) =>
      Console.log(`${EffectAi.llmError(error)?.reason._tag} after ${EffectAi.llmError(error)?.attempts} attempts`)
  )
)
// #endregion

// #region agent
const agent = Effect.gen(function*() {
  const handlers = yield* EffectAi.handlers(tools)
  const outcome = yield* Agent.run(Agent.make({ tools: handlers }), { prompt: "How warm is Oslo?" })
  yield* Console.log(outcome.text)
})
// #endregion

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  yield* simulator.enqueue(
    Simulator.error(529),
    Simulator.toolCall("get_weather", { city: "Lisbon" }),
    Simulator.text("Lisbon has 18 degrees."),
    Simulator.text("{\"name\":\"Lisbon\",\"country\":\"Portugal\"}"),
    Simulator.error(401),
    Simulator.error(401),
    Simulator.toolCall("get_weather", { city: "Oslo" }),
    Simulator.text("Oslo has 12 degrees.")
  )
  const options = { apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` }
  // #region layers
  const llm = Anthropic.layer(options).pipe(
    Retry.policy({ base: 0 }),
    Fallback.policy(OpenAi.layer(options))
  )
  const model = EffectAi.layerLanguageModel().pipe(Layer.provideMerge(llm))
  // #endregion
  yield* Effect.all([chatting, object, failing, agent], { discard: true }).pipe(Effect.provide([model, toolsLive]))
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
