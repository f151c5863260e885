import { assert, describe, it } from "@effect/vitest"
import type { LlmRequest, RequestOptions } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import type { JsonObject } from "../../src/Message.ts"
import type { ModelMeta } from "../../src/Model.ts"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import type { Encoded, EncodeInput } from "../../src/protocol/Protocol.ts"
import { encoderOf } from "../encoding.ts"
import { replay } from "./wire-replay.ts"

const { answer } = replay("anthropic-messages", AnthropicMessages.make(), "anthropic")

const attempt = (request: LlmRequest, quirks?: AnthropicMessages.Quirks, more?: Partial<EncodeInput>) =>
  encoderOf(AnthropicMessages.make(quirks))({
    request,
    model: "claude-test-1",
    stream: false,
    provider: "anthropic",
    ...more
  })

const encode = (request: LlmRequest, quirks?: AnthropicMessages.Quirks, more?: Partial<EncodeInput>): Encoded => {
  const encoded = attempt(request, quirks, more)
  if ("refused" in encoded) throw new Error(encoded.refused.message)
  return encoded
}

const body = (request: LlmRequest, quirks?: AnthropicMessages.Quirks, more?: Partial<EncodeInput>): JsonObject =>
  encode(request, quirks, more).body

const say = (options: RequestOptions): LlmRequest => ({ prompt: "Hi", ...options })
const asking = (...messages: ReadonlyArray<Message.Message>): LlmRequest => ({ messages })
const hi = { role: "user", content: [{ type: "text", text: "Hi" }] }
const fields = (encoded: Encoded) => encoded.warnings.map((warning) => warning.field)

const meta = (more: Partial<ModelMeta>): { readonly meta: ModelMeta } => ({
  meta: { provider: "anthropic", id: "claude-test-1", capabilities: {}, ...more }
})
const adaptive = meta({ maxOutputTokens: 64_000, thinkingLevels: { low: "low", high: "high", max: "max" } })

const weigh = LlmTool.make("weigh", {
  description: "Weighs an item",
  parameters: { type: "object", properties: { item: { type: "string" } }, required: ["item"] }
})
const bell = LlmTool.make("bell", {})

