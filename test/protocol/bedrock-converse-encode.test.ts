import { assert, describe, it } from "@effect/vitest"
import type { LlmRequest, RequestOptions } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import type { JsonObject } from "../../src/Message.ts"
import type { ModelMeta } from "../../src/Model.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import type { Encoded, EncodeInput } from "../../src/protocol/Protocol.ts"
import { encoderOf } from "../encoding.ts"
import { replay } from "./wire-replay.ts"

const { answer } = replay("bedrock", BedrockConverse.make(), "bedrock")

const attempt = (request: LlmRequest, family: BedrockConverse.Family = {}, more?: Partial<EncodeInput>) =>
  encoderOf(BedrockConverse.make({ familyOf: () => family }))({
    request,
    model: "anthropic.claude-test-1:0",
    stream: false,
    provider: "bedrock",
    ...more
  })

const encode = (request: LlmRequest, family?: BedrockConverse.Family, more?: Partial<EncodeInput>): Encoded => {
  const encoded = attempt(request, family, more)
  if ("refused" in encoded) throw new Error(encoded.refused.message)
  return encoded
}

const body = (request: LlmRequest, family?: BedrockConverse.Family, more?: Partial<EncodeInput>): JsonObject =>
  encode(request, family, more).body

const refusal = (request: LlmRequest): string => {
  const encoded = attempt(request)
  if (!("refused" in encoded)) throw new Error("expected a refusal")
  return encoded.refused.field
}

const say = (options: RequestOptions): LlmRequest => ({ prompt: "Hi", ...options })
const asking = (...messages: ReadonlyArray<Message.Message>): LlmRequest => ({ messages })
const hi = { role: "user", content: [{ text: "Hi" }] }
const fields = (encoded: Encoded) => encoded.warnings.map((warning) => warning.field)
const cachePoint = { cachePoint: { type: "default" } }
const cachePoint1h = { cachePoint: { type: "default", ttl: "1h" } }

const meta = (more: Partial<ModelMeta>): { readonly meta: ModelMeta } => ({
  meta: { provider: "bedrock", id: "anthropic.claude-test-1:0", capabilities: {}, ...more }
})

const weigh = LlmTool.make("weigh", {
  description: "Weighs an item",
  parameters: { type: "object", properties: { item: { type: "string" } }, required: ["item"] }
})
const bell = LlmTool.make("bell", {})
const bellSpec = { toolSpec: { name: "bell", inputSchema: { json: { type: "object", properties: {} } } } }

const called = (id: string, name = "bell"): Message.Message =>
  Message.assistant([{ type: "tool-call", id, name, arguments: {} }])

describe("Bedrock Converse encoder: path", () => {
  it("puts the model into the path, percent-encoded once", () => {
    assert.strictEqual(encode(say({})).path, "/model/anthropic.claude-test-1%3A0/converse")
    assert.strictEqual(
      encode(say({}), {}, { model: "arn:aws:bedrock:eu-west-3:1:inference-profile/eu.some(model)", stream: true }).path,
      "/model/arn%3Aaws%3Abedrock%3Aeu-west-3%3A1%3Ainference-profile%2Feu.some%28model%29/converse-stream"
    )
  })

  it("sends nothing but the messages when nothing else is asked", () => {
    const encoded = encode(say({}))
    assert.deepStrictEqual(encoded.body, { messages: [hi] })
    assert.deepStrictEqual(encoded.warnings, [])
  })
})

