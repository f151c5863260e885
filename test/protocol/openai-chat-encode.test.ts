import { assert, describe, it } from "@effect/vitest"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import type { JsonObject } from "../../src/Message.ts"
import type { ModelMeta } from "../../src/Model.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import type { Encoded } from "../../src/protocol/Protocol.ts"
import * as dialects from "../../src/protocol/schema/dialects.ts"
import { encoderOf } from "../encoding.ts"

interface Given {
  readonly quirks?: OpenAiChat.Quirks
  readonly stream?: boolean
  readonly meta?: ModelMeta
}

const attempt = (request: LlmRequest, { quirks, ...given }: Given = {}) =>
  encoderOf(OpenAiChat.make(quirks))({ request, model: "bird-1", stream: false, provider: "openai", ...given })

const encode = (request: LlmRequest, given?: Given): Encoded => {
  const encoded = attempt(request, given)
  if ("refused" in encoded) throw new Error(encoded.refused.message)
  return encoded
}

const body = (options: Partial<LlmRequest>, given?: Given): JsonObject =>
  encode({ prompt: "Hi", ...options } as LlmRequest, given).body

const messages = (list: ReadonlyArray<Message.Message>, quirks?: OpenAiChat.Quirks) =>
  encode({ messages: list }, quirks === undefined ? {} : { quirks }).body["messages"] as ReadonlyArray<JsonObject>

const warned = (options: Partial<LlmRequest>, given?: Given) =>
  encode({ prompt: "Hi", ...options } as LlmRequest, given).warnings.map((warning) => warning.field)

const origin = { wire: "openai-chat", provider: "openai", model: "bird-1" }
const call = (id: string, more?: Partial<Message.ToolCallPart>): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name: "find",
  arguments: { city: "Lille" },
  ...more
})
const find = LlmTool.make("find", { description: "Finds birds", parameters: { type: "object", properties: {} } })
const png: Message.Media = { type: "base64", mediaType: "image/png", data: "AAEC" }

describe("OpenAI Chat encoder: options", () => {
  it("spells a plain request", () => {
    const encoded = encode({ prompt: "Hi", system: "Be brief." })
    assert.strictEqual(encoded.path, "/chat/completions")
    assert.deepStrictEqual(encoded.body, {
      model: "bird-1",
      messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "Hi" }],
      stream: false
    })
    assert.deepStrictEqual(encoded.warnings, [])
  })

  it("asks for usage in streams, unless the host rejects it", () => {
    assert.deepInclude(body({}, { stream: true }), { stream: true, stream_options: { include_usage: true } })
    assert.notProperty(body({}, { stream: true, quirks: { streamUsage: false } }), "stream_options")
  })

  it("spells sampling options", () => {
    assert.deepInclude(
      body({
        maxTokens: 9,
        temperature: 0.5,
        topP: 0.9,
        frequencyPenalty: 0.1,
        presencePenalty: 0.2,
        stop: ["END"],
        seed: 7,
        logprobs: 3
      }),
      {
        max_completion_tokens: 9,
        temperature: 0.5,
        top_p: 0.9,
        frequency_penalty: 0.1,
        presence_penalty: 0.2,
        stop: ["END"],
        seed: 7,
        logprobs: true,
        top_logprobs: 3
      }
    )
    assert.notProperty(body({ logprobs: true }), "top_logprobs")
  })

  it("names the token limit and the seed as the host does", () => {
    assert.deepInclude(
      body({ maxTokens: 9, seed: 7 }, { quirks: { tokenField: "max_tokens", seedField: "random_seed" } }),
      {
        max_tokens: 9,
        random_seed: 7
      }
    )
  })

  it("drops what the host lacks, with a warning", () => {
    const quirks = { penalties: false, seedField: false, logprobs: false, parallelToolCalls: false } as const
    const options = {
      topK: 5,
      frequencyPenalty: 1,
      presencePenalty: 1,
      seed: 1,
      logprobs: true,
      effort: "low",
      tools: [find],
      parallelToolCalls: true
    } as const
    assert.sameMembers(warned(options, { quirks }), [
      "topK",
      "frequencyPenalty",
      "presencePenalty",
      "seed",
      "logprobs",
      "effort",
      "parallelToolCalls"
    ])
    const encoded = body(options, { quirks })
    for (const field of ["top_k", "frequency_penalty", "presence_penalty", "seed", "logprobs", "parallel_tool_calls"]) {
      assert.notProperty(encoded, field)
    }
  })

  it("sends top_k where it is known", () => {
    assert.deepInclude(body({ topK: 5 }, { quirks: { topK: true } }), { top_k: 5 })
  })

  it("refuses more stop texts than the host takes", () => {
    const stop = ["a", "b", "c", "d", "e"]
    const attempted = attempt({ prompt: "Hi", stop })
    assert.strictEqual("refused" in attempted ? attempted.refused.field : undefined, "stop")
    assert.deepInclude(body({ stop }, { quirks: { maxStops: 5 } }), { stop })
  })

  it("sends the host's constant fields and path below the request's own", () => {
    const encoded = encode({ prompt: "Hi", temperature: 1 }, {
      quirks: { path: "/v2/chat", body: { temperature: 0, safe: true } }
    })
    assert.strictEqual(encoded.path, "/v2/chat")
    assert.deepInclude(encoded.body, { temperature: 1, safe: true })
  })
})