describe("Anthropic Messages encoder: messages", () => {
  it("spells a prompt with the model and a default token limit", () => {
    const encoded = encode({ prompt: "Hi" })
    assert.strictEqual(encoded.path, "/messages")
    assert.deepStrictEqual(encoded.body, { model: "claude-test-1", max_tokens: 8192, messages: [hi] })
    assert.deepStrictEqual(encoded.warnings, [])
  })

  it("asks for a stream only when streaming", () => {
    assert.strictEqual(body({ prompt: "Hi" }, {}, { stream: true })["stream"], true)
    assert.isFalse("stream" in body({ prompt: "Hi" }))
  })

  it("takes the token limit from the request, the model, or the quirk, in this order", () => {
    const known = meta({ maxOutputTokens: 5000 })
    assert.strictEqual(body(say({ maxTokens: 77 }), {}, known)["max_tokens"], 77)
    assert.strictEqual(body(say({}), {}, known)["max_tokens"], 5000)
    assert.strictEqual(body(say({}), { defaultMaxTokens: 123 })["max_tokens"], 123)
    assert.strictEqual(body(say({ maxTokens: 9999 }), {}, known)["max_tokens"], 5000)
  })

  it("hoists leading system turns to an array of text blocks and keeps later ones as user text", () => {
    const made = body({
      system: "Be brief.",
      messages: [
        Message.system("Be kind."),
        Message.user("Hi"),
        Message.assistant("Hello"),
        Message.system("The shop is closed."),
        Message.user("Open?")
      ]
    })
    assert.deepStrictEqual(made["system"], [{ type: "text", text: "Be brief." }, { type: "text", text: "Be kind." }])
    assert.deepStrictEqual(made["messages"], [
      hi,
      { role: "assistant", content: [{ type: "text", text: "Hello" }] },
      { role: "user", content: [{ type: "text", text: "The shop is closed." }, { type: "text", text: "Open?" }] }
    ])
  })

  it("merges neighbours of one role and drops text without content", () => {
    const made = body(asking(
      Message.user("Hi"),
      Message.user([Message.text(""), Message.text(" \n"), Message.text("there")]),
      Message.assistant(""),
      Message.user("again")
    ))
    assert.deepStrictEqual(made["messages"], [{
      role: "user",
      content: [{ type: "text", text: "Hi" }, { type: "text", text: "there" }, { type: "text", text: "again" }]
    }])
  })

  it("refuses messages that hold nothing to send", () => {
    assert.isTrue("refused" in attempt(asking(Message.user(" "))))
  })

  it("puts tool results first in the user turn, as user content", () => {
    const call = { type: "tool-call", id: "toolu_1", name: "weigh", arguments: { item: "rye" } } as const
    const made = body(asking(
      Message.user("Hi"),
      Message.assistant([Message.text("Weighing."), call]),
      Message.toolResult(call, "250 g"),
      Message.user("And?")
    ))
    assert.deepStrictEqual((made["messages"] as ReadonlyArray<JsonObject>).slice(1), [
      {
        role: "assistant",
        content: [
          { type: "text", text: "Weighing." },
          { type: "tool_use", id: "toolu_1", name: "weigh", input: { item: "rye" } }
        ]
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_1", content: "250 g" },
          { type: "text", text: "And?" }
        ]
      }
    ])
  })

  it("declares the tools of the history where the request has none, and lets the model call none of them", () => {
    const call = (id: string, name: string) => ({ type: "tool-call", id, name, arguments: {} }) as const
    const made = encode(asking(
      Message.user("Hi"),
      Message.assistant([call("a", "weigh"), call("b", "bell"), call("c", "weigh")]),
      Message.toolResult(call("a", "weigh"), "250 g"),
      Message.toolResult(call("b", "bell"), "ding"),
      Message.toolResult(call("c", "weigh"), "2 kg")
    ))
    assert.deepStrictEqual(made.body["tools"], [
      { name: "bell", input_schema: { type: "object" } },
      { name: "weigh", input_schema: { type: "object" } }
    ])
    assert.deepStrictEqual(made.body["tool_choice"], { type: "none" })
    assert.deepStrictEqual(fields(made), ["tools"])
  })

  it("rewrites tool ids to the API's rule, alike in call and result", () => {
    const call = { type: "tool-call", id: "fc:1/ü", name: "bell", arguments: {} } as const
    const made = JSON.stringify(body(asking(
      Message.user("Hi"),
      Message.assistant([call, { ...call, id: "fc:1/ö" }, { ...call, id: "x".repeat(80) }]),
      Message.tool([
        { type: "tool-result", toolCallId: "fc:1/ü", content: "a" },
        { type: "tool-result", toolCallId: "fc:1/ö", content: "b" },
        { type: "tool-result", toolCallId: "x".repeat(80), content: "c" }
      ])
    )))
    const used = [...made.matchAll(/"id":"([^"]*)"/g)].map(([, id]) => id!)
    const answered = [...made.matchAll(/"tool_use_id":"([^"]*)"/g)].map(([, id]) => id!)
    assert.deepStrictEqual(used, answered)
    assert.strictEqual(new Set(used).size, 3)
    for (const id of used) assert.match(id, /^[a-zA-Z0-9_-]{1,64}$/)
  })

  it("gives string and list arguments of other wires as an object", () => {
    const made = JSON.stringify(body(asking(
      Message.user("Hi"),
      Message.assistant([{ type: "tool-call", id: "a", name: "sql", arguments: "select 1", custom: true }]),
      Message.toolResult({ id: "a" }, "1")
    )))
    assert.include(made, `"input":{"input":"select 1"}`)
  })

  it("trims whitespace at the end of a final assistant message", () => {
    const encoded = encode(asking(Message.user("Hi"), Message.assistant("The answer is: ")))
    assert.include(JSON.stringify(encoded.body), `"The answer is:"`)
    assert.deepStrictEqual(fields(encoded), ["messages"])
  })
})

