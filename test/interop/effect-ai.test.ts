// What effect/ai does for an application, over services of ours: chats, toolkits, objects, streams, approvals, plans, spans.
import { assert, describe, it } from "@effect/vitest"
import * as AiError from "effect/ai/AiError"
import * as Chat from "effect/ai/Chat"
import * as LanguageModel from "effect/ai/LanguageModel"
import * as AiModel from "effect/ai/Model"
import type * as Prompt from "effect/ai/Prompt"
import * as ResponseIdTracker from "effect/ai/ResponseIdTracker"
import * as Telemetry from "effect/ai/Telemetry"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionPlan from "effect/ExecutionPlan"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as EffectAi from "../../src/interop/EffectAi.ts"
import * as LlmError from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import { LlmResponse } from "../../src/LlmResponse.ts"
import * as LlmService from "../../src/LlmService.ts"
import type * as Message from "../../src/Message.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const call = (id: string, name: string, args: Message.Json): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name,
  arguments: args,
  origin: { wire: "anthropic-messages" }
})

const thinking: Message.ReasoningPart = {
  type: "reasoning",
  text: "hm",
  signature: "sig",
  origin: { wire: "anthropic-messages", provider: "anthropic", model: "claude" }
}

const over = (answers: TestLlm.Options["answers"], options: EffectAi.LanguageModelOptions = {}) =>
  EffectAi.layerLanguageModel(options).pipe(
    Layer.provideMerge(TestLlm.layer({ answers, provider: "anthropic", model: "claude" }))
  )

const Add = Tool.make("add", {
  description: "Adds",
  parameters: Schema.Struct({ a: Schema.Finite, b: Schema.FiniteFromString }),
  success: Schema.Struct({ sum: Schema.Finite })
})

const Fail = Tool.make("fail", {
  parameters: Schema.Struct({ a: Schema.Finite }),
  failure: Schema.Struct({ why: Schema.String }),
  failureMode: "return"
})

class Broke extends Schema.Error<Broke>("Broke")({ _tag: Schema.tag("Broke"), why: Schema.String }) {}

const Throw = Tool.make("throw", { failure: Broke })

const tools = Toolkit.make(Add, Fail, Throw)
let ran = 0
const toolsLive = tools.toLayer({
  add: ({ a, b }) => Effect.sync(() => (ran++, { sum: a + b })),
  fail: ({ a }) => Effect.fail({ why: `no ${a}` }),
  throw: () => Effect.fail(new Broke({ why: "broken" }))
})

const requests = Effect.map(TestLlm.TestLlm, ({ requests }) => requests)
const contentOf = (request: LlmRequest | undefined, at: number): ReadonlyArray<Message.Part> => {
  const content = request?.messages?.at(at)?.content ?? []
  return typeof content === "string" ? [{ type: "text", text: content }] : content
}

describe("A chat of effect/ai", () => {
  it.effect("sends reasoning and signatures back as they came, also after it was stored", () =>
    Effect.gen(function*() {
      const chat = yield* Chat.fromPrompt([{ role: "system", content: "Be brief." }])
      const first = yield* chat.generateText({ prompt: "One" })
      assert.deepStrictEqual([first.text, first.reasoningText, first.finishReason], ["Hello.", "hm", "stop"])
      assert.strictEqual(first.usage.outputTokens.reasoning, 1)
      const parts = Array.from(yield* Stream.runCollect(chat.streamText({ prompt: "Two" })))
      assert.deepStrictEqual(parts.filter(({ type }) => type === "text-delta").length, 2)
      const again = yield* Chat.fromJson(yield* chat.exportJson)
      yield* again.generateText({ prompt: "Three" })
      const sent = (yield* requests)[2]
      assert.deepStrictEqual(sent?.messages?.map(({ role }) => role), [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user"
      ])
      assert.deepStrictEqual(contentOf(sent, 2), [thinking, { type: "text", text: "Hello." }])
      assert.deepStrictEqual(contentOf(sent, 4), [thinking, { type: "text", text: "Hello again." }])
    }).pipe(
      Effect.provide(over([
        [thinking, { type: "text", text: "Hello." }],
        [thinking, { type: "text", text: "Hello again." }],
        "Three."
      ]))
    ))

  it.effect("has no answer in its history that failed, and goes on after it", () =>
    Effect.gen(function*() {
      const chat = yield* Chat.empty
      const error = yield* Effect.flip(chat.generateText({ prompt: "One" }))
      assert.strictEqual(error.reason._tag, "RateLimitError")
      assert.deepStrictEqual(error.retryAfter, Duration.seconds(3))
      yield* chat.generateText({ prompt: "Two" })
      assert.strictEqual((yield* requests)[1]?.messages?.length, 1)
    }).pipe(Effect.provide(over([TestLlm.rateLimit({ retryAfter: "3 seconds" }), "Two."]))))
})

