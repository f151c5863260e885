/**
 * Configuration as data: named instances of providers with their policies, from TOML, JSON or the environment.
 *
 * A configuration is `{ default, instances }`. An instance names a provider and what is particular to it; keys are
 * never part of it, only the names of the variables that hold them. `layer` makes an instance a layer of `LlmService`,
 * with its declared policies in this order from the inside out: `timeouts`, `rateLimit`, `concurrency`, `retry`,
 * `fallback`, `timeout`.
 *
 * Whatever is wrong is an `LlmError` with reason `Configuration` that names the place and the known names, found when
 * the configuration is read. Several instances at run time, and files that change, are `Registry`'s.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Toml from "effect/encoding/Toml"
import * as FileSystem from "effect/FileSystem"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { maxJsonDepth } from "../json/depth.ts"
import { isTooDeep, parseJsonUnsafe } from "../json/parse.ts"
import type * as LlmError from "../LlmError.ts"
import { type RequestOptions, validate } from "../LlmRequest.ts"
import { LlmService } from "../LlmService.ts"
import { providerIds } from "../provider/Llm.ts"
import type { ServiceLayer } from "../provider/Provider.ts"
import { holdsCredential } from "../validation/credentialNames.ts"
import { json, withJsonBudget } from "../validation/json.ts"
import { type Check, reading } from "../validation/values.ts"
import * as Environment from "./environment.ts"
import * as Instances from "./instances.ts"
import * as OwnOptions from "./ownOptions.ts"
import * as Problems from "./problems.ts"
import { type Instance, LlmConfig } from "./schema.ts"

export * from "./schema.ts"

// =============================================================================
// Decoding
// =============================================================================

const decodeShape = Schema.decodeUnknownResult(LlmConfig, { onExcessProperty: "error", errors: "all" })

const at = (value: unknown, path: ReadonlyArray<PropertyKey>): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value
  )

/** A provider that nobody knows gets a suggestion instead of a list of literals. */
const withProvider = (raw: unknown) => (problem: Problems.Problem): Problems.Problem => {
  const { path } = problem
  const given = at(raw, path)
  return path.length === 3 && path[0] === "instances" && path[2] === "provider" && typeof given === "string"
    ? { path, message: `${Problems.quoted(given)} is not a provider. ${Problems.unknownName(given, providerIds)}` }
    : problem
}

