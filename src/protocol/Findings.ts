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
 * @category models
 * @since 0.1.0
 */
export interface Findings {
  readonly warnings: Array<Warning>
  /** Why the request cannot be sent; the first stands. */
  refused: Issue | undefined
}

/**
 * Adds a warning, unless the same has been said.
 *
 * @category encoding
 * @since 0.1.0
 */
export const warn = (findings: Findings, field: string, message: string): void => {
  if (!findings.warnings.some((one) => one.message === message)) findings.warnings.push({ field, message })
}

/**
 * Refuses the request for what its messages hold.
 *
 * @category encoding
 * @since 0.1.0
 */
export const refuse = (findings: Findings, message: string): undefined => {
  findings.refused ??= { field: "messages", message }
  return undefined
}
