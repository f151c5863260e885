// What is wrong with a request is told by its field, before anything is sent; what is only unusual is taken.
import * as Redacted from "effect/Redacted"
import { assert, describe, it } from "vitest"
import { maxJsonDepth } from "../../src/json/depth.ts"
import { jsonText } from "../../src/json/text.ts"
import { type LlmRequest, validate } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"

const nested = (levels: number): unknown => {
  let value: unknown = []
  for (let level = 1; level < levels; level++) value = [value]
  return value
}

const circle: Record<string, unknown> = {}
circle["self"] = { again: circle }

const fieldOf = (request: unknown): string | undefined => validate(request as LlmRequest)?.field

const withPart = (role: string, part: unknown) => ({
  prompt: undefined,
  messages: [{ role: "user", content: "Hi" }, { role, content: [part] }]
})

const call = { type: "tool-call", id: "1", name: "t", arguments: {} }
const image = (source: unknown) => withPart("user", { type: "image", source })
const base64 = (data: unknown, mediaType: unknown = "image/png") => image({ type: "base64", mediaType, data })

const wrong: ReadonlyArray<readonly [given: object, field: string]> = [
  [{ system: 5 }, "system"],
  [{ tools: [null] }, "tools[0]"],
  [{ tools: "all" }, "tools"],
  [
    { tools: [{ type: "function", name: "t", parameters: { type: "object", properties: { a: { b: 1n } } } }] },
    "tools[0].parameters.properties.a.b"
  ],
  [{ tools: [{ type: "function", name: "t", parameters: circle }] }, "tools[0].parameters.self.again"],
  [{ tools: [{ type: "provider", name: "t", definition: { f: () => 1 } }] }, "tools[0].definition.f"],
  [{ stop: "x" }, "stop"],
  [{ stop: [1] }, "stop[0]"],
  [{ headers: { a: 5 } }, "headers.a"],
  [{ headers: ["a"] }, "headers"],
  [{ thinking: "banana" }, "thinking"],
  [{ thinking: { budgetTokens: "many" } }, "thinking.budgetTokens"],
  [{ effort: "extreme" }, "effort"],
  [{ toolChoice: 5 }, "toolChoice"],
  [{ toolChoice: { name: "none" } }, "toolChoice"],
  [{ responseFormat: "json" }, "responseFormat"],
  [{ responseFormat: { type: "json-schema" } }, "responseFormat.schema"],
  [{ cache: 1 }, "cache"],
  [{ cache: { recentTurns: "all" } }, "cache.recentTurns"],
  [{ logprobs: "x" }, "logprobs"],
  [{ model: 5 }, "model"],
  [{ model: "" }, "model"],
  [{ apiKey: "sk-plain" }, "apiKey"],
  [{ apiKey: Redacted.make(5) }, "apiKey"],
  [{ label: {} }, "label"],
  [{ scope: { userId: 5 } }, "scope.userId"],
  [{ priority: NaN }, "priority"],
  [{ temperature: null }, "temperature"],
  [{ temperature: "0" }, "temperature"],
  [{ maxTokens: 0 }, "maxTokens"],
  [{ maxTokens: 1.5 }, "maxTokens"],
  [{ frequencyPenalty: Infinity }, "frequencyPenalty"],
  [{ parallelToolCalls: "yes" }, "parallelToolCalls"],
  [{ timeouts: { idle: "soon" } }, "timeouts.idle"],
  [{ timeouts: { total: -1 } }, "timeouts.total"],
  [{ timeouts: { connect: NaN } }, "timeouts.connect"],
  [{ metadata: { a: [1, undefined] } }, "metadata.a[1]"],
  [{ metadata: { at: new Date(0) } }, "metadata.at"],
  [{ metadata: { many: new Map() } }, "metadata.many"],
  [{ metadata: { a: NaN } }, "metadata.a"],
  [{ providerOptions: { openai: { a: 1n } } }, "providerOptions.openai.a"],
  [{ providerOptions: { openai: 5 } }, "providerOptions.openai"],
  [{ includeRaw: "yes" }, "includeRaw"],
  [{ prompt: 5 }, "prompt"],
  [{ prompt: undefined, messages: "Hi" }, "messages"],
  [{ prompt: undefined, messages: [null] }, "messages[0]"],
  [{ prompt: undefined, messages: [{ role: "user", content: 5 }] }, "messages[0].content"],
  [{ prompt: undefined, messages: [{ role: "user", content: [null] }] }, "messages[0].content[0]"],
  [
    { prompt: undefined, messages: [{ role: "user", content: "a", attributes: { priority: "1" } }] },
    "messages[0].attributes.priority"
  ],
  [withPart("assistant", { type: "text", text: "a", signature: 5 }), "messages[1].content[0].signature"],
  [withPart("assistant", { type: "reasoning", text: "a", encrypted: {} }), "messages[1].content[0].encrypted"],
  [withPart("assistant", { type: "reasoning", text: "a", replay: circle }), "messages[1].content[0].replay.self.again"],
  [withPart("assistant", { type: "reasoning", text: "a", origin: { wire: 5 } }), "messages[1].content[0].origin.wire"],
  [withPart("assistant", { type: "source", url: 5 }), "messages[1].content[0].url"],
  [withPart("assistant", { type: "source", raw: 1n }), "messages[1].content[0].raw"],
  [
    withPart("assistant", { type: "server-tool", name: "s", kind: "x", data: {}, origin: { wire: "w" } }),
    "messages[1].content[0].kind"
  ],
  [
    withPart("assistant", { type: "server-tool", name: "s", kind: "call", data: 5, origin: { wire: "w" } }),
    "messages[1].content[0].data"
  ],
  [withPart("assistant", { ...call, arguments: undefined }), "messages[1].content[0].arguments"],
  [withPart("assistant", { ...call, arguments: { a: 1n } }), "messages[1].content[0].arguments.a"],
  [withPart("assistant", { ...call, custom: "yes" }), "messages[1].content[0].custom"],
  [withPart("tool", { type: "tool-result", toolCallId: "1", content: 5 }), "messages[1].content[0].content"],
  [
    withPart("tool", { type: "tool-result", toolCallId: "1", content: [{ type: "audio" }] }),
    "messages[1].content[0].content[0]"
  ],
  [withPart("tool", { type: "tool-result", toolCallId: 5, content: "" }), "messages[1].content[0].toolCallId"],
  [image("x"), "messages[1].content[0].source"],
  [image({ type: "bytes" }), "messages[1].content[0].source.type"],
  [base64("AAAA", null), "messages[1].content[0].source.mediaType"],
  [base64("AAAA", "png"), "messages[1].content[0].source.mediaType"],
  [base64(""), "messages[1].content[0].source.data"],
  [base64("not base64!"), "messages[1].content[0].source.data"],
  [base64("AA\nAA"), "messages[1].content[0].source.data"],
  [base64("A-_A"), "messages[1].content[0].source.data"],
  [base64("AAA"), "messages[1].content[0].source.data"],
  [base64("A=AA"), "messages[1].content[0].source.data"],
  [base64("data:image/png;base64,AAAA"), "messages[1].content[0].source.data"],
  [base64(new Uint8Array(4)), "messages[1].content[0].source.data"],
  [image({ type: "url", url: "picture.png" }), "messages[1].content[0].source.url"],
  [image({ type: "url", url: "data:" }), "messages[1].content[0].source.url"],
  [image({ type: "url", url: "data:image/png;base64," }), "messages[1].content[0].source.url"],
  [image({ type: "url", url: "data:image/png;base64,!" }), "messages[1].content[0].source.url"],
  [image({ type: "file", fileId: 5 }), "messages[1].content[0].source.fileId"],
  [image({ type: "file", fileId: "files/../../admin" }), "messages[1].content[0].source.fileId"]
]

