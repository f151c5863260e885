/**
 * Asks for reasoning in the host's dialect: portable levels and token budgets become the host's words, rounded down
 * to what the model has, with a warning wherever the meaning changes.
 *
 * @since 0.1.0
 */
import type { Warning } from "../../LlmResponse.ts"
import type { Json } from "../../Message.ts"
import type { ModelMeta, ThinkingLevel } from "../../Model.ts"
import { type LevelWords, wordFor } from "../ThinkingLevels.ts"
import type { Quirks } from "./Quirks.ts"

const openAiEfforts: LevelWords = {
  off: "none",
  minimal: "minimal",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "xhigh",
  max: "max"
}

/** Upper bounds in tokens, for hosts that know no budgets. */
const budgetLevels: ReadonlyArray<readonly [number, ThinkingLevel]> = [
  [1024, "minimal"],
  [4096, "low"],
  [16384, "medium"],
  [32768, "high"],
  [65536, "xhigh"]
]

const levelOfBudget = (tokens: number): ThinkingLevel => budgetLevels.find(([bound]) => tokens <= bound)?.[1] ?? "max"

/**
 * Body fields that ask for reasoning.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const reasoningFields = (
  thinking: ThinkingLevel | { readonly budgetTokens: number } | undefined,
  quirks: Quirks,
  meta: ModelMeta | undefined,
  warnings: Array<Warning>
): { readonly [field: string]: Json } => {
  if (thinking === undefined) return {}
  const warn = (message: string) => warnings.push({ field: "thinking", message })
  const dialect = meta?.thinking?.byEffort === true ? "reasoning_effort" : quirks.reasoning ?? "reasoning_effort"
  const levels = meta?.thinkingLevels
  const always = meta?.thinking?.off === false || (levels !== undefined && "off" in levels && !levels.off)
  const off = thinking === "off"
  if (dialect === "none") {
    warn("The provider has no option for reasoning; it was left out.")
    return {}
  }
  const budget = typeof thinking === "object" ? thinking.budgetTokens : undefined
  if (dialect === "reasoning" && budget !== undefined) return { reasoning: { max_tokens: budget } }

  const asked = typeof thinking === "object" ? levelOfBudget(thinking.budgetTokens) : thinking
  const effort = (said: string): string | undefined => {
    const found = wordFor(asked, meta?.thinkingLevels ?? quirks.reasoningEfforts ?? openAiEfforts)
    if (found === undefined) {
      warn("The model has no thinking levels; the option was left out.")
      return undefined
    }
    if (budget !== undefined) warn(`${said} of ${budget} tokens was sent as level "${found[0]}".`)
    else if (found[0] !== asked) warn(`Level "${asked}" is not available; "${found[0]}" was sent.`)
    return found[1]
  }
  const beside = (): { readonly [field: string]: Json } => {
    if (off && !always) return {}
    if (quirks.effortBesideSwitch === true || (quirks.effortBesideSwitch === "known" && levels !== undefined)) {
      const word = effort("A budget")
      return word === undefined ? {} : { reasoning_effort: word }
    }
    if (budget !== undefined) warn("The provider only switches reasoning on or off; the budget was left out.")
    else warn(`The provider only switches reasoning on or off; level "${asked}" was sent as on.`)
    return {}
  }
  if (off && always && dialect !== "reasoning_effort" && dialect !== "reasoning") {
    const least = quirks.effortBesideSwitch === undefined ? {} : beside()
    if (Object.keys(least).length === 0) warn("Thinking cannot be turned off on this model; the option was left out.")
    return least
  }
  switch (dialect) {
    case "reasoning_effort": {
      const word = effort("A budget")
      return word === undefined ? {} : { reasoning_effort: word }
    }
    case "reasoning": {
      const word = effort("A budget")
      return word === undefined ? {} : { reasoning: { effort: word } }
    }
    case "reasoning_enabled":
      return { reasoning: { enabled: !off }, ...beside() }
    case "thinking":
      return budget !== undefined && quirks.thinkingBudget === true
        ? { thinking: { type: "enabled", budget_tokens: budget } }
        : { thinking: { type: off ? "disabled" : "enabled" }, ...beside() }
    case "enable_thinking":
      return budget !== undefined
        ? { enable_thinking: true, thinking_budget: budget }
        : { enable_thinking: !off, ...beside() }
    case "chat_template_kwargs":
      return { chat_template_kwargs: { [quirks.templateFlag ?? "enable_thinking"]: !off }, ...beside() }
  }
}
