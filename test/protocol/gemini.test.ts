import { assert, describe, it } from "@effect/vitest"
import type { FinishReason, LlmResponse } from "../../src/LlmResponse.ts"
import { classify } from "../../src/protocol/ErrorMap.ts"
import { PartialArguments, readPath } from "../../src/protocol/gemini/PartialArguments.ts"
import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import { outcomeOf, replay } from "./wire-replay.ts"

const { answer, decoder, stream, replayBytes, bytesOf, whole, wholeAnswer } = replay(
  "gemini",
  GeminiGenerateContent.make(),
  "gemini"
)

const callsOf = (response: LlmResponse) =>
  response.toolCalls.map((call) => [call.id, call.name, call.arguments, call.invalid === true])
const calls = (name: string) => callsOf(answer(name))
const types = (response: LlmResponse) => response.parts.map((part) => part.type)

describe("Gemini decoder: text", () => {
  it("gives the text, id, model and finish reason of a plain answer", () => {
    const response = answer("text")
    assert.strictEqual(response.text, "The kettle is on.")
    assert.strictEqual(response.id, "resp-1")
    assert.strictEqual(response.model, "gemini-test-1")
    assert.strictEqual(response.finishReason, "stop")
    assert.strictEqual(response.rawFinishReason, "STOP")
    assert.deepStrictEqual(types(response), ["text"])
  })

  it("reads the same answer with a [DONE] of a proxy", () => {
    assert.strictEqual(answer("done-marker").text, answer("text").text)
  })

  it("takes usage that comes after the finish reason", () => {
    assert.strictEqual(answer("usage-after-finish").usage.output.total, 2)
  })

  it("goes on reading when every frame carries a finish reason, and does not take the first for the end", () => {
    assert.strictEqual(answer("finish-repeated").text, "One two.")
    const made = decoder()
    made.frame(`{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}`, "")
    assert.isTrue(made.settled)
    made.frame(`{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]}`, "")
    assert.isFalse(made.settled)
  })

  it("turns object-valued text into its compact JSON and makes lone surrogates well-formed", () => {
    assert.strictEqual(answer("object-text").text, `{"answer":1}`)
    assert.strictEqual(answer("lone-surrogate").text, "a\ufffd")
  })

  it("ignores missing, null and unknown candidates, contents, parts and fields", () => {
    assert.deepStrictEqual(answer("missing-parts").parts, [{ type: "text", text: "Plain." }])
  })

  it("reads candidate 0 only", () => {
    assert.strictEqual(answer("two-candidates").text, "First.")
    assert.strictEqual(answer("two-candidates").finishReason, "stop")
  })

  it("takes the first candidate of a whole answer in which none has index 0", () => {
    const made = decoder()
    made.whole({ candidates: [{ index: 1, content: { parts: [{ text: "Only one." }] }, finishReason: "STOP" }] })
    assert.strictEqual(outcomeOf(made).response?.text, "Only one.")
  })

  it("reads responses that are wrapped one level deeper", () => {
    assert.strictEqual(answer("wrapped-response").text, "Wrapped.")
  })

  it("keeps raw frames when asked to", () => {
    const made = decoder(undefined, true)
    made.frame(`{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}`, "")
    made.end()
    assert.isArray(outcomeOf(made).response?.raw)
  })

  it("keeps log probabilities", () => {
    assert.deepStrictEqual(wholeAnswer("logprobs").logprobs, {
      chosenCandidates: [{ token: "Hi", logProbability: -0.1 }],
      topCandidates: [{ candidates: [] }]
    })
  })
})

describe("Gemini decoder: lists", () => {
  it("reads a stream that is one JSON array", () => {
    const { response } = replayBytes(bytesOf("list", "txt"), 5)
    assert.strictEqual(response?.text, "As a list.")
    assert.strictEqual(response?.reasoningText, "Hm. ")
  })

  it("fails with the error in a list, and as incomplete when a list is cut", () => {
    const { failure } = replayBytes(bytesOf("list-error", "txt"), 7)
    assert.strictEqual(failure?.code, 404)
    assert.strictEqual(failure?.type, "NOT_FOUND")
    const cut = replayBytes(bytesOf("list-cut", "txt"), 7)
    assert.strictEqual(cut.failure?.kind, "incomplete")
    assert.strictEqual(cut.partial?.text, "As a list")
  })
})

