// Nothing a caller gives is a defect: whatever stands anywhere in a request or an option is refused by name before
// anything is sent, or sent as JSON to where requests go.
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import type { LlmError } from "../../src/LlmError.ts"
import { isLlmError } from "../../src/LlmError.ts"
import { type LlmRequest, validate } from "../../src/LlmRequest.ts"
import type * as LlmService from "../../src/LlmService.ts"
import * as Llm from "../../src/provider/Llm.ts"
import type { Options, ProviderModule } from "../../src/provider/Provider.ts"
import { junk, placesOf, replaced } from "./junk.ts"

const runs = Number(process.env["LAW_RUNS"] ?? 75)

const apiKey = Redacted.make("key-of-this-test")
const origin = { wire: "anthropic-messages", provider: "anthropic", model: "m" }

/** Every field of a request, every kind of message and part. */
const whole: LlmRequest = {
  system: "Be brief.",
  model: "model-a",
  maxTokens: 100,
  temperature: 1,
  topP: 1,
  topK: 10,
  frequencyPenalty: 0,
  presencePenalty: 0,
  stop: ["END"],
  seed: 1,
  tools: [
    {
      type: "function",
      name: "weather",
      description: "The weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      strict: false,
      cacheControl: "ephemeral"
    }
  ],
  toolChoice: { name: "weather" },
  parallelToolCalls: true,
  responseFormat: { type: "json-schema", schema: { type: "object" }, name: "answer", strict: false },
  thinking: { budgetTokens: 1024 },
  effort: "low",
  logprobs: 1,
  label: "label",
  scope: { requestId: "r", sessionId: "s", userId: "u" },
  metadata: { tenant: "t" },
  priority: 1,
  providerOptions: {
    anthropic: { betas: ["b"], metadata: { user_id: "u" } },
    openai: { include: ["x"], reasoning: { summary: "auto" }, text: { verbosity: "low" } },
    gemini: { generationConfig: { candidateCount: 1 } },
    vertex: { generationConfig: { candidateCount: 1 } },
    "vertex-anthropic": { betas: ["b"] },
    cohere: { documents: ["d"] },
    ollama: { options: { num_ctx: 1 } },
    bedrock: { guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1" }, inferenceConfig: { a: 1 } },
    groq: { service_tier: "auto" }
  },
  headers: { "x-test": "1" },
  timeouts: { connect: "1 second", firstToken: 1000, idle: "1 second", total: "1 minute" },
  includeRaw: true,
  messages: [
    { role: "system", content: "Be kind." },
    {
      role: "user",
      content: [
        { type: "text", text: "Look.", cacheControl: "ephemeral" },
        { type: "image", source: { type: "base64", mediaType: "image/png", data: "AAAA" }, detail: "low" },
        { type: "image", source: { type: "url", url: "https://example.com/a.png", mediaType: "image/png" } },
        { type: "file", source: { type: "file", fileId: "file-1", mediaType: "application/pdf" }, filename: "a.pdf" },
        { type: "file", source: { type: "base64", mediaType: "application/pdf", data: "AAAA" }, citations: true },
        { type: "audio", source: { type: "base64", mediaType: "audio/wav", data: "AAAA" }, transcript: "hm" }
      ],
      attributes: { cacheControl: "ephemeral", priority: 1, metadata: { a: 1 } }
    },
    {
      role: "assistant",
      content: [
        { type: "reasoning", text: "Hm.", signature: "s", encrypted: "e", replay: { id: "r" }, origin },
        { type: "text", text: "So.", signature: "s", replay: { id: "t" }, origin },
        { type: "source", url: "https://example.com", title: "t", citedText: "c", raw: { a: 1 } },
        { type: "server-tool", name: "web_search", kind: "call", id: "st", data: { a: 1 }, origin },
        {
          type: "tool-call",
          id: "c1",
          name: "weather",
          arguments: { city: "Bern" },
          signature: "s",
          replay: { id: "c" },
          origin,
          cacheControl: "ephemeral"
        }
      ]
    },
    {
      role: "tool",
      content: [{
        type: "tool-result",
        toolCallId: "c1",
        name: "weather",
        content: [{ type: "text", text: "Sunny" }, {
          type: "image",
          source: { type: "base64", mediaType: "image/png", data: "AAAA" }
        }],
        isError: false,
        cacheControl: "ephemeral"
      }]
    },
    { role: "user", content: "And tomorrow?" }
  ]
}

const plain: LlmRequest = { model: "model-a", messages: [{ role: "user", content: "Hi" }] }

interface Sent {
  readonly url: string
  readonly body: string
  readonly headers: { readonly [name: string]: string }
}

const recording = (sent: Array<Sent>): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.sync(() => {
      const body = request.body._tag === "Raw" ? String(request.body.body) : ""
      sent.push({ url: request.url, body, headers: request.headers })
      return HttpClientResponse.fromWeb(
        request,
        new Response("{}", { headers: { "content-type": "application/json" } })
      )
    })
  )

