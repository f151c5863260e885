import { assert, describe, it } from "@effect/vitest"
import type { LlmRequest, RequestOptions } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import type { JsonObject } from "../../src/Message.ts"
import type { ModelMeta } from "../../src/Model.ts"
import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import type { Encoded, EncodeInput } from "../../src/protocol/Protocol.ts"
import * as Gemini from "../../src/provider/Gemini.ts"
import { encoderOf } from "../encoding.ts"
import { replay } from "./wire-replay.ts"

const { answer, wholeAnswer } = replay("gemini", GeminiGenerateContent.make(), "gemini")

const attempt = (request: LlmRequest, quirks?: GeminiGenerateContent.Quirks, more?: Partial<EncodeInput>) =>
  encoderOf(GeminiGenerateContent.make(quirks))({
    request,
    model: "asked-for",
    stream: false,
    provider: "gemini",
    ...more
  })

const encode = (
  request: LlmRequest,
  quirks?: GeminiGenerateContent.Quirks,
  more?: Partial<EncodeInput>
): Encoded => {
  const encoded = attempt(request, quirks, more)
  if ("refused" in encoded) throw new Error(encoded.refused.message)
  return encoded
}

const say = (options: RequestOptions): LlmRequest => ({ prompt: "Hi", ...options })
const body = (request: LlmRequest, quirks?: GeminiGenerateContent.Quirks, more?: Partial<EncodeInput>): JsonObject =>
  encode(request, quirks, more).body
const config = (options: RequestOptions, quirks?: GeminiGenerateContent.Quirks, more?: Partial<EncodeInput>) =>
  body(say(options), quirks, more)["generationConfig"]
const contents = (
  messages: ReadonlyArray<Message.Message>,
  quirks?: GeminiGenerateContent.Quirks,
  more?: Partial<EncodeInput>
) => body({ messages }, quirks, more)["contents"]
const fields = (encoded: Encoded) => encoded.warnings.map((warning) => warning.field)
const refusal = (options: RequestOptions, quirks?: GeminiGenerateContent.Quirks) => {
  const encoded = attempt(say(options), quirks)
  return "refused" in encoded ? encoded.refused : undefined
}

const hi = { role: "user", parts: [{ text: "Hi" }] }
const meta = (more: Partial<ModelMeta>): { readonly meta: ModelMeta } => ({
  meta: { provider: "gemini", id: "asked-for", capabilities: {}, ...more }
})
const levels = meta({ thinkingLevels: { low: "low", medium: "medium", high: "high" } })

const weigh = LlmTool.make("weigh", {
  description: "Weighs an item",
  parameters: { type: "object", properties: { item: { type: "string" } }, required: ["item"] }
})
const bell = LlmTool.make("bell", {})

const origin = { wire: "gemini-generate-content", provider: "gemini", model: "asked-for" }
const call = (id: string, more?: Partial<Message.ToolCallPart>): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name: "weigh",
  arguments: { item: "flour" },
  ...more
})

