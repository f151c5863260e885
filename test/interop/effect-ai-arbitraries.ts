// Messages and answers of every kind of part, for the laws of the way to effect/ai and back.
import * as fc from "fast-check"
import type { Fields } from "../../src/LlmResponse.ts"
import type * as Message from "../../src/Message.ts"

const word = fc.string({ maxLength: 8 })
const id = fc.stringMatching(/^[a-z]{1,4}_[0-9a-z]{1,6}$/)
const optional = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })

/** Without the fields that have no value: absent and `undefined` are one. */
const lean = <A>(value: A): A =>
  Array.isArray(value)
    ? value.map(lean) as A
    : typeof value === "object" && value !== null
    ? Object.fromEntries(
      Object.entries(value).filter(([, one]) => one !== undefined).map(([name, one]) => [name, lean(one)])
    ) as A
    : value

const json: fc.Arbitrary<Message.Json> = fc.jsonValue({ maxDepth: 2 }).map((value) =>
  JSON.parse(JSON.stringify(value)) as Message.Json
)
const jsonObject = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), json, { maxKeys: 3 })
const cacheControl = optional(fc.constantFrom("ephemeral" as const, "extended" as const))
const origin: fc.Arbitrary<Message.Origin> = fc.record({
  wire: fc.constantFrom("anthropic-messages", "openai-responses", "gemini-generate-content"),
  provider: optional(word),
  model: optional(word)
})
const base64 = fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString("base64"))
const mediaOf = (...types: ReadonlyArray<string>): fc.Arbitrary<Message.Media> =>
  fc.oneof(
    fc.record({ type: fc.constant("base64" as const), mediaType: fc.constantFrom(...types), data: base64 }),
    fc.record({
      type: fc.constant("url" as const),
      url: fc.constantFrom("https://example.com", "https://example.com/a b?c#d", "HTTPS://Example.com/x", "no url", ""),
      mediaType: optional(fc.constantFrom(...types))
    }),
    fc.record({
      type: fc.constant("file" as const),
      fileId: fc.constantFrom("file-abc", "file_011C", "abcd", ""),
      mediaType: optional(fc.constantFrom(...types))
    })
  )

const replayed = { signature: optional(word), replay: optional(jsonObject), origin: optional(origin) }

const text: fc.Arbitrary<Message.TextPart> = fc.record({
  type: fc.constant("text" as const),
  text: word,
  cacheControl,
  ...replayed
})
const image: fc.Arbitrary<Message.ImagePart> = fc.record({
  type: fc.constant("image" as const),
  source: mediaOf("image/png", "image/jpeg"),
  detail: optional(fc.constantFrom("low" as const, "high" as const)),
  cacheControl
})
const file: fc.Arbitrary<Message.FilePart> = fc.record({
  type: fc.constant("file" as const),
  source: mediaOf("application/pdf", "text/plain", "image/png"),
  filename: optional(word),
  citations: optional(fc.boolean()),
  cacheControl
})
const audio: fc.Arbitrary<Message.AudioPart> = fc.record({
  type: fc.constant("audio" as const),
  source: mediaOf("audio/wav", "audio/mp3"),
  transcript: optional(word)
})
const reasoning: fc.Arbitrary<Message.ReasoningPart> = fc.record({
  type: fc.constant("reasoning" as const),
  text: word,
  encrypted: optional(word),
  ...replayed
})
const toolCall: fc.Arbitrary<Message.ToolCallPart> = fc.oneof(
  fc.record({
    type: fc.constant("tool-call" as const),
    id,
    name: id,
    arguments: fc.oneof(jsonObject, json),
    cacheControl,
    ...replayed
  }),
  fc.record({
    type: fc.constant("tool-call" as const),
    id,
    name: id,
    arguments: word,
    custom: fc.constant(true as const),
    ...replayed
  }),
  fc.record({
    type: fc.constant("tool-call" as const),
    id,
    name: id,
    arguments: fc.constantFrom("{\"a\": 1", "nonsense"),
    invalid: fc.constant(true as const),
    ...replayed
  })
)
const toolResult: fc.Arbitrary<Message.ToolResultPart> = fc.record({
  type: fc.constant("tool-result" as const),
  toolCallId: id,
  name: optional(id),
  content: fc.oneof(
    word,
    json.map((value) => JSON.stringify(value)),
    fc.constantFrom("{\"a\" : 1}", " [1]", "[1e2]", "{"),
    fc.array(fc.oneof(text, image, file), { maxLength: 3 })
  ),
  isError: optional(fc.boolean()),
  cacheControl
})
const source: fc.Arbitrary<Message.SourcePart> = fc.record({
  type: fc.constant("source" as const),
  url: optional(fc.constantFrom("https://example.com", "no url")),
  title: optional(word),
  citedText: optional(word),
  raw: optional(json)
})
const serverTool: fc.Arbitrary<Message.ServerToolPart> = fc.record({
  type: fc.constant("server-tool" as const),
  name: id,
  kind: fc.constantFrom("call" as const, "result" as const, "block" as const),
  id: optional(id),
  data: jsonObject,
  origin
})

