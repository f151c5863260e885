import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as Message from "../../src/Message.ts"
import { ModelFacts } from "../../src/model/facts.ts"
import { familyFacts } from "../../src/model/families.ts"
import * as Anthropic from "../../src/provider/Anthropic.ts"
import * as Groq from "../../src/provider/Groq.ts"
import type { Options } from "../../src/provider/Provider.ts"
import * as Together from "../../src/provider/Together.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { spelled } from "../encoding.ts"
import { overHttp } from "./setUp.ts"

const apiKey = Redacted.make("test-key-0123456789")

const look: LlmRequest = {
  messages: [
    Message.user([
      Message.text("What is this?"),
      Message.image({ type: "base64", mediaType: "image/png", data: "aGk=" })
    ])
  ]
}

const groq = (options: Options) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make({ respondWith: () => Simulator.text("A picture.") })
    return { simulator, service: yield* Groq.make({ apiKey, baseUrl: `${simulator.url}/v1`, ...options }) }
  })

describe("A provider's knowledge of its models", () => {
  it.live("refuses an image for a model that takes none, before any I/O, streamed and whole", () =>
    overHttp(Effect.gen(function*() {
      const { service, simulator } = yield* groq({ model: "llama-3.3-70b-versatile" })
      for (const call of [service.generate(look), Stream.runDrain(service.stream(look))]) {
        const error = yield* Effect.flip(call)
        assert.strictEqual(error.reason._tag, "Validation")
        assert.include(error.message, "messages[0].content[1]")
      }
      assert.lengthOf(simulator.requests, 0)
    })))

  it.live("refuses an image in a tool result as well", () =>
    overHttp(Effect.gen(function*() {
      const { service, simulator } = yield* groq({ model: "llama-3.3-70b-versatile" })
      const call = { type: "tool-call", id: "1", name: "see", arguments: {} } as const
      const image = Message.image({ type: "base64", mediaType: "image/png", data: "aGk=" })
      const error = yield* Effect.flip(service.generate({
        messages: [Message.user("Look."), Message.assistant([call]), Message.toolResult(call, [image])]
      }))
      assert.include(error.message, "messages[2].content[0].content[0]")
      assert.lengthOf(simulator.requests, 0)
    })))

  it.live("lets the option models say otherwise, and refuses nothing for an unknown model", () =>
    overHttp(Effect.gen(function*() {
      const model = "llama-3.3-70b-versatile"
      const seeing = yield* groq({ model, models: { [model]: { capabilities: { images: true } } } })
      yield* seeing.service.generate(look)
      const unknown = yield* groq({ model: "brand-new" })
      yield* unknown.service.generate(look)
      const blind = yield* groq({ model: "brand-new", models: { "brand-new": { capabilities: { images: false } } } })
      yield* Effect.flip(blind.service.generate(look))
      assert.lengthOf(seeing.simulator.requests, 1)
      assert.lengthOf(unknown.simulator.requests, 1)
      assert.lengthOf(blind.simulator.requests, 0)
    })))

  it.live("rounds options down to what the model has, with a warning", () =>
    overHttp(Effect.gen(function*() {
      const simulator = yield* Simulator.make({ respondWith: () => Simulator.text("Hi!") })
      const service = yield* Anthropic.make({ apiKey, baseUrl: `${simulator.url}/v1`, model: "claude-haiku-4-5" })
      const response = yield* service.generate({ prompt: "Hello", maxTokens: 1_000_000 })
      assert.include(response.warnings.map(({ field }) => field), "maxTokens")
    })))

  it.effect("completes what a provider lists by what is known beside, and the listing wins", () =>
    Effect.gen(function*() {
      const facts = new ModelFacts("groq", () => import("../../src/model/catalogue/groq.ts"), {
        mine: { maxOutputTokens: 7, capabilities: { tools: true } }
      })
      const listed = [
        { provider: "groq", id: "llama-3.3-70b-versatile", contextWindow: 5, capabilities: { images: true } },
        { provider: "groq", id: "mine", capabilities: {} },
        { provider: "groq", id: "brand-new", capabilities: {} }
      ]
      const [known, mine, unknown] = yield* facts.complete(listed)
      assert.strictEqual(known?.contextWindow, 5)
      assert.isTrue(known?.capabilities.images)
      assert.isFalse(known?.capabilities.reasoning)
      assert.isDefined(known?.prices)
      assert.deepStrictEqual(mine, { provider: "groq", id: "mine", maxOutputTokens: 7, capabilities: { tools: true } })
      assert.deepStrictEqual(unknown, listed[2])
    }))

  it("knows which Claude goes on from a message of the assistant, wherever it is served", () => {
    const served = (name: string) => [
      name,
      `us.anthropic.${name}-v1:0`,
      `arn:aws:bedrock:us-east-1::foundation-model/anthropic.${name}-20250929-v1:0`,
      `${name}-20250929`,
      `${name}@20250929`,
      `${name}@default`,
      `anthropic/${name}`,
      `${name}-latest`
    ]
    const kinds = ["opus", "sonnet", "haiku"]
    const both = (number: string) => kinds.flatMap((kind) => [`claude-${kind}-${number}`, `claude-${number}-${kind}`])
    const old = [
      ...["2", "v2", "2.1", "instant-1.2", "3-opus", "3-5-haiku", "3.7-sonnet"].map((name) => `claude-${name}`),
      ...["4", "4-0", "4-1", "4.1", "4-5", "4.5"].flatMap(both)
    ]
    const since = [
      ...["4-6", "4.6", "4-8", "4-10", "5", "5-5", "5.5", "10"].flatMap(both),
      ...["fable-5", "fable-5-1", "mythos-5"].map((name) => `claude-${name}`)
    ]
    const prefills = (model: string) => familyFacts("anthropic", model)?.capabilities?.prefill
    assert.deepStrictEqual(old.flatMap(served).filter((model) => prefills(model) === false), [])
    assert.deepStrictEqual(since.flatMap(served).filter((model) => prefills(model) !== false), [])
    assert.isUndefined(prefills("amazon.nova-pro-v1:0"))
  })

  it("knows how much effort which Claude takes", () => {
    const said = (model: string) =>
      familyFacts("anthropic", model)?.rules?.refuses?.flatMap(({ option }) => option)
        .filter((option) => option.startsWith("effort")) ?? []
    const none = [
      "claude-3-opus-20240229",
      "claude-opus-4-20250514",
      "claude-opus-4-1",
      "claude-4.1-opus",
      "claude-sonnet-4-5-20250929",
      "claude-haiku-4-5@20251001",
      "claude-4.5-sonnet"
    ]
    for (const model of none) assert.deepStrictEqual(said(model), ["effort"], model)
    for (const model of ["claude-opus-4-5", "claude-opus-4-5-20251101", "anthropic.claude-opus-4-5-20251101-v1:0"]) {
      assert.deepStrictEqual(said(model), ["effort: above high"], model)
    }
    for (
      const model of ["claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-5", "claude-opus-4-10", "claude-fable-5"]
    ) {
      assert.deepStrictEqual(said(model), [], model)
    }
  })

  it.effect("knows nothing, and fails nothing, where the catalogue cannot be loaded", () =>
    Effect.gen(function*() {
      const facts = new ModelFacts("groq", () => Promise.reject(new Error("no chunk")))
      assert.isFalse(facts.ready)
      yield* facts.load
      assert.isTrue(facts.ready)
      assert.isUndefined(facts.of("llama-3.3-70b-versatile"))
    }))
})