describe("Gemini encoder: path and messages", () => {
  it("puts the model and the method into the path", () => {
    assert.strictEqual(encode({ prompt: "Hi" }).path, "/models/asked-for:generateContent")
    assert.strictEqual(
      encode({ prompt: "Hi" }, {}, { stream: true }).path,
      "/models/asked-for:streamGenerateContent?alt=sse"
    )
    const path = (model: string) => encode({ prompt: "Hi" }, {}, { model }).path
    assert.strictEqual(path("models/bird-1"), "/models/bird-1:generateContent")
    assert.strictEqual(path("tunedModels/bird-1"), "/tunedModels/bird-1:generateContent")
    assert.strictEqual(path("a b"), "/models/a%20b:generateContent")
  })

  it("spells a prompt with nothing but its contents", () => {
    const encoded = encode({ prompt: "Hi" })
    assert.deepStrictEqual(encoded.body, { contents: [hi] })
    assert.deepStrictEqual(encoded.warnings, [])
  })

  it("hoists leading system turns to systemInstruction and keeps later ones as user text", () => {
    const made = body({
      system: "Be brief.",
      messages: [Message.system("Be kind."), Message.user("Hi"), Message.system("The shop is closed.")]
    })
    assert.deepStrictEqual(made["systemInstruction"], { parts: [{ text: "Be brief." }, { text: "Be kind." }] })
    assert.deepStrictEqual(made["contents"], [{
      role: "user",
      parts: [{ text: "Hi" }, { text: "The shop is closed." }]
    }])
  })

  it("merges turns of one role, so that roles alternate", () => {
    assert.deepStrictEqual(
      contents([
        Message.user("a"),
        Message.user("b"),
        Message.assistant("c"),
        Message.assistant("d"),
        Message.user("e")
      ]),
      [
        { role: "user", parts: [{ text: "a" }, { text: "b" }] },
        { role: "model", parts: [{ text: "c" }, { text: "d" }] },
        { role: "user", parts: [{ text: "e" }] }
      ]
    )
  })

  it("leaves empty text out, and refuses a request without content", () => {
    assert.deepStrictEqual(contents([Message.user(""), Message.user("Hi")]), [hi])
    const refused = attempt({ messages: [Message.user("")] })
    assert.isTrue("refused" in refused)
  })

  it("makes lone surrogates well-formed", () => {
    assert.deepStrictEqual(contents([Message.user("a\ud800")]), [{ role: "user", parts: [{ text: "a\ufffd" }] }])
  })

  it("spells media inline, by address, by data address and by uploaded file", () => {
    const made = contents([Message.user([
      Message.image({ type: "base64", mediaType: "image/png", data: "aGk=" }),
      Message.image({ type: "url", url: "https://example.org/a.JPG?x=1" }),
      Message.image({ type: "url", url: "data:image/webp;base64,aGk=" }),
      Message.file({ type: "file", fileId: "files/abc", mediaType: "application/pdf" }),
      Message.audio({ type: "base64", mediaType: "audio/wav", data: "AAA=" })
    ])], { filesUrl: "https://example.org/v1" })
    assert.deepStrictEqual(made, [{
      role: "user",
      parts: [
        { inlineData: { mimeType: "image/png", data: "aGk=" } },
        { fileData: { fileUri: "https://example.org/a.JPG?x=1", mimeType: "image/jpeg" } },
        { inlineData: { mimeType: "image/webp", data: "aGk=" } },
        { fileData: { fileUri: "https://example.org/v1/files/abc", mimeType: "application/pdf" } },
        { inlineData: { mimeType: "audio/wav", data: "AAA=" } }
      ]
    }])
  })
})

describe("Gemini encoder: calls and results", () => {
  const conversation = (part: Message.ToolCallPart, result: Message.ToolResultPart["content"], isError?: boolean) => [
    Message.user("Weigh."),
    Message.assistant([part]),
    Message.toolResult(part, result, { isError })
  ]

  it("spells a call and its result with their id", () => {
    assert.deepStrictEqual(contents(conversation(call("c1"), "200 grams")), [
      { role: "user", parts: [{ text: "Weigh." }] },
      { role: "model", parts: [{ functionCall: { id: "c1", name: "weigh", args: { item: "flour" } } }] },
      {
        role: "user",
        parts: [{ functionResponse: { id: "c1", name: "weigh", response: { output: "200 grams" } } }]
      }
    ])
  })

  it("spells a failed call as an error, and leaves ids out for hosts without them", () => {
    const [, model, user] = contents(conversation(call("c1"), "no scale", true), {
      toolCallIds: false
    }) as ReadonlyArray<
      JsonObject
    >
    assert.deepStrictEqual(model?.["parts"], [{ functionCall: { name: "weigh", args: { item: "flour" } } }])
    assert.deepStrictEqual(user?.["parts"], [{ functionResponse: { name: "weigh", response: { error: "no scale" } } }])
  })

  it("puts media of a result into it for models that take them there, else after it", () => {
    const result = [Message.text("See:"), Message.image({ type: "base64", mediaType: "image/png", data: "aGk=" })]
    const image = { inlineData: { mimeType: "image/png", data: "aGk=" } }
    const partsOf = (more?: Partial<EncodeInput>) =>
      (contents(conversation(call("c1"), result as ReadonlyArray<Message.TextPart>), {}, more) as ReadonlyArray<
        JsonObject
      >)
        .at(-1)?.["parts"]
    const response = { id: "c1", name: "weigh", response: { output: "See:" } }
    assert.deepStrictEqual(partsOf(), [{ functionResponse: response }, image])
    assert.deepStrictEqual(partsOf(levels), [{ functionResponse: { ...response, parts: [image] } }])
  })

  it("spells arguments that are no object as one", () => {
    const argsOf = (args: Message.Json) =>
      ((contents(conversation(call("c1", { arguments: args }), "x")) as ReadonlyArray<
        { parts: ReadonlyArray<{ functionCall: { args: JsonObject } }> }
      >)[1]!).parts[0]!.functionCall.args
    assert.deepStrictEqual(argsOf("free text"), { input: "free text" })
    assert.deepStrictEqual(argsOf([1]), { value: [1] })
  })

  it("answers a call without a result with an error, before the next turn", () => {
    const made = contents([
      Message.user("Weigh."),
      Message.assistant([call("c1")]),
      Message.user("Never mind.")
    ]) as ReadonlyArray<{ parts: ReadonlyArray<JsonObject> }>
    assert.lengthOf(made, 3)
    assert.deepStrictEqual(made[2]!.parts.map((part) => Object.keys(part)[0]), ["functionResponse", "text"])
  })
})

