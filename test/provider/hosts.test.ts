// Where hosts are asked, page by page and with a fresh credential; what of headers and defaults is joined and what is replaced.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import type { LlmRequest } from "../../src/LlmRequest.ts"
import * as Anthropic from "../../src/provider/Anthropic.ts"
import * as Gemini from "../../src/provider/Gemini.ts"
import * as GitHubModels from "../../src/provider/GitHubModels.ts"
import { merged } from "../../src/provider/merging.ts"
import * as Moonshot from "../../src/provider/Moonshot.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import type { Options, ProviderModule } from "../../src/provider/Provider.ts"
import * as Vertex from "../../src/provider/Vertex.ts"
import * as VertexAnthropic from "../../src/provider/VertexAnthropic.ts"
import * as Writer from "../../src/provider/Writer.ts"
import { headerIssue, joinedHeaders } from "../../src/validation/headers.ts"
import { recorder, type Sent } from "./setUp.ts"

const apiKey = Redacted.make("sk-planted-0123456789-secret")

/** What a client is asked by one call; whatever it makes of the answer. */
const asked = (
  module: Pick<ProviderModule, "make">,
  options: Options,
  call: (service: Effect.Success<ReturnType<ProviderModule["make"]>>) => Effect.Effect<unknown, unknown>,
  answer: unknown = {}
) =>
  Effect.gen(function*() {
    const sent: Array<Sent> = []
    yield* Effect.exit(
      Effect.flatMap(module.make(options), call).pipe(
        Effect.provideService(HttpClient.HttpClient, recorder(sent, answer))
      )
    )
    return sent
  })

const google = { accessToken: apiKey, project: "p" } as Options

describe("Hosts", () => {
  it.effect("are asked for answers where they answer", () =>
    Effect.gen(function*() {
      const urlOf = (module: Pick<ProviderModule, "make">, options: Options, request: Partial<LlmRequest> = {}) =>
        Effect.map(
          asked(module, options, (service) => service.generate({ prompt: "Hello", ...request } as LlmRequest)),
          ([first]) => first?.url
        )
      assert.strictEqual(yield* urlOf(Writer, { apiKey }), "https://api.writer.com/v1/chat")
      const vertex = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models"
      for (
        const model of [
          "gemini-3.5-flash",
          "publishers/google/models/gemini-3.5-flash",
          "projects/p/locations/global/publishers/google/models/gemini-3.5-flash"
        ]
      ) {
        assert.strictEqual(yield* urlOf(Vertex, google, { model }), `${vertex}/gemini-3.5-flash:generateContent`)
      }
    }))

  it.effect("are asked for their models where they list them", () =>
    Effect.gen(function*() {
      const urlOf = (module: Pick<ProviderModule, "make">, options: Options) =>
        Effect.map(asked(module, options, (service) => service.models), ([first]) => first?.url)
      assert.strictEqual(yield* urlOf(GitHubModels, { apiKey }), "https://models.github.ai/catalog/models")
      assert.strictEqual(
        yield* urlOf(VertexAnthropic, google),
        "https://aiplatform.googleapis.com/v1beta1/publishers/anthropic/models"
      )
      assert.strictEqual(
        yield* urlOf(Vertex, google),
        "https://aiplatform.googleapis.com/v1beta1/publishers/google/models"
      )
    }))

  it.effect("are read to their last page", () =>
    Effect.gen(function*() {
      const pages = (pageOf: (at: string | null) => object, parameter: string) =>
        HttpClient.make((request) =>
          Effect.sync(() =>
            HttpClientResponse.fromWeb(
              request,
              Response.json(pageOf(new URL(request.url).searchParams.get(parameter)))
            )
          )
        )
      const ids = (module: Pick<ProviderModule, "make">, options: Options, client: HttpClient.HttpClient) =>
        Effect.flatMap(module.make(options), (service) => service.models).pipe(
          Effect.map((models) => models.map(({ id }) => id)),
          Effect.provideService(HttpClient.HttpClient, client)
        )
      const anthropic = pages(
        (at) =>
          at === null
            ? { data: [{ id: "a" }], has_more: true, last_id: "a" }
            : { data: [{ id: "b" }], has_more: false, last_id: "b" },
        "after_id"
      )
      assert.deepStrictEqual(yield* ids(Anthropic, { apiKey }, anthropic), ["a", "b"])
      const gemini = pages(
        (at) => ({
          models: [{ name: `models/${at ?? "0"}` }],
          ...(at === "2" ? {} : { nextPageToken: String(Number(at ?? 0) + 1) })
        }),
        "pageToken"
      )
      assert.deepStrictEqual(yield* ids(Gemini, { apiKey }, gemini), ["0", "1", "2"])
      const endless = pages(() => ({ models: [{ name: "models/x" }], nextPageToken: "same" }), "pageToken")
      assert.lengthOf(yield* ids(Gemini, { apiKey }, endless), 2)
    }))

  it.effect("count tokens by their own counters", () =>
    Effect.gen(function*() {
      const client = recorder([], { data: { total_tokens: 41 } })
      const count = yield* Effect.flatMap(
        Moonshot.make({ apiKey }),
        (service) => service.countTokens({ prompt: "Hello" })
      ).pipe(Effect.provideService(HttpClient.HttpClient, client))
      assert.deepStrictEqual(count, { inputTokens: 41, estimated: false })
    }))

  it.effect("get a fresh credential for lists, counts and probes as well, once", () =>
    Effect.gen(function*() {
      for (const call of ["models", "health", "countTokens"] as const) {
        let refreshed = 0
        const keys: Array<string | undefined> = []
        const client = HttpClient.make((request) =>
          Effect.sync(() => {
            const key = request.headers["x-api-key"]
            keys.push(key)
            const isFresh = key === "fresh-key-0123456789"
            return HttpClientResponse.fromWeb(
              request,
              isFresh
                ? Response.json({ data: [], input_tokens: 3 })
                : Response.json({ type: "error", error: { type: "authentication_error", message: "no" } }, {
                  status: 401
                })
            )
          })
        )
        const service = yield* Anthropic.make({
          apiKey: {
            get: Effect.succeed(Redacted.make("stale-key-0123456789")),
            refresh: Effect.sync(() => {
              refreshed++
              return Redacted.make("fresh-key-0123456789")
            })
          }
        }).pipe(Effect.provideService(HttpClient.HttpClient, client))
        if (call === "countTokens") yield* service.countTokens({ prompt: "Hello" })
        else yield* service[call]
        assert.deepStrictEqual(keys, ["stale-key-0123456789", "fresh-key-0123456789"], call)
        assert.strictEqual(refreshed, 1, call)
      }
    }))

  it.effect("get lists of betas joined, and of other headers the last", () =>
    Effect.gen(function*() {
      const sent = yield* asked(
        Anthropic,
        { apiKey, betas: ["one"], headers: { "Anthropic-Beta": "two", "x-a": "layer" } } as Options,
        (service) =>
          service.generate({
            prompt: "Hello",
            headers: { "anthropic-beta": "three, one", "X-A": "call" },
            providerOptions: { anthropic: { betas: ["four"] } }
          })
      )
      assert.strictEqual(sent[0]?.headers["anthropic-beta"], "one,four,two,three")
      assert.strictEqual(sent[0]?.headers["x-a"], "call")
    }))
})

