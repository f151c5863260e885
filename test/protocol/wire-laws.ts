// Holds any wire's decoder to the laws of the event grammar: on its fixtures, on cuts and splits of them, and on damage.
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Protocol } from "../../src/protocol/Protocol.ts"
import { keepsLaws } from "./event-laws.ts"
import { type Frame, outcomeOf, type replay } from "./wire-replay.ts"

/** Values that decoders of one wire or another look into. */
const wild = fc.oneof(
  fc.constantFrom(
    null,
    {},
    [],
    "",
    "x",
    -1,
    true,
    { type: "text", text: null },
    { text: null, thought: true },
    { toolUse: { input: 1 } },
    { functionCall: { willContinue: true, name: "n" } },
    [{ jsonPath: "$.a[2]", stringValue: "x" }],
    [null, 1, { type: "tool_use" }],
    [null, 1, { type: "function_call" }],
    [null, 1, { toolUse: {} }],
    [null, 1, { functionCall: {} }],
    [null, 1, { type: "tool-call-start", function: {} }]
  ),
  fc.jsonValue()
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

/** A place in a value, and what becomes of it. */
const damage = fc.record({
  path: fc.array(fc.nat(9), { maxLength: 7 }),
  by: wild,
  remove: fc.boolean()
})

interface Exceptions {
  /** The same wire with quirks, for which the laws must hold too. */
  readonly variants?: ReadonlyArray<Protocol>
  /** Fixtures of which the stream and the body of one name are different answers. */
  readonly unlike?: ReadonlyArray<string>
  /** Streams in which every frame has a finish reason, so that they are complete wherever they are cut. */
  readonly anywhere?: ReadonlyArray<string>
}

/** Tests that hold for every wire: laws, splits, cuts and damage. */
export const lawsOf = (
  title: string,
  wire: ReturnType<typeof replay>,
  { anywhere = [], unlike = [], variants = [] }: Exceptions = {}
): void => {
  const { bodies, bytesOf, decoder, framesOf, replayBytes, replayFrames, streams, whole, wholeBody } = wire
  const protocols = [undefined, ...variants]
  const both = streams.filter((name) => bodies.includes(name) && !unlike.includes(name))

  describe(`${title}: laws`, () => {
    it.each(streams)("keeps the event laws on stream %s", (name) => {
      for (const protocol of protocols) assert.isTrue(keepsLaws(replayFrames(framesOf(name), protocol)))
    })

    it.each(bodies)("keeps the event laws on body %s", (name) => {
      assert.isTrue(keepsLaws(whole(name)))
    })

    it.each(typeof wire.framing === "function" ? [] : bodies)("reads body %s alike where a stream was due", (name) => {
      assert.deepStrictEqual(replayBytes(bytesOf(name, "json"), 1_000_000).events, whole(name).events)
    })

    it.each(both)(
      "gives the same answer for %s streamed or whole",
      (name) => {
        const [streamed, once] = [wire.stream(name), whole(name)]
        assert.deepStrictEqual(streamed.response?.parts, once.response?.parts)
        assert.deepStrictEqual(streamed.response?.usage, once.response?.usage)
        assert.strictEqual(streamed.response?.finishReason, once.response?.finishReason)
        assert.strictEqual(streamed.failure?.kind, once.failure?.kind)
      }
    )

    it.each(streams)("gives the same events for %s however its bytes are split", (name) => {
      const bytes = bytesOf(name)
      const { events } = replayFrames(framesOf(name))
      for (const size of [1, 2, 7, 64, bytes.length]) assert.deepStrictEqual(replayBytes(bytes, size).events, events)
    })

    it("is incomplete, with nothing to show, when nothing came at all", () => {
      const { events, failure, partial } = replayFrames([])
      assert.deepStrictEqual(events, [])
      assert.strictEqual(failure?.kind, "incomplete")
      assert.isUndefined(partial)
    })

    it.each(streams)("is incomplete when %s is cut before it settled, with a prefix of its events", (name) => {
      const frames = framesOf(name)
      const complete = replayFrames(frames)
      const calls = new Set((complete.response ?? complete.partial)?.toolCalls.map((call) => JSON.stringify(call)))
      for (let length = 0; length < frames.length; length++) {
        const made = decoder()
        for (const frame of frames.slice(0, length)) made.frame(frame.data, frame.event)
        const settled = made.settled || made.assembler.finished
        made.end()
        const outcome = outcomeOf(made)
        assert.isTrue(keepsLaws(outcome))
        if (settled || anywhere.includes(name)) continue
        assert.isDefined(outcome.failure)
        // So no call that the whole stream would not have closed by then.
        assert.deepStrictEqual(outcome.events, complete.events.slice(0, outcome.events.length))
        for (const call of outcome.partial?.toolCalls ?? []) {
          assert.isTrue(call.invalid === true || calls.has(JSON.stringify(call)), `${call.id} after ${length} frames`)
        }
      }
    })

    it.each(streams)("is incomplete or complete, never wrong, wherever the bytes of %s are cut", (name) => {
      const bytes = bytesOf(name)
      const complete = replayBytes(bytes, bytes.length)
      for (let length = 0; length < bytes.length; length += 7) {
        const outcome = replayBytes(bytes.subarray(0, length), 64)
        assert.isTrue(keepsLaws(outcome))
        if (complete.response === undefined || anywhere.includes(name)) continue
        // A last line without its end is read, as hosts leave it out: a part of one is no JSON.
        if (outcome.response === undefined) assert.include(["incomplete", "parse"], outcome.failure?.kind)
        else assert.deepStrictEqual(outcome.response.parts, complete.response.parts)
      }
    })
  })

  describe(`${title}: fuzz`, () => {
    const pool = streams.flatMap(framesOf)
    const damagedFrame = fc.tuple(fc.constantFrom(...pool), damage).map(([frame, { by, path, remove }]): Frame => {
      try {
        return { event: frame.event, data: JSON.stringify(mutate(JSON.parse(frame.data), path, by, remove)) }
      } catch {
        return frame
      }
    })
    const anyFrame = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...pool) },
      { weight: 4, arbitrary: damagedFrame },
      fc.jsonValue().map((value): Frame => ({ event: "", data: JSON.stringify(value) })),
      fc.constant<Frame>({ event: "", data: "[DONE]" })
    )

    it("never throws and keeps the laws on any sequence of damaged frames", () => {
      fc.assert(
        fc.property(fc.array(anyFrame, { maxLength: 14 }), (frames) => {
          for (const protocol of protocols) assert.isTrue(keepsLaws(replayFrames(frames, protocol)))
        }),
        { numRuns: 800, seed: 20261121 }
      )
    })

    it("never throws and keeps the laws on an answer with one damaged frame", () => {
      const answers = streams.map(framesOf).filter((frames) => frames.length > 0)
      fc.assert(
        fc.property(fc.constantFrom(...answers), fc.nat(20), anyFrame, (frames, at, frame) => {
          assert.isTrue(keepsLaws(replayFrames(frames.with(at % frames.length, frame))))
        }),
        { numRuns: 500, seed: 20261122 }
      )
    })

    it("never throws and keeps the laws on any body", () => {
      const known = bodies.map((name): unknown => JSON.parse(wire.read(name, "json")))
      const damagedBody = fc.tuple(fc.constantFrom(...known), damage).map(([body, { by, path, remove }]) =>
        mutate(body, path, by, remove)
      )
      fc.assert(
        fc.property(fc.oneof({ weight: 4, arbitrary: damagedBody }, fc.jsonValue()), (body) => {
          assert.isTrue(keepsLaws(wholeBody(body)))
        }),
        { numRuns: 500, seed: 20261123 }
      )
    })
  })
}
