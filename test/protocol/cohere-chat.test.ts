import { assert, describe, it } from "@effect/vitest"
import type { FinishReason } from "../../src/LlmResponse.ts"
import type { ServerToolPart } from "../../src/Message.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import * as Framing from "../../src/transport/Framing.ts"
import { encoderOf } from "../encoding.ts"
import { outcomeOf, replay } from "./wire-replay.ts"

const { answer, decoder, framesOf, stream, whole } = replay("cohere-chat", CohereChat.make())

const calls = (name: string) =>
  answer(name).toolCalls.map((call) => [call.id, call.name, call.arguments, call.invalid === true])

const plan: ServerToolPart = {
  type: "server-tool",
  name: "tool_plan",
  kind: "block",
  data: { tool_plan: "I will weigh it." },
  origin: { wire: "cohere-chat", provider: "test", model: "asked-for" }
}

describe("Cohere decoder: text and thinking", () => {
  it("gives the text, id, finish reason and usage of a plain answer", () => {
    const response = answer("text")
    assert.deepStrictEqual(response.parts, [{ type: "text", text: "The kettle is on." }])
    assert.strictEqual(response.id, "resp-1")
    assert.deepInclude(response, { finishReason: "stop", rawFinishReason: "COMPLETE" })
    assert.deepStrictEqual(response.usage.input, { total: 230, uncached: 166, cacheRead: 64 })
    assert.deepStrictEqual(response.usage.output, { total: 8 })
  })

  it.each([
    "no-event-lines",
    "no-content-start",
    "never-closed",
    "text-in-start",
    "start-lost",
    "frames-after-end",
    "unknown-things",
    "done-without-end"
  ])("reads the same text from %s", (name) => {
    assert.deepStrictEqual(answer(name).parts, answer("text").parts)
  })

  it("keeps thinking apart from text and counts its tokens within the output", () => {
    const response = answer("thinking")
    assert.deepStrictEqual([response.reasoningText, response.text], ["Water first.", "Boil it."])
    assert.deepStrictEqual(response.usage.output, { total: 8, text: 5, reasoning: 3 })
  })

  it("turns object text into compact JSON and makes surrogates well-formed", () => {
    assert.strictEqual(answer("object-text").text, "{\"answer\":1}")
    assert.strictEqual(answer("lone-surrogate").text, "a\ufffd")
  })

  it("emits each citation as a source, whatever its fields", () => {
    const { sources, text } = answer("citations")
    assert.strictEqual(text, "The kettle is on.")
    assert.deepStrictEqual(sources.map(({ citedText, title, url }) => [title, url, citedText]), [
      ["kitchen.txt", "https://example.com/kitchen", "kettle"],
      ["Scales", undefined, "It is 250 g."],
      [undefined, undefined, "The"]
    ])
  })

  it("falls back to billed units, and leaves absent what was not sent", () => {
    assert.deepStrictEqual([answer("billed-only").usage.input, answer("billed-only").usage.output], [
      { total: 7 },
      { total: 5 }
    ])
    assert.deepStrictEqual(answer("no-usage").usage, { input: {}, output: {} })
    assert.deepStrictEqual(answer("null-usage").usage.input, {})
  })

  it("collects log probabilities", () => {
    assert.deepStrictEqual(answer("logprobs").logprobs, [{ text: "Tea", token_ids: [7], logprobs: [-0.1] }])
  })
})

describe("Cohere decoder: tool plans and calls", () => {
  it("makes the tool plan an opaque part before the calls, neither text nor reasoning", () => {
    const response = answer("tool-plan")
    assert.deepStrictEqual(response.parts[0], plan)
    assert.deepStrictEqual([response.text, response.reasoningText], ["", ""])
    assert.deepStrictEqual(calls("tool-plan"), [["weigh_1", "weigh", { item: "flour" }, false]])
    assert.strictEqual(response.finishReason, "tool-calls")
    assert.deepStrictEqual(answer("plan-without-call").parts, [plan])
  })

  it("sends the plan back with the calls", () => {
    const encoded = encoderOf(CohereChat.make())({
      request: {
        messages: [
          { role: "user", content: "How much?" },
          answer("tool-plan").message,
          { role: "tool", content: [{ type: "tool-result", toolCallId: "weigh_1", content: "250 g" }] }
        ]
      },
      model: "m",
      stream: true,
      provider: "test"
    })
    assert.deepStrictEqual("refused" in encoded ? encoded : (encoded.body["messages"] as ReadonlyArray<unknown>)[1], {
      role: "assistant",
      tool_plan: "I will weigh it.",
      tool_calls: [{ id: "weigh_1", type: "function", function: { name: "weigh", arguments: "{\"item\":\"flour\"}" } }]
    })
  })

  it.each(["parallel-tools", "interleaved-tools"])("keeps the calls of %s apart by index", (name) => {
    assert.deepStrictEqual(calls(name), [
      ["weigh_1", "weigh", { item: "flour" }, false],
      ["oven_2", "oven", { celsius: 200 }, false]
    ])
  })

  it.each(["complete-with-call", "whole-arguments-in-start", "no-tool-call-end", "no-index", "tool-list"])(
    "reads the call of %s",
    (name) => {
      assert.deepStrictEqual(calls(name), [["weigh_1", "weigh", { item: "flour" }, false]])
      assert.strictEqual(answer(name).finishReason, "tool-calls")
    }
  )

  it("takes empty arguments as none", () => {
    assert.deepStrictEqual(calls("empty-arguments"), [["now_1", "now", {}, false]])
  })

  it("begins a new call at an index that is still open", () => {
    assert.deepStrictEqual(calls("reused-index").map(([id]) => id), ["weigh_1", "oven_2"])
  })

  it("replaces a repeated id", () => {
    const ids = answer("duplicate-tool-ids").toolCalls.map((call) => call.id)
    assert.strictEqual(new Set(ids).size, 2)
  })

  it("marks calls invalid with broken arguments, without a name, or cut by the limit", () => {
    assert.deepStrictEqual(calls("malformed-arguments"), [["weigh_1", "weigh", "{\"item\":\"flo", true]])
    assert.deepStrictEqual(calls("nameless-tool"), [["weigh_1", "unnamed_tool", "{}", true]])
    assert.strictEqual(answer("delta-without-start").toolCalls[0]?.invalid, true)
    assert.deepStrictEqual(calls("max-tokens-in-tool"), [["weigh_1", "weigh", "{\"item\":", true]])
    assert.strictEqual(answer("max-tokens-in-tool").finishReason, "length")
  })
})

