import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import type { Protocol } from "../../src/protocol/Protocol.ts"
import { Template } from "../../src/protocol/Template.ts"
import { decoderOf } from "./decoder-of.ts"

/** Frames through a decoder. With `includeRaw` every frame is parsed, so that run says what is right. */
const decode = (protocol: Protocol, frames: ReadonlyArray<string>, includeRaw: boolean) => {
  const decoder = decoderOf(protocol, {
    wire: protocol.wire,
    provider: "test",
    model: "m",
    warnings: [],
    idSeed: "",
    includeRaw
  })
  for (const frame of frames) decoder.frame(frame, "")
  decoder.end()
  const events = decoder.assembler.out.map((event) =>
    event._tag === "Finish" ? { ...event, response: { ...event.response.with({ raw: undefined }) } } : event
  )
  return { events, failure: decoder.assembler.failure?.kind }
}

/** A JSON string literal, with escapes that a serializer may use but need not. */
const literal = (text: string, escaped: boolean) =>
  escaped
    ? `"${
      Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")
    }"`
    : JSON.stringify(text)

const texts = fc.array(
  fc.record({
    text: fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("\"", "\\", "\\\"", "index", "text", "0", "", "a", "{}", "a\",\"b\":\"c", "\n")
    ),
    escaped: fc.boolean(),
    other: fc.nat(9)
  }),
  { maxLength: 30 }
)

describe("Template", () => {
  it("gives the string of a frame that differs in its string only", () => {
    const template = new Template()
    template.learn("{\"a\":1,\"t\":\"one\"}", "one", (frame) => (frame as { t: unknown }).t)
    assert.isTrue(template.learned)
    assert.strictEqual(template.read("{\"a\":1,\"t\":\"two\"}"), "two")
    assert.strictEqual(template.read("{\"a\":1,\"t\":\"\"}"), "")
    assert.strictEqual(template.read("{\"a\":1,\"t\":\"line\\nbreak \\\"quoted\\\"\"}"), "line\nbreak \"quoted\"")
  })

  it("takes nothing that is not one JSON string", () => {
    const template = new Template()
    template.learn("{\"a\":1,\"t\":\"one\"}", "one", (frame) => (frame as { t: unknown }).t)
    for (
      const frame of [
        "{\"a\":2,\"t\":\"two\"}",
        "{\"a\":1,\"t\":\"x\",\"b\":\"y\"}",
        "{\"a\":1,\"t\":\"x\\\"}",
        "{\"a\":1,\"t\":\"x\u0001\"}",
        "{\"a\":1,\"t\":\"}",
        "{\"a\":1,\"t\":",
        ""
      ]
    ) {
      assert.isUndefined(template.read(frame))
    }
  })

  it("learns nothing where the string could be another one", () => {
    const template = new Template()
    template.learn("{\"a\":\"one\",\"t\":\"one\"}", "one", (frame) => (frame as { t: unknown }).t)
    assert.isFalse(template.learned)
    template.learn("{\"a\":\"one\",\"t\":\"\\u006fne\"}", "one", (frame) => (frame as { t: unknown }).t)
    assert.isFalse(template.learned)
  })

  it("stops learning from frames that always vary", () => {
    const template = new Template()
    for (let i = 0; i < 20; i++) {
      const frame = `{"n":${i},"t":"a text"}`
      assert.isUndefined(template.learned ? template.read(frame) : undefined)
      template.learn(frame, "a text", (parsed) => (parsed as { t: unknown }).t)
    }
    assert.isFalse(template.learned)
  })

  it("never changes what an Anthropic stream means", () => {
    const protocol = AnthropicMessages.make()
    fc.assert(
      fc.property(texts, fc.array(fc.constantFrom("text", "thinking", "tool_use"), { minLength: 1, maxLength: 4 }), (
        deltas,
        kinds
      ) => {
        const frames = ["{\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"model\":\"m\",\"content\":[]}}"]
        kinds.forEach((kind, index) => {
          const start = kind === "tool_use"
            ? `"id":"call_${index}","name":"f","input":{}`
            : kind === "text"
            ? "\"text\":\"\""
            : "\"thinking\":\"\""
          const [type, field] = kind === "text"
            ? ["text_delta", "text"]
            : kind === "thinking"
            ? ["thinking_delta", "thinking"]
            : ["input_json_delta", "partial_json"]
          frames.push(`{"type":"content_block_start","index":${index},"content_block":{"type":"${kind}",${start}}}`)
          for (const { escaped, other, text } of deltas) {
            const target = other === 0 ? 0 : index
            frames.push(
              `{"type":"content_block_delta","index":${target},"delta":{"type":"${type}","${field}":${
                literal(text, escaped)
              }}}`
            )
            if (other === 1) frames.push("{\"type\":\"ping\"}")
          }
          frames.push(`{"type":"content_block_stop","index":${index}}`)
        })
        frames.push(
          "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}",
          "{\"type\":\"message_stop\"}"
        )
        assert.deepStrictEqual(decode(protocol, frames, false), decode(protocol, frames, true))
      })
    )
  })

  it("never changes what a Chat stream means", () => {
    const protocol = OpenAiChat.make()
    const chunk = (delta: string, more = "") =>
      `{"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":${delta},"finish_reason":null${more}}]}`
    fc.assert(fc.property(texts, (deltas) => {
      const frames = [chunk("{\"role\":\"assistant\",\"content\":\"\"}")]
      deltas.forEach(({ escaped, other, text }, i) => {
        const string = literal(text, escaped)
        if (other === 0) frames.push(chunk(`{"reasoning":${string}}`))
        else if (other === 1) {
          frames.push(chunk(`{"content":${string}}`, ",\"logprobs\":{\"content\":[{\"token\":\"x\"}]}"))
        } else if (other === 2) {
          frames.push(chunk(`{"tool_calls":[{"index":${i},"id":"t${i}","function":{"name":"f","arguments":"{}"}}]}`))
        } else frames.push(chunk(`{"content":${string}}`))
      })
      frames.push("{\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}", "[DONE]")
      assert.deepStrictEqual(decode(protocol, frames, false), decode(protocol, frames, true))
    }))
  })
})
