/**
 * Regular expressions of schemas from elsewhere, which may be none and may be made to take for ever.
 *
 * @since 0.1.0
 */

/**
 * A pattern as it is tried here; `undefined` when it is no regular expression.
 *
 * @stability stable
 * @category reading
 * @since 0.1.0
 */
export const patternOf = (pattern: string): RegExp | undefined => {
  if (patterns.has(pattern)) return patterns.get(pattern)
  let made: RegExp | undefined
  if (pattern.length <= 4096) {
    for (const flags of ["u", ""]) {
      try {
        made = new RegExp(pattern, flags)
        break
      } catch {
        // Read without Unicode's rules next.
      }
    }
  }
  if (patterns.size >= 1024) patterns.clear()
  patterns.set(pattern, made)
  return made
}

const patterns = new Map<string, RegExp | undefined>()

/** A group that repeats and holds what repeats: such a pattern may need exponential time. */
const repeatsInside = /\((?:[^()\\]|\\.)*[*+}](?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,)|\([^()]*\|[^()]*\)[*+]|\)[*+]\)[*+]/

/**
 * Whether a pattern matches. What cannot be tried in reasonable time, or is no regular expression, counts as a match.
 *
 * @stability stable
 * @category reading
 * @since 0.1.0
 */
export const matches = (pattern: string, text: string): boolean => {
  const made = patternOf(pattern)
  if (made === undefined) return true
  if (text.length > (repeatsInside.test(pattern) ? 16 : 20_000)) return true
  return made.test(text)
}
