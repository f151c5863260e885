// Requests with n of something, on every wire.
import type { LlmRequest } from "../../src/LlmRequest.ts"
import { validate } from "../../src/LlmRequest.ts"
import type { LlmTool } from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import type { Json, JsonObject, Part } from "../../src/Message.ts"
import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import * as BedrockConverse from "../../src/protocol/BedrockConverse.ts"
import * as CohereChat from "../../src/protocol/CohereChat.ts"
import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import * as OpenAiChat from "../../src/protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import type { Protocol } from "../../src/protocol/Protocol.ts"
import { moonshot } from "../../src/protocol/schema/dialects.ts"
import { encoderOf } from "../../test/encoding.ts"
import { type Case, many } from "./Case.ts"

const wires: { readonly [name: string]: Protocol } = {
  chat: OpenAiChat.make(),
  "chat for Mistral": OpenAiChat.make({ toolCallId: "mistral" }),
  "chat for Moonshot": OpenAiChat.make({ schemas: moonshot }),
  "chat with cache marks": OpenAiChat.make({ cacheControl: true, reasoningReplay: "reasoning_details" }),
  responses: OpenAiResponses.make(),
  anthropic: AnthropicMessages.make(),
  gemini: GeminiGenerateContent.make(),
  "gemini with OpenAPI schemas": GeminiGenerateContent.make({ jsonSchema: false }),
  bedrock: BedrockConverse.make(),
  cohere: CohereChat.make(),
  ollama: OllamaChat.make()
}

const user = Message.user("hi")
const text = (words: string): Part => ({ type: "text", text: words })
const call = (id: string): Part => ({ type: "tool-call", id, name: "f", arguments: { a: 1 } })
const result = (id: string): Part => ({ type: "tool-result", toolCallId: id, content: "ok" })
const toolMessage = (parts: ReadonlyArray<Part>): Message.Message => ({ role: "tool", content: parts })
const cached = (part: object): Part => ({ ...part, cacheControl: "ephemeral" }) as Part
const own = { wire: "any", provider: "test", model: "m" }

const tool = (name: string, parameters: JsonObject = { type: "object", properties: {} }): LlmTool => ({
  type: "function",
  name,
  parameters
})

const strictTool = (parameters: JsonObject): LlmTool => ({ ...tool("f", parameters), strict: true }) as LlmTool

const object = (properties: { readonly [name: string]: Json }): JsonObject => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false
})

const named = (n: number, make: (at: number) => Json): { readonly [name: string]: Json } =>
  Object.fromEntries(many(n, (at) => [`p${at}`, make(at)]))

/** `n` definitions of which each refers to the next, so often. */
const chain = (n: number, times: number): JsonObject => ({
  ...object({ first: { $ref: "#/$defs/p0" } }),
  $defs: named(n, (at) =>
    at === n - 1
      ? { type: "string" }
      : object(named(times, () => ({ $ref: `#/$defs/p${at + 1}` }))))
})

const nested = (depth: number, around: (inner: JsonObject) => JsonObject): JsonObject => {
  let schema: JsonObject = { type: "string" }
  for (let i = 0; i < depth; i++) schema = around(schema)
  return schema
}

interface Thing {
  readonly size: number
  readonly make: (n: number) => LlmRequest
}

const messages = (list: ReadonlyArray<Message.Message>): LlmRequest => ({ messages: [user, ...list, user] })