describe("Gemini decoder: thoughts and signatures", () => {
  it("keeps thoughts apart from text, each in one part, and a signature on an empty text of its own", () => {
    const response = answer("thinking")
    assert.strictEqual(response.reasoningText, "Flour first. Then salt.")
    assert.strictEqual(response.text, "Mix both.")
    const origin = { wire: "gemini-generate-content", provider: "gemini", model: "asked-for" }
    assert.deepStrictEqual(response.parts, [
      { type: "reasoning", text: "Flour first. Then salt.", origin },
      { type: "text", text: "Mix both." },
      { type: "text", text: "", signature: "c2lnbmVk", origin }
    ])
  })

  it("keeps each signature on the part it came with", () => {
    const parts = wholeAnswer("signed-text").parts
    assert.deepStrictEqual(parts.map((part) => "signature" in part ? part.signature : undefined), [
      "dGhvdWdodA==",
      undefined,
      "dGV4dA=="
    ])
    assert.strictEqual(wholeAnswer("signed-text").text, "Two hundred grams.")
  })

  it("keeps the signature of a call, on the first of parallel calls", () => {
    assert.deepStrictEqual(answer("tool-calls").toolCalls.map((call) => call.signature), ["Y2FsbA==", undefined])
  })
})

describe("Gemini decoder: tool calls", () => {
  it("gives parallel calls in wire order with their ids, and tool-calls although the wire says STOP", () => {
    const expected = [["fc_a", "weigh", { item: "flour" }, false], ["fc_b", "oven", { celsius: 200 }, false]]
    assert.deepStrictEqual(calls("tool-calls"), expected)
    assert.deepStrictEqual(callsOf(wholeAnswer("tool-calls")), expected)
    assert.strictEqual(answer("tool-calls").finishReason, "tool-calls")
    assert.strictEqual(answer("tool-calls").rawFinishReason, "STOP")
  })

  it("mints unique ids and reads missing arguments as {}", () => {
    const found = answer("calls-without-id-or-args").toolCalls
    assert.deepStrictEqual(found.map((call) => call.arguments), [{}, {}, { item: "salt" }])
    assert.strictEqual(new Set(found.map((call) => call.id)).size, 3)
    assert.deepStrictEqual(answer("calls-with-null-args").toolCalls.map((call) => call.arguments), [{}, {}])
  })

  it("mints an id for a duplicate", () => {
    const ids = answer("duplicate-ids").toolCalls.map((call) => call.id)
    assert.strictEqual(ids[0], "same")
    assert.notStrictEqual(ids[1], "same")
  })

  it("reads arguments that are JSON text, and keeps those that are not as invalid", () => {
    assert.deepStrictEqual(answer("args-as-text").toolCalls.map((call) => [call.arguments, call.invalid === true]), [
      [{ item: "rye" }, false],
      ["{\"item\": rye}", true]
    ])
  })

  it("marks a call without a name as invalid", () => {
    assert.deepStrictEqual(answer("call-without-name").toolCalls.map((call) => call.invalid), [true])
    assert.strictEqual(answer("call-without-name").finishReason, "stop")
  })

  it("keeps text before and after a call in order", () => {
    assert.deepStrictEqual(types(answer("text-around-call")), ["text", "tool-call", "text"])
  })

  it("reports a malformed call as an error finish, with the message of the API", () => {
    const response = answer("malformed-function-call")
    assert.strictEqual(response.finishReason, "error")
    assert.deepStrictEqual(response.parts, [])
    assert.strictEqual(response.extra?.["finishMessage"], "Malformed function call: print(weigh(")
  })

  it("keeps the call of an unexpected tool call under an error finish", () => {
    const response = answer("unexpected-tool-call")
    assert.strictEqual(response.finishReason, "error")
    assert.deepStrictEqual(response.toolCalls.map((call) => call.name), ["mill"])
  })
})

