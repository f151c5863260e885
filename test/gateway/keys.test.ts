// Virtual keys: who may ask for what, how much, until when; and that nothing of one is seen by another.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { createHash } from "node:crypto"
import * as Gateway from "../../src/gateway/Gateway.ts"
import { matched } from "../../src/gateway/routing.ts"
import { Stored } from "../../src/gateway/stored.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { type Answered, secrets, send, type Served, serving } from "./serving.ts"

const hashed = (key: string) => `sha256:${createHash("sha256").update(key).digest("hex")}`

const alice = "sk-llm-alice-0123456789abcdef"
const bob = "sk-llm-bob-0123456789abcdef"

const hello = { role: "user", content: "Hello" }

/** The same request in the words of each wire, with the credential where that wire has it. */
const wires: Readonly<Record<string, (served: Served, key: string, model?: string) => Effect.Effect<Answered>>> = {
  chat: ({ url }, key, model = "gpt") =>
    send(`${url}/v1/chat/completions`, {
      body: { model, messages: [hello] },
      headers: { authorization: `Bearer ${key}` }
    }),
  responses: ({ url }, key, model = "gpt") =>
    send(`${url}/v1/responses`, { body: { model, input: "Hello" }, headers: { authorization: `Bearer ${key}` } }),
  messages: ({ url }, key, model = "gpt") =>
    send(`${url}/v1/messages`, {
      body: { model, max_tokens: 64, messages: [hello] },
      headers: { "x-api-key": key, "anthropic-version": "2023-06-01" }
    }),
  gemini: ({ url }, key, model = "gpt") =>
    send(`${url}/v1beta/models/${model}:generateContent`, {
      body: { contents: [{ role: "user", parts: [{ text: "Hello" }] }] },
      headers: { "x-goog-api-key": key }
    })
}

/** What each wire calls an error of that status. */
const typeOf = (name: string, { json }: Answered): unknown =>
  name === "gemini" ? json.error.status : name === "messages" ? json.error.type : json.error.code ?? json.error.type