/** Tools with schemas are made anew for each run, because rewrites are remembered by the schema. */
const things: { readonly [name: string]: Thing } = {
  messages: { size: 50_000, make: (n) => messages(many(n, (at) => at % 2 === 0 ? Message.assistant("a") : user)) },
  "messages of one role": { size: 50_000, make: (n) => messages(many(n, () => user)) },
  "assistant messages in a row": { size: 50_000, make: (n) => messages(many(n, () => Message.assistant("a"))) },
  "messages of one role with priorities": {
    size: 50_000,
    make: (n) => messages(many(n, (at) => user.pipe(Message.priority(at % 7))))
  },
  "system messages": { size: 50_000, make: (n) => ({ messages: [...many(n, () => Message.system("a")), user] }) },
  "system messages in between": { size: 50_000, make: (n) => messages(many(n, () => Message.system("a"))) },
  "parts of a message": { size: 100_000, make: (n) => messages([Message.user(many(n, () => text("a") as never))]) },
  "cached parts": { size: 100_000, make: (n) => messages([Message.user(many(n, () => cached(text("a")) as never))]) },
  "cached blank parts after reasoning": {
    size: 50_000,
    make: (n) =>
      messages([
        Message.assistant([
          ...many(n, (): Part => ({ type: "reasoning", text: "a", signature: "AAAA" })),
          ...many(n, () => cached(text(" "))),
          text("a")
        ])
      ])
  },
  "calls of a message, with their results": {
    size: 50_000,
    make: (n) =>
      messages([
        Message.assistant(many(n, (at) => call(`c${at}`))),
        toolMessage(many(n, (at) => result(`c${n - 1 - at}`)))
      ])
  },
  "calls of a message, with a message for each result": {
    size: 50_000,
    make: (n) =>
      messages([
        Message.assistant(many(n, (at) => call(`c${at}`))),
        ...many(n, (at) => toolMessage([result(`c${at}`)]))
      ])
  },
  "calls of a message with one id": {
    size: 50_000,
    make: (n) => messages([Message.assistant(many(n, () => call("same"))), toolMessage(many(n, () => result("same")))])
  },
  "turns with one call id": {
    size: 50_000,
    make: (n) => messages(many(n, () => [Message.assistant([call("call_0")]), toolMessage([result("call_0")])]).flat())
  },
  "turns with ids that are rewritten alike": {
    size: 50_000,
    make: (n) =>
      messages(
        many(n, (at) => {
          const id = String.fromCharCode(0x4e00 + at % 20_000, 0x4e00 + Math.floor(at / 20_000))
          return [Message.assistant([call(id)]), toolMessage([result(id)])]
        }).flat()
      )
  },
  "calls without a result": {
    size: 50_000,
    make: (n) => messages(many(n, (at) => Message.assistant([call(`c${at}`)])))
  },
  "results without a call": { size: 50_000, make: (n) => messages(many(n, (at) => toolMessage([result(`c${at}`)]))) },
  "results without a call, and images of the assistant": {
    size: 50_000,
    make: (n) =>
      messages([
        ...many(n, (at) => toolMessage([result(`c${at}`)])),
        Message.assistant([
          ...many(n, (): Part => ({ type: "image", source: { type: "url", url: "https://a/b.png" } })),
          text("a")
        ])
      ])
  },
  reasoning: {
    size: 50_000,
    make: (n) =>
      messages([
        Message.assistant([
          ...many(n, (at): Part => ({
            type: "reasoning",
            text: "a",
            signature: "AAAA",
            encrypted: "AAAA",
            origin: own,
            replay: { id: `rs_${at}`, reasoning_details: [{ type: "reasoning.encrypted", id: `r${at}`, data: "A" }] }
          })),
          text("a")
        ])
      ])
  },
  "sources and server tools": {
    size: 50_000,
    make: (n) =>
      messages([
        Message.assistant([
          ...many(n, (at): Part =>
            at % 2 === 0
              ? { type: "source", url: "https://a", raw: {} }
              : { type: "server-tool", name: "s", kind: "block", data: { type: "x" }, origin: own }),
          text("a")
        ])
      ])
  },
  "documents with one name": {
    size: 20_000,
    make: (n) =>
      messages([
        Message.user([
          text("a") as never,
          ...many(n, () => ({
            type: "file" as const,
            filename: "report.txt",
            source: { type: "base64" as const, mediaType: "text/plain", data: "AAAA" }
          }))
        ])
      ])
  },
  "data URLs": {
    size: 50_000,
    make: (n) => messages([Message.user([{ type: "image", source: { type: "url", url: `data:${";a".repeat(n)}` } }])])
  },
  "cache marks": {
    size: 50_000,
    make: (n) => ({
      ...messages(
        many(n, (at) => at % 2 === 0 ? Message.assistant([cached(text("a"))]) : user.pipe(Message.cacheable))
      ),
      cache: { systemPrompt: true, tools: true, recentTurns: n }
    })
  },
  "stop sequences": { size: 100_000, make: (n) => ({ prompt: "a", stop: many(n, (at) => `s${at}`) }) },
  tools: { size: 50_000, make: (n) => ({ prompt: "a", tools: many(n, (at) => tool(`t${at}`)) }) },
  "tools that are sorted": {
    size: 50_000,
    make: (n) => ({ prompt: "a", tools: many(n, (at) => tool(`t${n - at}`)), cache: { tools: true } })
  },
  "strict tools": {
    size: 20_000,
    make: (n) => ({
      prompt: "a",
      tools: many(n, (at) => ({ ...strictTool(object({ a: {} })), name: `t${at}` }) as LlmTool)
    })
  },
  properties: {
    size: 50_000,
    make: (n) => ({ prompt: "a", tools: [strictTool(object(named(n, () => ({ type: "string" }))))] })
  },
  "properties of the answer": {
    size: 50_000,
    make: (n) => ({
      prompt: "a",
      responseFormat: { type: "json-schema", schema: object(named(n, () => ({ type: "string" }))) }
    })
  },
  "an enum": {
    size: 100_000,
    make: (n) => ({
      prompt: "a",
      tools: [strictTool(object({ a: { type: "string", enum: many(n, (at) => `e${at}`) } }))]
    })
  },
  "references to one definition": {
    size: 20_000,
    make: (n) => ({
      prompt: "a",
      tools: [strictTool({ ...object(named(n, () => ({ $ref: "#/$defs/d" }))), $defs: { d: { type: "string" } } })]
    })
  },
  "references to a large definition": {
    size: 20_000,
    make: (n) => ({
      prompt: "a",
      tools: [
        strictTool({
          ...object(named(n, () => ({ $ref: "#/$defs/d" }))),
          $defs: { d: { type: "string", enum: many(n, (at) => `e${at}`) } }
        })
      ]
    })
  },
  // Each doubles what one that writes them out would have to write: twenty are a million.
  "definitions that each name the next one twice": {
    size: 40,
    make: (n) => ({ prompt: "a", tools: [strictTool(chain(n, 2))] })
  },
  "types of a list, nested": {
    size: 40,
    make: (n) => ({
      prompt: "a",
      tools: [
        strictTool(object({
          a: nested(n, (inner) => ({
            type: ["string", "number", "object", "array"],
            properties: { a: inner }
          }))
        }))
      ]
    })
  },
  "choices beside types of a list, nested": {
    size: 40,
    make: (n) => ({
      prompt: "a",
      tools: [
        strictTool(
          object({ a: nested(n, (inner) => ({ type: ["string", "number"], anyOf: [inner, { type: "null" }] })) })
        )
      ]
    })
  },
  "members of allOf": {
    size: 50_000,
    make: (n) => ({ prompt: "a", tools: [tool("f", { type: "object", allOf: many(n, (at) => ({ [`x${at}`]: at })) })] })
  },
  "allOf beside what it repeats, nested": {
    size: 60,
    make: (n) => ({
      prompt: "a",
      tools: [
        tool("f", nested(n, (inner) => ({ type: "object", properties: { a: inner }, allOf: [{ properties: {} }] })))
      ]
    })
  },
  "levels of a schema": {
    size: 80,
    make: (n) => ({ prompt: "a", tools: [strictTool(nested(n, (inner) => object({ a: inner })))] })
  },
  "levels of arguments": {
    size: 200,
    make: (n) => {
      let value: Json = 1
      for (let i = 0; i < n; i++) value = { a: value }
      return messages([
        Message.assistant([{ type: "tool-call", id: "c", name: "f", arguments: value }]),
        toolMessage([result("c")])
      ])
    }
  },
  "words of a prompt": { size: 1_000_000, make: (n) => ({ prompt: "word ".repeat(n) }) }
}

/** As a provider does it: what validation refuses is not encoded. */
const encoded = (protocol: Protocol, request: LlmRequest): string | undefined =>
  validate(request) === undefined
    ? JSON.stringify(encoderOf(protocol)({ request, model: "m", stream: true, provider: "test" }))
    : undefined

export const requests: ReadonlyArray<Case> = Object.entries(things).flatMap(([thing, { make, size }]) => [
  {
    name: `validation: ${thing}`,
    size,
    run: (n: number) => {
      const request = make(n)
      return () => void validate(request)
    }
  },
  ...Object.entries(wires).map(([wire, protocol]): Case => ({
    name: `request to ${wire}: ${thing}`,
    size,
    run: (n) => {
      const request = make(n)
      return () => void encoded(protocol, request)
    }
  }))
])
