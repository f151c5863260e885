import { assert, describe, it } from "@effect/vitest"
import type { FinishReason } from "../../src/LlmResponse.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import { outcomeOf, replay } from "./wire-replay.ts"

const { answer, decoder, framesOf, stream, whole } = replay("openai-responses", OpenAiResponses.make(), "openai")

const calls = (name: string) =>
  answer(name).toolCalls.map((call) => [call.id, call.name, call.arguments, call.invalid === true])

const origin = { wire: "openai-responses", provider: "openai", model: "asked-for" }
const kettle = { type: "text" as const, text: "The kettle is on.", replay: { id: "msg_1" }, origin }

describe("OpenAI Responses decoder: text", () => {
  it("gives the text, id, model, tier and finish reason of a plain answer", () => {
    const response = answer("text")
    assert.deepStrictEqual(response.parts, [kettle])
    assert.strictEqual(response.id, "resp_a")
    assert.strictEqual(response.model, "gpt-test-1")
    assert.strictEqual(response.finishReason, "stop")
    assert.strictEqual(response.rawFinishReason, "completed")
    assert.deepStrictEqual(response.extra, { service_tier: "default" })
  })

  it("counts cached tokens as input and reasoning as output", () => {
    const { raw: _, ...usage } = answer("text").usage
    assert.deepStrictEqual(usage, {
      input: { total: 30, uncached: 18, cacheRead: 12 },
      output: { total: 14, text: 10, reasoning: 4 }
    })
  })

  it.each([
    "no-event-lines",
    "done-marker",
    "comments",
    "event-names-only",
    "done-text-only",
    "item-text-only",
    "completed-text-only",
    "completed-text-after-empty-item",
    "output-only-in-items",
    "duplicate-done",
    "response-object-frame",
    "stale-status"
  ])("reads the same answer from %s", (name) => {
    const response = answer(name)
    assert.deepStrictEqual(response.parts, [kettle])
    assert.strictEqual(response.finishReason, "stop")
  })

  it.each(["deltas-only", "completed-without-response"])("reads the text of %s", (name) => {
    assert.strictEqual(answer(name).text, "The kettle is on.")
    assert.strictEqual(answer(name).finishReason, "stop")
  })

  it("keeps messages and their phases apart, without a separator in the text", () => {
    const response = answer("two-messages")
    assert.strictEqual(response.text, "One. Two.")
    assert.deepStrictEqual(response.parts, [
      { type: "text", text: "One. ", replay: { id: "msg_1", phase: "commentary" }, origin },
      { type: "text", text: "Two.", replay: { id: "msg_2", phase: "final_answer" }, origin }
    ])
  })

  it("keeps contents of one message apart", () => {
    assert.deepStrictEqual(answer("two-contents").parts.map((part) => part.type === "text" && part.text), [
      "First.",
      "Second."
    ])
  })

  it("ignores unknown events and keeps unknown items opaque", () => {
    const response = answer("unknown-things")
    assert.strictEqual(response.text, "Plain.")
    assert.deepStrictEqual(response.parts[0], {
      type: "server-tool",
      name: "brand_new_item",
      kind: "block",
      id: "bn_1",
      data: { type: "brand_new_item", id: "bn_1", value: 1 },
      origin
    })
  })

  it("makes lone surrogates well-formed and joins split ones", () => {
    assert.strictEqual(answer("lone-surrogate").text, "a\ufffd")
    assert.strictEqual(answer("split-surrogate").text, "a\u{1f600}")
  })

  it("reports a refusal as text and as the finish reason", () => {
    const response = answer("refusal")
    assert.strictEqual(response.text, "I will not bake that.")
    assert.strictEqual(response.finishReason, "refusal")
    assert.deepStrictEqual(whole("refusal").response?.parts, response.parts)
  })

  it("collects log probabilities once", () => {
    const token = (token: string) => ({ token, logprob: -0.5, bytes: null, top_logprobs: [] })
    assert.deepStrictEqual(answer("logprobs").logprobs, { content: [token("Yes"), token(".")] })
  })
})

