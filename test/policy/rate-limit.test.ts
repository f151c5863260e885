import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { LlmError } from "../../src/LlmError.ts"
import { LlmResponse, type RateLimits, type Usage } from "../../src/LlmResponse.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import { inputTokens } from "../../src/model/estimate.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import { TokenBuckets } from "../../src/policy/rateLimit/buckets.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const hello = { prompt: "Hello" }

/** A service behind the policy, and the milliseconds at which its requests were sent. */
const make = (
  answers: NonNullable<TestLlm.Options["answers"]>,
  options?: RateLimit.Options
) =>
  Effect.gen(function*() {
    const sentAt: Array<number> = []
    const { control, service } = TestLlm.make({ answers })
    const timed = {
      ...service,
      generate: (request: typeof hello) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          sentAt.push(now)
          return service.generate(request)
        }),
      stream: (request: typeof hello) =>
        Stream.unwrap(Effect.map(Clock.currentTimeMillis, (now) => {
          sentAt.push(now)
          return service.stream(request)
        }))
    } as typeof service
    return { control, sentAt, service: yield* RateLimit.policy(options).wrap(timed) }
  })

const start = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.tap(Effect.forkChild(effect, { startImmediately: true }), () => TestClock.adjust(0))

const waitOf = (error: LlmError): number => {
  assert.strictEqual(error.reason._tag, "RateLimit")
  return error.retryAfter === undefined ? -1 : Duration.toMillis(error.retryAfter)
}

const answer = (usage: Usage, rateLimits?: RateLimits) =>
  new LlmResponse({
    parts: [{ type: "text", text: "Hi!" }],
    finishReason: "stop",
    usage,
    model: "m",
    provider: "test",
    rateLimits,
    warnings: []
  })

const used = (input: number, output: number) => answer({ input: { total: input }, output: { total: output } })

/** Reserves these tokens, whatever the request. */
const estimate = (input: number, output: number) => () => ({ input, output })

