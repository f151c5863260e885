/**
 * The words with which wires say why an answer ended, as portable finish reasons.
 *
 * Hosts pass on the words of the model behind them, so one list serves all wires: no word means two things. A wire with
 * words of its own that would (Cohere, Gemini) asks its own list first.
 *
 * - Chat Completions: https://platform.openai.com/docs/api-reference/chat/object
 * - Anthropic Messages: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
 * - Bedrock Converse: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax
 *
 * @since 0.1.0
 */
import type { FinishReason } from "../LlmResponse.ts"

const classes: { readonly [raw: string]: FinishReason } = {
  stop: "stop",
  end: "stop",
  eos: "stop",
  eos_token: "stop",
  end_turn: "stop",
  stop_sequence: "stop",
  completed: "stop",
  complete: "stop",
  done: "stop",
  length: "length",
  max_tokens: "length",
  max_output_tokens: "length",
  max_completion_tokens: "length",
  model_length: "length",
  model_context_window_exceeded: "context-window",
  context_length_exceeded: "context-window",
  tool_calls: "tool-calls",
  tool_call: "tool-calls",
  tool_use: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter",
  content_filtered: "content-filter",
  safety: "content-filter",
  recitation: "content-filter",
  blocklist: "content-filter",
  prohibited_content: "content-filter",
  sensitive: "content-filter",
  guardrail: "content-filter",
  guardrail_intervened: "content-filter",
  refusal: "refusal",
  pause_turn: "pause",
  // The conversation was summarised first; sending it again goes on from there.
  compaction: "pause",
  error: "error",
  network_error: "error",
  insufficient_system_resource: "error",
  malformed_function_call: "error",
  malformed_model_output: "error",
  malformed_tool_use: "error",
  unexpected_tool_call: "error"
}

/**
 * The class of a wire's word; `other` for none and for words this version does not know.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const finishReasonOf = (raw: string | undefined): FinishReason => {
  if (raw === undefined) return "other"
  const key = raw.toLowerCase()
  return Object.hasOwn(classes, key) ? classes[key]! : "other"
}

/**
 * Whether the answer was cut by a limit, so that what came last may be unfinished.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const isCut = (raw: string | undefined): boolean => {
  const reason = finishReasonOf(raw)
  return reason === "length" || reason === "context-window"
}

/**
 * Whether an answer that ends so was cut: calls without complete arguments were not closed by the wire.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export const cutsToolCalls = (reason: FinishReason): boolean => {
  switch (reason) {
    case "length":
    case "context-window":
    case "content-filter":
    case "error":
      return true
    default:
      return false
  }
}