describe("OpenAI Responses decoder: reasoning", () => {
  it("joins the summaries of one item without a separator and keeps them for the replay", () => {
    const response = answer("reasoning-summary")
    assert.strictEqual(response.reasoningText, "**Weighing** Flour first.**Baking** Then heat.")
    assert.deepStrictEqual(response.parts[0], {
      type: "reasoning",
      text: "**Weighing** Flour first.**Baking** Then heat.",
      encrypted: "c2VjcmV0",
      replay: { id: "rs_1", summary: ["**Weighing** Flour first.", "**Baking** Then heat."] },
      origin
    })
  })

  it("reads the raw reasoning of open models", () => {
    const [part] = answer("reasoning-text").parts
    assert.deepStrictEqual(part, {
      type: "reasoning",
      text: "Flour weighs little.",
      replay: { id: "rs_1", content: ["Flour weighs little."] },
      origin
    })
  })

  it("hears only one of two fields that say the same", () => {
    assert.strictEqual(answer("reasoning-twice").reasoningText, "Short.")
  })

  it("keeps reasoning that ends after the text in its place", () => {
    assert.deepStrictEqual(answer("reasoning-interleaved").parts.map((part) => part.type), ["reasoning", "text"])
    assert.strictEqual(answer("reasoning-interleaved").reasoningText, "Flour weighs little.")
  })

  it("keeps encrypted content that comes only with the final output", () => {
    const response = answer("reasoning-encrypted-late")
    assert.strictEqual(response.reasoningText, "Flour first.")
    assert.deepStrictEqual(response.parts.map((part) => part.type === "reasoning" ? part.encrypted : part.type), [
      undefined,
      "text",
      "bGF0ZQ=="
    ])
  })

  it("keeps hidden reasoning as an opaque part with empty text", () => {
    assert.deepStrictEqual(answer("reasoning-hidden").parts[0], {
      type: "reasoning",
      text: "",
      encrypted: "aGlkZGVu",
      replay: { id: "rs_1" },
      origin
    })
  })

  it("keeps the signature and format that gateways add", () => {
    assert.deepStrictEqual(whole("reasoning-signed").response?.parts[0], {
      type: "reasoning",
      text: "Flour first.",
      signature: "c2lnbmVk",
      replay: { id: "rs_1", format: "lab-v1" },
      origin
    })
  })

  it("takes a summary that comes only with the whole item", () => {
    assert.strictEqual(answer("reasoning-only-in-item").reasoningText, "Flour first.")
  })
})

describe("OpenAI Responses decoder: tool calls", () => {
  const weigh = ["call_1", "weigh", { item: "salt" }, false]
  const oven = ["call_2", "oven", { celsius: 180 }, false]

  it("gives call id, name, arguments and the item id for the replay", () => {
    const response = answer("tool-call")
    assert.deepStrictEqual(response.toolCalls, [{
      type: "tool-call",
      id: "call_1",
      name: "weigh",
      arguments: { item: "flour" },
      replay: { id: "fc_1" },
      origin
    }])
    assert.strictEqual(response.finishReason, "tool-calls")
  })

  it.each(["parallel-tools", "interleaved-tools", "reused-index", "reused-index-without-added"])(
    "keeps the calls of %s apart, in wire order",
    (name) => assert.deepStrictEqual(calls(name), [weigh, oven])
  )

  it.each([
    "arguments-only-done",
    "arguments-only-in-item",
    "arguments-only-in-added",
    "call-only-in-completed",
    "call-closed-by-completed",
    "call-arguments-done-only",
    "late-name",
    "duplicate-call-done",
    "object-arguments"
  ])("reads one whole call from %s", (name) => {
    assert.deepStrictEqual(calls(name), [weigh])
    assert.strictEqual(answer(name).finishReason, "tool-calls")
  })

  it.each(["rotating-ids", "no-output-index"])("follows items through %s", (name) => {
    const response = answer(name)
    assert.strictEqual(response.text, "The kettle is on.")
    assert.deepStrictEqual(calls(name), [["call_1", "weigh", { item: "flour" }, false]])
  })

  it("reads empty arguments as an empty object", () => {
    assert.deepStrictEqual(calls("empty-arguments"), [["call_1", "now", {}, false]])
  })

  it("mints an id for a call that repeats one", () => {
    const [first, second] = answer("duplicate-call-ids").toolCalls
    assert.strictEqual(first?.id, "call_1")
    assert.notStrictEqual(second?.id, "call_1")
    assert.strictEqual(second?.name, "oven")
  })

  it("marks a call that was closed with broken arguments", () => {
    assert.deepStrictEqual(calls("malformed-arguments"), [["call_1", "weigh", "{\"item\":", true]])
    assert.strictEqual(answer("malformed-arguments").finishReason, "stop")
  })

  it("never takes a call that was not closed for one", () => {
    assert.deepStrictEqual(calls("call-never-done").map((call) => call[3]), [true])
    assert.strictEqual(answer("call-never-done").finishReason, "stop")
    const { events, failure } = stream("cut-in-tool")
    assert.strictEqual(failure?.kind, "incomplete")
    assert.isFalse(events.some((event) => event._tag === "ToolCallEnd"))
  })

  it.each(["incomplete-call", "incomplete-call-that-parses"])("marks the call of %s, which the limit cut", (name) => {
    assert.deepStrictEqual(calls(name).map((call) => call[3]), [true])
    assert.strictEqual(answer(name).finishReason, "length")
  })

  it("keeps the input of a free-form tool as text", () => {
    assert.deepStrictEqual(answer("custom-tool").toolCalls, [{
      type: "tool-call",
      id: "call_1",
      name: "note",
      arguments: "buy {flour",
      custom: true,
      replay: { id: "ctc_1" },
      origin
    }])
  })

  it("unwraps calls that the model put into one call", () => {
    assert.deepStrictEqual(calls("parallel-wrapper"), [
      ["call_1_0", "weigh", { item: "salt" }, false],
      ["call_1_1", "oven", { celsius: 180 }, false]
    ])
  })
})

