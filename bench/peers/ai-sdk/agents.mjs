import { createAnthropic } from "@ai-sdk/anthropic"
import { isStepCount, jsonSchema, Output, streamText, tool, ToolLoopAgent } from "ai"
import { entrySchema, lookUpSchema, resultOf } from "../agents.mjs"

export const make = async ({ url }) => {
  const model = createAnthropic({ apiKey: "bench-key", baseURL: `${url}/v1` })("claude-sonnet-4-5")
  return {
    agent: async ({ messages, onTool, streaming }) => {
      const agent = new ToolLoopAgent({
        model,
        tools: {
          look_up: tool({
            description: "Looks up an entry",
            inputSchema: jsonSchema(lookUpSchema),
            execute: async ({ n }) => {
              onTool()
              return resultOf(n)
            }
          })
        },
        stopWhen: isStepCount(100)
      })
      if (!streaming) return (await agent.generate({ messages })).text
      const result = await agent.stream({ messages })
      for await (const part of result.fullStream) if (part.type === "error") throw part.error
      return await result.text
    },
    object: async () => {
      const result = streamText({
        model,
        prompt: "List all.",
        output: Output.object({ schema: jsonSchema(entrySchema) }),
        onError: ({ error }) => { throw error }
      })
      let partials = 0
      for await (const _ of result.partialOutputStream) partials++
      return { partials, entries: (await result.output).entries.length }
    },
    plain: async () => {
      let characters = 0
      for await (const text of streamText({ model, prompt: "List all." }).textStream) characters += text.length
      return characters
    }
  }
}