describe("Bedrock Converse encoder: messages", () => {
  it("hoists leading system turns, merges turns of one role and drops blank text", () => {
    const made = body({
      system: "Be brief.",
      messages: [
        Message.system("Be kind."),
        Message.user("Hi"),
        Message.user(" "),
        Message.system("The shop is closed."),
        Message.assistant("Hello"),
        Message.user("Open?")
      ]
    })
    assert.deepStrictEqual(made["system"], [{ text: "Be brief." }, { text: "Be kind." }])
    assert.deepStrictEqual(made["messages"], [
      { role: "user", content: [{ text: "Hi" }, { text: "The shop is closed." }] },
      { role: "assistant", content: [{ text: "Hello" }] },
      { role: "user", content: [{ text: "Open?" }] }
    ])
  })

  it("puts a user message before a conversation that the assistant begins", () => {
    const encoded = encode(asking(Message.assistant("Welcome"), Message.user("Hi")))
    assert.deepStrictEqual((encoded.body["messages"] as ReadonlyArray<JsonObject>).map((message) => message["role"]), [
      "user",
      "assistant",
      "user"
    ])
    assert.deepStrictEqual(fields(encoded), ["messages"])
  })

  it("trims whitespace at the end of a final assistant message", () => {
    const encoded = encode(asking(Message.user("Hi"), Message.assistant("Well, ")))
    assert.deepStrictEqual((encoded.body["messages"] as ReadonlyArray<JsonObject>)[1], {
      role: "assistant",
      content: [{ text: "Well," }]
    })
    assert.deepStrictEqual(fields(encoded), ["messages"])
  })

  it("refuses a request without anything to read", () => {
    assert.strictEqual(refusal(asking(Message.user("  "))), "messages")
  })

  it("spells images as bytes or by S3 URI", () => {
    const made = body(asking(Message.user([
      Message.text("What is this?"),
      Message.image({ type: "base64", mediaType: "image/jpg", data: "aGk=" }),
      Message.image({ type: "file", fileId: "s3://bucket/scan.webp" }),
      Message.image({ type: "url", url: "s3://bucket/scan", mediaType: "image/png" })
    ])))
    assert.deepStrictEqual((made["messages"] as ReadonlyArray<{ content: unknown }>)[0]?.content, [
      { text: "What is this?" },
      { image: { format: "jpeg", source: { bytes: "aGk=" } } },
      { image: { format: "webp", source: { s3Location: { uri: "s3://bucket/scan.webp" } } } },
      { image: { format: "png", source: { s3Location: { uri: "s3://bucket/scan" } } } }
    ])
  })

  it("refuses URLs and types that the API cannot read", () => {
    const look = (source: Message.Media) => refusal(asking(Message.user([Message.text("Look"), Message.image(source)])))
    assert.strictEqual(look({ type: "url", url: "https://example.com/cat.png" }), "messages")
    assert.strictEqual(look({ type: "file", fileId: "file_1" }), "messages")
    assert.strictEqual(look({ type: "base64", mediaType: "image/tiff", data: "aGk=" }), "messages")
  })

  it("names documents by the API's rule, each differently", () => {
    const pdf: Message.Media = { type: "base64", mediaType: "application/pdf", data: "aGk=" }
    const made = body(asking(Message.user([
      Message.text("Compare"),
      Message.file(pdf, { filename: "Q3_report  (final).pdf", citations: true }),
      Message.file(pdf, { filename: "Q3_report (final).pdf" }),
      Message.file(pdf),
      Message.file({ type: "base64", mediaType: "application/json", data: "e30=" }, { filename: "???" })
    ])))
    const content = (made["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>)[0]!.content
    assert.deepStrictEqual(content.slice(1), [
      {
        document: {
          format: "pdf",
          source: { bytes: "aGk=" },
          name: "Q3-report (final)",
          citations: { enabled: true }
        }
      },
      { document: { format: "pdf", source: { bytes: "aGk=" }, name: "Q3-report (final) 2" } },
      { document: { format: "pdf", source: { bytes: "aGk=" }, name: "Document" } },
      { document: { format: "txt", source: { bytes: "e30=" }, name: "Document 2" } }
    ])
  })

  it("adds a text to a message that holds only a document", () => {
    const encoded = encode(asking(Message.user([
      Message.file({ type: "file", fileId: "s3://bucket/terms.pdf" })
    ])))
    assert.deepStrictEqual(fields(encoded), ["messages"])
    assert.deepStrictEqual(
      (encoded.body["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>)[0]!.content,
      [
        { document: { format: "pdf", source: { s3Location: { uri: "s3://bucket/terms.pdf" } }, name: "Document" } },
        { text: "(The document is attached.)" }
      ]
    )
  })

  it("spells audio and video", () => {
    const made = body(asking(Message.user([
      Message.text("Listen"),
      Message.audio({ type: "base64", mediaType: "audio/mpeg", data: "aGk=" }),
      Message.file({ type: "base64", mediaType: "video/mp4", data: "aGk=" })
    ])))
    assert.deepStrictEqual(
      (made["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>)[0]!.content.slice(1),
      [
        { audio: { format: "mp3", source: { bytes: "aGk=" } } },
        { video: { format: "mp4", source: { bytes: "aGk=" } } }
      ]
    )
  })
})

describe("Bedrock Converse encoder: history", () => {
  it("answers calls in the next user message, results first, with a placeholder for empty ones", () => {
    const made = body({
      messages: [
        Message.user("Ring"),
        Message.assistant([
          { type: "tool-call", id: "a", name: "bell", arguments: {} },
          { type: "tool-call", id: "b", name: "bell", arguments: "loud" }
        ]),
        Message.user("Well?"),
        Message.user("Now")
      ],
      tools: [bell]
    })
    const messages = made["messages"] as ReadonlyArray<JsonObject>
    assert.deepStrictEqual(messages[1], {
      role: "assistant",
      content: [
        { toolUse: { toolUseId: "a", name: "bell", input: {} } },
        { toolUse: { toolUseId: "b", name: "bell", input: { input: "loud" } } }
      ]
    })
    const missing = [{ text: "The tool call was not carried out: no result was recorded." }]
    assert.deepStrictEqual(messages[2], {
      role: "user",
      content: [
        { toolResult: { toolUseId: "a", content: missing, status: "error" } },
        { toolResult: { toolUseId: "b", content: missing, status: "error" } },
        { text: "Well?" },
        { text: "Now" }
      ]
    })
  })

  it("spells results as text, images and documents", () => {
    const result = (content: Message.ToolResultPart["content"], isError?: boolean) => {
      const made = body({
        messages: [Message.user("Ring"), called("a"), Message.toolResult({ id: "a" }, content, { isError })],
        tools: [bell]
      })
      const [block] = (made["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>)[2]!.content
      return block?.["toolResult"]
    }
    const image = Message.image({ type: "base64", mediaType: "image/png", data: "aGk=" })
    assert.deepStrictEqual(result("Rang"), { toolUseId: "a", content: [{ text: "Rang" }] })
    assert.deepStrictEqual(result(""), { toolUseId: "a", content: [{ text: "(empty)" }] })
    assert.deepStrictEqual(result([Message.text(" ")]), { toolUseId: "a", content: [{ text: "(empty)" }] })
    assert.deepStrictEqual(result([image]), {
      toolUseId: "a",
      content: [{ image: { format: "png", source: { bytes: "aGk=" } } }]
    })
    assert.deepStrictEqual(result([Message.text("No"), image], true), {
      toolUseId: "a",
      content: [{ text: "No" }, { text: "[image left out]" }],
      status: "error"
    })
  })

  it("rewrites tool ids that the API refuses", () => {
    const made = body({
      messages: [Message.user("Ring"), called("call:1/x"), Message.toolResult({ id: "call:1/x" }, "Rang")],
      tools: [bell]
    })
    const text = JSON.stringify(made)
    assert.include(text, "\"toolUseId\":\"call_1_x\"")
    assert.notInclude(text, "call:1/x")
    const dotted = body({
      messages: [
        Message.user("Ring"),
        called("functions.bell:1"),
        Message.toolResult({ id: "functions.bell:1" }, "Rang")
      ],
      tools: [bell]
    }, { dottedToolCallIds: true })
    assert.include(JSON.stringify(dotted), "\"toolUseId\":\"functions.bell:1\"")
  })

  it("replays own reasoning, server tools and citations, and drops foreign and unsigned reasoning", () => {
    const replayed = (name: string) => {
      const made = body(asking(Message.user("Hi"), answer(name).message, Message.user("Go on")))
      return (made["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>)[1]!.content
    }
    assert.deepStrictEqual(replayed("reasoning"), [
      { reasoningContent: { reasoningText: { text: "Water first, then tea.", signature: "c2lnbmF0dXJl" } } },
      { text: "Boil water." }
    ])
    assert.deepStrictEqual(replayed("redacted-reasoning")[0], { reasoningContent: { redactedContent: "b3BhcXVl" } })
    assert.deepStrictEqual(replayed("empty-text-block"), [{ text: "Hello." }])
    assert.deepStrictEqual(replayed("server-tools").map((block) => Object.keys(block)[0]), [
      "toolUse",
      "toolResult",
      "text"
    ])
    const cited = replayed("citations")[0]?.["citationsContent"] as {
      content: unknown
      citations: ReadonlyArray<unknown>
    }
    assert.deepStrictEqual(cited.content, [{ text: "Tea is from China." }])
    assert.lengthOf(cited.citations, 3)
    const foreign = encode(asking(
      Message.user("Hi"),
      Message.assistant([
        {
          type: "reasoning",
          text: "Hm",
          signature: "x",
          origin: { wire: "anthropic-messages", provider: "anthropic" }
        },
        { type: "text", text: "Yes" }
      ]),
      Message.user("Go on")
    ))
    assert.notInclude(JSON.stringify(foreign.body), "reasoningContent")
    assert.deepStrictEqual(fields(foreign), ["messages"])
  })
})

describe("Bedrock Converse encoder: tools", () => {
  it("spells tools and every choice", () => {
    const made = body(say({ tools: [weigh, bell], toolChoice: "auto" }))
    assert.deepStrictEqual(made["toolConfig"], {
      tools: [
        bellSpec,
        {
          toolSpec: {
            name: "weigh",
            description: "Weighs an item",
            inputSchema: { json: { type: "object", properties: { item: { type: "string" } }, required: ["item"] } }
          }
        }
      ],
      toolChoice: { auto: {} }
    })
    const choice = (toolChoice: LlmTool.ToolChoice) =>
      (body(say({ tools: [bell], toolChoice }))["toolConfig"] as JsonObject | undefined)?.["toolChoice"]
    assert.deepStrictEqual(choice("required"), { any: {} })
    assert.deepStrictEqual(choice({ name: "bell" }), { tool: { name: "bell" } })
    assert.isFalse("toolConfig" in body(say({ tools: [bell], toolChoice: "none" })))
  })

  it("keeps the tools although none may be called when the history needs them", () => {
    const encoded = encode({
      messages: [Message.user("Ring"), called("a"), Message.toolResult({ id: "a" }, "Rang")],
      tools: [bell],
      toolChoice: "none"
    })
    assert.deepStrictEqual(encoded.body["toolConfig"], { tools: [bellSpec] })
    assert.deepStrictEqual(fields(encoded), ["toolChoice"])
  })

  it("declares the tools that the history calls when the request names none", () => {
    const encoded = encode(asking(
      Message.user("Ring"),
      called("a"),
      Message.toolResult({ id: "a" }, "Rang")
    ))
    assert.deepStrictEqual(encoded.body["toolConfig"], {
      tools: [{ toolSpec: { name: "bell", inputSchema: { json: { type: "object" } } } }]
    })
    assert.deepStrictEqual(fields(encoded), ["tools"])
  })

  it("sends provider tools unchanged and refuses free-form ones", () => {
    const made = body(say({ tools: [LlmTool.provider("code", { systemTool: { name: "nova_code_interpreter" } })] }))
    assert.deepStrictEqual(made["toolConfig"], { tools: [{ systemTool: { name: "nova_code_interpreter" } }] })
    assert.strictEqual(refusal(say({ tools: [LlmTool.custom("sql")] })), "tools")
  })

  it("asks Claude for one call at a time, with the type of the choice in one place", () => {
    const made = (options: RequestOptions) =>
      body(say({ tools: [bell], parallelToolCalls: false, ...options }), { serialToolCalls: true })
    const auto = made({ toolChoice: "auto" })
    assert.deepStrictEqual(auto["toolConfig"], { tools: [bellSpec] })
    assert.deepStrictEqual(auto["additionalModelRequestFields"], {
      tool_choice: { type: "auto", disable_parallel_tool_use: true }
    })
    const forced = made({ toolChoice: "required" })
    assert.deepStrictEqual(forced["toolConfig"], { tools: [bellSpec], toolChoice: { any: {} } })
    assert.deepStrictEqual(forced["additionalModelRequestFields"], { tool_choice: { disable_parallel_tool_use: true } })
    assert.deepStrictEqual(
      fields(encode(say({ tools: [bell], parallelToolCalls: false }), { serialToolCalls: true })),
      []
    )
    assert.isFalse("additionalModelRequestFields" in body(say({ parallelToolCalls: false }), { serialToolCalls: true }))
  })

  it("sends strict tools with a closed schema, where the model has them", () => {
    const strict = { ...weigh, strict: true }
    const spec = (family: BedrockConverse.Family) =>
      (body(say({ tools: [strict] }), family)["toolConfig"] as { tools: ReadonlyArray<{ toolSpec: JsonObject }> })
        .tools[0]
        ?.toolSpec
    assert.strictEqual(spec({})?.["strict"], true)
    assert.include(JSON.stringify(spec({})), "\"additionalProperties\":false")
    assert.isFalse("strict" in spec({ structuredOutput: false })!)
    assert.deepStrictEqual(fields(encode(say({ tools: [strict] }), { structuredOutput: false })), ["tools"])
  })
})

describe("Bedrock Converse encoder: options", () => {
  it("spells limits and sampling", () => {
    assert.deepStrictEqual(
      body(say({ maxTokens: 77, temperature: 0.5, topP: 0.9, topK: 5, stop: ["END", " "] }))["inferenceConfig"],
      { maxTokens: 77, temperature: 0.5, topP: 0.9, stopSequences: ["END"] }
    )
    assert.deepStrictEqual(body(say({ topK: 5 }))["additionalModelRequestFields"], { top_k: 5 })
    assert.deepStrictEqual(body(say({ topK: 5 }), { topK: "nova" })["additionalModelRequestFields"], {
      inferenceConfig: { topK: 5 }
    })
    assert.deepStrictEqual(fields(encode(say({ topK: 5 }), { topK: "none" })), ["topK"])
  })

  it("lowers a temperature above 1 and drops topP where both cannot be set", () => {
    const encoded = encode(say({ temperature: 1.5, topP: 0.9 }), { topPWithTemperature: false })
    assert.deepStrictEqual(encoded.body["inferenceConfig"], { temperature: 1 })
    assert.deepStrictEqual(fields(encoded), ["temperature", "topP"])
  })

  it("warns of options that the wire has not", () => {
    const encoded = encode(
      say({ seed: 1, frequencyPenalty: 1, presencePenalty: 1, logprobs: true, parallelToolCalls: false, tools: [bell] })
    )
    assert.deepStrictEqual(fields(encoded), [
      "frequencyPenalty",
      "presencePenalty",
      "seed",
      "logprobs",
      "parallelToolCalls"
    ])
  })

  it("asks Claude to think with a budget below the limit, and drops what excludes thinking", () => {
    const encoded = encode(say({ thinking: { budgetTokens: 2000 }, maxTokens: 4000, temperature: 0.2, topK: 3 }))
    assert.deepStrictEqual(encoded.body["additionalModelRequestFields"], {
      thinking: { type: "enabled", budget_tokens: 2000 }
    })
    assert.deepStrictEqual(encoded.body["inferenceConfig"], { maxTokens: 4000 })
    assert.deepStrictEqual(fields(encoded), ["temperature", "topK"])
    assert.isFalse("inferenceConfig" in body(say({ thinking: "high" })))
  })

  it("asks newer Claude models to think adaptively, with an effort", () => {
    const made = body(say({ thinking: "high" }), {}, meta({ thinkingLevels: { low: "low", high: "high" } }))
    assert.deepStrictEqual(made["additionalModelRequestFields"], { thinking: { type: "adaptive" } })
    assert.deepStrictEqual(made["outputConfig"], { effort: "high" })
    assert.deepStrictEqual(body(say({ effort: "low" }))["outputConfig"], { effort: "low" })
  })

  it("leaves thinking out when a tool call is forced", () => {
    const encoded = encode(say({ thinking: "low", tools: [bell], toolChoice: "required" }))
    assert.isFalse("additionalModelRequestFields" in encoded.body)
    assert.deepStrictEqual(fields(encoded), ["thinking"])
  })

  it("asks Nova to think in three levels, the highest without limits", () => {
    const nova = (options: RequestOptions) => encode(say(options), { thinking: "nova" })
    assert.deepStrictEqual(nova({ thinking: "low" }).body["additionalModelRequestFields"], {
      reasoningConfig: { type: "enabled", maxReasoningEffort: "low" }
    })
    assert.deepStrictEqual(nova({ thinking: "off" }).body["additionalModelRequestFields"], {
      reasoningConfig: { type: "disabled" }
    })
    const high = nova({ thinking: "high", temperature: 0.3 })
    assert.isFalse("inferenceConfig" in high.body)
    assert.deepStrictEqual(fields(high), ["temperature"])
    const limited = nova({ thinking: "high", maxTokens: 100 })
    assert.deepStrictEqual(limited.body, {
      messages: [hi],
      inferenceConfig: { maxTokens: 100 },
      additionalModelRequestFields: { reasoningConfig: { type: "enabled", maxReasoningEffort: "medium" } }
    })
    assert.deepStrictEqual(fields(limited), ["thinking"])
    assert.deepStrictEqual(fields(nova({ effort: "high" })), ["effort"])
  })

  it("asks other models by reasoning_effort, or not at all", () => {
    assert.deepStrictEqual(
      body(say({ thinking: "minimal", maxTokens: 9 }), { thinking: "effort" })["additionalModelRequestFields"],
      { reasoning_effort: "low" }
    )
    assert.deepStrictEqual(body(say({ effort: "high" }), { thinking: "effort" })["additionalModelRequestFields"], {
      reasoning_effort: "high"
    })
    const none = encode(say({ thinking: { budgetTokens: 5000 }, effort: "high", maxTokens: 9 }), { thinking: "none" })
    assert.deepStrictEqual(none.body, { messages: [hi], inferenceConfig: { maxTokens: 9 } })
    assert.deepStrictEqual(fields(none), ["thinking", "effort"])
  })

  it("sends a JSON schema as text, or instructs where the model has no structured output", () => {
    const format: RequestOptions = {
      responseFormat: { type: "json-schema", schema: { type: "object", properties: { a: { type: "number" } } } }
    }
    assert.deepStrictEqual(body(say(format))["outputConfig"], {
      textFormat: {
        type: "json_schema",
        structure: {
          jsonSchema: {
            schema: "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}},\"additionalProperties\":false}",
            name: "response"
          }
        }
      }
    })
    const told = encode(say({ ...format, system: "Be kind." }), { structuredOutput: false })
    assert.isFalse("outputConfig" in told.body)
    assert.match(JSON.stringify(told.body["system"]), /Be kind.*JSON Schema/)
    assert.deepStrictEqual(fields(told), ["responseFormat"])
    assert.deepStrictEqual(fields(encode(say({ responseFormat: { type: "json" } }))), ["responseFormat"])
  })
})

describe("Bedrock Converse encoder: cache points", () => {
  it("puts them after the system prompt, the tools and the last user turns", () => {
    const made = body({
      system: "Long.",
      messages: [
        Message.user("One"),
        Message.assistant("1"),
        Message.user("Two"),
        Message.assistant("2"),
        Message.user("Three")
      ],
      tools: [weigh, bell],
      cache: { systemPrompt: true, tools: true, recentTurns: 2 }
    })
    assert.deepStrictEqual(made["system"], [{ text: "Long." }, cachePoint])
    const tools = (made["toolConfig"] as { tools: ReadonlyArray<JsonObject> }).tools
    assert.deepStrictEqual([tools[0], tools.at(-1)], [bellSpec, cachePoint])
    const marked = (made["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>)
      .map((message) => message.content.some((block) => "cachePoint" in block))
    assert.deepStrictEqual(marked, [false, false, true, false, true])
  })

  it("keeps at most four, and those of one hour before those of five minutes", () => {
    const encoded = encode({
      messages: [
        Message.user("One").pipe(Message.cacheable),
        Message.assistant("1"),
        Message.user("Two").pipe(Message.cacheableExtended),
        Message.assistant("2").pipe(Message.cacheable),
        Message.user("Three").pipe(Message.cacheable),
        Message.assistant("3").pipe(Message.cacheable),
        Message.user("Four").pipe(Message.cacheable)
      ]
    })
    const points = (encoded.body["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>)
      .flatMap((message) => message.content.filter((block) => "cachePoint" in block))
    assert.lengthOf(points, 4)
    assert.deepStrictEqual(fields(encoded), ["cache"])
    const ordered = encode({
      system: "Long.",
      messages: [Message.user("One").pipe(Message.cacheableExtended)],
      cache: { systemPrompt: true }
    })
    assert.deepStrictEqual(ordered.body["system"], [{ text: "Long." }, cachePoint1h])
    assert.deepStrictEqual(fields(ordered), ["cache"])
  })

  it("leaves them out where the model has none", () => {
    const request: LlmRequest = {
      system: "Long.",
      prompt: "Hi",
      tools: [bell],
      cache: { systemPrompt: true, tools: true }
    }
    const none = encode(request, { caching: "none" })
    assert.notInclude(JSON.stringify(none.body), "cachePoint")
    assert.deepStrictEqual(fields(none), ["cache"])
    const notInTools = encode(request, { caching: "not-in-tools" })
    assert.deepStrictEqual(notInTools.body["system"], [{ text: "Long." }, cachePoint])
    assert.deepStrictEqual(notInTools.body["toolConfig"], { tools: [bellSpec] })
    assert.deepStrictEqual(fields(notInTools), ["cache"])
    assert.deepStrictEqual(fields(encode(request, {}, meta({ capabilities: { promptCaching: false } }))), ["cache"])
  })

  it("keeps a cache point behind its block when results move to the front", () => {
    const made = body({
      messages: [
        Message.user("Ring"),
        called("a"),
        {
          role: "user",
          content: [
            Message.text("Well?", { cacheControl: "ephemeral" }),
            { type: "tool-result", toolCallId: "a", content: "Rang" }
          ]
        }
      ],
      tools: [bell]
    })
    assert.deepStrictEqual((made["messages"] as ReadonlyArray<{ content: unknown }>)[2]?.content, [
      { toolResult: { toolUseId: "a", content: [{ text: "Rang" }] } },
      { text: "Well?" },
      cachePoint
    ])
  })
})
