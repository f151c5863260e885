// Feeds a wire's fixtures to its decoder, and holds any decoder to the laws of the event grammar.
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import { fold, type LlmResponse } from "../../src/LlmResponse.ts"
import type { Decoder, Failure, Protocol } from "../../src/protocol/Protocol.ts"
import * as Framing from "../../src/transport/Framing.ts"

export interface Frame {
  readonly event: string
  readonly data: string
}

export interface Outcome {
  readonly events: ReadonlyArray<LlmEvent>
  readonly response: LlmResponse | undefined
  readonly failure: Failure | undefined
  readonly partial: LlmResponse | undefined
}

const sseFrames = (text: string): ReadonlyArray<Frame> =>
  text.split("\n\n").flatMap((block) => {
    const lines = block.split("\n")
    const event = lines.find((line) => line.startsWith("event: "))?.slice(7) ?? ""
    const data = lines.find((line) => line.startsWith("data: "))?.slice(6)
    return data === undefined ? [] : [{ event, data }]
  })

const lineFrames = (text: string): ReadonlyArray<Frame> =>
  text.split("\n").filter((line) => line !== "").map((data) => ({ event: "", data }))

const outcomeOf = (of: Decoder): Outcome => {
  const events = of.assembler.out
  const last = events.at(-1)
  return {
    events,
    response: last?._tag === "Finish" ? last.response : undefined,
    failure: of.assembler.failure,
    partial: of.assembler.partial()
  }
}

/** The fixtures of one wire in `test/fixtures/<folder>/`: streams by the framing's extension, whole bodies as `.json`. */
export const replay = (folder: string, protocol: Protocol) => {
  const path = fileURLToPath(new URL(`../fixtures/${folder}/`, import.meta.url))
  const extension = protocol.framing === "ndjson" ? "ndjson" : "sse"
  const names = (of: string): ReadonlyArray<string> =>
    readdirSync(path).filter((name) => name.endsWith(`.${of}`)).map((name) => name.slice(0, -1 - of.length)).toSorted()
  const read = (name: string, of = extension): string => readFileSync(`${path}${name}.${of}`, "utf8")
  const framesOf = (name: string) => (extension === "sse" ? sseFrames : lineFrames)(read(name))
  const decoder = (given: Protocol = protocol, includeRaw = false): Decoder =>
    given.decoder({ wire: given.wire, provider: "test", model: "asked-for", warnings: [], idSeed: "seed", includeRaw })
  const replayFrames = (frames: ReadonlyArray<Frame>, made = decoder()): Outcome => {
    for (const frame of frames) made.frame(frame.data, frame.event)
    made.end()
    return outcomeOf(made)
  }
  const stream = (name: string, given: Protocol = protocol) => replayFrames(framesOf(name), decoder(given))
  const streamBytes = (name: string, size: number): Outcome => {
    const made = decoder()
    const framing = Framing.make(protocol.framing, made)
    const bytes = new TextEncoder().encode(read(name))
    for (let at = 0; at < bytes.length; at += size) framing.push(bytes.subarray(at, at + size))
    framing.end()
    return outcomeOf(made)
  }
  const wholeBody = (body: unknown): Outcome => {
    const made = decoder()
    made.whole(JSON.parse(JSON.stringify(body)))
    return outcomeOf(made)
  }
  const whole = (name: string) => wholeBody(JSON.parse(read(name, "json")))
  /** A whole body as it comes over the network, through the framing. */
  const wholeBytes = (name: string): Outcome => {
    const made = decoder()
    const framing = Framing.make(protocol.framing, made)
    framing.push(new TextEncoder().encode(read(name, "json")))
    framing.end()
    return outcomeOf(made)
  }
  /** The response of a fixture that must be complete. */
  const answer = (name: string, given: Protocol = protocol): LlmResponse => {
    const { failure, response } = stream(name, given)
    if (response === undefined) throw new Error(`${name} is not complete: ${JSON.stringify(failure)}`)
    return response
  }
  return {
    streams: names(extension),
    bodies: names("json"),
    read,
    framesOf,
    decoder,
    outcomeOf,
    replayFrames,
    stream,
    streamBytes,
    whole,
    wholeBody,
    wholeBytes,
    answer
  }
}

const ends: Readonly<Record<string, string>> = {
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
    const end = ends[event._tag]
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

const wild = fc.oneof(
  fc.constant(null),
  fc.constant({}),
  fc.constant([]),
  fc.constant(""),
  fc.constant("x"),
  fc.constant(-1),
  fc.constant(true),
  fc.constant({ type: "text", text: null }),
  fc.constant([null, 1, { type: "tool-call-start", function: {} }])
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

/** Tests that hold for every wire: laws, splits, cuts and damage. */
export const lawsOf = (title: string, wire: ReturnType<typeof replay>): void => {
  const { bodies, decoder, framesOf, outcomeOf, replayFrames, streamBytes, streams, whole, wholeBody, wholeBytes } =
    wire

  describe(`${title}: laws`, () => {
    it.each(streams)("keeps the event laws on stream %s", (name) => {
      assert.isTrue(keepsLaws(replayFrames(framesOf(name))))
    })

    it.each(bodies)("keeps the event laws on body %s, which the framing reads alike", (name) => {
      const outcome = whole(name)
      assert.isTrue(keepsLaws(outcome))
      assert.deepStrictEqual(wholeBytes(name).events, outcome.events)
    })

    it.each(streams)("gives the same events for %s however its bytes are split", (name) => {
      const once = streamBytes(name, 1_000_000)
      assert.deepStrictEqual(streamBytes(name, 1).events, once.events)
      assert.deepStrictEqual(streamBytes(name, 7).events, once.events)
    })

    it.each(streams)("is incomplete when %s is cut before its end, with a prefix of its events", (name) => {
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

  describe(`${title}: fuzz`, () => {
    const pool = streams.flatMap(framesOf)
    const mutatedFrame = fc.record({
      at: fc.nat(pool.length - 1),
      path: fc.array(fc.nat(8), { maxLength: 6 }),
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

    it("never throws and keeps the laws on any sequence of damaged frames", () => {
      fc.assert(
        fc.property(fc.array(mutatedFrame, { maxLength: 14 }), (frames) => {
          assert.isTrue(keepsLaws(replayFrames(frames)))
        }),
        { numRuns: 2000, seed: 20261121 }
      )
    })

    it("never throws on an answer with one damaged frame", () => {
      const answers = streams.map(framesOf).filter((frames) => frames.length > 0)
      fc.assert(
        fc.property(fc.nat(answers.length - 1), fc.nat(20), mutatedFrame, (which, at, frame) => {
          const frames = answers[which]!
          assert.isTrue(keepsLaws(replayFrames(frames.with(at % frames.length, frame))))
        }),
        { numRuns: 1500, seed: 20261122 }
      )
    })

    it("never throws on any body", () => {
      const known = bodies.map((name): unknown => JSON.parse(wire.read(name, "json")))
      fc.assert(
        fc.property(
          fc.nat(known.length - 1),
          fc.array(fc.nat(8), { maxLength: 6 }),
          fc.oneof(wild, fc.jsonValue()),
          fc.boolean(),
          (which, path, by, remove) => {
            assert.isTrue(keepsLaws(wholeBody(mutate(known[which], path, by, remove))))
          }
        ),
        { numRuns: 1500, seed: 20261123 }
      )
    })
  })
}
