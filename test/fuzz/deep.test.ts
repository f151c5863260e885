// JSON nested deep at every place of every answer, once for places that are alike: as a value, and as text in a string, where
// arguments and content stand.
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { layerHttpClient } from "../../src/node.ts"
import type { AnswerCase } from "./answers.ts"
import { run, watchUncaught } from "./calls.ts"
import { inMemory, serve } from "./clients.ts"
import { nested, Raw, spell } from "./json.ts"
import { seeds, type WireName } from "./seeds.ts"
import { type Frame, frameBytes } from "./seeds/frames.ts"

let stop: () => void
beforeAll(() => {
  stop = watchUncaught()
})
afterAll(() => stop())

/** Deeper than a stack bears, as one value or another, and as text deep enough for the next turn only. */
const deep = [new Raw(nested(4000, "array")), new Raw(nested(4000, "object"))]
const deepText = nested(6000, "object")

/** The value once for each place in it that was not seen, with something deep there, and where text stands with deep text too. */
const everywhere = (value: unknown, seen: Set<string>, path: string, depth = 0): ReadonlyArray<unknown> => {
  const place = `${path} ${typeof value}`
  const own = seen.has(place) ? [] : typeof value === "string" ? [deep[depth % 2], deepText] : [deep[depth % 2]]
  seen.add(place)
  if (typeof value !== "object" || value === null) return own
  const inner = Array.isArray(value)
    ? value.flatMap((one, at) =>
      everywhere(one, seen, `${path}.${at}`, depth + 1).map((to): unknown => value.with(at, to))
    )
    : Object.entries(value).flatMap(([key, one]) =>
      everywhere(one, seen, `${path}.${key}`, depth + 1).map((to) => ({ ...value, [key]: to }))
    )
  return [...own, ...inner]
}

/** Says which frame it is: places of frames of one kind are alike. */
const kindOf = ({ data, event }: Frame): string => {
  const { event_type, type } = Object(data) as { readonly event_type?: unknown; readonly type?: unknown }
  return [event, type, event_type].join(" ")
}

const caseOf = (
  wire: WireName,
  operation: AnswerCase["operation"],
  chunks: ReadonlyArray<Uint8Array>,
  provider: string
): AnswerCase => ({
  wire,
  provider,
  operation,
  policies: 0,
  answer: { status: 200, headers: [["content-type", "text/event-stream"]], chunks, ending: "close" },
  compared: false,
  lost: false
})

const providers: { readonly [wire in WireName]: string } = {
  anthropic: "anthropic",
  chat: "any",
  responses: "openai",
  gemini: "gemini",
  ollama: "native",
  cohere: "cohere",
  bedrock: "bedrock"
}

const casesOf = function*(wire: WireName): Generator<AnswerCase> {
  const { bodies, framing, streams } = seeds[wire]
  const seen = new Set<string>()
  for (const { frames } of streams) {
    for (const [at, frame] of frames.entries()) {
      if (frame.text === true) continue
      for (const data of everywhere(frame.data, seen, kindOf(frame))) {
        const bytes = frames.with(at, { ...frame, data }).map((one, i) => frameBytes(framing, one, i === 0))
        yield caseOf(wire, "stream", bytes, providers[wire])
      }
    }
  }
  for (const body of bodies) {
    for (const one of everywhere(body, seen, "body")) {
      yield caseOf(wire, "generate", [new TextEncoder().encode(spell(one))], providers[wire])
    }
  }
}

const wires = Object.keys(seeds) as ReadonlyArray<WireName>

describe("JSON nested deep", () => {
  it.each(wires)("is no defect at any place of an answer of %s, nor in the turn after it", async (wire) => {
    for (const given of casesOf(wire)) {
      assert.deepStrictEqual(await run(given, inMemory), [])
    }
  }, 120_000)

  it.each(wires)("is no defect over the Node client, as %s", async (wire) => {
    const served = await serve()
    try {
      await Effect.runPromise(
        Effect.flatMap(HttpClient.HttpClient, (client) =>
          Effect.promise(async () => {
            const all = [...casesOf(wire)]
            // A dozen: what is read is the same, only who calls is another.
            for (let at = 0; at < all.length; at += Math.ceil(all.length / 12)) {
              served.answer = all[at]!.answer
              assert.deepStrictEqual(await run(all[at]!, () => client, `${served.url}/v1`, false), [])
            }
          })).pipe(Effect.provide(layerHttpClient))
      )
    } finally {
      served.server.closeAllConnections()
      served.server.close()
    }
  }, 120_000)
})
