/**
 * Objects in the words of a dialect: members, those that may be absent, maps.
 *
 * @since 0.1.0
 */
import { setOwn } from "../../json/own.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { isNode } from "../../validation/jsonSchema/document.ts"
import { type Draft, loopsOf, type Lowered, type Lowering, type Place } from "./Lowered.ts"
import { memberIn, namesIn, type Others, othersIn, type Shape } from "./Shape.ts"
import type { Member, Undo } from "./Undo.ts"

type Notes = ReadonlyArray<readonly [string, Json]>

const counts = ["minProperties", "maxProperties"]
const conditions = ["dependentRequired", "dependentSchemas", "dependencies"]

/** Schemas that may hold too, whose members are then possible. */
const conditional = (parts: ReadonlyArray<JsonObject>): Array<Json> =>
  parts.flatMap((part) => {
    const out: Array<Json> = []
    for (const key of ["then", "else", "if"]) if (part[key] !== undefined) out.push(part[key])
    for (const key of conditions) {
      const all = part[key]
      if (isNode(all)) out.push(...Object.values(all).filter((one): one is JsonObject => isNode(one)))
    }
    return out
  })

const nameFor = (wanted: string, taken: { has(name: string): boolean }): string => {
  let name = wanted
  for (let i = 2; taken.has(name); i++) name = `${wanted}_${i}`
  return name
}

const path = (name: string): string =>
  /^[\w$-]+$/.test(name) ? `.properties.${name}` : `.properties[${JSON.stringify(name)}]`

interface Made {
  readonly properties: Draft
  readonly required: Array<string>
  readonly members: Map<string, Member>
  readonly forms: Array<Lowered>
  /** Those of them that are not below members that may be left out. */
  readonly needed: Array<Lowered>
  changed: boolean
}

/**
 * An object. `beside` are schemas that may hold beside it, whose members are possible.
 *
 * @stability experimental
 * @category lowering
 * @since 0.1.0
 */
export const objectOf = (
  lowering: Lowering,
  shape: Shape,
  place: Place,
  beside: ReadonlyArray<Json>,
  given: Notes
): Lowered | undefined => {
  const { dialect } = lowering
  const { parts } = shape
  const notes = [...given]
  for (const part of parts) {
    for (const key of [...counts, ...conditions]) {
      if (part[key] === undefined) continue
      notes.push([key, part[key]])
      lowering.note(place, key)
    }
    if (part["if"] !== undefined) {
      const words = Object.entries(part).filter(([key]) => key === "if" || key === "then" || key === "else")
      notes.push(["if", Object.fromEntries(words) as JsonObject])
    }
  }
  const declared = namesIn(parts)
  const possible = membersBeside(lowering, [...beside, ...conditional(parts)], declared)
  const others = othersIn(
    parts,
    possible.size > 0 || parts.some((part) => isNode(part["properties"]) || part["required"] !== undefined),
    lowering.settings.kept
  )
  const depth = place.depth + 1
  if (depth > lowering.deepest) return lowering.text(shape, place, `more than ${lowering.deepest} levels`)
  const required = new Set<string>()
  for (const part of parts) {
    if (!Array.isArray(part["required"])) continue
    for (const name of part["required"] as ReadonlyArray<Json>) if (typeof name === "string") required.add(name)
  }
  const names = [...declared, ...possible.keys()]
  if (!lowering.room(names)) return lowering.text(shape, place, "more properties than the host takes")
  if (names.length === 0 && others !== undefined) return mapOf(lowering, shape, place, others, notes)
  const made: Made = { properties: {}, required: [], members: new Map(), forms: [], needed: [], changed: false }
  for (const name of names) {
    const schemas = possible.get(name) ?? memberIn(parts, name)
    const form = lowering.lower(schemas, { depth, at: place.at + path(name) })
    if (form === undefined) {
      if (required.has(name)) return undefined
      continue
    }
    const needed = required.has(name)
    // What stands for absent may take a level more.
    const deep = !needed && depth + form.height + 1 > lowering.deepest &&
      (dialect.optional || (form.nullable && form.height > 0))
    const where = { depth, at: place.at + path(name) }
    memberOf(
      lowering,
      made,
      name,
      deep
        ? lowering.text(lowering.shapes.of(schemas, new Set()), where, `more than ${lowering.deepest} levels`)
        : form,
      needed,
      where
    )
  }
  const schema: Draft = { type: "object" }
  let rest: (Undo & { readonly kind: "object" })["rest"]
  let othersUndo: Undo | undefined
  if (others !== undefined && !dialect.maps) {
    const pairs = pairsOf(lowering, others, { depth, at: `${place.at}.additionalProperties` })
    if (pairs !== undefined) {
      const name = nameFor("additional_properties", made.members)
      if (!lowering.room([name])) return lowering.text(shape, place, "more properties than the host takes")
      setOwn(made.properties, name, pairs.schema)
      made.required.push(name)
      made.forms.push(pairs)
      made.needed.push(pairs)
      rest = { name, undo: pairs.undo?.kind === "pairs" ? pairs.undo.undo : undefined }
    }
  }
  lowering.describe(schema, shape, notes)
  schema["properties"] = made.properties
  if (made.required.length > 0 || !dialect.optional) schema["required"] = made.required
  if (Object.keys(made.properties).length === 0 && dialect.emptyObjects === false && place.at !== "") {
    return lowering.text(shape, place, "an object without properties")
  }
  if (dialect.maps && others !== undefined) {
    const value = valueOf(lowering, others, { depth, at: `${place.at}.additionalProperties` })
    if (value !== undefined) {
      schema["additionalProperties"] = value.schema
      if (value.form !== undefined) {
        made.forms.push(value.form)
        made.needed.push(value.form)
      }
      othersUndo = value.form?.undo
    } else schema["additionalProperties"] = false
  } else if (
    !dialect.maps ||
    parts.some((part) => part["additionalProperties"] === false || part["unevaluatedProperties"] === false)
  ) {
    if (dialect.spelling !== "openapi") schema["additionalProperties"] = false
  }
  const changed = made.changed || rest !== undefined || othersUndo !== undefined
  return {
    schema,
    undo: changed ? { kind: "object", members: made.members, others: othersUndo, rest } : undefined,
    nullable: false,
    kinds: new Set(["object"]),
    text: false,
    height: 1 + Math.max(0, ...made.forms.map(({ height }) => height)),
    size: made.forms.reduce((all, { size }) => all + size + 2, 4),
    // A recursion of a member is one of a member that may be left out.
    loops: loopsOf(made.needed)
  }
}

