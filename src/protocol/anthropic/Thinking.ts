/**
 * Thinking, effort and the token limit that both live in.
 *
 * Newer models think adaptively and take an effort; older ones take a budget of at least 1024 tokens that must stay
 * below `max_tokens`: https://platform.claude.com/docs/en/build-with-claude/extended-thinking and
 * https://platform.claude.com/docs/en/build-with-claude/effort
 *
 * @since 0.1.0
 */
import type { LlmRequest } from "../../LlmRequest.ts"
import type { Warning } from "../../LlmResponse.ts"
import { type ModelMeta, thinkingLevels } from "../../Model.ts"
import { wordFor } from "../ThinkingLevels.ts"
import type { Effort, Thinking } from "./Body.ts"
import type { Quirks } from "./Quirks.ts"

/** Tokens per level on models that take a budget. */
const budgets = { minimal: 1024, low: 4096, medium: 10_000, high: 32_000, xhigh: 48_000, max: 64_000 } as const

const smallestBudget = 1024

type Level = keyof typeof budgets

/**
 * What a request's limits, thinking and effort come to.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  readonly maxTokens: number
  readonly thinking: Thinking | undefined
  readonly effort: Effort | undefined
}

const levelOfBudget = (tokens: number): Level => {
  let level: Level = "minimal"
  for (const one of thinkingLevels) if (one !== "off" && budgets[one] <= tokens) level = one
  return level
}

/** The nearest word at or below a level that the model has, else the lowest it has. */
const effortOf = (level: Level, meta: ModelMeta | undefined): Effort => {
  const words = meta?.thinkingLevels
  if (words === undefined) return level === "minimal" ? "low" : level
  // Data that names none of the middle levels lists only what is beyond them.
  const implied = words.low === undefined && words.medium === undefined && words.high === undefined
  const found = wordFor(level, implied ? { ...words, low: "low", medium: "medium", high: "high" } : words)
  return (found?.[1] ?? "low") as Effort
}

const isAdaptive = (quirks: Quirks, meta: ModelMeta | undefined): boolean =>
  quirks.thinking === "adaptive" ||
  (quirks.thinking !== "budget" && meta?.thinkingLevels !== undefined)

/**
 * Resolves `maxTokens`, `thinking` and `effort`. `openTurn` says that the history has an open turn which did not begin with thinking,
 * which excludes thinking by a budget.
 *
 * @stability experimental
 * @category encoding
 * @since 0.1.0
 */
export const resolveLimits = (
  request: LlmRequest,
  meta: ModelMeta | undefined,
  quirks: Quirks,
  warnings: Array<Warning>,
  openTurn = false
): Limits => {
  const warn = (field: string, message: string) => {
    warnings.push({ field, message })
  }
  const most = meta?.maxOutputTokens
  let maxTokens = request.maxTokens ?? most ?? quirks.defaultMaxTokens ?? 8192

  let effort: Effort | undefined = request.effort
  const capable = meta?.capabilities.reasoning !== false && quirks.thinking !== "none"
  if (effort !== undefined && (!capable || quirks.effort === false)) {
    warn("effort", "The model has no effort setting; it was left out.")
    effort = undefined
  } else if (effort !== undefined) {
    const word = effortOf(effort, meta)
    if (word !== effort) warn("effort", `The model has no effort "${effort}"; "${word}" was sent.`)
    effort = word
  }

  const asked = request.thinking
  if (asked === undefined) return { maxTokens, thinking: undefined, effort }
  if (asked === "off") {
    const levels = meta?.thinkingLevels
    if (!capable) return { maxTokens, thinking: undefined, effort }
    if (levels !== undefined && "off" in levels && !levels.off) {
      warn("thinking", "Thinking cannot be turned off on this model.")
      return { maxTokens, thinking: undefined, effort }
    }
    return { maxTokens, thinking: { type: "disabled" }, effort }
  }
  if (!capable) return { maxTokens, thinking: undefined, effort }

  if (isAdaptive(quirks, meta)) {
    const level = typeof asked === "string" ? asked : levelOfBudget(asked.budgetTokens)
    if (quirks.effort === false) {
      warn("thinking", "The provider decides how much to think; the level was left out.")
      return { maxTokens, thinking: { type: "adaptive" }, effort }
    }
    const word = effortOf(level, meta)
    if (typeof asked !== "string") {
      warn("thinking", `The model takes no budget; ${asked.budgetTokens} tokens became effort "${effort ?? word}".`)
    } else if (effort !== undefined && effort !== word) {
      warn(
        "thinking",
        `The model thinks by effort, and effort "${effort}" was asked for; level "${asked}" was left out.`
      )
    } else if (effort === undefined && word !== level && meta?.thinkingLevels?.[level] === undefined) {
      warn("thinking", `The model has no thinking level "${level}"; "${word}" was sent.`)
    }
    return { maxTokens, thinking: { type: "adaptive" }, effort: effort ?? word }
  }

  if (openTurn) {
    warn(
      "thinking",
      "The tool calls that are going on did not begin with thinking of this provider, which it wants then; thinking is off until they end."
    )
    return { maxTokens, thinking: undefined, effort }
  }

  let budget: number = typeof asked === "string" ? budgets[asked] : asked.budgetTokens
  if (budget < smallestBudget) {
    warn("thinking", `The smallest budget is ${smallestBudget} tokens; ${budget} was raised to that.`)
    budget = smallestBudget
  }
  if (budget >= maxTokens) {
    const room = (typeof asked === "string" && request.maxTokens !== undefined ? maxTokens : most ?? Infinity) - 1024
    if (room >= smallestBudget && budget > room) {
      warn("thinking", `The budget of ${budget} tokens does not fit below the token limit; ${room} was sent.`)
      budget = room
    } else if (budget > room) {
      budget = smallestBudget
    }
    if (budget >= maxTokens) {
      const raised = Math.min(most ?? Infinity, budget + maxTokens)
      if (request.maxTokens !== undefined) {
        warn("maxTokens", `The limit of ${maxTokens} tokens has no room for thinking; it was raised to ${raised}.`)
      }
      maxTokens = raised
    }
  }
  if (budget >= maxTokens) {
    warn("thinking", "The model's token limit has no room for thinking; it was left out.")
    return { maxTokens, thinking: undefined, effort }
  }
  return { maxTokens, thinking: { type: "enabled", budget_tokens: budget }, effort }
}