describe("OpenAI Responses decoder: built-in tools and citations", () => {
  it("keeps web searches opaque and gives every citation once, however little it says", () => {
    const response = answer("web-search")
    assert.strictEqual(response.text, "Feed it daily.")
    const sources = response.parts.flatMap((part) => part.type === "source" ? [part] : [])
    assert.deepStrictEqual(sources.map(({ title, url }) => [url, title]), [
      ["https://bread.example/a", "Bread"],
      [undefined, "notes.txt"],
      [undefined, "plot.png"],
      [undefined, undefined],
      [undefined, undefined]
    ])
    assert.deepStrictEqual(response.parts.flatMap((part) => part.type === "server-tool" ? [part.name] : []), [
      "web_search_call"
    ])
  })

  it("gives a generated image once, and the item for the replay", () => {
    const [image, item] = answer("image-generation").parts
    assert.deepStrictEqual(image, {
      type: "image",
      source: { type: "base64", mediaType: "image/webp", data: "aW1hZ2U=" }
    })
    assert.strictEqual(item?.type === "server-tool" && item.id, "ig_1")
  })

  it("takes the last preview of an image that never became final", () => {
    const [image] = answer("image-only-partial").parts
    assert.deepStrictEqual(image, {
      type: "image",
      source: { type: "base64", mediaType: "image/png", data: "cGFydGlhbA==" }
    })
  })

  it("does not take messages of a compacted history for the answer", () => {
    const response = whole("compacted").response
    assert.strictEqual(response?.text, "")
    assert.deepStrictEqual(response?.parts.map((part) => part.type === "server-tool" && part.name), [
      "message",
      "compaction"
    ])
  })

  it("keeps calls opaque that the host runs itself", () => {
    const made = decoder(OpenAiResponses.make({ hostedItems: ["custom_tool_call"] }))
    for (const frame of framesOf("custom-tool")) made.frame(frame.data, frame.event)
    const { response } = outcomeOf(made)
    assert.deepStrictEqual(response?.toolCalls, [])
    assert.strictEqual(response?.finishReason, "stop")
    assert.strictEqual(response?.parts[0]?.type === "server-tool" && response.parts[0].name, "custom_tool_call")
  })

  it("goes on when a built-in tool fails", () => {
    const response = answer("tool-failure")
    assert.strictEqual(response.text, "The shop is closed.")
    assert.strictEqual(response.finishReason, "stop")
  })

  it("keeps the items of MCP servers", () => {
    assert.deepStrictEqual(answer("mcp").parts.map((part) => part.type === "server-tool" && [part.name, part.kind]), [
      ["mcp_list_tools", "block"],
      ["mcp_call", "call"],
      ["mcp_approval_request", "block"]
    ])
  })
})

