/**
 * The smallest program: a question, an answer, a provider with its key from the environment.
 */
// #region minimal
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Stream } from "effect"
import { Anthropic, LlmService, Message, Retry, Timeout } from "../src/index.ts"
import { layerHttpClient } from "../src/node.ts"

const program = Effect.gen(function*() {
  // Whole …
  const response = yield* LlmService.generate({ prompt: "What is an Effect?" })
  yield* Console.log(response.text, response.usage.output.total)

  // … or streamed, as the next turn of the same conversation.
  yield* LlmService.stream({
    messages: [Message.user("What is an Effect?"), response.message, Message.user("Shorter, please.")]
  }).pipe(
    Stream.filter((event) => event._tag === "TextDelta"),
    Stream.runForEach((event) => Effect.sync(() => process.stdout.write(event.text)))
  )
})

// One provider, with its key from ANTHROPIC_API_KEY; Llm.layerEnv takes the one that LLM_PROVIDER names.
const llm = Anthropic.layerEnv.pipe(
  Timeout.policy({ firstToken: "20 seconds", idle: "30 seconds" }),
  Retry.policy()
)

NodeRuntime.runMain(program.pipe(Effect.provide(llm.pipe(Layer.provide(layerHttpClient)))))
// #endregion
