import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Simulator from "../../src/testing/Simulator.ts"

/** What a client sees that reads with its bare hands. */
interface Seen {
  readonly status: number | undefined
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
  readonly packets: number
  /** `end` is a proper end of the body, `error` a broken connection. */
  readonly end: "end" | "error"
}

const requestBodies = {
  "/v1/messages": {
    model: "claude-haiku-4-5",
    max_tokens: 100,
    stream: true,
    messages: [{ role: "user", content: "Hi" }]
  },
  "/v1/chat/completions": { model: "gpt-4.1-mini", stream: true, messages: [{ role: "user", content: "Hi" }] }
}

type Path = keyof typeof requestBodies

const open = (simulator: Simulator.Service, path: Path, stream: boolean): Http.ClientRequest => {
  const request = Http.request(`${simulator.url}${path}`, {
    method: "POST",
    agent: false,
    headers: {
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      authorization: "Bearer sk-secret-value"
    }
  })
  request.end(JSON.stringify({ ...requestBodies[path], stream }))
  return request
}

const read = (simulator: Simulator.Service, path: Path = "/v1/messages", stream = true): Effect.Effect<Seen> =>
  Effect.callback((resume) => {
    const request = open(simulator, path, stream)
    let status: number | undefined
    let headers: Http.IncomingHttpHeaders = {}
    let body = ""
    let packets = 0
    const done = (end: Seen["end"]) => resume(Effect.succeed({ status, headers, body, packets, end }))
    request.on("error", () => done("error"))
    request.on("response", (response) => {
      status = response.statusCode
      headers = response.headers
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => {
        packets++
        body += chunk
      })
      response.on("error", () => done("error"))
      response.on("end", () => done("end"))
    })
    return Effect.sync(() => request.destroy())
  })

/** Reads until the server falls silent, then gives what has come by then and hangs up. */
const readUntilQuiet = Effect.fnUntraced(
  function*(simulator: Simulator.Service, frames: number, path: Path = "/v1/messages"): Effect.fn.Return<
    { readonly body: string; readonly outcome: Simulator.Outcome; readonly answered: boolean },
    never,
    Scope.Scope
  > {
    let body = ""
    let answered = false
    const request = open(simulator, path, true)
    yield* Effect.addFinalizer(() => Effect.sync(() => request.destroy()))
    const enough = Promise.withResolvers<void>()
    const check = () => {
      if (body.split("\n\n").length - 1 >= frames) enough.resolve()
    }
    request.on("error", () => {})
    request.on("response", (response) => {
      answered = true
      response.on("error", () => {})
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk
        check()
      })
    })
    check()
    const recorded = yield* simulator.request(simulator.requests.length + 1)
    yield* recorded.quiet
    yield* Effect.promise(() => enough.promise)
    request.destroy()
    return { body, answered, outcome: yield* recorded.ended }
  }
)

const framesOf = (body: string): ReadonlyArray<string> => body.split("\n\n").filter((frame) => frame !== "")

const eventsOf = (body: string): ReadonlyArray<string> =>
  framesOf(body).map((frame) => /^event: (.*)$/m.exec(frame)?.[1] ?? frame)

const withFaults = (faults: Simulator.Faults, path: Path = "/v1/messages", stream = true) =>
  Effect.gen(function*() {
    const simulator = yield* Simulator.make()
    yield* simulator.enqueue(Simulator.text("Hello there, how are you?", { faults }))
    const seen = yield* read(simulator, path, stream)
    return { ...seen, request: yield* simulator.request(1) }
  })

const whole = [
  "message_start",
  "content_block_start",
  "ping",
  "content_block_delta",
  "content_block_delta",
  "content_block_delta",
  "content_block_delta",
  "content_block_stop",
  "message_delta",
  "message_stop"
]

