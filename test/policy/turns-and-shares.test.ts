// Whose turn it is, among candidates, keys, waiting calls and tenants: every share is what was asked for, and nobody is lost.
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import * as LlmError from "../../src/LlmError.ts"
import {
  type Numbers,
  priceOf,
  rank,
  rendezvous,
  strategies,
  type Strategy
} from "../../src/policy/candidates/ranking.ts"
import { PriorityQueue } from "../../src/policy/concurrency/priorityQueue.ts"
import { KeyRing, type Member } from "../../src/policy/keys/ring.ts"
import { maxKeys, PerKey, tenantOf } from "../../src/policy/perKey.ts"
import { lentTo } from "../../src/service/addressee.ts"

const numbers: fc.Arbitrary<Numbers> = fc.record({
  weight: fc.constantFrom(0, 1, 2, 5),
  busy: fc.nat(4),
  latency: fc.option(fc.integer({ min: 1, max: 900 }), { nil: undefined }),
  price: fc.option(fc.constantFrom(0, 0.001, 0.002, 0.01), { nil: undefined })
})

const indexesOf = (all: ReadonlyArray<Numbers>) => all.map((_, index) => index)

/** How often each is first, over evenly spread random numbers. */
const sharesOf = (strategy: Strategy, all: ReadonlyArray<Numbers>, points = 2000): ReadonlyArray<number> => {
  const counts = all.map(() => 0)
  for (let at = 0; at < points; at++) {
    const [first] = rank(strategy, indexesOf(all), (index) => all[index]!, at, () => (at + 0.5) / points)
    counts[first!]!++
  }
  return counts.map((count) => count / points)
}

describe("The order of candidates", () => {
  it("has every candidate once, by any strategy", () =>
    fc.assert(fc.property(
      fc.constantFrom(...strategies),
      fc.array(numbers, { maxLength: 6 }),
      fc.nat(20),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (strategy, all, turn, point) => {
        const order = rank(strategy, indexesOf(all), (index) => all[index]!, turn, () => point)
        assert.deepStrictEqual(order.toSorted((a, b) => a - b), indexesOf(all))
      }
    )))

  it("goes by what the strategy says, the best first", () =>
    fc.assert(fc.property(fc.array(numbers, { minLength: 1, maxLength: 6 }), fc.nat(20), (all, turn) => {
      const by = (strategy: Strategy) => rank(strategy, indexesOf(all), (index) => all[index]!, turn, () => 0.5)
      const keys: { readonly [name: string]: (one: Numbers) => number } = {
        cheapest: ({ price }) => price ?? Infinity,
        "lowest-latency": ({ latency }) => latency ?? 0,
        "least-busy": ({ busy, weight }) => weight === 0 ? Infinity : (busy + 1) / weight
      }
      for (const [strategy, key] of Object.entries(keys)) {
        const found = by(strategy as Strategy).map((index) => key(all[index]!))
        assert.deepStrictEqual(found, found.toSorted((a, b) => a === b ? 0 : a - b), strategy)
      }
      const start = turn % all.length
      assert.deepStrictEqual(by("round-robin"), indexesOf(all).map((_, at) => (start + at) % all.length))
    })))

  it("turns among equals, so that the first of the list is not everybody's", () => {
    const same = Array.from({ length: 3 }, () => ({ weight: 1, busy: 0, latency: 5, price: 1 }))
    for (const strategy of ["least-busy", "lowest-latency", "round-robin"] as const) {
      const firsts = [0, 1, 2].map((turn) => rank(strategy, [0, 1, 2], (index) => same[index]!, turn, () => 0)[0])
      assert.deepStrictEqual(firsts, [0, 1, 2], strategy)
    }
  })

  it("gives each its share of the weights, none to whom has none", () => {
    const all = [1, 0, 3, 4].map((weight) => ({ weight, busy: 0, latency: undefined, price: 1 }))
    const shares = sharesOf("weighted", all)
    for (const [index, share] of [0.125, 0, 0.375, 0.5].entries()) assert.closeTo(shares[index]!, share, 0.001)
    const last = rank("weighted", [0, 1, 2, 3], (index) => all[index]!, 0, () => 0.9).at(-1)
    assert.strictEqual(last, 1)
  })

  it("by the inverse square of prices gives twice the price a quarter, and a free one no more than all but all", () => {
    const priced = (...prices: ReadonlyArray<number | undefined>) =>
      prices.map((price) => ({ weight: 1, busy: 0, latency: undefined, price }))
    const halves = sharesOf("inverse-square-price", priced(1, 2))
    assert.closeTo(halves[0]!, 0.8, 0.001)
    // An unknown price counts as the dearest.
    const unknown = sharesOf("inverse-square-price", priced(1, undefined, 2))
    assert.closeTo(unknown[1]!, unknown[2]!, 0.001)
    assert.closeTo(unknown[0]!, 4 / 6, 0.001)
    assert.deepStrictEqual(sharesOf("inverse-square-price", priced(undefined, undefined)), [0.5, 0.5])
    assert.deepStrictEqual(sharesOf("inverse-square-price", priced(0, 0)), [0.5, 0.5])
    const weighted = priced(1, 1).map((one, at) => ({ ...one, weight: at + 1 }))
    assert.closeTo(sharesOf("inverse-square-price", weighted)[1]!, 2 / 3, 0.001)
  })

  it("by key stays when another candidate leaves, and is shared by weight", () => {
    const weights = [1, 2, 1, 0]
    const place = (key: string, indexes: ReadonlyArray<number>) =>
      rendezvous(key, indexes, (index) => `candidate-${index}`, (index) => weights[index]!)
    const counts = [0, 0, 0, 0]
    for (let at = 0; at < 2000; at++) {
      const order = place(`key-${at}`, [0, 1, 2, 3])
      assert.deepStrictEqual(order.toSorted(), [0, 1, 2, 3])
      assert.strictEqual(order.at(-1), 3)
      counts[order[0]!]!++
      const without = order.slice(1).toSorted()
      assert.deepStrictEqual(place(`key-${at}`, without), order.slice(1))
    }
    for (const [index, share] of [0.25, 0.5, 0.25, 0].entries()) assert.closeTo(counts[index]! / 2000, share, 0.04)
  })

  it("by price reads the tier that the input is above", () => {
    const prices = { input: 1, output: 2, tiers: [{ aboveInputTokens: 100, input: 3, output: 4 }] }
    assert.closeTo(priceOf(prices, 100, 10), 120 / 1e6, 1e-12)
    assert.closeTo(priceOf(prices, 101, 10), (303 + 40) / 1e6, 1e-12)
    assert.closeTo(priceOf({ input: 1, output: 2 }, 500, 0), 500 / 1e6, 1e-12)
  })
})

