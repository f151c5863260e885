// JSON as text: what is sent is well-formed, and how deep a text is nested is known before it is read.
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { maxJsonDepth } from "../../src/json/depth.ts"
import { isTooDeep, isValueTooDeep, parseJson, whyNotJson } from "../../src/json/parse.ts"
import { jsonText } from "../../src/json/text.ts"
import type { Json } from "../../src/json/value.ts"

/** Strings in which everything stands that could be taken for structure, and halves of characters. */
const texts = fc.array(
  fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ",",
    ":",
    "u",
    "d83d",
    "\ud83d",
    "\ude00",
    "😀",
    "a",
    "\n",
    "\\ud83d"
  ),
  { maxLength: 8 }
).map((pieces) => pieces.join(""))

const wellFormed = (value: Json): Json =>
  typeof value === "string"
    ? value.toWellFormed()
    : Array.isArray(value)
    ? value.map(wellFormed)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name.toWellFormed(), wellFormed(one)]))
    : value

describe("The text of a value", () => {
  it("means the value, with every half of a character replaced and nothing else", () =>
    fc.assert(fc.property(fc.array(fc.tuple(texts, texts), { maxLength: 4 }), (pairs) => {
      const value = [...pairs.flat(), Object.fromEntries(pairs)]
      const text = jsonText(value)
      assert.deepStrictEqual(JSON.parse(text), wellFormed(value))
      assert.notMatch(text, /(?<!\\)(?:\\\\)*\\ud[89a-f]/)
    })))
})

describe("The depth of a JSON text", () => {
  /** A value nested so deep, with strings beside and in it that look like nesting, as a text. */
  const nested = fc.record({
    depth: fc.integer({ min: maxJsonDepth - 3, max: maxJsonDepth + 3 }),
    kinds: fc.infiniteStream(fc.boolean()),
    beside: texts,
    inside: fc.oneof(texts, fc.constantFrom(1, null, true))
  }).map(({ beside, depth, inside, kinds }) => {
    let text = JSON.stringify(inside)
    for (let at = 0; at < depth; at++) {
      const { value: isArray } = kinds.next()
      text = isArray ? `[${JSON.stringify(beside)}, ${text}]` : `{${JSON.stringify(`${beside}k`)}: ${text}}`
    }
    return { depth, text }
  })

  it("decides whether it is read, whatever stands in its strings", () =>
    fc.assert(
      fc.property(nested, ({ depth, text }) => {
        const isOver = depth > maxJsonDepth
        assert.strictEqual(isTooDeep(text), isOver)
        const value = JSON.parse(text)
        assert.strictEqual(isValueTooDeep(value), isOver)
        assert.deepStrictEqual(parseJson(text), isOver ? undefined : value)
        assert.strictEqual(whyNotJson(text).includes(String(maxJsonDepth)), isOver)
      }),
      { numRuns: 40 }
    ))

  it("counts what is open, not what was opened", () => {
    const wide = `[${Array.from({ length: 2000 }, () => "[{}]").join(",")}]`
    assert.isFalse(isTooDeep(wide))
    assert.isFalse(isValueTooDeep(JSON.parse(wide)))
    assert.lengthOf(parseJson(wide) as Array<Json>, 2000)
  })

  it("is that of the text as far as it goes: a string without an end hides the rest", () => {
    assert.isFalse(isTooDeep(`"${"[".repeat(5000)}`))
    assert.isFalse(isTooDeep(`"\\"${"[".repeat(5000)}`))
    assert.isTrue(isTooDeep(`"\\\\"${"[".repeat(5000)}`))
    assert.isTrue(isTooDeep("[".repeat(5000)))
  })
})
