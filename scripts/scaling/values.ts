// JSON that is none, JSON that comes in pieces, and values against schemas.
import { candidatesIn } from "../../src/json/extract.ts"
import { parsePartialJson } from "../../src/json/partial.ts"
import { repair } from "../../src/json/tolerant.ts"
import type { Json, JsonObject } from "../../src/json/value.ts"
import { guideOf } from "../../src/object/guide.ts"
import { reader } from "../../src/object/PartialJson.ts"
import { PartialText } from "../../src/object/partialText.ts"
import { readObject } from "../../src/object/read.ts"
import { compile } from "../../src/protocol/schema/compile.ts"
import type { Dialect } from "../../src/protocol/schema/Dialect.ts"
import { anthropic, gemini, openAi } from "../../src/protocol/schema/dialects.ts"
import { Document } from "../../src/validation/jsonSchema/document.ts"
import { misfitOf, misfits } from "../../src/validation/jsonSchema/misfits.ts"
import { type Case, many } from "./Case.ts"

// =============================================================================
// JSON that is none
// =============================================================================

const written: { readonly [thing: string]: (n: number) => string } = {
  "single quotes": (n) => `{'a': [${"'b', ".repeat(n)}]}`,
  "a single-quoted text": (n) => `'${"it's so ".repeat(n)}`,
  "quotes within a string": (n) => `{"a": "${"say \"so\" and ".repeat(n)}"}`,
  "quotes and commas within a string": (n) => `["${"a\", b ".repeat(n)}"]`,
  "line breaks within a string": (n) => `{"a": "${"line\n".repeat(n)}"}`,
  "line breaks after commas within a string": (n) => `{"a": "${"line,\n".repeat(n)}"}`,
  "white space at ends of lines within a string": (n) => `{"a": "${" ".repeat(n)}\n}`,
  "brackets within a string without an end": (n) => `{"a": "${"}\n".repeat(n)}`,
  comments: (n) => `[${"/* a */ 1, ".repeat(n)}]`,
  "comments without an end": (n) => `[${"<!-- 1, ".repeat(n)}]`,
  "comments of lines": (n) => `[${"1, // a\n".repeat(n)}]`,
  "brackets too many": (n) => `{"a": [1${"]".repeat(n)}}`,
  "commas too many": (n) => `[${",".repeat(n)}1]`,
  ellipses: (n) => `[1, ${"... ".repeat(n)}]`,
  "names without quotes": (n) => `{${many(n, (at) => `name${at}: ${at}`).join(", ")}}`,
  "values without quotes": (n) => `[${"two words, ".repeat(n)}]`,
  "a value without quotes": (n) => `{a: ${"word, ".repeat(n)}}`,
  "members without colons": (n) => `{${"\"a\" 1 ".repeat(n)}}`,
  "members without commas": (n) => `{${"\"a\": 1 ".repeat(n)}}`,
  "lists without commas": (n) => `[${"\"a\" ".repeat(n)}]`,
  "missing values": (n) => `{${"a:, ".repeat(n)}}`,
  "a long number": (n) => `[${"1".repeat(n)}x]`,
  "numbers in other forms": (n) => `[${"+1_000., ".repeat(n)}]`,
  "words of other languages": (n) => `[${"None, True, ".repeat(n)}]`,
  "calls around values": (n) => `[${"ObjectId(\"a\"), ".repeat(n)}]`,
  "strings added up": (n) => `["a"${" + \"b\"".repeat(n)}]`,
  "triple quotes": (n) => `[${"\"\"\"a\"\"\", ".repeat(n)}]`,
  "triple quotes without an end": (n) => `["""${"a\" ".repeat(n)}`,
  "escapes that are none": (n) => `["${"\\q".repeat(n)}"]`,
  "escaped quotes": (n) => `{${"\\\"a\\\": 1, ".repeat(n)}}`,
  "backslashes in escaped quotes": (n) => `{\\"a\\": \\"${"\\\\".repeat(n)}x\\"}`,
  backslashes: (n) => `["${"\\".repeat(n)}x`,
  parentheses: (n) => `[${"(1, 2), ".repeat(n)}]`,
  "white space": (n) => `[${" ".repeat(n)}x`,
  "closers at the end of a string": (n) => `[["a${"]".repeat(n)}`,
  levels: (n) => `${"[".repeat(n)}'a'`,
  "curly quotes": (n) => `[${"\u201ca\u201d, ".repeat(n)}]`
}

const answers: { readonly [thing: string]: (n: number) => string } = {
  "braces in prose": (n) => "a {b} ".repeat(n),
  "brackets in prose": (n) => "see [1 ".repeat(n),
  "openers in prose": (n) => "{".repeat(n),
  fences: (n) => "```json\n{a}\n```\n".repeat(n),
  "fences without an end": (n) => "```json\n".repeat(n),
  "values one after another": (n) => "{\"a\": 1}\n".repeat(n),
  "white space before a value": (n) => `${" ".repeat(n)}{"a": 1} x`,
  "text around a value": (n) => `${"word ".repeat(n)}{"a": 1}${" word".repeat(n)}`
}

