/**
 * The one way of a JSON Schema to a provider and of its answers back: what is sent, whether the host may hold the model to
 * it, and the change of form that is undone when an answer comes.
 *
 * Objects that name members and do not say whether there are others have none, as schemas for models are meant; one that
 * says `additionalProperties: true` keeps them. Everything else that a value may be by the schema can be written in every
 * dialect, and everything that it may not be is held by the host or checked here.
 *
 * Pure and total: nothing throws, and the time grows with the size of the schema.
 *
 * @since 0.1.0
 */
import { maxJsonDepth } from "../../json/depth.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { Document } from "../../validation/jsonSchema/document.ts"
import { documentOf, type Misfit, misfitOf } from "../../validation/jsonSchema/misfits.ts"
import { type Counts, look } from "./Bounds.ts"
import type { Change } from "./Changing.ts"
import type { Dialect, PlainDialect } from "./Dialect.ts"
import { Lowering } from "./Lower.ts"
import type { Lowered, Settings, Unheld } from "./Lowered.ts"
import { openApi } from "./OpenApi.ts"
import { plainRoot } from "./Plain.ts"
import { isNothing, read, type Undo, write } from "./Undo.ts"

/** Why a schema was not sent as asked, and what would help. @stability experimental @category models @since 0.1.0 */
export interface SchemaWarning {
  /** Where in the schema; empty for the root. */
  readonly at: string
  /** What was changed or is only checked after, and why. */
  readonly message: string
}

/**
 * A schema for a dialect.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Compiled {
  /** What is sent. */
  readonly schema: JsonObject
  /** Whether the host can hold the model to it. */
  readonly strict: boolean
  /** Whether an answer has another form than the schema that was given says. */
  readonly changed: boolean
  /** The value of an answer. What has another form than was asked for stays as it is. */
  readonly undo: (answer: Json) => Json
  /** The same of text that is still coming. */
  readonly change: Change
  /** A value as the model would write it; the reverse of `undo`. */
  readonly write: (value: Json) => Json
  /** What the host cannot hold the model to, so that `check` has to. */
  readonly checks: ReadonlyArray<Unheld>
  /** Where a value breaks the schema that was given. */
  readonly check: (value: Json) => Misfit | undefined
  /** What the host does not hold the model to. */
  readonly warnings: ReadonlyArray<SchemaWarning>
  /** Members that may be left out, and unions, which some hosts count over a whole request. */
  readonly counts: Counts
  /** Why no request can carry it. */
  readonly refused?: string | undefined
}

/** How a schema is read. @stability experimental @category models @since 0.1.0 */
export interface CompileOptions {
  /**
   * Of an object that names members and does not say whether there are others: `closed` has none, `kept` asks for them as
   * pairs. @default "closed"
   */
  readonly undeclared?: "closed" | "kept" | undefined
}

const tooDeep = `A schema nested deeper than ${maxJsonDepth} levels cannot be sent: give it definitions.`

/** Shapes that are lowered for each value of the schema, so that the time grows with its size whatever its references do. */
const stepsOf = 2
const leastSteps = 200

const compiledBy = new WeakMap<
  JsonObject,
  Map<Dialect | PlainDialect, { [undeclared in "closed" | "kept"]?: Compiled }>
>()

/**
 * A schema in a dialect; once per schema value and dialect.
 *
 * @stability experimental
 * @category compiling
 * @since 0.1.0
 */
export const compile = (
  schema: JsonObject,
  dialect: Dialect | PlainDialect,
  options: CompileOptions = {}
): Compiled => {
  const undeclared = options.undeclared ?? "closed"
  let byDialect = compiledBy.get(schema)
  if (byDialect === undefined) compiledBy.set(schema, byDialect = new Map())
  let made = byDialect.get(dialect)
  if (made === undefined) byDialect.set(dialect, made = {})
  return made[undeclared] ??= compiled(schema, dialect, undeclared)
}

const compiled = (schema: JsonObject, dialect: Dialect | PlainDialect, undeclared: "closed" | "kept"): Compiled => {
  const document = documentOf(schema)
  if (document.depth > maxJsonDepth) {
    return {
      schema: {},
      strict: false,
      changed: false,
      undo: (answer) => answer,
      change: { undo: undefined, read: (_, value) => value },
      write: (value) => value,
      checks: [],
      check: () => undefined,
      warnings: [{ at: "", message: tooDeep }],
      counts: { optional: 0, unions: 0 },
      refused: tooDeep
    }
  }
  if ("plain" in dialect) return asHint(document, dialect, [])
  const found = strictly(document, dialect, undeclared)
  return "why" in found ? asHint(document, fallback(dialect), [found.why]) : found
}

const fallback = ({ name, root, url }: Dialect): PlainDialect => ({
  plain: true,
  name,
  url,
  root: root === "any" ? "any" : "object",
  properties: true
})

const finished = (
  document: Document,
  sent: Document,
  undo: Undo | undefined
): Pick<Compiled, "changed" | "undo" | "change" | "write" | "check"> => {
  const nothing = isNothing(undo)
  return {
    changed: !nothing,
    undo: nothing ? (answer) => answer : (answer) => read(undo, answer, sent),
    change: { undo, read: (part, value) => read(part, value, sent) },
    write: nothing ? (value) => value : (value) => write(undo, value, sent),
    check: (value) => misfitOf(document, value)
  }
}