const attributes: fc.Arbitrary<Message.Attributes | undefined> = optional(fc.record({
  cacheControl,
  priority: optional(fc.integer()),
  metadata: optional(jsonObject)
}))
const messageOf = (
  role: Message.Role,
  content: fc.Arbitrary<Message.Message["content"]>
): fc.Arbitrary<Message.Message> => fc.record({ role: fc.constant(role), content, attributes })

const assistantPart: fc.Arbitrary<Message.Part> = fc.oneof(
  text,
  image,
  file,
  audio,
  reasoning,
  toolCall,
  source,
  serverTool,
  toolResult
)

export const message: fc.Arbitrary<Message.Message> = fc.oneof(
  messageOf("system", fc.oneof(word, fc.array(text, { maxLength: 3 }))),
  messageOf("user", fc.oneof(word, fc.array(fc.oneof(text, image, file, audio), { maxLength: 3 }))),
  messageOf("assistant", fc.oneof(word, fc.array(assistantPart, { maxLength: 4 }))),
  messageOf("tool", fc.array(toolResult, { maxLength: 3 }))
).map(lean)

/** A single text is a text, whichever way it is spelled. */
export const spelled = (messages: ReadonlyArray<Message.Message>): ReadonlyArray<Message.Message> =>
  messages.map((one) => {
    const [part] = typeof one.content === "string" ? [] : one.content
    return typeof one.content !== "string" && one.content.length === 1 && part!.type === "text" &&
        Object.keys(part!).length === 2
      ? { ...one, content: part!.text }
      : one
  })

const answered = <A extends { readonly origin?: unknown }>(part: A): A => {
  const { cacheControl: _, ...rest } = part as A & { readonly cacheControl?: unknown }
  return rest as unknown as A
}

const count = optional(fc.nat(1000))

/** Fields of answers, as wires make them: texts and reasoning say something, ids are unique. */
export const response: fc.Arbitrary<Fields> = fc.record({
  parts: fc.array(
    fc.oneof(
      text.map(answered),
      reasoning.map(answered),
      toolCall.map(answered),
      source,
      serverTool,
      image,
      file,
      audio
    ),
    { maxLength: 5 }
  ).map((parts) => [
    ...parts.map((part, index): Message.Part => part.type === "tool-call" ? { ...part, id: `call_${index}` } : part),
    { type: "text" as const, text: "done" }
  ]),
  finishReason: fc.constantFrom("stop", "length", "tool-calls", "content-filter", "refusal", "pause", "error", "other"),
  rawFinishReason: optional(word),
  usage: fc.record({
    input: fc.record({ total: count, uncached: count, cacheRead: count, cacheWrite: count, cacheWrite1h: count }),
    output: fc.record({ total: count, text: count, reasoning: count }),
    billedCost: optional(fc.double({ min: 0, max: 1, noNaN: true })),
    raw: optional(jsonObject)
  }),
  id: optional(id),
  model: fc.constant("claude"),
  provider: fc.constant("anthropic"),
  requestId: optional(id),
  cost: optional(fc.double({ min: 0, max: 1, noNaN: true })),
  warnings: fc.array(fc.record({ field: word, message: word }), { maxLength: 2 }),
  extra: optional(jsonObject.filter((one) => Object.keys(one).length > 0))
} as never).map((fields) => lean(fields)) as never
