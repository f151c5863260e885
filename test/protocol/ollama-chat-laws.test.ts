import * as OllamaChat from "../../src/protocol/OllamaChat.ts"
import { lawsOf } from "./wire-laws.ts"
import { replay } from "./wire-replay.ts"

lawsOf("Ollama decoder", replay("ollama-chat", OllamaChat.make()), { variants: [OllamaChat.make({ thinkTags: true })] })