const problemsOfInstance = (name: string, instance: Instance, names: ReadonlyArray<string>, config: LlmConfig) => {
  const path = ["instances", name]
  const problems: Array<Problems.Problem> = []
  const add = (message: string, ...inner: ReadonlyArray<PropertyKey>) =>
    problems.push({ path: [...path, ...inner], message })

  const url = instance.baseUrl === undefined ? null : URL.parse(instance.baseUrl)
  if (url !== null && (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")) {
    add("A base URL has no user, password, query or fragment.", "baseUrl")
  }
  for (const header of Object.keys(instance.headers ?? {})) {
    if (holdsCredential(header)) add(Problems.noSecrets, "headers", header)
  }
  if (instance.defaults !== undefined) {
    const wrong = validate({ ...instance.defaults as RequestOptions, prompt: "-" })
    if (wrong !== undefined) add(wrong.message, "defaults", ...wrong.field.split("."))
  }
  const seen = new Set<string>()
  for (const [index, other] of (instance.fallback ?? []).entries()) {
    if (other === name) add("An instance cannot be its own fallback.", "fallback", index)
    else if (!Object.hasOwn(config.instances, other)) {
      add(`There is no instance ${Problems.quoted(other)}. ${Problems.unknownName(other, names)}`, "fallback", index)
    } else if (seen.has(other)) add(`${Problems.quoted(other)} is there twice.`, "fallback", index)
    seen.add(other)
  }
  if (instance.options !== undefined) {
    const { schema } = OwnOptions.of(instance.provider)
    const decoded = Schema.decodeResult(schema, { onExcessProperty: "error", errors: "all" })(instance.options)
    if (Result.isFailure(decoded)) {
      for (const problem of Problems.ofIssue(decoded.failure.issue, [...path, "options"])) problems.push(problem)
    }
  }
  return problems
}

const problemsOf = (config: LlmConfig): ReadonlyArray<Problems.Problem> => {
  const names = Object.keys(config.instances)
  const problems = names.flatMap((name) => problemsOfInstance(name, config.instances[name]!, names, config))
  return names.includes(config.default)
    ? problems
    : [{
      path: ["default"],
      message: `There is no instance ${Problems.quoted(config.default)}. ${Problems.unknownName(config.default, names)}`
    }, ...problems]
}

/** Durations are the only values of a configuration that are no plain data. */
const plainData: Check = reading((raw) => json(raw, Duration.isDuration))

const pathOf = ({ field }: { readonly field: string }): ReadonlyArray<PropertyKey> =>
  field === "" ? [] : field.replace(/^\./, "").split(".")

interface Origin {
  readonly source?: string | undefined
  readonly place?: ((path: ReadonlyArray<PropertyKey>) => string) | undefined
}

/** Total: a value that is circular, too deep or cannot be read is no configuration. */
const decodeFrom = (raw: unknown, origin: Origin): Result.Result<LlmConfig, LlmError.LlmError> => {
  const unfit = withJsonBudget(() => plainData(raw))
  if (unfit !== undefined) return Result.fail(Problems.error([{ path: pathOf(unfit), message: unfit.message }], origin))
  const pasted = Problems.credentialsIn(raw)
  if (pasted.length > 0) return Result.fail(Problems.error(pasted, origin))
  const decoded = decodeShape(raw)
  if (Result.isFailure(decoded)) {
    return Result.fail(Problems.error(Problems.ofIssue(decoded.failure.issue).map(withProvider(raw)), origin))
  }
  const problems = problemsOf(decoded.success)
  return problems.length === 0 ? Result.succeed(decoded.success) : Result.fail(Problems.error(problems, origin))
}

/**
 * Checks a value that is to be a configuration; `source` is named in the error.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = (value: unknown, source?: string): Effect.Effect<LlmConfig, LlmError.LlmError> =>
  Effect.suspend(() => Effect.fromResult(decodeFrom(value, { source })))

// =============================================================================
// Text and files
// =============================================================================

/**
 * Formats of configuration files.
 *
 * @category models
 * @since 0.1.0
 */
export type Format = "toml" | "json"

/** Parsers quote the text around a mistake, which may be a key: only the place is kept. */
const placeIn = (message: string): string => {
  const found = /line (\d+),? column (\d+)/.exec(message)
  return found === null ? "" : ` at line ${found[1]}, column ${found[2]}`
}

/** Characters of a configuration, and bytes of a file: far more than anybody writes. */
const maxLength = 1024 * 1024

const tooLong = "Is larger than 1 MiB, which no configuration is."

const parseText = (given: string, format: Format): Result.Result<unknown, string> => {
  if (typeof given !== "string") return Result.fail("Is not a text.")
  if (given.length > maxLength) return Result.fail(tooLong)
  if (format === "toml") return Result.mapError(Toml.parse(given), ({ message }) => `Is not TOML${placeIn(message)}.`)
  try {
    return Result.succeed(parseJsonUnsafe(given.replace(/^\uFEFF/, "")))
  } catch (error) {
    if (isTooDeep(given)) return Result.fail(`Is JSON nested deeper than ${maxJsonDepth} levels.`)
    return Result.fail(`Is not JSON${error instanceof Error ? placeIn(error.message) : ""}.`)
  }
}

/**
 * Reads a configuration from text; `source` is named in the error.
 *
 * @example
 * ```ts
 * const config = yield* LlmConfig.parse(`
 *   default = "fast"
 *   [instances.fast]
 *   provider = "anthropic"
 *   model = "claude-haiku-4-5"
 * `, "toml")
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (
  given: string,
  format: Format,
  source?: string
): Effect.Effect<LlmConfig, LlmError.LlmError> =>
  Effect.suspend(() => {
    const parsed = parseText(given, format)
    return Result.isFailure(parsed)
      ? Effect.fail(Problems.error([{ path: [], message: parsed.failure }], { source }))
      : Effect.fromResult(decodeFrom(parsed.success, { source }))
  })

/**
 * The format of a file by the end of its name.
 *
 * @category constructors
 * @since 0.1.0
 */
export const formatOf = (path: string): Effect.Effect<Format, LlmError.LlmError> => {
  const end = typeof path === "string" ? /\.(toml|json)$/i.exec(path)?.[1]?.toLowerCase() : "none"
  if (end === "none") return Effect.fail(Problems.configuration("The path of a configuration file must be a text."))
  return end === undefined
    ? Effect.fail(Problems.configuration(`${path}: A configuration file ends in .toml or .json.`))
    : Effect.succeed(end as Format)
}

/**
 * The text of a configuration file.
 *
 * @category constructors
 * @since 0.1.0
 */
export const readText = (path: string): Effect.Effect<string, LlmError.LlmError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const size = yield* Effect.orElseSucceed(Effect.map(files.stat(path), ({ size }) => Number(size)), () => 0)
    if (size > maxLength) return yield* Problems.configuration(`${path}: ${tooLong}`)
    return yield* Effect.mapError(
      files.readFileString(path),
      ({ reason }) => Problems.configuration(`${path}: Cannot be read (${reason._tag}).`)
    )
  })

