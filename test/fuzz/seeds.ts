// Small answers of every wire, streamed and whole, from which the fuzzer makes its cases.
import { anthropic } from "./seeds/anthropic.ts"
import { bedrock } from "./seeds/bedrock.ts"
import { chat } from "./seeds/chat.ts"
import { cohere } from "./seeds/cohere.ts"
import { gemini } from "./seeds/gemini.ts"
import { ollama } from "./seeds/ollama.ts"
import { responses } from "./seeds/responses.ts"

export const seeds = { anthropic, chat, responses, gemini, ollama, cohere, bedrock }

export type WireName = keyof typeof seeds