describe("virtual keys", () => {
  it.live("open the door, whole wire by wire; no other does", () =>
    serving({ keys: [{ name: "alice", hash: hashed(alice) }] }, (served) =>
      Effect.gen(function*() {
        for (const [name, ask] of Object.entries(wires)) {
          assert.strictEqual((yield* ask(served, alice)).status, 200, name)
          for (const key of ["", bob, `${alice} `.repeat(2), alice.slice(0, -1)]) {
            const refused = yield* ask(served, key)
            assert.strictEqual(refused.status, 401, name)
            if (key !== "") assert.notInclude(refused.text, key)
          }
          const types = {
            chat: "invalid_api_key",
            responses: "invalid_api_key",
            messages: "authentication_error",
            gemini: "UNAUTHENTICATED"
          }
          assert.strictEqual(typeOf(name, yield* ask(served, bob)), types[name as keyof typeof types])
        }
      })))

  it.live("are also in variables, in stores and in a header of their own", () =>
    serving({
      keys: [{ name: "alice", env: "KEY_OF_ALICE" }],
      keyStore: { find: (sha256) => Effect.succeed(hashed(bob) === `sha256:${sha256}` ? { name: "bob" } : undefined) },
      variables: { KEY_OF_ALICE: alice }
    }, (served) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* wires["chat"]!(served, alice)).status, 200)
        assert.strictEqual((yield* wires["chat"]!(served, bob)).status, 200)
        const body = { model: "gpt", messages: [hello] }
        const headers = { authorization: "Bearer sk-of-a-provider", "x-effect-llm-key": alice }
        assert.strictEqual((yield* send(`${served.url}/v1/chat/completions`, { body, headers })).status, 200)
      })))

  it.live("may ask for their models, and see no others", () =>
    serving({
      routes: [{ model: "fast", to: "gpt" }],
      keys: [{ name: "alice", hash: hashed(alice), routes: ["fast", "team-*"] }, { name: "bob", hash: hashed(bob) }]
    }, (served) =>
      Effect.gen(function*() {
        for (const [name, ask] of Object.entries(wires)) {
          assert.strictEqual((yield* ask(served, alice, "fast")).status, 200, name)
          assert.strictEqual((yield* ask(served, alice, "gpt")).status, 403, name)
          // Whether there is such a model is not told.
          assert.strictEqual((yield* ask(served, alice, "nobody")).status, 403, name)
          assert.strictEqual((yield* ask(served, bob, "nobody")).status, 404, name)
        }
        const listed = yield* send(`${served.url}/v1/models`, { headers: { authorization: `Bearer ${alice}` } })
        assert.deepStrictEqual(listed.json.data.map(({ id }: { id: string }) => id), ["fast"])
        const one = yield* send(`${served.url}/v1/models/gpt`, { headers: { authorization: `Bearer ${alice}` } })
        assert.strictEqual(one.status, 404)
      })))

  it.live("end with their day", () =>
    serving({
      keys: [
        { name: "alice", hash: hashed(alice), expires: "2020-01-01T00:00:00Z" },
        { name: "bob", hash: hashed(bob), expires: "2999-01-01" }
      ]
    }, (served) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* wires["messages"]!(served, alice)).status, 401)
        assert.strictEqual((yield* wires["messages"]!(served, bob)).status, 200)
      })))

  it.live("have a rate of their own over all models, and are told when to come again", () =>
    serving({
      keys: [
        { name: "alice", hash: hashed(alice), rateLimit: { requestsPerMinute: 4 } },
        { name: "bob", hash: hashed(bob), rateLimit: { requestsPerMinute: 4 } }
      ]
    }, (served) =>
      Effect.gen(function*() {
        const models = ["gpt", "gemini", "claude", "openai/gpt-5-mini"]
        for (const model of models) assert.strictEqual((yield* wires["chat"]!(served, alice, model)).status, 200)
        for (const [name, ask] of Object.entries(wires)) {
          const refused = yield* ask(served, alice)
          assert.strictEqual(refused.status, 429, name)
          const wait = Number(refused.headers.get("retry-after"))
          assert.isTrue(wait >= 1 && wait <= 15, `${name}: ${wait}`)
          assert.strictEqual((yield* ask(served, bob)).status, 200, name)
        }
      })))

  it.live("have a budget of their own, which begins anew", () =>
    serving({
      keys: [
        { name: "alice", hash: hashed(alice), budget: { limit: 0.000_001, window: "1 hour" } },
        { name: "bob", hash: hashed(bob), budget: { limit: 10 } }
      ]
    }, (served) =>
      Effect.gen(function*() {
        for (const [name, ask] of Object.entries(wires)) {
          const refused = yield* ask(served, alice)
          assert.strictEqual(refused.status, name === "messages" ? 402 : 429, name)
          const wait = Number(refused.headers.get("retry-after"))
          assert.isTrue(wait >= 1 && wait <= 3600, `${name}: ${wait}`)
          const answered = yield* ask(served, bob)
          assert.strictEqual(answered.status, 200, name)
          assert.isAbove(Number(answered.headers.get("x-effect-llm-cost")), 0)
        }
      })))

  it.live("count what streams of Chat Completions use, though their clients do not ask", () =>
    serving({ keys: [{ name: "bob", hash: hashed(bob), budget: { limit: 10 } }] }, (served) =>
      Effect.gen(function*() {
        const body = { model: "gpt", stream: true, messages: [hello] }
        const headers = { authorization: `Bearer ${bob}` }
        const answered = yield* send(`${served.url}/v1/chat/completions`, { body, headers })
        assert.match(answered.text, /^: x-effect-llm-cost: 0\.\d+$/m)
        assert.notInclude(answered.text, "\"usage\":{")
      })))
})

