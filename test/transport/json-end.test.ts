import { assert, describe, it, vi } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { LlmError } from "../../src/index.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import * as Gemini from "../../src/protocol/GeminiGenerateContent.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import type { Protocol } from "../../src/protocol/Protocol.ts"
import type { Body } from "../../src/transport/Body.ts"
import { EventSource } from "../../src/transport/Events.ts"
import { JsonEnd } from "../../src/transport/JsonEnd.ts"
import { decoderOf } from "../protocol/decoder-of.ts"

// =============================================================================
// Documents
// =============================================================================

const cutAt = (text: string, sizes: ReadonlyArray<number>): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  for (let at = 0, i = 0; at < text.length; i++) {
    const size = sizes[i % sizes.length]!
    pieces.push(text.slice(at, at + size))
    at += size
  }
  return pieces
}

const braces = fc.string({ unit: fc.constantFrom("{", "}", "[", "]", "\"", "\\", "a", " ", "\n") })
const documents = fc.oneof(fc.dictionary(braces, fc.oneof(braces, fc.jsonValue())), fc.array(fc.jsonValue()))
const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 })
const space = fc.constantFrom("", "\n", " ", "\r\n\t ")

describe("JsonEnd", () => {
  it("finds the end of every document, cut anywhere, and none before it", () => {
    fc.assert(fc.property(documents, sizes, fc.boolean(), space, (value, sizes, pretty, tail) => {
      const text = JSON.stringify(value, undefined, pretty ? 2 : undefined)
      const end = new JsonEnd()
      const pieces = cutAt(text, sizes)
      pieces.forEach((piece, i) => {
        end.push(piece)
        assert.strictEqual(end.closed, i === pieces.length - 1)
      })
      end.push(tail)
      assert.isTrue(end.closed)
      assert.deepStrictEqual(end.body, JSON.parse(text))
      assert.strictEqual(end.text, text + tail)
    }))
  })

  it("takes no document that goes on for one that has closed", () => {
    const end = new JsonEnd()
    end.push("{\"a\":1}\n")
    assert.isTrue(end.closed)
    assert.isTrue(end.isLine)
    end.push("{\"a\":2}\n")
    assert.isFalse(end.closed)
    assert.strictEqual(end.text, "{\"a\":1}\n{\"a\":2}\n")
  })

  it("looks at each character of a document without an end once, and parses it twice at most", () => {
    const costOf = (pieces: ReadonlyArray<string>) => {
      const parse = vi.spyOn(JSON, "parse")
      const look = vi.spyOn(String.prototype, "charCodeAt")
      try {
        const end = new JsonEnd()
        for (const piece of pieces) {
          end.push(piece)
          assert.isFalse(end.closed)
        }
        return { parsed: parse.mock.calls.length, looked: look.mock.calls.length }
      } finally {
        parse.mockRestore()
        look.mockRestore()
      }
    }
    const adversaries: ReadonlyArray<(n: number) => ReadonlyArray<string>> = [
      (n) => ["{\"a\":[", ...Array.from({ length: n }, () => "{},{}")],
      (n) => Array.from({ length: n }, () => "{a}"),
      (n) => ["{", ...Array.from({ length: n }, () => "\"}\",}")],
      (n) => ["{\"", ...Array.from({ length: n }, () => "}")],
      (n) => ["{}", ...Array.from({ length: n }, () => "   }")]
    ]
    for (const adversary of adversaries) {
      const [once, twice] = [costOf(adversary(500).slice(1)), costOf(adversary(1000).slice(1))]
      assert.isAtMost(twice.parsed, 2)
      assert.isAtMost(twice.looked, 2.5 * once.looked)
    }
  })
})

// =============================================================================
// Answers
// =============================================================================

class OpenBody implements Body {
  ended = false
  error: unknown = undefined
  private chunks: Array<Uint8Array> = []
  private ready: (() => void) | undefined

  put(bytes: Uint8Array): void {
    this.chunks.push(bytes)
    this.wake()
  }
  end(error?: unknown): void {
    this.error = error
    this.ended = true
    this.wake()
  }
  take(): ReadonlyArray<Uint8Array> | undefined {
    if (this.chunks.length === 0) return undefined
    const chunks = this.chunks
    this.chunks = []
    return chunks
  }
  wait(ready: () => void): void {
    this.ready = ready
  }
  close(): void {}
  private wake(): void {
    const ready = this.ready
    this.ready = undefined
    ready?.()
  }
}

const failed = (message: string) =>
  new LlmError.LlmError({
    provider: "test",
    model: "m",
    operation: "generate",
    attempts: 1,
    reason: new LlmError.Network({ message })
  })