describe("Cohere decoder: how an answer ends", () => {
  const reasons: ReadonlyArray<readonly [string, FinishReason]> = [
    ["max-tokens", "length"],
    ["reason-stop-sequence", "stop"],
    ["reason-error", "error"],
    ["reason-error-toxic", "content-filter"],
    ["reason-error-limit", "context-window"],
    ["reason-timeout", "error"],
    ["reason-user-cancel", "other"],
    ["reason-missing", "other"],
    ["done-without-end", "other"]
  ]
  it.each(reasons)("finishes %s as %s", (name, reason) => {
    assert.strictEqual(answer(name).finishReason, reason)
  })

  it.each(["cut-in-text", "cut-in-tool"])("is incomplete at %s, without a call", (name) => {
    const { failure, partial } = stream(name)
    assert.strictEqual(failure?.kind, "incomplete")
    assert.deepStrictEqual(partial?.toolCalls.filter((call) => !call.invalid), [])
    assert.strictEqual(partial?.text, name === "cut-in-text" ? "The kettle" : "")
  })

  it("fails with the provider's words at the end, in a frame and first", () => {
    assert.deepInclude(stream("error-at-end").failure, {
      kind: "provider",
      type: "ERROR",
      message: "the model gave up"
    })
    assert.strictEqual(stream("error-at-end").partial?.text, "The kettle")
    assert.strictEqual(stream("error-frame").failure?.message, "internal server error")
    assert.strictEqual(stream("error-event").failure?.message, "upstream connect error")
    assert.include(stream("error-first").failure?.message ?? "", "per minute request limit")
  })

  it("fails on a frame that is not JSON and keeps what came before", () => {
    const { failure, partial } = stream("bad-json")
    assert.strictEqual(failure?.kind, "parse")
    assert.strictEqual(partial?.text, "The kettle")
  })
})

describe("Cohere decoder: whole bodies", () => {
  it("reads a whole body as its stream", () => {
    assert.deepStrictEqual(whole("text").response?.parts, answer("text").parts)
    assert.deepStrictEqual(whole("string-content").response?.parts, answer("text").parts)
    const response = whole("everything").response
    assert.deepStrictEqual(response?.parts.map((part) => part.type), [
      "server-tool",
      "reasoning",
      "text",
      "tool-call",
      "tool-call",
      "source"
    ])
    assert.deepStrictEqual(response?.toolCalls.map((call) => call.arguments), [{ item: "flour" }, {}])
    assert.deepInclude(response, { finishReason: "tool-calls", logprobs: [{ text: "One", token_ids: [1] }] })
  })

  it("finishes a body without a reason as other, and tells errors and foreign documents apart", () => {
    assert.strictEqual(whole("reason-null").response?.finishReason, "other")
    assert.include(whole("error").failure?.message ?? "", "must have a role")
    assert.strictEqual(whole("error").failure?.kind, "provider")
    assert.strictEqual(whole("not-an-answer").failure?.kind, "parse")
  })
})

describe("Cohere decoder: version 1", () => {
  it("reads a stream and a whole body", () => {
    const streamed = answer("version-1")
    assert.deepInclude(streamed, { id: "gen-1", finishReason: "stop" })
    assert.strictEqual(streamed.text, "The kettle is on.")
    assert.deepStrictEqual(streamed.usage.input, { total: 230 })
    assert.strictEqual(streamed.sources[0]?.citedText, "kettle")
    const response = whole("version-1").response
    assert.deepInclude(response, { text: "The kettle is on.", finishReason: "length" })
    assert.strictEqual(response?.sources[0]?.url, "https://example.com/kitchen")
  })

  it("reads a stream of bare JSON lines, as version 1 sends them", () => {
    const made = decoder()
    const framing = Framing.make("sse", made)
    framing.push(new TextEncoder().encode(framesOf("version-1").map(({ data }) => `${data}\n`).join("")))
    framing.end()
    assert.deepStrictEqual(outcomeOf(made).response?.parts, answer("version-1").parts)
  })

  it("reads tool calls, with the text beside them as the plan", () => {
    for (const response of [answer("version-1-tools"), whole("version-1-tools").response]) {
      assert.deepStrictEqual(response?.parts[0], plan)
      assert.deepStrictEqual(response?.toolCalls.map((call) => [call.name, call.arguments]), [["weigh", {
        item: "flour"
      }]])
      assert.strictEqual(response?.finishReason, "tool-calls")
    }
  })
})
