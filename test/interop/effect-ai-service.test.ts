// A LanguageModel of effect/ai as a service of ours, tools both ways, and both over real wires.
import { assert, describe, it } from "@effect/vitest"
import * as AiError from "effect/ai/AiError"
import * as Chat from "effect/ai/Chat"
import * as LanguageModel from "effect/ai/LanguageModel"
import * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Agent from "../../src/agent/Agent.ts"
import * as Handlers from "../../src/agent/Handlers.ts"
import * as EffectAi from "../../src/interop/EffectAi.ts"
import type { LlmEvent } from "../../src/LlmEvent.ts"
import * as LlmService from "../../src/LlmService.ts"
import * as LlmTool from "../../src/LlmTool.ts"
import { layerHttpClient } from "../../src/node.ts"
import * as Fallback from "../../src/policy/Fallback.ts"
import * as Anthropic from "../../src/provider/Anthropic.ts"
import * as Gemini from "../../src/provider/Gemini.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import * as OpenAiCompatible from "../../src/provider/OpenAiCompatible.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

type Parts = ReadonlyArray<Response.StreamPartEncoded>

const finish: Response.FinishPartEncoded = {
  type: "finish",
  reason: "stop",
  usage: { inputTokens: { total: 3 }, outputTokens: { total: 2 } } as never
}

/** A model of another library: it says these parts, and remembers what it was asked. */
const foreign = (
  parts: Parts,
  whole: ReadonlyArray<Response.PartEncoded> = [],
  ending: Stream.Stream<never, AiError.AiError> = Stream.empty
) => {
  const asked: Array<LanguageModel.ProviderOptions> = []
  return Effect.map(
    LanguageModel.make({
      generateText: (options) => Effect.sync(() => (asked.push(options), [...whole])),
      streamText: (options) => {
        asked.push(options)
        return Stream.concat(Stream.rechunk(Stream.fromIterable(parts), 1), ending)
      }
    }),
    (model) => ({ asked, model, service: EffectAi.service(model, { provider: "foreign", model: "m" }) })
  )
}

const collect = (service: LlmService.Service, request: Parameters<LlmService.Service["stream"]>[0]) =>
  Effect.map(Stream.runCollect(service.stream(request)), (events): ReadonlyArray<LlmEvent> => Array.from(events))

const answer: Parts = [
  { type: "response-metadata", id: "r1", modelId: "m-1" },
  { type: "reasoning-start", id: "a" },
  { type: "reasoning-delta", id: "a", delta: "hm" },
  { type: "reasoning-end", id: "a", metadata: { vendor: { signature: "sig" } } },
  { type: "text-start", id: "b" },
  { type: "text-delta", id: "b", delta: "Hel" },
  { type: "text-delta", id: "b", delta: "lo" },
  { type: "text-end", id: "b" },
  { type: "tool-params-start", id: "c", name: "look" },
  { type: "tool-params-delta", id: "c", delta: "{\"a\":" },
  { type: "tool-params-delta", id: "c", delta: "1}" },
  { type: "tool-params-end", id: "c" },
  { type: "tool-call", id: "c", name: "look", params: { a: 1 }, metadata: { vendor: { itemId: "fc" } } },
  { type: "tool-call", id: "w", name: "web", params: { q: 1 }, providerExecuted: true },
  { type: "source", sourceType: "url", id: "s", url: "https://example.com/", title: "Example" },
  { ...finish, reason: "tool-calls" }
]

const look = LlmTool.make("look", { description: "Looks", parameters: Schema.Struct({ a: Schema.Finite }) })

