/**
 * The wire says everything up to five times: in pieces, as whole texts, content parts, items, and in the final response.
 * Hosts leave out any of these; the answer must not depend on which.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import { server } from "../../src/protocol/responses/server/Server.ts"
import type { AnswerContext } from "../../src/protocol/Server.ts"
import type { ReplyAnswer } from "../../src/testing/simulator/Answer.ts"
import { played } from "../../src/testing/simulator/Reply.ts"
import { vendorOf } from "../../src/testing/simulator/Vendor.ts"
import { type Frame, outcomeOf, replay } from "./wire-replay.ts"

const { decoder, replayFrames } = replay("openai-responses", OpenAiResponses.make(), "openai")

const context: AnswerContext = {
  incoming: {
    method: "POST",
    path: "/v1/responses",
    query: new URLSearchParams(),
    headers: {},
    body: { include: ["reasoning.encrypted_content"], tools: [{ type: "custom", name: "note" }] }
  },
  requestId: "req_1",
  created: 1_767_225_600
}

const words = fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" })
const part: fc.Arbitrary<ReplyAnswer["parts"][number]> = fc.oneof(
  fc.record({ type: fc.constant("text" as const), text: words }),
  fc.record({ type: fc.constant("reasoning" as const), text: words }),
  fc.record({
    type: fc.constant("tool-call" as const),
    name: fc.constantFrom("weigh", "note"),
    arguments: fc.json()
  })
)
const reply: fc.Arbitrary<ReplyAnswer> = fc.record({
  parts: fc.array(part, { minLength: 1, maxLength: 6 }),
  finish: fc.constant("stop"),
  usage: fc.constant({ input: 1, output: 1 }),
  chunkSize: fc.integer({ min: 1, max: 9 })
})

const playedOf = (of: ReplyAnswer) =>
  played(of, {
    wire: server.wire,
    vendor: vendorOf(server),
    number: 1,
    model: "gpt-test-1",
    inputTokens: 1,
    custom: new Set(["note"])
  })

const framesOf = (of: ReplyAnswer): ReadonlyArray<Frame> => {
  const encoder = server.answerEncoder(context)
  return playedOf(of).events.flatMap((event) => encoder.add(event)).map(({ data }): Frame => {
    const [event, line] = String(data).trimEnd().split("\n") as [string, string]
    return { event: event.slice("event: ".length), data: line.slice("data: ".length) }
  })
}

/** What the parts say, without what only tells items apart. */
const said = (outcome: ReturnType<typeof outcomeOf>) => {
  assert.isUndefined(outcome.failure)
  return outcome.response?.parts.map((part) =>
    part.type === "text" || part.type === "reasoning"
      ? [part.type, part.text]
      : part.type === "tool-call"
      ? [part.name, part.arguments, part.invalid]
      : [part.type]
  )
}

const whole = (of: ReplyAnswer) => {
  const made = decoder()
  made.whole(JSON.parse(JSON.stringify(server.encodeAnswer(playedOf(of).response, context).body)))
  return said(outcomeOf(made))
}

type Change = (frame: Record<string, unknown>, at: number) => Record<string, unknown> | undefined

const changed = (frames: ReadonlyArray<Frame>, change: Change): ReadonlyArray<Frame> =>
  frames.flatMap(({ data, event }, at) => {
    const frame = change(JSON.parse(data) as Record<string, unknown>, at)
    return frame === undefined ? [] : [{ event, data: JSON.stringify(frame) }]
  })

const leaves = (left: ReadonlyArray<string>): Change => (frame) =>
  left.some((suffix) => String(frame["type"]).endsWith(suffix)) ? undefined : frame

const kinds = [
  ".delta",
  "text.done",
  "arguments.done",
  "input.done",
  "part.added",
  "part.done",
  "output_item.added",
  "response.created",
  "response.in_progress"
]

describe("OpenAI Responses decoder: redundancy", () => {
  it("reads the same from the stream as from the whole response", () => {
    fc.assert(fc.property(reply, (of) => assert.deepStrictEqual(said(replayFrames(framesOf(of))), whole(of))), {
      numRuns: 120,
      seed: 20261121
    })
  })

  it("reads the same whichever kinds of events are left out", () => {
    fc.assert(
      fc.property(reply, fc.subarray(kinds), (of, left) => {
        assert.deepStrictEqual(said(replayFrames(changed(framesOf(of), leaves(left)))), whole(of))
      }),
      { numRuns: 240, seed: 20261122 }
    )
  })

  it("reads the same parts when items are never closed, but repeated by the final response", () => {
    // Only the order may differ: what the events did not say comes after what they said.
    const sorted = (parts: ReturnType<typeof said>) => parts?.map((part) => JSON.stringify(part)).toSorted()
    fc.assert(
      fc.property(reply, fc.subarray(kinds), (of, left) => {
        const frames = changed(framesOf(of), leaves([...left, "output_item.done"]))
        assert.deepStrictEqual(sorted(said(replayFrames(frames))), sorted(whole(of)))
      }),
      { numRuns: 120, seed: 20261123 }
    )
  })

  it("reads the same when the final response has no output", () => {
    fc.assert(
      fc.property(reply, fc.subarray(kinds), (of, left) => {
        const frames = changed(framesOf(of), (frame, at) => {
          const response = frame["response"]
          return leaves(left)({
            ...frame,
            ...(response === undefined ? {} : { response: { ...response, output: [] } })
          }, at)
        })
        assert.deepStrictEqual(said(replayFrames(frames)), whole(of))
      }),
      { numRuns: 120, seed: 20261124 }
    )
  })

  it("reads the same when every event names its item differently", () => {
    const rotated: Change = (frame, at) => {
      const item = frame["item"]
      return {
        ...frame,
        ...("item_id" in frame ? { item_id: `opaque-${at}` } : {}),
        ...(item === undefined ? {} : { item: { ...item, id: `opaque-${at}` } })
      }
    }
    fc.assert(
      fc.property(reply, (of) => assert.deepStrictEqual(said(replayFrames(changed(framesOf(of), rotated))), whole(of))),
      { numRuns: 120, seed: 20261125 }
    )
  })

  it("reads the same when events name their item and not its place", () => {
    const unplaced: Change = (frame) => {
      const { output_index: index, ...rest } = frame
      assert.notStrictEqual(index, "")
      return rest
    }
    fc.assert(
      fc.property(
        reply,
        (of) => assert.deepStrictEqual(said(replayFrames(changed(framesOf(of), unplaced))), whole(of))
      ),
      { numRuns: 120, seed: 20261126 }
    )
  })
})
