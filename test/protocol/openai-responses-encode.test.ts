import { assert, describe, it } from "@effect/vitest"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import type { JsonObject } from "../../src/Message.ts"
import * as Message from "../../src/Message.ts"
import type { ModelMeta } from "../../src/Model.ts"
import { familyFacts } from "../../src/model/families.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import type { Encoded, EncodeInput } from "../../src/protocol/Protocol.ts"
import { validate } from "../../src/protocol/responses/server/Validation.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import { encoderOf, spelled } from "../encoding.ts"
import { replay } from "./wire-replay.ts"

const { answer, bodies, stream, streams, whole } = replay("openai-responses", OpenAiResponses.make(), "openai")

const model = "gpt-5-test"

/** What is known of a model's capabilities by its family. */
const factsOf = (id: string): ModelMeta => ({
  provider: "openai",
  id,
  capabilities: familyFacts("openai", id)?.capabilities ?? {}
})

const run = (request: LlmRequest, more: Partial<EncodeInput> = {}, quirks?: OpenAiResponses.Quirks) =>
  encoderOf(OpenAiResponses.make(quirks))({
    request,
    model,
    stream: false,
    provider: "openai",
    meta: factsOf(more.model ?? model),
    ...more
  })

const encode = (request: LlmRequest, more?: Partial<EncodeInput>, quirks?: OpenAiResponses.Quirks): Encoded => {
  const encoded = run(request, more, quirks)
  if ("refused" in encoded) throw new Error(encoded.refused.message)
  return encoded
}

const body = (request: LlmRequest, more?: Partial<EncodeInput>, quirks?: OpenAiResponses.Quirks) =>
  encode(request, more, quirks).body

const input = (messages: ReadonlyArray<Message.Message>, more?: Partial<EncodeInput>) =>
  body({ messages }, more)["input"]

const refusal = (request: LlmRequest, quirks?: OpenAiResponses.Quirks) => {
  const encoded = run(request, {}, quirks)
  return "refused" in encoded ? encoded.refused.field : undefined
}

const warned = (request: LlmRequest, quirks?: OpenAiResponses.Quirks) =>
  encode(request, {}, quirks).warnings.map((warning) => warning.field)

const prompt = "Bake bread."
const user = Message.user(prompt)
const origin = { wire: "openai-responses", provider: "openai", model }
const bake = LlmTool.make("bake", {
  description: "Bakes",
  parameters: { type: "object", properties: { minutes: { type: "number" } }, required: ["minutes"] }
})
const note = { type: "custom", name: "note", description: "Notes" } as const
const search = { type: "provider", name: "web_search", definition: { type: "web_search" } } as const