describe("A service over a LanguageModel", () => {
  it.effect("answers with the events that the parts are, and gives others' metadata back", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* foreign(answer)
      const events = yield* collect(service, { prompt: "x", tools: [look], toolChoice: "required", system: "s" })
      assert.deepStrictEqual(events.map(({ _tag }) => _tag), [
        "ResponseStart",
        "ReasoningStart",
        "ReasoningDelta",
        "ReasoningEnd",
        "TextStart",
        "TextDelta",
        "TextDelta",
        "TextEnd",
        "ToolCallStart",
        "ToolCallDelta",
        "ToolCallDelta",
        "ToolCallEnd",
        "ServerTool",
        "Source",
        "UsageUpdate",
        "Finish"
      ])
      const last = events.at(-1)
      if (last?._tag !== "Finish") return assert.fail("no end")
      const { response } = last
      assert.deepStrictEqual(
        [response.id, response.model, response.text, response.finishReason, response.usage.input],
        [
          "r1",
          "m-1",
          "Hello",
          "tool-calls",
          { total: 3 }
        ]
      )
      yield* collect(service, { messages: [response.message], tools: [look] })
      const [first, second] = asked
      assert.deepStrictEqual(first?.prompt.content.map(({ role }) => role), ["system", "user"])
      assert.deepStrictEqual([first?.toolChoice, first?.tools.map(({ name }) => name as string)], ["required", [
        "look"
      ]])
      assert.deepStrictEqual(Tool.getJsonSchema(first!.tools[0]!), look.parameters)
      const [message] = second?.prompt.content ?? []
      const sent = message?.role === "assistant" ? message.content : []
      assert.deepStrictEqual(sent[0]?.options["vendor"], { signature: "sig" })
      assert.deepStrictEqual(sent[2]?.options["vendor"], { itemId: "fc" })
      assert.strictEqual(sent[3]?.type === "tool-call" && sent[3].providerExecuted, true)
    }))

  it.effect("fails wherever a stream is cut, breaks, or says that something went wrong", () =>
    Effect.gen(function*() {
      const broken = AiError.make({
        module: "Foreign",
        method: "stream",
        reason: new AiError.RateLimitError({})
      })
      for (let at = 0; at < answer.length; at++) {
        const parts = answer.slice(0, at)
        const cases = [
          [foreign(parts), "IncompleteStream"],
          [foreign(parts, [], Stream.fail(broken)), "RateLimit"],
          [foreign(parts, [], Stream.die("a secret bug")), "Provider"],
          // Nothing is waited for after an error.
          [foreign([...parts, { type: "error", error: broken }], [], Stream.never), "RateLimit"]
        ] as const
        for (const [made, tag] of cases) {
          const { service } = yield* made
          const error = yield* Effect.flip(collect(service, { prompt: "x" }))
          assert.strictEqual(error.reason._tag, tag, `after ${at}`)
          assert.notInclude(String(error), "secret")
          assert.strictEqual(error.partial?.text ?? "", at < 6 ? "" : at < 7 ? "Hel" : "Hello")
        }
      }
    }))

  it.effect("keeps the grammar, whatever the parts", () =>
    Effect.gen(function*() {
      const odd: Parts = [
        { type: "text-delta", id: "a", delta: "no start" },
        { type: "text-start", id: "a" },
        { type: "reasoning-start", id: "a" },
        { type: "reasoning-delta", id: "a", delta: "same id" },
        { type: "text-end", id: "nobody" },
        { type: "tool-params-delta", id: "x", delta: "{" },
        { type: "tool-params-start", id: "x", name: "look" },
        { type: "tool-params-start", id: "x", name: "look" },
        { type: "tool-params-delta", id: "x", delta: "{\"a\": " },
        { type: "tool-call", id: "y", name: "look", params: undefined },
        { type: "tool-call", id: "y", name: "look", params: { a: 1n } },
        { type: "file", mediaType: "image/png", data: "AAAA" },
        finish,
        { type: "text-start", id: "late" }
      ]
      const { service } = yield* foreign(odd)
      const events = yield* collect(service, { prompt: "x" })
      assert.strictEqual(events.at(-1)?._tag, "Finish")
      const starts = events.filter(({ _tag }) => /^(?:Text|Reasoning|ToolCall)Start$/.test(_tag)).length
      assert.strictEqual(events.filter(({ _tag }) => /^(?:Text|Reasoning|ToolCall)End$/.test(_tag)).length, starts)
      const calls = events.flatMap((event) => event._tag === "ToolCallEnd" ? [event.part] : [])
      assert.strictEqual(new Set(calls.map(({ id }) => id)).size, 3)
      // What was never closed is no call to run.
      assert.deepStrictEqual(calls.filter(({ invalid }) => invalid).map(({ id }) => id), ["x"])
    }))

  it.effect("answers whole, with objects by schema, and tells what it left out", () =>
    Effect.gen(function*() {
      const { asked, service } = yield* foreign([], [{ type: "text", text: "{\"a\":1}" }, finish])
      const schema = Schema.Struct({ a: Schema.Finite })
      const { response, value } = yield* LlmService.generateObject(schema, { prompt: "x", temperature: 0 }).pipe(
        Effect.provideService(LlmService.LlmService, service)
      )
      assert.deepStrictEqual(value, { a: 1 })
      assert.deepStrictEqual(response.warnings.map(({ field }) => field), ["temperature"])
      assert.strictEqual(asked[0]?.responseFormat.type, "json")
      const streamed = yield* Stream.runCollect(LlmService.streamObject(schema, { prompt: "x" })).pipe(
        Effect.provideService(LlmService.LlmService, service)
      )
      assert.deepStrictEqual(Array.from(streamed).at(-1), { ...Array.from(streamed).at(-1)!, value: { a: 1 } } as never)
      for (const request of [{ prompt: "x", stop: ["."] }, { prompt: "x", apiKey: Redacted.make("sk-other") }]) {
        const error = yield* Effect.flip(service.generate(request))
        assert.strictEqual(error.reason._tag, "Validation")
      }
      const wrong = yield* foreign([], [{ type: "text", text: "{\"a\":\"b\"}" }, finish])
      const misfit = yield* Effect.flip(
        LlmService.generateObject(schema, { prompt: "x" }).pipe(
          Effect.provideService(LlmService.LlmService, wrong.service)
        )
      )
      assert.strictEqual(misfit.reason._tag, "StructuredOutput")
      assert.isTrue((yield* service.countTokens({ prompt: "some words" })).estimated)
      assert.strictEqual((yield* Effect.flip(service.generate({} as never))).reason._tag, "Validation")
    }))

  it.effect("runs a call with what the application makes of its request, in its time, and stops it", () =>
    Effect.gen(function*() {
      class Temperature extends Context.Reference<number>("test/Temperature", { defaultValue: () => 1 }) {}
      let closed = 0
      const seen: Array<number> = []
      const model = yield* LanguageModel.make({
        generateText: () => Effect.map(Temperature, (at) => (seen.push(at), [{ type: "text", text: "a" }, finish])),
        streamText: () => Stream.ensuring(Stream.never, Effect.sync(() => void closed++))
      })
      const service = EffectAi.service(model, {
        configure: ({ temperature }) => Context.make(Temperature, temperature ?? 0)
      })
      const response = yield* service.generate({ prompt: "x", temperature: 0.5 })
      assert.deepStrictEqual([seen, response.warnings], [[0.5], []])
      const late = yield* Effect.forkChild(
        Effect.flip(collect(service, { prompt: "x", timeouts: { firstToken: "5 seconds" } }))
      )
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* Fiber.join(late)).reason._tag, "Timeout")
      const fiber = yield* Effect.forkChild(collect(service, { prompt: "x" }))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(closed, 2)
    }))

  it.effect("is one candidate among others", () =>
    Effect.gen(function*() {
      const { service } = yield* foreign([], [])
      const failing = EffectAi.service(
        yield* LanguageModel.make({
          generateText: () =>
            Effect.fail(AiError.make({
              module: "Foreign",
              method: "generateText",
              reason: new AiError.InternalProviderError({ description: "down" })
            })),
          streamText: () => Stream.empty
        }),
        { provider: "foreign", model: "m" }
      )
      assert.strictEqual((yield* Effect.flip(service.generate({ prompt: "x" }))).reason._tag, "IncompleteStream")
      const layer = Layer.succeed(LlmService.LlmService, failing).pipe(
        Fallback.policy(TestLlm.layer({ answers: ["From the other."] }))
      )
      const response = yield* LlmService.generate({ prompt: "x" }).pipe(Effect.provide(layer))
      assert.strictEqual(response.text, "From the other.")
      assert.deepStrictEqual(response.priorAttempts?.map(({ provider }) => provider), ["foreign"])
    }))
})

