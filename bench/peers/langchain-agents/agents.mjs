import { ChatAnthropic } from "@langchain/anthropic"
import { JsonOutputParser } from "@langchain/core/output_parsers"
import { createAgent, tool } from "langchain"
import { lookUpSchema, resultOf } from "../agents.mjs"

export const make = async ({ url }) => {
  const model = new ChatAnthropic({ apiKey: "bench-key", anthropicApiUrl: url, model: "claude-sonnet-4-5", maxTokens: 1024 })
  return {
    agent: async ({ messages, onTool, streaming }) => {
      const agent = createAgent({
        model,
        tools: [tool(async ({ n }) => {
          onTool()
          return JSON.stringify(resultOf(n))
        }, { name: "look_up", description: "Looks up an entry", schema: lookUpSchema })]
      })
      const options = { recursionLimit: 1000 }
      if (!streaming) return (await agent.invoke({ messages }, options)).messages.at(-1).text
      let last
      const stream = await agent.stream({ messages }, { ...options, streamMode: ["messages", "values"] })
      for await (const [mode, chunk] of stream) if (mode === "values") last = chunk
      return last.messages.at(-1).text
    },
    object: async () => {
      let partials = 0
      let last
      for await (const value of await model.pipe(new JsonOutputParser()).stream("List all.")) {
        partials++
        last = value
      }
      return { partials, entries: last.entries.length }
    },
    plain: async () => {
      let characters = 0
      for await (const chunk of await model.stream("List all.")) characters += chunk.text.length
      return characters
    }
  }
}
