import { Anthropic } from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { OpenAI } from "openai"
import * as Simulator from "../../src/testing/Simulator.ts"
import { getWeather, rejection } from "./sdk.ts"

const anthropicFor = (simulator: Simulator.Service, apiKey = "sk-ant-test") =>
  new Anthropic({ baseURL: simulator.url, apiKey, maxRetries: 0 })

const openAiFor = (simulator: Simulator.Service, apiKey = "sk-test") =>
  new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey, maxRetries: 0 })

const anthropicWeather: Anthropic.Tool = {
  name: getWeather.name,
  description: getWeather.description,
  input_schema: getWeather.parameters
}

const openAiWeather: OpenAI.ChatCompletionFunctionTool = {
  type: "function",
  function: getWeather
}

const question = "What is the weather in Lisbon"

const haiku = { model: "claude-haiku-4-5", max_tokens: 100 }

const mini = { model: "gpt-4.1-mini" }

describe("Simulator with the official Anthropic client", () => {
  it.effect("answers a message whole", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const message = yield* Effect.promise(() =>
        anthropicFor(simulator).messages.create({ ...haiku, messages: [{ role: "user", content: "Good morning" }] })
      )
      assert.deepStrictEqual(message.content.map((block) => block.type === "text" ? block.text : block.type), [
        "You said: Good morning"
      ])
      assert.strictEqual(message.stop_reason, "end_turn")
      assert.strictEqual(message.usage.output_tokens, 6)
      assert.strictEqual(message._request_id, "req_sim000001")
      assert.strictEqual(simulator.requests[0]?.headers.authorization, "Bearer sk-ant-test")
      assert.deepInclude(simulator.requests[0]?.body, { model: "claude-haiku-4-5" })
    }))

  it.effect("streams a message that the client assembles to the same content", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue({
        parts: [
          { type: "reasoning", text: "Let me think about it for a while.", signature: "c2ln" },
          { type: "reasoning", text: "", encrypted: "b3BhcXVl" },
          { type: "text", text: "Grüße aus Lissabon 🌞, wie immer." },
          { type: "tool-call", id: "toolu_1", name: "get_weather", arguments: { city: "Lisbon" } },
          { type: "tool-call", name: "now", arguments: "" }
        ],
        usage: { input: 100, output: 30, cacheRead: 60, cacheWrite: 10, reasoning: 12 }
      })
      const stream = anthropicFor(simulator).messages.stream({ ...haiku, messages: [{ role: "user", content: "Hi" }] })
      const deltas: Array<string> = []
      stream.on("text", (delta) => deltas.push(delta))
      const message = yield* Effect.promise(() => stream.finalMessage())
      assert.deepStrictEqual(
        message.content.map((block) => {
          switch (block.type) {
            case "text":
              return block.text
            case "thinking":
              return [block.thinking, block.signature]
            case "redacted_thinking":
              return block.data
            case "tool_use":
              return [block.id, block.name, block.input]
            default:
              return block.type
          }
        }),
        [
          ["Let me think about it for a while.", "c2ln"],
          "b3BhcXVl",
          "Grüße aus Lissabon 🌞, wie immer.",
          ["toolu_1", "get_weather", { city: "Lisbon" }],
          ["toolu_sim000001_4", "now", {}]
        ]
      )
      assert.isAbove(deltas.length, 2)
      assert.strictEqual(message.stop_reason, "tool_use")
      assert.deepInclude(message.usage, {
        input_tokens: 30,
        cache_read_input_tokens: 60,
        cache_creation_input_tokens: 10,
        output_tokens: 30
      })
    }))

  it.effect("sends the events in the order of the API", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("Hi", { chunkSize: 1 }))
      const stream = yield* Effect.promise(() =>
        anthropicFor(simulator).messages.create({ ...haiku, stream: true, messages: [{ role: "user", content: "Hi" }] })
      )
      const types = yield* Effect.promise(async () => {
        const types: Array<string> = []
        for await (const event of stream) types.push(event.type)
        return types
      })
      assert.deepStrictEqual(types, [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop"
      ])
    }))

  it.effect("calls a fitting tool and answers with its result", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = anthropicFor(simulator)
      const user: Anthropic.MessageParam = { role: "user", content: question }
      const first = yield* Effect.promise(() =>
        client.messages.create({ ...haiku, tools: [anthropicWeather], messages: [user] })
      )
      const call = first.content[0]
      assert(call?.type === "tool_use")
      assert.deepStrictEqual([call.name, call.input], ["get_weather", { city: "Lisbon" }])
      const second = yield* Effect.promise(() =>
        client.messages.stream({
          ...haiku,
          tools: [anthropicWeather],
          messages: [user, { role: "assistant", content: first.content }, {
            role: "user",
            content: [{ type: "tool_result", tool_use_id: call.id, content: "21 degrees" }]
          }]
        }).finalText()
      )
      assert.strictEqual(second, "The tool says: 21 degrees")
    }))

  it.effect("thinks, follows a schema and stops at the limit when asked to", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = anthropicFor(simulator)
      const messages: Array<Anthropic.MessageParam> = [{ role: "user", content: "I met Ada and 3 others" }]
      const thinking = yield* Effect.promise(() =>
        client.messages.create({
          ...haiku,
          max_tokens: 2000,
          thinking: { type: "enabled", budget_tokens: 1024 },
          messages
        })
      )
      assert.deepStrictEqual(thinking.content.map((block) => block.type), ["thinking", "text"])
      const schema = {
        type: "object",
        properties: { name: { type: "string" }, others: { type: "integer" } },
        required: ["name", "others"],
        additionalProperties: false
      }
      const structured = yield* Effect.promise(() =>
        client.messages.create({ ...haiku, output_config: { format: { type: "json_schema", schema } }, messages })
      )
      assert.deepInclude(structured.content[0], { text: "{\"name\":\"Ada\",\"others\":3}" })
      const cut = yield* Effect.promise(() => client.messages.create({ ...haiku, max_tokens: 2, messages }))
      assert.deepInclude(cut.content[0], { text: "You said" })
      assert.strictEqual(cut.stop_reason, "max_tokens")
    }))

  it.effect("counts tokens, lists models and describes one", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ models: ["claude-haiku-4-5", "claude-opus-4-5"] })
      const client = anthropicFor(simulator)
      const count = yield* Effect.promise(() =>
        client.messages.countTokens({
          model: "claude-haiku-4-5",
          messages: [{ role: "user", content: "Good morning" }]
        })
      )
      assert.isAbove(count.input_tokens, 0)
      const models = yield* Effect.promise(() => client.models.list())
      assert.deepStrictEqual(models.data.map((model) => model.id), ["claude-haiku-4-5", "claude-opus-4-5"])
      const model = yield* Effect.promise(() => client.models.retrieve("claude-opus-4-5"))
      assert.strictEqual(model.id, "claude-opus-4-5")
      const unknown = yield* rejection(() => client.models.retrieve("claude-none"))
      assert.instanceOf(unknown, Anthropic.NotFoundError)
    }))

  it.effect("refuses unknown keys and unknown models", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["sk-ant-good"], models: ["claude-haiku-4-5"] })
      const messages: Array<Anthropic.MessageParam> = [{ role: "user", content: "Hi" }]
      const denied = yield* rejection(() =>
        anthropicFor(simulator, "sk-ant-bad").messages.create({ ...haiku, messages })
      )
      assert(denied instanceof Anthropic.AuthenticationError)
      assert.strictEqual(denied.type, "authentication_error")
      const missing = yield* rejection(() =>
        anthropicFor(simulator, "sk-ant-good").messages.create({ ...haiku, model: "claude-none", messages })
      )
      assert(missing instanceof Anthropic.NotFoundError)
      assert.strictEqual(missing.type, "not_found_error")
      const good = yield* Effect.promise(() =>
        anthropicFor(simulator, "sk-ant-good").messages.create({ ...haiku, messages })
      )
      assert.strictEqual(good.stop_reason, "end_turn")
    }))

  it.effect("reports scripted errors as the API does", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.error(429, { retryAfter: 7 }), Simulator.error(529), Simulator.error(413))
      const call = () =>
        anthropicFor(simulator).messages.create({ ...haiku, messages: [{ role: "user", content: "Hi" }] })
      const limited = yield* rejection(call)
      assert(limited instanceof Anthropic.RateLimitError)
      assert.strictEqual(limited.headers.get("retry-after"), "7")
      assert.strictEqual(limited.type, "rate_limit_error")
      const overloaded = yield* rejection(call)
      assert(overloaded instanceof Anthropic.InternalServerError)
      assert.deepStrictEqual([overloaded.status, overloaded.type], [529, "overloaded_error"])
      const tooLarge = yield* rejection(call)
      assert(tooLarge instanceof Anthropic.APIError)
      assert.strictEqual(tooLarge.status, 413)
    }))

  it.effect.each<[string, object, string]>([
    ["a missing token limit", { max_tokens: undefined }, "max_tokens: Field required"],
    ["no messages", { messages: [] }, "at least one message"],
    ["an unknown role", { messages: [{ role: "system", content: "x" }] }, "Unexpected role \"system\""],
    ["an assistant first", { messages: [{ role: "assistant", content: "x" }] }, "first message must use the \"user\""],
    ["empty text", { messages: [{ role: "user", content: [{ type: "text", text: "" }] }] }, "must be non-empty"],
    ["a foreign field", { seed: 1 }, "seed: Extra inputs are not permitted"],
    [
      "a call without a result",
      {
        messages: [
          { role: "user", content: "x" },
          { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "f", input: {} }] },
          { role: "user", content: "and?" }
        ]
      },
      "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1"
    ],
    [
      "text before a result",
      {
        messages: [
          { role: "user", content: "x" },
          { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "f", input: {} }] },
          {
            role: "user",
            content: [{ type: "text", text: "Here:" }, { type: "tool_result", tool_use_id: "toolu_1", content: "y" }]
          }
        ]
      },
      "without `tool_result` blocks immediately after: toolu_1"
    ],
    [
      "a result without a call",
      {
        messages: [{ role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_9", content: "x" }] }]
      },
      "unexpected `tool_use_id`"
    ]
  ])("refuses %s", ([, change, message]) =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const error = yield* rejection(() =>
        anthropicFor(simulator).messages.create({ ...haiku, messages: [{ role: "user", content: "Hi" }], ...change })
      )
      assert(error instanceof Anthropic.BadRequestError)
      assert.strictEqual(error.type, "invalid_request_error")
      assert.include(error.apiMessage, message)
    }))
})

