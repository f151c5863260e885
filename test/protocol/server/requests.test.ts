/**
 * What a wire writes of a request, its server reads: the same, less what the wire cannot say, which is in the warnings.
 */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { LlmRequest } from "../../../src/LlmRequest.ts"
import * as LlmTool from "../../../src/LlmTool.ts"
import * as Message from "../../../src/Message.ts"
import type { Encoded, Refused } from "../../../src/protocol/Protocol.ts"
import { encoderOf } from "../../encoding.ts"
import { decode, encode, forgotten, incomingOf, inputOf, names, type Wire, wires } from "./wires.ts"

// =============================================================================
// Requests
// =============================================================================

const text = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }).filter((text) =>
  text.trim() === text && text !== "" && text.isWellFormed()
)
const name = fc.stringMatching(/^[a-z][a-z_]{0,9}$/)
const json = fc.dictionary(name, fc.oneof(text, fc.integer(), fc.boolean()), { maxKeys: 3 })
const picture = fc.base64String({ minLength: 8, maxLength: 12 }).map((data) =>
  Message.image({ type: "base64", mediaType: "image/png", data: `iVBORw0KGgo${data.replaceAll("=", "A")}AA` })
)
const link = fc.constant(Message.image({ type: "url", url: "https://example.com/cat.png" }))

const hasUrls = new Set(["anthropic", "chat", "responses", "cohere"])

// With a name, which some wires demand and would make up.
const pdf = fc.record({
  data: fc.constant("JVBERi0xLjQK"),
  filename: fc.constantFrom("Report", "Offer")
}).map((
  { data, filename }
) => Message.file({ type: "base64", mediaType: "application/pdf", data }, { filename }))

const media = (kind: string) =>
  fc.oneof(
    picture,
    fc.tuple(picture, fc.constantFrom("low" as const, "high" as const)).map(([image, detail]) => ({
      ...image,
      detail
    })),
    ...(hasUrls.has(kind) ? [link] : []),
    ...(kind === "cohere" || kind === "ollama" ? [] : [pdf])
  )

/** What a model thought, as its wire keeps it. */
const thoughtOf = (kind: string): fc.Arbitrary<Message.ReasoningPart | undefined> => {
  const origin = { wire: wires[kind]!.client.wire, provider: "someone", model: "model-1" }
  const signed = fc.constant({ signature: "c2lnbmF0dXJl" })
  const encrypted = fc.constant({ text: "", encrypted: "ZW5jcnlwdGVk" })
  const said = text.map((text) => ({ type: "reasoning" as const, text, origin }))
  const made: { readonly [kind: string]: fc.Arbitrary<Message.ReasoningPart> } = {
    anthropic: fc.tuple(said, fc.oneof(signed, encrypted)).map(([part, more]) => ({ ...part, ...more })),
    bedrock: fc.tuple(said, fc.oneof(signed, encrypted)).map(([part, more]) => ({ ...part, ...more })),
    gemini: fc.tuple(said, signed).map(([part, more]) => ({ ...part, ...more })),
    cohere: said,
    ollama: said
  }
  return fc.option(made[kind] ?? fc.constant(undefined as never), { nil: undefined })
}

const schema: fc.Arbitrary<LlmTool.JsonSchema> = fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).map((keys) => ({
  type: "object",
  properties: Object.fromEntries(keys.map((key) => [key, { type: "string" }])),
  required: keys,
  additionalProperties: false
}))

const tool = fc.record({ name, description: text, parameters: schema }).map(({ description, name, parameters }) =>
  LlmTool.make(name, { description, parameters })
)

/** A turn of the assistant's that calls tools, with the results, and what follows. */
const calling = (kind: string) =>
  fc.record({
    thought: thoughtOf(kind),
    text: fc.option(text, { nil: undefined }),
    calls: fc.array(fc.record({ name, arguments: json, result: text, isError: fc.boolean() }), {
      minLength: 1,
      maxLength: 2
    }),
    after: text
  })

