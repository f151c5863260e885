// The vendors' own clients, as they come from npm, in front of a gateway whose primary fails in every way: they see none of it.
import Anthropic, { APIError as AnthropicError, RateLimitError as AnthropicLimit } from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import { GoogleGenAI } from "@google/genai"
import * as Effect from "effect/Effect"
import OpenAI, { APIError, NotFoundError, RateLimitError } from "openai"
import * as Simulator from "../../src/testing/Simulator.ts"
import { collect, getWeather, rejectionOf } from "../testing/sdk.ts"
import { type Served, serving } from "./serving.ts"

/** Nothing is tried again by the clients: whatever fails would be seen. */
const clientsOf = ({ url }: Served) => ({
  openai: new OpenAI({ apiKey: "any", baseURL: `${url}/v1`, maxRetries: 0 }),
  anthropic: new Anthropic({ apiKey: "any", baseURL: url, maxRetries: 0 }),
  google: new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: url } })
})

const failures: ReadonlyArray<readonly [name: string, answer: Simulator.Answer]> = [
  ["429", Simulator.error(429, { retryAfter: 20 })],
  ["503", Simulator.error(503)],
  ["529", Simulator.error(529)],
  ["a reset connection", Simulator.reset],
  ["a stream that is cut before its first word", Simulator.text("Never.", { faults: { cutAfter: 1 } })],
  ["an error within a stream", Simulator.text("Never.", { faults: { errorAfter: 1 } })]
]

const told = "A long answer of several pieces."

