/**
 * Reads configurations out of values and texts, and tells everything that is wrong with one at once.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Toml from "effect/encoding/Toml"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { maxJsonDepth } from "../json/depth.ts"
import { isTooDeep, parseJsonUnsafe } from "../json/parse.ts"
import type * as LlmError from "../LlmError.ts"
import { providerIds } from "../provider/Llm.ts"
import { json, withJsonBudget } from "../validation/json.ts"
import { type Check, reading } from "../validation/values.ts"
import type { Extensions } from "./jsonSchema.ts"
import { linesOf } from "./lines.ts"
import * as Problems from "./problems.ts"
import { problemsBetween } from "./relations.ts"
import { LlmConfig } from "./schema.ts"

/**
 * How a configuration is read.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ReadOptions {
  /**
   * Whether a field that nobody knows is a problem. Without it such fields are read over, as those of a later version are; what looks like
   * a key is refused all the same.
   *
   * @default true
   */
  readonly strict?: boolean | undefined
  /** Tables of others, by name, each checked by its owner's schema; see `extension`. `gateway` is known without it, but not checked. */
  readonly extensions?: Extensions | undefined
}

/**
 * Something wrong with a configuration.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface Problem {
  /** Its place, such as `instances.fast.retry.retries`; empty for the whole. What may be a key is not shown. */
  readonly path: string
  /** What is wrong. No value of the file stands there but names. */
  readonly message: string
  /** The name that was probably meant, or that is to stand there instead. */
  readonly suggestion?: string | undefined
  /** The line of the text, from 1, where it was found. */
  readonly line?: number | undefined
}

/**
 * Formats of configuration files.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type Format = "toml" | "json"

// =============================================================================
// Values
// =============================================================================

const decodeShape = Schema.decodeUnknownResult(LlmConfig, { onExcessProperty: "error", errors: "all" })
const decodeLeniently = Schema.decodeUnknownResult(LlmConfig, { onExcessProperty: "ignore", errors: "all" })

/** A provider that nobody knows gets a suggestion instead of a list of literals. */
const withProvider = (raw: unknown) => (problem: Problems.Found): Problems.Found => {
  const { path } = problem
  const given = Problems.at(raw, path)
  return path.length === 3 && path[0] === "instances" && path[2] === "provider" && typeof given === "string"
    ? Problems.ofName(path, `${Problems.quoted(given)} is not a provider`, given, providerIds)
    : problem
}

/** Durations, and keys that code gives, are the only values of a configuration that are no plain data. */
const plainData: Check = reading((raw) =>
  json(raw, (value) => Duration.isDuration(value) || Redacted.isRedacted(value))
)

const pathOf = ({ field }: { readonly field: string }): ReadonlyArray<PropertyKey> =>
  field === "" ? [] : field.replace(/^\./, "").split(".")

const isTable = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What is the library's of a value, and the tables of others. */
const parted = (raw: unknown, extensions: Extensions) => {
  if (!isTable(raw)) return { own: raw, tables: {} }
  const entries = Object.entries(raw)
  const isOthers = ([name]: readonly [string, unknown]) => Object.hasOwn(extensions, name)
  return {
    own: Object.fromEntries(entries.filter((entry) => !isOthers(entry))),
    tables: Object.fromEntries(entries.filter(isOthers))
  }
}

const beginsWith = (path: ReadonlyArray<PropertyKey>, start: ReadonlyArray<PropertyKey>): boolean =>
  start.every((step, at) => String(path[at]) === String(step))

