/**
 * Hosts number content parts, summaries and items one way in deltas and another in the final output, and change ids between
 * events. What was said counts once, whatever it is called.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import { type Frame, outcomeOf, replay } from "./wire-replay.ts"

const { decoder, replayFrames } = replay("openai-responses", OpenAiResponses.make(), "openai")

/** A message of several texts, reasoning of several sections, or a call. */
type Item =
  | { readonly kind: "message"; readonly texts: ReadonlyArray<string>; readonly refusal: boolean }
  | { readonly kind: "reasoning"; readonly texts: ReadonlyArray<string> }
  | { readonly kind: "call"; readonly args: string }

/** Unlike texts: what is like another in every way may count for it. */
const unlike = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }), {
  minLength: 14,
  maxLength: 14
}).map((words) => words.map((word, at) => `${String.fromCharCode(97 + at)}${word}`))

const items = fc.tuple(
  unlike,
  fc.array(fc.tuple(fc.constantFrom("message", "message", "reasoning", "call"), fc.integer({ min: 1, max: 3 })), {
    minLength: 1,
    maxLength: 4
  }),
  fc.boolean()
).map(([words, kinds, refusal]): ReadonlyArray<Item> => {
  const left = words.slice()
  return kinds.map(([kind, count]): Item => {
    const texts = left.splice(0, count)
    return kind === "call"
      ? { kind, args: JSON.stringify({ a: texts[0] }) }
      : kind === "reasoning"
      ? { kind, texts }
      : { kind: "message", texts, refusal }
  })
})

interface Numbering {
  readonly items: (at: number) => number
  readonly contents: (at: number) => number
  readonly id: (at: number, event: number) => string
}

const wholeOf = (
  item: Item,
  at: number,
  id: string,
  order: (texts: ReadonlyArray<unknown>) => ReadonlyArray<unknown>
) => {
  switch (item.kind) {
    case "call":
      return {
        type: "function_call",
        id,
        call_id: `call_${at}`,
        name: "weigh",
        arguments: item.args,
        status: "completed"
      }
    case "reasoning":
      return { type: "reasoning", id, summary: order(item.texts.map((text) => ({ type: "summary_text", text }))) }
    case "message":
      return {
        type: "message",
        id,
        role: "assistant",
        content: order(
          item.texts.map((text, i) =>
            item.refusal && i === 0
              ? { type: "refusal", refusal: text }
              : { type: "output_text", text, annotations: [] }
          )
        )
      }
  }
}

/** A stream whose deltas are numbered one way; `closed` says whether each item is also given whole when it ends. */
const framesOf = (
  given: ReadonlyArray<Item>,
  streamed: Numbering,
  whole: Numbering,
  closed: boolean,
  order: (texts: ReadonlyArray<unknown>) => ReadonlyArray<unknown>,
  outputOrder: <A>(items: ReadonlyArray<A>) => ReadonlyArray<A>
): ReadonlyArray<Frame> => {
  const frames: Array<Record<string, unknown>> = [{ type: "response.created", response: { id: "r", model: "m" } }]
  given.forEach((item, at) => {
    const common = { output_index: streamed.items(at), item_id: streamed.id(at, frames.length) }
    if (item.kind === "call") {
      frames.push({
        type: "response.output_item.added",
        output_index: common.output_index,
        item: { type: "function_call", id: common.item_id, call_id: `call_${at}`, name: "weigh", arguments: "" }
      })
      frames.push({ type: "response.function_call_arguments.delta", ...common, delta: item.args.slice(0, 3) })
      frames.push({ type: "response.function_call_arguments.delta", ...common, delta: item.args.slice(3) })
    } else {
      item.texts.forEach((text, i) => {
        const type = item.kind === "reasoning"
          ? "response.reasoning_summary_text.delta"
          : item.refusal && i === 0
          ? "response.refusal.delta"
          : "response.output_text.delta"
        const index = item.kind === "reasoning" ? "summary_index" : "content_index"
        for (const delta of [text.slice(0, 1), text.slice(1)]) {
          frames.push({
            type,
            ...common,
            item_id: streamed.id(at, frames.length),
            [index]: streamed.contents(i),
            delta
          })
        }
      })
    }
    if (closed) {
      frames.push({
        type: "response.output_item.done",
        output_index: whole.items(at),
        item: wholeOf(item, at, whole.id(at, frames.length), order)
      })
    }
  })
  frames.push({
    type: "response.completed",
    response: {
      id: "r",
      status: "completed",
      output: outputOrder(given.map((item, at) => wholeOf(item, at, whole.id(at, 999 + at), order)))
    }
  })
  return frames.map((frame) => ({ event: String(frame["type"]), data: JSON.stringify(frame) }))
}

/** What was said, in any order. */
const said = (outcome: ReturnType<typeof outcomeOf>): ReadonlyArray<string> => {
  assert.isUndefined(outcome.failure)
  return outcome.response!.parts.flatMap((part) =>
    part.type === "text" || part.type === "reasoning"
      ? part.text === "" ? [] : [`${part.type} ${part.text}`]
      : part.type === "tool-call"
      ? [`${part.id} ${JSON.stringify(part.arguments)}`]
      : [part.type]
  ).toSorted()
}

