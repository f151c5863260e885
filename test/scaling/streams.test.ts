import { casesOf } from "./Case.ts"
import { anthropic, bedrock, cohere, gemini, ollama } from "./labs.ts"
import { holdsFor } from "./law.ts"
import { chat, chatWithTags, responses } from "./openai.ts"

for (const wire of [chat, chatWithTags, responses, anthropic, gemini, bedrock, cohere, ollama]) {
  holdsFor(`answers on ${wire.name}`, casesOf(wire))
}
