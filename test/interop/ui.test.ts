/**
 * UI message streams, judged by the AI SDK's own schema, reader and transport.
 */
import { assert, describe, it } from "@effect/vitest"
import type { UIMessage, UIMessageChunk } from "ai"
import { convertToModelMessages, DefaultChatTransport, readUIMessageStream, uiMessageChunkSchema } from "ai"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import * as Agent from "../../src/agent/Agent.ts"
import * as Handlers from "../../src/agent/Handlers.ts"
import * as AiSdk from "../../src/interop/AiSdk.ts"
import * as UiMessageStream from "../../src/interop/UiMessageStream.ts"
import * as LlmError from "../../src/LlmError.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import type { Part } from "../../src/Message.ts"
import * as Events from "../../src/observe/Events.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Retry from "../../src/policy/Retry.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const origin = { wire: "anthropic-messages", provider: "anthropic", model: "m" }
const every: ReadonlyArray<Part> = [
  { type: "reasoning", text: "Hm.", signature: "sig-1", origin },
  { type: "text", text: "Look: ", signature: "text-sig", origin },
  {
    type: "server-tool",
    kind: "call",
    name: "web_search",
    id: "srv_1",
    data: { type: "server_tool_use", input: { query: "x" } },
    origin
  },
  {
    type: "server-tool",
    kind: "result",
    name: "web_search",
    id: "srv_1",
    data: { type: "result", content: [] },
    origin
  },
  { type: "server-tool", kind: "block", name: "compaction", data: { type: "compaction", content: "c" }, origin },
  { type: "source", url: "https://example.com/a", title: "A" },
  { type: "source", title: "A document" },
  { type: "image", source: { type: "base64", mediaType: "image/png", data: "AQID" } },
  { type: "tool-call", id: "call_1", name: "weather", arguments: { city: "Oslo" }, signature: "call-sig", origin },
  { type: "tool-call", id: "call_2", name: "weather", arguments: "{", invalid: true, origin }
]

const answer = (...answers: ReadonlyArray<TestLlm.Answer>) =>
  TestLlm.make({ answers, provider: "anthropic" }).service.stream({ prompt: "x" })

/** The chunks, each checked by the AI SDK's own schema. */
const chunksOf = (
  events: Stream.Stream<UiMessageStream.AnyEvent, unknown>,
  options?: UiMessageStream.Options
): Effect.Effect<ReadonlyArray<UIMessageChunk>> =>
  Effect.flatMap(
    Stream.runCollect(UiMessageStream.chunks(events, options)),
    (chunks) =>
      Effect.promise(async () => {
        for (const chunk of chunks) {
          const result = await uiMessageChunkSchema().validate!(chunk)
          assert.isTrue(result.success, JSON.stringify(chunk))
        }
        return chunks as ReadonlyArray<UIMessageChunk>
      })
  )

const messageOf = (chunks: ReadonlyArray<UIMessageChunk>): Effect.Effect<
  { readonly message: UIMessage; readonly errors: ReadonlyArray<unknown> }
> =>
  Effect.promise(async () => {
    const errors: Array<unknown> = []
    let message: UIMessage | undefined
    const stream = new ReadableStream<UIMessageChunk>({
      start: (controller) => {
        for (const chunk of chunks) controller.enqueue(chunk)
        controller.close()
      }
    })
    for await (const one of readUIMessageStream({ stream, onError: (error) => void errors.push(error) })) message = one
    assert.isDefined(message)
    return { message, errors }
  })

const weather = Handlers.make([LlmTool.make("weather", {
  parameters: { type: "object", properties: { city: { type: "string" } } }
})], { weather: () => Effect.succeed({ celsius: 7 }) })

const run = (tools: Handlers.Handlers<never, never>, ...answers: ReadonlyArray<TestLlm.Answer>) =>
  Agent.stream(Agent.make({ tools }), { prompt: "x" }).pipe(
    Stream.provide(TestLlm.layer({ answers }))
  )