describe("RateLimit.policy", () => {
  it.effect("sends a minute's requests at once and the others evenly, in the order they came", () =>
    Effect.gen(function*() {
      const { control, sentAt, service } = yield* make(() => "Hi!", { requestsPerMinute: 6, maxWait: "1 minute" })
      const calls = yield* start(Effect.forEach(
        ["a", "b", "c", "d", "e", "f", "g", "h", "i"],
        (prompt) => service.generate({ prompt }),
        { concurrency: "unbounded" }
      ))
      assert.strictEqual(control.started, 6)
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual(control.started, 6)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(control.started, 7)
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(calls)
      assert.deepStrictEqual(sentAt.slice(6), [10_000, 20_000, 30_000])
      assert.strictEqual(control.requests.map(({ prompt }) => prompt).join(""), "abcdefghi")
    }))

  it.effect("fails with RateLimit and the wait when that is longer than maxWait, without sending or taking anything", () =>
    Effect.gen(function*() {
      const { control, sentAt, service } = yield* make(() => "Hi!", { requestsPerMinute: 2, maxWait: "30 seconds" })
      yield* service.generate(hello)
      yield* service.generate(hello)
      const third = yield* start(service.generate(hello))
      const error = yield* Effect.flip(service.generate({ ...hello, label: "fourth" }))
      assert.strictEqual(waitOf(error), 60_000)
      assert.isTrue(error.isRetryable)
      assert.deepStrictEqual([error.attempts, error.label], [0, "fourth"])
      assert.isTrue(error.reason._tag === "RateLimit" && error.reason.status === undefined)
      assert.strictEqual(
        error.message,
        "test/test-model: RateLimit: The rate limit of test/test-model asks for a wait of 1m, longer than 30s."
      )
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(third)
      yield* TestClock.adjust("30 seconds")
      yield* service.generate(hello)
      assert.deepStrictEqual(sentAt, [0, 0, 30_000, 60_000])
      assert.strictEqual(control.started, 4)
    }))

  it.effect("reserves tokens from the estimate and settles them from the usage", () =>
    Effect.gen(function*() {
      const { sentAt, service } = yield* make([used(100, 50), used(100, 850), "Hi!"], {
        tokensPerMinute: 1000,
        estimate: estimate(100, 500)
      })
      yield* service.generate(hello)
      // 850 of 1000 are left, of which 600 are taken and 950 used: 100 below zero.
      yield* service.generate(hello)
      const third = yield* start(service.generate(hello))
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(sentAt.length, 2)
      assert.strictEqual(waitOf(yield* Effect.flip(Fiber.join(third))), 42_000)
      yield* TestClock.adjust("12 seconds")
      yield* service.generate(hello)
      assert.strictEqual(sentAt[2], 42_000)
    }))

  it.effect("gives back what a stream did not use at its last event", () =>
    Effect.gen(function*() {
      const { service } = yield* make([TestLlm.paced(10, used(10, 10)), "Hi!"], {
        tokensPerMinute: 1000,
        estimate: estimate(500, 500),
        maxWait: 0
      })
      const stream = yield* start(Stream.runDrain(service.stream(hello)))
      assert.isAbove(waitOf(yield* Effect.flip(service.generate(hello))), 0)
      yield* TestClock.adjust(1000)
      yield* Fiber.join(stream)
      yield* TestClock.adjust(200)
      assert.strictEqual((yield* service.generate(hello)).text, "Hi!")
    }))

  it.effect("keeps limits of input and output tokens apart, and does not count cache reads as input", () =>
    Effect.gen(function*() {
      const cached = answer({ input: { total: 900, cacheRead: 900 }, output: { total: 100 } })
      const { service } = yield* make(() => cached, {
        inputTokensPerMinute: 1000,
        outputTokensPerMinute: 300,
        estimate: estimate(1000, 100),
        maxWait: 0
      })
      yield* service.generate(hello)
      yield* service.generate(hello)
      yield* service.generate(hello)
      assert.strictEqual(waitOf(yield* Effect.flip(service.generate(hello))), 20_000)
    }))

  it.effect("lets a request that is larger than the whole limit through once the bucket is full", () =>
    Effect.gen(function*() {
      const { sentAt, service } = yield* make(() => used(2000, 0), {
        tokensPerMinute: 1000,
        estimate: estimate(2000, 0),
        maxWait: "5 minutes"
      })
      yield* service.generate(hello)
      const second = yield* start(service.generate(hello))
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(second)
      assert.deepStrictEqual(sentAt, [0, 120_000])
    }))

  it.effect("gives everything back when the wait is interrupted", () =>
    Effect.gen(function*() {
      const { control, sentAt, service } = yield* make(() => "Hi!", { requestsPerMinute: 1, maxWait: "1 minute" })
      yield* service.generate(hello)
      yield* Fiber.interrupt(yield* start(service.generate(hello)))
      yield* Fiber.interrupt(yield* start(Stream.runDrain(service.stream(hello))))
      const next = yield* start(service.generate(hello))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(next)
      assert.deepStrictEqual(sentAt, [0, 60_000])
      assert.strictEqual(control.started, 2)
    }))

  const fates = {
    "the whole estimate when a call fails before any output": [TestLlm.overloaded(), 1000],
    "the output when a stream breaks": [TestLlm.cutAfter(3, "Hello there"), 400],
    "the output when a call is interrupted": [TestLlm.never, 400]
  } as const
  for (const [name, [given, back]] of Object.entries(fates)) {
    it.effect(`gives back ${name}`, () =>
      Effect.gen(function*() {
        const { service } = yield* make([given, given], {
          tokensPerMinute: 1000,
          estimate: estimate(600, 400),
          maxWait: 0
        })
        const call = Effect.exit(Effect.timeoutOption(Stream.runDrain(service.stream(hello)), 6))
        yield* start(call)
        yield* TestClock.adjust(6)
        // Six milliseconds refill a tenth of a token.
        const wait = Math.ceil((1000 - back) * 60 - 6)
        const next = yield* Effect.exit(service.generate(hello))
        const error = yield* Effect.flip(next)
        assert.strictEqual(error.attempts === 0 ? waitOf(error) : 0, Math.max(0, wait))
      }))
  }

  it.effect("sends nothing after a 429 until its delay has passed", () =>
    Effect.gen(function*() {
      const { sentAt, service } = yield* make(
        [TestLlm.delayed("5 seconds", TestLlm.rateLimit({ retryAfter: "20 seconds" })), "Hi!", "Ho!"]
      )
      const first = yield* start(Effect.flip(service.generate(hello)))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(first)).attempts, 1)
      const calls = yield* start(Effect.all([service.generate(hello), service.generate(hello)], { concurrency: 2 }))
      yield* TestClock.adjust("19999 millis")
      assert.strictEqual(sentAt.length, 1)
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(calls)
      assert.deepStrictEqual(sentAt, [0, 25_000, 25_000])
    }))

  for (const [maxWait, sent] of [["90 seconds", [0, 85_000]], ["70 seconds", [0]]] as const) {
    it.effect(`holds back calls that waited already when a 429 comes, for ${maxWait} in all`, () =>
      Effect.gen(function*() {
        const { sentAt, service } = yield* make(
          [TestLlm.delayed("5 seconds", TestLlm.rateLimit({ retryAfter: "80 seconds" })), "Hi!"],
          { requestsPerMinute: 1, maxWait }
        )
        yield* start(Effect.exit(service.generate(hello)))
        const waiting = yield* start(Effect.exit(service.generate(hello)))
        yield* TestClock.adjust("1 minute")
        if (sent.length === 1) assert.strictEqual(waitOf(yield* Effect.flip(yield* Fiber.join(waiting))), 25_000)
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(waiting)
        assert.deepStrictEqual(sentAt, [...sent])
      }))
  }

  it.effect("believes a provider's delay up to an hour", () =>
    Effect.gen(function*() {
      const { service } = yield* make([TestLlm.rateLimit({ retryAfter: "114 hours" })])
      yield* Effect.exit(service.generate(hello))
      assert.strictEqual(waitOf(yield* Effect.flip(service.generate(hello))), 3_600_000)
    }))

  it.effect("learns from headers alone: what remains, and how fast it comes back", () =>
    Effect.gen(function*() {
      const usage = { input: {}, output: {} }
      const { sentAt, service } = yield* make([
        answer(usage, { requests: { limit: 60, remaining: 0, resetMillis: 60_000 } }),
        answer(usage, { requests: { limit: 60, remaining: 59, resetMillis: 1000 } }),
        answer(usage, { requests: { remaining: 0, resetMillis: 4000 } }),
        "Hi!"
      ])
      const calls = yield* start(Effect.replicateEffect(service.generate(hello), 4))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(calls)
      // One request per second comes back; then 59 are there; then only the end of the window is known.
      assert.deepStrictEqual(sentAt, [0, 1000, 1000, 5000])
    }))

  it.effect("waits as long as the headers say when nothing remains", () =>
    Effect.gen(function*() {
      const usage = { input: {}, output: {} }
      const bucket = yield* make(() => answer(usage, { requests: { limit: 60, remaining: 0, resetMillis: 60_000 } }), {
        maxWait: 0
      })
      yield* bucket.service.generate(hello)
      assert.strictEqual(waitOf(yield* Effect.flip(bucket.service.generate(hello))), 1000)
      const window = yield* make(() => answer(usage, { tokens: { remaining: 5, resetMillis: 7000 } }), { maxWait: 0 })
      yield* window.service.generate(hello)
      assert.strictEqual(waitOf(yield* Effect.flip(window.service.generate(hello))), 7000)
      yield* TestClock.adjust(7000)
      yield* window.service.generate(hello)
    }))

  it.effect("lowers its own buckets to what the headers say remains, as others may use the same account", () =>
    Effect.gen(function*() {
      const { service } = yield* make(
        () => answer({ input: {}, output: {} }, { requests: { remaining: 1 } }),
        { requestsPerMinute: 60, maxWait: 0 }
      )
      yield* service.generate(hello)
      yield* service.generate(hello)
      assert.strictEqual(waitOf(yield* Effect.flip(service.generate(hello))), 1000)
      const ignoring = yield* make(() => answer({ input: {}, output: {} }, { requests: { remaining: 0 } }), {
        requestsPerMinute: 60,
        maxWait: 0,
        learn: false
      })
      for (let i = 0; i < 60; i++) yield* ignoring.service.generate(hello)
      assert.strictEqual(waitOf(yield* Effect.flip(ignoring.service.generate(hello))), 1000)
    }))

  it.effect("keeps limits per provider and model, or per key of your own", () =>
    Effect.gen(function*() {
      const { service } = yield* make(() => "Hi!", { requestsPerMinute: 1, maxWait: 0 })
      yield* service.generate({ ...hello, model: "a" })
      yield* service.generate({ ...hello, model: "b" })
      assert.strictEqual(waitOf(yield* Effect.flip(service.generate({ ...hello, model: "a" }))), 60_000)
      const tenants = yield* make(() => "Hi!", {
        requestsPerMinute: 1,
        maxWait: 0,
        key: ({ scope }) => scope?.userId ?? "nobody"
      })
      yield* tenants.service.generate({ ...hello, scope: { userId: "a" } })
      yield* tenants.service.generate({ ...hello, scope: { userId: "b" } })
      assert.strictEqual(
        waitOf(yield* Effect.flip(tenants.service.generate({ ...hello, scope: { userId: "b" } }))),
        60_000
      )
    }))

  it.effect("shares limits between policies that share a store", () =>
    Effect.gen(function*() {
      const policy = RateLimit.policy({
        store: RateLimit.storeShared,
        requestsPerMinute: 1,
        maxWait: 0,
        key: "account"
      })
      const [first, second] = yield* Effect.all([
        policy.wrap(TestLlm.make({ answers: ["Hi!"] }).service),
        policy.wrap(TestLlm.make({ answers: ["Hi!"] }).service)
      ])
      yield* first.generate(hello)
      assert.strictEqual(waitOf(yield* Effect.flip(second.generate(hello))), 60_000)
    }).pipe(Effect.provide(RateLimit.storeMemory)))

  it.effect("goes on with buckets of its own when the shared store fails or hangs, or fails when told so", () =>
    Effect.gen(function*() {
      for (const broken of [Effect.never, new RateLimit.StoreError({ message: "gone" })]) {
        const store = Layer.succeed(RateLimit.Store, { reserve: () => broken, settle: () => broken })
        const open = yield* RateLimit.policy({ store, requestsPerMinute: 1, maxWait: 0 }).wrap(
          TestLlm.make({ answers: () => "Hi!" }).service
        )
        const closed = yield* RateLimit.policy({ store, requestsPerMinute: 1, onStoreError: "fail" }).wrap(
          TestLlm.make({ answers: () => "Hi!" }).service
        )
        const opened = yield* start(open.generate(hello))
        const rejected = yield* start(Effect.flip(closed.generate(hello)))
        yield* TestClock.adjust("500 millis")
        assert.strictEqual((yield* Fiber.join(opened)).text, "Hi!")
        assert.strictEqual(waitOf(yield* Fiber.join(rejected)), -1)
        // While the store rests nobody waits for it.
        assert.isAbove(waitOf(yield* Effect.flip(open.generate(hello))), 50_000)
        yield* TestClock.adjust("1 minute")
      }
    }).pipe(Effect.scoped))

  it.effect("reports waits and rejections", () =>
    Effect.gen(function*() {
      const { service } = yield* make(() => "Hi!", { requestsPerMinute: 2 })
      yield* start(Effect.replicateEffect(service.generate(hello), 3))
      yield* start(Effect.exit(service.generate(hello)))
      yield* TestClock.adjust("30 seconds")
      const attributes = { provider: "test" }
      assert.strictEqual((yield* Metric.value(Metric.withAttributes(RateLimit.waitTime, attributes))).sum, 30)
      assert.strictEqual((yield* Metric.value(Metric.withAttributes(RateLimit.rejections, attributes))).count, 1)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it("settles every reservation, whatever becomes of the calls", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.integer({ min: 0, max: 3000 }),
            lasts: fc.integer({ min: 0, max: 500 }),
            fate: fc.constantFrom("finish", "fail", "cut", "interrupt", "abandon"),
            streamed: fc.boolean()
          }),
          { minLength: 1, maxLength: 20 }
        ),
        (script) =>
          Effect.gen(function*() {
            let reserved = 0
            let settled = 0
            const buckets = new TokenBuckets()
            const now = Clock.currentTimeMillis
            const store = Layer.succeed(RateLimit.Store, {
              reserve: (options) =>
                Effect.map(now, (now) => {
                  const reservation = buckets.reserve(options, now)
                  if (reservation.granted && options.amounts.requests !== undefined) reserved++
                  return reservation
                }),
              settle: (options) =>
                Effect.map(now, (now) => {
                  settled++
                  buckets.settle(options, now)
                })
            })
            const { control, service } = TestLlm.make({
              answers: (request) => {
                const { fate, lasts } = script[Number(request.prompt)]!
                return TestLlm.delayed(
                  lasts,
                  fate === "fail"
                    ? TestLlm.overloaded()
                    : fate === "cut"
                    ? TestLlm.cutAfter(3, "Hello there")
                    : "Hello there"
                )
              }
            })
            const limited = yield* RateLimit.policy({
              store,
              requestsPerMinute: 300,
              tokensPerMinute: 6000,
              estimate: estimate(100, 100),
              maxWait: "2 seconds"
            }).wrap(service)
            const fibers = yield* Effect.forEach(script, ({ at, fate, lasts, streamed }, index) => {
              const request = { prompt: String(index) }
              const call: Effect.Effect<unknown, unknown> = fate === "abandon"
                ? Stream.runDrain(Stream.take(limited.stream(request), 2))
                : streamed
                ? Stream.runDrain(limited.stream(request))
                : limited.generate(request)
              const cut = fate === "interrupt" ? Effect.timeoutOption(call, Math.max(1, lasts - 1)) : call
              return Effect.forkChild(Effect.andThen(Effect.sleep(at), Effect.exit(cut)))
            })
            yield* TestClock.adjust("1 minute")
            const exits = yield* Effect.forEach(fibers, (fiber) => Fiber.join(fiber))
            assert.isTrue(exits.every((exit) => Exit.isSuccess(exit) || !Exit.hasDies(exit)))
            assert.strictEqual(control.running, 0)
            assert.strictEqual(settled, reserved)
          }).pipe(Effect.provide(TestClock.layer()), Effect.scoped, Effect.runPromise)
      ),
      { numRuns: 50 }
    ))
})