describe("Gemini decoder: streamed arguments", () => {
  const order = {
    items: [{ name: "rye \"flour\"", grams: 500 }, { name: "salt", fine: true }],
    note: null,
    "to whom": "Ada"
  }

  it("puts the pieces together and closes the call at its end", () => {
    assert.deepStrictEqual(calls("partial-args"), [["fc_p", "order", order, false]])
    assert.strictEqual(answer("partial-args").toolCalls[0]?.signature, "cGFydA==")
    assert.strictEqual(answer("partial-args").finishReason, "tool-calls")
  })

  it("emits the JSON text of the arguments as it grows", () => {
    const deltas = stream("partial-args").events.flatMap((event) => event._tag === "ToolCallDelta" ? [event.delta] : [])
    assert.isAbove(deltas.length, 5)
    assert.deepStrictEqual(JSON.parse(deltas.join("")), order)
  })

  it("takes the last piece for the end when it says that nothing follows", () => {
    assert.deepStrictEqual(answer("partial-args-last-piece-closes").toolCalls.map((call) => call.arguments), [{
      count: 2
    }])
  })

  it("reads a streamed call without pieces as one without arguments", () => {
    assert.deepStrictEqual(answer("partial-args-none").toolCalls.map((call) => call.arguments), [{}])
  })

  it("keeps calls of one name apart", () => {
    assert.deepStrictEqual(answer("partial-args-two-calls").toolCalls.map((call) => call.arguments), [{ n: 1 }, {
      n: 2
    }])
  })

  it("puts pieces together that come out of order", () => {
    assert.deepStrictEqual(answer("partial-args-disordered").toolCalls.map((call) => call.arguments), [
      { a: { x: 1, y: 3 }, b: 2 }
    ])
  })

  it.each(["partial-args-bad-path", "partial-args-unclosed", "partial-args-length"])(
    "marks the call of %s as invalid",
    (name) => {
      assert.deepStrictEqual(answer(name).toolCalls.map((call) => call.invalid), [true])
      assert.notStrictEqual(answer(name).finishReason, "tool-calls")
    }
  )

  it("makes no call of one that was cut", () => {
    const { events, failure, partial } = stream("partial-args-cut")
    assert.strictEqual(failure?.kind, "incomplete")
    assert.isFalse(events.some((event) => event._tag === "ToolCallEnd"))
    assert.deepStrictEqual(partial?.toolCalls, [])
  })

  it("reads paths with dots, indexes and quoted names, and refuses others", () => {
    assert.deepStrictEqual(readPath("$.a[0].b"), ["a", 0, "b"])
    assert.deepStrictEqual(readPath("$['it\\'s'][\"x\"]"), ["it's", "x"])
    assert.deepStrictEqual(readPath("plain"), ["plain"])
    for (const bad of ["$", "", "$.*", "$[0]", "$.a[", "$..a", "$.a[*]"]) {
      assert.isUndefined(readPath(bad))
    }
  })

  it("changes no prototype and builds no giant list", () => {
    const args = new PartialArguments()
    args.add({ jsonPath: "$.__proto__.polluted", boolValue: true })
    assert.isUndefined(({} as { polluted?: boolean }).polluted)
    assert.isFalse(args.broken)
    args.add({ jsonPath: "$.list[999999999]", numberValue: 1 })
    assert.isTrue(args.broken)
  })
})

