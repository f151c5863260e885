import { NodeHttpClient, NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Fiber, FileSystem, Inspectable, Layer } from "effect"
import { TestClock } from "effect/testing"
import { LlmConfig, type LlmError, LlmService } from "../../src/index.ts"
import * as Simulator from "../../src/testing/Simulator.ts"

const secret = "sk-Test-Q7w8E9r0T1y2"
const env = (variables: Record<string, string> = {}) =>
  ConfigProvider.layer(
    ConfigProvider.fromEnv({ env: { ANTHROPIC_API_KEY: secret, OPENAI_API_KEY: secret, ...variables } })
  )

const messageOf = (error: LlmError.LlmError): string => {
  assert.strictEqual(error.reason._tag, "Configuration")
  return error.reason.message
}
const refused = (text: string, format: LlmConfig.Format = "toml") =>
  Effect.flip(LlmConfig.parse(text, format, "llm.toml"))

const full = `
default = "fast"

[instances.fast]
provider = "anthropic"
model = "claude-haiku-4-5"
label = "chat"
apiKeyEnv = "FAST_KEY"
headers = { "x-team" = "search" }
timeouts = { connect = "5 seconds", firstToken = "20 seconds" }
retry = { retries = 2, base = "500 millis", cap = "10 seconds" }
timeout = "2 minutes"
rateLimit = { requestsPerMinute = 60, tokensPerMinute = 100000 }
concurrency = 8
fallback = ["spare"]
options = { version = "2023-06-01", betas = ["context-1m"] }

[instances.fast.defaults]
temperature = 0.2
maxTokens = 512
thinking = { budgetTokens = 2048 }
cache = { systemPrompt = true }

[instances.spare]
provider = "openai"
retry = false
`

