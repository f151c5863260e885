import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { once } from "node:events"
import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as Node from "../../src/node.ts"

/** A server that can be stopped as by a crash, and started anew on its port. */
const restartable = (listener: RequestListener) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      let port = 0
      let server: Server
      let requests = 0
      const sockets = new Set<Socket>()
      const start = async () => {
        server = createServer((request, response) => {
          requests++
          listener(request, response)
        })
        server.on("connection", (socket) => {
          sockets.add(socket)
          socket.on("close", () => sockets.delete(socket))
          socket.on("error", () => {})
        })
        server.listen(port, "127.0.0.1")
        await once(server, "listening")
        port = (server.address() as AddressInfo).port
      }
      const stop = async () => {
        for (const socket of sockets) socket.resetAndDestroy()
        server.close()
        await once(server, "close")
      }
      await start()
      return {
        url: `http://127.0.0.1:${port}`,
        start,
        stop,
        sockets,
        get requests() {
          return requests
        }
      }
    }),
    ({ stop }) => Effect.promise(stop)
  )

const post = (url: string) =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    Effect.flatMap(
      client.execute(HttpClientRequest.make("POST")(url, { body: HttpBody.text("hello", "text/plain") })),
      (response) => response.text
    ))

const six = [1, 2, 3, 4, 5, 6]

/** Answers when six requests are there, so that as many connections are kept. */
const together = (): RequestListener => {
  const waiting: Array<() => void> = []
  let told = 0
  return (request, response) => {
    request.resume()
    waiting.push(() => response.end("Hello."))
    if (++told === six.length || told > six.length) { for (const answer of waiting.splice(0)) answer() }
  }
}

describe("kept connections that a restarted server has closed", () => {
  for (
    const [name, layer] of [["node", Node.layerHttpClient], ["fetch", FetchHttpClient.layer]] as const
  ) {
    it.live(`fail no request, over ${name}, which is answered once`, () =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* restartable(together())
        yield* Effect.forEach(six, () => post(server.url), { concurrency: "unbounded" })
        assert.isAtLeast(server.sockets.size, six.length)
        // In one go: the client has not seen yet that its connections are closed.
        yield* Effect.promise(async () => {
          await server.stop()
          await server.start()
        })
        const before = server.requests
        assert.strictEqual(yield* post(server.url), "Hello.")
        assert.strictEqual(server.requests, before + 1)
      })).pipe(Effect.provide(layer)))
  }

  it.live("are the only ones left for a new one: what a server has taken whole is not sent again", () =>
    Effect.scoped(Effect.gen(function*() {
      let deed: "answer" | "reset" | "begin" = "answer"
      const server = yield* restartable((request, response) => {
        request.resume()
        if (deed === "answer") return void response.end("Hello.")
        if (deed === "begin") {
          request.socket.write("HTTP/1.1 200 OK\r\ncontent-le")
          setImmediate(() => request.socket.destroy())
        } else request.socket.resetAndDestroy()
      })
      deed = "reset"
      assert.strictEqual((yield* Effect.exit(post(server.url)))._tag, "Failure")
      assert.strictEqual(server.requests, 1)
      deed = "answer"
      yield* post(server.url)
      deed = "begin"
      assert.strictEqual((yield* Effect.exit(post(server.url)))._tag, "Failure")
      assert.strictEqual(server.requests, 3)
      deed = "answer"
      yield* post(server.url)
      deed = "reset"
      // The server has all of it, so it may be at work.
      assert.strictEqual((yield* Effect.exit(post(server.url)))._tag, "Failure")
      assert.strictEqual(server.requests, 5)
    })).pipe(Effect.provide(Node.layerHttpClient)))

  it.live("send nothing again for a call that was interrupted", () =>
    Effect.scoped(Effect.gen(function*() {
      let isSilent = false
      const server = yield* restartable((request, response) => {
        request.resume()
        if (!isSilent) response.end("Hello.")
      })
      yield* post(server.url)
      isSilent = true
      const fiber = yield* Effect.forkChild(post(server.url))
      yield* Effect.promise(async () => {
        while (server.requests < 2) await new Promise(setImmediate)
      })
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(async () => {
        while (server.sockets.size > 0) await new Promise(setImmediate)
      })
      assert.strictEqual(server.requests, 2)
    })).pipe(Effect.provide(Node.layerHttpClient)))
})
