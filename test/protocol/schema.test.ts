import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { refusal, rules } from "../../scripts/schemas/dialects.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import { jsonSchemaOf } from "../../src/LlmTool.ts"
import type { Json, JsonObject } from "../../src/Message.ts"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import { Assembler } from "../../src/protocol/Assembler.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import type { Protocol } from "../../src/protocol/Protocol.ts"
import { Changing } from "../../src/protocol/schema/Changing.ts"
import { compile } from "../../src/protocol/schema/compile.ts"
import type { Dialect, Dialects, PlainDialect } from "../../src/protocol/schema/Dialect.ts"
import * as all from "../../src/protocol/schema/dialects.ts"
import { Document } from "../../src/validation/jsonSchema/document.ts"
import { misfitOf } from "../../src/validation/jsonSchema/misfits.ts"
import { encoderOf } from "../encoding.ts"

const hosts = Object.values(all).filter((one): one is Dialects => "tools" in one)
const dialects: ReadonlyArray<Dialect | PlainDialect> = [
  ...new Set(
    hosts.flatMap(({ answer, plainAnswer, strictTools, tools }) => [answer, plainAnswer, strictTools, tools])
      .filter((one) => one !== undefined)
  )
]

/** Those that differ in how values are written. */
const distinct = [
  all.openAiStrict,
  all.anthropicStrict,
  all.geminiJsonSchema,
  all.geminiOpenApi,
  all.cerebrasStrict,
  all.objectRoot
]

interface Kind {
  readonly schema: Schema.Codec<unknown, unknown>
  readonly values: fc.Arbitrary<unknown>
}

// oxlint-disable-next-line typescript/no-explicit-any -- of any type
const kind = (schema: any, values: fc.Arbitrary<unknown>): Kind => ({ schema, values })

class Place extends Schema.Class<Place>("Place")({ name: Schema.String, at: Schema.NullOr(Schema.Finite) }) {}

interface Tree {
  readonly label: string
  readonly children: ReadonlyArray<Tree>
}
const Tree: Schema.Codec<Tree> = Schema.Struct({
  label: Schema.String,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
})
const trees = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({ label: fc.string(), children: fc.array(tie("tree"), { maxLength: 2, depthIdentifier: "tree" }) })
})).tree

interface Chain {
  readonly next?: Chain | undefined
  readonly n: number
}
const Chain: Schema.Codec<Chain> = Schema.Struct({
  n: Schema.Int,
  next: Schema.optionalKey(Schema.suspend((): Schema.Codec<Chain> => Chain))
}) as Schema.Codec<Chain>
const chains = fc.letrec<{ chain: Chain }>((tie) => ({
  chain: fc.record({ n: fc.integer(), next: fc.option(tie("chain"), { nil: undefined, depthSize: "small" }) })
    .map(({ n, next }) => next === undefined ? { n } : { n, next })
})).chain

const names = fc.string({ minLength: 1, maxLength: 6 }).filter((name) => name !== "__proto__")
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => Object.is(n, -0) ? 0 : n)
const instants = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })

const leaves: ReadonlyArray<Kind> = [
  kind(Schema.String, fc.string()),
  kind(Schema.Finite, finite),
  kind(Schema.Number, fc.oneof(finite, fc.constantFrom(Number.NaN, Infinity, -Infinity))),
  kind(Schema.Int, fc.integer()),
  kind(Schema.Boolean, fc.boolean()),
  kind(Schema.Null, fc.constant(null)),
  kind(Schema.Literal("one"), fc.constant("one")),
  kind(Schema.Literals([1, "a", true]), fc.constantFrom(1, "a", true)),
  kind(Schema.Date, instants),
  kind(Schema.BigInt, fc.bigInt()),
  kind(Schema.NonEmptyString, fc.string({ minLength: 1 })),
  kind(Schema.Struct({}), fc.constant({})),
  kind(Schema.Unknown, fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))),
  kind(Schema.TemplateLiteral(["id-", Schema.Finite]), fc.integer().map((n) => `id-${n}`)),
  kind(Schema.Enum({ A: "a", B: 2 }), fc.constantFrom("a", 2)),
  kind(Place, fc.record({ name: fc.string(), at: fc.option(finite) }).map((fields) => new Place(fields))),
  kind(Tree, trees),
  kind(Chain, chains)
]

