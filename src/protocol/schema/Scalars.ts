/**
 * Strings and numbers in the words of a dialect.
 *
 * @since 0.1.0
 */
import type { Json } from "../../Message.ts"
import type { Draft, Lowered, Lowering, Place } from "./Lowered.ts"
import { boundsIn, type Shape } from "./Shape.ts"

/** What may be said of a type beside its name. */
const keywords = {
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
} as const

/**
 * A schema of strings or numbers; `words` are those that go into its description.
 *
 * @stability experimental
 * @category lowering
 * @since 0.1.0
 */
export const scalarOf = (
  lowering: Lowering,
  type: "string" | "number" | "integer",
  shape: Shape,
  place: Place,
  words: ReadonlyArray<readonly [string, Json]>
): Lowered => {
  const { more, words: said } = boundsIn(shape.parts, keywords[type === "string" ? type : "number"])
  const schema: Draft = { type }
  const notes: Array<readonly [string, Json]> = [...words, ...more.map((one) => [one, true] as const)]
  for (const [keyword] of notes) if (keyword !== "not") lowering.note(place, keyword)
  for (const [keyword, value] of Object.entries(said)) {
    if (lowering.says(keyword, value)) schema[keyword] = value
    else {
      notes.push([keyword, value])
      // JSON Schema does not hold values to formats.
      if (keyword !== "format") lowering.note(place, keyword)
    }
  }
  lowering.describe(schema, shape, notes)
  return lowering.plain(schema, type === "integer" ? "number" : type)
}
