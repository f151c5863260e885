import { assert, describe, it } from "@effect/vitest"
import type { FinishReason } from "../../src/LlmResponse.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import { outcomeOf, replay } from "./wire-replay.ts"

const { answer, decoder, stream, whole } = replay("bedrock", BedrockConverse.make(), "bedrock")

const calls = (name: string) =>
  answer(name).toolCalls.map((call) => [call.id, call.name, call.arguments, call.invalid === true])

const origin = { wire: "bedrock-converse", provider: "bedrock", model: "asked-for" }

describe("Bedrock Converse decoder: text", () => {
  it("gives the text and finish reason of a plain answer", () => {
    const response = answer("text")
    assert.strictEqual(response.text, "The kettle is on.")
    assert.strictEqual(response.model, "asked-for")
    assert.strictEqual(response.finishReason, "stop")
    assert.strictEqual(response.rawFinishReason, "end_turn")
    assert.deepStrictEqual(response.extra, { metrics: { latencyMs: 321 } })
  })

  it.each([
    "no-message-start",
    "metadata-first",
    "no-metadata",
    "never-stopped-text",
    "no-index",
    "unnamed-events",
    "wrapped-events"
  ])("reads the same answer from %s", (name) => {
    assert.deepStrictEqual(answer(name).parts, answer("text").parts)
    assert.strictEqual(answer(name).finishReason, "stop")
  })

  it("finishes with the metadata that follows messageStop", () => {
    const made = decoder()
    made.frame(`{"contentBlockIndex":0,"delta":{"text":"Hi"}}`, "contentBlockDelta")
    made.frame(`{"stopReason":"end_turn"}`, "messageStop")
    assert.isTrue(made.settled)
    assert.isFalse(made.assembler.finished)
    made.frame(`{"usage":{"inputTokens":1,"outputTokens":1}}`, "metadata")
    assert.isTrue(made.assembler.finished)
  })

  it("makes no part of an empty text delta", () => {
    assert.deepStrictEqual(answer("empty-text-block").parts, [
      { type: "reasoning", text: "A greeting.", origin },
      { type: "text", text: "Hello." }
    ])
  })

  it("ignores unknown events, blocks, deltas, null deltas and stray stops", () => {
    assert.deepStrictEqual(answer("unknown-things").parts, [{ type: "text", text: "Plain." }])
  })

  it("turns object-valued text into its compact JSON and makes lone surrogates well-formed", () => {
    assert.strictEqual(answer("object-text").text, `{"answer":1}`)
    assert.strictEqual(answer("lone-surrogate").text, "a\ufffd")
  })

  it("emits citations as sources and keeps them for replay", () => {
    const response = answer("citations")
    assert.deepStrictEqual(
      response.parts.flatMap((part) => part.type === "source" ? [[part.url, part.title, part.citedText]] : []),
      [["https://tea.example/", "Tea", "from China"], ["https://leaf.example/", undefined, undefined], [
        undefined,
        undefined,
        undefined
      ]]
    )
    const text = response.parts.find((part) => part.type === "text")
    assert.lengthOf(text?.replay?.["citations"] as ReadonlyArray<unknown>, 3)
  })

  it("emits an image in pieces as one file", () => {
    assert.deepStrictEqual(answer("image").parts, [
      { type: "image", source: { type: "base64", mediaType: "image/png", data: "aGkh" } }
    ])
  })
})

