import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { OpenAI } from "openai"
import type { ResponseStreamEvent } from "openai/resources/responses/responses"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import * as Azure from "../../src/provider/Azure.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import * as Xai from "../../src/provider/Xai.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { getWeather as getWeatherTool, rejection } from "./sdk.ts"

const clientFor = (simulator: Simulator.Service, apiKey = "sk-test") =>
  new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey, maxRetries: 0 })

const model = "gpt-5.4-mini"

const weather: OpenAI.Responses.FunctionTool = {
  type: "function",
  ...getWeatherTool,
  strict: false
}

const everything: Simulator.Answer = {
  parts: [
    { type: "reasoning", text: "Let me think about it for a while.", signature: "c2ln" },
    { type: "text", text: "Grüße aus Lissabon 🌞, wie immer." },
    { type: "tool-call", id: "call_1", name: "get_weather", arguments: { city: "Lisbon" } },
    { type: "tool-call", name: "note", arguments: "buy an umbrella" }
  ],
  usage: { input: 100, output: 30, cacheRead: 60, cacheWrite: 10, reasoning: 12 }
}

describe("Simulator with the official OpenAI client, Responses", () => {
  it.effect("answers whole", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const response = yield* Effect.promise(() =>
        clientFor(simulator).responses.create({ model, input: "Good morning" })
      )
      assert.strictEqual(response.output_text, "You said: Good morning")
      assert.strictEqual(response.status, "completed")
      assert.strictEqual(response.usage?.output_tokens, 6)
      assert.strictEqual(simulator.requests[0]?.wire, "openai-responses")
    }))

  it.effect("streams what the client assembles to the same response", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(everything, everything)
      const body = {
        model,
        input: "Hi",
        include: ["reasoning.encrypted_content" as const],
        tools: [weather, { type: "custom" as const, name: "note" }]
      }
      const client = clientFor(simulator)
      const events: Array<ResponseStreamEvent> = []
      const stream = client.responses.stream(body)
      stream.on("event", (event) => events.push(event as ResponseStreamEvent))
      const streamed = yield* Effect.promise(() => stream.finalResponse())
      const whole = yield* Effect.promise(() => client.responses.create(body))
      const plain = (output: ReadonlyArray<object>) =>
        output.map((item) => {
          const { id: _, parsed_arguments: __, ...rest } = item as { id?: string; parsed_arguments?: unknown }
          return rest
        })
      assert.deepStrictEqual(plain(whole.output), [
        {
          type: "reasoning",
          encrypted_content: "c2ln",
          summary: [{ type: "summary_text", text: "Let me think about it for a while." }]
        },
        {
          type: "message",
          status: "completed",
          role: "assistant",
          content: [{ type: "output_text", text: "Grüße aus Lissabon 🌞, wie immer.", annotations: [], logprobs: [] }]
        },
        {
          type: "function_call",
          status: "completed",
          call_id: "call_1",
          name: "get_weather",
          arguments: "{\"city\":\"Lisbon\"}"
        },
        {
          type: "custom_tool_call",
          status: "completed",
          call_id: "call_sim000002_3",
          name: "note",
          input: "buy an umbrella"
        }
      ])
      assert.strictEqual(streamed.output_text, whole.output_text)
      assert.deepStrictEqual(streamed.output.map((item) => item.type), whole.output.map((item) => item.type))
      assert.deepStrictEqual(streamed.usage, whole.usage)
      assert.deepStrictEqual(
        events.map((event) => event.sequence_number),
        events.map((_, index) => index)
      )
    }))

  it.effect("carries a tool through a conversation", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = clientFor(simulator)
      const question = { role: "user" as const, content: "What is the weather in Lisbon" }
      const first = yield* Effect.promise(() =>
        client.responses.create({ model, input: [question], tools: [weather], store: false })
      )
      const call = first.output.find((item) => item.type === "function_call")!
      const second = yield* Effect.promise(() =>
        client.responses.create({
          model,
          tools: [weather],
          input: [question, call, { type: "function_call_output", call_id: call.call_id, output: "19 °C" }]
        })
      )
      assert.strictEqual(second.output_text, "The tool says: 19 °C")
    }))

  it.effect("counts input tokens", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const count = yield* Effect.promise(() =>
        clientFor(simulator).responses.inputTokens.count({ model, input: "Good morning" })
      )
      assert.strictEqual(count.input_tokens, 3)
    }))

  it.effect.each<[string, object, string]>([
    ["no input", {}, "Missing required parameter: 'input'."],
    ["an empty input", { input: [] }, "Invalid 'input': empty array."],
    ["messages", { messages: [] }, "Unsupported parameter: 'messages'."],
    ["stop", { input: "Hi", stop: ["x"] }, "Unknown parameter: 'stop'."],
    ["a long call id", {
      input: [{ type: "function_call", call_id: "x".repeat(65), name: "a", arguments: "{}" }]
    }, "Invalid 'input[0].call_id': string too long."],
    ["a foreign item id", {
      input: [{ type: "function_call", id: "x_1", call_id: "a", name: "a", arguments: "{}" }]
    }, "Invalid 'input[0].id': 'x_1'. Expected an ID that begins with 'fc'."],
    ["a call without output", {
      input: [{ type: "function_call", call_id: "a", name: "a", arguments: "{}" }]
    }, "No tool output found for function call a."],
    ["an output without call", {
      input: [{ type: "function_call_output", call_id: "a", output: "" }]
    }, "No tool call found for function call output with call_id a."],
    ["reasoning that nothing follows", {
      input: [{ type: "reasoning", id: "rs_1", summary: [] }, { role: "user", content: "Hi" }]
    }, "Item 'rs_1' of type 'reasoning' was provided without its required following item."],
    ["output text from a user", {
      input: [{ role: "user", content: [{ type: "output_text", text: "Hi" }] }]
    }, "Invalid value: 'output_text'."],
    ["an open strict schema", {
      input: "Hi",
      tools: [{ type: "function", name: "a", strict: true, parameters: { type: "object", properties: {} } }]
    }, "Invalid schema for function 'a'"],
    ["a choice of no tool", { input: "Hi", tool_choice: { type: "function", name: "a" } }, "Tool choice 'a' not found"],
    ["encrypted reasoning of a model without", {
      model: "gpt-4.1",
      input: "Hi",
      include: ["reasoning.encrypted_content"]
    }, "Encrypted content is not supported with this model."]
  ])("refuses %s", ([, body, message]) =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const error = yield* rejection(() => clientFor(simulator).post("/responses", { body: { model, ...body } }))
      assert.instanceOf(error, OpenAI.BadRequestError)
      assert.include(error.message, message)
    }))

  it.effect("reports an error in the middle of a stream as the API does", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("Never finished", { faults: { errorAfter: 3 } }))
      const error = yield* rejection(async () => {
        const stream = await clientFor(simulator).responses.create({ model, input: "Hi", stream: true })
        for await (const event of stream) if (event.type === "error") throw new Error(event.message)
      })
      assert.instanceOf(error, Error)
    }))
})

