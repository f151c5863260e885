/**
 * What a credential is: a redacted text that is not empty and that a header can hold.
 *
 * Its value is never part of what is said about it.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import { headerValueIssue } from "./headers.ts"
import { type Check, kindOf, problem, reading } from "./values.ts"

/**
 * Whether a value can be a credential; of values of any kind.
 *
 * @stability stable
 * @category checks
 * @since 0.1.0
 */
export const credential: Check = reading((value) => {
  if (!Redacted.isRedacted(value)) return problem(`Must be Redacted: Redacted.make(key). Got ${kindOf(value)}.`)
  const key = Redacted.value(value)
  if (typeof key !== "string") return problem(`Must hold a text. It holds ${kindOf(key)}.`)
  if (key.trim() === "") return problem("Is empty: give the key.")
  const message = headerValueIssue(key)
  return message === undefined ? undefined : problem(message)
})
