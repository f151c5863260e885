import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Config, Effect, Layer, Redacted } from "effect"
import {
  Anthropic,
  Groq,
  Llm,
  type LlmError,
  type LlmRequest,
  LlmService,
  LlmTool,
  Message,
  OpenAiCompatible,
  OpenRouter
} from "../../src/index.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { env, overHttp } from "./setUp.ts"

const apiKey = Redacted.make("test-key-0123456789")
const info = Effect.map(LlmService.LlmService, (service) => service.info)

const refused = (request: LlmRequest.LlmRequest) =>
  overHttp(Effect.gen(function*() {
    const simulator = yield* Simulator.make()
    const service = yield* Anthropic.make({ apiKey, baseUrl: `${simulator.url}/v1` })
    const error = yield* Effect.flip(service.generate(request))
    assert.lengthOf(simulator.requests, 0)
    assert.strictEqual(error.reason._tag, "Validation")
    return error.reason.message
  }))

describe("requests are validated before any I/O", () => {
  const tool = LlmTool.make("look_up", {})
  const cases: ReadonlyArray<readonly [string, LlmRequest.LlmRequest, string]> = [
    ["empty messages", { messages: [] }, "messages"],
    ["an empty prompt", { prompt: "" }, "prompt"],
    ["duplicate tool names", { prompt: "x", tools: [tool, tool] }, "tools[1].name"],
    [
      "an invalid tool schema",
      { prompt: "x", tools: [LlmTool.make("a", { parameters: { type: "objekt" } })] },
      "tools[0].parameters.type"
    ],
    ["an unknown tool choice", { prompt: "x", toolChoice: { name: "none" } }, "toolChoice"],
    ["a fractional token limit", { prompt: "x", maxTokens: 1.5 }, "maxTokens"],
    ["a tool result first", { messages: [Message.toolResult({ id: "a" }, "x")] }, "messages"],
    ["only system messages", { messages: [Message.system("x")] }, "messages"],
    ["an unknown role", { messages: [{ role: "robot" as "user", content: "x" }] }, "messages[0].role"],
    [
      "a tool call of the user",
      {
        messages: [{ role: "user", content: [{ type: "tool-call", id: "1", name: "a", arguments: {} }] }]
      },
      "messages[0].content[0]"
    ]
  ]
  for (const [name, request, field] of cases) {
    it.live(`${name} names the field and says what to do`, () =>
      Effect.gen(function*() {
        const message = yield* refused(request)
        assert.isTrue(message.startsWith(`${field}:`), message)
        assert.isAbove(message.length, field.length + 10)
      }))
  }
})

