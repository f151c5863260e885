/**
 * A gateway: the official clients of OpenAI and Anthropic ask one address, and see nothing of a provider that is overloaded.
 */
import Anthropic from "@anthropic-ai/sdk"
import { NodeHttpServer } from "@effect/platform-node"
import { ConfigProvider, Console, Effect, Layer } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { createServer } from "node:http"
import OpenAI from "openai"
import { Gateway } from "../src/gateway/index.ts"
import { Registry } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

const text = (simulator: string) => `
default = "claude"

[instances.claude]
provider = "anthropic"
model = "claude-sonnet-5-5"
baseUrl = "${simulator}/v1"
retry = { retries = 1, base = "10 millis" }
fallback = ["gpt"]

[instances.gpt]
provider = "openai"
model = "gpt-5.5"
baseUrl = "${simulator}/v1"
`

const key = "sk-llm-a-long-random-text-that-effect-llm-key-makes"

// Idle connections of clients are not kept, so that the example ends when it is done.
const server = () => createServer({ keepAliveTimeout: 1, keepAliveTimeoutBuffer: 0 })

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  yield* simulator.respondWith(({ wire }) => wire === "anthropic-messages" ? Simulator.error(529) : undefined)

  // #region layer
  const gateway = HttpRouter.serve(
    Gateway.layer({
      routes: [
        { model: "fast", to: "gpt" },
        { model: "claude-*", to: "claude", as: "claude-*" }
      ],
      keys: [{
        name: "team-a",
        hash: yield* Gateway.hash(key),
        routes: ["fast", "claude-*"],
        budget: { limit: 5, window: "1 day" },
        rateLimit: { requestsPerMinute: 60 }
      }]
    }),
    { disableLogger: true, disableListenLog: true }
  ).pipe(
    Layer.provide(Registry.layerText(text(simulator.url), "toml")),
    Layer.provideMerge(NodeHttpServer.layer(server, { host: "127.0.0.1", port: 0 }))
  )
  // #endregion

  yield* Effect.gen(function*() {
    const url = yield* HttpServer.addressFormattedWith(Effect.succeed)
    const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1` })
    const anthropic = new Anthropic({ apiKey: key, baseURL: url })

    const chat = yield* Effect.promise(() =>
      openai.chat.completions.create({
        model: "fast",
        messages: [{ role: "user", content: "Good morning" }]
      })
    )
    yield* Console.log(`fast: ${chat.choices[0]?.message.content}`)

    const { data, response } = yield* Effect.promise(() =>
      anthropic.messages.create({
        model: "claude-opus-4-5",
        max_tokens: 100,
        messages: [{ role: "user", content: "Good evening" }]
      }).withResponse()
    )
    yield* Console.log(
      `claude-opus-4-5: ${data.content.map((block) => block.type === "text" ? block.text : "").join("")}`
    )
    const attempts = response.headers.get("x-effect-llm-attempts")?.replaceAll(/;(?:ms|request-id)=[^;,]+/g, "")
    yield* Console.log(`served by ${response.headers.get("x-effect-llm-served-by")} after ${attempts}`)

    const refused = yield* Effect.promise(() =>
      openai.responses.create({ model: "gpt", input: "Hello" }).then(() => "let in", (error: Error) => error.message)
    )
    yield* Console.log(`gpt: ${refused}`)
  }).pipe(Effect.provide(gateway))
})

const keys = ConfigProvider.layer(
  ConfigProvider.fromEnv({ env: { ANTHROPIC_API_KEY: "simulated-key-1", OPENAI_API_KEY: "simulated-key-2" } })
)

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide([layerHttpClient, keys])))
