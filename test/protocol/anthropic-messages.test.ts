import { assert, describe, it } from "@effect/vitest"
import type { FinishReason } from "../../src/LlmResponse.ts"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import { outcomeOf, replay } from "./wire-replay.ts"

const { answer, decoder, stream, whole } = replay("anthropic-messages", AnthropicMessages.make(), "anthropic")

const calls = (name: string) =>
  answer(name).toolCalls.map((call) => [call.id, call.name, call.arguments, call.invalid === true])

describe("Anthropic Messages decoder: text", () => {
  it("gives the text, id, model and finish reason of a plain answer", () => {
    const response = answer("text")
    assert.strictEqual(response.text, "The kettle is on.")
    assert.strictEqual(response.id, "msg_a")
    assert.strictEqual(response.model, "claude-test-1")
    assert.strictEqual(response.finishReason, "stop")
    assert.strictEqual(response.rawFinishReason, "end_turn")
  })

  it.each(["no-event-lines", "event-name-only", "done-marker", "no-message-stop"])(
    "reads the same answer from %s",
    (name) => {
      assert.deepStrictEqual(answer(name).parts, answer("text").parts)
    }
  )

  it("keeps non-empty text of content_block_start", () => {
    assert.strictEqual(answer("text-in-start").text, "Early words.")
  })

  it("turns object-valued text into its compact JSON", () => {
    assert.strictEqual(answer("object-text").text, `{"answer":1}`)
  })

  it("makes lone surrogates well-formed", () => {
    assert.strictEqual(answer("lone-surrogate").text, "a\ufffd")
  })

  it("reads text although message_start and content_block_start were lost", () => {
    assert.strictEqual(answer("text-only-start-lost").text, "No message_start.")
  })

  it("ignores unknown events, blocks, deltas, null deltas and stray stops", () => {
    const response = answer("unknown-things")
    assert.deepStrictEqual(response.parts, [{ type: "text", text: "Plain." }])
    assert.deepStrictEqual(response.extra, { flavour: "plain" })
  })

  it("closes text that was never closed when the answer settled", () => {
    const response = answer("never-closed")
    assert.strictEqual(response.text, "Open text")
  })

  it("reads a whole message sent as one frame", () => {
    assert.strictEqual(answer("whole-message-frame").text, "All at once.")
  })

  it("emits an image block as a file", () => {
    assert.deepStrictEqual(answer("image-block").parts, [
      { type: "image", source: { type: "base64", mediaType: "image/png", data: "aGk=" } }
    ])
  })
})