describe("Anthropic Messages encoder: media", () => {
  it("spells images from base64, a URL and a file", () => {
    const made = body(asking(Message.user([
      Message.image({ type: "base64", mediaType: "image/jpg", data: "aGk=" }),
      Message.image({ type: "url", url: "https://pictures.example/a.png" }),
      Message.image({ type: "file", fileId: "file_1" })
    ])))
    assert.deepStrictEqual(made["messages"], [{
      role: "user",
      content: [
        { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "aGk=" } },
        { type: "image", source: { type: "url", url: "https://pictures.example/a.png" } },
        { type: "image", source: { type: "file", file_id: "file_1" } }
      ]
    }])
  })

  it("spells PDF, text, URL and uploaded documents, with titles and citations", () => {
    const made = body(asking(Message.user([
      Message.file({ type: "base64", mediaType: "application/pdf", data: "aGk=" }, {
        filename: "a.pdf",
        citations: true
      }),
      Message.file({ type: "base64", mediaType: "text/markdown", data: "w7xiZXI=" }),
      Message.file({ type: "url", url: "https://papers.example/a.pdf" }),
      Message.file({ type: "file", fileId: "file_1" })
    ])))
    assert.deepStrictEqual(made["messages"], [{
      role: "user",
      content: [
        {
          type: "document",
          source: { type: "base64", media_type: "application/pdf", data: "aGk=" },
          title: "a.pdf",
          citations: { enabled: true }
        },
        { type: "document", source: { type: "text", media_type: "text/plain", data: "über" } },
        { type: "document", source: { type: "url", url: "https://papers.example/a.pdf" } },
        { type: "document", source: { type: "file", file_id: "file_1" } }
      ]
    }])
  })

  it("refuses audio and formats the API does not take", () => {
    const sound = Message.audio({ type: "base64", mediaType: "audio/wav", data: "aGk=" })
    const bitmap = Message.image({ type: "base64", mediaType: "image/bmp", data: "aGk=" })
    const archive = Message.file({ type: "base64", mediaType: "application/zip", data: "aGk=" })
    for (const part of [sound, bitmap, archive]) assert.isTrue("refused" in attempt(asking(Message.user([part]))))
  })

  it("replaces images in the result of a failed call by text, with a warning", () => {
    const call = { type: "tool-call", id: "toolu_1", name: "look", arguments: {} } as const
    const picture = Message.image({ type: "base64", mediaType: "image/png", data: "aGk=" })
    const result = (isError: boolean) =>
      encode(asking(
        Message.user("Hi"),
        Message.assistant([call]),
        Message.toolResult(call, [Message.text("Seen"), picture], { isError })
      ))
    const failed = result(true)
    assert.deepStrictEqual((failed.body["messages"] as ReadonlyArray<JsonObject>)[2], {
      role: "user",
      content: [{
        type: "tool_result",
        tool_use_id: "toolu_1",
        content: [{ type: "text", text: "Seen" }, { type: "text", text: "[image left out]" }],
        is_error: true
      }]
    })
    assert.deepStrictEqual(fields(failed), ["messages", "tools"])
    assert.include(JSON.stringify(result(false).body), `"media_type":"image/png"`)
  })
})

