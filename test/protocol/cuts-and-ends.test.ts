/**
 * A cut never succeeds, an end with nothing before it neither, and after an error or the end nothing more comes: on every
 * wire and in every form in which its frames may be spelled.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import type { Decoder, Protocol } from "../../src/protocol/Protocol.ts"
import * as Framing from "../../src/transport/Framing.ts"
import { decoderOf } from "./decoder-of.ts"
import { type Frame, type Outcome, outcomeOf, replay } from "./wire-replay.ts"

interface Wire {
  readonly protocol: Protocol
  readonly wire: ReturnType<typeof replay>
  /** A frame that is an error, as this wire or a proxy in front of it sends it. */
  readonly error: Frame
  /** Ends of the stream that say nothing of how the answer ended. */
  readonly ends: ReadonlyArray<Frame>
  /** An end that says it, and is an answer of nothing. */
  readonly finished: ReadonlyArray<Frame>
  /** Streams in which every frame has a finish reason. */
  readonly anywhere?: ReadonlyArray<string>
}

const frame = (data: unknown, event = ""): Frame => ({
  event,
  data: typeof data === "string" ? data : JSON.stringify(data)
})

const made = (folder: string, protocol: Protocol, rest: Omit<Wire, "protocol" | "wire">): Wire => ({
  protocol,
  wire: replay(folder, protocol),
  ...rest
})

const down = { error: { message: "The kitchen is on fire.", type: "server_error", code: 500 } }

const wires: { readonly [name: string]: Wire } = {
  chat: made("openai-chat", OpenAiChat.make(), {
    error: frame(down),
    ends: [
      frame("[DONE]"),
      frame({ choices: [] }),
      frame({ choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] }),
      frame({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 0 } })
    ],
    finished: [frame({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })]
  }),
  anthropic: made("anthropic-messages", AnthropicMessages.make(), {
    error: frame({ type: "error", error: { type: "api_error", message: "The kitchen is on fire." } }, "error"),
    ends: [frame({ type: "message_stop" }), frame("[DONE]"), frame({ type: "ping" })],
    finished: [
      frame({ type: "message_start", message: { id: "m", content: [] } }),
      frame({ type: "message_delta", delta: { stop_reason: "end_turn" } }),
      frame({ type: "message_stop" })
    ]
  }),
  responses: made("openai-responses", OpenAiResponses.make(), {
    error: frame({ type: "error", message: "The kitchen is on fire.", code: "server_error" }),
    ends: [frame("[DONE]"), frame({ type: "response.completed" }), frame({ type: "response.completed", response: {} })],
    finished: [frame({ type: "response.completed", response: { id: "r", status: "completed", output: [] } })]
  }),
  gemini: made("gemini", GeminiGenerateContent.make(), {
    error: frame(down),
    ends: [
      frame("[DONE]"),
      frame({ usageMetadata: { promptTokenCount: 3 } }),
      frame({ candidates: [] }),
      frame({ candidates: [{ index: 0 }] }),
      frame({ candidates: [{ finishReason: "FINISH_REASON_UNSPECIFIED" }] }),
      frame({ promptFeedback: {} })
    ],
    finished: [frame({ candidates: [{ finishReason: "STOP" }] })],
    anywhere: ["finish-repeated"]
  }),
  ollama: made("ollama-chat", OllamaChat.make(), {
    error: frame(down),
    ends: [frame({ done: true }), frame({ model: "m", done: true })],
    finished: [frame({ message: { role: "assistant", content: "" }, done: true, done_reason: "stop" })]
  }),
  cohere: made("cohere-chat", CohereChat.make(), {
    error: frame({ message: "The kitchen is on fire." }, "error"),
    ends: [frame("[DONE]"), frame({ type: "message-end" }), frame({ type: "message-start", id: "m" })],
    finished: [frame({ type: "message-end", delta: { finish_reason: "COMPLETE" } })]
  }),
  bedrock: made("bedrock", BedrockConverse.make(), {
    error: frame({ message: "The kitchen is on fire." }, "exception:internalServerException"),
    ends: [
      frame({}, "messageStop"),
      frame({ usage: { inputTokens: 3, outputTokens: 0, totalTokens: 3 } }, "metadata"),
      frame({ role: "assistant" }, "messageStart")
    ],
    finished: [frame({ stopReason: "end_turn" }, "messageStop")]
  })
}