describe("Anthropic Messages decoder: tool calls", () => {
  it("keeps parallel calls apart, in wire order", () => {
    assert.deepStrictEqual(calls("parallel-tools"), [
      ["toolu_1", "weigh", { item: "flour" }, false],
      ["toolu_2", "oven", { celsius: 200 }, false]
    ])
    assert.strictEqual(answer("parallel-tools").finishReason, "tool-calls")
  })

  it("keeps interleaved calls apart by index", () => {
    assert.deepStrictEqual(calls("interleaved-tools"), [
      ["toolu_1", "weigh", { item: "salt" }, false],
      ["toolu_2", "oven", { celsius: 180 }, false]
    ])
  })

  it("takes full input from content_block_start when no deltas come", () => {
    assert.deepStrictEqual(calls("input-in-start"), [["toolu_1", "weigh", { item: "flour", grams: 250 }, false]])
  })

  it("reads missing and empty argument text as {}", () => {
    assert.deepStrictEqual(calls("empty-arguments"), [["toolu_1", "bell", {}, false], ["toolu_2", "bell", {}, false]])
  })

  it("keeps a closed call with malformed arguments as invalid, with the raw text", () => {
    assert.deepStrictEqual(calls("malformed-arguments"), [["toolu_1", "weigh", "{\"item\": flour}", true]])
  })

  it("reports a call that the token limit cut as invalid", () => {
    assert.deepStrictEqual(calls("length-in-tool"), [["toolu_1", "weigh", "{\"item\":\"fl", true]])
    assert.strictEqual(answer("length-in-tool").finishReason, "length")
  })

  it("does not take a call that the token limit cut before its arguments for one without arguments", () => {
    assert.deepStrictEqual(calls("length-before-arguments"), [["toolu_1", "bell", "", true]])
  })

  it("does not make a runnable call of a block that was never stopped", () => {
    assert.deepStrictEqual(calls("never-closed"), [["toolu_1", "weigh", "{\"item\":\"flour\"}", true]])
  })

  it("ends a call as soon as the wire stops it", () => {
    const made = decoder()
    made.frame(`{"type":"message_start","message":{"id":"m"}}`, "")
    made.frame(`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"n"}}`, "")
    made.frame(`{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}`, "")
    made.frame(`{"type":"content_block_stop","index":0}`, "")
    assert.strictEqual(outcomeOf(made).events.at(-1)?._tag, "ToolCallEnd")
  })

  it("mints ids where they are empty or repeated", () => {
    const ids = answer("duplicate-tool-ids").toolCalls.map((call) => call.id)
    assert.strictEqual(ids[0], "toolu_1")
    assert.strictEqual(new Set(ids).size, 3)
    assert.isFalse(ids.includes(""))
  })

  it("begins a new block when an index is used again", () => {
    const response = answer("reused-index")
    assert.strictEqual(response.text, "One. Two.")
    assert.deepStrictEqual(calls("reused-index"), [["toolu_1", "bell", { times: 2 }, false]])
  })

  it("puts frames without an index into the open block", () => {
    assert.strictEqual(answer("missing-index").text, "No numbers.")
    assert.deepStrictEqual(calls("missing-index"), [["toolu_1", "bell", { times: 1 }, false]])
  })

  it("puts frames with an index that was never started into the open block they fit", () => {
    assert.strictEqual(answer("wrong-index").text, "Lost its start. ")
    assert.deepStrictEqual(calls("wrong-index"), [["toolu_1", "bell", { times: 3 }, false]])
  })

  it("reads content that came whole in message_start, once", () => {
    const response = answer("whole-in-message-start")
    assert.strictEqual(response.text, "Whole.")
    assert.deepStrictEqual(calls("whole-in-message-start"), [["toolu_1", "weigh", { item: "oats" }, false]])
  })

  it("finishes with tool-calls although the wire says end_turn", () => {
    assert.strictEqual(answer("end-turn-with-call").finishReason, "tool-calls")
  })
})

describe("Anthropic Messages decoder: reasoning and opaque blocks", () => {
  it("joins thinking and keeps its signature", () => {
    const response = answer("thinking")
    assert.deepStrictEqual(response.parts[0], {
      type: "reasoning",
      text: "Flour first, then water.",
      signature: "c2lnbmVk",
      origin: { wire: "anthropic-messages", provider: "anthropic", model: "asked-for" }
    })
    assert.deepStrictEqual(response.usage.output, { total: 30, reasoning: 22, text: 8 })
  })

  it("keeps thinking with an empty signature as unsigned", () => {
    const [part] = answer("empty-signature").parts
    assert.isTrue(part?.type === "reasoning" && part.text === "Hm." && part.signature === undefined)
  })

  it("keeps redacted thinking as an opaque part with empty text", () => {
    const [part] = answer("redacted-thinking").parts
    assert.isTrue(part?.type === "reasoning" && part.text === "" && part.encrypted === "b3BhcXVl")
    assert.strictEqual(answer("redacted-thinking").reasoningText, "")
  })

  it("keeps server-tool blocks as the wire sent them, with streamed input in place", () => {
    const parts = answer("server-tools").parts.filter((part) => part.type === "server-tool")
    assert.deepStrictEqual(parts.map((part) => [part.kind, part.name, part.id]), [
      ["call", "web_search", "srvtoolu_1"],
      ["result", "web_search_tool_result", "srvtoolu_1"]
    ])
    assert.deepStrictEqual(parts[0]?.data, {
      type: "server_tool_use",
      id: "srvtoolu_1",
      name: "web_search",
      input: { query: "rye" }
    })
  })

  it("turns citations into sources, whatever they lack, and keeps them with their text", () => {
    const response = answer("server-tools")
    assert.deepStrictEqual(response.sources.map((source) => [source.url, source.title, source.citedText]), [
      ["https://rye.example", "Rye", "dense"],
      [undefined, undefined, undefined]
    ])
    const text = response.parts.find((part) => part.type === "text")
    assert.lengthOf(text?.replay?.["citations"] as ReadonlyArray<unknown>, 2)
    assert.deepStrictEqual(response.extra, { container: { id: "container_1" } })
  })

  it("keeps compaction text out of the answer's text", () => {
    const response = answer("compaction")
    assert.strictEqual(response.text, "Go on.")
    const [part] = response.parts
    assert.isTrue(part?.type === "server-tool" && part.kind === "block" && part.name === "compaction")
    assert.deepStrictEqual(part?.type === "server-tool" ? part.data : undefined, {
      type: "compaction",
      content: "They bake bread.",
      encrypted_content: "ZW5j"
    })
  })

  it("keeps a fallback block and goes on with the model that took over", () => {
    const response = answer("fallback")
    assert.strictEqual(response.text, "Served.")
    assert.isTrue(response.parts[0]?.type === "server-tool" && response.parts[0].name === "fallback")
  })
})