describe("OpenAI Chat encoder: tools", () => {
  it("spells function, custom and provider tools", () => {
    const tools = [
      { ...find, strict: true },
      LlmTool.custom("sql", { description: "SQL", format: { type: "text" } }),
      LlmTool.provider("web", { type: "web_search", depth: 2 })
    ]
    assert.deepStrictEqual(body({ tools })["tools"] as unknown, [
      {
        type: "function",
        function: {
          name: "find",
          description: "Finds birds",
          parameters: { type: "object", properties: {}, required: [], additionalProperties: false },
          strict: true
        }
      },
      { type: "custom", custom: { name: "sql", description: "SQL", format: { type: "text" } } },
      { type: "web_search", depth: 2 }
    ])
  })

  it("leaves strict out where it is rejected", () => {
    const options = { tools: [{ ...find, strict: true }] }
    assert.notInclude(JSON.stringify(body(options, { quirks: { strictTools: false } })), "strict")
    assert.deepStrictEqual(warned(options, { quirks: { strictTools: false } }), ["tools[0].strict"])
  })

  it("refuses free-form tools where there are none", () => {
    const encoded = attempt({ prompt: "Hi", tools: [LlmTool.custom("sql")] }, { quirks: { customTools: false } })
    assert.deepInclude("refused" in encoded ? encoded.refused : {}, { field: "tools[0]" })
  })

  it("spells the tool choice", () => {
    const tools = [find, LlmTool.custom("sql")]
    assert.strictEqual(body({ tools, toolChoice: "none" })["tool_choice"], "none")
    assert.strictEqual(body({ tools, toolChoice: "required" })["tool_choice"], "required")
    assert.strictEqual(
      body({ tools, toolChoice: "required" }, { quirks: { requiredToolChoice: "any" } })["tool_choice"],
      "any"
    )
    assert.deepStrictEqual(body({ tools, toolChoice: { name: "find" } })["tool_choice"], {
      type: "function",
      function: { name: "find" }
    })
    assert.deepStrictEqual(body({ tools, toolChoice: { name: "sql" } })["tool_choice"], {
      type: "custom",
      custom: { name: "sql" }
    })
    assert.notProperty(body({ toolChoice: "auto" }), "tool_choice")
  })

  it("spells parallel tool calls", () => {
    assert.deepInclude(body({ tools: [find], parallelToolCalls: false }), { parallel_tool_calls: false })
  })

  it("sends empty tools with a tool history where the host insists", () => {
    const history = [
      Message.user("Hi"),
      Message.assistant([call("call_a")]),
      Message.toolResult({ id: "call_a" }, "ok")
    ]
    assert.deepStrictEqual(encode({ messages: history }, { quirks: { emptyToolsWithHistory: true } }).body["tools"], [])
    assert.notProperty(encode({ messages: history }).body, "tools")
    assert.notProperty(body({}, { quirks: { emptyToolsWithHistory: true } }), "tools")
  })

  it("spells every schema in the host's dialect", () => {
    const encoded = body({ tools: [find], responseFormat: { type: "json-schema", schema: { $ref: "#" } } }, {
      quirks: { schemas: { tools: dialects.openAiStrict, answer: dialects.openAiStrict } }
    })
    const [tool] = encoded["tools"] as ReadonlyArray<{ readonly function: { readonly parameters: object } }>
    assert.deepStrictEqual(tool?.function.parameters, {
      type: "object",
      properties: {},
      required: [],
      additionalProperties: false
    })
    assert.notInclude(JSON.stringify(encoded["response_format"]), "$ref")
  })
})

