/**
 * Markdown around JSON.
 *
 * @since 0.1.0
 */

const fence = "```"

/**
 * The text within a Markdown fence, into which models without a structured mode like to wrap JSON; other texts as they are.
 *
 * @stability experimental
 * @category reading
 * @since 0.1.0
 */
export const unfenced = (text: string): string => {
  const trimmed = text.trim()
  if (!trimmed.startsWith(fence) || !trimmed.endsWith(fence)) return text
  const line = trimmed.indexOf("\n")
  const info = trimmed.slice(fence.length, Math.max(line, fence.length)).trim()
  return line === -1 || (info !== "" && info !== "json") ? text : trimmed.slice(line + 1, -fence.length)
}
