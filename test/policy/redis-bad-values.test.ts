import { NodeRedis } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Redis } from "effect/persistence/Redis"
import type { Scope } from "effect/Scope"
import { afterAll } from "vitest"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as Budget from "../../src/policy/Budget.ts"
import * as Cache from "../../src/policy/Cache.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import type * as Policy from "../../src/policy/Policy.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"
import { freshPrefix } from "./redis-processes.ts"
import { findServer } from "./redis-server.ts"

const server = await findServer()
afterAll(() => server?.stop())

type Of = (prefix: string) => Policy.Policy<LlmError, Redis | Scope>

const tenant = (request: LlmRequest) => request.scope?.userId ?? ""

/** Each with a word that its keys have in common, and the type that they have. */
const policies: { readonly [name: string]: { readonly of: Of; readonly type: string } } = {
  RateLimit: {
    type: "string",
    of: (prefix) => RateLimit.policy({ requestsPerMinute: 100, key: tenant, store: RateLimit.storeRedis({ prefix }) })
  },
  Budget: {
    type: "hash",
    of: (prefix) =>
      Budget.policy({
        limit: 1,
        scope: "user",
        prices: { "test/test-1": { input: 1, output: 1 } },
        unknownPrice: "allow",
        store: Budget.storeRedis({ prefix })
      })
  },
  CircuitBreaker: {
    type: "hash",
    of: (prefix) => CircuitBreaker.policy({ key: tenant, store: CircuitBreaker.storeRedis({ prefix }) })
  },
  Cache: {
    type: "string",
    of: (prefix) => Cache.policy({ partition: tenant, version: prefix, store: Cache.storeRedis })
  }
}

const bad: { readonly [name: string]: (key: string) => readonly [string, ...Array<string>] } = {
  "a list": (key) => ["RPUSH", key, "1"],
  "a set": (key) => ["SADD", key, "1"],
  "a text that is no JSON": (key) => ["SET", key, "{\"at\":"],
  "JSON of another form": (key) => ["SET", key, "{\"at\":\"now\",\"levels\":[],\"seen\":7}"],
  "a hash of another form": (key) => ["HSET", key, "spent", "much", "reserved", "1.5", "state", "Ajar"]
}

describe.skipIf(server === undefined)("A bad value in Redis", () => {
  for (const [name, { of, type }] of Object.entries(policies)) {
    for (const [what, command] of Object.entries(bad)) {
      it.live(`is nothing to ${name}, and is replaced: ${what}`, () =>
        Effect.gen(function*() {
          const redis = yield* Redis
          const prefix = freshPrefix()
          const { service } = TestLlm.make({ answers: () => "Hello" })
          const wrapped = yield* of(prefix).wrap(service)
          const all = name === "Cache" ? "*" : `${prefix}*`
          const keys = Effect.map(redis.send<Array<string>>("KEYS", all), (found) => new Set(found))
          const call = (userId: string) => wrapped.generate({ prompt: "Hello", scope: { userId } })

          const before = yield* keys
          yield* call("noisy")
          const written = [...yield* keys].filter((key) => !before.has(key))
          assert.isNotEmpty(written)
          for (const key of written) {
            yield* redis.send("DEL", key)
            yield* redis.send(...command(key))
          }
          const known = yield* keys
          yield* call("noisy")
          // The store is not left alone meanwhile: another tenant has its key there.
          yield* call("quiet")
          assert.isAbove([...yield* keys].filter((key) => !known.has(key)).length, 0)
          const main = written.find((key) => !key.endsWith(":leases"))!
          assert.strictEqual(yield* redis.send("TYPE", main), type)
          if (type === "string") {
            assert.isObject(JSON.parse(yield* redis.send<string>("GET", main)))
          }
          if (name === "Cache") assert.isTrue(Cache.isHit(yield* call("noisy")))
        }).pipe(Effect.scoped, Effect.provide(NodeRedis.layer({ url: server?.url ?? "" }))))
    }
  }
})
