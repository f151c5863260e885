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
import { type Document, isSame } from "../../validation/jsonSchema/document.ts"
import { misfitOf } from "../../validation/jsonSchema/misfits.ts"
import { shown } from "../../validation/jsonSchema/shown.ts"
import type { Dialect } from "./Dialect.ts"
import { listOf } from "./Lists.ts"
import { literalOf, nullSchema } from "./Literals.ts"
import {
  type Draft,
  type Frame,
  loopsOf,
  type Lowered,
  type Lowering as Context,
  noLoops as none,
  type Place,
  type Settings,
  type Unheld
} from "./Lowered.ts"
import { objectOf } from "./Objects.ts"
import { inSubset } from "./Regular.ts"
import { Room } from "./Room.ts"
import { scalarOf } from "./Scalars.ts"
import { type Alternatives, hasStructure, namesIn, type Shape, Shapes, typesIn, valuesIn } from "./Shape.ts"

const anyKinds: ReadonlySet<string> = new Set(["object", "array", "string", "number", "boolean", "null"])
const scalar: ReadonlySet<string> = new Set(["string", "number", "integer", "boolean"])
const mostInlined = 20_000
const mostNamed = 60
const mostProduct = 16
const mostCompared = 40
const smallBase = 6

/**
 * One lowering.
 *
 * @stability experimental
 * @category lowering
 * @since 0.1.0
 */
export class Lowering implements Context {
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
  private readonly named = new Map<string, number>()
  private steps = 0
  private inlined = 0
  private readonly bounds: Room

  constructor(document: Document, settings: Settings) {
    this.document = document
    this.settings = settings
    this.dialect = settings.dialect
    this.shapes = new Shapes(document)
    this.bounds = new Room(settings.dialect.limits)
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
    if (frame !== undefined) return this.placed(this.recursion(frame, shape, place), shape)
    const known = this.done.get(shape.key)
    if (known !== undefined && place.depth + known.height <= this.deepest) {
      if (this.dialect.references !== "none") return this.placed(known, shape)
      this.inlined += known.size
      if (this.inlined <= mostInlined) return this.placed(known, shape)
      return this.text(shape, place, "references that are written out more often than a request can hold")
    }
    if (++this.steps > this.settings.steps) return this.text(shape, place, "more than the host takes")
    return this.placed(this.begun(nodes, shape, place, spent), shape)
  }

  /** With what is said of this place, beside what is said of the shape wherever it stands. */
  private placed<A extends Lowered | undefined>(form: A, { placeDescription }: Shape): A | Lowered {
    if (form === undefined || placeDescription === undefined || !this.settings.described) return form
    const { $ref, description } = form.schema
    if ($ref === undefined) {
      const text = typeof description === "string" && description !== placeDescription
        ? `${placeDescription}\n${description}`
        : placeDescription
      return { ...form, schema: { ...form.schema, description: text } }
    }
    // A reference stands alone.
    if (!this.dialect.unions || this.dialect.limits.unions !== undefined) return form
    return { ...form, schema: { description: placeDescription, anyOf: [form.schema] } }
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
    for (let i = this.named.get(base) ?? 2; Object.hasOwn(this.definitions, name); i++) {
      name = `${base}_${i}`
      this.named.set(base, i + 1)
    }
    setOwn(this.definitions, name, {})
    this.bounds.definition(name)
    return name
  }

  private made(
    nodes: ReadonlyArray<Json>,
    shape: Shape,
    place: Place,
    spent: ReadonlySet<object>
  ): Lowered | undefined {
    const values = valuesIn(shape.parts)
    if (values !== undefined) return literalOf(this, values, shape, place)
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
      if (union.list.some((one) => hasStructure(this.shapes.of([one], new Set())) || one === true)) telling.push(union)
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
    if (merged || (rest.length > 0 && (spent.size > 0 || product > mostProduct))) {
      const beside = merged ? telling : rest
      for (const { keyword } of beside) if (keyword === "anyOf") this.note(place, "anyOf")
      if (merged) return this.typed(shape, place, beside.flatMap(({ list }) => list))
      for (const { list } of rest) off.add(list)
    }
    off.add(chosen.list)
    const forms: Array<Lowered> = []
    for (const [at, one] of chosen.list.entries()) {
      const form = this.lower([one, ...shape.parts], { ...place, at: `${place.at}.${chosen.keyword}[${at}]` }, off)
      if (form !== undefined) forms.push(form)
    }
    return this.union(forms, shape, place)
  }

  /** One of several forms. */
  union(given: ReadonlyArray<Lowered>, shape: Shape, place: Place): Lowered | undefined {
    const forms = given.length <= mostCompared
      ? given.filter((form, at) => !given.slice(0, at).some((one) => alike(one, form)))
      : given
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
    return this.bounds.union() ? made : this.text(shape, place, `more than ${this.dialect.limits.unions} unions`)
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
    if (form.nullable) return form
    const short = this.nullable(form.schema)
    const open = short === undefined && Array.isArray(form.schema["anyOf"])
    if (!open && !this.bounds.union()) return undefined
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

  /** A schema of one type. */
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
    const own = shape.parts.length === 1 && Object.keys(shape.parts[0]!).length < 40
      ? brief(shape.parts[0]!)
      : undefined
    this.describe(
      schema,
      { ...shape, title: undefined },
      [],
      own === undefined
        ? "JSON text of any value."
        : `JSON text of a value that fits ${own}.`
    )
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
      case "string":
      case "number":
      case "integer":
        return scalarOf(this, type, shape, place, words)
      default:
        return undefined
    }
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
    return this.bounds.members(names)
  }

  /** Takes the room of the values of an enum, where there is some. */
  values(values: ReadonlyArray<Json>): boolean {
    return this.bounds.values(values)
  }

  /** Whether one more member may be left out. */
  leave(): boolean {
    return this.bounds.leave()
  }

  describe(out: Draft, shape: Shape, notes: ReadonlyArray<readonly [string, Json]>, more?: string): void {
    if (!this.settings.described) return
    const lines: Array<string> = []
    if (shape.description !== undefined) lines.push(shape.description)
    else if (shape.title !== undefined && !shape.referred) lines.push(shape.title)
    if (more !== undefined) lines.push(more)
    if (notes.length > 0) {
      lines.push(`Must hold: ${notes.map(([word, value]) => `${word}: ${shown(value, 400)}`).join("; ")}.`)
    }
    if (lines.length > 0) out["description"] = lines.join("\n")
  }
}

const alike = (a: Lowered, b: Lowered): boolean =>
  a.schema === b.schema || (a.undo === undefined && b.undo === undefined && isSame(a.schema, b.schema))

const untold = (schema: JsonObject, description: Json | undefined): JsonObject => {
  if (description === undefined || schema["description"] !== description) return schema
  const { description: _, ...bare } = schema
  return bare as JsonObject
}

const isNull = ({ schema }: Lowered): boolean => schema["type"] === "null" && schema["enum"] === undefined

const flat = (forms: ReadonlyArray<Json>): Array<JsonObject> => forms as Array<JsonObject>

const brief = (part: JsonObject): string | undefined => {
  const text = shown(part, 300)
  return text.endsWith("…") ? undefined : text
}
