// Everything that is wrong with a file is told at once, with its place, its line and what was probably meant.
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { Llm, LlmConfig } from "../../src/index.ts"
import { recorder } from "../provider/setUp.ts"

const secret = "sk-Test-Q7w8E9r0T1y2"

const toml = `# Comments count as lines.
default = "chta"

[instances.quick]
provider = "antropic"
retry = { retrys = 2, retryOn = ["RateLimt"] }
timeout = "20"
circuitBreakr = true

[instances."slow one"]
provider = "openai"
concurrency = { permit = 3 }
keyPool = { keys = [{ weight = 1 }, { apiKeyEnv = "A", apiKeyFile = "/x/y" }] }
defaults = { temperature = 9, topP = 7 }
order = ["retry", "timeout", "retry"]
options = { zone = "eu" }
budget.limits = { u = 1 }
budget.limit = "5 EUR"

[instances.groq]
provider = "groq"
options = { api = "x" }
circuitBreaker = { failures = 1, rate = {} }

[routes.chat]
candidates = [
  "quick",
  "quck",
  { name = "slow one", contextWindow = 2 },
]
balance = { strategy = "roundrobin" }
continue = { candidates = ["nobody"] }

[routes.one]
candidates = ["two"]

[routes.two]
candidates = ["one", "two"]
hedge = true
fallback = {}

[routes.groq]
candidates = ["quick", "quick"]

[gatewy]
`

const told: ReadonlyArray<readonly [line: number, path: string, suggestion?: string]> = [
  [2, "default", "chat"],
  [5, "instances.quick.provider", "anthropic"],
  [6, "instances.quick.retry.retrys", "retries"],
  [6, "instances.quick.retry.retryOn.0", "RateLimit"],
  [7, "instances.quick.timeout"],
  [8, "instances.quick.circuitBreakr", "circuitBreaker"],
  [12, "instances.slow one.concurrency.permit", "permits"],
  [12, "instances.slow one.concurrency.permits"],
  [13, "instances.slow one.keyPool.keys.0"],
  [13, "instances.slow one.keyPool.keys.1"],
  [14, "instances.slow one.defaults.temperature"],
  [14, "instances.slow one.defaults.topP"],
  [15, "instances.slow one.order"],
  [15, "instances.slow one.order.1"],
  [15, "instances.slow one.order.2"],
  [16, "instances.slow one.options.zone"],
  [17, "instances.slow one.budget.limits"],
  [18, "instances.slow one.budget.limit"],
  [22, "instances.groq.options.api"],
  [23, "instances.groq.circuitBreaker"],
  [28, "routes.chat.candidates.1", "quick"],
  [29, "routes.chat.candidates.2.contextWindow"],
  [31, "routes.chat.balance.strategy", "round-robin"],
  [32, "routes.chat.continue.candidates.0"],
  [35, "routes.one.candidates"],
  [37, "routes.two"],
  [38, "routes.two.candidates.1"],
  [42, "routes.groq"],
  [43, "routes.groq.candidates.1"],
  [45, "gatewy", "gateway"]
]

describe("what is wrong with a file", () => {
  it("is told with its place, its line and what was meant, all at once", () => {
    const found = LlmConfig.problems(toml, "toml").map(({ line, path, suggestion }) =>
      [line, path, ...(suggestion === undefined ? [] : [suggestion])] as const
    )
    const sorted = (list: ReadonlyArray<ReadonlyArray<unknown>>) => list.map((row) => row.join(" ")).toSorted()
    assert.deepStrictEqual(sorted(found), sorted(told))
  })

  it("has its line in JSON, too", () => {
    const text = JSON.stringify({ default: "a", instances: { a: { provider: "groq", retry: { retrys: 1 } } } }, null, 2)
    assert.deepInclude(LlmConfig.problems(text, "json")[0], { line: 7, suggestion: "retries" })
    assert.deepStrictEqual(LlmConfig.problems("default = \n x", "toml"), [
      { path: "", message: "Is not TOML at line 1, column 11.", line: 1 }
    ])
  })

  it("is nothing where nothing is wrong", () => {
    const good =
      `default = "r"\n[instances.a]\nprovider = "groq"\n[routes.r]\ncandidates = ["a"]\ncache = { partition = "user" }`
    assert.deepStrictEqual(LlmConfig.problems(good, "toml"), [])
  })

  it("never repeats a key, wherever it stands, and is found in any text", () => {
    const places = toml.split("\n").map((_, at) => at)
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.constantFrom("value", "name", "table", "cut"), (at, how) => {
        const lines = toml.split("\n")
        lines[at] = how === "value"
          ? (lines[at] ?? "").replace(/=.*/, `= "${secret}"`)
          : how === "name"
          ? `"${secret}" = 1`
          : how === "table"
          ? `[instances."${secret}"]`
          : `key = ${secret}`
        const found = LlmConfig.problems(lines.join("\n"), "toml")
        assert.isAbove(found.length, 0)
        assert.notInclude(JSON.stringify(found), secret)
      }),
      { numRuns: 60 }
    )
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("toml" as const, "json" as const), (text, format) => {
        assert.isArray(LlmConfig.problems(text, format))
      }),
      { numRuns: 60 }
    )
  })
})

