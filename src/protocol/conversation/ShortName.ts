/**
 * Short names of long texts, for ids and names that a wire limits. Not for secrets.
 *
 * @since 0.1.0
 */

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/**
 * A name of letters and digits, always the same for one text: FNV-1a hashes, five characters of each in base 62.
 *
 * @see http://www.isthe.com/chongo/tech/comp/fnv/
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const shortName = (text: string, length: number): string => {
  let out = ""
  for (let seed = 0; out.length < length; seed++) {
    let hash = (0x811c9dc5 ^ seed) >>> 0
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
    for (let i = 0; i < 5 && out.length < length; i++) {
      out += letters[hash % 62]!
      hash = Math.floor(hash / 62)
    }
  }
  return out
}
