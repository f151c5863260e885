/**
 * What a server writes of an answer, the client of the wire reads: the same, streamed and whole, however the bytes are split.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { decoderOf as clientDecoder } from "../decoder-of.ts"
import "../../seed.ts"
import type { LlmEvent } from "../../../src/LlmEvent.ts"
import { type FinishReason, LlmResponse, toEvents, type Usage } from "../../../src/LlmResponse.ts"
import type { Json, JsonObject, Part } from "../../../src/Message.ts"
import type { Decoder } from "../../../src/protocol/Protocol.ts"
import type { AnswerContext, Frame } from "../../../src/protocol/Server.ts"
import * as Framing from "../../../src/transport/Framing.ts"
import { contextOf, names, type Wire, wires } from "./wires.ts"

// =============================================================================
// What each wire can say
// =============================================================================

interface Means {
  /** Kinds of parts in the order in which a whole answer has them, and how many of each. */
  readonly parts: ReadonlyArray<readonly [kind: string, most: number]>
  /** Whether parts may come in any order. */
  readonly mixed?: boolean
  readonly finish: ReadonlyArray<FinishReason>
  readonly usage: ReadonlyArray<"cacheRead" | "cacheWrite" | "reasoning">
  /** Whether an answer has an id. */
  readonly id: boolean
}

const all: Means["usage"] = ["cacheRead", "cacheWrite", "reasoning"]

const means: { readonly [kind: string]: Means } = {
  anthropic: {
    parts: [["text", 3], ["signed", 2], ["encrypted", 1], ["call", 2], ["source", 2], ["own", 1]],
    mixed: true,
    finish: ["stop", "length", "refusal", "pause", "context-window"],
    usage: all,
    id: true
  },
  chat: {
    parts: [["reasoning", 1], ["text", 1], ["call", 3], ["source", 2]],
    finish: ["stop", "length", "content-filter", "error", "refusal"],
    usage: all,
    id: true
  },
  responses: {
    parts: [["text", 3], ["reasoning", 1], ["encrypted", 1], ["call", 2], ["own", 1]],
    mixed: true,
    finish: ["stop", "length", "content-filter", "refusal", "pause", "context-window"],
    usage: all,
    id: true
  },
  gemini: {
    parts: [["signed", 1], ["text", 1], ["image", 1], ["call", 2], ["own", 1]],
    mixed: true,
    finish: ["stop", "length", "content-filter", "error"],
    usage: ["cacheRead", "reasoning"],
    id: true
  },
  bedrock: {
    parts: [["text", 2], ["signed", 1], ["encrypted", 1], ["call", 2], ["source", 1], ["image", 1]],
    mixed: true,
    finish: ["stop", "length", "content-filter", "context-window", "error"],
    usage: ["cacheRead", "cacheWrite"],
    id: false
  },
  cohere: {
    parts: [["own", 1], ["reasoning", 1], ["text", 2], ["call", 2]],
    finish: ["stop", "length", "content-filter", "context-window", "error"],
    usage: ["cacheRead", "reasoning"],
    id: true
  },
  ollama: {
    parts: [["reasoning", 1], ["text", 1], ["call", 2]],
    finish: ["stop", "length", "error"],
    usage: [],
    id: false
  }
}

/** Something of the vendor's own that goes through unchanged. */
const ownParts: {
  readonly [kind: string]: readonly [name: string, kind: "call" | "result" | "block", data: JsonObject, id?: string]
} = {
  anthropic: ["web_search", "call", {
    type: "server_tool_use",
    id: "srvtoolu_1",
    name: "web_search",
    input: { query: "cats" }
  }, "srvtoolu_1"],
  responses: ["web_search_call", "call", {
    id: "ws_1",
    type: "web_search_call",
    status: "completed",
    action: { type: "search", query: "cats" }
  }, "ws_1"],
  gemini: ["executableCode", "call", { executableCode: { language: "PYTHON", code: "print(1)" } }],
  cohere: ["tool_plan", "block", { tool_plan: "I shall look it up." }]
}

const rawSources: { readonly [kind: string]: (url: string, title: string) => Json } = {
  anthropic: (url, title) => ({
    type: "web_search_result_location",
    url,
    title,
    encrypted_index: "x",
    cited_text: "cited"
  }),
  chat: (url, title) => ({ type: "url_citation", url_citation: { url, title, start_index: 0, end_index: 1 } }),
  bedrock: (url, title) => ({ title, location: { web: { url } } })
}

// =============================================================================
// Answers
// =============================================================================

const text = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }).filter((text) => text.isWellFormed())
const word = fc.stringMatching(/^[a-z][a-z_]{0,9}$/)
const base64 = fc.base64String({ minLength: 4, maxLength: 12 }).filter((data) => data.length > 0)

