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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as LlmError from "../LlmError.ts"
import type { Issue, LlmRequest, Timeouts } from "../LlmRequest.ts"
import * as LlmRequestModule from "../LlmRequest.ts"
import * as LlmService from "../LlmService.ts"
import type { JsonObject } from "../Message.ts"
import type { Capabilities, ModelMeta } from "../Model.ts"
import * as Telemetry from "../observe/Telemetry.ts"
import type { Protocol } from "../protocol/Protocol.ts"
import * as Transport from "../transport/Transport.ts"
import { environment } from "./environment.ts"

// =============================================================================
// Definition
// =============================================================================

/**
 * How a provider wants its credential: a bearer token, a header of its own, or none (a key is then sent as a
 * bearer token only if given, for proxies in front of local servers).
 *
 * @category models
 * @since 0.1.0
 */
export type Auth =
  | { readonly type: "bearer" }
  | { readonly type: "header"; readonly name: string }
  | { readonly type: "none" }

/**
 * The environment variables of a provider.
 *
 * @category models
 * @since 0.1.0
 */
export interface Environment {
  /** Variables that may hold the key; the first that is set counts. */
  readonly apiKey: ReadonlyArray<string>
  readonly baseUrl?: string | undefined
  /** Variable that holds the address of the server in the host's own form; counts when `baseUrl` is not set. */
  readonly host?: string | undefined
  readonly model?: string | undefined
  /** Variables that set a header, by header name. */
  readonly headers?: { readonly [header: string]: string } | undefined
}

/**
 * A request on its way out, as `Definition.finish` sees it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outgoing {
  readonly path: string
  readonly headers: { readonly [name: string]: string }
  readonly body: JsonObject
}

/**
 * A request before it is signed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unsigned {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/**
 * What a signature adds to a request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Signed {
  readonly headers: { readonly [name: string]: string }
  /** Values that must not appear in anything rendered. */
  readonly secrets: ReadonlyArray<string>
}

/**
 * A provider as data.
 *
 * @category models
 * @since 0.1.0
 */
export interface Definition {
  /** Stable id: `LLM_PROVIDER` value, key of `providerOptions`, `gen_ai.provider.name`. */
  readonly id: string
  /** Name for people. */
  readonly name: string
  readonly protocol: Protocol
  /** Without a trailing slash; the wire's path comes after it. */
  readonly baseUrl: string
  readonly auth: Auth
  readonly env: Environment
  /** Model used when options and request name none. */
  readonly defaultModel?: string | undefined
  readonly headers?: { readonly [name: string]: string } | undefined
  readonly capabilities?: Capabilities | undefined
  /** Where the API is documented. */
  readonly docs: string
  /** What becomes of a base URL that an application or the environment gives. @default it is taken as it is */
  readonly baseUrlOf?: ((given: string) => string) | undefined
  /** Where models are listed. @default `/models` below the base URL */
  readonly modelsUrl?: ((baseUrl: string) => string) | undefined
  /** Reads the list of models. @default OpenAI's `{ data: [{ id }] }` */
  readonly readModels?: ((body: unknown) => ReadonlyArray<ModelMeta>) | undefined
  /**
   * Last change to a request: typed options that are not body fields, a path that differs.
   * `options` is `request.providerOptions[id]` merged over the layer's.
   */
  readonly finish?: ((outgoing: Outgoing, options: JsonObject) => Outgoing) | undefined
  /** Keys of `providerOptions[id]` that `finish` uses up and that are not body fields. */
  readonly nonBodyOptions?: ReadonlyArray<string> | undefined
  /** Signs the requests that have no API key, anew each time. */
  readonly sign?: ((request: Unsigned) => Effect.Effect<Signed, LlmError.LlmError>) | undefined
}

// =============================================================================
// Options
// =============================================================================

/**
 * Gives the credential anew for each request, so that rotation needs no restart.
 *
 * @category options
 * @since 0.1.0
 */
export type Credentials = Effect.Effect<Redacted.Redacted<string>, LlmError.LlmError>

