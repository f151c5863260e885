import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { LlmResponse, type Usage } from "../../src/LlmResponse.ts"
import * as LlmService from "../../src/LlmService.ts"
import type { Prices } from "../../src/Model.ts"
import * as Models from "../../src/Models.ts"
import * as Cost from "../../src/observe/Cost.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const prices: Prices = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, cacheWrite1h: 6 }

const usage = (input: Usage["input"], output?: number): Usage => ({ input, output: { total: output } })

const response = (usage: Usage, more: Partial<ConstructorParameters<typeof LlmResponse>[0]> = {}) =>
  new LlmResponse({
    parts: [{ type: "text", text: "Hi!" }],
    finishReason: "stop",
    usage,
    model: "test-model",
    provider: "test",
    warnings: [],
    ...more
  })

/** The cost, or a number that nothing is close to. */
const costOf = (usage: Usage, prices: Prices) => Cost.ofUsage(usage, prices) ?? NaN

describe("Cost.ofUsage", () => {
  it("prices uncached input, cache reads, writes of 5 minutes and of an hour, and output apart", () => {
    const all = usage({ total: 1000, uncached: 100, cacheRead: 400, cacheWrite: 500, cacheWrite1h: 200 }, 10)
    assert.closeTo(costOf(all, prices), (100 * 3 + 400 * 0.3 + 300 * 3.75 + 200 * 6 + 10 * 15) / 1e6, 1e-12)
  })

  it("works out the uncached input when only the total is known", () => {
    assert.closeTo(costOf(usage({ total: 1000, cacheRead: 400 }, 0), prices), (600 * 3 + 400 * 0.3) / 1e6, 1e-12)
  })

  it("takes the highest tier that the whole input is above, for all tokens", () => {
    const tiered: Prices = {
      input: 1,
      output: 10,
      tiers: [
        { aboveInputTokens: 400_000, input: 4, output: 40 },
        { aboveInputTokens: 200_000, input: 2, output: 20 }
      ]
    }
    assert.closeTo(costOf(usage({ total: 200_000 }, 1000), tiered), 0.21, 1e-12)
    assert.closeTo(costOf(usage({ total: 200_001 }, 1000), tiered), 0.400002 + 0.02, 1e-12)
    assert.closeTo(costOf(usage({ total: 500_000 }, 1000), tiered), 2.04, 1e-12)
  })

  it("lets the billed cost win, even over a missing price", () => {
    assert.strictEqual(Cost.ofUsage({ ...usage({ total: 1 }, 1), billedCost: 0.5 }, prices), 0.5)
    assert.strictEqual(Cost.ofUsage({ ...usage({}), billedCost: 0 }, undefined), 0)
  })

  it("does not know what it lacks a price or a count for", () => {
    const { cacheRead: _, cacheWrite: __, cacheWrite1h: ___, ...bare } = prices
    assert.isUndefined(Cost.ofUsage(usage({ total: 10 }, 10), undefined))
    assert.isUndefined(Cost.ofUsage(usage({ total: 10 }), prices))
    assert.isUndefined(Cost.ofUsage(usage({}, 10), prices))
    assert.isUndefined(Cost.ofUsage(usage({ total: 10, cacheRead: 5 }, 10), bare))
    assert.isUndefined(Cost.ofUsage(usage({ total: 10, cacheWrite: 5 }, 10), bare))
    assert.isUndefined(
      Cost.ofUsage(usage({ total: 10, cacheWrite: 5, cacheWrite1h: 5 }, 1), { ...bare, cacheWrite: 1 })
    )
    assert.closeTo(costOf(usage({ total: 10, cacheRead: 0, cacheWrite: 0 }, 10), bare), 180 / 1e6, 1e-12)
  })

  it("is never negative, and grows with usage", () => {
    const count = fc.integer({ min: 0, max: 1_000_000 })
    fc.assert(fc.property(count, count, count, count, count, (uncached, cacheRead, cacheWrite, output, more) => {
      const of = (output: number) =>
        Cost.ofUsage(
          usage({ total: uncached + cacheRead + cacheWrite, uncached, cacheRead, cacheWrite }, output),
          prices
        )!
      assert.isAtLeast(of(output), 0)
      assert.isAtLeast(of(output + more), of(output))
    }))
  })
})

