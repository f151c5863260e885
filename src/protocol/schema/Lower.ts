/**
 * A schema in the words of a dialect, the change of form with it, and what could not be said.
 *
 * What a dialect lacks is never left out for nothing: it goes into the description, where the model reads it, and is noted,
 * so that the answer is checked. What has no form of its own, such as a value of any type or recursion where there is none,
 * is asked for as JSON text in a string. So every value that fits the schema can be written, in every dialect.
 *
 * @since 0.1.0
 */
import { setOwn } from "../../json/own.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { misfitOf, shown } from "./Check.ts"
import type { Dialect } from "./Dialect.ts"
import { Document, isNode, isSame } from "./Document.ts"
import { listOf } from "./Lists.ts"
import { objectOf } from "./Objects.ts"
import { type Alternatives, boundsIn, hasStructure, namesIn, type Shape, Shapes, typesIn, valuesIn } from "./Shape.ts"
import type { Undo } from "./Undo.ts"

/** JSON being written. @category models @since 0.1.0 */
export type Draft = { [key: string]: Json }

/** A schema as it is sent. @category models @since 0.1.0 */
export interface Lowered {
  readonly schema: JsonObject
  readonly undo: Undo | undefined
  /** Whether null is a value of it. */
  readonly nullable: boolean
  /** Types of what is sent. */
  readonly kinds: ReadonlySet<string>
  /** Whether some of it is JSON text in a string that no other string may stand beside. */
  readonly text: boolean
  /** Levels within it. */
  readonly height: number
  /** Values within it. */
  readonly size: number
  /** Recursions that lead out of it. */
  readonly loops: ReadonlySet<Frame>
}

/** A shape whose lowering has begun. @category models @since 0.1.0 */
export interface Frame {
  readonly definition: { undo: Undo | undefined; name: string | undefined }
  recursive: boolean
}

/** What is said on our side. @category models @since 0.1.0 */
export interface Unheld {
  /** Where in the schema. */
  readonly at: string
  readonly keyword: string
}

/** Where a schema stands. @category models @since 0.1.0 */
export interface Place {
  /** Levels of objects and lists around it. */
  readonly depth: number
  readonly at: string
}

/** How a schema is lowered. @category models @since 0.1.0 */
export interface Settings {
  readonly dialect: Dialect
  /** Whether members that an open object does not name are asked for too. */
  readonly kept: boolean
  /** Whether titles, descriptions and what cannot be said go along. */
  readonly described: boolean
  /** Shapes that are lowered at most; what is left is JSON text. */
  readonly steps: number
  /** Levels at most, where the dialect has more. */
  readonly depth: number
}

const none: ReadonlySet<Frame> = new Set()
const anyKinds: ReadonlySet<string> = new Set(["object", "array", "string", "number", "boolean", "null"])
const scalar: ReadonlySet<string> = new Set(["string", "number", "integer", "boolean"])
const mostInlined = 20_000
const mostNamed = 60
const mostProduct = 16
const smallBase = 6

/** Written once, so that it costs its members only. */
const nullSchema: JsonObject = { type: "null" }

/**
 * One lowering.
 *
 * @category lowering
 * @since 0.1.0
 */
export class Lowering {
  readonly settings: Settings
  readonly dialect: Dialect
  readonly document: Document
  readonly shapes: Shapes
  readonly definitions: Draft = {}
  readonly unheld: Array<Unheld> = []
  /** Why some of it became JSON text, the first of each reason. */
  readonly reasons = new Map<string, string>()
  private readonly active = new Map<string, Frame>()
  private readonly done = new Map<string, Lowered>()
  private steps = 0
  private inlined = 0
  private optional = 0
  private unions = 0
  private properties = 0
  private names = 0
  private enumValues = 0

  constructor(document: Document, settings: Settings) {
    this.document = document
    this.settings = settings
    this.dialect = settings.dialect
    this.shapes = new Shapes(document)
  }

  // ---------------------------------------------------------------------------
  // Shapes
  // ---------------------------------------------------------------------------