const anything: JsonObject = { type: "object", properties: { a: { type: "string" } } }
const pieces = (text: string, size: number): ReadonlyArray<string> =>
  many(Math.ceil(text.length / size), (at) => text.slice(at * size, (at + 1) * size))

const repairs: ReadonlyArray<Case> = [
  ...Object.entries(written).flatMap(([thing, make]): ReadonlyArray<Case> => [
    {
      name: `json: ${thing}`,
      size: 50_000,
      run: (n) => {
        const text = make(n)
        return () => void repair(text)
      }
    },
    {
      name: `json: ${thing}, in pieces`,
      size: 20_000,
      run: (n) => {
        const parts = pieces(make(n), 16)
        return () => {
          const growing = new PartialText(guideOf(anything), true)
          for (const part of parts) growing.push(part)
        }
      }
    }
  ]),
  ...Object.entries(answers).map(([thing, make]): Case => ({
    name: `json: ${thing}`,
    size: 20_000,
    run: (n) => {
      const text = make(n)
      return () => void candidatesIn(text)
    }
  })),
  ...Object.entries({ ...written, ...answers }).map(([thing, make]): Case => ({
    name: `object: ${thing} by a schema`,
    size: 20_000,
    run: (n) => {
      const text = make(n)
      return () => void readObject(text, anything)
    }
  }))
]

// =============================================================================
// JSON that comes in pieces
// =============================================================================

const growing: { readonly [thing: string]: (n: number) => Json } = {
  members: (n) => Object.fromEntries(many(n, (at) => [`name${at}`, at])),
  items: (n) => many(n, (at) => at),
  objects: (n) => many(n, (at) => ({ a: at, b: "text" })),
  characters: (n) => ({ a: "x".repeat(n) }),
  escapes: (n) => ({ a: "\n".repeat(n) })
}

const growth: ReadonlyArray<Case> = Object.entries(growing).flatMap(([thing, make]): ReadonlyArray<Case> => [
  {
    name: `object: growing ${thing}`,
    size: 20_000,
    run: (n) => {
      const parts = pieces(JSON.stringify(make(n)), 8)
      return () => {
        const read = reader()
        for (const part of parts) {
          read.push(part)
          read.take()
        }
      }
    }
  },
  {
    name: `json: the beginning of ${thing}`,
    size: 50_000,
    run: (n) => {
      const text = JSON.stringify(make(n)).slice(0, -1)
      return () => void parsePartialJson(text)
    }
  }
])

// =============================================================================
// Values against schemas
// =============================================================================

const linked: JsonObject = {
  anyOf: [{ type: "null" }, { type: "object", properties: { next: { $ref: "#" }, a: { type: "integer" } } }]
}

const levels = (n: number, end: Json): Json => {
  let value = end
  for (let i = 0; i < n; i++) value = { next: value }
  return value
}

interface Held {
  readonly schema: (n: number) => JsonObject
  readonly value: (n: number) => Json
  readonly size?: number
}

const number: JsonObject = { type: "number" }
const words = (n: number): ReadonlyArray<string> => many(n, (at) => `word ${at}`)
const members = (n: number, of: Json): JsonObject => Object.fromEntries(many(n, (at) => [`name${at}`, of]))

const held: { readonly [thing: string]: Held } = {
  items: { schema: () => ({ items: number }), value: (n) => many(n, (at) => at) },
  "items that do not fit": { schema: () => ({ items: number }), value: (n) => words(n) },
  "items that differ": { schema: () => ({ uniqueItems: true }), value: (n) => many(n, (at) => ({ a: at })) },
  "items among others": { schema: () => ({ contains: { const: 1 } }), value: (n) => many(n, (at) => ({ a: at })) },
  "items of a list of words": {
    schema: (n) => ({ items: { enum: words(n) } }),
    value: (n) => many(n, (at) => `word ${n - at - 1}`)
  },
  "items of several forms": {
    schema: () => ({ items: { oneOf: [number, { type: "object", required: ["b"] }, { type: "object" }] } }),
    value: (n) => many(n, (at) => ({ a: at }))
  },
  "items that nothing looks at": {
    schema: () => ({ prefixItems: [number], anyOf: [{ contains: number }], unevaluatedItems: { type: "object" } }),
    value: (n) => many(n, (at) => ({ a: at }))
  },
  members: { schema: (n) => ({ properties: members(n, number) }), value: (n) => members(n, 1) },
  "members that are missing": { schema: (n) => ({ required: words(n) }), value: () => ({}) },
  "members that nobody knows": { schema: () => ({ additionalProperties: false }), value: (n) => members(n, 1) },
  "members by patterns": {
    schema: () => ({ patternProperties: { "^name": number } }),
    value: (n) => members(n, 1)
  },
  "members that nothing looks at": {
    schema: (n) => ({ anyOf: [{ properties: members(n, number) }], unevaluatedProperties: false }),
    value: (n) => members(n, 1)
  },
  names: { schema: () => ({ propertyNames: { maxLength: 20 } }), value: (n) => members(n, 1) },
  "members that need others": {
    schema: (n) => ({ dependentRequired: members(n, ["a"]) }),
    value: (n) => ({ ...members(n, 1), a: 1 })
  },
  forms: { schema: (n) => ({ anyOf: many(n, (at) => ({ const: at })) }), value: (n) => n - 1 },
  "forms that do not fit": { schema: (n) => ({ anyOf: many(n, (at) => ({ const: at })) }), value: (n) => n },
  "schemas that all hold": { schema: (n) => ({ allOf: many(n, () => number) }), value: () => 1 },
  references: {
    schema: (n) => ({ $defs: members(n, number), allOf: many(n, (at) => ({ $ref: `#/$defs/name${at}` })) }),
    value: () => 1
  },
  characters: { schema: () => ({ maxLength: 1e9, pattern: "x" }), value: (n) => "\u{1f642}".repeat(n) },
  levels: { schema: () => linked, value: (n) => levels(n, null), size: 200 },
  "levels with a misfit below": { schema: () => linked, value: (n) => levels(n, { a: "1" }), size: 200 }
}

