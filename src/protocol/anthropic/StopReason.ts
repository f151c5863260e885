/**
 * Stop reasons of the Anthropic wire and of hosts that speak it:
 * https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
 *
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"
import { finishReasonOf as chatFinishReasonOf } from "../chat/FinishReasons.ts"

const reasons: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["stop", "stop"],
  ["end", "stop"],
  ["eos", "stop"],
  ["completed", "stop"],
  ["max_tokens", "length"],
  ["length", "length"],
  ["max_output_tokens", "length"],
  ["model_context_window_exceeded", "context-window"],
  ["tool_use", "tool-calls"],
  ["tool_calls", "tool-calls"],
  ["pause_turn", "pause"],
  // The conversation was summarised first; sending it again goes on from there.
  ["compaction", "pause"],
  ["refusal", "refusal"],
  ["sensitive", "content-filter"],
  ["content_filter", "content-filter"],
  ["content_filtered", "content-filter"],
  ["guardrail_intervened", "content-filter"],
  ["safety", "content-filter"],
  ["error", "error"]
])

/**
 * The portable finish reason; `other` for words this version does not know and for none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const finishReasonOf = (stopReason: string | undefined): FinishReason =>
  stopReason === undefined ? "other" : reasons.get(stopReason.toLowerCase()) ?? chatFinishReasonOf(stopReason)

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