describe("A request with something wrong in it", () => {
  it.each(wrong)("is told by its field: %o", (given, field) => {
    assert.strictEqual(fieldOf({ prompt: "Hi", ...given }), field)
    assert.notInclude(validate({ prompt: "Hi", ...given } as never)!.message, "sk-plain")
  })

  it("is told where nesting gets too deep, so that a turn that was read does not end the next one", () => {
    const deep = (levels: number) => withPart("assistant", { ...call, arguments: nested(levels) })
    assert.isUndefined(fieldOf(deep(maxJsonDepth)))
    for (const levels of [maxJsonDepth + 1, 6000, 200_000]) {
      assert.match(fieldOf(deep(levels))!, /^messages\[1\]\.content\[0\]\.arguments\[0\]/)
    }
  })

  it("is told of values that are shared until there is no memory for them", () => {
    let value: unknown = "x"
    for (let level = 0; level < 60; level++) value = { left: value, right: value }
    assert.strictEqual(fieldOf({ prompt: "Hi", metadata: value }), "metadata")
  })

  it("is told of a schema that has no JSON Schema, of which tools are made without a throw", () => {
    const parameters = LlmTool.jsonSchemaOf(5 as never)
    assert.strictEqual(fieldOf({ prompt: "Hi", tools: [LlmTool.make("t", { parameters })] }), "tools[0].parameters")
    assert.strictEqual(
      fieldOf({ prompt: "Hi", responseFormat: { type: "json-schema", schema: parameters } }),
      "responseFormat.schema"
    )
  })
})

describe("A request with something unusual in it", () => {
  const shared = { a: [1, 2, 3] }
  it.each<readonly [what: string, given: object]>([
    ["values that stand in several places", { metadata: { one: shared, two: shared, three: [shared, shared] } }],
    ["fields that are undefined", {
      temperature: undefined,
      metadata: { a: undefined },
      providerOptions: { openai: undefined }
    }],
    ["objects without a prototype", { metadata: Object.create(null) as object }],
    ["objects of a class with nothing but fields", {
      metadata: new (class {
        readonly a = 1
      })()
    }],
    ["fields that nobody knows", { colour: "blue", also: 1n }],
    ["texts that are not well-formed", { system: "\ud83d", label: "\ude00" }],
    ["limits without an end", { timeouts: { total: "Infinity", idle: 0 } }],
    ["a data URL with parameters", image({ type: "url", url: "data:image/svg+xml;charset=utf-8;base64,AAAA" })],
    ["a data URL of plain text", image({ type: "url", url: "data:text/plain,hello" })],
    ["an address of a store", image({ type: "url", url: "gs://bucket/picture.png" })],
    ["a media type with parameters", base64("AAAA", "text/plain; charset=utf-8")],
    [
      "bytes that a model gave, however it spelled them",
      withPart("assistant", { type: "image", source: { type: "base64", mediaType: "", data: "A A" } })
    ]
  ])("is taken: %s", (_, given) => {
    assert.isUndefined(validate({ prompt: "Hi", ...given } as LlmRequest))
  })

  it("is sent with whole characters only", () => {
    const body = { a: "x\ud83dy", "k\ude00": ["\\ud83d", "\ud83d\ude00", "\n\"\\"] }
    const sent = jsonText(body)
    assert.deepStrictEqual(JSON.parse(sent), { a: "x\ufffdy", "k\ufffd": ["\\ud83d", "\ud83d\ude00", "\n\"\\"] })
    assert.isTrue(sent.isWellFormed())
    assert.notMatch(sent, /[^\\](?:\\\\)*\\ud/)
  })
})
