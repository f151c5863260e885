import { chat, toolDefinition } from "@tanstack/ai"
import { createAnthropicChat } from "@tanstack/ai-anthropic"
import { createOpenaiChatCompletions } from "@tanstack/ai-openai"
import { messages, modelOf, toolSchema } from "../messages.mjs"

export const make = async ({ url, wire }) => {
  const adapter = wire === "anthropic"
    ? createAnthropicChat(modelOf(wire), "bench-key", { baseURL: url })
    : createOpenaiChatCompletions(modelOf(wire), "bench-key", { baseURL: `${url}/v1` })
  const tools = url.includes("kind-tool")
    ? [toolDefinition({ name: "write_file", description: "Writes a file", inputSchema: toolSchema })]
    : undefined
  return {
    stream: async (prompt, onText) => {
      let characters = 0
      for await (const chunk of chat({ adapter, messages: messages(prompt), tools })) {
        if (chunk.type === "RUN_ERROR") throw new Error(chunk.message ?? chunk.error?.message)
        if (chunk.type !== "TEXT_MESSAGE_CONTENT" && chunk.type !== "TOOL_CALL_ARGS") continue
        characters += chunk.delta.length
        onText?.(chunk.delta)
      }
      return characters
    },
    generate: async () => {
      throw new Error("not supported")
    }
  }
}
