import { assert, describe, it } from "@effect/vitest"
import type { LlmResponse } from "../../src/LlmResponse.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import { outcomeOf, replay } from "./wire-replay.ts"

const { answer, decoder, replayFrames, stream, whole, wholeAnswer } = replay("openai-chat", OpenAiChat.make(), "openai")

const lille = { city: "Lille" }
const gent = { city: "Gent" }

const calls = (response: LlmResponse) =>
  response.toolCalls.map((call) => [call.id, call.name, call.arguments, ...(call.invalid ? ["invalid"] : [])])

const types = (response: LlmResponse) => response.parts.map((part) => part.type)

describe("OpenAI Chat decoder: chunks", () => {
  it("streams plain text with a trailing usage chunk", () => {
    const { events, response } = stream("plain-text")
    assert.deepStrictEqual(events.map((event) => event._tag), [
      "ResponseStart",
      "TextStart",
      "TextDelta",
      "TextDelta",
      "UsageUpdate",
      "TextEnd",
      "Finish"
    ])
    assert.strictEqual(response?.text, "The heron waits.")
    assert.strictEqual(response?.finishReason, "stop")
    assert.strictEqual(response?.rawFinishReason, "stop")
    assert.strictEqual(response?.id, "chatcmpl-1")
    assert.strictEqual(response?.model, "bird-1")
    assert.strictEqual(response?.usage.input.total, 12)
  })

  it("gives the same answer for a whole body as for a stream", () => {
    const streamed = answer("plain-text")
    const once = wholeAnswer("plain-text")
    assert.deepStrictEqual(once.parts, streamed.parts)
    assert.deepStrictEqual(once.usage, streamed.usage)
    assert.strictEqual(once.finishReason, streamed.finishReason)
  })

  it("is complete without [DONE] once a finish reason has come", () => {
    assert.strictEqual(answer("no-done").finishReason, "stop")
  })

  it("finishes at [DONE] without a finish reason as other", () => {
    const response = answer("finish-missing-done")
    assert.strictEqual(response.finishReason, "other")
    assert.strictEqual(response.rawFinishReason, undefined)
  })

  it("does not wait for the end of the bytes after [DONE]", () => {
    const made = decoder()
    made.frame(JSON.stringify({ choices: [{ delta: { content: "Hi" } }] }), "")
    assert.isFalse(made.settled)
    made.frame(" [DONE] ", "")
    assert.isTrue(made.assembler.finished)
    made.frame(JSON.stringify({ error: "too late" }), "")
    assert.strictEqual(outcomeOf(made).failure, undefined)
  })

  it("fails as incomplete when the stream ends before a finish reason, keeping the partial", () => {
    const { failure, partial } = stream("cut-without-finish")
    assert.strictEqual(failure?.kind, "incomplete")
    assert.strictEqual(partial?.text, "Hi there")
  })

  it("keeps the raw value of an unknown finish reason", () => {
    const response = answer("finish-unknown")
    assert.strictEqual(response.finishReason, "other")
    assert.strictEqual(response.rawFinishReason, "moonrise")
  })

  it("counts a finish reason sent twice once", () => {
    const { events, response } = stream("finish-twice")
    assert.strictEqual(events.filter((event) => event._tag === "Finish").length, 1)
    assert.strictEqual(response?.usage.output.total, 1)
  })

  it.each([
    ["end", "stop"],
    ["eos", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_length", "length"],
    ["model_context_window_exceeded", "context-window"],
    ["content_filter", "content-filter"],
    ["refusal", "refusal"],
    ["insufficient_system_resource", "error"],
    ["network_error", "error"],
    ["error", "error"],
    ["constructor", "other"]
  ])("reads finish reason %s as %s", (raw, expected) => {
    const data = JSON.stringify({ choices: [{ delta: { content: "Hi" }, finish_reason: raw }] })
    assert.strictEqual(replayFrames([{ event: "", data }]).response?.finishReason, expected)
  })

  it("ignores chunks without choices, null deltas, pings and null choices", () => {
    assert.strictEqual(answer("chunk-without-choices").text, "Hi")
  })

  it("ignores an empty role", () => {
    assert.strictEqual(answer("role-empty").text, "Hi")
  })

  it("takes id and model from the first chunk that has them", () => {
    const response = answer("placeholder-first-chunk")
    assert.strictEqual(response.id, "chatcmpl-1")
    assert.strictEqual(response.model, "bird-1")
  })

  it("ignores a comment that a proxy wrapped as data", () => {
    assert.strictEqual(answer("comment-as-data").text, "Hi")
  })

  it("counts only choice 0", () => {
    const response = answer("other-choices")
    assert.strictEqual(response.text, "zero")
    assert.strictEqual(response.finishReason, "stop")
  })

  it("takes a whole completion inside a stream", () => {
    const response = answer("whole-completion-in-stream")
    assert.strictEqual(response.text, "All at once.")
    assert.deepStrictEqual(calls(response), [["call_a", "find", lille], ["call_b", "find", gent]])
  })

  it("does not repeat what deltas said before a whole completion", () => {
    assert.strictEqual(answer("whole-completion-after-deltas").text, "All at once.")
  })

  it("reads the delta when a message stands beside it", () => {
    assert.strictEqual(answer("message-beside-delta").text, "Hi")
  })

  it("collects log probabilities over chunks", () => {
    assert.deepStrictEqual(answer("logprobs").logprobs, {
      content: [{ token: "A", logprob: -0.1 }, { token: "B", logprob: -0.2 }]
    })
  })

  it("keeps service tier, fingerprint and upstream provider", () => {
    assert.deepStrictEqual(answer("extras").extra, {
      service_tier: "default",
      system_fingerprint: "fp_1",
      provider: "Nest"
    })
  })
})

describe("OpenAI Chat decoder: content", () => {
  it("reads content given as parts, ignoring unknown ones", () => {
    const response = answer("content-parts")
    assert.strictEqual(response.reasoningText, "Count legs.")
    assert.strictEqual(response.text, "Two legs.!")
    assert.strictEqual(response.sources.length, 1)
  })

  it("turns an object content into compact JSON text", () => {
    assert.strictEqual(answer("content-object").text, "{\"answer\":[1,2]}")
  })

  it("reads reasoning blocks with summaries and signatures", () => {
    const [reasoning, text] = answer("content-blocks-databricks").parts
    assert.deepInclude(reasoning, { type: "reasoning", text: "Small.", signature: "c2ln" })
    assert.deepInclude(text, { type: "text", text: "Wren" })
  })

  it.each([
    ["reasoning-content", "It has webbed feet."],
    ["reasoning-duplicated", "Hmm."],
    ["reasoning-text-field", "Copied."],
    ["reasoning-object", "In an object."],
    ["reasoning-details-only", "Only here."]
  ])("reads the reasoning of %s once", (name, expected) => {
    const response = answer(name)
    assert.strictEqual(response.reasoningText, expected)
    assert.deepStrictEqual(types(response), ["reasoning", "text"])
  })

  it("puts reasoning before content when one delta has both", () => {
    assert.deepStrictEqual(types(answer("reasoning-and-content-in-one-delta")), ["reasoning", "text"])
  })

  it("merges signed reasoning details and keeps them for replay", () => {
    const [reasoning] = answer("reasoning-details-signed").parts
    assert.deepInclude(reasoning, {
      text: "Owls hunt.",
      signature: "c2lnbmVk",
      replay: {
        reasoning_details: [{
          type: "reasoning.text",
          text: "Owls hunt.",
          signature: "c2lnbmVk",
          format: "f-1",
          index: 0
        }]
      }
    })
  })

  it("keeps encrypted reasoning details as opaque parts in order", () => {
    const [summary, encrypted, text] = answer("reasoning-details-encrypted").parts
    assert.deepInclude(summary, { text: "First, look." })
    assert.deepInclude(encrypted, {
      text: "",
      encrypted: "ZW5j",
      replay: {
        reasoning_details: [{ type: "reasoning.encrypted", data: "ZW5j", id: "rs_1", format: "f-2", index: 0 }]
      }
    })
    assert.deepInclude(text, { text: "Seen." })
  })

  it("keeps the details of a whole message verbatim and in order", () => {
    const details = wholeAnswer("reasoning-details").parts.flatMap((part) =>
      part.type === "reasoning" ? part.replay?.["reasoning_details"] as ReadonlyArray<unknown> : []
    )
    assert.deepStrictEqual(details, [
      { type: "reasoning.encrypted", data: "ZW5j", id: "rs_1" },
      { type: "reasoning.summary", summary: "Look.", index: 0 },
      { type: "reasoning.summary", summary: "", index: 0 }
    ])
    assert.strictEqual(wholeAnswer("reasoning-details").reasoningText, "Look.")
  })

  it("moves inline thinking to reasoning when the quirk says so", () => {
    const response = answer("think-tags-split", OpenAiChat.make({ thinkTags: true }))
    assert.strictEqual(response.reasoningText, "Feathers first")
    assert.strictEqual(response.text, "\n\nA bird < a plane.")
    assert.include(answer("think-tags-split").text, "<think>Feathers")
  })

  it("loses nothing of a thinking block that was never closed", () => {
    const response = answer("think-tags-unclosed", OpenAiChat.make({ thinkTags: true }))
    assert.strictEqual(response.reasoningText, "Feathers first</thi")
    assert.strictEqual(response.text, "")
  })

  it("begins inside the tags where the template wrote the opening one", () => {
    const frames = [{
      event: "",
      data: JSON.stringify({ choices: [{ delta: { content: "Hm</think>Yes" }, finish_reason: "stop" }] })
    }]
    const { response } = replayFrames(
      frames,
      OpenAiChat.make({ thinkTags: { open: "<think>", close: "</think>", startsInside: true } })
    )
    assert.strictEqual(response?.reasoningText, "Hm")
    assert.strictEqual(response?.text, "Yes")
  })

  it("reads a refusal as text and finish reason", () => {
    for (const response of [answer("refusal"), wholeAnswer("refusal")]) {
      assert.strictEqual(response.finishReason, "refusal")
      assert.strictEqual(response.rawFinishReason, "stop")
    }
    assert.strictEqual(answer("refusal").text, "I cannot.")
  })

  it("ignores a refusal that is not a text", () => {
    const response = answer("refusal-false")
    assert.strictEqual(response.finishReason, "stop")
    assert.strictEqual(response.text, "Fine.")
  })

  it("reads citations, however incomplete", () => {
    const { sources } = answer("annotations")
    assert.strictEqual(sources.length, 2)
    assert.deepInclude(sources[0], { url: "https://birds.example/heron", title: "Heron", citedText: "Grey." })
  })

  it("reads repeated search results and citations once", () => {
    assert.deepStrictEqual(answer("search-results").sources.map((source) => [source.url, source.title]), [
      ["https://birds.example/a", "A"],
      ["https://birds.example/b", undefined]
    ])
  })

  it("reads generated images", () => {
    assert.deepStrictEqual(answer("images").parts, [
      { type: "image", source: { type: "base64", mediaType: "image/webp", data: "UklGRg==" } }
    ])
  })

  it("joins generated sound and its transcript", () => {
    const response = answer("audio")
    assert.deepStrictEqual(response.parts, [
      { type: "audio", source: { type: "base64", mediaType: "audio/pcm", data: "AAECAwQF" }, transcript: "Tweet." }
    ])
    assert.deepStrictEqual(response.extra, { audio_id: "audio_1" })
  })

  it("reads images and sound of a whole message", () => {
    assert.deepStrictEqual(types(wholeAnswer("audio-and-images")), ["image", "audio"])
  })

  it("keeps tools that the host ran as opaque parts", () => {
    const part = answer("executed-tools").parts.find((one) => one.type === "server-tool")
    assert.deepInclude(part, {
      name: "search",
      kind: "block",
      data: { index: 0, type: "search", arguments: "{}", output: "Found." }
    })
  })
})

describe("OpenAI Chat decoder: tool calls", () => {
  it.each<[string, ReadonlyArray<ReadonlyArray<unknown>>]>([
    ["tool-calls-parallel", [["call_a", "find", lille], ["call_b", "find", gent]]],
    ["tool-calls-interleaved", [["call_a", "find", lille], ["call_b", "find", gent]]],
    ["tool-index-missing", [["call_a", "find", lille], ["call_b", "find", gent]]],
    ["tool-index-and-id-missing", [["call_seed0", "find", lille], ["call_seed1", "find", gent]]],
    ["tool-index-missing-continued", [["call_a", "find", lille]]],
    ["tool-index-reused", [["call_a", "find", lille], ["call_b", "find", gent]]],
    ["tool-index-reused-new-name", [["call_seed0", "find", lille], ["call_seed1", "ring", { n: 2 }]]],
    ["tool-index-from-one", [["call_a", "find", lille], ["call_b", "find", gent]]],
    ["tool-id-duplicate", [["call_a", "find", lille], ["call_seed1", "find", gent]]],
    ["tool-id-missing", [["call_seed0", "find", lille], ["call_seed1", "find", gent]]],
    ["tool-id-late", [["call_late", "find", lille]]],
    ["tool-id-new-on-every-chunk", [["call_a", "find", lille]]],
    ["tool-type-null", [["call_a", "find", lille]]],
    ["tool-name-late", [["call_a", "find", lille], ["call_b", "ring", { n: 2 }]]],
    ["tool-name-blank-repeated", [["call_a", "find", lille]]],
    ["tool-name-repeated", [["call_a", "find", lille]]],
    ["tool-name-never", [["call_a", "unnamed_tool", "{\"city\":\"Lille\"}", "invalid"]]],
    ["tool-arguments-whole-then-blank", [["call_a", "find", lille]]],
    ["tool-arguments-empty", [["call_a", "ring", {}], ["call_b", "ring", {}]]],
    ["tool-arguments-object", [["call_a", "find", lille]]],
    ["tool-arguments-repeated", [["call_a", "find", lille]]],
    ["tool-arguments-concatenated", [["call_a", "find", "{}{\"city\":\"Lille\"}", "invalid"]]],
    ["tool-arguments-late", [
      ["call_a", "find", lille],
      ["call_b", "find", gent],
      ["call_seed2", "find", "{\"more\":1}", "invalid"]
    ]],
    ["tool-arguments-invalid", [["call_a", "find", "{\"city\":Lille}", "invalid"]]],
    ["function-call-legacy", [["call_seed0", "find", lille]]],
    ["tool-custom", [["call_c", "sql", "SELECT 1"]]]
  ])("repairs %s", (name, expected) => {
    const response = answer(name)
    assert.deepStrictEqual(calls(response), expected)
    assert.strictEqual(response.finishReason, "tool-calls")
  })

  it("ends a call as soon as the next begins, so that its tool can start", () => {
    const tags = stream("tool-calls-parallel").events.flatMap((event) =>
      event._tag === "ToolCallStart"
        ? [`start ${event.id}`]
        : event._tag === "ToolCallEnd"
        ? [`end ${event.part.id}`]
        : []
    )
    assert.deepStrictEqual(tags, ["start call_a", "end call_a", "start call_b", "end call_b"])
  })

  it("finishes as tool calls when the wire says stop", () => {
    const response = answer("tool-calls-stop")
    assert.strictEqual(response.finishReason, "tool-calls")
    assert.strictEqual(response.rawFinishReason, "stop")
  })

  it("marks a free-form call as custom", () => {
    assert.isTrue(answer("tool-custom").toolCalls[0]?.custom)
  })

  it("keeps a thought signature for its echo", () => {
    assert.deepInclude(answer("tool-thought-signature").toolCalls[0], {
      signature: "c2ln",
      replay: { extra_content: { google: { thought_signature: "c2ln" } } }
    })
  })

  it("marks a call that the length limit cut as invalid", () => {
    const response = answer("tool-calls-cut-by-length")
    assert.strictEqual(response.finishReason, "length")
    assert.deepStrictEqual(calls(response), [["call_a", "find", lille], ["call_b", "find", "{\"ci", "invalid"]])
  })

  it("does not take null arguments for cut ones when the length limit ends the answer", () => {
    assert.deepStrictEqual(calls(answer("tool-null-arguments-by-length")), [["call_a", "find", {}]])
  })

  it("never makes a call of arguments that a broken stream cut", () => {
    const { events, failure, partial } = stream("tool-calls-cut-stream")
    assert.strictEqual(failure?.kind, "incomplete")
    assert.strictEqual(partial?.toolCalls.length, 0)
    assert.isFalse(events.some((event) => event._tag === "ToolCallEnd"))
  })

  it("makes every entry of a whole message a call of its own, with unique ids", () => {
    assert.deepStrictEqual(calls(wholeAnswer("tool-calls")), [
      ["call_a", "find", lille],
      ["call_seed1", "find", gent],
      ["call_seed2", "ring", {}]
    ])
  })
})

describe("OpenAI Chat decoder: usage", () => {
  it.each<[string, object, object]>([
    ["usage-null-on-every-chunk", { total: 12 }, { total: 5 }],
    ["usage-cumulative", { total: 9 }, { total: 3 }],
    ["usage-in-choice", { total: 7, uncached: 3, cacheRead: 4 }, { total: 2 }],
    ["usage-x-groq", { total: 7 }, { total: 2 }],
    ["usage-cache-hit-tokens", { total: 100, uncached: 36, cacheRead: 64 }, { total: 2 }],
    ["usage-num-cached-tokens", { total: 100, uncached: 68, cacheRead: 32 }, { total: 2 }],
    ["usage-cache-write", { total: 100, uncached: 60, cacheRead: 10, cacheWrite: 30 }, { total: 2 }],
    ["usage-reasoning-outside-by-total", { total: 10 }, { total: 60, text: 50, reasoning: 10 }],
    ["usage-reasoning-exceeds-completion", { total: 10 }, { total: 45, text: 5, reasoning: 40 }],
    ["usage-null-never-overwrites", { total: 10, uncached: 7, cacheRead: 3 }, { total: 6 }],
    ["usage-nonsense", {}, { total: 0 }]
  ])("reads %s", (name, input, output) => {
    const { usage } = answer(name)
    assert.deepStrictEqual(usage.input, input)
    assert.deepStrictEqual(usage.output, output)
  })

  it("reads the billed cost", () => {
    assert.strictEqual(answer("usage-cache-write").usage.billedCost, 0.0021)
  })

  it("leaves usage absent when there is none", () => {
    assert.deepStrictEqual(answer("no-done").usage, { input: {}, output: {} })
  })
})

describe("OpenAI Chat decoder: failures", () => {
  it.each([
    ["error-frame", { message: "Engine lost.", type: "server_error", code: 503, status: 503 }],
    ["error-code-digits", { message: "Slow down.", status: 429 }],
    ["error-string", { message: "Engine lost." }],
    ["error-event", { message: "Engine lost.", type: "overloaded_error" }],
    ["error-event-text", { message: "engine lost" }],
    ["error-beside-choices", { message: "Upstream gone.", status: 502 }],
    ["error-in-choice", { message: "Upstream slow.", status: 504 }],
    ["error-object", { message: "No such bird.", type: "NotFoundError", status: 404 }],
    ["error-type", { message: "Busy.", type: "overloaded_error" }],
    ["error-detail", { message: "Not allowed." }],
    ["error-after-finish", { message: "Late trouble.", status: 500 }],
    ["error-native-only", { code: "network_error" }]
  ])("fails with the provider's own words on %s", (name, expected) => {
    const { failure, response } = stream(name)
    assert.strictEqual(response, undefined)
    assert.strictEqual(failure?.kind, "provider")
    assert.deepInclude(failure, expected)
  })

  it("keeps the partial answer and the upstream's words beside an error", () => {
    const { failure, partial } = stream("error-beside-choices")
    assert.strictEqual(partial?.text, "Hi")
    assert.include(failure?.body, "boom")
    assert.include(failure?.body, "Nest")
  })

  it("has no partial answer when the first frame is an error", () => {
    assert.strictEqual(stream("error-object").events.length, 0)
    assert.strictEqual(stream("error-object").partial, undefined)
  })

  it("fails on a frame that is not JSON, keeping the partial", () => {
    const { failure, partial } = stream("malformed-frame")
    assert.strictEqual(failure?.kind, "parse")
    assert.strictEqual(partial?.text, "Hi")
  })

  it("fails on an error body, also inside a list", () => {
    assert.deepInclude(whole("error-body").failure, { message: "Out of seed.", code: "insufficient_quota" })
    assert.deepInclude(whole("error-list").failure, { message: "Bad nest.", status: 400 })
  })

  it.each(["unknown-shape", "choices-empty"])("fails on a body without an answer: %s", (name) => {
    assert.strictEqual(whole(name).failure?.kind, "parse")
  })

  it.each([null, "text", 3, [], {}, { choices: null }, { choices: [null] }, { choices: [{}] }])(
    "never makes an answer of %j",
    (body) => {
      const made = decoder()
      made.whole(body)
      assert.strictEqual(made.assembler.failure?.kind, "parse")
    }
  )

  it("reads a body that lacks every optional field", () => {
    const response = wholeAnswer("sparse")
    assert.strictEqual(response.text, "Hi")
    assert.strictEqual(response.model, "asked-for")
  })

  it("reads a whole answer without a finish reason as other", () => {
    assert.strictEqual(wholeAnswer("finish-null").finishReason, "other")
  })
})