/** Names of members that alternatives and conditions add, with what is said of each. */
const membersBeside = (
  lowering: Lowering,
  schemas: ReadonlyArray<Json>,
  declared: ReadonlySet<string>
): Map<string, ReadonlyArray<Json>> => {
  const found = new Map<string, Array<Json>>()
  const seen = new Set<object>()
  const left = [...schemas]
  while (left.length > 0) {
    const one = left.pop()!
    if (!isNode(one) || seen.has(one)) continue
    seen.add(one)
    const shape = lowering.shapes.of([one], new Set())
    for (const name of namesIn(shape.parts)) {
      if (declared.has(name)) continue
      const said = memberIn(shape.parts, name)
      const known = found.get(name)
      const next: Json = said.length === 1 ? said[0]! : said.length === 0 ? true : { allOf: said }
      if (known === undefined) found.set(name, [next])
      else if (!known.includes(next)) known.push(next)
    }
    for (const { list } of shape.unions) left.push(...list)
    left.push(...conditional(shape.parts))
  }
  const out = new Map<string, ReadonlyArray<Json>>()
  for (const [name, said] of found) {
    const some = said.filter((one) => one !== false && !isEmpty(one))
    out.set(name, some.length === 0 ? [] : some.length === 1 ? some : [{ anyOf: some }])
  }
  return out
}

const isEmpty = (one: Json): boolean => one === true || (isNode(one) && Object.keys(one).length === 0)

