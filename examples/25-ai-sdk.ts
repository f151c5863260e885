/**
 * The AI SDK's own functions over a stack of this library, and one of its models in a stack of this library.
 */
import type { LanguageModelV4 } from "@ai-sdk/provider"
import { generateText, isStepCount, jsonSchema, streamText, tool } from "ai"
import { Console, Effect, Layer } from "effect"
import { Fallback, LlmService, Retry } from "../src/index.ts"
import * as AiSdk from "../src/interop/AiSdk.ts"
import * as TestLlm from "../src/testing/TestLlm.ts"

// Scripted providers, so that the example needs no key: the first is overloaded, the second answers.
const primary = TestLlm.layer({ provider: "first", answers: () => TestLlm.overloaded() })
const backup = TestLlm.layer({
  provider: "second",
  answers: [
    { type: "tool-call", id: "call_1", name: "weather", arguments: { city: "Oslo" } },
    "It is 7 degrees in Oslo.",
    "Rain, then sun."
  ]
})

// #region model
const model = AiSdk.languageModel(primary.pipe(Fallback.policy(backup)))

const weather = tool({
  description: "The weather in a city, now",
  inputSchema: jsonSchema<{ city: string }>({ type: "object", properties: { city: { type: "string" } } }),
  execute: ({ city }) => Promise.resolve({ city, celsius: 7 })
})

const { steps, text } = await generateText({
  model,
  prompt: "How warm is it in Oslo?",
  tools: { weather },
  stopWhen: isStepCount(5),
  maxRetries: 0 // retries are the stack's business
})
console.log(`${text} (${steps.length} steps)`)

const { textStream } = streamText({ model, prompt: "And tomorrow?", maxRetries: 0 })
for await (const piece of textStream) process.stdout.write(piece)
process.stdout.write("\n")

await model.dispose()
// #endregion

/** Any model of the AI SDK; here one over a script. */
const theirs: LanguageModelV4 = AiSdk.languageModel(
  TestLlm.make({ provider: "theirs", answers: [TestLlm.cutAfter(3, "This will break off"), "This is whole."] }).service
)

// #region layer
const llm = AiSdk.layer(theirs).pipe(Retry.policy({ retries: 2, base: 10 }))

const program = Effect.gen(function*() {
  // The first answer breaks off: a typed failure here, which the policies know what to do with.
  const { priorAttempts, text } = yield* LlmService.generate({ prompt: "Hello", whole: "whole" })
  yield* Console.log(`${text} (after ${priorAttempts?.map(({ reason }) => reason).join(", ")})`)
})
// #endregion

await Effect.runPromise(Effect.provide(program, Layer.fresh(llm)))