describe("Simulator with the official OpenAI client", () => {
  it.effect("answers a completion whole", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const completion = yield* Effect.promise(() =>
        openAiFor(simulator).chat.completions.create({ ...mini, messages: [{ role: "user", content: "Good morning" }] })
      )
      assert.strictEqual(completion.choices[0]?.message.content, "You said: Good morning")
      assert.strictEqual(completion.choices[0]?.finish_reason, "stop")
      assert.strictEqual(completion.usage?.total_tokens, 3 + 6)
      assert.strictEqual(completion._request_id, "req_sim000001")
      assert.strictEqual(simulator.requests[0]?.headers.authorization, "Bearer sk-test")
    }))

  it.effect("streams a completion that the client's helper assembles", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue({
        parts: [
          { type: "text", text: "Grüße aus Lissabon 🌞, wie immer." },
          { type: "tool-call", id: "call_1", name: "get_weather", arguments: { city: "Lisbon" } },
          { type: "tool-call", name: "get_weather", arguments: { city: "Porto" } }
        ],
        usage: { input: 100, output: 30, cacheRead: 60, reasoning: 12 }
      })
      const stream = openAiFor(simulator).chat.completions.stream({
        ...mini,
        stream_options: { include_usage: true },
        messages: [{ role: "user", content: "Hi" }]
      })
      const completion = yield* Effect.promise(() => stream.finalChatCompletion())
      const message = completion.choices[0]?.message
      assert.strictEqual(message?.content, "Grüße aus Lissabon 🌞, wie immer.")
      assert.deepStrictEqual(
        message?.tool_calls?.map((call) => [call.id, call.type === "function" ? call.function.arguments : ""]),
        [["call_1", "{\"city\":\"Lisbon\"}"], ["call_sim000001_1", "{\"city\":\"Porto\"}"]]
      )
      assert.strictEqual(completion.choices[0]?.finish_reason, "tool_calls")
      assert.deepInclude(completion.usage, { prompt_tokens: 100, completion_tokens: 30, total_tokens: 130 })
      assert.strictEqual(completion.usage?.prompt_tokens_details?.cached_tokens, 60)
    }))

  it.effect("begins a stream with the role and ends it with finish reason and usage", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("Hi", { chunkSize: 1 }), Simulator.text("Hi"))
      const chunks = (options: object) =>
        Effect.promise(async () => {
          const chunks: Array<OpenAI.ChatCompletionChunk> = []
          const stream = await openAiFor(simulator).chat.completions.create({
            ...mini,
            ...options,
            stream: true,
            messages: [{ role: "user", content: "Hi" }]
          })
          for await (const chunk of stream) chunks.push(chunk)
          return chunks
        })
      const withUsage = yield* chunks({ stream_options: { include_usage: true } })
      assert.strictEqual(withUsage[0]?.choices[0]?.delta.role, "assistant")
      assert.deepStrictEqual(withUsage.map((chunk) => chunk.choices[0]?.delta.content), [
        "",
        "H",
        "i",
        undefined,
        undefined
      ])
      assert.strictEqual(withUsage.at(-2)?.choices[0]?.finish_reason, "stop")
      assert.deepStrictEqual(withUsage.at(-1)?.choices, [])
      assert.strictEqual(withUsage.at(-1)?.usage?.completion_tokens, 1)
      const without = yield* chunks({})
      assert.isTrue(without.every((chunk) => chunk.usage === undefined))
    }))

  it.effect("calls a fitting tool and answers with its result", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = openAiFor(simulator)
      const user: OpenAI.ChatCompletionMessageParam = { role: "user", content: question }
      const first = yield* Effect.promise(() =>
        client.chat.completions.create({ ...mini, tools: [openAiWeather], messages: [user] })
      )
      const message = first.choices[0]!.message
      const call = message.tool_calls?.[0]
      assert(call?.type === "function")
      assert.strictEqual(call.function.arguments, "{\"city\":\"Lisbon\"}")
      const second = yield* Effect.promise(() =>
        client.chat.completions.stream({
          ...mini,
          tools: [openAiWeather],
          messages: [user, message, { role: "tool", tool_call_id: call.id, content: "21 degrees" }]
        }).finalContent()
      )
      assert.strictEqual(second, "The tool says: 21 degrees")
    }))

  it.effect("follows a strict schema", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const schema = {
        type: "object",
        properties: { mood: { enum: ["good", "bad"] }, tags: { type: "array", items: { $ref: "#/$defs/tag" } } },
        required: ["mood", "tags"],
        additionalProperties: false,
        $defs: { tag: { type: ["string", "null"] } }
      }
      const completion = yield* Effect.promise(() =>
        openAiFor(simulator).chat.completions.create({
          ...mini,
          messages: [{ role: "user", content: "a bad day in Porto" }],
          response_format: { type: "json_schema", json_schema: { name: "day", strict: true, schema } }
        })
      )
      assert.strictEqual(completion.choices[0]?.message.content, "{\"mood\":\"bad\",\"tags\":[\"Porto\"]}")
    }))

  it.effect("spells reasoning and refusals", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        { parts: [{ type: "reasoning", text: "Hm." }, { type: "text", text: "Yes." }] },
        Simulator.text("I will not.", { finish: "refusal" })
      )
      const call = () =>
        openAiFor(simulator).chat.completions.create({ ...mini, messages: [{ role: "user", content: "Hi" }] })
      const reasoned = yield* Effect.promise(call)
      assert.strictEqual(reasoned.choices[0]?.message.content, "Yes.")
      assert.propertyVal(reasoned.choices[0]?.message, "reasoning_content", "Hm.")
      const refused = yield* Effect.promise(call)
      assert.deepInclude(refused.choices[0]?.message, { content: null, refusal: "I will not." })
    }))

  it.effect("lists models under the same path as the other API", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ models: ["gpt-4.1-mini"] })
      const models = yield* Effect.promise(() => openAiFor(simulator).models.list())
      assert.deepStrictEqual(models.data.map((model) => [model.id, model.object]), [["gpt-4.1-mini", "model"]])
    }))

  it.effect("refuses unknown keys and unknown models, and shows a long key masked", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["sk-good"], models: ["gpt-4.1-mini"] })
      const messages: Array<OpenAI.ChatCompletionMessageParam> = [{ role: "user", content: "Hi" }]
      const denied = yield* rejection(() =>
        openAiFor(simulator, "sk-proj-0123456789abcdef").chat.completions.create({ ...mini, messages })
      )
      assert(denied instanceof OpenAI.AuthenticationError)
      assert.strictEqual(denied.code, "invalid_api_key")
      assert.include(denied.message, "sk-proj-************cdef")
      const missing = yield* rejection(() =>
        openAiFor(simulator, "sk-good").chat.completions.create({ model: "gpt-none", messages })
      )
      assert(missing instanceof OpenAI.NotFoundError)
      assert.strictEqual(missing.code, "model_not_found")
    }))

  it.effect("reports scripted errors as the API does", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        Simulator.error(429, { retryAfter: 7 }),
        Simulator.error(429, { type: "insufficient_quota", code: "insufficient_quota", message: "You exceeded it." }),
        Simulator.error(503)
      )
      const call = () =>
        openAiFor(simulator).chat.completions.create({ ...mini, messages: [{ role: "user", content: "Hi" }] })
      const limited = yield* rejection(call)
      assert(limited instanceof OpenAI.RateLimitError)
      assert.strictEqual(limited.headers.get("retry-after"), "7")
      assert.strictEqual(limited.code, "rate_limit_exceeded")
      const quota = yield* rejection(call)
      assert(quota instanceof OpenAI.RateLimitError)
      assert.strictEqual(quota.code, "insufficient_quota")
      const down = yield* rejection(call)
      assert(down instanceof OpenAI.InternalServerError)
      assert.strictEqual(down.requestID, "req_sim000003")
    }))

  const call = { id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }

  it.effect.each<[string, object, string]>([
    ["a missing model", { model: undefined }, "you must provide a model parameter"],
    ["no messages", { messages: [] }, "Invalid 'messages': empty array"],
    ["an unknown role", { messages: [{ role: "robot", content: "x" }] }, "Invalid value: 'robot'"],
    ["a null content", { messages: [{ role: "user", content: null }] }, "expected a string, got null"],
    ["an empty tool list", { tools: [] }, "Invalid 'tools': empty array"],
    ["stream options without a stream", { stream_options: { include_usage: true } }, "'stream_options'"],
    ["the old limit for a reasoning model", { model: "gpt-5", max_tokens: 5 }, "Use 'max_completion_tokens' instead"],
    [
      "a call without a result",
      { messages: [{ role: "user", content: "x" }, { role: "assistant", tool_calls: [call] }] },
      "did not have response messages: call_1"
    ],
    [
      "a result without a call",
      { messages: [{ role: "tool", tool_call_id: "call_9", content: "x" }] },
      "must be a response to a preceeding message"
    ],
    [
      "arguments that are no string",
      { messages: [{ role: "assistant", tool_calls: [{ ...call, function: { name: "f", arguments: {} } }] }] },
      "expected a string, but got an object instead"
    ],
    [
      "a strict schema with an optional property",
      {
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "day",
            strict: true,
            schema: { type: "object", properties: { mood: { type: "string" } }, additionalProperties: false }
          }
        }
      },
      "Missing 'mood'"
    ]
  ])("refuses %s", ([, change, message]) =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const error = yield* rejection(() =>
        openAiFor(simulator).chat.completions.create({
          ...mini,
          messages: [{ role: "user", content: "Hi" }],
          ...change
        })
      )
      assert(error instanceof OpenAI.BadRequestError)
      assert.strictEqual(error.type, "invalid_request_error")
      assert.include(error.message, message)
    }))
})