describe("OpenAI Chat encoder: answer format", () => {
  const responseFormat = { type: "json-schema", schema: { type: "object" }, name: "bird" } as const

  it("spells JSON mode and JSON Schema", () => {
    assert.deepStrictEqual(body({ responseFormat: { type: "json" } })["response_format"], { type: "json_object" })
    const schema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] }
    assert.deepStrictEqual(body({ responseFormat: { ...responseFormat, schema } })["response_format"], {
      type: "json_schema",
      json_schema: { name: "bird", schema: { ...schema, additionalProperties: false }, strict: true }
    })
    assert.deepStrictEqual(body({ responseFormat: { ...responseFormat, schema, strict: true } })["response_format"], {
      type: "json_schema",
      json_schema: { name: "bird", schema: { ...schema, additionalProperties: false }, strict: true }
    })
    const loose = { ...responseFormat, strict: false, schema }
    assert.deepStrictEqual(body({ responseFormat: loose })["response_format"], {
      type: "json_schema",
      json_schema: { name: "bird", schema, strict: false }
    })
    assert.notInclude(JSON.stringify(body({ responseFormat }, { quirks: { strictSchema: false } })), "strict")
    assert.notProperty(body({ responseFormat: { type: "text" } }), "response_format")
  })

  it("puts the schema in the instructions where only JSON mode is known", () => {
    const encoded = encode({ prompt: "Hi", system: "Be brief.", responseFormat }, {
      quirks: { responseFormat: "json_object" }
    })
    assert.deepStrictEqual(encoded.body["response_format"], { type: "json_object" })
    const [system, instructions, user] = encoded.body["messages"] as ReadonlyArray<JsonObject>
    assert.strictEqual(system?.["content"], "Be brief.")
    assert.include(instructions?.["content"] as string, "{\"type\":\"object\"}")
    assert.strictEqual(user?.["role"], "user")
    assert.deepStrictEqual(encoded.warnings.map((warning) => warning.field), ["responseFormat.name", "responseFormat"])
  })

  it("asks in the instructions only where no format is known", () => {
    for (const format of [responseFormat, { type: "json" } as const]) {
      const encoded = encode({ prompt: "Hi", responseFormat: format }, { quirks: { responseFormat: "none" } })
      assert.notProperty(encoded.body, "response_format")
      assert.include(JSON.stringify(encoded.body["messages"]), "JSON")
    }
  })
})

