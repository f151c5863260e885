// The JSON Schema of the file says what the reader says.
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { LlmConfig } from "../../src/index.ts"
import type { Json, JsonObject } from "../../src/json/value.ts"
import { misfits } from "../../src/validation/jsonSchema/misfits.ts"

type Node = {
  readonly type?: string
  readonly enum?: ReadonlyArray<Json>
  readonly pattern?: string
  readonly anyOf?: ReadonlyArray<Node>
  readonly items?: Node
  readonly minItems?: number
  readonly properties?: { readonly [name: string]: Node }
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: Node | boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minLength?: number
}

const schema = LlmConfig.jsonSchema()

const name = fc.constantFrom("a", "b", "chat")
const small = fc.oneof(fc.constant(null), fc.boolean(), fc.integer(), fc.string({ maxLength: 3 }))

const known = new Map<Node, fc.Arbitrary<Json>>()

/** Values that fit a node. */
const fitting = (node: Node): fc.Arbitrary<Json> => {
  const made = known.get(node) ?? madeFor(node)
  known.set(node, made)
  return made
}

const madeFor = (node: Node): fc.Arbitrary<Json> => {
  if (node.enum !== undefined) return fc.constantFrom(...node.enum)
  if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map(fitting))
  switch (node.type) {
    case "boolean":
      return fc.boolean()
    case "string":
      return node.pattern !== undefined
        ? fc.oneof(
          fc.constantFrom("20 seconds", "1.5 minutes", "250 millis", "1 nano", "$2", "$ 2.5", "2 USD"),
          fc.constantFrom("KEY_1", "metadata.team", "/run/key", "./k", "a.b")
        ).filter((text) => new RegExp(node.pattern!).test(text))
        : name
    case "integer":
    case "number": {
      const least = node.minimum ?? node.exclusiveMinimum ?? 0
      return fc.constantFrom(1, 2, 1000).map((step) => node.maximum === 1 ? 1 : least + step)
    }
    case "array":
      return fc.array(fitting(node.items!), { minLength: node.minItems ?? 0, maxLength: 2 })
    case "object": {
      const known = Object.entries(node.properties ?? {})
      const needed = new Set(node.required)
      const few = fc.subarray(known.map(([key]) => key), { maxLength: Math.min(5, known.length) }).chain((kept) =>
        fc.record(
          Object.fromEntries(
            known.filter(([key]) => needed.has(key) || kept.includes(key)).map(([key, inner]) => [key, fitting(inner)])
          )
        )
      )
      if (typeof node.additionalProperties !== "object") return few as fc.Arbitrary<Json>
      return fc.dictionary(name, fitting(node.additionalProperties), { maxKeys: 2 }) as fc.Arbitrary<Json>
    }
    default:
      return small
  }
}

const junk: fc.Arbitrary<Json> = fc.oneof<Array<fc.Arbitrary<Json>>>(
  small,
  fc.constantFrom(
    "",
    0,
    -1,
    0.5,
    1,
    1e300,
    "0 seconds",
    "-1 seconds",
    "0.0000001 millis",
    "0.5 nanos",
    "1  second",
    "9999999999999999 weeks",
    "20",
    "5 EUR",
    "$",
    "$1.0000000000",
    "metadata.",
    "metadata.a b",
    "lower",
    "never",
    "all",
    "RateLimit",
    "retry"
  ),
  fc.constant({ extra: 1 }),
  fc.constantFrom<Array<Json>>([1], [])
)

/** Places of a value, the whole left out. */
const placesOf = (
  value: Json,
  path: ReadonlyArray<string | number> = []
): ReadonlyArray<ReadonlyArray<string | number>> =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => {
      const place = [...path, Array.isArray(value) ? Number(key) : key]
      return [place, ...placesOf(inner as Json, place)]
    })

type Change = (value: Json) => Json

const changed = (value: Json, [first, ...rest]: ReadonlyArray<string | number>, change: Change | undefined): Json => {
  const copy = (Array.isArray(value) ? [...value] : { ...value as JsonObject }) as { [key: string | number]: Json }
  if (rest.length > 0) copy[first!] = changed(copy[first!]!, rest, change)
  else if (change !== undefined) copy[first!] = change(copy[first!]!)
  else if (Array.isArray(copy)) copy.splice(Number(first), 1)
  else delete copy[first!]
  return copy
}

const config = fitting(schema as unknown as Node)

/** A file, and what may be wrong with it: a value that is another, is gone, or has a field more. */
const file: fc.Arbitrary<Json> = config.chain((value): fc.Arbitrary<Json> => {
  const places = placesOf(value)
  if (places.length === 0) return fc.constant(value)
  const place = fc.constantFrom(...places)
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant(value) },
    { weight: 4, arbitrary: fc.tuple(place, junk).map(([at, other]) => changed(value, at, () => other)) },
    { weight: 1, arbitrary: place.map((at) => changed(value, at, undefined)) },
    {
      weight: 1,
      arbitrary: place.map((at) =>
        changed(
          value,
          at,
          (inner) =>
            typeof inner === "object" && inner !== null && !Array.isArray(inner) ? { ...inner, extraField: 1 } : inner
        )
      )
    }
  )
})

/** What the reader says of the shape of a file; what is wrong between its parts is no matter of a schema. */
const readShape = Schema.decodeUnknownResult(LlmConfig.LlmConfig, { onExcessProperty: "error", errors: "all" })
const isOfOptions = (path: string) => /^instances\.\w+\.options(\.|$)/.test(path)

describe("the JSON Schema of the file", () => {
  it("fits exactly what the reader reads", () => {
    let fits = 0
    fc.assert(
      fc.property(file, (value) => {
        const problems = LlmConfig.problems(JSON.stringify(value), "json")
        const hasShape = Result.isSuccess(readShape(value)) && !problems.some(({ path }) => isOfOptions(path))
        const found = misfits(schema, value)
        if (hasShape) fits++
        assert.strictEqual(found.length === 0, hasShape, JSON.stringify([found, problems, value]))
        // What does not fit is never read.
        if (!hasShape) assert.isAbove(problems.length, 0)
      }),
      { numRuns: 120 }
    )
    assert.isAbove(fits, 15)
  })

  it("is published as it is generated", () => {
    const text = readFileSync(new URL("../../docs/llm.schema.json", import.meta.url), "utf8")
    assert.deepStrictEqual(JSON.parse(text), schema)
  })

  it("holds the tables of others, as their owners read them", () => {
    const gateway = Schema.Struct({ port: Schema.Int })
    const whole = LlmConfig.jsonSchema({ gateway })
    const file = (port: Json) => ({ default: "a", instances: { a: { provider: "groq" } }, gateway: { port } })
    assert.deepStrictEqual(misfits(whole, file(80)), [])
    assert.lengthOf(misfits(whole, file("80")), 1)
  })
})
