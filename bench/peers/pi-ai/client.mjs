import { complete, stream } from "@mariozechner/pi-ai"
import { modelOf, toolSchema } from "../messages.mjs"

export const make = async ({ url, wire }) => {
  const model = {
    id: modelOf(wire),
    name: modelOf(wire),
    api: wire === "anthropic" ? "anthropic-messages" : "openai-completions",
    provider: wire === "anthropic" ? "anthropic" : "openai",
    baseUrl: wire === "anthropic" ? url : `${url}/v1`,
    reasoning: false,
    input: ["text"],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 2_000_000,
    maxTokens: 32_000
  }
  const tools = [{ name: "write_file", description: "Writes a file", parameters: toolSchema }]
  const usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, totalTokens: 0, cost: {} }
  const context = ({ turns }) => ({
    messages: turns.map((text, i) =>
      i % 2 === 0
        ? { role: "user", content: text, timestamp: 0 }
        : {
          role: "assistant",
          content: [{ type: "text", text }],
          api: model.api,
          provider: model.provider,
          model: model.id,
          usage,
          stopReason: "stop",
          timestamp: 0
        }
    ),
    ...(url.includes("kind-tool") ? { tools } : {})
  })
  return {
    stream: async (prompt, onText) => {
      let characters = 0
      for await (const event of stream(model, context(prompt), { apiKey: "bench-key" })) {
        if (event.type === "error") throw new Error(event.error.errorMessage)
        if (event.type !== "text_delta" && event.type !== "toolcall_delta") continue
        characters += event.delta.length
        onText?.(event.delta)
      }
      return characters
    },
    generate: async (prompt) => {
      const answer = await complete(model, context(prompt), { apiKey: "bench-key" })
      return answer.content[0].text.length
    }
  }
}
