import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { maxJsonDepth } from "../../src/json/depth.ts"
import { isTooDeep, isValueTooDeep, parseJson, parseJsonUnsafe } from "../../src/json/parse.ts"
import { parsePartialJson } from "../../src/json/partial.ts"
import { readArguments } from "../../src/protocol/Assembler.ts"
import { parsed, parsedOrText } from "../../src/protocol/Probe.ts"
import { nested } from "../fuzz/json.ts"

const kinds = ["array", "object", "both"] as const
const levels = { array: 1, object: 1, both: 2 }

/** Objects and arrays nested, by counting. */
const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

describe("the depth of JSON", () => {
  it.each(kinds)("is read to the bound and no further: %s", (kind) => {
    const most = maxJsonDepth / levels[kind]
    assert.strictEqual(depthOf(parseJson(nested(most, kind))), maxJsonDepth)
    for (const depth of [most + 1, 4000, 200_000]) {
      assert.isTrue(isTooDeep(nested(depth, kind)))
      assert.isUndefined(parseJson(nested(depth, kind)))
      assert.throws(() => parseJsonUnsafe(nested(depth, kind)), SyntaxError)
    }
  })

  it("does not count what stands in strings", () => {
    const text = JSON.stringify({
      a: "[".repeat(5000),
      "{{{{": "\\\"[[[".repeat(500),
      b: `${"\\".repeat(999)}"`,
      c: [[1]]
    })
    assert.deepStrictEqual(parseJson(text), JSON.parse(text))
    // A backslash before the closing quote, and two of them.
    assert.isTrue(isTooDeep(`["a\\\\",${nested(600, "array")}]`))
    assert.isFalse(isTooDeep(`["a\\"${"[".repeat(2000)}"]`))
    assert.isTrue(isTooDeep(`{"a":"${"x".repeat(3000)}","b":${nested(600, "object")}}`))
  })

  it("changes nothing else of what is read", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3000), (value, padding) => {
        const text = JSON.stringify([value, "x".repeat(padding)])
        assert.deepStrictEqual(parseJson(text), JSON.parse(text))
      }),
      { numRuns: 500, seed: 20261201 }
    )
    fc.assert(
      fc.property(fc.string(), (text) => {
        let expected: unknown
        try {
          expected = JSON.parse(text)
        } catch {
          expected = undefined
        }
        assert.deepStrictEqual(parseJson(text), expected as never)
      }),
      { numRuns: 500, seed: 20261202 }
    )
  })

  it("tells values as it tells their text", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 500, max: 530 }),
        fc.constantFrom(...kinds),
        fc.jsonValue(),
        (depth, kind, inner) => {
          const text = nested(depth, kind, JSON.stringify(inner))
          assert.strictEqual(isValueTooDeep(JSON.parse(text)), isTooDeep(text))
          assert.strictEqual(isTooDeep(text), depthOf(JSON.parse(text)) > maxJsonDepth)
        }
      ),
      { numRuns: 200, seed: 20261203 }
    )
  })

  it("bounds every reader of text", () => {
    const deep = nested(maxJsonDepth + 1, "object")
    assert.deepStrictEqual(readArguments(deep), { arguments: deep, invalid: true })
    assert.isUndefined(readArguments(nested(maxJsonDepth, "object")).invalid)
    assert.isUndefined(parsed(deep))
    assert.strictEqual(parsedOrText(deep), deep)
    assert.isUndefined(parsePartialJson(deep))
    assert.isUndefined(parsePartialJson(deep.slice(0, -1)))
    assert.isUndefined(parsePartialJson("[".repeat(5000)))
  })

  it("is known before anything is parsed, in time that grows with the text", () => {
    // What would be slow is parsed here: a million levels, a million quotes, a million backslashes.
    assert.isUndefined(parseJson("[".repeat(1_000_000)))
    assert.isFalse(isTooDeep("\"".repeat(1_000_000)))
    assert.isFalse(isTooDeep(`"${"\\".repeat(1_000_000)}`))
    assert.isFalse(isTooDeep(`"${"\\\"".repeat(500_000)}`))
  })
})
