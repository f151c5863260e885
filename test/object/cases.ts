/**
 * What weaker models write in place of JSON, and what it means. The kinds are those of the public suites of BAML
 * (https://github.com/BoundaryML/baml/tree/canary/engine/baml-lib/jsonish), jsonrepair (https://github.com/josdejong/jsonrepair),
 * json_repair (https://github.com/mangiucugna/json_repair) and the AI SDK (https://github.com/vercel/ai).
 */
import type { Json, JsonObject } from "../../src/json/value.ts"

/** A text, and the value it stands for. */
export const untyped: ReadonlyArray<readonly [text: string, value: Json]> = [
  ["[1, 2, 3,]", [1, 2, 3]],
  ["{\"key\": \"value\",}", { key: "value" }],
  ["[1, 2, 3", [1, 2, 3]],
  ["{\"key\": \"value", { key: "value" }],
  ["prefix { \"key\" : [ 1 , 2 , 3 ] } suffix", { key: [1, 2, 3] }],
  ["{\"a\":1}\n{\"a\":2}", [{ a: 1 }, { a: 2 }]],
  ["{\"array\": [1, 2, 3, \"somet\"string with quotes\"], \"object\": {\"key\": \"value\"}}", {
    array: [1, 2, 3, "somet\"string with quotes"],
    object: { key: "value" }
  }],
  [`{"array": [1, 2, 3, 'some stinrg'   with quotes' /* test */],"object": { // Test comment\n "key": "value"\n },}`, {
    array: [1, 2, 3, "some stinrg'   with quotes"],
    object: { key: "value" }
  }],
  ["{\n key: value with space,\n array: [1, 2, 3],\n object: {\n key: value\n }\n}", {
    key: "value with space",
    array: [1, 2, 3],
    object: { key: "value" }
  }],
  ["{\n key: \"test a long\nthing with new\n\nlines\",\n array: [1, 2, 3]}", {
    key: "test a long\nthing with new\n\nlines",
    array: [1, 2, 3]
  }],
  [
    "{\n  \"my_field_0\": true,\n \"my_field_1\": **First fragment, Another fragment**\n\nFrag 2, frag 3. Then i would quote something \"like this\" or this.\n\nThen would add a summary of sorts.\n  }",
    {
      my_field_0: true,
      my_field_1:
        "**First fragment, Another fragment**\n\nFrag 2, frag 3. Then i would quote something \"like this\" or this.\n\nThen would add a summary of sorts."
    }
  ],
  ["{\"hi\": [\"a\", \"b\"]} is the output.", { hi: ["a", "b"] }],
  [
    "{\n // c\n function_name: 'circle.calculate_circumference',\n // The diameter of the circle. (with a \", \")\n diameter: 10,\n Some key: \"Some value\"\n }\n and this",
    { function_name: "circle.calculate_circumference", diameter: 10, "Some key": "Some value" }
  ],
  ["{a:2}", { a: 2 }],
  ["[a,b]", ["a", "b"]],
  ["[\"abc,/*comment*/\"def\"]", ["abc", "def"]],
  ["[\"foo", ["foo"]],
  ["[\"foo\",", ["foo"]],
  ["{\"foo\":\"bar\\u20", { foo: "bar" }],
  ["{\"text\":\"Hello Sergey,I hop", { text: "Hello Sergey,I hop" }],
  ["{\"message\": \"with, multiple, commma's, you see?", { message: "with, multiple, commma's, you see?" }],
  ["[1,2,3,...]", [1, 2, 3]],
  ["[1,2,3,...,9]", [1, 2, 3, 9]],
  ["[...,7,8,9]", [7, 8, 9]],
  ["{\"a\":2,\"b\":3,...,\"z\":26}", { a: 2, b: 3, z: 26 }],
  ["[a\",\"b\"]", ["a", "b"]],
  ["[a\",b\"]", ["a", "b"]],
  ["{a\":\"foo\",\"b\":\"bar\"}", { a: "foo", b: "bar" }],
  ["{\"a\":foo\",\"b\":\"bar\"}", { a: "foo", b: "bar" }],
  ["[\n\"abc,\n\"def\"\n]", ["abc", "def"]],
  ["[\"abc]\n", ["abc"]],
  ["[\n[\n\"abc\n]\n]\n", [["abc"]]],
  ["{'a':'foo'}", { a: "foo" }],
  ["{“a”:“b”}", { a: "b" }],
  ["{‘a’:‘b’}", { a: "b" }],
  ["{`a´:`b´}", { a: "b" }],
  ["{pattern: '’'}", { pattern: "’" }],
  ["{\"a\":}", { a: null }],
  ["{\"a\":,\"b\":2}", { a: null, b: 2 }],
  ["{\"a\":undefined}", { a: null }],
  ["{\"key\": \"apple \"bee\" carrot\"}", { key: "apple \"bee\" carrot" }],
  ["[\"a\" 2]", ["a", 2]],
  ["[\"a\" 2", ["a", 2]],
  ["[\",\",\":\"]", [",", ":"]],
  ["{\"a\":\u00a0\"foo\u00a0bar\"}", { a: "foo\u00a0bar" }],
  ["callback_123({});", {}],
  ["/* foo */ {}", {}],
  ["{\\\"stringified\\\": \\\"hello \\\\\"world\\\\\"\\\"}", { stringified: "hello \"world\"" }],
  ["[\"a\"/* foo */]", ["a"]],
  ["[\"a]\"/* foo */]", ["a]"]],
  ["{\"a\":2,}", { a: 2 }],
  ["{\"a\":2 \"b\":3}", { a: 2, b: 3 }],
  ["{\"a\":1\n\"b\":2}", { a: 1, b: 2 }],
  ["[1 2 3]", [1, 2, 3]],
  ["{\"a\" 1}", { a: 1 }],
  ["{\"a\":1}}", { a: 1 }],
  ["[1,2]]", [1, 2]],
  ["{\"a\":[1,2}", { a: [1, 2] }],
  ["{\"a\":\"b\"", { a: "b" }],
  ["{'a': True, 'b': None}", { a: true, b: null }],
  ["{\"a\": NumberLong(\"2\")}", { a: "2" }],
  ["{\"a\": \"x\" + \"y\"}", { a: "xy" }],
  ["{\"a\": \"12\" \"b\": 3}", { a: "12", b: 3 }],
  ["{\"a\": 007}", { a: "007" }],
  ["{\"d\": 2024-01-02}", { d: "2024-01-02" }],
  ["{\"a\": \"b\" \"c\": \"d\"}", { a: "b", c: "d" }],
  ["{\"a\":\"b,\"c\":\"d\"}", { a: "b", c: "d" }],
  ["{\"a\": [1,2, \"b\": 3}", { a: [1, 2], b: 3 }],
  ["{\"url\": http://x.y/z, \"b\": 1}", { url: "http://x.y/z", b: 1 }],
  ["Sure:\n```json\n{\"a\": 1}\n```\nDone [1].", { a: 1 }],
  ["```\n{\"a\": 1,}\n", { a: 1 }],
  ["{\"a\": .5, \"b\": +3, \"c\": 5.}", { a: 0.5, b: 3, c: 5 }],
  ["{\"text\": \"He said \"hi\", then left\", \"n\": 1}", { text: "He said \"hi\", then left", n: 1 }],
  ["{\"a\": \"line1\nline2\"}", { a: "line1\nline2" }],
  ["{\"employees\":[\"John\", \"Anna\",", { employees: ["John", "Anna"] }],
  ["{\"employees\":[\"John\", \"Anna\", \"Peter", { employees: ["John", "Anna", "Peter"] }],
  ["{\"a\": True, b: False}", { a: true, b: false }],
  ["{\"key\": \"value:value\"}", { key: "value:value" }],
  ["{\"text\": \"The quick brown fox,\"}", { text: "The quick brown fox," }],
  ["{\"lorem\": \"ipsum, s\"dolor\" sit\"}", { lorem: "ipsum, s\"dolor\" sit" }],
  ["{\"a\": (1, 2)}", { a: [1, 2] }],
  ["{\"a\":\"x\",\"a2\":\"\u{1f600}\\ud83d\"}", { a: "x", a2: "\u{1f600}\ud83d" }]
]