describe("Headers of several layers", () => {
  const name = fc.constantFrom("x-a", "X-A", "x-b", "anthropic-beta", "Anthropic-Beta")
  const layer = fc.dictionary(name, fc.constantFrom("1", "2", "3", "1,2"))

  it("are one for each name, in whatever case", () => {
    fc.assert(
      fc.property(layer, layer, layer, (a, b, c) => {
        const all = joinedHeaders(a, b, c)
        const keys = Object.keys(all).map((key) => key.toLowerCase())
        assert.strictEqual(new Set(keys).size, keys.length)
        assert.deepStrictEqual(joinedHeaders(all), all)
        assert.deepStrictEqual(joinedHeaders(joinedHeaders(a, b), c), all)
      })
    )
  })

  it("are refused before they are sent when a header cannot hold them", () => {
    for (const value of ["a\nb", "\u20ac", "\u{1f600}"]) assert.isDefined(headerIssue({ "x-a": value }))
    assert.isUndefined(headerIssue({ "x-a": "caf\u00e9" }))
  })
})

describe("Defaults of a layer", () => {
  it("stand where a request says nothing, or undefined", () => {
    const value = fc.option(fc.constantFrom(0.1, 0.2, 0), { nil: undefined })
    const part = fc.dictionary(fc.constantFrom("a", "b", "c"), value)
    fc.assert(
      fc.property(value, value, part, part, (below, above, belowPart, abovePart) => {
        const request = {
          prompt: "Hello",
          temperature: above,
          providerOptions: { openai: abovePart }
        } as unknown as LlmRequest
        const defaults = { temperature: below, providerOptions: { openai: belowPart } } as never
        const made = merged(request, { defaults })
        assert.strictEqual(made.temperature, above ?? below)
        const own = (made.providerOptions as { readonly openai?: unknown }).openai as typeof belowPart
        for (const key of ["a", "b", "c"]) assert.strictEqual(own[key], abovePart[key] ?? belowPart[key])
      })
    )
  })

  it.effect("keep a provider's option beside another of the request", () =>
    Effect.gen(function*() {
      const bodies: Array<string> = []
      const client = HttpClient.make((request) =>
        Effect.sync(() => {
          bodies.push(request.body._tag === "Raw" ? String(request.body.body) : "")
          return HttpClientResponse.fromWeb(request, Response.json({}))
        })
      )
      const service = yield* OpenAi.make({
        apiKey,
        model: "gpt-4.1",
        defaults: { temperature: 0.31, providerOptions: { openai: { service_tier: "flex" } } }
      }).pipe(Effect.provideService(HttpClient.HttpClient, client))
      yield* Effect.exit(service.generate({
        prompt: "Hello",
        temperature: undefined,
        providerOptions: { openai: { truncation: "auto" } }
      }))
      assert.deepInclude(JSON.parse(bodies[0]!), { service_tier: "flex", truncation: "auto", temperature: 0.31 })
    }))
})
