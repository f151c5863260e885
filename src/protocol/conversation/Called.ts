/**
 * Tools that a history calls, for wires that want them declared although the request has none.
 *
 * @since 0.1.0
 */
import type { Turn } from "./Turn.ts"

/**
 * Names of the tools that turns call, each once, in an order that does not change as the history grows.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const calledTools = (turns: ReadonlyArray<Turn>): ReadonlyArray<string> => {
  const names = new Set<string>()
  for (const { parts } of turns) for (const part of parts) if (part.type === "tool-call") names.add(part.name)
  return [...names].toSorted()
}

/**
 * What is said of tools that were declared for the sake of the history.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const declaredForHistory = {
  field: "tools",
  message: "This wire needs the tools that the history calls: they were declared without a schema."
} as const