const expected = (given: ReadonlyArray<Item>): ReadonlyArray<string> =>
  given.flatMap((item, at): ReadonlyArray<string> =>
    item.kind === "call"
      ? [`call_${at} ${item.args}`]
      : item.kind === "reasoning"
      ? [`reasoning ${item.texts.join("")}`]
      : item.texts.map((text) => `text ${text}`)
  ).toSorted()

const stable = (at: number): string => `item_${at}`
const rotating = (at: number, event: number): string => `opaque_${at}_${event}`
const same = (at: number): number => at
const inOrder = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> => list
const reversed = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> => list.toReversed()

describe("OpenAI Responses decoder: numbering", () => {
  it("gives text once whose deltas are under another content index than in the final item", () => {
    const outcome = replayFrames([
      { event: "", data: `{"type":"response.output_text.delta","output_index":0,"content_index":1,"delta":"Once."}` },
      {
        event: "",
        data:
          `{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"Once."}]}}`
      },
      {
        event: "",
        data:
          `{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Once."}]}]}}`
      }
    ])
    assert.strictEqual(outcome.response?.text, "Once.")
    assert.lengthOf(outcome.response!.parts, 1)
  })

  it("says the same when deltas and the final output number contents and items differently", () => {
    fc.assert(
      fc.property(
        items,
        fc.nat(3),
        fc.nat(3),
        fc.boolean(),
        fc.constantFrom(stable, rotating),
        fc.constantFrom<typeof inOrder>(inOrder, reversed),
        (given, contentShift, itemShift, closed, id, outputOrder) => {
          const streamed = { items: (at: number) => at + itemShift, contents: (at: number) => at + contentShift, id }
          const whole = { items: same, contents: same, id }
          const frames = framesOf(given, streamed, whole, closed, inOrder, outputOrder)
          assert.deepStrictEqual(said(replayFrames(frames)), expected(given))
        }
      ),
      { numRuns: 1000, seed: 20261201 }
    )
  })

  it("says the same when the final output gives the contents of an item in another order", () => {
    fc.assert(
      fc.property(items, fc.nat(2), fc.boolean(), (given, shift, closed) => {
        const streamed = { items: same, contents: (at: number) => 5 - at - shift, id: stable }
        const frames = framesOf(
          given.filter((item) => item.kind !== "reasoning"),
          streamed,
          { items: same, contents: same, id: stable },
          closed,
          reversed,
          inOrder
        )
        if (given.every((item) => item.kind === "reasoning")) return
        assert.deepStrictEqual(said(replayFrames(frames)), expected(given.filter((item) => item.kind !== "reasoning")))
      }),
      { numRuns: 500, seed: 20261202 }
    )
  })

  it("gives citations once when deltas and the final item number contents differently", () => {
    const annotation = { type: "url_citation", url: "https://tea.example/" }
    const outcome = replayFrames([
      { type: "response.output_text.delta", output_index: 0, content_index: 2, delta: "Tea." },
      { type: "response.output_text.annotation.added", output_index: 0, content_index: 2, annotation },
      {
        type: "response.completed",
        response: {
          status: "completed",
          output: [{ type: "message", content: [{ type: "output_text", text: "Tea.", annotations: [annotation] }] }]
        }
      }
    ].map((frame) => ({ event: "", data: JSON.stringify(frame) })))
    assert.lengthOf(outcome.response!.sources, 1)
    assert.strictEqual(outcome.response!.text, "Tea.")
  })

  it("keeps what the final output alone says, in whatever place", () => {
    const outcome = replayFrames([
      { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "First." },
      {
        type: "response.completed",
        response: {
          status: "completed",
          output: [
            { type: "message", content: [{ type: "output_text", text: "Second." }] },
            { type: "message", content: [{ type: "output_text", text: "First." }] }
          ]
        }
      }
    ].map((frame) => ({ event: "", data: JSON.stringify(frame) })))
    assert.strictEqual(outcome.response?.text, "First.Second.")
  })

  it("is incomplete when the terminal event comes alone", () => {
    for (const type of ["response.completed", "response.done", "response.incomplete"]) {
      const made = decoder()
      made.frame(JSON.stringify({ type }), type)
      made.end()
      assert.strictEqual(outcomeOf(made).failure?.kind, "incomplete")
    }
  })

  it("finishes an answer of nothing that says how it ended", () => {
    const made = decoder()
    made.frame(`{"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}`, "")
    assert.strictEqual(outcomeOf(made).response?.finishReason, "stop")
  })

  it("takes output_text where the output holds no text", () => {
    for (
      const output of [[], [{}], [{ type: "message", content: [] }], [{ type: "reasoning", id: "r", summary: [] }]]
    ) {
      const made = decoder()
      made.whole({ object: "response", status: "completed", output, output_text: "Tea." })
      assert.strictEqual(outcomeOf(made).response?.text, "Tea.")
    }
  })
})