  /** Schemas that all hold; `undefined` when nothing can fit them. */
  lower(nodes: ReadonlyArray<Json>, place: Place, spent: ReadonlySet<object> = new Set()): Lowered | undefined {
    const shape = this.shapes.of(nodes, spent)
    if (shape.never) return undefined
    for (const lost of shape.lost) this.reason("the reference " + lost + ", which leads nowhere,", place)
    if (shape.parts.length === 0) return this.any(shape, place)
    const frame = this.active.get(shape.key)
    if (frame !== undefined) return this.recursion(frame, shape, place)
    const known = this.done.get(shape.key)
    if (known !== undefined && place.depth + known.height <= this.deepest) {
      if (this.dialect.references !== "none") return known
      this.inlined += known.size
      if (this.inlined <= mostInlined) return known
      return this.text(shape, place, "references that are written out more often than a request can hold")
    }
    if (++this.steps > this.settings.steps) return this.text(shape, place, "more than the host takes")
    return this.begun(nodes, shape, place, spent)
  }

  private begun(
    nodes: ReadonlyArray<Json>,
    shape: Shape,
    place: Place,
    spent: ReadonlySet<object>
  ): Lowered | undefined {
    const own: Frame = { definition: { undo: undefined, name: undefined }, recursive: false }
    this.active.set(shape.key, own)
    const made = this.made(nodes, shape, place, spent)
    this.active.delete(shape.key)
    if (made === undefined) return undefined
    const unguarded = made.loops.has(own)
    if (unguarded && this.dialect.references === "optional") {
      delete this.definitions[own.definition.name!]
      return this.text(shape, place, "recursion")
    }
    const loops = unguarded ? new Set([...made.loops].filter((one) => one !== own)) : made.loops
    const repeats = shape.referred && this.dialect.references !== "none" && made.size > 6
    let result: Lowered = loops === made.loops ? made : { ...made, loops }
    if (own.recursive || repeats) {
      const name = own.definition.name ?? this.definitionName(shape)
      own.definition.name = name
      own.definition.undo = made.undo
      setOwn(this.definitions, name, made.schema)
      result = {
        ...result,
        schema: { $ref: `#/$defs/${name}` },
        undo: made.undo === undefined ? undefined : { kind: "reference", to: own.definition },
        size: 2
      }
    }
    if (shape.referred || own.recursive) this.done.set(shape.key, result)
    return result
  }

  private recursion(frame: Frame, shape: Shape, place: Place): Lowered {
    const { references } = this.dialect
    if (references !== "all" && references !== "optional") return this.text(shape, place, "recursion")
    frame.recursive = true
    frame.definition.name ??= this.definitionName(shape)
    const types = typesIn(shape.parts)
    return {
      schema: { $ref: `#/$defs/${frame.definition.name}` },
      undo: { kind: "reference", to: frame.definition },
      nullable: types === undefined
        ? shape.parts.every((part) => misfitOf(this.document, null, part) === undefined)
        : types.includes("null"),
      kinds: anyKinds,
      text: false,
      height: 1,
      size: 2,
      loops: references === "optional" ? new Set([frame]) : none
    }
  }

  private definitionName(shape: Shape): string {
    const base = (shape.name ?? shape.title ?? "Value").replaceAll(/[^a-zA-Z0-9_]/g, "_").slice(0, 48) || "Value"
    let name = base
    for (let i = 2; Object.hasOwn(this.definitions, name); i++) name = `${base}_${i}`
    setOwn(this.definitions, name, {})
    this.names += name.length
    return name
  }

  private made(
    nodes: ReadonlyArray<Json>,
    shape: Shape,
    place: Place,
    spent: ReadonlySet<object>
  ): Lowered | undefined {
    const values = valuesIn(shape.parts)
    if (values !== undefined) return this.literal(values, shape, place)
    return shape.unions.length > 0 ? this.joined(nodes, shape, place, spent) : this.typed(shape, place, [])
  }

  // ---------------------------------------------------------------------------
  // Unions
  // ---------------------------------------------------------------------------

