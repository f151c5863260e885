/**
 * A Chat choice says its piece in `delta` or in `message`, whole or streamed, and hosts fill the other one with placeholders,
 * with the same again, or with all that was said so far. What was said counts once.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import { type Outcome, replay } from "./wire-replay.ts"

const { replayFrames, wholeBody } = replay("openai-chat", OpenAiChat.make())

/** What one piece says. */
type Piece = {
  readonly content?: string
  readonly reasoning_content?: string
  readonly tool_calls?: ReadonlyArray<unknown>
}

const words = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" })

/** Unlike pieces, so that none repeats what was said before it. */
const pieces = fc.tuple(
  fc.array(words, { maxLength: 3 }),
  fc.array(words, { maxLength: 4 }),
  fc.array(fc.dictionary(words, fc.integer(), { minKeys: 1, maxKeys: 2 }), { maxLength: 2 })
).map(([reasoning, content, calls]): ReadonlyArray<Piece> => [
  ...reasoning.map((text, at) => ({ reasoning_content: `r${at}${text}` })),
  ...content.map((text, at) => ({ content: `t${at}${text}` })),
  ...calls.map((args, index) => ({
    tool_calls: [{
      index,
      id: `call_${index}`,
      type: "function",
      function: { name: "weigh", arguments: JSON.stringify(args) }
    }]
  }))
]).filter((all) => all.length > 0)

const placeholder = fc.constantFrom<unknown>(
  undefined,
  null,
  {},
  { role: "assistant" },
  { role: "assistant", content: "" },
  { role: "assistant", content: null, tool_calls: [], function_call: {}, refusal: "", reasoning_content: "" },
  { content: [], tool_calls: null, function_call: { name: "", arguments: "" }, audio: {}, annotations: [] },
  { content: {}, tool_calls: [{}], refusal: false }
)

const joined = (all: ReadonlyArray<Piece>, key: "content" | "reasoning_content"): string =>
  all.map((piece) => piece[key] ?? "").join("")

const messageOf = (all: ReadonlyArray<Piece>) => ({
  role: "assistant",
  content: joined(all, "content"),
  reasoning_content: joined(all, "reasoning_content"),
  tool_calls: all.flatMap((piece) => piece.tool_calls ?? [])
})

const seen = ({ failure, response }: Outcome) => {
  assert.isUndefined(failure)
  const { finishReason, reasoningText, text, toolCalls } = response!
  return {
    finishReason,
    reasoningText,
    text,
    calls: toolCalls.map((call) => [call.id, call.name, call.arguments, call.invalid])
  }
}

const expected = (all: ReadonlyArray<Piece>) => {
  const message = messageOf(all)
  return {
    finishReason: message.tool_calls.length > 0 ? "tool-calls" : "stop",
    reasoningText: message.reasoning_content,
    text: message.content,
    calls: message.tool_calls.map((one) => {
      const call = one as {
        readonly id: string
        readonly function: { readonly name: string; readonly arguments: string }
      }
      return [call.id, call.function.name, JSON.parse(call.function.arguments), undefined]
    })
  }
}

const chunk = (choice: object) => ({
  event: "",
  data: JSON.stringify({
    id: "c",
    object: "chat.completion.chunk",
    model: "m",
    choices: [{ index: 0, finish_reason: null, ...choice }]
  })
})

const finish = (more: object = {}) => chunk({ delta: {}, finish_reason: "stop", ...more })

const done = { event: "", data: "[DONE]" }

