/**
 * The service of a definition: validation, encoding, credentials and headers joined with the transport.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { inputTokens } from "../internal/estimate.ts"
import { withAttempts } from "../internal/gate.ts"
import { imageIssue, ModelFacts } from "../internal/modelFacts.ts"
import * as LlmError from "../LlmError.ts"
import type { Issue, LlmRequest } from "../LlmRequest.ts"
import * as LlmRequestModule from "../LlmRequest.ts"
import type * as LlmService from "../LlmService.ts"
import type { JsonObject } from "../Message.ts"
import type { ModelMeta } from "../Model.ts"
import * as Telemetry from "../observe/Telemetry.ts"
import * as Transport from "../transport/Transport.ts"
import * as Credentials from "./Credentials.ts"
import type { Definition, Options, Outgoing } from "./Provider.ts"

/** A key pasted with a line break would make an invalid header. */
const valueOf = (key: Redacted.Redacted<string>): string => Redacted.value(key).trim()

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
      return yield* errorOf(
        "layer",
        new LlmError.Configuration({
          field: "baseUrl",
          message: `${definition.name} needs a base URL of your own: replace ${blank} in ${baseUrl}${
            definition.env.baseUrl === undefined ? "" : `, or set ${definition.env.baseUrl}`
          }.`
        })
      )
    }
    if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
      return yield* errorOf(
        "layer",
        new LlmError.Configuration({
          field: "baseUrl",
          message: `The base URL of ${definition.name} is not an http(s) URL. Give one such as ${definition.baseUrl}.`
        })
      )
    }
    const transport = Transport.make(yield* HttpClient.HttpClient)
    const credentials = Credentials.parts(options.apiKey)
    const facts = new ModelFacts(definition.id, definition.catalogue, options.models)

    const credential = (
      request: { readonly apiKey?: Redacted.Redacted<string> | undefined },
      operation: LlmError.Operation
    ): Effect.Effect<string | undefined, LlmError.LlmError> => {
      if (request.apiKey !== undefined) return Effect.succeed(valueOf(request.apiKey))
      if (credentials.get === undefined) {
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
      return Effect.map(credentials.get, valueOf)
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
        definition.sign({
          method,
          url: call.url,
          headers: { ...call.headers, ...type },
          body: typeof call.body === "string" ? call.body : ""
        }),
        ({ headers, secrets }) => ({
          ...call,
          headers: { ...call.headers, ...headers },
          secrets: [...call.secrets, ...secrets]
        })
      )
    }

    const invalid = (operation: LlmError.Operation, issue: Issue, model?: string) =>
      Effect.fail(errorOf(
        operation,
        new LlmError.Validation({ field: issue.field, message: `${issue.field}: ${issue.message}` }),
        model
      ))

    const prepare = (
      given: LlmRequest,
      operation: "generate" | "stream"
    ): Effect.Effect<Transport.Call, LlmError.LlmError> =>
      Effect.suspend(() => {
        const issue = LlmRequestModule.validate(given)
        if (issue !== undefined) return invalid(operation, issue)
        const request = mergeDefaults(given, options)
        const model = request.model ?? defaultModel
        if (model === undefined) {
          return invalid(operation, { field: "model", message: `${definition.name} has no default model: name one.` })
        }
        if (!facts.ready) return Effect.flatMap(facts.load, () => prepare(given, operation))
        const meta = facts.of(model)
        const image = imageIssue(request, meta)
        if (image !== undefined) return invalid(operation, image, model)
        const encoded = encode(definition, request, model, operation === "stream", meta)
        if ("field" in encoded) return invalid(operation, encoded, model)
        return Effect.flatMap(credential(request, operation), (key) =>
          Effect.withFiber((fiber) => {
            const seed = fiber.getRef(Random.Random).nextIntUnsafe()
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
              idSeed: `${Math.abs(seed).toString(36)}_`,
              streamed: operation === "stream",
              contextWindow: meta?.contextWindow
            }
            return signed(call, "POST", key)
          }))
      })

    const json = (
      operation: LlmError.Operation,
      method: "GET" | "POST",
      url: string,
      body?: JsonObject,
      request: Pick<LlmRequest, "apiKey" | "headers"> = {}
    ) =>
      Effect.flatMap(credential(request, operation), (key) => {
        const headers: Record<string, string> = { ...definition.headers, ...options.headers, ...request.headers }
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

    const countTokens = (given: LlmRequest): Effect.Effect<LlmService.TokenCount, LlmError.LlmError> =>
      Effect.suspend((): Effect.Effect<LlmService.TokenCount, LlmError.LlmError> => {
        const request = mergeDefaults(given, options)
        const issue = LlmRequestModule.validate(given)
        if (issue !== undefined) return invalid("countTokens", issue)
        const model = request.model ?? defaultModel
        if (definition.countTokens === undefined || model === undefined) {
          return Effect.succeed({ inputTokens: inputTokens(request), estimated: true })
        }
        const encoded = encode(definition, request, model, false, facts.of(model))
        if ("field" in encoded) return invalid("countTokens", encoded, model)
        const count = definition.countTokens({ outgoing: encoded, model, baseUrl })
        return Effect.flatMap(json("countTokens", "POST", count.url, count.body, request), (answer) => {
          const found = count.read(answer)
          return typeof found === "number" && found >= 0
            ? Effect.succeed({ inputTokens: found, estimated: false })
            : Effect.fail(errorOf(
              "countTokens",
              new LlmError.ResponseParse({ message: "The provider's token count has no count in it." }),
              model
            ))
        })
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
      stream: (request) =>
        Stream.fromChannel(
          Channel.fromTransform((_: unknown, scope: Scope) =>
            Effect.flatMap(
              prepare(request, "stream"),
              (call) => Channel.toPullScoped(transport.stream(call).channel, scope)
            )
          )
        ),
      countTokens,
      models: Effect.flatMap(
        json("models", "GET", modelsUrl),
        (body) => facts.complete(definition.readModels?.(body) ?? listedModels(definition, body))
      ),
      health: Effect.map(Effect.timed(json("health", "GET", modelsUrl)), ([duration]) => ({
        latencyMillis: Duration.toMillis(duration)
      }))
    }
    const refresh = credentials.refresh !== undefined
      ? Effect.map(credentials.refresh, (apiKey) => ({ apiKey }))
      : credentials.get === undefined && definition.renew !== undefined
      ? Effect.as(definition.renew, {})
      : undefined
    return Telemetry.instrument(refresh === undefined ? service : withRefresh(service, refresh))
  })

const baseUrlOf = (definition: Definition, given: string | undefined): string =>
  (given === undefined ? definition.baseUrl : definition.baseUrlOf?.(given) ?? given).replace(/\/+$/, "")

/** A rejected token is replaced once per call, before the caller has seen anything. */
const withRefresh = (
  service: LlmService.Service,
  refresh: Effect.Effect<Pick<LlmRequest, "apiKey">, LlmError.LlmError>
): LlmService.Service =>
  withAttempts(service, (request) =>
    Effect.sync(() => {
      let refreshed = false
      return {
        first: { service, request },
        next: ({ error }) => {
          if (refreshed || request.apiKey !== undefined || error.reason._tag !== "Authentication") {
            return Effect.fail(error)
          }
          refreshed = true
          return Effect.map(refresh, (more) => ({ service, request: { ...request, ...more } }))
        }
      }
    }))

const listedModels = (definition: Definition, body: unknown): ReadonlyArray<ModelMeta> => {
  const list = (body as { readonly data?: unknown } | undefined)?.data
  if (!Array.isArray(list)) return []
  return list.flatMap((model: { readonly id?: unknown }) =>
    typeof model?.id === "string" ? [{ provider: definition.id, id: model.id, capabilities: {} }] : []
  )
}
