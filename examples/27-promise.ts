/**
 * The library in a program that is not written with Effect: promises, `for await`, `AbortSignal`, thrown errors.
 */
import { Layer, Schema } from "effect"
import { Fallback, LlmService } from "../src/index.ts"
import * as Llm from "../src/promise.ts"
import * as TestLlm from "../src/testing/TestLlm.ts"

// Scripted providers, so that the example needs no key: the first is overloaded, the second answers.
const primary = TestLlm.layer({ provider: "first", answers: () => TestLlm.overloaded() })
const backup = Layer.succeed(
  LlmService.LlmService,
  TestLlm.make({
    provider: "second",
    answers: [
      "Hello from the second.",
      "One two three four five.",
      "{\"celsius\":7}",
      TestLlm.rateLimit(),
      TestLlm.never
    ]
  }).service
)

// #region client
await using llm = Llm.make(primary.pipe(Fallback.policy(backup)))

const { provider, text } = await llm.generate({ prompt: "Hello" })
console.log(`${provider}: ${text}`)
// #endregion

// #region stream
for await (const event of llm.stream({ prompt: "Count" })) {
  if (event._tag !== "TextDelta") continue
  process.stdout.write(event.text)
  if (event.text.includes("three")) break // closes the connection
}
process.stdout.write("\n")
// #endregion

// #region object
const { value } = await llm.generateObject(Schema.Struct({ celsius: Schema.Finite }), { prompt: "How warm is it?" })
console.log(value.celsius)
// #endregion

// #region errors
try {
  await llm.generate({ prompt: "Hello" })
} catch (error) {
  if (!(error instanceof Llm.LlmError)) throw error
  console.log(`${error.reason._tag}, ${error.isRetryable ? "may" : "will not"} succeed later`)
}

const controller = new AbortController()
const answer = llm.generate({ prompt: "Hello" }, { signal: controller.signal })
controller.abort(new Error("changed my mind"))
await answer.catch((error: Error) => console.log(error.message))
// #endregion