const around: ReadonlyArray<(inner: Kind, other: Kind) => Kind> = [
  ({ schema, values }) => kind(Schema.Array(schema), fc.array(values, { maxLength: 3 })),
  ({ schema, values }) => kind(Schema.NonEmptyArray(schema), fc.array(values, { minLength: 1, maxLength: 3 })),
  ({ schema, values }) => kind(Schema.NullOr(schema), fc.option(values)),
  ({ schema, values }) => kind(Schema.Struct({ a: schema }), fc.record({ a: values })),
  (a, b) =>
    kind(
      Schema.Struct({ a: a.schema, b: Schema.optionalKey(b.schema) }),
      fc.record({ a: a.values, b: b.values }, { requiredKeys: ["a"] })
    ),
  (a, b) => kind(Schema.Tuple([a.schema, b.schema]), fc.tuple(a.values, b.values)),
  (a, b) =>
    kind(
      Schema.TupleWithRest(Schema.Tuple([a.schema]), [b.schema]),
      fc.tuple(a.values, fc.array(b.values, { maxLength: 2 })).map(([first, rest]) => [first, ...rest])
    ),
  ({ schema, values }) => kind(Schema.Record(Schema.String, schema), fc.dictionary(names, values, { maxKeys: 3 })),
  ({ schema, values }) =>
    kind(
      Schema.Union([
        Schema.Struct({ _tag: Schema.Literal("A"), a: schema }),
        Schema.Struct({ _tag: Schema.Literal("B") })
      ]),
      fc.oneof(values.map((a) => ({ _tag: "A", a })), fc.constant({ _tag: "B" }))
    )
]

const kinds: ReadonlyArray<Kind> = [
  ...leaves,
  ...around.flatMap((make, at) => leaves.map((leaf, i) => make(leaf, leaves[(i + at) % leaves.length]!)))
]

const inPieces = (text: string, size: number): ReadonlyArray<string> => {
  const out: Array<string> = []
  for (let at = 0; at < text.length; at += size) out.push(text.slice(at, at + size))
  return out
}

describe("Schemas of Effect", () => {
  it("come back from every dialect as they were", () => {
    for (const [at, { schema, values }] of kinds.entries()) {
      const given = jsonSchemaOf(schema)
      const codec = Schema.toCodecJson(schema)
      for (const value of fc.sample(values, 1)) {
        const json = Schema.encodeUnknownSync(codec)(value) as Json
        for (const dialect of at < leaves.length ? dialects : distinct) {
          const compiled = compile(given, dialect)
          const told = `${dialect.name} ${JSON.stringify(given)} ${JSON.stringify(json)}`
          if (!("plain" in dialect)) assert.isTrue(compiled.strict, `${told} ${compiled.warnings[0]?.message}`)
          const written = compiled.write(json)
          if (!("spelling" in dialect)) {
            assert.isUndefined(
              misfitOf(new Document(compiled.schema), written),
              `${told} ${JSON.stringify(compiled.schema)}`
            )
          }
          assert.deepStrictEqual(compiled.undo(written), json, told)
          assert.isUndefined(compiled.check(json), told)
          const changing = new Changing(compiled.change)
          const text = inPieces(JSON.stringify(written), 3).map((piece) => changing.push(piece)).join("") +
            changing.end()
          if (compiled.changed) assert.deepStrictEqual(JSON.parse(text), json, told)
        }
        assert.deepStrictEqual(Schema.decodeUnknownSync(codec)(json), value)
      }
    }
  })

  it("are accepted by the documented dialects", () => {
    for (const { schema } of kinds) {
      for (const [name, dialect] of judged) {
        const { schema: sent } = compile(jsonSchemaOf(schema), dialect)
        assert.isUndefined(refusal(sent, rules[name]!), `${name} ${JSON.stringify(sent)}`)
      }
    }
  })
})

const judged: ReadonlyArray<readonly [string, Dialect]> = [
  ["openAi", all.openAiStrict],
  ["anthropic", all.anthropicStrict],
  ["gemini", all.geminiJsonSchema],
  ["cerebras", all.cerebrasStrict],
  ["azure", all.azureStrict]
]

