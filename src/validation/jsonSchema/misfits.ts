/**
 * Where a value breaks a JSON Schema of any draft, told in words that a model can act on.
 *
 * Effect's own reading of JSON Schemas refuses what it has no type for (`not`, `if`, `contains`, `dependentRequired`, references to the
 * root) and takes every `format`; validators that compile schemas need `eval`, which edge runtimes forbid. So schemas are interpreted
 * here: arguments of tools, answers whose host could not be told all of a schema, and values that a compiler looks at. A keyword that
 * nobody knows is an annotation, as the standard has it. Patterns are ECMAScript's, as the standard recommends.
 *
 * The work is bounded, and linear in the value for one schema: a value that would take too long counts as one that fits.
 *
 * https://json-schema.org/draft/2020-12/json-schema-validation
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "../../json/depth.ts"
import { ownOf } from "../../json/own.ts"
import type { Json, JsonObject } from "../../json/value.ts"
import { hasFormat } from "../formats.ts"
import { matches, patternOf } from "../patterns.ts"
import { boundsOf, Document, isNode, isSame, typesOf } from "./document.ts"
import { shown } from "./shown.ts"
import { canonical, isAmong, isMultiple, isType, lengthOf, typeOf } from "./values.ts"

/**
 * What does not fit: where, and how.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Misfit {
  /** Path below the value, such as `.items[2].name`; empty for the value itself. */
  readonly path: string
  /** Where the value is wrong and how, in words for a model. */
  readonly message: string
}

type Schema = Json | undefined

/** Misfits that are told at most. */
const most = 10

/** References that may be followed without going deeper into the value: a schema that refers to itself alone is none. */
const mostReferences = 64

/** Schemas within schemas, over all levels of the value. */
const deepest = 1.5 * maxJsonDepth

/** Places of the schema that are held against places of the value. */
const mostSteps = 200_000

/** Where we are in the value; written out for misfits that are told. */
interface Place {
  readonly above: Place | undefined
  readonly step: string | number
  readonly depth: number
}

const root: Place = { above: undefined, step: "", depth: 0 }

const below = (above: Place, step: string | number): Place => ({ above, step, depth: above.depth + 1 })

const pathOf = (place: Place): string => {
  const steps: Array<string> = []
  for (let at = place; at.above !== undefined; at = at.above) {
    const { step } = at
    steps.push(
      typeof step === "string" && /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
    )
  }
  return steps.toReversed().join("")
}

/** A misfit that is not written out yet. */
interface Found {
  readonly at: Place
  readonly message: () => string
}

/** What has been looked at of a value, for the `unevaluated` keywords; kept for documents that have them. */
interface Looked {
  readonly keys: Set<string>
  readonly places: Set<number>
  items: number
}

const nothingLooked = (): Looked => ({ keys: new Set(), places: new Set(), items: 0 })

const addLooked = (to: Looked | undefined, from: Looked | undefined): void => {
  if (to === undefined || from === undefined) return
  for (const key of from.keys) to.keys.add(key)
  for (const at of from.places) to.places.add(at)
  to.items = Math.max(to.items, from.items)
}

/** How strictly a document is held. */
interface Settings {
  readonly document: Document
  /** Misfits after which nothing more is looked at. */
  readonly most: number
  /** Whether formats are held, which the standard leaves to who asks. */
  readonly formats: boolean
  /** Whether a reference that leads nowhere, or only to itself, fits nothing; else it fits all. */
  readonly references: boolean
}

class Reader {
  private found: Array<Found> = []
  private readonly settings: Settings
  private most: number
  private references = 0
  private depth = 0
  private steps = 0

  constructor(settings: Settings) {
    this.settings = settings
    this.most = settings.most
  }

  private miss(at: Place, message: () => string): false {
    if (this.found.length < this.most) this.found.push({ at, message })
    return false
  }

  private get full(): boolean {
    return this.found.length >= this.most
  }

  private looking(): Looked | undefined {
    return this.settings.document.unevaluated ? nothingLooked() : undefined
  }