describe("Gemini decoder: other parts", () => {
  it("keeps code execution as steps of a server tool", () => {
    const response = answer("code-execution")
    assert.deepStrictEqual(types(response), ["text", "server-tool", "server-tool", "text"])
    assert.deepStrictEqual(
      response.parts.flatMap((part) => part.type === "server-tool" ? [[part.name, part.kind, part.id]] : []),
      [["executableCode", "call", "x1"], ["codeExecutionResult", "result", "x1"]]
    )
    assert.strictEqual(response.finishReason, "stop")
  })

  it("keeps calls of the provider's own tools with their signatures", () => {
    const [call] = answer("server-tool").parts
    assert.deepInclude(call, { type: "server-tool", name: "GOOGLE_SEARCH_WEB", kind: "call", id: "s1" })
    assert.strictEqual(call?.type === "server-tool" ? call.data["thoughtSignature"] : "", "c2VhcmNo")
  })

  it("emits media as files, with a signature after it, and drafts of thinking apart", () => {
    assert.deepStrictEqual(types(wholeAnswer("image")), [
      "text",
      "image",
      "server-tool",
      "server-tool",
      "audio",
      "file"
    ])
    assert.deepInclude(wholeAnswer("image").parts[1], {
      source: { type: "base64", mediaType: "image/png", data: "aGk=" }
    })
  })

  it("emits each source once, whatever fields it has, and keeps the grounding", () => {
    const response = answer("grounding")
    assert.deepStrictEqual(response.sources.map(({ citedText, title, url }) => [url, title, citedText]), [
      ["https://example.org/rye", "Rye", undefined],
      [undefined, "Notes", "Rye is grain."],
      ["https://example.org/grain", undefined, undefined]
    ])
    assert.isObject(response.extra?.["groundingMetadata"])
    assert.strictEqual(response.text, "Rye is a grain.")
    assert.lengthOf(wholeAnswer("citations").sources, 1)
  })

  it("reads fields in snake case", () => {
    const response = answer("snake-case")
    assert.deepStrictEqual(response.toolCalls.map((call) => [call.arguments, call.signature]), [[
      { some_key: 1 },
      "c25ha2U="
    ]])
    assert.deepStrictEqual(types(response), ["tool-call", "image"])
    assert.strictEqual(response.model, "gemini-test-1")
    assert.deepInclude(response.usage, {
      input: { total: 5, uncached: 1, cacheRead: 4 },
      output: { total: 5, text: 2, reasoning: 3 }
    })
  })
})

describe("Gemini decoder: finish reasons", () => {
  it.each<readonly [string, FinishReason, string]>([
    ["stop-max-tokens", "length", "MAX_TOKENS"],
    ["stop-safety", "content-filter", "SAFETY"],
    ["stop-recitation", "content-filter", "RECITATION"],
    ["stop-blocklist", "content-filter", "BLOCKLIST"],
    ["stop-prohibited-content", "content-filter", "PROHIBITED_CONTENT"],
    ["stop-spii", "content-filter", "SPII"],
    ["stop-image-safety", "content-filter", "IMAGE_SAFETY"],
    ["stop-model-armor", "content-filter", "MODEL_ARMOR"],
    ["stop-language", "other", "LANGUAGE"],
    ["stop-other", "other", "OTHER"],
    ["stop-brand-new", "other", "BRAND_NEW"]
  ])("reads %s as %s", (name, reason, raw) => {
    const response = answer(name)
    assert.strictEqual(response.finishReason, reason)
    assert.strictEqual(response.rawFinishReason, raw)
    assert.strictEqual(response.text, "Some")
  })

  it("reads numbers, 0 being none yet", () => {
    const response = answer("numeric-finish")
    assert.strictEqual(response.finishReason, "length")
    assert.strictEqual(response.rawFinishReason, "MAX_TOKENS")
  })

  it("reads numbers by the API they come from", () => {
    const finishOf = (numbers: "gemini" | "vertex") => {
      const made = decoder(GeminiGenerateContent.make({ finishNumbers: numbers }))
      made.whole({ candidates: [{ finishReason: 9 }] })
      return outcomeOf(made).response?.finishReason
    }
    assert.strictEqual(finishOf("vertex"), "error")
    assert.strictEqual(finishOf("gemini"), "content-filter")
  })

  it("finishes a whole answer without a reason, or without candidates, as other", () => {
    assert.strictEqual(wholeAnswer("null-finish").finishReason, "other")
    assert.strictEqual(wholeAnswer("empty-candidates").finishReason, "other")
  })

  it("reads an unspecified reason as other", () => {
    assert.strictEqual(answer("unspecified-finish").finishReason, "other")
    assert.strictEqual(answer("unspecified-finish").rawFinishReason, "FINISH_REASON_UNSPECIFIED")
  })

  it("finishes a blocked prompt as content-filter, streamed or whole", () => {
    assert.strictEqual(answer("prompt-blocked").finishReason, "content-filter")
    assert.strictEqual(wholeAnswer("prompt-blocked").finishReason, "content-filter")
    assert.strictEqual(wholeAnswer("prompt-blocked").rawFinishReason, "PROHIBITED_CONTENT")
    assert.isObject(answer("prompt-blocked").extra?.["promptFeedback"])
  })
})

