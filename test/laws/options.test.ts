// What a model or a host does not take is never sent: it is left out or rounded with a warning that says where that is written, or the
// request is refused. What nothing is known of is sent as it is.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { readdirSync } from "node:fs"
import type { LlmRequest, RequestOptions } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import type { Message } from "../../src/Message.ts"
import { ModelFacts } from "../../src/model/facts.ts"
import { familyFacts } from "../../src/model/families.ts"
import { canonicalType } from "../../src/model/media.ts"
import { fitted } from "../../src/model/rules.ts"
import type { Definition } from "../../src/provider/Provider.ts"
import { spelled } from "../encoding.ts"

const folder = new URL("../../src/provider/", import.meta.url)
const definitions = (await Promise.all(
  readdirSync(folder).filter((file) => /^[A-Z]\w*\.ts$/.test(file)).map(async (file) => {
    const module = await import(new URL(file, folder).href) as {
      readonly definition?: Definition
      readonly chatDefinition?: Definition
      readonly responsesDefinition?: Definition
    }
    return [module.definition, module.chatDefinition, module.responsesDefinition]
  })
)).flat().filter((definition) => definition !== undefined)

const factsOf = new Map(
  await Promise.all(definitions.map(async (definition) => {
    const facts = new ModelFacts(definition.id, definition.catalogue)
    await Effect.runPromise(facts.load)
    return [definition.id, facts] as const
  }))
)

const byId = (id: string): Definition => definitions.find((definition) => definition.id === id)!

const sent = (definition: Definition, model: string, request: LlmRequest, stream = false) =>
  spelled(definition, request, model, stream, factsOf.get(definition.id)?.of(model))

const tools = [LlmTool.make("look_up", { parameters: { type: "object", properties: { a: { type: "string" } } } })]
const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false }

/** Of every option a value of its own, so that it can be found again in the body. */
const options: fc.Arbitrary<RequestOptions> = fc.record({
  temperature: fc.constantFrom(0.31, 0.73),
  topP: fc.constantFrom(0.41, 0.83),
  topK: fc.constantFrom(17, 29),
  frequencyPenalty: fc.constantFrom(0.37, 0.61),
  presencePenalty: fc.constantFrom(0.43, 0.67),
  seed: fc.constantFrom(77_123, 88_321),
  maxTokens: fc.constantFrom(1, 2311, 9_000_111),
  stop: fc.constantFrom(["HALT-A"], ["1-A", "1-B", "1-C", "1-D", "1-E", "1-F"]),
  logprobs: fc.constantFrom<boolean | number>(true, 3),
  thinking: fc.constantFrom<NonNullable<RequestOptions["thinking"]>>("off", "low", "high", "max", {
    budgetTokens: 2477
  }),
  effort: fc.constantFrom<NonNullable<RequestOptions["effort"]>>("low", "high"),
  tools: fc.constant(tools),
  toolChoice: fc.constantFrom<LlmTool.ToolChoice>("auto", "required", { name: "look_up" }),
  parallelToolCalls: fc.constant(false),
  responseFormat: fc.constantFrom<NonNullable<RequestOptions["responseFormat"]>>(
    { type: "json" },
    { type: "json-schema", schema, name: "made_up", description: "Said of the answer." }
  ),
  cache: fc.constant({ key: "key-of-mine" })
}, { requiredKeys: [] }).map((given) => {
  if (given.tools !== undefined) return given
  const { toolChoice: _, ...rest } = given
  return rest
})

