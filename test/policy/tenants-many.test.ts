import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { FetchHttpClient } from "effect/http"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Cache from "../../src/policy/Cache.ts"
import { maxKeys, PerKey, tenantOf } from "../../src/policy/perKey.ts"
import * as Groq from "../../src/provider/Groq.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

describe("state by key", () => {
  it("is bounded also while the oldest are in use, which are kept", () => {
    const busy = new Set(Array.from({ length: 40 }, (_, index) => `busy-${index}`))
    const states = new PerKey((key) => ({ key }), ({ key }) => busy.has(key))
    const kept = [...busy].map((key) => states.get(key, 0))
    for (let i = 0; i < 100_000; i++) states.get(`tenant-${i}`, i)
    assert.isAtMost(states.size, maxKeys + busy.size)
    assert.deepStrictEqual([...busy].map((key) => states.get(key, 100_000)), kept)
    assert.isTrue([...busy].every((key, index) => states.get(key, 100_000) === kept[index]))
  })
})

describe("the tenant of a request", () => {
  it("is another for every credential, however alike they look", () => {
    const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    const seen = new Set<string>()
    const count = 100_000
    for (let i = 0; i < count; i++) {
      const half = [1, 62, 3844, 238328].map((place) => letters[Math.floor(i * 97 / place) % 62]!).join("")
      // Mirrored, so that reading it backwards tells nothing more.
      const key = half + [...half].toReversed().join("")
      seen.add(tenantOf({ prompt: "", apiKey: Redacted.make(key) }))
    }
    assert.strictEqual(seen.size, count)
  })

  it("is told apart by credentials in headers too, and by no other header", () => {
    const of = (headers: { readonly [name: string]: string }) => tenantOf({ prompt: "", headers })
    assert.strictEqual(of({ "x-trace": "1" }), "")
    assert.notStrictEqual(of({ "cf-aig-authorization": "Bearer one" }), "")
    assert.notStrictEqual(of({ "cf-aig-authorization": "Bearer one" }), of({ "cf-aig-authorization": "Bearer two" }))
    assert.strictEqual(of({ "Helicone-Auth": "one", "x-trace": "1" }), of({ "helicone-auth": "one" }))
  })
})

describe("the response cache", () => {
  it.effect("takes an empty partition for a mistake, before anything is sent", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: () => "Hello" })
      const cached = yield* Cache.policy({ partition: (request) => request.scope?.userId ?? "" }).wrap(service)
      const error = yield* Effect.flip(cached.generate({ prompt: "Hello" }))
      assert.strictEqual(error.reason._tag, "Configuration")
      assert.strictEqual(control.started, 0)
    }))

  it.live("shares nothing between two hosts of a model, or layers that add something else", () =>
    Effect.gen(function*() {
      const one = yield* Simulator.make()
      const other = yield* Simulator.make()
      const make = (url: string, system?: string) =>
        Effect.flatMap(
          Groq.make({
            apiKey: Redacted.make("a-key-of-some-length"),
            baseUrl: `${url}/v1`,
            model: "m",
            ...(system === undefined ? undefined : { defaults: { system } })
          }),
          Cache.policy({ partition: () => "all", store: Cache.storeShared }).wrap
        )
      const services = [
        yield* make(one.url),
        yield* make(other.url),
        yield* make(one.url, "Be brief."),
        yield* make(one.url, "Be long.")
      ]
      for (const service of services) {
        assert.isFalse(Cache.isHit(yield* service.generate({ prompt: "Hello" })))
      }
      for (const service of services) assert.isTrue(Cache.isHit(yield* service.generate({ prompt: "Hello" })))
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(FetchHttpClient.layer, Cache.storeMemory()))))
})