/** What a stream that was asked for amounts to. */
const read = (protocol: Protocol, feed: (decoder: Decoder) => void): Outcome => {
  const decoder = decoderOf(protocol, {
    wire: protocol.wire,
    provider: "test",
    model: "asked-for",
    warnings: [],
    idSeed: "seed",
    includeRaw: false,
    streamed: true
  })
  feed(decoder)
  return outcomeOf(decoder)
}

const readFrames = (protocol: Protocol, frames: ReadonlyArray<Frame>): Outcome =>
  read(protocol, (decoder) => {
    for (const { data, event } of frames) decoder.frame(data, event)
    decoder.end()
  })

const readBytes = (protocol: Protocol, bytes: Uint8Array, size = 4096): Outcome =>
  read(protocol, (decoder) => {
    const framing = Framing.make(protocol.framing, decoder)
    for (let at = 0; at < bytes.length; at += size) framing.push(bytes.subarray(at, at + size))
    framing.end()
  })

/** How frames may be spelled: what the wire promises, and what proxies make of it. */
const spellings: ReadonlyArray<readonly [string, (frames: ReadonlyArray<Frame>) => string]> = [
  [
    "server-sent events",
    (frames) => frames.map(({ data, event }) => `${event === "" ? "" : `event: ${event}\n`}data: ${data}\n\n`).join("")
  ],
  [
    "events without blank lines",
    (frames) => frames.map(({ data, event }) => `${event === "" ? "" : `event: ${event}\n`}data: ${data}\n`).join("")
  ],
  ["one object per line", (frames) => frames.map(({ data }) => `${data}\n`).join("")],
  ["one object per line, without the last line's end", (frames) => frames.map(({ data }) => data).join("\n")],
  ["a list", (frames) => `[${frames.map(({ data }) => data).filter((data) => data !== "[DONE]").join(",\n")}]`]
]

/** Where to cut: around the ends of eight lines and of the last ones, at every byte of the end, and here and there. */
const cutsOf = (bytes: Uint8Array): ReadonlySet<number> => {
  const cuts = new Set<number>()
  const lines = [...bytes.keys()].filter((at) => bytes[at] === 10)
  for (const [index, at] of lines.entries()) {
    if (index % Math.ceil(lines.length / 8) !== 0 && index < lines.length - 6) continue
    for (const cut of [at - 1, at, at + 1]) if (cut >= 0 && cut < bytes.length) cuts.add(cut)
  }
  for (let at = 0; at < bytes.length; at++) {
    if (at % Math.ceil(bytes.length / 8) === 0 || at > bytes.length - 16) cuts.add(at)
  }
  return cuts
}

