import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { candidatesIn } from "../../src/json/extract.ts"
import type { Json } from "../../src/json/value.ts"
import { fit } from "../../src/object/fit.ts"
import * as PartialJson from "../../src/object/PartialJson.ts"
import { readObject } from "../../src/object/read.ts"
import { nothing, typed, untyped } from "./cases.ts"

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json)

/** A way in which models spoil JSON without a doubt about its meaning. */
const spoilt: ReadonlyArray<readonly [name: string, spoil: (text: string) => string]> = [
  ["a fence", (text) => `\`\`\`json\n${text}\n\`\`\``],
  ["a fence that stays open", (text) => `Here you are:\n\n\`\`\`\n${text}`],
  ["a comment", (text) => `// The answer\n${text} /* that was it */`],
  ["spaces", (text) => `\n\n  ${text}\n\t`],
  ["a byte order mark", (text) => `\ufeff${text}`],
  ["trailing commas", (text) => text.replaceAll(/(?<=[\d\w"}\]])([}\]])(?=(?:[^"]*"[^"]*")*[^"]*$)/g, ",$1")]
]

describe("What models write in place of JSON", () => {
  for (const [text, value] of untyped) {
    it(`reads ${JSON.stringify(text).slice(0, 70)}`, () => assert.deepStrictEqual(candidatesIn(text)[0]?.value, value))
  }

  for (const [text, schema, value] of typed) {
    it(`${value === nothing ? "refuses" : "fits"} ${JSON.stringify(text).slice(0, 50)} for ${JSON.stringify(schema).slice(0, 50)}`, () => {
      const read = readObject(text, schema)
      assert.deepStrictEqual(read === undefined ? nothing : read.value, value)
    })
  }

  it("never changes sound JSON", () =>
    fc.assert(fc.property(json, fc.boolean(), (value, isWide) => {
      const [only, ...others] = candidatesIn(JSON.stringify(value, undefined, isWide ? 2 : 0))
      assert.deepStrictEqual(only, { value, repairs: [], cut: false })
      assert.deepStrictEqual(others, [])
    })))

  it("reads objects and lists through what is around them", () =>
    fc.assert(
      fc.property(
        json.filter((value) => typeof value === "object" && value !== null),
        fc.constantFrom(...spoilt),
        (value, [, spoil]) => {
          const text = JSON.stringify(value)
          if (text.includes("```") || text.includes("\\")) return
          assert.deepStrictEqual(candidatesIn(spoil(text))[0]?.value, value)
        }
      )
    ))

  it("is total, and names what it mended", () =>
    fc.assert(
      fc.property(
        json,
        fc.nat(),
        fc.constantFrom("", "\"", "'", ",", ":", "{", "[", "}", "]", "\\", "/*", "//", "```\n", "("),
        fc.nat(3),
        (value, place, more, less) => {
          const text = JSON.stringify(value, undefined, 1)
          const at = place % (text.length + 1)
          const damaged = text.slice(0, at) + more + text.slice(at + less)
          const unsound = candidatesIn(damaged).filter(({ repairs, value }) =>
            JSON.stringify(value) === undefined ||
            (repairs.length === 0 && JSON.stringify(value) !== JSON.stringify(JSON.parse(damaged)))
          )
          assert.deepStrictEqual(unsound, [])
        }
      ),
      { numRuns: 200 }
    ))

  it("reads deep nesting and long rows of quotes in bounded time", () => {
    for (
      const unit of [
        "[",
        "{",
        "{\"a\":",
        "\"",
        "'",
        "[\"a\" ",
        "{\"a\" ",
        "```\n",
        "a\"",
        "\\\"",
        "{a:",
        ",",
        "(",
        "f(",
        "//",
        "/*"
      ]
    ) {
      assert.isArray(candidatesIn(unit.repeat(20_000)))
      assert.isArray(candidatesIn(`{"a": "${unit.repeat(20_000)}`))
    }
  })

  it("is there for arguments and texts from elsewhere", () => {
    const schema = { type: "object", properties: { unit: { enum: ["C", "Celsius"] }, city: { type: "string" } } }
    const reader = PartialJson.reader(schema)
    reader.push("{\"city\":\"Par")
    assert.deepStrictEqual(reader.value, { city: "Par" })
    reader.push("is\",\"unit\":\"C")
    assert.deepStrictEqual(reader.value, { city: "Paris" })
    assert.deepStrictEqual(PartialJson.parse("[1,2"), [1])
    assert.deepStrictEqual(PartialJson.repair("{city: 'Paris'}", schema)?.value, { city: "Paris" })
    assert.deepStrictEqual(PartialJson.repair("[1,2,]", {})?.value, [1, 2])
  })

  it("keeps what fits as the same value", () => {
    const value = { a: [1, { b: "x" }] }
    const schema = { type: "object", properties: { a: { type: "array", items: true } } }
    assert.strictEqual(fit(value, schema)?.value, value)
    assert.deepStrictEqual(fit(value, schema)?.changes, [])
  })

  it("says each change with its place", () => {
    const schema = {
      type: "object",
      properties: { ages: { type: "array", items: { type: "integer" } } },
      required: ["ages"]
    }
    assert.deepStrictEqual(fit({ Ages: ["5", 6] }, schema)?.changes, [
      "$.ages: a name in another form",
      "$.ages[0]: a number from text"
    ])
  })
})
