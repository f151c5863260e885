// Layers of companies with addresses of their own, and downloads: what is refused names its field, what is sent is what was given.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import type { LlmError } from "../../src/LlmError.ts"
import * as LlmService from "../../src/LlmService.ts"
import type { Service } from "../../src/LlmService.ts"
import * as Azure from "../../src/provider/Azure.ts"
import * as Bedrock from "../../src/provider/Bedrock.ts"
import { numberAt, only } from "../../src/provider/counting.ts"
import * as Gemini from "../../src/provider/Gemini.ts"
import { listIn, modelsAt } from "../../src/provider/listing.ts"
import * as Ollama from "../../src/provider/Ollama.ts"
import * as Vertex from "../../src/provider/Vertex.ts"
import * as VertexAnthropic from "../../src/provider/VertexAnthropic.ts"
import { above, claudeStreamsWhole, longForClaude } from "../../src/provider/wholeAnswers.ts"
import { env } from "./setUp.ts"

interface Sent {
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: unknown
}

const clientOf = (lines: ReadonlyArray<object>, sent: Array<Sent>, ends = true) =>
  HttpClient.make((request) =>
    Effect.sync(() => {
      const { body } = request
      const text = body._tag === "Raw" ? String(body.body) : "null"
      sent.push({ url: request.url, headers: { ...request.headers }, body: JSON.parse(text) })
      const bytes = new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(bytes)
          if (ends) controller.close()
        }
      })
      return HttpClientResponse.fromWeb(
        request,
        new Response(stream, { headers: { "content-type": "application/x-ndjson" } })
      )
    })
  )

const apiKey = Redacted.make("key-of-this-test")

describe("A layer", () => {
  type Make = Effect.Effect<Service, LlmError, HttpClient.HttpClient>
  const wrong: ReadonlyArray<readonly [what: string, field: string, make: Make]> = [
    ["Vertex without a project", "project", Vertex.make({ accessToken: apiKey })],
    ["Vertex with a project that leads elsewhere", "project", Vertex.make({ accessToken: apiKey, project: ".." })],
    [
      "Vertex with a location that is no host",
      "location",
      Vertex.make({ accessToken: apiKey, project: "p", location: "a.b" })
    ],
    ["Claude on Vertex with a key in place of a token", "project", VertexAnthropic.make({ apiKey })],
    ["Vertex with a token that is a text", "accessToken", Vertex.make({ accessToken: "a" as never, project: "p" })],
    ["Azure with a resource that is no host", "resource", Azure.make({ apiKey, resource: "a/b" })],
    ["Bedrock in a region that is no host", "region", Bedrock.make({ apiKey, region: "eu west" })]
  ]
  it.effect.each(wrong)("is refused by the name of its field: %s", ([, field, make]) =>
    Effect.gen(function*() {
      const { operation, reason } = yield* Effect.flip(make)
      assert.deepStrictEqual([reason._tag, operation], ["Configuration", "layer"])
      assert.strictEqual("field" in reason ? reason.field : undefined, field)
    }).pipe(Effect.provideService(HttpClient.HttpClient, clientOf([], []))))
})

describe("The environment", () => {
  it.effect("gives the first key that is set; a blank one is none", () =>
    Effect.gen(function*() {
      const keyOf = (variables: { readonly [name: string]: string }) =>
        Effect.gen(function*() {
          const sent: Array<Sent> = []
          const client = Layer.succeed(HttpClient.HttpClient, clientOf([], sent))
          const layer = Gemini.layerEnv.pipe(Layer.provide(client), Layer.provide(env(variables)))
          yield* Effect.exit(
            Effect.flatMap(LlmService.LlmService, (service) => service.generate({ prompt: "Hi" })).pipe(
              Effect.provide(layer)
            )
          )
          return sent[0]?.headers["x-goog-api-key"]
        })
      assert.strictEqual(yield* keyOf({ GEMINI_API_KEY: "a", GOOGLE_API_KEY: "b" }), "a")
      assert.strictEqual(yield* keyOf({ GEMINI_API_KEY: " ", GOOGLE_API_KEY: "b" }), "b")
      assert.isUndefined(yield* keyOf({ GEMINI_API_KEY: " " }))
    }))
})

