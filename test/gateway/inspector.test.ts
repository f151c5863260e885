// What the inspector serves: to whom, how much, and what it keeps quiet about.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import { request } from "node:http"
import { decode } from "../../src/gateway/config.ts"
import * as Inspector from "../../src/gateway/Inspector.ts"
import { asked } from "../../src/gateway/inspector/contents.ts"
import { page } from "../../src/gateway/inspector/page.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"
import { secrets, send, type Served, serving } from "./serving.ts"

const admin = "sk-llm-admin-0123456789abcdef"
const bob = "sk-llm-bob-0123456789abcdef"
const hashed = (key: string) => `sha256:${createHash("sha256").update(key).digest("hex")}`
const prompt = "The combination of the safe is 7-3-9"

const ask = ({ url }: Served, headers: Record<string, string> = {}) =>
  send(`${url}/v1/chat/completions`, {
    body: { model: "claude", messages: [{ role: "user", content: prompt }] },
    headers
  })

/** `fetch` does not say another `Host`. */
const under = (url: string, headers: Record<string, string>): Effect.Effect<number> =>
  Effect.promise(() =>
    new Promise((resolve, reject) => {
      request(url, { headers }, (response) => {
        response.destroy()
        resolve(response.statusCode!)
      }).on("error", reject).end()
    })
  )

/** The first event. */
const firstOf = (url: string, headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const abort = new AbortController()
    const response = await fetch(`${url}/inspector/events`, { headers, signal: abort.signal })
    const reader = response.body!.getReader()
    let text = ""
    while (!text.includes("\n\n")) text += new TextDecoder().decode((await reader.read()).value)
    abort.abort()
    // oxlint-disable-next-line typescript/no-explicit-any -- JSON, looked at field by field
    return JSON.parse(text.slice(6, text.indexOf("\n\n"))) as any
  })

describe("the inspector of a gateway", () => {
  it.live("is not there unless it is asked for", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        for (const path of ["/inspector", "/inspector/events", "/inspector/calls/1"]) {
          assert.strictEqual((yield* send(`${served.url}${path}`)).status, 404)
        }
      })))

  it.live("shows attempts, failovers and figures, and no words", () =>
    serving({ inspector: true }, (served) =>
      Effect.gen(function*() {
        yield* served.primary.respondWith(() => Simulator.error(529))
        assert.strictEqual((yield* ask(served)).status, 200)
        const { calls, content, reset } = yield* firstOf(served.url)
        assert.deepStrictEqual({ content, reset }, { content: false, reset: true })
        const [call] = calls
        assert.deepStrictEqual(
          call.attempts.map(({ provider, reason, status }: Record<string, string>) => [provider, status, reason]),
          [["anthropic", "failed", "Overloaded"], ["openai", "finished", undefined]]
        )
        assert.isTrue(call.events.some(({ tag }: { tag: string }) => tag === "FailOver"))
        assert.isAbove(call.usage.output, 0)
        assert.isAbove(call.cost, 0)
        const opened = yield* send(`${served.url}/inspector/calls/${call.id}`)
        assert.strictEqual(opened.json.contents.asked[0].parts[0].characters, prompt.length)
        assert.notInclude(opened.text, "combination")
        for (const secret of Object.values(secrets)) assert.notInclude(opened.text, secret)
      })))

  it.live("is for this machine, asked for by its own name, by its own page", () =>
    serving({ inspector: true, hosts: ["*"], origins: ["*"] }, ({ url }) =>
      Effect.gen(function*() {
        for (const path of ["/inspector", "/inspector/events", "/inspector/calls/1"]) {
          assert.strictEqual(yield* under(`${url}${path}`, { host: "gateway.example.com" }), 403)
          assert.strictEqual(
            (yield* send(`${url}${path}`, { headers: { origin: "https://evil.example" } })).status,
            403
          )
          const headers = { "sec-fetch-site": "cross-site" }
          assert.strictEqual((yield* send(`${url}${path}`, { headers })).status, 403)
          assert.strictEqual((yield* send(`${url}${path}`, { method: "POST", body: {} })).status, 405)
        }
        for (const id of ["%ff", "__proto__", "-1", "1e3", "9".repeat(400)]) {
          assert.oneOf((yield* send(`${url}/inspector/calls/${id}`)).status, [400, 404])
        }
        const shown = yield* send(`${url}/inspector`)
        const policy = shown.headers.get("content-security-policy")!
        assert.include(policy, "default-src 'none'")
        assert.notInclude(policy, "unsafe")
        assert.strictEqual(shown.headers.get("x-content-type-options"), "nosniff")
      })))

  it.live("needs a key with admin where there are keys", () =>
    serving({
      inspector: "content",
      keys: [{ name: "admin", hash: hashed(admin), admin: true }, { name: "bob", hash: hashed(bob) }]
    }, (served) =>
      Effect.gen(function*() {
        yield* ask(served, { authorization: `Bearer ${bob}` })
        assert.strictEqual((yield* send(`${served.url}/inspector`)).status, 200)
        for (const path of ["/inspector/events", "/inspector/calls/1"]) {
          for (const headers of [{}, { authorization: `Bearer ${bob}` }, { authorization: "Bearer x" }]) {
            assert.strictEqual((yield* send(`${served.url}${path}`, { headers })).status, 401)
          }
        }
        const headers = { authorization: `Bearer ${admin}` }
        const { calls } = yield* firstOf(served.url, headers)
        assert.strictEqual(calls[0].user, "bob")
        const opened = yield* send(`${served.url}/inspector/calls/1`, { headers })
        assert.include(opened.text, prompt)
        assert.notInclude(opened.text, bob)
      })))

  it("is a switch of the configuration", () => {
    const is = (inspector: unknown) => decode({ inspector })._tag
    assert.deepStrictEqual([is(true), is("content"), is("all"), is(1)], ["Success", "Success", "Failure", "Failure"])
  })
})