describe("Anthropic Messages decoder: usage", () => {
  it("leaves absent what the wire did not send", () => {
    assert.deepStrictEqual(answer("no-usage").usage, { input: {}, output: {} })
    assert.deepStrictEqual(answer("text").usage, {
      input: { total: 12, uncached: 12 },
      output: { total: 9 },
      raw: { input_tokens: 12, output_tokens: 9 }
    })
  })

  it("never lets null overwrite a number", () => {
    assert.deepStrictEqual(answer("null-usage").usage.input, { total: 140, uncached: 40, cacheRead: 100 })
    assert.strictEqual(answer("null-usage").usage.output.total, 7)
  })

  it("takes cumulative counts as last seen and adds the cache to the input total", () => {
    const response = answer("cumulative-usage")
    assert.deepStrictEqual(response.usage.input, {
      total: 46,
      uncached: 11,
      cacheRead: 5,
      cacheWrite: 30,
      cacheWrite1h: 10
    })
    assert.strictEqual(response.usage.output.total, 8)
    assert.deepStrictEqual(response.extra, { service_tier: "priority" })
  })

  it("adds the tokens of a compaction, which the top-level counts leave out", () => {
    const { usage } = answer("compaction")
    assert.deepStrictEqual(usage.input, { total: 5140, uncached: 5100, cacheRead: 40 })
    assert.strictEqual(usage.output.total, 320)
  })

  it("does not double the usage of a repeated message_start", () => {
    assert.strictEqual(answer("duplicate-message-start").usage.input.total, 12)
  })
})

describe("Anthropic Messages decoder: finish reasons", () => {
  const expected: ReadonlyArray<readonly [string, FinishReason, string | undefined]> = [
    ["text", "stop", "end_turn"],
    ["stop-stop-sequence", "stop", "stop_sequence"],
    ["stop-max-tokens", "length", "max_tokens"],
    ["stop-model-context-window-exceeded", "context-window", "model_context_window_exceeded"],
    ["server-tools", "pause", "pause_turn"],
    ["stop-compaction", "pause", "compaction"],
    ["stop-sensitive", "content-filter", "sensitive"],
    ["refusal", "refusal", "refusal"],
    ["stop-brand-new-reason", "other", "brand_new_reason"],
    ["stop-null", "other", undefined]
  ]
  it.each(expected)("%s finishes with %s", (name, reason, raw) => {
    const response = answer(name)
    assert.strictEqual(response.finishReason, reason)
    assert.strictEqual(response.rawFinishReason, raw)
  })

  it("keeps a refusal's text as text and its details as an extra", () => {
    const response = answer("refusal")
    assert.strictEqual(response.text, "I would rather not.")
    assert.deepStrictEqual(response.extra, {
      stop_details: { type: "refusal", category: "bio", explanation: "Policy." }
    })
  })
})

