import { assert, describe, it } from "@effect/vitest"
import { readdirSync } from "node:fs"
import { LlmTool, Message } from "../../src/index.ts"
import type { CacheOptions, LlmRequest, RequestOptions } from "../../src/LlmRequest.ts"
import type { Definition } from "../../src/provider/Provider.ts"
import { spelled } from "../encoding.ts"

const folder = new URL("../../src/provider/", import.meta.url)
const providers = (await Promise.all(
  readdirSync(folder).filter((file) => /^[A-Z]\w*\.ts$/.test(file)).map(async (file) => ({
    name: file.slice(0, -".ts".length),
    definition: (await import(new URL(file, folder).href) as { readonly definition?: Definition }).definition
  }))
)).filter((provider): provider is { readonly name: string; readonly definition: Definition } =>
  provider.definition !== undefined
)

const base: LlmRequest = { prompt: "Hello", system: "Be brief.", maxTokens: 20_000 }
const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false }
const tool = LlmTool.make("look_up", { parameters: schema })
const tools = (change: Partial<LlmTool.FunctionTool> = {}): LlmRequest => ({ ...base, tools: [{ ...tool, ...change }] })
const custom = (options?: Parameters<typeof LlmTool.custom>[1]): LlmRequest => ({
  ...base,
  tools: [LlmTool.custom("free", options)]
})
const said = (...content: ReadonlyArray<Message.TextPart | Message.ImagePart | Message.FilePart>): LlmRequest => ({
  messages: [{ role: "user", content: [...content, { type: "text", text: "What is it?" }] }]
})
const image = (change?: Partial<Message.ImagePart>): LlmRequest =>
  said({ type: "image", source: { type: "base64", mediaType: "image/png", data: "aGk=" }, ...change })
const file = (change?: Partial<Message.FilePart>): LlmRequest =>
  said({ type: "file", source: { type: "base64", mediaType: "application/pdf", data: "aGk=" }, ...change })
const format = (change?: object): LlmRequest => ({
  ...base,
  responseFormat: { type: "json-schema", schema, ...change }
})

interface Probe {
  readonly from: LlmRequest
  readonly to: LlmRequest
  /** Wires on which it says what is so without it, and why. */
  readonly nothing: { readonly [wire: string]: string }
}

type Nothing = Probe["nothing"]
const probe = (from: LlmRequest, to: LlmRequest, nothing: Nothing = {}): Probe => ({ from, to, nothing })
const option = (options: RequestOptions, nothing?: Nothing) => probe(base, { ...base, ...options }, nothing)
const withTools = (options: RequestOptions, nothing?: Nothing) => probe(tools(), { ...tools(), ...options }, nothing)
const cache = (cache: CacheOptions, nothing?: Nothing) => option({ cache }, nothing)

const automatic = "the provider caches equal prefixes by itself"
const asByDefault = "it is what happens without it"

