import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from "@google/genai"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import * as Gemini from "../../src/provider/Gemini.ts"
import * as Vertex from "../../src/provider/Vertex.ts"
import * as VertexAnthropic from "../../src/provider/VertexAnthropic.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { getWeather, rejection } from "./sdk.ts"

const clientFor = (simulator: Simulator.Service, apiKey = "test-key") =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: simulator.url } })

const model = "gemini-3.5-flash"

const weather = {
  name: getWeather.name,
  description: getWeather.description,
  parametersJsonSchema: getWeather.parameters
}

const question = "What is the weather in Lisbon"

const scripted: Simulator.Answer = {
  parts: [
    { type: "reasoning", text: "Let me think about it for a while." },
    { type: "text", text: "Grüße aus Lissabon 🌞, wie immer." },
    { type: "tool-call", id: "call_1", name: "get_weather", arguments: { city: "Lisbon" } },
    { type: "tool-call", name: "now", arguments: "" }
  ],
  usage: { input: 100, output: 30, cacheRead: 60, reasoning: 12 }
}

describe("Simulator with the official Google client", () => {
  it.effect("answers whole", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const answer = yield* Effect.promise(() =>
        clientFor(simulator).models.generateContent({ model, contents: "Good morning" })
      )
      assert.strictEqual(answer.text, "You said: Good morning")
      assert.strictEqual(answer.candidates?.[0]?.finishReason, "STOP")
      assert.strictEqual(answer.usageMetadata?.candidatesTokenCount, 6)
      assert.strictEqual(answer.modelVersion, model)
      assert.strictEqual(simulator.requests[0]?.headers["x-goog-api-key"], "test-key")
    }))

  it.effect("streams thoughts, text and calls that the client puts together", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(scripted)
      const chunks = yield* Effect.promise(async () => {
        const chunks = []
        for await (const chunk of await clientFor(simulator).models.generateContentStream({ model, contents: "Hi" })) {
          chunks.push(chunk)
        }
        return chunks
      })
      const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? [])
      const join = (thought: boolean) =>
        parts.filter((part) => (part.thought ?? false) === thought).map((part) => part.text ?? "").join("")
      assert.strictEqual(join(true), "Let me think about it for a while.")
      assert.strictEqual(join(false), "Grüße aus Lissabon 🌞, wie immer.")
      assert.deepStrictEqual(chunks.flatMap((chunk) => chunk.functionCalls ?? []), [
        { id: "call_1", name: "get_weather", args: { city: "Lisbon" } },
        { name: "now", args: {} }
      ])
      assert.deepInclude(chunks.at(-1)?.usageMetadata, {
        promptTokenCount: 100,
        cachedContentTokenCount: 60,
        candidatesTokenCount: 18,
        thoughtsTokenCount: 12,
        totalTokenCount: 130
      })
    }))

  it.effect("calls a fitting tool and answers with its result", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = clientFor(simulator)
      const config = { tools: [{ functionDeclarations: [weather] }] }
      const user = { role: "user", parts: [{ text: question }] }
      const first = yield* Effect.promise(() => client.models.generateContent({ model, contents: [user], config }))
      const call = first.functionCalls?.[0]
      assert.deepStrictEqual(call?.args, { city: "Lisbon" })
      const second = yield* Effect.promise(() =>
        client.models.generateContent({
          model,
          config,
          contents: [user, first.candidates![0]!.content!, {
            role: "user",
            parts: [{ functionResponse: { name: "get_weather", response: { output: "21 degrees" } } }]
          }]
        })
      )
      assert.strictEqual(second.text, "The tool says: 21 degrees")
    }))

  it.effect("obeys the function-calling mode", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const ask = (mode: FunctionCallingConfigMode) =>
        Effect.promise(() =>
          clientFor(simulator).models.generateContent({
            model,
            contents: question,
            config: { tools: [{ functionDeclarations: [weather] }], toolConfig: { functionCallingConfig: { mode } } }
          })
        )
      assert.isUndefined((yield* ask(FunctionCallingConfigMode.NONE)).functionCalls)
      assert.lengthOf((yield* ask(FunctionCallingConfigMode.ANY)).functionCalls ?? [], 1)
    }))

  it.effect("counts tokens and lists models", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const client = clientFor(simulator)
      const counted = yield* Effect.promise(() => client.models.countTokens({ model, contents: "Good morning" }))
      assert.isAbove(counted.totalTokens ?? 0, 0)
      const names = yield* Effect.promise(async () => {
        const names: Array<string | undefined> = []
        for await (const one of await client.models.list()) names.push(one.name)
        return names
      })
      assert.include(names, `models/${model}`)
      const one = yield* Effect.promise(() => client.models.get({ model }))
      assert.strictEqual(one.displayName, model)
    }))

  it.effect("refuses a wrong key, an unknown model and a bad request as the API does", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["right"], models: [model] })
      const wrongKey = yield* rejection(() => clientFor(simulator).models.generateContent({ model, contents: "Hi" }))
      assert.instanceOf(wrongKey, ApiError)
      assert.strictEqual(wrongKey.status, 400)
      assert.include(wrongKey.message, "API key not valid")
      const client = clientFor(simulator, "right")
      const unknown = yield* rejection(() => client.models.generateContent({ model: "gemini-none", contents: "Hi" }))
      assert.instanceOf(unknown, ApiError)
      assert.strictEqual(unknown.status, 404)
      const hot = yield* rejection(() =>
        client.models.generateContent({ model, contents: "Hi", config: { temperature: 3 } })
      )
      assert.instanceOf(hot, ApiError)
      assert.include(hot.message, "temperature")
      const orphan = yield* rejection(() =>
        client.models.generateContent({
          model,
          contents: [{ role: "user", parts: [{ text: "Hi" }] }, {
            role: "model",
            parts: [{ functionCall: { name: "get_weather", args: {} } }]
          }]
        })
      )
      assert.instanceOf(orphan, ApiError)
      assert.include(orphan.message, "function response parts")
    }))

  it.effect("reports errors before and within a stream", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        Simulator.error(429),
        Simulator.text("Half an answer", { faults: { errorAfter: 1 } })
      )
      const limited = yield* rejection(() =>
        clientFor(simulator).models.generateContent({ model, contents: "Hi", config: { httpOptions: {} } })
      )
      assert.instanceOf(limited, ApiError)
      assert.strictEqual(limited.status, 429)
      assert.include(limited.message, "RESOURCE_EXHAUSTED")
      const within = yield* rejection(async () => {
        for await (const _ of await clientFor(simulator).models.generateContentStream({ model, contents: "Hi" })) {
          // Read to the error.
        }
      })
      assert.instanceOf(within, ApiError)
      assert.include(within.message, "overloaded")
    }))
})

