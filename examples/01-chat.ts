/**
 * A conversation that survives: streamed, with a tool, over a rate limit and a provider that dies.
 *
 * `npm start` talks to the provider whose key is in the environment, else to a local Ollama or LM Studio, else to a
 * simulator on a loopback port. `npm start -- "question"` answers the question.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Effect, Option, Redacted, Schema, Stream } from "effect"
import {
  Anthropic,
  Fallback,
  Llm,
  LlmService,
  LlmTool,
  LmStudio,
  Message,
  Ollama,
  OpenAi,
  Retry,
  Timeout
} from "../src/index.ts"
import type { LlmResponse } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// A tool: a name, a description, a schema. The application runs it.
const weather = LlmTool.make("get_weather", {
  description: "The weather in a city, now",
  parameters: Schema.Struct({ city: Schema.String })
})
const readWeather = (city: string) => Effect.succeed(`${city}: 19 °C, light rain, wind from the west`)

// Dim notes on a terminal, plain text in a pipe.
const terminal = process.stdout.isTTY
const note = (text: string) => Console.log(terminal ? `\u001b[2m${text}\u001b[0m` : text)
const write = (text: string) => Effect.sync(() => void process.stdout.write(text))

/** Streams one answer, runs the tools it asks for, and goes on until the model is done. */
const ask = Effect.fnUntraced(function*(history: ReadonlyArray<Message.Message>, question: string) {
  const messages = [...history, Message.user(question)]
  const responses: Array<LlmResponse.LlmResponse> = []
  yield* write(`\n> ${question}\n`)
  while (true) {
    const results: Array<Message.ToolResultPart> = []
    const answer = LlmService.stream({ messages, tools: [weather], system: "Answer in one or two sentences." })
    yield* Stream.runForEach(
      answer,
      Effect.fnUntraced(function*(event) {
        switch (event._tag) {
          case "TextDelta":
            return yield* write(event.text)
          case "ToolCallEnd": {
            const content = yield* LlmTool.decodeCall(weather, event.part).pipe(
              Effect.flatMap(({ city }) => readWeather(city)),
              Effect.catchReason("LlmError", "ToolFailure", (reason) => Effect.succeed(reason.message))
            )
            yield* note(`  [${event.part.name}(${JSON.stringify(event.part.arguments)}) -> ${content}]`)
            return void results.push({ type: "tool-result", toolCallId: event.part.id, content })
          }
          case "Finish":
            return void responses.push(event.response)
        }
      })
    )
    const response = responses.at(-1)!
    messages.push(response.message)
    if (response.text !== "") yield* write("\n")
    for (const { provider, reason } of response.priorAttempts ?? []) {
      const then = provider === response.provider ? "tried again" : `${response.provider} took over`
      yield* note(`  [${provider} failed with ${reason}; ${then}]`)
    }
    if (results.length === 0) return { messages, responses }
    messages.push(Message.tool(results))
  }
})

/** The last line: tokens, time, and who served. */
const summary = (responses: ReadonlyArray<LlmResponse.LlmResponse>, millis: number) => {
  const sum = (pick: (response: LlmResponse.LlmResponse) => number | undefined) =>
    responses.reduce((total, response) => total + (pick(response) ?? 0), 0)
  const served = [...new Set(responses.map((response) => `${response.provider}/${response.model}`))]
  return `${sum((response) => response.usage.input.total)} tokens in, ${
    sum((response) => response.usage.output.total)
  } out, ${(millis / 1000).toFixed(1)} s, served by ${served.join(", then ")}`
}

const converse = Effect.fnUntraced(function*(questions: ReadonlyArray<Effect.Effect<string>>) {
  const start = yield* Clock.currentTimeMillis
  const all: Array<LlmResponse.LlmResponse> = []
  let history: ReadonlyArray<Message.Message> = []
  for (const question of questions) {
    const { messages, responses } = yield* ask(history, yield* question)
    history = messages
    all.push(...responses)
  }
  yield* note(`\n${summary(all, (yield* Clock.currentTimeMillis) - start)}`)
})

const resilience = Retry.policy(Retry.make({ base: "250 millis" }))
const given = process.argv.slice(2).join(" ").trim()
const question = Effect.succeed(given === "" ? "What is the weather in Lisbon?" : given)

/** Two providers in one simulator: the first is rate limited, then dies; the second takes over. */
const simulated = Effect.gen(function*() {
  yield* Console.log("No API key in the environment and no local model server: talking to the built-in simulator.")
  const first = yield* Simulator.make()
  const second = yield* Simulator.make()
  const pace = { delayMillis: terminal ? 25 : 0 }
  const apiKey = Redacted.make("simulated-key")
  const layer = Anthropic.layer({ apiKey, baseUrl: `${first.url}/v1`, model: "claude-sonnet-4-5" }).pipe(
    Timeout.policy({ firstToken: "20 seconds", idle: "30 seconds" }),
    resilience,
    Fallback.policy(OpenAi.layer({ apiKey, baseUrl: `${second.url}/v1`, model: "gpt-4.1" }))
  )
  yield* first.enqueue(Simulator.error(429, { retryAfter: 0.3 }))
  if (given === "") {
    yield* first.enqueue(
      Simulator.toolCall("get_weather", { city: "Lisbon" }, pace),
      Simulator.text("It is 19 °C in Lisbon, with light rain and a westerly wind.", pace)
    )
    yield* second.enqueue(
      Simulator.text("A light raincoat is enough; leave the umbrella, the wind would take it.", pace)
    )
  }
  const firstDies = first.respondWith(() => Simulator.reset)
  const followUp = Effect.as(firstDies, "What should I wear there?")
  yield* converse(given === "" ? [question, followUp] : [question]).pipe(Effect.provide(layer))
})

/** A local server that lists a model. */
const local = Effect.firstSuccessOf([Ollama, LmStudio].map((provider) =>
  Effect.gen(function*() {
    const service = yield* provider.make({ timeouts: { total: "500 millis" } })
    const model = (yield* service.models)[0]
    return model === undefined
      ? Option.none()
      : Option.some({ name: provider.definition.name, provider, model: model.id })
  })
)).pipe(Effect.orElseSucceed(() => Option.none()))

const program = Effect.gen(function*() {
  const known = yield* Llm.detect
  if (Option.isSome(known)) {
    yield* Console.log(`Talking to ${known.value}.`)
    return yield* converse([question]).pipe(Effect.provide(Llm.layerOf(known.value).pipe(resilience)))
  }
  const server = yield* local
  if (Option.isSome(server)) {
    const { model, name, provider } = server.value
    yield* Console.log(`Talking to ${model} on ${name}.`)
    return yield* converse([question]).pipe(Effect.provide(provider.layer({ model }).pipe(resilience)))
  }
  yield* simulated
})

program.pipe(
  Effect.scoped,
  Effect.provide(layerHttpClient),
  Effect.catchTag(
    "LlmError",
    (error) => Effect.andThen(Console.error(error.message), Effect.sync(() => void (process.exitCode = 1)))
  ),
  NodeRuntime.runMain
)