describe("reading a configuration", () => {
  it.effect("TOML and JSON give the same configuration", () =>
    Effect.gen(function*() {
      const toml = yield* LlmConfig.parse(full, "toml")
      const json = yield* LlmConfig.parse(JSON.stringify(toml), "json")
      assert.deepStrictEqual(json, toml)
      assert.strictEqual(toml.instances["fast"]?.defaults?.maxTokens, 512)
      assert.strictEqual(toml.instances["spare"]?.retry, false)
    }))

  const misspelt: ReadonlyArray<readonly [string, string, string, string]> = [
    ["a key of an instance", full.replace("concurrency", "concurency"), "instances.fast.concurency", "concurrency"],
    ["another spelling of a key", full.replace("apiKeyEnv", "api_key_env"), "instances.fast.api_key_env", "apiKeyEnv"],
    ["a key deep inside", full.replace("firstToken", "firsttokn"), "instances.fast.timeouts.firsttokn", "firstToken"],
    ["a key of a retry", full.replace("retries = 2", "retrys = 2"), "instances.fast.retry.retrys", "retries"],
    ["a key at the top", full.replace("default =", "defualt ="), "defualt", "default"],
    ["a provider", full.replace("\"anthropic\"", "\"antropic\""), "instances.fast.provider", "anthropic"],
    ["a fallback", full.replace("[\"spare\"]", "[\"spre\"]"), "instances.fast.fallback.0", "spare"],
    ["the default", full.replace("default = \"fast\"", "default = \"fats\""), "default", "fast"],
    ["an option of the provider", full.replace("betas", "betta"), "instances.fast.options.betta", "betas"]
  ]
  for (const [what, text, path, meant] of misspelt) {
    it.effect(`${what} that is misspelt is named with its place, the likely name and the known ones`, () =>
      Effect.gen(function*() {
        const error = yield* refused(text)
        const message = messageOf(error)
        assert.include(message, `llm.toml: `)
        assert.include(message, `${path}: `)
        assert.include(message, `Did you mean "${meant}"? Known: `)
        assert.isFalse(error.isRetryable)
      }))
  }

  it.effect("a name like no other gets the known names without a guess", () =>
    Effect.gen(function*() {
      const message = messageOf(yield* refused(full.replace("\"anthropic\"", "\"acme\"")))
      assert.include(message, "\"acme\" is not a provider. Known: alibaba, anthropic, ")
      assert.notInclude(message, "Did you mean")
    }))

  it.effect("every problem is told at once", () =>
    Effect.gen(function*() {
      const message = messageOf(
        yield* refused(full.replace("concurrency = 8", "concurrency = 0").replace("\"2 minutes\"", "30"))
      )
      assert.include(message, "instances.fast.concurrency: Expected a whole number above 0")
      assert.include(message, "instances.fast.timeout: Expected a duration such as \"20 seconds\"")
    }))

  const wrong: ReadonlyArray<readonly [string, string, string]> = [
    ["a temperature out of range", full.replace("0.2", "9"), "instances.fast.defaults.temperature: "],
    ["an instance that falls back to itself", full.replace("[\"spare\"]", "[\"fast\"]"), "its own fallback"],
    ["a fallback that is there twice", full.replace("[\"spare\"]", "[\"spare\", \"spare\"]"), "twice"],
    ["a missing provider", full.replace("provider = \"openai\"", ""), "instances.spare.provider: Is missing."],
    ["a negative duration", full.replace("\"2 minutes\"", "\"-2 minutes\""), "instances.fast.timeout: "],
    [
      "options of another provider",
      `${full}options = { version = "1" }`,
      "instances.spare.options.version: Unknown key."
    ]
  ]
  for (const [what, text, expected] of wrong) {
    it.effect(`${what} is refused`, () =>
      Effect.gen(function*() {
        assert.include(messageOf(yield* refused(text)), expected)
      }))
  }

  it.effect("a file that ends in neither .toml nor .json is refused, and a missing one named", () =>
    Effect.gen(function*() {
      assert.include(messageOf(yield* Effect.flip(LlmConfig.fromFile("llm.yaml"))), ".toml or .json")
      const missing = messageOf(yield* Effect.flip(LlmConfig.fromFile("there-is-no-such-file.toml")))
      assert.include(missing, "there-is-no-such-file.toml: Cannot be read (NotFound)")
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("secrets", () => {
  const places: ReadonlyArray<readonly [string, string, LlmConfig.Format]> = [
    ["as apiKey", full.replace("label = \"chat\"", `apiKey = "${secret}"`), "toml"],
    ["as api_key", full.replace("label = \"chat\"", `api_key = "${secret}"`), "toml"],
    ["as the name of a variable", full.replace("\"FAST_KEY\"", `"${secret}"`), "toml"],
    ["in a header", full.replace("\"x-team\" = \"search\"", `"x-api-key" = "${secret}"`), "toml"],
    ["in the base URL", full.replace("label = \"chat\"", `baseUrl = "https://a.example/v1?key=${secret}"`), "toml"],
    ["in provider options", full.replace("version =", `accessToken = "${secret}", version =`), "toml"],
    ["where a number belongs", full.replace("concurrency = 8", `concurrency = "${secret}"`), "toml"],
    ["without quotes in TOML", full.replace("concurrency = 8", `apiKey = ${secret}`), "toml"],
    ["in broken JSON", `{"default": "a", "instances": {"a": {"apiKey": "${secret}" "provider": "openai"}}}`, "json"]
  ]
  for (const [where, text, format] of places) {
    it.effect(`a key ${where} is refused and not repeated`, () =>
      Effect.gen(function*() {
        const error = yield* refused(text, format)
        const rendered = [
          error.message,
          String(error),
          JSON.stringify(error),
          Inspectable.toStringUnknown(error),
          String(Exit.fail(error))
        ].join("\n")
        assert.notInclude(rendered, secret)
        assert.strictEqual(error.reason._tag, "Configuration")
      }))
  }

  it.effect("a literal apiKey is answered with what to do instead", () =>
    Effect.gen(function*() {
      const message = messageOf(yield* refused(full.replace("label = \"chat\"", `apiKey = "${secret}"`)))
      assert.include(message, "instances.fast.apiKey: Keys do not stand in the configuration.")
      assert.include(message, "apiKeyEnv")
    }))

  it.effect("a variable that apiKeyEnv names must be set; so must the usual one without it", () =>
    Effect.gen(function*() {
      const config = yield* LlmConfig.parse(full, "toml")
      const built = (name: string, variables: Record<string, string>) =>
        Effect.flip(Effect.scoped(Layer.build(
          LlmConfig.layer(config, name).pipe(Layer.provide([NodeHttpClient.layerUndici, env(variables)]))
        )))
      assert.include(messageOf(yield* built("fast", {})), "instances.fast: The variable FAST_KEY is not set.")
      assert.include(messageOf(yield* built("spare", { OPENAI_API_KEY: " " })), "OPENAI_API_KEY")
      assert.include(messageOf(yield* built("spar", {})), "Did you mean \"spare\"?")
    }))
})

const withSimulator = <A, E, R>(
  use: (simulator: Simulator.Service) => Effect.Effect<A, E, R>,
  variables?: Record<string, string>
) =>
  Effect.scoped(Effect.flatMap(Simulator.make(), use)).pipe(
    Effect.provide([NodeHttpClient.layerUndici, NodeServices.layer, env(variables)])
  )

describe("the layer of an instance", () => {
  it.live("sends what the instance says, with the key of its variable", () =>
    withSimulator(
      (simulator) =>
        Effect.gen(function*() {
          const text = full.replace("label = \"chat\"", `label = "chat"\nbaseUrl = "${simulator.url}/v1"`)
            .replace("thinking = { budgetTokens = 2048 }", "")
          const response = yield* LlmService.generate({ prompt: "Hi" }).pipe(
            Effect.provide(LlmConfig.layerText(text, "toml"))
          )
          assert.strictEqual(response.label, "chat")
          const { body, headers } = simulator.requests[0]!
          assert.strictEqual(headers["x-api-key"], "fast-key-0123456789")
          assert.strictEqual(headers["x-team"], "search")
          assert.strictEqual(headers["anthropic-beta"], "context-1m")
          const sent = body as { readonly [field: string]: unknown }
          assert.strictEqual(sent["model"], "claude-haiku-4-5")
          assert.strictEqual(sent["max_tokens"], 512)
          assert.strictEqual(sent["temperature"], 0.2)
        }),
      { FAST_KEY: "fast-key-0123456789" }
    ))

  it.live("changing provider is changing the file, nothing else", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const files = yield* FileSystem.FileSystem
        const path = `${yield* files.makeTempDirectoryScoped()}/llm.toml`
        const ask = (provider: string) =>
          Effect.gen(function*() {
            yield* files.writeFileString(
              path,
              `default = "main"\n[instances.main]\nprovider = "${provider}"\nbaseUrl = "${simulator.url}/v1"\n`
            )
            return yield* Effect.provide(LlmService.generate({ prompt: "Hi" }), LlmConfig.layerFile(path))
          })
        assert.strictEqual((yield* ask("openai")).provider, "openai")
        const second = yield* ask("anthropic")
        assert.strictEqual(second.provider, "anthropic")
        assert.strictEqual(second.label, "main")
      })
    ))

  it.live("an instance falls back to the one it names after its own retries", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        yield* simulator.respondWith((request) =>
          request.wire === "anthropic-messages" ? Simulator.error(529) : undefined
        )
        const config = yield* LlmConfig.decode({
          default: "first",
          instances: {
            first: {
              provider: "anthropic",
              baseUrl: `${simulator.url}/v1`,
              retry: { retries: 1, base: "1 milli" },
              fallback: ["second"]
            },
            second: { provider: "openai", baseUrl: `${simulator.url}/v1`, fallback: ["first"] }
          }
        })
        const response = yield* Effect.provide(LlmService.generate({ prompt: "Hi" }), LlmConfig.layer(config))
        assert.strictEqual(response.provider, "openai")
        assert.strictEqual(response.label, "second")
        assert.lengthOf(simulator.requests, 3)
      })
    ))

  it.effect("the limit of a whole call covers its retries, and each attempt keeps its own limit", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        yield* simulator.respondWith(() => ({ ...Simulator.text("late"), faults: { hang: true } }))
        const config = yield* LlmConfig.decode({
          default: "main",
          instances: {
            main: {
              provider: "anthropic",
              baseUrl: `${simulator.url}/v1`,
              timeouts: { total: "4 seconds" },
              retry: { retries: 5, base: "1 second" },
              timeout: "10 seconds"
            }
          }
        })
        const call = yield* LlmService.generate({ prompt: "Hi" }).pipe(
          Effect.flip,
          Effect.provide(LlmConfig.layer(config)),
          Effect.forkChild
        )
        yield* simulator.request(1)
        yield* TestClock.adjust("4 seconds")
        yield* TestClock.adjust("2 seconds")
        yield* simulator.request(2)
        yield* TestClock.adjust("4 seconds")
        const error = yield* Fiber.join(call)
        assert.strictEqual(error.reason._tag, "Timeout")
        assert.include(error.message, "10s")
      })
    ))
})