const models: ReadonlyArray<readonly [provider: string, model: string]> = [
  ...definitions.map(({ defaultModel, id }) => [id, defaultModel ?? "unheard-of"] as const),
  ...definitions.map(({ id }) => [id, "unheard-of"] as const),
  ["anthropic", "claude-opus-4-7"],
  ["anthropic", "claude-haiku-4-5"],
  ["anthropic", "claude-opus-7"],
  ["bedrock", "us.anthropic.claude-opus-4-8-v1"],
  ["bedrock", "amazon.nova-2-lite-v1:0"],
  ["vertex-anthropic", "claude-fable-5"],
  ["openai", "gpt-5"],
  ["openai", "gpt-7-nova"],
  ["openai", "gpt-4.1"],
  ["gemini", "gemini-2.5-pro"],
  ["vertex", "gemini-2.5-flash-lite"],
  ["moonshot", "kimi-k2.6"],
  ["moonshot", "kimi-k2.7-code"],
  ["xai", "grok-4.3"],
  ["deepseek", "deepseek-reasoner"],
  ["alibaba", "qwq-plus"],
  ["mistral", "magistral-medium-2509"]
]

/** What shows in a body that an option was sent. */
const traces: { readonly [option in keyof RequestOptions]?: (body: string, value: never) => boolean } = {
  temperature: (body, value: number) => body.includes(`"temperature":${value}`),
  topP: (body, value: number) => body.includes(String(value)),
  topK: (body, value: number) => new RegExp(`[kK]":${value}\\b`).test(body),
  frequencyPenalty: (body, value: number) => body.includes(String(value)),
  presencePenalty: (body, value: number) => body.includes(String(value)),
  seed: (body, value: number) => body.includes(String(value)),
  maxTokens: (body, value: number) => new RegExp(`(?:okens|num_predict)":${value}\\b`).test(body),
  stop: (body, value: ReadonlyArray<string>) => value.every((text) => body.includes(`"${text}"`)),
  logprobs: (body) => /logprobs/i.test(body),
  parallelToolCalls: (body) => /parallel/.test(body),
  tools: (body) => body.includes("look_up"),
  responseFormat: (body) => /json|"format"/i.test(body)
}

describe("Options of a request", () => {
  it("are sent, or said to be left out or changed, or the request is refused, by every provider", () => {
    fc.assert(
      fc.property(fc.constantFrom(...models), options, fc.boolean(), ([id, model], given, stream) => {
        const outgoing = sent(byId(id), model, { prompt: "Hello", ...given }, stream)
        if ("field" in outgoing) {
          assert.isAbove(outgoing.message.length, 10)
          return
        }
        const body = JSON.stringify(outgoing.body)
        const said = outgoing.warnings.map(({ field }) => field)
        for (const [option, isSent] of Object.entries(traces)) {
          const value = given[option as keyof RequestOptions]
          if (value === undefined || value === false) continue
          // Without tools there is nothing to call in parallel.
          if (option === "parallelToolCalls" && given.tools === undefined) continue
          assert.isTrue(
            (isSent as (body: string, value: unknown) => boolean)(body, value) || said.includes(option),
            `${option} of ${id} ${model}: ${body}`
          )
        }
      }),
      { numRuns: 600 }
    )
  })

  it("come with an address of where that is written when a rule changes them", () => {
    fc.assert(
      fc.property(fc.constantFrom(...models), options, ([id, model], given) => {
        const definition = byId(id)
        const outgoing = sent(definition, model, { prompt: "Hello", ...given })
        const warnings = "field" in outgoing ? [] : outgoing.warnings
        const unexplained = warnings.filter(({ message, url }) =>
          message.includes("not taken") && !/^https?:/.test(url ?? "")
        )
        assert.deepStrictEqual(unexplained, [])
      }),
      { numRuns: 200 }
    )
  })

  it("fit after they were fitted, and the request of the caller stays as it was", () => {
    fc.assert(
      fc.property(fc.constantFrom(...models), options, ([id, model], given) => {
        const request: LlmRequest = { prompt: "Hello, in JSON", ...given }
        const before = structuredClone(request)
        const fit = { meta: factsOf.get(id)?.of(model), rules: [], stream: false }
        const once = fitted(request, fit)
        assert.deepStrictEqual(request, before)
        if ("refused" in once) return
        assert.deepStrictEqual(fitted(once.request, fit), { request: once.request, warnings: [] })
      }),
      { numRuns: 300 }
    )
  })

  it("of a model that nothing is known of are sent as they are", () => {
    const given = { temperature: 0.31, topP: 0.41, frequencyPenalty: 0.37, presencePenalty: 0.43, stop: ["HALT-A"] }
    const outgoing = sent(byId("openai-compatible"), "unheard-of", { prompt: "Hello", maxTokens: 5, ...given })
    assert.isFalse("field" in outgoing)
    if ("field" in outgoing) return
    assert.deepInclude(outgoing.body, { temperature: 0.31, top_p: 0.41, stop: ["HALT-A"], max_tokens: 5 })
    assert.deepStrictEqual(outgoing.warnings, [])
  })
})