describe("OpenAI Responses encoder: body", () => {
  it("asks for an answer that is not stored, with encrypted reasoning", () => {
    assert.deepStrictEqual(encode({ prompt }), {
      path: "/responses",
      body: {
        model,
        input: [{ role: "user", content: prompt }],
        stream: false,
        store: false,
        include: ["reasoning.encrypted_content"]
      },
      warnings: []
    })
  })

  it("asks for encrypted reasoning only of models that reason", () => {
    const include = (model: string, more: Partial<LlmRequest> = {}) =>
      body({ prompt, ...more } as LlmRequest, { model })["include"]
    for (const name of ["gpt-4.1", "gpt-4o-mini", "gpt-5-chat-latest", "my-deployment"]) {
      assert.isUndefined(include(name))
    }
    for (const name of ["o4-mini", "gpt-5.4", "openai/gpt-5-nano", "openai.gpt-5.6", "codex-mini"]) {
      assert.deepStrictEqual(include(name), ["reasoning.encrypted_content"])
    }
    assert.deepStrictEqual(include("my-deployment", { thinking: "low" }), ["reasoning.encrypted_content"])
    // Whatever it is called: what an application says of its deployment holds.
    const deployed = { provider: "azure", id: "gpt-4.1", capabilities: { reasoning: true } }
    assert.isDefined(body({ prompt }, { model: "gpt-4.1", meta: deployed })["include"])
    assert.isUndefined(body({ prompt }, { model: "o4-mini", meta: undefined })["include"])
    assert.isUndefined(body({ prompt, providerOptions: { openai: { store: true } } })["include"])
  })

  it("spells the portable options", () => {
    const tools = [bake]
    const sent = body({
      prompt,
      system: "Be brief.",
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      thinking: "high",
      parallelToolCalls: false,
      tools,
      toolChoice: "required",
      logprobs: 3,
      cache: { key: "bread", extendedTtl: true }
    }, { stream: true })
    assert.deepInclude(sent, {
      stream: true,
      instructions: "Be brief.",
      max_output_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      reasoning: { effort: "high", summary: "auto" },
      parallel_tool_calls: false,
      tool_choice: "required",
      include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
      top_logprobs: 3,
      prompt_cache_key: "bread",
      prompt_cache_retention: "24h"
    })
  })

  it("asks for no summary when thinking is off", () => {
    assert.deepStrictEqual(body({ prompt, thinking: "off" })["reasoning"], { effort: "none" })
  })

  it("refuses stop texts, which the API would ignore or reject", () => {
    assert.strictEqual(refusal({ prompt, stop: ["END"] }), "stop")
    assert.isUndefined(refusal({ prompt, stop: [] }))
  })

  it("leaves out options the API lacks, with warnings", () => {
    const request: LlmRequest = {
      prompt,
      topK: 5,
      seed: 1,
      frequencyPenalty: 0.1,
      presencePenalty: 0.1,
      effort: "low",
      cache: { tools: true }
    }
    assert.deepStrictEqual(warned(request), [
      "topK",
      "frequencyPenalty",
      "presencePenalty",
      "seed",
      "effort",
      "cache.tools"
    ])
    assert.deepStrictEqual(Object.keys(body(request)), ["model", "input", "stream", "store", "include"])
  })

  it("leaves out what a host lacks, with warnings", () => {
    const quirks: OpenAiResponses.Quirks = {
      promptCacheKey: false,
      promptCacheRetention: false,
      parallelToolCalls: false,
      logprobs: false,
      store: "omit",
      encryptedReasoning: false
    }
    const request: LlmRequest = {
      prompt,
      tools: [bake],
      parallelToolCalls: true,
      logprobs: true,
      cache: { key: "k", extendedTtl: true }
    }
    assert.deepStrictEqual(warned(request, quirks), ["logprobs", "parallelToolCalls", "cache.key", "cache.extendedTtl"])
    assert.deepStrictEqual(Object.keys(body(request, {}, quirks)), ["model", "input", "stream", "tools"])
  })

  it("merges provider options into the fields it writes itself", () => {
    const sent = spelled(
      OpenAi.definition,
      {
        prompt,
        thinking: "low",
        responseFormat: { type: "json" },
        providerOptions: {
          openai: {
            text: { verbosity: "low" },
            reasoning: { summary: "detailed" },
            include: ["web_search_call.action.sources"],
            metadata: { meal: "dinner" }
          }
        }
      },
      model,
      false
    )
    assert.deepInclude("body" in sent ? sent.body : {}, {
      text: { format: { type: "json_object" }, verbosity: "low" },
      reasoning: { effort: "low", summary: "detailed" },
      include: ["reasoning.encrypted_content", "web_search_call.action.sources"],
      metadata: { meal: "dinner" }
    })
  })
})