describe("The keys of a pool", () => {
  const key = (name: string, weight?: number) => ({
    apiKey: Redacted.make(name),
    ...(weight === undefined ? {} : { weight })
  })
  const reason = new LlmError.RateLimit({ message: "slow down" })
  const nobody: ReadonlySet<Member> = new Set()
  const nameOf = (member: Member | undefined) => member === undefined ? undefined : Redacted.value(member.apiKey)

  it("are used as often as their weights say, in every round, and no other ever", () =>
    fc.assert(fc.property(
      fc.array(fc.constantFrom(undefined, 0, 1, 2, 3, Number.NaN, -1), { minLength: 1, maxLength: 5 }),
      (weights) => {
        const ring = new KeyRing()
        ring.update(weights.map((weight, at) => key(`key-${at}`, weight)))
        const expected = weights.map((weight = 1) => weight > 0 ? weight : 0)
        const total = expected.reduce((sum, weight) => sum + weight, 0)
        for (let round = 0; round < 3; round++) {
          const counts = weights.map(() => 0)
          for (let at = 0; at < total; at++) counts[Number(nameOf(ring.take(0, nobody))!.slice(4))]!++
          assert.deepStrictEqual(counts, expected)
        }
        if (total === 0) assert.isUndefined(ring.take(0, nobody) ?? ring.peek(0))
      }
    )))

  it("rest until their time, for ever without one, and are not tried twice", () => {
    const ring = new KeyRing()
    ring.update([key("a"), key("b"), key("c")])
    const [a, b, c] = ring.all
    ring.remove(a!, reason, 100)
    ring.remove(a!, reason, 50)
    ring.remove(b!, reason, undefined)
    const takes = (now: number, tried = nobody) =>
      [...new Set(Array.from({ length: 6 }, () => nameOf(ring.take(now, tried))))].toSorted()
    assert.deepStrictEqual(takes(99), ["c"])
    assert.strictEqual(nameOf(ring.peek(99)), "c")
    assert.deepStrictEqual(takes(100), ["a", "c"])
    assert.deepStrictEqual(takes(100, new Set([c!])), ["a"])
    assert.deepStrictEqual(takes(1e9, new Set([a!, c!])), [undefined])
    assert.strictEqual(a!.reason, reason)
  })

  it("keep what is known of them while they are given, and are found by what they hold", () => {
    const ring = new KeyRing()
    ring.update([key("a"), key("b")])
    ring.remove(ring.find(Redacted.make("a"))!, reason, undefined)
    ring.update([key("b"), key("a", 7), key("c")])
    assert.isTrue(ring.find(Redacted.make("a"))!.dead)
    assert.strictEqual(ring.find(Redacted.make("a"))!.weight, 7)
    assert.deepStrictEqual(ring.all.map(nameOf), ["b", "a", "c"])
    assert.strictEqual(new Set(ring.all.map(({ hash }) => hash)).size, 3)
    for (const { hash } of ring.all) assert.match(hash, /^[0-9a-f]{8}$/)
    ring.update([key("b")])
    ring.update([key("a"), key("b")])
    assert.isFalse(ring.find(Redacted.make("a"))!.dead)
    assert.isUndefined(ring.find(Redacted.make("c")))
  })

  it("share what is left in a round after one has left", () => {
    const ring = new KeyRing()
    ring.update([key("a"), key("b"), key("c")])
    ring.take(0, nobody)
    ring.take(0, nobody)
    ring.remove(ring.find(Redacted.make("a"))!, reason, undefined)
    const names = Array.from({ length: 200 }, () => nameOf(ring.take(0, nobody)))
    const count = (name: string) => names.filter((one) => one === name).length
    assert.isAtMost(Math.abs(count("b") - count("c")), 2)
  })
})

