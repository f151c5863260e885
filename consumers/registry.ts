/**
 * An application that chooses its provider when it starts, bundled or not.
 */
import { ConfigProvider, Effect, Layer } from "effect"
import { Llm as FromBarrel, LlmService } from "effect-llm"
import * as Llm from "effect-llm/Llm"
import * as LlmConfig from "effect-llm/LlmConfig"
import { HttpClient, HttpClientResponse } from "effect/http"

const frames = { id: "1", model: "small", choices: [{ index: 0, message: { content: "Hi!" }, finish_reason: "stop" }] }
const client = HttpClient.make((request) => Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(frames))))
const environment = ConfigProvider.layer(ConfigProvider.fromEnv({
  env: { LLM_PROVIDER: "groq", GROQ_API_KEY: "gsk-of-nobody-0123456789", GROQ_MODEL: "small" }
}))

for (const layerEnv of [Llm.layerEnv, FromBarrel.layerEnv]) {
  const { text } = await LlmService.generate({ prompt: "Hello" }).pipe(
    Effect.provide(layerEnv.pipe(Layer.provide(environment))),
    Effect.provideService(HttpClient.HttpClient, client),
    Effect.runPromise
  )
  if (text !== "Hi!") throw new Error(text)
}

if (LlmConfig.layer === undefined) throw new Error("no layer")
