import * as GeminiGenerateContent from "../../src/protocol/GeminiGenerateContent.ts"
import { lawsOf } from "./wire-laws.ts"
import { replay } from "./wire-replay.ts"

lawsOf("Gemini decoder", replay("gemini", GeminiGenerateContent.make()), {
  unlike: ["tool-calls"],
  anywhere: ["finish-repeated"]
})
