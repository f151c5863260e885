import { assert, describe, it } from "@effect/vitest"
import type { LlmRequest, RequestOptions } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import type { JsonObject } from "../../src/Message.ts"
import * as Message from "../../src/Message.ts"
import type { ModelMeta } from "../../src/Model.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import { encoderOf } from "../encoding.ts"

const encode = (request: LlmRequest, quirks?: OllamaChat.Quirks, meta?: ModelMeta) =>
  encoderOf(OllamaChat.make(quirks))({ request, model: "tea-3:8b", stream: true, provider: "ollama", meta })

const bodyOf = (request: LlmRequest, quirks?: OllamaChat.Quirks, meta?: ModelMeta) => {
  const encoded = encode(request, quirks, meta)
  return "refused" in encoded ? assert.fail(encoded.refused.message) : encoded.body
}

const warned = (options: RequestOptions, quirks?: OllamaChat.Quirks, meta?: ModelMeta) => {
  const encoded = encode({ prompt: "Hi", ...options }, quirks, meta)
  return "refused" in encoded ? assert.fail(encoded.refused.message) : encoded.warnings.map(({ field }) => field)
}

const refusedField = (request: LlmRequest) => {
  const encoded = encode(request)
  return "refused" in encoded ? encoded.refused.field : undefined
}

const weigh = LlmTool.make("weigh", {
  description: "Weighs",
  parameters: { type: "object", properties: { item: { type: "string" } } }
})

const pixel = "iVBORw0KGgo="

describe("Ollama encoder: options", () => {
  it("puts a prompt at /api/chat and leaves out what was not asked for", () => {
    const encoded = encode({ prompt: "Hi" })
    assert.deepStrictEqual(encoded, {
      path: "/api/chat",
      body: { model: "tea-3:8b", messages: [{ role: "user", content: "Hi" }], stream: true },
      warnings: []
    })
  })

  it("puts sampling options into the runner's options", () => {
    const body = bodyOf({
      prompt: "Hi",
      maxTokens: 9,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      seed: 7,
      stop: ["END"],
      frequencyPenalty: 0.1,
      presencePenalty: 0.2
    })
    assert.deepStrictEqual(body["options"], {
      num_predict: 9,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      seed: 7,
      stop: ["END"],
      frequency_penalty: 0.1,
      presence_penalty: 0.2
    })
  })

  it("asks for JSON, for a schema, and for log probabilities", () => {
    const schema = { type: "object", properties: {} }
    assert.strictEqual(bodyOf({ prompt: "Hi", responseFormat: { type: "json" } })["format"], "json")
    assert.deepStrictEqual(bodyOf({ prompt: "Hi", responseFormat: { type: "json-schema", schema } })["format"], schema)
    assert.isUndefined(bodyOf({ prompt: "Hi", responseFormat: { type: "text" } })["format"])
    assert.deepInclude(bodyOf({ prompt: "Hi", logprobs: 3 }), { logprobs: true, top_logprobs: 3 })
  })

  it("switches thinking, with a warning where a level becomes a switch", () => {
    assert.strictEqual(bodyOf({ prompt: "Hi", thinking: "off" })["think"], false)
    assert.deepStrictEqual(warned({ thinking: "off" }), [])
    assert.strictEqual(bodyOf({ prompt: "Hi", thinking: "high" })["think"], true)
    assert.deepStrictEqual(warned({ thinking: "high" }), ["thinking"])
    assert.deepStrictEqual(warned({ thinking: { budgetTokens: 4000 } }), ["thinking"])
  })

  it("sends levels to models that take them, rounded down to those there are", () => {
    const levels = { think: "levels" } as const
    assert.strictEqual(bodyOf({ prompt: "Hi", thinking: "medium" }, levels)["think"], "medium")
    assert.deepStrictEqual(warned({ thinking: "medium" }, levels), [])
    assert.strictEqual(bodyOf({ prompt: "Hi", thinking: "max" }, levels)["think"], "high")
    assert.strictEqual(bodyOf({ prompt: "Hi", thinking: "minimal" }, levels)["think"], "low")
    assert.strictEqual(bodyOf({ prompt: "Hi", thinking: "off" }, levels)["think"], "low")
    assert.deepStrictEqual(warned({ thinking: "off" }, levels), ["thinking"])
    const meta: ModelMeta = {
      provider: "ollama",
      id: "m",
      capabilities: {},
      thinkingLevels: { low: "low", max: "max" }
    }
    assert.strictEqual(bodyOf({ prompt: "Hi", thinking: "high" }, {}, meta)["think"], "low")
    const plain: ModelMeta = { provider: "ollama", id: "m", capabilities: { reasoning: false } }
    assert.notProperty(bodyOf({ prompt: "Hi", thinking: "high" }, {}, plain), "think")
  })

  it("warns of options without a counterpart", () => {
    assert.deepStrictEqual(
      warned({
        effort: "high",
        parallelToolCalls: false,
        cache: { key: "k", systemPrompt: true, extendedTtl: true }
      }),
      ["effort", "parallelToolCalls", "cache.key", "cache.extendedTtl", "cache"]
    )
  })
})

