/**
 * Stop reasons of the Anthropic wire and of hosts that speak it:
 * https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons. The words are among those that chat
 * hosts use too, and mean the same there.
 *
 * @since 0.1.0
 */
import type { FinishReason } from "../../LlmResponse.ts"
import { finishReasonOf as chatFinishReasonOf } from "../chat/FinishReasons.ts"

/**
 * The portable finish reason; `other` for words this version does not know and for none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const finishReasonOf = (stopReason: string | undefined): FinishReason =>
  // The conversation was summarised first; sending it again goes on from there.
  stopReason?.toLowerCase() === "compaction" ? "pause" : chatFinishReasonOf(stopReason)

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