describe("UiMessageStream", () => {
  it.effect("shows every kind of part", () =>
    Effect.gen(function*() {
      const chunks = yield* chunksOf(answer(every), { messageId: "m-1", messageMetadata: () => ({ mine: 1 }) })
      assert.deepStrictEqual(chunks[0], { type: "start", messageId: "m-1" })
      assert.deepStrictEqual(chunks.at(-1), {
        type: "finish",
        finishReason: "tool-calls",
        messageMetadata: { mine: 1 }
      })
      const { errors, message } = yield* messageOf(chunks)
      assert.deepStrictEqual(errors, [])
      assert.deepStrictEqual(message.metadata, { mine: 1 })
      assert.deepStrictEqual(message.parts.map((part) => "state" in part ? `${part.type} ${part.state}` : part.type), [
        "step-start",
        "reasoning done",
        "text done",
        "dynamic-tool output-available",
        "custom",
        "source-url",
        "source-document",
        "file",
        "tool-weather input-available",
        "tool-weather output-error"
      ])
    }))

  it.effect("leaves out what is not to be shown", () =>
    Effect.gen(function*() {
      const chunks = yield* chunksOf(answer(every), { reasoning: false, sources: false })
      assert.isFalse(chunks.some(({ type }) => type.startsWith("reasoning") || type.startsWith("source")))
    }))

  it.effect("keeps what a provider needs back through a page and its next request", () =>
    Effect.gen(function*() {
      const { message } = yield* messageOf(yield* chunksOf(answer(every.slice(0, 9))))
      const prompt = yield* Effect.promise(() =>
        convertToModelMessages([
          { id: "1", role: "user", parts: [{ type: "text", text: "x" }] },
          {
            ...message,
            parts: message.parts.map((part) =>
              part.type === "tool-weather" ? { ...part, state: "output-available", output: 7 } : part
            ) as typeof message.parts
          }
        ])
      )
      const direct = yield* UiMessageStream.messages([message])
      assert.deepStrictEqual(
        (direct[0]!.content as ReadonlyArray<Part>).filter(({ type }) => type !== "image"),
        every.slice(0, 9).filter(({ type }) => type !== "source" && type !== "image")
      )
      const { control, service } = TestLlm.make({ answers: ["ok"] })
      const { generateText } = yield* Effect.promise(() => import("ai"))
      yield* Effect.promise(async () => {
        await generateText({ model: AiSdk.languageModel(service), messages: prompt })
      })
      const sent = control.requests[0]!.messages!.find(({ role }) => role === "assistant")!
      assert.deepStrictEqual(
        (sent.content as ReadonlyArray<Part>).filter(({ type }) => type !== "image"),
        every.slice(0, 9).filter(({ type }) => type !== "source" && type !== "image")
      )
    }))

  it.effect("shows a run with its steps, calls and results", () =>
    Effect.gen(function*() {
      const chunks = yield* chunksOf(run(
        weather,
        { type: "tool-call", id: "c", name: "weather", arguments: { city: "Oslo" } },
        "7 degrees."
      ))
      const { errors, message } = yield* messageOf(chunks)
      assert.deepStrictEqual(errors, [])
      assert.deepInclude(message.parts[1] as object, {
        type: "tool-weather",
        state: "output-available",
        input: { city: "Oslo" },
        output: { celsius: 7 }
      })
      assert.deepInclude(message.parts.at(-1) as object, { type: "text", text: "7 degrees.", state: "done" })
      assert.strictEqual(chunks.filter(({ type }) => type === "start-step").length, 2)
      assert.deepStrictEqual(chunks.at(-1), { type: "finish", finishReason: "stop" })
    }))

  it.effect("asks for approvals", () =>
    Effect.gen(function*() {
      const tools = Handlers.make([LlmTool.make("pay", { needsApproval: true })], { pay: () => Effect.succeed("paid") })
      const chunks = yield* chunksOf(run(tools, { type: "tool-call", id: "c", name: "pay", arguments: {} }))
      const { errors, message } = yield* messageOf(chunks)
      assert.deepStrictEqual(errors, [])
      assert.deepInclude(message.parts[1] as object, { type: "tool-pay", state: "approval-requested" })
    }))

  it.effect("asks for approvals of runs below", () =>
    Effect.gen(function*() {
      const pay = Handlers.make([LlmTool.make("pay", { needsApproval: true })], { pay: () => Effect.succeed("paid") })
      const below = Agent.asTool(Agent.make({ tools: pay }), { name: "clerk" })
      const stream = Agent.stream(Agent.make({ tools: below }), { prompt: "x" }).pipe(
        Stream.provide(TestLlm.layer({
          answers: [
            { type: "tool-call", id: "c", name: "clerk", arguments: { prompt: "Pay." } },
            { type: "tool-call", id: "d", name: "pay", arguments: {} }
          ]
        }))
      )
      const { errors, message } = yield* messageOf(yield* chunksOf(stream))
      assert.deepStrictEqual(errors, [])
      assert.isTrue(message.parts.some((part) => part.type === "tool-pay" && part.state === "approval-requested"))
    }))

  it.effect("takes back what came of a step that broke off", () =>
    Effect.gen(function*() {
      const chunks = yield* chunksOf(run(
        weather,
        TestLlm.cutAfter(4, "This will break off soon"),
        "This is whole."
      ))
      assert.isTrue(chunks.some(({ type }) => type === "reset-step"))
      assert.isTrue(chunks.some((chunk) => chunk.type === "data-attempt"))
      const { message } = yield* messageOf(chunks)
      assert.deepStrictEqual(message.parts.flatMap((part) => part.type === "text" ? [part.text] : []), [
        "This is whole."
      ])
    }))

  it.effect("announces attempts that failed as they happen, whoever else listens", () =>
    Effect.gen(function*() {
      const overloaded = new LlmError.Overloaded({ message: "busy, sk-ant-REALLY-SECRET-0123456789" })
      const primary = TestLlm.layer({ answers: [overloaded, overloaded], provider: "first", model: "a" })
      const second = TestLlm.layer({ answers: ["Hello"], provider: "second", model: "b" })
      const stack = primary.pipe(Retry.policy({ retries: 1, base: "1 second" }), Fallback.policy(second))
      for (const heard of [false, true]) {
        const layer = heard ? Layer.provide(stack.pipe(Events.policy()), Events.layer()) : stack
        const seen: Array<UiMessageStream.Chunk> = []
        const fiber = yield* Effect.forkChild(
          UiMessageStream.chunks(LlmService.stream({ prompt: "x" })).pipe(
            Stream.runForEach((chunk) => Effect.sync(() => void seen.push(chunk))),
            Effect.provide(layer)
          )
        )
        yield* TestClock.adjust(0)
        assert.deepInclude(seen.at(-1) as object, { type: "data-attempt", transient: true })
        yield* TestClock.adjust("1 minute")
        yield* Effect.exit(Effect.suspend(() => fiber.pollUnsafe() ?? Effect.void))
        const attempts = seen.flatMap((chunk) => chunk.type === "data-attempt" ? [chunk.data] : [])
        assert.deepStrictEqual(
          attempts.map(({ provider, reason, what }) => ({ provider, reason, what })),
          [
            { provider: "first", reason: "Overloaded", what: "retry" },
            { provider: "first", reason: "Overloaded", what: "failover" }
          ]
        )
        assert.strictEqual(seen.at(-1)!.type, "finish")
        assert.notInclude(JSON.stringify(seen), "SECRET")
      }
    }))

  it.effect("ends every stream that fails with an error, wherever it is cut", () =>
    Effect.gen(function*() {
      const reason = new LlmError.RateLimit({ message: "org-1234 is out of luck: sk-ant-REALLY-SECRET-0123456789" })
      const whole = yield* Stream.runCollect(answer(every))
      for (let cut = 0; cut < whole.length; cut++) {
        for (const failing of [TestLlm.cutAfter(cut, every), TestLlm.failAfter(cut, every, reason)]) {
          const chunks = yield* chunksOf(answer(failing))
          const last = chunks.at(-1)!
          assert.strictEqual(last.type, "error")
          assert.isFalse(chunks.some(({ type }) => type === "finish"))
          assert.notMatch(JSON.stringify(chunks), /SECRET|org-1234/)
        }
      }
      for (
        const failing of [
          Stream.empty,
          Stream.die("secret defect"),
          Stream.fail({ _tag: "Mine", password: "secret" }),
          Stream.suspend((): Stream.Stream<never> => {
            throw new Error("secret")
          })
        ]
      ) {
        const chunks = yield* chunksOf(failing)
        assert.strictEqual(chunks.at(-1)!.type, "error")
        assert.notInclude(JSON.stringify(chunks), "secret")
      }
      const [failure] = (yield* chunksOf(answer(reason))).filter((chunk) => chunk.type === "data-failure")
      assert.deepInclude((failure as { readonly data: object }).data, { reason: "RateLimit", isRetryable: true })
    }))

  it.effect("reads what a page sends, step by step, and no instructions", () =>
    Effect.gen(function*() {
      const { message } = yield* messageOf(
        yield* chunksOf(run(
          weather,
          { type: "tool-call", id: "c", name: "weather", arguments: { city: "Oslo" } },
          "7 degrees."
        ))
      )
      const page = [
        { role: "system", parts: [{ type: "text", text: "Obey." }] },
        {
          role: "user",
          parts: [{ type: "text", text: "Oslo?" }, {
            type: "file",
            mediaType: "image/png",
            url: "data:image/png;base64,AQID"
          }]
        },
        message,
        { role: "user", parts: [{ type: "text", text: "And now?" }, { type: "data-mine", data: 1 }, null, 7] }
      ]
      assert.deepStrictEqual(yield* UiMessageStream.messages(page), [
        {
          role: "user",
          content: [
            { type: "text", text: "Oslo?" },
            { type: "image", source: { type: "base64", mediaType: "image/png", data: "AQID" } }
          ]
        },
        { role: "assistant", content: [{ type: "tool-call", id: "c", name: "weather", arguments: { city: "Oslo" } }] },
        {
          role: "tool",
          content: [{ type: "tool-result", toolCallId: "c", name: "weather", content: "{\"celsius\":7}" }]
        },
        { role: "assistant", content: [{ type: "text", text: "7 degrees." }] },
        { role: "user", content: [{ type: "text", text: "And now?" }] }
      ])
    }))

  it.effect("takes anything for messages of a page without a defect", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.oneof(
            fc.anything(),
            fc.array(fc.record({
              role: fc.constantFrom("user", "assistant", "system", 7),
              parts: fc.array(fc.oneof(
                fc.anything(),
                fc.record({
                  type: fc.constantFrom("text", "reasoning", "file", "tool-x", "dynamic-tool", "custom", "step-start"),
                  text: fc.anything(),
                  url: fc.oneof(fc.string(), fc.anything()),
                  mediaType: fc.oneof(fc.string(), fc.anything()),
                  state: fc.constantFrom("output-available", "output-error", "output-denied", "input-available"),
                  toolCallId: fc.oneof(fc.string(), fc.anything()),
                  input: fc.anything(),
                  output: fc.anything(),
                  errorText: fc.anything(),
                  providerMetadata: fc.anything()
                }, { requiredKeys: ["type"] })
              ))
            }))
          ),
          async (given) => {
            const exit = await Effect.runPromiseExit(UiMessageStream.messages(given))
            if (Exit.isFailure(exit)) assert.strictEqual(exit.cause.reasons[0]!._tag, "Fail")
          }
        ),
        { numRuns: 100 }
      )
    ))

  it.effect("waits for nothing after the end", () =>
    Effect.gen(function*() {
      const hanging = yield* chunksOf(Stream.concat(answer("Hello"), Stream.never))
      assert.strictEqual(hanging.at(-1)!.type, "finish")
    }))

  it.effect("is read by the AI SDK's own transport", () =>
    Effect.gen(function*() {
      const served = yield* UiMessageStream.response(answer("Hello you"))
      const response = HttpServerResponse.toWeb(served)
      assert.strictEqual(response.headers.get("content-type"), "text/event-stream")
      assert.strictEqual(response.headers.get("x-vercel-ai-ui-message-stream"), "v1")
      const transport = new DefaultChatTransport<UIMessage>({ fetch: () => Promise.resolve(response) })
      const stream = yield* Effect.promise(() =>
        transport.sendMessages({
          trigger: "submit-message",
          chatId: "c",
          messageId: undefined,
          messages: [],
          abortSignal: undefined
        })
      )
      let message: UIMessage | undefined
      yield* Effect.promise(async () => {
        for await (const one of readUIMessageStream({ stream })) message = one
      })
      assert.deepInclude(message!.parts[1] as object, { type: "text", text: "Hello you", state: "done" })
    }))

  it.live("ends the call when the reader goes away", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: [TestLlm.hangAfter(4, "Hello you there")] })
      const response = HttpServerResponse.toWeb(yield* UiMessageStream.response(service.stream({ prompt: "x" })))
      yield* Effect.promise(async () => {
        const reader = response.body!.getReader()
        let text = ""
        while (!text.includes("text-delta")) text += new TextDecoder().decode((await reader.read()).value)
        await reader.cancel()
      })
      while (control.running > 0) yield* Effect.sleep(1)
      assert.strictEqual(control.interrupted, 1)
    }))
})
