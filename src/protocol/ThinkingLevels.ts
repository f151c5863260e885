/**
 * The word that stands for a thinking level where a model has only some of them.
 *
 * Which words a model has is the catalogue's to know, how they are sent the wire's.
 *
 * @since 0.1.0
 */
import { type ThinkingLevel, thinkingLevels } from "../Model.ts"

/**
 * The words of the levels there are.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type LevelWords = { readonly [level in ThinkingLevel]?: string | undefined }

/**
 * The word of the highest level up to `level`, else of the lowest there is. Only `off` itself is answered with `off`
 * while there are others.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const wordFor = (level: ThinkingLevel, words: LevelWords): readonly [ThinkingLevel, string] | undefined => {
  const at = thinkingLevels.indexOf(level)
  const order = level === "off"
    ? thinkingLevels
    : [...thinkingLevels.slice(1, at + 1).toReversed(), ...thinkingLevels.slice(at + 1)]
  for (const one of order) {
    const word = words[one]
    if (word !== undefined && word !== "") return [one, word]
  }
  return undefined
}