const messagesOf = (kind: string) =>
  fc.record({
    system: fc.option(text, { nil: undefined }),
    first: fc.tuple(text, fc.option(media(kind), { nil: undefined })),
    turns: fc.array(fc.oneof(text, calling(kind)), { maxLength: 3 })
  }).map(({ first: [said, image], system, turns }) => {
    let calls = 0
    const messages: Array<Message.Message> = [
      Message.user(image === undefined ? said : [Message.text(said), image])
    ]
    for (const turn of turns) {
      if (typeof turn === "string") {
        messages.push(Message.assistant(turn), Message.user(turn))
        continue
      }
      const parts = turn.calls.map((call): Message.ToolCallPart => ({
        type: "tool-call",
        id: `call_${++calls}`,
        name: call.name,
        arguments: call.arguments
      }))
      messages.push(
        Message.assistant([
          ...(turn.thought === undefined ? [] : [turn.thought]),
          ...(turn.text === undefined ? [] : [Message.text(turn.text)]),
          ...parts
        ]),
        ...parts.map((part, at) => {
          const { isError, result } = turn.calls[at]!
          return Message.toolResult(part, result, isError ? { isError } : {})
        }),
        Message.assistant(turn.after),
        Message.user(turn.after)
      )
    }
    return { ...(system === undefined ? undefined : { system }), messages }
  })

