// What a call costs, and how many tokens a request may have: sums of its parts.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { Usage } from "../../src/LlmResponse.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import type * as Message from "../../src/Message.ts"
import { sumUsage } from "../../src/message/usage.ts"
import type { Prices } from "../../src/Model.ts"
import { inputTokens } from "../../src/model/estimate.ts"
import { priceFinder, priceOf } from "../../src/model/pricing.ts"

const perMillion = { input: 1, output: 10, cacheRead: 0.1, cacheWrite: 2, cacheWrite1h: 4 }

/** Whether dollars are the same but for their last digits. */
const isClose = (actual: number | undefined, expected: number | undefined): boolean =>
  actual === undefined || expected === undefined ? actual === expected : Math.abs(actual - expected) < 1e-9

describe("The price of a call", () => {
  it("is that of each kind of its tokens", () =>
    fc.assert(fc.property(
      fc.record({
        uncached: fc.nat(1e6),
        read: fc.nat(1e6),
        write: fc.nat(1e6),
        hourly: fc.nat(1e6),
        output: fc.nat(1e6)
      }),
      fc.boolean(),
      ({ hourly, output, read, uncached, write }, named) => {
        const usage: Usage = {
          input: {
            ...(named ? { uncached } : { total: uncached + read + write + hourly }),
            cacheRead: read,
            cacheWrite: write + hourly,
            cacheWrite1h: hourly
          },
          output: { total: output }
        }
        assert.isTrue(
          isClose(priceOf(usage, perMillion), (uncached + 0.1 * read + 2 * write + 4 * hourly + 10 * output) / 1e6)
        )
      }
    )))

  it("is unknown where a price or a count that it needs is, and not where there is nothing to pay", () => {
    const usage = { input: { total: 10 }, output: { total: 5 } }
    assert.isTrue(isClose(priceOf(usage, undefined), undefined))
    assert.isTrue(isClose(priceOf({ input: {}, output: { total: 5 } }, perMillion), undefined))
    assert.isTrue(isClose(priceOf({ input: { total: 10 }, output: {} }, perMillion), undefined))
    const plain = { input: 1, output: 10 }
    assert.isTrue(isClose(priceOf(usage, plain), 60 / 1e6))
    assert.isTrue(
      isClose(priceOf({ input: { total: 10, cacheRead: 0, cacheWrite: 0 }, output: { total: 0 } }, plain), 10 / 1e6)
    )
    assert.isTrue(isClose(priceOf({ input: { total: 10, cacheRead: 4 }, output: { total: 5 } }, plain), undefined))
    assert.isTrue(isClose(priceOf({ input: { total: 10, cacheWrite: 4 }, output: { total: 5 } }, plain), undefined))
    // More of an hour's writes than of writes: the whole is what counts.
    assert.isTrue(
      isClose(
        priceOf({ input: { total: 4, cacheWrite: 4, cacheWrite1h: 9 }, output: { total: 0 } }, perMillion),
        16 / 1e6
      )
    )
  })

  it("is that of the highest tier that the input is above, in whatever order they stand", () =>
    fc.assert(fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { maxLength: 4 }),
      fc.nat(25),
      (bounds, total) => {
        const prices: Prices = {
          input: 1,
          output: 1,
          tiers: bounds.map((aboveInputTokens) => ({ aboveInputTokens, input: 100 + aboveInputTokens, output: 1 }))
        }
        const reached = bounds.filter((bound) => total > bound)
        const rate = reached.length === 0 ? 1 : 100 + Math.max(...reached)
        assert.isTrue(isClose(priceOf({ input: { total }, output: { total: 0 } }, prices), total * rate / 1e6))
      }
    )))

  it("of a model is the application's own word, else what is known", async () => {
    const find = priceFinder({ "openai/own": { input: 7, output: 8 } })
    const prices = (provider: string, model: string) => Effect.runPromise(find(provider, model))
    for (let i = 0; i < 2; i++) {
      assert.deepStrictEqual(await prices("openai", "own"), { input: 7, output: 8 })
      assert.isUndefined(await prices("anthropic", "own"))
      assert.isUndefined(await prices("openai", "toString"))
      assert.isDefined(await prices("openai", "gpt-4o"))
    }
    // Models of which nobody has heard are not kept for ever, and push nothing else out for good.
    for (let i = 0; i < 300; i++) assert.isUndefined(await prices("openai", `unheard-of-${i}`))
    assert.deepStrictEqual(await prices("openai", "own"), { input: 7, output: 8 })
  })
})