const lenient = `default = "a"\nlater = 1\n[instances.a]\nprovider = "groq"\nretry = { retrys = 2 }\n`

describe("fields that nobody knows", () => {
  it.effect("are read over by who is not strict, and what they say is not taken over", () =>
    Effect.gen(function*() {
      assert.lengthOf(LlmConfig.problems(lenient, "toml"), 2)
      assert.deepStrictEqual(LlmConfig.problems(lenient, "toml", { strict: false }), [])
      const config = yield* LlmConfig.parse(lenient, "toml", undefined, { strict: false })
      assert.deepStrictEqual(config, { default: "a", instances: { a: { provider: "groq", retry: {} } } })
      const key = lenient.replace("later = 1", `apiKey = "${secret}"`)
      assert.lengthOf(LlmConfig.problems(key, "toml", { strict: false }), 1)
    }))
})

describe("a table of somebody else", () => {
  const Gateway = Schema.Struct({ port: Schema.Int, keys: Schema.optional(Schema.Array(Schema.String)) })
  const text = (table: string) => `default = "a"\n[instances.a]\nprovider = "groq"\n[gateway]\n${table}\n`

  it.effect("is read by its owner", () =>
    Effect.gen(function*() {
      const config = yield* LlmConfig.parse(text("port = 80"), "toml", undefined, { extensions: { gateway: Gateway } })
      assert.deepStrictEqual(yield* LlmConfig.extension(config, "gateway", Gateway), { port: 80 })
      assert.isUndefined(yield* LlmConfig.extension(config, "other", Gateway))
      const error = yield* Effect.flip(LlmConfig.extension(config, "gateway", Schema.Struct({ port: Schema.String })))
      assert.include(error.message, "gateway.port: Expected string")
    }))

  it("is checked with the rest where its owner is named, and let through where not", () => {
    const found = LlmConfig.problems(text("prt = 80"), "toml", { extensions: { gateway: Gateway } })
    assert.deepStrictEqual(found.map(({ line, path, suggestion }) => [line, path, suggestion]), [
      [4, "gateway.port", undefined],
      [5, "gateway.prt", "port"]
    ])
    assert.deepStrictEqual(LlmConfig.problems(text("prt = 80"), "toml"), [])
    const other = text("port = 80").replace("[gateway]", "[console]")
    assert.lengthOf(LlmConfig.problems(other, "toml"), 1)
    assert.deepStrictEqual(LlmConfig.problems(other, "toml", { extensions: { console: Gateway } }), [])
    assert.lengthOf(LlmConfig.problems(text(`port = 80\nkeys = ["${secret}"]`), "toml"), 1)
  })
})

describe("the provider of the environment", () => {
  const built = (layer: typeof Llm.layerEnv, name: string) =>
    Effect.flip(Effect.scoped(Layer.build(layer))).pipe(
      Effect.provideService(HttpClient.HttpClient, recorder([], {})),
      Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { LLM_PROVIDER: name } }))),
      Effect.map(({ message }) => message)
    )

  it.effect("is suggested when its name is nearly known, and never repeated when it may be a key", () =>
    Effect.gen(function*() {
      for (const layer of [Llm.layerEnv, LlmConfig.layerEnv]) {
        assert.include(yield* built(layer, "antropic"), "Did you mean \"anthropic\"?")
        assert.notInclude((yield* built(layer, secret)).toLowerCase(), secret.toLowerCase())
      }
      const detected = yield* Effect.flip(Llm.detect).pipe(
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { LLM_PROVIDER: "opnai" } })))
      )
      assert.include(detected.message, "Did you mean \"openai\"?")
    }))
})
