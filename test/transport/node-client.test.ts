import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Redacted, type Scope, Stream } from "effect"
import { FetchHttpClient, HttpBody, HttpClient, type HttpClientError, HttpClientRequest } from "effect/http"
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import { Anthropic } from "../../src/index.ts"
import * as Node from "../../src/node.ts"
import { arrived, turn } from "../turns.ts"

interface Server {
  readonly url: string
  readonly connections: () => number
}

const serve = (listener: RequestListener): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server & { readonly close: () => void }>((resume) => {
      let connections = 0
      const server = createServer(listener)
      server.on("connection", () => connections++)
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({
          url: `http://127.0.0.1:${port}`,
          connections: () => connections,
          close: () => {
            server.closeAllConnections()
            server.close()
          }
        }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const test = (
  name: string,
  body: (client: HttpClient.HttpClient) => Effect.Effect<void, HttpClientError.HttpClientError, Scope.Scope>
) =>
  it.live(name, () =>
    Effect.flatMap(HttpClient.HttpClient, (client) => Effect.scoped(body(client))).pipe(
      Effect.provide(Node.layerHttpClient)
    ))

const untraced = Effect.provideService(HttpClient.TracerDisabledWhen, () => true)

describe("The HTTP client for Node", () => {
  const modes = [
    ["with tracing", (effect: never) => effect],
    ["without tracing", untraced]
  ] as const
  for (const [mode, with_] of modes) {
    const execute = (client: HttpClient.HttpClient, request: HttpClientRequest.HttpClientRequest) =>
      with_(client.execute(request) as never) as ReturnType<typeof client.execute>

    test(`sends method, headers and body and reads status, headers and body, ${mode}`, (client) =>
      Effect.gen(function*() {
        const { url } = yield* serve((request, response) => {
          let text = ""
          request.on("data", (chunk) => text += chunk)
          request.on("end", () => {
            response.writeHead(201, { "x-seen": request.headers["x-sent"]!, "set-cookie": ["a=1", "b=2"] })
            response.end(JSON.stringify({ method: request.method, type: request.headers["content-type"], text }))
          })
        })
        const response = yield* execute(
          client,
          HttpClientRequest.make("PUT")(`${url}/a?b=c`, {
            headers: { "X-Sent": "yes" },
            body: HttpBody.text("grüße", "text/plain")
          })
        )
        assert.strictEqual(response.status, 201)
        assert.strictEqual(response.headers["x-seen"], "yes")
        assert.deepStrictEqual(yield* response.json, { method: "PUT", type: "text/plain", text: "grüße" })
        assert.strictEqual(response.cookies.cookies["b"]?.value, "2")
      }))

    test(`says where and how long each request is, once, ${mode}`, (client) =>
      Effect.gen(function*() {
        const { url } = yield* serve((request, response) => {
          response.writeHead(200, ["X-Twice", "1", "x-twice", "2"])
          response.end(JSON.stringify(request.rawHeaders))
        })
        const sent = (request: HttpClientRequest.HttpClientRequest) =>
          Effect.gen(function*() {
            const response = yield* execute(client, request)
            assert.strictEqual(response.headers["x-twice"], "1, 2")
            const raw = (yield* response.json) as ReadonlyArray<string>
            return Object.groupBy(
              raw.flatMap((name, i) => i % 2 === 0 ? [{ name: name.toLowerCase(), value: raw[i + 1]! }] : []),
              ({ name }) => name
            )
          })
        const valuesOf = (headers: Awaited<Effect.Success<ReturnType<typeof sent>>>, name: string) =>
          headers[name]?.map(({ value }) => value)
        const host = new URL(url).host

        const whole = yield* sent(
          HttpClientRequest.post(url, {
            headers: { "content-length": "3" },
            body: HttpBody.text("grüße", "text/plain")
          })
        )
        assert.deepStrictEqual(valuesOf(whole, "host"), [host])
        assert.deepStrictEqual(valuesOf(whole, "content-length"), ["7"])
        assert.deepStrictEqual(valuesOf(whole, "content-type"), ["text/plain"])
        assert.isUndefined(whole["transfer-encoding"])

        const empty = yield* sent(HttpClientRequest.post(url))
        assert.deepStrictEqual(valuesOf(empty, "content-length"), ["0"])
        const got = yield* sent(HttpClientRequest.get(url, { headers: { host: "other.test" } }))
        assert.deepStrictEqual(valuesOf(got, "host"), ["other.test"])
        assert.isUndefined(got["content-length"])

        const named = url.replace("//", "//user:pass%20word@")
        assert.deepStrictEqual(valuesOf(yield* sent(HttpClientRequest.get(named)), "authorization"), [
          `Basic ${Buffer.from("user:pass word").toString("base64")}`
        ])
      }))

    test(`refuses a header that would be two, ${mode}`, (client) =>
      Effect.gen(function*() {
        const request = HttpClientRequest.get("http://127.0.0.1:1/", { headers: { "x-a": "1\r\nx-b: 2" } })
        assert.strictEqual((yield* Effect.flip(execute(client, request))).reason._tag, "TransportError")
        const url = "http://127.0.0.1:1/"
        const invalid = yield* Effect.flip(execute(client, HttpClientRequest.get(url, { headers: { "x\ny": "1" } })))
        assert.strictEqual(invalid.reason._tag, "TransportError")
      }).pipe(Effect.orDie))
  }

  test("uses one connection for requests one after the other", (client) =>
    Effect.gen(function*() {
      const server = yield* serve((_, response) => response.end("done"))
      for (let i = 0; i < 5; i++) {
        const response = yield* untraced(client.execute(HttpClientRequest.get(server.url)))
        assert.strictEqual(yield* response.text, "done")
      }
      assert.strictEqual(server.connections(), 1)
    }))

  for (
    const [encoding, compress] of [["gzip", gzipSync], ["deflate", deflateSync], ["br", brotliCompressSync]] as const
  ) {
    test(`reads a body in ${encoding}`, (client) =>
      Effect.gen(function*() {
        const text = "All of it. ".repeat(20_000)
        const { url } = yield* serve((_, response) => {
          response.setHeader("content-encoding", encoding)
          response.end(compress(text))
        })
        const response = yield* client.execute(HttpClientRequest.get(url))
        assert.strictEqual(yield* response.text, text)
      }))
  }

  test("reads a body larger than its buffer, in order, from a consumer that is slow", (client) =>
    Effect.gen(function*() {
      const bytes = Buffer.alloc(8 * 1024 * 1024, "0123456789")
      const { url } = yield* serve((_, response) => response.end(bytes))
      const response = yield* untraced(client.execute(HttpClientRequest.get(url)))
      const chunks: Array<Uint8Array> = []
      yield* Stream.runForEach(
        response.stream,
        (chunk) =>
          Effect.andThen(
            Effect.sync(() => chunks.push(chunk)),
            chunks.length % 16 === 0 ? turn : Effect.void
          )
      )
      assert.isTrue(bytes.equals(Buffer.concat(chunks)))
    }))

  test("fails a body that is cut off", (client) =>
    Effect.gen(function*() {
      const { url } = yield* serve((_, response) => {
        response.writeHead(200, { "content-length": 100 })
        response.write("half", () => response.destroy())
      })
      const response = yield* untraced(client.execute(HttpClientRequest.get(url)))
      const exit = yield* Effect.exit(response.text)
      assert.isTrue(Exit.isFailure(exit))
    }))

  test("fails when nobody listens and when the URL is none", (client) =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(untraced(client.execute(HttpClientRequest.get("http://127.0.0.1:1/"))))
      assert.strictEqual(refused.reason._tag, "TransportError")
      const invalid = yield* Effect.flip(untraced(client.execute(HttpClientRequest.get("http://"))))
      assert.strictEqual(invalid.reason._tag, "InvalidUrlError")
    }).pipe(Effect.orDie))

  test("closes the connection of a request that is interrupted, before and within the response", (client) =>
    Effect.gen(function*() {
      const closed: Array<string> = []
      let reached = () => {}
      const { url } = yield* serve((request: IncomingMessage, response: ServerResponse) => {
        response.on("close", () => closed.push(request.url!))
        if (request.url === "/body") response.write("begun")
        reached()
      })
      for (const path of ["/headers", "/body"]) {
        const waits = Effect.callback<void>((resume) => {
          reached = () => resume(Effect.void)
        })
        const read = Effect.flatMap(
          untraced(client.execute(HttpClientRequest.get(url + path))),
          (response) => Stream.runDrain(response.stream)
        )
        const fiber = yield* Effect.forkScoped(read)
        yield* waits
        yield* arrived
        yield* Fiber.interrupt(fiber)
        while (!closed.includes(path)) yield* turn
      }
      assert.deepStrictEqual(closed, ["/headers", "/body"])
    }))

  test("closes the connection of a response that nobody reads, when it is collected", (client) =>
    Effect.gen(function*() {
      setFlagsFromString("--expose-gc")
      const collect = runInNewContext("gc") as () => void
      const closed: Array<string> = []
      const { url } = yield* serve((_, response) => {
        response.on("close", () => closed.push("closed"))
        response.write("begun")
      })
      assert.strictEqual(
        yield* Effect.map(untraced(client.execute(HttpClientRequest.get(url))), ({ status }) => status),
        200
      )
      while (closed.length === 0) {
        yield* arrived
        collect()
      }
    }))

  test("sends forms and streams, collected", (client) =>
    Effect.gen(function*() {
      const { url } = yield* serve((request, response) => {
        let text = ""
        request.on("data", (chunk) => text += chunk)
        request.on("end", () =>
          response.end(`${request.headers["content-type"]?.split(";")[0]} ${text.includes("value")}`))
      })
      const form = new FormData()
      form.set("field", "value")
      const sent = yield* client.execute(HttpClientRequest.make("POST")(url, { body: HttpBody.formData(form) }))
      assert.strictEqual(yield* sent.text, "multipart/form-data true")
      const stream = HttpBody.stream(Stream.make(new TextEncoder().encode("a value")), "text/plain")
      const streamed = yield* client.execute(HttpClientRequest.make("POST")(url, { body: stream }))
      assert.strictEqual(yield* streamed.text, "text/plain true")
    }))
})

describe("Connections of streamed answers", () => {
  const frames =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"m\"}}\n\n" +
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n" +
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"

  for (const [name, layer] of [["the Node client", Node.layerHttpClient], ["fetch", FetchHttpClient.layer]] as const) {
    it.live(`${name} keeps the connection when the body ends with the answer, and closes it when it does not`, () =>
      Effect.scoped(Effect.gen(function*() {
        let hang = false
        const closed: Array<string> = []
        const server = yield* serve((_, response) => {
          response.on("close", () => closed.push("closed"))
          response.write(frames)
          if (!hang) response.end()
        })
        const service = yield* Anthropic.make({ baseUrl: `${server.url}/v1`, model: "m", apiKey: Redacted.make("k") })
        for (let i = 0; i < 4; i++) {
          yield* Stream.runDrain(service.stream({ prompt: "hi" }))
          // The end of the body, which makes the connection free, comes after the end of the answer.
          yield* arrived
        }
        assert.strictEqual(server.connections(), 1)
        hang = true
        closed.length = 0
        yield* Stream.runDrain(service.stream({ prompt: "hi" }))
        while (closed.length === 0) yield* turn
      })).pipe(Effect.provide(layer)))
  }
})
