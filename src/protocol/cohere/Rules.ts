/**
 * Which options Cohere does not take, within which bounds, and which of them not together.
 *
 * @since 0.1.0
 */
import { formatLabels, type OptionRules } from "../../Model.ts"

/** https://docs.cohere.com/reference/chat */
const url = "https://docs.cohere.com/reference/chat"

/**
 * What the API says of options.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const rules: OptionRules = {
  refuses: [
    { option: ["effort", "parallelToolCalls", "cache.key", "cache.extendedTtl", ...formatLabels], url },
    {
      option: "logprobs: count",
      because: "Cohere gives the log probabilities of the chosen tokens only, without alternatives.",
      url
    }
  ],
  excludes: [{
    option: ["responseFormat: json", "responseFormat: json-schema"],
    by: "tools",
    because: "JSON mode is not supported in combination with tools and documents.",
    url: "https://docs.cohere.com/docs/structured-outputs"
  }],
  only: [
    { option: "temperature", from: 0, to: 1, url },
    { option: "topP", from: 0.01, to: 0.99, url },
    { option: "topK", from: 0, to: 500, url },
    { option: ["frequencyPenalty", "presencePenalty"], from: 0, to: 1, url },
    { option: "stop", to: 5, url }
  ]
}