/** Members of families, with some that nobody has heard of yet; what must not reach them. */
const refusals: ReadonlyArray<readonly [provider: string, models: ReadonlyArray<string>, gone: RegExp]> = [
  [
    "anthropic",
    [
      "claude-opus-4-7",
      "claude-opus-4-8",
      "claude-opus-4-7-20260416",
      "claude-sonnet-5",
      "claude-sonnet-5-5",
      "claude-haiku-5-5",
      "claude-opus-6",
      "claude-fable-5",
      "claude-mythos-7"
    ],
    /temperature|top_p|top_k|budget_tokens/
  ],
  ["bedrock", ["global.anthropic.claude-opus-4-7", "us.anthropic.claude-sonnet-6-v1:0"], /temperature|topP|top_k/],
  ["openai", ["gpt-5", "gpt-5-mini", "o3", "o4-mini", "o3-2025-04-16", "gpt-6-luna", "gpt-8"], /temperature|top_p/],
  ["azure", ["gpt-5", "o3", "gpt-5.5"], /temperature|top_p/],
  ["moonshot", ["kimi-k3", "kimi-k3.1-pro", "kimi-k4", "kimi-k2.6", "kimi-k2.7-code"], /temperature|top_p|penalty/],
  ["gemini", ["gemini-2.5-flash", "gemini-3.5-flash", "gemini-4-argon", "gemini-9-pro"], /Penalty/]
]

const kept: ReadonlyArray<readonly [provider: string, models: ReadonlyArray<string>]> = [
  ["anthropic", ["claude-opus-4-6", "claude-opus-4-20250514", "claude-sonnet-4-5-20250929", "claude-3-5-haiku-latest"]],
  ["openai", ["gpt-4.1", "gpt-4o", "gpt-5-chat-latest", "gpt-5.4-mini", "gpt-oss-120b"]],
  ["groq", ["openai/gpt-oss-120b"]],
  ["fireworks", ["accounts/fireworks/models/kimi-k3"]],
  ["moonshot", ["moonshot-v1-8k"]]
]

