/**
 * Providers, models, policies and routes stand in a file; a change of the file reaches the running program, and what is wrong with it is told.
 */
import { NodeServices } from "@effect/platform-node"
import { ConfigProvider, Console, Effect, FileSystem, Layer, Stream } from "effect"
import { LlmConfig, LlmService, Registry } from "../src/index.ts"
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

// #region routes
const routes = (simulator: string) => `
default = "chat"

[routes.chat]
candidates = ["claude", { name = "spare", contextWindow = 1_000_000 }]
fallback = { on = { PermissionDenied = "next" }, benchAfter = 2 }
cache = { partition = "user", ttl = "1 hour" }
concurrency = { permits = 100, maxQueue = 500 }
budget = { limit = "$5", limits = { ada = "$50" }, scope = "user", window = "1 day", unscoped = "allow" }
timeout = "3 minutes"

[routes.claude]
candidates = ["eu", "us"]
balance = { strategy = "least-busy", stickyBy = "conversation" }

[instances.eu]
provider = "anthropic"
baseUrl = "${simulator}/v1"
circuitBreaker = true
[instances.us]
provider = "anthropic"
baseUrl = "${simulator}/v1"
circuitBreaker = { failures = 3 }
[instances.spare]
provider = "openai"
baseUrl = "${simulator}/v1"
keyPool = { keys = [{ apiKeyEnv = "QUICK_KEY", weight = 2 }, { apiKeyEnv = "SPARE_KEY" }] }
`
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

  yield* ask.pipe(Effect.provide(LlmConfig.layerText(routes(simulator.url), "toml")))

  // #region problems
  const text = routes(simulator.url).replace("anthropic", "antropic").replace("benchAfter", "benchAftr")
  for (const { line, message, path, suggestion } of LlmConfig.problems(text, "toml")) {
    yield* Console.log(`line ${line}, ${path}: ${suggestion === undefined ? message : `did you mean ${suggestion}?`}`)
  }
  // #endregion
})

const env = ConfigProvider.layer(ConfigProvider.fromEnv({
  env: { ANTHROPIC_API_KEY: "simulated-key", QUICK_KEY: "simulated-key", SPARE_KEY: "simulated-key" }
}))

await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide([layerHttpClient, NodeServices.layer, env]))
)