  private joined(
    nodes: ReadonlyArray<Json>,
    shape: Shape,
    place: Place,
    spent: ReadonlySet<object>
  ): Lowered | undefined {
    const off = new Set(spent)
    const telling: Array<Alternatives> = []
    for (const union of shape.unions) {
      if (union.keyword === "oneOf") this.note(place, "oneOf")
      if (union.list.some((one) => hasStructure(this.shapes.of([one], off)) || one === true)) telling.push(union)
      else {
        off.add(union.list)
        if (union.keyword === "anyOf") this.note(place, "anyOf")
      }
    }
    if (telling.length === 0) return this.typed(shape, place, [])
    telling.sort((a, b) => b.list.length - a.list.length)
    const [chosen, ...rest] = telling as [Alternatives, ...Array<Alternatives>]
    const product = telling.reduce((all, { list }) => all * list.length, 1)
    const named = namesIn(shape.parts).size
    const merged = named > smallBase && named * chosen.list.length > mostNamed
    if (merged || (rest.length > 0 && product > mostProduct)) {
      const beside = merged ? telling : rest
      for (const { keyword } of beside) if (keyword === "anyOf") this.note(place, "anyOf")
      if (merged) return this.typed(shape, place, beside.flatMap(({ list }) => list))
      for (const { list } of rest) off.add(list)
    }
    off.add(chosen.list)
    const forms: Array<Lowered> = []
    for (const [at, one] of chosen.list.entries()) {
      const form = this.lower([one, ...nodes], { ...place, at: `${place.at}.${chosen.keyword}[${at}]` }, off)
      if (form !== undefined) forms.push(form)
    }
    return this.union(forms, shape, place)
  }

  /** One of several forms. */
  union(given: ReadonlyArray<Lowered>, shape: Shape, place: Place): Lowered | undefined {
    const forms: Array<Lowered> = []
    for (const form of given) {
      const again = forms.some((one) => one.schema === form.schema || (one.undo === undefined && form.undo === undefined && isSame(one.schema, form.schema)))
      if (!again) forms.push(form)
    }
    if (forms.length === 0) return undefined
    if (forms.length === 1) return forms[0]
    if (forms.some(({ text }) => text) && forms.filter(({ kinds }) => kinds.has("string")).length > 1) {
      return this.text(shape, place, "a value of any type")
    }
    if (!this.dialect.unions) return this.text(shape, place, "a union")
    const sent = this.apart(forms)
    const [first, second] = sent as [Lowered, Lowered]
    const schema: Draft = {}
    this.describe(schema, shape, [])
    if (sent.length === 2 && (isNull(first) || isNull(second))) {
      const rest = isNull(first) ? second : first
      const short = this.nullable(rest.schema)
      if (short !== undefined) {
        Object.assign(schema, short)
        return this.counted(shape, place, { ...rest, schema, nullable: true, kinds: new Set([...rest.kinds, "null"]) })
      }
    }
    const told = sent.map((one) => ({ schema: untold(one.schema, schema["description"]), undo: one.undo }))
    schema["anyOf"] = this.grouped(told.map((one) => one.schema))
    return this.counted(shape, place, {
      schema,
      undo: sent.every(({ undo }) => undo === undefined)
        ? undefined
        : { kind: "union", forms: told },
      nullable: sent.some(({ nullable }) => nullable),
      kinds: new Set(sent.flatMap(({ kinds }) => [...kinds])),
      text: sent.some(({ text }) => text),
      height: Math.max(...sent.map(({ height }) => height)),
      size: sent.reduce((all, { size }) => all + size, 2),
      loops: loopsOf(sent)
    })
  }

  private counted(shape: Shape, place: Place, made: Lowered): Lowered {
    const most = this.dialect.limits.unions
    if (most === undefined || ++this.unions <= most) return made
    this.unions--
    return this.text(shape, place, `more than ${most} unions`)
  }

  /** Lists that stand for maps, beside other lists, are put into an object, so that each form is told from the others. */
  private apart(forms: ReadonlyArray<Lowered>): ReadonlyArray<Lowered> {
    const lists = forms.filter(({ kinds }) => kinds.has("array"))
    if (lists.length < 2 || lists.every(({ undo }) => undo?.kind !== "pairs")) return forms
    return forms.map((form) => form.undo?.kind === "pairs" ? this.wrapped(form, "entries") : form)
  }

