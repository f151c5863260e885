import { NodeRedis } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Redis } from "effect/persistence/Redis"
import * as References from "effect/References"
import * as fc from "fast-check"
import { afterAll } from "vitest"
import * as Budget from "../../src/policy/Budget.ts"
import { Ledger } from "../../src/policy/budget/ledger.ts"
import * as RedisBooks from "../../src/policy/budget/redis.ts"
import * as Cache from "../../src/policy/Cache.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"
import { count, freshPrefix, RedisTime, twoWorkers, type Worker } from "./redis-processes.ts"
import { findServer, hasBinary, startServer } from "./redis-server.ts"
import { answer, budget, lease } from "./redis-worker.ts"

const server = await findServer()
afterAll(() => server?.stop())

const url = server?.url ?? ""
const nanos = 1_000_000_000

const onRedis = <A, E>(use: Effect.Effect<A, E, Redis>): Promise<A> =>
  Effect.runPromise(Effect.scoped(Effect.provide(use, NodeRedis.layer({ url }))))

const account = (prefix: string) =>
  onRedis(
    Effect.flatMap(Redis, (redis) =>
      Effect.map(RedisBooks.make(redis, prefix).read("budget:all"), ({ reserved, spent }) => ({
        spent: spent / nanos,
        reserved: reserved / nanos
      })))
  )

describe.skipIf(server === undefined)("Two processes on one Redis", () => {
  it("share one budget: what they reserve and spend together never exceeds it", () =>
    twoWorkers("budget", url, async (a, b, prefix) => {
      // A hundred dollars: ten reservations of ten at a time, whoever makes them.
      const begun = await Promise.all([a.begin(30), b.begin(30)])
      assert.strictEqual(begun[0].sent + begun[1].sent, 10)
      assert.strictEqual(count(begun, "BudgetExceeded"), 50)
      assert.deepStrictEqual(await account(prefix), { spent: 0, reserved: 100 })
      assert.strictEqual(count(await Promise.all([a.finish(), b.finish()]), "ok"), 10)
      assert.deepStrictEqual(await account(prefix), { spent: 60, reserved: 0 })
      // Forty are left: four at a time, then two, then one, until less than a reservation is left.
      for (let round = 0; round < 6; round++) await Promise.all([a.call(5), b.call(5)])
      const { reserved, spent } = await account(prefix)
      assert.strictEqual(reserved, 0)
      assert.isAbove(spent, 90)
      assert.isAtMost(spent, 100)
    }))

  it("free the reservations of one that dies, when their lease has ended", () =>
    RedisTime.use(url, (time) =>
      twoWorkers("budget", url, async (a, b, prefix) => {
        await a.begin(10)
        assert.strictEqual((await account(prefix)).reserved, 100)
        assert.deepStrictEqual((await b.call(1)).outcomes, ["BudgetExceeded"])
        await a.kill()
        assert.deepStrictEqual((await b.call(1)).outcomes, ["BudgetExceeded"])
        await time.passForBudget(prefix, Duration.toMillis(lease))
        assert.deepStrictEqual((await b.call(1)).outcomes, ["ok"])
        assert.deepStrictEqual(await account(prefix), { spent: 6, reserved: 0 })
      })))

  it("share one cache: the second process asks nobody", () =>
    twoWorkers("cache", url, async (a, b) => {
      const seen = async (worker: Worker, prompt: string) => {
        const { hits, outcomes, sent } = await worker.call(1, { prompt })
        return { hits, outcomes, sent }
      }
      assert.deepStrictEqual(await seen(a, "Once"), { outcomes: ["ok"], sent: 1, hits: 0 })
      assert.deepStrictEqual(await seen(b, "Once"), { outcomes: ["ok"], sent: 0, hits: 1 })
      assert.deepStrictEqual(await seen(b, "Twice"), { outcomes: ["ok"], sent: 1, hits: 0 })
      const many = await a.call(50, { prompt: "Thrice" })
      assert.strictEqual(many.sent, 1)
      assert.strictEqual(many.hits, 49)
    }))
})