/**
 * Options every provider layer has.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The API key, or an effect that gives it for each request. */
  readonly apiKey?: Redacted.Redacted<string> | Credentials | undefined
  /** Overrides the provider's URL, for proxies and self-hosted servers. */
  readonly baseUrl?: string | undefined
  /** Model used when a request names none. */
  readonly model?: string | undefined
  /** Tells instances of one provider apart in telemetry and responses. */
  readonly label?: string | undefined
  /** Extra headers of every request. */
  readonly headers?: { readonly [name: string]: string } | undefined
  readonly timeouts?: Timeouts | undefined
  /** Defaults of every request; the request's own options win. */
  readonly defaults?: Omit<LlmRequestModule.RequestOptions, "apiKey" | "model" | "label"> | undefined
}

/** A key pasted with a line break would make an invalid header. */
const valueOf = (key: Redacted.Redacted<string>): string => Redacted.value(key).trim()

const isEffect = (value: Redacted.Redacted<string> | Credentials): value is Credentials => !Redacted.isRedacted(value)

// =============================================================================
// Service
// =============================================================================

const mergeDefaults = (request: LlmRequest, options: Options): LlmRequest => {
  const { defaults, timeouts } = options
  if (defaults === undefined && timeouts === undefined) return request
  return {
    ...defaults,
    ...request,
    timeouts: { ...timeouts, ...defaults?.timeouts, ...request.timeouts },
    ...(defaults?.headers === undefined ? undefined : { headers: { ...defaults.headers, ...request.headers } }),
    ...(defaults?.providerOptions === undefined
      ? undefined
      : { providerOptions: { ...defaults.providerOptions, ...request.providerOptions } })
  }
}

const optionsOf = (request: LlmRequest, id: string): JsonObject =>
  (request.providerOptions as { readonly [id: string]: JsonObject } | undefined)?.[id] ?? {}