describe("Bedrock Converse decoder: reasoning", () => {
  it("keeps reasoning with its signature", () => {
    assert.deepStrictEqual(answer("reasoning").parts[0], {
      type: "reasoning",
      text: "Water first, then tea.",
      signature: "c2lnbmF0dXJl",
      origin
    })
  })

  it("keeps redacted reasoning as one opaque part", () => {
    assert.deepStrictEqual(answer("redacted-reasoning").parts[0], {
      type: "reasoning",
      text: "",
      encrypted: "b3BhcXVl",
      origin
    })
  })

  it("keeps redacted reasoning apart from open reasoning of the same block", () => {
    assert.deepStrictEqual(
      answer("mixed-reasoning").parts.map((part) =>
        part.type === "reasoning" ? [part.text, part.encrypted] : part.type
      ),
      [["Open thought.", undefined], ["", "b3BhcXVl"], ["Again.", undefined], "text"]
    )
  })

  it("keeps reasoning and text apart that share an index", () => {
    const response = answer("reasoning-and-text-share-an-index")
    assert.strictEqual(response.reasoningText, "Hm.")
    assert.strictEqual(response.text, "Yes.")
  })

  it("keeps a signature that comes without text", () => {
    assert.deepStrictEqual(answer("signature-only").parts[0], {
      type: "reasoning",
      text: "",
      signature: "c2ln",
      origin
    })
  })

  it("reads the spellings of older models", () => {
    assert.deepStrictEqual(
      whole("older-reasoning").response?.parts.map((part) =>
        part.type === "reasoning" ? [part.text, part.encrypted] : part.type
      ),
      [["", "b2xk"], ["Bare text.", undefined], "text"]
    )
  })
})

describe("Bedrock Converse decoder: tool calls", () => {
  it("keeps parallel calls apart, in wire order", () => {
    const wanted = [
      ["tooluse_1", "weigh", { item: "flour" }, false],
      ["tooluse_2", "oven", { celsius: 200 }, false]
    ]
    assert.deepStrictEqual(calls("parallel-tools"), wanted)
    assert.deepStrictEqual(calls("text-after-tool"), wanted)
    assert.strictEqual(answer("parallel-tools").finishReason, "tool-calls")
  })

  it("reads missing and empty argument text as {}", () => {
    assert.deepStrictEqual(calls("empty-arguments"), [["tooluse_1", "bell", {}, false], [
      "tooluse_2",
      "bell",
      {},
      false
    ]])
  })

  it("takes input that comes whole, as an object or as text", () => {
    assert.deepStrictEqual(calls("input-in-start"), [
      ["tooluse_1", "weigh", { item: "flour", grams: 250 }, false],
      ["tooluse_2", "oven", { celsius: 180 }, false]
    ])
    assert.deepStrictEqual(calls("object-input"), [["tooluse_1", "weigh", { item: "flour" }, false]])
    assert.deepStrictEqual(whole("string-input").response?.toolCalls[0]?.arguments, { item: "rye" })
  })

  it("keeps a closed call with malformed arguments as invalid, with the raw text", () => {
    assert.deepStrictEqual(calls("malformed-arguments"), [["tooluse_1", "weigh", "{\"item\": flour}", true]])
  })

  it("reports a call that the token limit cut as invalid, also before its arguments", () => {
    assert.deepStrictEqual(calls("length-in-tool"), [["tooluse_1", "weigh", "{\"item\":\"fl", true]])
    assert.deepStrictEqual(calls("length-before-arguments"), [["tooluse_1", "bell", "", true]])
    assert.strictEqual(answer("length-in-tool").finishReason, "length")
    assert.isTrue(whole("length-in-tool").response?.toolCalls[0]?.invalid)
  })

  it("takes the stop reason tool_use for the stop of a block that has none", () => {
    assert.deepStrictEqual(calls("never-stopped-tool"), [["tooluse_1", "weigh", { item: "flour" }, false]])
    assert.deepStrictEqual(calls("never-stopped-tool-at-end-of-turn"), [
      ["tooluse_1", "weigh", "{\"item\":\"flour\"}", true]
    ])
  })

  it("finishes with tool-calls when the wire says end_turn beside a call", () => {
    assert.strictEqual(answer("end-turn-with-call").finishReason, "tool-calls")
  })

  it("mints ids where they are empty or repeated", () => {
    const ids = answer("duplicate-tool-ids").toolCalls.map((call) => call.id)
    assert.strictEqual(ids[0], "tooluse_1")
    assert.strictEqual(new Set(ids).size, 3)
    assert.isFalse(ids.includes(""))
  })

  it("keeps a call whose start was lost as one that cannot be run", () => {
    assert.deepStrictEqual(
      answer("lost-tool-start").toolCalls.map((call) => [call.name, call.arguments, call.invalid]),
      [
        ["", "{\"item\":\"flour\"}", true]
      ]
    )
  })

  it("begins a new block when an index is used again", () => {
    assert.strictEqual(answer("reused-index").text, "One. Two.")
    assert.deepStrictEqual(calls("reused-index"), [["tooluse_1", "bell", { n: 1 }, false]])
  })

  it("ends a call as soon as the wire stops it", () => {
    const made = decoder()
    made.frame(`{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"n"}}}`, "contentBlockStart")
    made.frame(`{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}`, "contentBlockDelta")
    made.frame(`{"contentBlockIndex":0}`, "contentBlockStop")
    assert.strictEqual(outcomeOf(made).events.at(-1)?._tag, "ToolCallEnd")
  })

  it("keeps the steps of server tools as blocks that can be sent back", () => {
    const response = answer("server-tools")
    assert.deepStrictEqual(response.toolCalls, [])
    assert.strictEqual(response.finishReason, "stop")
    assert.deepStrictEqual(
      response.parts.flatMap((part) => part.type === "server-tool" ? [[part.name, part.kind, part.id, part.data]] : []),
      [
        ["nova_code_interpreter", "call", "tooluse_s", {
          toolUse: {
            toolUseId: "tooluse_s",
            name: "nova_code_interpreter",
            type: "server_tool_use",
            input: { snippet: "6 * 7" }
          }
        }],
        ["nova_code_interpreter_result", "result", "tooluse_s", {
          toolResult: {
            toolUseId: "tooluse_s",
            type: "nova_code_interpreter_result",
            status: "success",
            content: [{ json: { stdOut: "42" } }]
          }
        }]
      ]
    )
  })
})

