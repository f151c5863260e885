/**
 * What makes a company's API a layer of `LlmService`: a definition, which is data, and the options of an
 * application.
 *
 * A definition names a wire with its quirks, a base URL, a way to authenticate and the usual environment
 * variables. This module joins it with the transport: validation, encoding, credentials, headers. It
 * knows no provider by name; a new OpenAI-compatible one is a definition of about 20 lines.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as LlmError from "../LlmError.ts"
import * as LlmService from "../LlmService.ts"
import type { Fields } from "../validation/values.ts"
import type { Definition, Options } from "./definition.ts"
import { environment } from "./environment.ts"
import { issueOf } from "./options.ts"
import { make } from "./service.ts"

export type * from "./definition.ts"
export { encode, type Spelled } from "./encoding.ts"
export { make } from "./service.ts"

// =============================================================================
// Constructors of a provider module
// =============================================================================

/**
 * Options as `Config` values, for `layerConfig`.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface ConfigOptions {
  /** Where the key comes from. @default none */
  readonly apiKey?: Config.Config<Redacted.Redacted<string>> | undefined
  /** Where the address comes from. @default the provider's own */
  readonly baseUrl?: Config.Config<string> | undefined
  /** Where the model comes from, for requests that name none. @default the provider's own */
  readonly model?: Config.Config<string> | undefined
  /** Where the label comes from. @default none */
  readonly label?: Config.Config<string> | undefined
}

/**
 * A layer of the service, from options.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export type ServiceLayer = Layer.Layer<LlmService.LlmService, LlmError.LlmError, HttpClient.HttpClient>

/**
 * What every provider module exports.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface ProviderModule<O extends Options = Options> {
  /** The provider as data. */
  readonly definition: Definition
  /** The service itself, for those who do without layers. */
  readonly make: (options?: O) => Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient>
  /** A layer of `LlmService` with options written in code. */
  readonly layer: (options?: O) => ServiceLayer
  /** A layer of `LlmService` whose key, address, model and label come from `Config`. */
  readonly layerConfig: (config: ConfigOptions, options?: O) => ServiceLayer
  /** A layer of `LlmService` that reads the provider's usual environment variables. */
  readonly layerEnv: ServiceLayer
}

const orUndefined = <A>(config: Config.Config<A> | undefined): Config.Config<A | undefined> =>
  config === undefined ? Config.succeed(undefined) : config

/**
 * The constructors of a provider module, from its definition. `customize` turns options of the provider's own into
 * a definition; `own` checks them before, so that it can rely on their types.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const define = <O extends Options = Options>(
  definition: Definition,
  customize: (definition: Definition, options: O) => Definition = (self) => self,
  own: Fields = {}
): ProviderModule<O> => {
  const makeOf = (options: O = {} as O) =>
    Effect.suspend(() => {
      const issue = issueOf(options, own)
      return issue === undefined
        ? make(customize(definition, options), options)
        : Effect.fail(
          configurationError(definition, `${definition.name}: ${issue.field}: ${issue.message}`, issue.field)
        )
    })
  const layerOf = (options?: O) => Layer.effect(LlmService.LlmService, makeOf(options))
  const fromConfig = (config: () => Config.Config<Options>, options?: O) =>
    Layer.effect(
      LlmService.LlmService,
      Effect.suspend(() => {
        // Before they are copied: what cannot be read is a problem of its option.
        const issue = issueOf(options ?? {}, own)
        return issue === undefined
          ? Effect.mapError(attempt(config), (error) => configurationError(definition, error.message))
          : Effect.fail(
            configurationError(definition, `${definition.name}: ${issue.field}: ${issue.message}`, issue.field)
          )
      }).pipe(
        Effect.flatMap((found) => makeOf({ ...options, ...defined(found) } as O))
      )
    )
  return {
    definition,
    make: makeOf,
    layer: layerOf,
    layerConfig: (config, options) =>
      fromConfig(
        () =>
          Config.all({
            apiKey: orUndefined(config.apiKey),
            baseUrl: orUndefined(config.baseUrl),
            model: orUndefined(config.model),
            label: orUndefined(config.label)
          }),
        options
      ),
    layerEnv: Layer.effect(
      LlmService.LlmService,
      Effect.flatMap(
        Effect.mapError(environment(definition), (error) => configurationError(definition, error.message)),
        (found) =>
          found.apiKey === undefined && definition.auth.type !== "none"
            ? Effect.fail(configurationError(
              definition,
              `No API key for ${definition.name}: set ${definition.env.apiKey.join(" or ")}.`,
              definition.env.apiKey[0]
            ))
            : makeOf(defined(found) as O)
      )
    )
  }
}

/**
 * Reads a configuration; what throws meanwhile is its error.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export const attempt = <A>(config: () => Config.Config<A>): Effect.Effect<A, { readonly message: string }> =>
  Effect.flatten(Effect.try({
    try: (): Effect.Effect<A, { readonly message: string }> => config(),
    catch: () => ({ message: "The configuration cannot be read." })
  }))

const defined = (options: Options): Options =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

const configurationError = (definition: Definition, message: string, field?: string) =>
  new LlmError.LlmError({
    provider: definition.id,
    model: definition.defaultModel ?? "",
    operation: "layer",
    reason: new LlmError.Configuration({ message, field }),
    attempts: 1
  })
