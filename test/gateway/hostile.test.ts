// What a gateway does with those who do not mean well, or do not know better.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { request } from "node:http"
import { connect } from "node:net"
import * as Simulator from "../../src/testing/Simulator.ts"
import { send, type Served, serving } from "./serving.ts"

/** A request with headers that `fetch` does not let one say. */
const raw = (
  { url }: Served,
  path: string,
  headers: Record<string, string> = {},
  method = "GET"
): Effect.Effect<
  { readonly status: number; readonly headers: NodeJS.Dict<string | Array<string>>; readonly text: string }
> =>
  Effect.callback((resume) => {
    const { hostname, port } = new URL(url)
    const outgoing = request({ hostname, port, path, method, headers, agent: false }, (incoming) => {
      let text = ""
      incoming.setEncoding("utf8")
      incoming.on("data", (piece: string) => (text += piece))
      incoming.on("end", () =>
        resume(Effect.succeed({ status: incoming.statusCode ?? 0, headers: incoming.headers, text })))
    })
    outgoing.on("error", (error) =>
      resume(Effect.die(error)))
    outgoing.end()
  })

/** Bytes to a socket, and all that comes back. */
const wired = ({ url }: Served, bytes: string): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(bytes))
    let text = ""
    socket.on("data", (piece) => (text += piece.toString("latin1")))
    socket.on("close", () => resume(Effect.succeed(text)))
    socket.on("error", () => {})
  })

