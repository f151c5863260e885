/**
 * What says nothing is left out: empty text, steps of a provider's own tools that lack the other half, reasoning that nothing follows,
 * and turns that are empty then.
 *
 * @since 0.1.0
 */
import type { CacheControl, Part, TextPart } from "../../Message.ts"
import { mappedParts, type Rules, type Step, tell } from "./Turn.ts"

const isNothing = (part: TextPart, rules: Rules): boolean =>
  (rules.nothing === "blank" ? part.text.trim() === "" : part.text === "") && rules.keepEmpty?.(part) !== true

/** A cache mark of what is left out goes to what stands before it. */
const marked = (parts: Array<Part>, control: CacheControl | undefined): void => {
  const last = parts.at(-1)
  if (control === undefined || last === undefined || !("cacheControl" in last || last.type === "text")) return
  parts[parts.length - 1] = { ...last, cacheControl: last.cacheControl ?? control } as Part
}

const withoutEmptyText = (parts: ReadonlyArray<Part>, rules: Rules): ReadonlyArray<Part> => {
  if (!parts.some((part) => part.type === "text" && isNothing(part, rules))) return parts
  const out: Array<Part> = []
  for (const part of parts) {
    if (part.type === "text" && isNothing(part, rules)) marked(out, part.cacheControl)
    else out.push(part)
  }
  return out
}

/**
 * Leaves out empty texts and the turns that have nothing else.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const empties: Step = {
  name: "empties",
  isNeeded: () => true,
  run: (turns, rules) => {
    const out = mappedParts(turns, (parts) => withoutEmptyText(parts, rules))
    return out.some(({ parts }) => parts.length === 0) ? out.filter(({ parts }) => parts.length > 0) : out
  }
}

// =============================================================================
// A provider's own tools
// =============================================================================

/** Parts without calls that have no result here and results that have no call; those that end the last turn may still come. */
const whole = (parts: ReadonlyArray<Part>, field: string, last: boolean): ReadonlyArray<Part> => {
  const called = new Set<string>()
  const answered = new Set<string>()
  for (const part of parts) {
    if (part.type !== "server-tool") continue
    if (part.kind === "call" && part.id !== undefined) called.add(part.id)
    const answers = part.kind === "result" ? part.data[field] : undefined
    if (typeof answers === "string" && called.has(answers)) answered.add(answers)
  }
  const end = last ? parts.findLastIndex((part) => part.type !== "server-tool" || part.kind !== "call") : parts.length
  return parts.filter((part, at) => {
    if (part.type !== "server-tool" || part.kind === "block") return true
    if (part.kind === "call") return at > end || (part.id !== undefined && answered.has(part.id))
    const answers = part.data[field]
    return typeof answers !== "string" || answered.has(answers)
  })
}

/**
 * Leaves out halves of what a provider's own tools did.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const serverToolPairs: Step = {
  name: "server tool pairs",
  isNeeded: (rules) => rules.serverToolResult !== undefined,
  run: (turns, rules, findings) => {
    let left = 0
    const out = mappedParts(turns, (given, turn) => {
      if (turn.role !== "assistant" || !given.some((part) => part.type === "server-tool")) return given
      const parts = whole(given, rules.serverToolResult!, turn === turns.at(-1))
      left += given.length - parts.length
      return parts.length === given.length ? given : parts
    })
    if (left > 0) {
      tell(findings, `${left} step(s) of the provider's own tools were left out, because their other half is missing.`)
    }
    return out
  }
}

// =============================================================================
// Reasoning
// =============================================================================

const isReasoning = (part: Part): boolean => part.type === "reasoning"

const withoutLoneReasoning = (
  parts: ReadonlyArray<Part>,
  needs: NonNullable<Rules["reasoningNeeds"]>
): ReadonlyArray<Part> => {
  const last = parts.findLastIndex((part) => !isReasoning(part))
  return last === parts.length - 1 || (needs === "something-beside" && last !== -1) ? parts : parts.slice(0, last + 1)
}

/**
 * Leaves out reasoning where it cannot stand.
 *
 * @stability experimental
 * @category steps
 * @since 0.1.0
 */
export const loneReasoning: Step = {
  name: "lone reasoning",
  isNeeded: (rules) => rules.reasoningNeeds !== undefined,
  run: (turns, rules, findings) => {
    let left = 0
    const out = mappedParts(turns, (given, { role }) => {
      if (role !== "assistant") return given
      const parts = withoutLoneReasoning(given, rules.reasoningNeeds!)
      left += given.length - parts.length
      return parts
    })
    if (left > 0) tell(findings, `${left} reasoning part(s) that no answer follows were left out.`)
    return out
  }
}