/** Reads a body put in pieces to the end of the answer, which may come before that of the body. */
const readingOf = (protocol: Protocol, whole: boolean) => {
  const body = new OpenBody()
  const decoder = decoderOf(protocol, {
    wire: protocol.wire,
    provider: "test",
    model: "m",
    warnings: [],
    idSeed: "",
    includeRaw: false
  })
  const source = new EventSource({
    decoder,
    framing: protocol.framing,
    decodingError: ({ message }) => failed(message),
    networkError: () => failed("broken"),
    touch: () => {},
    rest: () => {},
    graceMillis: 2000,
    whole,
    maxBytes: Infinity
  }, body)
  const seen: Array<LlmEvent> = []
  const all: Effect.Effect<ReadonlyArray<LlmEvent> | string> = Effect.matchCauseEffect(source.pull, {
    onSuccess: (events) => {
      seen.push(...events)
      return all
    },
    onFailure: (cause) => {
      const error = Cause.squash(cause)
      return Effect.succeed(error instanceof LlmError.LlmError ? error.message : seen)
    }
  })
  return { body, all }
}

const wires: ReadonlyArray<readonly [string, Protocol]> = [
  ["anthropic-messages", AnthropicMessages.make()],
  ["bedrock", BedrockConverse.make()],
  ["cohere-chat", CohereChat.make()],
  ["gemini", Gemini.make()],
  ["ollama-chat", OllamaChat.make()],
  ["openai-chat", OpenAiChat.make()],
  ["openai-responses", OpenAiResponses.make()]
]

const bytes = (text: string) => new TextEncoder().encode(text)

for (const [wire, protocol] of wires) {
  const folder = fileURLToPath(new URL(`../fixtures/${wire}/`, import.meta.url))
  const fixtures = readdirSync(folder).filter((name) => name.endsWith(".json"))
  const textOf = (name: string) => readFileSync(folder + name, "utf8")

  /** What the ended body says. */
  const ended = (text: string) =>
    Effect.suspend(() => {
      const { all, body } = readingOf(protocol, true)
      body.put(bytes(text))
      body.end()
      return all
    })

  describe(`${wire}: a document whose connection stays open`, () => {
    it.effect("says what it would say if the body had ended, cut anywhere, and not before it has closed", () =>
      Effect.gen(function*() {
        const running: Array<Effect.Effect<void>> = []
        for (const name of fixtures) {
          const document = textOf(name).trim()
          const expected = yield* ended(document)
          for (const whole of [true, false]) {
            for (
              const [size, tail] of [[document.length, ""], [1, ""], [13, "\n"], [document.length, " \n \n"]] as const
            ) {
              const { all, body } = readingOf(protocol, whole)
              const fiber = yield* Effect.forkChild(all, { startImmediately: true })
              const pieces = cutAt(document, [size])
              for (const piece of pieces.slice(0, -1)) {
                body.put(bytes(piece))
                // Each element of a list is a frame, and an error in one is the end.
                if (!document.startsWith("[")) assert.isUndefined(fiber.pollUnsafe(), `${name} is not over`)
              }
              body.put(bytes(pieces.at(-1)! + tail))
              running.push(Effect.map(Fiber.join(fiber), (seen) => assert.deepStrictEqual(seen, expected, name)))
            }
          }
        }
        // By the clock only where a stream was asked for or it could be the first of several lines.
        yield* TestClock.adjust(2000)
        yield* Effect.all(running, { discard: true })
      }))

    it.effect("is whole too when the connection breaks behind it", () =>
      Effect.gen(function*() {
        for (const name of fixtures) {
          const document = textOf(name)
          const { all, body } = readingOf(protocol, true)
          body.put(bytes(document))
          body.end(new Error("reset"))
          assert.deepStrictEqual(yield* all, yield* ended(document), name)
        }
      }))
  })
}

describe("lines of JSON where events were promised", () => {
  it.effect("are waited for behind the first of them", () =>
    Effect.gen(function*() {
      const line = (text: string, finish: string | null) =>
        `${
          JSON.stringify({
            id: "1",
            model: "m",
            choices: [{ index: 0, delta: { content: text }, finish_reason: finish }]
          })
        }\n`
      for (const whole of [true, false]) {
        const { all, body } = readingOf(OpenAiChat.make(), whole)
        const fiber = yield* Effect.forkChild(all, { startImmediately: true })
        body.put(bytes(line("One ", null)))
        yield* TestClock.adjust(1000)
        body.put(bytes(line("two.", null)))
        yield* TestClock.adjust(60_000)
        assert.isUndefined(fiber.pollUnsafe())
        body.put(bytes(line("", "stop")))
        body.end()
        yield* Effect.yieldNow
        const events = yield* Fiber.join(fiber)
        const last = typeof events === "string" ? events : events.at(-1)
        assert.strictEqual(typeof last === "object" && last._tag === "Finish" ? last.response.text : last, "One two.")
      }
    }))
})

describe("a list of frames whose connection stays open", () => {
  it("ends with its bracket", () => {
    const { all, body } = readingOf(Gemini.make(), false)
    const answer = JSON.parse(
      readFileSync(fileURLToPath(new URL("../fixtures/gemini/text.json", import.meta.url)), "utf8")
    )
    body.put(bytes(JSON.stringify([answer])))
    const exit = Effect.runSyncExit(all)
    assert.isTrue(Exit.isSuccess(exit) && typeof exit.value === "object" && exit.value.at(-1)?._tag === "Finish")
  })
})
