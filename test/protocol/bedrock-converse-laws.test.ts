import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { fold } from "../../src/LlmResponse.ts"
import {
  bytesOf,
  decoder,
  type Frame,
  framesOf,
  names,
  type Outcome,
  outcomeOf,
  read,
  replayBytes,
  replayFrames
} from "./bedrock-replay.ts"

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

describe("Bedrock Converse decoder: laws", () => {
  it.each(names("jsonl"))("keeps the event laws on %s", (name) => {
    assert.isTrue(keepsLaws(replayFrames(framesOf(name))))
  })

  it.each(names("json"))("keeps the event laws on %s", (name) => {
    const made = decoder()
    made.whole(JSON.parse(read(name)))
    assert.isTrue(keepsLaws(outcomeOf(made)))
  })

  it.each(names("jsonl"))("gives the same events for %s however its bytes are split", (name) => {
    const frames = framesOf(name)
    const bytes = bytesOf(frames)
    const once = replayBytes(bytes, 1_000_000)
    assert.deepStrictEqual(replayBytes(bytes, 1).events, once.events)
    assert.deepStrictEqual(replayBytes(bytes, 7).events, once.events)
    assert.deepStrictEqual(once.events, replayFrames(frames).events)
  })

  it("is incomplete or complete, never wrong, wherever the bytes are cut", () => {
    const frames = framesOf("parallel-tools.jsonl")
    const bytes = bytesOf(frames)
    const complete = replayBytes(bytes, bytes.length)
    for (let length = 0; length < bytes.length; length++) {
      const outcome = replayBytes(bytes.subarray(0, length), 64)
      assert.isTrue(keepsLaws(outcome))
      if (outcome.response !== undefined) assert.deepStrictEqual(outcome.response.parts, complete.response?.parts)
      else assert.strictEqual(outcome.failure?.kind, "incomplete")
    }
  })

  it("is unreadable when a byte is damaged before the answer is complete", () => {
    const frames = framesOf("parallel-tools.jsonl")
    const bytes = bytesOf(frames)
    for (let at = 1; at < bytes.length; at += 3) {
      const damaged = bytes.slice()
      damaged[at]! ^= 0x10
      const outcome = replayBytes(damaged, 100)
      assert.strictEqual(outcome.failure?.kind, "parse", `byte ${at}`)
      assert.isTrue(keepsLaws(outcome))
    }
  })

  it.each(names("jsonl"))("is incomplete when %s is cut before it settled, with a prefix of its events", (name) => {
    const frames = framesOf(name)
    const complete = replayFrames(frames)
    for (let length = 0; length < frames.length; length++) {
      const made = decoder()
      for (const frame of frames.slice(0, length)) made.frame(frame.data, frame.event)
      const settled = made.settled || made.assembler.finished
      made.end()
      const outcome = outcomeOf(made)
      assert.isTrue(keepsLaws(outcome))
      if (settled) continue
      assert.isDefined(outcome.failure)
      // So no call that the whole stream would not have closed by then.
      assert.deepStrictEqual(outcome.events, complete.events.slice(0, outcome.events.length))
    }
  })
})

// =============================================================================
// Fuzz
// =============================================================================

const pool: ReadonlyArray<Frame> = names("jsonl").flatMap(framesOf)
const wild = fc.oneof(
  fc.constant(null),
  fc.constant({}),
  fc.constant([]),
  fc.constant(""),
  fc.constant("x"),
  fc.constant(-1),
  fc.constant(true),
  fc.constant({ toolUse: { input: 1 } }),
  fc.constant([null, 1, { toolUse: {} }])
)

/** Replaces or removes one value anywhere in a frame. */
const mutate = (value: unknown, path: ReadonlyArray<number>, by: unknown, remove: boolean): unknown => {
  const [step, ...rest] = path
  if (step === undefined || typeof value !== "object" || value === null) return by
  const entries = Object.entries(value)
  if (entries.length === 0) return by
  const at = step % entries.length
  const changed = entries.flatMap(([key, child], i): ReadonlyArray<readonly [string, unknown]> => {
    if (i !== at) return [[key, child]]
    if (rest.length === 0 && remove) return []
    return [[key, mutate(child, rest, by, remove)]]
  })
  return Array.isArray(value) ? changed.map(([, child]) => child) : Object.fromEntries(changed)
}

const mutatedFrame = fc.record({
  at: fc.nat(pool.length - 1),
  path: fc.array(fc.nat(8), { maxLength: 4 }),
  by: wild,
  remove: fc.boolean(),
  keep: fc.boolean()
}).map(({ at, by, keep, path, remove }): Frame => {
  const frame = pool[at]!
  if (keep || !frame.data.startsWith("{")) return frame
  try {
    return { event: frame.event, data: JSON.stringify(mutate(JSON.parse(frame.data), path, by, remove)) }
  } catch {
    return frame
  }
})

describe("Bedrock Converse decoder: fuzz", () => {
  it("never throws and keeps the laws on any sequence of damaged frames", () => {
    fc.assert(
      fc.property(fc.array(mutatedFrame, { maxLength: 14 }), (frames) => {
        assert.isTrue(keepsLaws(replayFrames(frames)))
      }),
      { numRuns: 3000, seed: 20261121 }
    )
  })

  it("never throws on an answer with one damaged frame", () => {
    const streams = names("jsonl").map(framesOf).filter((frames) => frames.length > 0)
    fc.assert(
      fc.property(fc.nat(streams.length - 1), fc.nat(20), mutatedFrame, (which, at, frame) => {
        const frames = streams[which]!
        assert.isTrue(keepsLaws(replayFrames(frames.with(at % frames.length, frame))))
      }),
      { numRuns: 2000, seed: 20261122 }
    )
  })

  it("never throws on any body", () => {
    const bodies = names("json").map((name): unknown => JSON.parse(read(name)))
    fc.assert(
      fc.property(
        fc.nat(bodies.length - 1),
        fc.array(fc.nat(8), { maxLength: 5 }),
        fc.oneof(wild, fc.jsonValue()),
        fc.boolean(),
        (which, path, by, remove) => {
          const made = decoder()
          made.whole(JSON.parse(JSON.stringify(mutate(bodies[which], path, by, remove))))
          assert.isTrue(keepsLaws(outcomeOf(made)))
        }
      ),
      { numRuns: 2000, seed: 20261123 }
    )
  })
})
