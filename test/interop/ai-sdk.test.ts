/**
 * The AI SDK's own functions over our services: scripted ones for all kinds of parts, and the Simulator for wires and broken connections.
 */
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider"
import { APICallError, InvalidArgumentError, InvalidPromptError, LoadAPIKeyError } from "@ai-sdk/provider"
import { assert, describe, it } from "@effect/vitest"
import { generateText, isStepCount, jsonSchema, Output, streamText, tool, ToolLoopAgent } from "ai"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import * as AiSdk from "../../src/interop/AiSdk.ts"
import * as LlmError from "../../src/LlmError.ts"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import type { JsonObject, Message, Part } from "../../src/Message.ts"
import * as Anthropic from "../../src/provider/Anthropic.ts"
import * as Gemini from "../../src/provider/Gemini.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import * as Simulator from "../../src/testing/Simulator.ts"
import * as TestLlm from "../../src/testing/TestLlm.ts"

const scripted = (...answers: ReadonlyArray<TestLlm.Answer>) => {
  const { control, service } = TestLlm.make({ answers, provider: "anthropic" })
  return { control, model: AiSdk.languageModel(service) }
}

const origin = { wire: "anthropic-messages", provider: "anthropic", model: "m" }

/** One part of each kind, with everything that must survive. */
const every: ReadonlyArray<Part> = [
  { type: "reasoning", text: "Hm.", signature: "sig-1", origin },
  { type: "reasoning", text: "", encrypted: "enc-1", origin },
  { type: "text", text: "Look: ", signature: "text-sig", replay: { id: "msg_1" }, origin },
  {
    type: "server-tool",
    kind: "call",
    name: "web_search",
    id: "srv_1",
    data: { type: "server_tool_use", id: "srv_1", input: { query: "x" } },
    origin
  },
  {
    type: "server-tool",
    kind: "result",
    name: "web_search",
    id: "srv_1",
    data: { type: "web_search_tool_result", tool_use_id: "srv_1", content: [] },
    origin
  },
  { type: "server-tool", kind: "block", name: "compaction", data: { type: "compaction", content: "c" }, origin },
  { type: "source", url: "https://example.com/a", title: "A", citedText: "quoted" },
  { type: "image", source: { type: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" } },
  { type: "tool-call", id: "call_1", name: "weather", arguments: { city: "Oslo" }, signature: "call-sig", origin }
]

const weather = tool({
  description: "The weather",
  inputSchema: jsonSchema<{ city: string }>({
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false
  }),
  execute: ({ city }) => ({ city, celsius: 7 })
})

const assistant = (request: LlmRequest): Message => {
  const found = request.messages?.find(({ role }) => role === "assistant")
  assert.isDefined(found)
  return found
}

const options = (more: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions => ({
  prompt: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
  ...more
})

const read = async (model: LanguageModelV4, more?: Partial<LanguageModelV4CallOptions>) => {
  const { stream } = await model.doStream(options(more))
  const parts: Array<LanguageModelV4StreamPart> = []
  for await (const part of stream) parts.push(part)
  return parts
}

const caught = async (promise: PromiseLike<unknown>): Promise<unknown> => {
  try {
    await promise
  } catch (error) {
    return error
  }
  return assert.fail("It did not fail.")
}

describe("AiSdk.languageModel", () => {
  for (const how of ["generateText", "streamText"] as const) {
    it(`carries every kind of part through a second step of ${how}`, async () => {
      const { control, model } = scripted(every, "It is 7 degrees.")
      const settings = { model, prompt: "Oslo?", tools: { weather }, stopWhen: isStepCount(3) }
      const result = how === "generateText" ? await generateText(settings) : streamText(settings)
      assert.strictEqual(await result.text, "It is 7 degrees.")
      const steps = await result.steps
      assert.strictEqual(steps.length, 2)
      assert.strictEqual(steps[0]!.finishReason, "tool-calls")
      assert.deepStrictEqual(steps[0]!.reasoning.map((part) => "text" in part ? part.text : part.type), ["Hm.", ""])
      assert.strictEqual(steps[0]!.sources.length, 1)
      assert.strictEqual(steps[0]!.files[0]!.base64, "iVBORw0KGgo=")
      const second = control.requests[1]!
      // The source is no part of a message; everything else comes back as it was.
      assert.deepStrictEqual(
        assistant(second).content,
        every.filter((part) => part.type !== "source")
      )
      assert.deepStrictEqual(second.messages!.at(-1)!.content, [
        { type: "tool-result", toolCallId: "call_1", name: "weather", content: "{\"city\":\"Oslo\",\"celsius\":7}" }
      ])
    })
  }

  it("runs a ToolLoopAgent", async () => {
    const { control, model } = scripted(
      { type: "tool-call", id: "c", name: "weather", arguments: { city: "Oslo" } },
      "Cold."
    )
    const agent = new ToolLoopAgent({ model, instructions: "Be brief.", tools: { weather } })
    const { text } = await agent.generate({ prompt: "Oslo?" })
    assert.strictEqual(text, "Cold.")
    assert.deepStrictEqual(control.requests[0]!.messages![0], { role: "system", content: "Be brief." })
    assert.deepStrictEqual(control.requests[0]!.tools!.map(({ name }) => name), ["weather"])
  })

  it("gives objects of a schema", async () => {
    const { control, model } = scripted("{\"celsius\":7}")
    const schema = jsonSchema<{ celsius: number }>({
      type: "object",
      properties: { celsius: { type: "number" } },
      required: ["celsius"],
      additionalProperties: false
    })
    const { output } = await generateText({ model, prompt: "Oslo?", output: Output.object({ schema }) })
    assert.deepStrictEqual(output, { celsius: 7 })
    assert.strictEqual(control.requests[0]!.responseFormat?.type, "json-schema")
  })

  it("tells of broken arguments as the AI SDK does, and the model reads it", async () => {
    const { control, model } = scripted(
      { type: "tool-call", id: "c", name: "weather", arguments: "{\"city\": \"Os", invalid: true },
      "Sorry."
    )
    const { steps, text } = await generateText({ model, prompt: "x", tools: { weather }, stopWhen: isStepCount(3) })
    assert.strictEqual(text, "Sorry.")
    assert.strictEqual(steps[0]!.toolCalls[0]!.invalid, true)
    assert.isTrue(
      (control.requests[1]!.messages!.at(-1)!.content as ReadonlyArray<{ readonly isError?: boolean }>)[0]!.isError
    )
  })

  it("asks with all settings", async () => {
    const { control, model } = scripted("ok")
    await generateText({
      model,
      messages: [{
        role: "user",
        content: [
          {
            type: "text",
            text: "What is it?",
            providerOptions: { anthropic: { cacheControl: { type: "ephemeral" } } }
          },
          { type: "file", data: new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]), mediaType: "image/png" },
          { type: "file", data: "JVBERi0=", mediaType: "application/pdf", filename: "a.pdf" }
        ]
      }],
      maxOutputTokens: 5,
      temperature: 0.5,
      topP: 0.9,
      topK: 3,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      stopSequences: ["END"],
      seed: 7,
      reasoning: "high",
      headers: { "x-mine": "1" },
      toolChoice: { type: "tool", toolName: "weather" },
      tools: { weather: { ...weather, execute: undefined as never } },
      providerOptions: { "effect-llm": { label: "vision", scope: { userId: "u" } } }
    }).catch(() => {})
    const { messages, tools, ...rest } = control.requests[0]!
    assert.deepStrictEqual(rest as object, {
      maxTokens: 5,
      temperature: 0.5,
      topP: 0.9,
      topK: 3,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      stop: ["END"],
      seed: 7,
      thinking: "high",
      headers: { "x-mine": "1" },
      toolChoice: { name: "weather" },
      label: "vision",
      scope: { userId: "u" }
    })
    assert.strictEqual(tools!.length, 1)
    assert.deepStrictEqual(messages![0]!.content, [
      { type: "text", text: "What is it?", cacheControl: "ephemeral" },
      { type: "image", source: { type: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" } },
      { type: "file", source: { type: "base64", mediaType: "application/pdf", data: "JVBERi0=" }, filename: "a.pdf" }
    ])
  })

  it("gives provider tools in the words of their wires, and their calls under the caller's names", async () => {
    const { control, model } = scripted([
      {
        type: "server-tool",
        kind: "call",
        name: "web_search",
        id: "s",
        data: { type: "server_tool_use", input: { query: "q" } },
        origin
      },
      { type: "text", text: "ok" }
    ])
    const { content } = await model.doGenerate(options({
      tools: [
        { type: "provider", id: "anthropic.web_search_20250305", name: "search", args: { maxUses: 2 } },
        {
          type: "provider",
          id: "openai.file_search",
          name: "files",
          args: { vectorStoreIds: ["v"], maxNumResults: 3 }
        },
        { type: "provider", id: "google.google_search", name: "google", args: {} },
        { type: "provider", id: "effect-llm.tool", name: "own", args: { definition: { type: "own_1", a: 1 } } },
        { type: "provider", id: "nobody.knows", name: "x", args: {} }
      ]
    }))
    assert.deepStrictEqual(control.requests[0]!.tools as ReadonlyArray<unknown>, [
      {
        type: "provider",
        name: "web_search",
        definition: { type: "web_search_20250305", name: "web_search", max_uses: 2 }
      },
      {
        type: "provider",
        name: "file_search",
        definition: { type: "file_search", vector_store_ids: ["v"], max_num_results: 3 }
      },
      { type: "provider", name: "google_search", definition: { googleSearch: {} } },
      { type: "provider", name: "own", definition: { type: "own_1", a: 1 } }
    ])
    assert.deepInclude(content[0], { toolName: "search", providerExecuted: true })
  })

  it("warns of what it cannot carry", async () => {
    const { model } = scripted("ok")
    const { warnings } = await model.doGenerate(options({
      tools: [{ type: "provider", id: "nobody.knows", name: "x", args: {} }],
      providerOptions: { openai: { store: true, reasoningEffort: "low" }, "effect-llm": { nonsense: 1 } }
    }))
    assert.deepStrictEqual(
      warnings.map((warning) => "feature" in warning ? warning.feature : warning.type),
      ["provider tool nobody.knows", "providerOptions.openai.store", "providerOptions.effect-llm.nonsense"]
    )
  })

  it("decodes what comes back in metadata, which a browser may have changed", async () => {
    const { control, model } = scripted("ok")
    await model.doGenerate(options({
      prompt: [
        { role: "user", content: [{ type: "text", text: "x" }] },
        {
          role: "assistant",
          content: [
            { type: "text", text: "a", providerOptions: { "effect-llm": { signature: 7, origin: "?" } } },
            {
              type: "custom",
              kind: "effect-llm.step",
              providerOptions: { "effect-llm": { part: { type: "server-tool" } } }
            },
            { type: "reasoning", text: "r", providerOptions: { "effect-llm": null as unknown as JsonObject as never } }
          ]
        },
        { role: "user", content: [{ type: "text", text: "y" }] }
      ]
    }))
    assert.deepStrictEqual(assistant(control.requests[0]!).content, [
      { type: "text", text: "a" },
      { type: "reasoning", text: "r" }
    ])
  })

  describe("failures", () => {
    const given: ReadonlyArray<readonly [LlmError.Reason, (error: unknown) => boolean, object]> = [
      [
        new LlmError.RateLimit({ message: "slow", status: 429, retryAfter: Duration.seconds(3) }),
        APICallError.isInstance,
        { statusCode: 429, isRetryable: true, responseHeaders: { "retry-after-ms": "3000" } }
      ],
      [new LlmError.Overloaded({ message: "busy" }), APICallError.isInstance, { statusCode: 503, isRetryable: true }],
      [
        new LlmError.QuotaExhausted({ message: "empty", status: 429 }),
        APICallError.isInstance,
        { statusCode: 429, isRetryable: false }
      ],
      [new LlmError.Authentication({ message: "no" }), APICallError.isInstance, {
        statusCode: 401,
        isRetryable: false
      }],
      [new LlmError.Network({ message: "gone" }), APICallError.isInstance, { isRetryable: true }],
      [new LlmError.Validation({ message: "bad", field: "topP" }), InvalidArgumentError.isInstance, {
        argument: "topP"
      }],
      [new LlmError.Configuration({ message: "none", field: "apiKey" }), LoadAPIKeyError.isInstance, {}]
    ]
    it.each(given)("%s", async (reason, isInstance, fields) => {
      for (const call of ["doGenerate", "doStream"] as const) {
        const { model } = scripted(reason)
        const error = await caught(model[call](options()))
        assert.isTrue(isInstance(error), String(error))
        for (const [field, value] of Object.entries(fields)) {
          assert.deepStrictEqual((error as unknown as { readonly [field: string]: unknown })[field], value)
        }
        assert.instanceOf((error as Error).cause, LlmError.LlmError)
      }
    })

    it("lets the AI SDK retry what may succeed", async () => {
      const reason = new LlmError.Overloaded({ message: "busy", retryAfter: Duration.millis(1) })
      const { control, model } = scripted(reason, "Hello", reason, "Hello")
      assert.strictEqual((await generateText({ model, prompt: "x", maxRetries: 1 })).text, "Hello")
      assert.strictEqual(await streamText({ model, prompt: "x", maxRetries: 1 }).text, "Hello")
      assert.strictEqual(control.requests.length, 4)
    })

    it("refuses what is no prompt", async () => {
      const { model } = scripted("ok")
      for (const prompt of [undefined, null, 7, [null], [{ role: "user", content: [null] }]]) {
        for (const call of ["doGenerate", "doStream"] as const) {
          const error = await caught(model[call]({ prompt: prompt as never }))
          assert.isTrue(InvalidPromptError.isInstance(error), String(error))
        }
      }
    })

    it("tells of a layer that cannot be built", async () => {
      const model = AiSdk.languageModel(
        Layer.provide(Anthropic.layer({ apiKey: Redacted.make(""), model: "m" }), FetchHttpClient.layer)
      )
      const error = await caught(model.doGenerate(options()))
      assert.instanceOf((error as Error).cause, LlmError.LlmError)
      await model.dispose()
    })
  })

  it("says wherever a stream is cut that it failed", async () => {
    const whole = TestLlm.make({ answers: [every] })
    const events = await Effect.runPromise(Stream.runCollect(whole.service.stream({ prompt: "x" })))
    for (let cut = 0; cut < events.length; cut++) {
      const { control, model } = scripted(TestLlm.cutAfter(cut, every))
      let parts: ReadonlyArray<LanguageModelV4StreamPart>
      try {
        parts = await read(model)
      } catch (error) {
        assert.isTrue(APICallError.isInstance(error))
        continue
      }
      assert.strictEqual(parts.at(-1)!.type, "error")
      assert.isFalse(parts.some(({ type }) => type === "finish"))
      assert.strictEqual(control.failed, 1)
    }
  })

  it("gives each part that is begun its end, and ids that are unique", () =>
    fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...every]), async (parts) => {
        const { model } = scripted(parts)
        const open = new Set<string>()
        for (const part of await read(model)) {
          if (part.type.endsWith("-start") && "id" in part) {
            assert.isFalse(open.has(part.id!))
            open.add(part.id!)
          } else if (part.type.endsWith("-end") && "id" in part) assert.isTrue(open.delete(part.id!))
        }
        assert.strictEqual(open.size, 0)
      }),
      { numRuns: 20 }
    ))

  it("stops the call when it is aborted or not read any more", async () => {
    for (const stop of ["abort", "cancel", "before"] as const) {
      const { control, model } = scripted(TestLlm.hangAfter(4, "Hello you there"))
      const controller = new AbortController()
      const reason = new Error("enough")
      if (stop === "before") {
        controller.abort(reason)
        assert.strictEqual(await caught(model.doStream(options({ abortSignal: controller.signal }))), reason)
        assert.strictEqual(control.started, 0)
        continue
      }
      const { stream } = await model.doStream(options({ abortSignal: controller.signal }))
      const reader = stream.getReader()
      for (let seen = 0; seen < 4; seen++) await reader.read()
      if (stop === "cancel") await reader.cancel()
      else {
        const next = caught((async () => {
          while (!(await reader.read()).done);
        })())
        controller.abort(reason)
        assert.strictEqual(await next, reason)
      }
      assert.strictEqual(control.interrupted, 1)
    }
  })

  it("interrupts a whole answer that is aborted", async () => {
    const { control, model } = scripted(TestLlm.never)
    const controller = new AbortController()
    const error = caught(generateText({ model, prompt: "x", abortSignal: controller.signal }))
    while (control.running === 0) await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    assert.strictEqual((await error as Error).name, "AbortError")
    assert.strictEqual(control.interrupted, 1)
  })

  it.effect("runs with the context that it was made in", () =>
    Effect.gen(function*() {
      const model = yield* AiSdk.fromContext()
      assert.strictEqual(model.provider, "test")
      const { content } = yield* Effect.promise(() => model.doGenerate(options()))
      assert.deepInclude(content[0], { type: "text", text: "Hi" })
    }).pipe(Effect.provide(TestLlm.echo)))

  it("gives raw chunks where they are asked for", async () => {
    const { service } = TestLlm.make({ answers: ["x"] })
    const model = AiSdk.languageModel({
      ...service,
      stream: (request) => {
        assert.isTrue(request.includeRaw)
        return Stream.map(
          service.stream(request),
          (event) => event._tag === "Finish" ? { ...event, response: event.response.with({ raw: [{ a: 1 }] }) } : event
        )
      }
    })
    assert.deepInclude(await read(model, { includeRawChunks: true }), { type: "raw", rawValue: { a: 1 } })
  })
})