describe("Bedrock Converse decoder: usage and finish", () => {
  it("adds cache reads and writes to the input", () => {
    const { input, output } = answer("cached-usage").usage
    assert.deepStrictEqual(input, { total: 1105, uncached: 5, cacheRead: 1000, cacheWrite: 100, cacheWrite1h: 60 })
    assert.deepStrictEqual(output, { total: 2 })
  })

  it("reads the other spelling of the cache counts", () => {
    assert.deepStrictEqual(answer("count-spelling").usage.input, {
      total: 28,
      uncached: 5,
      cacheRead: 20,
      cacheWrite: 3
    })
  })

  it("takes the last counts, never null", () => {
    const { input, output } = answer("usage-twice").usage
    assert.deepStrictEqual([input.total, output.total], [5, 4])
  })

  it("leaves absent usage absent", () => {
    assert.deepStrictEqual(answer("no-metadata").usage, { input: {}, output: {} })
  })

  it("keeps trace, tier and response fields as extras, and the model that a prompt router chose", () => {
    const response = answer("guardrail")
    assert.strictEqual(response.finishReason, "content-filter")
    assert.hasAllKeys(response.extra, ["additionalModelResponseFields", "metrics", "trace", "serviceTier"])
    assert.strictEqual(response.model, "arn:aws:bedrock:eu-west-3::inference-profile/some.model")
  })

  it.each<readonly [string, FinishReason]>([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["content_filtered", "content-filter"],
    ["model_context_window_exceeded", "context-window"],
    ["malformed_model_output", "error"],
    ["malformed_tool_use", "error"],
    ["brand_new_reason", "other"]
  ])("maps the stop reason %s to %s and keeps it", (raw, reason) => {
    const response = answer(`stop-${raw.replaceAll("_", "-")}`)
    assert.strictEqual(response.finishReason, reason)
    assert.strictEqual(response.rawFinishReason, raw)
  })

  it("finishes with other when the stop reason is null", () => {
    assert.strictEqual(answer("stop-null").finishReason, "other")
    assert.strictEqual(whole("stop-null").response?.finishReason, "other")
  })
})