describe("a gateway", () => {
  it.live("answers odd paths in the words of the wire that they resemble", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        const paths = [
          "/v1/models/%ff",
          "/v1/models/%E0%A4%A",
          "/%",
          "/v1/models/",
          "/v1/models/a%2Fb",
          "/v1/nothing",
          "/",
          "/?key=x",
          "//",
          "/v1/models/..%2f..%2fetc",
          "/v1beta/models/%ff:generateContent"
        ]
        for (const path of paths) {
          const { status, text } = yield* raw(served, path)
          assert.strictEqual(status, 404, path)
          assert.isString(JSON.parse(text).error.message, path)
        }
        const anthropic = yield* raw(served, "/v1/models/%ff", { "anthropic-version": "2023-06-01" })
        assert.strictEqual(JSON.parse(anthropic.text).error.type, "not_found_error")
        const google = yield* raw(served, "/v1/models/%ff", { "x-goog-api-key": "x" })
        assert.strictEqual(JSON.parse(google.text).error.status, "NOT_FOUND")
        const posted = yield* send(`${served.url}/v1beta/models/%ff:generateContent`, { body: { contents: [] } })
        assert.strictEqual(posted.json.error.status, "NOT_FOUND")
      })))

  it.live("is not reached by other names, nor by pages that were not let in", () =>
    serving({ hosts: ["llm.example.com"], origins: ["https://app.example.com"] }, (served) =>
      Effect.gen(function*() {
        const at = (headers: Record<string, string>, method?: string) =>
          Effect.map(raw(served, "/v1/models", headers, method), (answered) => answered)
        for (const host of ["127.0.0.1", "localhost:8080", "[::1]:80", "LLM.example.com:443", "app.localhost"]) {
          assert.strictEqual((yield* at({ host })).status, 200, host)
        }
        for (
          const host of ["evil.com", "127.0.0.1.evil.com", "localhost.evil.com", "evil.com:4141", "a@127.0.0.1", " "]
        ) {
          assert.strictEqual((yield* at({ host })).status, 403, host)
        }
        for (
          const origin of ["https://evil.com", "null", "https://app.example.com.evil.com", "http://app.example.com"]
        ) {
          const refused = yield* at({ origin })
          assert.strictEqual(refused.status, 403, origin)
          assert.isUndefined(refused.headers["access-control-allow-origin"])
          assert.strictEqual((yield* at({ origin }, "OPTIONS")).status, 403, origin)
        }
        const page = yield* at({ origin: "https://app.example.com" })
        assert.strictEqual(page.headers["access-control-allow-origin"], "https://app.example.com")
        const preflight = yield* at({
          origin: "https://app.example.com",
          "access-control-request-headers": "authorization,x-stainless-os"
        }, "OPTIONS")
        assert.strictEqual(preflight.status, 204)
        assert.strictEqual(preflight.headers["access-control-allow-headers"], "authorization,x-stainless-os")
      })))

  it.live("takes no body that is too large, too slow or compressed", () =>
    serving({ limits: { bodyBytes: 1000, bodyTimeout: "20 millis" } }, (served) =>
      Effect.gen(function*() {
        const large = { model: "gpt", messages: [{ role: "user", content: "x".repeat(2000) }] }
        const refused = yield* send(`${served.url}/v1/chat/completions`, { body: large })
        assert.strictEqual(refused.status, 413)
        assert.isString(refused.json.error.message)
        const chunked =
          "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nanthropic-version: x\r\nTransfer-Encoding: chunked\r\n" +
          `Connection: close\r\n\r\n7d0\r\n${"x".repeat(2000)}\r\n0\r\n\r\n`
        assert.match(yield* wired(served, chunked), /^HTTP\/1.1 413 /)
        const slow =
          "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{"
        assert.match(yield* wired(served, slow), /^HTTP\/1.1 408 /)
        const zipped = yield* send(`${served.url}/v1/messages`, { body: "x", headers: { "content-encoding": "gzip" } })
        assert.strictEqual(zipped.status, 415)
      })))

  it.live("refuses calls beyond those it takes, and tells when to come again", () =>
    serving({ limits: { calls: 1 } }, (served) =>
      Effect.gen(function*() {
        yield* served.backup.respondWith(() => Simulator.hang)
        const body = { model: "gpt", input: "Hello" }
        yield* Effect.forkChild(send(`${served.url}/v1/responses`, { body }))
        yield* served.backup.request(1)
        const refused = yield* send(`${served.url}/v1/responses`, { body })
        assert.strictEqual(refused.status, 503)
        assert.strictEqual(refused.headers.get("retry-after"), "1")
      })))

  it.live(
    "answers whatever body comes with a status of its client's, and lives on",
    () =>
      serving({}, (served) =>
        Effect.gen(function*() {
          const paths = [
            "/v1/chat/completions",
            "/v1/responses",
            "/v1/messages",
            "/v1/models/gpt:generateContent",
            "/v1/messages/count_tokens",
            "/v1/responses/compact"
          ]
          const odd = fc.sample(fc.jsonValue({ maxDepth: 3 }), 12)
          const bodies: ReadonlyArray<string> = [
            "",
            "{",
            "[]",
            "null",
            "\"x\"",
            "\u0000",
            "[".repeat(100_000),
            "{\"a\":".repeat(5000),
            "{\"__proto__\":{\"x\":1},\"model\":\"gpt\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}],\"input\":[null]}",
            ...odd.map((value) =>
              JSON.stringify({ model: "gpt", messages: value, input: value, contents: value, tools: value })
            )
          ]
          for (const body of bodies) {
            for (const path of paths) {
              const { json, status, text } = yield* send(`${served.url}${path}`, { body, method: "POST" })
              assert.isTrue(
                status === 200 || (status >= 400 && status < 500) || status === 502,
                `${path} ${status} ${text.slice(0, 300)} ${body.slice(0, 200)}`
              )
              assert.isObject(json, `${path} ${text.slice(0, 200)}`)
              assert.notMatch(text, /\bat .*\.[jt]s:\d+|__proto__/)
            }
          }
          assert.strictEqual((yield* send(`${served.url}/health`)).text, "ok")
        })),
    30_000
  )

  it.live("counts what it does, without a word of who asked for what", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        yield* send(`${served.url}/v1/chat/completions`, {
          body: { model: "gpt", messages: [{ role: "user", content: "Hi" }] }
        })
        const { headers, text } = yield* send(`${served.url}/metrics`)
        assert.match(headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/)
        assert.match(
          text,
          /^effect_llm_gateway_calls\{wire="openai-chat",operation="generate",instance="gpt",status="200"\} \d+$/m
        )
        assert.match(text, /^effect_llm_gateway_in_flight \d+$/m)
        assert.match(text, /^# TYPE effect_llm_gateway_event_loop_lag gauge$/m)
      })))
})
