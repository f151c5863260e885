// What is shown of a JSON text while it still comes: a part of what it will be, never anything else.
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { maxJsonDepth } from "../../src/json/depth.ts"
import { parsePartialJson } from "../../src/json/partial.ts"
import type { Json } from "../../src/json/value.ts"

const isObject = (value: unknown): value is { readonly [name: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Whether a value is one that is not complete yet: shorter texts and lists, fewer members, all in order. */
const isPartOf = (part: Json, whole: Json): boolean => {
  if (typeof part === "string") return typeof whole === "string" && whole.startsWith(part)
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.length <= whole.length && part.every((one, at) => isPartOf(one, whole[at]!))
  }
  if (!isObject(part)) return part === whole
  if (!isObject(whole)) return false
  const names = Object.keys(whole)
  return Object.entries(part).every(([name, one], at) => names[at] === name && isPartOf(one, whole[name]!))
}

const text = fc.array(fc.constantFrom("a", "é", "😀", "\"", "\\", "{", "}", "[", "]", ",", ":", "\n", "u", "\u0007"), {
  maxLength: 5
}).map((pieces) => pieces.join(""))
const name = fc.tuple(fc.constantFrom("x", "y", "z"), text).map((pieces) => pieces.join(""))
const { value: values } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    text,
    fc.constantFrom<Json>(null, true, false, 0, -12.5, 1e21),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value"), { maxKeys: 3 })
  )
}))
const spaced = (value: Json, indent: number): string => JSON.stringify(value, undefined, indent)
/** Models escape what needs none. */
const escaped = (json: string): string =>
  json.replace(
    /[é😀]/gu,
    (char) =>
      [...Array(char.length).keys()].map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")
  )

const containers = fc.oneof(fc.array(values, { maxLength: 4 }), fc.dictionary(name, values, { maxKeys: 4 }))

describe("A JSON text that is cut anywhere", () => {
  it("shows a part of the whole that only grows, from its first character on", () =>
    fc.assert(
      fc.property(containers, fc.constantFrom(0, 2), fc.boolean(), (value, indent, escapes) => {
        const json = escapes ? escaped(spaced(value, indent)) : spaced(value, indent)
        const whole = JSON.parse(json)
        let shown: Json | undefined
        for (let end = 1; end <= json.length; end++) {
          const next = parsePartialJson(json.slice(0, end))
          assert.isDefined(next, json.slice(0, end))
          assert.isTrue(isPartOf(next!, whole), `${json.slice(0, end)} shows ${JSON.stringify(next)}`)
          if (shown !== undefined) assert.isTrue(isPartOf(shown, next!), `${json.slice(0, end)} takes back`)
          shown = next
        }
        assert.deepStrictEqual(shown, whole)
      }),
      { numRuns: 60 }
    ))

  it.each<readonly [text: string, shown: Json | undefined]>([
    ["", undefined],
    ["   ", undefined],
    ["{\"a\":[1,2", { a: [1] }],
    ["{\"a\":[1,2,", { a: [1, 2] }],
    ["{\"a\":\"b", { a: "b" }],
    ["[\"a\",\"b", ["a", "b"]],
    ["{\"a\":1,\"b", { a: 1 }],
    ["{\"a\":1,\"b\":", { a: 1 }],
    ["{\"a\":{\"b\":true}", { a: { b: true } }],
    ["[{\"a\":1},[\"x\\", [{ a: 1 }, ["x"]]],
    ["[\"x\\u00e", ["x"]],
    ["[\"x\\u00e9", ["xé"]],
    ["[\"x\\\\u00", ["x\\u00"]],
    ["\"a text", "a text"],
    ["  {\"a\":1}  ", { a: 1 }],
    ["{\"a\":1}}", undefined],
    ["no JSON", undefined]
  ])("shows what has come: %s", (text, shown) => {
    assert.deepStrictEqual(parsePartialJson(text), shown)
  })

  it("is not looked into beyond the depth that is read", () => {
    assert.isDefined(parsePartialJson("[".repeat(maxJsonDepth)))
    assert.isUndefined(parsePartialJson("[".repeat(maxJsonDepth + 1)))
    assert.isDefined(parsePartialJson(`[${"[],".repeat(2 * maxJsonDepth)}`))
  })
})