describe("OpenAI Chat encoder: reasoning", () => {
  it.each<[OpenAiChat.ReasoningDialect, object, object]>([
    ["reasoning_effort", { reasoning_effort: "high" }, { reasoning_effort: "none" }],
    ["reasoning", { reasoning: { effort: "high" } }, { reasoning: { effort: "none" } }],
    ["reasoning_enabled", { reasoning: { enabled: true } }, { reasoning: { enabled: false } }],
    ["thinking", { thinking: { type: "enabled" } }, { thinking: { type: "disabled" } }],
    ["enable_thinking", { enable_thinking: true }, { enable_thinking: false }],
    [
      "chat_template_kwargs",
      { chat_template_kwargs: { enable_thinking: true } },
      { chat_template_kwargs: { enable_thinking: false } }
    ]
  ])("speaks the dialect %s", (reasoning, on, off) => {
    assert.deepInclude(body({ thinking: "high" }, { quirks: { reasoning } }), on)
    assert.deepInclude(body({ thinking: "off" }, { quirks: { reasoning } }), off)
    assert.notProperty(body({}, { quirks: { reasoning } }), Object.keys(on)[0]!)
  })

  it("warns where the host cannot be told to reason", () => {
    assert.deepStrictEqual(warned({ thinking: "high" }, { quirks: { reasoning: "none" } }), ["thinking"])
    assert.deepStrictEqual(warned({ thinking: "off" }, { quirks: { reasoning: "none" } }), ["thinking"])
  })

  it("sends a budget where the host takes one, else the level it comes to, with a warning", () => {
    const thinking = { budgetTokens: 8000 }
    assert.deepInclude(body({ thinking }, { quirks: { reasoning: "reasoning" } }), { reasoning: { max_tokens: 8000 } })
    assert.deepInclude(body({ thinking }, { quirks: { reasoning: "enable_thinking" } }), { thinking_budget: 8000 })
    assert.deepInclude(body({ thinking }, { quirks: { reasoning: "thinking", thinkingBudget: true } }), {
      thinking: { type: "enabled", budget_tokens: 8000 }
    })
    assert.deepInclude(body({ thinking }), { reasoning_effort: "medium" })
    assert.deepStrictEqual(warned({ thinking }), ["thinking"])
  })

  it("sends an effort beside the switch where the host takes both", () => {
    assert.deepInclude(body({ thinking: "high" }, { quirks: { reasoning: "thinking", effortBesideSwitch: true } }), {
      thinking: { type: "enabled" },
      reasoning_effort: "high"
    })
  })

  it("rounds levels down to the model's own, with a warning", () => {
    const meta: ModelMeta = { provider: "x", id: "y", capabilities: {}, thinkingLevels: { low: "lo", high: "hi" } }
    assert.deepInclude(body({ thinking: "medium" }, { meta }), { reasoning_effort: "lo" })
    assert.deepInclude(body({ thinking: "max" }, { meta }), { reasoning_effort: "hi" })
    assert.deepInclude(body({ thinking: "minimal" }, { meta }), { reasoning_effort: "lo" })
    assert.deepStrictEqual(warned({ thinking: "medium" }, { meta }), ["thinking"])
    assert.deepStrictEqual(warned({ thinking: "high" }, { meta }), [])
  })

  it("leaves the option out for a model that does not reason", () => {
    const meta: ModelMeta = { provider: "x", id: "y", capabilities: { reasoning: false } }
    assert.notProperty(body({ thinking: "high" }, { meta }), "reasoning_effort")
    assert.deepStrictEqual(warned({ thinking: "high" }, { meta }), ["thinking"])
  })

  const thought: Message.ReasoningPart = { type: "reasoning", text: "Hm.", origin }
  const history = [Message.user("Hi"), Message.assistant([thought, Message.text("Yes.")]), Message.user("Go on")]

  it.each<[OpenAiChat.ReasoningReplay, object]>([
    ["none", { content: "Yes." }],
    ["reasoning_content", { content: "Yes.", reasoning_content: "Hm." }],
    ["reasoning_content_always", { content: "Yes.", reasoning_content: "Hm." }],
    ["reasoning", { content: "Yes.", reasoning: "Hm." }],
    ["thinking_parts", {
      content: [{ type: "thinking", thinking: [{ type: "text", text: "Hm." }] }, { type: "text", text: "Yes." }]
    }]
  ])("replays reasoning as %s", (reasoningReplay, expected) => {
    assert.deepStrictEqual(messages(history, { reasoningReplay })[1], { role: "assistant", ...expected })
  })

  it("sends empty reasoning on turns without any where the host insists", () => {
    const plain = [Message.user("Hi"), Message.assistant("Yes."), Message.user("Go on")]
    assert.deepInclude(messages(plain, { reasoningReplay: "reasoning_content_always" })[1], { reasoning_content: "" })
    assert.notProperty(messages(plain, { reasoningReplay: "reasoning_content" })[1], "reasoning_content")
  })

  it("replays reasoning details verbatim, and encrypted ones only once", () => {
    const text = { type: "reasoning.text", text: "Hm.", signature: "c2ln", index: 0 }
    const secret = { type: "reasoning.encrypted", data: "ZW5j", id: "rs_1" }
    const parts: ReadonlyArray<Message.Part> = [
      { ...thought, replay: { reasoning_details: [text] } },
      { type: "reasoning", text: "", encrypted: "ZW5j", replay: { reasoning_details: [secret] }, origin },
      Message.text("Yes.")
    ]
    const list = [Message.user("Hi"), Message.assistant(parts), Message.user("And?"), Message.assistant(parts)]
    const [, first, , second] = messages(list, { reasoningReplay: "reasoning_details" })
    assert.deepStrictEqual(first?.["reasoning_details"], [text, secret])
    assert.deepStrictEqual(second?.["reasoning_details"], [text])
  })

  it("does not replay details that another model signed", () => {
    const foreign: Message.ReasoningPart = {
      ...thought,
      replay: { reasoning_details: [{ type: "reasoning.text", text: "Hm." }] },
      origin: { ...origin, model: "bird-2" }
    }
    const list = [Message.user("Hi"), Message.assistant([foreign, Message.text("Yes.")]), Message.user("And?")]
    assert.deepStrictEqual(messages(list, { reasoningReplay: "reasoning_details" })[1], {
      role: "assistant",
      content: "Yes."
    })
  })
})