  /** What does not fit, `most` at most, apart from what has been found so far. */
  private tried(schema: Schema, value: Json, at: Place, looked: Looked | undefined, most: number): Array<Found> {
    const { found, most: before } = this
    this.found = []
    this.most = most
    this.fits(schema, value, at, looked)
    const tried = this.found
    this.found = found
    this.most = before
    return tried
  }

  private quietly(schema: Schema, value: Json, at: Place, looked: Looked | undefined): boolean {
    return this.tried(schema, value, at, looked, 1).length === 0
  }

  /** What does not fit of a value. */
  read(schema: Schema, value: Json): ReadonlyArray<Misfit> {
    this.fits(schema, value, root, undefined)
    return this.found.map(({ at, message }) => ({ path: pathOf(at), message: message() }))
  }

  private fits(schema: Schema, value: Json, at: Place, looked: Looked | undefined): boolean {
    if (schema === true || ++this.steps > mostSteps || this.depth > deepest) return true
    if (schema === false) return this.miss(at, () => "Is not allowed here.")
    if (!isNode(schema)) {
      return !this.settings.references || this.miss(at, () => "The schema refers to something that is not there.")
    }
    this.depth++
    // What stands beside this schema does not count for it, and what it looks at counts for the one around it.
    const own = this.looking()
    const fits = this.node(schema, value, at, own)
    addLooked(looked, own)
    this.depth--
    return fits
  }

  private node(schema: JsonObject, value: Json, at: Place, looked: Looked | undefined): boolean {
    const refers = this.refers(schema, value, at, looked)
    if (refers !== undefined && (this.full || this.settings.document.referenceAlone)) return refers
    let fits = this.isAny(schema, value, at) && refers !== false
    if (this.full) return false
    fits = this.parts(schema, value, at, looked) && fits
    if (this.full) return false
    fits = this.combined(schema, value, at, looked) && fits
    return looked === undefined || this.full ? fits : this.unevaluated(schema, value, at, looked) && fits
  }

  private parts(schema: JsonObject, value: Json, at: Place, looked: Looked | undefined): boolean {
    if (typeof value === "string") return this.string(schema, value, at)
    if (typeof value === "number") return this.number(schema, value, at)
    if (Array.isArray(value)) return this.array(schema, value as ReadonlyArray<Json>, at, looked)
    return !isNode(value) || this.object(schema, value, at, looked)
  }

  /** Whether what a node refers to fits; `undefined` where it refers to nothing. */
  private refers(schema: JsonObject, value: Json, at: Place, looked: Looked | undefined): boolean | undefined {
    let fits: boolean | undefined
    for (const keyword of ["$ref", "$dynamicRef", "$recursiveRef"]) {
      const reference = schema[keyword]
      if (typeof reference !== "string") continue
      if (this.references >= mostReferences) {
        return !this.settings.references || this.miss(at, () => "The schema refers only to itself.")
      }
      this.references++
      fits = this.fits(this.settings.document.resolve(reference), value, at, looked) && fits !== false
      this.references--
    }
    return fits
  }

  /** Deeper in the value, references begin anew. */
  private below(schema: Schema, value: Json, at: Place): boolean {
    const { references } = this
    this.references = 0
    const fits = this.fits(schema, value, at, undefined)
    this.references = references
    return fits
  }

  private isAny(schema: JsonObject, value: Json, at: Place): boolean {
    const { const: only, enum: choices } = schema
    const types = typesOf(schema)
    if (types !== undefined && !types.some((one) => isType(value, one))) {
      return this.miss(at, () => `Must be ${types.join(" or ")}. Got ${typeOf(value)}.`)
    }
    if (Array.isArray(choices) && !isAmong(choices as ReadonlyArray<Json>, value)) {
      return this.miss(at, () => `Must be one of ${shown(choices as Json)}. Got ${shown(value)}.`)
    }
    return only === undefined || isSame(only, value) ||
      this.miss(at, () => `Must be ${shown(only)}. Got ${shown(value)}.`)
  }