describe("Simulator", () => {
  const post = (url: string, body: string, headers: Record<string, string> = { authorization: "Bearer k" }) =>
    Effect.promise(() =>
      fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body })
    )

  it.effect("answers bodies that are no JSON, missing headers, missing keys and unknown paths as APIs do", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const seen = yield* Effect.forEach([
        post(`${simulator.url}/v1/messages`, "{", { "x-api-key": "k", "anthropic-version": "2023-06-01" }),
        post(`${simulator.url}/v1/messages`, "{}", { "x-api-key": "k" }),
        post(`${simulator.url}/v1/messages`, "{}", { "anthropic-version": "2023-06-01" }),
        post(`${simulator.url}/v1/chat/completions`, "{"),
        post(`${simulator.url}/v1/chat/completions`, "{}", {}),
        post(`${simulator.url}/v1/nothing`, "{}")
      ], (response) =>
        Effect.flatMap(response, (response) =>
          Effect.promise(async () => {
            const body = await response.json() as { error: { type: string; message: string } }
            return [response.status, body.error.type, body.error.message.slice(0, 30)]
          })))
      assert.deepStrictEqual(seen, [
        [400, "invalid_request_error", "The request body is not valid "],
        [400, "invalid_request_error", "anthropic-version: header is r"],
        [401, "authentication_error", "x-api-key header is required"],
        [400, "invalid_request_error", "We could not parse the JSON bo"],
        [401, "invalid_request_error", "You didn't provide an API key."],
        [404, "invalid_request_error", "Invalid URL (POST /v1/nothing)"]
      ])
    }))

  it.effect("serves compatible providers under any prefix, without keys and unusual requests when told so", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ requireKey: false, validate: false })
      const response = yield* post(
        `${simulator.url}/openai/deployments/x/chat/completions?api-version=1`,
        JSON.stringify({ messages: [{ role: "user", content: "Hi" }] }),
        {}
      )
      assert.strictEqual(response.status, 200)
      assert.strictEqual(simulator.requests[0]?.query.get("api-version"), "1")
      assert.strictEqual(simulator.requests[0]?.wire, "openai-chat")
    }))

  it.effect("keeps a script for requests that pass, then asks the responder, then its own model", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const ask = (body: object) =>
        Effect.flatMap(
          post(`${simulator.url}/v1/chat/completions`, JSON.stringify(body)),
          (response) => Effect.promise(() => response.text())
        )
      const good = { ...mini, messages: [{ role: "user", content: "Hi" }] }
      yield* simulator.enqueue(Simulator.text("queued"))
      yield* simulator.respondWith((request) => request.number === 3 ? Simulator.text("from the responder") : undefined)
      assert.include(yield* ask({}), "you must provide a model")
      assert.include(yield* ask(good), "queued")
      assert.include(yield* ask(good), "from the responder")
      assert.include(yield* ask(good), "You said: Hi")
    }))

  it.effect("lets a responder fail other operations", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({
        respondWith: (request) => request.operation === "countTokens" ? Simulator.error(429) : undefined
      })
      const error = yield* rejection(() =>
        anthropicFor(simulator).messages.countTokens({ model: "m", messages: [{ role: "user", content: "Hi" }] })
      )
      assert.instanceOf(error, Anthropic.RateLimitError)
    }))

  it.effect("tells when a request has come, on which connection, and how it ended", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = openAiFor(simulator)
      yield* Effect.promise(() =>
        client.chat.completions.create({ ...mini, messages: [{ role: "user", content: "Hi" }] })
      )
      const request = yield* simulator.request(1)
      assert.strictEqual(yield* request.ended, "answered")
      assert.deepInclude(request, { connection: 1, framesWritten: 2, operation: "generate", wire: "openai-chat" })
      assert.strictEqual(simulator.connections.opened, 1)
    }))

  it.effect("is gone with its connections when the scope closes, even in the middle of an answer", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const simulator = yield* Simulator.make().pipe(Scope.provide(scope))
      yield* simulator.enqueue(Simulator.text("never ends", { faults: { stallAfter: 1 } }))
      const body = JSON.stringify({ ...mini, stream: true, messages: [{ role: "user", content: "Hi" }] })
      const response = yield* post(`${simulator.url}/v1/chat/completions`, body)
      const request = yield* simulator.request(1)
      yield* request.quiet
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* request.ended, "reset-by-server")
      yield* rejection(() => response.text())
      yield* rejection(() => fetch(simulator.url))
      assert.strictEqual(simulator.connections.open, 0)
    }))

  it.effect("drops the connection when a wire of its own breaks, so that no client waits for ever", () =>
    Effect.gen(function*() {
      const broken: Simulator.Wire = {
        ...Simulator.openAiChat,
        encodeAnswer: () => {
          throw new Error("broken wire")
        }
      }
      const simulator = yield* Simulator.make({ wires: [broken] })
      const body = JSON.stringify({ ...mini, messages: [{ role: "user", content: "Hi" }] })
      assert.instanceOf(
        yield* rejection(() =>
          fetch(`${simulator.url}/v1/chat/completions`, {
            method: "POST",
            headers: { authorization: "Bearer k" },
            body
          })
        ),
        TypeError
      )
    }).pipe(Effect.provide(Logger.layer([]))))

  it.effect("comes as a layer", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.Simulator
      assert.match(simulator.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    }).pipe(Effect.provide(Simulator.layer())))
})
