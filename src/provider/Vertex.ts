/**
 * Gemini on Google Cloud's Vertex AI.
 *
 * Called with an access token for a project and a location, or with an API key in express mode. Hosts and tokens are
 * described in `google/Vertex.ts`.
 *
 * @since 0.1.0
 */
import * as GeminiGenerateContent from "../protocol/GeminiGenerateContent.ts"
import { numberAt, only } from "./counting.ts"
import * as Gemini from "./Gemini.ts"
import * as VertexHost from "./google/Vertex.ts"
import { modelsAt, nextPageToken } from "./listing.ts"
import type { Outgoing } from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Fields of Gemini on Vertex AI: those of the Gemini API, and labels for billing. */
    readonly vertex?:
      | (Gemini.RequestFields & { readonly labels?: { readonly [name: string]: string } | undefined })
      | undefined
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

/** The base URL ends in the publisher: names that begin with one, or with the project, must not repeat it. */
const belowPublisher = (outgoing: Outgoing): Outgoing => ({
  ...outgoing,
  path: outgoing.path.replace(/^\/(?:projects\/[^/]+\/locations\/[^/]+\/)?publishers\/google\/models\//, "/models/")
})

const provider = VertexHost.define(
  {
    id: "vertex",
    name: "Gemini on Vertex AI",
    docs: "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
    baseUrl: VertexHost.baseUrlOf("google", undefined),
    auth: { type: "bearer" },
    env: {
      apiKey: ["GOOGLE_ACCESS_TOKEN", "VERTEX_API_KEY"],
      baseUrl: "GOOGLE_VERTEX_BASE_URL",
      model: "VERTEX_MODEL"
    },
    defaultModel: "gemini-3.5-flash",
    catalogue: () => import("../model/catalogue/vertex.ts"),
    capabilities: Gemini.definition.capabilities,
    protocol: GeminiGenerateContent.make({
      levelModels: Gemini.levelModels,
      // v1 has no ids of calls: https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/Content#FunctionCall
      toolCallIds: false
    }),
    // https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens
    countTokens: ({ baseUrl, outgoing }) => ({
      url: Gemini.countTokensUrl(baseUrl, outgoing.path),
      body: only(outgoing.body, Gemini.countedFields),
      read: numberAt("totalTokens")
    }),
    // https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list
    modelsUrl: (baseUrl) => `${new URL(baseUrl).origin}/v1beta1/publishers/google/models`,
    readModels: modelsAt("vertex", "publisherModels", "name", (name) => name.replace(/^.*\//, "")),
    nextModels: nextPageToken,
    ...Gemini.requestShape,
    finish: (outgoing, options) => Gemini.requestShape.finish(belowPublisher(outgoing), options)
  },
  "google",
  true
)

/** Gemini on Vertex AI as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/**
 * A layer from the environment: `GOOGLE_CLOUD_PROJECT`, `GOOGLE_CLOUD_LOCATION` and `GOOGLE_ACCESS_TOKEN`, or
 * `VERTEX_API_KEY`; `VERTEX_MODEL`, `GOOGLE_VERTEX_BASE_URL`.
 *
 * @stability stable
 * @category layers
 * @since 0.1.0
 */
export const layerEnv = provider.layerEnv