describe("Anthropic Messages decoder: failures", () => {
  it("reports an error frame before content with type and request id", () => {
    const { failure, partial } = stream("error-first")
    assert.deepInclude(failure, {
      kind: "provider",
      type: "overloaded_error",
      message: "Overloaded",
      requestId: "req_1"
    })
    assert.isUndefined(partial)
  })

  it("reports an error frame after content and keeps the partial", () => {
    const { failure, partial, response } = stream("error-after-content")
    assert.strictEqual(failure?.type, "overloaded_error")
    assert.strictEqual(partial?.text, "The kettle ")
    assert.isUndefined(response)
  })

  it("reports an error that comes after the stop reason", () => {
    assert.strictEqual(stream("error-after-stop-reason").failure?.type, "api_error")
  })

  it("reports a bare error object with its numeric code as the status", () => {
    assert.deepInclude(stream("bare-error").failure, {
      kind: "provider",
      message: "Slow down",
      code: 429,
      status: 429
    })
  })

  it("reads a host's own error: its status word as the type", () => {
    assert.deepInclude(stream("host-error").failure, {
      kind: "provider",
      message: "No capacity in this region",
      type: "RESOURCE_EXHAUSTED",
      code: 429
    })
  })

  it("reports an error body of a proxy with status 200", () => {
    assert.deepInclude(whole("proxy-error").failure, { kind: "provider", message: "The gate is closed" })
  })

  it("keeps the partial text well-formed when the stream breaks within a character", () => {
    assert.strictEqual(stream("cut-in-character").partial?.text, "Tea \ufffd")
  })

  it("reads stop reasons in any case, and those of other wires", () => {
    assert.strictEqual(answer("stop-upper-case").finishReason, "stop")
    assert.strictEqual(answer("stop-function-call").finishReason, "tool-calls")
  })

  it("reports an error event whose data is plain text", () => {
    assert.deepInclude(stream("error-plain-text").failure, { kind: "provider", message: "upstream went away" })
  })

  it("fails with the text of a frame that is not JSON and keeps the partial", () => {
    const { failure, partial } = stream("bad-json")
    assert.strictEqual(failure?.kind, "parse")
    assert.strictEqual(partial?.text, "The kettle ")
  })

  it("accepts a repeated message_start of the same id and refuses another message's", () => {
    assert.strictEqual(answer("duplicate-message-start").text, "Once.")
    assert.strictEqual(stream("spliced-message").failure?.kind, "parse")
  })

  it("fails as incomplete when the stream ends before a stop reason", () => {
    const { failure, partial } = stream("cut-in-text")
    assert.strictEqual(failure?.kind, "incomplete")
    assert.strictEqual(partial?.text, "The kettle ")
  })

  it("never makes a call of arguments whose block was cut, even when they read as JSON", () => {
    const { events, failure, partial } = stream("cut-in-tool")
    assert.strictEqual(failure?.kind, "incomplete")
    assert.isFalse(events.some((event) => event._tag === "ToolCallEnd"))
    assert.deepStrictEqual(partial?.toolCalls, [])
  })
})

describe("Anthropic Messages decoder: whole bodies", () => {
  it("reads every kind of block", () => {
    const response = whole("everything").response
    assert.deepStrictEqual(response?.parts.map((part) => part.type), [
      "reasoning",
      "reasoning",
      "text",
      "server-tool",
      "server-tool",
      "tool-call",
      "tool-call"
    ])
    assert.deepStrictEqual(response?.toolCalls.map((call) => call.arguments), [{ item: "rye" }, {}])
  })

  it("does not run the last call of an answer that the token limit cut", () => {
    const response = whole("length-in-tool").response
    assert.isTrue(response?.toolCalls[0]?.invalid)
    assert.strictEqual(response?.finishReason, "length")
  })

  it("finishes with other when the stop reason is null", () => {
    assert.strictEqual(whole("stop-null").response?.finishReason, "other")
  })

  it("reads content that is a plain string", () => {
    assert.strictEqual(whole("text-content").response?.text, "Just text.")
  })

  it("reports an error body with status 200", () => {
    assert.deepInclude(whole("error").failure, { kind: "provider", type: "overloaded_error" })
  })

  it("refuses a body that is no message", () => {
    assert.strictEqual(whole("not-a-message").failure?.kind, "parse")
    const made = decoder()
    made.whole(null)
    assert.strictEqual(made.assembler.failure?.kind, "parse")
  })

  it("keeps the raw frames or body when asked", () => {
    const made = decoder(undefined, true)
    made.frame(`{"type":"message_start","message":{"id":"m"}}`, "")
    made.frame(`{"type":"message_stop"}`, "")
    assert.deepStrictEqual(outcomeOf(made).response?.raw, [
      { type: "message_start", message: { id: "m" } },
      { type: "message_stop" }
    ])
  })
})
