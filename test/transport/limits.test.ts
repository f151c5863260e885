import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Redacted, type Scope, Stream } from "effect"
import { HttpClient, HttpClientResponse } from "effect/http"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { createGzip, gzipSync } from "node:zlib"
import { Anthropic, type LlmError, OpenAiCompatible } from "../../src/index.ts"
import { layerHttpClient } from "../../src/node.ts"
import { Assembler, maxParts } from "../../src/protocol/Assembler.ts"
import { BodyLimit } from "../../src/transport/Body.ts"
import { BoundedText } from "../../src/transport/BoundedText.ts"

const apiKey = Redacted.make("sk-test-key-0123456789")
const mebi = 1024 * 1024

interface Server {
  readonly url: string
  readonly connections: () => number
}

const serve = (listener: RequestListener): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server & { readonly close: () => void }>((resume) => {
      let open = 0
      const server = createServer(listener)
      server.on("connection", (socket) => {
        open++
        socket.on("close", () => open--)
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, connections: () => open, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

/** Writes the same bytes again and again, as fast as they are read, for as long as anybody reads. */
const flood = (text: string, headers: { readonly [name: string]: string } = {}, first = ""): RequestListener => {
  const piece = Buffer.from(text)
  return (_, response) => {
    response.writeHead(200, headers)
    if (first !== "") response.write(first)
    const write = () => {
      while (!response.destroyed && response.write(piece));
    }
    response.on("drain", write)
    write()
  }
}

const failureOf = <A>(effect: Effect.Effect<A, LlmError.LlmError>): Effect.Effect<LlmError.LlmError> =>
  Effect.matchEffect(effect, {
    onFailure: Effect.succeed,
    onSuccess: () => Effect.die(new Error("a failure was expected"))
  })

/** Small enough that a test can send it. */
const limit = 4 * mebi

const bounded = Effect.provideService(BodyLimit, limit)

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["fetch", NodeHttpClient.layerFetch],
  ["the Node entry", layerHttpClient]
]

const closed = (server: Server) =>
  Effect.gen(function*() {
    while (server.connections() > 0) yield* Effect.sleep("5 millis")
  })

for (const [name, client] of clients) {
  describe(`limits over ${name}`, () => {
    const test = (
      what: string,
      body: () => Effect.Effect<void, LlmError.LlmError, HttpClient.HttpClient | Scope.Scope>
    ) => it.live(what, () => Effect.scoped(Effect.provide(body(), client)), 120_000)

    test("a listing of any size ends at its bound, and the connection is closed", () =>
      Effect.gen(function*() {
        const server = yield* serve(flood(" ".repeat(mebi), { "content-type": "application/json" }))
        const llm = yield* OpenAiCompatible.make({ apiKey, baseUrl: server.url, model: "m" })
        const error = yield* failureOf(llm.models)
        assert.strictEqual(error.reason._tag, "ResponseParse")
        assert.include(error.message, "33554432")
        yield* closed(server)
      }))

    test("a health probe and a count of tokens end at the same bound", () =>
      Effect.gen(function*() {
        const server = yield* serve(flood(" ".repeat(mebi), { "content-type": "application/json" }))
        const llm = yield* Anthropic.make({ apiKey, baseUrl: server.url, model: "m" })
        assert.strictEqual((yield* failureOf(llm.health)).reason._tag, "ResponseParse")
        assert.strictEqual((yield* failureOf(llm.countTokens({ prompt: "a" }))).reason._tag, "ResponseParse")
      }))

    for (
      const [what, first, text] of [
        ["comments", "", ": keep-alive\n\n".repeat(65_536)],
        ["whitespace", "", " ".repeat(mebi)],
        [
          "comments after content",
          "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n",
          ":\n\n".repeat(mebi / 4)
        ]
      ] as const
    ) {
      test(`a stream of ${what} without end is ended at the bound of a body`, () =>
        Effect.gen(function*() {
          const server = yield* serve(flood(text, { "content-type": "text/event-stream" }, first))
          const llm = yield* OpenAiCompatible.make({ apiKey, baseUrl: server.url, model: "m" })
          const error = yield* bounded(failureOf(Stream.runDrain(llm.stream({ prompt: "a" }))))
          assert.strictEqual(error.reason._tag, "ResponseParse")
          assert.include(error.message, String(limit))
          assert.strictEqual(error.partial?.text, first === "" ? undefined : "hi")
          yield* closed(server)
        }))
    }

    test("a gzip bomb is ended at the bound of what it unpacks to", () =>
      Effect.gen(function*() {
        const server = yield* serve((_, response) => {
          response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" })
          const gzip = createGzip({ level: 1 })
          gzip.pipe(response)
          response.on("close", () => gzip.destroy())
          const piece = Buffer.from(":\n\n".repeat(mebi / 8))
          const write = () => {
            while (!gzip.destroyed && gzip.write(piece));
          }
          gzip.on("drain", write)
          write()
        })
        const llm = yield* OpenAiCompatible.make({ apiKey, baseUrl: server.url, model: "m" })
        const error = yield* bounded(failureOf(Stream.runDrain(llm.stream({ prompt: "a" }))))
        assert.strictEqual(error.reason._tag, "ResponseParse")
        yield* closed(server)
      }))

    test("a gzip bomb in an error body is read as far as an error body is", () =>
      Effect.gen(function*() {
        const body = gzipSync(
          `{"error":{"type":"overloaded_error","message":"Overloaded"},"x":"${" ".repeat(8 * mebi)}"}`
        )
        const server = yield* serve((_, response) => {
          response.writeHead(400, { "content-type": "application/json", "content-encoding": "gzip" })
          response.end(body)
        })
        const llm = yield* Anthropic.make({ apiKey, baseUrl: server.url, model: "m" })
        const error = yield* failureOf(llm.generate({ prompt: "a" }))
        assert.strictEqual(error.reason._tag, "Overloaded")
      }))
  })
}

describe("limits on the Node entry", () => {
  it.live("compressed bytes that stand for nothing end at the bound", () =>
    Effect.scoped(Effect.provide(
      Effect.gen(function*() {
        // After the header of a gzip stream, stored blocks of no bytes for ever: RFC 1951, 3.2.4.
        const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
        const blocks = Buffer.concat(Array.from({ length: 65_536 }, () => Buffer.from([0, 0, 0, 0xff, 0xff])))
        const server = yield* serve((_, response) => {
          response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": "gzip" })
          response.write(header)
          const write = () => {
            while (!response.destroyed && response.write(blocks));
          }
          response.on("drain", write)
          write()
        })
        const llm = yield* OpenAiCompatible.make({ apiKey, baseUrl: server.url, model: "m" })
        const error = yield* failureOf(Stream.runDrain(llm.stream({ prompt: "a" })))
        assert.strictEqual(error.reason._tag, "ResponseParse")
        yield* closed(server)
      }),
      layerHttpClient
    )), 120_000)
})

describe("an error body over its bound", () => {
  const padding = "x".repeat(80_000)
  const bodies = {
    "a JSON error before the cut": `{"error":{"type":"rate_limit_error","message":"Slow down"},"echo":"${padding}"}`,
    "a message that is cut": `{"error":{"type":"overloaded_error","message":"Overloaded ${padding}"}}`,
    "a JSON error behind the cut": `{"echo":"${padding}","error":{"type":"overloaded_error","message":"Overloaded"}}`,
    "plain text": `model not found ${padding}`,
    "wide characters": `{"error":{"type":"overloaded_error","message":"${"😀".repeat(60_000)}"}}`
  }
  const answering = (body: string, size: number) =>
    HttpClient.make((request) =>
      Effect.sync(() => {
        const bytes = new TextEncoder().encode(body)
        const stream = new ReadableStream<Uint8Array>({
          start: (controller) => {
            for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size))
            controller.close()
          }
        })
        return HttpClientResponse.fromWeb(request, new Response(stream, { status: 400 }))
      })
    )
  for (const [what, body] of Object.entries(bodies)) {
    it.effect(`means the same wherever its chunks end: ${what}`, () =>
      Effect.gen(function*() {
        const seen = new Set<string>()
        for (const size of [1000, 1021, 4096, 65_535, 65_536, 65_537, 70_000, 1_000_000]) {
          const llm = yield* Anthropic.make({ apiKey, model: "m" }).pipe(
            Effect.provideService(HttpClient.HttpClient, answering(body, size))
          )
          const { reason } = yield* failureOf(llm.generate({ prompt: "a" }))
          seen.add(JSON.stringify([reason._tag, reason.message, "body" in reason ? reason.body : ""]))
        }
        assert.strictEqual(seen.size, 1)
      }))
  }
})

describe("BoundedText", () => {
  it("keeps whole characters and exactly as many as fit, however the bytes come", () => {
    const bytes = new TextEncoder().encode("a😀b€😀c".repeat(50))
    const full = new TextDecoder().decode(bytes)
    for (const most of [0, 1, 2, 3, 4, 99, 100, full.length - 1, full.length, full.length + 1]) {
      const texts = new Set<string>()
      for (const size of [1, 2, 3, 7, 1000]) {
        const text = new BoundedText(most)
        for (let at = 0; at < bytes.length && !text.isOver; at += size) text.accept([bytes.subarray(at, at + size)])
        const read = text.read()
        assert.isAtMost(read.length, most)
        assert.isTrue(read.isWellFormed())
        assert.isTrue(full.startsWith(read))
        assert.strictEqual(text.isOver, most < full.length)
        texts.add(read)
      }
      assert.strictEqual(texts.size, 1)
    }
  })
})

describe("Assembler", () => {
  it("fails an answer of more parts than its bound and keeps no more", () => {
    const assembler = new Assembler({
      wire: "t",
      provider: "t",
      model: "m",
      warnings: [],
      idSeed: "",
      includeRaw: false
    })
    for (let at = 0; at < maxParts + 10; at++) {
      assembler.source({ type: "source", url: "http://a", raw: {} })
      assembler.out = []
    }
    assert.strictEqual(assembler.failure?.kind, "parse")
    assert.strictEqual(assembler.partial()?.parts.length, maxParts)
  })
})
