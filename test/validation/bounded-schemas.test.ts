import { assert, describe, it } from "@effect/vitest"
import type { Json, JsonObject } from "../../src/json/value.ts"
import { misfits } from "../../src/validation/jsonSchema/misfits.ts"

/** Definitions each of which offers the next one twice: without a bound their number of ways doubles with each. */
const doubling = (levels: number): JsonObject => {
  const $defs: { [name: string]: Json } = { [`d${levels}`]: { type: "string" } }
  for (let i = 0; i < levels; i++) {
    $defs[`d${i}`] = { anyOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] }
  }
  return { $defs, $ref: "#/$defs/d0" }
}

describe("Schemas of tools from elsewhere", () => {
  it("end, whatever they are made of", () => {
    assert.deepStrictEqual(misfits(doubling(60), 1), [])
    assert.lengthOf(misfits({ $ref: "#" }, 1), 1)
    assert.deepStrictEqual(misfits({ type: "string", pattern: "^(a+)+$" }, `${"a".repeat(40)}b`), [])
  })

  it("are held where that takes a bounded time", () => {
    assert.lengthOf(misfits(doubling(4), 1), 1)
    assert.deepStrictEqual(misfits(doubling(4), "text"), [])
    assert.lengthOf(misfits({ type: "string", pattern: "^a+$" }, "ab"), 1)
    assert.lengthOf(misfits({ type: "string", pattern: "^(a+)+$" }, "aab"), 1)
  })
})