describe.skipIf(server === undefined)("A budget's books in Redis", () => {
  it("come to the same as those in memory, whatever is booked", () => {
    const command = fc.oneof(
      fc.record({ op: fc.constant("reserve" as const), amount: fc.integer({ min: 0, max: 50 * nanos }) }),
      fc.record({
        op: fc.constant("settle" as const),
        which: fc.nat(),
        spent: fc.integer({ min: 0, max: 50 * nanos })
      })
    )
    return fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 15 }), (commands) =>
        onRedis(Effect.gen(function*() {
          const books = RedisBooks.make(yield* Redis, freshPrefix())
          const ledger = new Ledger()
          const held: Array<string> = []
          const key = "a"
          const keepMillis = 60_000
          for (const [index, command] of commands.entries()) {
            if (command.op === "reserve") {
              const reserve = {
                key,
                id: String(index),
                amount: command.amount,
                limit: 100 * nanos,
                keepMillis,
                leaseMillis: 60_000
              }
              const expected = ledger.reserve(reserve, 0)
              assert.deepStrictEqual(yield* books.reserve(reserve), expected)
              if (expected.granted) held.push(String(index))
            } else if (held.length > 0) {
              // One that was settled before may come again, and counts once.
              const id = held[command.which % held.length]!
              const settle = { key, id, spent: command.spent, keepMillis }
              ledger.settle(settle, 0)
              yield* books.settle(settle)
            }
            assert.deepStrictEqual(yield* books.read(key), ledger.read(key, 0))
          }
        }))),
      {
        numRuns: 25,
        // A model that costs nothing.
        examples: [[[{ op: "reserve", amount: 0 }, { op: "settle", which: 0, spent: 0 }]]]
      }
    )
  })

  it("are kept exactly beyond what a float can count in dollars", () =>
    onRedis(Effect.gen(function*() {
      const books = RedisBooks.make(yield* Redis, freshPrefix())
      const options = { key: "a", limit: 9_000_000 * nanos, keepMillis: 60_000, leaseMillis: 60_000 }
      yield* books.reserve({ ...options, id: "1", amount: 8_999_999_999_999_999 })
      yield* books.settle({ ...options, id: "1", spent: 8_999_999_999_999_998 })
      assert.deepStrictEqual(yield* books.read("a"), { spent: 8_999_999_999_999_998, reserved: 0 })
      assert.isFalse((yield* books.reserve({ ...options, id: "2", amount: 3 })).granted)
      assert.isTrue((yield* books.reserve({ ...options, id: "3", amount: 2 })).granted)
    })))
})

describe.skipIf(!hasBinary())("A Redis that goes away", () => {
  it("loses no call: budgets go on in the process, answers come from the provider", async () => {
    const own = await startServer()
    try {
      await Effect.runPromise(
        Effect.gen(function*() {
          const { control, service } = TestLlm.make({ answers: () => answer })
          const llm = yield* Budget.policy({ ...budget, store: Budget.storeRedis() }).wrap(service).pipe(
            Effect.flatMap(Cache.policy({ partition: () => "all", store: Cache.storeRedis }).wrap)
          )
          const ask = (prompt: string) => llm.generate({ prompt, maxTokens: 10 })
          yield* ask("before")
          assert.isTrue(Cache.isHit(yield* ask("before")))
          yield* Effect.promise(() => own.stop())
          const exits = yield* Effect.forEach([1, 2, 3, 4], (index) => Effect.exit(ask(`after ${index % 2}`)))
          assert.isTrue(exits.every(Exit.isSuccess))
          assert.strictEqual(control.started, 5)
        }).pipe(
          Effect.scoped,
          Effect.provide(NodeRedis.layer({ url: own.url, disableOfflineQueue: true })),
          Effect.provideService(References.MinimumLogLevel, "None")
        )
      )
    } finally {
      await own.stop()
    }
  })
})
