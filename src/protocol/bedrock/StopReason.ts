/**
 * Stop reasons of the Converse wire, as portable finish reasons.
 *
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax
 *
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"

const reasons: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["tool_use", "tool-calls"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "context-window"],
  ["guardrail_intervened", "content-filter"],
  ["content_filtered", "content-filter"],
  ["malformed_model_output", "error"],
  ["malformed_tool_use", "error"],
  // Words of the models behind the API, which it passes on.
  ["stop", "stop"],
  ["length", "length"],
  ["tool_calls", "tool-calls"],
  ["content_filter", "content-filter"],
  ["refusal", "refusal"],
  ["pause_turn", "pause"],
  ["error", "error"]
])

/**
 * The portable finish reason; `other` for words this version does not know and for none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const finishReasonOf = (stopReason: string | undefined): FinishReason =>
  stopReason === undefined ? "other" : reasons.get(stopReason.toLowerCase()) ?? "other"

/**
 * Whether the answer was cut by a limit, so that what came last may be unfinished.
 *
 * @category decoding
 * @since 0.1.0
 */
export const isCut = (stopReason: string | undefined): boolean => {
  const reason = finishReasonOf(stopReason)
  return reason === "length" || reason === "context-window"
}