const S = { type: "string" }
const I = { type: "integer" }
const N = { type: "number" }
const B = { type: "boolean" }
const NUL = { type: "null" }
const L = (items: JsonObject): JsonObject => ({ type: "array", items })
const U = (...anyOf: ReadonlyArray<JsonObject>): JsonObject => ({ anyOf })
const E = (...words: ReadonlyArray<Json>): JsonObject => ({ enum: words })
const O = (properties: { readonly [name: string]: JsonObject }): JsonObject => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false
})

/** A text that means nothing by its schema, or several things. */
export const nothing = Symbol("nothing")

const Foo = O({ hi: L(S) }), Bar = O({ foo: S })
const Test = O({ key: S, array: L(I), object: O({ key: S }) })
const F1 = O({ function_name: S, radius: I }),
  F2 = O({ function_name: S, diameter: I }),
  F3 = O({ function_name: S, length: I, breadth: I })

/** A text, a schema, and the value that the text stands for by it. */
export const typed: ReadonlyArray<readonly [text: string, schema: JsonObject, value: Json | typeof nothing]> = [
  ["null", NUL, null],
  ["null", U(S, NUL), null],
  ["12111", I, 12111],
  ["12,111", I, 12111],
  ["true", B, true],
  ["True", B, true],
  ["False", B, false],
  ["12111.123", N, 12111.123],
  ["12,111.123", N, 12111.123],
  ["12.111,123", N, 12111.123],
  ["1/5", N, 0.2],
  ["[1, 2, 3]", L(S), ["1", "2", "3"]],
  ["prefix { \"key\" : [ 1 , 2 , 3 ] } suffix", O({ key: L(I) }), { key: [1, 2, 3] }],
  ["{\"key\": \"value1\"} {\"key\": \"value2\"}", O({ key: S }), { key: "value1" }],
  ["{\"key\": \"value1\"} {\"key\": \"value2\"}", L(O({ key: S })), [{ key: "value1" }, { key: "value2" }]],
  ["prefix {\"key\": \"value1\"} some random text {\"key\": \"value2\"} suffix", O({ key: S }), { key: "value1" }],
  ["prefix {\"key\": \"value1\"} some random text {\"key\": \"value2\"} suffix", L(O({ key: S })), [{ key: "value1" }, {
    key: "value2"
  }]],
  ["[1, 2, 3,]", L(I), [1, 2, 3]],
  [
    "some text\n```json\n{\"key\": \"value\",\"array\": [1, 2, 3],\"object\": {\"key\": \"value\"}}\n```\n\n\n```json\n[\"1\", \"2\"]\n```",
    Test,
    { key: "value", array: [1, 2, 3], object: { key: "value" } }
  ],
  [
    "some text\n```json\n{\"key\": \"value\",\"array\": [1, 2, 3],\"object\": {\"key\": \"value\"}}\n```\n\n\n```json\n[\"1\", \"2\"]\n```",
    L(I),
    [1, 2]
  ],
  ["{\"hi\": \"a\"}", L(Foo), [{ hi: ["a"] }]],
  ["{\"hi\": [\"a\", \"b\"]} is the output.", Foo, { hi: ["a", "b"] }],
  ["{\"foo\": \"[\\\"bar\\\"]\"}", Bar, { foo: "[\"bar\"]" }],
  ["{}", O({ foo: U(S, NUL) }), { foo: null }],
  ["{\"one\": \"a\"}", O({ one: S, two: U(S, NUL) }), { one: "a", two: null }],
  ["{\" answer \": {\" content \": 78.54}}", O({ answer: O({ content: N }) }), { answer: { content: 78.54 } }],
  [
    `[ { // c\n function_name: 'circle.calculate_area',\n radius: 5, }, { function_name: 'x', diameter: 10, } ]`,
    L(O({ selected: U(F1, F2, F3) })),
    [{ selected: { function_name: "circle.calculate_area", radius: 5 } }, {
      selected: { function_name: "x", diameter: 10 }
    }]
  ],
  ["My inner string", O({ foo: S }), nothing],
  ["1214", O({ foo: I }), { foo: 1214 }],
  [" true ", O({ foo: B }), { foo: true }],
  ["TWO", E("ONE", "TWO"), "TWO"],
  ["two", E("ONE", "TWO"), "TWO"],
  ["[\"TWO\"]", E("ONE", "TWO"), "TWO"],
  ["[\"TWO\", \"THREE\"]", E("ONE", "TWO"), "TWO"],
  ["\"ONE: The description of k1\"", E("ONE", "TWO"), "ONE"],
  ["The answer is One", E("ONE", "TWO"), "ONE"],
  ["**one** is the answer", E("ONE", "TWO"), "ONE"],
  ["TWO\" is one of the correct answers.", E("ONE", "TWO"), "TWO"],
  ["Two\" is one of the correct answers.", E("ONE", "TWO"), nothing],
  ["\"ONE - is the answer, not TWO\"", E("ONE", "TWO"), nothing],
  ["k1 is the best! k-2-3.1_1 is bad. k1!", E("k1", "k-2-3.1_1", "NUMBER THREE"), "k1"],
  ["k-2-3.1_1. The description of enum value deux", E("k1", "k-2-3.1_1", "NUMBER THREE"), "k-2-3.1_1"],
  ["The answer is not car or car-2!", E("car", "car-2"), nothing],
  ["[k1, \"k-2-3.1_1\", \"NUMBER THREE\"]", L(E("k1", "k-2-3.1_1", "NUMBER THREE")), [
    "k1",
    "k-2-3.1_1",
    "NUMBER THREE"
  ]],
  [
    "\nThe text \"Buy cheap\" is spam ($^{$_{Ω}$rel}$), common traits of spam messages. So:\n\n- **SPAM**\n",
    E("SPAM", "NOT_SPAM"),
    "SPAM"
  ],
  ["2 or 3", U(E(2), E(3)), nothing],
  ["{\n  \"status\": 1\n}", U(E(1), E(true), E("THREE")), 1],
  ["{\"result\": true}", U(E(1), E(true), E("THREE")), true],
  ["{\"value\": \"The answer is THREE\"}", U(E(1), E(true), E("THREE")), "THREE"],
  ["{\"status\": 1, \"message\": \"success\"}", U(E(1), E(true), E("THREE")), nothing],
  ["\"pay\"", U(E("pay"), E("pay_without_credit_card")), "pay"],
  ["\"TWO!@#\"", E("TWO"), "TWO"],
  ["1 cup unsalted butter, room temperature", U(N, S), "1 cup unsalted butter, room temperature"],
  [
    "{\"cat\": \"E\", \"item\": \"28558C\", \"data\": null}",
    U(
      O({ cat: E("A") }),
      O({ cat: E("C", "D"), item: I }),
      O({ cat: E("E", "F"), item: U(I, S, NUL), data: U(I, NUL) })
    ),
    { cat: "E", item: "28558C", data: null }
  ],
  ["{\"a\": \"$1,234.50\"}", O({ a: N }), { a: 1234.5 }],
  ["{\"age\": \"30 years\"}", O({ age: I }), { age: 30 }],
  ["{\"Name\": \"x\", \"AGE\": \"5\"}", O({ name: S, age: I }), { name: "x", age: 5 }],
  ["{\"first-name\": \"x\"}", O({ first_name: S }), { first_name: "x" }],
  ["{\"a\": \"{\\\"b\\\": 1}\"}", O({ a: O({ b: I }) }), { a: { b: 1 } }],
  ["[{\"a\":1}]", O({ a: I }), { a: 1 }],
  ["{\"a\": 5.5}", O({ a: I }), nothing],
  ["{\"a\":\"1\",\"zzz\":2}", O({ a: I }), { a: 1 }],
  ["{\"m\":{\"x\":\"1\",\"y\":\"2\"}}", O({ m: { type: "object", additionalProperties: I } }), { m: { x: 1, y: 2 } }],
  ["{\"tags\":\"a\"}", O({ tags: L(S) }), { tags: ["a"] }],
  ["Yes", B, nothing],
  ["The answer is true.", B, true],
  ["Hello there", S, "Hello there"],
  ["\"hello\"", S, "hello"]
]
