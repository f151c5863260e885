/**
 * Configuration as data: named instances of providers and routes between them with their policies, from TOML, JSON or the environment.
 *
 * A configuration is `{ default, instances, routes }`. An instance names a provider and what is particular to it; a route names what it
 * chooses between. Keys are never part of it, only the names of the variables or files that hold them. `layer` makes an instance or a route
 * a layer of `LlmService`, with its declared policies in the order that docs/policies.md recommends, unless it gives an `order`.
 *
 * Whatever is wrong is an `LlmError` with reason `Configuration` that names every place and the likely names, found when
 * the configuration is read; `problems` lists the same for people and editors. Several instances at run time, and files that change, are
 * `Registry`'s.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as LlmError from "../LlmError.ts"
import { LlmService } from "../LlmService.ts"
import type { ServiceLayer } from "../provider/Provider.ts"
import * as Environment from "./environment.ts"
import * as Generations from "./generations.ts"
import * as Problems from "./problems.ts"
import { decodeFrom, type Format, maxLength, parseText, type ReadOptions, tooLong } from "./reading.ts"
import type { LlmConfig } from "./schema.ts"

export { type Extensions, jsonSchema } from "./jsonSchema.ts"
export { type Format, type Problem, problems, type ReadOptions } from "./reading.ts"
export * from "./schema.ts"

// =============================================================================
// Values and texts
// =============================================================================

/**
 * Checks a value that is to be a configuration; `source` is named in the error.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const decode = (
  value: unknown,
  source?: string,
  options?: ReadOptions
): Effect.Effect<LlmConfig, LlmError.LlmError> =>
  Effect.suspend(() => Effect.fromResult(decodeFrom(value, { source }, options)))

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
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const parse = (
  given: string,
  format: Format,
  source?: string,
  options?: ReadOptions
): Effect.Effect<LlmConfig, LlmError.LlmError> =>
  Effect.suspend(() => {
    const parsed = parseText(given, format)
    return Result.isFailure(parsed)
      ? Effect.fail(Problems.error([{ path: [], message: parsed.failure }], { source }))
      : Effect.fromResult(decodeFrom(parsed.success, { source }, options))
  })

/**
 * The format of a file by the end of its name.
 *
 * @stability stable
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
 * @stability stable
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
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const fromFile = (
  path: string,
  options?: ReadOptions
): Effect.Effect<LlmConfig, LlmError.LlmError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const format = yield* formatOf(path)
    return yield* parse(yield* readText(path), format, path, options)
  })

/**
 * The table of a configuration that belongs to somebody else, such as `gateway`, read by its owner's schema; `undefined` when the configuration
 * has none. Name the table in `extensions` when the configuration is read, so that it is checked together with the rest.
 *
 * @example
 * ```ts
 * const config = yield* LlmConfig.fromFile("llm.toml", { extensions: { gateway: Gateway } })
 * const gateway = yield* LlmConfig.extension(config, "gateway", Gateway)
 * ```
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const extension = <A>(
  config: LlmConfig,
  name: string,
  schema: Schema.ConstraintDecoder<A>
): Effect.Effect<A | undefined, LlmError.LlmError> =>
  Effect.suspend(() => {
    const table: unknown = Object.hasOwn(config, name)
      ? (config as { readonly [name: string]: unknown })[name]
      : undefined
    if (table === undefined) return Effect.undefined
    const read = Schema.decodeUnknownResult(schema, { onExcessProperty: "ignore", errors: "all" })(table)
    return Result.isSuccess(read)
      ? Effect.succeed(read.success)
      : Effect.fail(Problems.error(Problems.ofIssue(read.failure.issue, table, [name])))
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
 * @stability stable
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
    Effect.flatMap(config, (config) => Generations.service(config, name ?? config.default))
  )

/**
 * The layer of an instance or a route, the default one unless `name` says another, with its policies. Those it falls back to
 * or chooses between are built with it. Keys are read once, when the layer is built.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layer = (config: LlmConfig, name?: string, options?: ReadOptions): ServiceLayer =>
  fromEffect(decode(config, undefined, options), name)

/**
 * The layer of an instance or a route of a configuration text.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerText = (text: string, format: Format, name?: string, options?: ReadOptions): ServiceLayer =>
  fromEffect(parse(text, format, undefined, options), name)

/**
 * The layer of an instance or a route of a configuration file, read once; `Registry.layerWatch` follows its changes.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerFile = (
  path: string,
  name?: string,
  options?: ReadOptions
): Layer.Layer<LlmService, LlmError.LlmError, HttpClient.HttpClient | FileSystem.FileSystem> =>
  fromEffect(fromFile(path, options), name)

/**
 * The layer that the environment describes; see {@link fromEnv}.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv: ServiceLayer = fromEffect(fromEnv, undefined)
