import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { fold } from "../../src/LlmResponse.ts"
import * as Framing from "../../src/transport/Framing.ts"
import {
  decoder,
  type Frame,
  framesOf,
  names,
  type Outcome,
  outcomeOf,
  read,
  replayFrames
} from "./openai-chat-replay.ts"

const starts: Readonly<Record<string, string>> = {
  TextStart: "TextEnd",
  ReasoningStart: "ReasoningEnd",
  ToolCallStart: "ToolCallEnd"
}

/** The laws of the event grammar; the pairing of starts and ends holds for complete answers only. */
const keepsLaws = ({ events, failure, response }: Outcome): true => {
  const count = (tag: LlmEvent["_tag"]) => events.filter((event) => event._tag === tag).length
  if (events.length > 0) assert.strictEqual(events[0]?._tag, "ResponseStart")
  assert.isAtMost(count("ResponseStart"), 1)
  assert.isTrue((response === undefined) === (failure !== undefined))
  assert.strictEqual(count("Finish"), response === undefined ? 0 : 1)
  const open = new Map<number, string>()
  const used = new Set<number>()
  for (const event of events) {
    if (!("index" in event)) continue
    const end = starts[event._tag]
    if (end !== undefined) {
      assert.isFalse(used.has(event.index))
      used.add(event.index)
      open.set(event.index, end)
    } else if (event._tag.endsWith("Delta")) {
      assert.isTrue(open.has(event.index))
    } else if (open.get(event.index) === event._tag) {
      open.delete(event.index)
    } else {
      assert.isFalse(used.has(event.index))
      used.add(event.index)
    }
  }
  if (response === undefined) return true
  assert.strictEqual(events.at(-1)?._tag, "Finish")
  assert.strictEqual(open.size, 0)
  assert.deepStrictEqual(fold(events)?.parts, response.parts)
  const ids = response.toolCalls.map((call) => call.id)
  assert.strictEqual(new Set(ids).size, ids.length)
  return true
}

const parsed = (data: string): unknown => {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

describe("OpenAI Chat decoder: laws", () => {
  it.each(names("sse"))("keeps the event laws on %s", (name) => {
    assert.isTrue(keepsLaws(replayFrames(framesOf(name))))
    assert.isTrue(keepsLaws(replayFrames(framesOf(name), { thinkTags: true })))
  })

  it("gives the same events however the bytes are split", () => {
    for (const name of ["plain-text.sse", "tool-calls-parallel.sse", "reasoning-details-signed.sse"]) {
      const bytes = new TextEncoder().encode(read(name))
      for (const size of [1, 2, 7, 64]) {
        const made = decoder()
        const framing = Framing.make("sse", made)
        for (let at = 0; at < bytes.length; at += size) framing.push(bytes.subarray(at, at + size))
        framing.end()
        assert.deepStrictEqual(outcomeOf(made).events, replayFrames(framesOf(name)).events)
      }
    }
  })

  it.each(names("json"))("keeps the event laws on %s", (name) => {
    const made = decoder()
    made.whole(JSON.parse(read(name)))
    assert.isTrue(keepsLaws(outcomeOf(made)))
  })

  it.each(names("sse"))("is incomplete when %s is cut before it settles, without calls of cut arguments", (name) => {
    const frames = framesOf(name)
    const finished = replayFrames(frames)
    const valid = new Set((finished.response ?? finished.partial)?.toolCalls.map((call) => JSON.stringify(call)))
    for (let length = 0; length < frames.length; length++) {
      const made = decoder()
      for (const frame of frames.slice(0, length)) made.frame(frame.data, frame.event)
      const { settled } = made
      const done = made.assembler.finished
      made.end()
      const outcome = outcomeOf(made)
      keepsLaws(outcome)
      if (outcome.failure === undefined) {
        assert.isTrue(settled || done)
        continue
      }
      if (!settled && outcome.failure.kind !== "incomplete") continue
      for (const call of outcome.partial?.toolCalls ?? []) {
        if (!call.invalid) assert.isTrue(valid.has(JSON.stringify(call)), `${name} after ${length} frames`)
      }
    }
    assert.isAbove(frames.length, 0)
  })

  it("loses no text when thinking tags are split anywhere", () => {
    const text = "<think>one < two</think>three </think> <thin four"
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      const frames = at.slice(1).map((end, i): Frame => ({
        event: "",
        data: JSON.stringify({ choices: [{ delta: { content: text.slice(at[i], end) } }] })
      }))
      const { response } = replayFrames([...frames, { event: "", data: "[DONE]" }], { thinkTags: true })
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
      const { response } = replayFrames(frames)
      assert.deepStrictEqual(
        response?.toolCalls.map((call) => [call.id, call.arguments]),
        args.map((text, i) => [`call_${i}`, JSON.parse(text)])
      )
    }))
  })
})

describe("OpenAI Chat decoder: fuzz", () => {
  const corpus = names("sse").flatMap((name) => framesOf(name))
  const objects = corpus.flatMap((frame) => {
    const value = parsed(frame.data)
    return value === undefined ? [] : [value]
  })

  /** Replaces one value somewhere inside by another. */
  const mutate = (value: unknown, path: ReadonlyArray<number>, by: unknown): unknown => {
    if (path.length === 0 || typeof value !== "object" || value === null) return by
    const keys = Object.keys(value)
    if (keys.length === 0) return by
    const key = keys[path[0]! % keys.length]!
    const inner = mutate((value as Record<string, unknown>)[key], path.slice(1), by)
    return Array.isArray(value)
      ? value.map((one, i) => String(i) === key ? inner : one)
      : { ...value, [key]: inner }
  }

  const mutated = fc.tuple(fc.constantFrom(...objects), fc.array(fc.nat(9), { maxLength: 7 }), fc.jsonValue()).map((
    [value, path, by]
  ) => mutate(value, path, by))

  it("never throws and keeps the laws on streams of mutated frames", () => {
    const frame = fc.oneof(mutated, fc.constantFrom(...objects), fc.jsonValue()).map((value): Frame => ({
      event: "",
      data: JSON.stringify(value)
    }))
    const frames = fc.array(fc.oneof(frame, fc.constant({ event: "", data: "[DONE]" })), { maxLength: 12 })
    const property = fc.property(frames, (some) => {
      keepsLaws(replayFrames(some))
      keepsLaws(replayFrames(some, { thinkTags: true }))
    })
    fc.assert(property, { numRuns: 1500 })
    assert.isAbove(objects.length, 0)
  })

  it("never throws and keeps the laws on mutated bodies", () => {
    const bodies = names("json").map((name) => JSON.parse(read(name)) as unknown)
    const body = fc.tuple(fc.constantFrom(...bodies), fc.array(fc.nat(9), { maxLength: 7 }), fc.jsonValue()).map((
      [value, path, by]
    ) => mutate(value, path, by))
    fc.assert(
      fc.property(fc.oneof(body, fc.jsonValue()), (value) => {
        const made = decoder()
        made.whole(JSON.parse(JSON.stringify(value)))
        assert.isTrue(keepsLaws(outcomeOf(made)))
      }),
      { numRuns: 1500 }
    )
  })
})