describe("Anthropic Messages encoder: replay", () => {
  const replayed = (name: string, quirks?: AnthropicMessages.Quirks, more?: Partial<EncodeInput>) =>
    (body(
      asking(Message.user("Hi"), answer(name).message, Message.user("Go on")),
      quirks,
      more
    )["messages"] as ReadonlyArray<
      { readonly content: ReadonlyArray<JsonObject> }
    >)[1]?.content

  it("replays signed and redacted thinking to the provider that made it", () => {
    assert.deepStrictEqual(replayed("thinking")?.[0], {
      type: "thinking",
      thinking: "Flour first, then water.",
      signature: "c2lnbmVk"
    })
    assert.deepStrictEqual(replayed("redacted-thinking")?.[0], { type: "redacted_thinking", data: "b3BhcXVl" })
  })

  it("drops thinking of another provider unless the quirk accepts its signatures", () => {
    const elsewhere = { provider: "elsewhere" }
    assert.deepStrictEqual(replayed("thinking", {}, elsewhere), [{ type: "text", text: "Mix." }])
    assert.strictEqual(replayed("thinking", { reasoningFrom: ["anthropic"] }, elsewhere)?.length, 2)
  })

  it("drops unsigned thinking unless the host allows empty signatures", () => {
    assert.deepStrictEqual(replayed("empty-signature"), [{ type: "text", text: "Yes." }])
    assert.deepStrictEqual(replayed("empty-signature", { allowEmptySignature: true })?.[0], {
      type: "thinking",
      thinking: "Hm.",
      signature: ""
    })
  })

  it("replays server-tool blocks unchanged and citations with their text", () => {
    const content = replayed("server-tools")!
    assert.deepStrictEqual(content[0], {
      type: "server_tool_use",
      id: "srvtoolu_1",
      name: "web_search",
      input: { query: "rye" }
    })
    assert.strictEqual(content[1]?.["type"], "web_search_tool_result")
    assert.lengthOf(content[2]?.["citations"] as ReadonlyArray<unknown>, 2)
    assert.deepStrictEqual(replayed("compaction")?.[0], {
      type: "compaction",
      content: "They bake bread.",
      encrypted_content: "ZW5j"
    })
  })
})

describe("Anthropic Messages encoder: tools", () => {
  it("spells tools, strictness and the choice among them", () => {
    const made = body(
      say({ tools: [weigh, { ...bell, strict: true }], toolChoice: { name: "bell" }, parallelToolCalls: false })
    )
    assert.deepStrictEqual(made["tools"], [
      { name: "bell", input_schema: { type: "object", properties: {}, additionalProperties: false }, strict: true },
      {
        name: "weigh",
        description: "Weighs an item",
        input_schema: { type: "object", properties: { item: { type: "string" } }, required: ["item"] }
      }
    ])
    assert.deepStrictEqual(made["tool_choice"], { type: "tool", name: "bell", disable_parallel_tool_use: true })
  })

  it("maps every tool choice", () => {
    const choice = (options: RequestOptions) => body(say({ tools: [bell], ...options }))["tool_choice"]
    assert.isUndefined(choice({}))
    assert.deepStrictEqual(choice({ toolChoice: "auto" }), { type: "auto" })
    assert.deepStrictEqual(choice({ toolChoice: "required" }), { type: "any" })
    assert.deepStrictEqual(choice({ toolChoice: "none", parallelToolCalls: false }), { type: "none" })
    assert.deepStrictEqual(choice({ parallelToolCalls: false }), { type: "auto", disable_parallel_tool_use: true })
    assert.isUndefined(body(say({ toolChoice: "auto" }))["tool_choice"])
  })

  it("passes provider tools unchanged and refuses free-form tools", () => {
    const search = LlmTool.provider("web_search", { type: "web_search_20250305", name: "web_search", max_uses: 2 })
    assert.deepStrictEqual(body(say({ tools: [search] }))["tools"], [search.definition])
    assert.isTrue("refused" in attempt(say({ tools: [LlmTool.custom("sql")] })))
  })
})