describe("OpenAI Chat decoder: two places", () => {
  it("reads a whole answer alike in message or delta, whatever placeholder the other holds", () => {
    fc.assert(
      fc.property(pieces, fc.boolean(), placeholder, (all, inDelta, other) => {
        const filled = messageOf(all)
        const choice = inDelta ? { delta: filled, message: other } : { message: filled, delta: other }
        const body = { id: "c", object: "chat.completion", choices: [{ index: 0, ...choice, finish_reason: "stop" }] }
        assert.deepStrictEqual(seen(wholeBody(body)), expected(all))
      }),
      { numRuns: 500, seed: 20261230 }
    )
  })

  it("reads a stream alike with each piece in either place", () => {
    fc.assert(
      fc.property(pieces, fc.infiniteStream(fc.tuple(fc.boolean(), placeholder)), (all, places) => {
        const frames = all.map((piece) => {
          const [inDelta, other] = places.next().value
          return chunk(inDelta ? { delta: piece, message: other } : { message: piece, delta: other })
        })
        assert.deepStrictEqual(seen(replayFrames([...frames, finish(), done])), expected(all))
      }),
      { numRuns: 500, seed: 20261231 }
    )
  })

  it("reads a stream once that repeats in message all that was said so far", () => {
    fc.assert(
      fc.property(pieces, fc.boolean(), (all, last) => {
        const frames = all.map((piece, at) => chunk({ delta: piece, message: messageOf(all.slice(0, at + 1)) }))
        const end = finish({ message: last ? messageOf(all) : {} })
        assert.deepStrictEqual(seen(replayFrames([...frames, end, done])), expected(all))
      }),
      { numRuns: 300, seed: 20261232 }
    )
  })

  it("reads a stream once whose last chunk holds the whole message beside an empty delta", () => {
    fc.assert(
      fc.property(pieces, fc.constantFrom("chat.completion", "chat.completion.chunk"), (all, object) => {
        const frames = all.map((piece) => chunk({ delta: piece }))
        const end = {
          event: "",
          data: JSON.stringify({
            object,
            choices: [{ index: 0, delta: {}, message: messageOf(all), finish_reason: "stop" }]
          })
        }
        assert.deepStrictEqual(seen(replayFrames([...frames, end, done])), expected(all))
      }),
      { numRuns: 300, seed: 20261233 }
    )
  })

  const answer = (choice: object) => seen(wholeBody({ choices: [{ index: 0, finish_reason: "stop", ...choice }] }))

  it("takes the legacy text, the other content field and the filled one of several choices", () => {
    assert.strictEqual(answer({ text: "Tea", message: { content: "" } }).text, "Tea")
    assert.strictEqual(answer({ message: { content: "", text: "Tea" } }).text, "Tea")
    assert.strictEqual(answer({ message: { content: "Tea", text: "Tea" }, text: "Tea" }).text, "Tea")
    assert.strictEqual(answer({ message: { content: "No.", refusal: "No." } }).text, "No.")
    for (const empty of [{}, { index: 0, message: { role: "assistant", content: "" } }, { index: 0, delta: {} }]) {
      const body = { choices: [empty, { index: 0, message: { content: "Tea" }, finish_reason: "stop" }] }
      assert.strictEqual(seen(wholeBody(body)).text, "Tea")
    }
  })

  it("takes the filled one of function, custom and the call itself, of ids and of argument names", () => {
    const call = { id: "call_1", type: "function", function: { name: "weigh", arguments: "{\"a\":1}" } }
    const calls: ReadonlyArray<object> = [
      { ...call, custom: { name: "", input: "" } },
      { ...call, custom: {} },
      { ...call, type: "custom", custom: { name: "", input: "" } },
      { ...call, id: "", call_id: "call_1" },
      { id: "call_1", type: "function", name: "weigh", arguments: "{\"a\":1}", function: {}, custom: null },
      { id: "call_1", function: { name: "weigh", arguments: "", parameters: { a: 1 } } },
      { id: "call_1", function: { name: "weigh", arguments: "{}" }, input: "{\"a\":1}" }
    ]
    for (const one of calls) {
      for (const whole of [true, false]) {
        const outcome = whole
          ? answer({ message: { content: null, tool_calls: [one], function_call: { name: "", arguments: "" } } })
          : seen(replayFrames([chunk({ delta: { tool_calls: [{ index: 0, ...one }] } }), finish(), done]))
        assert.deepStrictEqual(outcome.calls, [["call_1", "weigh", { a: 1 }, undefined]], JSON.stringify(one))
      }
    }
    const custom = answer({
      message: {
        tool_calls: [{
          id: "c",
          type: "custom",
          function: { name: "", arguments: "" },
          custom: { name: "note", input: "hi" }
        }]
      }
    })
    assert.deepStrictEqual(custom.calls, [["c", "note", "hi", undefined]])
    const legacy = answer({
      message: { content: "", tool_calls: [], function_call: { name: "weigh", arguments: "{}" } }
    })
    assert.deepStrictEqual(legacy.calls.map(([, name]) => name), ["weigh"])
  })

  it("takes the filled one of usage objects and of finish reasons", () => {
    const zero = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
    const some = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 }
    const said = { index: 0, message: { content: "Tea" }, finish_reason: "stop" }
    for (
      const body of [
        { choices: [said], usage: {}, x_groq: { usage: some } },
        { choices: [said], usage: zero, x_groq: { usage: some } },
        { choices: [{ ...said, usage: some }], usage: zero },
        { choices: [{ ...said, usage: zero }], usage: some },
        { choices: [said], usage: { ...zero, input_tokens: 12, output_tokens: 5 } }
      ]
    ) {
      const { usage } = wholeBody(body).response!
      assert.deepStrictEqual([usage.input.total, usage.output.total], [12, 5], JSON.stringify(body))
    }
    const last = replayFrames([chunk({ delta: { content: "Tea" }, usage: some }), finish({ usage: zero }), done])
    assert.strictEqual(last.response?.usage.input.total, 12)
    for (
      const reasons of [{ finish_reason: "", native_finish_reason: "length" }, {
        finish_reason: null,
        stop_reason: "length"
      }, { finish_reason: 0, finishReason: "length" }]
    ) {
      assert.strictEqual(
        answer({ message: { content: "Tea" }, ...reasons }).finishReason,
        "length",
        JSON.stringify(reasons)
      )
    }
  })
})
