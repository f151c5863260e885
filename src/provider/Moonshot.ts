/**
 * Moonshot AI (Kimi).
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Message.ts"
import * as OpenAiChat from "../protocol/OpenAiChat.ts"
import { record } from "../protocol/Probe.ts"
import { moonshot } from "../protocol/schema/dialects.ts"
import { numberAt, only } from "./counting.ts"
import { noParts } from "./hostRules.ts"
import * as Provider from "./Provider.ts"

declare module "../LlmRequest.ts" {
  interface ProviderOptions {
    /** Body fields of Moonshot that have no portable name, sent as they are. */
    readonly moonshot?: JsonObject | undefined
  }
}

const provider = Provider.define({
  id: "moonshot",
  name: "Moonshot",
  docs: "https://platform.kimi.ai/docs/api/chat",
  baseUrl: "https://api.moonshot.ai/v1",
  auth: { type: "bearer" },
  env: { apiKey: ["MOONSHOT_API_KEY", "KIMI_API_KEY"], baseUrl: "MOONSHOT_BASE_URL", model: "MOONSHOT_MODEL" },
  defaultModel: "kimi-k3",
  catalogue: () => import("../model/catalogue/moonshot.ts"),
  capabilities: { streaming: true, tools: true, images: true, structuredOutput: true },
  // https://platform.kimi.ai/docs/api/estimate
  countTokens: ({ baseUrl, outgoing }) => ({
    url: `${baseUrl}/tokenizers/estimate-token-count`,
    body: only(outgoing.body, ["model", "messages", "tools"]),
    read: (answer) => numberAt("total_tokens")(record(answer)?.["data"])
  }),
  protocol: OpenAiChat.make({
    // https://platform.moonshot.ai/docs/api/chat
    // `max_tokens` is deprecated.
    tokenField: "max_completion_tokens",
    seedField: false,
    logprobs: false,
    strictTools: false,
    customTools: false,
    parallelToolCalls: false,
    schemas: moonshot,
    reasoning: "thinking",
    // Thinking is on unless a request says otherwise, and then calls without their reasoning are refused, with "" as without the field:
    // https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model and https://github.com/earendil-works/pi/pull/4178
    reasoningReplay: "reasoning_content_with_calls",
    // Images are bytes or `ms://` ids, documents are read by another API: https://platform.kimi.ai/docs/guide/use-kimi-vision-model and
    // https://github.com/HeyPuter/puter/pull/2931
    imageUrls: false,
    files: "none",
    rules: {
      refuses: [
        noParts("https://platform.kimi.ai/docs/api/chat", "files", "audio", "image.detail"),
        { option: "responseFormat.description", url: "https://platform.kimi.ai/docs/api/chat" }
      ],
      only: [{ option: "temperature", from: 0, to: 1, url: "https://platform.kimi.ai/docs/api/chat" }]
    }
  })
})

/** Moonshot as data. @stability stable @category definition @since 0.1.0 */
export const definition = provider.definition

/** Makes the service. @stability stable @category constructors @since 0.1.0 */
export const make = provider.make

/** A layer from options. @stability stable @category layers @since 0.1.0 */
export const layer = provider.layer

/** A layer from `Config` values. @stability stable @category layers @since 0.1.0 */
export const layerConfig = provider.layerConfig

/** A layer from the environment: `MOONSHOT_API_KEY`, `MOONSHOT_BASE_URL`, `MOONSHOT_MODEL`. @stability stable @category layers @since 0.1.0 */
export const layerEnv = provider.layerEnv