const asHint = (document: Document, dialect: PlainDialect, warnings: ReadonlyArray<SchemaWarning>): Compiled => {
  const { checks, schema, undo } = dialect.root === "any"
    ? { schema: document.root, undo: undefined, checks: [] }
    : plainRoot(document, dialect.properties === true)
  return {
    schema,
    strict: false,
    ...finished(document, new Document(schema), undo),
    checks,
    warnings,
    counts: { optional: 0, unions: 0 }
  }
}

/** Attempts at a schema, each with less of what a host bounds than the one before. */
const attempts = (document: Document, dialect: Dialect, undeclared: "closed" | "kept"): ReadonlyArray<Settings> => {
  const { depth, enumValues, length, names, optional, properties, unions } = dialect.limits
  const first: Settings = {
    dialect,
    kept: undeclared === "kept",
    described: true,
    steps: length === undefined ? leastSteps + stepsOf * document.size : length / 8,
    depth: Infinity
  }
  const tighter = (by: number): Settings => ({
    ...first,
    dialect: {
      ...dialect,
      references: dialect.references === "optional" ? "acyclic" : dialect.references,
      limits: {
        ...dialect.limits,
        ...(properties === undefined ? undefined : { properties: Math.floor(properties / by) }),
        ...(enumValues === undefined ? undefined : { enumValues: Math.floor(enumValues / by) }),
        ...(names === undefined ? undefined : { names: Math.floor(names / by) }),
        ...(optional === undefined ? undefined : { optional: Math.floor(optional / by) }),
        ...(unions === undefined ? undefined : { unions: Math.floor(unions / by) })
      }
    },
    depth: depth === undefined ? Infinity : Math.max(2, depth - Math.floor(by / 2))
  })
  return length === undefined ? [first, tighter(2), tighter(8)] : [
    first,
    { ...tighter(2), described: false },
    ...[5, 4, 3, 2].map((deepest) => ({ ...first, described: false, depth: deepest, steps: length / 20 }))
  ]
}

const strictly = (
  document: Document,
  dialect: Dialect,
  undeclared: "closed" | "kept"
): Compiled | { readonly why: SchemaWarning } => {
  let why: SchemaWarning | undefined
  for (const settings of attempts(document, dialect, undeclared)) {
    const made = attempt(document, settings, dialect)
    if (!("why" in made)) return made
    why = made.why
    if (made.final === true) break
  }
  return { why: why! }
}

interface Failed {
  readonly why: SchemaWarning
  /** Whether less would not help. */
  readonly final?: boolean
}

const attempt = (document: Document, settings: Settings, dialect: Dialect): Compiled | Failed => {
  let lowering = new Lowering(document, settings)
  let root = lowering.lower([document.root], { depth: 0, at: "" })
  if (root === undefined) {
    return { why: { at: "", message: "No value fits the schema: it was sent as it is." }, final: true }
  }
  if (!isRoot(bodyOf(root, lowering), dialect) || root.undo?.kind === "text") {
    if (root.height + 1 > lowering.deepest) {
      // A level less, as the root will be wrapped.
      lowering = new Lowering(document, settings)
      root = lowering.lower([document.root], { depth: 1, at: "" }) ?? root
    }
    root = lowering.wrapped(root, "value")
  }
  const whole: JsonObject = { ...bodyOf(root, lowering), $defs: lowering.definitions }
  const { counts, problem, used } = look(whole, dialect)
  const help = "Ask for less at once."
  if (problem !== undefined) return { why: { at: "", message: `The schema has ${problem}. ${help}` } }
  const definitions = Object.entries(lowering.definitions).filter(([name]) => used.has(name))
  const { $defs: _, ...body } = whole
  const schema: JsonObject = definitions.length === 0
    ? body as JsonObject
    : { ...body, $defs: Object.fromEntries(definitions) } as JsonObject
  const { length } = dialect.limits
  if (length !== undefined) {
    const characters = JSON.stringify(schema).length
    if (characters > length) {
      const message = `The schema has ${characters} characters, of which the host takes ${length}. ${help}`
      return { why: { at: "", message } }
    }
  }
  return {
    schema: dialect.spelling === "openapi" ? openApi(schema) : schema,
    strict: true,
    ...finished(document, new Document(schema), root.undo),
    checks: lowering.unheld,
    warnings: [...lowering.reasons].map(([reason, at]) => ({
      at,
      message: `${dialect.name} has no form for ${reason}: it is asked for as JSON text in a string.`
    })),
    counts
  }
}

const bodyOf = ({ schema }: Lowered, { definitions }: Lowering): JsonObject =>
  typeof schema["$ref"] === "string" ? definitions[schema["$ref"].slice("#/$defs/".length)] as JsonObject : schema

const isRoot = (schema: JsonObject, { root }: Dialect): boolean =>
  root === "any" || (root === "object" ? schema["type"] === "object" : typeof schema["type"] === "string") &&
    schema["anyOf"] === undefined && schema["$ref"] === undefined
