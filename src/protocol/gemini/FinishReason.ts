/**
 * Finish reasons of the Gemini wire: https://ai.google.dev/api/generate-content#FinishReason and
 * https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse#FinishReason
 *
 * Dumps of the protocol buffers carry the enum's numbers, which differ between the two APIs.
 *
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"
import type { Quirks } from "./Quirks.ts"

const reasons: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ["STOP", "stop"],
  ["MAX_TOKENS", "length"],
  // The limit of one request was reached; more can be asked for with the continuation token.
  ["CONTINUATION", "length"],
  ["SAFETY", "content-filter"],
  ["RECITATION", "content-filter"],
  ["BLOCKLIST", "content-filter"],
  ["PROHIBITED_CONTENT", "content-filter"],
  ["SPII", "content-filter"],
  ["MODEL_ARMOR", "content-filter"],
  ["IMAGE_SAFETY", "content-filter"],
  ["IMAGE_PROHIBITED_CONTENT", "content-filter"],
  ["IMAGE_RECITATION", "content-filter"],
  ["MALFORMED_FUNCTION_CALL", "error"],
  ["UNEXPECTED_TOOL_CALL", "error"],
  ["MALFORMED_RESPONSE", "error"],
  ["ERROR", "error"]
])

const geminiNumbers = [
  "FINISH_REASON_UNSPECIFIED",
  "STOP",
  "MAX_TOKENS",
  "SAFETY",
  "RECITATION",
  "OTHER",
  "LANGUAGE",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "MALFORMED_FUNCTION_CALL",
  "IMAGE_SAFETY",
  "UNEXPECTED_TOOL_CALL"
]

const vertexNumbers = [
  "FINISH_REASON_UNSPECIFIED",
  "STOP",
  "MAX_TOKENS",
  "SAFETY",
  "RECITATION",
  "OTHER",
  "BLOCKLIST",
  "PROHIBITED_CONTENT",
  "SPII",
  "MALFORMED_FUNCTION_CALL",
  "MODEL_ARMOR",
  "IMAGE_SAFETY",
  "IMAGE_PROHIBITED_CONTENT",
  "IMAGE_RECITATION",
  "IMAGE_OTHER",
  "UNEXPECTED_TOOL_CALL",
  "NO_IMAGE"
]

/**
 * The word for a finish reason as sent; `undefined` when it says that the model has not stopped.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const finishWord = (value: unknown, numbers: Quirks["finishNumbers"]): string | undefined => {
  if (typeof value === "number" && Number.isInteger(value)) {
    const names = numbers === "gemini" ? geminiNumbers : vertexNumbers
    return value === 0 ? undefined : names[value] ?? String(value)
  }
  return typeof value === "string" && value !== "" && value !== "FINISH_REASON_UNSPECIFIED" ? value : undefined
}

/**
 * The portable finish reason; `other` for words this version does not know and for none.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const finishReasonOf = (word: string | undefined): FinishReason =>
  word === undefined ? "other" : reasons.get(word.toUpperCase().replace(/^FINISH_REASON_/, "")) ?? "other"