describe("OpenAI Chat encoder: messages", () => {
  it("gives instructions the host's role", () => {
    for (const systemRole of ["system", "developer", "user"] as const) {
      assert.strictEqual(
        messages([Message.system("Be brief."), Message.user("Hi")], { systemRole })[0]?.["role"],
        systemRole
      )
    }
  })

  it("spells images, files and audio as parts", () => {
    const content = messages([
      Message.user([
        Message.text("See"),
        Message.image(png, { detail: "low" }),
        Message.image({ type: "url", url: "https://birds.example/x.png" }),
        Message.file({ type: "base64", mediaType: "application/pdf", data: "AAEC" }, { filename: "birds.pdf" }),
        Message.file({ type: "file", fileId: "file_1" }),
        Message.audio({ type: "base64", mediaType: "audio/mpeg", data: "AAEC" })
      ])
    ])[0]?.["content"]
    assert.deepStrictEqual(content, [
      { type: "text", text: "See" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAEC", detail: "low" } },
      { type: "image_url", image_url: { url: "https://birds.example/x.png" } },
      { type: "file", file: { filename: "birds.pdf", file_data: "data:application/pdf;base64,AAEC" } },
      { type: "file", file: { file_id: "file_1" } },
      { type: "input_audio", input_audio: { data: "AAEC", format: "mp3" } }
    ])
  })

  it("refuses uploaded files where a host takes their bytes only", () => {
    const asking = (file: Message.FilePart) => ({ messages: [Message.user([file])] })
    const quirks = { files: "file_data" } as const
    assert.property(attempt(asking(Message.file({ type: "file", fileId: "file_1" })), { quirks }), "refused")
    const bytes = Message.file({ type: "base64", mediaType: "application/pdf", data: "AAEC" })
    assert.deepStrictEqual(body(asking(bytes), { quirks }), body(asking(bytes)))
  })

  it("refuses file URLs unless the host takes them", () => {
    const request = { messages: [Message.user([Message.file({ type: "url", url: "https://birds.example/x.pdf" })])] }
    assert.property(attempt(request), "refused")
    assert.notProperty(attempt(request, { quirks: { fileUrls: true } }), "refused")
  })

  it("joins texts where content must be a string, and refuses anything else there", () => {
    const quirks = { contentMustBeString: true }
    const two = [Message.user([Message.text("One"), Message.text("Two")])]
    assert.strictEqual(messages(two, quirks)[0]?.["content"], "One\nTwo")
    assert.property(
      attempt({ messages: [Message.user([Message.text("See"), Message.image(png)])] }, { quirks }),
      "refused"
    )
  })

  it("spells tool calls, results and the content beside them", () => {
    const list = [
      Message.user("Hi"),
      Message.assistant([call("call_a"), call("call_b", { custom: true, arguments: "SELECT 1" })]),
      Message.toolResult({ id: "call_a" }, "ok"),
      Message.toolResult({ id: "call_b" }, [Message.text("a"), Message.text("b")])
    ]
    const [, assistant, first, second] = messages(list)
    assert.deepStrictEqual(assistant, {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "call_a", type: "function", function: { name: "find", arguments: "{\"city\":\"Lille\"}" } },
        { id: "call_b", type: "custom", custom: { name: "find", input: "SELECT 1" } }
      ]
    })
    assert.deepStrictEqual(first, { role: "tool", tool_call_id: "call_a", content: "ok" })
    assert.deepStrictEqual(second?.["content"], [{ type: "text", text: "a" }, { type: "text", text: "b" }])
    assert.strictEqual(messages(list, { emptyContent: "empty" })[1]?.["content"], "")
    assert.notProperty(messages(list, { emptyContent: "omit" })[1], "content")
    assert.strictEqual(messages(list, { toolResultName: true })[2]?.["name"], "find")
    assert.notInclude(JSON.stringify(messages(list, { customTools: false })), "\"custom\"")
  })

  it("rewrites tool call ids to the host's rule, calls and results alike", () => {
    const long = "call_".padEnd(60, "x")
    const list = [Message.user("Hi"), Message.assistant([call(long)]), Message.toolResult({ id: long }, "ok")]
    const idsOf = (quirks?: OpenAiChat.Quirks) => {
      const [, assistant, result] = messages(list, quirks)
      return [
        (assistant?.["tool_calls"] as ReadonlyArray<JsonObject> | undefined)?.[0]?.["id"],
        result?.["tool_call_id"]
      ]
    }
    const [id, answered] = idsOf()
    assert.isAtMost((id as string).length, 40)
    assert.strictEqual(answered, id)
    const [nine, same] = idsOf({ toolCallId: "mistral" })
    assert.match(nine as string, /^[a-zA-Z0-9]{9}$/)
    assert.strictEqual(same, nine)
    assert.deepStrictEqual(idsOf({ toolCallId: "any" }), [long, long])
  })

  it("echoes thought signatures of tool calls to the wire they came from", () => {
    const extra_content = { google: { thought_signature: "c2ln" } }
    const signed = call("call_a", { signature: "c2ln", replay: { extra_content }, origin })
    const list = [Message.user("Hi"), Message.assistant([signed]), Message.toolResult({ id: "call_a" }, "ok")]
    assert.deepInclude((messages(list)[1]?.["tool_calls"] as ReadonlyArray<JsonObject> | undefined)?.[0], {
      extra_content
    })
  })

  it("shows images of tool results in a user message after all results", () => {
    const list = [
      Message.user("Hi"),
      Message.assistant([call("call_a"), call("call_b")]),
      Message.toolResult({ id: "call_a" }, [Message.text("Seen"), Message.image(png)]),
      Message.toolResult({ id: "call_b" }, "ok")
    ]
    const sent = messages(list)
    assert.deepStrictEqual(sent.map((message) => message["role"]), ["user", "assistant", "tool", "tool", "user"])
    assert.include(JSON.stringify(sent[4]), "data:image/png;base64,AAEC")
    assert.notInclude(JSON.stringify(sent[2]), "AAEC")
    const text = encode({ messages: list }, { quirks: { contentMustBeString: true } })
    assert.include(text.warnings.map((warning) => warning.field), "messages")
  })

  it("puts an assistant turn between tool results and the user where the host insists", () => {
    const list = [
      Message.user("Hi"),
      Message.assistant([call("call_a")]),
      Message.toolResult({ id: "call_a" }, "ok"),
      Message.user("And?")
    ]
    assert.deepStrictEqual(messages(list, { assistantAfterTool: true }).map((message) => message["role"]), [
      "user",
      "assistant",
      "tool",
      "assistant",
      "user"
    ])
  })

  it("leaves out images of assistant turns with a warning, and keeps what was said", () => {
    const list = [
      Message.user("Draw"),
      Message.assistant([Message.text("Here."), Message.image(png), { ...Message.audio(png), transcript: " Tweet." }]),
      Message.user("Again")
    ]
    const encoded = encode({ messages: list })
    assert.deepStrictEqual((encoded.body["messages"] as ReadonlyArray<JsonObject>)[1], {
      role: "assistant",
      content: "Here. Tweet."
    })
    assert.deepStrictEqual(encoded.warnings.map((warning) => warning.field), ["messages"])
  })
})

