// Answers outside the wires: what they lack is a typed error with the request id, never an empty success.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { HttpClient } from "effect/http"
import { Anthropic, Cohere, Files, Gemini, Groq, type LlmError, Ollama, OpenAi, Together } from "../../src/index.ts"
import type { ProviderModule } from "../../src/provider/Provider.ts"
import { inMemory } from "../fuzz/clients.ts"
import { nested } from "../fuzz/json.ts"

const apiKey = Redacted.make("sk-planted-0123456789-secret")

const answering = (body: string) =>
  Effect.provideService(
    HttpClient.HttpClient,
    inMemory({
      status: 200,
      headers: [["content-type", "application/json"], ["x-request-id", "req-1"]],
      chunks: [new TextEncoder().encode(body)],
      ending: "close"
    })
  )

const providers: ReadonlyArray<readonly [string, Pick<ProviderModule, "make">]> = [
  ["OpenAI", OpenAi],
  ["Anthropic", Anthropic],
  ["Gemini", Gemini],
  ["Cohere", Cohere],
  ["Ollama", Ollama]
]

const noAnswers = [
  "",
  "plain text",
  "42",
  "null",
  "true",
  "\"text\"",
  "[1]",
  "{}",
  "{\"data\":7,\"models\":\"none\"}",
  "<html>",
  nested(5000, "array"),
  nested(5000, "object")
]

const expect = (error: LlmError.LlmError) => {
  assert.strictEqual(error.reason._tag, "ResponseParse", error.message)
  assert.strictEqual(error.requestId, "req-1")
}

describe.each(providers)("answers of %s outside its wire", (_, provider) => {
  it.effect.each(noAnswers.filter((body) => body !== "[1]"))(
    "are no list of models: %s",
    (body) =>
      Effect.gen(function*() {
        const service = yield* provider.make({ apiKey, model: "m" })
        expect(yield* Effect.flip(service.models))
      }).pipe(answering(body))
  )

  it.effect.each(["", "plain text", "42", "null", "true", "\"text\"", "<html>", nested(5000, "array")])(
    "show no health: %s",
    (body) =>
      Effect.gen(function*() {
        const service = yield* provider.make({ apiKey, model: "m" })
        expect(yield* Effect.flip(service.health))
      }).pipe(answering(body))
  )

  it.effect("are the provider's error where they are one", () =>
    Effect.gen(function*() {
      const service = yield* provider.make({ apiKey, model: "m" })
      for (const operation of [service.models, service.health, service.countTokens({ prompt: "x" })]) {
        if (provider === Ollama && operation !== service.models && operation !== service.health) continue
        const error = yield* Effect.flip(operation as Effect.Effect<unknown, LlmError.LlmError>)
        assert.strictEqual(error.reason._tag, "Authentication", error.message)
        assert.strictEqual(error.requestId, "req-1")
        assert.notInclude(JSON.stringify(error), "sk-planted")
      }
    }).pipe(
      answering(
        "{\"error\":{\"type\":\"authentication_error\",\"message\":\"invalid key sk-planted-0123456789-secret\"}}"
      )
    ))
})

describe("other answers outside the wires", () => {
  it.effect.each([...noAnswers, "{\"input_tokens\":-1}", "{\"input_tokens\":1e999}", "{\"input_tokens\":\"5\"}"])(
    "are no count of tokens: %s",
    (body) =>
      Effect.gen(function*() {
        const service = yield* Anthropic.make({ apiKey, model: "m" })
        expect(yield* Effect.flip(service.countTokens({ prompt: "x" })))
      }).pipe(answering(body))
  )

  it.effect.each([...noAnswers, "{\"id\":\"\"}", "{\"id\":5}", "{\"file\":{\"name\":null}}"])(
    "name no file: %s",
    (body) =>
      Effect.gen(function*() {
        for (
          const files of [
            yield* Files.anthropic({ apiKey }),
            yield* Files.openAi({ apiKey }),
            yield* Files.gemini({ apiKey })
          ]
        ) {
          const file = { bytes: new Uint8Array(1), filename: "a.txt", mediaType: "text/plain" }
          expect(yield* Effect.flip(files.upload(file)))
        }
      }).pipe(answering(body))
  )

  it.effect("may be a list without an object around it", () =>
    Effect.gen(function*() {
      const service = yield* Together.make({ apiKey })
      assert.deepStrictEqual((yield* service.models).map(({ id }) => id), ["a", "b"])
    }).pipe(answering("[{\"id\":\"a\"},null,7,{\"id\":{}},{\"id\":\"b\"}]")))

  it.effect("may list none", () =>
    Effect.gen(function*() {
      const service = yield* Groq.make({ apiKey })
      assert.deepStrictEqual(yield* service.models, [])
    }).pipe(answering("{\"object\":\"list\",\"data\":[]}")))
})
