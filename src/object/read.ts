/**
 * Reads the object of an answer: sound JSON as it is; where that was asked for, what a model wrote around or in place of it.
 *
 * @since 0.1.0
 */
import { candidatesIn, textAround } from "../json/extract.ts"
import type { Json, JsonObject } from "../json/value.ts"
import { fit } from "./fit.ts"
import { alternativesAt, namedValues, typesOf } from "./schemaNode.ts"

/**
 * What was read.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Read {
  readonly value: Json
  /** What was mended, in words; empty for sound JSON that fits. */
  readonly repairs: ReadonlyArray<string>
}

/** Text that no JSON was found in is still an answer where a word, a number or a truth value is asked for. */
const takesText = (schema: JsonObject): boolean =>
  alternativesAt({ node: schema, root: schema }).every((node) =>
    namedValues(node) !== undefined || (typesOf(node)?.every((type) => type !== "object" && type !== "array") ?? false)
  )

/**
 * What an answer means by a schema; `undefined` where that cannot be said. A candidate that needs no change wins, then the one that needs
 * least, then the first.
 *
 * @stability experimental
 * @category parsing
 * @since 0.1.0
 */
export const readObject = (answer: string, schema: JsonObject, partial = false): Read | undefined => {
  let best: (Read & { readonly cost: number }) | undefined
  const candidates = candidatesIn(answer, partial)
  for (const [index, { repairs, value }] of candidates.entries()) {
    const fitted = fit(value, schema)
    if (fitted === undefined) continue
    const cost = fitted.cost + (index === 0 ? 0 : 0.5)
    if (best === undefined || cost < best.cost) {
      best = { value: fitted.value, repairs: [...repairs, ...fitted.changes], cost }
    }
    if (best.cost === 0) break
  }
  if (best !== undefined) return best
  const text = answer.trim()
  // What is JSON as a whole and does not fit is no text.
  if (text === "" || candidates[0]?.repairs.includes(textAround) === false || !takesText(schema)) return undefined
  const fitted = fit(text, schema)
  return fitted === undefined ? undefined : { value: fitted.value, repairs: ["text for JSON", ...fitted.changes] }
}
