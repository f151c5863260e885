import OpenAI from "openai"
import { messages, modelOf } from "../messages.mjs"

export const make = async ({ url, wire }) => {
  const client = new OpenAI({ apiKey: "bench-key", baseURL: `${url}/v1`, maxRetries: 2 })
  const model = modelOf(wire)
  return {
    stream: async (prompt, onText) => {
      const stream = await client.chat.completions.create({
        model,
        messages: messages(prompt),
        stream: true,
        stream_options: { include_usage: true }
      })
      let text = ""
      for await (const chunk of stream) {
        const delta = chunk.choices[0]?.delta
        const piece = delta?.content ?? delta?.tool_calls?.[0]?.function?.arguments
        if (!piece) continue
        text += piece
        onText?.(piece)
      }
      return text.length
    },
    generate: async (prompt) => {
      const answer = await client.chat.completions.create({ model, messages: messages(prompt) })
      return answer.choices[0].message.content.length
    }
  }
}