describe("Ollama encoder: tools", () => {
  it("spells function tools and passes the server's own through", () => {
    const own = { type: "function", function: { name: "own", parameters: {} } }
    assert.deepStrictEqual(bodyOf({ prompt: "Hi", tools: [weigh, LlmTool.provider("own", own)] })["tools"], [
      own,
      { type: "function", function: { name: "weigh", description: "Weighs", parameters: weigh.parameters } }
    ])
  })

  it("sorts tools that are to be cached by name, the server's own among them", () => {
    const tools = [weigh, LlmTool.provider("x", { type: "x" }), { ...weigh, name: "a" }]
    assert.deepStrictEqual(
      (bodyOf({ prompt: "Hi", tools, cache: { tools: true } })["tools"] as ReadonlyArray<JsonObject>).map((tool) =>
        (tool["function"] as JsonObject | undefined)?.["name"] ?? tool["type"]
      ),
      ["a", "weigh", "x"]
    )
  })

  it("leaves the tools out when none may be called, and refuses to force one", () => {
    assert.notProperty(bodyOf({ prompt: "Hi", tools: [weigh], toolChoice: "none" }), "tools")
    assert.strictEqual(refusedField({ prompt: "Hi", tools: [weigh], toolChoice: "required" }), "toolChoice")
    assert.strictEqual(refusedField({ prompt: "Hi", tools: [weigh], toolChoice: { name: "weigh" } }), "toolChoice")
    assert.strictEqual(refusedField({ prompt: "Hi", tools: [LlmTool.custom("free")] }), "tools[0]")
  })
})

describe("Ollama encoder: messages", () => {
  it("spells a tool conversation with object arguments, names and own thinking", () => {
    const origin = { wire: "ollama-chat" }
    const body = bodyOf({
      system: "Be brief.",
      messages: [
        Message.user("How much?"),
        Message.assistant([
          { type: "reasoning", text: "Weigh it.", origin },
          { type: "tool-call", id: "call_1", name: "weigh", arguments: { item: "flour" } }
        ]),
        Message.toolResult({ id: "call_1" }, "250 g")
      ]
    })
    assert.deepStrictEqual(body["messages"], [
      { role: "system", content: "Be brief." },
      { role: "user", content: "How much?" },
      {
        role: "assistant",
        content: "",
        thinking: "Weigh it.",
        tool_calls: [{ id: "call_1", function: { name: "weigh", arguments: { item: "flour" } } }]
      },
      { role: "tool", content: "250 g", tool_name: "weigh", tool_call_id: "call_1" }
    ])
  })

  it("drops foreign reasoning with a warning", () => {
    const encoded = encode({
      messages: [
        Message.user("Hi"),
        Message.assistant([
          { type: "reasoning", text: "Hm.", origin: { wire: "anthropic-messages" } },
          { type: "text", text: "Hello" }
        ]),
        Message.user("And?")
      ]
    })
    if ("refused" in encoded) return assert.fail(encoded.refused.message)
    assert.deepStrictEqual((encoded.body["messages"] as ReadonlyArray<unknown>)[1], {
      role: "assistant",
      content: "Hello"
    })
    assert.lengthOf(encoded.warnings, 1)
  })

  it("puts base64 images beside the text, and those of tool results into a user message", () => {
    const image = Message.image({ type: "base64", mediaType: "image/png", data: pixel })
    const body = bodyOf({
      messages: [
        Message.user([Message.text("What is it?"), image]),
        Message.assistant([{ type: "tool-call", id: "c", name: "zoom", arguments: "in" }]),
        Message.toolResult({ id: "c" }, [Message.text("Zoomed."), image])
      ]
    })
    assert.deepStrictEqual(body["messages"], [
      { role: "user", content: "What is it?", images: [pixel] },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "c", function: { name: "zoom", arguments: { input: "in" } } }]
      },
      {
        role: "tool",
        content: "Zoomed.[The tool returned this image: see the next user message.]",
        tool_name: "zoom",
        tool_call_id: "c"
      },
      { role: "user", content: "Returned by the tools above:", images: [pixel] }
    ])
  })

  it("refuses what it cannot carry: image URLs, files and sound", () => {
    const parts = [
      Message.image({ type: "url", url: "https://example.com/cup.png" }),
      Message.file({ type: "base64", mediaType: "application/pdf", data: "JVBERg==" }),
      Message.audio({ type: "base64", mediaType: "audio/wav", data: "UklGRg==" })
    ]
    for (const part of parts) assert.strictEqual(refusedField({ messages: [Message.user([part])] }), "messages")
  })

  it("warns once of cache breakpoints, on whatever role", () => {
    const encoded = encode({
      messages: [Message.cacheable(Message.system("Be brief.")), Message.cacheable(Message.user("Hi"))]
    })
    assert.deepStrictEqual("refused" in encoded ? [] : encoded.warnings.map(({ field }) => field), ["cache"])
  })
})
