// Every repeatable thing: `npm run scaling` measures each at n and 2n.
import { type Case, casesOf } from "./Case.ts"
import { anthropic, bedrock, cohere, gemini, ollama } from "./labs.ts"
import { chat, chatWithTags, responses } from "./openai.ts"
import { requests } from "./requests.ts"
import { secrets } from "./secrets.ts"
import { texts } from "./texts.ts"
import { values } from "./values.ts"

export const cases: ReadonlyArray<Case> = [
  ...[chat, chatWithTags, responses, anthropic, gemini, bedrock, cohere, ollama].flatMap(casesOf),
  ...requests,
  ...texts,
  ...secrets,
  ...values
]
