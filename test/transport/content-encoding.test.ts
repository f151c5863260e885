/**
 * Bodies in every content encoding, on both clients: decoded, or named in a typed error.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Redacted, Result, Stream } from "effect"
import { FetchHttpClient, type HttpClient } from "effect/http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as zlib from "node:zlib"
import { Groq, Ollama } from "../../src/index.ts"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmResponse } from "../../src/LlmResponse.ts"
import * as Node from "../../src/node.ts"

const filler = "kettle ".repeat(4000)

const whole = JSON.stringify({
  id: "c",
  object: "chat.completion",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: filler }, finish_reason: "stop" }]
})

const stream = [
  ...[filler, " on."].map((content) => ({ choices: [{ index: 0, delta: { content } }] })),
  { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }
].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("") + "data: [DONE]\n\n"

interface Answer {
  readonly status?: number
  readonly encoding: string | undefined
  readonly bytes: Uint8Array
  readonly type?: string
}

const call = (
  client: Layer.Layer<HttpClient.HttpClient>,
  answer: Answer,
  operation: "generate" | "stream"
): Effect.Effect<LlmResponse, LlmError> =>
  Effect.scoped(Effect.gen(function*() {
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const made = createServer((request, response) => {
          request.resume()
          response.writeHead(answer.status ?? 200, {
            "content-type": answer.type ?? (operation === "stream" ? "text/event-stream" : "application/json"),
            ...(answer.encoding === undefined ? {} : { "content-encoding": answer.encoding })
          })
          response.end(answer.bytes)
        })
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) =>
        Effect.sync(() => {
          made.closeAllConnections()
          made.close()
        })
    )
    const { port } = server.address() as AddressInfo
    const service = yield* Groq.make({
      apiKey: Redacted.make("sk-test"),
      baseUrl: `http://127.0.0.1:${port}/openai/v1`,
      model: "m"
    })
    const request = { prompt: "Hi" }
    if (operation === "generate") return yield* service.generate(request)
    const events = yield* Stream.runCollect(service.stream(request))
    const last = [...events].at(-1)
    return last?._tag === "Finish" ? last.response : yield* Effect.die("no finish")
  })).pipe(Effect.provide(client))

const bytesOf = (operation: "generate" | "stream") => Buffer.from(operation === "stream" ? stream : whole)
const expected = { generate: filler, stream: `${filler} on.` }

const encoders: ReadonlyArray<readonly [string, (bytes: Uint8Array) => Uint8Array]> = [
  ["gzip", zlib.gzipSync],
  ["GZIP", zlib.gzipSync],
  ["X-GZip", zlib.gzipSync],
  ["deflate", zlib.deflateSync],
  ["Deflate", zlib.deflateRawSync],
  ["br", zlib.brotliCompressSync],
  ["BR", zlib.brotliCompressSync],
  ["zstd", zlib.zstdCompressSync],
  ["ZSTD", zlib.zstdCompressSync],
  ["gzip, br", (bytes) => zlib.brotliCompressSync(zlib.gzipSync(bytes))],
  ["deflate,gzip", (bytes) => zlib.gzipSync(zlib.deflateSync(bytes))]
]

const clients = [
  ["the Node client", Node.layerHttpClient],
  ["fetch", FetchHttpClient.layer]
] as const

for (const [name, client] of clients) {
  for (const operation of ["generate", "stream"] as const) {
    describe(`content encodings: ${operation} over ${name}`, () => {
      for (const [encoding, encode] of encoders) {
        it.live(`decodes ${encoding}`, () =>
          Effect.gen(function*() {
            const exit = yield* Effect.result(call(client, { encoding, bytes: encode(bytesOf(operation)) }, operation))
            // Not every Node has a `fetch` that decodes zstd.
            if (name === "fetch" && encode === zlib.zstdCompressSync && Result.isFailure(exit)) {
              assert.strictEqual(exit.failure.reason._tag, "ResponseParse")
              assert.include(
                exit.failure.message,
                `"${encoding.toLowerCase()}", which this HTTP client does not decode`
              )
            } else assert.strictEqual(Result.getOrThrow(exit).text, expected[operation])
          }))
      }

      it.live("takes what is not encoded for what it is, whatever the header says of it", () =>
        Effect.gen(function*() {
          for (
            const encoding of [
              undefined,
              "identity",
              "Identity",
              "",
              ...(client === Node.layerHttpClient ? ["utf-8", "none"] : [])
            ]
          ) {
            const answer = yield* call(client, { encoding, bytes: bytesOf(operation) }, operation)
            assert.strictEqual(answer.text, expected[operation])
          }
        }))

      it.live("names an encoding that nobody decodes", () =>
        Effect.gen(function*() {
          const bytes = Buffer.concat([Buffer.from([0x1f, 0x9d, 0x90]), zlib.gzipSync(bytesOf(operation))])
          const error = yield* Effect.flip(call(client, { encoding: "Compress", bytes }, operation))
          assert.strictEqual(error.reason._tag, "ResponseParse")
          assert.include(error.message, "\"compress\"")
        }))

      it.live("names an encoding of which the body is none", () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(call(client, { encoding: "gzip", bytes: bytesOf(operation) }, operation))
          assert.strictEqual(error.reason._tag, "ResponseParse")
          assert.isFalse(error.isRetryable)
        }))

      it.live("never takes a cut for an answer", () =>
        Effect.gen(function*() {
          for (const [encoding, encode] of encoders) {
            const bytes = encode(bytesOf(operation))
            for (const at of [0.2, 0.5, 0.8]) {
              const error = yield* Effect.flip(
                call(client, { encoding, bytes: bytes.subarray(0, Math.floor(bytes.length * at)) }, operation)
              )
              assert.include(
                ["IncompleteStream", "Network", "ResponseParse"],
                error.reason._tag,
                `${encoding} at ${at}`
              )
            }
          }
        }))

      it.live("names the encoding of an error body that it cannot read", () =>
        Effect.gen(function*() {
          const bytes = Buffer.concat([Buffer.from([0x1f, 0x9d, 0x90]), zlib.gzipSync(bytesOf(operation))])
          const error = yield* Effect.flip(call(client, { status: 400, encoding: "compress", bytes }, operation))
          assert.strictEqual(error.reason._tag, "Validation")
          assert.include(error.message, "\"compress\"")
        }))

      it.live("reads an encoded error body", () =>
        Effect.gen(function*() {
          const [encoding, encode] = name === "fetch"
            ? ["BR", zlib.brotliCompressSync]
            : ["ZSTD", zlib.zstdCompressSync]
          const bytes = encode(Buffer.from(`{"error":{"message":"Out of tea.","type":"tea"}}`))
          const error = yield* Effect.flip(call(client, { status: 400, encoding, bytes }, operation))
          assert.include(error.message, "Out of tea.")
        }))
    })
  }
}

describe("content encodings of JSON that is no answer", () => {
  for (const [name, client] of clients) {
    it.live(`are named over ${name}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* Effect.acquireRelease(
          Effect.callback<ReturnType<typeof createServer>>((resume) => {
            const made = createServer((_, response) => {
              response.writeHead(200, { "content-type": "application/json", "content-encoding": "compress" })
              response.end(Buffer.from([0x1f, 0x9d, 0x90, 0xff, 0xfe, 0x00, 0x01]))
            })
            made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
          }),
          (made) =>
            Effect.sync(() => {
              made.closeAllConnections()
              made.close()
            })
        )
        const { port } = server.address() as AddressInfo
        const service = yield* Ollama.make({ baseUrl: `http://127.0.0.1:${port}` })
        const error = yield* Effect.flip(service.models)
        assert.strictEqual(error.reason._tag, "ResponseParse")
        assert.include(error.message, "compress")
      })).pipe(Effect.provide(client)))
  }
})