describe("Families of models", () => {
  const asked: LlmRequest = {
    prompt: "Hello",
    temperature: 0.31,
    topP: 0.41,
    topK: 17,
    frequencyPenalty: 0.37,
    presencePenalty: 0.43,
    thinking: "high"
  }

  it.each(refusals)("do not get from %s what they refuse: %j", (id, members, gone) => {
    for (const model of members) {
      const outgoing = sent(byId(id), model, asked)
      assert.isFalse("field" in outgoing, model)
      if (!("field" in outgoing)) assert.notMatch(JSON.stringify(outgoing.body), gone, model)
    }
  })

  it.each(kept)("get from %s what others of their name refuse: %j", (id, members) => {
    for (const model of members) {
      const outgoing = sent(byId(id), model, { prompt: "Hello", temperature: 0.31 })
      assert.isFalse("field" in outgoing, model)
      if (!("field" in outgoing)) assert.include(JSON.stringify(outgoing.body), "0.31", model)
    }
  })

  it("refuse stop texts where they cannot be said, on either wire", () => {
    for (const [id, model] of [["openai", "gpt-5"], ["xai", "grok-4.7"], ["xai", "grok-6"]] as const) {
      const outgoing = sent(byId(id), model, { prompt: "Hello", stop: ["END"] })
      assert.strictEqual("field" in outgoing ? outgoing.field : undefined, "stop", model)
    }
  })

  it("let thinking give way to a forced call, also where they think by themselves", () => {
    for (
      const [id, model, said] of [
        ["alibaba", "qwen-plus", "high"],
        ["deepseek", "deepseek-v4-pro", "high"],
        ["deepseek", "deepseek-v4-pro", undefined],
        ["moonshot", "kimi-k2.6", "high"],
        ["moonshot", "kimi-k2.6", undefined],
        ["anthropic", "claude-sonnet-5", undefined],
        ["anthropic", "claude-haiku-4-5", "high"]
      ] as const
    ) {
      const outgoing = sent(byId(id), model, {
        prompt: "Hello",
        tools,
        toolChoice: "required",
        ...(said === undefined ? undefined : { thinking: said })
      })
      assert.isFalse("field" in outgoing, model)
      if ("field" in outgoing) continue
      assert.include(outgoing.warnings.map(({ field }) => field), "thinking", model)
      assert.notMatch(JSON.stringify(outgoing.body), /"type":"(?:enabled|adaptive)"|"enable_thinking":true/, model)
    }
  })

  it("refuse a forced call where thinking cannot give way", () => {
    for (const [id, model] of [["moonshot", "kimi-k2.7-code"], ["anthropic", "claude-sonnet-5-5"]] as const) {
      const outgoing = sent(byId(id), model, { prompt: "Hello", tools, toolChoice: "required" })
      assert.strictEqual("field" in outgoing ? outgoing.field : undefined, "toolChoice", model)
    }
  })

  it("are not told to stop thinking when they cannot", () => {
    for (
      const [id, model] of [
        ["moonshot", "kimi-k3"],
        ["moonshot", "kimi-k2.7-code"],
        ["zai", "glm-5.3"],
        ["anthropic", "claude-fable-5"],
        ["gemini", "gemini-2.5-pro"]
      ] as const
    ) {
      const outgoing = sent(byId(id), model, { prompt: "Hello", thinking: "off" })
      assert.isFalse("field" in outgoing, model)
      if ("field" in outgoing) continue
      assert.include(outgoing.warnings.map(({ field }) => field), "thinking", model)
      assert.notMatch(JSON.stringify(outgoing.body), /disabled|"none"|"thinkingBudget":0\b/, model)
    }
  })

  it("get budgets within their bounds", () => {
    const budgetOf = (model: string, budgetTokens: number) => {
      const outgoing = sent(byId("gemini"), model, { prompt: "Hello", thinking: { budgetTokens } })
      return "field" in outgoing ? undefined : /"thinkingBudget":(\d+)/.exec(JSON.stringify(outgoing.body))?.[1]
    }
    assert.strictEqual(budgetOf("gemini-2.5-pro", 5), "128")
    assert.strictEqual(budgetOf("gemini-2.5-pro", 90_000), "32768")
    assert.strictEqual(budgetOf("gemini-2.5-flash-lite", 5), "512")
    assert.strictEqual(budgetOf("gemini-2.5-flash", 90_000), "24576")
  })

  it("are told from others by their whole name", () => {
    assert.isUndefined(familyFacts("openai", "my-gpt-5-clone"))
    assert.isUndefined(familyFacts("groq", "openai/gpt-oss-120b"))
    assert.isDefined(familyFacts("openrouter", "anthropic/claude-opus-4.7"))
    assert.isDefined(familyFacts("vertex-anthropic", "claude-opus-4-8@20260601"))
  })
})