describe("Gemini encoder: thought signatures", () => {
  const replay = (message: Message.Message, quirks?: GeminiGenerateContent.Quirks, more?: Partial<EncodeInput>) =>
    (contents([Message.user("Go."), message, Message.user("On.")], quirks, more) as ReadonlyArray<
      { readonly role: string; readonly parts: ReadonlyArray<JsonObject> }
    >).filter((content) => content.role === "model").flatMap((content) => content.parts)

  it("replays a signature on the part it came with, empty text included, and no unsigned thoughts", () => {
    assert.deepStrictEqual(replay(answer("thinking").message), [
      { text: "Mix both." },
      { text: "", thoughtSignature: "c2lnbmVk" }
    ])
    assert.deepStrictEqual(replay(wholeAnswer("signed-text").message), [
      { text: "Weigh it.", thought: true, thoughtSignature: "dGhvdWdodA==" },
      { text: "Two hundred" },
      { text: " grams.", thoughtSignature: "dGV4dA==" }
    ])
  })

  it("replays the signature of a call, an image and a step of a server tool", () => {
    assert.deepStrictEqual(
      replay(answer("tool-calls").message).map((part) => part["thoughtSignature"]),
      ["Y2FsbA==", undefined]
    )
    const image = replay(wholeAnswer("image").message)
    assert.deepStrictEqual(image[1], {
      inlineData: { mimeType: "image/png", data: "aGk=" },
      thoughtSignature: "aW1hZ2U="
    })
    assert.lengthOf(image, 4)
    const steps = replay(answer("server-tool").message)
    assert.deepStrictEqual(steps[0], {
      toolCall: { id: "s1", toolType: "GOOGLE_SEARCH_WEB", args: { q: "rye" } },
      thoughtSignature: "c2VhcmNo"
    })
  })

  it("replays code execution unchanged", () => {
    assert.deepStrictEqual(replay(answer("code-execution").message)[1], {
      executableCode: { language: "PYTHON", code: "print(6*7)", id: "x1" }
    })
  })

  it("drops signatures of another model, another provider and those that are not base64", () => {
    const message = answer("thinking").message
    assert.deepStrictEqual(replay(message, {}, { model: "another" }), [{ text: "Mix both." }])
    assert.deepStrictEqual(replay(message, {}, { provider: "vertex" }), [{ text: "Mix both." }])
    assert.lengthOf(replay(message, { signaturesFrom: ["gemini"] }, { provider: "vertex" }), 2)
    assert.deepStrictEqual(replay(message, {}, { model: "models/asked-for" }).length, 2)
    assert.deepStrictEqual(replay(Message.assistant([Message.text("x", { signature: "no base64!", origin })])), [
      { text: "x" }
    ])
  })

  it("drops reasoning, signatures and server tools of other wires", () => {
    const foreign = { wire: "anthropic-messages", provider: "anthropic", model: "claude-test-1" }
    assert.deepStrictEqual(
      replay(Message.assistant([
        { type: "reasoning", text: "Hm.", signature: "c2ln", origin: foreign },
        { type: "text", text: "So.", signature: "c2ln", origin: foreign },
        { type: "server-tool", name: "web_search", kind: "call", data: { type: "server_tool_use" }, origin: foreign }
      ])),
      [{ text: "So." }]
    )
  })

  it("puts the placeholder on the first call of a turn where the model demands a signature", () => {
    const message = Message.assistant([Message.text("Two."), call("c1"), call("c2")])
    const signatures = (more?: Partial<EncodeInput>, quirks?: GeminiGenerateContent.Quirks) =>
      replay(message, quirks, more).map((part) => part["thoughtSignature"])
    const placeholder = "skip_thought_signature_validator"
    assert.deepStrictEqual(signatures(), [undefined, undefined, undefined])
    assert.deepStrictEqual(signatures(levels), [undefined, placeholder, undefined])
    assert.deepStrictEqual(signatures({ model: "gemini-3-bird" }, { levelModels: Gemini.levelModels }), [
      undefined,
      placeholder,
      undefined
    ])
    assert.deepStrictEqual(
      replay(answer("tool-calls").message, {}, levels).map((part) => part["thoughtSignature"]),
      ["Y2FsbA==", undefined]
    )
  })

  it("knows models from Gemini 3 on by their ids", () => {
    for (const id of ["gemini-3-pro", "models/gemini-3.5-flash", "gemini-4-argon", "gemini-10"]) {
      assert.isTrue(Gemini.levelModels.test(id), id)
    }
    for (const id of ["gemini-2.5-pro", "gemini-1.5-flash", "gemma-3-27b"]) {
      assert.isFalse(Gemini.levelModels.test(id), id)
    }
  })
})

