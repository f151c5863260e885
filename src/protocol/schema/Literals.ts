/**
 * Values of `enum` and `const` in the words of a dialect.
 *
 * @since 0.1.0
 */
import { setOwn } from "../../json/own.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { isNode } from "../../validation/jsonSchema/document.ts"
import { misfitOf } from "../../validation/jsonSchema/misfits.ts"
import type { Draft, Lowered, Lowering, Place } from "./Lowered.ts"
import type { Shape } from "./Shape.ts"

/** Null alone. @stability experimental @category constructors @since 0.1.0 */
export const nullSchema: JsonObject = { type: "null" }

/** What only one value fits. */
const schemaOf = (value: Json): JsonObject => {
  if (Array.isArray(value)) {
    const list = value as ReadonlyArray<Json>
    return {
      type: "array",
      prefixItems: list.map(schemaOf),
      items: false,
      minItems: list.length,
      maxItems: list.length
    }
  }
  if (!isNode(value)) return { const: value }
  const properties: Draft = {}
  for (const [name, one] of Object.entries(value)) setOwn(properties, name, schemaOf(one!))
  return { type: "object", properties, required: Object.keys(value), additionalProperties: false }
}

/**
 * One of the values, where the rest of the shape allows it.
 *
 * @stability experimental
 * @category lowering
 * @since 0.1.0
 */
export const literalOf = (
  lowering: Lowering,
  values: ReadonlyArray<Json>,
  shape: Shape,
  place: Place
): Lowered | undefined => {
  const bare = shape.parts.map((part) => ({ ...part, enum: undefined, const: undefined }) as unknown as Json)
  const kept: Array<Json> = []
  const seen = new Set<Json>()
  for (const value of values) {
    if (seen.has(value)) continue
    seen.add(value)
    if (bare.every((part) => misfitOf(lowering.document, value, part) === undefined)) kept.push(value)
  }
  const of = (type: string) => kept.filter((one) => one !== null && typeof one === type)
  const forms: Array<Lowered> = []
  const texts = of("string")
  const numbers = of("number")
  const flags = of("boolean")
  if (texts.length > 0) forms.push(enumOf(lowering, "string", texts, shape, place))
  if (numbers.length > 0) {
    forms.push(enumOf(lowering, numbers.every(Number.isInteger) ? "integer" : "number", numbers, shape, place))
  }
  if (flags.length > 0) forms.push(enumOf(lowering, "boolean", flags, shape, place))
  if (kept.includes(null)) forms.push(lowering.plain(nullSchema, "null"))
  for (const one of of("object")) {
    const form = lowering.lower([schemaOf(one)], place)
    if (form !== undefined) forms.push(form)
  }
  return lowering.union(forms, shape, place)
}

const enumOf = (
  lowering: Lowering,
  type: "string" | "integer" | "number" | "boolean",
  values: ReadonlyArray<Json>,
  shape: Shape,
  place: Place
): Lowered => {
  const kind = type === "integer" ? "number" : type
  const whole = kind === "boolean" && values.length === 2
  const schema: Draft = { type }
  const notes: Array<readonly [string, Json]> = []
  if (!whole && lowering.dialect.literals.includes(kind) && lowering.values(values)) schema["enum"] = values
  else if (!whole) {
    notes.push(["enum", values])
    lowering.note(place, "enum")
  }
  lowering.describe(schema, shape, notes)
  return { ...lowering.plain(schema, kind), size: 2 + values.length }
}
