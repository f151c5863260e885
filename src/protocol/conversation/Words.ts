/**
 * What a target has no field for, told in words: that a tool failed, and, where tools have no place at all, calls and results.
 *
 * @since 0.1.0
 */
import { jsonText } from "../../json/text.ts"
import type { Part, ToolResultPart } from "../../Message.ts"
import { mapped, mappedParts, type Step, tell, type Turn } from "./Turn.ts"

// =============================================================================
// Failures
// =============================================================================

const failed = "Error: "

/** The result with its failure in its text, unless the text begins with that itself. */
const saidToFail = (result: ToolResultPart): ToolResultPart => {
  if (result.isError !== true) return result
  const { content } = result
  if (typeof content === "string") {
    return { ...result, content: /^\s*error\b/i.test(content) ? content : `${failed}${content}`.trimEnd() }
  }
  const [first, ...others] = content
  if (first?.type !== "text") return { ...result, content: [{ type: "text", text: failed.trim() }, ...content] }
  return {
    ...result,
    content: /^\s*error\b/i.test(first.text) ? content : [{ ...first, text: failed + first.text }, ...others]
  }
}

/**
 * Says in the text of a result that its tool failed.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const failures: Step = {
  name: "failures",
  isNeeded: (rules) => rules.resultErrors === "words",
  run: (turns) =>
    mappedParts(
      turns,
      (parts, { role }) =>
        role === "tool" ? mapped(parts, (part) => part.type === "tool-result" ? saidToFail(part) : part) : parts
    )
}

// =============================================================================
// Calls and results
// =============================================================================

const resultInWords = (part: ToolResultPart): ReadonlyArray<Part> => {
  const said = `${part.isError === true ? "Error" : "Result"} of ${part.name ?? part.toolCallId}: `
  if (typeof part.content === "string") return [{ type: "text", text: `${said}${part.content}` }]
  const [first, ...rest] = part.content
  return first?.type === "text"
    ? [{ type: "text", text: `${said}${first.text}` }, ...rest]
    : [{ type: "text", text: said.trimEnd() }, ...part.content]
}

/**
 * Tells calls and results in words.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const toolsInWords: Step = {
  name: "tools in words",
  isNeeded: (rules) => rules.toolTurns === false,
  run: (turns, _, findings) => {
    let told = false
    const out = turns.map((turn): Turn => {
      if (turn.role === "tool") {
        told = true
        return {
          role: "user",
          parts: turn.parts.flatMap((part) => part.type === "tool-result" ? resultInWords(part) : [part])
        }
      }
      if (turn.role !== "assistant") return turn
      return {
        role: "assistant",
        parts: turn.parts.map((part): Part =>
          part.type === "tool-call"
            ? { type: "text", text: `[Called ${part.name} with ${jsonText(part.arguments)}]` }
            : part
        )
      }
    })
    if (told) tell(findings, "The provider takes no tool calls and results; they are told in words.")
    return out
  }
}