// =============================================================================
// This library against the simulator
// =============================================================================

const tool = LlmTool.make("get_weather", {
  description: "Current weather of a city",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
})

const key = Redacted.make("test-key")

const withHttp = Effect.provide(NodeHttpClient.layerUndici)

describe("Gemini providers against the simulator", () => {
  it.effect("streams and generates the same answer", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(scripted, scripted)
      const service = yield* Gemini.make({ apiKey: key, baseUrl: `${simulator.url}/v1beta` })
      const whole = yield* service.generate({ prompt: "Hi" })
      const events = yield* Stream.runCollect(service.stream({ prompt: "Hi" }))
      const last = events.at(-1)
      assert.strictEqual(last?._tag, "Finish")
      const streamed = last?._tag === "Finish" ? last.response : undefined
      assert.strictEqual(whole.finishReason, "tool-calls")
      assert.deepStrictEqual(streamed?.usage, whole.usage)
      assert.strictEqual(streamed?.text, whole.text)
      assert.strictEqual(streamed?.reasoningText, whole.reasoningText)
      assert.deepStrictEqual(
        streamed?.toolCalls.map(({ arguments: args, name }) => [name, args]),
        whole.toolCalls.map(({ arguments: args, name }) => [name, args])
      )
      assert.strictEqual(simulator.requests[1]?.path, `/v1beta/models/${service.info.model}:streamGenerateContent`)
      assert.strictEqual(simulator.requests[1]?.query.get("alt"), "sse")
    }).pipe(withHttp))

  it.effect("carries a tool call, its result and a signature through a conversation", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const service = yield* Gemini.make({ apiKey: key, baseUrl: simulator.url })
      const first = yield* service.generate({ prompt: question, tools: [tool], thinking: "high" })
      const call = first.toolCalls[0]!
      const second = yield* service.generate({
        messages: [Message.user(question), first.message, Message.toolResult(call, "21 degrees")],
        tools: [tool]
      })
      assert.strictEqual(second.text, "The tool says: 21 degrees")
    }).pipe(withHttp))

  it.effect("sends generation options of its own into generationConfig, keeping the portable ones", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const service = yield* Gemini.make({ apiKey: key, baseUrl: simulator.url })
      yield* service.generate({
        prompt: "Hi",
        temperature: 0.5,
        providerOptions: {
          gemini: {
            responseModalities: ["TEXT"],
            generationConfig: { candidateCount: 1 },
            safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
            cachedContent: "cachedContents/abc"
          }
        }
      })
      assert.deepInclude(simulator.requests[0]?.body, {
        generationConfig: { temperature: 0.5, responseModalities: ["TEXT"], candidateCount: 1 },
        safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
        cachedContent: "cachedContents/abc"
      })
    }).pipe(withHttp))

  it.effect("fails with the reason of an error in the stream, keeping what came before", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        Simulator.text("Half an answer", { faults: { errorAfter: 1 } }),
        Simulator.text("Half an answer", { faults: { cutAfter: 1 } })
      )
      const service = yield* Gemini.make({ apiKey: key, baseUrl: simulator.url })
      const overloaded = yield* Effect.flip(Stream.runDrain(service.stream({ prompt: "Hi" })))
      assert.strictEqual(overloaded.reason._tag, "Overloaded")
      assert.strictEqual(overloaded.partial?.text, "Half an ")
      const cut = yield* Effect.flip(Stream.runDrain(service.stream({ prompt: "Hi" })))
      assert.strictEqual(cut.reason._tag, "IncompleteStream")
    }).pipe(withHttp))

  it.effect("tells a wrong key as an authentication failure", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["another"] })
      const service = yield* Gemini.make({ apiKey: key, baseUrl: simulator.url })
      const error = yield* Effect.flip(service.generate({ prompt: "Hi" }))
      assert.strictEqual(error.reason._tag, "Authentication")
    }).pipe(withHttp))

  it.effect("reads a stream that comes as one JSON array", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({
        wires: [{ ...Simulator.geminiGenerateContent, answerEncoder: asArray }]
      })
      yield* simulator.enqueue(scripted)
      const service = yield* Gemini.make({ apiKey: key, baseUrl: simulator.url })
      const events = yield* Stream.runCollect(service.stream({ prompt: "Hi" }))
      const last = events.at(-1)
      assert.strictEqual(last?._tag === "Finish" ? last.response.text : "", "Grüße aus Lissabon 🌞, wie immer.")
    }).pipe(withHttp))
})

