// A base URL holds no credentials that could be printed with it, and its query comes after the path.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Stream } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import { inspect } from "node:util"
import {
  Anthropic,
  Azure,
  Cloudflare,
  Files,
  Gemini,
  Groq,
  LlmConfig,
  LlmError,
  LlmService,
  Ollama
} from "../../src/index.ts"
import { readBaseUrl } from "../../src/provider/baseUrl.ts"
import { env, recorder, type Sent } from "./setUp.ts"

const apiKey = Redacted.make("an-api-key-0123456789")
const password = "hush-hush-0123"
const quiet = (error: unknown) => {
  assert.isTrue(LlmError.isLlmError(error) && error.reason._tag === "Configuration", inspect(error))
  const text = `${String(error)} ${inspect(error, { depth: 10 })} ${JSON.stringify(error)}`
  for (const hidden of [password, "someone", "query-secret"]) assert.notInclude(text, hidden)
}
const withUser = [
  `https://someone:${password}@host/v1`,
  `https://${password}@host/v1`,
  `http://someone:${password}@host:11434`,
  `someone:${password}@host:11434`,
  `https:someone:${password}@host/v1`,
  `https:\\\\someone:${password}@host`,
  `https://someone:${password}@host/{account}/v1?key=query-secret`,
  `ftp://someone:${password}@host`,
  ` https://someone:${password}@ho st/v1`
]

describe("a base URL with a user or a password", () => {
  it.effect.each(withUser)("is refused without being quoted: %#", (baseUrl) =>
    Effect.gen(function*() {
      const sent: Array<Sent> = []
      for (const make of [Anthropic.make, Azure.make, Cloudflare.make, Gemini.make, Groq.make, Ollama.make]) {
        quiet(yield* Effect.flip(make({ apiKey, baseUrl })))
      }
      for (const make of [Files.anthropic, Files.openAi, Files.gemini]) {
        quiet(yield* Effect.flip(make({ apiKey, baseUrl })))
      }
      quiet(yield* Effect.flip(Stream.runDrain(Ollama.pull("m", { baseUrl }))))
      quiet(
        yield* Effect.flip(
          LlmService.generate({ prompt: "x" }).pipe(
            Effect.provide(
              Layer.provide(Anthropic.layerEnv, env({ ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: baseUrl }))
            )
          )
        )
      )
      assert.deepStrictEqual(sent, [])
    }).pipe(Effect.provideService(HttpClient.HttpClient, recorder([], {}))))

  it.effect("is refused in a configuration, without being quoted", () =>
    Effect.gen(function*() {
      for (const baseUrl of [withUser[0]!, withUser[3]!]) {
        const layer = LlmConfig.layer({ default: "a", instances: { a: { provider: "ollama", baseUrl, model: "m" } } })
        quiet(yield* Effect.flip(Effect.scoped(Layer.build(layer))))
      }
    }).pipe(Effect.provideService(HttpClient.HttpClient, recorder([], {}))))

  it("is not mistaken for one by an @ elsewhere", () => {
    for (const given of ["https://host/@scope/v1", "https://host/v1?to=a@b"]) {
      assert.isFalse("_tag" in readBaseUrl(Groq.definition, given), given)
    }
  })
})

describe("the query of a base URL", () => {
  it.effect("comes after the path of every request, and what the path asks for wins", () =>
    Effect.gen(function*() {
      const sent: Array<Sent> = []
      const client = recorder(sent, { error: { message: "no" } }, 400)
      const query = "api-version=1&alt=none&key=query-secret"
      const use = Effect.gen(function*() {
        const groq = yield* Groq.make({ apiKey, baseUrl: `https://host/v1/?${query}` })
        yield* Effect.exit(groq.generate({ prompt: "x" }))
        yield* Effect.exit(groq.models)
        const gemini = yield* Gemini.make({ apiKey, baseUrl: `https://host/v1beta?${query}` })
        yield* Effect.exit(Stream.runDrain(gemini.stream({ prompt: "x", model: "m" })))
        const azure = yield* Azure.make({ apiKey, baseUrl: `https://host/?${query}`, api: "chat", model: "m" })
        yield* Effect.exit(azure.generate({ prompt: "x" }))
        const files = yield* Files.openAi({ apiKey, baseUrl: `https://host/v1?${query}` })
        yield* Effect.exit(files.remove({ type: "file", fileId: "f", mediaType: "text/plain" }))
        yield* Effect.exit(Stream.runDrain(Ollama.pull("m", { baseUrl: `http://host:11434?${query}` })))
      })
      yield* Effect.provideService(use, HttpClient.HttpClient, client)
      assert.deepStrictEqual(sent.map(({ url }) => url), [
        `https://host/v1/chat/completions?${query}`,
        `https://host/v1/models?${query}`,
        "https://host/v1beta/models/m:streamGenerateContent?alt=sse&api-version=1&key=query-secret",
        `https://host/openai/v1/chat/completions?${query}`,
        `https://host/v1/files/f?${query}`,
        `http://host:11434/api/pull?${query}`
      ])
    }))

  it.effect("is not in the message about a base URL that is none", () =>
    Effect.gen(function*() {
      for (
        const baseUrl of ["host?key=query-secret", "https://host/{account}?key=query-secret", "ws://h?key=query-secret"]
      ) {
        quiet(yield* Effect.flip(Cloudflare.make({ apiKey, baseUrl })))
      }
    }).pipe(Effect.provideService(HttpClient.HttpClient, recorder([], {}))))
})