describe("Gemini encoder: thinking", () => {
  const thinking = (options: RequestOptions, more?: Partial<EncodeInput>) =>
    (config(options, {}, more) as { readonly thinkingConfig?: JsonObject } | undefined)?.thinkingConfig

  it("sends a budget, with thoughts, to models that think by budget", () => {
    assert.deepStrictEqual(thinking({ thinking: "low" }), { includeThoughts: true, thinkingBudget: 1024 })
    assert.deepStrictEqual(thinking({ thinking: "high" }), { includeThoughts: true, thinkingBudget: 24_576 })
    assert.deepStrictEqual(thinking({ thinking: { budgetTokens: 777 } }), {
      includeThoughts: true,
      thinkingBudget: 777
    })
    assert.deepStrictEqual(thinking({ thinking: "off" }), { thinkingBudget: 0 })
    assert.deepStrictEqual(fields(encode(say({ thinking: "max" }))), ["thinking"])
  })

  it("sends a level to models that think by level, rounded down with a warning", () => {
    assert.deepStrictEqual(thinking({ thinking: "medium" }, levels), { includeThoughts: true, thinkingLevel: "MEDIUM" })
    assert.deepStrictEqual(thinking({ thinking: "max" }, levels), { includeThoughts: true, thinkingLevel: "HIGH" })
    assert.deepStrictEqual(thinking({ thinking: "off" }, levels), { thinkingLevel: "LOW" })
    assert.deepStrictEqual(fields(encode(say({ thinking: "off" }), {}, levels)), ["thinking"])
    assert.deepStrictEqual(fields(encode(say({ thinking: "high" }), {}, levels)), [])
  })

  it("leaves thinking out when it is not asked for, or the model has none", () => {
    assert.isUndefined(thinking({}))
    const none = meta({ capabilities: { reasoning: false } })
    assert.isUndefined(thinking({ thinking: "high" }, none))
    assert.deepStrictEqual(fields(encode(say({ thinking: "high" }), {}, none)), ["thinking"])
  })
})

