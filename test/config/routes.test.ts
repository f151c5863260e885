// Routes of a registry: nested, shared, and exchanged while their stacks keep what they know.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { LlmConfig, type LlmError, Registry } from "../../src/index.ts"
import { instanceOf, redacted } from "./world.ts"

const prices = { "openai-compatible/m": { input: 100_000, output: 100_000 } }
const brief = { prompt: "Hi", maxTokens: 5 }

const answer = {
  id: "1",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
}

/** A client that notes who was asked; hosts in `down` refuse. */
const hosts = (asked: Array<string>, down: ReadonlySet<string> = new Set()) =>
  HttpClient.make((request, url) =>
    Effect.sync(() => {
      const host = url.hostname[0]!
      asked.push(host)
      const status = down.has(host) ? 503 : 200
      return HttpClientResponse.fromWeb(
        request,
        new Response(JSON.stringify(status === 200 ? answer : { error: { message: "down" } }), {
          status,
          headers: { "content-type": "application/json" }
        })
      )
    })
  )

const registryOf = (config: unknown, asked: Array<string>, down?: ReadonlySet<string>) =>
  Effect.flatMap(LlmConfig.decode(config), (decoded) => Registry.make(decoded)).pipe(
    Effect.provideService(HttpClient.HttpClient, hosts(asked, down))
  )

const tag = <A>(call: Effect.Effect<A, LlmError.LlmError>) =>
  Effect.match(call, { onFailure: ({ reason }) => reason._tag as string, onSuccess: () => "ok" })

const instances = { a: instanceOf("a"), b: instanceOf("b"), c: instanceOf("c") }

describe("routes", () => {
  it.effect("are names like instances, may be the default, and may be candidates of routes", () =>
    Effect.scoped(Effect.gen(function*() {
      const asked: Array<string> = []
      const registry = yield* registryOf(
        {
          default: "outer",
          instances,
          routes: {
            outer: { candidates: ["inner", "c"] },
            inner: { candidates: ["a", "b"], balance: { strategy: "round-robin" } }
          }
        },
        asked,
        new Set(["a", "b"])
      )
      assert.deepStrictEqual([...yield* registry.names].toSorted(), ["a", "b", "c", "inner", "outer"])
      assert.strictEqual((yield* registry.default.generate(brief)).label, "c")
      assert.deepStrictEqual(asked, ["a", "b", "c"])
      const error = yield* Effect.flip((yield* registry.get("inner")).generate(brief))
      assert.strictEqual(error.reason._tag, "FallbackExhausted")
    })))

  it.effect("share an instance with its limit", () =>
    Effect.scoped(Effect.gen(function*() {
      const limit = { rateLimit: { requestsPerMinute: 1, maxWait: "1 milli" } }
      const registry = yield* registryOf(
        {
          default: "one",
          instances: { a: instanceOf("a", limit) },
          routes: { one: { candidates: ["a"] }, two: { candidates: ["a"] } }
        },
        []
      )
      assert.strictEqual(yield* tag(registry.default.generate(brief)), "ok")
      assert.strictEqual(yield* tag((yield* registry.get("two")).generate(brief)), "RateLimit")
    })))

  it.effect("keep what their stack knows when what they choose between is exchanged", () =>
    Effect.scoped(Effect.gen(function*() {
      const asked: Array<string> = []
      const configOf = (a: object, route: object) => ({
        default: "paid",
        instances: { ...instances, a: instanceOf("a", a) },
        routes: { paid: { candidates: ["a"], budget: { limit: 4, prices }, ...route } }
      })
      const update = (a: object, route: object) =>
        Effect.flatMap(LlmConfig.decode(configOf(a, route)), (config) => registry.update(config))
      const registry = yield* registryOf(configOf({}, {}), asked)
      const paid = yield* registry.get("paid")
      // $1.50 each: two fit into $4.
      assert.strictEqual(yield* tag(paid.generate(brief)), "ok")
      yield* update({ defaults: { temperature: 1 } }, {})
      assert.strictEqual(yield* tag(paid.generate(brief)), "ok")
      yield* update({}, { candidates: ["b", "c"] })
      assert.strictEqual(yield* tag(paid.generate({ ...brief, maxTokens: 20 })), "BudgetExceeded")
      assert.deepStrictEqual(asked, ["a", "a"])
      // Another budget is another stack.
      yield* update({}, { candidates: ["b", "c"], budget: { limit: 5, prices } })
      assert.strictEqual(yield* tag(paid.generate(brief)), "ok")
      assert.deepStrictEqual(asked, ["a", "a", "b"])
    })))

  it.effect("that cannot be built change nothing", () =>
    Effect.scoped(Effect.gen(function*() {
      const asked: Array<string> = []
      const registry = yield* registryOf({ default: "r", instances, routes: { r: { candidates: ["a"] } } }, asked)
      const config = yield* LlmConfig.decode({
        default: "r",
        instances: { ...instances, d: { provider: "groq" } },
        routes: { r: { candidates: ["b", "d"] } }
      })
      const error = yield* Effect.flip(registry.update(config))
      assert.include(error.message, "instances.d: No API key for Groq")
      yield* registry.default.generate(brief)
      assert.deepStrictEqual(asked, ["a"])
    })))

  it.effect("are known by name where a name is misspelt", () =>
    Effect.scoped(Effect.gen(function*() {
      const registry = yield* registryOf({ default: "chat", instances, routes: { chat: { candidates: ["a"] } } }, [])
      assert.include((yield* Effect.flip(registry.get("chta"))).message, "Did you mean \"chat\"?")
    })))

  it.effect("take keys that code gives, and what is the same is not exchanged", () =>
    Effect.scoped(Effect.gen(function*() {
      const config = (key: string) =>
        LlmConfig.decode({
          default: "a",
          instances: {
            a: instanceOf("a", { apiKey: redacted(key), rateLimit: { requestsPerMinute: 1, maxWait: "1 milli" } })
          }
        })
      const registry = yield* registryOf(yield* config("one"), [])
      assert.strictEqual(yield* tag(registry.default.generate(brief)), "ok")
      yield* registry.update(yield* config("one"))
      assert.strictEqual(yield* tag(registry.default.generate(brief)), "RateLimit")
      yield* registry.update(yield* config("two"))
      assert.strictEqual(yield* tag(registry.default.generate(brief)), "ok")
    })))
})