describe("OpenAI Responses encoder: tools and formats", () => {
  it("sends functions as not strict unless asked, free-form tools, and provider tools unchanged", () => {
    assert.deepStrictEqual(body({ prompt, tools: [bake, note, search] })["tools"], [
      { type: "function", name: "bake", description: "Bakes", parameters: bake.parameters, strict: false },
      { type: "custom", name: "note", description: "Notes" },
      { type: "web_search" }
    ])
  })

  it("closes the schema of a strict function, and asks for the members of an open one as pairs", () => {
    const strict = { ...bake, strict: true }
    const [tool] = body({ prompt, tools: [strict] })["tools"] as unknown as [{ parameters: object; strict: boolean }]
    assert.isTrue(tool.strict)
    assert.propertyVal(tool.parameters, "additionalProperties", false)
    const open = { ...strict, parameters: { ...bake.parameters, additionalProperties: { type: "string" } } }
    const [pairs] = body({ prompt, tools: [open] })["tools"] as unknown as [{ parameters: JsonObject; strict: boolean }]
    assert.isTrue(pairs.strict)
    assert.property(pairs.parameters["properties"], "additional_properties")
  })

  it("names a tool of any kind as the choice", () => {
    const mcp = { type: "provider", name: "shop", definition: { type: "mcp", server_label: "shop" } } as const
    const tools = [bake, note, search, mcp]
    const choice = (name: string) => body({ prompt, tools, toolChoice: { name } })["tool_choice"]
    assert.deepStrictEqual(choice("bake"), { type: "function", name: "bake" })
    assert.deepStrictEqual(choice("note"), { type: "custom", name: "note" })
    assert.deepStrictEqual(choice("web_search"), { type: "web_search" })
    assert.deepStrictEqual(choice("shop"), { type: "mcp", server_label: "shop" })
  })

  it("refuses free-form tools where the host has none", () => {
    assert.strictEqual(refusal({ prompt, tools: [note] }, { customTools: false }), "tools[0]")
  })

  it("sorts tools by name for the cache", () => {
    const tools = [note, bake]
    assert.deepStrictEqual(
      (body({ prompt, tools, cache: { tools: true } })["tools"] as unknown as ReadonlyArray<{ name: string }>)
        .map((tool) => tool.name),
      ["bake", "note"]
    )
  })

  it("spells a JSON Schema as the format of the text", () => {
    const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] } as const
    assert.deepStrictEqual(body({ prompt, responseFormat: { type: "json-schema", schema, name: "loaf" } })["text"], {
      format: { type: "json_schema", name: "loaf", schema: { ...schema, additionalProperties: false }, strict: true }
    })
  })

  it("sends a schema that cannot be strict without strict, with a warning", () => {
    const schema = { type: "object", properties: { none: false }, required: ["none"] } as const
    const request: LlmRequest = { prompt, responseFormat: { type: "json-schema", schema } }
    assert.propertyVal((body(request)["text"] as { format: object }).format, "strict", false)
    assert.isTrue(warned(request).some((field) => field.startsWith("responseFormat.schema")))
  })
})

