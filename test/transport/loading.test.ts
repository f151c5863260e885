// What is loaded with the first call, and a module that does not come.
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import { HttpClient } from "effect/http"
import { LlmService, OpenAiChat, Provider } from "../../src/index.ts"

const secret = "sk-planted-0123456789-secret"

const client = HttpClient.make(() => Effect.die("nothing is sent"))

const provider = Provider.define({
  id: "later",
  name: "Later",
  baseUrl: "http://127.0.0.1:9/v1",
  protocol: {
    ...OpenAiChat.make(),
    decoder: { ready: undefined, load: () => Promise.reject(new Error(`no chunk for ${secret}`)) }
  },
  auth: { type: "bearer" },
  env: { apiKey: ["LATER_API_KEY"] },
  docs: "https://example.com/"
})

const layer = provider.layer({ apiKey: Redacted.make(secret), model: "m" })

describe("a module that does not come", () => {
  for (
    const [operation, call] of [
      ["generate", LlmService.generate({ prompt: "Hello" })],
      ["stream", Stream.runDrain(LlmService.stream({ prompt: "Hello" }))]
    ] as const
  ) {
    it.effect(`is a Network error of ${operation}, before anything is sent, without what failed inside`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(call)
        assert.strictEqual(error.reason._tag, "Network")
        assert.strictEqual(error.operation, operation)
        assert.notInclude(JSON.stringify(error) + String(error), secret)
      }).pipe(Effect.provide(layer), Effect.provideService(HttpClient.HttpClient, client)))
  }
})
