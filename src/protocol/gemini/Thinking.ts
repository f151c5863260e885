/**
 * Thinking: by level on models from Gemini 3 on, by a budget in tokens on those before.
 *
 * https://ai.google.dev/gemini-api/docs/thinking
 *
 * @since 0.1.0
 */
import type { LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import { type ModelMeta, type ThinkingLevel, thinkingLevels } from "../../Model.ts"
import type { ThinkingConfig } from "./Body.ts"
import type { Quirks } from "./Quirks.ts"

/** Google's own mapping of levels; 24,576 is the most that every thinking model takes: https://ai.google.dev/gemini-api/docs/openai#thinking */
const budgets = { minimal: 1024, low: 1024, medium: 8192, high: 24_576, xhigh: 24_576, max: 24_576 } as const

/** Words for levels of a model without data; `LOW` and `HIGH` are those that all such models have. */
const usualWords: ModelMeta["thinkingLevels"] = { low: "LOW", medium: "MEDIUM", high: "HIGH" }

/**
 * Whether a model thinks by level; such models also demand thought signatures on replayed calls.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const thinksByLevel = (model: string, meta: ModelMeta | undefined, quirks: Quirks): boolean =>
  meta?.thinkingLevels !== undefined || quirks.levelModels?.test(model) === true

/** The nearest level at or below the one asked for that has a word, else the lowest that has one. */
const nearest = (
  asked: ThinkingLevel,
  words: NonNullable<ModelMeta["thinkingLevels"]>
): { readonly level: ThinkingLevel; readonly word: string } | undefined => {
  const at = thinkingLevels.indexOf(asked)
  for (const level of [...thinkingLevels.slice(0, at + 1).toReversed(), ...thinkingLevels.slice(at + 1)]) {
    const word = words[level]
    if (typeof word === "string" && word !== "") return { level, word }
  }
  return undefined
}

/**
 * Resolves `thinking`.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const thinkingConfig = (
  request: LlmRequest,
  model: string,
  meta: ModelMeta | undefined,
  quirks: Quirks,
  warnings: Array<Warning>
): ThinkingConfig | undefined => {
  const warn = (message: string) => {
    warnings.push({ field: "thinking", message })
  }
  const asked = request.thinking
  if (asked === undefined) return undefined
  if (typeof asked !== "string") return { includeThoughts: true, thinkingBudget: asked.budgetTokens }
  if (thinksByLevel(model, meta, quirks)) {
    const found = nearest(asked, meta?.thinkingLevels ?? usualWords)
    if (found === undefined) {
      warn("No thinking level of the model is known; the option was left out.")
      return undefined
    }
    if (found.level !== asked) {
      warn(
        asked === "off"
          ? `Thinking cannot be turned off on this model; level "${found.level}" was sent.`
          : `The model has no thinking level "${asked}"; "${found.level}" was sent.`
      )
    }
    // Words in the data are the API's in lower case.
    const thinkingLevel = found.word.toUpperCase()
    return asked === "off" ? { thinkingLevel } : { includeThoughts: true, thinkingLevel }
  }
  if (asked === "off") {
    const least = meta?.thinking?.off === false ? meta.thinking.smallestBudget : undefined
    if (least === undefined) return { thinkingBudget: 0 }
    warn(`Thinking cannot be turned off on this model; its smallest budget, ${least} tokens, was sent.`)
    return { thinkingBudget: least }
  }
  if (asked === "xhigh" || asked === "max") {
    warn(`Level "${asked}" has no larger budget than "high"; ${budgets.high} tokens were sent.`)
  }
  return { includeThoughts: true, thinkingBudget: budgets[asked] }
}
