/** This library with one provider, imported by subpaths: what a bundler gets to see. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as LlmService from "../../src/LlmService.ts"
import * as Message from "../../src/Message.ts"
import * as OpenAi from "../../src/provider/OpenAi.ts"
import { type Make, modelOf } from "../client.ts"

export const make: Make = async ({ url, wire }) => {
  const llm = OpenAi.layer({
    api: "chat",
    apiKey: Redacted.make("bench-key"),
    baseUrl: `${url}/v1`,
    model: modelOf(wire)
  })
  const runtime = ManagedRuntime.make(Layer.provide(llm, FetchHttpClient.layer))
  const requestOf = (turns: ReadonlyArray<string>) => ({
    maxTokens: 1024,
    messages: turns.map((text, i) => i % 2 === 0 ? Message.user(text) : Message.assistant(text))
  })
  return {
    stream: (prompt) =>
      runtime.runPromise(
        Stream.runFold(
          LlmService.stream(requestOf(prompt.turns)),
          () => 0,
          (sum, event) => event._tag === "TextDelta" ? sum + event.text.length : sum
        )
      ),
    generate: (prompt) =>
      runtime.runPromise(Effect.map(LlmService.generate(requestOf(prompt.turns)), (response) => response.text.length))
  }
}