describe("configuration", () => {
  const layerError = <A, E, R>(layer: Layer.Layer<A, E, R>) => Effect.flip(Effect.scoped(Layer.build(layer)))
  const configurationOf = (error: LlmError.LlmError) =>
    error.reason._tag === "Configuration" ? error.reason.message : `not Configuration: ${error.message}`

  it.effect("a missing key names the variable to set", () =>
    Effect.gen(function*() {
      const error = yield* layerError(Groq.layerEnv.pipe(Layer.provide([NodeHttpClient.layerUndici, env({})])))
      assert.include(configurationOf(error), "GROQ_API_KEY")
    }))

  it.effect("a wrong base URL is refused when the layer is built", () =>
    Effect.gen(function*() {
      const layer = Groq.layer({ apiKey, baseUrl: "localhost" }).pipe(Layer.provide(NodeHttpClient.layerUndici))
      assert.include(configurationOf(yield* layerError(layer)), "base URL")
    }))

  it.effect("a call without a key fails before any I/O", () =>
    Effect.gen(function*() {
      const service = yield* Groq.make({})
      assert.include(configurationOf(yield* Effect.flip(service.generate({ prompt: "x" }))), "GROQ_API_KEY")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("LLM_PROVIDER chooses the provider, Anthropic when unset", () =>
    Effect.gen(function*() {
      const chosen = (variables: Record<string, string>) =>
        info.pipe(
          Effect.provide(Llm.layerEnv.pipe(Layer.provide([NodeHttpClient.layerUndici, env(variables)]))),
          Effect.map(({ model, provider }) => `${provider} ${model}`)
        )
      assert.strictEqual(
        yield* chosen({ LLM_PROVIDER: "groq", GROQ_API_KEY: "k", GROQ_MODEL: "small" }),
        "groq small"
      )
      assert.match(yield* chosen({ ANTHROPIC_API_KEY: "k" }), /^anthropic claude/)
    }))

  it.effect("an unknown LLM_PROVIDER lists the known ones", () =>
    Effect.gen(function*() {
      const layer = Llm.layerEnv.pipe(
        Layer.provide([NodeHttpClient.layerUndici, env({ LLM_PROVIDER: "nobody" })])
      )
      assert.include(configurationOf(yield* layerError(layer)), "openrouter")
    }))

  it.effect("layerConfig reads the options from Config values", () =>
    Effect.gen(function*() {
      const layer = Groq.layerConfig({ apiKey: Config.Redacted("MY_KEY"), model: Config.String("MY_MODEL") }).pipe(
        Layer.provide([NodeHttpClient.layerUndici, env({ MY_KEY: "k", MY_MODEL: "m" })])
      )
      assert.strictEqual((yield* Effect.provide(info, layer)).model, "m")
    }))
})

describe("outgoing requests", () => {
  const sent = (
    provider: typeof Anthropic | typeof OpenRouter | typeof OpenAiCompatible,
    request: LlmRequest.LlmRequest,
    options: Parameters<typeof Anthropic.make>[0] = {}
  ) =>
    overHttp(Effect.gen(function*() {
      const simulator = yield* Simulator.make({ validate: false })
      const service = yield* provider.make({ apiKey, baseUrl: `${simulator.url}/v1`, model: "m", ...options })
      yield* service.generate(request)
      return simulator.requests[0]!
    }))

  it.live("Anthropic sends its version, key and beta headers", () =>
    Effect.gen(function*() {
      const request = yield* sent(
        Anthropic,
        { prompt: "x", providerOptions: { anthropic: { betas: ["b-2"], service_tier: "auto" } } },
        { version: "2099-01-01", betas: ["b-1"] }
      )
      assert.strictEqual(request.headers["x-api-key"], "test-key-0123456789")
      assert.strictEqual(request.headers["anthropic-version"], "2099-01-01")
      assert.strictEqual(request.headers["anthropic-beta"], "b-1,b-2")
      assert.strictEqual((request.body as { service_tier?: string }).service_tier, "auto")
      assert.notProperty(request.body, "betas")
    }))

  it.live("OpenRouter's routing preferences are body fields", () =>
    Effect.gen(function*() {
      const provider = { order: ["Anthropic"], allow_fallbacks: false }
      const request = yield* sent(OpenRouter, { prompt: "x", providerOptions: { openrouter: { provider } } })
      assert.deepStrictEqual((request.body as { provider?: unknown }).provider, provider)
      assert.strictEqual(request.headers["authorization"], "Bearer test-key-0123456789")
    }))

  it.live("a key of the request wins over the layer's", () =>
    Effect.gen(function*() {
      const request = yield* sent(OpenAiCompatible, { prompt: "x", apiKey: Redacted.make("other-key-42") })
      assert.strictEqual(request.headers["authorization"], "Bearer other-key-42")
    }))

  it.live("defaults of the layer hold where the request is silent", () =>
    Effect.gen(function*() {
      const defaults = { temperature: 0.3, maxTokens: 50, headers: { "x-team": "a" } }
      const request = yield* sent(OpenAiCompatible, { prompt: "x", maxTokens: 9 }, { defaults })
      const body = request.body as { temperature?: number; max_tokens?: number }
      assert.strictEqual(body.temperature, 0.3)
      assert.strictEqual(body.max_tokens, 9)
      assert.strictEqual(request.headers["x-team"], "a")
    }))
})
