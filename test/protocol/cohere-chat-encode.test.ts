import { assert, describe, it } from "@effect/vitest"
import type { LlmRequest, RequestOptions } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import type { ModelMeta } from "../../src/Model.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import { encoderOf } from "../encoding.ts"

const encode = (request: LlmRequest, meta?: ModelMeta) =>
  encoderOf(CohereChat.make())({ request, model: "command-test", stream: false, provider: "cohere", meta })

const bodyOf = (request: LlmRequest, meta?: ModelMeta) => {
  const encoded = encode(request, meta)
  return "refused" in encoded ? assert.fail(encoded.refused.message) : encoded.body
}

const warned = (options: RequestOptions) => {
  const encoded = encode({ prompt: "Hi", ...options })
  return "refused" in encoded ? assert.fail(encoded.refused.message) : encoded.warnings.map(({ field }) => field)
}

const refusedField = (request: LlmRequest) => {
  const encoded = encode(request)
  return "refused" in encoded ? encoded.refused.field : undefined
}

const tool = (name: string, strict?: boolean) =>
  LlmTool.make(name, { parameters: { type: "object", properties: {} }, strict })

describe("Cohere encoder: options", () => {
  it("puts a prompt at /chat and leaves out what was not asked for", () => {
    assert.deepStrictEqual(encode({ prompt: "Hi" }), {
      path: "/chat",
      body: { model: "command-test", messages: [{ role: "user", content: "Hi" }], stream: false },
      warnings: []
    })
  })

  it("spells sampling options in the API's words", () => {
    const body = bodyOf({
      prompt: "Hi",
      maxTokens: 9,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      seed: 7,
      stop: ["END"],
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      logprobs: true
    })
    assert.deepInclude(body, {
      max_tokens: 9,
      temperature: 0.5,
      p: 0.9,
      k: 40,
      seed: 7,
      stop_sequences: ["END"],
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      logprobs: true
    })
  })

  it("keeps sampling options within what the API accepts, with a warning", () => {
    assert.deepInclude(bodyOf({ prompt: "Hi", topP: 1, topK: 900, frequencyPenalty: -1 }), {
      p: 0.99,
      k: 500,
      frequency_penalty: 0
    })
    assert.deepStrictEqual(warned({ topP: 1, topK: 900, frequencyPenalty: -1 }), ["topP", "topK", "frequencyPenalty"])
  })

  it("asks for JSON and for a schema", () => {
    const schema = { type: "object", properties: {} }
    assert.deepStrictEqual(bodyOf({ prompt: "Hi", responseFormat: { type: "json" } })["response_format"], {
      type: "json_object"
    })
    assert.deepStrictEqual(
      bodyOf({ prompt: "Hi", responseFormat: { type: "json-schema", schema } })["response_format"],
      {
        type: "json_object",
        json_schema: { ...schema, required: [], additionalProperties: false }
      }
    )
  })

  it("turns thinking levels into budgets, and leaves it to the model above", () => {
    const thinking = (given: RequestOptions["thinking"]) => bodyOf({ prompt: "Hi", thinking: given })["thinking"]
    assert.deepStrictEqual(thinking("off"), { type: "disabled" })
    assert.deepStrictEqual(thinking("low"), { type: "enabled", token_budget: 4096 })
    assert.deepStrictEqual(thinking("max"), { type: "enabled" })
    assert.deepStrictEqual(thinking({ budgetTokens: 700 }), { type: "enabled", token_budget: 700 })
    const plain: ModelMeta = { provider: "cohere", id: "m", capabilities: { reasoning: false } }
    assert.notProperty(bodyOf({ prompt: "Hi", thinking: "low" }, plain), "thinking")
  })

  it("warns of options without a counterpart", () => {
    assert.deepStrictEqual(
      warned({
        effort: "high",
        parallelToolCalls: false,
        logprobs: 3,
        cache: { key: "k", systemPrompt: true, extendedTtl: true }
      }),
      [
        "effort",
        "parallelToolCalls",
        "cache.key",
        "cache.extendedTtl",
        "logprobs",
        "cache"
      ]
    )
  })
})

