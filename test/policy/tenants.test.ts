import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { TestClock } from "effect/testing"
import type { LlmError } from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Balance from "../../src/policy/Balance.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as Concurrency from "../../src/policy/Concurrency.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Hedge from "../../src/policy/Hedge.ts"
import * as KeyPool from "../../src/policy/KeyPool.ts"
import { maxKeys, PerKey, tenantOf } from "../../src/policy/perKey.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

/** Each brings a credential of its own. */
const noisy: LlmRequest = { prompt: "Hello", apiKey: Redacted.make("key-of-the-noisy-one"), label: "noisy" }
const quiet: LlmRequest = { prompt: "Hello", apiKey: Redacted.make("key-of-the-quiet-one"), label: "quiet" }

/** A provider that answers everybody but the noisy one. */
const provider = (failure: TestLlm.Answer) =>
  TestLlm.make({ provider: "p", answers: (request) => request.label === "noisy" ? failure : "Hello" })

const backup = () => TestLlm.make({ provider: "backup", answers: () => "From the backup." }).service

interface Case {
  readonly name: string
  readonly failure: TestLlm.Answer
  readonly wrap: (service: Service, key?: (request: LlmRequest) => string) => Effect.Effect<Service, LlmError>
  /** What the noisy one is made to do before. */
  readonly calls: number
}

const cases: ReadonlyArray<Case> = [
  {
    name: "Fallback benches",
    failure: TestLlm.rateLimit(),
    wrap: (service, key) => Effect.succeed(Fallback.make([service, backup()], { key })),
    calls: 3
  },
  {
    name: "Balance skips",
    failure: TestLlm.overloaded(),
    wrap: (service, key) => Effect.succeed(Balance.make([service, Balance.candidate(backup(), { tier: 1 })], { key })),
    calls: 1
  },
  {
    name: "CircuitBreaker opens",
    failure: TestLlm.overloaded(),
    wrap: (service, key) => CircuitBreaker.policy({ key }).wrap(service),
    calls: 5
  },
  {
    name: "CircuitBreaker opens for a 429",
    failure: TestLlm.rateLimit({ retryAfter: "1 hour" }),
    wrap: (service, key) => CircuitBreaker.policy({ key }).wrap(service),
    calls: 1
  },
  {
    name: "RateLimit pauses",
    failure: TestLlm.rateLimit({ retryAfter: "1 hour" }),
    wrap: (service, key) => RateLimit.policy({ requestsPerMinute: 100, maxWait: "1 second", key }).wrap(service),
    calls: 1
  },
  {
    name: "RateLimit is used up",
    failure: "Hello",
    wrap: (service, key) => RateLimit.policy({ requestsPerMinute: 2, maxWait: "1 second", key }).wrap(service),
    calls: 2
  }
]

