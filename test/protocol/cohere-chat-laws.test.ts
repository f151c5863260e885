import * as CohereChat from "../../src/protocol/CohereChat.ts"
import { lawsOf, replay } from "./wire-replay.ts"

lawsOf("Cohere decoder", replay("cohere-chat", CohereChat.make()))