  /** A value as the only member of an object. */
  wrapped(form: Lowered, name: string): Lowered {
    return {
      ...form,
      schema: {
        type: "object",
        properties: { [name]: form.schema },
        required: [name],
        additionalProperties: false
      },
      undo: { kind: "wrapped", name, undo: form.undo },
      nullable: false,
      kinds: new Set(["object"]),
      text: false,
      height: form.height + 1,
      size: form.size + 4
    }
  }

  private grouped(schemas: ReadonlyArray<JsonObject>): ReadonlyArray<Json> {
    const most = this.dialect.limits.branches
    if (most === undefined || schemas.length <= most) return schemas
    return [...schemas.slice(0, most - 1), { anyOf: this.grouped(schemas.slice(most - 1)) }]
  }

  private nullable(schema: JsonObject): JsonObject | undefined {
    const { enum: values, type } = schema
    if (!this.dialect.typeLists || typeof type !== "string" || !scalar.has(type)) return undefined
    if (values !== undefined && !this.dialect.literals.includes("null")) return undefined
    return {
      ...schema,
      type: [type, "null"],
      ...(Array.isArray(values) ? { enum: [...values as ReadonlyArray<Json>, null] } : undefined)
    }
  }

  /** The form, or null. */
  orNull(form: Lowered): Lowered | undefined {
    const most = this.dialect.limits.unions
    if (form.nullable) return form
    const short = this.nullable(form.schema)
    const open = short === undefined && Array.isArray(form.schema["anyOf"])
    if (!open) {
      if (most !== undefined && this.unions >= most) return undefined
      this.unions++
    }
    const { description, ...bare } = form.schema
    const schema: JsonObject = short ?? (open
      ? { ...form.schema, anyOf: this.grouped([...flat(form.schema["anyOf"] as ReadonlyArray<Json>), nullSchema]) }
      : {
        anyOf: ["$ref" in form.schema ? form.schema : bare as JsonObject, nullSchema],
        ...(description === undefined ? undefined : { description })
      })
    return { ...form, schema, nullable: true, kinds: new Set([...form.kinds, "null"]), size: form.size + 2 }
  }

  // ---------------------------------------------------------------------------
  // Values
  // ---------------------------------------------------------------------------

  private literal(values: ReadonlyArray<Json>, shape: Shape, place: Place): Lowered | undefined {
    const bare = shape.parts.map((part) => ({ ...part, enum: undefined, const: undefined }))
    const kept: Array<Json> = []
    const seen = new Set<Json>()
    for (const value of values) {
      if (typeof value !== "object" && seen.has(value)) continue
      seen.add(value)
      if (bare.every((part) => misfitOf(this.document, value, part as unknown as Json) === undefined)) kept.push(value)
    }
    const of = (type: string) => kept.filter((one) => one !== null && typeof one === type)
    const forms: Array<Lowered> = []
    const texts = of("string")
    const numbers = of("number")
    const flags = of("boolean")
    const others = of("object")
    if (texts.length > 0) forms.push(this.enumOf("string", texts, shape, place))
    if (numbers.length > 0) {
      forms.push(this.enumOf(numbers.every(Number.isInteger) ? "integer" : "number", numbers, shape, place))
    }
    if (flags.length > 0) forms.push(this.enumOf("boolean", flags, shape, place))
    if (kept.includes(null)) forms.push(this.plain(nullSchema, "null"))
    for (const one of others) {
      const form = this.lower([schemaOf(one)], place)
      if (form !== undefined) forms.push(form)
    }
    return this.union(forms, shape, place)
  }

  private enumOf(type: string, values: ReadonlyArray<Json>, shape: Shape, place: Place): Lowered {
    const kind = type === "integer" ? "number" : type as "string" | "number" | "boolean"
    const { limits, literals } = this.dialect
    const characters = values.reduce<number>((all, one) => all + String(one).length, 0)
    const whole = kind === "boolean" && values.length === 2
    const fits = literals.includes(kind) &&
      this.enumValues + values.length <= (limits.enumValues ?? Infinity) &&
      this.names + characters <= (limits.names ?? Infinity) &&
      (values.length <= 250 || characters <= (limits.longEnum ?? Infinity))
    const schema: Draft = { type }
    const notes: Array<readonly [string, Json]> = []
    if (!whole && fits) {
      schema["enum"] = values
      this.enumValues += values.length
      this.names += characters
    } else if (!whole) {
      notes.push(["enum", values])
      this.note(place, "enum")
    }
    this.describe(schema, shape, notes)
    return { ...this.plain(schema, kind), size: 2 + values.length }
  }