describe("Gemini encoder: tools", () => {
  it("declares functions with their JSON Schema and passes the provider's own tools unchanged", () => {
    const made = body(say({ tools: [weigh, LlmTool.provider("search", { googleSearch: {} }), bell] }))
    assert.deepStrictEqual(made["tools"], [
      {
        functionDeclarations: [
          { name: "bell", parametersJsonSchema: { type: "object", properties: {} } },
          {
            name: "weigh",
            description: "Weighs an item",
            parametersJsonSchema: { type: "object", properties: { item: { type: "string" } }, required: ["item"] }
          }
        ]
      },
      { googleSearch: {} }
    ])
    assert.isFalse("toolConfig" in made)
  })

  it("spells the tool choice as a mode", () => {
    const modeOf = (options: RequestOptions, quirks?: GeminiGenerateContent.Quirks) =>
      (body(say({ tools: [weigh, bell], ...options }), quirks)["toolConfig"] as JsonObject | undefined)
        ?.["functionCallingConfig"]
    assert.deepStrictEqual(modeOf({ toolChoice: "auto" }), { mode: "AUTO" })
    assert.deepStrictEqual(modeOf({ toolChoice: "none" }), { mode: "NONE" })
    assert.deepStrictEqual(modeOf({ toolChoice: "required" }), { mode: "ANY" })
    assert.deepStrictEqual(modeOf({ toolChoice: { name: "bell" } }), { mode: "ANY", allowedFunctionNames: ["bell"] })
    assert.deepStrictEqual(modeOf({ tools: [{ ...weigh, strict: true }] }), { mode: "VALIDATED" })
    assert.isUndefined(modeOf({ tools: [{ ...weigh, strict: true }] }, { validatedMode: false }))
  })

  it("refuses to force a tool of the provider's own, and leaves them out when tools are forbidden", () => {
    const search = LlmTool.provider("search", { googleSearch: {} })
    assert.isFalse("toolConfig" in body(say({ tools: [search], toolChoice: "auto" })))
    assert.strictEqual(refusal({ tools: [search], toolChoice: "required" })?.field, "toolChoice")
    assert.strictEqual(refusal({ tools: [search, weigh], toolChoice: { name: "search" } })?.field, "toolChoice")
    const forbidden = encode(say({ tools: [search], toolChoice: "none" }))
    assert.isFalse("tools" in forbidden.body)
    assert.deepStrictEqual(fields(forbidden), ["toolChoice"])
  })

  it("warns that parallel calls cannot be turned off, and refuses free-form tools", () => {
    assert.deepStrictEqual(fields(encode(say({ tools: [weigh], parallelToolCalls: false }))), ["parallelToolCalls"])
    assert.strictEqual(refusal({ tools: [LlmTool.custom("sql")] })?.field, "tools")
  })

  it("sorts tools when they are to be cached", () => {
    const made = body(say({ tools: [weigh, bell], cache: { tools: true } }))
    const [{ functionDeclarations: declared }] = made["tools"] as unknown as readonly [
      { readonly functionDeclarations: ReadonlyArray<{ readonly name: string }> }
    ]
    assert.deepStrictEqual(declared.map(({ name }) => name), ["bell", "weigh"])
  })
})

describe("Gemini encoder: options", () => {
  it("spells sampling, limits and log probabilities in generationConfig", () => {
    assert.deepStrictEqual(
      config({
        maxTokens: 10,
        temperature: 0.5,
        topP: 0.9,
        topK: 4,
        seed: 7,
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        stop: ["END"],
        logprobs: 3
      }),
      {
        maxOutputTokens: 10,
        temperature: 0.5,
        topP: 0.9,
        topK: 4,
        seed: 7,
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        stopSequences: ["END"],
        responseLogprobs: true,
        logprobs: 3
      }
    )
    assert.deepStrictEqual(config({ logprobs: true }), { responseLogprobs: true })
    assert.isUndefined(config({ logprobs: false, stop: [] }))
  })

  it("lowers the token limit to the model's with a warning, and refuses too many stop sequences", () => {
    const small = meta({ maxOutputTokens: 5 })
    assert.deepStrictEqual(config({ maxTokens: 10 }, {}, small), { maxOutputTokens: 5 })
    assert.deepStrictEqual(fields(encode(say({ maxTokens: 10 }), {}, small)), ["maxTokens"])
    assert.strictEqual(refusal({ stop: ["1", "2", "3", "4", "5", "6"] })?.field, "stop")
  })

  it("warns of cache breakpoints and effort, which this wire lacks", () => {
    assert.deepStrictEqual(fields(encode(say({ cache: { systemPrompt: true } }))), ["cache"])
    assert.deepStrictEqual(fields(encode({ messages: [Message.user("Hi").pipe(Message.cacheable)] })), ["cache"])
    assert.deepStrictEqual(fields(encode(say({ effort: "high" }))), ["effort"])
  })

  it("asks for JSON, of a schema when there is one", () => {
    assert.deepStrictEqual(config({ responseFormat: { type: "json" } }), { responseMimeType: "application/json" })
    assert.isUndefined(config({ responseFormat: { type: "text" } }))
    const schema = { type: "object", properties: { n: { type: "integer" } } }
    assert.deepStrictEqual(config({ responseFormat: { type: "json-schema", schema } }), {
      responseMimeType: "application/json",
      responseJsonSchema: schema
    })
    assert.deepStrictEqual(config({ responseFormat: { type: "json-schema", schema } }, { jsonSchema: false }), {
      responseMimeType: "application/json",
      responseSchema: { type: "OBJECT", properties: { n: { type: "INTEGER" } } }
    })
  })

  it("tells a model without structured output to answer in JSON", () => {
    const made = encode(
      say({ responseFormat: { type: "json-schema", schema: { type: "object" } } }),
      {},
      meta({ capabilities: { structuredOutput: false } })
    )
    assert.isFalse("generationConfig" in made.body)
    assert.isTrue("systemInstruction" in made.body)
    assert.deepStrictEqual(fields(made), ["responseFormat"])
  })
})

