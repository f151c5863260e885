/**
 * Makes any message history legal for a wire before it is spelled out.
 *
 * A conversation begun on one provider continues on another: foreign reasoning, signatures and
 * server-tool blocks are dropped, tool-call ids are rewritten to the wire's rule, results go to their calls, calls without a result
 * get an error result, results without a call become text, roles come into the order that the target wants. Each wire gives its rules as
 * data and spells the turns that come out; what was changed in meaning is reported as a warning.
 *
 * A turn is made of what stands before it and in it, not of what comes later, so that a conversation which only grows is sent as an
 * extension of what was sent before; where that cannot be, a warning says from where on it differs, and why.
 *
 * @since 0.1.0
 */
import type { LlmRequest } from "../LlmRequest.ts"
import { empties, loneReasoning, serverToolPairs } from "./conversation/Empties.ts"
import { assistantMedia, mediaForms, resultMedia } from "./conversation/Media.ts"
import { opened } from "./conversation/Opening.ts"
import { afterTools, alternation, first, last, systemPlacement } from "./conversation/Order.ts"
import { origins } from "./conversation/Origins.ts"
import { pairs } from "./conversation/Pairs.ts"
import { nothingToSend, type Prepared, type Rules, type Step } from "./conversation/Turn.ts"
import { failures, toolsInWords } from "./conversation/Words.ts"
import type { Findings } from "./Findings.ts"

export {
  type IdRule,
  nothingToSend,
  type Prepared,
  type Rules,
  type Step,
  textOf,
  type Turn
} from "./conversation/Turn.ts"

/** All steps in their order. Turns are joined before reasoning at their end is judged, and again when that leaves some empty. */
const steps: ReadonlyArray<Step> = [
  mediaForms,
  origins,
  assistantMedia,
  pairs,
  resultMedia,
  failures,
  toolsInWords,
  empties,
  systemPlacement,
  alternation,
  serverToolPairs,
  loneReasoning,
  empties,
  alternation,
  first,
  afterTools,
  last
]

/**
 * The steps that a target needs, in their order.
 *
 * @stability experimental
 * @category accessors
 * @since 0.1.0
 */
export const stepsFor = (rules: Rules): ReadonlyArray<Step> => steps.filter((step) => step.isNeeded(rules))

/**
 * Prepares the messages of a request. `request.system` becomes the first system turn. Linear in the length of the history.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const prepare = (request: LlmRequest, rules: Rules): Prepared => {
  const findings: Findings = { warnings: [], refused: undefined }
  let turns = opened(request, findings)
  for (const step of stepsFor(rules)) turns = step.run(turns, rules, findings)
  return {
    turns,
    warnings: findings.warnings,
    ...(turns.some((turn) => turn.role !== "system") ? undefined : { refused: nothingToSend })
  }
}
