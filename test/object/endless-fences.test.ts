import { assert, describe, it } from "@effect/vitest"
import { candidatesIn } from "../../src/json/extract.ts"
import { unguided } from "../../src/json/growing.ts"
import { PartialText } from "../../src/object/partialText.ts"

// With a search that begins anew at each character these would take minutes.
const long = 400_000

describe("a fence that has no end", () => {
  it("is read once, whatever it is made of", () => {
    for (const filler of ["a", " ", "`"]) {
      assert.deepStrictEqual(candidatesIn("```" + filler.repeat(long), true), [])
    }
  })

  it("does not hold up the value behind it", () => {
    const text = new PartialText(unguided, true)
    assert.deepStrictEqual(text.push("`".repeat(long) + "{\"a\": 1}"), { a: 1 })
  })

  it("is left out with a bracket in its first line", () => {
    const text = new PartialText(unguided, true)
    assert.deepStrictEqual(text.push("Here:\n```json {title}\n{\"a\": 1}\n```"), { a: 1 })
  })
})
