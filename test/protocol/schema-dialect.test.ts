import { assert, describe, it } from "@effect/vitest"
import { moonshot, openAiStrict } from "../../src/protocol/SchemaDialect.ts"

const problemOf = (schema: Parameters<typeof openAiStrict>[0]) => {
  const strict = openAiStrict(schema)
  return "problem" in strict ? strict.problem.at : undefined
}

describe("OpenAI's strict schemas", () => {
  it("closes every object, in properties, items, anyOf and definitions", () => {
    const open = { type: "object", properties: { a: { type: "string" } }, required: ["a"] }
    const closed = { ...open, additionalProperties: false }
    const strict = openAiStrict({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { one: open, many: { type: "array", items: open }, either: { anyOf: [open, { type: "null" }] } },
      required: ["one", "many", "either"],
      $defs: { Other: open }
    })
    assert.deepStrictEqual("schema" in strict ? strict.schema : strict, {
      type: "object",
      properties: {
        one: closed,
        many: { type: "array", items: closed },
        either: { anyOf: [closed, { type: "null" }] }
      },
      required: ["one", "many", "either"],
      $defs: { Other: closed },
      additionalProperties: false
    })
  })

  it("names the place of what strict mode cannot say", () => {
    const required = { type: "object", properties: { a: {} }, required: ["a"] }
    assert.strictEqual(problemOf({ ...required, required: [] }), ".properties.a")
    assert.strictEqual(problemOf({ ...required, additionalProperties: { type: "string" } }), ".additionalProperties")
    assert.strictEqual(
      problemOf({ ...required, properties: { a: { type: "object" } } }),
      ".properties.a.additionalProperties"
    )
    assert.strictEqual(problemOf({ ...required, properties: { a: { allOf: [] } } }), ".properties.a")
    assert.strictEqual(problemOf({ type: "string" }), "")
    assert.strictEqual(problemOf({ anyOf: [required] }), "")
  })
})

describe("Moonshot's schemas", () => {
  it("have no $schema, tuples as prefixItems, and types inside anyOf", () => {
    assert.deepStrictEqual(
      moonshot({
        $schema: "x",
        type: "object",
        properties: {
          pair: { type: "array", items: [{ type: "string" }, { type: "number" }] },
          either: { type: "string", anyOf: [{ minLength: 1 }, { type: "null" }] }
        }
      }, "tools[0].parameters"),
      {
        type: "object",
        properties: {
          pair: { type: "array", prefixItems: [{ type: "string" }, { type: "number" }] },
          either: { anyOf: [{ type: "string", minLength: 1 }, { type: "null" }] }
        }
      }
    )
  })

  it("are refused when the root is no object", () => {
    assert.deepStrictEqual(moonshot({ type: "string" }, "responseFormat.schema"), {
      refused: { field: "responseFormat.schema", message: "The provider takes only schemas whose root is an object." }
    })
  })
})