  private limit(schema: JsonObject, keyword: string, holds: (limit: number) => boolean, at: Place, words: string) {
    const limit = schema[keyword]
    return typeof limit !== "number" || holds(limit) || this.miss(at, () => `Must have ${words} ${limit}.`)
  }

  private string(schema: JsonObject, value: string, at: Place): boolean {
    const { format, pattern } = schema
    if (schema["minLength"] !== undefined || schema["maxLength"] !== undefined) {
      const length = lengthOf(value)
      if (!this.limit(schema, "minLength", (limit) => length >= limit, at, "a length of at least")) return false
      if (!this.limit(schema, "maxLength", (limit) => length <= limit, at, "a length of at most")) return false
    }
    if (typeof pattern === "string" && !matches(pattern, value)) {
      return this.miss(at, () => `Must match the pattern ${shown(pattern)}. Got ${shown(value)}.`)
    }
    return !this.settings.formats || typeof format !== "string" || hasFormat(format, value) ||
      this.miss(at, () => `Must be a ${shown(format)}. Got ${shown(value)}.`)
  }

  private number(schema: JsonObject, value: number, at: Place): boolean {
    const { multipleOf } = schema
    if (typeof multipleOf === "number" && multipleOf > 0 && !isMultiple(value, multipleOf)) {
      return this.miss(at, () => `Must be a multiple of ${multipleOf}. Got ${value}.`)
    }
    const { exclusiveMaximum: below, exclusiveMinimum: above, maximum, minimum } = boundsOf(schema)
    const compare = (holds: boolean, words: string, limit: number | undefined): boolean =>
      limit === undefined || holds || this.miss(at, () => `Must be ${words} ${limit}. Got ${value}.`)
    return compare(value >= minimum!, "at least", minimum) && compare(value <= maximum!, "at most", maximum) &&
      compare(value > above!, "more than", above) && compare(value < below!, "less than", below)
  }

  private array(schema: JsonObject, value: ReadonlyArray<Json>, at: Place, looked: Looked | undefined): boolean {
    if (
      !this.limit(schema, "minItems", (limit) => value.length >= limit, at, "a number of items of at least") ||
      !this.limit(schema, "maxItems", (limit) => value.length <= limit, at, "a number of items of at most")
    ) return false
    // Older drafts have the schemas of the first items in `items`, and those of the rest in `additionalItems`.
    const older = Array.isArray(schema["items"])
    const firsts = older ? schema["items"] : schema["prefixItems"]
    const rest = older ? schema["additionalItems"] : schema["items"]
    const prefix = Array.isArray(firsts) ? firsts as ReadonlyArray<Json> : []
    const held = rest === undefined || rest === true ? Math.min(prefix.length, value.length) : value.length
    let fits = true
    for (let index = 0; index < held && !this.full; index++) {
      fits = this.below(index < prefix.length ? prefix[index] : rest, value[index]!, below(at, index)) && fits
    }
    if (looked !== undefined) looked.items = Math.max(looked.items, rest === true ? value.length : held)
    return this.contains(schema, value, at, looked) && this.unique(schema, value, at) && fits
  }

  private unique(schema: JsonObject, value: ReadonlyArray<Json>, at: Place): boolean {
    if (schema["uniqueItems"] !== true) return true
    const seen = new Set<string>()
    for (const one of value) {
      const text = canonical(one)
      if (seen.has(text)) return this.miss(at, () => `Its items must differ. Twice: ${shown(one)}.`)
      seen.add(text)
    }
    return true
  }

  private contains(schema: JsonObject, value: ReadonlyArray<Json>, at: Place, looked: Looked | undefined): boolean {
    const { contains, maxContains, minContains } = schema
    if (contains === undefined) return true
    let count = 0
    value.forEach((one, index) => {
      if (!this.quietly(contains, one, at, undefined)) return
      count++
      looked?.places.add(index)
    })
    const least = typeof minContains === "number" ? minContains : 1
    if (count < least) return this.miss(at, () => `Must have at least ${least} item(s) like ${shown(contains)}.`)
    return typeof maxContains !== "number" || count <= maxContains ||
      this.miss(at, () => `Must have at most ${maxContains} item(s) like ${shown(contains)}.`)
  }