describe("OpenAI Responses decoder: endings", () => {
  it.each<[string, FinishReason, string]>([
    ["incomplete-length", "length", "max_output_tokens"],
    ["incomplete-filter", "content-filter", "content_filter"],
    ["incomplete-unknown", "other", "brand_new"],
    ["cancelled", "other", "cancelled"]
  ])("reads %s as %s", (name, reason, raw) => {
    const response = answer(name)
    assert.strictEqual(response.text, "The ket")
    assert.strictEqual(response.finishReason, reason)
    assert.strictEqual(response.rawFinishReason, raw)
  })

  it("calls an incomplete answer that holds a refusal a refusal", () => {
    const response = answer("incomplete-refusal")
    assert.strictEqual(response.text, "Not that.")
    assert.strictEqual(response.finishReason, "refusal")
    assert.strictEqual(response.rawFinishReason, "content_filter")
  })

  it.each(["cut-in-text", "cut-before-completed"])("does not take %s for an answer", (name) => {
    const { failure, partial, response } = stream(name)
    assert.isUndefined(response)
    assert.strictEqual(failure?.kind, "incomplete")
    assert.isTrue("The kettle is on.".startsWith(partial?.text ?? "-"))
  })

  it.each<[string, string, string | number | undefined]>([
    ["failed", "Rate limit reached for requests.", "rate_limit_exceeded"],
    ["failed-without-code", "The oven broke.", undefined],
    ["failed-without-error", "The provider says that the response failed.", undefined],
    ["error-flat", "The oven broke.", "server_error"],
    ["error-nested", "Your input exceeds the context window of this model.", "context_length_exceeded"],
    ["error-event-of-its-own", "The oven broke.", "server_error"],
    ["error-bare", "The model is overloaded.", 503],
    ["error-plain-text", "upstream went away", undefined],
    ["error-in-completed", "Too late.", "server_error"]
  ])("fails on %s with the provider's words", (name, message, code) => {
    const { failure, response } = stream(name)
    assert.isUndefined(response)
    assert.strictEqual(failure?.kind, "provider")
    assert.strictEqual(failure?.message, message)
    assert.strictEqual(failure?.code, code)
  })

  it("keeps what came before an error", () => {
    assert.strictEqual(stream("error-flat").partial?.text, "The ket")
    assert.strictEqual(stream("failed").partial?.text, "The ket")
  })

  it("fails on a frame that is not JSON", () => {
    assert.strictEqual(stream("bad-json").failure?.kind, "parse")
  })
})

describe("OpenAI Responses decoder: whole bodies", () => {
  it("reads the same answer as from the stream", () => {
    const { raw: _, ...one } = { ...whole("text").response }
    const { raw: __, ...other } = { ...answer("text") }
    assert.deepStrictEqual(one, other)
  })

  it.each(["output-text-only", "string-content"])("reads the text of %s", (name) => {
    assert.strictEqual(whole(name).response?.text, "The kettle is on.")
  })

  it("reads every kind of item in order", () => {
    const response = whole("everything").response!
    assert.deepStrictEqual(response.parts.map((part) => part.type), [
      "reasoning",
      "server-tool",
      "text",
      "source",
      "source",
      "source",
      "source",
      "source",
      "image",
      "server-tool",
      "tool-call",
      "tool-call"
    ])
    assert.strictEqual(response.usage.input.cacheWrite, 8)
    assert.strictEqual(response.usage.input.uncached, 10)
    assert.strictEqual(response.usage.billedCost, 0.0025)
    assert.strictEqual(response.finishReason, "tool-calls")
  })

  it.each<[string, FinishReason]>([
    ["queued", "pause"],
    ["in-progress", "pause"],
    ["incomplete", "length"],
    ["incomplete-without-output", "content-filter"],
    ["cancelled", "other"],
    ["empty-output", "stop"],
    ["no-status", "other"]
  ])("reads %s as %s", (name, reason) => {
    assert.strictEqual(whole(name).response?.finishReason, reason)
  })

  it.each<[string, "provider" | "parse", string]>([
    ["failed", "provider", "The oven broke."],
    ["error", "provider", "No such model."],
    ["no-output", "parse", "The provider's body is not a response: it has no output."],
    ["other-json", "parse", "The provider's body is not a response: it has no output."]
  ])("fails on %s", (name, kind, message) => {
    assert.strictEqual(whole(name).failure?.kind, kind)
    assert.strictEqual(whole(name).failure?.message, message)
  })

  it("keeps the body when raw output is asked for", () => {
    const made = decoder(undefined, true)
    made.whole({ object: "response", status: "completed", output: [] })
    assert.deepStrictEqual(outcomeOf(made).response?.raw, [{ object: "response", status: "completed", output: [] }])
  })
})