describe("Cost.ofCache", () => {
  it("tells what reads saved and what writes cost on top", () => {
    const all = usage({ total: 1000, uncached: 100, cacheRead: 400, cacheWrite: 500, cacheWrite1h: 200 }, 10)
    const found = Cost.ofCache(all, prices)!
    assert.closeTo(found.saved, 400 * (3 - 0.3) / 1e6, 1e-12)
    assert.closeTo(found.surcharge, (300 * (3.75 - 3) + 200 * (6 - 3)) / 1e6, 1e-12)
    assert.closeTo(found.net, found.saved - found.surcharge, 1e-15)
    assert.isBelow(Cost.ofCache(usage({ total: 100, cacheRead: 0, cacheWrite: 100 }, 1), prices)!.net, 0)
    assert.deepStrictEqual(Cost.ofCache(usage({ total: 100 }, 1), prices), { saved: 0, surcharge: 0, net: 0 })
    assert.isUndefined(Cost.ofCache(usage({ total: 100, cacheRead: 5 }, 1), { input: 1, output: 1 }))
    assert.isUndefined(Cost.ofCache(usage({}, 1), prices))
  })

  it("is the price without the cache less the price with it, in each tier", () => {
    const count = fc.integer({ min: 0, max: 1_000_000 })
    const tiered: Prices = {
      ...prices,
      tiers: [{ aboveInputTokens: 200_000, input: 6, output: 30, cacheRead: 0.6, cacheWrite: 7.5, cacheWrite1h: 12 }]
    }
    fc.assert(fc.property(count, count, count, (uncached, cacheRead, cacheWrite) => {
      const total = uncached + cacheRead + cacheWrite
      const cached = usage({ total, uncached, cacheRead, cacheWrite }, 0)
      const { net } = Cost.ofCache(cached, tiered)!
      assert.closeTo(costOf(usage({ total }, 0), tiered) - costOf(cached, tiered), net, 1e-9)
    }))
  })
})

describe("Cost.policy", () => {
  it.effect("counts what caching saved and cost, by provider, model and label", () =>
    Effect.gen(function*() {
      const cached = response(usage({ total: 3_000_000, uncached: 0, cacheRead: 2_000_000, cacheWrite: 1_000_000 }, 0))
      const { service } = TestLlm.make({ answers: [cached] })
      const priced = yield* Cost.policy({ prices: { "test/test-model": prices } }).wrap(service)
      yield* priced.generate({ prompt: "Hello", label: "library" })
      const counted = (metric: typeof Cost.cacheSaved) =>
        Effect.map(
          Metric.value(Metric.withAttributes(metric, { provider: "test", model: "test-model", label: "library" })),
          ({ count }) => count
        )
      assert.closeTo(yield* counted(Cost.cacheSaved), 5.4, 1e-9)
      assert.closeTo(yield* counted(Cost.cacheSurcharge), 0.75, 1e-9)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("sets the cost of answers, streamed and whole, and counts it", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({ model: "priced", answers: () => "Hi!" })
      const priced = yield* Cost.policy({ prices: { "test/priced": { input: 1e6, output: 2e6 } } }).wrap(service)
      assert.strictEqual((yield* priced.generate({ prompt: "Hello" })).cost, 3)
      const events = yield* Stream.runCollect(priced.stream({ prompt: "Hello" }))
      const last = events.at(-1)
      assert.strictEqual(last?._tag === "Finish" ? last.response.cost : undefined, 3)
      const counted = yield* Metric.value(
        Metric.withAttributes(Cost.spent, { provider: "test", model: "priced" })
      )
      assert.strictEqual(counted.count, 6)
    }))

  it.effect("leaves the cost out when it is not known, and counts that", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({ model: "unpriced", answers: () => "Hi!" })
      const priced = yield* Cost.policy().wrap(service)
      const response = yield* priced.generate({ prompt: "Hello" })
      assert.notProperty(response, "cost")
      const counted = yield* Metric.value(
        Metric.withAttributes(Cost.unknown, { provider: "test", model: "unpriced" })
      )
      assert.strictEqual(counted.count, 1)
    }))

  it.effect("takes what the provider bills, and keeps a cost that is there", () =>
    Effect.gen(function*() {
      const { service } = TestLlm.make({
        answers: [
          response({ ...usage({ total: 1 }, 1), billedCost: 0.25 }),
          response(usage({ total: 1 }, 1), { cost: 9 })
        ]
      })
      const priced = yield* Cost.policy({ prices: { "test/test-model": prices } }).wrap(service)
      assert.strictEqual((yield* priced.generate({ prompt: "Hello" })).cost, 0.25)
      assert.strictEqual((yield* priced.generate({ prompt: "Hello" })).cost, 9)
    }))

  it.effect("finds prices in the catalogue by the model that answered, else by the one that was asked", () =>
    Effect.gen(function*() {
      const of = (model: string) => response(usage({ total: 1_000_000 }, 0), { provider: "anthropic", model })
      const { service } = TestLlm.make({
        provider: "anthropic",
        model: "claude-haiku-4-5",
        answers: [of("claude-opus-4-5-20251101"), of("a-name-of-their-own")]
      })
      const llm = Layer.succeed(LlmService.LlmService, service).pipe(Cost.policy())
      const ask = Effect.provide(LlmService.generate({ prompt: "Hello" }), llm)
      assert.strictEqual((yield* ask).cost, 5)
      assert.strictEqual((yield* ask).cost, 1)
    }))

  it.effect("prices a response by itself", () =>
    Effect.gen(function*() {
      const given = response(usage({ total: 1_000_000 }, 1_000_000))
      assert.strictEqual((yield* Cost.withCost(given, { prices: { "test/test-model": prices } })).cost, 18)
      assert.isUndefined((yield* Cost.withCost(given)).cost)
    }))
})