  private object(schema: JsonObject, value: JsonObject, at: Place, looked: Looked | undefined): boolean {
    const names = Object.keys(value)
    const { required } = schema
    let fits =
      this.limit(schema, "minProperties", (limit) => names.length >= limit, at, "a number of fields of at least") &&
      this.limit(schema, "maxProperties", (limit) => names.length <= limit, at, "a number of fields of at most")
    for (const name of Array.isArray(required) ? required as ReadonlyArray<Json> : []) {
      if (this.full) return false
      if (typeof name === "string" && !Object.hasOwn(value, name)) {
        fits = this.miss(below(at, name), () => "Is missing.")
      }
    }
    fits = this.members(schema, value, names, at, looked) && fits
    return this.dependent(schema, value, at, looked) && fits
  }

  private members(
    schema: JsonObject,
    value: JsonObject,
    names: ReadonlyArray<string>,
    at: Place,
    looked: Looked | undefined
  ): boolean {
    const { additionalProperties, patternProperties, properties, propertyNames } = schema
    const own = isNode(properties) ? properties : undefined
    // A pattern that is none is an annotation.
    const patterns = isNode(patternProperties)
      ? Object.entries(patternProperties).filter(([pattern]) => patternOf(pattern) !== undefined)
      : []
    let fits = true
    for (const name of names) {
      if (this.full) return false
      const child = value[name]!
      const inside = below(at, name)
      const known = own === undefined ? undefined : ownOf(own, name)
      let isKnown = known !== undefined
      if (known !== undefined) fits = this.below(known, child, inside) && fits
      for (const [pattern, one] of patterns) {
        if (++this.steps > mostSteps || !matches(pattern, name)) continue
        isKnown = true
        fits = this.below(one, child, inside) && fits
      }
      if (!isKnown && additionalProperties !== undefined) {
        isKnown = true
        fits = additionalProperties === false
          ? this.miss(inside, () => "There is no such field.")
          : this.below(additionalProperties, child, inside) && fits
      }
      if (isKnown) looked?.keys.add(name)
      if (propertyNames !== undefined && !this.quietly(propertyNames, name, inside, undefined)) {
        fits = this.miss(inside, () => `The name ${shown(name)} is not allowed.`)
      }
    }
    return fits
  }

  private dependent(schema: JsonObject, value: JsonObject, at: Place, looked: Looked | undefined): boolean {
    let fits = true
    for (const keyword of ["dependentRequired", "dependentSchemas", "dependencies"]) {
      const table = schema[keyword]
      if (!isNode(table)) continue
      for (const [name, needs] of Object.entries(table)) {
        if (this.full) return false
        if (!Object.hasOwn(value, name)) continue
        if (!Array.isArray(needs)) {
          fits = this.fits(needs, value, at, looked) && fits
          continue
        }
        for (const other of needs as ReadonlyArray<Json>) {
          if (typeof other !== "string" || Object.hasOwn(value, other)) continue
          fits = this.miss(below(at, other), () => `Is missing, and ${shown(name)} needs it.`)
        }
      }
    }
    return fits
  }

  private combined(schema: JsonObject, value: Json, at: Place, looked: Looked | undefined): boolean {
    const { allOf, anyOf, if: condition, not, oneOf } = schema
    let fits = true
    for (const one of Array.isArray(allOf) ? allOf as ReadonlyArray<Json> : []) {
      if (this.full) return false
      fits = this.fits(one, value, at, looked) && fits
    }
    if (Array.isArray(anyOf)) fits = this.choices(anyOf as ReadonlyArray<Json>, false, value, at, looked) && fits
    if (this.full) return false
    if (Array.isArray(oneOf)) fits = this.choices(oneOf as ReadonlyArray<Json>, true, value, at, looked) && fits
    if (not !== undefined && this.quietly(not, value, at, undefined)) {
      fits = this.miss(at, () => `Must not be like ${shown(not)}.`)
    }
    if (condition === undefined || this.full) return fits
    const seen = this.looking()
    const holds = this.quietly(condition, value, at, seen)
    if (holds) addLooked(looked, seen)
    const branch = schema[holds ? "then" : "else"]
    return branch === undefined ? fits : this.fits(branch, value, at, looked) && fits
  }