// =============================================================================
// Tools
// =============================================================================

const Weather = Tool.make("weather", {
  description: "The weather",
  parameters: Schema.Struct({ day: Schema.FiniteFromString }),
  success: Schema.Struct({ celsius: Schema.Finite }),
  failure: Schema.Struct({ why: Schema.String }),
  failureMode: "return",
  needsApproval: ({ day }) => day > 5
}).annotate(Tool.Readonly, true)

const Picture = Tool.make("picture", {
  success: Schema.String,
  toModelOutput: (text) => [
    Prompt.textPart({ text }),
    Prompt.filePart({ mediaType: "image/png", data: "AAAA" })
  ]
})

describe("Tools of EffectAi", () => {
  it.effect("of effect/ai run in an agent, with their handlers, approvals and outputs", () =>
    Effect.gen(function*() {
      const kit = Toolkit.make(Weather, Picture)
      const live = kit.toLayer({
        weather: ({ day }, { preliminary }) =>
          day === 3
            ? Effect.fail({ why: "no such day" })
            : Effect.as(preliminary({ celsius: 0 }), { celsius: day * 2 }),
        picture: () => Effect.succeed("see")
      })
      const tools = yield* Effect.provide(EffectAi.handlers(kit), live)
      const [tool] = tools.tools
      assert.deepStrictEqual(tool?.type === "function" && [tool.execution?.idempotent, tool.failureMode], [
        true,
        "return"
      ])
      const { control, service } = TestLlm.make({
        answers: [
          [
            { type: "tool-call", id: "1", name: "weather", arguments: { day: "2" } },
            { type: "tool-call", id: "2", name: "weather", arguments: { day: "3" } },
            { type: "tool-call", id: "3", name: "weather", arguments: { day: "tomorrow" } },
            { type: "tool-call", id: "4", name: "picture", arguments: {} }
          ],
          { type: "tool-call", id: "5", name: "weather", arguments: { day: "6" } }
        ]
      })
      const progress: Array<unknown> = []
      const events = yield* Agent.stream(Agent.make({ tools }), { prompt: "x" }).pipe(
        Stream.tap((event) => Effect.sync(() => void (event._tag === "ToolProgress" && progress.push(event.value)))),
        Stream.runCollect,
        Effect.provideService(LlmService.LlmService, service)
      )
      const last = Array.from(events).at(-1)
      assert.strictEqual(last?._tag === "RunEnd" && last.outcome.status, "waiting")
      assert.deepStrictEqual(progress, [{ celsius: 0 }])
      const results = control.requests[1]?.messages?.at(-1)?.content
      assert.deepStrictEqual(
        typeof results === "string" ?
          [] :
          results?.map((part) => part.type === "tool-result" && [part.content, part.isError === true])
            .map((row) => row && typeof row[0] === "string" && row[0].includes("arguments") ? "refused" : row),
        [
          ["{\"celsius\":4}", false],
          ["{\"why\":\"no such day\"}", true],
          "refused",
          [[{ type: "text", text: "see" }, {
            type: "image",
            source: { type: "base64", mediaType: "image/png", data: "AAAA" }
          }], false]
        ]
      )
    }))

  it.effect("of ours run in effect/ai, with their handlers, approvals and limits", () =>
    Effect.gen(function*() {
      const add = LlmTool.make("add", {
        parameters: Schema.Struct({ a: Schema.FiniteFromString }),
        success: Schema.Struct({ sum: Schema.Finite }),
        needsApproval: ({ a }) => a > 5 ? Effect.fail("it cannot be told") : false
      })
      const script = LlmTool.custom("script", {})
      const slow = LlmTool.make("slow", { timeout: "1 second" })
      const later = LlmTool.make("later", {})
      const handlers = Handlers.make([add, script, slow, later], {
        add: ({ a }, { progress }) => Effect.as(progress("adding"), { sum: a + 1 }),
        script: (text) => Effect.succeed(Handlers.output([{ type: "text", text: `ran ${text}` }])),
        slow: () => Effect.never,
        later: () => Effect.succeed(Handlers.later)
      })
      const toolkit = EffectAi.toolkit(handlers)
      const call = (id: string, name: string, args: object) => ({
        type: "tool-call" as const,
        id,
        name,
        arguments: args as never
      })
      const { service } = TestLlm.make({
        answers: [
          [
            call("1", "add", { a: "1" }),
            call("2", "add", { a: "six" }),
            call("3", "add", { a: "6" }),
            call("4", "script", { input: "it" }),
            call("5", "slow", {})
          ],
          call("6", "later", {})
        ]
      })
      const model = yield* EffectAi.languageModel(service)
      const running = yield* Effect.forkChild(
        Stream.runCollect(model.streamText({ prompt: "x", toolkit, concurrency: 1 }))
      )
      for (let second = 0; second < 20; second++) yield* TestClock.adjust("1 second")
      const parts = Array.from(yield* Fiber.join(running))
      const results = parts.flatMap((part) =>
        part.type === "tool-result" ? [[part.id, part.preliminary, part.isFailure, part.result] as const] : []
      )
      assert.deepStrictEqual(results.map(([id, preliminary, isFailure]) => [id, preliminary, isFailure]), [
        ["1", true, false],
        ["1", false, false],
        ["2", false, true],
        ["4", false, false],
        ["5", false, true]
      ])
      assert.deepStrictEqual(results[1]?.[3], { sum: 2 })
      assert.strictEqual(results[3]?.[3], "ran it")
      // What cannot be told asks; effect/ai alone would have run it.
      assert.deepStrictEqual(parts.flatMap((part) => part.type === "tool-approval-request" ? [part.toolCallId] : []), [
        "3"
      ])
      const error = yield* Effect.flip(model.generateText({ prompt: "x", toolkit }))
      assert.strictEqual((error as AiError.AiError).reason._tag, "ToolConfigurationError")
    }))

  it("are the same tools there and back", () => {
    for (const tool of [look, LlmTool.provider("web", { type: "web_search_20250305", name: "web" })]) {
      const back = EffectAi.tool(EffectAi.aiTool(tool))
      assert.deepStrictEqual(
        back.type === "function"
          ? [back.name, back.description, back.parameters]
          : [back.name, back.type === "provider" && back.definition],
        tool.type === "function"
          ? [tool.name, tool.description, tool.parameters]
          : [tool.name, tool.type === "provider" && tool.definition]
      )
    }
  })
})