/**
 * The request body and headers of a definition, before authentication. Pure: probes and tests use it as well.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  definition: Definition,
  request: LlmRequest,
  model: string,
  stream: boolean,
  meta?: ModelMeta | undefined
): Outgoing & { readonly warnings: ReadonlyArray<{ readonly field: string; readonly message: string }> } | Issue => {
  const encoded = definition.protocol.encode({ request, model, stream, provider: definition.id, meta })
  if ("refused" in encoded) return encoded.refused
  const options = optionsOf(request, definition.id)
  let body = encoded.body
  const extra = Object.keys(options)
  if (extra.length > 0) {
    const bodyOptions: Record<string, JsonObject[string]> = {}
    for (const key of extra) {
      if (!definition.nonBodyOptions?.includes(key)) bodyOptions[key] = options[key]!
    }
    body = { ...body, ...bodyOptions }
  }
  const outgoing: Outgoing = {
    path: encoded.path,
    headers: { ...definition.headers, ...encoded.headers },
    body
  }
  return { ...(definition.finish?.(outgoing, options) ?? outgoing), warnings: encoded.warnings }
}

/**
 * Makes a service of a definition. Fails with reason `Configuration` when the base URL is not an HTTP URL.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  definition: Definition,
  options: Options = {}
): Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const baseUrl = baseUrlOf(definition, options.baseUrl)
    const url = URL.parse(baseUrl)
    const defaultModel = options.model ?? definition.defaultModel
    const errorOf = (operation: LlmError.Operation, reason: LlmError.Reason, model = defaultModel ?? "") =>
      new LlmError.LlmError({ provider: definition.id, model, label: options.label, operation, reason, attempts: 1 })
    const blank = /\{\w+\}/.exec(baseUrl)?.[0]
    if (blank !== undefined) {
      return yield* Effect.fail(errorOf(
        "layer",
        new LlmError.Configuration({
          field: "baseUrl",
          message: `${definition.name} needs a base URL of your own: replace ${blank} in ${baseUrl}${
            definition.env.baseUrl === undefined ? "" : `, or set ${definition.env.baseUrl}`
          }.`
        })
      ))
    }
    if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
      return yield* Effect.fail(errorOf(
        "layer",
        new LlmError.Configuration({
          field: "baseUrl",
          message: `The base URL of ${definition.name} is not an http(s) URL. Give one such as ${definition.baseUrl}.`
        })
      ))
    }
    const transport = Transport.make(yield* HttpClient.HttpClient)

    const credential = (
      request: { readonly apiKey?: Redacted.Redacted<string> | undefined },
      operation: LlmError.Operation
    ): Effect.Effect<string | undefined, LlmError.LlmError> => {
      const key = request.apiKey ?? options.apiKey
      if (key === undefined) {
        return definition.auth.type === "none" || definition.sign !== undefined ?
          Effect.undefined :
          Effect.fail(errorOf(
            operation,
            new LlmError.Configuration({
              field: "apiKey",
              message: `No API key for ${definition.name}. Set ${
                definition.env.apiKey[0] ?? "it"
              }, or give apiKey to the layer or the request.`
            })
          ))
      }
      return isEffect(key) ? Effect.map(key, valueOf) : Effect.succeed(valueOf(key))
    }

    const authenticate = (headers: Record<string, string>, key: string | undefined) => {
      if (key === undefined || key === "") return
      if (definition.auth.type === "header") headers[definition.auth.name] = key
      else headers["authorization"] = `Bearer ${key}`
    }

    const signed = <
      C extends Pick<Transport.JsonCall, "url" | "headers" | "body" | "secrets">
    >(call: C, method: "GET" | "POST", key: string | undefined): Effect.Effect<C, LlmError.LlmError> => {
      if (definition.sign === undefined || (key !== undefined && key !== "")) return Effect.succeed(call)
      const type = call.body === undefined ? undefined : { "content-type": "application/json" }
      return Effect.map(
        definition.sign({ method, url: call.url, headers: { ...call.headers, ...type }, body: call.body ?? "" }),
        ({ headers, secrets }) => ({
          ...call,
          headers: { ...call.headers, ...headers },
          secrets: [...call.secrets, ...secrets]
        })
      )
    }

    const prepare = (
      given: LlmRequest,
      operation: "generate" | "stream"
    ): Effect.Effect<Transport.Call, LlmError.LlmError> =>
      Effect.suspend(() => {
        const invalid = (issue: Issue, model?: string) =>
          Effect.fail(errorOf(
            operation,
            new LlmError.Validation({ field: issue.field, message: `${issue.field}: ${issue.message}` }),
            model
          ))
        const issue = LlmRequestModule.validate(given)
        if (issue !== undefined) return invalid(issue)
        const request = mergeDefaults(given, options)
        const model = request.model ?? defaultModel
        if (model === undefined) {
          return invalid({ field: "model", message: `${definition.name} has no default model: name one.` })
        }
        const encoded = encode(definition, request, model, operation === "stream")
        if ("field" in encoded) return invalid(encoded, model)
        return Effect.flatMap(credential(request, operation), (key) =>
          Effect.flatMap(Random.nextInt, (seed) => {
            const headers: Record<string, string> = {
              ...encoded.headers,
              ...options.headers,
              ...request.headers
            }
            authenticate(headers, key)
            const call: Transport.Call = {
              protocol: definition.protocol,
              provider: definition.id,
              model,
              label: request.label ?? options.label,
              operation,
              url: `${baseUrl}${encoded.path}`,
              headers,
              body: JSON.stringify(encoded.body),
              secrets: key === undefined ? [] : [key],
              timeouts: request.timeouts ?? {},
              warnings: encoded.warnings,
              includeRaw: request.includeRaw === true,
              idSeed: `${Math.abs(seed).toString(36)}_`
            }
            return signed(call, "POST", key)
          }))
      })

    const json = (operation: LlmError.Operation, method: "GET" | "POST", url: string, body?: JsonObject) =>
      Effect.flatMap(credential({}, operation), (key) => {
        const headers: Record<string, string> = { ...definition.headers, ...options.headers }
        authenticate(headers, key)
        const call: Transport.JsonCall = {
          method,
          provider: definition.id,
          model: defaultModel ?? "",
          operation,
          url,
          headers,
          body: body === undefined ? undefined : JSON.stringify(body),
          secrets: key === undefined ? [] : [key],
          timeouts: options.timeouts ?? {}
        }
        return Effect.flatMap(signed(call, method, key), transport.json)
      })

    const modelsUrl = definition.modelsUrl?.(baseUrl) ?? `${baseUrl}/models`
    const service: LlmService.Service = {
      info: {
        provider: definition.id,
        model: defaultModel ?? "",
        label: options.label,
        capabilities: definition.capabilities ?? {}
      },
      generate: (request) => Effect.flatMap(prepare(request, "generate"), transport.generate),
      stream: (request) => Stream.unwrap(Effect.map(prepare(request, "stream"), transport.stream)),
      countTokens: (request) => estimateTokens(request),
      models: Effect.map(
        json("models", "GET", modelsUrl),
        (body) => definition.readModels?.(body) ?? listedModels(definition, body)
      ),
      health: Effect.map(Effect.timed(json("health", "GET", modelsUrl)), ([duration]) => ({
        latencyMillis: Duration.toMillis(duration)
      }))
    }
    return Telemetry.instrument(service)
  })

const baseUrlOf = (definition: Definition, given: string | undefined): string =>
  (given === undefined ? definition.baseUrl : definition.baseUrlOf?.(given) ?? given).replace(/\/+$/, "")

const estimateTokens = (request: LlmRequest) =>
  Effect.succeed({ inputTokens: JSON.stringify(LlmRequestModule.messagesOf(request)).length / 4, estimated: true })

const listedModels = (definition: Definition, body: unknown): ReadonlyArray<ModelMeta> => {
  const list = (body as { readonly data?: unknown } | undefined)?.data
  if (!Array.isArray(list)) return []
  return list.flatMap((model: { readonly id?: unknown }) =>
    typeof model?.id === "string" ? [{ provider: definition.id, id: model.id, capabilities: {} }] : []
  )
}

// =============================================================================
// Constructors of a provider module
// =============================================================================

/**
 * Options as `Config` values, for `layerConfig`.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConfigOptions {
  readonly apiKey?: Config.Config<Redacted.Redacted<string>> | undefined
  readonly baseUrl?: Config.Config<string> | undefined
  readonly model?: Config.Config<string> | undefined
  readonly label?: Config.Config<string> | undefined
}

/**
 * A layer of the service, from options.
 *
 * @category models
 * @since 0.1.0
 */