const ids = Llm.providerIds
const addresses: { readonly [id: string]: string } = {
  azure: "https://resource.example.com/openai/v1",
  cloudflare: "https://api.example.com/ai/v1",
  databricks: "https://workspace.example.com/serving-endpoints",
  snowflake: "https://account.example.com/api/v2/cortex/v1",
  baseten: "https://baseten.example.com/v1"
}

const optionsOf = (id: string): Options & { readonly project?: string } => ({
  apiKey,
  ...(id.startsWith("vertex") ? { project: "project-a" } : undefined),
  ...(addresses[id] === undefined ? undefined : { baseUrl: addresses[id] })
})

/** Modules of providers, and a service of each over one recorder. */
const provided = Effect.runPromise(Effect.forEach(ids, (id) =>
  Effect.gen(function*() {
    const module: ProviderModule = yield* Llm.load(id)
    const sent: Array<Sent> = []
    const service = yield* Effect.provideService(module.make(optionsOf(id)), HttpClient.HttpClient, recording(sent))
    return { id, module, sent, service }
  })))

type Operation = "generate" | "stream" | "countTokens"

const operations: ReadonlyArray<Operation> = ["generate", "stream", "countTokens"]

const run = (
  service: LlmService.Service,
  operation: Operation,
  request: unknown
): Promise<Exit.Exit<unknown, LlmError>> =>
  Effect.runPromiseExit(Effect.suspend((): Effect.Effect<unknown, LlmError> => {
    const given = request as LlmRequest
    return operation === "stream" ? Stream.runDrain(service.stream(given)) : service[operation](given)
  }))

/** No defect; a refusal names a field. */
const isTyped = (exit: Exit.Exit<unknown, LlmError>, sent: ReadonlyArray<unknown>, what: string): void => {
  if (Exit.isSuccess(exit)) return
  const defect = exit.cause.reasons.find((reason) => reason._tag !== "Fail")
  assert.isUndefined(defect, `${what}: ${Cause.pretty(exit.cause)}`)
  const error = exit.cause.reasons.find(Cause.isFailReason)?.error
  assert.isTrue(isLlmError(error), what)
  // A time limit of nothing is one.
  if (isLlmError(error) && error.reason._tag === "Timeout") return
  if (sent.length > 0 || !isLlmError(error)) return
  assert.include(["Validation", "Configuration"], error.reason._tag, `${what}: ${error.message}`)
  assert.isTrue("field" in error.reason && typeof error.reason.field === "string", `${what}: ${error.message}`)
}

describe("A request that may be anything", () => {
  it("is refused by name or sent as JSON, whatever stands where", async () => {
    const services = await provided
    const places = placesOf(whole)
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        junk,
        fc.constantFrom(...ids),
        fc.constantFrom(...operations),
        async (place, make, id, operation) => {
          const { sent, service } = services.find((one) => one.id === id)!
          sent.length = 0
          const request = replaced(whole, place, make())
          const exit = await run(service, operation, request)
          isTyped(exit, sent, `${id} ${operation} ${place.join(".")}`)
          for (const { body } of sent) assert.isObject(JSON.parse(body))
        }
      ),
      { numRuns: runs * 4 }
    )
  }, 120_000)

  it("is checked without a throw, and with the same answer each time", () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesOf(whole)), junk, (place, make) => {
        const request = replaced(whole, place, make()) as LlmRequest
        const issue = validate(request)
        if (issue !== undefined) {
          assert.isString(issue.field)
          assert.match(issue.message, /\S/)
        }
      }),
      { numRuns: runs * 4 }
    )
  }, 120_000)

  it("is checked in a time that grows with its length, once per value that is shared", () => {
    let reads = 0
    const counted = (value: object): unknown =>
      new Proxy(value, {
        get: (target, key) => {
          reads++
          return Reflect.get(target, key)
        }
      })
    const readsOf = (count: number): number => {
      reads = 0
      const messages = Array.from({ length: count }, () => counted({ role: "user", content: "Hi" }))
      assert.isUndefined(validate({ messages, metadata: counted({ list: messages.map(() => "x") }) } as never))
      return reads
    }
    assert.isAtMost(readsOf(2000), 2.1 * readsOf(1000))
    assert.isAtMost(readsOf(10_000), 10 * 10_000)
  })

  it("is legal as it stands for most providers, so that the law has something to break", async () => {
    assert.isUndefined(validate(whole))
    const services = await provided
    let taken = 0
    for (const { id, sent, service } of services) {
      sent.length = 0
      const exit = await run(service, "generate", plain)
      assert.lengthOf(sent, 1, `${id}: ${Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""}`)
      sent.length = 0
      await run(service, "generate", whole)
      taken += sent.length
    }
    assert.isAbove(taken, 3)
  })
})