describe("options that only one provider has", () => {
  const sent = (instance: string, variables: Record<string, string>) =>
    withSimulator(
      (simulator) =>
        Effect.gen(function*() {
          const text = `default = "main"\n[instances.main]\nbaseUrl = "${simulator.url}"\nretry = false\n${instance}`
          yield* LlmService.generate({ prompt: "Hi" }).pipe(
            Effect.provide(LlmConfig.layerText(text, "toml")),
            Effect.exit
          )
          return simulator.requests[0]?.headers ?? {}
        }),
      variables
    )

  it.live("Bedrock signs for its region with the credentials of the environment", () =>
    Effect.gen(function*() {
      const headers = yield* sent("provider = \"bedrock\"\noptions = { region = \"eu-west-1\" }", {
        AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
        AWS_SECRET_ACCESS_KEY: secret
      })
      assert.include(headers["authorization"], "/eu-west-1/bedrock/")
      const none = yield* LlmConfig.parse("default = \"a\"\n[instances.a]\nprovider = \"bedrock\"", "toml").pipe(
        Effect.flatMap((config) => Effect.scoped(Layer.build(LlmConfig.layer(config)))),
        Effect.provide([NodeHttpClient.layerUndici, env()]),
        Effect.flip
      )
      assert.include(messageOf(none), "instances.a: No AWS credentials")
    }))

  it.live("Vertex takes the named key as a token when there is a project, else as an API key", () =>
    Effect.gen(function*() {
      const vertex = "provider = \"vertex\"\napiKeyEnv = \"VERTEX_ONE\"\n"
      const token = yield* sent(`${vertex}options = { project = "p" }`, { VERTEX_ONE: "one" })
      assert.strictEqual(token["authorization"], "Bearer one")
      const key = yield* sent(vertex, { VERTEX_ONE: "one" })
      assert.strictEqual(key["x-goog-api-key"], "one")
    }))

  it.live("Azure asks for the API version it is given", () =>
    withSimulator((simulator) =>
      Effect.gen(function*() {
        const text = `default = "main"\n[instances.main]\nprovider = "azure"\nmodel = "mine"\n` +
          `baseUrl = "${simulator.url}/openai/v1"\noptions = { apiVersion = "preview" }`
        yield* Effect.exit(Effect.provide(LlmService.generate({ prompt: "Hi" }), LlmConfig.layerText(text, "toml")))
        assert.strictEqual(simulator.requests[0]?.query.get("api-version"), "preview")
      }), { AZURE_OPENAI_API_KEY: "azure-key" }))
})

