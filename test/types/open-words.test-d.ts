/**
 * Words that providers extend are open: what is known is completed, anything else is taken. Checked by `tsc`; nothing runs.
 */
import type { Anthropic, Bedrock, LlmRequest, LlmResponse, Message, Ollama, OpenAi } from "../../src/index.ts"

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(): T => true as T

/** Both a known word and one of tomorrow go in, and the type is not just `string`, so that editors complete it. */
type IsOpen<Word extends string, Known extends string> = [Known, string] extends [Word, Word]
  ? Equals<Word, string> extends true ? false : true
  : false
type Of<A, K extends keyof A> = Exclude<A[K], undefined>

holds<IsOpen<Message.MediaType, "image/png">>()
holds<IsOpen<Of<Anthropic.RequestFields, "service_tier">, "auto">>()
holds<IsOpen<Of<OpenAi.RequestFields, "service_tier">, "flex">>()
holds<IsOpen<Of<OpenAi.RequestFields, "truncation">, "auto">>()
holds<IsOpen<Of<Bedrock.RequestFields, "serviceTier">["type"], "flex">>()
holds<IsOpen<Of<Bedrock.RequestFields, "performanceConfig">["latency"], "optimized">>()
holds<IsOpen<Exclude<Of<Ollama.RequestFields, "think">, boolean>, "high">>()

// What the library itself decides stays closed, with the provider's own word beside it.
declare const response: LlmResponse.LlmResponse
holds<Equals<typeof response.rawFinishReason, string | undefined>>()
export const known = (reason: LlmResponse.FinishReason): string => {
  switch (reason) {
    case "stop":
    case "length":
    case "tool-calls":
    case "content-filter":
    case "refusal":
    case "pause":
    case "context-window":
    case "error":
    case "other":
      return reason
  }
}

export const request: LlmRequest.LlmRequest = {
  messages: [{
    role: "user",
    content: [{ type: "image", source: { type: "base64", mediaType: "image/of-tomorrow", data: "" } }]
  }],
  providerOptions: { anthropic: { service_tier: "tier_of_tomorrow" }, openai: { service_tier: "ultrafast" } }
}