  plain(schema: JsonObject, kind: string): Lowered {
    return {
      schema,
      undo: undefined,
      nullable: kind === "null",
      kinds: new Set([kind]),
      text: false,
      height: 0,
      size: 2 + Object.keys(schema).length,
      loops: none
    }
  }

  private any(shape: Shape, place: Place): Lowered {
    if (!this.dialect.open) return this.text(shape, place, undefined)
    const schema: Draft = {}
    this.describe(schema, shape, [])
    return { ...this.plain(schema, "any"), nullable: true, kinds: anyKinds }
  }

  /** JSON text in a string. */
  text(shape: Shape, place: Place, why: string | undefined): Lowered {
    if (why !== undefined) this.reason(why, place)
    this.note(place, "text")
    const schema: Draft = { type: "string" }
    const own = shape.parts.length === 1 && Object.keys(shape.parts[0]!).length < 40 ? brief(shape.parts[0]!) : undefined
    this.describe(schema, { ...shape, title: undefined }, [], own === undefined
      ? "JSON text of any value."
      : `JSON text of a value that fits ${own}.`)
    return { ...this.plain(schema, "string"), undo: { kind: "text" }, text: true }
  }

  // ---------------------------------------------------------------------------
  // Types
  // ---------------------------------------------------------------------------

  private typed(shape: Shape, place: Place, beside: ReadonlyArray<Json>): Lowered | undefined {
    for (const part of shape.parts) {
      for (const keyword of ["not", "if", "contains", "uniqueItems"]) {
        if (part[keyword] !== undefined && part[keyword] !== false) this.note(place, keyword)
      }
    }
    const types = typesIn(shape.parts)
    if (types === undefined) return this.any(shape, place)
    const forms: Array<Lowered> = []
    for (const type of types) {
      const form = this.ofType(type, shape, place, beside)
      if (form !== undefined) forms.push(form)
    }
    return this.union(forms, shape, place)
  }

  private ofType(type: string, shape: Shape, place: Place, beside: ReadonlyArray<Json>): Lowered | undefined {
    const words: Array<readonly [string, Json]> = []
    for (const { not } of shape.parts) if (not !== undefined) words.push(["not", not])
    switch (type) {
      case "object":
        return objectOf(this, shape, place, beside, words)
      case "array":
        return listOf(this, shape, place, words)
      case "null":
        return this.plain(nullSchema, "null")
      case "boolean": {
        const schema: Draft = { type }
        this.describe(schema, shape, words)
        return this.plain(schema, type)
      }
      case "string": {
        const { more, words: said } = boundsIn(shape.parts, ["minLength", "maxLength", "pattern", "format"])
        return this.scalarOf(type, shape, place, said, [...words, ...more.map((one): [string, Json] => [one, true])])
      }
      case "number":
      case "integer": {
        const { more, words: said } = boundsIn(shape.parts, [
          "minimum",
          "maximum",
          "exclusiveMinimum",
          "exclusiveMaximum",
          "multipleOf"
        ])
        return this.scalarOf(type, shape, place, said, [...words, ...more.map((one): [string, Json] => [one, true])])
      }
      default:
        return undefined
    }
  }

  private scalarOf(
    type: string,
    shape: Shape,
    place: Place,
    words: { readonly [keyword: string]: Json },
    given: ReadonlyArray<readonly [string, Json]>
  ): Lowered {
    const schema: Draft = { type }
    const notes = [...given]
    for (const [keyword] of given) if (keyword !== "not") this.note(place, keyword)
    for (const [keyword, value] of Object.entries(words)) {
      if (this.says(keyword, value)) schema[keyword] = value
      else {
        notes.push([keyword, value])
        // JSON Schema does not hold values to formats.
        if (keyword !== "format") this.note(place, keyword)
      }
    }
    this.describe(schema, shape, notes)
    return this.plain(schema, type === "integer" ? "number" : type)
  }

