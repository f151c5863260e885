/**
 * An application that counts tokens by the optional peer `gpt-tokenizer`.
 */
import { Effect } from "effect"
import { LlmService, type Policy } from "effect-llm"
import { TestLlm } from "effect-llm/testing"
import { countTokens, policy } from "effect-llm/tokenizer"

export const counted: number | undefined = countTokens({ prompt: "Hello" })
export const exact: Policy.Policy = policy

const counts = Effect.flatMap(LlmService.LlmService, (service) => service.countTokens({ prompt: "Hello" }))
const { estimated, inputTokens } = await counts.pipe(
  Effect.provide(TestLlm.echo.pipe(policy)),
  Effect.runPromise
)
if (estimated || inputTokens !== counted) throw new Error(`${inputTokens}, not ${counted}`)
