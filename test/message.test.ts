import { assert, describe, expect, it } from "@effect/vitest"
import { pipe, Schema } from "effect"
import * as fc from "fast-check"
import { strictEqual } from "node:assert"
import { isDeepStrictEqual } from "node:util"
import { Message } from "../src/index.ts"

const arbitraryJson = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)), {
  noNullPrototype: true
})
const text = fc.string().map(Message.text)
const made = fc.oneof(
  fc.string().map(Message.user),
  fc.array(text).map(Message.user),
  fc.string().map(Message.system),
  fc.string().map(Message.assistant),
  fc.tuple(fc.string(), fc.string()).map(([id, result]) => Message.toolResult({ id }, result)),
  fc.tuple(fc.string(), fc.string()).map(([id, result]) =>
    Message.tool([{ type: "tool-result", toolCallId: id, content: result }])
  )
)
const combinator = fc.oneof(
  fc.constantFrom(Message.cacheable, Message.cacheableExtended),
  fc.integer().map((priority) => Message.priority(priority)),
  arbitraryJson.map((metadata) => Message.metadata(metadata))
)
/** A message as any chain of constructors and combinators makes it. */
const message = fc.tuple(made, fc.array(combinator, { maxLength: 4 })).map(([first, combinators]) =>
  combinators.reduce((self, combinator) => self.pipe(combinator), first)
)

const literal = ({ attributes, content, role }: Message.Message): Message.Message => ({
  role,
  content,
  ...(attributes === undefined ? {} : { attributes })
})

describe("A message", () => {
  it("equals the object literal with the same fields", () => {
    assert.deepStrictEqual<Message.Message>(Message.user("x"), { role: "user", content: "x" })
    assert.isTrue(isDeepStrictEqual(Message.user("x"), { role: "user", content: "x" }))
    fc.assert(fc.property(message, (message) => {
      assert.isTrue(isDeepStrictEqual(message, literal(message)))
      assert.isTrue(isDeepStrictEqual(literal(message), message))
      expect(message).toStrictEqual(literal(message))
    }))
  })

  it("has the keys, the JSON and the copies of that literal", () => {
    fc.assert(fc.property(message, (message) => {
      const plain = literal(message)
      assert.deepStrictEqual(Object.keys(message), Object.keys(plain))
      const inherited: Array<string> = []
      for (const key in message) inherited.push(key)
      assert.deepStrictEqual(inherited, Object.keys(plain))
      strictEqual(JSON.stringify(message), JSON.stringify(plain))
      for (const copy of [{ ...message }, structuredClone<Message.Message>(message)]) {
        assert.isTrue(isDeepStrictEqual(copy, message))
        assert.isFalse("pipe" in copy)
      }
    }))
  })

  it("is what it was once it has been stored and decoded", () => {
    const codec = Schema.fromJsonString(Message.Message)
    const equivalent = Schema.toEquivalence(Message.Message)
    fc.assert(fc.property(message, (message) => {
      const decoded = Schema.decodeSync(codec)(Schema.encodeSync(codec)(message))
      assert.isTrue(isDeepStrictEqual(decoded, message))
      assert.isTrue(equivalent(decoded, message))
    }))
  })

  it("is accepted by a schema that refuses unknown keys", () => {
    const strict = Schema.decodeUnknownSync(Message.Message, { onExcessProperty: "error" })
    assert.deepStrictEqual(strict(Message.user("x").pipe(Message.cacheable)), Message.cacheable(Message.user("x")))
  })

  it("that is a literal or a copy takes the same combinators", () => {
    const piped = Message.user("x").pipe(Message.cacheable, Message.priority(10))
    assert.deepStrictEqual<Message.Message>(piped, {
      role: "user",
      content: "x",
      attributes: { cacheControl: "ephemeral", priority: 10 }
    })
    const copy = { ...Message.user("x") }
    // @ts-expect-error a copy has no pipe, and its type says so
    assert.isUndefined(copy.pipe)
    assert.deepStrictEqual(pipe(copy, Message.cacheable, Message.priority(10)), piped)
    assert.deepStrictEqual(Message.cacheable({ role: "user", content: "x" }).pipe(Message.priority(10)), piped)
  })
})