export type ServiceLayer = Layer.Layer<LlmService.LlmService, LlmError.LlmError, HttpClient.HttpClient>

/**
 * What every provider module exports.
 *
 * @category models
 * @since 0.1.0
 */
export interface ProviderModule<O extends Options = Options> {
  readonly definition: Definition
  readonly make: (options?: O) => Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient>
  readonly layer: (options?: O) => ServiceLayer
  readonly layerConfig: (config: ConfigOptions, options?: O) => ServiceLayer
  readonly layerEnv: ServiceLayer
}

const orUndefined = <A>(config: Config.Config<A> | undefined): Config.Config<A | undefined> =>
  config === undefined ? Config.succeed(undefined) : config

/**
 * The constructors of a provider module, from its definition. `customize` turns options of the provider's own into
 * a definition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const define = <O extends Options = Options>(
  definition: Definition,
  customize: (definition: Definition, options: O) => Definition = (self) => self
): ProviderModule<O> => {
  const makeOf = (options: O = {} as O) => make(customize(definition, options), options)
  const layerOf = (options?: O) => Layer.effect(LlmService.LlmService, makeOf(options))
  const fromConfig = (config: Config.Config<Options>, options?: O) =>
    Layer.effect(
      LlmService.LlmService,
      Effect.flatMap(
        Effect.mapError(config, (error) => configurationError(definition, error.message)),
        (found) => makeOf({ ...options, ...defined(found) } as O)
      )
    )
  return {
    definition,
    make: makeOf,
    layer: layerOf,
    layerConfig: (config, options) =>
      fromConfig(
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