const generated = fc.letrec<{ schema: unknown }>((tie) => {
  const inner = tie("schema")
  const type = fc.constantFrom("object", "array", "string", "number", "integer", "boolean", "null")
  return {
    schema: fc.oneof(
      { depthSize: "small", maxDepth: 4 },
      fc.oneof(
        fc.record({ type, description: fc.string(), nullable: fc.boolean() }, { requiredKeys: [] }),
        fc.record({ enum: fc.array(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 3 }) }),
        fc.record({
          type: fc.array(type, { minLength: 1, maxLength: 3 }),
          minimum: fc.integer(),
          pattern: fc.constantFrom("^a+$", "(?=x)", "[")
        }, { requiredKeys: ["type"] }),
        fc.record({ $ref: fc.constantFrom("#", "#/$defs/A", "#/definitions/B", "#/gone"), description: fc.string() }, {
          requiredKeys: ["$ref"]
        }),
        fc.boolean()
      ),
      fc.record({
        type: fc.constant("object"),
        properties: fc.dictionary(fc.constantFrom("a", "b", "c d", "constructor", "value", "key"), inner, {
          maxKeys: 3
        }),
        required: fc.subarray(["a", "b", "x"]),
        additionalProperties: inner,
        patternProperties: fc.dictionary(fc.constantFrom("^a", "^[b-c]"), inner, { maxKeys: 1 }),
        minProperties: fc.nat(2),
        dependentRequired: fc.constant({ a: ["b"] })
      }, { requiredKeys: [] }),
      fc.record({
        type: fc.constant("array"),
        items: fc.oneof(inner, fc.array(inner, { maxLength: 2 })),
        prefixItems: fc.array(inner, { maxLength: 2 }),
        minItems: fc.nat(3),
        maxItems: fc.nat(3),
        uniqueItems: fc.boolean()
      }, { requiredKeys: [] }),
      fc.record({
        anyOf: fc.array(inner, { minLength: 1, maxLength: 3 }),
        oneOf: fc.array(inner, { minLength: 1, maxLength: 3 }),
        allOf: fc.array(inner, { minLength: 1, maxLength: 2 }),
        not: inner,
        if: inner,
        else: inner
      }, { requiredKeys: [] })
    )
  }
}).schema.map((schema) => JSON.parse(JSON.stringify(schema)) as Json)

const documents = fc.record({ root: generated, a: generated, b: generated }).map(({ a, b, root }): JsonObject => ({
  ...(typeof root === "object" && root !== null && !Array.isArray(root)
    ? root as JsonObject
    : { properties: { root } }),
  $defs: { A: a },
  definitions: { B: b }
}))

describe("JSON Schemas of any kind", () => {
  it("are sent strict only as the documented dialects take them", () => {
    const found = fc.check(
      fc.property(documents, (schema) =>
        judged.every(([name, dialect]) => {
          const { schema: sent, strict } = compile(schema, dialect)
          return !strict || refusal(sent, rules[name]!) === undefined
        })),
      { numRuns: 30 }
    )
    assert.isNull(found.counterexample, found.errorInstance === null ? "" : String(found.errorInstance))
  })

  it("are checked for what they say, whatever the answer is", () => {
    const found = fc.check(
      fc.property(documents, fc.jsonValue({ maxDepth: 3 }), (schema, given) => {
        const value = JSON.parse(JSON.stringify(given)) as Json
        return distinct.every((dialect) => {
          const { check, undo } = compile(schema, dialect)
          const read = undo(value)
          return (check(read) === undefined) === (misfitOf(new Document(schema), read) === undefined)
        })
      }),
      { numRuns: 10 }
    )
    assert.isNull(found.counterexample, String(found.errorInstance))
  })

  it("are refused when they are nested too deeply, and never fail", () => {
    let deep: JsonObject = { type: "string" }
    for (let i = 0; i < 5000; i++) deep = { type: "object", properties: { a: deep } }
    for (const dialect of dialects) assert.isDefined(compile(deep, dialect).refused)
  })

  it("cost what they say, whatever their references come to", () => {
    const $defs: { [name: string]: Json } = { D40: { type: "string" } }
    for (let i = 0; i < 40; i++) {
      const next = { $ref: `#/$defs/D${i + 1}` }
      $defs[`D${i}`] = {
        type: "object",
        properties: { a: next, b: next },
        required: ["a", "b"],
        additionalProperties: false
      }
    }
    for (const dialect of dialects) {
      const { schema } = compile({ $ref: "#/$defs/D0", $defs }, dialect)
      assert.isBelow(JSON.stringify(schema).length, 2_000_000, dialect.name)
    }
  })
})