describe("Waiting calls", () => {
  it("come by priority, and among equals in order, whoever has left meanwhile", () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            { weight: 6, arbitrary: fc.record({ add: fc.constantFrom(0, 1, 5, -3, Number.NaN, 0.5) }) },
            { weight: 3, arbitrary: fc.record({ remove: fc.nat(120) }) },
            { weight: 2, arbitrary: fc.constant("take" as const) }
          ),
          { maxLength: 250, size: "max" }
        ),
        (steps) => {
          const queue = new PriorityQueue<number>()
          const entries: Array<ReturnType<typeof queue.add>> = []
          const waiting: Array<{ readonly id: number; readonly priority: number }> = []
          const first = () =>
            waiting.toSorted((a, b) => a.priority === b.priority ? a.id - b.id : b.priority - a.priority)[0]?.id
          const leave = (id: number | undefined) => {
            const at = waiting.findIndex((one) => one.id === id)
            if (at >= 0) waiting.splice(at, 1)
          }
          for (const step of [...steps, ...Array.from({ length: 251 }, () => "take" as const)]) {
            if (step === "take") {
              const expected = first()
              assert.strictEqual(queue.take(), expected)
              leave(expected)
            } else if ("add" in step) {
              waiting.push({ id: entries.length, priority: Number.isNaN(step.add) ? 0 : step.add })
              entries.push(queue.add(entries.length, step.add))
            } else if (entries.length > 0) {
              const id = step.remove % entries.length
              queue.remove(entries[id]!)
              leave(id)
            }
            assert.strictEqual(queue.size, waiting.length)
          }
        }
      ),
      { numRuns: 40 }
    ))
})

describe("The state of a tenant", () => {
  const hour = 60 * 60 * 1000
  const made = (isUsed?: (state: { readonly key: string }) => boolean) =>
    new PerKey<{ readonly key: string }>((key) => ({ key }), isUsed)

  it("is kept for an hour after its last use, longer while it is in use", () => {
    const states = made()
    const first = states.get("a", 0)
    assert.strictEqual(states.get("a", hour - 1), first)
    assert.strictEqual(states.get("a", 2 * hour - 2), first)
    assert.notStrictEqual(states.get("a", 3 * hour - 2), first)
    const used = made(() => true)
    assert.strictEqual(used.get("a", 0), used.get("a", 10 * hour))
  })

  it("goes when others come and it was idle for so long, or when it is the oldest of too many", () => {
    const states = made()
    states.get("a", 0)
    states.get("b", hour - 1)
    states.get("c", hour)
    assert.strictEqual(states.size, 2)
    for (let at = 0; at < maxKeys + 50; at++) states.get(`key-${at}`, hour)
    assert.strictEqual(states.size, maxKeys)
    const busy = made(({ key }) => key === "a")
    const kept = busy.get("a", 0)
    for (let at = 0; at < maxKeys + 50; at++) busy.get(`key-${at}`, 1)
    assert.strictEqual(busy.get("a", 2), kept)
    assert.isAtMost(busy.size, maxKeys + 1)
  })

  it("is told apart by the credentials that a request brings, wherever it brings them, and by nothing else", () => {
    const key = (value: string) => Redacted.make(value)
    const prompt = "Hi"
    const tenants = [
      { prompt, apiKey: key("a") },
      { prompt, apiKey: key("b") },
      { prompt, headers: { "x-api-key": "a" } },
      { prompt, headers: { "X-Gateway-Token": "a" } },
      { prompt, providers: { openai: { apiKey: key("a") } } },
      { prompt, providers: { anthropic: { apiKey: key("a") } } },
      { prompt, providers: { anthropic: { headers: { authorization: "a" } } } },
      { prompt, apiKey: key("a"), headers: { authorization: "b" } }
    ].map(tenantOf)
    assert.strictEqual(new Set(tenants).size, tenants.length)
    for (const tenant of tenants) assert.match(tenant, /^[0-9a-f]{16}$/)
    assert.strictEqual(tenantOf({ prompt }), "")
    assert.strictEqual(tenantOf({ prompt, headers: { "x-trace": "a" }, providers: { openai: { model: "m" } } }), "")
    assert.strictEqual(tenantOf({ prompt: "other", apiKey: key("a") }), tenants[0])
    assert.strictEqual(
      tenantOf({ prompt, headers: { cookie: "1", authorization: "2" } }),
      tenantOf({ prompt, headers: { authorization: "2", cookie: "1" } })
    )
    // What a pool has lent is the application's.
    assert.strictEqual(tenantOf(lentTo({ prompt }, { provider: "p", origin: undefined }, key("a"))), "")
  })
})