const partOf = (kind: string, of: string): fc.Arbitrary<Part> => {
  const { wire } = wires[kind]!.client
  const origin = { wire, provider: "someone", model: "model-1" }
  switch (of) {
    case "text":
      return text.map((text) => ({ type: "text", text }))
    case "reasoning":
      return text.map((text) => ({ type: "reasoning", text, origin }))
    case "signed":
      return fc.tuple(text, base64).map(([text, signature]) => ({ type: "reasoning", text, signature, origin }))
    case "encrypted":
      return base64.map((encrypted) => ({ type: "reasoning", text: "", encrypted, origin }))
    case "call":
      return fc.tuple(word, fc.dictionary(word, fc.oneof(text, fc.integer()), { maxKeys: 3 })).map(([name, args]) => ({
        type: "tool-call",
        id: "",
        name,
        arguments: { ...args },
        origin
      }))
    case "source":
      return fc.tuple(word, word).map(([host, title]) => ({
        type: "source",
        url: `https://${host}.example/`,
        title,
        raw: rawSources[kind]!(`https://${host}.example/`, title)
      }))
    case "image":
      return base64.map((data) => ({ type: "image", source: { type: "base64", mediaType: "image/png", data } }))
    default: {
      const [name, type, data, id] = ownParts[kind]!
      return fc.constant({
        type: "server-tool",
        name,
        kind: type,
        ...(id === undefined ? undefined : { id }),
        data,
        origin
      })
    }
  }
}

const counts = fc.integer({ min: 1, max: 5000 })

const usageOf = (known: Means["usage"]): fc.Arbitrary<Usage> =>
  fc.record({ uncached: counts, cacheRead: counts, cacheWrite: counts, text: counts, reasoning: counts }).map(
    (given) => {
      const has = (name: "cacheRead" | "cacheWrite" | "reasoning") => known.includes(name) ? given[name] : undefined
      const [cacheRead, cacheWrite, reasoning] = [has("cacheRead"), has("cacheWrite"), has("reasoning")]
      return {
        input: {
          total: given.uncached + (cacheRead ?? 0) + (cacheWrite ?? 0),
          ...(cacheRead === undefined ? undefined : { cacheRead }),
          ...(cacheWrite === undefined ? undefined : { cacheWrite })
        },
        output: {
          total: given.text + (reasoning ?? 0),
          ...(reasoning === undefined ? undefined : { reasoning })
        }
      }
    }
  )

/** The citations of a text follow it. */
const cited = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> => {
  const sources = parts.filter((part) => part.type === "source")
  const others = parts.filter((part) => part.type !== "source")
  const at = others.findLastIndex((part) => part.type === "text")
  return at === -1 ? others : [...others.slice(0, at + 1), ...sources, ...others.slice(at + 1)]
}

const numbered = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> =>
  parts.map((part, at) => part.type === "tool-call" ? { ...part, id: `call_${at}` } : part)

const answerOf = (kind: string): fc.Arbitrary<LlmResponse> => {
  const { finish, mixed, parts, usage } = means[kind]!
  const lists = parts.map(([of, most]) => fc.array(partOf(kind, of), { maxLength: most }))
  return fc.record({
    lists: fc.tuple(...lists),
    order: fc.array(fc.nat(100), { minLength: 12, maxLength: 12 }),
    finish: fc.constantFrom(...finish),
    usage: usageOf(usage)
  }).filter(({ lists }) => lists.flat().length > 0).map(({ finish, lists, order, usage }) => {
    const given = lists.flat()
    const placed = mixed === true
      ? given.map((part, at) => [order[at % order.length]!, part] as const).toSorted(([a], [b]) => a - b)
        .map(([, part]) => part)
      : given
    const parts = numbered(kind === "chat" ? placed : cited(placed))
    const called = parts.some((part) => part.type === "tool-call")
    const spoken = parts.some((part) => part.type === "text")
    return new LlmResponse({
      parts,
      // A limit cuts a call, and without a text nothing is refused.
      finishReason: called ? "tool-calls" : finish === "refusal" && !spoken && kind !== "anthropic" ? "stop" : finish,
      usage,
      ...(means[kind]!.id ? { id: "answer-1" } : undefined),
      model: "model-1",
      provider: "someone",
      warnings: []
    })
  })
}

/** The events of an answer, its text in pieces. */
const eventsOf = (response: LlmResponse, size: number): ReadonlyArray<LlmEvent> =>
  toEvents(response).flatMap((event): ReadonlyArray<LlmEvent> => {
    if (event._tag === "TextDelta" || event._tag === "ReasoningDelta") {
      return [...new Intl.Segmenter().segment(event.text)].map(({ segment }) => ({ ...event, text: segment }))
    }
    if (event._tag !== "ToolCallDelta") return [event]
    const pieces = event.delta.match(new RegExp(`[^]{1,${size}}`, "gu")) ?? []
    return pieces.map((delta) => ({ ...event, delta }))
  })

// =============================================================================
// Reading
// =============================================================================

const decoderOf = (wire: Wire): Decoder =>
  clientDecoder(wire.client, {
    wire: wire.client.wire,
    provider: "someone",
    model: "model-1",
    warnings: [],
    idSeed: "seed",
    includeRaw: false
  })

const bytesOf = (frames: ReadonlyArray<Frame>): Uint8Array =>
  Buffer.concat(frames.map(({ data }) => typeof data === "string" ? Buffer.from(data) : Buffer.from(data)))

