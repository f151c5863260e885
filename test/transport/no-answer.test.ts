// A 200 that is not the API's JSON is a typed error, the same on every wire, streamed and whole, and never an empty success.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import type { LlmError } from "../../src/index.ts"
import { call, question } from "../fuzz/calls.ts"
import { inMemory } from "../fuzz/clients.ts"
import { seeds, type WireName } from "../fuzz/seeds.ts"
import { speakers } from "../fuzz/wires.ts"

const utf8 = new TextEncoder()

const errorOf = (wire: WireName, operation: "stream" | "generate", body: string, split: boolean, type: string) =>
  Effect.gen(function*() {
    const make = Object.values(speakers[wire])[0]!
    const bytes = utf8.encode(body)
    const chunks = split ? Array.from(bytes, (byte) => Uint8Array.of(byte)) : [bytes]
    const client = inMemory({
      status: 200,
      headers: [["content-type", type], ["x-request-id", "req-1"]],
      chunks,
      ending: "close"
    })
    const service = yield* Effect.provideService(
      make({ baseUrl: "http://test.invalid/v1", key: "k" }),
      HttpClient.HttpClient,
      client
    )
    const { exit } = yield* call(service, operation, question)
    assert.isTrue(Exit.isFailure(exit), `${wire} ${operation} of ${JSON.stringify(body)} succeeded`)
    return yield* Effect.flip(exit as Exit.Exit<never, LlmError.LlmError>)
  })

const noAnswers = [
  "plain text",
  "OK\n",
  "\n\nupstream connect error or disconnect/reset before headers",
  "42",
  "-1.5e3",
  "\"text\"",
  "null",
  "true",
  "false\n",
  "[]",
  " [ ]\n",
  "[1,2]",
  "[\"a\"]",
  "[null]",
  "[[]]",
  "[[1],[{}]]",
  "{}",
  "{\"a\":1}",
  "<html><title>Sign in</title></html>",
  "data: no json\n\n",
  "\uFEFFplain text",
  "datum: 1\nevening: 2\n"
]

/** Nothing came, or only what keeps a connection alive: the same call may succeed. */
const nothing = ["", " ", "\n\n", "\uFEFF", ": ping\n\n", "retry: 3\n\n", "dat", "id: 1\n"]

const wires = Object.keys(seeds) as ReadonlyArray<WireName>

describe.each(wires)("a 200 that is no answer, on %s", (wire) => {
  it.effect.each(noAnswers)(
    "is ResponseParse, with the request id and what came: %j",
    (body) =>
      Effect.gen(function*() {
        for (const operation of ["stream", "generate"] as const) {
          for (const split of [false, true]) {
            for (const type of ["application/json", "text/event-stream"]) {
              const error = yield* errorOf(wire, operation, body, split, type)
              assert.strictEqual(error.reason._tag, "ResponseParse", error.message)
              assert.strictEqual(error.requestId, "req-1")
              assert.isUndefined(error.partial)
            }
          }
        }
      })
  )

  it.effect.each(nothing)("is IncompleteStream where nothing came: %j", (body) =>
    Effect.gen(function*() {
      for (const operation of ["stream", "generate"] as const) {
        for (const split of [false, true]) {
          const error = yield* errorOf(wire, operation, body, split, "text/event-stream")
          // A proxy's lines of another framing are no answer of a wire that has none.
          const expected = (wire === "ollama" && /^(?:retry|id|dat)/.test(body)) ? "ResponseParse" : "IncompleteStream"
          assert.strictEqual(error.reason._tag, expected, error.message)
        }
      }
    }))
})

describe("a 200 without a body", () => {
  it.effect.each(wires)("is IncompleteStream, as an empty one: %s", (wire) =>
    Effect.gen(function*() {
      for (const operation of ["stream", "generate"] as const) {
        const service = yield* Object.values(speakers[wire])[0]!({ baseUrl: "http://test.invalid/v1", key: "k" })
        const { exit } = yield* call(service, operation, question)
        const error = yield* Effect.flip(exit as Exit.Exit<never, LlmError.LlmError>)
        assert.strictEqual(error.reason._tag, "IncompleteStream", error.message)
      }
    }).pipe(
      Effect.provideService(
        HttpClient.HttpClient,
        inMemory({ status: 204, headers: [], chunks: [], ending: "close" })
      )
    ))
})

describe("what is shown of a body that is no answer", () => {
  it.effect("is its beginning", () =>
    Effect.gen(function*() {
      const { reason } = yield* errorOf("chat", "stream", `upstream said no\n${"x".repeat(5000)}`, false, "text/plain")
      assert.isTrue(reason._tag === "ResponseParse" && reason.snippet?.startsWith("upstream said no\nxxx"))
      assert.isTrue(reason._tag === "ResponseParse" && reason.snippet!.length < 600)
    }))
})
