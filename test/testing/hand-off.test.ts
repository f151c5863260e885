/**
 * A conversation that any provider wrote is accepted by every other: random histories, with the opaque parts of all wires, are
 * sent to the simulator of each wire, which judges them as the real API does.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as fc from "fast-check"
import { Anthropic, Bedrock, Cohere, Gemini, LlmTool, Message, Ollama, OpenAi } from "../../src/index.ts"
import type { ProviderModule } from "../../src/provider/Provider.ts"
import * as Simulator from "../../src/testing/Simulator.ts"

type Speaker = Pick<ProviderModule, "make">

const openAiChat: Speaker = { make: (options) => OpenAi.make({ ...options, api: "chat" }) }

const providers: ReadonlyArray<readonly [string, Speaker, path: string]> = [
  ["Anthropic", Anthropic, "/v1"],
  ["OpenAI Chat", openAiChat, "/v1"],
  ["OpenAI Responses", OpenAi, "/v1"],
  ["Gemini", Gemini, "/v1beta"],
  ["Ollama", Ollama, ""],
  ["Cohere", Cohere, "/v2"],
  ["Bedrock", Bedrock, ""]
]

const wires = [
  "anthropic-messages",
  "openai-chat",
  "openai-responses",
  "gemini-generate-content",
  "ollama-chat",
  "cohere-chat",
  "bedrock-converse"
]

const origin = fc.constantFrom(...wires).map((wire) => ({ wire, provider: wire.split("-")[0]!, model: "other" }))
const text = fc.string({ minLength: 1, maxLength: 12, unit: "binary" }).filter((text) => text.trim() !== "")
const opaque = fc.option(fc.base64String({ minLength: 4, maxLength: 12 }), { nil: undefined })
const id = fc.oneof(fc.string({ minLength: 1, maxLength: 70 }), fc.constantFrom("call_1", "toolu_01", "a b/c", "é"))

const textPart = fc.record({ type: fc.constant("text" as const), text })
const reasoning = fc.record({
  type: fc.constant("reasoning" as const),
  text: fc.oneof(text, fc.constant("")),
  signature: opaque,
  encrypted: opaque,
  origin
})
const call = fc.record({
  type: fc.constant("tool-call" as const),
  id,
  name: fc.constant("look_up"),
  arguments: fc.dictionary(fc.constantFrom("a", "b"), fc.string()),
  signature: opaque,
  origin
})
const serverTool = fc.record({
  type: fc.constant("server-tool" as const),
  name: fc.constant("web_search"),
  kind: fc.constant("call" as const),
  data: fc.constant({}),
  origin: fc.constant({ wire: "elsewhere" })
})

const assistant = fc.array(fc.oneof(textPart, reasoning, call, serverTool), { minLength: 1, maxLength: 5 })
  .map((content) => Message.assistant(content))
const image = Message.image({ type: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" })
const user = fc.oneof(
  text.map((text) => Message.user(text)),
  fc.constant(Message.user([Message.text("What is this?"), image])),
  text.map((text) => Message.system(text))
)
const result = fc.record({ id, content: text, isError: fc.boolean() }).map(({ content, id, isError }) =>
  Message.toolResult({ id }, content, { isError })
)

/** Answers most calls, in any order, and leaves or invents some. */
const answers = (message: Message.Message, seed: number): ReadonlyArray<Message.Message> =>
  Message.parts(message).filter((part) => part.type === "tool-call").filter((_, i) => (seed >> i) % 4 !== 0).map((
    part
  ) => Message.toolResult(part, "found"))

const history = fc.array(fc.tuple(fc.oneof(user, assistant, result), fc.nat()), { minLength: 1, maxLength: 8 }).map(
  (messages) => [
    Message.user("Begin."),
    ...messages.flatMap((
      [message, seed]
    ) => [message, ...(message.role === "assistant" ? answers(message, seed) : [])]),
    Message.user("Go on.")
  ]
)

describe("a conversation moves between providers", () => {
  for (const [name, provider, path] of providers) {
    it.live(`${name} accepts any history`, () =>
      Effect.scoped(Effect.gen(function*() {
        const simulator = yield* Simulator.make({ respondWith: () => Simulator.text("Fine.") })
        const service = yield* provider.make({
          apiKey: Redacted.make("hand-off-key"),
          baseUrl: `${simulator.url}${path}`,
          model: "target-model",
          models: { "target-model": { capabilities: {} } }
        })
        const tools = [
          LlmTool.make("look_up", { parameters: { type: "object", properties: { a: { type: "string" } } } })
        ]
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(history, async (messages) => {
              const response = await Effect.runPromise(service.generate({ messages, tools, maxTokens: 100 }))
              assert.strictEqual(response.text, "Fine.")
            }),
            { numRuns: 60 }
          )
        )
      })).pipe(Effect.provide(NodeHttpClient.layerUndici)))
  }
})
