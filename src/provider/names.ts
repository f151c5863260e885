/**
 * What a name that nobody knows is answered with: the known ones, and the one that was probably meant.
 *
 * A name is repeated only where it looks like one: a key that stands in the wrong place must not get into an error.
 *
 * @since 0.1.0
 */
import { maskShapes, mayHoldKey } from "../transport/secrets/keyShapes.ts"

/** A name without what people vary in it. @stability stable @category combinators @since 0.1.0 */
export const plain = (name: string): string => name.toLowerCase().replace(/[-_\s]/g, "")

/** Edits between two names, a swap of neighbours counting as two. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

/** Longer names are no slips of the pen: comparing them would cost their length times that of the known ones. */
const longestSlip = 64
/** Names that are compared and listed; a file can name any number of instances. */
const mostKnown = 100

/** Whether a text looks like a key. @stability stable @category guards @since 0.1.0 */
export const looksLikeKey = (text: string): boolean => mayHoldKey(text) && maskShapes(text, "<redacted>") !== text

/**
 * Whether a name can be shown: keys have digits among their letters, or are longer than names.
 *
 * @stability stable
 * @category guards
 * @since 0.1.0
 */
export const isShown = (name: string): boolean =>
  name.length <= longestSlip && !looksLikeKey(name) && !/[A-Za-z0-9]{20,}/.test(name)

/**
 * The known name that was probably meant.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const nearest = (name: string, known: ReadonlyArray<string>): string | undefined => {
  if (typeof name !== "string" || name.length > longestSlip) return undefined
  const given = plain(name)
  const limit = Math.min(2, Math.floor(given.length / 2))
  let best: string | undefined
  let least = limit + 1
  for (const candidate of known.slice(0, mostKnown)) {
    if (!isShown(candidate)) continue
    const edits = distance(given, plain(candidate))
    if (edits < least) {
      best = candidate
      least = edits
    }
  }
  return best
}

/**
 * What a name that nobody knows is answered with.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const unknownName = (name: string, known: ReadonlyArray<string>): string => {
  if (typeof name !== "string") return `Give a name. ${unknownName("", known)}`
  const meant = nearest(name, known)
  const more = known.length > mostKnown ? ` and ${known.length - mostKnown} more` : ""
  const shown = known.slice(0, mostKnown).map((each) => isShown(each) ? each : "…")
  const names = known.length === 0 ? "There are none." : `Known: ${shown.join(", ")}${more}.`
  return meant === undefined ? names : `Did you mean "${meant}"? ${names}`
}

/**
 * A name in quotes, if it can be shown.
 *
 * @stability stable
 * @category combinators
 * @since 0.1.0
 */
export const quoted = (name: string): string =>
  name.length > longestSlip ? "Such a long name" : isShown(name) ? `"${name}"` : "What stands there"
