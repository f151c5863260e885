// Streams through a gateway: as they come, with signs of life; and what becomes of a call whose client goes away.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { request } from "node:http"
import * as Simulator from "../../src/testing/Simulator.ts"
import { send, type Served, serving } from "./serving.ts"

const messages = [{ role: "user", content: "Hello" }]

const bodies: Readonly<Record<string, readonly [path: string, body: object]>> = {
  chat: ["/v1/chat/completions", { model: "claude", stream: true, messages }],
  responses: ["/v1/responses", { model: "claude", stream: true, input: "Hello" }],
  messages: ["/v1/messages", { model: "claude", stream: true, max_tokens: 64, messages }],
  gemini: ["/v1/models/claude:streamGenerateContent?alt=sse", {
    contents: [{ role: "user", parts: [{ text: "Hello" }] }]
  }]
}

/** Reads a stream until it holds a text, and goes away. */
const readUntil = ({ url }: Served, [path, body]: readonly [string, object], wanted: RegExp): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const outgoing = request(new URL(path, url), {
      method: "POST",
      agent: false,
      headers: { "content-type": "application/json" }
    }, (incoming) => {
      let text = ""
      incoming.setEncoding("utf8")
      incoming.on("data", (piece: string) => {
        text += piece
        if (!wanted.test(text)) return
        outgoing.destroy()
        resume(Effect.succeed(text))
      })
      incoming.on("end", () => resume(Effect.die(new Error(`not in ${text}`))))
      incoming.on("error", () => {})
    })
    outgoing.on("error", () => {})
    outgoing.end(JSON.stringify(body))
  })