const asArray: Simulator.Wire["answerEncoder"] = (context) =>
  Simulator.geminiGenerateContent.answerEncoder({
    ...context,
    incoming: { ...context.incoming, query: new URLSearchParams() }
  })

describe("Vertex providers", () => {
  it.effect("call a project with a fresh access token for each request", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      let made = 0
      const service = yield* Vertex.make({
        accessToken: Effect.sync(() => Redacted.make(`token-${++made}`)),
        baseUrl: `${simulator.url}/v1/projects/p/locations/global/publishers/google`
      })
      yield* service.generate({ prompt: "Hi", providerOptions: { vertex: { labels: { team: "kitchen" } } } })
      yield* service.generate({ prompt: "Hi" })
      assert.deepStrictEqual(simulator.requests.map(({ headers }) => headers.authorization), [
        "Bearer token-1",
        "Bearer token-2"
      ])
      assert.deepInclude(simulator.requests[0]?.body, { labels: { team: "kitchen" } })
    }).pipe(withHttp))

  it.effect("call express mode with an API key in a header", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const service = yield* Vertex.make({ apiKey: key, baseUrl: `${simulator.url}/v1/publishers/google` })
      yield* service.generate({ prompt: "Hi" })
      assert.strictEqual(simulator.requests[0]?.headers["x-goog-api-key"], "test-key")
      assert.isUndefined(simulator.requests[0]?.headers.authorization)
    }).pipe(withHttp))

  it.effect("need a project or an API key", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Vertex.make({ accessToken: key }))
      assert.strictEqual(error.reason._tag, "Configuration")
      const claude = yield* Effect.flip(VertexAnthropic.make({ apiKey: key }))
      assert.strictEqual(claude.reason._tag, "Configuration")
    }).pipe(withHttp))

  it.effect("ask Claude at rawPredict, with the version in the body and the model in the path", () =>
    Effect.gen(function*() {
      const seen: Array<Parameters<Simulator.Wire["validate"]>[0]> = []
      const claude: Simulator.Wire = {
        ...Simulator.anthropicMessages,
        operation: ({ path }) => /:(raw|streamRaw)Predict$/.test(path) ? "generate" : undefined,
        validate: (request) => {
          seen.push(request)
          return undefined
        }
      }
      const simulator = yield* Simulator.make({ wires: [claude] })
      const service = yield* VertexAnthropic.make({
        accessToken: key,
        baseUrl: `${simulator.url}/v1/projects/p/locations/l/publishers/anthropic`,
        model: "claude-test@20260101"
      })
      yield* service.generate({ prompt: "Hi", providerOptions: { "vertex-anthropic": { betas: ["a-1", "b-2"] } } })
      yield* Stream.runDrain(service.stream({ prompt: "Hi" }))
      const base = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-test%4020260101"
      assert.deepStrictEqual(seen.map(({ path }) => path), [`${base}:rawPredict`, `${base}:streamRawPredict`])
      const [whole, streamed] = seen.map(({ body }) => body as { readonly [field: string]: unknown })
      assert.strictEqual(whole?.["anthropic_version"], "vertex-2023-10-16")
      assert.isFalse("model" in whole!)
      assert.isFalse("betas" in whole!)
      assert.strictEqual(streamed?.["stream"], true)
      assert.strictEqual(seen[0]?.headers["anthropic-beta"], "a-1,b-2")
    }).pipe(withHttp))
})