describe("An option that may be anything", () => {
  const own = {
    resource: "r",
    region: "eu-central-1",
    location: "europe-west4",
    apiVersion: "preview",
    api: "chat",
    auth: "entra",
    version: "2023-06-01",
    betas: ["b"],
    think: "levels",
    thinkTags: true,
    id: "other",
    quirks: { tokenField: "max_tokens" },
    credentials: { accessKeyId: "id", secretAccessKey: Redacted.make("s"), sessionToken: Redacted.make("t") },
    accessToken: Redacted.make("t")
  }
  const { messages: _, model: __, label: ___, ...defaults } = whole
  const wholeOptions = {
    apiKey,
    baseUrl: "https://example.com/v1",
    model: "model-a",
    label: "label",
    headers: { "x-test": "1" },
    timeouts: { connect: "1 second" },
    models: {
      "model-a": {
        contextWindow: 1000,
        maxOutputTokens: 100,
        capabilities: { images: true },
        thinkingLevels: { low: "low" },
        prices: { input: 1, output: 1, tiers: [{ input: 1, output: 1, aboveInputTokens: 10 }] }
      }
    },
    defaults,
    ...own
  }

  it("of a provider is refused by name when the layer is made, or makes a service that works", async () => {
    const services = await provided
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...placesOf(wholeOptions)),
        junk,
        fc.constantFrom(...ids),
        async (place, make, id) => {
          const { module } = services.find((one) => one.id === id)!
          const sent: Array<Sent> = []
          const options = replaced(wholeOptions, place, make()) as Options
          const made = await Effect.runPromiseExit(
            Effect.suspend(() => Effect.provideService(module.make(options), HttpClient.HttpClient, recording(sent)))
          )
          const what = `${id} ${place.join(".")}`
          if (Exit.isFailure(made)) {
            isTyped(made, sent, what)
            const error = made.cause.reasons.find(Cause.isFailReason)!.error
            assert.strictEqual(error.reason._tag, "Configuration", what)
            assert.lengthOf(sent, 0)
            return
          }
          for (const operation of operations) isTyped(await run(made.value, operation, plain), sent, what)
          isTyped(await Effect.runPromiseExit(made.value.models), sent, what)
          isTyped(await Effect.runPromiseExit(made.value.health), sent, what)
        }
      ),
      { numRuns: runs * 3 }
    )
  }, 120_000)

  it("of defaults has its path in the error", async () => {
    const services = await provided
    const { module } = services.find(({ id }) => id === "groq")!
    const wrong: ReadonlyArray<readonly [object, string]> = [
      [{ defaults: { temperature: "hot" } }, "defaults.temperature"],
      [{ defaults: { stop: "x" } }, "defaults.stop"],
      [{ defaults: { tools: [null] } }, "defaults.tools[0]"],
      [{ defaults: { timeouts: { idle: "soon" } } }, "defaults.timeouts.idle"],
      [{ defaults: { headers: { "x-a": "1\r\nx-b: 2" } } }, "defaults.headers.x-a"],
      [{ defaults: { providerOptions: { groq: { a: 1n } } } }, "defaults.providerOptions.groq.a"],
      [{ timeouts: { idle: NaN } }, "timeouts.idle"],
      [{ headers: { "x-a": 5 } }, "headers.x-a"],
      [{ apiKey: "sk-plain" }, "apiKey"],
      [{ apiKey: Redacted.make("  ") }, "apiKey"],
      [{ models: { m: { contextWindow: "big" } } }, "models.m.contextWindow"],
      [{ baseUrl: "https://user:hunter2@example.com/v1" }, "baseUrl"],
      [{ baseUrl: "https://example.com/v1#there" }, "baseUrl"]
    ]
    for (const [options, field] of wrong) {
      const error = await Effect.runPromise(Effect.flip(
        Effect.provideService(module.make({ apiKey, ...options } as Options), HttpClient.HttpClient, recording([]))
      ))
      assert.strictEqual(error.reason._tag, "Configuration")
      assert.strictEqual("field" in error.reason ? error.reason.field : undefined, field)
      assert.notInclude(`${error.message} ${JSON.stringify(error)}`, "hunter2")
      assert.notInclude(`${error.message} ${JSON.stringify(error)}`, "sk-plain")
    }
  })
})
