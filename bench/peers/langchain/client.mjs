import { ChatAnthropic } from "@langchain/anthropic"
import { ChatOpenAI } from "@langchain/openai"
import { messages, modelOf } from "../messages.mjs"

export const make = async ({ url, wire }) => {
  const model = wire === "anthropic"
    ? new ChatAnthropic({ apiKey: "bench-key", anthropicApiUrl: url, model: modelOf(wire), maxTokens: 1024 })
    : new ChatOpenAI({ apiKey: "bench-key", model: modelOf(wire), configuration: { baseURL: `${url}/v1` } })
  return {
    stream: async (prompt, onText) => {
      let characters = 0
      for await (const chunk of await model.stream(messages(prompt))) {
        const piece = chunk.text || chunk.tool_call_chunks?.[0]?.args || ""
        if (piece === "") continue
        characters += piece.length
        onText?.(piece)
      }
      return characters
    },
    generate: async (prompt) => (await model.invoke(messages(prompt))).text.length
  }
}