const memberOf = (
  lowering: Lowering,
  made: Made,
  name: string,
  form: Lowered,
  needed: boolean,
  place: Place
): void => {
  const { dialect } = lowering
  let sent = name
  if (dialect.names !== undefined && !dialect.names.test(name)) {
    sent = name.replaceAll(/[^a-zA-Z0-9_.-]/g, "_").slice(0, 56) || "member"
    sent = nameFor(sent, { has: (one) => made.members.has(one) || made.properties[one] !== undefined })
    made.changed = true
  } else if (made.members.has(name)) {
    // Taken by a name that was changed: changed as well.
    sent = nameFor(`${name}_`, made.members)
    made.changed = true
  }
  const set = (schema: JsonObject, absent: Member["absent"]) => {
    setOwn(made.properties, sent, schema)
    made.members.set(sent, { name, undo: form.undo, absent })
    made.forms.push(absent === "wrapped" || absent === "list" ? { ...form, height: form.height + 1 } : form)
    if (made.required.at(-1) === sent) made.needed.push(form)
    if (absent !== "absent" || form.undo !== undefined) made.changed = true
  }
  if (needed && form.loops.size > 0 && dialect.references === "optional") {
    // Recursion stands only below members that may be left out: the check holds that this one is there.
    lowering.note(place, "required")
    return set(form.schema, "absent")
  }
  if (needed) {
    made.required.push(sent)
    return set(form.schema, "absent")
  }
  if (dialect.optional && lowering.leave()) return set(form.schema, "absent")
  made.required.push(sent)
  if (!dialect.optional) {
    if (form.nullable) {
      const wrapped = lowering.orNull(lowering.wrapped({ ...form, undo: undefined }, "value"))
      if (wrapped !== undefined) return set(wrapped.schema, "wrapped")
    } else {
      const either = lowering.orNull(form)
      if (either !== undefined) return set(either.schema, "null")
    }
  }
  const { description, ...bare } = form.schema
  const inner = "$ref" in form.schema || description === undefined ? form.schema : bare as JsonObject
  set({
    type: "array",
    items: inner,
    ...(lowering.says("maxItems", 1) ? { maxItems: 1 } : undefined),
    ...(lowering.settings.described
      ? {
        description: `${
          typeof description === "string" ? `${description}\n` : ""
        }A list of one value, empty when there is none.`
      }
      : undefined)
  }, "list")
}

/** The schema of the values of a map; `undefined` when no value fits. */
const valueOf = (
  lowering: Lowering,
  { values }: Others,
  place: Place
): { readonly schema: Json; readonly form: Lowered | undefined } | undefined => {
  if (values.every(isEmpty)) return { schema: true, form: undefined }
  const form = lowering.lower(values, place)
  return form === undefined ? undefined : { schema: form.schema, form }
}

/** Members as a list of pairs. */
const pairsOf = (lowering: Lowering, others: Others, place: Place): Lowered | undefined => {
  let key: JsonObject = { type: "string" }
  if (others.names.length > 0) {
    const names = lowering.lower(
      others.names.map((one): Json => isNode(one) ? { allOf: [one], type: "string" } : one),
      { depth: place.depth + 2, at: place.at }
    )
    if (names === undefined) return undefined
    lowering.note(place, "propertyNames")
    if (names.undo === undefined && names.kinds.size === 1 && names.kinds.has("string")) {
      key = names.schema
    }
  }
  if (place.depth + 2 > lowering.deepest) {
    return undefined
  }
  const value = lowering.lower(others.values, { depth: place.depth + 2, at: place.at })
  if (value === undefined || !lowering.room(["key", "value"])) return undefined
  const schema: Draft = { type: "array" }
  if (lowering.settings.described) schema["description"] = "The members, each a pair of its name and its value."
  schema["items"] = {
    type: "object",
    properties: { key, value: value.schema },
    required: ["key", "value"],
    ...(lowering.dialect.spelling === "openapi" ? undefined : { additionalProperties: false })
  }
  return {
    ...value,
    schema,
    undo: { kind: "pairs", undo: value.undo },
    nullable: false,
    kinds: new Set(["array"]),
    text: false,
    height: value.height + 2,
    size: value.size + 10
  }
}

/** An object of which no member is named. */
const mapOf = (
  lowering: Lowering,
  shape: Shape,
  place: Place,
  others: Others,
  notes: Notes
): Lowered | undefined => {
  const { dialect } = lowering
  if (dialect.maps) {
    const value = valueOf(lowering, others, { depth: place.depth + 1, at: `${place.at}.additionalProperties` })
    const schema: Draft = { type: "object" }
    const more = [...notes]
    if (others.names.length > 0) {
      lowering.note(place, "propertyNames")
      more.push(["propertyNames", others.names[0]!])
    }
    lowering.describe(schema, shape, more)
    schema["additionalProperties"] = value?.schema ?? false
    return {
      schema,
      undo: value?.form?.undo === undefined
        ? undefined
        : { kind: "object", members: new Map(), others: value.form.undo },
      nullable: false,
      kinds: new Set(["object"]),
      text: false,
      height: 1 + (value?.form?.height ?? 0),
      size: 4 + (value?.form?.size ?? 0),
      loops: loopsOf(value?.form === undefined ? [] : [value.form])
    }
  }
  const pairs = pairsOf(lowering, others, place)
  if (pairs === undefined) return lowering.text(shape, place, "a map")
  const schema: Draft = { ...pairs.schema }
  lowering.describe(schema, shape, notes, "The members, each a pair of its name and its value.")
  return { ...pairs, schema }
}