describe("OpenAI Chat encoder: prompt caching", () => {
  const cached = [Message.system("Long."), Message.user("Hi").pipe(Message.cacheableExtended)]

  it("sends the cache key where it is known", () => {
    assert.deepInclude(body({ cache: { key: "birds" } }), { prompt_cache_key: "birds" })
    assert.notProperty(body({ cache: { key: "birds" } }, { quirks: { promptCacheKey: false } }), "prompt_cache_key")
    assert.deepInclude(body({ cache: { extendedTtl: true } }, { quirks: { promptCacheRetention: true } }), {
      prompt_cache_retention: "24h"
    })
  })

  it("marks parts, tools and turns on hosts with breakpoints", () => {
    const quirks = { cacheControl: true }
    assert.deepStrictEqual(messages(cached, quirks)[1]?.["content"], [
      { type: "text", text: "Hi", cache_control: { type: "ephemeral", ttl: "1h" } }
    ])
    const encoded = body(
      {
        system: "Long.",
        tools: [find, { ...find, name: "ant" }],
        cache: { systemPrompt: true, tools: true, recentTurns: 1 }
      },
      { quirks }
    )
    const tools = encoded["tools"] as ReadonlyArray<{ readonly function: { readonly name: string } }>
    assert.deepStrictEqual(tools.map((tool) => tool.function.name), ["ant", "find"])
    assert.deepInclude(tools[1] as object, { cache_control: { type: "ephemeral" } })
    assert.strictEqual(JSON.stringify(encoded).split("cache_control").length, 4)
  })

  it("marks a tool of the host's own without touching what the caller gave", () => {
    const own = LlmTool.provider("zebra", Object.freeze({ type: "zebra" }))
    const encoded = body({ prompt: "Hi", tools: [own, find], cache: { tools: true } }, {
      quirks: { cacheControl: true }
    })
    assert.deepStrictEqual((encoded["tools"] as ReadonlyArray<unknown>)[1], {
      type: "zebra",
      cache_control: { type: "ephemeral" }
    })
    assert.deepStrictEqual(own.definition, { type: "zebra" })
  })

  it("moves a mark from an image to the text before it where only text can be marked", () => {
    const image = Message.image({ type: "base64", mediaType: "image/png", data: "AAEC" })
    const marked = (...parts: ReadonlyArray<Message.TextPart | Message.ImagePart>) =>
      encode({ messages: [Message.user([...parts])], cache: { recentTurns: 1 } }, { quirks: { cacheControl: "text" } })
    const moved = marked(Message.text("See"), image)
    assert.deepStrictEqual((moved.body["messages"] as ReadonlyArray<JsonObject>)[0]?.["content"], [
      { type: "text", text: "See", cache_control: { type: "ephemeral" } },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAEC" } }
    ])
    assert.deepStrictEqual(moved.warnings.map((warning) => warning.field), ["cache"])
    const lost = marked(image)
    assert.notInclude(JSON.stringify(lost.body), "cache_control")
    assert.deepStrictEqual(lost.warnings.map((warning) => warning.field), ["cache"])
    assert.deepStrictEqual(marked(image, Message.text("See")).warnings, [])
  })

  it("warns on hosts without breakpoints", () => {
    const encoded = encode({ messages: cached })
    assert.deepStrictEqual(encoded.warnings.map((warning) => warning.field), ["cache"])
    assert.notInclude(JSON.stringify(encoded.body), "cache_control")
  })
})
