/**
 * The turns of a request as its messages say them: the system prompt first, priorities in force, cache marks on parts.
 *
 * @since 0.1.0
 */
import { wellFormed } from "../../json/text.ts"
import { type LlmRequest, messagesOf } from "../../LlmRequest.ts"
import * as Message from "../../Message.ts"
import type { Findings } from "../Findings.ts"
import { tell, type Turn } from "./Turn.ts"

const withCacheControl = (
  parts: ReadonlyArray<Message.Part>,
  cacheControl: Message.CacheControl | undefined
): ReadonlyArray<Message.Part> => {
  const last = parts.at(-1)
  if (cacheControl === undefined || last === undefined) return parts
  if (last.type === "reasoning" || last.type === "source" || last.type === "server-tool" || last.type === "audio") {
    return parts
  }
  return [...parts.slice(0, -1), { ...last, cacheControl: last.cacheControl ?? cacheControl }]
}

/** Results stay behind their calls, wherever other messages go. */
const movable = (message: Message.Message, role: Message.Role): boolean =>
  message.role === role && (typeof message.content === "string" ||
    !message.content.some((part) => part.type === "tool-result"))

/** Higher priority first among neighbours of one role, where order cannot part a call from its result. */
const byPriority = (
  messages: ReadonlyArray<Message.Message>,
  findings: Findings
): ReadonlyArray<Message.Message> => {
  if (!messages.some((message) => message.attributes?.priority !== undefined)) return messages
  const out: Array<Message.Message> = []
  let moved: number | undefined
  for (let i = 0; i < messages.length;) {
    const role = messages[i]!.role
    let end = i + 1
    if ((role === "user" || role === "system") && movable(messages[i]!, role)) {
      while (end < messages.length && movable(messages[end]!, role)) end++
    }
    const run = messages.slice(i, end)
    const sorted = run.toSorted((a, b) => (b.attributes?.priority ?? 0) - (a.attributes?.priority ?? 0))
    const first = moved === undefined ? sorted.findIndex((message, at) => message !== run[at]) : -1
    if (first !== -1) moved = i + first
    for (const message of sorted) out.push(message)
    i = end
  }
  if (moved !== undefined) {
    tell(
      findings,
      `Priorities put other messages at messages[${moved}] than the conversation has there: a prompt cache of the order before ends there.`
    )
  }
  return out
}

/**
 * The turns of a request. `request.system` is the first of them.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const opened = (request: LlmRequest, findings: Findings): ReadonlyArray<Turn> => {
  const turns: Array<Turn> = []
  if (request.system !== undefined && request.system !== "") {
    turns.push({ role: "system", parts: [{ type: "text", text: wellFormed(request.system) }] })
  }
  for (const message of byPriority(messagesOf(request), findings)) {
    turns.push({
      role: message.role,
      parts: withCacheControl(Message.parts(message), message.attributes?.cacheControl)
    })
  }
  return turns
}
