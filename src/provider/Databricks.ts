/**
 * Databricks model serving. The workspace is part of the base URL: replace {workspace}.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Databricks that have no portable name, sent as they are. */
    readonly databricks?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "databricks",
  name: "Databricks",
  docs: "https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis",
  baseUrl: "https://{workspace}.cloud.databricks.com/serving-endpoints",
  auth: { type: "bearer" },
  env: { apiKey: ["DATABRICKS_TOKEN"], baseUrl: "DATABRICKS_BASE_URL", model: "DATABRICKS_MODEL" },
  defaultModel: "databricks-gpt-oss-120b",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference
    tokenField: "max_tokens",
    customTools: false,
    promptCacheKey: false,
    topK: true,
    strictTools: false,
    parallelToolCalls: false,
    seedField: false,
    streamUsage: false,
    rules: {
      refuses: [
        noParts(
          "https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference",
          "files",
          "audio"
        )
      ]
    }
  })
})

/** Databricks as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `DATABRICKS_TOKEN`, `DATABRICKS_BASE_URL`, `DATABRICKS_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
