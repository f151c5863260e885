/**
 * Azure OpenAI, over its v1 API: Responses by default, Chat Completions by choice.
 *
 * A model is the name of a deployment. The address is an option, a resource name, or `AZURE_OPENAI_ENDPOINT`; the
 * credential is a key, or a Microsoft Entra token that an effect gives for each request.
 *
 * @see https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as LlmError from "../LlmError.ts"
import * as LlmService from "../LlmService.ts"
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import * as OpenAiResponses from "../protocol/OpenAiResponses.ts"
import { azure } from "../protocol/schema/dialects.ts"
import { optionsIssue } from "../service/checked.ts"
import { anything, fields, oneOf, optional } from "../validation/values.ts"
import { jsonWord } from "./hostRules.ts"
import { hostName, issueOf, pathName } from "./options.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Azure OpenAI that have no portable name, sent as they are. */
    readonly azure?: JsonObject | undefined
  }
}

/**
 * Options of the Azure layer. One of `resource` and `baseUrl` is needed.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options extends Provider.Options {
  /** Name of the Azure OpenAI resource: the first label of its host name. */
  readonly resource?: string | undefined
  /**
   * What `apiKey` is: a key of the resource, or a Microsoft Entra token, usually as an effect.
   *
   * @default "api-key"
   */
  readonly auth?: "api-key" | "entra" | undefined
  /** Value of `api-version`, such as `preview`. @default none: the generally available v1 */
  readonly apiVersion?: string | undefined
  /** The API to speak. @default "responses" */
  readonly api?: "responses" | "chat" | undefined
}

const chat = OpenAiChat.make({
  systemRole: "developer",
  schemas: azure,
  rules: { needs: [jsonWord("https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/json-mode")] }
})

/** The portal shows the endpoint without a path; the v1 API is below `/openai/v1`. */
const v1 = (endpoint: string): string => {
  const url = URL.parse(endpoint)
  if (url === null || url.pathname !== "/") return endpoint
  url.pathname = "/openai/v1"
  return url.href
}

const provider = Provider.define<Options>({
  id: "azure",
  name: "Azure OpenAI",
  docs: "https://learn.microsoft.com/en-us/azure/ai-foundry/openai/latest",
  baseUrl: "https://{resource}.openai.azure.com/openai/v1",
  baseUrlOf: v1,
  auth: { type: "header", name: "api-key" },
  env: {
    apiKey: ["AZURE_OPENAI_API_KEY"],
    baseUrl: "AZURE_OPENAI_ENDPOINT",
    model: "AZURE_OPENAI_DEPLOYMENT"
  },
  catalogue: () => import("../model/catalogue/azure.ts"),
  capabilities: {
    streaming: true,
    tools: true,
    parallelTools: true,
    images: true,
    pdf: true,
    reasoning: true,
    structuredOutput: true
  },
  // https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/responses: caches have one lifetime.
  protocol: OpenAiResponses.make({ promptCacheRetention: false, cacheBreakpoints: false, schemas: azure }),
  nonBodyOptions: OpenAiResponses.mergedOptions
}, (definition, { api, apiVersion, auth }) => {
  const { nonBodyOptions: _, ...plain } = definition
  return {
    ...(api === "chat" ? { ...plain, protocol: chat } : definition),
    ...(auth === "entra" ? { auth: { type: "bearer" } } : undefined),
    ...(apiVersion === undefined ? undefined : {
      finish: (outgoing) => ({
        ...outgoing,
        path: `${outgoing.path}?api-version=${encodeURIComponent(apiVersion)}`
      })
    })
  }
}, {
  // A resource is the first label of a host name: the key must not go to another host.
  resource: optional(hostName),
  auth: optional(oneOf("api-key", "entra")),
  apiVersion: optional(pathName),
  api: optional(oneOf("responses", "chat"))
})

/** The options with an address, or what to say where there is none; apart, since options may be anything. */
const addressed = (options: Options): { readonly options: Options } | { readonly error: LlmError.LlmError } => {
  // Options that cannot be are the provider's to refuse.
  if (issueOf(options, { resource: optional(hostName) }) !== undefined || options.baseUrl !== undefined) {
    return { options }
  }
  if (options.resource !== undefined) {
    return { options: { ...options, baseUrl: `https://${options.resource}.openai.azure.com/openai/v1` } }
  }
  return {
    error: new LlmError.LlmError({
      provider: provider.definition.id,
      model: options.model ?? "",
      operation: "layer",
      reason: new LlmError.Configuration({
        field: "resource",
        message: "No address of Azure OpenAI: give resource or baseUrl, or set AZURE_OPENAI_ENDPOINT."
      }),
      attempts: 1
    })
  }
}

/** Azure OpenAI as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/**
 * Makes the service. Fails with reason `Configuration` when there is no address.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options = {}
): Effect.Effect<LlmService.Service, LlmError.LlmError, HttpClient.HttpClient> =>
  Effect.suspend(() => {
    const known = addressed(options)
    return "error" in known ? Effect.fail(known.error) : provider.make(known.options)
  })

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = (options?: Options): Provider.ServiceLayer => Layer.effect(LlmService.LlmService, make(options))

/**
 * A layer from `Config` values; `baseUrl` is the endpoint of the resource.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (config: Provider.ConfigOptions, options: Options = {}): Provider.ServiceLayer =>
  Layer.unwrap(Effect.sync(() => {
    const known = addressed(options)
    if ("options" in known) return provider.layerConfig(config, known.options)
    return namesNoAddress(config)
      ? Layer.effect(LlmService.LlmService, Effect.fail(known.error))
      : provider.layerConfig(config, options)
  }))

/** What cannot be read is the provider's to refuse. */
const namesNoAddress = (config: Provider.ConfigOptions): boolean =>
  optionsIssue(fields({ baseUrl: anything }), config) === undefined && config.baseUrl === undefined

const variable = (name: string) => Config.map(Config.option(Config.String(name)), Option.getOrUndefined)

/**
 * A layer from the environment: `AZURE_OPENAI_ENDPOINT`, `AZURE_OPENAI_API_KEY`, `AZURE_OPENAI_DEPLOYMENT`,
 * `AZURE_OPENAI_API_VERSION`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv: Provider.ServiceLayer = Layer.unwrap(
  Config.all({
    baseUrl: variable("AZURE_OPENAI_ENDPOINT"),
    model: variable("AZURE_OPENAI_DEPLOYMENT"),
    apiVersion: variable("AZURE_OPENAI_API_VERSION")
  }).pipe(
    Effect.mapError((error) =>
      new LlmError.LlmError({
        provider: provider.definition.id,
        model: "",
        operation: "layer",
        reason: new LlmError.Configuration({ message: error.message }),
        attempts: 1
      })
    ),
    Effect.map((found) => layerConfig({ apiKey: Config.Redacted("AZURE_OPENAI_API_KEY") }, found))
  )
)