describe("Usage of several calls", () => {
  const count = fc.option(fc.nat(100), { nil: undefined })
  const usages: fc.Arbitrary<Usage> = fc.record({
    input: fc.record({ total: count, uncached: count, cacheRead: count, cacheWrite: count, cacheWrite1h: count }),
    output: fc.record({ total: count, text: count, reasoning: count }),
    billedCost: count
  })
  const flat = ({ billedCost, input, output }: Usage): { readonly [name: string]: number | undefined } => ({
    billedCost,
    ...Object.fromEntries(Object.entries(input).map(([name, value]) => [`input.${name}`, value])),
    ...Object.fromEntries(Object.entries(output).map(([name, value]) => [`output.${name}`, value]))
  })

  it("is the sum of each count, and absent where both are", () =>
    fc.assert(fc.property(usages, usages, (a, b) => {
      const [one, other, sum] = [flat(a), flat(b), flat(sumUsage(a, b))]
      for (const name of Object.keys(one)) {
        const isAbsent = one[name] === undefined && other[name] === undefined
        assert.strictEqual(sum[name], isAbsent ? undefined : (one[name] ?? 0) + (other[name] ?? 0), name)
        assert.strictEqual(name in sum && sum[name] === undefined && name !== "billedCost", false)
      }
    })))
})

describe("The estimate of a request", () => {
  const image = { type: "image", source: { type: "url", url: "https://example.com/a.png" } } as const
  const parts: ReadonlyArray<readonly [part: Message.Part, characters: number]> = [
    [{ type: "text", text: "x".repeat(40) }, 40],
    [{ type: "reasoning", text: "x".repeat(44) }, 44],
    [image, 4000],
    [{ type: "tool-call", id: "1", name: "look", arguments: { a: "bcd" } }, 4 + "{\"a\":\"bcd\"}".length],
    [{ type: "tool-call", id: "1", name: "look", arguments: "free text" }, 4 + 9],
    [{ type: "tool-result", toolCallId: "1", content: "x".repeat(12) }, 12],
    [{ type: "tool-result", toolCallId: "1", content: [{ type: "text", text: "xx" }, image] }, 4002],
    [{ type: "source", url: "12345", title: "123", citedText: "12" }, 10],
    [{ type: "source", title: "123" }, 3],
    [{ type: "server-tool", name: "find", kind: "call", data: { q: 1 }, origin: { wire: "w" } }, 4 + "{\"q\":1}".length]
  ]
  const tools: ReadonlyArray<readonly [tool: LlmTool.LlmTool, characters: number]> = [
    [LlmTool.make("abcd", { parameters: { type: "object" } }), 4 + "{\"type\":\"object\"}".length],
    [LlmTool.make("abcd", { description: "efgh", parameters: {} }), 4 + 4 + 2],
    [LlmTool.custom("free"), 4 + 2],
    [LlmTool.custom("free", { description: "12345" }), 4 + 5 + 2]
  ]

  it("is a quarter of its characters, rounded up, whatever it is made of", () =>
    fc.assert(fc.property(
      fc.array(fc.constantFrom(...parts), { maxLength: 5 }),
      fc.array(fc.constantFrom(...tools), { maxLength: 3 }),
      fc.option(fc.nat(30), { nil: undefined }),
      (contents, tools, system) => {
        const request = {
          ...(system === undefined ? undefined : { system: "s".repeat(system) }),
          messages: [
            { role: "user", content: "12" },
            { role: "assistant", content: contents.map(([part]) => part) }
          ],
          tools: tools.map(([tool]) => tool)
        } as unknown as LlmRequest
        const characters = [...contents, ...tools].reduce((sum, [, length]) => sum + length, 2 + (system ?? 0))
        assert.strictEqual(inputTokens(request), Math.ceil(characters / 4))
      }
    )))

  it("counts the schema of an answer", () => {
    const schema = { type: "object", properties: { a: { type: "string" } } }
    const request: LlmRequest = { prompt: "1234", responseFormat: { type: "json-schema", schema } }
    assert.strictEqual(inputTokens(request), Math.ceil((4 + JSON.stringify(schema).length) / 4))
    assert.strictEqual(inputTokens({ prompt: "1234", responseFormat: { type: "json" } }), 1)
  })
})