describe("A toolkit of effect/ai", () => {
  const withTools = Layer.mergeAll(toolsLive)

  it.effect("is offered as the tools of a request, and runs their handlers", () =>
    Effect.gen(function*() {
      const response = yield* LanguageModel.generateText({ prompt: "Add.", toolkit: tools, concurrency: 1 })
      assert.deepStrictEqual(response.toolResults.map(({ isFailure, result }) => [result, isFailure]), [
        [{ sum: 3 }, false],
        [{ why: "no 1" }, true]
      ])
      const [sent] = yield* requests
      assert.deepStrictEqual(sent?.tools?.map(({ name }) => name), ["add", "fail", "throw"])
      assert.strictEqual(sent?.toolChoice, "auto")
      const [add] = sent?.tools ?? []
      assert.deepStrictEqual(add?.type === "function" && [add.description, add.parameters["type"]], ["Adds", "object"])
    }).pipe(Effect.provide([
      withTools,
      over([[call("1", "add", { a: 1, b: "2" }), call("2", "fail", { a: 1 })]])
    ])))

  it.effect("streams calls, then results, then the end, and the next turn has both", () =>
    Effect.gen(function*() {
      const chat = yield* Chat.empty
      const parts = Array.from(yield* Stream.runCollect(chat.streamText({ prompt: "Add.", toolkit: tools })))
      const types = parts.map(({ type }) => type).filter((type) =>
        !type.startsWith("text") && !type.startsWith("reasoning")
      )
      assert.deepStrictEqual(types, [
        "response-metadata",
        "tool-params-start",
        "tool-params-delta",
        "tool-params-end",
        "tool-call",
        "tool-result",
        "finish"
      ])
      yield* chat.generateText({ prompt: [], toolkit: tools })
      const sent = (yield* requests)[1]
      assert.deepStrictEqual(contentOf(sent, 1), [thinking, call("1", "add", { a: 1, b: "2" })])
      assert.deepStrictEqual(contentOf(sent, 2), [
        { type: "tool-result", toolCallId: "1", name: "add", content: "{\"sum\":3}" }
      ])
    }).pipe(Effect.provide([withTools, over([[thinking, call("1", "add", { a: 1, b: "2" })], "Three."])])))

  it.effect("keeps choice, failure modes and what is left to the caller", () =>
    Effect.gen(function*() {
      const toolkit = tools
      const error = yield* Effect.flip(
        LanguageModel.generateText({ prompt: "x", toolkit, toolChoice: { tool: "throw" } })
      )
      assert.instanceOf(error, Broke)
      yield* LanguageModel.generateText({ prompt: "x", toolkit, toolChoice: { mode: "required", oneOf: ["add"] } })
      yield* LanguageModel.generateText({ prompt: "x", toolkit, toolChoice: "none" })
      const unresolved = yield* LanguageModel.generateText({ prompt: "x", toolkit, disableToolCallResolution: true })
      assert.deepStrictEqual([unresolved.toolCalls.length, unresolved.toolResults.length], [1, 0])
      const sent = yield* requests
      assert.deepStrictEqual(sent.map(({ toolChoice }) => toolChoice), [{ name: "throw" }, "required", "none", "auto"])
      assert.deepStrictEqual(sent[1]?.tools?.map(({ name }) => name), ["add"])
    }).pipe(Effect.provide([
      withTools,
      over([call("1", "throw", {}), "a", "b", call("1", "add", { a: 1, b: "2" })])
    ])))

  it.effect("never runs a call whose arguments broke off, nor one of an answer that did", () =>
    Effect.gen(function*() {
      const before = ran
      let any = 0
      const Any = Tool.dynamic("any", { parameters: { type: "object" } })
      const loose = Toolkit.make(Any)
      const live = loose.toLayer({ any: () => Effect.sync(() => ++any) })
      const model = yield* LanguageModel.LanguageModel
      const generated = yield* Effect.flip(
        model.generateText({ prompt: "x", toolkit: loose }).pipe(Effect.provide(live))
      )
      assert.strictEqual(generated.reason._tag, "ToolParameterValidationError")
      const streamed = yield* Effect.flip(
        Stream.runDrain(model.streamText({ prompt: "x", toolkit: loose })).pipe(Effect.provide(live))
      )
      assert.strictEqual(streamed.reason._tag, "ToolParameterValidationError")
      const cut = yield* Effect.flip(Stream.runDrain(model.streamText({ prompt: "x", toolkit: tools })))
      assert.strictEqual((cut as AiError.AiError).reason._tag, "NetworkError")
      const long = yield* model.generateText({ prompt: "x", toolkit: tools })
      assert.deepStrictEqual(long.toolResults.map(({ isFailure }) => isFailure), [true])
      assert.deepStrictEqual([any, ran], [0, before])
    }).pipe(Effect.provide([
      withTools,
      over([
        { ...call("1", "any", "{\"a\": "), invalid: true },
        { ...call("1", "any", "{\"a\": "), invalid: true },
        TestLlm.cutAfter(5, [call("1", "add", { a: 1, b: "2" }), { type: "text", text: "more of it" }]),
        new LlmResponse({
          parts: [call("1", "add", { a: 1, b: "2" })],
          finishReason: "length",
          usage: { input: {}, output: {} },
          model: "claude",
          provider: "anthropic",
          warnings: []
        })
      ])
    ])))

  it.effect("asks for approval, runs what is approved, and tells the model what is denied", () =>
    Effect.gen(function*() {
      let deleted = 0
      const Delete = Tool.make("delete", {
        parameters: Schema.Struct({ file: Schema.String }),
        success: Schema.String,
        needsApproval: ({ file }) => file !== "tmp"
      })
      const toolkit = Toolkit.make(Delete)
      const live = toolkit.toLayer({ delete: ({ file }) => Effect.sync(() => (deleted++, `deleted ${file}`)) })
      yield* Effect.gen(function*() {
        const chat = yield* Chat.empty
        const asked = yield* chat.generateText({ prompt: "Delete.", toolkit })
        const [request] = asked.content.filter((part) => part.type === "tool-approval-request")
        assert.strictEqual(deleted, 1)
        const decide = (approved: boolean): Prompt.RawInput => [{
          role: "tool",
          content: [{ type: "tool-approval-response", approvalId: request!.approvalId, approved }]
        }]
        const denied = yield* Chat.fromPrompt(yield* Ref.get(chat.history))
        yield* denied.generateText({ prompt: decide(false), toolkit })
        assert.strictEqual(deleted, 1)
        yield* Stream.runDrain(chat.streamText({ prompt: decide(true), toolkit }))
        assert.strictEqual(deleted, 2)
        const sent = yield* requests
        const results = (request: LlmRequest | undefined) =>
          request?.messages?.flatMap(({ content }) => typeof content === "string" ? [] : content)
            .flatMap((part) => part.type === "tool-result" ? [[part.toolCallId, part.isError === true]] : [])
        assert.deepStrictEqual(results(sent[1]), [["2", false], ["1", true]])
        assert.deepStrictEqual(results(sent[2]), [["2", false], ["1", false]])
      }).pipe(Effect.provide(live))
    }).pipe(Effect.provide(over([
      [call("1", "delete", { file: "all" }), call("2", "delete", { file: "tmp" })],
      "Well.",
      "Done."
    ]))))
})