describe("Schemas of a request", () => {
  const tool = LlmTool.make("find", {
    parameters: {
      type: "object",
      properties: { a: { type: "string" }, n: { type: "integer", minimum: 1 } },
      required: ["n"]
    },
    strict: true
  })
  const schema: JsonObject = {
    type: "object",
    properties: { name: { type: "string" }, tags: { type: "object", additionalProperties: { type: "number" } } },
    required: ["tags"]
  }
  const request: LlmRequest = { prompt: "Hi", tools: [tool], responseFormat: { type: "json-schema", schema } }
  const protocols = [
    OpenAiChat.make(),
    OpenAiResponses.make(),
    AnthropicMessages.make(),
    BedrockConverse.make(),
    CohereChat.make()
  ]

  const assemblerOf = (protocol: Protocol, without: "tools" | "responseFormat") => {
    // Cohere takes no form of an answer beside tools.
    const asked = protocol.wire === "cohere-chat" ? { ...request, [without]: undefined } : request
    const encoded = encoderOf(protocol)({ request: asked, model: "m", stream: true, provider: "p" })
    if ("refused" in encoded) return assert.fail(encoded.refused.message)
    return new Assembler({
      wire: protocol.wire,
      provider: "p",
      model: "m",
      warnings: encoded.warnings,
      idSeed: "",
      includeRaw: false,
      schemas: encoded.schemas
    })
  }

  const answered = (protocol: Protocol, pieces: ReadonlyArray<string>) => {
    const assembler = assemblerOf(protocol, "tools")
    const index = assembler.openText()
    for (const piece of pieces) assembler.text(index, piece)
    assembler.endText(index)
    assembler.finish("stop", "stop")
    return assembler
  }

  it("are undone in the text of the answer on every wire", () => {
    for (const protocol of protocols) {
      const { failure, out } = answered(protocol, ["{\"tags\":[{\"key\":\"x\",", "\"value\":1}]}"])
      assert.isUndefined(failure, protocol.wire)
      const text = out.flatMap((event) => event._tag === "TextDelta" ? [event.text] : []).join("")
      assert.deepStrictEqual(JSON.parse(text), { tags: { x: 1 } }, protocol.wire)
      const finish = out.at(-1)
      assert.strictEqual(finish?._tag === "Finish" ? finish.response.text : "", text)
    }
  })

  it("fail an answer that breaks them, with the place", () => {
    for (const protocol of protocols) {
      const { failure } = answered(protocol, ["{\"tags\":[{\"key\":\"x\",\"value\":\"one\"}]}"])
      assert.strictEqual(failure?.kind, "misfit", protocol.wire)
      assert.include(failure?.message, ".tags.x", protocol.wire)
    }
  })

  it("are undone in the arguments of calls, and mark those that break what the host cannot hold", () => {
    for (const protocol of protocols) {
      const assembler = assemblerOf(protocol, "responseFormat")
      // Null stands for absent where all members are required.
      const nullable = /^(?:openai|cohere)/.test(protocol.wire)
      assembler.toolCall("1", "find", nullable ? "{\"a\":null,\"n\":2}" : "{\"n\":2}")
      assembler.toolCall("2", "find", { n: 3 })
      const calls = assembler.out.flatMap((event) => event._tag === "ToolCallEnd" ? [event.part] : [])
      assert.deepStrictEqual(calls.map((call) => call.arguments), [{ n: 2 }, { n: 3 }], protocol.wire)
    }
    const anthropic = assemblerOf(AnthropicMessages.make(), "responseFormat")
    anthropic.toolCall("1", "find", { n: 0 })
    const end = anthropic.out.at(-1)
    assert.isTrue(end?._tag === "ToolCallEnd" && end.part.invalid)
  })

  it("are sent without strict where all of them together are too many", () => {
    const optional = Object.fromEntries(Array.from({ length: 14 }, (_, at) => [`p${at}`, { type: "string" }]))
    const parameters = { type: "object", properties: optional }
    const tools = ["one", "two"].map((name) => LlmTool.make(name, { parameters, strict: true }))
    const encoded = encoderOf(AnthropicMessages.make())({
      request: { prompt: "Hi", tools },
      model: "m",
      stream: false,
      provider: "p"
    })
    const sent = "refused" in encoded
      ? []
      : encoded.body["tools"] as unknown as ReadonlyArray<{ readonly strict?: boolean }>
    assert.deepStrictEqual(sent.map(({ strict }) => strict), [true, false])
    assert.deepStrictEqual("refused" in encoded ? [] : encoded.warnings.map(({ field }) => field), [
      "tools[1].parameters"
    ])
  })
})
