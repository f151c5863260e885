/**
 * Cache breakpoints on turns, for wires that mark content as the end of a cached prefix.
 *
 * How a mark is spelled, and which system turn it goes on, is the wire's business.
 *
 * @since 0.1.0
 */
import { type LlmRequest, messagesOf } from "../LlmRequest.ts"
import type { CacheControl } from "../Message.ts"
import type { Turn } from "./Conversation.ts"

/**
 * Whether a request asks for any breakpoint in its messages.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const asksForBreakpoints = (request: LlmRequest): boolean =>
  request.cache?.systemPrompt === true || (request.cache?.recentTurns ?? 0) > 0 ||
  messagesOf(request).some(({ attributes, content }) =>
    attributes?.cacheControl !== undefined ||
    (typeof content !== "string" && content.some((part) => "cacheControl" in part && part.cacheControl !== undefined))
  )

/**
 * Of more marks than a host takes, those to keep: the last of the system prompt, the last of the tools, the latest in the messages, then
 * the others.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const keptMarks = <A>(
  { messages, system, tools }: {
    readonly tools: ReadonlyArray<A>
    readonly system: ReadonlyArray<A>
    readonly messages: ReadonlyArray<A>
  },
  limit: number
): ReadonlySet<A> =>
  new Set([
    ...system.slice(-1),
    ...tools.slice(-1),
    ...messages.toReversed(),
    ...system.slice(0, -1).toReversed(),
    ...tools.slice(0, -1).toReversed()
  ].slice(0, limit))

/** Marks the last part of a turn as the end of a cached prefix. */
const marked = (turn: Turn, control: CacheControl): Turn => {
  const last = turn.parts.at(-1)
  return last === undefined || !(last.type === "text" || last.type === "image" || last.type === "file")
    ? turn
    : { ...turn, parts: [...turn.parts.slice(0, -1), { ...last, cacheControl: last.cacheControl ?? control }] }
}

/**
 * The turns with the breakpoints that a request's `cache` asks for: on the system turn at `systemAt` (none when
 * negative) and on the last user turns.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const withBreakpoints = (
  turns: ReadonlyArray<Turn>,
  cache: LlmRequest["cache"],
  systemAt: number
): Array<Turn> => {
  const out = [...turns]
  const control: CacheControl = cache?.extendedTtl === true ? "extended" : "ephemeral"
  if (cache?.systemPrompt === true && systemAt >= 0) out[systemAt] = marked(out[systemAt]!, control)
  let left = cache?.recentTurns ?? 0
  for (let at = out.length - 1; at >= 0 && left > 0; at--) {
    if (out[at]!.role !== "user") continue
    out[at] = marked(out[at]!, control)
    left--
  }
  return out
}
