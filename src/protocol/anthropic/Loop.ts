/**
 * How a turn of Claude that is still open can go on.
 *
 * Thinking by a budget needs a turn that began with thinking. A tool loop is one turn of the assistant. "When thinking is enabled, a final assistant message must start with a thinking block
 * (preceding the lastmost set of tool_use and tool_result blocks)": https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 * and https://github.com/aws-samples/bedrock-engineer/issues/43. Models that think adaptively have no such rule.
 *
 * @since 0.1.0
 */
import type { LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import type { Part } from "../../Message.ts"
import type { Turn } from "../Conversation.ts"

const begins = (turn: Turn): boolean => turn.parts[0]?.type === "reasoning"

/** Whether everything of a turn was made by providers whose thinking this one takes back. */
const isOwn = (turn: Turn, accepts: (provider: string) => boolean): boolean =>
  turn.parts.every((part: Part) => {
    const provider = "origin" in part ? part.origin?.provider : undefined
    return provider !== undefined && accepts(provider)
  })

/**
 * Whether the assistant's turn is open and did not begin with thinking. Within a loop that is this provider's own from its beginning, only
 * that must have begun so: without interleaved thinking Claude thinks once.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const lacksThinking = (turns: ReadonlyArray<Turn>, accepts: (provider: string) => boolean): boolean => {
  const last = turns.findLastIndex((turn) => turn.role === "assistant")
  if (last === -1 || begins(turns[last]!)) return false
  if (last < turns.length - 1 && turns[last + 1]!.role !== "tool") return false
  let start = last
  for (let at = last; at >= 0 && turns[at]!.role !== "user" && turns[at]!.role !== "system"; at--) {
    if (turns[at]!.role === "assistant") start = at
  }
  if (start === last || !begins(turns[start]!)) return true
  return turns.slice(start, last + 1).some((turn) => turn.role === "assistant" && !isOwn(turn, accepts))
}

/**
 * Whether Claude goes on from an assistant message at the end: not the models since 4.6, and none with a forced tool or a schema for the
 * answer ("When using output format, pre-filling the `assistant` response is not supported").
 *
 * @see https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-6#prefill-removal
 * @see https://github.com/agentjido/req_llm/issues/642 and https://github.com/langchain-ai/langgraph/issues/4940
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const goesOn = ({ responseFormat, toolChoice }: LlmRequest, prefill: boolean | undefined): boolean =>
  prefill !== false && responseFormat?.type !== "json-schema" && toolChoice !== "required" &&
  typeof toolChoice !== "object"

/**
 * The blocks of a final assistant message where thinking is off: "When thinking is disabled, an `assistant` message in the final position
 * cannot contain `thinking`".
 *
 * @see https://github.com/tailcallhq/forgecode/issues/1853
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const withoutThinking = <A>(
  blocks: Array<A>,
  isThinking: (block: A) => boolean,
  warnings: Array<Warning>
): Array<A> => {
  if (!blocks.some(isThinking)) return blocks
  warnings.push({
    field: "messages",
    message: "A final assistant message cannot hold thinking while thinking is off; it was left out."
  })
  return blocks.filter((block) => !isThinking(block))
}
