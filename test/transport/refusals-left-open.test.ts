// A refusal is known by its status: it is told with what came of its body, whether or not that ends, on every client and operation.
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Stream } from "effect"
import type { HttpClient } from "effect/http"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { LlmError, LlmService } from "../../src/index.ts"
import { layerHttpClient } from "../../src/node.ts"
import { question } from "../fuzz/calls.ts"
import { seeds, type WireName } from "../fuzz/seeds.ts"
import { speakers } from "../fuzz/wires.ts"

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["fetch", NodeHttpClient.layerFetch],
  ["undici", NodeHttpClient.layerUndici],
  ["the Node entry", layerHttpClient]
]

/** A server; its sockets are closed with the scope. */
const serving = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      const server = createServer((request, response) => {
        request.resume()
        request.on("end", () => answer(request, response))
      })
      server.on("connection", (socket) => {
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
      })
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({
          url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
          close: () => {
            for (const socket of sockets) socket.destroy()
            server.close()
          }
        })))
    }),
    ({ close }) => Effect.sync(close)
  )

const operations: ReadonlyArray<
  readonly [string, (service: LlmService.Service) => Effect.Effect<unknown, LlmError.LlmError>]
> = [
  ["generate", (service) => service.generate(question)],
  ["stream", (service) => Stream.runDrain(service.stream(question))]
]

const wires = Object.keys(seeds) as ReadonlyArray<WireName>

/** Calls with limits that are never reached, or at once. */
const refusals = (
  wire: WireName,
  timeouts: { readonly firstByte?: number; readonly idle?: number },
  answer: (request: IncomingMessage, response: ServerResponse) => void
) =>
  Effect.gen(function*() {
    const { url } = yield* serving(answer)
    const service = yield* Object.values(speakers[wire])[0]!({ baseUrl: url, key: "sk-planted-0123456789" })
    const out: Array<LlmError.LlmError> = []
    for (const [, run] of operations) {
      out.push(
        yield* Effect.flip(
          run({
            ...service,
            generate: (request) => service.generate({ ...request, timeouts }),
            stream: (request) => service.stream({ ...request, timeouts })
          })
        )
      )
    }
    return out
  }).pipe(Effect.scoped)

for (const [name, client] of clients) {
  describe.each(wires)(`a refusal over ${name}, on %s`, (wire) => {
    it.live("ends with its document, though the connection stays open", () =>
      Effect.gen(function*() {
        const errors = yield* refusals(wire, {}, (_, response) => {
          response.writeHead(401, { "content-type": "application/json", "x-request-id": "req-1" })
          response.write("{\"error\": {\"message\": \"Bad")
          setImmediate(() => response.write(" key.\"}}"))
        })
        for (const error of errors) {
          assert.strictEqual(error.reason._tag, "Authentication", error.message)
          assert.strictEqual(error.reason.message, "Bad key.")
          assert.isFalse(error.isRetryable)
          assert.strictEqual(error.requestId, "req-1")
        }
      }).pipe(Effect.provide(client)), 5000)

    it.live("is no timeout when its body does not come, or stops in the middle", () =>
      Effect.gen(function*() {
        for (const begun of ["", "{\"error\": {\"mess"]) {
          const errors = yield* refusals(wire, { firstByte: 60, idle: 60 }, (_, response) => {
            response.writeHead(401, { "content-type": "application/json", "x-request-id": "req-1" })
            response.flushHeaders()
            if (begun !== "") response.write(begun)
          })
          for (const error of errors) {
            assert.strictEqual(error.reason._tag, "Authentication", error.message)
            assert.isFalse(error.isRetryable)
            assert.strictEqual(error.requestId, "req-1")
          }
        }
      }).pipe(Effect.provide(client)), 5000)
  })

  it.live(`a server that switches protocols is a broken connection over ${name}`, () =>
    Effect.gen(function*() {
      const { url } = yield* serving((request) =>
        request.socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
      )
      const service = yield* Object.values(speakers[wires[0]!])[0]!({ baseUrl: url, key: "sk-planted-0123456789" })
      const error = yield* Effect.flip(service.generate(question))
      assert.strictEqual(error.reason._tag, "Network", error.message)
    }).pipe(Effect.scoped, Effect.provide(client)), 5000)
}