for (const [name, { anywhere = [], ends, error, finished, protocol, wire }] of Object.entries(wires)) {
  const complete = wire.streams.filter((one) =>
    !anywhere.includes(one) && wire.stream(one).response !== undefined &&
    wire.framesOf(one).every(({ data }) => data === "[DONE]" || data.startsWith("{"))
  )

  describe(`${name}: cuts`, () => {
    it.each(complete)("make no answer of %s that is not the whole one, however it is spelled", (one) => {
      const frames = wire.framesOf(one)
      for (const [how, spell] of spellings) {
        const bytes = new TextEncoder().encode(spell(frames))
        const whole = readBytes(protocol, bytes)
        if (whole.response === undefined) continue
        for (const length of cutsOf(bytes)) {
          const { failure, response } = readBytes(protocol, bytes.subarray(0, length))
          if (response === undefined) assert.isDefined(failure)
          else assert.deepStrictEqual(response.parts, whole.response.parts, `${how}, cut at ${length}`)
        }
      }
    })

    it("are none of a whole body that ends within its document", () => {
      for (const one of wire.bodies) {
        for (const text of [wire.read(one, "json"), JSON.stringify(JSON.parse(wire.read(one, "json")))]) {
          const bytes = new TextEncoder().encode(text.trimEnd())
          for (let length = 1; length < bytes.length; length += Math.max(1, bytes.length >> 6)) {
            assert.isUndefined(readBytes(protocol, bytes.subarray(0, length)).response, `${one} at ${length}`)
          }
        }
      }
    })
  })

  describe(`${name}: ends`, () => {
    it("are no answer when nothing came before them", () => {
      for (const end of ends) {
        const outcome = readFrames(protocol, [end])
        assert.strictEqual(outcome.failure?.kind, "incomplete", end.data)
        assert.isUndefined(outcome.response)
      }
    })

    it("are an answer of nothing when they say how it ended", () => {
      const outcome = readFrames(protocol, finished)
      assert.isDefined(outcome.response, JSON.stringify(outcome.failure))
      assert.deepStrictEqual(outcome.response!.parts, [])
    })

    it("are the last that comes, an error or not, whatever follows", () => {
      const streams = complete.map((one) => wire.framesOf(one))
      fc.assert(
        fc.property(
          fc.constantFrom(...streams),
          fc.constantFrom(...streams),
          fc.nat(20),
          fc.boolean(),
          (first, second, at, breaks) => {
            const frames = [
              ...first.slice(0, at),
              ...(breaks ? [error] : first.slice(at)),
              ...second,
              error,
              ...finished
            ]
            const decoder = wire.decoder()
            let over: number | undefined
            for (const { data, event } of frames) {
              decoder.frame(data, event)
              const { assembler } = decoder
              assert.isFalse(assembler.finished && assembler.failure !== undefined)
              if (over !== undefined) assert.strictEqual(assembler.out.length, over)
              if (assembler.finished || assembler.failure !== undefined) over = assembler.out.length
            }
            decoder.end()
            const tags = decoder.assembler.out.map(({ _tag }) => _tag)
            const finishes = tags.filter((tag) => tag === "Finish").length
            assert.strictEqual(finishes, decoder.assembler.failure === undefined ? 1 : 0)
            if (finishes === 1) assert.strictEqual(tags.at(-1), "Finish")
          }
        ),
        { numRuns: 150, seed: 20261220 }
      )
    })

    it("keep the provider's words when its error comes before a stream, or instead of one", () => {
      const bare = typeof protocol.framing === "function" ? down : JSON.parse(error.data) as unknown
      const text = JSON.stringify("error" in (bare as object) ? bare : { error: bare })
      const pretty = JSON.stringify(JSON.parse(text), undefined, 2)
      const after = spellings[0]![1](wire.framesOf(complete[0]!))
      for (const line of [text, pretty]) {
        for (
          const rest of [
            "",
            "\n",
            `\n${after}`,
            `\n\n${after}`,
            `\r\n: ping\r\n\r\n${after}`,
            "\ndata: [DONE]\n\n",
            "\nevent: done\ndata: {}\n\n"
          ]
        ) {
          for (const size of [1, 7, 4096]) {
            const { failure } = readBytes(protocol, new TextEncoder().encode(line + rest), size)
            assert.strictEqual(failure?.kind, "provider", JSON.stringify(line + rest).slice(0, 120))
            assert.include(failure?.message, "The kitchen is on fire.")
          }
        }
      }
    })
  })
}

describe("a prompt that fills the window", () => {
  const usage = { prompt_tokens: 140_000, completion_tokens: 0, total_tokens: 140_000 }
  const asked = (frames: ReadonlyArray<unknown>, contextWindow: number | undefined) => {
    const decoder = decoderOf(OpenAiChat.make(), {
      wire: "openai-chat",
      provider: "test",
      model: "m",
      warnings: [],
      idSeed: "",
      includeRaw: false,
      streamed: true,
      contextWindow
    })
    for (const one of frames) decoder.frame(typeof one === "string" ? one : JSON.stringify(one), "")
    decoder.end()
    return outcomeOf(decoder)
  }

  it("is a context window when the answer ends at length without a token", () => {
    const { response } = asked([{ choices: [{ delta: {}, finish_reason: "length" }], usage }], undefined)
    assert.strictEqual(response?.finishReason, "context-window")
    assert.strictEqual(response?.rawFinishReason, "length")
    const some = asked([
      { choices: [{ delta: {}, finish_reason: "length" }], usage: { ...usage, completion_tokens: 100 } }
    ], undefined)
    assert.strictEqual(some.response?.finishReason, "length")
  })

  it("is an overflow when the answer ends without a word or a reason", () => {
    const frames = [{ choices: [], usage }, "[DONE]"]
    assert.strictEqual(asked(frames, 131_072).failure?.code, "context_length_exceeded")
    assert.strictEqual(asked(frames.slice(0, 1), 131_072).failure?.code, "context_length_exceeded")
    assert.strictEqual(asked(frames, 200_000).failure?.kind, "incomplete")
    assert.strictEqual(asked(frames, undefined).failure?.kind, "incomplete")
  })
})