describe("Answer formats", () => {
  const formats = [{ type: "json" }, { type: "json-schema", schema }] as const

  it("become an instruction beside tools where both are not taken", () => {
    for (const [id, model] of [["cohere", "command-a-03-2025"], ["gemini", "gemini-2.5-pro"], ["cerebras", "m"]]) {
      for (const responseFormat of formats) {
        const outgoing = sent(byId(id!), model!, { prompt: "Hello", tools, responseFormat })
        assert.isFalse("field" in outgoing)
        if ("field" in outgoing) continue
        const body = JSON.stringify(outgoing.body)
        assert.include(outgoing.warnings.map(({ field }) => field), "responseFormat")
        assert.notMatch(body, /response_format|responseMimeType/)
        assert.include(body, "JSON value")
      }
    }
  })

  it("have the word JSON in a message where hosts look for it", () => {
    for (const definition of definitions) {
      if (!["openai", "azure", "groq", "deepseek", "alibaba"].includes(definition.id)) continue
      const model = definition.defaultModel ?? "deployed"
      const plain = sent(definition, model, { prompt: "Hello", system: "Be brief.", responseFormat: { type: "json" } })
      const said = sent(definition, model, { prompt: "Give me JSON.", responseFormat: { type: "json" } })
      if ("field" in plain || "field" in said) return assert.fail(definition.id)
      assert.match(JSON.stringify(plain.body["messages"] ?? plain.body["input"]), /json/i, definition.id)
      assert.isNotEmpty(plain.warnings, definition.id)
      assert.notInclude(said.warnings.map(({ field }) => field), "messages", definition.id)
    }
  })
})

describe("Media", () => {
  const withMedia = (content: Message["content"]): LlmRequest => ({ messages: [{ role: "user", content } as Message] })
  const image = (mediaType: string) =>
    withMedia([{ type: "text", text: "What?" }, { type: "image", source: { type: "base64", mediaType, data: "aGk=" } }])

  it("have their types in one spelling, on every wire", () => {
    for (const definition of definitions) {
      const model = definition.defaultModel ?? "unheard-of"
      for (const given of ["image/jpg", "IMAGE/JPEG", "image/jpeg; q=1", "image/pjpeg"]) {
        const outgoing = spelled(definition, image(given), model, false)
        if ("field" in outgoing) continue
        const body = JSON.stringify(outgoing.body)
        assert.notMatch(body, /image\/(?:jpg|pjpeg)|IMAGE|; q=1/, `${definition.id}: ${given}`)
        assert.strictEqual(
          body,
          JSON.stringify((spelled(definition, image("image/jpeg"), model, false) as typeof outgoing).body),
          definition.id
        )
      }
    }
  })

  it("keep a type that is one already", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,8}\/[a-z0-9.+-]{1,12}$/), (type) => {
        assert.strictEqual(canonicalType(canonicalType(type)), canonicalType(type))
      })
    )
  })

  it("of a kind that the host has no form for are refused with their place, or sent as text", () => {
    const pdf = { type: "file", source: { type: "base64", mediaType: "application/pdf", data: "aGk=" } } as const
    const plain = {
      type: "file",
      filename: "a.txt",
      source: { type: "base64", mediaType: "text/plain", data: "aGk=" }
    } as const
    const sound = { type: "audio", source: { type: "base64", mediaType: "audio/wav", data: "aGk=" } } as const
    for (const id of ["groq", "cerebras", "fireworks", "moonshot", "deepseek", "writer", "perplexity", "sambanova"]) {
      const definition = byId(id)
      for (const part of [pdf, sound]) {
        const outgoing = spelled(definition, withMedia([{ type: "text", text: "What?" }, part]), "m", false)
        assert.strictEqual("field" in outgoing ? outgoing.field : undefined, "messages[0].content[1]", id)
      }
      const outgoing = spelled(definition, withMedia([{ type: "text", text: "What?" }, plain]), "m", false)
      assert.isFalse("field" in outgoing, id)
      if (!("field" in outgoing)) assert.include(JSON.stringify(outgoing.body), "a.txt:\\nhi", id)
    }
  })
})
