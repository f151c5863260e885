import {
  BedrockRuntimeClient,
  type ContentBlock,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  CountTokensCommand
} from "@aws-sdk/client-bedrock-runtime"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import * as Message from "../../src/Message.ts"
import * as Bedrock from "../../src/provider/Bedrock.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import { getWeather, http1, rejectionOf } from "./sdk.ts"

const sdkFor = (simulator: Simulator.Service, more: { readonly token?: string } = {}) =>
  new BedrockRuntimeClient({
    region: "eu-west-3",
    endpoint: simulator.url,
    requestHandler: http1(simulator.url),
    maxAttempts: 1,
    ...(more.token === undefined
      ? { credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not-a-secret" } }
      : { token: { token: more.token }, authSchemePreference: ["httpBearerAuth"] })
  })

const modelId = "anthropic.claude-sonnet-4-5-20250929-v1:0"

const ask = (text: string): ConverseCommandInput => ({ modelId, messages: [{ role: "user", content: [{ text }] }] })

const weather = {
  toolSpec: {
    name: getWeather.name,
    description: getWeather.description,
    inputSchema: { json: getWeather.parameters }
  }
}

const everything: Simulator.ReplyAnswer = {
  parts: [
    { type: "reasoning", text: "Let me think about it.", signature: "c2ln" },
    { type: "reasoning", text: "", encrypted: "b3BhcXVl" },
    { type: "text", text: "Grüße aus Lissabon 🌞, wie immer." },
    { type: "tool-call", id: "tooluse_1", name: "get_weather", arguments: { city: "Lisbon" } },
    { type: "tool-call", name: "now", arguments: "" }
  ],
  usage: { input: 100, output: 30, cacheRead: 60, cacheWrite: 10 }
}

const collect = async (events: AsyncIterable<ConverseStreamOutput> | undefined) => {
  const out: Array<ConverseStreamOutput> = []
  for await (const event of events ?? []) out.push(event)
  return out
}

const rejection = <A>(promise: () => PromiseLike<A>) => rejectionOf(Error, promise)

const textOf = (blocks: ReadonlyArray<ContentBlock> | undefined) =>
  (blocks ?? []).map((block) => block.text ?? "").join("")

describe("Simulator with the official AWS client", () => {
  it.effect("answers whole, and reads the model from the path", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const answer = yield* Effect.promise(() => sdkFor(simulator).send(new ConverseCommand(ask("Good morning"))))
      assert.strictEqual(textOf(answer.output?.message?.content), "You said: Good morning")
      assert.strictEqual(answer.stopReason, "end_turn")
      assert.strictEqual(answer.usage?.outputTokens, 6)
      assert.strictEqual(answer.$metadata.requestId, "00000000-0000-4000-8000-000000000001")
      assert.match(simulator.requests[0]?.headers.authorization ?? "", /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\//)
    }))

  it.effect("streams every kind of block as the client reads them", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(everything)
      const events = yield* Effect.promise(async () => {
        const answer = await sdkFor(simulator).send(
          new ConverseStreamCommand({ ...ask("Weather?"), toolConfig: { tools: [weather] } })
        )
        return collect(answer.stream)
      })
      assert.deepStrictEqual(events.at(0), { messageStart: { role: "assistant" } })
      const deltas = events.flatMap((event) => event.contentBlockDelta?.delta ?? [])
      assert.strictEqual(deltas.map((delta) => delta.text ?? "").join(""), "Grüße aus Lissabon 🌞, wie immer.")
      assert.strictEqual(deltas.map((delta) => delta.reasoningContent?.text ?? "").join(""), "Let me think about it.")
      assert.deepStrictEqual(
        deltas.flatMap((delta) => delta.reasoningContent?.redactedContent ?? []).map((bytes) =>
          new TextDecoder().decode(bytes)
        ),
        ["opaque"]
      )
      assert.deepStrictEqual(
        events.flatMap((event) => event.contentBlockStart?.start?.toolUse ?? []).map((
          call
        ) => [call.toolUseId, call.name]),
        [["tooluse_1", "get_weather"], ["tooluse_sim000001_4", "now"]]
      )
      assert.strictEqual(deltas.map((delta) => delta.toolUse?.input ?? "").join(""), "{\"city\":\"Lisbon\"}")
      assert.strictEqual(events.at(-2)?.messageStop?.stopReason, "tool_use")
      assert.deepInclude(events.at(-1)?.metadata?.usage, {
        inputTokens: 30,
        outputTokens: 30,
        totalTokens: 130,
        cacheReadInputTokens: 60,
        cacheWriteInputTokens: 10
      })
    }))

  it.effect("accepts an API key and refuses a wrong one", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make({ keys: ["right"] })
      const answer = yield* Effect.promise(() =>
        sdkFor(simulator, { token: "right" }).send(new ConverseCommand(ask("Hi")))
      )
      assert.strictEqual(answer.stopReason, "end_turn")
      const error = yield* rejection(() => sdkFor(simulator, { token: "wrong" }).send(new ConverseCommand(ask("Hi"))))
      assert.strictEqual(error.name, "UnrecognizedClientException")
    }))

  it.effect("calls a tool and answers from its result", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const first = ask("What is the weather in Lisbon")
      const sdk = sdkFor(simulator)
      const toolConfig = { tools: [weather] }
      const called = yield* Effect.promise(() => sdk.send(new ConverseCommand({ ...first, toolConfig })))
      const call = called.output?.message?.content?.find((block) => block.toolUse !== undefined)?.toolUse
      assert.deepStrictEqual(call?.input, { city: "Lisbon" })
      const answer = yield* Effect.promise(() =>
        sdk.send(
          new ConverseCommand({
            modelId,
            toolConfig,
            messages: [
              ...first.messages!,
              called.output!.message!,
              { role: "user", content: [{ toolResult: { toolUseId: call?.toolUseId, content: [{ text: "Sunny" }] } }] }
            ]
          })
        )
      )
      assert.strictEqual(textOf(answer.output?.message?.content), "The tool says: Sunny")
    }))

  it.effect("reports errors as the exceptions of the client, before and within a stream", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        Simulator.error(429),
        Simulator.text("Half an answer", { faults: { errorAfter: 3, streamError: { status: 429 } } })
      )
      const before = yield* rejection(() => sdkFor(simulator).send(new ConverseCommand(ask("Hi"))))
      assert.strictEqual(before.name, "ThrottlingException")
      const within = yield* rejection(async () => {
        const answer = await sdkFor(simulator).send(new ConverseStreamCommand(ask("Hi")))
        return collect(answer.stream)
      })
      assert.strictEqual(within.name, "ThrottlingException")
      assert.match(within.message, /Too many requests/)
    }))

  it.effect("refuses what the API refuses", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const refused = (input: Partial<ConverseCommandInput>) =>
        Effect.map(
          rejection(() => sdkFor(simulator).send(new ConverseCommand({ ...ask("Hi"), ...input }))),
          (error) => `${error.name}: ${error.message}`
        )
      assert.match(
        yield* refused({ messages: [{ role: "user", content: [{ text: " " }] }] }),
        /^ValidationException: .*blank/
      )
      assert.match(
        yield* refused({ messages: [{ role: "assistant", content: [{ text: "Hi" }] }] }),
        /start with a user/
      )
      assert.match(
        yield* refused({
          messages: [
            { role: "user", content: [{ text: "Hi" }] },
            { role: "assistant", content: [{ toolUse: { toolUseId: "t", name: "now", input: {} } }] },
            { role: "user", content: [{ toolResult: { toolUseId: "t", content: [{ text: "noon" }] } }] }
          ]
        }),
        /toolConfig field must be defined/
      )
      assert.match(yield* refused({ inferenceConfig: { temperature: 2 } }), /temperature/)
    }))

  it.effect("counts tokens", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const answer = yield* Effect.promise(() =>
        sdkFor(simulator).send(
          new CountTokensCommand({ modelId, input: { converse: { messages: ask("Hi").messages } } })
        )
      )
      assert.isAbove(answer.inputTokens ?? 0, 0)
    }))
})

