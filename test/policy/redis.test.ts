import { NodeRedis } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Redis } from "effect/persistence/Redis"
import * as References from "effect/References"
import * as fc from "fast-check"
import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { createClient } from "redis"
import { afterAll } from "vitest"
import * as RedisBuckets from "../../src/internal/rateLimitRedis.ts"
import { TokenBuckets } from "../../src/internal/tokenBuckets.ts"
import * as CircuitBreaker from "../../src/policy/CircuitBreaker.ts"
import * as RateLimit from "../../src/policy/RateLimit.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"
import { findServer, hasBinary, startServer } from "./redis-server.ts"
import type { Command, Reply } from "./redis-worker.ts"

const server = await findServer()
afterAll(() => server?.stop())

const url = server?.url ?? ""
const hello = { prompt: "Hello" }
const freshPrefix = () => `effect-llm-test:${randomUUID()}:`

// =============================================================================
// Other processes
// =============================================================================

const worker = fileURLToPath(new URL("redis-worker.ts", import.meta.url))

class Worker {
  private readonly child: ChildProcess
  private readonly waiting: Array<PromiseWithResolvers<Reply>> = []

  constructor(kind: "breaker" | "limit", prefix: string) {
    this.child = spawn(process.execPath, [worker, kind, url, prefix], { stdio: ["pipe", "pipe", "inherit"] })
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      if (line.startsWith("{")) this.waiting.shift()?.resolve(JSON.parse(line) as Reply)
      else console.log(line)
    })
    this.child.once("exit", (code) => {
      for (const { reject } of this.waiting) reject(new Error(`The worker ended with ${code}.`))
    })
  }

  calls(times: number, outcome: Command["outcome"] = "ok", lasts = 0): Promise<Reply> {
    const reply = Promise.withResolvers<Reply>()
    this.waiting.push(reply)
    this.child.stdin!.write(`${JSON.stringify({ outcome, times, lasts } satisfies Command)}\n`)
    return reply.promise
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill("SIGKILL")
    await once(this.child, "exit")
  }
}

const twoWorkers = async (
  kind: "breaker" | "limit",
  use: (a: Worker, b: Worker, prefix: string) => Promise<void>
): Promise<void> => {
  const prefix = freshPrefix()
  const workers = [new Worker(kind, prefix), new Worker(kind, prefix)] as const
  try {
    await Promise.all(workers.map((worker) => worker.calls(0)))
    await use(...workers, prefix)
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()))
  }
}

/** Redis keeps its own time, so there is no other way than to wait. */
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const count = (replies: ReadonlyArray<Reply>, outcome: string): number =>
  replies.flatMap(({ outcomes }) => outcomes).filter((each) => each === outcome).length

const until = async (reply: () => Promise<Reply>, wanted: (reply: Reply) => boolean): Promise<Reply> => {
  for (let tries = 0; tries < 200; tries++) {
    const given = await reply()
    if (wanted(given)) return given
    await pause(20)
  }
  throw new Error("It never came.")
}

