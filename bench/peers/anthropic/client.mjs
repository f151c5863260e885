/** The SDK's `messages.stream` helper, which also assembles the message; `create` with `stream: true` gives events only. */
import Anthropic from "@anthropic-ai/sdk"
import { messages, modelOf } from "../messages.mjs"

const maker = (helper) => async ({ url, wire }) => {
  const client = new Anthropic({ apiKey: "bench-key", baseURL: url, maxRetries: 2 })
  const model = modelOf(wire)
  return {
    stream: async (prompt, onText) => {
      const body = { model, max_tokens: 1024, messages: messages(prompt) }
      const stream = helper ? client.messages.stream(body) : await client.messages.create({ ...body, stream: true })
      let characters = 0
      for await (const event of stream) {
        if (event.type !== "content_block_delta") continue
        const piece = event.delta.text ?? event.delta.partial_json ?? ""
        characters += piece.length
        onText?.(piece)
      }
      return characters
    },
    generate: async (prompt) => {
      const answer = await client.messages.create({ model, max_tokens: 1024, messages: messages(prompt) })
      return answer.content[0].text.length
    }
  }
}

export const make = maker(false)
export const makeHelper = maker(true)
