// One interpreter of JSON Schema: laws over any schema, and what drafts differ in.
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Json, JsonObject } from "../../src/json/value.ts"
import { documentOf, misfitOf, misfits } from "../../src/validation/jsonSchema/misfits.ts"

const fits = (schema: Json, value: Json): boolean => misfits(schema, value).length === 0

const names = fc.constantFrom("a", "b", "c")

const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom<Json>(null, true, 0, 1, 1.5, -3, "", "a", "ab", "\u{1f642}"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(names, tie("value"), { maxKeys: 3 })
  )
}))

const { schema } = fc.letrec<{ schema: Json; list: ReadonlyArray<Json> }>((tie) => ({
  list: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }),
  schema: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.boolean(),
    fc.constantFrom<Json>(
      { type: "string" },
      { type: ["number", "null"] },
      { type: "integer", minimum: 0 },
      { type: "object", required: ["a"] },
      { type: "array", minItems: 1, uniqueItems: true },
      { enum: [1, "a", null] },
      { const: { a: 1 } },
      { maxLength: 1, pattern: "a" },
      { multipleOf: 0.5, exclusiveMaximum: 1 },
      { $ref: "#/$defs/known" },
      { dependentRequired: { a: ["b"] }, maxProperties: 2 }
    ),
    fc.record(
      { properties: fc.dictionary(names, tie("schema"), { maxKeys: 2 }), additionalProperties: tie("schema") },
      {
        requiredKeys: ["properties"]
      }
    ),
    fc.record({ items: tie("schema"), prefixItems: tie("list"), contains: tie("schema") }, { requiredKeys: [] }),
    fc.record({ anyOf: tie("list") }),
    fc.record({ oneOf: tie("list") }),
    fc.record({ allOf: tie("list") }),
    fc.record({ not: tie("schema") }),
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    fc.record({ if: tie("schema"), then: tie("schema"), else: tie("schema") }, { requiredKeys: ["if"] }),
    fc.record({ propertyNames: tie("schema"), patternProperties: fc.dictionary(names, tie("schema"), { maxKeys: 1 }) }),
    fc.record({ allOf: tie("list"), unevaluatedProperties: tie("schema"), unevaluatedItems: tie("schema") })
  )
}))

const known: Json = { type: ["object", "string"] }
const with$Defs = (rest: JsonObject): JsonObject => ({ ...rest, $defs: { known } })
/** Any of them below the root, where the definitions are. */
const under = (one: Json): JsonObject => with$Defs({ allOf: [one] })

describe("A value against a JSON Schema", () => {
  it("fits or not, whatever is told of it", () => {
    fc.assert(fc.property(schema, value, (one, given) => {
      const by = under(one)
      const all = misfits(by, given)
      const first = misfitOf(documentOf(by), given)
      assert.strictEqual(first === undefined, all.length === 0)
      assert.isAtMost(all.length, 10)
      for (const { message, path } of all) {
        assert.match(message, /\.$/)
        assert.match(path, /^(?:\.[a-z]+|\[\d+\])*$/)
      }
    }))
  })

  it("is joined as logic has it", () => {
    fc.assert(fc.property(schema, schema, value, (a, b, given) => {
      const [one, other] = [fits(under(a), given), fits(under(b), given)]
      const joined = (rest: JsonObject) => fits(with$Defs(rest), given)
      assert.strictEqual(joined({ not: a }), !one)
      assert.strictEqual(joined({ allOf: [a, b] }), one && other)
      assert.strictEqual(joined({ anyOf: [a, b] }), one || other)
      assert.strictEqual(joined({ oneOf: [a, b] }), one !== other)
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      assert.strictEqual(joined({ if: a, then: b }), !one || other)
      assert.strictEqual(joined({ if: a, else: b }), one || other)
    }))
  })

  it("has parts that fit one by one", () => {
    fc.assert(fc.property(schema, fc.array(value, { maxLength: 3 }), (one, list) => {
      const each = list.map((item) => fits(under(one), item))
      assert.strictEqual(fits(with$Defs({ items: one }), list), each.every((holds) => holds))
      assert.strictEqual(fits(with$Defs({ contains: one }), list), each.includes(true))
      const members = Object.fromEntries(list.map((item, at) => [`m${at}`, item]))
      assert.strictEqual(fits(with$Defs({ additionalProperties: one }), members), each.every((holds) => holds))
      assert.strictEqual(fits(with$Defs({ unevaluatedProperties: one }), members), each.every((holds) => holds))
      assert.strictEqual(fits(with$Defs({ unevaluatedItems: one }), list), each.every((holds) => holds))
    }))
  })

  const cases: ReadonlyArray<readonly [what: string, schema: JsonObject, good: Json, bad: Json]> = [
    ["draft 4's exclusive flags", { minimum: 1, exclusiveMinimum: true }, 2, 1],
    [
      "draft 7's references, which stand alone",
      {
        $schema: "http://json-schema.org/draft-07/schema#",
        definitions: { n: { type: "number" } },
        $ref: "#/definitions/n",
        minimum: 5
      },
      1,
      "1"
    ],
    ["later references, which do not", { $defs: { n: { type: "number" } }, $ref: "#/$defs/n", minimum: 5 }, 5, 1],
    ["older positions", { items: [{ type: "number" }], additionalItems: { type: "string" } }, [1, "a"], [1, 2]],
    ["OpenAPI's nullable", { type: "string", nullable: true }, null, 1],
    ["escapes in pointers", { $defs: { "a/b%c": { type: "number" } }, $ref: "#/$defs/a~1b%25c" }, 1, "1"],
    [
      "anchors that an outer schema puts in the place of an inner one",
      {
        $ref: "list",
        $defs: {
          word: { $dynamicAnchor: "item", type: "string" },
          list: {
            $id: "list",
            items: { $dynamicRef: "#item" },
            $defs: { any: { $dynamicAnchor: "item" } }
          }
        }
      },
      ["a"],
      [1]
    ],
    [
      "members that only a schema beside has looked at",
      { allOf: [{ properties: { a: true } }, { unevaluatedProperties: false }] },
      {},
      { a: 1 }
    ]
  ]
  for (const [what, by, good, bad] of cases) {
    it(`knows ${what}`, () => {
      assert.deepStrictEqual(misfits(by, good), [])
      assert.isAbove(misfits(by, bad).length, 0)
      assert.isUndefined(misfitOf(documentOf(by), good))
      assert.isDefined(misfitOf(documentOf(by), bad))
    })
  }

  it("is told where the choice that comes nearest breaks, however many choices are around it", () => {
    const list: JsonObject = {
      anyOf: [{ type: "null" }, { type: "object", properties: { next: { $ref: "#" }, a: { type: "number" } } }]
    }
    let deep: Json = { a: "one" }
    for (let i = 0; i < 40; i++) deep = { next: deep }
    const path = `${".next".repeat(40)}.a`
    assert.deepStrictEqual(misfits(list, deep), [{ path, message: "Must be number. Got string." }])
    assert.deepStrictEqual(misfitOf(documentOf(list), deep), { path, message: "Must be number. Got string." })
  })

  it("leaves formats and references that lead nowhere to who asks", () => {
    const date: JsonObject = { format: "date" }
    assert.lengthOf(misfits(date, "tomorrow"), 1)
    assert.isUndefined(misfitOf(documentOf(date), "tomorrow"))
    const lost: JsonObject = { $ref: "#/$defs/none" }
    assert.lengthOf(misfits(lost, 1), 1)
    assert.isUndefined(misfitOf(documentOf(lost), 1))
  })
})
