/**
 * Providers, models and limits stand in a file; a change of the file reaches the running program.
 */
import { NodeServices } from "@effect/platform-node"
import { ConfigProvider, Console, Effect, FileSystem, Layer, Stream } from "effect"
import { LlmService, Registry } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region file
const file = (simulator: string, first: string) => `
default = "${first}"

[instances.careful]
provider = "anthropic"
model = "claude-sonnet-5-5"
baseUrl = "${simulator}/v1"
timeouts = { firstToken = "20 seconds", idle = "30 seconds" }
retry = { retries = 2, base = "200 millis" }
fallback = ["quick"]

[instances.quick]
provider = "openai"
apiKeyEnv = "QUICK_KEY"
baseUrl = "${simulator}/v1"
rateLimit = { requestsPerMinute = 600 }
concurrency = 16
defaults = { temperature = 0, maxTokens = 256 }
`
// #endregion

// #region program
// Knows nothing of files: it depends on the tag.
const ask = Effect.gen(function*() {
  const { label, model, provider } = yield* LlmService.generate({ prompt: "Who are you?" })
  yield* Console.log(`${label}: ${provider}, ${model}`)
})
// #endregion

const program = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const simulator = yield* Simulator.make()
  const path = `${yield* files.makeTempDirectoryScoped()}/llm.toml`
  yield* files.writeFileString(path, file(simulator.url, "careful"))

  // #region layer
  const llm = Registry.service.pipe(Layer.provideMerge(Registry.layerWatch(path)))
  // #endregion

  yield* Effect.gen(function*() {
    yield* Console.log(`instances: ${(yield* Registry.names).join(", ")}`)
    yield* ask
    // #region change
    yield* files.writeFileString(path, file(simulator.url, "quick"))
    // #endregion
    yield* Registry.reloads.pipe(
      Stream.filter((reload) => reload._tag === "Applied" && reload.config.default === "quick"),
      Stream.take(1),
      Stream.runDrain
    )
    yield* ask
    yield* files.writeFileString(path, file(simulator.url, "quick").replace("concurrency", "concurency"))
    yield* Registry.reloads.pipe(
      Stream.filter((reload) => reload._tag === "Rejected"),
      Stream.take(1),
      Stream.runForEach(({ error }) => Console.log(error.reason.message.replace(path, "llm.toml")))
    )
    yield* ask
  }).pipe(Effect.provide(llm))
})

const env = ConfigProvider.layer(ConfigProvider.fromEnv({
  env: { ANTHROPIC_API_KEY: "simulated-key", QUICK_KEY: "simulated-key" }
}))

await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide([layerHttpClient, NodeServices.layer, env]))
)
