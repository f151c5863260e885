import { NodeRedis } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Redis } from "effect/persistence/Redis"
import * as References from "effect/References"
import * as fc from "fast-check"
import { afterAll } from "vitest"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import { TokenBuckets } from "../../src/policy/rateLimit/buckets.ts"
import * as RedisBuckets from "../../src/policy/rateLimit/redis.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"
import { count, freshPrefix, RedisTime, twoWorkers } from "./redis-processes.ts"
import { findServer, hasBinary, startServer } from "./redis-server.ts"

const server = await findServer()
afterAll(() => server?.stop())

const url = server?.url ?? ""
const hello = { prompt: "Hello" }
/** A turn of the event loop, in which answers of Redis arrive. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

// =============================================================================
// Other processes
// =============================================================================

const hour = 3_600_000

describe.skipIf(server === undefined)("Two processes on one Redis", () => {
  it("share one rate limit: together they send what one may", () =>
    twoWorkers("limit", url, async (a, b) => {
      const started = performance.now()
      const replies = await Promise.all([a.call(40), b.call(40)])
      // What came back meanwhile, in Redis's time.
      const back = (performance.now() - started) / 2000
      const sent = replies[0].sent + replies[1].sent
      assert.isAtLeast(sent, 30)
      assert.isAtMost(sent, 30 + Math.ceil(back))
      assert.strictEqual(count(replies, "ok"), sent)
      assert.strictEqual(count(replies, "RateLimit"), 80 - sent)
      if (sent < 80) assert.isAbove(Math.max(...replies.map(({ retryAfter }) => retryAfter)), 0)
    }))

  it("share what one of them learns from a 429", () =>
    twoWorkers("limit", url, async (a, b) => {
      assert.deepStrictEqual((await a.call(1, { outcome: "limit" })).outcomes, ["RateLimit"])
      const reply = await b.call(3)
      assert.deepStrictEqual(reply.outcomes, ["RateLimit", "RateLimit", "RateLimit"])
      assert.strictEqual(reply.sent, 0)
      assert.isAtMost(reply.retryAfter, hour)
    }))

  it("share one circuit: opened by both, probed by one, closed for both", () =>
    RedisTime.use(url, (time) =>
      twoWorkers("breaker", url, async (a, b, prefix) => {
        await a.call(3, { outcome: "overloaded" })
        await b.call(2, { outcome: "overloaded" })
        const open = await Promise.all([a.call(5), b.call(5)])
        assert.strictEqual(count(open, "CircuitBreakerOpen"), 10)
        assert.strictEqual(open[0].sent + open[1].sent, 0)
        assert.isAbove(open[0].retryAfter, 0)
        assert.isAtMost(open[0].retryAfter, hour)
        await time.passForCircuit(prefix, "openUntil", hour)
        const probing = await Promise.all([a.begin(5), b.begin(5)])
        assert.strictEqual(probing[0].sent + probing[1].sent, 1)
        assert.strictEqual(count(probing, "CircuitBreakerOpen"), 9)
        const probed = await Promise.all([a.finish(), b.finish()])
        assert.strictEqual(count(probed, "ok"), 1)
        const closed = await Promise.all([a.call(5), b.call(5)])
        assert.strictEqual(count(closed, "ok"), 10)
      })))

  it("keep the probe's slot as long as it runs, and pass it on when its process dies", () =>
    RedisTime.use(url, (time) =>
      twoWorkers("breaker", url, async (a, b, prefix) => {
        await a.call(5, { outcome: "overloaded" })
        await time.passForCircuit(prefix, "openUntil", hour)
        assert.strictEqual((await a.begin(1, { lasts: 24 * hour })).sent, 1)
        // Much longer than the lease, which the probe renews.
        for (let round = 0; round < 5; round++) {
          await time.passForCircuit(prefix, "leaseUntil", hour / 2)
          assert.deepStrictEqual((await b.call(1)).outcomes, ["CircuitBreakerOpen"])
          await a.pass(hour / 3)
          while (await time.left(prefix, "leaseUntil") < 0.9 * hour) await turn()
        }
        await a.kill()
        assert.deepStrictEqual((await b.call(1)).outcomes, ["CircuitBreakerOpen"])
        await time.passForCircuit(prefix, "leaseUntil", hour)
        const after = await b.call(1)
        assert.deepStrictEqual(after.outcomes, ["ok"])
        assert.strictEqual(after.sent, 1)
      })))
})

// =============================================================================
// One process
// =============================================================================

describe.skipIf(server === undefined)("RateLimit over Redis", () => {
  const layer = NodeRedis.layer({ url })

  it.effect("settles, learns and pauses like the store in memory", () =>
    Effect.gen(function*() {
      const redis = yield* Redis
      const prefix = freshPrefix()
      const clock = `${prefix}clock`
      // The same scripts by a clock that stands still between two steps; what Redis would forget by its own clock is forgotten below.
      const substituted = [
        ["redis.call(\"TIME\")", `redis.call("HMGET", "${clock}", "seconds", "micros")`],
        [
          ", \"PX\", string.format(\"%.0f\", ttl)",
          `) redis.call("HSET", "${clock}", "expires", string.format("%.0f", now + ttl)`
        ]
      ] as const
      const buckets = RedisBuckets.make({
        ...redis,
        eval: (script) =>
          redis.eval(Object.assign(Object.create(Object.getPrototypeOf(script)), script, {
            lua: substituted.reduce((lua, [ours, theirs]) => {
              assert.include(lua, ours)
              return lua.replace(ours, theirs)
            }, script.lua)
          }))
      }, prefix)
      const run = Effect.runPromiseWith(yield* Effect.context<Redis>())
      const amount = fc.integer({ min: 0, max: 40 })
      const amounts = fc.record({ requests: amount, tokens: amount, inputTokens: amount }, { requiredKeys: [] })
      const operation = fc.oneof(
        fc.record({ _tag: fc.constant("pass" as const), millis: fc.constantFrom(1, 250, 20_000, 300_000) }),
        fc.record({ _tag: fc.constant("reserve" as const), amounts, maxWaitMillis: fc.constantFrom(0, 20_000, 1e12) }),
        fc.record({
          _tag: fc.constant("settle" as const),
          back: fc.record({ requests: amount, tokens: fc.integer({ min: -40, max: 40 }) }, { requiredKeys: [] }),
          pauseMillis: fc.constantFrom(undefined, 5000),
          seen: fc.option(
            fc.record({
              requests: fc.record(
                {
                  limit: fc.constantFrom(30, 60),
                  remaining: fc.integer({ min: -1, max: 30 }),
                  resetMillis: fc.constantFrom(0, 10_000)
                },
                { requiredKeys: [] }
              )
            }),
            { nil: undefined }
          )
        })
      )
      let runs = 0
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(fc.array(operation, { maxLength: 16 }), (script) =>
            run(
              Effect.gen(function*() {
                const memory = new TokenBuckets()
                const shared = { key: String(runs++), limits: { requests: 60, tokens: 120 } }
                let now = 1_000_000
                let swept = now
                // It has looked before the first step.
                memory.reserve({ ...shared, amounts: {}, maxWaitMillis: 0 }, now)
                for (const step of script) {
                  if (step._tag === "pass") {
                    now += step.millis
                    continue
                  }
                  // Memory forgets full buckets once a minute.
                  if (now - swept >= 60_000) {
                    swept = now
                    const expires = yield* redis.send<string | null>("HGET", clock, "expires")
                    if (expires !== null && Number(expires) <= now) yield* redis.send("DEL", `${prefix}${shared.key}`)
                  }
                  const [seconds, micros] = [Math.floor(now / 1000), now % 1000 * 1000]
                  yield* redis.send("HSET", clock, "seconds", String(seconds), "micros", String(micros))
                  if (step._tag === "settle") {
                    const { _tag, ...options } = step
                    const settlement = {
                      ...shared,
                      ...options as Omit<Parameters<typeof memory.settle>[0], "key" | "limits">
                    }
                    yield* buckets.settle(settlement)
                    memory.settle(settlement, now)
                  } else {
                    const { _tag, ...options } = step
                    const wanted = {
                      ...shared,
                      ...options as Omit<Parameters<typeof memory.reserve>[0], "key" | "limits">
                    }
                    const theirs = yield* buckets.reserve(wanted)
                    const ours = memory.reserve(wanted, now)
                    // cjson keeps 14 digits, so that a wait may be rounded up to the other millisecond.
                    assert.approximately(theirs.waitMillis, ours.waitMillis, 1)
                    if (Math.abs(ours.waitMillis - wanted.maxWaitMillis) > 1) {
                      assert.strictEqual(theirs.granted, ours.granted)
                    } else if (theirs.granted !== ours.granted) return
                  }
                }
              }).pipe(Effect.ensuring(Effect.ignore(redis.send("DEL", clock, `${prefix}${runs - 1}`))))
            )),
          { numRuns: 200 }
        )
      )
    }).pipe(Effect.provide(layer)))

  it.effect("leaves no key behind once the buckets are full", () =>
    Effect.gen(function*() {
      const redis = yield* Redis
      const prefix = freshPrefix()
      const service = yield* RateLimit.policy({
        store: RateLimit.storeRedis({ prefix }),
        requestsPerMinute: 1,
        key: "account"
      }).wrap(TestLlm.make({ answers: () => "Hi!" }).service)
      yield* service.generate(hello)
      const ttl = Number(yield* redis.send("PTTL", `${prefix}rate-limit:account`))
      assert.isAbove(ttl, 0)
      assert.isAtMost(ttl, 60_000)
    }).pipe(Effect.scoped, Effect.provide(layer)))

  it.effect("gives the reservation back when a wait is interrupted", () =>
    Effect.gen(function*() {
      const redis = yield* Redis
      const prefix = freshPrefix()
      const service = yield* RateLimit.policy({
        store: RateLimit.storeRedis({ prefix }),
        requestsPerMinute: 1,
        maxWait: "90 seconds",
        key: "account"
      }).wrap(TestLlm.make({ answers: () => "Hi!" }).service)
      const level = Effect.map(
        redis.send<string>("GET", `${prefix}rate-limit:account`),
        (entry) => (JSON.parse(entry) as { readonly levels: { readonly requests: number } }).levels.requests
      )
      yield* service.generate(hello)
      for (let i = 0; i < 4; i++) {
        const waiting = yield* Effect.forkChild(service.generate(hello))
        // It waits as the first in line: had those before it kept theirs, it would have been turned away at once.
        while ((yield* level) >= 0) assert.isUndefined(waiting.pollUnsafe())
        yield* Fiber.interrupt(waiting)
        while ((yield* level) < 0) assert.isDefined(waiting.pollUnsafe())
      }
    }).pipe(Effect.scoped, Effect.provide(layer)))
})

// =============================================================================
// Without Redis
// =============================================================================

/** By the clock of Effect, which stands still: what costs time has waited for a time limit. */
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.timed(effect), ([duration, value]) => ({ millis: Duration.toMillis(duration), value }))

