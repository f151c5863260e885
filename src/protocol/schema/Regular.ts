/**
 * Regular expressions that hosts take: those of formal languages.
 *
 * @since 0.1.0
 */
import type { Dialect } from "./Dialect.ts"

/** Looking around, referring back, borders of words; classes of Unicode are known to few. */
const irregular = /\(\?(?!:)|\\[1-9bBkpPuxc]/
/** Counts beyond a few dozen make large automata. */
const large = /\{\d{3,}|,\d{3,}\}|\{[5-9]\d/
const longest = 500

/**
 * Whether a pattern is of those that a host takes.
 *
 * @stability experimental
 * @category predicates
 * @since 0.1.0
 */
export const inSubset = (pattern: string, subset: Dialect["patterns"]): boolean => {
  if (subset === "none") return false
  if (subset === "all") return true
  try {
    void new RegExp(pattern, "u")
  } catch {
    return false
  }
  if (irregular.test(pattern) || pattern.length > longest) return false
  return subset === "regular" || !large.test(pattern)
}
