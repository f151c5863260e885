import * as CohereChat from "../../src/protocol/CohereChat.ts"
import { lawsOf } from "./wire-laws.ts"
import { replay } from "./wire-replay.ts"

lawsOf("Cohere decoder", replay("cohere-chat", CohereChat.make()), { unlike: ["version-1"] })
