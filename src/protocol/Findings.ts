/**
 * What comes to light while a request is put into a wire's words: warnings, each said once, and why it cannot be sent.
 *
 * The wires decide what is worth a warning and what must be refused.
 *
 * @since 0.1.0
 */
import type { Issue } from "../LlmRequest.ts"
import type { Warning } from "../LlmResponse.ts"

/**
 * What has been found so far.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Findings {
  readonly warnings: Array<Warning>
  /** Why the request cannot be sent; the first stands. */
  refused: Issue | undefined
}

/** What a list of warnings says, as far as it was read. */
interface Said {
  readonly messages: Set<string>
  read: number
}

const said = new WeakMap<ReadonlyArray<Warning>, Said>()

/** The messages of a list that only grows, each read once. */
const messagesOf = (warnings: ReadonlyArray<Warning>): Set<string> => {
  let known = said.get(warnings)
  if (known === undefined) said.set(warnings, known = { messages: new Set(), read: 0 })
  while (known.read < warnings.length) known.messages.add(warnings[known.read++]!.message)
  return known.messages
}

/**
 * Adds a warning, unless the same has been said.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const warn = (findings: Findings, field: string, message: string): void => {
  if (!messagesOf(findings.warnings).has(message)) findings.warnings.push({ field, message })
}

/**
 * Refuses the request for what its messages hold.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const refuse = (findings: Findings, message: string): undefined => {
  findings.refused ??= { field: "messages", message }
  return undefined
}