describe("Anthropic Messages encoder: caching", () => {
  const mark = { type: "ephemeral" }
  const hour = { type: "ephemeral", ttl: "1h" }
  const marksOf = (made: JsonObject): ReadonlyArray<unknown> =>
    [...JSON.stringify(made).matchAll(/"cache_control":(\{[^}]*\})/g)].map(([, json]) => JSON.parse(json!))
  const talk = [
    Message.user("One"),
    Message.assistant("Two"),
    Message.user("Three"),
    Message.assistant("Four"),
    Message.user("Five")
  ]

  it("marks the system prompt, the last tool by name and the last user turns", () => {
    const made = body({
      system: "Be brief.",
      messages: talk,
      tools: [weigh, bell],
      cache: { systemPrompt: true, tools: true, recentTurns: 2 }
    })
    assert.deepStrictEqual(made["system"], [{ type: "text", text: "Be brief.", cache_control: mark }])
    const tools = made["tools"] as ReadonlyArray<JsonObject>
    assert.deepStrictEqual(tools.map((tool) => [tool["name"], tool["cache_control"]]), [["bell", undefined], [
      "weigh",
      mark
    ]])
    assert.deepStrictEqual(
      (made["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>).map((one) =>
        one.content[0]?.["cache_control"]
      ),
      [undefined, undefined, mark, undefined, mark]
    )
  })

  it("keeps entries for an hour when asked", () => {
    assert.deepStrictEqual(
      marksOf(body({ system: "S", messages: talk, cache: { systemPrompt: true, extendedTtl: true } })),
      [
        hour
      ]
    )
  })

  it("places breakpoints of messages and parts", () => {
    const made = body(asking(
      Message.user([Message.text("a", { cacheControl: "extended" }), Message.text("b")]),
      Message.assistant("c"),
      Message.user("d").pipe(Message.cacheable)
    ))
    assert.deepStrictEqual(marksOf(made), [hour, mark])
  })

  it("sends at most four breakpoints, the latest of the messages, with a warning", () => {
    const encoded = encode({
      system: "S",
      messages: ["a", "b", "c", "d"].flatMap((
        text
      ) => [Message.user(text).pipe(Message.cacheable), Message.assistant("ok")]),
      tools: [bell],
      cache: { systemPrompt: true, tools: true }
    })
    assert.strictEqual(marksOf(encoded.body).length, 4)
    const messages = encoded.body["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>
    assert.deepStrictEqual(
      messages.flatMap((one) => one.content[0]?.["cache_control"] === undefined ? [] : [one.content[0]["text"]]),
      [
        "c",
        "d"
      ]
    )
    assert.deepStrictEqual(fields(encoded), ["cache"])
  })

  it("raises a 5-minute breakpoint that stands before a 1-hour one", () => {
    const encoded = encode(asking(
      Message.user("a").pipe(Message.cacheable),
      Message.assistant("b"),
      Message.user("c").pipe(Message.cacheableExtended)
    ))
    assert.deepStrictEqual(marksOf(encoded.body), [hour, hour])
    assert.deepStrictEqual(fields(encoded), ["cache"])
  })

  it("never marks thinking, and leaves breakpoints out where a host has none", () => {
    const request = asking(
      Message.user("Hi"),
      answer("thinking").message,
      Message.user("Go on").pipe(Message.cacheable)
    )
    const messages = body(request)["messages"] as ReadonlyArray<{ content: ReadonlyArray<JsonObject> }>
    assert.isUndefined(messages[1]?.content[0]?.["cache_control"])
    const plain = encode(request, { promptCaching: false })
    assert.deepStrictEqual(marksOf(plain.body), [])
    assert.deepStrictEqual(fields(plain), ["cache"])
    assert.deepStrictEqual(
      marksOf(
        body({ system: "S", messages: talk, cache: { systemPrompt: true, extendedTtl: true } }, {
          extendedCacheTtl: false
        })
      ),
      [mark]
    )
  })
})

describe("Anthropic Messages encoder: thinking and effort", () => {
  const levels = [["minimal", 1024], ["low", 4096], ["medium", 10_000], ["high", 32_000]] as const
  it.each(levels)("gives level %s a budget of %d tokens", (thinking, budget) => {
    const made = body(say({ thinking }), {}, meta({ maxOutputTokens: 64_000 }))
    assert.deepStrictEqual(made["thinking"], { type: "enabled", budget_tokens: budget })
    assert.strictEqual(made["max_tokens"], 64_000)
  })

  it("keeps max_tokens above the budget", () => {
    for (const maxTokens of [undefined, 1, 1024, 2048, 5000, 40_000]) {
      for (const thinking of ["minimal", "high", "max", { budgetTokens: 9000 }] as const) {
        for (const known of [undefined, 4096, 64_000]) {
          const limit = known === undefined ? {} : meta({ maxOutputTokens: known })
          const made = body(say({ thinking, ...(maxTokens === undefined ? {} : { maxTokens }) }), {}, limit)
          const sent = made["thinking"] as { readonly budget_tokens: number }
          assert.isAtLeast(sent.budget_tokens, 1024)
          assert.isBelow(sent.budget_tokens, made["max_tokens"] as number)
          if (known !== undefined) assert.isAtMost(made["max_tokens"] as number, known)
        }
      }
    }
  })

  it("lowers a level's budget to what the request's limit leaves, and raises the limit for an exact budget", () => {
    const level = encode(say({ thinking: "high", maxTokens: 5000 }))
    assert.deepStrictEqual(level.body["thinking"], { type: "enabled", budget_tokens: 3976 })
    assert.strictEqual(level.body["max_tokens"], 5000)
    assert.deepStrictEqual(fields(level), ["thinking"])
    const exact = encode(say({ thinking: { budgetTokens: 9000 }, maxTokens: 5000 }))
    assert.deepStrictEqual(exact.body["thinking"], { type: "enabled", budget_tokens: 9000 })
    assert.strictEqual(exact.body["max_tokens"], 14_000)
    assert.deepStrictEqual(fields(exact), ["maxTokens"])
  })

  it("thinks adaptively, by effort, on models that have levels", () => {
    const made = body(say({ thinking: "high" }), {}, adaptive)
    assert.deepStrictEqual(made["thinking"], { type: "adaptive" })
    assert.deepStrictEqual(made["output_config"], { effort: "high" })
    assert.deepStrictEqual(body(say({ thinking: "low" }), { thinking: "adaptive" })["thinking"], { type: "adaptive" })
  })

  it("rounds a level the model lacks down, with a warning", () => {
    const encoded = encode(say({ thinking: "medium" }), {}, adaptive)
    assert.deepStrictEqual(encoded.body["output_config"], { effort: "low" })
    assert.deepStrictEqual(fields(encoded), ["thinking"])
    assert.deepStrictEqual(
      encode(say({ thinking: "xhigh" }), {}, meta({ thinkingLevels: { max: "max" } })).body["output_config"],
      { effort: "high" }
    )
  })

  it("turns a budget into an effort where the model takes none", () => {
    const encoded = encode(say({ thinking: { budgetTokens: 40_000 } }), {}, adaptive)
    assert.deepStrictEqual(encoded.body["thinking"], { type: "adaptive" })
    assert.deepStrictEqual(encoded.body["output_config"], { effort: "high" })
    assert.deepStrictEqual(fields(encoded), ["thinking"])
  })

  it("turns thinking off, and says nothing of it when not asked", () => {
    assert.deepStrictEqual(body(say({ thinking: "off" }))["thinking"], { type: "disabled" })
    assert.isUndefined(body(say({}))["thinking"])
  })

  it("leaves thinking out where the model has none, and beside a forced tool call", () => {
    const none = encode(say({ thinking: "low" }), {}, meta({ capabilities: { reasoning: false } }))
    const forced = encode(say({ thinking: "low", tools: [bell], toolChoice: "required" }))
    for (const encoded of [none, forced]) {
      assert.isUndefined(encoded.body["thinking"])
      assert.deepStrictEqual(fields(encoded), ["thinking"])
    }
  })

  it("sends effort apart from thinking", () => {
    const made = body(say({ effort: "medium" }))
    assert.deepStrictEqual(made["output_config"], { effort: "medium" })
    assert.isUndefined(made["thinking"])
  })

  it("drops temperature, topK and a low topP with a warning while the model thinks", () => {
    const encoded = encode(say({ thinking: "low", temperature: 0.2, topK: 5, topP: 0.5 }))
    for (const key of ["temperature", "top_k", "top_p"]) assert.isFalse(key in encoded.body)
    assert.deepStrictEqual(fields(encoded).toSorted(), ["temperature", "topK", "topP"])
  })
})

describe("Anthropic Messages encoder: other options", () => {
  it("spells sampling and stop sequences", () => {
    const made = body(say({ temperature: 0.5, topK: 40, stop: ["END", "\n"] }))
    assert.strictEqual(made["temperature"], 0.5)
    assert.strictEqual(made["top_k"], 40)
    assert.deepStrictEqual(made["stop_sequences"], ["END"])
    assert.strictEqual(body(say({ topP: 0.9 }))["top_p"], 0.9)
  })

  it("lowers a temperature above the host's highest and drops topP beside it, with warnings", () => {
    const encoded = encode(say({ temperature: 1.7, topP: 0.9 }))
    assert.strictEqual(encoded.body["temperature"], 1)
    assert.isFalse("top_p" in encoded.body)
    assert.deepStrictEqual(fields(encoded), ["temperature", "topP"])
    assert.strictEqual(body(say({ temperature: 0.1, topP: 0.9 }), { topPWithTemperature: true })["top_p"], 0.9)
  })

  it("warns of options this wire lacks and sends no metadata", () => {
    const encoded = encode(say({
      seed: 1,
      logprobs: true,
      frequencyPenalty: 1,
      presencePenalty: 1,
      metadata: { team: "bakery" },
      scope: { userId: "u1" },
      cache: { key: "k" }
    }))
    assert.deepStrictEqual(Object.keys(encoded.body).toSorted(), ["max_tokens", "messages", "model"])
    assert.deepStrictEqual(fields(encoded).toSorted(), [
      "cache.key",
      "frequencyPenalty",
      "logprobs",
      "presencePenalty",
      "seed"
    ])
  })

  it("asks for structured output with a schema the API takes", () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {
        grams: { type: "integer", minimum: 1, description: "Weight" },
        when: { type: "string", format: "date" },
        kinds: { type: "array", items: { oneOf: [{ type: "string", maxLength: 3 }, { type: "null" }] }, minItems: 2 }
      },
      required: ["grams"]
    }
    const made = body(say({ responseFormat: { type: "json-schema", schema }, effort: "low" }))
    assert.deepStrictEqual(made["output_config"], {
      effort: "low",
      format: {
        type: "json_schema",
        schema: {
          type: "object",
          properties: {
            grams: { type: "integer", description: "Weight\nMust hold: minimum: 1." },
            when: { type: "string", format: "date" },
            kinds: {
              type: "array",
              items: { type: ["string", "null"], description: "Must hold: maxLength: 3." },
              description: "Must hold: minItems: 2."
            }
          },
          required: ["grams"],
          additionalProperties: false
        }
      }
    })
  })

  it("emulates JSON mode, and structured output where a host has none, by an instruction with a warning", () => {
    const json = encode(say({ system: "Be brief.", responseFormat: { type: "json" }, cache: { systemPrompt: true } }))
    const system = json.body["system"] as ReadonlyArray<JsonObject>
    assert.strictEqual(system.length, 2)
    assert.isDefined(system[0]?.["cache_control"])
    assert.deepStrictEqual(fields(json), ["responseFormat"])
    const told = encode(
      say({ responseFormat: { type: "json-schema", schema: { type: "object", title: "Loaf" } } }),
      { structuredOutput: false }
    )
    assert.include(JSON.stringify(told.body["system"]), "Loaf")
    assert.isUndefined(told.body["output_config"])
    assert.deepStrictEqual(fields(told), ["responseFormat"])
  })

  it("posts to the path of the quirk", () => {
    assert.strictEqual(encode({ prompt: "Hi" }, { path: "/v1/messages" }).path, "/v1/messages")
  })
})
