import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { GrowingJson } from "../../src/json/growing.ts"
import { parsePartialJson } from "../../src/json/partial.ts"
import type { Json } from "../../src/json/value.ts"
import { guideOf } from "../../src/object/guide.ts"

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json)

/** A text in pieces, wherever it is cut. */
const inPieces = (text: string, cuts: ReadonlyArray<number>): ReadonlyArray<string> => {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length))
}

/** Whether a value is a beginning of another: no scalar that is not whole, no list that has something else. */
const isBeginning = (part: Json, whole: Json): boolean => {
  if (typeof part === "string") {
    return typeof whole === "string" && whole.startsWith(part) &&
      part.isWellFormed() === whole.slice(0, part.length).isWellFormed()
  }
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.length <= whole.length && part.every((one, i) => isBeginning(one, whole[i]!))
  }
  if (typeof part === "object" && part !== null) {
    return typeof whole === "object" && whole !== null && !Array.isArray(whole) &&
      Object.entries(part).every(([name, one]) =>
        Object.hasOwn(whole, name) && isBeginning(one as Json, (whole as { [name: string]: Json })[name]!)
      )
  }
  return Object.is(part, whole)
}

const snapshots = (reader: GrowingJson, pieces: ReadonlyArray<string>): ReadonlyArray<Json> => {
  const seen: Array<Json> = []
  for (const piece of pieces) {
    reader.push(piece)
    const value = reader.take()
    if (value !== undefined) seen.push(value)
  }
  reader.end()
  const last = reader.take()
  return last === undefined ? seen : [...seen, last]
}

describe("Growing JSON", () => {
  it("ends as the parsed text, and is a beginning of it before", () =>
    fc.assert(
      fc.property(json, fc.boolean(), fc.array(fc.nat(), { maxLength: 30 }), (value, isWide, cuts) => {
        const text = JSON.stringify(value, undefined, isWide ? 2 : 0)
        const seen = snapshots(new GrowingJson(), inPieces(text, cuts))
        assert.deepStrictEqual(seen.at(-1), JSON.parse(text))
        for (const part of seen) assert.isTrue(isBeginning(part, JSON.parse(text)), JSON.stringify(part))
      })
    ))

  it("reads escapes and surrogate pairs cut anywhere", () => {
    const text = JSON.stringify({ a: "x\ud83d\ude00y\n\"\\", "\u00e9\ud83d\ude00": ["\ud83d"] }).replaceAll(
      "\ud83d\ude00",
      "\\ud83d\\ude00"
    )
    for (let cut = 0; cut <= text.length; cut++) {
      for (const part of snapshots(new GrowingJson(), [text.slice(0, cut), text.slice(cut)])) {
        assert.isTrue(isBeginning(part, JSON.parse(text)), JSON.stringify(part))
      }
    }
  })

  it("never shows a number or a literal that may go on", () => {
    const reader = new GrowingJson()
    const shown = (piece: string) => {
      reader.push(piece)
      return reader.value
    }
    assert.deepStrictEqual(shown("{\"a\":12"), {})
    assert.deepStrictEqual(shown("3"), {})
    assert.deepStrictEqual(shown(",\"b\":tr"), { a: 123 })
    assert.deepStrictEqual(shown("ue,\"c\":-1.5e"), { a: 123, b: true })
    assert.deepStrictEqual(shown("2}"), { a: 123, b: true, c: -150 })
  })

  it("gives nothing for a piece that changes nothing", () => {
    const reader = new GrowingJson()
    reader.push("{\"a\":1,")
    assert.deepStrictEqual(reader.take(), { a: 1 })
    for (const piece of ["  ", "\"b", "cd\"", " : ", "12"]) {
      reader.push(piece)
      assert.isUndefined(reader.take())
    }
  })

  it("gives nothing for the end of what has shown already", () => {
    const reader = new GrowingJson()
    reader.push("{\"a\":[\"b")
    assert.deepStrictEqual(reader.take(), { a: ["b"] })
    for (const piece of ["\"", "]", "}"]) {
      reader.push(piece)
      assert.isUndefined(reader.take())
    }
    assert.isTrue(reader.isDone)
    assert.deepStrictEqual(reader.value, { a: ["b"] })
  })

  it("keeps what did not change as the same object, and never changes what it gave", () => {
    const reader = new GrowingJson()
    reader.push("{\"list\":[{\"n\":1},{\"n\":2}],\"text\":\"a")
    const before = reader.value as { list: Json; text: string }
    const copy = structuredClone(before)
    reader.push("bc")
    const after = reader.value as { list: Json; text: string }
    assert.strictEqual(after.list, before.list)
    assert.strictEqual(after.text, "abc")
    assert.deepStrictEqual(before, copy)
  })

  it("breaks where JSON.parse would, and keeps what was sound", () =>
    fc.assert(
      fc.property(
        json,
        fc.nat(),
        fc.constantFrom("x", "'", ",,", "}", "]", ":", "\u0001", "\\q", "01", "nul"),
        (value, place, junk) => {
          const text = JSON.stringify(value)
          const at = place % (text.length + 1)
          const damaged = text.slice(0, at) + junk + text.slice(at)
          const reader = new GrowingJson()
          const taken = reader.push(damaged)
          reader.end()
          let isSound = true
          try {
            JSON.parse(damaged)
          } catch {
            isSound = false
          }
          if (isSound) assert.deepStrictEqual(reader.value, JSON.parse(damaged))
          else assert.isTrue(!reader.isDone || damaged.slice(taken).trim() !== "", damaged)
        }
      ),
      { numRuns: 500 }
    ))

  it("shows a word of a fixed list only when it is whole", () => {
    const schema = {
      type: "object",
      properties: {
        kind: { enum: ["circle", "circle-segment"] },
        name: { type: "string" },
        at: { type: "string", format: "date" },
        shape: { anyOf: [{ type: "object", properties: { is: { const: "a" } } }, { $ref: "#/$defs/other" }] }
      },
      $defs: { other: { type: "object", properties: { is: { const: "ab" }, note: { type: "string" } } } }
    }
    const text =
      "{\"kind\":\"circle-segment\",\"name\":\"Ann\",\"at\":\"2026-01-02\",\"shape\":{\"is\":\"ab\",\"note\":\"hi\"}}"
    const seen = snapshots(new GrowingJson(guideOf(schema)), text.split("")) as ReadonlyArray<
      { kind?: string; name?: string; at?: string; shape?: { is?: string; note?: string } }
    >
    const values = (of: (part: typeof seen[number]) => string | undefined) => [...new Set(seen.map(of))]
    assert.deepStrictEqual(values(({ kind }) => kind), [undefined, "circle-segment"])
    assert.deepStrictEqual(values(({ name }) => name), [undefined, "", "A", "An", "Ann"])
    assert.deepStrictEqual(values(({ at }) => at), [undefined, "2026-01-02"])
    assert.deepStrictEqual(values(({ shape }) => shape?.is), [undefined, "ab"])
    assert.deepStrictEqual(values(({ shape }) => shape?.note), [undefined, "", "h", "hi"])
  })

  it("reads names that every object has", () => {
    const text = "{\"__proto__\":{\"a\":1},\"constructor\":\"x\"}"
    const value = parsePartialJson(text) as object
    assert.deepStrictEqual(Object.keys(value), ["__proto__", "constructor"])
    assert.strictEqual(Object.getPrototypeOf(value), Object.prototype)
  })
})