describe("Gemini decoder: usage", () => {
  it("adds thoughts to candidates, splits the cache off the prompt, and lets null overwrite nothing", () => {
    const { extra, usage } = answer("usage")
    assert.deepInclude(usage, {
      input: { total: 100, uncached: 40, cacheRead: 60 },
      output: { total: 52, text: 12, reasoning: 40 }
    })
    assert.strictEqual(extra?.["trafficType"], "ON_DEMAND")
  })

  it("counts absent candidates as 0 where the total says so", () => {
    assert.deepStrictEqual(answer("usage-only-thoughts").usage.output, { total: 40, text: 0, reasoning: 40 })
  })

  it("leaves tokens of the provider's own tools out of input and output", () => {
    const { usage } = answer("code-execution")
    assert.strictEqual(usage.input.total, 7)
    assert.strictEqual(usage.output.total, 23)
  })

  it("leaves absent what was not sent", () => {
    assert.deepStrictEqual(answer("calls-without-id-or-args").usage, { input: {}, output: {} })
  })
})

describe("Gemini decoder: failures", () => {
  it.each<readonly [string, string, string | undefined, number | undefined, string]>([
    ["error-first", "The model is overloaded. Please try again later.", "UNAVAILABLE", 503, "Overloaded"],
    ["error-after-content", "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED", 429, "RateLimit"],
    ["error-without-code", "The upstream went away.", undefined, undefined, "Provider"],
    ["error-after-finish", "An internal error has occurred.", "INTERNAL", 500, "Provider"],
    ["error-in-list", "An internal error has occurred.", "INTERNAL", 500, "Provider"],
    ["error-beside-candidates", "Broken.", "INTERNAL", 500, "Provider"]
  ])("fails with the error of %s", (name, message, type, code, reason) => {
    const { events, failure } = stream(name)
    assert.deepInclude(failure, { kind: "provider", message })
    assert.strictEqual(failure?.type, type)
    assert.strictEqual(failure?.code, code)
    assert.isFalse(events.some((event) => event._tag === "Finish"))
    if (name !== "error-after-content") assert.strictEqual(classify(failure!), reason)
  })

  it("reads an error that is appended to the stream as plain JSON over several lines", () => {
    for (const size of [1, 9, 10_000]) {
      const { failure, partial } = replayBytes(bytesOf("bare-error", "txt"), size)
      assert.deepInclude(failure, { kind: "provider", code: 503, type: "UNAVAILABLE" })
      assert.strictEqual(partial?.text, "Half")
    }
  })

  it("keeps what came before an error", () => {
    assert.strictEqual(stream("error-after-content").partial?.text, "Half")
  })

  it("fails on an error body with status 200, also in a list", () => {
    assert.strictEqual(whole("error").failure?.type, "INVALID_ARGUMENT")
    assert.strictEqual(whole("error-in-list").failure?.code, 403)
  })

  it("fails on a body that is not an answer and on a frame that is not JSON", () => {
    assert.strictEqual(whole("not-an-answer").failure?.kind, "parse")
    assert.strictEqual(stream("bad-json").failure?.kind, "parse")
  })

  it("is incomplete without a finish reason", () => {
    const { failure, partial } = stream("cut-in-text")
    assert.strictEqual(failure?.kind, "incomplete")
    assert.strictEqual(partial?.text, "Half an ans")
  })
})