/** What each client makes of an answer, whole or streamed. */
const asking = (served: Served) => {
  const { anthropic, google, openai } = clientsOf(served)
  const messages = [{ role: "user" as const, content: "Hello" }]
  return {
    "Chat Completions": Effect.promise(async () => {
      const made = await openai.chat.completions.create({ model: "claude", messages })
      return made.choices[0]!.message.content
    }),
    "Chat Completions, streamed": Effect.map(
      Effect.flatMap(
        Effect.promise(() => openai.chat.completions.create({ model: "claude", messages, stream: true })),
        collect
      ),
      (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")
    ),
    Responses: Effect.promise(async () =>
      (await openai.responses.create({ model: "claude", input: "Hello" })).output_text
    ),
    "Responses, streamed": Effect.map(
      Effect.flatMap(
        Effect.promise(() => openai.responses.create({ model: "claude", input: "Hello", stream: true })),
        collect
      ),
      (events) => events.map((event) => event.type === "response.output_text.delta" ? event.delta : "").join("")
    ),
    Messages: Effect.promise(async () => {
      const made = await anthropic.messages.create({ model: "claude", max_tokens: 100, messages })
      return made.content[0]!.type === "text" ? made.content[0]!.text : ""
    }),
    "Messages, streamed": Effect.promise(() =>
      anthropic.messages.stream({ model: "claude", max_tokens: 100, messages }).finalText()
    ),
    generateContent: Effect.promise(async () =>
      (await google.models.generateContent({ model: "claude", contents: "Hello" })).text
    ),
    streamGenerateContent: Effect.map(
      Effect.flatMap(
        Effect.promise(() => google.models.generateContentStream({ model: "claude", contents: "Hello" })),
        collect
      ),
      (chunks) => chunks.map((chunk) => chunk.text ?? "").join("")
    )
  }
}

describe("the vendors' clients through a gateway", () => {
  it.live("read whole and streamed answers on four wires", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        yield* served.primary.respondWith(() => Simulator.text(told))
        for (const [name, asked] of Object.entries(asking(served))) assert.strictEqual(yield* asked, told, name)
      })))

  it.live("see none of the failures of a primary", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        yield* served.backup.respondWith(() => Simulator.text(told))
        for (const [failure, answer] of failures) {
          yield* served.primary.respondWith(() => answer)
          for (const [name, asked] of Object.entries(asking(served))) {
            // A body that is cut or fails within is one of a stream.
            if ("parts" in answer && !/streamed|stream/.test(name)) continue
            assert.strictEqual(yield* asked, told, `${name} after ${failure}`)
          }
        }
      })), 30_000)

  it.live("call tools and give results back", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        const { anthropic, google, openai } = clientsOf(served)
        yield* served.primary.respondWith(({ bodyText }) =>
          bodyText.includes("tool_result")
            ? Simulator.text("Sunny.")
            : Simulator.toolCall("get_weather", { city: "Oslo" })
        )
        const tool = { type: "function" as const, function: getWeather }
        const asked = { role: "user" as const, content: "Weather in Oslo?" }
        const chat = yield* Effect.promise(async () => {
          const first = await openai.chat.completions.create({ model: "claude", messages: [asked], tools: [tool] })
          const message = first.choices[0]!.message
          const call = message.tool_calls![0]!
          assert.deepStrictEqual(
            call.type === "function" ? JSON.parse(call.function.arguments) : undefined,
            { city: "Oslo" }
          )
          return openai.chat.completions.create({
            model: "claude",
            tools: [tool],
            messages: [asked, message, { role: "tool", tool_call_id: call.id, content: "12 degrees" }]
          })
        })
        assert.strictEqual(chat.choices[0]!.message.content, "Sunny.")

        const responses = yield* Effect.promise(async () => {
          const tools = [{ type: "function" as const, ...getWeather, strict: false }]
          const first = await openai.responses.create({ model: "claude", input: "Weather in Oslo?", tools })
          const call = first.output.find((item) => item.type === "function_call")!
          return openai.responses.create({
            model: "claude",
            tools,
            previous_response_id: first.id,
            input: [{ type: "function_call_output", call_id: call.call_id, output: "12 degrees" }]
          })
        })
        assert.strictEqual(responses.output_text, "Sunny.")

        const gemini = yield* Effect.promise(async () => {
          const config = {
            tools: [{
              functionDeclarations: [{
                ...getWeather,
                parametersJsonSchema: getWeather.parameters,
                parameters: undefined
              }]
            }]
          }
          const chat = google.chats.create({ model: "claude", config: config as never })
          const first = await chat.sendMessage({ message: "Weather in Oslo?" })
          const call = first.functionCalls![0]!
          return chat.sendMessage({
            message: [{ functionResponse: { id: call.id!, name: "get_weather", response: { output: "12 degrees" } } }]
          })
        })
        assert.strictEqual(gemini.text, "Sunny.")

        const messages = yield* Effect.promise(async () => {
          const tools = [{ name: "get_weather", input_schema: getWeather.parameters }]
          const first = await anthropic.messages.create({ model: "claude", max_tokens: 100, tools, messages: [asked] })
          const call = first.content.find((block) => block.type === "tool_use")!
          return anthropic.messages.create({
            model: "claude",
            max_tokens: 100,
            tools,
            messages: [asked, { role: "assistant", content: first.content }, {
              role: "user",
              content: [{ type: "tool_result", tool_use_id: call.id, content: "12 degrees" }]
            }]
          })
        })
        assert.deepStrictEqual(messages.content.map((block) => block.type === "text" ? block.text : ""), ["Sunny."])
      })))

  it.live("read a failure as their own vendor's", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        const { anthropic, openai } = clientsOf(served)
        yield* served.primary.respondWith(() => Simulator.error(429, { retryAfter: 7 }))
        yield* served.backup.respondWith(() => Simulator.error(401))
        const messages = [{ role: "user" as const, content: "Hello" }]
        const chat = yield* rejectionOf(
          RateLimitError,
          () => openai.chat.completions.create({ model: "claude", messages })
        )
        assert.strictEqual(chat.headers.get("retry-after"), "7")
        const attempts = chat.headers.get("x-effect-llm-attempts") ?? ""
        assert.match(
          attempts,
          /^"anthropic\/claude-sonnet-4-5";reason="RateLimit".*"openai\/gpt-5";reason="Authentication"/
        )
        const message = yield* rejectionOf(
          AnthropicLimit,
          () => anthropic.messages.create({ model: "claude", max_tokens: 10, messages, stream: true })
        )
        assert.strictEqual(message.headers?.get("retry-after"), "7")
      })))

  it.live("read a failure after content as an error of the stream", () =>
    serving({}, (served) =>
      Effect.gen(function*() {
        const { anthropic, google, openai } = clientsOf(served)
        yield* served.primary.respondWith(() => Simulator.text(told, { faults: { cutAfter: 5 } }))
        const messages = [{ role: "user" as const, content: "Hello" }]
        yield* rejectionOf(APIError, async () => {
          for await (const _ of await openai.chat.completions.create({ model: "claude", messages, stream: true }));
        })
        yield* rejectionOf(APIError, async () => {
          for await (const _ of await openai.responses.create({ model: "claude", input: "Hello", stream: true }));
        })
        yield* rejectionOf(
          AnthropicError,
          () => anthropic.messages.stream({ model: "claude", max_tokens: 10, messages }).finalText()
        )
        yield* rejectionOf(Error, async () => {
          for await (const _ of await google.models.generateContentStream({ model: "claude", contents: "Hello" }));
        })
      })))

  it.live("list models and count tokens, each in its own words", () =>
    serving(
      { routes: [{ model: "fast", to: "gpt" }, { model: "gpt-*", to: "gpt" }] },
      (served) =>
        Effect.gen(function*() {
          const { anthropic, google, openai } = clientsOf(served)
          const names = ["fast", "claude", "gpt", "gemini"]
          const list = async <A>(all: AsyncIterable<A>, name: (one: A) => string | undefined) => {
            const found: Array<string | undefined> = []
            for await (const one of all) found.push(name(one))
            return found
          }
          assert.deepStrictEqual(yield* Effect.promise(() => list(openai.models.list(), ({ id }) => id)), names)
          assert.deepStrictEqual(yield* Effect.promise(() => list(anthropic.models.list(), ({ id }) => id)), names)
          const google_ = yield* Effect.promise(async () => list(await google.models.list(), ({ name }) => name))
          assert.deepStrictEqual(google_, names.map((name) => `models/${name}`))
          assert.strictEqual((yield* Effect.promise(() => openai.models.retrieve("gpt-4o"))).id, "gpt-4o")
          yield* rejectionOf(NotFoundError, () => openai.models.retrieve("nobody"))

          const messages = [{ role: "user" as const, content: "Hello" }]
          const counted = yield* Effect.promise(() => anthropic.messages.countTokens({ model: "claude", messages }))
          assert.isAbove(counted.input_tokens, 0)
          const tokens = yield* Effect.promise(() => google.models.countTokens({ model: "claude", contents: "Hello" }))
          assert.isAbove(tokens.totalTokens ?? 0, 0)
        })
    ))
})