describe("the environment", () => {
  const read = (variables: Record<string, string>) => Effect.provide(LlmConfig.fromEnv, env(variables))

  it.effect("chooses Anthropic when nothing is set", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read({}), {
        default: "anthropic",
        instances: { anthropic: { provider: "anthropic" } }
      })
    }))

  it.effect("gives an instance with its policies and its fallbacks", () =>
    Effect.gen(function*() {
      const config = yield* read({
        LLM_PROVIDER: "OpenAI",
        LLM_MODEL: "gpt-5.4",
        LLM_MAX_TOKENS: "256",
        LLM_TIMEOUT: "1 minute",
        LLM_RETRIES: "0",
        LLM_CONCURRENCY: "4",
        LLM_FALLBACK: "groq, anthropic"
      })
      assert.deepStrictEqual(config, {
        default: "openai",
        instances: {
          groq: { provider: "groq" },
          anthropic: { provider: "anthropic" },
          openai: {
            provider: "openai",
            model: "gpt-5.4",
            timeout: "1 minute",
            defaults: { maxTokens: 256 },
            retry: { retries: 0 },
            concurrency: 4,
            fallback: ["groq", "anthropic"]
          }
        }
      })
    }))

  it.effect("an unknown provider and a number that is none name their variables", () =>
    Effect.gen(function*() {
      const provider = messageOf(yield* Effect.flip(read({ LLM_PROVIDER: "opanai" })))
      assert.include(provider, "LLM_PROVIDER: \"opanai\" is not a provider. Did you mean \"openai\"?")
      const fallback = messageOf(yield* Effect.flip(read({ LLM_FALLBACK: "grok" })))
      assert.include(fallback, "LLM_FALLBACK: \"grok\" is not a provider. Did you mean \"groq\"?")
      const number = messageOf(yield* Effect.flip(read({ LLM_MAX_TOKENS: "many" })))
      assert.include(number, "LLM_MAX_TOKENS: ")
    }))
})
