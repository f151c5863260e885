/**
 * What an application does on each runtime: a streamed answer that the second provider gives because the first one fails, a tool that an
 * agent runs, an object, a stream that is cut. Needs nothing but `fetch`.
 */
import { Effect, Option, Redacted, Schema, Stream } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { Agent, Anthropic, Fallback, Handlers, LlmService, LlmTool, OpenAi } from "../../src/index.ts"

/** Base URLs of servers, by what they do. */
export interface Servers {
  readonly failing: string
  readonly streams: string
  readonly tools: string
  readonly objects: string
  readonly cuts: string
}

const weather = LlmTool.make("get_weather", {
  description: "The weather in a city",
  parameters: Schema.Struct({ city: Schema.String })
})

const agent = Agent.make({
  tools: Handlers.make([weather], { get_weather: ({ city }) => Effect.succeed(`rain in ${city}`) })
})

const apiKey = Redacted.make("simulated-key")
const anthropic = (url: string) => Anthropic.layer({ apiKey, baseUrl: `${url}/v1`, model: "claude-sonnet-4-5" })
const openAi = (url: string) => OpenAi.layer({ apiKey, baseUrl: `${url}/v1`, model: "gpt-4.1" })

const program = Effect.fn("program")(function*(servers: Servers) {
  const prompt = "Hello"
  const last = yield* LlmService.stream({ prompt }).pipe(
    Stream.runLast,
    Effect.provide(anthropic(servers.failing).pipe(Fallback.policy(openAi(servers.streams))))
  )
  const response = Option.isSome(last) && last.value._tag === "Finish" ? last.value.response : undefined
  const run = yield* Agent.run(agent, { prompt }).pipe(Effect.provide(anthropic(servers.tools)))
  const { value } = yield* LlmService.generateObject(Schema.Struct({ name: Schema.String }), { prompt }).pipe(
    Effect.provide(openAi(servers.objects))
  )
  const cut = yield* LlmService.stream({ prompt }).pipe(
    Stream.runDrain,
    Effect.provide(anthropic(servers.cuts)),
    Effect.as("whole"),
    Effect.catchReason("LlmError", "IncompleteStream", ({ partial }) => Effect.succeed(`cut after ${partial?.text}`))
  )
  return {
    streamed: response?.text,
    servedBy: response?.provider,
    failedBefore: (response?.priorAttempts ?? []).map(({ reason }) => reason),
    agent: run.text,
    object: value,
    cut
  }
})

/** What happened, as JSON. */
export const outcome = (servers: Servers): Promise<string> =>
  Effect.runPromise(
    program(servers).pipe(
      Effect.match({ onSuccess: JSON.stringify, onFailure: String }),
      Effect.provide(FetchHttpClient.layer)
    )
  )
