/**
 * Which options Claude does not take, and which of them not together.
 *
 * @since 0.1.0
 */
import { formatLabels, type OptionRules } from "../../Model.ts"
import type { Quirks } from "./Quirks.ts"

/** https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility */
const beside = "https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility"

/**
 * What the API and a host's quirks say of options.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const rulesOf = (
  quirks: Pick<Quirks, "thinking" | "maxTemperature" | "topPWithTemperature">
): OptionRules => ({
  refuses: [
    {
      option: [
        "frequencyPenalty",
        "presencePenalty",
        "seed",
        "logprobs",
        "cache.key",
        ...formatLabels
      ],
      url: "https://platform.claude.com/docs/en/api/messages/create"
    },
    ...(quirks.thinking === "none" ? [{ option: "thinking: on" as const }] : [])
  ],
  excludes: [
    { option: "thinking: on", by: ["toolChoice: required", "toolChoice: name"], url: beside },
    { option: "temperature", by: "thinking: on", but: [1], url: beside },
    { option: "topP", by: "thinking: on", from: 0.95, url: beside },
    { option: "topK", by: "thinking: on", url: beside },
    ...(quirks.topPWithTemperature === true ? [] : [{
      option: "topP" as const,
      by: "temperature" as const,
      url: "https://platform.claude.com/docs/en/about-claude/models/migration-guide"
    }])
  ],
  only: [{
    option: "temperature",
    from: 0,
    to: quirks.maxTemperature ?? 1,
    url: "https://platform.claude.com/docs/en/api/messages/create"
  }]
})