describe.skipIf(server === undefined)("Two processes on one Redis", () => {
  it("share one rate limit: together they send what one may", () =>
    twoWorkers("limit", async (a, b) => {
      const started = performance.now()
      const replies = await Promise.all([a.calls(40), b.calls(40)])
      const back = (performance.now() - started) / 2000
      const sent = replies[0].sent + replies[1].sent
      assert.isAtLeast(sent, 30)
      assert.isAtMost(sent, 30 + Math.ceil(back))
      assert.strictEqual(count(replies, "ok"), sent)
      assert.strictEqual(count(replies, "RateLimit"), 80 - sent)
      assert.isAbove(replies[0].retryAfter, 0)
    }))

  it("share what one of them learns from a 429", () =>
    twoWorkers("limit", async (a, b) => {
      assert.deepStrictEqual((await a.calls(1, "limit")).outcomes, ["RateLimit"])
      const reply = await b.calls(3)
      assert.deepStrictEqual(reply.outcomes, ["RateLimit", "RateLimit", "RateLimit"])
      assert.strictEqual(reply.sent, 0)
      assert.isAtMost(reply.retryAfter, 2000)
    }))

  it("share one circuit: opened by both, probed by one, closed for both", () =>
    twoWorkers("breaker", async (a, b) => {
      await a.calls(3, "overloaded")
      await b.calls(2, "overloaded")
      const open = await Promise.all([a.calls(5), b.calls(5)])
      assert.strictEqual(count(open, "CircuitBreakerOpen"), 10)
      assert.strictEqual(open[0].sent + open[1].sent, 0)
      assert.isAtMost(open[0].retryAfter, 1000)
      await pause(open[0].retryAfter)
      const probing = await Promise.all([a.calls(5, "ok", 200), b.calls(5, "ok", 200)])
      assert.strictEqual(probing[0].sent + probing[1].sent, 1)
      assert.strictEqual(count(probing, "ok"), 1)
      assert.strictEqual(count(probing, "CircuitBreakerOpen"), 9)
      const closed = await Promise.all([a.calls(5), b.calls(5)])
      assert.strictEqual(count(closed, "ok"), 10)
    }))

  it("keep the probe's slot as long as it runs, and pass it on when its process dies", () =>
    twoWorkers("breaker", async (a, b, prefix) => {
      await a.calls(5, "overloaded")
      await pause((await b.calls(1)).retryAfter)
      const probe = a.calls(1, "ok", 60_000).catch(() => undefined)
      const client = await createClient({ url }).connect()
      while (await client.hGet(`${prefix}circuit-breaker:test/test-model`, "state") !== "HalfOpen") await pause(10)
      await client.close()
      // Longer than the lease of 600 ms, which the probe renews.
      for (let i = 0; i < 20; i++) {
        assert.deepStrictEqual((await b.calls(1)).outcomes, ["CircuitBreakerOpen"])
        await pause(50)
      }
      await a.kill()
      await probe
      const { sent } = await until(() => b.calls(1), ({ outcomes }) => outcomes[0] === "ok")
      assert.strictEqual(sent, 1)
    }))
})

// =============================================================================
// One process
// =============================================================================

describe.skipIf(server === undefined)("RateLimit over Redis", () => {
  const layer = NodeRedis.layer({ url })

  it.live("settles, learns and pauses like the store in memory", () =>
    Effect.gen(function*() {
      const redis = RedisBuckets.make(yield* Redis, freshPrefix())
      const run = Effect.runPromiseWith(yield* Effect.context<Redis>())
      const amount = fc.integer({ min: 0, max: 40 })
      const amounts = fc.record({ requests: amount, tokens: amount, inputTokens: amount }, { requiredKeys: [] })
      const operation = fc.oneof(
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
          fc.asyncProperty(fc.array(operation, { maxLength: 12 }), (script) =>
            run(Effect.gen(function*() {
              const memory = new TokenBuckets()
              const shared = { key: String(runs++), limits: { requests: 60, tokens: 120 } }
              const begun = yield* Clock.currentTimeMillis
              for (const { _tag, ...options } of script) {
                const now = yield* Clock.currentTimeMillis
                if (_tag === "settle") {
                  const settlement = {
                    ...shared,
                    ...options as Omit<Parameters<typeof memory.settle>[0], "key" | "limits">
                  }
                  yield* redis.settle(settlement)
                  memory.settle(settlement, now)
                  continue
                }
                const wanted = { ...shared, ...options as Omit<Parameters<typeof memory.reserve>[0], "key" | "limits"> }
                const theirs = yield* redis.reserve(wanted)
                const ours = memory.reserve(wanted, now)
                const passed = (yield* Clock.currentTimeMillis) - begun
                assert.approximately(theirs.waitMillis, ours.waitMillis, passed * 2 + 10)
                // The boundary of maxWait may fall between the two clocks.
                if (theirs.granted !== ours.granted) return
              }
            }))),
          { numRuns: 60 }
        )
      )
    }).pipe(Effect.provide(layer)))

  it.live("leaves no key behind once the buckets are full", () =>
    Effect.gen(function*() {
      const redis = yield* Redis
      const prefix = freshPrefix()
      const service = yield* RateLimit.policy({
        store: RateLimit.storeRedis({ prefix }),
        storeTimeout: "10 seconds",
        requestsPerMinute: 600,
        key: "account"
      }).wrap(TestLlm.make({ answers: () => "Hi!" }).service)
      yield* service.generate(hello)
      const ttl = Number(yield* redis.send("PTTL", `${prefix}rate-limit:account`))
      assert.isAbove(ttl, 0)
      assert.isAtMost(ttl, 1000)
    }).pipe(Effect.scoped, Effect.provide(layer)))

  it.live("gives the reservation back when a wait is interrupted", () =>
    Effect.gen(function*() {
      const service = yield* RateLimit.policy({
        store: RateLimit.storeRedis({ prefix: freshPrefix() }),
        storeTimeout: "10 seconds",
        requestsPerMinute: 2
      }).wrap(TestLlm.make({ answers: () => "Hi!" }).service)
      yield* Effect.replicateEffect(service.generate(hello), 2)
      for (let i = 0; i < 3; i++) yield* Effect.timeoutOption(service.generate(hello), "50 millis")
      const error = yield* Effect.flip(Effect.timeout(service.generate(hello), "100 millis"))
      // It waits as the first in line: had the three kept theirs, it would have been turned away at once.
      assert.strictEqual(error._tag, "TimeoutError")
    }).pipe(Effect.scoped, Effect.provide(layer)))
})