describe("Cohere encoder: tools", () => {
  it("forces or forbids calls, and forces one by sending only it", () => {
    const tools = [tool("weigh"), tool("oven")]
    assert.notProperty(bodyOf({ prompt: "Hi", tools, toolChoice: "auto" }), "tool_choice")
    assert.strictEqual(bodyOf({ prompt: "Hi", tools, toolChoice: "required" })["tool_choice"], "REQUIRED")
    assert.strictEqual(bodyOf({ prompt: "Hi", tools, toolChoice: "none" })["tool_choice"], "NONE")
    const named = bodyOf({ prompt: "Hi", tools, toolChoice: { name: "oven" } })
    assert.strictEqual(named["tool_choice"], "REQUIRED")
    assert.deepStrictEqual(named["tools"], [
      { type: "function", function: { name: "oven", parameters: { type: "object", properties: {} } } }
    ])
    assert.deepStrictEqual(warned({ tools, toolChoice: { name: "oven" } }), ["toolChoice"])
  })

  it("is strict when all tools are, and warns when only some are", () => {
    assert.strictEqual(bodyOf({ prompt: "Hi", tools: [tool("a", true), tool("b", true)] })["strict_tools"], true)
    assert.notProperty(bodyOf({ prompt: "Hi", tools: [tool("a", true), tool("b")] }), "strict_tools")
    assert.deepStrictEqual(warned({ tools: [tool("a", true), tool("b")] }), ["tools"])
    assert.strictEqual(refusedField({ prompt: "Hi", tools: [LlmTool.custom("free")] }), "tools[0]")
    const own = LlmTool.provider("b", { type: "b" })
    const sorted = bodyOf({ prompt: "Hi", tools: [tool("c"), own, tool("a")], cache: { tools: true } })["tools"]
    assert.deepStrictEqual((sorted as ReadonlyArray<unknown>)[1], { type: "b" })
  })
})

describe("Cohere encoder: messages", () => {
  it("spells a tool conversation, own thinking as content", () => {
    const body = bodyOf({
      system: "Be brief.",
      messages: [
        Message.user("How much?"),
        Message.assistant([
          { type: "reasoning", text: "Weigh it.", origin: { wire: "cohere-chat" } },
          { type: "text", text: "One moment." },
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
        content: [{ type: "thinking", thinking: "Weigh it." }, { type: "text", text: "One moment." }],
        tool_calls: [{ id: "call_1", type: "function", function: { name: "weigh", arguments: "{\"item\":\"flour\"}" } }]
      },
      { role: "tool", tool_call_id: "call_1", content: "250 g" }
    ])
  })

  it("drops the tool plan of another wire", () => {
    const origin = { wire: "other" }
    const body = bodyOf({
      messages: [
        Message.user("Hi"),
        Message.assistant([
          { type: "server-tool", name: "tool_plan", kind: "block", data: { tool_plan: "x" }, origin },
          { type: "text", text: "Hello" }
        ]),
        Message.user("And?")
      ]
    })
    assert.deepStrictEqual((body["messages"] as ReadonlyArray<unknown>)[1], { role: "assistant", content: "Hello" })
  })

  it("sends images by URL or data URL", () => {
    const body = bodyOf({
      messages: [Message.user([
        Message.text("Compare."),
        Message.image({ type: "url", url: "https://example.com/cup.png" }, { detail: "low" }),
        Message.image({ type: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" })
      ])]
    })
    assert.deepStrictEqual(body["messages"], [{
      role: "user",
      content: [
        { type: "text", text: "Compare." },
        { type: "image_url", image_url: { url: "https://example.com/cup.png", detail: "low" } },
        { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }
      ]
    }])
  })

  it("makes text files documents, of the request and of tool results", () => {
    const file = Message.file({ type: "base64", mediaType: "text/plain", data: "R3LDvMOfZQ==" }, { filename: "a.txt" })
    const document = { id: "a.txt", data: { title: "a.txt", text: "Grüße" } }
    const body = bodyOf({
      messages: [
        Message.user([Message.text("Read."), file]),
        Message.assistant([{ type: "tool-call", id: "c", name: "find", arguments: {} }]),
        Message.toolResult({ id: "c" }, [Message.text("Found:"), file])
      ]
    })
    assert.deepStrictEqual(body["documents"], [document])
    assert.deepStrictEqual((body["messages"] as ReadonlyArray<unknown>)[2], {
      role: "tool",
      tool_call_id: "c",
      content: [{ type: "text", text: "Found:" }, { type: "document", document }]
    })
  })

  it("refuses what it cannot carry: PDFs, sound and uploaded files", () => {
    const parts = [
      Message.file({ type: "base64", mediaType: "application/pdf", data: "JVBERg==" }),
      Message.file({ type: "base64", mediaType: "text/plain", data: "%%%" }),
      Message.audio({ type: "base64", mediaType: "audio/wav", data: "UklGRg==" }),
      Message.image({ type: "file", fileId: "f" })
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