describe("Objects of effect/ai", () => {
  class Person extends Schema.Class<Person>("Person")({ name: Schema.String, born: Schema.DateTimeUtcFromString }) {}

  it.effect("are asked for by schema, and decoded", () =>
    Effect.gen(function*() {
      const { text, value } = yield* LanguageModel.generateObject({ prompt: "Who?", schema: Person })
      assert.deepStrictEqual([value.name, text], ["Ada", "{\"name\":\"Ada\",\"born\":\"1815-12-10T00:00:00.000Z\"}"])
      const format = (yield* requests)[0]?.responseFormat
      assert.strictEqual(format?.type === "json-schema" && format.name, "Person")
      const error = yield* Effect.flip(LanguageModel.generateObject({ prompt: "Who?", schema: Person }))
      assert.strictEqual(error.reason._tag === "StructuredOutputError" && error.reason.responseText, "{\"name\":1}")
    }).pipe(
      Effect.provide(over(["{\"name\":\"Ada\",\"born\":\"1815-12-10T00:00:00.000Z\"}", "{\"name\":1}"]))
    ))

  it.effect("come by a tool, or out of prose, where the service has nothing better, and are asked for again", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({
        capabilities: { structuredOutput: false },
        answers: [
          call("1", "answer", { name: "Ada", born: "1815-12-10T00:00:00.000Z" }),
          "Here: ```json\n{name: 'Ada', born: '1815-12-10T00:00:00.000Z'}\n```",
          "{\"name\":1}",
          "{\"name\":\"Ada\",\"born\":\"1815-12-10T00:00:00.000Z\"}"
        ]
      })
      for (const objects of [{}, { strategy: "prompted" }, { strategy: "native", retries: 1 }] as const) {
        const model = yield* EffectAi.languageModel(service, { objects })
        const { value } = yield* model.generateObject({ prompt: "Who?", schema: Person })
        assert.strictEqual(value.name, "Ada")
      }
      assert.strictEqual(control.requests.length, 4)
    }))
})

