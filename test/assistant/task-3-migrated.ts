/**
 * A program of the AI SDK and what becomes of it, as an assistant writes it that has read `llms.txt` and the skill, and nothing else.
 */
/*
 * The program as it was, with the AI SDK 7:
 *
 * import { anthropic } from "@ai-sdk/anthropic"
 * import { openai } from "@ai-sdk/openai"
 * import { APICallError, generateObject, generateText, isStepCount, type LanguageModel, RetryError, tool } from "ai"
 * import { z } from "zod"
 *
 * const lookUp = tool({
 *   description: "Looks up an order by its number",
 *   inputSchema: z.object({ order: z.string() }),
 *   execute: async ({ order }) => ({ order, status: order.startsWith("A") ? "shipped" : "open" })
 * })
 *
 * export const triage = async (mail: string) => {
 *   const { object } = await generateObject({
 *     model: anthropic("claude-sonnet-4-5"),
 *     schema: z.object({ topic: z.enum(["order", "refund", "other"]), urgent: z.boolean() }),
 *     prompt: `Classify: ${mail}`,
 *     maxRetries: 2
 *   })
 *   return object
 * }
 *
 * export const reply = async (mail: string) => {
 *   const ask = (model: LanguageModel) => generateText({
 *     model,
 *     instructions: "Answer the customer in two sentences.",
 *     prompt: mail,
 *     tools: { lookUp },
 *     stopWhen: isStepCount(5),
 *     maxRetries: 2,
 *     abortSignal: AbortSignal.timeout(30_000)
 *   })
 *   try {
 *     return (await ask(anthropic("claude-sonnet-4-5"))).text
 *   } catch (error) {
 *     if (RetryError.isInstance(error) || (APICallError.isInstance(error) && error.isRetryable)) {
 *       return (await ask(openai("gpt-5.2"))).text
 *     }
 *     throw error
 *   }
 * }
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Schema } from "effect"
import { Agent, Anthropic, Fallback, Handlers, LlmService, LlmTool, OpenAi, Retry, Timeout } from "../../src/index.ts"
import { layerHttpClient } from "../../src/node.ts"

const lookUp = LlmTool.make("look_up", {
  description: "Looks up an order by its number",
  parameters: Schema.Struct({ order: Schema.String }),
  success: Schema.Struct({ order: Schema.String, status: Schema.Literals(["shipped", "open"]) })
})

const tools = Handlers.make([lookUp], {
  look_up: ({ order }) =>
    Effect.succeed({ order, status: order.startsWith("A") ? "shipped" as const : "open" as const })
})

const Triage = Schema.Struct({ topic: Schema.Literals(["order", "refund", "other"]), urgent: Schema.Boolean })

export const triage = Effect.fn("triage")(function*(mail: string) {
  const { value } = yield* LlmService.generateObject(Triage, { prompt: `Classify: ${mail}` })
  return value
})

const agent = Agent.make({
  instructions: "Answer the customer in two sentences.",
  tools,
  bounds: { maxSteps: 5 }
})

export const reply = (mail: string) => Agent.run(agent, { prompt: mail }).pipe(Effect.map((outcome) => outcome.text))

const limits = Timeout.policy({ total: "30 seconds" })

const llm = Anthropic.layerEnv.pipe(
  limits,
  Retry.policy({ retries: 2 }),
  Fallback.policy(OpenAi.layerEnv.pipe(limits, Retry.policy({ retries: 2 }))),
  Layer.provide(layerHttpClient)
)

if (import.meta.main) {
  const program = Effect.flatMap(reply("Where is my order A1?"), (text) => Console.log(text))
  NodeRuntime.runMain(program.pipe(Effect.provide(llm)))
}
