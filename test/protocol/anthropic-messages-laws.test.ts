import * as AnthropicMessages from "../../src/protocol/AnthropicMessages.ts"
import { lawsOf } from "./wire-laws.ts"
import { replay } from "./wire-replay.ts"

lawsOf("Anthropic Messages decoder", replay("anthropic-messages", AnthropicMessages.make()), {
  unlike: ["length-in-tool", "stop-null"]
})
