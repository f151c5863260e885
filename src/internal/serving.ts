/**
 * Who answers a stream, told by the innermost gate that saw the commit to a policy further out.
 *
 * A service made of candidates has the `info` of its first one; `Continue` has to name the one that really goes on.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { ServiceInfo } from "../LlmService.ts"

/**
 * Called at each commit from the inside out, so that the first word is the most precise.
 *
 * @category references
 * @since 0.1.0
 */
export const Serving: Context.Reference<((info: ServiceInfo) => void) | undefined> = Context.Reference<
  ((info: ServiceInfo) => void) | undefined
>("effect-llm/Serving", { defaultValue: () => undefined })
