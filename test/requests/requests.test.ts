// The judge of requests (`npm run requests`): it sees what specifications refuse, and a sample of what it asks goes through.
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { cases } from "../../scripts/requests/cases.ts"
import type { Sent } from "../../scripts/requests/Fault.ts"
import { hostValidators } from "../../scripts/requests/hosts.ts"
import { judge } from "../../scripts/requests/judge.ts"
import { schemasOfProtos } from "../../scripts/requests/protos.ts"
import { checker, type Finding } from "../../scripts/requests/schema.ts"
import { targets } from "../../scripts/requests/targets.ts"
import { warnedAbout } from "../../scripts/requests/warned.ts"
import { wireValidators } from "../../scripts/requests/wires.ts"

const found = (document: Record<string, unknown>, value: unknown, pointer = "#"): ReadonlyArray<string> => {
  const out: Array<Finding> = []
  checker(document)({ $ref: pointer })(value, "", out)
  return out.map(({ at, message }) => `${at} ${message}`)
}

const sent = (
  wire: string,
  body: Record<string, unknown>,
  provider = "openai",
  model = "some-model"
): ReadonlyArray<string> => {
  const request: Sent = {
    provider,
    model,
    operation: "generate",
    method: "POST",
    url: new URL("https://example.com/v1/chat/completions"),
    headers: { "content-type": "application/json" },
    body,
    request: { prompt: "Hello" }
  }
  return [...wireValidators(wire), ...hostValidators(provider, wire)].flatMap((one) => one.check(request)).map((
    { at, message }
  ) => `${at} ${message}`)
}

describe("The judge of requests", () => {
  it("reports fields that a schema does not know, through references, intersections and unions", () => {
    const document = {
      allOf: [{ $ref: "#/parts/base" }, { properties: { b: { type: "string" } }, required: ["b"] }],
      parts: { base: { type: "object", properties: { a: { type: "number", maximum: 2 } } } }
    }
    assert.deepStrictEqual(found(document, { a: 1, b: "x" }), [])
    assert.deepStrictEqual(found(document, { a: 3, c: 1 }), [
      "a must be at most 2, is 3",
      "b is missing",
      "c is no field of the specification"
    ])
  })

  it("tells the faults of the member of a union that was meant", () => {
    const document = {
      anyOf: [
        {
          type: "object",
          properties: { type: { const: "text" }, text: { type: "string", minLength: 1 } },
          required: ["type", "text"]
        },
        { type: "object", properties: { type: { const: "image" }, url: { type: "string" } }, required: ["type", "url"] }
      ]
    }
    assert.deepStrictEqual(found(document, { type: "text", text: "" }), ["text must have at least 1, has 0"])
    assert.deepStrictEqual(found(document, { type: "image" }), ["url is missing"])
  })

  it("leaves open what a schema leaves open", () => {
    assert.deepStrictEqual(found({ type: "object", properties: { a: {} }, additionalProperties: true }, { b: 1 }), [])
    assert.deepStrictEqual(found({ type: "object" }, { b: 1 }), [])
  })

  it("reads protocol buffers in their JSON mapping", () => {
    const descriptor = {
      nested: {
        p: {
          nested: {
            Ask: {
              fields: {
                items: {
                  rule: "repeated",
                  type: "Item",
                  id: 1,
                  options: { "(google.api.field_behavior)": "REQUIRED" }
                },
                kind: { type: "Kind", id: 2 }
              },
              nested: { Kind: { values: { A: 0, B: 1 } } }
            },
            Item: { fields: { text: { type: "string", id: 1 } } }
          }
        }
      }
    }
    const document = schemasOfProtos(descriptor, "p")
    assert.deepStrictEqual(found(document, { items: [{ text: "a" }], kind: "B" }, "#/definitions/Ask"), [])
    assert.deepStrictEqual(found(document, { kind: "C", items: [{ title: "a" }] }, "#/definitions/Ask"), [
      "kind must be one of \"A\", \"B\", is \"C\"",
      "items[0].title is no field of the specification"
    ])
  })

  it("refuses what wires refuse", () => {
    const user = { role: "user", content: "Hello" }
    const call = { id: "1", type: "function", function: { name: "f", arguments: "{}" } }
    assert.deepStrictEqual(sent("openai-chat", { model: "m", messages: [user] }), [])
    assert.isNotEmpty(
      sent("openai-chat", {
        model: "m",
        messages: [user, { role: "assistant", content: null, tool_calls: [call] }, user]
      })
    )
    assert.isNotEmpty(sent("openai-chat", { model: "m", messages: [{ role: "user", content: "half \ud83d" }] }))
    assert.isNotEmpty(
      sent("anthropic-messages", { max_tokens: 1, messages: [{ role: "user", content: " " }] }, "anthropic")
    )
    assert.isNotEmpty(
      sent("gemini-generate-content", { contents: [{ role: "model", parts: [{ text: "a" }] }] }, "gemini")
    )
    assert.isNotEmpty(sent("bedrock-converse", { messages: [{ role: "user", content: [] }] }, "bedrock"))
    assert.isNotEmpty(sent("openai-responses", { input: [{ type: "function_call_output", call_id: "1", output: "" }] }))
    assert.isNotEmpty(sent("cohere-chat", { messages: [user], temperature: 2 }, "cohere"))
  })

  it("refuses what hosts and models refuse", () => {
    const messages = [{ role: "user", content: "Hello" }]
    assert.isNotEmpty(sent("openai-chat", { messages, temperature: 0.5 }, "openai", "o3"))
    assert.isNotEmpty(sent("openai-chat", { messages, stop: ["a", "b"] }, "zai"))
    assert.isNotEmpty(sent("openai-chat", { messages: [...messages, ...messages] }, "perplexity"))
    assert.isNotEmpty(sent("openai-chat", { messages, response_format: { type: "json_object" } }, "lmstudio"))
  })

  it("holds a fault against the warning of its option, and of no other", () => {
    assert.isTrue(warnedAbout("reasoning_effort", [{ field: "thinking", message: "" }]))
    assert.isTrue(warnedAbout("messages[1].content", [{ field: "messages[3]", message: "" }]))
    assert.isFalse(warnedAbout("temperature", [{ field: "topP", message: "" }]))
  })

  it.effect("finds nothing invalid in a sample of what every provider sends that nobody was warned of", () =>
    Effect.gen(function*() {
      const all = yield* targets(false)
      const every = cases.filter(({ kind }) => kind !== "pair")
      for (const [place, target] of all.entries()) {
        // Other cases for each target, so that the sample as a whole has something of everything.
        const sample = every.filter((_, index) => index % 61 === place % 61)
        const validators = [...wireValidators(target.wire), ...hostValidators(target.provider, target.wire)]
        const tally = yield* judge(target, sample, validators)
        const silent = [...tally.kinds.values()].filter(({ warned }) => !warned)
        assert.deepStrictEqual(
          silent.map(({ cases, fault }) => `${fault.at} ${fault.message}: ${cases.join(", ")}`),
          [],
          `${target.provider} ${target.wire} ${target.model}`
        )
        assert.strictEqual(tally.astray, 0, `${target.provider} ${target.wire}`)
      }
    }))
})