describe("Bedrock against the simulator", () => {
  const options = (simulator: Simulator.Service): Bedrock.Options => ({
    baseUrl: simulator.url,
    region: "eu-west-3",
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: Redacted.make("not-a-secret") }
  })

  it.effect("gives the same parts and usage streamed and whole, and continues the conversation", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(everything, everything)
      const service = yield* Bedrock.make(options(simulator))
      const asked: LlmRequest = {
        prompt: "Weather?",
        tools: [LlmTool.make("get_weather", {}), LlmTool.make("now", {})]
      }
      const streamed = yield* Stream.runLast(service.stream(asked))
      const whole = yield* service.generate(asked)
      const response = streamed._tag === "Some" && streamed.value._tag === "Finish"
        ? streamed.value.response
        : undefined
      assert.deepStrictEqual(
        response?.parts.map((part) => ({ ...part, id: undefined })),
        whole.parts.map((part) => ({ ...part, id: undefined }))
      )
      assert.deepStrictEqual(response?.usage.input, { total: 100, uncached: 30, cacheRead: 60, cacheWrite: 10 })
      assert.strictEqual(whole.finishReason, "tool-calls")
      assert.strictEqual(whole.requestId, "00000000-0000-4000-8000-000000000002")
      const next = yield* service.generate({
        messages: [
          Message.user("Weather?"),
          whole.message,
          ...whole.toolCalls.map((call) => Message.toolResult(call, "Sunny"))
        ],
        tools: asked.tools
      })
      assert.strictEqual(next.text, "The tool says: Sunny Sunny")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("reports HTTP errors with the type of the header and exceptions of the stream with their name", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        Simulator.error(429),
        Simulator.text("Half an answer", { faults: { errorAfter: 3, streamError: { status: 429 } } })
      )
      const service = yield* Bedrock.make(options(simulator))
      const before = yield* Effect.flip(service.generate({ prompt: "Hi" }))
      assert.deepInclude(before.reason, { _tag: "RateLimit", status: 429, type: "ThrottlingException" })
      const within = yield* Effect.flip(Stream.runDrain(service.stream({ prompt: "Hi" })))
      assert.deepInclude(within.reason, { _tag: "RateLimit", type: "throttlingException" })
      assert.strictEqual(within.partial?.text, "Half an answer".slice(0, 16))
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))

  it.effect("fails as incomplete or unreadable where the stream is cut or broken", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      yield* simulator.enqueue(
        Simulator.text("Half an answer", { faults: { cutAfter: 3 } }),
        Simulator.text("Half an answer", { faults: { malformedAfter: 2 } }),
        Simulator.text("A whole answer", { faults: { omitDone: true } }),
        Simulator.text("A whole answer", { faults: { splitBytes: 1 } })
      )
      const service = yield* Bedrock.make(options(simulator))
      const outcome = Stream.runDrain(service.stream({ prompt: "Hi" }))
      assert.strictEqual((yield* Effect.flip(outcome)).reason._tag, "IncompleteStream")
      assert.strictEqual((yield* Effect.flip(outcome)).reason._tag, "ResponseParse")
      yield* outcome
      yield* outcome
    }).pipe(Effect.provide(NodeHttpClient.layerUndici)))
})