describe("OpenAI Responses encoder: input", () => {
  it("puts leading instructions into `instructions` and later ones into the input", () => {
    const sent = body({
      system: "One.",
      messages: [Message.system("Two."), user, Message.assistant("Done."), Message.system("Three."), user]
    })
    assert.strictEqual(sent["instructions"], "One.\n\nTwo.")
    assert.deepStrictEqual(sent["input"], [
      { role: "user", content: prompt },
      { role: "assistant", content: "Done." },
      { role: "developer", content: "Three." },
      { role: "user", content: prompt }
    ])
  })

  it("spells images and files in all their forms", () => {
    const png = { type: "base64", mediaType: "image/png", data: "aGk=" } as const
    const pdf = { type: "base64", mediaType: "application/pdf", data: "aGk=" } as const
    const url = "https://bread.example/x"
    const message = Message.user([
      Message.text("See:"),
      Message.image(png, { detail: "low" }),
      Message.image({ type: "url", url }),
      Message.image({ type: "file", fileId: "file_1" }),
      Message.file(pdf),
      Message.file(pdf, { filename: "bread.pdf" }),
      Message.file({ type: "url", url }),
      Message.file({ type: "file", fileId: "file_2" })
    ])
    assert.deepStrictEqual(input([message]), [{
      role: "user",
      content: [
        { type: "input_text", text: "See:" },
        { type: "input_image", detail: "low", image_url: "data:image/png;base64,aGk=" },
        { type: "input_image", detail: "auto", image_url: url },
        { type: "input_image", detail: "auto", file_id: "file_1" },
        { type: "input_file", filename: "file.pdf", file_data: "data:application/pdf;base64,aGk=" },
        { type: "input_file", filename: "bread.pdf", file_data: "data:application/pdf;base64,aGk=" },
        { type: "input_file", file_url: url },
        { type: "input_file", file_id: "file_2" }
      ]
    }])
  })

  it("refuses audio", () => {
    const audio = Message.user([Message.audio({ type: "base64", mediaType: "audio/wav", data: "aGk=" })])
    assert.strictEqual(refusal({ messages: [audio] }), "messages")
  })

  it("pairs calls with their outputs, text or parts", () => {
    const call = { type: "tool-call", id: "call_1", name: "bake", arguments: { minutes: 3 } } as const
    const free = { type: "tool-call", id: "call_2", name: "note", arguments: "buy flour", custom: true } as const
    const messages = [
      user,
      Message.assistant([call, free]),
      Message.toolResult(call, [Message.text("ok"), Message.image({ type: "url", url: "https://bread.example/x" })]),
      Message.toolResult(free, "noted")
    ]
    assert.deepStrictEqual(input(messages), [
      { role: "user", content: prompt },
      { type: "function_call", call_id: "call_1", name: "bake", arguments: "{\"minutes\":3}" },
      { type: "custom_tool_call", call_id: "call_2", name: "note", input: "buy flour" },
      {
        type: "function_call_output",
        call_id: "call_1",
        output: [
          { type: "input_text", text: "ok" },
          { type: "input_image", detail: "auto", image_url: "https://bread.example/x" }
        ]
      },
      { type: "custom_tool_call_output", call_id: "call_2", output: "noted" }
    ])
  })

  it("rewrites call ids of more than 64 characters, in call and output alike", () => {
    const call = { type: "tool-call", id: "x".repeat(65), name: "bake", arguments: {} } as const
    const [, one, two] = input([user, Message.assistant([call]), Message.toolResult(call, "ok")]) as unknown as [
      unknown,
      { call_id: string },
      { call_id: string }
    ]
    assert.isAtMost(one.call_id.length, 64)
    assert.strictEqual(one.call_id, two.call_id)
  })

  const reasoned = Message.assistant([
    {
      type: "reasoning",
      text: "First.Then.",
      encrypted: "c2VjcmV0",
      replay: { id: "rs_1", summary: ["First.", "Then."] },
      origin
    },
    { type: "text", text: "A", replay: { id: "msg_1", phase: "commentary" }, origin },
    { type: "text", text: "No", replay: { id: "msg_1", phase: "commentary", refusal: true }, origin },
    { type: "tool-call", id: "call_1", name: "bake", arguments: {}, replay: { id: "fc_1" }, origin }
  ])
  const history = [user, reasoned, Message.toolResult({ id: "call_1" }, "ok")]

  it("replays its own reasoning, ids and phases", () => {
    assert.deepStrictEqual(input(history), [
      { role: "user", content: prompt },
      {
        type: "reasoning",
        id: "rs_1",
        summary: [{ type: "summary_text", text: "First." }, { type: "summary_text", text: "Then." }],
        encrypted_content: "c2VjcmV0"
      },
      {
        type: "message",
        id: "msg_1",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "A", annotations: [] }, { type: "refusal", refusal: "No" }],
        phase: "commentary"
      },
      { type: "function_call", call_id: "call_1", name: "bake", arguments: "{}", id: "fc_1" },
      { type: "function_call_output", call_id: "call_1", output: "ok" }
    ])
  })

  it.each<[string, Partial<EncodeInput>]>([
    ["another provider", { provider: "azure" }],
    ["another model", { model: "gpt-5-other" }]
  ])("gives %s the words, without reasoning and ids", (_, more) => {
    assert.deepStrictEqual(input(history, more), [
      { role: "user", content: prompt },
      { role: "assistant", content: "ANo", phase: "commentary" },
      { type: "function_call", call_id: "call_1", name: "bake", arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "ok" }
    ])
  })

  it("leaves ids out where the reasoning before them cannot go back", () => {
    const messages = [
      user,
      Message.assistant([
        { type: "reasoning", text: "Hm.", replay: { id: "rs_1" }, origin },
        { type: "tool-call", id: "call_1", name: "bake", arguments: {}, replay: { id: "fc_1" }, origin }
      ]),
      Message.toolResult({ id: "call_1" }, "ok")
    ]
    assert.deepStrictEqual((input(messages) as ReadonlyArray<unknown>)[1], {
      type: "function_call",
      call_id: "call_1",
      name: "bake",
      arguments: "{}"
    })
    const stored = body({ messages, providerOptions: { openai: { store: true } } })["input"] as ReadonlyArray<unknown>
    assert.deepStrictEqual(stored.slice(1, 3), [
      { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "Hm." }] },
      { type: "function_call", call_id: "call_1", name: "bake", arguments: "{}", id: "fc_1" }
    ])
  })

  it("joins encrypted content that came late with the text it belongs to", () => {
    const message = { ...answer("reasoning-encrypted-late").message }
    const own = Message.assistant(Message.parts(message))
    assert.deepStrictEqual(input([user, own, user], { model: "asked-for" }), [
      { role: "user", content: prompt },
      {
        type: "reasoning",
        id: "rs_1",
        summary: [{ type: "summary_text", text: "Flour first." }],
        encrypted_content: "bGF0ZQ=="
      },
      {
        type: "message",
        id: "msg_1",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "Done.", annotations: [] }]
      },
      { role: "user", content: prompt }
    ])
  })

  it("gives open models their raw reasoning back", () => {
    const message = Message.assistant(Message.parts(answer("reasoning-text").message))
    assert.deepStrictEqual((input([user, message, user], { model: "asked-for" }) as ReadonlyArray<unknown>)[1], {
      type: "reasoning",
      id: "rs_1",
      summary: [],
      content: [{ type: "reasoning_text", text: "Flour weighs little." }]
    })
  })

  it("drops ids that the API would reject, and reasoning that nothing follows", () => {
    const message = Message.assistant([
      { type: "text", text: "A", replay: { id: `msg_${"x".repeat(64)}` }, origin },
      { type: "tool-call", id: "call_1", name: "bake", arguments: {}, replay: { id: "opaque" }, origin },
      { type: "reasoning", text: "Cut", encrypted: "c2VjcmV0", replay: { id: "rs_1" }, origin }
    ])
    assert.deepStrictEqual(input([user, message, Message.toolResult({ id: "call_1" }, "ok")]), [
      { role: "user", content: prompt },
      { role: "assistant", content: "A" },
      { type: "function_call", call_id: "call_1", name: "bake", arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "ok" }
    ])
  })

  it("replays items of built-in tools unchanged, to their own provider only", () => {
    const { message } = answer("image-generation")
    const own = Message.assistant(Message.parts(message))
    const item = {
      id: "ig_1",
      type: "image_generation_call",
      status: "completed",
      output_format: "webp",
      result: "aW1hZ2U="
    }
    assert.deepStrictEqual((input([user, own, user], { model: "asked-for" }) as ReadonlyArray<unknown>)[1], item)
    assert.notInclude(JSON.stringify(input([user, own, user], { provider: "azure" })), "ig_1")
    assert.deepStrictEqual(encode({ messages: [user, own, user] }, { model: "asked-for" }).warnings, [])
  })

  it("sends only what follows the last assistant turn when the host knows the rest", () => {
    const sent = body({
      system: "Be brief.",
      messages: history,
      providerOptions: { openai: { previous_response_id: "resp_1", store: true } }
    })
    assert.strictEqual(sent["instructions"], "Be brief.")
    assert.deepStrictEqual(sent["input"], [{ type: "function_call_output", call_id: "call_1", output: "ok" }])
  })

  it("marks the ends of cached prefixes on models that have breakpoints", () => {
    const sent = body({
      system: "Be brief.",
      messages: [Message.user("a").pipe(Message.cacheableExtended), Message.assistant("b"), Message.user("c")],
      tools: [bake],
      cache: { systemPrompt: true, tools: true, recentTurns: 1, extendedTtl: true }
    }, { model: "gpt-5.6-test" })
    const extended = { prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } }
    assert.isUndefined(sent["instructions"])
    assert.deepStrictEqual(sent["prompt_cache_options"], { ttl: "12h" })
    assert.deepStrictEqual(sent["input"], [
      { role: "developer", content: [{ type: "input_text", text: "Be brief.", ...extended }] },
      { role: "user", content: [{ type: "input_text", text: "a", ...extended }] },
      { role: "assistant", content: "b" },
      { role: "user", content: [{ type: "input_text", text: "c", ...extended }] }
    ])
  })

  it("warns of cache breakpoints once", () => {
    const messages = [Message.user("a").pipe(Message.cacheable), Message.user("b").pipe(Message.cacheable)]
    assert.deepStrictEqual(warned({ messages }), ["cache"])
  })
})

describe("OpenAI Responses encoder: what was decoded", () => {
  const responses = [
    ...streams.map((name) => stream(name)),
    ...bodies.map((name) => whole(name))
  ].flatMap(({ response }) => response === undefined || response.parts.length === 0 ? [] : [response])

  it("is accepted back, whatever it was, by the same model and by others", () => {
    assert.isAbove(responses.length, 50)
    for (const response of responses) {
      const results = response.toolCalls.map((call) => Message.toolResult(call, "done"))
      const messages = [user, response.message, ...results, Message.user("Go on.")]
      for (const more of [{ model: "asked-for" }, { provider: "azure" }, {}]) {
        const sent = JSON.parse(JSON.stringify(body({ messages }, more)))
        const problem = validate({
          method: "POST",
          path: "/v1/responses",
          query: new URLSearchParams(),
          headers: {},
          body: sent
        }, "generate")
        assert.isUndefined(problem, `${JSON.stringify(problem)} ${JSON.stringify(sent)}`)
      }
    }
  })
})