  /** Each is tried once, so that choices within choices do not multiply. */
  private choices(
    choices: ReadonlyArray<Json>,
    onlyOne: boolean,
    value: Json,
    at: Place,
    looked: Looked | undefined
  ): boolean {
    let fitting = 0
    const missed: Array<ReadonlyArray<Found>> = []
    for (const choice of choices) {
      const seen = this.looking()
      const tried = this.tried(choice, value, at, seen, this.most)
      if (tried.length > 0) {
        missed.push(tried)
        continue
      }
      fitting++
      addLooked(looked, seen)
      // The others matter for what they have looked at.
      if (!onlyOne && looked === undefined) return true
    }
    if (fitting === 0) return this.noChoice(missed, value, at)
    return !onlyOne || fitting === 1 || this.miss(at, () => "Fits more than one of the choices.")
  }

  /** Tells what is wrong with the choice that comes nearest: of those with the right type, the one with the fewest misfits. */
  private noChoice(missed: ReadonlyArray<ReadonlyArray<Found>>, value: Json, at: Place): false {
    const reach = (misfits: ReadonlyArray<Found>) => Math.max(...misfits.map(({ at }) => at.depth))
    let nearest: ReadonlyArray<Found> | undefined
    for (const one of missed) {
      if (reach(one) <= at.depth) continue
      if (
        nearest === undefined || one.length < nearest.length ||
        (one.length === nearest.length && reach(one) > reach(nearest))
      ) nearest = one
    }
    if (nearest === undefined) {
      return this.miss(at, () => `Fits none of the ${missed.length} choices. Got ${shown(value)}.`)
    }
    for (const one of nearest) this.miss(one.at, one.message)
    return false
  }

  private unevaluated(schema: JsonObject, value: Json, at: Place, looked: Looked): boolean {
    const { unevaluatedItems, unevaluatedProperties } = schema
    let fits = true
    if (unevaluatedProperties !== undefined && isNode(value)) {
      for (const name of Object.keys(value)) {
        if (looked.keys.has(name)) continue
        fits = this.below(unevaluatedProperties, value[name]!, below(at, name)) && fits
        looked.keys.add(name)
      }
    }
    if (unevaluatedItems !== undefined && Array.isArray(value)) {
      ;(value as ReadonlyArray<Json>).forEach((one, index) => {
        if (index < looked.items || looked.places.has(index)) return
        fits = this.below(unevaluatedItems, one, below(at, index)) && fits
      })
      looked.items = value.length
    }
    return fits
  }
}

const documents = new WeakMap<object, Document>()
const noDocument = new Document({})

/**
 * A schema, read once.
 *
 * @stability stable
 * @category reading
 * @since 0.1.0
 */
export const documentOf = (schema: JsonObject): Document => {
  let document = documents.get(schema)
  if (document === undefined) documents.set(schema, document = new Document(schema))
  return document
}

/**
 * What of a value does not fit a schema, formats included; empty when it fits. At most ten misfits are told. A reference to a schema that
 * is not there, or to another document, fits nothing.
 *
 * @stability stable
 * @category validation
 * @since 0.1.0
 */
export const misfits = (schema: Json, value: Json): ReadonlyArray<Misfit> => {
  const document = isNode(schema) ? documentOf(schema) : noDocument
  return new Reader({ document, most, formats: true, references: true }).read(schema, value)
}

/**
 * Where a value breaks a schema of a document first, or `undefined` when it fits. `at` is the schema within the document. Formats are
 * annotations, as the standard has it by default, and a reference that leads nowhere fits.
 *
 * @stability stable
 * @category validation
 * @since 0.1.0
 */
export const misfitOf = (document: Document, value: Json, at: Json = document.root): Misfit | undefined =>
  new Reader({ document, most: 1, formats: false, references: false }).read(at, value)[0]