const finished = (decoder: Decoder): LlmResponse => {
  const last = decoder.assembler.out.at(-1)
  if (last?._tag !== "Finish") throw new Error(`not finished: ${JSON.stringify(decoder.assembler.failure)}`)
  return last.response
}

const readStream = (wire: Wire, bytes: Uint8Array, size: number): LlmResponse => {
  const decoder = decoderOf(wire)
  const framing = Framing.make(wire.client.framing, decoder)
  for (let at = 0; at < bytes.length; at += size) framing.push(bytes.subarray(at, at + size))
  framing.end()
  return finished(decoder)
}

const readWhole = (wire: Wire, body: JsonObject): LlmResponse => {
  const decoder = decoderOf(wire)
  decoder.whole(JSON.parse(JSON.stringify(body)) as Json)
  return finished(decoder)
}

/** What a part says, without what only tells it apart or must go back with it. */
const partSays = (part: Part): readonly [string, ...ReadonlyArray<unknown>] => {
  switch (part.type) {
    case "text":
      return ["text", part.text]
    case "reasoning":
      return ["reasoning", part.text, part.signature, part.encrypted]
    case "tool-call":
      return ["call", part.id, part.name, part.arguments, part.invalid]
    case "source":
      return ["source", part.url, part.title]
    case "server-tool":
      return ["own", part.name, part.kind, part.id, JSON.stringify(part.data)]
    case "image":
      return ["image", JSON.stringify(part.source)]
    default:
      return [part.type]
  }
}

/** Text that follows text is one, and so is reasoning up to its signature. */
const joined = (parts: ReadonlyArray<Part>): ReadonlyArray<readonly [string, ...ReadonlyArray<unknown>]> => {
  const out: Array<[string, ...Array<unknown>]> = []
  for (const part of parts) {
    const last = out.at(-1)
    const [of, ...said] = partSays(part)
    const open = last?.[0] === of &&
      (of === "text" || (of === "reasoning" && last[2] === undefined && last[3] === undefined))
    if (open && (of === "text" || said[2] === undefined)) {
      last[1] = `${String(last[1])}${String(said[0])}`
      last[2] = said[1]
    } else out.push([of, ...said])
  }
  return out
}

/** Sources stand at the end, wherever the wire has them. */
const sorted = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> => [
  ...parts.filter((part) => part.type !== "source"),
  ...parts.filter((part) => part.type === "source")
]

const says = (response: LlmResponse) => ({
  parts: joined(sorted(response.parts)),
  finishReason: response.finishReason,
  input: { total: response.usage.input.total, cacheRead: response.usage.input.cacheRead ?? 0 },
  cacheWrite: response.usage.input.cacheWrite ?? 0,
  output: { total: response.usage.output.total, reasoning: response.usage.output.reasoning ?? 0 },
  id: response.id,
  model: response.model
})

describe.each(names)("%s: answers in both directions", (kind) => {
  const wire = wires[kind]!
  const body = { stream_options: { include_usage: true }, include: ["reasoning.encrypted_content"] }
  const context = (response: LlmResponse): AnswerContext =>
    contextOf({
      method: "POST",
      path: "/",
      query: new URLSearchParams("alt=sse"),
      headers: {},
      body
    }, { refused: response.finishReason === "refusal" })

  it("reads the whole answer that it writes", () => {
    fc.assert(
      fc.property(answerOf(kind), (response) => {
        const { body, warnings } = wire.server.encodeAnswer(response, context(response))
        assert.deepStrictEqual(warnings, [])
        assert.deepStrictEqual(says(readWhole(wire, body)), says(response))
      }),
      { numRuns: 80 }
    )
  })

  it("reads the stream that it writes, wherever its bytes are split", () => {
    fc.assert(
      fc.property(
        answerOf(kind),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 40 }),
        (response, size, split) => {
          const encoder = wire.server.answerEncoder(context(response))
          const frames = eventsOf(response, size).flatMap((event) => encoder.add(event))
          assert.deepStrictEqual(encoder.warnings, [])
          assert.deepStrictEqual(says(readStream(wire, bytesOf(frames), split)), says(response))
        }
      ),
      { numRuns: 80 }
    )
  })

  it("tells what it has no words for", () => {
    const response = new LlmResponse({
      parts: [{ type: "text", text: "Hi" }, {
        type: "server-tool",
        name: "elsewhere",
        kind: "block",
        data: {},
        origin: { wire: "elsewhere" }
      }],
      finishReason: "stop",
      usage: { input: { total: 1 }, output: { total: 1 } },
      model: "model-1",
      provider: "someone",
      warnings: []
    })
    const encoder = wire.server.answerEncoder(context(response))
    for (const event of toEvents(response)) encoder.add(event)
    const whole = wire.server.encodeAnswer(response, context(response))
    assert.deepStrictEqual(encoder.warnings.map(({ field }) => field), ["parts.server-tool"])
    assert.deepStrictEqual(whole.warnings, encoder.warnings)
    assert.strictEqual(readWhole(wire, whole.body).text, "Hi")
  })
})
