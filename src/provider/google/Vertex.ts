/**
 * What providers on Vertex AI share: hosts by location, projects, and the two ways to authenticate.
 *
 * A project is called with an access token, which lives an hour: give an effect that refreshes it. Express mode is called
 * with an API key and without a project. Fetching tokens from a service account or a metadata server is the application's.
 * https://cloud.google.com/vertex-ai/docs/reference/rest and https://cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/overview
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { segment } from "../../address/paths.ts"
import { Configuration, LlmError } from "../../LlmError.ts"
import * as LlmService from "../../LlmService.ts"
import { type Fields, optional } from "../../validation/values.ts"
import { credentials, hostName, issueOf, pathName } from "../options.ts"
import * as Provider from "../Provider.ts"

/**
 * Options of the providers on Vertex AI. `apiKey` is a key of express mode.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options extends Provider.Options {
  /** Google Cloud project; needed unless an API key (express mode) or a base URL is given. */
  readonly project?: string | undefined
  /** Region such as `europe-west4`, multi-region `us` or `eu`, or `global`. @default "global" */
  readonly location?: string | undefined
  /** OAuth access token, or an effect that gives a fresh one for each request. */
  readonly accessToken?: Redacted.Redacted<string> | Provider.Credentials | undefined
}

/**
 * Options as `Config` values.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface ConfigOptions extends Provider.ConfigOptions {
  readonly project?: Config.Config<string> | undefined
  readonly location?: Config.Config<string> | undefined
  readonly accessToken?: Config.Config<Redacted.Redacted<string>> | undefined
}

const hostOf = (location: string): string =>
  location === "global"
    ? "aiplatform.googleapis.com"
    : location === "us" || location === "eu"
    ? `aiplatform.${location}.rep.googleapis.com`
    : `${location}-aiplatform.googleapis.com`

/**
 * The base URL of a publisher's models.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const baseUrlOf = (publisher: string, project: string | undefined, location = "global"): string =>
  project === undefined
    ? `https://${hostOf("global")}/v1/publishers/${publisher}`
    : `https://${hostOf(location)}/v1/projects/${segment(project)}/locations/${
      segment(location)
    }/publishers/${publisher}`

/** A location becomes part of a host name, a project of a path. */
const own: Fields = {
  project: optional(pathName),
  location: optional(hostName),
  accessToken: optional(credentials)
}

const usesKey = (options: Options): boolean => options.accessToken === undefined && options.apiKey !== undefined

const customize = (publisher: string, express: boolean) =>
(
  definition: Provider.Definition,
  options: Options
): Provider.Definition => ({
  ...definition,
  baseUrl: baseUrlOf(publisher, options.project, options.location),
  auth: express && usesKey(options) ? { type: "header", name: "x-goog-api-key" } : { type: "bearer" }
})

/**
 * What a provider on Vertex AI exports.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export interface VertexModule {
  readonly definition: Provider.Definition
  readonly make: Provider.ProviderModule<Options>["make"]
  readonly layer: Provider.ProviderModule<Options>["layer"]
  readonly layerConfig: (config: ConfigOptions, options?: Options) => Provider.ServiceLayer
  readonly layerEnv: Provider.ServiceLayer
}

const given = <A>(config: Config.Config<A> | undefined): Config.Config<A | undefined> =>
  config ?? Config.succeed(undefined)

const maybe = <A>(config: Config.Config<A>): Config.Config<A | undefined> =>
  Config.map(Config.option(config), (found) => found._tag === "Some" ? found.value : undefined)

const onlyDefined = (options: Options): Options =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== ""))

/**
 * The constructors of a provider on Vertex AI, from its definition and its publisher. `express` says whether it can be
 * called with an API key.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const define = (definition: Provider.Definition, publisher: string, express: boolean): VertexModule => {
  const provider = Provider.define<Options>(definition, customize(publisher, express), own)
  const failure = (message: string, field?: string) =>
    new LlmError({
      provider: definition.id,
      model: definition.defaultModel ?? "",
      operation: "layer",
      reason: new Configuration({ message, ...(field === undefined ? undefined : { field }) }),
      attempts: 1
    })
  const make: VertexModule["make"] = (options = {}) =>
    Effect.suspend(() => {
      // Options that cannot be are the provider's to refuse.
      if (issueOf(options, own) !== undefined) return provider.make(options)
      return options.baseUrl === undefined && options.project === undefined && !(express && usesKey(options))
        ? Effect.fail(failure(
          `No project for ${definition.name}: set GOOGLE_CLOUD_PROJECT, or give project to the layer.`,
          "project"
        ))
        : provider.make(options.accessToken === undefined ? options : { ...options, apiKey: options.accessToken })
    })
  const fromConfig = (config: () => Config.Config<Options>, options?: Options) =>
    Layer.effect(
      LlmService.LlmService,
      Effect.suspend(() =>
        issueOf(options ?? {}, own) !== undefined
          ? make(options)
          : Effect.flatMap(
            Effect.mapError(Provider.attempt(config), (error) => failure(error.message)),
            (found) => make({ ...options, ...onlyDefined(found) })
          )
      )
    )
  return {
    definition,
    make,
    layer: (options) => Layer.effect(LlmService.LlmService, make(options)),
    layerConfig: (config, options) =>
      fromConfig(
        () =>
          Config.all({
            project: given(config.project),
            location: given(config.location),
            accessToken: given(config.accessToken),
            apiKey: given(config.apiKey),
            baseUrl: given(config.baseUrl),
            model: given(config.model),
            label: given(config.label)
          }),
        options
      ),
    layerEnv: fromConfig(() =>
      Config.all({
        project: maybe(Config.String("GOOGLE_CLOUD_PROJECT")),
        location: maybe(Config.String("GOOGLE_CLOUD_LOCATION")),
        accessToken: maybe(Config.Redacted("GOOGLE_ACCESS_TOKEN")),
        apiKey: express ? maybe(Config.Redacted("VERTEX_API_KEY")) : Config.succeed(undefined),
        baseUrl: definition.env.baseUrl === undefined
          ? Config.succeed(undefined)
          : maybe(Config.String(definition.env.baseUrl)),
        model: definition.env.model === undefined
          ? Config.succeed(undefined)
          : maybe(Config.String(definition.env.model))
      })
    )
  }
}