describe("the recorder", () => {
  it.effect("keeps the last calls only, those that run among them", () =>
    Effect.gen(function*() {
      const calls = yield* Inspector.Recorder
      const { service } = TestLlm.make({ answers: () => "yes" })
      const watched = yield* Inspector.policy().wrap(service)
      yield* Effect.forEach(Array.from({ length: 25 }, (_, at) => at), (at) => watched.generate({ prompt: `${at}` }), {
        concurrency: 5
      })
      const { calls: kept } = calls.since(-1, 1000)
      assert.deepStrictEqual(
        kept.map(({ id }) => id).toSorted((a, b) => a - b),
        Array.from({ length: 10 }, (_, at) => 16 + at)
      )
      assert.isUndefined(calls.opened(1))
      assert.strictEqual(calls.since(calls.current, 1000).calls.length, 0)
      // However small the bites, everything is seen.
      const seen = new Set<number>()
      let version = -1
      while (version < calls.current) {
        const bite = calls.since(version, 3)
        version = bite.version
        for (const { id } of bite.calls) seen.add(id)
      }
      assert.strictEqual(seen.size, 10)
      const stops = Array.from({ length: 20 }, () => calls.watch(() => {}))
      assert.strictEqual(stops.filter((stop) => stop !== undefined).length, 16)
    }).pipe(Effect.provide(Inspector.recorder({ calls: 10 }))))

  it.effect("refuses options that cannot be", () =>
    Effect.gen(function*() {
      for (const options of [{ calls: 0 }, { calls: Number.NaN }, { content: "yes" }]) {
        const error = yield* Effect.flip(
          Effect.provide(Inspector.Recorder, Inspector.recorder(options as Inspector.RecorderOptions))
        )
        assert.strictEqual(error.reason._tag, "Configuration")
      }
    }))

  it("keeps no words unless they are allowed, and bounds those that are", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 5, unit: "grapheme" }), fc.nat(60), (word, times) => {
        const mark = `(${word})`
        const text = mark.repeat(times * 20)
        const messages = Array.from({ length: times }, () => ({ role: "user" as const, content: text }))
        const request = { system: text, messages } as LlmRequest
        const silent = JSON.stringify(asked(request, false))
        assert.isFalse(silent.includes("text\":\""))
        assert.isAtMost(silent.length, 10_000)
        assert.isAtMost(JSON.stringify(asked(request, true)).length, 16_384 * 6 + 10_000)
        const throwing = () => {
          throw new Error("no")
        }
        assert.isAtMost(JSON.stringify(asked(request, throwing)).length, 20_000)
      }),
      { numRuns: 50 }
    )
  })

  it("puts nothing into the page that a call could choose", () => {
    const nonce = "n"
    assert.strictEqual(page(nonce).split("<script").length, 2)
    assert.notMatch(page(nonce), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|https?:\/\//)
  })
})