// =============================================================================
// Wires
// =============================================================================

describe("EffectAi over the wires", () => {
  it.live("chats, streams, calls tools and fails as it should", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const apiKey = Redacted.make("simulated-key")
      const wires = {
        anthropic: Anthropic.layer({ apiKey, baseUrl: `${simulator.url}/v1` }),
        openai: OpenAi.layer({ apiKey, baseUrl: `${simulator.url}/v1` }),
        chat: OpenAiCompatible.layer({ apiKey, baseUrl: `${simulator.url}/v1`, model: "m" }),
        gemini: Gemini.layer({ apiKey, baseUrl: `${simulator.url}/v1beta` })
      }
      const kit = Toolkit.make(Tool.make("double", {
        parameters: Schema.Struct({ of: Schema.Finite }),
        success: Schema.Finite
      }))
      const live = kit.toLayer({ double: ({ of }) => Effect.succeed(of * 2) })
      for (const [name, layer] of Object.entries(wires)) {
        yield* Effect.gen(function*() {
          yield* simulator.enqueue(
            Simulator.toolCall("double", { of: 21 }),
            Simulator.text("It is 42."),
            { parts: [{ type: "text", text: "some words that do not end" }], faults: { cutAfter: 3 }, chunkSize: 4 },
            Simulator.error(429, { retryAfter: 7 })
          )
          const chat = yield* Chat.empty
          yield* Stream.runDrain(chat.streamText({ prompt: "Double 21.", toolkit: kit }))
          const { text } = yield* chat.generateText({ prompt: [], toolkit: kit })
          assert.strictEqual(text, "It is 42.", name)
          const cut = yield* Effect.flip(Stream.runDrain(LanguageModel.streamText({ prompt: "More." })))
          assert.isTrue(cut.isRetryable, name)
          assert.strictEqual(EffectAi.llmError(cut)?.reason._tag, "IncompleteStream", name)
          const limited = yield* Effect.flip(LanguageModel.generateText({ prompt: "More." }))
          assert.strictEqual(limited.reason._tag, "RateLimitError", name)
          assert.notInclude(JSON.stringify(limited), "simulated-key")
        }).pipe(Effect.provide([live, EffectAi.layerLanguageModel().pipe(Layer.provide(layer))]))
      }
    }).pipe(Effect.scoped, Effect.provide(layerHttpClient)))
})