describe("Models", () => {
  it.effect("knows limits, capabilities, prices and thinking levels", () =>
    Effect.gen(function*() {
      const meta = yield* Models.lookup("anthropic", "claude-haiku-4-5")
      assert.deepStrictEqual(meta, {
        provider: "anthropic",
        id: "claude-haiku-4-5",
        name: "Claude Haiku 4.5 (latest)",
        contextWindow: 200_000,
        maxOutputTokens: 64_000,
        capabilities: { images: true, reasoning: true },
        prices: { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25, cacheWrite1h: 2 }
      })
      const gemini = yield* Models.lookup("gemini", "models/gemini-2.5-pro")
      assert.deepStrictEqual(gemini?.prices?.tiers, [{
        aboveInputTokens: 200_000,
        input: 2.5,
        output: 15,
        cacheRead: 0.25
      }])
    }))

  it.effect("tells a level that a model lacks from one nothing is known of", () =>
    Effect.gen(function*() {
      const levels = (yield* Models.lookup("openai", "gpt-5"))!.thinkingLevels!
      assert.deepStrictEqual(levels, {
        off: undefined,
        minimal: "minimal",
        low: "low",
        medium: "medium",
        high: "high",
        xhigh: undefined,
        max: undefined
      })
      assert.isTrue("off" in levels)
      assert.isFalse("off" in (yield* Models.lookup("anthropic", "claude-opus-4-6"))!.thinkingLevels!)
    }))

  it.effect("finds dated ids, and never takes another model for one", () =>
    Effect.gen(function*() {
      const idOf = (provider: string, id: string) => Effect.map(Models.lookup(provider, id), (meta) => meta?.name)
      assert.strictEqual(yield* idOf("openai", "gpt-4o-mini-2024-07-18"), "GPT-4o mini")
      assert.strictEqual((yield* Models.lookup("openai", "gpt-4o-mini-2024-07-18"))?.id, "gpt-4o-mini-2024-07-18")
      assert.isDefined(yield* idOf("anthropic", "claude-haiku-4-5@20251001"))
      assert.isDefined(yield* idOf("gemini", "gemini-2.5-flash-001"))
      for (
        const id of ["gpt-4o-audio", "gpt-4o-mini-search", "gpt-5-turbo", "gpt", "", "gpt-4o-", "gpt-4o2024-01-01"]
      ) {
        assert.isUndefined(yield* idOf("openai", id), id)
      }
      assert.isUndefined(yield* idOf("openrouter", "openai/gpt-4o:nitro"))
      assert.isUndefined(yield* idOf("nobody", "gpt-4o"))
      assert.isUndefined(yield* idOf("constructor", "gpt-4o"))
    }))

  it.effect("has no price of 0 but for models that say they are free", () =>
    Effect.gen(function*() {
      for (const provider of ["openrouter", "mistral", "nvidia", "gemini", "zai", "vercel-gateway", "bedrock"]) {
        const models = yield* Models.all(provider)
        assert.isAbove(models.length, 3)
        for (const { id, prices } of models) {
          if (prices?.input === 0 || prices?.output === 0) assert.match(id, /free$/)
        }
      }
      assert.isUndefined((yield* Models.lookup("openrouter", "openrouter/auto"))?.prices)
    }))
})
