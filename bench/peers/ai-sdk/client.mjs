import { createAnthropic } from "@ai-sdk/anthropic"
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { generateText, jsonSchema, streamText, tool } from "ai"
import { messages, modelOf, toolSchema } from "../messages.mjs"

export const make = async ({ url, wire }) => {
  const provider = wire === "anthropic"
    ? createAnthropic({ apiKey: "bench-key", baseURL: `${url}/v1` })
    : createOpenAICompatible({ name: "bench", apiKey: "bench-key", baseURL: `${url}/v1` })
  const model = provider(modelOf(wire))
  const tools = url.includes("kind-tool")
    ? { write_file: tool({ description: "Writes a file", inputSchema: jsonSchema(toolSchema) }) }
    : undefined
  return {
    stream: async (prompt, onText) => {
      const result = streamText({ model, messages: messages(prompt), tools, onError: ({ error }) => { throw error } })
      let characters = 0
      for await (const part of result.fullStream) {
        const piece = part.type === "text-delta" ? part.text : part.type === "tool-input-delta" ? part.delta : undefined
        if (piece === undefined) continue
        characters += piece.length
        onText?.(piece)
      }
      return characters
    },
    generate: async (prompt) => (await generateText({ model, messages: messages(prompt) })).text.length
  }
}
