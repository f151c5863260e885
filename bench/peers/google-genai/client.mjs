/** Speaks its own wire only; the mock server answers in it, with the same number of deltas and texts. */
import { GoogleGenAI } from "@google/genai"

export const make = async ({ url }) => {
  const ai = new GoogleGenAI({ apiKey: "bench-key", httpOptions: { baseUrl: url } })
  const model = "gemini-2.5-flash"
  const contents = ({ turns }) =>
    turns.map((text, i) => ({ role: i % 2 === 0 ? "user" : "model", parts: [{ text }] }))
  return {
    stream: async (prompt, onText) => {
      let characters = 0
      for await (const chunk of await ai.models.generateContentStream({ model, contents: contents(prompt) })) {
        const piece = chunk.text
        if (!piece) continue
        characters += piece.length
        onText?.(piece)
      }
      return characters
    },
    generate: async (prompt) =>
      (await ai.models.generateContent({ model, contents: contents(prompt) })).text.length
  }
}
