/**
 * Which options the models behind the Converse wire do not take, and which of them not together.
 *
 * @since 0.1.0
 */
import { formatLabels, type OptionRules, type Refusal } from "../../Model.ts"
import { rulesOf as claudeRules } from "../anthropic/Rules.ts"
import type { Family } from "./Quirks.ts"

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html */
const url = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html"

/**
 * What the API and a family of models say of options.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const rulesOf = (family: Family): OptionRules => {
  const dialect = family.thinking ?? "anthropic"
  const own: ReadonlyArray<Refusal> = [
    ...(family.topK === "none" ? [{ option: "topK" as const }] : []),
    ...(family.serialToolCalls === true ? [] : [{ option: "parallelToolCalls: false" as const }])
  ]
  if (dialect === "anthropic") {
    const claude = claudeRules({ topPWithTemperature: family.topPWithTemperature !== false })
    const refuses = (claude.refuses ?? []).map((rule) => ({
      ...rule,
      // Converse has places for these: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_JsonSchemaDefinition.html
      option: typeof rule.option === "string" ? rule.option : rule.option.filter((name) => !formatLabels.includes(name))
    }))
    return { ...claude, refuses: [...refuses, ...own] }
  }
  return {
    refuses: [
      { option: ["frequencyPenalty", "presencePenalty", "seed", "logprobs", "cache.key"], url },
      ...(dialect === "none" ? [{ option: "thinking: on" as const }] : []),
      ...(dialect === "effort" ? [] : [{ option: "effort" as const }]),
      ...own
    ],
    only: [{ option: "temperature", from: 0, to: 1, url }]
  }
}