// =============================================================================
// Without Redis
// =============================================================================

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.timed(effect), ([duration, value]) => ({ millis: Duration.toMillis(duration), value }))

describe.skipIf(server === undefined || !hasBinary())("Redis that goes away", () => {
  it.live("costs one time limit, and no call", () =>
    Effect.gen(function*() {
      const doomed = yield* Effect.acquireRelease(
        Effect.promise(startServer),
        (server) => Effect.promise(server.stop)
      )
      yield* Effect.gen(function*() {
        const storeTimeout = "2 seconds"
        const { control, service } = TestLlm.make({ answers: () => "Hi!" })
        const open = yield* CircuitBreaker.policy({ store: CircuitBreaker.storeRedis(), storeTimeout }).wrap(service)
        const limited = yield* RateLimit.policy({
          store: RateLimit.storeRedis(),
          storeTimeout,
          requestsPerMinute: 100
        }).wrap(open)
        const closedBreaker = yield* CircuitBreaker.policy({
          store: CircuitBreaker.storeRedis(),
          storeTimeout,
          onStoreError: "fail"
        }).wrap(service)
        const closedLimit = yield* RateLimit.policy({
          store: RateLimit.storeRedis(),
          storeTimeout,
          requestsPerMinute: 100,
          onStoreError: "fail"
        }).wrap(service)
        yield* limited.generate(hello)
        yield* closedBreaker.generate(hello)
        yield* closedLimit.generate(hello)

        yield* Effect.promise(doomed.stop)
        const first = yield* timed(limited.generate(hello))
        assert.strictEqual(first.value.text, "Hi!")
        assert.isBelow(first.millis, 6000)
        const more = yield* timed(Effect.replicateEffect(limited.generate(hello), 20))
        assert.isBelow(more.millis, 6000)
        assert.strictEqual(control.finished, 24)

        const rejections = yield* timed(Effect.all([
          Effect.flip(closedBreaker.generate(hello)),
          Effect.flip(closedLimit.generate(hello))
        ]))
        assert.deepStrictEqual(rejections.value.map(({ reason }) => reason._tag), ["CircuitBreakerOpen", "RateLimit"])
        assert.isBelow(rejections.millis, 6000)
        assert.strictEqual(control.finished, 24)
      }).pipe(
        Effect.scoped,
        Effect.provide(NodeRedis.layer({ url: doomed.url, disableOfflineQueue: true })),
        Effect.provideService(References.MinimumLogLevel, "Fatal")
      )
    }).pipe(Effect.scoped))
})
