/**
 * Anthropic.
 *
 * The API version and beta features are options; `ANTHROPIC_API_VERSION` and `ANTHROPIC_BETA` set them from the
 * environment, so that operations can pin or roll forward without a deploy.
 *
 * @since 0.1.0
 */
import type { JsonObject, Open } from "../Message.ts"
import * as AnthropicMessages from "../protocol/AnthropicMessages.ts"
import { record } from "../protocol/Probe.ts"
import { joinedHeaders } from "../validation/headers.ts"
import { filledText, listOf, optional } from "../validation/values.ts"
import { numberAt, only } from "./counting.ts"
import * as Provider from "./Provider.ts"
import { claudeStreamsWhole } from "./wholeAnswers.ts"

/**
 * Anthropic's own request fields.
 *
 * @see https://platform.claude.com/docs/en/api/messages
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface RequestFields {
  /** Beta features of this call, added to the layer's: https://platform.claude.com/docs/en/api/beta-headers */
  readonly betas?: ReadonlyArray<string> | undefined
  /** Says who the request is for: https://platform.claude.com/docs/en/api/messages */
  readonly metadata?: {
    /** Opaque id of the application's user, against abuse; no name, address or number. */
    readonly user_id?: string | undefined
  } | undefined
  /** https://platform.claude.com/docs/en/api/service-tiers */
  readonly service_tier?: Open<"auto" | "standard_only"> | undefined
  /** Container of an earlier answer to go on in, by its id, or one with skills. @default a new one where a tool needs it */
  readonly container?: string | JsonObject | undefined
  /** MCP servers that Anthropic calls, at most 20; needs a beta: https://platform.claude.com/docs/en/agents-and-tools/mcp-connector */
  readonly mcp_servers?: ReadonlyArray<JsonObject> | undefined
  /**
   * What Anthropic takes out of a context that grew too long; needs a beta:
   * https://platform.claude.com/docs/en/build-with-claude/context-editing
   */
  readonly context_management?: JsonObject | undefined
  readonly [field: string]: unknown
}

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Anthropic's own fields: beta features, service tier, MCP servers. */
    readonly anthropic?: RequestFields | undefined
  }
}

/**
 * Options of the Anthropic layer.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export interface Options extends Provider.Options {
  /** Value of `anthropic-version`. @default "2023-06-01" */
  readonly version?: string | undefined
  /** Beta features of every call. */
  readonly betas?: ReadonlyArray<string> | undefined
}

const betaHeader = "anthropic-beta"

const withBetas = (
  headers: { readonly [name: string]: string },
  betas: ReadonlyArray<string>
): { readonly [name: string]: string } =>
  betas.length === 0 ? headers : joinedHeaders(headers, { [betaHeader]: betas.join(",") })

const provider = Provider.define<Options>({
  id: "anthropic",
  name: "Anthropic",
  docs: "https://platform.claude.com/docs/en/api/messages",
  baseUrl: "https://api.anthropic.com/v1",
  auth: { type: "header", name: "x-api-key" },
  env: {
    apiKey: ["ANTHROPIC_API_KEY"],
    baseUrl: "ANTHROPIC_BASE_URL",
    model: "ANTHROPIC_MODEL",
    headers: { "anthropic-version": "ANTHROPIC_API_VERSION", [betaHeader]: "ANTHROPIC_BETA" }
  },
  defaultModel: "claude-sonnet-5-5",
  headers: { "anthropic-version": "2023-06-01" },
  catalogue: () => import("../model/catalogue/anthropic.ts"),
  capabilities: {
    streaming: true,
    tools: true,
    parallelTools: true,
    images: true,
    pdf: true,
    reasoning: true,
    promptCaching: true,
    structuredOutput: true
  },
  protocol: AnthropicMessages.make(),
  // https://platform.claude.com/docs/en/api/models/list
  modelsUrl: (baseUrl) => `${baseUrl}/models?limit=1000`,
  nextModels: (body) => {
    const page = record(body)
    const last = page?.["last_id"]
    return page?.["has_more"] === true && typeof last === "string" ? { after_id: last } : undefined
  },
  // https://platform.claude.com/docs/en/api/messages/count_tokens
  countTokens: ({ baseUrl, outgoing }) => ({
    url: `${baseUrl}/messages/count_tokens`,
    body: only(outgoing.body, ["model", "messages", "system", "tools", "tool_choice", "thinking"]),
    read: numberAt("input_tokens")
  }),
  streamsWhole: claudeStreamsWhole,
  nonBodyOptions: ["betas"],
  ownOptions: { betas: optional(listOf(filledText)) },
  finish: (outgoing, options) => ({
    ...outgoing,
    headers: withBetas(outgoing.headers, (options["betas"] ?? []) as ReadonlyArray<string>)
  })
}, (definition, { betas = [], version }) => ({
  ...definition,
  headers: withBetas(
    { ...definition.headers, ...(version === undefined ? {} : { "anthropic-version": version }) },
    betas
  )
}), { version: optional(filledText), betas: optional(listOf(filledText)) })

/** Anthropic as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/**
 * A layer from the environment: `ANTHROPIC_API_KEY`, `ANTHROPIC_BASE_URL`, `ANTHROPIC_MODEL`, `ANTHROPIC_API_VERSION`,
 * `ANTHROPIC_BETA`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv = provider.layerEnv
