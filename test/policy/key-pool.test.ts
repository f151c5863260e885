import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { LlmError } from "../../src/LlmError.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello = { prompt: "Hello" }

const key = (name: string, weight?: number): KeyPool.Key => ({
  apiKey: Redacted.make(`sk-secret-${name}`),
  ...(weight === undefined ? undefined : { weight })
})

/** A provider that answers by key, and the pool in front of it. */
const make = (
  answer: (key: string, index: number) => TestLlm.Answer,
  options: KeyPool.Options
) =>
  Effect.gen(function*() {
    const { control, service } = TestLlm.make({
      answers: ({ apiKey }, { index }) =>
        answer(apiKey === undefined ? "" : Redacted.value(apiKey).slice("sk-secret-".length), index)
    })
    const keys = () =>
      control.requests.map(({ apiKey }) => apiKey === undefined ? "" : Redacted.value(apiKey).at(-1)).join("")
    return { control, keys, service: yield* KeyPool.policy(options).wrap(service) }
  })

const retryAfter = (error: LlmError): number | undefined =>
  error.retryAfter === undefined ? undefined : Duration.toMillis(error.retryAfter)

describe("KeyPool.policy", () => {
  it.effect("rotates over the keys by weight", () =>
    Effect.gen(function*() {
      const { keys, service } = yield* make(() => "Hi!", { keys: [key("a", 2), key("b"), key("c", 0)] })
      yield* Effect.replicateEffect(service.generate(hello), 6)
      assert.strictEqual(keys(), "abaaba")
    }))

  it.effect("rotates evenly without weights, for streams too", () =>
    Effect.gen(function*() {
      const { keys, service } = yield* make(() => "Hi!", { keys: [key("a"), key("b"), key("c")] })
      for (let i = 0; i < 6; i++) yield* Stream.runDrain(service.stream(hello))
      assert.strictEqual(keys(), "abcabc")
    }))

  const fatal = {
    Authentication: TestLlm.authentication(),
    PermissionDenied: TestLlm.permissionDenied(),
    QuotaExhausted: TestLlm.quotaExhausted()
  }
  for (const [tag, reason] of Object.entries(fatal)) {
    it.effect(`never uses a key again after ${tag}, and the call goes on with the next`, () =>
      Effect.gen(function*() {
        const { keys, service } = yield* make((key) => key === "a" ? reason : "Hi!", { keys: [key("a"), key("b")] })
        const response = yield* service.generate(hello)
        assert.deepStrictEqual(response.priorAttempts?.map(({ reason }) => reason), [tag])
        yield* TestClock.adjust("10 days")
        yield* Effect.replicateEffect(service.generate(hello), 3)
        assert.strictEqual(keys(), "abbbb")
      }))
  }

  it.effect("benches a limited key for the provider's delay, else for 30 seconds", () =>
    Effect.gen(function*() {
      const limits: Record<string, TestLlm.Answer> = {
        a: TestLlm.rateLimit({ retryAfter: "5 seconds" }),
        b: TestLlm.rateLimit()
      }
      const { keys, service } = yield* make((key, index) => index < 2 ? limits[key]! : "Hi!", {
        keys: [key("a"), key("b"), key("c")]
      })
      yield* service.generate(hello)
      assert.strictEqual(keys(), "abc")
      yield* TestClock.adjust("4999 millis")
      yield* Effect.replicateEffect(service.generate(hello), 2)
      assert.strictEqual(keys(), "abccc")
      yield* TestClock.adjust("1 millis")
      yield* Effect.replicateEffect(service.generate(hello), 2)
      assert.sameMembers([...keys().slice(5)], ["a", "c"])
      yield* TestClock.adjust("24999 millis")
      yield* Effect.replicateEffect(service.generate(hello), 4)
      assert.notInclude(keys().slice(7), "b")
      yield* TestClock.adjust("1 millis")
      yield* Effect.replicateEffect(service.generate(hello), 3)
      assert.include(keys().slice(11), "b")
    }))

  it.effect("goes on with the next key before the first content of a stream, and shows nothing of the failed one", () =>
    Effect.gen(function*() {
      const { keys, service } = yield* make(
        (key) => key === "a" ? TestLlm.failAfter(1, "Hello there", TestLlm.rateLimit()) : "Hi!",
        { keys: [key("a"), key("b")] }
      )
      const events = yield* Stream.runCollect(service.stream(hello))
      assert.strictEqual(events.filter(({ _tag }) => _tag === "ResponseStart").length, 1)
      assert.strictEqual(keys(), "ab")
    }))

  it.effect("gives an error after the first content as it is, and still benches the key", () =>
    Effect.gen(function*() {
      const { keys, service } = yield* make(
        (key) => key === "a" ? TestLlm.failAfter(4, "Hello there", TestLlm.rateLimit()) : "Hi!",
        { keys: [key("a"), key("b")] }
      )
      const error = yield* Effect.flip(Stream.runDrain(service.stream(hello)))
      assert.strictEqual(error.reason._tag, "RateLimit")
      assert.isDefined(error.partial)
      yield* Effect.replicateEffect(service.generate(hello), 2)
      assert.strictEqual(keys(), "abb")
    }))

  it.effect("gives errors that are not the key's at once and keeps the key", () =>
    Effect.gen(function*() {
      const { keys, service } = yield* make(() => TestLlm.overloaded(), { keys: [key("a"), key("b")] })
      for (let i = 0; i < 3; i++) {
        const error = yield* Effect.flip(service.generate(hello))
        assert.strictEqual(error.reason._tag, "Overloaded")
        assert.strictEqual(error.attempts, 1)
      }
      assert.strictEqual(keys(), "aba")
    }))

  it.effect("fails with the last error when every key is dead, and then without sending anything", () =>
    Effect.gen(function*() {
      const { control, keys, service } = yield* make(
        (key) => key === "a" ? TestLlm.authentication() : TestLlm.quotaExhausted(),
        { keys: [key("a"), key("b")] }
      )
      const first = yield* Effect.flip(service.generate(hello))
      assert.deepStrictEqual([first.reason._tag, first.attempts], ["QuotaExhausted", 2])
      const second = yield* Effect.flip(service.generate({ ...hello, label: "second" }))
      assert.deepStrictEqual([second.reason._tag, second.attempts, second.label], ["QuotaExhausted", 0, "second"])
      assert.strictEqual(keys(), "ab")
      assert.strictEqual(control.started, 2)
    }))

  it.effect("says when the first key returns while some are only benched", () =>
    Effect.gen(function*() {
      const answers: Record<string, TestLlm.Answer> = {
        a: TestLlm.rateLimit({ retryAfter: "8 seconds" }),
        b: TestLlm.rateLimit({ retryAfter: "20 seconds" }),
        c: TestLlm.authentication()
      }
      const { control, service } = yield* make((key) => answers[key]!, { keys: [key("a"), key("b"), key("c")] })
      const first = yield* Effect.flip(service.generate(hello))
      assert.deepStrictEqual([first.reason._tag, retryAfter(first), first.attempts], ["RateLimit", 8000, 3])
      yield* TestClock.adjust("3 seconds")
      const second = yield* Effect.flip(service.generate(hello))
      assert.deepStrictEqual([second.reason._tag, retryAfter(second), second.attempts], ["RateLimit", 5000, 0])
      assert.isTrue(second.isRetryable)
      assert.strictEqual(control.started, 3)
    }))

  it.effect("does not show one call's partial output in the error of another", () =>
    Effect.gen(function*() {
      const { service } = yield* make(() => TestLlm.failAfter(4, "Secret words", TestLlm.authentication()), {
        keys: [key("a")]
      })
      assert.isDefined((yield* Effect.flip(Stream.runDrain(service.stream(hello)))).partial)
      const error = yield* Effect.flip(service.generate(hello))
      assert.strictEqual(error.reason._tag, "Authentication")
      assert.isUndefined(error.partial)
    }))

  it.effect("uses new credentials as soon as they are given, and gives a replaced key a new life", () =>
    Effect.gen(function*() {
      const current = yield* Ref.make([key("a")])
      const { keys, service } = yield* make((key) => key === "a" ? TestLlm.authentication() : "Hi!", {
        keys: Ref.get(current)
      })
      yield* Effect.flip(service.generate(hello))
      yield* Ref.set(current, [key("a")])
      yield* Effect.flip(service.generate(hello))
      assert.strictEqual(keys(), "a")
      yield* Ref.set(current, [key("a"), key("b")])
      yield* service.generate(hello)
      yield* Ref.set(current, [key("b")])
      yield* service.generate(hello)
      yield* Ref.set(current, [key("a")])
      yield* Effect.flip(service.generate(hello))
      assert.strictEqual(keys(), "abba")
    }))

  it.effect("fails as the credentials do, and with Configuration when there are none", () =>
    Effect.gen(function*() {
      const failure = new LlmError({
        provider: "vault",
        model: "",
        operation: "layer",
        reason: TestLlm.network(),
        attempts: 0
      })
      const broken = yield* make(() => "Hi!", { keys: Effect.fail(failure) })
      assert.strictEqual(yield* Effect.flip(broken.service.generate(hello)), failure)
      const none = yield* make(() => "Hi!", { keys: [] })
      const error = yield* Effect.flip(Stream.runDrain(none.service.stream(hello)))
      assert.strictEqual(error.message, "test/test-model: Configuration: The key pool has no key to use.")
    }))

  it.effect("leaves a request with its own key alone", () =>
    Effect.gen(function*() {
      const { keys, service } = yield* make(() => TestLlm.authentication(), { keys: [key("a")] })
      yield* Effect.flip(service.generate({ ...hello, apiKey: Redacted.make("sk-secret-a") }))
      yield* Effect.flip(Stream.runDrain(service.stream({ ...hello, apiKey: Redacted.make("sk-secret-z") })))
      yield* Effect.flip(service.generate(hello))
      assert.strictEqual(keys(), "aza")
    }))

  it.effect("gives countTokens a key without a turn", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const { service } = TestLlm.make({ answers: () => "Hi!" })
      const pool = yield* KeyPool.policy({ keys: [key("a"), key("b")] }).wrap({
        ...service,
        countTokens: (request) =>
          Effect.sync(() => {
            seen.push(Redacted.value(request.apiKey!))
            return { inputTokens: 1, estimated: false }
          })
      })
      yield* pool.countTokens(hello)
      yield* pool.countTokens(hello)
      assert.deepStrictEqual(seen, ["sk-secret-a", "sk-secret-a"])
    }))

  it.effect("believes a provider's delay up to an hour", () =>
    Effect.gen(function*() {
      const { service } = yield* make(() => TestLlm.rateLimit({ retryAfter: "114 hours" }), { keys: [key("a")] })
      assert.strictEqual(retryAfter(yield* Effect.flip(service.generate(hello))), 3_600_000)
    }))

  it.effect("leaves a key as it is when a call is interrupted", () =>
    Effect.gen(function*() {
      const { keys, service } = yield* make((_, index) => index === 0 ? TestLlm.never : "Hi!", { keys: [key("a")] })
      yield* Fiber.interrupt(yield* Effect.forkChild(service.generate(hello), { startImmediately: true }))
      yield* service.generate(hello)
      assert.strictEqual(keys(), "aa")
    }))

  it.effect("works on layers", () =>
    Effect.gen(function*() {
      const response = yield* LlmService.generate(hello)
      assert.strictEqual(response.text, "sk-secret-a")
    }).pipe(Effect.provide(
      TestLlm.layer({ answers: ({ apiKey }) => Redacted.value(apiKey!) }).pipe(KeyPool.policy({ keys: [key("a")] }))
    )))

  it.effect("names keys in metrics by a short hash, and shows them nowhere", () =>
    Effect.gen(function*() {
      const { service } = yield* make((key) => key === "a" ? TestLlm.authentication() : TestLlm.rateLimit(), {
        keys: [key("a"), key("b")]
      })
      const error = yield* Effect.flip(service.generate(hello))
      const metrics = yield* Metric.snapshot
      const pool = metrics.filter(({ id }) => id.startsWith("effect_llm.key_pool."))
      assert.deepStrictEqual(
        pool.map(({ attributes, id }) => [id, attributes?.["state"], attributes?.["error.type"]]).toSorted(),
        [
          ["effect_llm.key_pool.removals", "benched", "RateLimit"],
          ["effect_llm.key_pool.removals", "dead", "Authentication"],
          ["effect_llm.key_pool.requests", undefined, undefined],
          ["effect_llm.key_pool.requests", undefined, undefined]
        ]
      )
      const hashes = new Set(pool.map(({ attributes }) => attributes?.["key"]))
      assert.strictEqual(hashes.size, 2)
      for (const hash of hashes) assert.match(hash!, /^[0-9a-f]{8}$/)
      const everything = [
        String(error),
        error.message,
        JSON.stringify(error),
        JSON.stringify(metrics),
        String(error.stack)
      ]
      for (const text of everything) assert.notInclude(text, "sk-secret")
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it("tries each key at most once per call, never one that is out, and one that is in when there is any", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom("ok", "dead", "limit", "fail"), { minLength: 1, maxLength: 8 }), {
          minLength: 1,
          maxLength: 4
        }),
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 }),
        (scripts, waits) =>
          Effect.gen(function*() {
            const names = scripts.map((_, index) => String(index))
            const out = new Map<string, number>()
            const turns = new Map<string, number>()
            let now = 0
            let tried: Array<string> = []
            const { service } = yield* make((name) => {
              assert.isAtMost(out.get(name) ?? 0, now)
              assert.notInclude(tried, name)
              tried.push(name)
              const script = scripts[Number(name)]!
              const turn = turns.get(name) ?? 0
              turns.set(name, turn + 1)
              switch (script[turn % script.length]) {
                case "dead":
                  out.set(name, Infinity)
                  return TestLlm.authentication()
                case "limit":
                  out.set(name, now + 30_000)
                  return TestLlm.rateLimit()
                case "fail":
                  return TestLlm.serverError()
                default:
                  return "Hi!"
              }
            }, { keys: names.map((name) => key(name)) })
            for (const wait of waits) {
              tried = []
              const before = names.filter((name) => (out.get(name) ?? 0) <= now)
              const error = yield* Effect.match(service.generate(hello), {
                onSuccess: () => undefined,
                onFailure: (error) => error
              })
              if (before.length === 0) assert.strictEqual(error?.attempts, 0)
              else assert.isAbove(tried.length, 0)
              if (error !== undefined && error.reason._tag !== "Provider") {
                assert.sameMembers(tried, before)
                const back = Math.min(...names.map((name) => out.get(name) ?? 0))
                assert.strictEqual(retryAfter(error), back === Infinity ? undefined : back - now)
              }
              yield* TestClock.adjust(wait * 1000)
              now += wait * 1000
            }
          }).pipe(Effect.provide(TestClock.layer()), Effect.scoped, Effect.runPromise)
      ),
      { numRuns: 100 }
    ))
})
