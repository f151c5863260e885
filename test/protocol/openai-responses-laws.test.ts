import * as OpenAiResponses from "../../src/protocol/OpenAiResponses.ts"
import { lawsOf } from "./wire-laws.ts"
import { replay } from "./wire-replay.ts"

lawsOf("OpenAI Responses decoder", replay("openai-responses", OpenAiResponses.make()), { unlike: ["cancelled"] })
