/**
 * Makes an instance of a configuration a service: its provider, its keys, its policies in their order.
 *
 * The policies are stacked in two steps, so that an instance which is also the fallback of another is one and the same,
 * with one limit and one queue: `core` has what belongs to the instance, `Stack.aroundFallback` adds what belongs to the call.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Scope } from "effect/Scope"
import * as LlmError from "../LlmError.ts"
import type * as LlmService from "../LlmService.ts"
import type * as KeyPool from "../policy/KeyPool.ts"
import { environment } from "../provider/environment.ts"
import * as Llm from "../provider/Llm.ts"
import type * as Provider from "../provider/Provider.ts"
import * as OwnOptions from "./ownOptions.ts"
import * as Problems from "./problems.ts"
import type { Instance, LlmConfig } from "./schema.ts"
import * as Stack from "./stack.ts"

/**
 * The error for a name without an instance.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export const unknown = (config: LlmConfig, name: string): LlmError.LlmError =>
  Problems.configuration(
    `There is no instance ${typeof name === "string" ? Problems.quoted(name) : "without a name"}. ${
      Problems.unknownName(name, [...Object.keys(config.instances), ...Object.keys(config.routes ?? {})])
    }`,
    "instances"
  )

/** The key in a variable that the configuration names. It was asked for, so it must be there. */
const namedKey = (variable: string): Effect.Effect<Redacted.Redacted<string>, LlmError.LlmError> =>
  Effect.flatMap(
    Effect.option(Config.option(Config.Redacted(variable))),
    (found) => {
      const key = Option.getOrUndefined(Option.flatten(found))
      return key === undefined || Redacted.value(key).trim() === ""
        ? Effect.fail(Problems.configuration(`The variable ${variable} is not set.`, variable))
        : Effect.succeed(key)
    }
  )

/** The key in a file, such as a mounted secret. */
const keyInFile = (path: string): Effect.Effect<Redacted.Redacted<string>, LlmError.LlmError> =>
  Effect.gen(function*() {
    const files = Option.getOrUndefined(yield* Effect.serviceOption(FileSystem.FileSystem))
    if (files === undefined) {
      return yield* Problems.configuration("A key in a file needs the FileSystem of the platform.", "apiKeyFile")
    }
    const size = yield* Effect.orElseSucceed(Effect.map(files.stat(path), ({ size }) => Number(size)), () => 0)
    const key = size > maxKeyLength ? "" : (yield* Effect.mapError(
      files.readFileString(path),
      ({ reason }) => Problems.configuration(`The file of the key cannot be read (${reason._tag}).`, "apiKeyFile")
    )).trim()
    return key === "" || key.length > maxKeyLength
      ? yield* Problems.configuration("The file of the key holds no key.", "apiKeyFile")
      : Redacted.make(key)
  })

/** Bytes of a file with a key: tokens of a cloud have a few thousand. */
const maxKeyLength = 64 * 1024

type KeySource = Pick<Instance, "apiKey" | "apiKeyEnv" | "apiKeyFile">

const keyFrom = (
  { apiKey, apiKeyEnv, apiKeyFile }: KeySource
): Effect.Effect<Redacted.Redacted<string> | undefined, LlmError.LlmError> =>
  apiKeyEnv !== undefined
    ? namedKey(apiKeyEnv)
    : apiKeyFile !== undefined
    ? keyInFile(apiKeyFile)
    : Effect.succeed(apiKey)

const poolOf = (instance: Instance): Effect.Effect<ReadonlyArray<KeyPool.Key> | undefined, LlmError.LlmError> =>
  instance.keyPool === undefined ? Effect.undefined : Effect.forEach(
    instance.keyPool.keys,
    ({ weight, ...source }) =>
      Effect.map(keyFrom(source), (apiKey) => ({ apiKey: apiKey!, ...(weight === undefined ? undefined : { weight }) }))
  )

const defined = (options: object): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

const provided = (
  name: string,
  instance: Instance
): Effect.Effect<LlmService.Service, LlmError.LlmError | Config.ConfigError, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const { definition, make } = yield* Llm.load(instance.provider)
    const apiKey = yield* keyFrom(instance)
    const found = yield* environment(definition)
    const own = OwnOptions.of(instance.provider)
    const given = instance.options ?? {}
    const added = own.environment === undefined ? {} : yield* own.environment({ options: given, apiKey })
    const options: Provider.Options & { readonly accessToken?: unknown; readonly credentials?: unknown } = defined({
      ...found,
      ...defined({ apiKey, baseUrl: instance.baseUrl, model: instance.model }),
      ...given,
      ...added,
      label: instance.label ?? name,
      headers: { ...found.headers, ...instance.headers },
      defaults: instance.defaults
    })
    if (
      definition.auth.type !== "none" && instance.keyPool === undefined &&
      options.apiKey === undefined && options.accessToken === undefined && options.credentials === undefined
    ) {
      return yield* Problems.configuration(
        `No API key for ${definition.name}: set ${
          definition.env.apiKey.join(" or ")
        }, or name another variable with apiKeyEnv.`,
        definition.env.apiKey[0]
      )
    }
    return yield* make(options)
  })

/**
 * The service of an instance without what belongs to the call: its fallback, its `timeout`, its `cost`.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const core = (
  name: string,
  instance: Instance
): Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient | Scope> =>
  Effect.gen(function*() {
    const keys = yield* poolOf(instance)
    return yield* Stack.aroundProvider(yield* provided(name, instance), instance, { keys })
  }).pipe(Effect.mapError(placed(`instances.${name}`)))

/**
 * What went wrong when a part of a configuration was built, with the part's place.
 *
 * @stability stable
 * @category errors
 * @since 0.1.0
 */
export const placed = (place: string) => (error: LlmError.LlmError | Config.ConfigError): LlmError.LlmError => {
  const reason = LlmError.isLlmError(error) ? error.reason : error
  const field = "field" in reason ? reason.field : undefined
  return Problems.configuration(`${place}: ${reason.message}`, field)
}