describe("clients of one gateway", () => {
  it.live("go on from their own answers alone", () =>
    serving(
      { keys: [{ name: "alice", hash: hashed(alice) }, { name: "bob", hash: hashed(bob) }] },
      (served) =>
        Effect.gen(function*() {
          const ask = (key: string, body: object) =>
            send(`${served.url}/v1/responses`, {
              body: { model: "gpt", ...body },
              headers: { authorization: `Bearer ${key}` }
            })
          const first = yield* ask(alice, { input: "My secret word is Kestrel." })
          const next = { input: "What is my word?", previous_response_id: first.json.id }
          const own = yield* ask(alice, next)
          assert.strictEqual(own.status, 200)
          assert.strictEqual(own.json.previous_response_id, first.json.id)
          assert.include(served.backup.requests.at(-1)!.bodyText, "Kestrel")
          assert.notInclude(served.backup.requests.at(-1)!.bodyText, "previous_response_id")

          const sent = served.backup.requests.length
          const foreign = yield* ask(bob, next)
          assert.strictEqual(foreign.status, 400)
          assert.strictEqual(foreign.json.error.code, "previous_response_not_found")
          // Nor by what lies at the provider, where all clients are one.
          for (
            const body of [{ input: "?", conversation: "conv_1" }, { input: [{ type: "item_reference", id: "msg_1" }] }]
          ) {
            assert.strictEqual((yield* ask(bob, body)).status, 400)
          }
          assert.strictEqual(served.backup.requests.length, sent)
          assert.strictEqual((yield* ask(alice, { ...next, previous_response_id: "resp_none" })).status, 400)
        })
    ))

  it.live("store nothing where they say so", () =>
    serving({}, ({ url }) =>
      Effect.gen(function*() {
        const first = yield* send(`${url}/v1/responses`, { body: { model: "gpt", input: "Hello", store: false } })
        const next = { model: "gpt", input: "?", previous_response_id: first.json.id }
        assert.strictEqual((yield* send(`${url}/v1/responses`, { body: next })).status, 400)
      })))

  it.live("read of no key, no secret and no stack, whatever fails", () =>
    serving({ keys: [{ name: "alice", hash: hashed(alice) }], metrics: true }, (served) =>
      Effect.gen(function*() {
        yield* served.backup.respondWith(() => Simulator.echoKey(401))
        const answers = [yield* send(`${served.url}/metrics`), yield* send(`${served.url}/health`)]
        for (const ask of Object.values(wires)) {
          answers.push(yield* ask(served, alice), yield* ask(served, alice, "gemini"))
        }
        for (const { headers, text } of answers) {
          const seen = `${text}${JSON.stringify([...headers])}`
          for (const secret of [...Object.values(secrets), alice]) {
            assert.notInclude(seen, secret)
          }
          assert.notMatch(seen, /\bat .*\.[jt]s:\d+/)
        }
        assert.strictEqual(answers[0]!.status, 401)
      })))

  it.live("lend their own credential for a provider where a route says so, to that provider alone", () =>
    serving({
      keys: [{ name: "alice", hash: hashed(alice) }],
      routes: [{ model: "mine", to: "claude", credentials: "client" }]
    }, (served) =>
      Effect.gen(function*() {
        yield* served.primary.respondWith(() => Simulator.error(529))
        const theirs = "sk-ant-of-the-client-itself"
        const ask = (model: string, headers: Record<string, string>) =>
          send(`${served.url}/v1/messages`, {
            body: { model, max_tokens: 64, messages: [hello] },
            headers: { "anthropic-version": "2023-06-01", ...headers }
          })
        const both = { "x-api-key": theirs, "x-effect-llm-key": alice }
        assert.strictEqual((yield* ask("mine", both)).status, 200)
        assert.strictEqual(served.primary.requests.at(-1)!.headers["x-api-key"], theirs)
        // The fallback is another company.
        assert.include(served.backup.requests.at(-1)!.headers["authorization"], secrets.OPENAI_API_KEY)
        assert.strictEqual((yield* ask("claude", both)).status, 200)
        assert.strictEqual(served.primary.requests.at(-1)!.headers["x-api-key"], secrets.ANTHROPIC_API_KEY)
        // A virtual key is no credential of a provider's.
        assert.strictEqual((yield* ask("mine", { "x-api-key": alice })).status, 401)
      })))
})

describe("laws", () => {
  it("a pattern matches what begins and ends like it, and gives back what is between", () => {
    const word = fc.string({ maxLength: 12 }).map((text) => text.replaceAll("*", ""))
    fc.assert(fc.property(word, word, word, (before, between, after) => {
      assert.strictEqual(matched(`${before}*${after}`, `${before}${between}${after}`), between)
      const plain = `${before}${between}`
      assert.strictEqual(matched(plain, `${before}${between}${after}`), after === "" ? "" : undefined)
    }))
  })

  it("a store keeps to its bounds, gives each client its own, and forgets", () => {
    const step = fc.record({
      client: fc.constantFrom("a", "b"),
      id: fc.constantFrom("r1", "r2", "r3", "r4"),
      size: fc.nat(40),
      at: fc.nat(5)
    })
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const stored = new Stored({ count: 3, bytes: 600, millis: 20 })
      let now = 0
      for (const { at, client, id, size } of steps) {
        now += at
        stored.keep(client, [{ text: "x".repeat(size), client }], { id, output: [] }, now)
        assert.isAtMost(stored.size, 3)
        for (const reader of ["a", "b"]) {
          const found = stored.get(reader, id, now)
          if (found !== undefined) assert.strictEqual(found.items[0]!["client"], reader)
        }
        assert.isUndefined(stored.get(client, id, now + 20))
      }
    }))
  })

  it.live("the hash of a key is its SHA-256", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Gateway.hash(alice), hashed(alice))
    }))
})
