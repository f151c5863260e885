// Every provider that a configuration can name is there, and an instance of it asks where it is told to.
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import { Llm, LlmConfig, LlmService } from "../../src/index.ts"
import { env, recorder, type Sent } from "../provider/setUp.ts"

/** Its name in a file, in words for people, and options without which there is no instance. */
const providers: { readonly [id: string]: readonly [name: string, options?: object] } = {
  alibaba: ["Alibaba"],
  anthropic: ["Anthropic"],
  azure: ["Azure"],
  baseten: ["Baseten"],
  bedrock: ["Bedrock", { region: "eu-west-1" }],
  cerebras: ["Cerebras"],
  cloudflare: ["Cloudflare"],
  cohere: ["Cohere"],
  databricks: ["Databricks"],
  deepinfra: ["DeepInfra"],
  deepseek: ["DeepSeek"],
  fireworks: ["Fireworks"],
  gemini: ["Gemini"],
  "github-models": ["GitHub"],
  groq: ["Groq"],
  huggingface: ["Hugging"],
  hyperbolic: ["Hyperbolic"],
  litellm: ["LiteLLM"],
  llamacpp: ["llama.cpp"],
  lmstudio: ["LM Studio"],
  minimax: ["MiniMax"],
  mistral: ["Mistral"],
  moonshot: ["Moonshot"],
  nebius: ["Nebius"],
  nvidia: ["NVIDIA"],
  ollama: ["Ollama"],
  openai: ["OpenAI"],
  "openai-compatible": ["OpenAI"],
  "opencode-zen": ["OpenCode"],
  openrouter: ["OpenRouter"],
  perplexity: ["Perplexity"],
  sambanova: ["SambaNova"],
  snowflake: ["Snowflake"],
  together: ["Together"],
  venice: ["Venice"],
  "vercel-gateway": ["Vercel"],
  vertex: ["Vertex", { project: "p" }],
  "vertex-anthropic": ["Vertex", { project: "p" }],
  vllm: ["vLLM"],
  writer: ["Writer"],
  xai: ["xAI"],
  xiaomi: ["Xiaomi"],
  zai: ["Z.ai"]
}

const key = "planted-key-0123456789"

describe("the providers of a configuration", () => {
  it("are those of this table", () => {
    assert.deepStrictEqual([...Llm.providerIds].toSorted(), Object.keys(providers).toSorted())
  })

  for (const [id, [name, options]] of Object.entries(providers)) {
    it.effect(`${id} is loaded by its name and asks its host with its key`, () =>
      Effect.gen(function*() {
        const { definition } = yield* Llm.load(id as Llm.ProviderId)
        assert.strictEqual(definition.id, id)
        assert.include(definition.name, name)
        const sent: Array<Sent> = []
        const config = yield* LlmConfig.decode({
          default: "one",
          instances: {
            one: {
              provider: id,
              model: "m",
              baseUrl: "http://host.test/v1",
              apiKey: Redacted.make(key),
              retry: false,
              ...(options === undefined ? undefined : { options })
            }
          }
        })
        const { info } = yield* Effect.gen(function*() {
          const service = yield* LlmService.LlmService
          yield* Effect.exit(service.generate({ prompt: "Hi", maxTokens: 5 }))
          return service
        }).pipe(
          Effect.provide(LlmConfig.layer(config)),
          Effect.provideService(HttpClient.HttpClient, recorder(sent, {})),
          Effect.provide(env({}))
        )
        assert.strictEqual(info.label, "one")
        assert.strictEqual(info.model, "m")
        assert.isAbove(sent.length, 0)
        assert.include(sent[0]!.url, "http://host.test/")
        assert.include(`${sent[0]!.url} ${Object.values(sent[0]!.headers).join(" ")}`, key)
      }))
  }
})
