/**
 * Lists in the words of a dialect, and tuples.
 *
 * @since 0.1.0
 */
import type { Json } from "../../Message.ts"
import { isSame } from "../../validation/jsonSchema/document.ts"
import { type Draft, loopsOf, type Lowered, type Lowering, type Place } from "./Lowered.ts"
import { boundsIn, placesIn, type Shape } from "./Shape.ts"
import type { Member, Undo } from "./Undo.ts"

type Notes = ReadonlyArray<readonly [string, Json]>

const list = (forms: ReadonlyArray<Lowered>, schema: Draft, undo: Undo | undefined, levels: number): Lowered => ({
  schema,
  undo,
  nullable: false,
  kinds: new Set([undo?.kind === "tuple" ? "object" : "array"]),
  text: false,
  height: levels + Math.max(0, ...forms.map(({ height }) => height)),
  size: forms.reduce((all, { size }) => all + size, 4),
  loops: loopsOf(forms)
})

/**
 * A list or a tuple. Places beyond those that are named may hold anything, unless the schema says otherwise.
 *
 * @stability experimental
 * @category lowering
 * @since 0.1.0
 */
export const listOf = (lowering: Lowering, shape: Shape, place: Place, given: Notes): Lowered | undefined => {
  const { dialect } = lowering
  const { places, rest } = placesIn(shape.parts)
  const notes = [...given]
  for (const part of shape.parts) {
    for (const key of ["contains", "uniqueItems", "minContains", "maxContains"]) {
      if (part[key] !== undefined && part[key] !== false) notes.push([key, part[key]])
    }
  }
  const { words } = boundsIn(shape.parts, ["minItems", "maxItems"])
  const most = typeof words["maxItems"] === "number" ? words["maxItems"] : Infinity
  const least = typeof words["minItems"] === "number" ? words["minItems"] : 0
  const depth = place.depth + 1
  if (depth > lowering.deepest) return lowering.text(shape, place, `more than ${lowering.deepest} levels`)
  const bounds: Draft = {}
  const bound = () => {
    for (const [keyword, value] of Object.entries(words)) {
      if (lowering.says(keyword, value)) bounds[keyword] = value
      else {
        notes.push([keyword, value])
        lowering.note(place, keyword)
      }
    }
  }
  const end = Math.min(places.length, most)
  const [first] = places
  const alike = first !== undefined && end === most && places.every((one) => isSame(one as Json, first as Json))
  if (end === 0 || alike) {
    const nodes = alike ? first : places.length > 0 ? [] : rest
    const item = lowering.lower(nodes, { depth, at: `${place.at}.items` })
    const schema: Draft = { type: "array" }
    if (item === undefined) {
      if (least > 0) return undefined
      return emptyList(lowering, shape, place, notes)
    }
    bound()
    lowering.describe(schema, shape, notes)
    schema["items"] = item.schema
    Object.assign(schema, bounds)
    return list([item], schema, item.undo === undefined ? undefined : { kind: "list", items: [], rest: item.undo }, 1)
  }
  const forms: Array<Lowered> = []
  let open = most > places.length
  for (const [at, nodes] of places.slice(0, end).entries()) {
    const form = lowering.lower(nodes, { depth, at: `${place.at}.items[${at}]` })
    if (form === undefined) {
      open = false
      break
    }
    forms.push(form)
  }
  if (forms.length < least && forms.length < end) return undefined
  const more = open && forms.length === places.length && most > places.length
    ? lowering.lower(rest, { depth: dialect.tuples ? depth : depth + 1, at: `${place.at}.items` })
    : undefined
  if (more === undefined && least > forms.length) return undefined
  if (dialect.tuples) {
    bound()
    const schema: Draft = { type: "array" }
    lowering.describe(schema, shape, notes)
    schema["prefixItems"] = forms.map((form) => form.schema)
    schema["items"] = more === undefined ? false : more.schema
    Object.assign(schema, bounds)
    const all = more === undefined ? forms : [...forms, more]
    const undo: Undo | undefined = all.every((form) => form.undo === undefined)
      ? undefined
      : { kind: "list", items: forms.map((form) => form.undo), rest: more?.undo }
    return list(all, schema, undo, 1)
  }
  return tupleOf(lowering, shape, place, notes, forms, more, least)
}

/** A list that holds nothing. */
const emptyList = (lowering: Lowering, shape: Shape, place: Place, notes: Notes): Lowered => {
  const schema: Draft = { type: "array", items: { type: "string" } }
  if (lowering.says("maxItems", 0)) schema["maxItems"] = 0
  else lowering.note(place, "items")
  lowering.describe(schema, shape, [...notes, ["maxItems", 0]])
  return list([], schema, undefined, 1)
}

/** A tuple as an object of its places. */
const tupleOf = (
  lowering: Lowering,
  shape: Shape,
  place: Place,
  notes: Notes,
  forms: ReadonlyArray<Lowered>,
  more: Lowered | undefined,
  least: number
): Lowered => {
  const properties: Draft = {}
  const required: Array<string> = []
  const places: Array<Member> = []
  for (const [at, form] of forms.entries()) {
    const name = `item${at + 1}`
    let absent: Member["absent"] = "absent"
    let schema = form.schema
    if (at < least) required.push(name)
    else if (!lowering.dialect.optional || !lowering.leave()) {
      required.push(name)
      const either = form.nullable ? undefined : lowering.orNull(form)
      if (either !== undefined) {
        schema = either.schema
        absent = "null"
      } else {
        schema = { type: "array", items: form.schema }
        absent = "list"
      }
    }
    properties[name] = schema
    places.push({ name, undo: form.undo, absent })
  }
  if (more !== undefined) {
    properties["rest"] = { type: "array", items: more.schema }
    required.push("rest")
    if (least > forms.length) lowering.note(place, "minItems")
    lowering.note(place, "maxItems")
  }
  if (!lowering.room(Object.keys(properties))) {
    return lowering.text(shape, place, "more properties than the host takes")
  }
  const schema: Draft = { type: "object" }
  lowering.describe(schema, shape, notes, "A list, written with a member for each of its places.")
  schema["properties"] = properties
  schema["required"] = required
  if (lowering.dialect.spelling !== "openapi") schema["additionalProperties"] = false
  const all = more === undefined ? forms : [...forms, more]
  const levels = more !== undefined || places.some(({ absent }) => absent === "list") ? 2 : 1
  return list(all, schema, {
    kind: "tuple",
    places,
    rest: more === undefined ? undefined : { name: "rest", undo: more.undo }
  }, levels)
}
