/**
 * Claude on Google Cloud's Vertex AI.
 *
 * The Anthropic wire with three differences, all set here: the model is in the path, the API version in the body, and
 * the credential is a Google access token. https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
 *
 * @since 0.1.0
 */
import { nameIssue, segment } from "../address/paths.ts"
import type { Issue } from "../LlmRequest.ts"
import type { JsonObject } from "../Message.ts"
import * as AnthropicMessages from "../protocol/AnthropicMessages.ts"
import { joinedHeaders } from "../validation/headers.ts"
import { filledText, listOf, optional } from "../validation/values.ts"
import { numberAt, only } from "./counting.ts"
import * as VertexHost from "./google/Vertex.ts"
import { modelsAt, nextPageToken } from "./listing.ts"
import type { Outgoing } from "./Provider.ts"
import { claudeStreamsWhole } from "./wholeAnswers.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Claude on Vertex AI that have no portable name, and `betas`, which go into a header. */
    readonly "vertex-anthropic"?: (JsonObject & { readonly betas?: ReadonlyArray<string> | undefined }) | undefined
  }
}

export type {
  /**
   * Options of the layer.
   *
   * @stability stable
   * @category options
   * @since 0.1.0
   */
  Options
} from "./google/Vertex.ts"

const finish = (outgoing: Outgoing, options: JsonObject): Outgoing | Issue => {
  const { model, ...body } = outgoing.body
  const name = segment(model)
  if (name === undefined) return { field: "model", message: nameIssue(model)! }
  const betas = options["betas"]
  return {
    path: `/models/${name}:${body["stream"] === true ? "streamRawPredict" : "rawPredict"}`,
    headers: Array.isArray(betas) && betas.length > 0
      ? joinedHeaders(outgoing.headers, { "anthropic-beta": betas.join(",") })
      : outgoing.headers,
    body: { anthropic_version: "vertex-2023-10-16", ...body }
  }
}

const provider = VertexHost.define(
  {
    id: "vertex-anthropic",
    name: "Claude on Vertex AI",
    docs: "https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude",
    baseUrl: "https://aiplatform.googleapis.com/v1/projects/{project}/locations/global/publishers/anthropic",
    auth: { type: "bearer" },
    env: {
      apiKey: ["GOOGLE_ACCESS_TOKEN"],
      baseUrl: "ANTHROPIC_VERTEX_BASE_URL",
      model: "VERTEX_ANTHROPIC_MODEL"
    },
    defaultModel: "claude-sonnet-5-5",
    catalogue: () => import("../model/catalogue/anthropic.ts"),
    capabilities: {
      streaming: true,
      tools: true,
      parallelTools: true,
      images: true,
      pdf: true,
      reasoning: true,
      promptCaching: true
    },
    protocol: AnthropicMessages.make({
      // Signatures made by Anthropic's own API are valid here:
      // https://platform.claude.com/docs/en/build-with-claude/extended-thinking#thinking-block-preservation
      reasoningFrom: ["anthropic", "bedrock"]
    }),
    // https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list
    modelsUrl: (baseUrl) => `${new URL(baseUrl).origin}/v1beta1/publishers/anthropic/models`,
    readModels: modelsAt("vertex-anthropic", "publisherModels", "name", (name) => name.replace(/^.*\//, "")),
    nextModels: nextPageToken,
    // https://platform.claude.com/docs/en/build-with-claude/token-counting, by the model `count-tokens` of the publisher:
    // https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/count-tokens
    countTokens: ({ baseUrl, model, outgoing }) => ({
      url: `${baseUrl}/models/count-tokens:rawPredict`,
      body: {
        model,
        ...only(outgoing.body, ["messages", "system", "tools", "tool_choice", "thinking", "anthropic_version"])
      },
      read: numberAt("input_tokens")
    }),
    streamsWhole: claudeStreamsWhole,
    nonBodyOptions: ["betas"],
    ownOptions: { betas: optional(listOf(filledText)) },
    finish
  },
  "anthropic",
  false
)

/** Claude on Vertex AI as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/**
 * A layer from the environment: `GOOGLE_CLOUD_PROJECT`, `GOOGLE_CLOUD_LOCATION`, `GOOGLE_ACCESS_TOKEN`,
 * `VERTEX_ANTHROPIC_MODEL`, `ANTHROPIC_VERTEX_BASE_URL`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv = provider.layerEnv