/** Every option that is about what a provider is asked. What is for the application alone, such as labels, is tested with its user. */
const probes: { readonly [name: string]: Probe } = {
  system: probe({ prompt: "Hello" }, { prompt: "Hello", system: "Be brief." }),
  maxTokens: option({ maxTokens: 21_000 }),
  temperature: option({ temperature: 0.5 }),
  topP: option({ topP: 0.5 }),
  topK: option({ topK: 5 }),
  frequencyPenalty: option({ frequencyPenalty: 0.5 }),
  presencePenalty: option({ presencePenalty: 0.5 }),
  stop: option({ stop: ["END"] }),
  seed: option({ seed: 7 }),
  logprobs: option({ logprobs: true }),
  "logprobs: 2": option({ logprobs: 2 }),
  tools: probe(base, tools()),
  "tool.description": probe(tools(), tools({ description: "Looks up." })),
  "tool.cacheControl": probe(tools(), tools({ cacheControl: "ephemeral" })),
  "custom tool": probe(base, custom()),
  "custom tool.description": probe(custom(), custom({ description: "Anything." })),
  "toolChoice: required": withTools({ toolChoice: "required" }),
  "toolChoice: none": withTools({ toolChoice: "none" }),
  "toolChoice: name": withTools({ toolChoice: { name: "look_up" } }),
  "parallelToolCalls: false": withTools({ parallelToolCalls: false }),
  "parallelToolCalls: true": withTools({ parallelToolCalls: true }, {
    "bedrock-converse": asByDefault,
    "gemini-generate-content": asByDefault
  }),
  "responseFormat: json": option({ responseFormat: { type: "json" } }),
  "responseFormat: json-schema": probe(base, format()),
  "thinking: off": option({ thinking: "off" }),
  "thinking: low": option({ thinking: "low" }),
  "thinking: high": option({ thinking: "high" }),
  "thinking: budgetTokens": option({ thinking: { budgetTokens: 2000 } }),
  "effort: low": option({ effort: "low" }),
  "effort: high": option({ effort: "high" }),
  "cache.systemPrompt": cache({ systemPrompt: true }, { "openai-responses": automatic }),
  "cache.recentTurns": cache({ recentTurns: 1 }, { "openai-responses": automatic }),
  "cache.tools": withTools({ cache: { tools: true } }),
  "cache.key": cache({ key: "k" }),
  "cache.extendedTtl": probe(
    { ...base, cache: { systemPrompt: true } },
    { ...base, cache: { systemPrompt: true, extendedTtl: true } },
    { "gemini-generate-content": "the warning is that nothing is cached" }
  ),
  "cache.extendedTtl alone": cache({ extendedTtl: true }, {
    "anthropic-messages": "there is nothing to keep",
    "bedrock-converse": "there is nothing to keep",
    "openai-chat": "there is nothing to keep"
  }),
  "message.cacheControl": probe({ messages: [Message.user("Hi")] }, {
    messages: [Message.cacheable(Message.user("Hi"))]
  }),
  "message.priority": probe(
    { messages: [Message.user("a"), Message.user("b")] },
    { messages: [Message.user("a"), Message.priority(Message.user("b"), 5)] }
  ),
  "part.cacheControl": probe(
    { messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }] },
    { messages: [{ role: "user", content: [{ type: "text", text: "Hi", cacheControl: "ephemeral" }] }] }
  ),
  "image.detail": probe(image(), image({ detail: "low" })),
  "file.filename": probe(file(), file({ filename: "a.pdf" }), {
    "gemini-generate-content": "files have no names there"
  }),
  "file.citations": probe(file(), file({ citations: true }))
}

/** `undefined` where the provider refuses either, which is an answer as well. */
const isSilent = (definition: Definition, { from, to }: Probe): boolean => {
  const spell = (request: LlmRequest) => spelled(definition, request, definition.defaultModel ?? "model", false)
  const [before, after] = [spell(from), spell(to)]
  return !("field" in before) && !("field" in after) && JSON.stringify(before) === JSON.stringify(after)
}

describe("An option that a request says", () => {
  for (const [name, probe] of Object.entries(probes)) {
    it(`${name}: changes what is sent, is refused, or is left out with a warning, at every provider`, () => {
      const silent = providers.filter(({ definition }) =>
        isSilent(definition, probe) && !(definition.protocol.wire in probe.nothing)
      )
      assert.deepStrictEqual(silent.map(({ name }) => name), [])
    })
  }

  it("has an effect on what at least one provider is sent", () => {
    const effective = (probe: Probe) =>
      providers.some(({ definition }) => {
        const spell = (request: LlmRequest) => spelled(definition, request, definition.defaultModel ?? "model", false)
        const [before, after] = [spell(probe.from), spell(probe.to)]
        return !("field" in before) && !("field" in after) && JSON.stringify(before.body) !== JSON.stringify(after.body)
      })
    const without = Object.entries(probes).filter(([, probe]) => !effective(probe)).map(([name]) => name)
    assert.deepStrictEqual(without, [])
  })
})