const options = fc.record({
  maxTokens: fc.integer({ min: 2000, max: 8000 }),
  temperature: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
  topP: fc.integer({ min: 1, max: 9 }).map((tenths) => tenths / 10),
  topK: fc.integer({ min: 1, max: 500 }),
  frequencyPenalty: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
  presencePenalty: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
  seed: fc.nat(1000),
  stop: fc.uniqueArray(text, { minLength: 1, maxLength: 4 }),
  logprobs: fc.oneof(fc.constant(true), fc.integer({ min: 1, max: 5 })),
  thinking: fc.oneof(
    fc.constantFrom("off" as const, "low" as const, "medium" as const, "high" as const),
    fc.integer({ min: 1024, max: 1900 }).map((budgetTokens) => ({ budgetTokens }))
  ),
  effort: fc.constantFrom("low" as const, "medium" as const, "high" as const),
  responseFormat: fc.oneof(
    fc.constant({ type: "json" as const }),
    schema.map((schema) => ({ type: "json-schema" as const, schema }))
  ),
  tools: fc.uniqueArray(tool, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
  toolChoice: fc.constantFrom("auto" as const, "none" as const, "required" as const),
  parallelToolCalls: fc.boolean(),
  cache: fc.record({ key: text })
}, { requiredKeys: [] })

const requestOf = (kind: string): fc.Arbitrary<LlmRequest> =>
  fc.tuple(messagesOf(kind), options).map(([messages, { toolChoice, parallelToolCalls, ...options }]) => ({
    ...messages,
    ...options,
    // Without tools there is nothing to choose.
    ...(options.tools === undefined ? undefined : { toolChoice, parallelToolCalls })
  }))

// =============================================================================
// What they say
// =============================================================================

const textIn = ({ content }: Message.ToolResultPart): string => {
  const text = typeof content === "string" ? content : JSON.stringify(content)
  return text.replace(/^Error: /, "")
}

const partSays = (lost: ReadonlyArray<string>) => (part: Message.Part): unknown => {
  switch (part.type) {
    case "text":
      return part.text
    case "image":
      return { image: part.source, detail: lost.includes("image.detail") ? undefined : part.detail }
    case "file":
      return { file: part.source, filename: lost.includes("file.filename") ? undefined : part.filename }
    case "reasoning":
      return { thought: part.text, signature: part.signature, encrypted: part.encrypted }
    case "tool-call":
      return { call: part.id, name: part.name, arguments: part.arguments }
    case "tool-result":
      // Where a wire has no flag for it, the text says that the tool failed.
      return {
        result: part.toolCallId,
        failed: part.isError === true || String(part.content).startsWith("Error: "),
        said: textIn(part)
      }
    default:
      return part
  }
}

/** Turns, however they are cut into messages, with the instructions first. */
const says = (
  request: LlmRequest,
  lost: ReadonlyArray<string>
): ReadonlyArray<readonly [Message.Role, ReadonlyArray<unknown>]> => {
  const turns: Array<[Message.Role, Array<unknown>]> = []
  const system = request.system === undefined ? [] : [Message.system(request.system)]
  for (const message of [...system, ...(request.messages ?? [])]) {
    const last = turns.at(-1)
    const parts = Message.parts(message).map(partSays(lost))
    if (last?.[0] === message.role) last[1].push(...parts)
    else turns.push([message.role, parts])
  }
  return turns
}

const toolSays = (tool: LlmTool.LlmTool) => ({ ...tool, strict: undefined, decode: undefined })

/** Tools are sent in the order of their names. */
const byName = (a: { readonly name: string }, b: { readonly name: string }): number => a.name < b.name ? -1 : 1

/** An option in its plainest words. */
const optionSays = (field: string, value: unknown): unknown => {
  switch (field) {
    case "tools":
      return JSON.parse(
        JSON.stringify((value as ReadonlyArray<LlmTool.LlmTool> | undefined)?.map(toolSays).toSorted(byName) ?? null)
      )
    // What happens without a word.
    case "toolChoice":
      return value ?? "auto"
    case "parallelToolCalls":
      return value ?? true
    case "responseFormat": {
      const { schema, type } = (value ?? {}) as { readonly type?: string; readonly schema?: unknown }
      return [type, schema]
    }
    default:
      return value
  }
}

/** How much to think is said in levels by some wires and in tokens by others; that it means the same is another law's. */
const otherwise = new Set(["thinking", "effort", "messages", "system", "model"])

/** Where no tool may be called there are as good as none, and nothing to say of how many at once. */
const callable = new Set(["tools", "toolChoice", "parallelToolCalls"])

/** Tools are sent in the order of their names, whatever order they were given in. */
const inOrder = (field: string, value: unknown): unknown =>
  field === "tools" && Array.isArray(value)
    ? (value as ReadonlyArray<{ readonly name: string }>).toSorted((a, b) => a.name < b.name ? -1 : 1)
    : value

const differing = (asked: LlmRequest, read: LlmRequest): ReadonlyArray<string> => {
  const [left, right] = [{ ...asked } as Record<string, unknown>, { ...read } as Record<string, unknown>]
  return Object.keys(left).filter((field) =>
    left[field] !== undefined && !otherwise.has(field) && !(asked.toolChoice === "none" && callable.has(field)) &&
    JSON.stringify(optionSays(field, inOrder(field, left[field]))) !==
      JSON.stringify(optionSays(field, inOrder(field, right[field])))
  )
}

describe.each(names)("%s: requests in both directions", (kind) => {
  const wire: Wire = wires[kind]!

  // An instruction that JSON mode needs is a message more, which is not to be told from the caller's own.
  const isSent = (sent: Encoded | Refused) =>
    !("refused" in sent) && !sent.warnings.some(({ message }) => message.startsWith("JSON mode needs"))
  const encodable = requestOf(kind).filter((request) => isSent(encoderOf(wire.client)(inputOf(request))))

  it("reads what it writes: messages, tools and options, or a warning says what is missing", () => {
    fc.assert(
      fc.property(encodable, fc.boolean(), (request, stream) => {
        const written = encode(wire, request, { stream })
        const read = decode(wire, incomingOf(wire, written))
        assert.strictEqual(read.model, "model-1")
        assert.strictEqual(read.stream, stream)
        assert.deepStrictEqual(read.warnings, [])
        const fields = written.warnings.map(({ field }) => field.split(/[.[]/)[0]!)
        const emulated = fields.includes("responseFormat")
        const lost = written.warnings.map(({ field }) => field)
        // A format that the wire lacks is asked for in the instructions.
        if (!emulated) assert.deepStrictEqual(says(read.request, lost), says(request, lost))
        for (const field of differing(request, read.request)) {
          assert.include(fields, field, JSON.stringify([request, read.request]))
        }
        if (request.toolChoice === "none" && !fields.includes("toolChoice")) {
          assert.isTrue(read.request.tools === undefined || read.request.toolChoice === "none")
        }
      }),
      { numRuns: 40 }
    )
  })

  it("writes what it reads: the body again, with nothing more to warn of", () => {
    fc.assert(
      fc.property(encodable, (request) => {
        const written = encode(wire, request)
        const read = decode(wire, incomingOf(wire, written))
        const again = encode(wire, forgotten(read.request))
        assert.deepStrictEqual(JSON.parse(JSON.stringify(again.body)), JSON.parse(JSON.stringify(written.body)))
        assert.strictEqual(again.path, written.path)
        assert.deepStrictEqual(
          again.warnings.filter(({ field }) => !written.warnings.some((one) => one.field === field)),
          []
        )
      }),
      { numRuns: 40 }
    )
  })
})