describe("streams through a gateway", () => {
  it.live("have a sign of life in silence, which their wire passes over", () =>
    serving({ limits: { heartbeat: "10 millis" } }, (served) =>
      Effect.gen(function*() {
        yield* served.primary.respondWith(() => Simulator.text("Hello there.", { faults: { stallAfter: 5 } }))
        const signs = {
          chat: /^: keep-alive/m,
          responses: /^: keep-alive/m,
          messages: /^event: ping/m,
          gemini: /^: ping/m
        }
        for (const [name, asked] of Object.entries(bodies)) {
          yield* readUntil(served, asked, signs[name as keyof typeof signs])
        }
      })))

  it.live("begin before their first content when that takes long, and tell a failure as an event then", () =>
    serving({ limits: { firstContent: "5 millis", heartbeat: "1 hour" } }, (served) =>
      Effect.gen(function*() {
        yield* served.primary.respondWith(() => Simulator.error(400, undefined, { delayMillis: 100 }))
        for (const [name, [path, body]] of Object.entries(bodies)) {
          const answered = yield* send(`${served.url}${path}`, { body })
          assert.strictEqual(answered.status, 200, name)
          assert.match(answered.text, /"error":|event: error/, name)
        }
      })))

  it.live("whose client hangs up stop the call upstream", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        const answer = Simulator.text("Hello there, and good night.", { faults: { stallAfter: 6 } })
        yield* served.primary.respondWith(() => answer)
        for (const [name, asked] of Object.entries(bodies)) {
          yield* readUntil(served, asked, /Hello/)
          const upstream = served.primary.requests.at(-1)!
          assert.strictEqual(yield* upstream.ended, "closed-by-client", name)
        }
      })))

  it.live("whose client hangs up before they begin stop the call upstream, whole answers too", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        yield* served.primary.respondWith(() => Simulator.hang)
        for (const [path, body] of Object.values(bodies)) {
          const number = served.primary.requests.length + 1
          const asking = yield* Effect.forkChild(
            send(`${served.url}${path}`, { body: { ...body, stream: number % 2 === 0 } })
          )
          const upstream = yield* served.primary.request(number)
          yield* upstream.quiet
          asking.interruptUnsafe()
          assert.strictEqual(yield* upstream.ended, "closed-by-client")
        }
      })))

  it.live("go on without their client where their route says so", () =>
    serving(
      { routes: [{ model: "claude", to: "claude", onDisconnect: "continue" }] },
      (served) =>
        Effect.gen(function*() {
          yield* served.primary.respondWith(() => Simulator.text("Hello there, and good night.", { delayMillis: 5 }))
          yield* readUntil(served, bodies["messages"]!, /Hello/)
          assert.strictEqual(yield* served.primary.requests[0]!.ended, "answered")
        })
    ))

  it.live("are read no faster than their client reads", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        // More than the buffers of all sockets on the way can take.
        const long = "word ".repeat(6_000_000)
        yield* served.primary.respondWith(() => Simulator.text(long, { chunkSize: 20_000 }))
        const [path, body] = bodies["messages"]!
        const written = yield* Effect.callback<number>((resume) => {
          const outgoing = request(new URL(path, served.url), { method: "POST", agent: false }, (incoming) => {
            incoming.pause()
            let last = -1
            // When nothing more is written, everything on the way is full.
            const timer = setInterval(() => {
              const now = served.primary.requests[0]!.bytesWritten
              if (now === last && now > 0) {
                clearInterval(timer)
                outgoing.destroy()
                resume(Effect.succeed(now))
              }
              last = now
            }, 100)
          })
          outgoing.on("error", () => {})
          outgoing.end(JSON.stringify(body))
        })
        assert.isBelow(written, long.length)
      })))

  it.live("go over a WebSocket one after the other, from what was said before", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        const conversation = yield* Effect.callback<ReadonlyArray<Record<string, any>>>((resume) => {
          const socket = new WebSocket(`${served.url.replace("http", "ws")}/v1/responses`)
          const said: Array<Record<string, any>> = []
          const create = (body: object) =>
            socket.send(JSON.stringify({ type: "response.create", model: "gpt", store: false, stream: true, ...body }))
          const next = [
            (id: string) => create({ input: "What is my word?", previous_response_id: id }),
            () => create({ input: "?", previous_response_id: "resp_none" })
          ]
          socket.addEventListener("open", () => create({ input: "My word is Kestrel.", generate: false }))
          socket.addEventListener("message", ({ data }) => {
            const message = JSON.parse(String(data)) as Record<string, any>
            said.push(message)
            if (message["type"] === "response.completed") next.shift()?.(message["response"].id)
            if (message["type"] === "error") socket.close()
          })
          socket.addEventListener("close", () => resume(Effect.succeed(said)))
        })
        const completed = conversation.filter(({ type }) => type === "response.completed")
        assert.deepStrictEqual(completed.map(({ response }) => response.output.length), [0, 1])
        assert.strictEqual(conversation.at(-1)!["error"].code, "previous_response_not_found")
        // What only makes ready is sent nowhere.
        assert.strictEqual(served.backup.requests.length, 1)
        assert.include(served.backup.requests[0]!.bodyText, "Kestrel")
      })))

  // On the wire that it came on the provider refuses the turn, on another one the gateway does.
  it.live.each(["gpt", "claude"])(
    "over a WebSocket forget what a failed turn went on from: %s",
    (model) =>
      serving({}, (served) =>
        Effect.gen(function*() {
          const conversation = yield* Effect.callback<ReadonlyArray<Record<string, any>>>((resume) => {
            const socket = new WebSocket(`${served.url.replace("http", "ws")}/v1/responses`)
            const ended: Array<Record<string, any>> = []
            const create = (body: object) =>
              socket.send(JSON.stringify({ type: "response.create", model, store: false, ...body }))
            const unasked = { type: "function_call_output", call_id: "call_unasked", output: "None." }
            socket.addEventListener("open", () => create({ input: "Hello" }))
            socket.addEventListener("message", ({ data }) => {
              const message = JSON.parse(String(data)) as Record<string, any>
              if (message["type"] !== "response.completed" && message["type"] !== "error") return
              ended.push(message)
              const previous_response_id = ended[0]!["response"].id
              if (ended.length === 1) create({ previous_response_id, input: [unasked] })
              if (ended.length === 2) create({ previous_response_id, input: "And now?" })
              if (ended.length === 3) socket.close()
            })
            socket.addEventListener("close", () => resume(Effect.succeed(ended)))
          })
          assert.deepStrictEqual(conversation.map(({ type }) => type), ["response.completed", "error", "error"])
          assert.notStrictEqual(conversation[1]!["error"].code, "previous_response_not_found")
          assert.strictEqual(conversation[2]!["error"].code, "previous_response_not_found")
        }))
  )

  it.live("over a WebSocket stop with it", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        yield* served.backup.respondWith(() =>
          Simulator.text("Hello there, and good night.", { faults: { stallAfter: 6 } })
        )
        const socket = new WebSocket(`${served.url.replace("http", "ws")}/v1/responses`)
        socket.addEventListener(
          "open",
          () => socket.send(JSON.stringify({ type: "response.create", model: "gpt", input: "Hello" }))
        )
        const upstream = yield* served.backup.request(1)
        yield* upstream.quiet
        socket.close()
        assert.strictEqual(yield* upstream.ended, "closed-by-client")
      })))
})
