/**
 * Cache breakpoints of Anthropic's kind in a Chat Completions body, and how many of them there may be.
 *
 * @see https://openrouter.ai/docs/features/prompt-caching
 * @since 0.1.0
 */
import type { Warning } from "../../LlmResponse.ts"
import { keptMarks } from "../Breakpoints.ts"

/** What Anthropic takes, whoever stands in front of it. */
const limit = 4

type Markable = { cache_control?: unknown }

const marked = (values: ReadonlyArray<unknown>): Array<Markable> =>
  values.filter((one): one is Markable => typeof one === "object" && one !== null && "cache_control" in one)

const contentsOf = (message: object): ReadonlyArray<unknown> =>
  "content" in message && Array.isArray(message.content) ? message.content : []

/**
 * Takes away the breakpoints that are too many, with a warning. The messages and tools are this request's own.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const limitMarks = (
  messages: ReadonlyArray<{ readonly role: string }>,
  tools: ReadonlyArray<object>,
  warnings: Array<Warning>
): void => {
  const isSystem = ({ role }: { readonly role: string }) => role === "system" || role === "developer"
  const prompt = {
    tools: marked(tools),
    system: marked(messages.filter(isSystem).flatMap(contentsOf)),
    messages: marked(messages.filter((message) => !isSystem(message)).flatMap(contentsOf))
  }
  const asked = [...prompt.tools, ...prompt.system, ...prompt.messages]
  if (asked.length <= limit) return
  warnings.push({
    field: "cache",
    message: `${asked.length} cache breakpoints were asked for; the API takes ${limit}, the others were left out.`
  })
  const kept = keptMarks(prompt, limit)
  for (const one of asked) if (!kept.has(one)) delete one.cache_control
}