  /** Whether the dialect holds the model to a keyword. */
  says(keyword: string, value: Json): boolean {
    const { formats, keywords, mostMinItems, patterns } = this.dialect
    if (keyword === "format") return typeof value === "string" && (formats === "all" || formats.includes(value))
    if (!keywords.includes(keyword)) return false
    if (keyword === "pattern") return typeof value === "string" && inSubset(value, patterns)
    if (keyword === "minItems" && mostMinItems !== undefined) return typeof value === "number" && value <= mostMinItems
    return true
  }

  // ---------------------------------------------------------------------------
  // Words
  // ---------------------------------------------------------------------------

  get deepest(): number {
    return Math.min(this.dialect.limits.depth ?? Infinity, this.settings.depth)
  }

  note({ at }: Place, keyword: string): void {
    if (this.unheld.length < 64) this.unheld.push({ at, keyword })
  }

  reason(why: string, { at }: Place): void {
    if (!this.reasons.has(why)) this.reasons.set(why, at)
  }

  /** Takes the room of an object's members, where there is some. */
  room(names: ReadonlyArray<string>): boolean {
    const { names: mostCharacters, properties } = this.dialect.limits
    const characters = names.reduce((all, name) => all + name.length, 0)
    if (this.properties + names.length > (properties ?? Infinity)) return false
    if (this.names + characters > (mostCharacters ?? Infinity)) return false
    this.properties += names.length
    this.names += characters
    return true
  }

  /** Whether one more member may be left out. */
  leave(): boolean {
    if (this.optional >= (this.dialect.limits.optional ?? Infinity)) return false
    this.optional++
    return true
  }

  describe(out: Draft, shape: Shape, notes: ReadonlyArray<readonly [string, Json]>, more?: string): void {
    if (!this.settings.described) return
    const lines: Array<string> = []
    if (shape.description !== undefined) lines.push(shape.description)
    else if (shape.title !== undefined && !shape.referred) lines.push(shape.title)
    if (more !== undefined) lines.push(more)
    if (notes.length > 0) lines.push(`Must hold: ${notes.map(([word, value]) => `${word}: ${shown(value, 400)}`).join("; ")}.`)
    if (lines.length > 0) out["description"] = lines.join("\n")
  }
}

const untold = (schema: JsonObject, description: Json | undefined): JsonObject => {
  if (description === undefined || schema["description"] !== description) return schema
  const { description: _, ...bare } = schema
  return bare as JsonObject
}

const isNull = ({ schema }: Lowered): boolean => schema["type"] === "null" && schema["enum"] === undefined

const flat = (forms: ReadonlyArray<Json>): Array<JsonObject> => forms as Array<JsonObject>

/** Recursions that lead out of any of the forms. @category reading @since 0.1.0 */
export const loopsOf = (forms: ReadonlyArray<Lowered>): ReadonlySet<Frame> => {
  const some = forms.filter(({ loops }) => loops.size > 0)
  return some.length === 0 ? none : new Set(some.flatMap(({ loops }) => [...loops]))
}

const brief = (part: JsonObject): string | undefined => {
  const text = shown(part, 300)
  return text.endsWith("…") ? undefined : text
}

/** What only one value fits. */
const schemaOf = (value: Json): JsonObject => {
  if (Array.isArray(value)) {
    const list = value as ReadonlyArray<Json>
    return { type: "array", prefixItems: list.map(schemaOf), items: false, minItems: list.length, maxItems: list.length }
  }
  if (!isNode(value)) return { const: value }
  const properties: Draft = {}
  for (const [name, one] of Object.entries(value)) setOwn(properties, name, schemaOf(one!))
  return { type: "object", properties, required: Object.keys(value), additionalProperties: false }
}

/** What regular languages lack: looking around, referring back, borders of words; classes of Unicode are known to few. */
const irregular = /\(\?(?!:)|\\[1-9bBkpPuxc]/
/** Counts beyond a few dozen make large automata. */
const large = /\{\d{3,}|,\d{3,}\}|\{[5-9]\d/

const inSubset = (pattern: string, subset: Dialect["patterns"]): boolean => {
  if (subset === "none") return false
  if (subset === "all") return true
  try {
    void new RegExp(pattern, "u")
  } catch {
    return false
  }
  if (irregular.test(pattern) || pattern.length > 500) return false
  return subset === "regular" || !large.test(pattern)
}