const interpreter: ReadonlyArray<Case> = Object.entries(held).flatMap(([thing, { schema, size = 20_000, value }]) => [
  {
    name: `validation/jsonSchema: ${thing}`,
    size,
    run: (n: number) => {
      const given = value(n)
      const by = schema(n)
      return () => void misfits(by, given)
    }
  },
  {
    name: `validation/jsonSchema: ${thing}, the first`,
    size,
    run: (n: number) => {
      const given = value(n)
      const by = schema(n)
      return () => void misfitOf(new Document(by), given)
    }
  }
])

// =============================================================================
// Schemas for hosts
// =============================================================================

const closed = (properties: JsonObject): JsonObject => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false
})

const schemas: { readonly [thing: string]: (n: number) => JsonObject } = {
  members: (n) => closed(members(n, { type: "string", description: "words" })),
  "members that may be absent": (n) => ({ type: "object", properties: members(n, { type: "string", minLength: 1 }) }),
  maps: (n) => closed(members(n, { type: "object", additionalProperties: number })),
  "values of an enum": (n) => closed({ a: { enum: words(n) } }),
  forms: (n) => closed({ a: { anyOf: many(n, (at) => closed({ [`name${at}`]: number })) } }),
  "forms of one": (n) => closed({ a: { oneOf: many(n, (at) => closed({ kind: { const: `k${at}` } })) } }),
  "schemas that all hold": (n) => ({
    allOf: many(n, (at) => ({ type: "object", properties: { [`a${at}`]: number } }))
  }),
  positions: (n) => closed({ a: { type: "array", prefixItems: many(n, () => number), items: false } }),
  definitions: (n) => ({
    ...closed(Object.fromEntries(many(n, (at) => [`a${at}`, { $ref: `#/$defs/name${at}` }]))),
    $defs: members(n, closed({ a: number, b: { type: "string" } }))
  }),
  "definitions that refer on": (n) => ({
    $ref: "#/$defs/name0",
    $defs: Object.fromEntries(
      many(n, (at) => [`name${at}`, closed({ a: at + 1 === n ? number : { $ref: `#/$defs/name${at + 1}` } })])
    )
  }),
  "words that no host knows": (n) => closed(members(n, { type: "string", pattern: "^(?!x)", "x-order": 1 }))
}

const dialects: { readonly [name: string]: Dialect } = {
  OpenAI: openAi.answer!,
  Anthropic: anthropic.answer!,
  Gemini: gemini.answer!
}

const compiler: ReadonlyArray<Case> = Object.entries(schemas).flatMap(([thing, make]) =>
  Object.entries(dialects).flatMap(([name, dialect]): ReadonlyArray<Case> => [{
    name: `protocol/schema for ${name}: ${thing}`,
    size: 2000,
    run: (n) => {
      const schema = make(n)
      return () => void compile(schema, dialect)
    }
  }])
)

/** Answers are read back by what was changed: absent members, maps as pairs, forms. */
const changed: JsonObject = {
  type: "array",
  items: {
    type: "object",
    properties: {
      a: number,
      map: { type: "object", additionalProperties: number },
      either: { anyOf: [{ type: "object", properties: { b: number } }, { type: "string" }] }
    }
  }
}

const answersRead: ReadonlyArray<Case> = Object.entries(dialects).map(([name, dialect]) => ({
  name: `protocol/schema for ${name}: items read back`,
  size: 5000,
  run: (n) => {
    const made = compile(changed, dialect)
    const items = many(n, (at) => ({ a: at, map: { x: 1, y: 2 }, either: at % 2 === 0 ? "text" : { b: 1 } }))
    const sent = made.write(items)
    return () => {
      const back = made.undo(sent)
      made.check(back)
    }
  }
}))

export const values: ReadonlyArray<Case> = [...repairs, ...growth, ...interpreter, ...compiler, ...answersRead]