// =============================================================================
// Our own providers
// =============================================================================

const apiKey = Redacted.make("sk-test")
const user = Message.user("What is the weather in Lisbon")
const getWeather = LlmTool.make("get_weather", { parameters: weather.parameters as LlmTool.JsonSchema })

/** The response that the last event of a stream carries. */
const streamed = (request: LlmRequest) =>
  Effect.map(Stream.runLast(LlmService.stream(request)), (last) => {
    const event = Option.getOrThrow(last)
    return event._tag === "Finish" ? event.response : assert.fail("the last event is not Finish")
  })

describe("Simulator with this library, Responses", () => {
  it.effect("gives the same answer whole and streamed, and accepts it back", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(everything, everything)
      const layer = OpenAi.layer({ apiKey, baseUrl: `${simulator.url}/v1` })
      const note = { type: "custom", name: "note" } as const
      const request: LlmRequest = { messages: [user], tools: [getWeather, note], thinking: "low" }
      const whole = yield* LlmService.generate(request).pipe(Effect.provide(layer))
      const other = yield* streamed(request).pipe(Effect.provide(layer))
      assert.strictEqual(whole.text, "Grüße aus Lissabon 🌞, wie immer.")
      assert.deepStrictEqual(other.parts.map((part) => part.type), ["reasoning", "text", "tool-call", "tool-call"])
      assert.strictEqual(other.reasoningText, whole.reasoningText)
      assert.deepStrictEqual(other.usage, whole.usage)
      assert.strictEqual(other.finishReason, "tool-calls")
      const again = yield* LlmService.generate({
        ...request,
        messages: [
          user,
          other.message,
          Message.tool(other.toolCalls.map((call) => ({
            type: "tool-result",
            toolCallId: call.id,
            content: "done"
          })))
        ]
      }).pipe(Effect.provide(layer))
      assert.strictEqual(again.text, "The tool says: done done")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("speaks Chat Completions by choice", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const ask = LlmService.generate({ messages: [user], stop: ["END"] })
      const options = { apiKey, baseUrl: `${simulator.url}/v1` }
      // A model that does not reason takes `stop`.
      yield* ask.pipe(Effect.provide(OpenAi.layer({ ...options, api: "chat", model: "gpt-4.1" })))
      assert.strictEqual(simulator.requests[0]?.path, "/v1/chat/completions")
      const error = yield* Effect.flip(ask.pipe(Effect.provide(OpenAi.layer(options))))
      assert.strictEqual(error.reason._tag, "Validation")
      assert.strictEqual(simulator.requests.length, 1)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("ends as incomplete when the terminal event is missing", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(Simulator.text("Half an answer", { faults: { omitTerminal: true } }))
      const error = yield* Effect.flip(
        streamed({ messages: [user] }).pipe(
          Effect.provide(OpenAi.layer({ apiKey, baseUrl: `${simulator.url}/v1` }))
        )
      )
      assert.strictEqual(error.reason._tag, "IncompleteStream")
      assert.strictEqual(error.partial?.text, "Half an answer")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("xAI speaks Responses by choice", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const options = { apiKey, baseUrl: `${simulator.url}/v1` }
      const ask = LlmService.generate({ messages: [user] })
      yield* ask.pipe(Effect.provide(Xai.layer(options)))
      yield* ask.pipe(Effect.provide(Xai.layer({ ...options, api: "responses" })))
      assert.deepStrictEqual(simulator.requests.map((request) => request.path), [
        "/v1/chat/completions",
        "/v1/responses"
      ])
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("Azure takes an endpoint without a path, a key header, an API version, or an Entra token", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const options = { apiKey, baseUrl: simulator.url, model: "my-deployment" }
      const ask = LlmService.generate({ messages: [user] })
      yield* ask.pipe(Effect.provide(Azure.layer(options)))
      yield* ask.pipe(Effect.provide(Azure.layer({ ...options, apiVersion: "preview", api: "chat" })))
      const token = Effect.succeed(Redacted.make("entra-token"))
      yield* ask.pipe(Effect.provide(Azure.layer({ ...options, auth: "entra", apiKey: token })))
      assert.deepStrictEqual(
        simulator.requests.map(({ headers, path, query }) => [
          path,
          headers["api-key"],
          headers.authorization,
          query.get("api-version")
        ]),
        [
          ["/openai/v1/responses", "sk-test", undefined, null],
          ["/openai/v1/chat/completions", "sk-test", undefined, "preview"],
          ["/openai/v1/responses", undefined, "Bearer entra-token", null]
        ]
      )
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("Azure is configured by its environment", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const layerFor = (env: Record<string, string>) =>
        Azure.layerEnv.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))
      const ask = LlmService.generate({ messages: [user] })
      const variables = {
        AZURE_OPENAI_API_KEY: "sk-env",
        AZURE_OPENAI_DEPLOYMENT: "my-deployment",
        AZURE_OPENAI_API_VERSION: "preview"
      }
      const answer = yield* ask.pipe(
        Effect.provide(layerFor({ ...variables, AZURE_OPENAI_ENDPOINT: `${simulator.url}/` }))
      )
      assert.strictEqual(answer.model, "my-deployment")
      const [request] = simulator.requests
      assert.strictEqual(request?.path, "/openai/v1/responses")
      assert.strictEqual(request?.query.get("api-version"), "preview")
      assert.strictEqual(request?.headers["api-key"], "sk-env")
      const nowhere = yield* Effect.flip(ask.pipe(Effect.provide(layerFor(variables))))
      assert.strictEqual(nowhere.reason._tag, "Configuration")
      const keyless = yield* Effect.flip(
        ask.pipe(Effect.provide(layerFor({ AZURE_OPENAI_ENDPOINT: simulator.url })))
      )
      assert.strictEqual(keyless.reason._tag, "Configuration")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("Azure asks for an address", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Azure.make({ apiKey }))
      assert.strictEqual(error.reason._tag, "Configuration")
      assert.include(error.message, "AZURE_OPENAI_ENDPOINT")
      const service = yield* Azure.make({ apiKey, resource: "bakery" })
      assert.strictEqual(service.info.provider, "azure")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))
})
