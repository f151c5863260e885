/**
 * A provider of your own, for a host that speaks Chat Completions: data, and nothing else.
 */
import { Console, Effect, Redacted } from "effect"
import { LlmService, OpenAiChat, Provider } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"
import * as Simulator from "../src/testing/Simulator.ts"

// #region provider
const Acme = Provider.define({
  id: "acme",
  name: "Acme",
  docs: "https://example.com/docs",
  baseUrl: "https://llm.example.com/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["ACME_API_KEY"] },
  defaultModel: "acme-large",
  protocol: OpenAiChat.make({
    tokenField: "max_tokens",
    // Acme takes instructions only from the user role.
    systemRole: "user"
  })
})
// #endregion

const program = Effect.gen(function*() {
  const simulator = yield* Simulator.make()
  const layer = Acme.layer({ apiKey: Redacted.make("simulated-key"), baseUrl: `${simulator.url}/v1` })
  const response = yield* LlmService.generate({ prompt: "Hello, Acme", maxTokens: 100 }).pipe(Effect.provide(layer))
  yield* Console.log(`${response.provider}/${response.model}: ${response.text}`)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(layerHttpClient)))
