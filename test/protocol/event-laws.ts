// The laws of the event grammar, for tests of decoders, the fuzzer, and its script, which runs without a test runner.
import assert from "node:assert"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { fold, type LlmResponse } from "../../src/LlmResponse.ts"

const ends: Readonly<Record<string, string>> = {
  TextStart: "TextEnd",
  ReasoningStart: "ReasoningEnd",
  ToolCallStart: "ToolCallEnd"
}

/** What a decoder or a call has told. */
export interface Told {
  readonly events: ReadonlyArray<LlmEvent>
  readonly response: LlmResponse | undefined
  readonly failure: unknown
}

/** The laws of the event grammar; the pairing of starts and ends holds for complete answers only. */
export const keepsLaws = ({ events, failure, response }: Told): true => {
  const failed = failure !== undefined
  const count = (tag: LlmEvent["_tag"]) => events.filter((event) => event._tag === tag).length
  if (events.length > 0) assert.strictEqual(events[0]?._tag, "ResponseStart")
  assert.ok(count("ResponseStart") <= 1, "a second ResponseStart")
  assert.strictEqual(response === undefined, failed)
  assert.strictEqual(count("Finish"), response === undefined ? 0 : 1)
  const open = new Map<number, string>()
  const used = new Set<number>()
  for (const event of events) {
    if (!("index" in event)) continue
    const end = ends[event._tag]
    if (end !== undefined) {
      assert.ok(!used.has(event.index), `index ${event.index} is used twice`)
      used.add(event.index)
      open.set(event.index, end)
    } else if (event._tag.endsWith("Delta")) {
      assert.ok(open.has(event.index), `a delta of part ${event.index}, which is not open`)
    } else if (open.get(event.index) === event._tag) {
      open.delete(event.index)
    } else {
      assert.ok(!used.has(event.index), `index ${event.index} is used twice`)
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
