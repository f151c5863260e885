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
import { type Misfit, misfitOf } from "./Check.ts"
import type { Dialect, PlainDialect } from "./Dialect.ts"
import { Document } from "./Document.ts"
import { Lowering } from "./Lower.ts"
import type { Settings, Unheld } from "./Lowered.ts"
import { openApi } from "./OpenApi.ts"
import { plainRoot } from "./Plain.ts"
import { isNothing, read, type Undo, write } from "./Undo.ts"

/** Why a schema was not sent as asked, and what would help. @category models @since 0.1.0 */
export interface SchemaWarning {
  /** Where in the schema; empty for the root. */
  readonly at: string
  readonly message: string
}

/**
 * A schema for a dialect.
 *
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
  /** A value as the model would write it; the reverse of `undo`. */
  readonly write: (value: Json) => Json
  /** What the host cannot hold the model to, so that `check` has to. */
  readonly checks: ReadonlyArray<Unheld>
  /** Where a value breaks the schema that was given. */
  readonly check: (value: Json) => Misfit | undefined
  readonly warnings: ReadonlyArray<SchemaWarning>
  /** Members that may be left out, and unions, which some hosts count over a whole request. */
  readonly counts: { readonly optional: number; readonly unions: number }
  /** Why no request can carry it. */
  readonly refused?: string | undefined
}

/** How a schema is read. @category models @since 0.1.0 */
export interface CompileOptions {
  /**
   * Of an object that names members and does not say whether there are others: `closed` has none, `kept` asks for them as
   * pairs. @default "closed"
   */
  readonly undeclared?: "closed" | "kept" | undefined
}

const tooDeep = `A schema nested deeper than ${maxJsonDepth} levels cannot be sent: give it definitions.`
const unsized = 1_000_000

const compiledBy = new WeakMap<
  JsonObject,
  Map<Dialect | PlainDialect, { [undeclared in "closed" | "kept"]?: Compiled }>
>()
const documents = new WeakMap<JsonObject, Document>()

const documentOf = (schema: JsonObject): Document => {
  let document = documents.get(schema)
  if (document === undefined) documents.set(schema, document = new Document(schema))
  return document
}

/**
 * A schema in a dialect; once per schema value and dialect.
 *
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
): Pick<Compiled, "changed" | "undo" | "write" | "check"> => {
  const nothing = isNothing(undo)
  return {
    changed: !nothing,
    undo: nothing ? (answer) => answer : (answer) => read(undo, answer, sent),
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

/** Attempts at a schema, each shorter than the one before, where a host bounds the length. */
const attempts = (dialect: Dialect, undeclared: "closed" | "kept"): ReadonlyArray<Settings> => {
  const { length } = dialect.limits
  const first: Settings = {
    dialect,
    kept: undeclared === "kept",
    described: true,
    steps: length === undefined ? 30_000 : length / 8,
    depth: Infinity
  }
  return length === undefined ? [first] : [
    first,
    { ...first, described: false },
    ...[5, 4, 3, 2].map((depth) => ({ ...first, described: false, depth, steps: length / 20 }))
  ]
}

const strictly = (
  document: Document,
  dialect: Dialect,
  undeclared: "closed" | "kept"
): Compiled | { readonly why: SchemaWarning } => {
  let why: SchemaWarning | undefined
  for (const settings of attempts(dialect, undeclared)) {
    const made = attempt(document, settings)
    if (!("why" in made)) return made
    why = made.why
  }
  return { why: why! }
}

const attempt = (document: Document, settings: Settings): Compiled | { readonly why: SchemaWarning } => {
  const { dialect } = settings
  const fail = (message: string, at = "") => ({ why: { at, message } })
  let lowering = new Lowering(document, settings)
  let root = lowering.lower([document.root], { depth: 0, at: "" })
  const top = () => {
    const name = root === undefined ? undefined : root.schema["$ref"]
    return typeof name === "string" ? lowering.definitions[name.slice("#/$defs/".length)] as JsonObject : root!.schema
  }
  if (root === undefined) return fail("No value fits the schema: it was sent as it is.")
  if (!isRoot(top(), dialect)) {
    if (root.height + 1 > lowering.deepest) {
      // A level less, as the root will be wrapped.
      lowering = new Lowering(document, settings)
      root = lowering.lower([document.root], { depth: 1, at: "" }) ?? root
    }
    root = lowering.wrapped(root, "value")
  }
  const definitions = Object.keys(lowering.definitions).length === 0 ? undefined : lowering.definitions
  const schema: JsonObject = definitions === undefined ? top() : { ...top(), $defs: definitions }
  const counts = countsOf(schema)
  const { length } = dialect.limits
  if (length !== undefined || counts.size > unsized) {
    const characters = JSON.stringify(schema).length
    if (characters > (length ?? unsized * 20)) {
      return fail(
        `The schema has ${characters} characters, of which the host takes ${
          length ?? unsized * 20
        }: ask for less at once.`
      )
    }
  }
  const { limits } = dialect
  if (counts.optional > (limits.optional ?? Infinity)) {
    return fail(
      `The schema has ${counts.optional} members that may be absent, of which the host takes ${limits.optional}: require some.`
    )
  }
  if (counts.unions > (limits.unions ?? Infinity)) {
    return fail(`The schema has ${counts.unions} unions, of which the host takes ${limits.unions}: use fewer.`)
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

const isRoot = (schema: JsonObject, { root }: Dialect): boolean =>
  root === "any" || (root === "object" ? schema["type"] === "object" : typeof schema["type"] === "string") &&
    schema["anyOf"] === undefined && schema["$ref"] === undefined

const countsOf = (schema: JsonObject): { optional: number; unions: number; size: number } => {
  let optional = 0
  let unions = 0
  let size = 0
  const left: Array<Json> = [schema]
  while (left.length > 0) {
    const one = left.pop()!
    size++
    if (typeof one !== "object" || one === null) continue
    if (Array.isArray(one)) {
      left.push(...one as ReadonlyArray<Json>)
      continue
    }
    const node = one as JsonObject
    if (size > unsized * 2) break
    if (Array.isArray(node["anyOf"]) || (Array.isArray(node["type"]) && node["type"].length > 1)) unions++
    const { properties, required } = node
    if (
      node["type"] === "object" && typeof properties === "object" && properties !== null && !Array.isArray(properties)
    ) {
      optional += Object.keys(properties).length - (Array.isArray(required) ? required.length : 0)
      left.push(...Object.values(properties as JsonObject) as ReadonlyArray<Json>)
    }
    for (const key of ["items", "prefixItems", "anyOf", "additionalProperties"]) {
      if (node[key] !== undefined) left.push(node[key])
    }
    if (one === schema && node["$defs"] !== undefined) {
      left.push(...Object.values(node["$defs"] as JsonObject) as ReadonlyArray<Json>)
    }
  }
  return { optional, unions, size }
}