describe.skipIf(server === undefined || !hasBinary())("Redis that goes away", () => {
  it.effect("costs no call, and no time where the connection says that it is gone", () =>
    Effect.gen(function*() {
      const doomed = yield* Effect.acquireRelease(
        Effect.promise(startServer),
        (server) => Effect.promise(server.stop)
      )
      yield* Effect.gen(function*() {
        const { control, service } = TestLlm.make({ answers: () => "Hi!" })
        const open = yield* CircuitBreaker.policy({ store: CircuitBreaker.storeRedis() }).wrap(service)
        const limited = yield* RateLimit.policy({
          store: RateLimit.storeRedis(),
          requestsPerMinute: 100
        }).wrap(open)
        const closedBreaker = yield* CircuitBreaker.policy({
          store: CircuitBreaker.storeRedis(),
          onStoreError: "fail"
        }).wrap(service)
        const closedLimit = yield* RateLimit.policy({
          store: RateLimit.storeRedis(),
          requestsPerMinute: 100,
          onStoreError: "fail"
        }).wrap(service)
        yield* limited.generate(hello)
        yield* closedBreaker.generate(hello)
        yield* closedLimit.generate(hello)

        yield* Effect.promise(doomed.stop)
        const first = yield* timed(limited.generate(hello))
        assert.strictEqual(first.value.text, "Hi!")
        assert.strictEqual(first.millis, 0)
        const more = yield* timed(Effect.replicateEffect(limited.generate(hello), 20))
        assert.strictEqual(more.millis, 0)
        assert.strictEqual(control.finished, 24)

        const rejections = yield* timed(Effect.all([
          Effect.flip(closedBreaker.generate(hello)),
          Effect.flip(closedLimit.generate(hello))
        ]))
        assert.deepStrictEqual(rejections.value.map(({ reason }) => reason._tag), ["CircuitBreakerOpen", "RateLimit"])
        assert.strictEqual(rejections.millis, 0)
        assert.strictEqual(control.finished, 24)
      }).pipe(
        Effect.scoped,
        Effect.provide(NodeRedis.layer({ url: doomed.url, disableOfflineQueue: true })),
        Effect.provideService(References.MinimumLogLevel, "Fatal")
      )
    }).pipe(Effect.scoped))
})
