import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import { lawsOf } from "./wire-laws.ts"
import { type Frame, replay } from "./wire-replay.ts"

const wire = replay("openai-chat", OpenAiChat.make())
const thinkTags = OpenAiChat.make({ thinkTags: true })

lawsOf("OpenAI Chat decoder", wire, { variants: [thinkTags], unlike: ["refusal"] })

describe("OpenAI Chat decoder: pieces", () => {
  it("loses no text when thinking tags are split anywhere", () => {
    const text = "<think>one < two</think>three </think> <thin four"
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      const frames = at.slice(1).map((end, i): Frame => ({
        event: "",
        data: JSON.stringify({ choices: [{ delta: { content: text.slice(at[i], end) } }] })
      }))
      const { response } = wire.replayFrames([...frames, { event: "", data: "[DONE]" }], thinkTags)
      assert.strictEqual(response?.reasoningText, "one < two")
      assert.strictEqual(response?.text, "three </think> <thin four")
    }))
  })

  it("puts interleaved tool calls together, however their arguments are cut", () => {
    const args = ["{\"a\":{\"b\":\"}{\"}}", "{\"list\":[{},{}]}", "{}"]
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 5 })), { maxLength: 40 }), (steps) => {
      const sent = [0, 0, 0]
      const frames: Array<Frame> = []
      const push = (index: number, piece: string, head: object) =>
        frames.push({
          event: "",
          data: JSON.stringify({
            choices: [{ delta: { tool_calls: [{ index, ...head, function: { ...head, arguments: piece } }] } }]
          })
        })
      for (let i = 0; i < 3; i++) push(i, "", { id: `call_${i}`, name: `tool_${i}` })
      for (const [index, length] of [...steps, [0, 99], [1, 99], [2, 99]] as const) {
        const piece = args[index]!.slice(sent[index], sent[index]! + length)
        if (piece === "") continue
        sent[index]! += piece.length
        push(index, piece, {})
      }
      frames.push({ event: "", data: JSON.stringify({ choices: [{ delta: {}, finish_reason: "tool_calls" }] }) })
      const { response } = wire.replayFrames(frames)
      assert.deepStrictEqual(
        response?.toolCalls.map((call) => [call.id, call.arguments]),
        args.map((text, i) => [`call_${i}`, JSON.parse(text)])
      )
    }))
  })
})
