import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as LlmConfig from "../../src/config/LlmConfig.ts"

const secret = "sk-proj-Q7w8E9r0T1y2U3i4O5p6"

const instance = { provider: "anthropic", model: "m" }
const of = (more: object): unknown => ({ default: "main", instances: { main: { ...instance, ...more } } })

const pasted: { readonly [place: string]: unknown } = {
  "a header": of({ headers: { "x-team": secret } }),
  "a header with a scheme": of({ headers: { "x-team": `Bearer ${secret}` } }),
  "the label": of({ label: secret }),
  "the model": of({ model: secret }),
  metadata: of({ defaults: { metadata: { note: secret } } }),
  "metadata below": of({ defaults: { metadata: { a: [{ b: secret }] } } }),
  "the provider": of({ provider: secret }),
  "the fragment of a URL": of({ baseUrl: `https://example.com/v1#${secret}` }),
  "the path of a URL": of({ baseUrl: `https://example.com/${secret}/v1` }),
  "the name of an instance": { default: "main", instances: { main: instance, [secret]: instance } },
  "the default": { default: secret, instances: { main: instance } },
  "a fallback": of({ fallback: [secret] }),
  "the name of a field": of({ [secret]: true }),
  "an option": of({ options: { version: secret } }),
  "a provider's option": of({ defaults: { providerOptions: { anthropic: { x: secret } } } })
}

/** No form that is known, so only the place tells. */
const plain = "Q7w8E9r0T1y2U3i4O5p6A7s8D9f0"
const unknownForm: { readonly [place: string]: unknown } = {
  "the provider": of({ provider: plain }),
  "metadata, by its name": of({ defaults: { metadata: { api_key: plain } } }),
  "the fragment of a URL": of({ baseUrl: `https://example.com/v1#${plain}` }),
  "the default": { default: plain, instances: { main: instance } },
  "a fallback": of({ fallback: [plain] }),
  "the name of a field": of({ [plain]: true })
}

describe("a credential in a configuration", () => {
  for (const [place, value] of Object.entries(pasted)) {
    it.effect(`is refused and not shown: ${place}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(LlmConfig.decode(value))
        assert.strictEqual(error.reason._tag, "Configuration")
        assert.notInclude(JSON.stringify(error) + error.message + String(error.stack), secret.slice(8))
      }))
  }
  for (const [place, value] of Object.entries(unknownForm)) {
    it.effect(`is not shown where it is no known form: ${place}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(LlmConfig.decode(value))
        assert.notInclude(JSON.stringify(error) + error.message + String(error.stack), plain)
      }))
  }

  it.effect("is not seen where there is none", () =>
    Effect.asVoid(LlmConfig.decode(of({
      label: "risk-adjusted-desk-1",
      model: "accounts/fireworks/models/llama-v3p1-8b-instruct",
      headers: { "x-team": "search" },
      defaults: {
        system: `Never say ${secret}.`,
        metadata: { token_count: "many", user: "u-1" },
        providerOptions: { openai: { prompt_cache_key: "tenant-12345678901234" } }
      }
    }))))
})

describe("the size of a configuration", () => {
  it.effect("is bounded, of a text and of a file, whatever is in it", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const long = `# ${"x".repeat(2 * 1024 * 1024)}\n`
      yield* files.writeFileString(`${folder}/llm.toml`, long)
      for (const read of [LlmConfig.fromFile(`${folder}/llm.toml`), LlmConfig.parse(long, "toml")]) {
        const error = yield* Effect.flip(read)
        assert.include(error.message, "larger than 1 MiB")
      }
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
})