describe("Gemini encoder: schemas", () => {
  const spelled = (schema: JsonObject, quirks?: GeminiGenerateContent.Quirks) => {
    const made = config({ responseFormat: { type: "json-schema", schema } }, quirks) as JsonObject
    return made["responseJsonSchema"] ?? made["responseSchema"]
  }
  const openApi = (schema: JsonObject) => spelled(schema, { jsonSchema: false })
  const refused = (schema: JsonObject) =>
    refusal({ responseFormat: { type: "json-schema", schema } }, { jsonSchema: false })

  it("spells const as enum, a reference with siblings as anyOf, and merges allOf", () => {
    assert.deepStrictEqual(
      spelled({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: {
          kind: { const: "a" },
          node: { $ref: "#/$defs/Node", description: "A node" },
          n: { type: "integer", allOf: [{ minimum: 1 }, { maximum: 5 }] }
        },
        $defs: { Node: { type: "object", properties: { next: { $ref: "#/$defs/Node" } } } }
      }),
      {
        type: "object",
        properties: {
          kind: { enum: ["a"], type: "string" },
          node: { description: "A node", anyOf: [{ $ref: "#/$defs/Node" }] },
          n: { type: "integer", minimum: 1, maximum: 5 }
        },
        $defs: { Node: { type: "object", properties: { next: { $ref: "#/$defs/Node" } } } }
      }
    )
  })

  it("keeps properties that are named like keywords", () => {
    const schema = { type: "object", properties: { const: { type: "string" }, $ref: { type: "string" } } }
    assert.deepStrictEqual(spelled(schema), schema)
  })

  it("rewrites to the OpenAPI subset without loss", () => {
    assert.deepStrictEqual(
      openApi({
        type: "object",
        additionalProperties: false,
        required: ["kind"],
        properties: {
          kind: { const: "a" },
          name: { type: ["string", "null"], minLength: 1 },
          either: { anyOf: [{ type: "string" }, { type: "number" }, { type: "null" }] },
          mail: { type: "string", format: "email" },
          list: { type: "array", items: { $ref: "#/$defs/Item" }, minItems: 1 }
        },
        $defs: { Item: { type: "object", properties: { n: { type: "integer" } } } }
      }),
      {
        type: "OBJECT",
        required: ["kind"],
        properties: {
          kind: { type: "STRING", format: "enum", enum: ["a"] },
          name: { type: "STRING", minLength: 1, nullable: true },
          either: { anyOf: [{ type: "STRING" }, { type: "NUMBER" }], nullable: true },
          mail: { type: "STRING", description: "Must hold: format: \"email\"." },
          list: { type: "ARRAY", items: { type: "OBJECT", properties: { n: { type: "INTEGER" } } }, minItems: 1 }
        }
      }
    )
  })

  it.each<readonly [string, JsonObject]>([
    ["a recursive reference", {
      $ref: "#/$defs/N",
      $defs: { N: { type: "object", properties: { n: { $ref: "#/$defs/N" } } } }
    }],
    ["a reference that leads nowhere", { $ref: "#/$defs/Gone" }],
    ["an enum of numbers", { type: "object", properties: { n: { enum: [1, 2] } } }],
    ["a tuple", { type: "array", prefixItems: [{ type: "string" }] }],
    ["a map", { type: "object", additionalProperties: { type: "string" } }],
    ["a negation", { not: { type: "string" } }]
  ])("says %s in another form", (_, schema) => {
    const told = JSON.stringify(openApi(schema))
    assert.notMatch(told, /"\$ref"|"prefixItems"|"additionalProperties"|"not":|"type":"[a-z]/)
  })

  it("refuses what nothing fits", () => {
    const schema = { allOf: [{ type: "string" }, { type: "number" }] }
    assert.strictEqual(refused(schema)?.field, "responseFormat.schema")
  })

  it("declares a function without arguments without parameters there", () => {
    const made = body(say({ tools: [bell, weigh] }), { jsonSchema: false })
    assert.deepStrictEqual(made["tools"], [{
      functionDeclarations: [
        { name: "bell" },
        {
          name: "weigh",
          description: "Weighs an item",
          parameters: { type: "OBJECT", properties: { item: { type: "STRING" } }, required: ["item"] }
        }
      ]
    }])
  })
})