describe("A LanguageModel over a service", () => {
  it.effect("fails as the service does", () =>
    Effect.gen(function*() {
      const rows: ReadonlyArray<readonly [LlmError.Reason, AiError.AiErrorReason["_tag"], boolean]> = [
        [TestLlm.rateLimit(), "RateLimitError", true],
        [TestLlm.quotaExhausted(), "QuotaExhaustedError", false],
        [TestLlm.overloaded(), "InternalProviderError", true],
        [TestLlm.serverError(), "InternalProviderError", true],
        [TestLlm.authentication(), "AuthenticationError", false],
        [TestLlm.permissionDenied(), "AuthenticationError", false],
        [TestLlm.contentPolicy(), "ContentPolicyError", false],
        [TestLlm.validation(), "InvalidRequestError", false],
        [TestLlm.notFound(), "InvalidRequestError", false],
        [TestLlm.contextLength(), "InvalidRequestError", false],
        [TestLlm.network(), "NetworkError", true],
        [TestLlm.network("CERT_HAS_EXPIRED"), "UnknownError", false],
        [TestLlm.timeout(), "NetworkError", true],
        [TestLlm.incomplete(), "NetworkError", true],
        [new LlmError.ResponseParse({ message: "html" }), "InvalidResponseError", false],
        [
          new LlmError.CircuitBreakerOpen({ message: "open", key: "a", retryAfter: Duration.seconds(9) }),
          "UnknownError",
          false
        ],
        [
          new LlmError.BudgetExceeded({ message: "spent", scope: "a", limit: 1, spent: 1 }),
          "QuotaExhaustedError",
          false
        ]
      ]
      for (const [reason, tag, retryable] of rows) {
        for (const streamed of [false, true]) {
          const { service } = TestLlm.make({ answers: [reason] })
          const model = yield* EffectAi.languageModel(service)
          const error: AiError.AiError = yield* Effect.flip(
            streamed ? Stream.runDrain(model.streamText({ prompt: "x" })) : model.generateText({ prompt: "x" })
          )
          assert.deepStrictEqual([error.reason._tag, error.isRetryable], [tag, retryable], reason._tag)
          assert.strictEqual(EffectAi.llmError(error)?.reason._tag, reason._tag)
          const retryAfter = "retryAfter" in reason ? reason.retryAfter : undefined
          assert.deepStrictEqual(error.retryAfter, retryAfter)
          // Through the other side it is the very error that it was, and without its memory one as retryable.
          const same = yield* Effect.flip(EffectAi.service(yield* failing(error)).generate({ prompt: "x" }))
          assert.strictEqual(same.reason._tag, reason._tag)
          const decoded = yield* Schema.decodeEffect(AiError.AiError)(
            yield* Schema.encodeEffect(AiError.AiError)(error)
          )
          const read = yield* Effect.flip(EffectAi.service(yield* failing(decoded)).generate({ prompt: "x" }))
          assert.strictEqual(read.isRetryable, retryable, `${tag} from ${reason._tag}`)
        }
      }
    }))

  it.effect("has the reason of all candidates where they failed alike", () =>
    Effect.gen(function*() {
      const of = (first: LlmError.Reason, second: LlmError.Reason) =>
        EffectAi.layerLanguageModel().pipe(Layer.provide(
          TestLlm.layer({ answers: [first] }).pipe(Fallback.policy(TestLlm.layer({ answers: [second], provider: "b" })))
        ))
      const rows = [
        [TestLlm.authentication(), TestLlm.authentication(), "AuthenticationError"],
        [TestLlm.rateLimit(), TestLlm.rateLimit(), "RateLimitError"],
        [TestLlm.rateLimit(), TestLlm.authentication(), "InternalProviderError"]
      ] as const
      for (const [first, second, tag] of rows) {
        const error = yield* Effect.flip(LanguageModel.generateText({ prompt: "x" })).pipe(
          Effect.provide(of(first, second))
        )
        assert.strictEqual(error.reason._tag, tag)
        assert.strictEqual(EffectAi.llmError(error)?.reason._tag, "FallbackExhausted")
      }
    }))

  it.effect("says what effect/ai has no words for, for all requests and for one", () =>
    Effect.gen(function*() {
      yield* LanguageModel.generateText({ prompt: "x" }).pipe(EffectAi.withRequest({ thinking: "high" }))
      yield* Stream.runDrain(
        LanguageModel.streamText({ prompt: "x" }).pipe(
          Stream.provideService(EffectAi.CurrentRequest, { temperature: 1 })
        )
      )
      const sent = yield* requests
      assert.deepStrictEqual(sent.map(({ maxTokens, temperature, thinking }) => [maxTokens, temperature, thinking]), [
        [100, 0, "high"],
        [100, 1, undefined]
      ])
    }).pipe(Effect.provide(over(["a", "b"], { request: { maxTokens: 100, temperature: 0 } }))))

  it.effect("gives the next step of a plan what the one before it failed at", () =>
    Effect.gen(function*() {
      const first = TestLlm.make({ answers: [TestLlm.overloaded(), TestLlm.overloaded()], provider: "one" })
      const second = TestLlm.make({ answers: ["From two.", "Again."], provider: "two" })
      const layerOf = ({ service }: { readonly service: LlmService.Service }) =>
        EffectAi.layerLanguageModel().pipe(Layer.provide(Layer.succeed(LlmService.LlmService, service)))
      const plan = ExecutionPlan.make(
        { provide: layerOf(first), attempts: 2, while: (error: AiError.AiError) => error.isRetryable },
        { provide: layerOf(second) }
      )
      const response = yield* Effect.withExecutionPlan(
        Effect.zip(LanguageModel.generateText({ prompt: "x" }), AiModel.ProviderName),
        plan
      )
      assert.deepStrictEqual([response[0].text, response[1]], ["From two.", "two"])
      assert.strictEqual(first.control.requests.length, 2)
    }))

  it.effect("tells spans who answered and what it used", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.Span> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const seen: Array<number> = []
      const transformer: Telemetry.SpanTransformer = ({ response }) => void seen.push(response.length)
      yield* LanguageModel.generateText({ prompt: "x" }).pipe(
        Effect.andThen(Stream.runDrain(LanguageModel.streamText({ prompt: "x" }))),
        Effect.provideService(Telemetry.CurrentSpanTransformer, transformer),
        Effect.withTracer(tracer)
      )
      for (const name of ["LanguageModel.generateText", "LanguageModel.streamText"]) {
        const attributes = spans.find((span) => span.name === name)?.attributes
        assert.strictEqual(attributes?.get("gen_ai.request.model"), "claude")
        assert.strictEqual(attributes?.get("gen_ai.usage.output_tokens"), 1)
      }
      assert.strictEqual(seen.length, 2)
    }).pipe(Effect.provide(over(["a", "b"]))))

  it.effect("stops the call when nobody reads any more", () =>
    Effect.gen(function*() {
      const control = yield* TestLlm.TestLlm
      yield* LanguageModel.streamText({ prompt: "x" }).pipe(Stream.take(3), Stream.runDrain)
      assert.strictEqual(control.interrupted, 1)
      const fiber = yield* Effect.forkChild(LanguageModel.generateText({ prompt: "x" }))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([control.interrupted, control.running], [2, 0])
    }).pipe(Effect.provide(over(["some words to read", TestLlm.never]))))

  it.effect("sends only what is new where answers are kept, and never sends a refused request twice", () =>
    Effect.gen(function*() {
      const { control, service } = TestLlm.make({ answers: ["One.", "Two.", "One.", TestLlm.validation(), "never"] })
      for (const previousResponse of [(id: string) => ({ metadata: { previous: id } }), undefined]) {
        const model = yield* EffectAi.languageModel(service, { previousResponse })
        yield* Effect.gen(function*() {
          const chat = yield* Chat.empty
          yield* chat.generateText({ prompt: "1" })
          yield* Effect.exit(chat.generateText({ prompt: "2" }))
        }).pipe(
          Effect.provideService(LanguageModel.LanguageModel, model),
          Effect.provideServiceEffect(ResponseIdTracker.ResponseIdTracker, ResponseIdTracker.make)
        )
      }
      assert.deepStrictEqual(
        control.requests.map(({ messages, metadata }) => [messages?.length, metadata]),
        [[1, undefined], [1, { previous: "test-1" }], [1, undefined], [3, undefined]]
      )
    }))

  it.effect("offers tools of providers as the wire has them, and tells of their steps where the application knows them", () =>
    Effect.gen(function*() {
      const Search = Tool.providerDefined({
        id: "anthropic.web_search_20250305",
        customName: "AnthropicWebSearch",
        providerName: "web_search",
        args: Schema.Struct({ maxUses: Schema.optional(Schema.Finite) }),
        parameters: Schema.Struct({ query: Schema.String }),
        success: Schema.Array(Schema.Struct({ url: Schema.String }))
      })
      const origin = { wire: "anthropic-messages" }
      const steps: ReadonlyArray<Message.Part> = [
        { type: "server-tool", name: "web_search", kind: "call", id: "s1", data: { input: { query: "q" } }, origin },
        {
          type: "server-tool",
          name: "web_search",
          kind: "result",
          id: "s1",
          data: { content: [{ url: "u" }] },
          origin
        },
        { type: "server-tool", name: "other", kind: "block", data: { a: 1 }, origin },
        { type: "text", text: "Found." }
      ]
      const { control, service } = TestLlm.make({ answers: [steps, steps, "Well."] })
      const model = yield* EffectAi.languageModel(service)
      const toolkit = Toolkit.make(Search({ maxUses: 2 }))
      yield* Effect.gen(function*() {
        const chat = yield* Chat.empty
        const response = yield* chat.generateText({ prompt: "Search.", toolkit })
        assert.deepStrictEqual(response.toolCalls.map(({ name, params }) => [name, params]), [
          ["AnthropicWebSearch", { query: "q" }]
        ])
        assert.deepStrictEqual(response.toolResults.map(({ result }) => result), [[{ url: "u" }]])
        const bare = yield* chat.generateText({ prompt: "Search." })
        assert.deepStrictEqual([bare.text, bare.toolCalls.length], ["Found.", 0])
        yield* chat.generateText({ prompt: "And?" })
      }).pipe(Effect.provideService(LanguageModel.LanguageModel, model))
      const [sent] = control.requests[0]?.tools ?? []
      assert.deepStrictEqual(sent?.type === "provider" && sent.definition, {
        type: "web_search_20250305",
        name: "web_search",
        max_uses: 2
      })
      assert.deepStrictEqual(contentOf(control.requests[2], 1), steps)
      assert.deepStrictEqual(contentOf(control.requests[2], 3), steps)
    }))
})

const failing = (error: AiError.AiError) =>
  LanguageModel.make({ generateText: () => Effect.fail(error), streamText: () => Stream.fail(error) })
