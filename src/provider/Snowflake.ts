/**
 * Snowflake Cortex. The account is part of the base URL: replace {account}.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Snowflake Cortex that have no portable name, sent as they are. */
    readonly snowflake?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "snowflake",
  name: "Snowflake Cortex",
  docs: "https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api",
  baseUrl: "https://{account}.snowflakecomputing.com/api/v2/cortex/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["SNOWFLAKE_PAT", "SNOWFLAKE_TOKEN"], baseUrl: "SNOWFLAKE_BASE_URL", model: "SNOWFLAKE_MODEL" },
  defaultModel: "claude-sonnet-4-5",
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  protocol: OpenAiChat.make({
    // https://docs.snowflake.com/en/user-guide/snowflake-cortex/open_ai_sdk
    textAsString: true,
    customTools: false,
    promptCacheKey: false,
    tokenField: "max_completion_tokens",
    strictTools: false,
    penalties: false,
    rules: {
      refuses: [noParts("https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api", "files", "audio")]
    }
  })
})

/** Snowflake Cortex as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `SNOWFLAKE_PAT`, `SNOWFLAKE_BASE_URL`, `SNOWFLAKE_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