describe("Simulator faults", () => {
  it.effect("sends everything without a fault", () =>
    Effect.gen(function*() {
      const seen = yield* withFaults({})
      assert.deepStrictEqual(eventsOf(seen.body), whole)
      assert.strictEqual(seen.end, "end")
      assert.strictEqual(seen.request.bytesWritten, Buffer.byteLength(seen.body))
    }))

  it.effect("cuts the body cleanly after some frames", () =>
    Effect.gen(function*() {
      const seen = yield* withFaults({ cutAfter: 4 })
      assert.deepStrictEqual(eventsOf(seen.body), whole.slice(0, 4))
      assert.strictEqual(seen.end, "end")
    }))

  it.effect("truncates a whole answer, which counts as two frames", () =>
    Effect.gen(function*() {
      const seen = yield* withFaults({ cutAfter: 1 }, "/v1/messages", false)
      assert.strictEqual(seen.end, "end")
      assert.isTrue(seen.body.startsWith("{\"model\""))
      assert.throws(() => JSON.parse(seen.body))
    }))

  it.effect("resets the connection before any answer", () =>
    Effect.gen(function*() {
      const seen = yield* withFaults({ reset: true })
      assert.deepInclude(seen, { end: "error", status: undefined, body: "" })
      assert.strictEqual(yield* seen.request.ended, "reset-by-server")
    }))

  it.effect("resets the connection after some frames", () =>
    Effect.gen(function*() {
      const seen = yield* withFaults({ resetAfter: 3 })
      assert.strictEqual(seen.end, "error")
      assert.strictEqual(seen.status, 200)
      assert.deepStrictEqual(eventsOf(seen.body), whole.slice(0, 3))
    }))

  it.effect("puts a broken frame between good ones", () =>
    Effect.gen(function*() {
      for (const path of ["/v1/messages", "/v1/chat/completions"] as const) {
        const seen = yield* withFaults({ malformedAfter: 2 }, path)
        const frames = framesOf(seen.body)
        const payload = frames[2]!.slice(frames[2]!.indexOf("data: ") + 6)
        assert.throws(() => JSON.parse(payload))
        assert.strictEqual(seen.end, "end")
        assert.match(frames.at(-1)!, /message_stop|\[DONE\]/)
      }
    }))

  it.effect("reports an error in the middle of a stream in the words of the wire", () =>
    Effect.gen(function*() {
      const anthropic = yield* withFaults({ errorAfter: 4 })
      assert.strictEqual(
        framesOf(anthropic.body)[4],
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}"
      )
      const chat = yield* withFaults(
        { errorAfter: 1, streamError: { status: 429, message: "Slow down", code: "slow" } },
        "/v1/chat/completions"
      )
      assert.strictEqual(
        framesOf(chat.body).at(-1),
        "data: {\"error\":{\"message\":\"Slow down\",\"type\":\"requests\",\"param\":null,\"code\":\"slow\"}}"
      )
    }))

  it.effect("leaves out the terminal frames, or the last one alone", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(eventsOf((yield* withFaults({ omitTerminal: true })).body), whole.slice(0, -2))
      assert.deepStrictEqual(eventsOf((yield* withFaults({ omitDone: true })).body), whole.slice(0, -1))
      const chat = yield* withFaults({ omitDone: true }, "/v1/chat/completions")
      assert.include(framesOf(chat.body).at(-1), "\"finish_reason\":\"stop\"")
      const none = yield* withFaults({ omitTerminal: true }, "/v1/chat/completions")
      assert.include(framesOf(none.body).at(-1), "\"finish_reason\":null")
    }))

  it.effect("hangs without headers until the client gives up", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.hang)
      assert.deepStrictEqual(yield* readUntilQuiet(simulator, 0), {
        answered: false,
        body: "",
        outcome: "closed-by-client"
      })
    }))

  it.effect("stalls after some frames", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("Hello", { faults: { stallAfter: 2 } }))
      const seen = yield* readUntilQuiet(simulator, 2)
      assert.deepStrictEqual(eventsOf(seen.body), whole.slice(0, 2))
      assert.strictEqual(seen.outcome, "closed-by-client")
    }))

  it.effect("keeps the connection open after the last frame", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("Hello there, how are you?", { faults: { keepOpen: true } }))
      const seen = yield* readUntilQuiet(simulator, whole.length)
      assert.deepStrictEqual(eventsOf(seen.body), whole)
      assert.strictEqual(seen.outcome, "closed-by-client")
    }))

  it.effect("sends keep-alives for ever", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("Hello", { faults: { pingsAfter: 1 } }))
      const body = yield* Effect.callback<string>((resume) => {
        const request = open(simulator, "/v1/messages", true)
        let body = ""
        request.on("error", () => {})
        request.on("response", (response) => {
          response.on("error", () => {})
          response.setEncoding("utf8").on("data", (chunk: string) => {
            body += chunk
            if (framesOf(body).length < 6) return
            request.destroy()
            resume(Effect.succeed(body))
          })
        })
      })
      assert.deepStrictEqual(eventsOf(body).slice(0, 6), ["message_start", "ping", "ping", "ping", "ping", "ping"])
      assert.strictEqual(yield* (yield* simulator.request(1)).ended, "closed-by-client")
    }))

  it.effect("sends headers byte by byte", () =>
    Effect.gen(function*() {
      const seen = yield* withFaults({ slowHeaders: 0 })
      assert.deepStrictEqual(eventsOf(seen.body), whole)
      assert.strictEqual(seen.headers["request-id"], "req_sim000001")
      assert.strictEqual(seen.end, "end")
      assert.strictEqual(yield* seen.request.ended, "answered")
      const reset = yield* withFaults({ slowHeaders: 0, resetAfter: 1 })
      assert.deepStrictEqual([eventsOf(reset.body), reset.end], [["message_start"], "error"])
    }))

  it.effect("writes the body in small pieces", () =>
    Effect.gen(function*() {
      const split = yield* withFaults({ splitBytes: 7 })
      assert.deepStrictEqual(eventsOf(split.body), whole)
      assert.isAbove(split.packets, whole.length * 2)
      const slow = yield* withFaults({ slowBytes: 0 }, "/v1/chat/completions", false)
      assert.strictEqual(JSON.parse(slow.body).choices[0].message.content, "Hello there, how are you?")
      assert.isAbove(slow.packets, split.packets / 4)
    }))

  it.effect("combines faults", () =>
    Effect.gen(function*() {
      const seen = yield* withFaults({ malformedAfter: 0, errorAfter: 2, splitBytes: 16, slowHeaders: 0 })
      assert.deepStrictEqual(eventsOf(seen.body), [
        "content_block_delta",
        "message_start",
        "content_block_start",
        "error"
      ])
    }))

  it.effect("sends pages, nothing, redirects and errors in place of an answer", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        Simulator.html(),
        Simulator.emptyBody(),
        Simulator.redirect("http://127.0.0.1:9/elsewhere"),
        Simulator.errorBody200(),
        Simulator.echoKey(),
        Simulator.raw(["data: one\n\n", new TextEncoder().encode("data: two\n\n")], {
          headers: { "content-type": "text/event-stream" }
        }, { faults: { cutAfter: 1 } })
      )
      const page = yield* read(simulator)
      assert.deepInclude(page, { status: 200, end: "end" })
      assert.match(page.headers["content-type"]!, /^text\/html/)
      assert.match(page.body, /^<!DOCTYPE html>/)
      assert.deepInclude(yield* read(simulator), { status: 200, end: "end", body: "" })
      const redirect = yield* read(simulator)
      assert.deepStrictEqual([redirect.status, redirect.headers.location], [307, "http://127.0.0.1:9/elsewhere"])
      const failure = yield* read(simulator)
      assert.strictEqual(failure.status, 200)
      assert.strictEqual(JSON.parse(failure.body).error.type, "overloaded_error")
      const echo = yield* read(simulator, "/v1/chat/completions")
      assert.strictEqual(echo.status, 401)
      assert.include(JSON.parse(echo.body).error.message, "sk-secret-value")
      assert.deepInclude(yield* read(simulator), { status: 200, body: "data: one\n\n" })
    }))

  it.effect("adds headers to an answer and puts them in place of its own", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("Hi", { headers: { "retry-after": "9", "content-type": "text/plain" } }))
      const seen = yield* read(simulator)
      assert.deepInclude(seen.headers, { "retry-after": "9", "content-type": "text/plain" })
    }))

  it.effect("writes no faster than the client reads", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const total = 64 * 1024 * 1024
      const chunk = new Uint8Array(64 * 1024).fill(97)
      yield* simulator.enqueue(Simulator.raw(Array.from({ length: total / chunk.length }, () => chunk)))
      const request = open(simulator, "/v1/messages", true)
      const response = yield* Effect.callback<Http.IncomingMessage>((resume) => {
        request.on("response", (response) => resume(Effect.succeed(response)))
      })
      const recorded = yield* simulator.request(1)
      // Once the kernel's buffers are full the count stands still: the same over many turns of the event loop.
      const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
      let still = 0
      for (let last = -1; still < 1000; still = recorded.bytesWritten === last ? still + 1 : 0) {
        last = recorded.bytesWritten
        yield* turn
      }
      assert.isBelow(recorded.bytesWritten, total / 2)
      let received = 0
      yield* Effect.callback<void>((resume) => {
        response.on("data", (data: Buffer) => {
          received += data.length
        })
        response.on("end", () => resume(Effect.void))
      })
      assert.strictEqual(received, total)
      assert.strictEqual(yield* recorded.ended, "answered")
      assert.strictEqual(recorded.bytesWritten, total)
    }))
})