describe("Bedrock Converse decoder: failures", () => {
  it("reports an exception before content", () => {
    const { failure, partial } = stream("exception-first")
    assert.deepInclude(failure, { kind: "provider", type: "serviceUnavailableException", message: "Come back later." })
    assert.isUndefined(partial)
  })

  it("reports an exception after content and keeps the partial", () => {
    const { failure, partial, response } = stream("exception-after-content")
    assert.deepInclude(failure, {
      type: "throttlingException",
      message: "Too many tokens, please wait before trying again."
    })
    assert.strictEqual(partial?.text, "The kettle ")
    assert.isUndefined(response)
  })

  it("reports an exception after the stop reason", () => {
    assert.strictEqual(stream("exception-after-stop").failure?.type, "internalServerException")
  })

  it("keeps the status of the model's own host", () => {
    assert.deepInclude(stream("model-stream-error").failure, {
      type: "modelStreamErrorException",
      message: "The model stopped.",
      status: 529
    })
  })

  it("reports exceptions without a message, in plain text, and named or wrapped as events", () => {
    assert.deepInclude(stream("exception-without-message").failure, {
      type: "validationException",
      message: "validationException"
    })
    assert.deepInclude(stream("plain-text-exception").failure, {
      type: "InternalFailure",
      message: "the service broke"
    })
    assert.deepInclude(stream("exception-as-event").failure, { type: "throttlingException", message: "Slow down." })
    assert.deepInclude(stream("wrapped-exception").failure, { type: "modelTimeoutException", message: "Too slow." })
  })

  it("fails with the text of a payload that is not JSON and keeps the partial", () => {
    const { failure, partial } = stream("bad-json")
    assert.strictEqual(failure?.kind, "parse")
    assert.strictEqual(partial?.text, "The kettle ")
  })

  it("fails as incomplete when the stream ends before messageStop", () => {
    const { failure, partial } = stream("cut-in-text")
    assert.strictEqual(failure?.kind, "incomplete")
    assert.strictEqual(partial?.text, "The kettle ")
  })

  it("never makes a call of arguments whose block was cut, even when they read as JSON", () => {
    const { events, failure, partial } = stream("cut-in-tool")
    assert.strictEqual(failure?.kind, "incomplete")
    assert.isFalse(events.some((event) => event._tag === "ToolCallEnd"))
    assert.deepStrictEqual(partial?.toolCalls, [])
  })
})

describe("Bedrock Converse decoder: whole bodies", () => {
  it("reads every kind of block", () => {
    const response = whole("everything").response
    assert.deepStrictEqual(response?.parts.map((part) => part.type), [
      "reasoning",
      "reasoning",
      "text",
      "text",
      "source",
      "server-tool",
      "server-tool",
      "image",
      "file",
      "tool-call",
      "tool-call"
    ])
    assert.strictEqual(response?.text, "Let me see.Tea is from China.")
    assert.deepStrictEqual(response?.toolCalls.map((call) => call.arguments), [{ item: "rye" }, {}])
  })

  it("takes an answer without content for what it is", () => {
    assert.deepStrictEqual(whole("no-content").response?.parts, [])
  })

  it("reports an error body with status 200", () => {
    assert.deepInclude(whole("error").failure, {
      kind: "provider",
      message: "The provided model identifier is invalid."
    })
    assert.deepInclude(whole("typed-error").failure, { type: "ThrottlingException", message: "Rate exceeded" })
    assert.deepInclude(whole("unknown-operation").failure, { kind: "provider", type: "UnknownOperationException" })
  })

  it("refuses a body that is no answer", () => {
    assert.strictEqual(whole("not-an-answer").failure?.kind, "parse")
    for (const body of [null, [], "text", 1]) {
      const made = decoder()
      made.whole(body)
      assert.strictEqual(made.assembler.failure?.kind, "parse")
    }
  })

  it("keeps the raw events or body when asked", () => {
    const made = decoder(undefined, true)
    made.frame(`{"role":"assistant"}`, "messageStart")
    made.frame(`{"stopReason":"end_turn"}`, "messageStop")
    made.end()
    assert.deepStrictEqual(outcomeOf(made).response?.raw, [
      { messageStart: { role: "assistant" } },
      { messageStop: { stopReason: "end_turn" } }
    ])
  })
})