describe("Reasoning of earlier turns at Together", () => {
  const request: LlmRequest = {
    messages: [
      Message.user("Look."),
      Message.assistant([{ type: "reasoning", text: "First this." }, { type: "text", text: "Seen." }]),
      Message.user("Again.")
    ]
  }

  it("goes back to models whose pages ask for it, and to no other", () => {
    for (
      const [model, goesBack] of [
        ["zai-org/GLM-5", true],
        ["zai-org/GLM-5.3-Flash", true],
        ["zai-org/GLM-4.6", false],
        ["openai/gpt-oss-120b", false],
        ["deepseek-ai/DeepSeek-V4.1-Flash", false],
        ["brand-new", false]
      ] as const
    ) {
      const meta = { provider: "together", id: model, capabilities: {}, ...familyFacts("together", model) }
      const made = spelled(Together.definition, request, model, false, meta)
      if ("field" in made) throw new Error(made.message)
      const [, turn] = made.body["messages"] as ReadonlyArray<Message.JsonObject>
      assert.deepStrictEqual(turn, {
        role: "assistant",
        content: "Seen.",
        ...(goesBack ? { reasoning: "First this." } : undefined)
      })
    }
  })

  it("goes back where an application says so of its model", () => {
    const meta = { provider: "together", id: "mine", capabilities: {}, thinking: { replay: true } }
    const made = spelled(Together.definition, request, "mine", false, meta)
    assert.include(JSON.stringify(made), "\"reasoning\":\"First this.\"")
  })
})