describe("TokenBuckets", () => {
  const take = (buckets: TokenBuckets, now: number, amount: number, key = "k", limit = 60) =>
    buckets.reserve({ key, amounts: { requests: amount }, limits: { requests: limit }, maxWaitMillis: 1e9 }, now)

  it("never gives more than a full bucket and what came back since", () =>
    fc.assert(fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 20 })), { maxLength: 60 }),
      (steps) => {
        const buckets = new TokenBuckets()
        const sent: Array<readonly [at: number, amount: number]> = []
        let now = 0
        for (const [passed, amount] of steps) {
          now += passed
          sent.push([now + take(buckets, now, amount).waitMillis, amount])
        }
        for (const [from] of sent) {
          for (const [until] of sent) {
            if (until < from) continue
            const total = sent.reduce((sum, [at, amount]) => at >= from && at <= until ? sum + amount : sum, 0)
            assert.isAtMost(total, 60 + (until - from) / 1000 + 1e-6)
          }
        }
      }
    )))

  it("is as it was before when a reservation goes back whole", () =>
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 30 }), (amounts) => {
      const buckets = new TokenBuckets()
      for (const amount of amounts) take(buckets, 0, amount)
      for (const amount of amounts) {
        buckets.settle({ key: "k", limits: { requests: 60 }, back: { requests: amount } }, 0)
      }
      assert.strictEqual(take(buckets, 0, 60).waitMillis, 0)
      assert.strictEqual(take(buckets, 0, 1).waitMillis, 1000)
    })))

  it("forgets keys whose buckets are full again", () => {
    const buckets = new TokenBuckets()
    for (let i = 0; i < 1000; i++) take(buckets, i, 1, `key ${i}`)
    assert.strictEqual(buckets.size, 1000)
    take(buckets, 200_000, 1, "another")
    assert.strictEqual(buckets.size, 1)
  })

  it("remembers a key that is paused", () => {
    const buckets = new TokenBuckets()
    buckets.settle({ key: "k", limits: {}, back: {}, pauseMillis: 500_000 }, 0)
    take(buckets, 200_000, 1, "another")
    assert.strictEqual(take(buckets, 200_000, 1).waitMillis, 300_000)
  })
})

describe("the estimate", () => {
  it("counts a quarter of the characters of texts, tools and schemas, and a flat amount per file", () => {
    const image = { type: "image", source: { type: "url", url: "https://example.com/a.png" } } as const
    assert.strictEqual(inputTokens({ prompt: "x".repeat(400) }), 100)
    assert.strictEqual(inputTokens({ system: "x".repeat(40), messages: [Message.user([image])] }), 1010)
    const tool = LlmTool.make("f".repeat(8), { description: "d".repeat(8), parameters: { type: "object" } })
    assert.strictEqual(inputTokens({ prompt: "", tools: [tool] }), 9)
  })

  it.effect("takes maxTokens for the output, and 1024 without", () =>
    Effect.gen(function*() {
      const { service } = yield* make(() => "Hi!", { tokensPerMinute: 60_000, maxWait: 0, learn: false })
      const never = yield* make([TestLlm.never, TestLlm.never], { outputTokensPerMinute: 1024, maxWait: 0 })
      yield* start(never.service.generate({ ...hello, maxTokens: 24 }))
      assert.strictEqual(waitOf(yield* Effect.flip(never.service.generate(hello))), Math.ceil(24 * 60_000 / 1024))
      yield* service.generate(hello)
    }))
})