describe("A download", () => {
  const pull = (
    lines: ReadonlyArray<object>,
    options?: Ollama.PullOptions,
    sent: Array<Sent> = []
  ) =>
    Stream.runCollect(Ollama.pull("m:1b", options)).pipe(
      Effect.provideService(HttpClient.HttpClient, clientOf(lines, sent))
    )
  const success = { status: "success" }

  it.effect("tells each step as it is, with counts that are numbers", () =>
    Effect.gen(function*() {
      const steps = yield* pull([
        { status: "pulling manifest" },
        { status: "pulling abc", digest: "abc", total: 10, completed: 0 },
        { status: "pulling abc", digest: 5, total: "10", completed: null },
        { other: 1 },
        success,
        { status: "after the end" }
      ])
      assert.deepStrictEqual(steps, [
        { status: "pulling manifest" },
        { status: "pulling abc", digest: "abc", total: 10, completed: 0 },
        { status: "pulling abc" },
        success
      ])
    }))

  it.effect("sends the model, the key and the headers that it was given, and nothing else", () =>
    Effect.gen(function*() {
      const sent: Array<Sent> = []
      yield* pull([success], {}, sent)
      yield* pull([success], {
        apiKey: Redacted.make(" key \n"),
        insecure: true,
        headers: { "x-a": "1" },
        baseUrl: "host:80/?a=b"
      }, sent)
      assert.deepStrictEqual(sent.map(({ body, url }) => [url, body]), [
        ["http://127.0.0.1:11434/api/pull", { model: "m:1b", stream: true }],
        ["http://host/api/pull?a=b", { model: "m:1b", stream: true, insecure: true }]
      ])
      assert.deepStrictEqual(sent.map(({ headers }) => [headers["authorization"], headers["x-a"]]), [
        [undefined, undefined],
        ["Bearer key", "1"]
      ])
    }))

  it.effect.each<readonly [lines: ReadonlyArray<object>, tag: string, status: number | undefined]>([
    [[{ error: "pull model manifest: file does not exist" }], "NotFound", 404],
    [[{ status: "pulling manifest" }, { error: "manifest unknown" }], "NotFound", 404],
    [[{ error: "no space left on device" }], "Provider", undefined],
    [[{ status: "pulling manifest" }], "IncompleteStream", undefined],
    [[], "IncompleteStream", undefined]
  ])("that fails says why: %j", ([lines, tag, status]) =>
    Effect.gen(function*() {
      const { operation, reason } = yield* Effect.flip(pull(lines))
      assert.deepStrictEqual([reason._tag, operation], [tag, "models"])
      assert.strictEqual("status" in reason ? reason.status : undefined, status)
    }))

  it.effect.each<readonly [field: string, model: string, options: object]>([
    ["model", " ", {}],
    ["idle", "m", { idle: -1 }],
    ["insecure", "m", { insecure: "yes" }],
    ["baseUrl", "m", { baseUrl: "https://ollama.com" }],
    ["apiKey", "m", { apiKey: Effect.succeed(Redacted.make("a\nb")) }],
    ["headers.a b", "m", { headers: { "a b": "c" } }]
  ])("that cannot be is refused before anything is sent: %s", ([field, model, options]) =>
    Effect.gen(function*() {
      const sent: Array<Sent> = []
      const { reason } = yield* Effect.flip(
        Stream.runDrain(Ollama.pull(model, options)).pipe(
          Effect.provideService(HttpClient.HttpClient, clientOf([success], sent))
        )
      )
      assert.include(["Configuration", "Validation"], reason._tag)
      assert.isTrue(field.startsWith("field" in reason ? reason.field! : "none"))
      assert.lengthOf(sent, 0)
    }))

  it.effect("may be silent for ten minutes, or for as long as it is told", () =>
    Effect.gen(function*() {
      for (const [options, minutes] of [[{}, 10], [{ idle: "2 minutes" }, 2]] as const) {
        const ended: Array<string> = []
        const silent = Stream.runDrain(Ollama.pull("m", options)).pipe(
          Effect.provideService(HttpClient.HttpClient, clientOf([{ status: "verifying" }], [], false)),
          Effect.catchTag("LlmError", ({ reason }) =>
            Effect.sync(() => ended.push(reason._tag === "Timeout" ? reason.phase : reason._tag)))
        )
        yield* Effect.forkChild(silent, { startImmediately: true })
        for (let i = 0; i < 20; i++) {
          yield* Effect.promise(() =>
            new Promise<void>((resolve) => setImmediate(resolve))
          )
        }
        yield* TestClock.adjust(minutes * 60_000 - 1)
        assert.deepStrictEqual(ended, [])
        yield* TestClock.adjust(1)
        for (let i = 0; i < 20; i++) yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
        assert.deepStrictEqual(ended, ["idle"])
      }
    }))
})

describe("Whole answers of Claude", () => {
  it("are streamed below when they may take longer than ten minutes", () => {
    const model = "claude-sonnet-4-5"
    assert.deepStrictEqual([21_333, 21_334].map((tokens) => longForClaude(model, tokens)), [false, true])
    for (const slow of ["claude-opus-4-0", "claude-opus-4-1-20250805", "anthropic.claude-opus-4-20250514-v1:0"]) {
      assert.deepStrictEqual([8192, 8193].map((tokens) => longForClaude(slow, tokens)), [false, true], slow)
    }
    assert.isTrue(claudeStreamsWhole({ model, body: { max_tokens: 64_000 } }))
    assert.isFalse(claudeStreamsWhole({ model, body: { max_tokens: "64000" } }))
    assert.isFalse(above(undefined, -1))
  })
})

describe("Answers outside the wires", () => {
  it("are read where they are as expected, and are none elsewhere", () => {
    assert.strictEqual(numberAt("n")({ n: 0 }), 0)
    for (const other of [{ n: "1" }, {}, null, undefined, 5]) assert.isUndefined(numberAt("n")(other))
    assert.deepStrictEqual(only({ c: 3, a: 1, b: 2 }, ["a", "c"]), { c: 3, a: 1 })
    const read = modelsAt("p", "models", "name", (text) => text.replace("models/", ""))
    assert.deepStrictEqual(read({ models: [{ name: "models/a" }, { name: 5 }, null, "b", { name: "c" }] }), [
      { provider: "p", id: "a", capabilities: {} },
      { provider: "p", id: "c", capabilities: {} }
    ])
    for (const other of [{}, { models: {} }, [], null, "a"]) {
      assert.isUndefined(read(other))
      assert.isUndefined(listIn(other, "models"))
    }
    assert.deepStrictEqual(listIn({ models: [] }, "models"), [])
  })
})