describe("many tenants on one layer", () => {
  for (const { calls, failure, name, wrap } of cases) {
    const unharmed = (by: "credential" | "label") =>
      Effect.gen(function*() {
        const { control, service } = provider(failure)
        const wrapped = yield* wrap(service, by === "label" ? (request) => request.label ?? "" : undefined)
        const of = (request: LlmRequest) => by === "credential" ? request : { ...request, apiKey: undefined }
        for (let i = 0; i < calls; i++) yield* Effect.exit(wrapped.generate(of(noisy)))
        const before = control.started
        yield* Effect.exit(wrapped.generate(of(noisy)))
        assert.strictEqual(control.started, before, "the noisy one is held back")
        const response = yield* wrapped.generate(of(quiet))
        assert.strictEqual(response.provider, "p")
        assert.strictEqual(control.started, before + 1)
      })

    it.effect(`${name} for the one with that credential alone`, () => unharmed("credential"))
    it.effect(`${name} for the one with that key alone`, () => unharmed("label"))
  }

  it.effect("Concurrency gives each key permits and a queue of its own", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({
        answers: (request) => request.label === "noisy" ? TestLlm.delayed("10 seconds", "Late.") : "Hello"
      })
      const wrapped = yield* Concurrency.policy({
        permits: 1,
        maxQueue: 1,
        key: (request) => request.label ?? ""
      }).wrap(service)
      const fibers = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(Effect.exit(wrapped.generate(noisy)), { startImmediately: true }))
      assert.strictEqual((yield* wrapped.generate(quiet)).text, "Hello")
      yield* TestClock.adjust("20 seconds")
      const exits = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(
        exits.map((exit) =>
          exit._tag
        ),
        ["Success", "Success", "Failure"]
      )
    }))

  it.effect("KeyPool remembers by key which credentials are limited, where that is asked for", () =>
    Effect.gen(function*() {
      const { control, service } = provider(TestLlm.rateLimit())
      const wrapped = yield* KeyPool.policy({
        keys: [{ apiKey: Redacted.make("of-the-application") }],
        key: (request) => request.label ?? ""
      }).wrap(service)
      yield* Effect.exit(wrapped.generate({ ...noisy, apiKey: undefined }))
      yield* Effect.exit(wrapped.generate({ ...noisy, apiKey: undefined }))
      assert.strictEqual(control.started, 1)
      assert.strictEqual((yield* wrapped.generate({ ...quiet, apiKey: undefined })).text, "Hello")
    }))

  it.effect("Hedge measures by key, where that is asked for", () =>
    Effect.gen(function*() {
      const first = TestLlm.make({ answers: () => TestLlm.delayed("1 second", "Hello") })
      const second = TestLlm.make({ answers: () => TestLlm.delayed("1 second", "Hello") })
      const hedged = Hedge.make(first.service, second.service, { samples: 1, key: (request) => request.label ?? "" })
      const run = (request: LlmRequest) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(hedged.generate(request), { startImmediately: true })
          yield* TestClock.adjust("3 seconds")
          yield* Fiber.join(fiber)
        })
      yield* run(noisy)
      // Nothing is known of the quiet one, so nothing is sent twice.
      yield* run(quiet)
      assert.deepStrictEqual([first.control.started, second.control.started], [2, 0])
    }))
})

describe("PerKey", () => {
  it("keeps a bounded number of keys, the oldest going first, those in use never", () => {
    const made: Array<string> = []
    const states = new PerKey((key) => {
      made.push(key)
      return { key }
    }, ({ key }) => key === "in use")
    const first = states.get("in use", 0)
    for (let i = 0; i < 3 * maxKeys; i++) states.get(`tenant ${i}`, 1)
    assert.isAtMost(states.size, maxKeys + 1)
    assert.strictEqual(states.get("in use", 1), first)
    assert.strictEqual(states.get("in use", 10 * 3_600_000), first)
    const last = `tenant ${3 * maxKeys - 1}`
    const kept = states.get(last, 1)
    assert.strictEqual(states.get(last, 2), kept)
    assert.strictEqual(made.length, 3 * maxKeys + 1)
  })

  it("forgets what was idle for an hour", () => {
    const states = new PerKey(() => ({}))
    const first = states.get("a", 0)
    assert.strictEqual(states.get("a", 3_599_999), first)
    assert.notStrictEqual(states.get("a", 2 * 3_600_000), first)
    for (let i = 0; i < 100; i++) states.get(`b${i}`, 3 * 3_600_000)
    for (let i = 0; i < 100; i++) states.get(`c${i}`, 5 * 3_600_000)
    assert.isAtMost(states.size, 100)
  })
})

describe("the tenant of a request", () => {
  it("is told apart by the credentials it brings, which cannot be read from it", () => {
    const tenants = [
      tenantOf({ prompt: "x" }),
      tenantOf(noisy),
      tenantOf(quiet),
      tenantOf({ prompt: "x", providers: { a: { apiKey: Redacted.make("key-of-the-noisy-one") } } }),
      tenantOf({ prompt: "x", providers: { b: { apiKey: Redacted.make("key-of-the-noisy-one") } } })
    ]
    assert.strictEqual(new Set(tenants).size, tenants.length)
    assert.strictEqual(tenants[0], "")
    assert.match(tenants[1]!, /^[0-9a-f]{16}$/)
    assert.strictEqual(tenantOf({ ...noisy, label: undefined }), tenants[1])
    const many = new Set(
      Array.from(
        { length: 100_000 },
        (_, i) => tenantOf({ prompt: "x", apiKey: Redacted.make(`sk-proj-000000000000-${i}`) })
      )
    )
    assert.strictEqual(many.size, 100_000)
  })
})