// =============================================================================
// Over wires
// =============================================================================

const apiKey = Redacted.make("a-key-of-the-test")
const layers = {
  anthropic: (url: string) => Anthropic.layer({ apiKey, model: "claude-sonnet-4-5", baseUrl: url }),
  chat: (url: string) => OpenAi.layer({ apiKey, model: "gpt-5", baseUrl: `${url}/v1`, api: "chat" }),
  responses: (url: string) => OpenAi.layer({ apiKey, model: "gpt-5", baseUrl: `${url}/v1` }),
  gemini: (url: string) => Gemini.layer({ apiKey, model: "gemini-2.5-pro", baseUrl: `${url}/v1beta` })
}

describe("AiSdk.languageModel over wires", () => {
  it.live.each(Object.keys(layers) as Array<keyof typeof layers>)(
    "%s: tools, reasoning and failures",
    (wire) =>
      Effect.gen(function*() {
        const simulator = yield* Simulator.make()
        const model = AiSdk.languageModel(Layer.provide(layers[wire](simulator.url), FetchHttpClient.layer))
        yield* Effect.addFinalizer(() => Effect.promise(() => model.dispose()))
        yield* simulator.enqueue(
          {
            parts: [
              {
                type: "reasoning",
                text: "Let me see.",
                ...(wire === "responses" ? { encrypted: "ZW5j" } : { signature: "c2ln" })
              },
              { type: "tool-call", name: "weather", arguments: { city: "Oslo" } }
            ]
          },
          Simulator.text("It is cold in Oslo today.", { chunkSize: 2 })
        )
        const run = streamText({
          model,
          prompt: "Oslo?",
          tools: { weather },
          stopWhen: isStepCount(3),
          reasoning: "low"
        })
        assert.strictEqual(yield* Effect.promise(async () => await run.text), "It is cold in Oslo today.")
        const second = JSON.stringify(simulator.requests[1]!.body)
        if (wire === "anthropic") assert.include(second, "\"signature\":\"c2ln\"")
        if (wire === "responses") assert.include(second, "\"encrypted_content\":\"ZW5j\"")

        for (const cut of [1, 4]) {
          for (const faults of [{ cutAfter: cut }, { resetAfter: cut }, { errorAfter: cut }]) {
            yield* simulator.enqueue(Simulator.text("It is cold in Oslo today.", { chunkSize: 2, faults }))
            const errors: Array<unknown> = []
            yield* Effect.promise(async () => {
              const { stream } = streamText({
                model,
                prompt: "Oslo?",
                maxRetries: 0,
                onError: ({ error }) => void errors.push(error)
              })
              for await (const part of stream) {
                if (part.type === "finish") assert.strictEqual(part.finishReason, "error")
              }
            })
            assert.strictEqual(errors.length, 1, `${JSON.stringify(faults)}`)
            assert.isTrue(APICallError.isInstance(errors[0]), String(errors[0]))
          }
        }

        yield* simulator.enqueue(Simulator.echoKey())
        const refused = yield* Effect.promise(() => caught(generateText({ model, prompt: "x", maxRetries: 0 })))
        assert.isTrue(APICallError.isInstance(refused))
        assert.deepInclude(refused as object, { statusCode: 401, isRetryable: false })
        assert.notInclude(JSON.stringify(refused) + String(refused), "a-key-of-the-test")
      })
  )

  it.live("closes the connection of a stream that is left", () =>
    Effect.gen(function*() {
      const simulator = yield* Simulator.make()
      const model = AiSdk.languageModel(Layer.provide(layers.anthropic(simulator.url), FetchHttpClient.layer))
      yield* simulator.enqueue(Simulator.text("Hello to you all", { chunkSize: 2, faults: { stallAfter: 5 } }))
      const { stream } = yield* Effect.promise(async () => await model.doStream(options()))
      const reader = stream.getReader()
      yield* Effect.promise(() => reader.read())
      const request = yield* simulator.request(1)
      yield* Effect.promise(() => model.dispose())
      assert.strictEqual(yield* request.ended, "closed-by-client")
      yield* Effect.promise(() => reader.cancel())
    }))

  it.live("is itself a model for a service, with the reasons kept", () =>
    Effect.gen(function*() {
      const reason = new LlmError.ContextLength({ message: "too long", kind: "tokens", status: 400 })
      const { model } = scripted(every, reason)
      const service = yield* AiSdk.make(model)
      const response = yield* service.generate({ prompt: "x" })
      assert.strictEqual(response.text, "Look: ")
      const error = yield* Effect.flip(service.generate({ prompt: "x" }))
      assert.strictEqual(error.reason._tag, "ContextLength")
    }))
})