/**
 * Reads a configuration file, TOML or JSON by the end of its name.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromFile = (path: string): Effect.Effect<LlmConfig, LlmError.LlmError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const format = yield* formatOf(path)
    return yield* parse(yield* readText(path), format, path)
  })

// =============================================================================
// Environment
// =============================================================================

/**
 * A configuration from the environment: `LLM_PROVIDER` (anthropic when unset), `LLM_MODEL`, `LLM_LABEL`,
 * `LLM_BASE_URL`, `LLM_API_KEY_ENV`, `LLM_TEMPERATURE`, `LLM_MAX_TOKENS`, `LLM_TIMEOUT`, `LLM_RETRIES`,
 * `LLM_REQUESTS_PER_MINUTE`, `LLM_TOKENS_PER_MINUTE`, `LLM_CONCURRENCY`, and `LLM_FALLBACK`, the ids of other providers
 * with commas between them. Instances are named by their provider. Keys and what is not set come from the provider's
 * own variables.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromEnv: Effect.Effect<LlmConfig, LlmError.LlmError> = Effect.flatMap(
  Environment.read,
  ({ place, value }) => Effect.fromResult(decodeFrom(value, { place }))
)

// =============================================================================
// Layers
// =============================================================================

const fromEffect = <R>(config: Effect.Effect<LlmConfig, LlmError.LlmError, R>, name: string | undefined) =>
  Layer.effect(
    LlmService,
    Effect.flatMap(config, (config) => Instances.service(config, name ?? config.default))
  )

/**
 * The layer of an instance, the default one unless `name` says another, with its policies. Instances it falls back to
 * are built with it. Keys are read from the environment once, when the layer is built.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (config: LlmConfig, name?: string): ServiceLayer => fromEffect(decode(config), name)

/**
 * The layer of an instance of a configuration text.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerText = (text: string, format: Format, name?: string): ServiceLayer =>
  fromEffect(parse(text, format), name)

/**
 * The layer of an instance of a configuration file, read once; `Registry.layerWatch` follows its changes.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFile = (
  path: string,
  name?: string
): Layer.Layer<LlmService, LlmError.LlmError, HttpClient.HttpClient | FileSystem.FileSystem> =>
  fromEffect(fromFile(path), name)

/**
 * The layer that the environment describes; see {@link fromEnv}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerEnv: ServiceLayer = fromEffect(fromEnv, undefined)