/** Each place once for what hides more: a key in the wrong place is nothing else besides. */
const onceEach = (problems: ReadonlyArray<Problems.Found>): ReadonlyArray<Problems.Found> => {
  const seen = new Set<string>()
  const keys = new Set<string>()
  return problems.filter(({ message, path }) => {
    const place = JSON.stringify(path.map(String))
    if (keys.has(place)) return false
    if (message === Problems.noSecrets) keys.add(place)
    const key = `${place} ${message}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

type Decoded =
  | { readonly _tag: "Read"; readonly config: LlmConfig }
  | { readonly _tag: "Wrong"; readonly problems: ReadonlyArray<Problems.Found> }

const wrong = (...problems: ReadonlyArray<Problems.Found>): Decoded => ({ _tag: "Wrong", problems })

/** Total: a value that is circular, too deep or cannot be read is no configuration. */
const decoded = (raw: unknown, options: ReadOptions = {}): Decoded => {
  const unfit = withJsonBudget(() => plainData(raw))
  if (unfit !== undefined) return wrong({ path: pathOf(unfit), message: unfit.message })
  const extensions = options.extensions ?? {}
  const { own, tables } = parted(raw, extensions)
  const shaped = decodeShape(own)
  const misshapen = Result.isFailure(shaped)
    ? Problems.ofIssue(shaped.failure.issue, own).map(withProvider(own))
    : []
  const between = problemsBetween(own, (path) => !misshapen.some((problem) => beginsWith(problem.path, path)))
  const ofOthers = Object.entries(tables).flatMap(([name, table]) => {
    const read = Schema.decodeUnknownResult(extensions[name]!, { onExcessProperty: "error", errors: "all" })(table)
    return Result.isFailure(read) ? Problems.ofIssue(read.failure.issue, table, [name]) : []
  })
  const problems = onceEach([...Problems.credentialsIn(raw), ...misshapen, ...between, ...ofOthers])
    .filter(({ isUnknownField }) => options.strict !== false || isUnknownField !== true)
  if (problems.length > 0) return wrong(...problems)
  const read = Result.isSuccess(shaped) ? shaped : decodeLeniently(own)
  return Result.isSuccess(read)
    ? { _tag: "Read", config: { ...read.success, ...tables } }
    : wrong(...Problems.ofIssue(read.failure.issue, own))
}

interface Origin {
  readonly source?: string | undefined
  readonly place?: ((path: ReadonlyArray<PropertyKey>) => string) | undefined
}

/**
 * Reads a value that is to be a configuration.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const decodeFrom = (
  raw: unknown,
  origin: Origin,
  options?: ReadOptions
): Result.Result<LlmConfig, LlmError.LlmError> => {
  const result = decoded(raw, options)
  return result._tag === "Read"
    ? Result.succeed(result.config)
    : Result.fail(Problems.error(result.problems, origin))
}

// =============================================================================
// Texts
// =============================================================================

const linePattern = /line (\d+),? column (\d+)/

/** Parsers quote the text around a mistake, which may be a key: only the place is kept. */
const placeIn = (message: string): string => {
  const found = linePattern.exec(message)
  return found === null ? "" : ` at line ${found[1]}, column ${found[2]}`
}

/** Characters of a configuration, and bytes of a file: far more than anybody writes. @stability stable @category limits @since 0.1.0 */
export const maxLength = 1024 * 1024

/** What is said of more. @stability stable @category messages @since 0.1.0 */
export const tooLong = "Is larger than 1 MiB, which no configuration is."

/**
 * The value of a text, or what is wrong with it.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const parseText = (given: string, format: Format): Result.Result<unknown, string> => {
  if (typeof given !== "string") return Result.fail("Is not a text.")
  if (given.length > maxLength) return Result.fail(tooLong)
  if (format === "toml") return Result.mapError(Toml.parse(given), ({ message }) => `Is not TOML${placeIn(message)}.`)
  if (format !== "json") return Result.fail("Is in no known format: a configuration is \"toml\" or \"json\".")
  try {
    return Result.succeed(parseJsonUnsafe(given.replace(/^\uFEFF/, "")))
  } catch (error) {
    if (isTooDeep(given)) return Result.fail(`Is JSON nested deeper than ${maxJsonDepth} levels.`)
    return Result.fail(`Is not JSON${error instanceof Error ? placeIn(error.message) : ""}.`)
  }
}

/** Problems in the order of the text; those whose line is not known come first. */
const inOrder = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> =>
  problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))

/**
 * Everything that is wrong with a configuration text, in the order of its lines; empty when nothing is. It asks no environment: whether keys are
 * there turns out when an instance is built.
 *
 * @example
 * ```ts
 * LlmConfig.problems("default = \"fast\"\n[instances.fats]\nprovider = \"antropic\"", "toml")
 * // [{ path: "default", message: "There is no …", suggestion: "fats", line: 1 },
 * //  { path: "instances.fats.provider", message: "\"antropic\" is not …", suggestion: "anthropic", line: 3 }]
 * ```
 *
 * @stability stable
 * @category checking
 * @since 0.1.0
 */
export const problems = (text: string, format: Format, options?: ReadOptions): ReadonlyArray<Problem> => {
  const parsed = parseText(text, format)
  if (Result.isFailure(parsed)) {
    const line = /at line (\d+)/.exec(parsed.failure)?.[1]
    return [{ path: "", message: parsed.failure, ...(line === undefined ? undefined : { line: Number(line) }) }]
  }
  const result = decoded(parsed.success, options)
  if (result._tag === "Read") return []
  const lineOf = linesOf(text, format)
  return inOrder(result.problems.map(({ message, path, suggestion }) => {
    const line = lineOf(path)
    return {
      path: Problems.placeOf(path),
      message,
      ...(suggestion === undefined ? undefined : { suggestion }),
      ...(line === undefined ? undefined : { line })
    }
  }))
}
