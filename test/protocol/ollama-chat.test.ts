import { assert, describe, it } from "@effect/vitest"
import type { FinishReason } from "../../src/LlmResponse.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import { outcomeOf, replay } from "./wire-replay.ts"

const { answer, decoder, framesOf, replayFrames, stream, whole } = replay("ollama-chat", OllamaChat.make())

const calls = (name: string) => answer(name).toolCalls.map((call) => [call.name, call.arguments, call.invalid === true])

describe("Ollama decoder: text and thinking", () => {
  it("gives the text, model, finish reason and usage of a plain answer", () => {
    const response = answer("text")
    assert.deepStrictEqual(response.parts, [{ type: "text", text: "The kettle is on." }])
    assert.strictEqual(response.model, "tea-3:8b")
    assert.strictEqual(response.finishReason, "stop")
    assert.strictEqual(response.rawFinishReason, "stop")
    assert.deepStrictEqual([response.usage.input, response.usage.output], [{ total: 21 }, { total: 9 }])
    assert.deepInclude(response.usage.raw, { total_duration: 900, eval_duration: 500 })
  })

  it.each(["text-in-last-line", "blank-lines", "generate"])("reads text from %s", (name) => {
    assert.strictEqual(answer(name).text, name === "generate" ? "Tea now." : "The kettle is on.")
  })

  it("keeps thinking apart from text, in wire order", () => {
    assert.deepStrictEqual(answer("thinking-twice").parts.map((part) => [part.type, "text" in part ? part.text : ""]), [
      ["reasoning", "One."],
      ["text", "A"],
      ["reasoning", "Two."],
      ["text", "B"]
    ])
    assert.strictEqual(answer("thinking").reasoningText, "Water first.")
    assert.strictEqual(answer("thinking-without-content").text, "Yes.")
    assert.strictEqual(answer("generate").reasoningText, "Hm.")
  })

  it("leaves inline think tags in the text, and moves them by quirk however they are split", () => {
    assert.strictEqual(answer("think-tags").text, "<think>Hm, water.</think>Tea.")
    const moved = answer("think-tags", OllamaChat.make({ thinkTags: true }))
    assert.deepStrictEqual([moved.reasoningText, moved.text], ["Hm, water.", "Tea."])
  })

  it("turns object content into its compact JSON, null into nothing, and makes surrogates well-formed", () => {
    assert.strictEqual(answer("object-content").text, "{\"answer\":1}")
    assert.strictEqual(answer("null-content").text, "Tea")
    assert.strictEqual(answer("lone-surrogate").text, "a\ufffd")
  })

  it("ignores unknown lines and fields, and lines after the last", () => {
    assert.deepStrictEqual(answer("unknown-things").parts, [{ type: "text", text: "Plain." }])
    assert.strictEqual(answer("lines-after-done").text, "Tea")
  })

  it("emits images as files and collects log probabilities", () => {
    assert.deepStrictEqual(answer("images").parts.at(-1), {
      type: "image",
      source: { type: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" }
    })
    assert.deepStrictEqual(answer("logprobs").logprobs, [
      { token: "Tea", logprob: -0.1 },
      { token: "!", logprob: -0.2 }
    ])
  })

  it("leaves counts absent that the server did not send", () => {
    assert.deepStrictEqual(answer("no-usage").usage, { input: {}, output: {} })
    assert.deepStrictEqual(answer("cached-prompt").usage, { input: {}, output: { total: 9 }, raw: { eval_count: 9 } })
  })

  it("keeps the raw lines when asked to", () => {
    const made = decoder(undefined, true)
    for (const frame of framesOf("text")) made.frame(frame.data, frame.event)
    assert.lengthOf(outcomeOf(made).response?.raw as ReadonlyArray<unknown>, 3)
  })
})

describe("Ollama decoder: tool calls", () => {
  it("gives a whole call a minted id and makes the stop a tool-calls finish", () => {
    const response = answer("tool-call")
    assert.deepStrictEqual(calls("tool-call"), [["weigh", { item: "flour", grams: 250 }, false]])
    assert.match(response.toolCalls[0]!.id, /^call_seed\d+$/)
    assert.strictEqual(response.finishReason, "tool-calls")
    assert.strictEqual(response.rawFinishReason, "stop")
  })

  it("keeps parallel calls of one line and of several, in wire order", () => {
    assert.deepStrictEqual(calls("parallel-tools"), [
      ["weigh", { item: "flour" }, false],
      ["oven", { celsius: 200 }, false],
      ["weigh", { item: "salt" }, false]
    ])
    assert.deepStrictEqual(answer("text-and-tool").parts.map((part) => part.type), ["text", "tool-call"])
  })

  it("keeps ids that are there and unique", () => {
    assert.deepStrictEqual(answer("tool-ids").toolCalls.map((call) => call.id), ["call_a", "call_b"])
    const [first, second] = answer("duplicate-tool-ids").toolCalls
    assert.strictEqual(first?.id, "call_a")
    assert.notStrictEqual(second?.id, "call_a")
  })

  it("reads arguments that are a string, missing, null or empty", () => {
    assert.deepStrictEqual(calls("string-arguments"), [["weigh", { item: "flour" }, false]])
    assert.deepStrictEqual(calls("no-arguments"), [["weigh", {}, false], ["oven", {}, false], ["oven", {}, false]])
    assert.deepStrictEqual(calls("single-tool-object"), [["weigh", { item: "flour" }, false]])
  })

  it("marks a call invalid whose arguments are no JSON or whose name is missing, and still asks for its answer", () => {
    assert.deepStrictEqual(calls("malformed-arguments"), [["weigh", "{\"item\":\"flo", true]])
    assert.strictEqual(answer("malformed-arguments").finishReason, "tool-calls")
    assert.deepStrictEqual(calls("nameless-tool"), [["unnamed_tool", { item: "flour" }, true]])
  })
})

describe("Ollama decoder: how an answer ends", () => {
  const reasons: ReadonlyArray<readonly [string, FinishReason, string | undefined]> = [
    ["length", "length", "length"],
    ["load", "other", "load"],
    ["unload", "other", "unload"],
    ["custom", "other", "custom"],
    ["missing", "other", undefined],
    ["empty", "other", undefined]
  ]
  it.each(reasons)("finishes with done_reason %s as %s", (name, reason, raw) => {
    const response = answer(`reason-${name}`)
    assert.strictEqual(response.finishReason, reason)
    assert.strictEqual(response.rawFinishReason, raw)
  })

  it.each(["cut-in-text", "cut-after-tool"])("is incomplete when the lines end at %s", (name) => {
    const { failure, partial } = stream(name)
    assert.strictEqual(failure?.kind, "incomplete")
    assert.strictEqual(partial?.text, name === "cut-in-text" ? "The kettle is" : "")
  })

  it("takes a done_reason for the end where done is left out", () => {
    const lines = [{ message: { content: "The kettle" } }, { message: { content: " is on." }, done_reason: "stop" }]
    const { response } = replayFrames(lines.map((line) => ({ event: "", data: JSON.stringify(line) })))
    assert.deepInclude(response, { text: "The kettle is on.", finishReason: "stop" })
  })

  it("fails with the server's words, first, after content and beside done", () => {
    assert.include(stream("error-first").failure?.message ?? "", "not found, try pulling it first")
    const later = stream("error-after-content")
    assert.strictEqual(later.failure?.kind, "provider")
    assert.strictEqual(later.failure?.message, "an error was encountered while running the model: unexpected EOF")
    assert.strictEqual(later.partial?.text, "The ket")
    assert.include(stream("error-beside-done").failure?.message ?? "", "exit status 2")
    assert.deepInclude(stream("error-object").failure, { type: "overloaded_error", code: 503, message: "too busy" })
  })

  it("fails on a line that is not JSON and keeps what came before", () => {
    const { failure, partial } = stream("bad-json")
    assert.strictEqual(failure?.kind, "parse")
    assert.strictEqual(partial?.text, "The")
  })
})

describe("Ollama decoder: whole bodies", () => {
  it("reads a whole body as its stream", () => {
    assert.deepStrictEqual(whole("text").response?.parts, answer("text").parts)
    const response = whole("everything").response
    assert.deepStrictEqual(response?.parts.map((part) => part.type), ["reasoning", "text", "tool-call"])
    assert.strictEqual(response?.finishReason, "tool-calls")
  })

  it("takes a body without done as whole, and one that says false as cut", () => {
    assert.deepInclude(whole("no-done").response, { finishReason: "other" })
    assert.strictEqual(whole("done-false").failure?.kind, "incomplete")
  })

  it("tells an error, a foreign document and a model that was only loaded apart", () => {
    assert.include(whole("error").failure?.message ?? "", "more system memory")
    assert.strictEqual(whole("not-an-answer").failure?.kind, "parse")
    assert.deepInclude(whole("load").response, { finishReason: "other", rawFinishReason: "load" })
  })
})
